"""What a case has, before any picture is drawn."""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from annotation.phantom import CLINICAL_COLUMNS, VISIBLE, Case, Truth, case_facts, draw, write_tables

SEED = 7


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return [case_facts(index=i, seed=SEED) for i in range(134)]


def slip(points: dict[str, tuple[float, float, float]]) -> float:
    p, a, q = (np.array(points[name]) for name in "PAQ")
    return float((q - p) @ (a - p) / np.linalg.norm(a - p))


def test_a_draw_depends_on_its_generator_only() -> None:
    assert draw(np.random.default_rng(5)) == draw(np.random.default_rng(5))
    assert draw(np.random.default_rng(5)) != draw(np.random.default_rng(6))


def test_three_point_formula_gives_the_planted_slip(cases: list[Case]) -> None:
    for case in cases:
        truth = case.truth
        points = truth.landmarks_lps_mm
        assert slip(points) == pytest.approx(truth.slip_mm, abs=0.05)
        endplate = np.linalg.norm(np.subtract(points["A"], points["P"]))
        assert endplate == pytest.approx(truth.endplate_mm, abs=0.4)


@pytest.mark.parametrize(
    ("slip_mm", "grade"), [(0.0, 0), (0.1, 1), (8.75, 1), (8.8, 2), (17.5, 2), (20.0, 3), (36.0, 5)]
)
def test_meyerding_borders_belong_to_the_lower_grade(slip_mm: float, grade: int) -> None:
    truth = replace(draw(np.random.default_rng(1)), slip_mm=slip_mm, endplate_mm=35.0)
    assert truth.meyerding == grade


def test_two_dozen_cases_show_the_spread_of_grades(cases: list[Case]) -> None:
    found: dict[str, Counter[float]] = {}
    for case in cases[:24]:
        for item, value in case.truth.case_values().items():
            found.setdefault(item, Counter())[value] += 1
    assert set(found) == set(VISIBLE)
    for item, wanted in {
        "contrast_pattern": {1, 2, 3}, "segment_degeneration": {0, 1}, "modic_type1": {0, 1}, "weishaupt": {0, 1, 2, 3},
        "bartynski": {0, 1, 2, 3}, "lee": {0, 1, 2, 3}, "isthmic_bme": {0, 1}, "soft_tissue_edema_cyst": {0, 1},
    }.items():  # fmt: skip
        assert wanted == set(found[item]), item
    assert {2, 3, 4, 5} <= set(found["pfirrmann"])
    assert {0, 1, 2} <= set(found["meyerding"])


def test_cohort_has_about_the_published_margins(cases: list[Case]) -> None:
    levels = Counter(case.truth.level for case in cases)
    assert 110 <= levels["L5"] <= 124
    assert levels["L4"] >= 8
    assert levels["L3"] >= 1
    assert 45 <= sum(case.truth.sex == "F" for case in cases) <= 63
    assert np.mean([case.truth.age for case in cases]) == pytest.approx(43.9, abs=4)
    assert np.mean([float(case.clinical["nrs_baseline"]) for case in cases]) == pytest.approx(5.7, abs=0.6)
    patterns = Counter(max(case.truth.contrast_pattern) for case in cases)
    assert patterns[1] > patterns[2] > patterns[3] >= 8


def test_isthmic_oedema_goes_with_success(cases: list[Case]) -> None:
    share = {}
    for oedema in (0, 1):
        rows = [case.clinical for case in cases if max(case.truth.isthmic_bme) == oedema]
        share[oedema] = np.mean([2 * float(row["nrs_15min"]) <= float(row["nrs_baseline"]) for row in rows])
    assert share[1] - share[0] > 0.2


def test_segments_agree_with_the_extent_of_degeneration(cases: list[Case]) -> None:
    for case in cases:
        truth = case.truth
        affected = {segment for segment, grade in truth.pfirrmann_by_segment.items() if grade >= 4}
        if truth.modic_type1 or max(truth.weishaupt) >= 2:
            affected.add(truth.index_segment)
        assert truth.segment_degeneration == int(len(affected) >= 2)


def test_answers_hold_plain_numbers_for_every_cell(cases: list[Case]) -> None:
    truth = cases[0].truth
    assert set(truth.answers("ct")) == {"contrast_pattern.right", "contrast_pattern.left"}
    mr = truth.answers("mr")
    assert {"soft_tissue_edema_cyst.edema", "soft_tissue_edema_cyst.cyst", "slip_mm.case"} <= set(mr)
    assert all(type(value) in (int, float) for value in [*mr.values(), *truth.answers("ct").values()])
    with pytest.raises(ValueError, match="no such form"):
        truth.answers("us")


def test_tables_on_disk(cases: list[Case], tmp_path: Path) -> None:
    write_tables(tmp_path, cases[:5])
    with (tmp_path / "clinical.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == CLINICAL_COLUMNS
    assert len({row["patient_id"] for row in rows}) == 5
    truth = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    row = truth[cases[2].patient_id]
    assert Truth.from_json(row["planted"]) == cases[2].truth
    assert slip(row["landmarks_lps_mm"]) == pytest.approx(row["slip_mm"], abs=0.05)


def test_cases_are_independent_of_one_another(cases: list[Case]) -> None:
    assert case_facts(index=17, seed=SEED) == cases[17]
    assert case_facts(index=17, seed=SEED + 1) != cases[17]
    assert len({case.patient_id for case in cases}) == len(cases)
