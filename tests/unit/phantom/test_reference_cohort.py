"""The reference study as a demo: printed margins, and images, grades and outcomes that come from one truth."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from analytics import simulate
from annotation.phantom import build
from spondy.demo.reference import EXCLUDED, PICTURED, Cohort
from spondy.demo.spots import spots


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return Cohort(20250730)


def test_the_flow_and_the_clinical_table(cohort: Cohort) -> None:
    table = cohort.clinical()
    assert len(table) == 289
    assert Counter(table["exclusion"][table["exclusion"] != ""]) == EXCLUDED
    assert sum(EXCLUDED.values()) == 155
    included = table[table["exclusion"] == ""]
    assert Counter(included["sex"]) == {"F": 54, "M": 80}
    assert Counter(included["level"]) == {"L3": 2, "L4": 14, "L5": 118}
    assert all(isinstance(age, int) for age in included["age"]), "no age is written as 45.0"
    days = (
        included["nrs_1month_date"].astype("datetime64[ns]") - included["injection_date"].astype("datetime64[ns]")
    ).dt
    assert days.days.between(28, 35).all()


def test_what_is_drawn_is_what_the_outcomes_and_the_readers_were_drawn_from(cohort: Cohort) -> None:
    for row in cohort.study.truth.to_dict("records"):
        drawn = cohort.patients[str(row["case_id"])].truth.case_values()
        assert {item: float(value) for item, value in drawn.items()} == pytest.approx(
            {item: row[item] for item in drawn}
        )
    for patient in cohort.patients.values():
        discs, truth = patient.truth.pfirrmann_by_segment, patient.truth
        affected = {segment for segment, grade in discs.items() if grade >= 4}
        affected |= {truth.index_segment} if truth.modic_type1 or max(truth.weishaupt) >= 2 else set()
        assert (len(affected) >= 2) == bool(truth.segment_degeneration)


def test_cases_with_images_show_every_level_and_both_field_strengths(cohort: Cohort) -> None:
    assert len({one.name for one in cohort.pictured}) == PICTURED
    truth = cohort.study.truth
    for item in simulate.FINDINGS:
        shown = {one.truth.case_values()[item] for one in cohort.pictured}
        assert shown == set(truth[item]), item
    tesla = [build(one.truth, seed=one.image_seed, only=()).field_strength_t for one in cohort.pictured]
    assert tesla.count(1.5) == int(PICTURED * 58 / 134)


def test_readers_start_from_what_the_images_show(cohort: Cohort) -> None:
    """Where a reader's case value is the planted one, so are its sides; and most are."""
    documents = cohort.documents()
    assert len(documents) == 4 * 134
    same = []
    for one in cohort.pictured:
        planted = one.truth.answers("ct")
        for reader in ("R1", "R2"):
            given = documents[reader, "ct", one.name]
            if max(given[cell] for cell in planted) == max(planted.values()):
                assert {cell: given[cell] for cell in planted} == planted
                same.append(one.name)
    assert len(same) > 1.5 * PICTURED


def test_every_finding_has_a_place_that_lies_on_its_slice(cohort: Cohort) -> None:
    one = cohort.pictured[0]
    case = build(one.truth, seed=one.image_seed)
    found = spots(case)
    assert set(found) == {*case.truth.answers("mr"), *case.truth.answers("ct")}
    for spot in found.values():
        plane = next(p for p in case.get(spot.role).planes if p.position_lps_mm == spot.position_lps_mm)
        row, column, off = plane.pixel(np.array(spot.centre_lps_mm))
        assert abs(off) < 1e-3
        assert 0 < row < plane.rows
        assert 0 < column < plane.columns
