"""What follows from the bones: the smoothed back wall, the front of the dural sac, the skin of the back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .canvas import Vector
from .truth import Truth

if TYPE_CHECKING:
    from .anatomy import Vertebra


def walls(bones: dict[str, Vertebra]) -> tuple[Vector, Vector]:
    """Return heights (ascending) and y of the back walls, thinly smoothed across a slip."""
    points = []
    for bone in bones.values():
        points += [bone.lower_p, bone.upper_p]
    ordered = sorted(points, key=lambda p: float(p[1]))
    z = np.array([p[1] for p in ordered])
    y = np.array([p[0] for p in ordered])
    grid = np.arange(z[0] - 60.0, z[-1] + 60.0, 2.0)
    lower = y[0] + (grid - z[0]) * 0.0
    line = np.where(grid < z[0], lower, np.interp(grid, z, y))
    kernel = np.hanning(9)
    padded = np.concatenate([np.full(4, line[0]), line, np.full(4, line[-1])])
    return grid, np.convolve(padded, kernel / kernel.sum(), "valid")


def _smooth(values: Vector, width: int) -> Vector:
    kernel = np.hanning(2 * width + 3)
    padded = np.concatenate([np.full(width + 1, values[0]), values, np.full(width + 1, values[-1])])
    return np.asarray(np.convolve(padded, kernel / kernel.sum(), "valid"))


# length of the spinous processes behind the back wall; the other vertebrae have the last
SPINE_MM = {"L5": 42.0, "S1": 34.0, "S2": 31.0, "S3": 28.0}
LONG_SPINE_MM = 50.0


def back_line(bones: dict[str, Vertebra], grid: Vector, wall: Vector, fat: float) -> Vector:
    """Return y of the skin: follows the column at a third of its curvature, but covers every spinous process.

    The tip is asked for, not the wall: a slipped vertebra leaves its arch behind.
    """
    calm = _smooth(wall, 25)
    middle = float(np.interp(0.0, grid, calm))
    line = middle + 0.35 * (calm - middle) + 58.0 + fat
    for bone in bones.values():
        reach = SPINE_MM.get(bone.name, LONG_SPINE_MM)
        tip = bone.dorsal.world((0.0, reach + 2.0, -0.36 * bone.height - 0.16 * (reach - 27.0)))
        near = np.abs(grid - float(tip[2])) < 22.0
        line = np.where(near, np.maximum(line, float(tip[1]) + 3.0 + 0.6 * fat), line)
    return _smooth(line, 12)


def sac_front(truth: Truth, bones: dict[str, Vertebra], grid: Vector, wall: Vector, front: Vector) -> Vector:
    """Return y of the front of the dural sac: along the walls, draped over the upper back corner below a slip."""
    below = bones[{"L3": "L4", "L4": "L5", "L5": "S1"}[truth.level]]
    lower = sorted((bone for bone in bones.values() if _height(bone) <= _height(below)), key=_height)
    z = np.array([bone.upper_p[1] for bone in lower])
    y = np.array([bone.upper_p[0] for bone in lower])
    draped = np.where(grid <= z[-1], np.interp(grid, z, y), y[-1] - 1.7 * (grid - z[-1])) + 1.6
    return _smooth(np.maximum(_smooth(wall, 5) + front, draped), 2)


def _height(bone: Vertebra) -> float:
    return float(bone.upper_p[1])
