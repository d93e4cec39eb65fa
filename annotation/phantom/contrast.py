"""Paint injected contrast and the needle (CT)."""

from __future__ import annotations

import numpy as np

from . import tissues as t
from .anatomy import Anatomy, Defect
from .canal import sac_distance
from .canvas import WORLD, Array, Canvas, Patch, Vector, capsule, length

LEAST_CONTRAST_MM3 = 170.0
"""A third of what is injected; less than that would be overlooked."""
FARTHEST_MM = 12


def contrast_distance(
    anatomy: Anatomy, patch: Patch, defect: Defect, pattern: int, *, further_mm: float = 0.0
) -> Array:
    """Signed distance to the injected contrast of one side.

    Peri: behind the defect, none between the bone edges. Intra: fills the gap, ends at its inner edge. Trans: goes on
    along the inner side into the epidural fat (definitions of the reference study). ``further_mm`` lays the drops
    behind the defect so much farther out.
    """
    at = patch.coords(defect.frame)
    half_gap = defect.gap_mm / 2
    rng = np.random.default_rng(anatomy.seed + 20 + defect.side)
    # axes: 0 across the gap, 1 towards the canal, 2 along the gap; the needle comes from the outer (negative) side
    drops = [
        (
            float(rng.uniform(-3.6, 3.6)),
            float(rng.uniform(-9.4, -6.4)),
            float(rng.uniform(-4.5, 4.5)),
            float(rng.uniform(2.0, 3.2)),
        )
        for _ in range(11)
    ]
    spill = np.minimum.reduce([length(at[0] - d[0], at[1] - d[1] + further_mm, at[2] - d[2]) - d[3] for d in drops])
    if pattern == 1:
        return np.asarray(np.maximum(spill, at[1] + 6.0))
    inner = 4.2 if pattern == 2 else 7.5
    slab = np.maximum(
        np.abs(at[0]) - half_gap - 0.2,
        np.maximum(np.abs(at[2]) - 4.4, np.abs(at[1] + (9.0 - inner) / 2) - (9.0 + inner) / 2),
    )
    found = np.minimum(spill, slab)
    if pattern == 2:
        return np.asarray(np.maximum(found, at[1] - inner))
    x, y, z = patch.coords(WORLD)
    sac = sac_distance(anatomy, (x, y, z))
    origin = defect.frame.origin
    film = np.abs(sac - 1.7) - 1.5
    near = length(
        (x - float(origin[0]) + defect.side * 5.0) / 7.5,
        (y - float(origin[1]) + 2.0) / 8.0,
        (z - float(origin[2])) / 13.0,
    )
    way = _into_canal(anatomy, origin, defect.side)
    tongue = capsule((x, y, z), (float(origin[0]), float(origin[1]), float(origin[2])), way, 2.0)
    return np.asarray(np.minimum(np.minimum(found, tongue), np.maximum(film, (near - 1.0) * 7.5)))


def _into_canal(anatomy: Anatomy, origin: Vector, side: int) -> tuple[float, float, float]:
    """Point of the epidural space beside the dural sac at the height of a defect."""
    z = float(origin[2])
    middle, deep, wide = anatomy.sac_beside(float(origin[1]), z)
    return side * (0.75 * wide + 1.3), middle + 0.6 * deep + 1.0, z


def paint_contrast(canvas: Canvas, anatomy: Anatomy, *, needle_side: int) -> None:
    """Contrast of both sides and, on one side, the needle still in place."""
    for i, defect in enumerate(anatomy.defects):
        patch = canvas.box(WORLD, tuple(defect.frame.origin - 22.0), tuple(defect.frame.origin + 22.0))
        if patch is not None:
            patch.paint(_contrast_cover(canvas, anatomy, patch, defect, anatomy.truth.contrast_pattern[i]), t.CONTRAST)
        if defect.side == needle_side:
            paint_needle(canvas, anatomy, defect)


def _contrast_cover(canvas: Canvas, anatomy: Anatomy, patch: Patch, defect: Defect, pattern: int) -> Array:
    """Contrast spreads in soft tissue only; where large joints fill the place behind a defect, it lies around them."""
    soft = 1.0 if canvas.bone is None else 1.0 - canvas.bone[patch.window]
    voxel = float(np.prod(canvas.steps))
    found: Array = np.zeros(1, dtype=np.float32)
    for further in range(0, FARTHEST_MM, 2):
        shape = contrast_distance(anatomy, patch, defect, pattern, further_mm=float(further))
        found = np.maximum(found, patch.cover(shape, 1.0, rough_mm=0.0) * soft)
        if float(found.sum()) * voxel > LEAST_CONTRAST_MM3:
            break
    return found


def needle_path(
    anatomy: Anatomy, defect: Defect, *, short_mm: float = 0.0
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Tip at the back of the defect (or that much short of it, on its way) and hub behind the skin, LPS mm."""
    tip = defect.frame.world((0.0, -6.8, 0.0))
    tip = tip + np.array([defect.side * 0.5, 3.0, 0.0])
    skin = float(np.interp(tip[2], anatomy.wall_z, anatomy.back_y)) + 30.0
    run = skin - float(tip[1])
    way = np.array([defect.side * 0.34, 1.0, 0.05])
    hub, tip = tip + way * run, tip + way * short_mm
    return (float(tip[0]), float(tip[1]), float(tip[2])), (float(hub[0]), float(hub[1]), float(hub[2]))


def paint_needle(canvas: Canvas, anatomy: Anatomy, defect: Defect, *, short_mm: float = 0.0) -> None:
    """Paint the needle of one side with its shadow; CT only."""
    tip, hub = needle_path(anatomy, defect, short_mm=short_mm)
    low = tuple(min(a, b) - 8.0 for a, b in zip(tip, hub, strict=True))
    high = tuple(max(a, b) + 8.0 for a, b in zip(tip, hub, strict=True))
    patch = canvas.box(WORLD, (low[0], low[1], low[2]), (high[0], high[1], high[2]))
    if patch is None:
        return
    shape = capsule(patch.coords(WORLD), tip, hub, 0.45)
    shadow = np.exp(-((np.maximum(shape, 0.0) / 3.0) ** 2)) * (1.0 - patch.cover(shape - 0.8))
    for image in canvas.image:
        image[patch.window] -= 110.0 * shadow
    patch.paint(patch.cover(shape, 1.0, rough_mm=0.0), t.NEEDLE)
