"""Planted findings are where they belong, in the right series, on the right side."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from annotation.phantom import GROUPS, Phantom, PhantomSeries, Truth, build, draw
from annotation.phantom.anatomy import grow
from annotation.phantom.soft import cyst_of

BASE = replace(
    draw(np.random.default_rng(11)),
    level="L5", slip_mm=4.0, endplate_mm=34.0, modic_type1=0, weishaupt=(0, 0), bartynski=(0, 0), lee=(0, 0),
    isthmic_bme=(0, 0), edema=(0, 0), cyst=(0, 0), contrast_pattern=(1, 1), bmi=25.0, age=40, sex="M",
    pfirrmann_by_segment={"L1/2": 1, "L2/3": 1, "L3/4": 2, "L4/5": 2, "L5/S1": 3},
)  # fmt: skip


@cache
def _phantom(only: str, key: tuple[tuple[str, Any], ...], seed: int) -> Phantom:
    return build(replace(BASE, **dict(key)), seed=seed, only=(only,))


def phantom(only: str, seed: int = 3, **changes: Any) -> Phantom:
    """One group of series of a case like BASE with some findings changed; drawn once."""
    return _phantom(only, tuple(sorted(changes.items())), seed)


def values(series: PhantomSeries, point_lps_mm: NDArray[Any], radius_mm: float) -> NDArray[Any]:
    """Values (HU on CT) within a ball around a point."""
    found = []
    for plane, pixels in zip(series.planes, series.pixels, strict=True):
        row, column, off = plane.pixel(point_lps_mm)
        if abs(off) > max(radius_mm, series.step_mm / 2):
            continue
        reach = int(radius_mm / min(plane.spacing_rc_mm)) + 2
        first_row, first_column = max(0, int(row) - reach), max(0, int(column) - reach)
        pixels = pixels[first_row : int(row) + reach + 1, first_column : int(column) + reach + 1]
        rows, columns = np.indices(pixels.shape) + np.array([first_row, first_column])[:, None, None]
        near = np.hypot((rows - row) * plane.spacing_rc_mm[0], (columns - column) * plane.spacing_rc_mm[1]) <= radius_mm
        found.append(pixels[near] * series.rescale[0] + series.rescale[1])
    assert found, "the point lies in no slice"
    return np.concatenate(found)


def defect(case: Phantom, side: int) -> tuple[NDArray[Any], NDArray[Any], float]:
    """Middle of a defect (LPS mm, MR frame), direction to the canal, gap in mm; side -1 right, 1 left."""
    found = next(d for d in case.anatomy.defects if d.side == side)
    assert np.sign(found.frame.origin[0] - case.anatomy.lytic.x) == side
    return found.frame.origin, found.frame.axes[1], found.gap_mm


def test_every_role_is_there_and_a_group_alone_is_the_same() -> None:
    case = build(BASE, seed=3)
    assert [series.role for series in case.series] == [
        "LOC", "SAG_T1", "SAG_T2", "SAG_STIR", "AX_T2", "CT_SCOUT", "CT_PRE", "CT_NEEDLE", "CT_NEEDLE", "CT_POST",
    ]  # fmt: skip
    for series in case.series:
        assert len(series.planes) == len(series.pixels)
        group = next(name for name, roles in GROUPS.items() if series.role in roles)
        assert any(np.array_equal(alone.pixels, series.pixels) for alone in phantom(group).series)
    other = phantom("axial", 4)
    assert not np.array_equal(phantom("axial").get("AX_T2").pixels, other.get("AX_T2").pixels)


@pytest.mark.parametrize("seed", [1, 2])
def test_landmarks_lie_on_the_corners_of_the_middle_slice(seed: int) -> None:
    """Q and P are corners: marrow towards the body, something else beyond it."""
    case = phantom("sagittal", seed, slip_mm=6.0)
    series = case.get("SAG_T1")
    plane = series.planes[case.truth.midline_slice]
    points = {name: np.array(point) for name, point in case.landmarks_lps_mm.items()}
    assert all(abs(plane.pixel(point)[2]) < 0.01 for point in points.values())
    along = (points["A"] - points["P"]) / np.linalg.norm(points["A"] - points["P"])
    up = np.array([0.0, along[2], -along[1]]) * np.sign(-along[1])
    inside_lower = values(series, points["P"] + 7 * along - 7 * up, 1.5).mean()
    inside_upper = values(series, points["Q"] + 7 * along + 7 * up, 1.5).mean()
    corner = values(series, points["P"] + 0.6 * along - 0.2 * up, 0.7).mean()
    assert corner < 0.7 * inside_lower
    assert inside_upper == pytest.approx(inside_lower, rel=0.4)


def test_sagittal_series_share_their_planes_and_run_from_right_to_left() -> None:
    case = phantom("sagittal")
    planes = case.get("SAG_T1").planes
    assert planes == case.get("SAG_T2").planes == case.get("SAG_STIR").planes
    x = [plane.position_lps_mm[0] for plane in planes]
    assert x == sorted(x)
    assert np.allclose(np.diff(x), 4.4, atol=0.01)
    row, column = np.array(planes[0].row_lps), np.array(planes[0].column_lps)
    assert row[1] > 0.99
    assert column[2] == -1


def test_axial_blocks_follow_their_discs() -> None:
    case = phantom("axial")
    planes = case.get("AX_T2").planes
    normals = [np.cross(p.row_lps, p.column_lps) for p in planes]
    assert len(planes) == 12
    tilt = [np.degrees(np.arcsin(-normal[1])) for normal in normals[::4]]
    assert tilt[2] > tilt[1] > tilt[0] - 1
    assert tilt[2] > 15


def test_the_same_point_shows_the_same_tissue_in_crossing_series() -> None:
    """CSF is bright, the body of L5 darker, in sagittal and axial T2; on CT the marrow is denser than the sac."""
    case = phantom("sagittal")
    anatomy = case.anatomy
    marrow = anatomy.vertebrae["L4"].frame.world((0.0, -16.0, -9.0))
    z = float(anatomy.vertebrae["L4"].lower_p[1]) - 2.0
    csf = np.array([0.0, np.interp(z, anatomy.sac_z, anatomy.sac_y) - 1.5, z])
    for series in (case.get("SAG_T2"), phantom("axial").get("AX_T2")):
        assert values(series, csf, 2.0).mean() > 1.6 * values(series, marrow, 3.0).mean()
    assert values(case.get("SAG_T1"), csf, 2.0).mean() < 0.6 * values(case.get("SAG_T1"), marrow, 3.0).mean()
    shift = np.array(case.truth.ct_offset_lps_mm)
    ct = phantom("ct").get("CT_PRE")
    bone = anatomy.vertebrae["L5"].frame.world((0.0, -16.0, 0.0))
    sac = bone.copy()
    sac[1] = np.interp(bone[2], anatomy.sac_z, anatomy.sac_y)
    assert values(ct, bone + shift, 3.0).mean() > 120
    assert -20 < values(ct, sac + shift, 2.0).mean() < 60


def test_ct_is_prone_with_the_back_up() -> None:
    seen = set()
    for seed in range(1, 9):
        case = phantom("ct", seed)
        plane = case.get("CT_PRE").planes[0]
        assert plane.column_lps == (0.0, -1.0, 0.0)
        assert plane.row_lps == ((-1.0, 0.0, 0.0) if case.vendor == "north" else (1.0, 0.0, 0.0))
        seen.add(case.vendor)
        if len(seen) == 2:
            break
    assert len(seen) == 2
    first = case.get("CT_PRE")
    assert (first.pixels[10][:4] * first.rescale[0] + first.rescale[1]).mean() < -900


@pytest.mark.parametrize("side", [-1, 1])
def test_contrast_patterns_reach_as_deep_as_planted(side: int) -> None:
    """Bright voxels added after contrast: outside only, in the gap, in the epidural space."""
    reach = {}
    for pattern in (1, 2, 3):
        pair = (pattern, 1) if side < 0 else (1, pattern)
        case = phantom("ct", contrast_pattern=pair)
        middle, canal, _ = defect(case, side)
        added = _added(case)
        depth = (added - middle) @ canal
        close = np.linalg.norm(added - middle, axis=1) < 16
        radial = np.linalg.norm(added - middle, axis=1)
        reach[pattern] = (int((radial < 3.0).sum()), float(depth[close].max()), int(close.sum()))
    assert reach[1][2] >= 8, "peri: contrast is there"
    assert reach[1][0] == 0, "peri: none between the bone edges"
    assert reach[2][0] >= 5, "intra: the gap is filled"
    assert reach[2][1] < 6.0, "intra: stops at the inner edge"
    assert reach[3][0] >= 5
    assert reach[3][1] > 8.0, "trans: reaches the epidural space"


def _added(case: Phantom) -> NDArray[Any]:
    """LPS (MR frame) of voxels that became much denser after contrast; the thin needle is left out by its distance."""
    before, after = case.get("CT_PRE"), case.get("CT_POST")
    bright = (after.pixels.astype(float) - before.pixels) > 1200
    found = []
    for plane, mask in zip(after.planes, bright, strict=True):
        rows, columns = np.nonzero(mask)
        start = np.array(plane.position_lps_mm) - np.array(case.ct_offset_lps_mm)
        step_r, step_c = plane.spacing_rc_mm
        found.append(
            start
            + rows[:, None] * step_r * np.array(plane.column_lps)
            + columns[:, None] * step_c * np.array(plane.row_lps)
        )
    return np.concatenate(found)


def test_isthmic_oedema_is_bright_on_stir_and_dark_on_t1_on_its_side() -> None:
    plain, sick = phantom("sagittal"), phantom("sagittal", isthmic_bme=(1, 0))
    bone = sick.anatomy.lytic
    frame = next(d for d in sick.anatomy.defects if d.side == -1)
    stump = frame.frame.world((-frame.gap_mm / 2 - 4.5, 0.0, 0.0))
    mirror = stump.copy()
    mirror[0] = 2 * bone.x - stump[0]
    stir, t1 = "SAG_STIR", "SAG_T1"
    assert values(sick.get(stir), stump, 2.2).mean() > 1.8 * values(plain.get(stir), stump, 2.2).mean()
    assert values(sick.get(t1), stump, 2.2).mean() < 0.85 * values(plain.get(t1), stump, 2.2).mean()
    assert values(sick.get(stir), mirror, 2.2).mean() == pytest.approx(
        values(plain.get(stir), mirror, 2.2).mean(), rel=0.1
    )


@pytest.mark.parametrize("upwards", [True, False])
def test_nucleus_darkens_with_the_grade(upwards: bool) -> None:
    """Every grade once in one spine; the five segments from above or from below."""
    segments = {
        "L1/2": ("L2", "L1"),
        "L2/3": ("L3", "L2"),
        "L3/4": ("L4", "L3"),
        "L4/5": ("L5", "L4"),
        "L5/S1": ("S1", "L5"),
    }
    grades = dict(zip(segments, range(1, 6) if upwards else range(5, 0, -1), strict=True))
    case = build(replace(BASE, pfirrmann_by_segment=grades), seed=3, only=("sagittal",))
    anatomy, t2 = case.anatomy, case.get("SAG_T2")
    found: dict[int, float] = {}
    for segment, (low, high) in segments.items():
        below, above = anatomy.vertebrae[low], anatomy.vertebrae[high]
        middle = (below.upper_p + below.upper_a + above.lower_p + above.lower_a) / 4
        centre = np.array([case.landmarks_lps_mm["P"][0], *middle])
        z = float(middle[1]) + 8
        csf = np.array([centre[0], np.interp(z, anatomy.sac_z, anatomy.sac_y) - 1.5, z])
        ratio = np.percentile(values(t2, centre, 3.0), 75) / values(t2, csf, 1.5).mean()
        found[grades[segment]] = float(ratio)
    ratios = [found[grade] for grade in range(1, 6)]
    assert all(a > b for a, b in pairwise(ratios)), ratios
    assert ratios[0] > 0.7
    assert ratios[4] < 0.3


def test_disc_thins_with_the_grade() -> None:
    heights = []
    for grade in range(1, 6):
        discs = {**BASE.pfirrmann_by_segment, "L5/S1": grade}
        truth = replace(BASE, slip_mm=0.0, pfirrmann_by_segment=discs)
        anatomy = grow(truth, np.random.default_rng(3))
        low, high = anatomy.below, anatomy.lytic
        heights.append(float(np.hypot(*(high.lower_p + high.lower_a - low.upper_p - low.upper_a))) / 2)
    assert all(a > b for a, b in pairwise(heights)), heights
    assert heights[2] > 0.8 * heights[0]
    assert heights[4] < 0.5 * heights[0]


def test_modic_one_is_dark_on_t1_and_bright_on_t2_and_stir() -> None:
    plain, sick = phantom("sagittal"), phantom("sagittal", modic_type1=1)
    points = {name: np.array(point) for name, point in sick.landmarks_lps_mm.items()}
    along = (points["A"] - points["P"]) / np.linalg.norm(points["A"] - points["P"])
    up = np.array([0.0, along[2], -along[1]]) * np.sign(-along[1])
    spot = points["P"] + 17 * along - 4.5 * up
    for role, brighter in (("SAG_T1", False), ("SAG_T2", True), ("SAG_STIR", True)):
        with_it, without = values(sick.get(role), spot, 1.5).mean(), values(plain.get(role), spot, 1.5).mean()
        assert (with_it > 1.3 * without) if brighter else (with_it < 0.7 * without), role


def test_soft_tissue_findings_are_bright_on_stir_on_their_side() -> None:
    plain = phantom("sagittal")
    cyst = phantom("sagittal", cyst=(0, 1))
    cloud = phantom("sagittal", edema=(1, 0))
    for case, side in ((cyst, 1), (cloud, -1)):
        stir, base = case.get("SAG_STIR").pixels.astype(float), plain.get("SAG_STIR").pixels
        gained = stir - base
        x = np.array([plane.position_lps_mm[0] for plane in case.get("SAG_STIR").planes])
        weight = np.clip(gained - 150, 0, None).sum(axis=(1, 2))
        assert weight.sum() > 2000
        assert np.sign((weight * x).sum()) == side


def test_no_two_cysts_are_alike_and_each_hangs_on_the_back_of_its_joint() -> None:
    found = []
    for seed in range(30):
        person = grow(BASE, np.random.default_rng(seed))
        for i, side in enumerate((-1, 1)):
            joint = next(j for j in person.joints if j.upper == BASE.level and j.side == side)
            cyst = cyst_of(person, i)
            neck, (middle, radii) = np.array(cyst.neck), cyst.lobes[0]
            assert np.linalg.norm(neck - joint.frame.origin) < 9.0
            assert middle[1] > neck[1] > joint.frame.origin[1], "behind the joint"
            assert np.linalg.norm(np.array(middle) - neck) < max(radii) + 3.0, "its neck is short"
            found.append((max(radii), len(cyst.lobes), cyst.septum is None))
    sizes, lobes, whole = (np.array(column) for column in zip(*found, strict=True))
    assert sizes.max() > 1.6 * sizes.min()
    assert 0.3 < (lobes > 1).mean() < 0.9
    assert 0.3 < whole.mean() < 0.9


@pytest.mark.parametrize("item", ["lee", "bartynski", "weishaupt"])
def test_grades_of_a_side_change_the_pictures_on_that_side(item: str) -> None:
    """Against grade 0: grade 3 left changes the left only; grades 1 (right) and 2 (left) each change their side."""
    group, role = ("sagittal", "SAG_T1") if item == "lee" else ("axial", "AX_T2")
    plain = phantom(group).get(role)
    x = np.zeros(plain.pixels.shape)
    for i, plane in enumerate(plain.planes):
        x[i] = plane.position_lps_mm[0] + np.arange(plane.columns)[None, :] * plane.spacing_rc_mm[1] * plane.row_lps[0]
    strong = {}
    for pair in ((0, 3), (1, 2)):
        changes: dict[str, Any] = {item: pair}
        pixels = phantom(group, **changes).get(role).pixels
        strong[pair] = np.abs(pixels.astype(float) - plain.pixels) > 120
        assert (strong[pair] & (x > 0)).sum() > 10
    assert (x[strong[0, 3]] > 0).mean() > 0.95
    assert (strong[1, 2] & (x < 0)).sum() > 10
    assert (strong[0, 3] & (x > 0)).sum() > (strong[1, 2] & (x < 0)).sum()


def test_truth_is_carried_and_placed() -> None:
    case = phantom("axial")
    assert isinstance(case.truth, Truth)
    assert case.truth.landmarks_lps_mm == case.landmarks_lps_mm
    unplaced: dict[str, Any] = {
        "landmarks_lps_mm": {}, "midline_slice": 0, "ct_offset_lps_mm": (0.0, 0.0, 0.0), "moved_lps_mm": {},
    }  # fmt: skip
    assert replace(case.truth, **unplaced) == replace(BASE, **unplaced)
    assert Truth.from_json(json.loads(json.dumps(case.truth.to_json()))) == case.truth
