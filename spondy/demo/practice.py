"""A practice study: synthetic cases whose planted truth a reader sees after submitting."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from annotation import desk, intake
from annotation.people import Person
from annotation.phantom import write_built, write_tables
from spondy.demo.spots import spots

CASES = 6
FORMS = ("ct", "mr")
Step = Callable[[int, int, str], None]


def fill(coordinator: Person, code: str, *, cases: int, seed: int, step: Step) -> None:
    """Draw the cases of a draft study, take them in, put down what is planted, and open the reading.

    Safe to begin again: what is in is known, and the same seed gives the same cases.
    """
    if desk.board(coordinator, code).state == "draft":
        solutions = {}
        for index in range(cases):
            step(index, cases, f"{index} of {cases} practice cases are in.")
            patient, solution = _take_in(coordinator, code, index, seed)
            solutions[patient] = solution
        desk.set_solutions(coordinator, code, solutions)
        desk.release_all(coordinator, code)
        desk.freeze(coordinator, code)
    if desk.board(coordinator, code).state == "frozen":
        desk.begin_reading(coordinator, code)


def _take_in(coordinator: Person, code: str, index: int, seed: int) -> tuple[str, dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="spondy-practice-") as place:
        folder = Path(place)
        case, phantom = write_built(folder, index=index, seed=seed)
        write_tables(folder, [case])
        target = desk.intake_target(code)
        intake.take_in(target, dicom=[folder / "dicom"], clinical=folder / "clinical.csv", by=coordinator)
    return case.patient_id, {
        "answers": {form: case.truth.answers(form) for form in FORMS},
        "spots": {cell: spot.document() for cell, spot in spots(phantom).items()},
    }
