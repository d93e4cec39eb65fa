"""Paint the lateral recesses of the index disc (Bartynski)."""

from __future__ import annotations

import numpy as np

from . import tissues as t
from .anatomy import Anatomy
from .canvas import Canvas, ellipsoid, length

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
