"""Planes, slice order and millimetres."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from annotation.dicom.geometry import (
    Plane,
    blocks,
    lps_to_pixel,
    on_plane,
    order,
    pixel_to_lps,
    plane_name,
    planes,
    slip,
)

SAGITTAL = ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0))
CORONAL = ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0))
AXIAL = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))


def plane(position: tuple[float, float, float], axes: Any = SAGITTAL, **changes: Any) -> Plane:
    values = {"spacing_rc_mm": (0.7, 0.6), "rows": 32, "columns": 40, **changes}
    return Plane(position, axes[0], axes[1], **values)


def tilted(degrees: float, z: float) -> Plane:
    angle = np.deg2rad(degrees)
    return plane((-50, -50, z), ((1, 0, 0), (0, float(np.cos(angle)), float(np.sin(angle)))))


def header(**tags: Any) -> dict[str, Any]:
    good: dict[str, list[float]] = {
        "00280010": [32], "00280011": [40], "00200032": [1, 2, 3], "00200037": [0, 1, 0, 0, 0, -1],
        "00280030": [0.7, 0.6],
    }  # fmt: skip
    return {tag: {"vr": "DS", "Value": value} for tag, value in {**good, **tags}.items() if value is not None}


@pytest.mark.parametrize(
    ("q", "value", "percent"),
    [
        ((0, -30 + 8.2, 12), 8.2, 100 * 8.2 / 34),  # 8.2 mm in front of P, at another height
        ((0, -30 - 3, 5), -3.0, -100 * 3 / 34),  # behind: retrolisthesis
        ((0, -30, 7), 0.0, 0.0),
        ((0, -30 + 40, 0), 40.0, 100 * 40 / 34),  # beyond the endplate
    ],
)
def test_slip(q: tuple[float, float, float], value: float, percent: float) -> None:
    found = slip((0, -30, 0), (0, 4, 0), q)
    assert found.value_mm == pytest.approx(value)
    assert found.endplate_mm == pytest.approx(34)
    assert found.percent == pytest.approx(percent)


def test_slip_does_not_depend_on_how_the_patient_lies() -> None:
    rng = np.random.default_rng(1)
    p, a, q = rng.normal(0, 30, (3, 3))
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    move = rng.normal(0, 100, 3)
    one, two = slip(p, a, q), slip(turn @ p + move, turn @ a + move, turn @ q + move)
    assert one.value_mm == pytest.approx(two.value_mm)
    assert one.value_mm == pytest.approx(float((q - p) @ (a - p) / np.linalg.norm(a - p)))


def test_slip_needs_three_good_points() -> None:
    with pytest.raises(ValueError, match="same"):
        slip((1, 2, 3), (1, 2, 3), (0, 0, 0))
    for bad in ((np.nan, 0, 0), (np.inf, 0, 0), (0, 0)):
        with pytest.raises(ValueError, match="finite"):
            slip((0, 0, 0), (1, 0, 0), bad)


def test_pixels_and_millimetres_with_unequal_spacing() -> None:
    image = plane((-10, -100, 150))
    assert pixel_to_lps(image, (0, 0)) == pytest.approx((-10, -100, 150))
    assert pixel_to_lps(image, (10, 0)) == pytest.approx((-10, -100, 150 - 7))  # rows go down, 0.7 mm apart
    assert pixel_to_lps(image, (0, 10)) == pytest.approx((-10, -100 + 6, 150))  # columns go back, 0.6 mm apart
    places = np.asarray([(0, 0), (31, 39), (4.5, 7.25)])
    assert lps_to_pixel(image, pixel_to_lps(image, places)) == pytest.approx(places)
    assert on_plane(image, pixel_to_lps(image, places)) == pytest.approx(0, abs=1e-9)
    assert on_plane(image, [(-10, 0, 0), (-7.5, 5, 5)]) == pytest.approx(2.5)


def test_names() -> None:
    assert [plane_name(plane((0, 0, 0), axes)) for axes in (SAGITTAL, CORONAL, AXIAL)] == [
        "sagittal",
        "coronal",
        "axial",
    ]
    assert plane_name(tilted(40, 0)) == "axial"  # a lumbosacral disc
    assert plane_name(tilted(50, 0)) == "coronal"
    skew = np.asarray([(1, -1, 0), (1, 1, -2)]) / np.sqrt([[2], [6]])
    assert plane_name(plane((0, 0, 0), (tuple(skew[0]), tuple(skew[1])))) == "oblique"
    assert plane_name(None) == "unknown"


def test_sagittal_slices_run_from_the_patients_right() -> None:
    places = [3.0, -12.0, 8.0, 0.5]
    assert order([plane((x, 0, 0)) for x in places]) == (1, 3, 0, 2)
    mirrored = ((0.0, -1.0, 0.0), (0.0, 0.0, -1.0))  # the normal points the other way
    assert order([plane((x, 0, 0), mirrored) for x in places]) == (1, 3, 0, 2)


def test_axial_slices_run_from_the_head_and_coronal_from_the_front() -> None:
    assert order([plane((0, 0, z), AXIAL) for z in (10, 30, 20)]) == (1, 2, 0)
    assert order([plane((0, y, 0), CORONAL) for y in (10, -30, 20)]) == (1, 0, 2)


def test_tilted_blocks_stay_together_whatever_the_file_order() -> None:
    discs = [(5.0, 100.0), (15.0, 60.0), (35.0, 20.0)]  # tilt and height of three discs, from above
    slices = [(degrees, z + step) for degrees, z in discs for step in (4.0, 0.0, -4.0)]
    shuffled = np.random.default_rng(3).permutation(len(slices))
    found = blocks([tilted(*slices[n]) for n in shuffled])
    assert [[int(shuffled[n]) for n in block] for block in found] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


def test_equal_positions_keep_their_order_and_lost_frames_come_last() -> None:
    same = [plane((0, 0, 0)), None, plane((0, 0, 0)), plane((-1, 0, 0))]
    assert order(same) == (3, 0, 2, 1)
    assert order([None, None]) == (0, 1)
    assert order([]) == ()


def test_planes_of_a_header() -> None:
    (found,) = planes(header())
    assert found == Plane((1, 2, 3), (0, 1, 0), (0, 0, -1), (0.7, 0.6), 32, 40)
    assert Plane.from_json(found.to_json()) == found


@pytest.mark.parametrize(
    "tags",
    [
        {"00200032": None},
        {"00200037": None},
        {"00280030": None},
        {"00200037": [0, 0, 0, 0, 0, 0]},
        {"00200037": [0, 1, 0, 0, 1, 0]},
        {"00200037": [0, 1, 0, 0, 0.5, -0.866]},
        {"00280030": [0.7, 0]},
        {"00200032": [1, 2]},
    ],
)
def test_impossible_geometry_is_none(tags: dict[str, Any]) -> None:
    assert planes(header(**tags)) == (None,)


def test_planes_of_functional_groups() -> None:
    def group(tag: str, inner: str, value: list[float]) -> dict[str, Any]:
        return {tag: {"vr": "SQ", "Value": [{inner: {"vr": "DS", "Value": value}}]}}

    multi = {
        "00280008": {"vr": "IS", "Value": [2]},
        "00280010": {"vr": "US", "Value": [32]},
        "00280011": {"vr": "US", "Value": [40]},
        "52009229": {"vr": "SQ", "Value": [
            group("00209116", "00200037", [0, 1, 0, 0, 0, -1]) | group("00289110", "00280030", [0.7, 0.6])
        ]},
        "52009230": {"vr": "SQ", "Value": [group("00209113", "00200032", [x, 0, 0]) for x in (5, -5)]},
    }  # fmt: skip
    found = planes(multi)
    assert [p.position_lps_mm[0] for p in found if p] == [5, -5]
    assert order(found) == (1, 0)
