"""Points set on an image, checked against the stored geometry. The millimetres are the server's own."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from annotation.dicom.geometry import Plane, on_plane, plane_name, slip
from annotation.models import Instance, Series
from annotation.protocol import Fault, Invalid, Measured, Protocol
from annotation.protocol.scales import Continuous
from annotation.room.stacks import frame_uid

Evidence = dict[str, dict[str, Any]]

LARGEST_DIFFERENCE_MM = 0.11
"""A typed or shown value may differ from the points by the rounding of its last decimal, and a hair."""

FARTHEST_MM = 1e5
"""No coordinate of a scanner lies farther out."""

OFF_PLANE_MM = 1.0
"""Points of one measurement lie on the slice they were set on; the viewer's own rounding stays far below."""


def placed(
    series: Sequence[Series],
    assignment: uuid.UUID,
    protocol: Protocol,
    form: str,
    answers: Mapping[str, Any],
    evidence: object,
) -> Evidence:
    """Check what the viewer sent and give it in stable terms (stored instance, frame, points, millimetres).

    Raises
    ------
    Invalid
        Naming the cell whose points do not fit a stored image or the value.
    """
    if not isinstance(evidence, Mapping):
        raise Invalid((Fault("", "The evidence must be an object of cells."),))
    cells = {cell.key: cell for cell in protocol.cells(form)}
    kept: Evidence = {}
    for key, sent in evidence.items():
        cell = cells.get(str(key))
        if cell is None or not isinstance(cell.item.scale, Continuous) or cell.item.scale.evidence is None:
            raise Invalid((Fault(str(key)[:60], "This cell takes no points."),))
        value = answers.get(cell.key)
        if not isinstance(value, (int, float)):
            continue  # points without a number are an unfinished measurement, not an answer
        kept[cell.key] = _three_points(cell.key, float(value), sent, series, assignment)
    return kept


def _three_points(
    cell: str, value: float, sent: object, series: Sequence[Series], assignment: uuid.UUID
) -> dict[str, Any]:
    points = _points(cell, sent)
    uid = sent.get("uid") if isinstance(sent, Mapping) else None
    home, sop_uid, frame = _home(cell, uid, series, assignment)
    plane = _plane(home, sop_uid, frame)
    if plane is None:
        raise Invalid((Fault(cell, "This image carries no geometry; nothing can be measured on it."),))
    if on_plane(plane, points) > OFF_PLANE_MM:
        raise Invalid((Fault(cell, "The points do not lie on the image they name."),))
    made = slip(*points)
    if abs(made.value_mm - value) > LARGEST_DIFFERENCE_MM:
        raise Invalid((Fault(cell, f"The points give {made.value_mm:.1f} mm, not {value} mm."),))
    return {
        "sop_uid": sop_uid,
        "frame": frame,
        "points_lps_mm": _plain(points),
        "value_mm": float(made.value_mm) + 0.0,
        "endplate_mm": float(made.endplate_mm),
        "plane": plane_name(plane),
        "off_midline_mm": _off_midline(home, plane),
    }


def _points(cell: str, sent: object) -> np.ndarray[Any, np.dtype[np.float64]]:
    given = sent.get("points_lps_mm") if isinstance(sent, Mapping) else None
    sound = (
        isinstance(given, list)
        and len(given) == 3
        and all(
            isinstance(point, list) and len(point) == 3 and all(_is_coordinate(x) for x in point) for point in given
        )
    )
    if not sound:
        raise Invalid((Fault(cell, "Three points of three coordinates in millimetres are needed."),))
    points = np.asarray(given, dtype=float)
    if float(np.linalg.norm(points[1] - points[0])) < 1.0:
        raise Invalid((Fault(cell, "The two points of the endplate lie on one another."),))
    return points


def _plain(points: np.ndarray[Any, np.dtype[np.float64]]) -> list[list[float]]:
    """Give numbers as JSON keeps them: PostgreSQL knows no -0.0, and a seal over one would not fit afterwards."""
    return [[float(x) + 0.0 for x in point] for point in points]


def _is_coordinate(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) <= FARTHEST_MM  # False for NaN too; a whole number beyond all floats compares without fault


def _home(cell: str, uid: object, series: Sequence[Series], assignment: uuid.UUID) -> tuple[Series, str, int]:
    for one in series:
        for sop_uid, frame in one.parameters["order"]:
            if frame_uid(assignment, sop_uid, frame) == uid:
                return one, sop_uid, frame
    raise Invalid((Fault(cell, "The points name an image that is not part of this case."),))


def _plane(series: Series, sop_uid: str, frame: int) -> Plane | None:
    frames = Instance.objects.get(series=series, sop_uid=sop_uid).frames
    stored = frames[frame - 1]["plane"]
    return Plane.from_json(stored) if stored else None


def _off_midline(series: Series, plane: Plane) -> float | None:
    """Give the distance to the middle slice of the same series, in mm; None for one slice."""
    order = series.parameters["order"]
    if len(order) < 3:
        return None
    middle = _plane(series, *order[len(order) // 2])
    if middle is None:
        return None
    apart = np.asarray(plane.position_lps_mm) - np.asarray(middle.position_lps_mm)
    return abs(float(apart @ np.asarray(plane.normal_lps)))


def measured_in(evidence: Evidence) -> dict[str, Measured]:
    """Give what the protocol's checks ask about each measurement."""
    return {
        cell: Measured(kept["value_mm"], kept["endplate_mm"], kept["plane"], kept["off_midline_mm"])
        for cell, kept in evidence.items()
    }
