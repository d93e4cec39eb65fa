"""Calm lines along the column that muscles and vessels follow; they do not jump where a vertebra has slipped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .anatomy import Anatomy, Vertebra
from .canvas import Array, Vector

STEP_MM = 2.0


@dataclass(frozen=True)
class Lines:
    """y over heights z (ascending): front of the canal along the arches, back walls of the bodies, their front."""

    z: Vector
    rear_y: Vector
    side_y: Vector
    front_y: Vector

    def rear(self, z: Array | float) -> Array:
        """Where the back wall would be if nothing had slipped: muscles of the back stay with the arches."""
        return _at(z, self.z, self.rear_y)

    def side(self, z: Array | float) -> Array:
        """Back wall of the bodies, smoothed over a slip: the psoas goes along with them."""
        return _at(z, self.z, self.side_y)

    def front(self, z: Array | float) -> Array:
        """Front of the bodies: vessels are draped over what stands out."""
        return _at(z, self.z, self.front_y)


def body_lines(anatomy: Anatomy) -> Lines:
    """Return the lines of one person."""
    bones = list(anatomy.vertebrae.values())
    z = np.arange(float(anatomy.wall_z[0]), float(anatomy.wall_z[-1]), STEP_MM)
    ends = [bone.dorsal.world((0.0, 0.0, up * bone.height / 2))[1:] for bone in bones for up in (-1.0, 1.0)]
    rear = _line(z, ends, 14)
    side = _line(z, [(bone.upper_p + bone.lower_p) / 2 for bone in bones], 14)
    front = np.minimum(_line(z, [point for bone in bones for point in _face(bone)], 3), side - 20.0)
    # taut over a body that has slipped: the most forward of the neighbourhood, smoothed
    reach = 3
    padded = np.pad(front, reach, mode="edge")
    front = np.min([padded[i : i + len(front)] for i in range(2 * reach + 1)], axis=0)
    return Lines(z, rear, side, _smoothed(front, 6))


def _at(z: Array | float, places: Vector, values: Vector) -> Array:
    return np.asarray(np.interp(z, places, values), dtype=np.float32)


def _face(bone: Vertebra) -> tuple[Vector, Vector]:
    return bone.lower_a, bone.upper_a


def _line(z: Vector, points: list[Vector], width: int) -> Vector:
    ordered = sorted(points, key=lambda point: float(point[1]))
    heights, depths = np.array([p[1] for p in ordered]), np.array([p[0] for p in ordered])
    return _smoothed(np.interp(z, heights, depths), width)


def _smoothed(values: Vector, width: int) -> Vector:
    kernel = np.hanning(2 * width + 3)
    return np.asarray(np.convolve(np.pad(values, width + 1, mode="edge"), kernel / kernel.sum(), "valid"))
