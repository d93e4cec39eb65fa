"""A slice turned to the standard view: whole rows and columns change places, and the geometry says so. Pure.

The standard view of an axial slice has the front of the body up and the patient's right at the left; sagittal and
coronal slices have the head up, with the front or the patient's right at the left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from annotation.dicom.geometry import Plane, plane_name, planes

# By plane: where the picture's right and its bottom point to in the patient.
_STANDARD = {
    "axial": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
    "coronal": ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
    "sagittal": ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
}


@dataclass(frozen=True)
class Turn:
    """What is done with the stored pixels, in this order: rows become columns, columns are reversed, rows are."""

    transpose: bool
    reverse_columns: bool
    reverse_rows: bool

    def document(self) -> dict[str, bool]:
        return asdict(self)


NO_TURN = Turn(transpose=False, reverse_columns=False, reverse_rows=False)


def standard_turn(plane: Plane | None) -> Turn:
    """Give the turn that brings a slice nearest to its standard view; none for a slice of no named plane."""
    wanted = _STANDARD.get(plane_name(plane))
    if plane is None or wanted is None:
        return NO_TURN
    row, column = np.asarray(plane.row_lps), np.asarray(plane.column_lps)
    right, down = (np.asarray(one) for one in wanted)
    transpose = abs(float(row @ right)) < abs(float(column @ right))
    across, along = (column, row) if transpose else (row, column)
    return Turn(transpose, bool(across @ right < 0), bool(along @ down < 0))


def turned(metadata: Mapping[str, Any], turn: Turn) -> dict[str, Any]:
    """Give the metadata of a frame whose pixels are turned: other corner, directions, spacing and size, same places.

    Parameters
    ----------
    metadata : mapping
        DICOM JSON model of one classic frame that has a plane.
    turn : Turn
    """
    plane = None if turn == NO_TURN else planes(metadata)[0]
    if plane is None:
        return dict(metadata)
    corner = np.asarray(plane.position_lps_mm)
    across, along = np.asarray(plane.row_lps), np.asarray(plane.column_lps)
    (between_rows, between_columns), rows, columns = plane.spacing_rc_mm, plane.rows, plane.columns
    if turn.transpose:
        across, along = along, across
        between_rows, between_columns, rows, columns = between_columns, between_rows, columns, rows
    if turn.reverse_columns:
        corner, across = corner + across * between_columns * (columns - 1), -across
    if turn.reverse_rows:
        corner, along = corner + along * between_rows * (rows - 1), -along
    return {
        **metadata,
        "00200032": _numbers("DS", *corner),
        "00200037": _numbers("DS", *across, *along),
        "00280010": {"vr": "US", "Value": [rows]},
        "00280011": {"vr": "US", "Value": [columns]},
        "00280030": _numbers("DS", between_rows, between_columns),
    }


def _numbers(kind: str, *values: float) -> dict[str, Any]:
    return {"vr": kind, "Value": [float(value) + 0.0 for value in values]}
