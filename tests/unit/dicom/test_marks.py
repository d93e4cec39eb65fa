"""Geometric values of marks: rows and columns count in their own millimetres, whatever way the slice lies."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.dicom.geometry import Plane, pixel_to_lps
from annotation.dicom.marks import POINTS_OF, inside, value_of

TILTED = Plane((10.0, -20.0, 30.0), (0.6, 0.0, -0.8), (0.0, 1.0, 0.0), (0.6, 0.5), 200, 100)


def at(column: float, row: float) -> list[float]:
    return [float(x) for x in pixel_to_lps(TILTED, [row, column])]


def value(kind: str, *points: list[float]) -> float:
    found = value_of(kind, TILTED, points)
    assert found is not None
    assert found.unit == {"length": "mm", "angle": "degrees", "ellipse": "mm2"}[kind]
    return found.number


def test_a_length_counts_rows_and_columns_in_their_own_millimetres() -> None:
    assert value("length", at(10, 10), at(20, 10)) == pytest.approx(5.0)
    assert value("length", at(10, 10), at(10, 20)) == pytest.approx(6.0)
    assert value("length", at(10, 10), at(50, 35)) == pytest.approx(25.0)


def test_an_angle_is_that_of_the_body() -> None:
    assert value("angle", at(20, 10), at(10, 10), at(10, 30)) == pytest.approx(90.0)
    # Twelve columns and ten rows are 6 mm each way.
    assert value("angle", at(22, 10), at(10, 10), at(22, 20)) == pytest.approx(45.0)
    assert value("angle", at(30, 10), at(10, 10), at(0, 10)) == pytest.approx(180.0)


@given(st.floats(1, 40), st.floats(1, 90), st.sampled_from([(1, 1), (1, -1), (-1, 1), (-1, -1)]))
def test_an_ellipse_has_the_same_area_from_any_two_opposite_corners(
    wide: float, high: float, turn: tuple[int, int]
) -> None:
    dx, dy = turn[0] * wide / 2, turn[1] * high / 2
    found = value("ellipse", at(50 - dx, 100 - dy), at(50 + dx, 100 + dy))
    assert found == pytest.approx(math.pi / 4 * (wide * 0.5) * (high * 0.6), rel=1e-9)


def test_points_and_arrows_have_no_value_and_flat_marks_are_refused() -> None:
    assert value_of("point", TILTED, [at(3, 3)]) is None
    assert value_of("arrow", TILTED, [at(3, 3), at(9, 9)]) is None
    for kind in ("length", "arrow", "ellipse"):
        with pytest.raises(ValueError, match=r"lie on one another|no area"):
            value_of(kind, TILTED, [at(3, 3), at(3, 3)])
    with pytest.raises(ValueError, match="no area"):
        value_of("ellipse", TILTED, [at(3, 3), at(30, 3)])
    with pytest.raises(ValueError, match="lie on one another"):
        value_of("angle", TILTED, [at(3, 3), at(3, 3), at(9, 9)])
    assert set(POINTS_OF.values()) == {1, 2, 3}


@pytest.mark.parametrize(
    ("column", "row", "expected"),
    [(-0.5, -0.5, True), (99.5, 199.5, True), (-0.6, 5, False), (5, 199.6, False), (99.6, 5, False), (50, 50, True)],
)
def test_an_image_ends_half_a_pixel_beyond_its_outermost_centres(column: float, row: float, expected: bool) -> None:
    assert inside(TILTED, [at(column, row)]) is expected
    assert inside(TILTED, np.asarray([at(50, 50), at(column, row)])) is expected
