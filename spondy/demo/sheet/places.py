"""Where a reader looks: the slices and points of one case that show the index segment."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from annotation.phantom import Phantom, PhantomSeries

from .tiles import Vector, View, nearest

BONE, WIDE = (2000.0, 500.0), (3500.0, 1000.0)
SIDE = {"right": -1, "left": 1}
MIDLINE_MM = (124.0, 204.0)
SIDE_MM = (76.0, 76.0)
AXIAL_MM = (100.0, 86.0)
SEGMENT_MM, RIM_MM = 78.0, 14.0
CT_MM = (58.0, 58.0)


def _endplates(case: Phantom) -> Vector:
    """Both endplates of the index disc: corners as (y, z)."""
    lytic, below = case.anatomy.lytic, case.anatomy.below
    return np.array([below.upper_p, below.upper_a, lytic.lower_p, lytic.lower_a])


def disc(case: Phantom) -> Vector:
    """Middle of the index disc."""
    y, z = np.mean(_endplates(case), axis=0)
    return np.array([case.anatomy.lytic.x, y, z])


def segment(case: Phantom) -> tuple[Vector, float]:
    """Middle of the box around both endplates, and a size in mm that holds them however far one has slipped."""
    low, high = _endplates(case).min(axis=0), _endplates(case).max(axis=0)
    y, z = (low + high) / 2
    return np.array([case.anatomy.lytic.x, y, z]), max(SEGMENT_MM, float((high - low).max()) + 2 * RIM_MM)


def midline(case: Phantom, role: str, shift: int = 0, *, zoom: float = 4.0) -> View:
    """A sagittal slice near the midline, the whole lumbar column."""
    series = case.get(role)
    column = case.anatomy.vertebrae
    y = (column["L3"].frame.origin[1] + column["S1"].frame.origin[1]) / 2 + 6.0
    z = (column["L1"].upper_p[1] + column["S2"].frame.origin[2]) / 2
    index = case.truth.midline_slice + shift
    return View(series, index, np.array([case.anatomy.lytic.x, y, z]), MIDLINE_MM, zoom, f"{role[4:]} {index + 1}")


def middle_cut(case: Phantom, role: str, *, zoom: float = 4.0) -> View:
    """The index segment on the midline slice; a slip that needs more room is shown smaller, not cut off."""
    series, index = case.get(role), case.truth.midline_slice
    centre, size = segment(case)
    return View(series, index, centre, (size, size), zoom * SEGMENT_MM / size, f"{role[4:]} {index + 1}")


def parasagittal(case: Phantom, role: str, side: str, *, count: int = 4, zoom: float = 4.9) -> list[View]:
    """Slices through foramen, isthmus and joint of one side, from the midline outwards."""
    sign, bone, series = SIDE[side], case.anatomy.lytic, case.get(role)
    spot = bone.frame.world((sign * (bone.pedicle + 1.5), 11.0, -9.0))
    found = nearest(series, spot, count)
    return [
        View(series, i, spot, SIDE_MM, zoom, f"{role[4:]} {side} {i + 1}") for i in (found if sign > 0 else found[::-1])
    ]


def at_defect(case: Phantom, role: str, side: str, *, zoom: float = 4.9) -> View:
    """The slice through the middle of the defect of one side."""
    defect = next(d for d in case.anatomy.defects if d.side == SIDE[side])
    series, spot = case.get(role), defect.frame.origin
    (index,) = nearest(series, spot)
    return View(series, index, spot, SIDE_MM, zoom, f"{role[4:]} {side} {index + 1}")


def axial(case: Phantom, *, count: int = 4, zoom: float = 7.0) -> list[View]:
    """The slices at the index disc, from below upwards."""
    series = case.get("AX_T2")
    spot = disc(case)
    rear = np.array([spot[0], case.anatomy.below.upper_p[0] + 8.0, spot[2]])
    return [View(series, i, rear, AXIAL_MM, zoom, f"AX T2 {i + 1}") for i in nearest(series, spot, count)]


def close(view: View) -> View:
    """The foramen alone, larger."""
    return replace(view, size_mm=(42.0, 42.0), zoom=9.0, centre=view.centre + np.array([0.0, -9.0, -1.0]))


def joints(view: View) -> View:
    """Canal, recesses and joints alone, larger."""
    return replace(view, size_mm=(66.0, 46.0), zoom=11.0, centre=view.centre + np.array([0.0, 3.0, 0.0]))


def ct(case: Phantom, role: str, side: str, *, count: int = 6, zoom: float = 4.4,
       window: tuple[float, float] = BONE) -> list[View]:  # fmt: skip
    """CT slices through the defect of one side, from the feet upwards."""
    defect = next(d for d in case.anatomy.defects if d.side == SIDE[side])
    series = case.get(role)
    spot = defect.frame.origin + np.array(case.ct_offset_lps_mm)
    centre = spot + np.array([-SIDE[side] * 4.0, 2.0, 0.0])
    name = {"CT_PRE": "CT before", "CT_POST": "CT after"}[role]
    found = _spread(series, spot, count)
    return [View(series, i, centre, CT_MM, zoom, f"{name} {side} {i + 1}", window) for i in found]


def _spread(series: PhantomSeries, spot: Vector, count: int) -> list[int]:
    """Slices around a point, about 2 mm apart however thin they are."""
    stride = max(1, round(2.0 / series.step_mm))
    middle = nearest(series, spot)[0]
    wanted = [middle + stride * (i - (count - 1) // 2) for i in range(count)]
    return sorted({min(max(i, 0), len(series.planes) - 1) for i in wanted})
