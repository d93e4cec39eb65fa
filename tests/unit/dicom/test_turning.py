"""Turning to the standard view: every stored value stays where it is in the patient, and the sides are standard."""

from __future__ import annotations

from itertools import permutations, product
from typing import Any

import numpy as np
import pytest

from annotation.dicom.geometry import pixel_to_lps, planes
from annotation.dicom.turning import NO_TURN, standard_turn, turned

AXES = np.eye(3)
# Every way an image can lie along the axes of the body: 48, of which 24 are right-handed.
WAYS = [
    (sign * AXES[one], other_sign * AXES[other])
    for (one, other), sign, other_sign in product(permutations(range(3), 2), (1, -1), (1, -1))
]
STANDARD = {0: ((0, 1, 0), (0, 0, -1)), 1: ((1, 0, 0), (0, 0, -1)), 2: ((1, 0, 0), (0, 1, 0))}


def header(row: Any, column: Any) -> dict[str, Any]:
    def element(vr: str, *values: float) -> dict[str, Any]:
        return {"vr": vr, "Value": list(values)}

    return {
        "00080060": element("CS"),
        "00200032": element("DS", -40.5, 12.25, 300.0),
        "00200037": element("DS", *map(float, (*row, *column))),
        "00280010": element("US", 4),
        "00280011": element("US", 6),
        "00280030": element("DS", 0.5, 0.75),
    }


@pytest.mark.parametrize(("row", "column"), WAYS)
def test_values_stay_at_their_place_and_the_picture_stands_as_usual(row: Any, column: Any) -> None:
    tilt = np.array([[1, 0, 0], [0, np.cos(0.3), -np.sin(0.3)], [0, np.sin(0.3), np.cos(0.3)]])
    for lie in (np.eye(3), tilt):
        before = header(lie @ row, lie @ column)
        (plane,) = planes(before)
        turn = standard_turn(plane)
        (after,) = planes(turned(before, turn))
        assert plane is not None
        assert after is not None
        values = np.arange(24).reshape(4, 6)
        moved = values.T if turn.transpose else values
        moved = moved[:, ::-1] if turn.reverse_columns else moved
        moved = moved[::-1] if turn.reverse_rows else moved
        assert moved.shape == (after.rows, after.columns)
        for value in range(24):
            was, now = np.argwhere(values == value)[0], np.argwhere(moved == value)[0]
            assert pixel_to_lps(plane, was) == pytest.approx(pixel_to_lps(after, now), abs=1e-9)
        right, down = STANDARD[int(np.argmax(np.abs(plane.normal_lps)))]
        assert np.dot(after.row_lps, right) > 0.9
        assert np.dot(after.column_lps, down) > 0.9
        assert standard_turn(after) == NO_TURN, "turned once, nothing is left to turn"


def test_a_slice_without_a_named_plane_stays_as_it_is() -> None:
    slanted = header((np.sqrt(0.5), np.sqrt(0.5), 0), (0, 0, -1))
    slanted["00200037"]["Value"] = [*(np.array([1, 1, 0]) / np.sqrt(2)), *(np.array([1, -1, 2]) / np.sqrt(6))]
    assert standard_turn(planes(slanted)[0]) == NO_TURN
    assert standard_turn(None) == NO_TURN
    bare = {"00280010": {"vr": "US", "Value": [4]}}
    assert turned(bare, standard_turn(None)) == bare
