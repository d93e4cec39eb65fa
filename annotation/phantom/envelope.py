"""What follows from the bones: the smoothed back wall, the front of the dural sac, the skin of the back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .canvas import Array, Coords, Vector
from .truth import Truth

if TYPE_CHECKING:
    from .anatomy import Vertebra


def walls(bones: dict[str, Vertebra]) -> tuple[Vector, Vector]:
    """Return heights (ascending) and y of the back walls, thinly smoothed across a slip."""
    # from below upwards, along the chain: a vertebra that has sunk in front of the one below begins above it
    ordered: list[Vector] = []
    for name in ("S3", "S2", "S1", *(name for name in bones if not name.startswith("S"))):
        for point in (bones[name].lower_p, bones[name].upper_p):
            if not ordered or point[1] > ordered[-1][1]:
                ordered.append(point)
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


BELOW = {"L3": "L4", "L4": "L5", "L5": "S1"}
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


LEAN_FROM_PCT = 42.0
FAT_WEDGE_MM = 2.4
SAC_LEAN = float(np.radians(32.0))


def _leaning(lean: float, y: Array | float, z: Array | float) -> tuple[Array, Array]:
    cos, sin = float(np.cos(lean)), float(np.sin(lean))
    return np.asarray(cos * z - sin * y), np.asarray(cos * y + sin * z)


@dataclass(frozen=True)
class Section:
    """Cuts across the sac: how far points lie beside and behind its middle, its half sizes, its slant."""

    beside: Array
    behind: Array
    half_depth: Array
    half_width: Array
    slant: Array


@dataclass(frozen=True)
class Sac:
    """The dural sac: its middle across an axis that may lean, and its half sizes, all over places along that axis.

    ``along`` ascends. Beyond a far slip the sac runs backwards rather than downwards: measured along an upright axis
    it would be thin and torn, so the axis leans (radians, its upper end to the front). ``slant`` is how much longer
    a cut across the axis is than one across the sac.
    """

    along: Vector
    middle: Vector
    half_depth: Vector
    half_width: Vector
    slant: Vector
    lean: float

    def axes(self, y: Array | float, z: Array | float) -> tuple[Array, Array]:
        """Return places along the axis and across it, of points given by y and z."""
        if not self.lean:
            return np.asarray(z), np.asarray(y)
        return _leaning(self.lean, y, z)

    def point(self, place: float, across: float) -> tuple[float, float]:
        """Reverse of ``axes``: y and z."""
        cos, sin = float(np.cos(self.lean)), float(np.sin(self.lean))
        return cos * across - sin * place, sin * across + cos * place

    def section(self, at: Coords) -> Section:
        """Return what the painters need to know about the sac at points: the cut through it there."""
        along, across = self.axes(at[1], at[2])
        middle, depth, width, slant = (
            np.interp(along, self.along, values).astype(np.float32)
            for values in (self.middle, self.half_depth, self.half_width, self.slant)
        )
        return Section(at[0], across - middle, depth, width, slant)


def dural_sac(truth: Truth, bones: dict[str, Vertebra], grid: Vector, wall: Vector, room: float) -> Sac:
    """Return the dural sac: along the back walls, taut over the upper back corner below a slip; it ends at S2."""
    if truth.slip_pct > LEAN_FROM_PCT:
        return _taut_sac(truth, bones, room)
    end = float(bones["S2"].frame.origin[2])
    depth, width = _sac_sizes(grid - end, room)
    front = 2.6 + 3.4 * np.clip(1.0 - (grid - end) / 70.0, 0.0, 1.0)
    front_y = _sac_front(truth, bones, grid, wall, front)
    # between two laminae a wedge of fat lies behind the sac; the recess of the index disc keeps its own measures
    names = [name for name in bones if not name.startswith("S") and name != truth.level]
    levels = [float(bones[name].lower_p[1]) - 3.0 for name in names]
    wedges = sum(np.exp(-(((grid - z) / 6.0) ** 2)) for z in levels)
    depth = depth - np.minimum(FAT_WEDGE_MM / 2 * wedges, 0.2 * depth)
    middle = front_y + depth
    return Sac(grid, middle, depth, width, np.ones_like(grid), 0.0)


def _sac_sizes(above_end: Vector, room: float) -> tuple[Vector, Vector]:
    """Half depth and half width by the distance from the end of the sac (mm): it tapers."""
    taper = np.clip(above_end / 62.0, 0.0, 1.0)
    closed = above_end < 0.0
    depth, width = (2.4 + 4.8 * taper**0.6) * room, (3.6 + 5.9 * taper**0.55) * room
    return np.where(closed, 0.3, depth), np.where(closed, 0.3, width)


def _sac_front(truth: Truth, bones: dict[str, Vertebra], grid: Vector, wall: Vector, front: Vector) -> Vector:
    """Return y of the front of the sac: along the walls, draped over the upper back corner below a slip."""
    below = bones[BELOW[truth.level]]
    lower = sorted((bone for bone in bones.values() if _height(bone) <= _height(below)), key=_height)
    z = np.array([bone.upper_p[1] for bone in lower])
    y = np.array([bone.upper_p[0] for bone in lower])
    draped = np.where(grid <= z[-1], np.interp(grid, z, y), y[-1] - 1.7 * (grid - z[-1])) + 1.6
    return _smooth(np.maximum(_smooth(wall, 5) + front, draped), 2)


def _taut_sac(truth: Truth, bones: dict[str, Vertebra], room: float) -> Sac:
    """Down behind the vertebrae above the slip, under their last arch, over the corner of the one below."""
    far = float(np.clip((truth.slip_pct - 50.0) / 55.0, 0.0, 1.0))
    names = ["S3", "S2", "S1", *(name for name in bones if not name.startswith("S"))]
    place = names.index(truth.level)
    last, below = bones[names[place + 1]], bones[names[place - 1]]
    knots = []
    for name in names[:place]:
        bone = bones[name]
        knots += [_behind(bone, 7.5 - 1.5 * far, share) for share in ((-1.0, 0.0) if bone is below else (-1.0, 1.0))]
    tight = 5.4 - 1.6 * far
    knots.append(below.upper_p + (tight + 2.2 + 1.0 * far) * _up_and_back(below))
    knots.append(_behind(last, 9.6 - 0.6 * far, -1.0 - (14.0 * far - 7.0) / (last.height / 2)))
    for name in names[place + 1 :]:
        knots += [_behind(bones[name], 9.6, share) for share in ((0.3, 0.8) if bones[name] is last else (-0.8, 0.8))]
    path = _rounded(np.array(knots))
    step = np.hypot(*np.diff(path, axis=0).T)
    way = np.concatenate([[0.0], np.cumsum(step)])
    end = way[int(np.argmin(np.hypot(*(path - _behind(bones["S2"], 6.0, 0.0)).T)))]
    depth, width = _sac_sizes(way - end, 0.94 * room)
    corner = np.hypot(*(path - knots[2 * place - 1]).T)
    depth = np.minimum(depth, tight + (0.12 - 0.06 * far) * corner)
    along, across = _leaning(SAC_LEAN, path[:, 0], path[:, 1])
    at = np.arange(along[0] - 60.0, along[-1] + 60.0, 1.0)
    middle = np.interp(at, along, across)
    beyond = (np.polyfit(along[-20:], across[-20:], 1)[0]) * np.maximum(at - along[-1], 0.0)
    middle = _smooth(middle + beyond, 5)
    slant = np.sqrt(1.0 + np.gradient(middle, at) ** 2)
    sizes = [np.interp(at, along, values, left=0.3) for values in (depth, width)]
    return Sac(at, middle, sizes[0], sizes[1], slant, SAC_LEAN)


def _behind(bone: Vertebra, away: float, share: float) -> Vector:
    """Point (y, z) so far behind the back wall, from its lower (-1) to its upper end (1) and beyond."""
    middle = (bone.upper_p + bone.lower_p) / 2 + share * (bone.upper_p - bone.lower_p) / 2
    return np.asarray(middle + away * bone.frame.axes[1][1:])


def _up_and_back(bone: Vertebra) -> Vector:
    """Direction in which the upper back corner of a vertebra points."""
    along = (bone.upper_p - bone.upper_a) / np.hypot(*(bone.upper_p - bone.upper_a))
    wall = (bone.upper_p - bone.lower_p) / bone.height
    return np.asarray((along + wall) / np.hypot(*(along + wall)))


def _rounded(knots: Vector) -> Vector:
    """Points a millimetre apart along a chain of knots, its corners rounded."""
    way = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(knots, axis=0).T))])
    places = np.arange(0.0, way[-1], 1.0)
    return np.stack([_smooth(np.interp(places, way, knots[:, axis]), 24) for axis in (0, 1)], axis=1)


def _height(bone: Vertebra) -> float:
    return float(bone.upper_p[1])
