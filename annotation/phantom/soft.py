"""Paint what is planted in the soft tissue behind the bones: oedema and synovial cysts."""

from __future__ import annotations

import numpy as np

from . import tissues as t
from .anatomy import Anatomy, Joint
from .canvas import WORLD, Canvas, ellipsoid, length


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
