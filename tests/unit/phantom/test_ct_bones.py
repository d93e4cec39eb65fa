"""Bone, contrast and needle on CT as they are measured on the pictures: uneven, mixed, and still what was planted."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from annotation.phantom import Phantom, PhantomSeries, build, draw
from annotation.phantom.anatomy import Defect, grow
from annotation.phantom.canvas import Canvas, SlicePlane
from annotation.phantom.defects import LEAST_GAP_MM, edges
from annotation.phantom.needle import needle_path

Points = NDArray[np.float64]
# large joints stand in the needle's straight way
TRUTH = replace(draw(np.random.default_rng(11)), level="L5", slip_mm=3.0, weishaupt=(3, 3), age=40, bmi=25.0)


@cache
def case(pattern: tuple[int, int], seed: int) -> Phantom:
    return build(replace(TRUTH, contrast_pattern=pattern), seed=seed, only=("ct",))


def hu(found: Phantom, series: PhantomSeries, points_lps_mm: Points) -> Points:
    """HU at points (n, 3) of the MR frame, between voxels."""
    points = points_lps_mm + np.array(found.ct_offset_lps_mm)
    first, second = series.planes[0], series.planes[1]
    step = float(second.pixel(np.array(first.position_lps_mm))[2])
    row, column = np.array(first.row_lps), np.array(first.column_lps)
    off = points - np.array(first.position_lps_mm)
    normal = np.cross(row, column)
    at = np.stack([off @ normal / -step, off @ column / first.spacing_rc_mm[0], off @ row / first.spacing_rc_mm[1]])
    values: Points = ndimage.map_coordinates(series.pixels.astype(float), at, order=1)
    return values * series.rescale[0] + series.rescale[1]


def around(defect: Defect, reach_mm: float) -> tuple[Points, Points]:
    """Points half a millimetre apart around a defect: in its frame, and LPS."""
    line = np.arange(-reach_mm, reach_mm + 0.1, 0.5)
    local = np.stack(np.meshgrid(line, line, line, indexing="ij"), axis=-1).reshape(-1, 3)
    return local, local @ defect.frame.axes + defect.frame.origin


def gained(found: Phantom, defect: Defect) -> tuple[Points, Points]:
    """Where contrast of one side may be, in the frame of its defect, and by how many HU it became denser there."""
    local, world = around(defect, 11.0)
    own = np.sign(world[:, 0] - found.anatomy.lytic.x) == defect.side
    needle = needle_path(found.anatomy, defect)
    away = world - np.array(needle.tip)
    way = (np.array(needle.hub) - np.array(needle.tip)) / np.linalg.norm(np.array(needle.hub) - np.array(needle.tip))
    metal = (np.linalg.norm(away - (away @ way)[:, None] * way, axis=1) < 2.5) & (away @ way > -2.0)
    keep = own & ~metal
    return local[keep], hu(found, found.get("CT_POST"), world[keep]) - hu(found, found.get("CT_PRE"), world[keep])


@pytest.mark.parametrize(("pattern", "seed"), [((1, 2), 3), ((3, 1), 4)])
def test_even_diluted_contrast_keeps_to_its_pattern(pattern: tuple[int, int], seed: int) -> None:
    found = case(pattern, seed)
    for defect, planted in zip(found.anatomy.defects, pattern, strict=True):
        local, more = gained(found, defect)
        dilute = more > 400.0
        between = (np.abs(local[:, 0]) < 1.5) & (np.abs(local[:, 1]) < 3.5) & (np.abs(local[:, 2]) < 3.5)
        # a voxel is 0.8 mm wide and 2 mm high
        past = local[:, 1] > 6.0
        assert (dilute & (local[:, 1] < -5.0)).sum() > 100, "some lies behind the defect"
        assert bool((dilute & between).any()) is (planted > 1)
        assert bool((dilute & past).any()) is (planted == 3)


def test_contrast_is_mixed_and_the_gap_is_not_filled_evenly() -> None:
    found = case((1, 2), 3)
    for defect in found.anatomy.defects:
        _, more = gained(found, defect)
        more = more[more > 400.0]
        assert 0.15 < (more < 1000.0).mean() < 0.85, "diluted at its border, dense within"
        assert more.std() > 350.0


def test_the_needle_meets_no_bone_on_its_way_and_contrast_lies_at_its_tip() -> None:
    found = case((1, 2), 3)
    for defect in found.anatomy.defects:
        needle = needle_path(found.anatomy, defect)
        tip, hub = np.array(needle.tip), np.array(needle.hub)
        way = (hub - tip) / np.linalg.norm(hub - tip)
        path = tip + np.arange(2.5, 40.0, 0.5)[:, None] * way
        assert hu(found, found.get("CT_PRE"), path).max() < 500.0
        assert -11.0 < defect.frame.local(tip)[1] < -4.5, "behind the defect"
        local, more = gained(found, defect)
        near = np.linalg.norm(local - defect.frame.local(tip), axis=1) < 5.0
        assert more[near].max() > 1000.0


def test_every_defect_has_its_own_uneven_edges() -> None:
    calm = np.zeros((20, 20, 20), dtype=np.float32)
    shapes = []
    for seed in (1, 2):
        anatomy = grow(TRUTH, np.random.default_rng([seed, 1]))
        for defect in anatomy.defects:
            corner = defect.frame.origin - 4.75
            plane = SlicePlane((corner[0], corner[1], corner[2]), (1.0, 0, 0), (0, 1.0, 0), (0.5, 0.5), 20, 20)
            patch = Canvas(("T2",), plane, 0.5, 20, (calm, calm), 1).box(defect.frame, (-9, -9, -9), (9, 9, 9))
            assert patch is not None
            front, rear = edges(anatomy, defect, patch)
            width = rear - front
            assert width.min() > 0.95 * LEAST_GAP_MM
            assert width.std() > 0.25, "not parallel"
            assert front.std() > 0.3, "not straight"
            shapes.append(front.ravel() - front.mean())
    likeness = np.corrcoef(np.stack(shapes)) - np.eye(4)
    assert np.abs(likeness).max() < 0.8, "no two alike"


def test_cancellous_bone_has_a_mesh_and_the_sac_has_none() -> None:
    found = case((1, 2), 3)
    body = found.anatomy.lytic.frame.world((0.0, -12.0, 0.0))
    line = np.arange(-6.0, 6.1, 0.8)
    grid = np.stack(np.meshgrid(line, line, np.array([-2.0, 0.0, 2.0]), indexing="ij"), axis=-1).reshape(-1, 3)
    sac = body.copy()
    sac[1] = found.anatomy.wall(np.full((1, 1, 1), body[2], dtype=np.float32))[0, 0, 0] + 11.0
    marrow, fluid = hu(found, found.get("CT_PRE"), body + grid), hu(found, found.get("CT_PRE"), sac + 0.5 * grid)
    # 8.4 with the mesh, 5.9 with what texture is left without it
    assert marrow.std() > 7.0 * fluid.std()
    assert marrow.std() < 160.0
