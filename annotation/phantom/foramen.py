"""Paint what is planted in the foramina of the lytic segment (Lee)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from . import tissues as t
from .anatomy import Anatomy
from .canal import root_distance, root_path
from .canvas import Canvas, capsule


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
