"""The scanning parameters that the tables of a paper print, and the day of the scan, from one kept header."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from annotation.dicom.geometry import Plane, frame_value, number

# Name of ours -> (tag, functional group of the enhanced classes, tag inside the group where it is another one).
PHYSICS: dict[str, tuple[str, str, str]] = {
    "slice_thickness_mm": ("00180050", "00289110", ""),
    "slice_spacing_mm": ("00180088", "00289110", ""),
    "field_strength_t": ("00180087", "", ""),
    "repetition_time_ms": ("00180080", "00189112", ""),
    "echo_time_ms": ("00180081", "00189114", "00189082"),
    "inversion_time_ms": ("00180082", "00189115", "00189079"),
    "flip_angle_deg": ("00181314", "00189112", ""),
    "echo_train_length": ("00180091", "00189112", "00189240"),
    "bandwidth_hz": ("00180095", "00189006", ""),
    "averages": ("00180083", "00189119", ""),
    "kvp": ("00180060", "00189325", ""),
    "tube_current_ma": ("00181151", "00189321", "00189330"),
    "exposure_mas": ("00181152", "00189321", "00189332"),
    "kernel": ("00181210", "00189314", ""),
    "maker": ("00080070", "", ""),
}
GAUSS_IN_A_TESLA = 10_000
# No magnet for people is stronger than this; a greater number is written in gauss.
MOST_TESLA = 100
_DAYS = ("00080022", "00080021", "00080020", "00080023")


def physics(header: Mapping[str, Any], planes: Sequence[Plane | None] = ()) -> dict[str, Any]:
    """Give what is known; what the header does not say has no key, but `matrix` is always there.

    `planes` are the series' slices in scroll order: the distance between neighbours is what was scanned, and it
    stands before what the header says of it.
    """
    found = {name: _first(header, *where) for name, where in PHYSICS.items()}
    if (found["field_strength_t"] or 0) > MOST_TESLA:
        found["field_strength_t"] = found["field_strength_t"] / GAUSS_IN_A_TESLA
    if found["inversion_time_ms"] == 0:  # how some scanners write that there was no inversion
        found["inversion_time_ms"] = None
    found["slice_spacing_mm"] = _apart(planes) or found["slice_spacing_mm"]
    found |= _in_plane(header) | {"acquired_matrix": _acquired(header), "acquired_on": _day(header)}
    return {name: value for name, value in found.items() if value not in (None, "")}


def _first(header: Mapping[str, Any], tag: str, group: str, inner: str) -> Any:
    values = (frame_value(header, 1, group, inner) if inner else []) or frame_value(header, 1, group, tag)
    return values[0] if values else None


def _in_plane(header: Mapping[str, Any]) -> dict[str, Any]:
    matrix = [int(number(header, tag) or 0) for tag in ("00280010", "00280011")]
    spacing = frame_value(header, 1, "00289110", "00280030")
    if len(spacing) != 2:
        return {"matrix": matrix}
    field = [count * float(step) for count, step in zip(matrix, spacing, strict=True)]
    return {"matrix": matrix, "pixel_spacing_mm": [float(step) for step in spacing], "field_of_view_mm": field}


def _acquired(header: Mapping[str, Any]) -> list[int] | None:
    """Frequency by phase steps: two of the four numbers are 0, by the direction of the phase encoding."""
    steps = [int(value) for value in header.get("00181310", {}).get("Value", []) if value]
    return steps if len(steps) == 2 else None


def _day(header: Mapping[str, Any]) -> str | None:
    """Day of the scan as it was kept: moved by the patient's own number of days, as is the day of the injection."""
    text = next((str(v[0]) for tag in _DAYS if (v := header.get(tag, {}).get("Value"))), "")
    if not text:
        text = str((header.get("0008002A", {}).get("Value") or [""])[0])[:8]
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}" if len(text) == 8 and text.isdecimal() else None


def _apart(planes: Sequence[Plane | None]) -> float | None:
    """Median distance of neighbouring parallel slices along their normal; the step from block to block is none."""
    steps = []
    for one, other in pairwise(planes):
        if one is None or other is None or abs(float(np.dot(one.normal_lps, other.normal_lps))) < np.cos(np.deg2rad(1)):
            continue
        away = np.asarray(other.position_lps_mm) - np.asarray(one.position_lps_mm)
        steps.append(abs(float(away @ np.asarray(one.normal_lps))))
    steps = [step for step in steps if step > 1e-3]
    return round(float(np.median(steps)), 4) if steps else None
