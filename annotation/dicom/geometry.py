"""Where an image lies in the patient: planes, slice order, and millimetres from points in patient space.

Coordinates are DICOM's: millimetres, x towards the patient's left, y towards the back, z towards the head (LPS). Pixel
positions are ``[row, column]``, counted from the centre of the first pixel.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import mul
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

PlaneName = Literal["sagittal", "axial", "coronal", "oblique", "unknown"]
Header = Mapping[str, Any]
Vector = tuple[float, float, float]

# A unit vector off by more than this is a broken header, not rounding: headers are written with 4 decimals and more.
UNIT_TOLERANCE = 0.02
# Slices of one block are parallel; two blocks tilted to two discs differ by several degrees.
BLOCK_TOLERANCE_DEG = 1.0
_AXES: tuple[PlaneName, PlaneName, PlaneName] = ("sagittal", "coronal", "axial")
# Direction in which a stack is scrolled: sagittal from the patient's right, coronal from the front, axial from above.
_SCROLL: dict[PlaneName, Vector] = {"sagittal": (1, 0, 0), "coronal": (0, 1, 0), "axial": (0, 0, -1)}


@dataclass(frozen=True)
class Plane:
    """One image in patient space.

    Parameters
    ----------
    position_lps_mm : tuple of 3 float
        Centre of the first pixel.
    row_lps, column_lps : tuple of 3 float
        Unit vectors along a row (column index grows) and along a column (row index grows); at right angles.
    spacing_rc_mm : tuple of 2 float
        Distance between rows, then between columns: DICOM's PixelSpacing in its own order.
    rows, columns : int
        Size of the image.
    """

    position_lps_mm: Vector
    row_lps: Vector
    column_lps: Vector
    spacing_rc_mm: tuple[float, float]
    rows: int
    columns: int

    @property
    def normal_lps(self) -> Vector:
        """Unit normal, row x column (towards the head for an upright axial image)."""
        # Written out: numpy's takes fifty times as long for three numbers, and every slice is asked several times.
        (a, b, c), (x, y, z) = self.row_lps, self.column_lps
        return b * z - c * y, c * x - a * z, a * y - b * x

    def to_json(self) -> dict[str, Any]:
        """Return the plane as JSON values."""
        return {
            "position_lps_mm": list(self.position_lps_mm),
            "row_lps": list(self.row_lps),
            "column_lps": list(self.column_lps),
            "spacing_rc_mm": list(self.spacing_rc_mm),
            "rows": self.rows,
            "columns": self.columns,
        }

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Plane:
        """Build a plane from what `to_json` gave."""
        return Plane(
            _vector(value["position_lps_mm"]),
            _vector(value["row_lps"]),
            _vector(value["column_lps"]),
            (float(value["spacing_rc_mm"][0]), float(value["spacing_rc_mm"][1])),
            int(value["rows"]),
            int(value["columns"]),
        )


@dataclass(frozen=True)
class Slip:
    """A slip measured from three points.

    Parameters
    ----------
    value_mm : float
        Distance along the endplate from P to the foot of the perpendicular from Q; positive towards A (forward).
    endplate_mm : float
        Length of the endplate, from P to A.
    percent : float
        ``100 * value_mm / endplate_mm``. None of the three is rounded.
    """

    value_mm: float
    endplate_mm: float
    percent: float


def planes(header: Header) -> tuple[Plane | None, ...]:
    """Read the plane of every frame from a header in the DICOM JSON model.

    Parameters
    ----------
    header : mapping
        Single-frame or enhanced multi-frame; functional groups are looked up per frame first, then shared.

    Returns
    -------
    tuple of Plane or None
        One a frame, in file order. ``None`` where position, orientation or spacing is missing or impossible (not
        finite, no unit vectors, not at right angles, spacing not above 0).
    """
    rows, columns = number(header, "00280010"), number(header, "00280011")
    count = int(number(header, "00280008") or 1)
    if rows is None or columns is None:
        return (None,) * count
    return tuple(_plane(header, n, int(rows), int(columns)) for n in range(1, count + 1))


def frame_value(header: Header, frame_number: int, group: str, tag: str) -> list[Any]:
    """Value of an attribute for one frame, whether it stands at the top or in a functional group.

    Parameters
    ----------
    header : mapping
        DICOM JSON model.
    frame_number : int
        Counted from 1.
    group : str
        Tag of the functional group's sequence, for instance ``"00209113"``.
    tag : str
        Tag of the attribute inside it.

    Returns
    -------
    list
        The values; empty when the attribute is nowhere.
    """
    for groups, index in (("52009230", frame_number - 1), ("52009229", 0)):
        items = header.get(groups, {}).get("Value", [])
        if index < len(items):
            inner = items[index].get(group, {}).get("Value", [])
            if inner and tag in inner[0]:
                return list(inner[0][tag].get("Value", []))
    return list(header.get(tag, {}).get("Value", []))


def number(header: Header, tag: str) -> float | None:
    """First value of a numeric attribute at the top of a header, or ``None``."""
    values = header.get(tag, {}).get("Value", [])
    return float(values[0]) if values and isinstance(values[0], int | float) else None


def plane_name(plane: Plane | None) -> PlaneName:
    """Name the plane by the body axis its normal is nearest to.

    Parameters
    ----------
    plane : Plane or None

    Returns
    -------
    str
        ``"oblique"`` when the normal is more than 45 degrees from every axis, ``"unknown"`` for ``None``. An axial
        block tilted to the lumbosacral disc (up to about 40 degrees) is still axial.
    """
    if plane is None:
        return "unknown"
    parts = np.abs(plane.normal_lps)
    nearest = int(np.argmax(parts))
    return _AXES[nearest] if parts[nearest] > np.cos(np.deg2rad(45)) else "oblique"


def blocks(planes: Sequence[Plane | None]) -> tuple[tuple[int, ...], ...]:
    """Group slices into parallel blocks and sort each by position along its normal.

    Parameters
    ----------
    planes : sequence of Plane or None

    Returns
    -------
    tuple of tuple of int
        Indices into ``planes``. Blocks follow one another in scroll direction (sagittal from the patient's right, axial
        from the head, coronal from the front); equal positions keep their given order. Frames without a plane are the
        last block.
    """
    groups: list[tuple[NDArray[np.float64], list[int]]] = []
    lost: list[int] = []
    for index, plane in enumerate(planes):
        if plane is None:
            lost.append(index)
            continue
        normal = _scroll_direction(plane)
        for direction, members in groups:
            if float(normal @ direction) > np.cos(np.deg2rad(BLOCK_TOLERANCE_DEG)):
                members.append(index)
                break
        else:
            groups.append((normal, [index]))
    position = [np.zeros(3) if p is None else np.asarray(p.position_lps_mm) for p in planes]
    ordered = [sorted(members, key=lambda i: float(position[i] @ direction)) for direction, members in groups]
    axis = groups[0][0] if groups else np.zeros(3)
    ordered.sort(key=lambda members: float(np.mean([_centre(planes[i]) @ axis for i in members])))
    return tuple(tuple(members) for members in (*ordered, lost) if members)


def order(planes: Sequence[Plane | None]) -> tuple[int, ...]:
    """Return the indices of the slices in scroll order: the blocks of `blocks`, one after the other."""
    return tuple(index for block in blocks(planes) for index in block)


def slip(p_lps_mm: ArrayLike, a_lps_mm: ArrayLike, q_lps_mm: ArrayLike) -> Slip:
    """Measure a slip from three points.

    Parameters
    ----------
    p_lps_mm : array_like, shape (3,)
        Upper back corner of the vertebra below, millimetres.
    a_lps_mm : array_like, shape (3,)
        Upper front corner of the vertebra below.
    q_lps_mm : array_like, shape (3,)
        Lower back corner of the slipped vertebra.

    Returns
    -------
    Slip

    Raises
    ------
    ValueError
        If a coordinate is not finite, or P and A are the same point.

    Notes
    -----
    ``u = (A - P) / |A - P|; slip = (Q - P) . u``: the perpendicular is dropped on the endplate line, so a height
    difference between the vertebrae does not count. The construction of Surg Gynecol Obstet 1932;54:371, in
    millimetres.
    """
    p, a, q = (np.asarray(v, dtype=float) for v in (p_lps_mm, a_lps_mm, q_lps_mm))
    if not all(v.shape == (3,) and np.isfinite(v).all() for v in (p, a, q)):
        raise ValueError("A point of the slip measurement is not three finite numbers.")
    endplate = float(np.linalg.norm(a - p))
    if endplate < 1e-6:
        raise ValueError("The two points of the endplate are the same.")
    value = float((q - p) @ (a - p)) / endplate
    return Slip(value, endplate, 100.0 * value / endplate)


def on_plane(plane: Plane, points_lps_mm: ArrayLike) -> float:
    """Largest distance of points from an image plane.

    Parameters
    ----------
    plane : Plane
    points_lps_mm : array_like, shape (3,) or (n, 3)

    Returns
    -------
    float
        Millimetres, not negative. Not a number if a coordinate is not.
    """
    points = np.atleast_2d(np.asarray(points_lps_mm, dtype=float))
    return float(np.max(np.abs((points - plane.position_lps_mm) @ np.asarray(plane.normal_lps))))


def pixel_to_lps(plane: Plane, pixel_rc: ArrayLike) -> NDArray[np.float64]:
    """Patient coordinates of pixel positions.

    Parameters
    ----------
    plane : Plane
    pixel_rc : array_like, shape (2,) or (n, 2)
        ``[row, column]``, fractions allowed; ``[0, 0]`` is the centre of the first pixel.

    Returns
    -------
    ndarray, shape (3,) or (n, 3)
        Millimetres (PS3.3 C.7.6.2.1.1, equation C.7.6.2.1-1).
    """
    mm = np.asarray(pixel_rc, dtype=float) * plane.spacing_rc_mm
    axes = np.asarray([plane.column_lps, plane.row_lps])
    return np.asarray(plane.position_lps_mm + mm @ axes, dtype=float)


def lps_to_pixel(plane: Plane, point_lps_mm: ArrayLike) -> NDArray[np.float64]:
    """Pixel positions ``[row, column]`` of patient coordinates, after dropping them perpendicularly on the plane."""
    away = np.asarray(point_lps_mm, dtype=float) - plane.position_lps_mm
    axes = np.asarray([plane.column_lps, plane.row_lps]).T
    return np.asarray(away @ axes / plane.spacing_rc_mm, dtype=float)


def _plane(header: Header, frame_number: int, rows: int, columns: int) -> Plane | None:
    position = frame_value(header, frame_number, "00209113", "00200032")
    orientation = frame_value(header, frame_number, "00209116", "00200037")
    spacing = frame_value(header, frame_number, "00289110", "00280030")
    if (len(position), len(orientation), len(spacing)) != (3, 6, 2):
        return None
    # Written out, as in `Plane.normal_lps`: every file of an import comes through here.
    values = [float(value) for value in (*position, *orientation, *spacing)]
    if not all(map(math.isfinite, values)) or min(values[9:]) <= 0:
        return None
    row, column = _unit(values[3:6]), _unit(values[6:9])
    if row is None or column is None or abs(sum(map(mul, row, column))) > UNIT_TOLERANCE:
        return None
    return Plane(_vector(values[:3]), row, column, (values[9], values[10]), rows, columns)


def _unit(values: Sequence[float]) -> Vector | None:
    """Make a direction exactly as long as it should be; ``None`` if it is no unit vector even with rounding."""
    length = math.hypot(*values)
    if abs(length - 1) > UNIT_TOLERANCE:
        return None
    x, y, z = values
    return x / length, y / length, z / length


def _scroll_direction(plane: Plane) -> NDArray[np.float64]:
    """Return the normal, turned so that it points the way the stack is scrolled."""
    normal = np.asarray(plane.normal_lps)
    nearest = _AXES[int(np.argmax(np.abs(normal)))]
    return normal if float(normal @ _SCROLL[nearest]) >= 0 else -normal


def _centre(plane: Plane | None) -> NDArray[np.float64]:
    """Middle of the image; blocks are compared by it, since the corners of tilted blocks mislead."""
    if plane is None:
        return np.zeros(3)
    return pixel_to_lps(plane, ((plane.rows - 1) / 2, (plane.columns - 1) / 2))


def _vector(values: Sequence[float]) -> Vector:
    x, y, z = values
    return float(x), float(y), float(z)
