"""Paint what is planted beside the bones: foramen, recess, soft tissue, contrast and needle."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from . import tissues as t
from .anatomy import Anatomy, Defect, Joint
from .canal import root_distance, root_path, sac_distance
from .canvas import WORLD, Array, Canvas, Patch, Vector, capsule, ellipsoid, length

LEAST_CONTRAST_MM3 = 170.0
"""A third of what is injected; less than that would be overlooked."""
FARTHEST_MM = 12


def _index_joint(anatomy: Anatomy, side: int) -> Joint:
    return next(j for j in anatomy.joints if j.upper == anatomy.truth.level and j.side == side)


def paint_soft_oedema(canvas: Canvas, anatomy: Anatomy) -> None:
    """Ill-defined fluid signal in muscle and fat behind a defect; painted before the bones."""
    for defect in anatomy.defects:
        if not anatomy.truth.edema[0 if defect.side < 0 else 1]:
            continue
        centre = defect.frame.origin + np.array([defect.side * 4.0, 11.0, -3.0])
        patch = canvas.box(WORLD, tuple(centre - 26.0), tuple(centre + 26.0))
        if patch is None:
            continue
        x, y, z = patch.coords(WORLD)
        away = length((x - float(centre[0])) / 10.0, (y - float(centre[1])) / 9.5, (z - float(centre[2])) / 15.0)
        cloud = np.exp(-(away**2)) * 1.25 + 0.10 * patch.texture() * np.exp(-(away**2))
        patch.paint(np.clip(cloud, 0.0, 0.95), t.SOFT_OEDEMA, grain=0.10)


def paint_cysts(canvas: Canvas, anatomy: Anatomy) -> None:
    """A sharply outlined synovial cyst behind the joint of the index segment; painted last."""
    for i, side in enumerate((-1, 1)):
        if not anatomy.truth.cyst[i]:
            continue
        frame = _index_joint(anatomy, side).frame
        rng = np.random.default_rng(anatomy.seed + 11)
        radius = float(rng.uniform(4.6, 6.2))
        centre = frame.origin + np.array([side * 1.5, 8.5 + 0.7 * radius, -3.0])
        patch = canvas.box(WORLD, tuple(centre - 10.0), tuple(centre + 10.0))
        if patch is None:
            continue
        spot = (float(centre[0]), float(centre[1]), float(centre[2]))
        shape = ellipsoid(patch.coords(WORLD), spot, (radius, radius * 0.85, radius * 1.15))
        patch.paint(patch.cover(shape - 1.0), t.LIGAMENT)
        patch.paint(patch.cover(shape), t.FLUID)


def paint_foramina(canvas: Canvas, anatomy: Anatomy) -> None:
    """Foraminal stenosis (Lee): fat lost on two sides, on four sides, root flattened; before the arches."""
    for i, side in enumerate((-1, 1)):
        if anatomy.truth.lee[i]:
            _foramen(canvas, anatomy, side, anatomy.truth.lee[i])


def _foramen(canvas: Canvas, anatomy: Anatomy, side: int, grade: int) -> None:
    bone = anatomy.lytic
    path = root_path(bone, side)[1:]
    reach = 17.0
    low = (min(p[0] for p in path) - reach, -22.0, -48.0)
    patch = canvas.box(bone.frame, low, (max(p[0] for p in path) + reach, 24.0, 10.0))
    if patch is None:
        return
    at = patch.coords(bone.frame)
    # canal and recess keep their own fat: tissue begins at the pedicle
    outside = bone.pedicle - 1.5 - at[0] * side
    if grade == 1:
        # above and below, where the pedicle and the disc come near; fat stays before and behind the root
        for shift in (-7.2, 7.2):
            ends = [(p[0], p[1] + 0.5, p[2] + shift) for p in path]
            flat = [(at[0], at[1] * 0.62, at[2])]
            rods = [capsule(flat[0], *_deeper(one, two), 4.4) for one, two in pairwise(ends)]
            patch.paint(patch.cover(np.maximum(np.minimum(*rods), outside)), t.SCAR, grain=0.08)
        patch.paint(patch.cover(root_distance(at, path, (2.9, 2.3))), t.GANGLION)
        return
    tissue = root_distance(at, path, (11.0, 8.0)) + 0.4 * patch.texture()
    patch.paint(patch.cover(np.maximum(tissue, outside), 1.6), t.SCAR, grain=0.10)
    if grade == 2:
        patch.paint(patch.cover(root_distance(at, path, (2.8, 2.3))), t.GANGLION)
        return
    # collapsed between pedicle and bulging disc: a band a millimetre or two high
    for shift in (-4.6, 4.6):
        ends = [(p[0], p[1], p[2] + shift) for p in path]
        patch.paint(patch.cover(np.maximum(root_distance(at, ends, (3.1, 3.0)), outside)), t.ANNULUS)
    squeezed = (at[0], at[1] * 0.55, at[2] * 2.3)
    ends = [(p[0], p[1] * 0.55, (0.3 * p[2] + 0.7 * path[0][2] - 1.5) * 2.3) for p in path]
    patch.paint(patch.cover(root_distance(squeezed, ends, (2.5, 2.3))), t.GANGLION)


def _deeper(
    one: tuple[float, float, float], two: tuple[float, float, float]
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    return (one[0], one[1] * 0.62, one[2]), (two[0], two[1] * 0.62, two[2])


# by grade: half width and half depth of the traversing root, how far it is pushed to the middle, space kept before
# and behind it, how much of its grey is left to see
ROOT_IN_RECESS = {
    0: (2.4, 2.4, 0.0, 4.0, 1.0),
    1: (2.3, 2.3, 0.0, 0.3, 1.0),
    2: (3.0, 1.25, 1.3, 0.15, 1.0),
    3: (3.0, 0.9, 1.8, 0.0, 0.55),
}


def paint_recesses(canvas: Canvas, anatomy: Anatomy) -> None:
    """Lateral recesses with the traversing root at the index disc (Bartynski); after discs, before the arches."""
    for i, side in enumerate((-1, 1)):
        _recess(canvas, anatomy, side, anatomy.truth.bartynski[i])


def _recess(canvas: Canvas, anatomy: Anatomy, side: int, grade: int) -> None:
    below = anatomy.below
    half = below.height / 2
    patch = canvas.box(below.frame, (-26.0, -9.0, half - 15.0), (26.0, 26.0, half + 20.0))
    if patch is None:
        return
    x, p, s = patch.coords(below.frame)
    at = (x * side, p, s)
    z = float(below.upper_p[1])
    wide = float(np.interp(z, anatomy.sac_z, anatomy.sac_half_width))
    half_width, half_depth, push, space, seen = ROOT_IN_RECESS[grade]
    out, deep, level = wide + 3.6 - push, 5.6, half + 3.0
    if grade:
        across, shift = (4.6, 0.3) if grade == 1 else (6.0, 1.4)
        behind = ellipsoid(at, (out + shift, deep + half_depth + space + 5.0, level), (across, 5.0, 12.0))
        before = ellipsoid(at, (out + shift, deep - half_depth - space - 4.0, level), (across, 4.0, 12.0))
        patch.paint(patch.cover(np.minimum(behind, before)), t.FLAVUM, grain=0.06)
    if grade == 3:
        fill = ellipsoid(at, (out + 0.6, deep + 0.8, level), (6.2, 6.0, 12.0))
        patch.paint(patch.cover(fill), t.FLAVUM, grain=0.10)
    squeezed = (at[0] / half_width, at[1] / half_depth, at[2] * 1.0)
    rod = (length(squeezed[0] - out / half_width, squeezed[1] - deep / half_depth) - 1.0) * min(half_width, half_depth)
    rod = np.maximum(rod, np.abs(s - level) - 13.0)
    patch.paint(patch.cover(rod) * seen, t.ROOT)


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
    middle, deep, wide = (
        float(np.interp(z, anatomy.sac_z, values))
        for values in (anatomy.sac_y, anatomy.sac_half_depth, anatomy.sac_half_width)
    )
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
