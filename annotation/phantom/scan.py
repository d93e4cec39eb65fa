"""Take the pictures of one synthetic person: every series of both visits."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .anatomy import Anatomy, grow
from .canvas import SlicePlane
from .ct import ct
from .mr import axial, localiser, sagittal
from .planes import sagittal_planes
from .session import SIZES, PhantomSeries, Plan, Size, planned
from .truth import Point, Truth

__all__ = ["GROUPS", "SIZES", "Phantom", "PhantomSeries", "Size", "build", "locate"]

GROUPS = {
    "localiser": ("LOC",),
    "sagittal": ("SAG_T1", "SAG_T2", "SAG_STIR"),
    "axial": ("AX_T2",),
    "ct": ("CT_SCOUT", "CT_PRE", "CT_NEEDLE", "CT_POST"),
}


@dataclass(frozen=True)
class Phantom:
    """All series of one synthetic person with what was planted."""

    truth: Truth
    series: tuple[PhantomSeries, ...]
    landmarks_lps_mm: dict[str, Point]
    ct_offset_lps_mm: Point
    vendor: str
    field_strength_t: float
    anatomy: Anatomy = field(repr=False)

    def get(self, role: str) -> PhantomSeries:
        """Return the first series of a role."""
        return next(series for series in self.series if series.role == role)


def build(truth: Truth, *, seed: int, size: str = "demo", only: tuple[str, ...] = tuple(GROUPS)) -> Phantom:
    """Draw every series of a case.

    Parameters
    ----------
    truth
        What to plant; its landmarks are filled in the result's ``truth``.
    seed
        Fixes anatomy, positions and noise: the same truth, seed and size give the same pixels.
    size
        A key of ``SIZES``.
    only
        Groups of series to draw (keys of ``GROUPS``); each is the same with or without the others.
    """
    settings = SIZES[size]
    rng = np.random.default_rng([seed, 1])
    anatomy = grow(truth, rng)
    plan = planned(anatomy, rng, settings)
    placed = _placed(truth, anatomy, plan, settings)
    series: list[PhantomSeries] = []
    if "localiser" in only:
        series.append(localiser(anatomy, plan, settings, np.random.default_rng([seed, 5])))
    if "sagittal" in only:
        series += sagittal(anatomy, plan, settings, np.random.default_rng([seed, 2]))
    if "axial" in only:
        series.append(axial(anatomy, plan, settings, np.random.default_rng([seed, 3])))
    if "ct" in only:
        series += ct(anatomy, plan, settings, np.random.default_rng([seed, 4]))
    return Phantom(
        placed,
        tuple(series),
        placed.landmarks_lps_mm,
        placed.ct_offset_lps_mm,
        plan.vendor,
        plan.field_strength,
        anatomy,
    )


def locate(truth: Truth, *, seed: int, size: str = "demo") -> Truth:
    """Return the truth with landmarks as ``build`` would fill them, without drawing anything."""
    rng = np.random.default_rng([seed, 1])
    anatomy = grow(truth, rng)
    return _placed(truth, anatomy, planned(anatomy, rng, SIZES[size]), SIZES[size])


def _placed(truth: Truth, anatomy: Anatomy, plan: Plan, size: Size) -> Truth:
    planes = sagittal_planes(anatomy, plan, size)
    middle = len(planes) // 2
    offset = (float(plan.ct_offset[0]), float(plan.ct_offset[1]), float(plan.ct_offset[2]))
    moves = {role: _point(away) for role, away in plan.moved.items()}
    return truth.placed(_landmarks(anatomy, planes[middle]), middle, offset, moves)


def _point(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Point:
    x, y, z = (round(float(value), 4) for value in values)
    return x, y, z


def _landmarks(anatomy: Anatomy, plane: SlicePlane) -> dict[str, Point]:
    """P, A and Q on the middle sagittal slice."""
    normal = np.cross(plane.row_lps, plane.column_lps)
    found: dict[str, Point] = {}
    for name, corner in (("P", anatomy.below.upper_p), ("A", anatomy.below.upper_a), ("Q", anatomy.lytic.lower_p)):
        point = np.array([0.0, float(corner[0]), float(corner[1])])
        point[0] = float((np.asarray(plane.position_lps_mm) - point) @ normal / normal[0])
        found[name] = _point(point)
    return found
