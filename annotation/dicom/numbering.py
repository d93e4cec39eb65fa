"""Vertebra labels as they are kept: points in millimetres, with the space in which these millimetres count.

Without its space a point would be drawn on any series, and stand anywhere in it. Labels kept before the space was
say nothing any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Points = Mapping[str, list[float]]


def kept(points: Points, space: str) -> dict[str, Any]:
    """Give the labels as they are stored; without a point there are none."""
    return {"points": dict(points), "space": space} if points else {}


def points_in(labels: Mapping[str, Any], space: str) -> Points:
    """Give the points that may be shown in a space."""
    points: Points = labels.get("points", {}) if labels.get("space") == space else {}
    # From the bottom up, as they are set: a database gives the keys of a document back in an order of its own.
    return dict(sorted(points.items(), key=lambda named: named[1][2]))


def space_of(series_uid: str, header: Mapping[str, Any]) -> str:
    """Name the space of a series: its frame of reference, or itself alone where its header names none."""
    values = header.get("00200052", {}).get("Value") or [""]
    return str(values[0]) or series_uid
