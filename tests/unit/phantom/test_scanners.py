"""What the scanners add to the phantom, and how two makers write it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from annotation.dicom import geometry
from annotation.dicom.series import propose_case
from annotation.dicom.take import take
from annotation.phantom import Phantom, build, draw, invent, write_dicom
from annotation.phantom.anatomy import grow
from annotation.phantom.needle import needle_path
from annotation.phantom.planes import ct_planes, sagittal_planes
from annotation.phantom.receive import fat_shifted, magnitude, shifted
from annotation.phantom.session import SIZES, Plan, planned

TRUTH = replace(draw(np.random.default_rng(11)), level="L5", slip_mm=5.0)


def plan_of(seed: int, size: str = "demo") -> Plan:
    rng = np.random.default_rng([seed, 1])
    return planned(grow(TRUTH, rng), rng, SIZES[size])


def seed_with(wanted: Callable[[Plan], bool], size: str = "demo") -> int:
    return next(seed for seed in count(1) if wanted(plan_of(seed, size)))


def test_plans_vary_as_a_cohort_does() -> None:
    plans = [plan_of(seed, "clinical") for seed in range(120)]
    assert {plan.vendor for plan in plans} == {"north", "south"}
    assert 0.3 < np.mean([plan.field_strength == 1.5 for plan in plans]) < 0.56
    assert {plan.ct_thick for plan in plans} == {1, 2, 3}
    for role in ("SAG_STIR", "AX_T2"):
        moves = [np.linalg.norm(plan.moved[role]) for plan in plans if role in plan.moved]
        assert 0.15 < len(moves) / len(plans) < 0.45
        assert 0.5 < np.median(moves) < 4
        assert max(moves) <= np.sqrt(27)
    three, half = (next(p for p in plans if p.field_strength == tesla) for tesla in (3.0, 1.5))
    assert 1 < half.fat_shift_px < three.fat_shift_px < 2, "fat lies farther off in the stronger field"


def test_a_move_before_the_stir_shifts_its_picture_by_as_much() -> None:
    """The planes of the three series stay; what they show of the STIR lies where the truth says it moved to."""
    seed = seed_with(lambda plan: bool(np.linalg.norm(plan.moved.get("SAG_STIR", np.zeros(3))) > 2))
    case = build(TRUTH, seed=seed, only=("sagittal",))
    stir, t2 = case.get("SAG_STIR"), case.get("SAG_T2")
    assert stir.planes == t2.planes
    plane = stir.planes[case.truth.midline_slice]
    away = np.array(case.truth.moved_lps_mm["SAG_STIR"])
    assert abs(away @ np.cross(plane.row_lps, plane.column_lps)) < 1e-3, "within the slice"
    wanted = np.array([away @ np.array(plane.column_lps), away @ np.array(plane.row_lps)]) / plane.spacing_rc_mm
    # the canal is bright in both weightings: the best match of its surroundings tells the shift
    window = (slice(70, 190), slice(90, 180))
    one, two = (s.pixels[case.truth.midline_slice].astype(float) for s in (t2, stir))
    best = max(
        ((dr, dc) for dr in range(-4, 5) for dc in range(-4, 5)),
        key=lambda d: np.corrcoef(np.roll(one, d, (0, 1))[window].ravel(), two[window].ravel())[0, 1],
    )
    assert np.abs(np.array(best) - wanted).max() <= 1.0, (best, wanted)


def test_fat_lies_beside_water_along_the_frequency_direction() -> None:
    t1 = np.zeros((1, 8, 18), dtype=np.float32)
    t1[..., 2:10] = 0.96
    picture = t1 * 0.8
    picture[..., 15] = 0.5  # water: dark on T1
    moved = fat_shifted(picture, t1, 2.0, -1)
    inner = moved[:, 1:-1]  # away from the picture's edge, beyond which there is no fat
    assert np.allclose(inner[..., 5:8], 0.768)
    assert np.allclose(inner[..., 3], 0, atol=1e-6)
    assert np.allclose(inner[..., 15], 0.5)
    assert np.allclose(inner[..., 2] + inner[..., 4], 0.768), "a pixel at the edge of fat moves in part"
    assert moved.sum() == pytest.approx(picture.sum(), rel=1e-6), "signal is moved, not lost"
    half = shifted(picture, 0.5, -1)
    assert half[0, 0, 2] == pytest.approx(picture[0, 0, 2] / 2)


def test_noise_is_rician() -> None:
    """In air the magnitude of two Gaussian channels: mean sigma sqrt(pi/2), deviation sigma sqrt(2 - pi/2)."""
    found = magnitude(np.zeros((4, 128, 128), dtype=np.float32), 800.0, 20.0, np.random.default_rng(1))
    assert found.mean() == pytest.approx(20 * np.sqrt(np.pi / 2), rel=0.02)
    assert found.std() == pytest.approx(20 * np.sqrt(2 - np.pi / 2), rel=0.02)


def test_control_scans_show_the_needle_of_one_side_and_no_contrast() -> None:
    case = build(TRUTH, seed=5, only=("ct",))
    before = case.get("CT_PRE")
    sides = []
    for control in (series for series in case.series if series.role == "CT_NEEDLE"):
        assert len(control.planes) == 3
        assert control.thickness_mm == 3.0
        offset = np.array(case.ct_offset_lps_mm)
        metal = {}
        for defect in case.anatomy.defects:
            tip, hub = (np.array(point) for point in needle_path(case.anatomy, defect))
            metal[defect.side] = _brightest(control, tip + 0.06 * (hub - tip) + offset)
        assert metal[control.side] > 2000
        assert metal[-control.side] < 1900
        sides.append(control.side)
        hu = control.pixels.astype(float) * control.rescale[0] + control.rescale[1]
        assert (hu > 2500).sum() < 600, "a needle, no contrast"
        heights = [plane.position_lps_mm[2] for plane in before.planes]
        assert heights[0] <= control.planes[0].position_lps_mm[2] < control.planes[-1].position_lps_mm[2] <= heights[-1]
    assert sorted(sides) == [-1, 1]


def _brightest(series: Any, point: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    """Highest HU within 2 mm in the slice nearest to a point."""
    plane, pixels = min(zip(series.planes, series.pixels, strict=True), key=lambda p: abs(p[0].pixel(point)[2]))
    row, column, _ = plane.pixel(point)
    part = pixels[int(row) - 2 : int(row) + 4, int(column) - 2 : int(column) + 4]
    return float(part.max() * series.rescale[0] + series.rescale[1])


def test_clinical_sizes_are_those_of_routine_protocols() -> None:
    size = SIZES["clinical"]
    assert 320 <= size.sagittal[0] <= 640
    assert 13 <= size.sagittal[2] <= 20
    assert 256 <= size.axial[0] <= 512
    assert 12 <= 3 * size.axial[2] <= 20
    assert size.ct.matrix == 512
    plan = plan_of(3, "clinical")
    anatomy = grow(TRUTH, np.random.default_rng([3, 1]))
    for thick in size.ct.thick:
        planes = ct_planes(anatomy, plan, size, thick)
        assert 20 <= len(planes) <= 80
        heights = [plane.position_lps_mm[2] for plane in planes]
        assert np.allclose(np.abs(np.diff(heights)), thick)
        assert abs(np.mean(heights) - anatomy.defects[0].frame.origin[2]) < 12
    assert len(sagittal_planes(anatomy, plan, size)) == 15


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Phantom, Path]]:
    """One patient of either maker, the second from a scanner that writes multi-frame files."""
    folder = tmp_path_factory.mktemp("makers")
    found = {}
    for vendor, seed in (
        ("north", seed_with(lambda plan: (plan.vendor, plan.field_strength) == ("north", 1.5))),
        ("south", seed_with(lambda plan: (plan.vendor, plan.field_strength) == ("south", 3.0))),
    ):
        case = build(TRUTH, seed=seed)
        write_dicom(case, identity=invent(np.random.default_rng(4), TRUTH), folder=folder / vendor)
        found[vendor] = (case, folder / vendor)
    return found


@pytest.mark.parametrize("vendor", ["north", "south"])
def test_intake_tells_every_role_from_what_the_maker_writes(
    exports: dict[str, tuple[Phantom, Path]], vendor: str
) -> None:
    case, folder = exports[vendor]
    by_series: dict[str, list[Any]] = {}
    for path in sorted(folder.rglob("IM*")):
        taken = take(path.read_bytes(), key=b"k" * 32)
        by_series.setdefault(taken.facts.series_uid, []).append(taken)
    told = propose_case(
        [([one.header for one in series], {h for one in series for h in one.hints}) for series in by_series.values()]
    )
    assert [one.role for one in told] == [
        "LOC", "SAG_T2", "SAG_T1", "SAG_STIR", "AX_T2", "CT_SCOUT", "CT_PRE", "CT_NEEDLE", "CT_NEEDLE", "CT_POST",
    ]  # fmt: skip
    assert (len(list(folder.rglob("IM*"))) < 60) == (vendor == "south"), "one maker writes a file a series"
    for proposal, series in zip(told, by_series.values(), strict=True):
        planes = [plane for one in series for plane in geometry.planes(one.header)]
        held = sorted(plane.position_lps_mm for plane in planes if plane is not None)
        planted = [s.planes for s in case.series if s.role == proposal.role]
        assert any(np.allclose(held, sorted(p.position_lps_mm for p in one), atol=1e-4) for one in planted)


def test_a_multi_frame_file_holds_the_stored_pixels(exports: dict[str, tuple[Phantom, Path]]) -> None:
    case, folder = exports["south"]
    files = [pydicom.dcmread(path) for path in folder.rglob("IM*")]
    multi = {f.SeriesDescription: f for f in files if "NumberOfFrames" in f}
    assert len(multi) == 4
    assert np.array_equal(multi["T2W_TSE_sag"].pixel_array, case.get("SAG_T2").pixels)
    assert np.array_equal(multi["T2W_TSE ax discs"].pixel_array, case.get("AX_T2").pixels), "compressed without loss"
    assert all("ImagePositionPatient" not in file for file in multi.values())
