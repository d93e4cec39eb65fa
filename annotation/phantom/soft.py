"""Paint what is planted in the soft tissue behind the bones: oedema and synovial cysts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import tissues as t
from .anatomy import Anatomy, Joint
from .canvas import WORLD, Array, Canvas, Coords, Vector, capsule, ellipsoid, length

Triple = tuple[float, float, float]


def _index_joint(anatomy: Anatomy, side: int) -> Joint:
    return next(j for j in anatomy.joints if j.upper == anatomy.truth.level and j.side == side)


def _triple(values: Vector) -> Triple:
    return float(values[0]), float(values[1]), float(values[2])


def paint_soft_oedema(canvas: Canvas, anatomy: Anatomy) -> None:
    """Ill-defined fluid signal in muscle and fat behind a defect; painted before the bones.

    It runs along fibres and between them, further up or down on one side than on the other.
    """
    for defect in anatomy.defects:
        i = 0 if defect.side < 0 else 1
        if not anatomy.truth.edema[i]:
            continue
        rng = np.random.default_rng([anatomy.seed, 25, i])
        strength = float(rng.uniform(0.8, 1.08))
        wide, deep, tall = _triple(rng.uniform((8.5, 9.0, 14.0), (11.5, 12.0, 19.0)))
        x0, y0, z0 = _triple(defect.frame.origin + np.array([defect.side * 4.0, 10.0, rng.uniform(-8.0, 3.0)]))
        patch = canvas.box(WORLD, (x0 - 22.0, y0 - 22.0, z0 - 32.0), (x0 + 22.0, y0 + 22.0, z0 + 32.0))
        if patch is None:
            continue
        x, y, z = patch.coords(WORLD)
        # fibres run upwards and to the middle
        lean = 0.22 * defect.side * (z - z0)
        away = length((x - x0 + lean) * (1.0 / wide), (y - y0) * (1.0 / deep), (z - z0) * (1.0 / tall))
        fibres = patch.streaks()
        near = np.clip(1.35 - away + 0.20 * fibres + 0.10 * patch.texture(), 0.0, 1.0)
        cloud = near * (0.60 + 0.26 * fibres + 0.12 * patch.texture())
        # fluid also spreads in a thin sheet between two muscles, further than within them
        between = 0.8 * defect.side * (x - x0) + 0.6 * (y - y0) - 6.5
        sheet = np.exp(-(between * between)) * np.clip(1.9 - away, 0.0, 0.7)
        patch.paint(np.clip(strength * np.maximum(cloud, sheet), 0.0, 0.82), t.SOFT_OEDEMA, grain=0.10)


@dataclass(frozen=True)
class Cyst:
    """A synovial cyst: where it leaves the joint, its lobes (centre, radii), its wall, what it holds."""

    neck: Triple
    lobes: tuple[tuple[Triple, Triple], ...]
    wall_mm: float
    content: t.Tissue
    septum: tuple[float, float] | None
    """How far over its middle a sheet crosses it, and how much that slants."""


def cyst_of(anatomy: Anatomy, i: int) -> Cyst:
    """Return the cyst of the right (0) or left (1) joint of the index segment: no two are alike."""
    joint = _index_joint(anatomy, (-1, 1)[i])
    rng = np.random.default_rng([anatomy.seed, 11, i])
    radius = float(rng.uniform(4.2, 6.6))
    # the capsule is widest at the back of the joint, away from the canal
    outwards = -joint.side * joint.frame.axes[1]
    neck = joint.frame.origin + 6.2 * outwards + joint.frame.axes[2] * rng.uniform(-5.0, 2.5)
    way = outwards * rng.uniform(0.1, 0.5) + np.array([0.0, 1.0, 0.0]) + joint.frame.axes[2] * rng.uniform(-0.5, 0.3)
    middle = neck + way / np.linalg.norm(way) * (1.5 + 0.95 * radius)
    lobes = [(_triple(middle), _triple(radius * rng.uniform((0.8, 0.72, 0.95), (1.1, 1.0, 1.35))))]
    if rng.random() < 0.6:
        small = float(rng.uniform(0.5, 0.75)) * radius
        off = np.array(
            [rng.uniform(-0.4, 0.4), rng.uniform(-0.2, 0.5), rng.choice((-1.0, 1.0)) * rng.uniform(0.8, 1.1)]
        )
        lobes.append((_triple(middle + radius * off), (small, small, small)))
    septum = (float(rng.uniform(-2.0, 2.0)), float(rng.uniform(-1.2, 1.2))) if rng.random() < 0.4 else None
    # what has thickened in it is darker than free fluid
    content = t.shaded(t.FLUID, float(rng.choice((1.0, 1.0, 0.8))))
    return Cyst(_triple(neck), tuple(lobes), float(rng.uniform(0.7, 1.2)), content, septum)


def paint_cysts(canvas: Canvas, anatomy: Anatomy) -> None:
    """A sharply outlined synovial cyst behind the joint of the index segment; painted last."""
    for i in (0, 1):
        if not anatomy.truth.cyst[i]:
            continue
        cyst = cyst_of(anatomy, i)
        y, z = cyst.lobes[0][0][1:]
        ends = np.array(
            [cyst.neck] + [np.add(*lobe) for lobe in cyst.lobes] + [np.subtract(*lobe) for lobe in cyst.lobes]
        )
        patch = canvas.box(WORLD, _triple(ends.min(axis=0) - 2.5), _triple(ends.max(axis=0) + 2.5))
        if patch is None:
            continue
        at = patch.coords(WORLD)
        shape = _outline(cyst, at)
        patch.paint(patch.cover(shape - cyst.wall_mm), t.LIGAMENT)
        inside = patch.cover(shape)
        patch.paint(inside, cyst.content, grain=0.04)
        if cyst.septum:
            over, slant = cyst.septum
            sheet = np.abs(at[2] - z - over + slant * (at[1] - y)) - 0.45
            patch.paint(inside * patch.cover(sheet) * 0.8, t.LIGAMENT)


def _outline(cyst: Cyst, at: Coords) -> Array:
    """Signed distance to all lobes and to the neck by which they hang on the joint."""
    shape = capsule(at, cyst.neck, cyst.lobes[0][0], 1.3)
    for centre, radii in cyst.lobes:
        shape = np.minimum(shape, ellipsoid(at, centre, radii))
    return shape
