"""Flow, reading times and scanning as results: worked out by hand."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from analytics import plans
from analytics.frames import Context, Frames
from analytics.stats.result import NotEstimable, Results

PARAMETERS = [("tr", "Repetition time", "ms", 0), ("te", "Echo time", "ms", 1)]
SCANS = [
    (1, "SAG_T2", "Sagittal T2", "MR", "1.5 T", {"tr": 3000.0, "te": 100.0}),
    (2, "SAG_T2", "Sagittal T2", "MR", "1.5 T", {"tr": 3601.0}),
    (3, "SAG_T2", "Sagittal T2", "MR", "3 T", {"tr": 2800.0}),
    (4, "SAG_T2", "Sagittal T2", "MR", "1.5 T", {}),
    (4, "SAG_T1", "Sagittal T1", "MR", "3 T", {}),
    (5, "CT_POST", "CT after contrast", "CT", "CT", {}),
]
CONTEXT = Context.of(
    assessed=9,
    excluded=[("a", "No pain assessment", 1), ("b", "No MRI", 0), ("", "Unknown", 2)],
    times=[("R1", "mr", 60.0), ("R1", "mr", 120.0), ("R1", "mr", None), ("R2", "mr", None)],
    scans=SCANS,
    parameters=PARAMETERS,
    groups=("1.5 T", "3 T", "CT"),
)


@pytest.fixture(scope="module")
def found(d2: Frames) -> Results:
    only = replace(plans.get("paper"), steps=())
    return plans.carry_out(only, replace(d2, context=CONTEXT))


def test_every_patient_is_counted_once(found: Results) -> None:
    assert found.value("flow/assessed", "n") == 9
    assert found.value("flow/excluded", "n") == 3
    assert found.value("flow/excluded/a", "percent") == pytest.approx(100 / 3)
    assert found.value("flow/excluded/b", "n") == 0
    assert found.value("flow/included", "n") == 6


def test_times_are_of_readings_whose_page_told_them(found: Results) -> None:
    assert found.value("time/R1/mr", "median") == 90
    assert found.value("time/R1/mr", "n_missing") == 1
    assert found.value("time/R1/mr", "of") == 3
    assert isinstance(found.value("time/R2/mr", "median"), NotEstimable)
    assert found.value("time/R2/mr", "n_missing") == 1


def test_scanning_is_by_field_strength(found: Results) -> None:
    assert (found.value("scanner/1.5_T", "n"), found.value("scanner/1.5_T", "of")) == (2, 4)
    assert found.value("scanner/more_than_one", "n") == 1, "case 4 was scanned at both"
    assert found.value("series/1.5_T/SAG_T2/tr", "median") == 3300.5
    assert (found.value("series/1.5_T/SAG_T2/tr", "n"), found.value("series/1.5_T/SAG_T2/tr", "of")) == (2, 3)
    assert found.value("series/1.5_T/SAG_T2", "cases") == 3
    assert "series/3_T/SAG_T1/tr" not in found, "no header states it"


def test_without_a_context_there_is_nothing_of_it(d2: Frames) -> None:
    bare = plans.carry_out(replace(plans.get("paper"), steps=()), d2)
    assert {entry.id for entry in bare.entries} == {"study/cases", "study/readers"}


def test_it_is_read_back(d2: Frames) -> None:
    assert Context.from_document(json.loads(json.dumps(CONTEXT.to_document()))) == CONTEXT
