"""Scanning parameters from one header: single-frame, enhanced, and what scanners write instead of nothing."""

from __future__ import annotations

from typing import Any

import pytest

from annotation.dicom.geometry import Plane
from annotation.intake.physics import PHYSICS, physics


def header(**tags: Any) -> dict[str, Any]:
    return {
        tag.lstrip("t"): {"vr": "DS", "Value": value if isinstance(value, list) else [value]}
        for tag, value in tags.items()
    }


def group(tag: str, **tags: Any) -> dict[str, Any]:
    return {tag: {"vr": "SQ", "Value": [header(**tags)]}}


def sagittal(x: float) -> Plane:
    return Plane((x, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, -1.0), (1.0, 1.0), 32, 32)


SINGLE = header(
    t00280010=320, t00280011=256, t00280030=[0.875, 0.9], t00180050=4.0, t00180088=4.4, t00180087=3, t00180080=3600.0,
    t00180081=98.0, t00180082=220.0, t00181314=150.0, t00180091=17, t00180095=260.0, t00180083=2.0, t00080070="SIEMENS",
    t00181310=[0, 320, 240, 0], t00080022="20130917",
)  # fmt: skip


def test_a_single_frame() -> None:
    assert physics(SINGLE) == {
        "matrix": [320, 256], "pixel_spacing_mm": [0.875, 0.9], "field_of_view_mm": [280.0, pytest.approx(230.4)],
        "slice_thickness_mm": 4.0, "slice_spacing_mm": 4.4, "field_strength_t": 3, "repetition_time_ms": 3600.0,
        "echo_time_ms": 98.0, "inversion_time_ms": 220.0, "flip_angle_deg": 150.0, "echo_train_length": 17,
        "bandwidth_hz": 260.0, "averages": 2.0, "maker": "SIEMENS", "acquired_matrix": [320, 240],
        "acquired_on": "2013-09-17",
    }  # fmt: skip


def test_an_enhanced_file_says_it_in_its_functional_groups() -> None:
    shared = {
        **group("00289110", t00180050=3.0, t00180088=3.3, t00280030=[0.5, 0.5]),
        **group("00189112", t00180080=4000.0, t00181314=160.0, t00189240=21),
        **group("00189114", t00189082=101.0),
        **group("00189115", t00189079=[180.0]),
        **group("00189006", t00180095=300.0),
        **group("00189119", t00180083=1.5),
    }
    made = {**header(t00280010=512, t00280011=512, t00180087=1.5, t0008002A="20140101093000.000000"),
            "52009229": {"vr": "SQ", "Value": [shared]}}  # fmt: skip
    assert physics(made) == {
        "matrix": [512, 512], "pixel_spacing_mm": [0.5, 0.5], "field_of_view_mm": [256.0, 256.0],
        "slice_thickness_mm": 3.0, "slice_spacing_mm": 3.3, "repetition_time_ms": 4000.0, "flip_angle_deg": 160.0,
        "echo_train_length": 21, "echo_time_ms": 101.0, "inversion_time_ms": 180.0, "bandwidth_hz": 300.0,
        "averages": 1.5, "field_strength_t": 1.5, "acquired_on": "2014-01-01",
    }  # fmt: skip


def test_an_enhanced_ct() -> None:
    shared = {
        **group("00189325", t00180060=120.0),
        **group("00189321", t00189330=210.0, t00189332=84.0),
        **group("00189314", t00181210="Br40d"),
    }
    found = physics({**header(t00280010=512, t00280011=512), "52009229": {"vr": "SQ", "Value": [shared]}})
    assert found == {
        "matrix": [512, 512],
        "kvp": 120.0,
        "tube_current_ma": 210.0,
        "exposure_mas": 84.0,
        "kernel": "Br40d",
    }


@pytest.mark.parametrize(("written", "tesla"), [(15000, 1.5), (30000, 3.0), (1.494, 1.494), (0.55, 0.55)])
def test_gauss_become_tesla(written: float, tesla: float) -> None:
    assert physics(header(t00180087=written))["field_strength_t"] == tesla


def test_nothing_is_invented() -> None:
    assert physics({}) == {"matrix": [0, 0]}
    assert "inversion_time_ms" not in physics(header(t00180082=0))
    assert "acquired_on" not in physics(header(t00080022="2013"))
    assert "acquired_matrix" not in physics(header(t00181310=[0, 0, 0, 0]))
    assert len(PHYSICS) == 15


def test_the_slices_themselves_say_how_far_they_are_apart() -> None:
    planes = [sagittal(x) for x in (0, 4.4, 8.8, 13.2, 40.0)]  # a second block follows after a gap
    assert physics(SINGLE, planes)["slice_spacing_mm"] == 4.4
    tilted = Plane((20.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (1.0, 1.0), 32, 32)
    assert (
        physics(header(), [sagittal(0), tilted, sagittal(5), None, sagittal(9), sagittal(12)])["slice_spacing_mm"]
        == 3.0
    )
    assert "slice_spacing_mm" not in physics(header(), [sagittal(0)])
