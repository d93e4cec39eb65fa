"""What a reader may draw on an image, and the geometric value each drawing has in the patient.

A mark is its points in patient space. Grey values under it are not kept: whoever has the image has them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from annotation.dicom.geometry import Plane, lps_to_pixel

POINTS_OF: Mapping[str, int] = MappingProxyType({"length": 2, "angle": 3, "ellipse": 2, "point": 1, "arrow": 2})
"""Kind of mark to the number of its points.

An angle opens at its second point. An ellipse is given by two opposite corners of the rectangle around it, whose
sides run along the rows and columns of the image. An arrow's first point is its tip.
"""

INSIDE_PX = 0.51
"""Half a pixel beyond the centre of the outermost one is the edge of the image; a hair for rounding."""


@dataclass(frozen=True)
class Value:
    """A number with its unit: ``mm``, ``degrees`` or ``mm2``."""

    number: float
    unit: str


def inside(plane: Plane, points_lps_mm: ArrayLike) -> bool:
    """Say whether every point lies within the image's edges, seen along its normal.

    Parameters
    ----------
    plane : Plane
        The image.
    points_lps_mm : array_like, shape (n, 3)
        Points in patient space.

    Returns
    -------
    bool
    """
    size = (plane.rows, plane.columns)
    found = (lps_to_pixel(plane, point) for point in np.asarray(points_lps_mm, dtype=float))
    return all(-INSIDE_PX <= at <= n - 1 + INSIDE_PX for pixel in found for at, n in zip(pixel, size, strict=True))


def value_of(kind: str, plane: Plane, points_lps_mm: ArrayLike) -> Value | None:
    """Give the geometric value of a mark.

    Parameters
    ----------
    kind : str
        A key of ``POINTS_OF``.
    plane : Plane
        The image the mark lies on.
    points_lps_mm : array_like, shape (n, 3)
        As many points as the kind has.

    Returns
    -------
    Value or None
        Length in mm, angle at the second point in degrees (0 to 180), area of the ellipse in mm2; ``None`` for a
        kind that has no geometric value.

    Raises
    ------
    ValueError
        If two points that have to differ lie on one another.
    """
    points = np.asarray(points_lps_mm, dtype=float)
    match kind:
        case "length":
            return Value(_apart(points[0], points[1]), "mm")
        case "angle":
            return Value(_angle(points[0], points[1], points[2]), "degrees")
        case "ellipse":
            across, down = _sides(plane, points[0], points[1])
            return Value(math.pi / 4.0 * across * down, "mm2")
        case "arrow":
            _apart(points[0], points[1])
    return None


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    distance = float(np.linalg.norm(a - b))
    if distance < 1e-3:
        raise ValueError("Two points of the mark lie on one another.")
    return distance


def _angle(a: np.ndarray, corner: np.ndarray, b: np.ndarray) -> float:
    cosine = float((a - corner) @ (b - corner)) / (_apart(a, corner) * _apart(b, corner))
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))


def _sides(plane: Plane, a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    along = abs(float((b - a) @ np.asarray(plane.row_lps)))
    down = abs(float((b - a) @ np.asarray(plane.column_lps)))
    if min(along, down) < 1e-3:
        raise ValueError("The ellipse has no area.")
    return along, down
