"""Where the images tell no sides or no scale, or the other side: what may not be answered or shown as evidence there.

A grade for the right side that was seen on the left is the error a reading must not hold. A slice without a place in
the patient carries no side letters; then a level for one side is refused, and “not assessable” is what can be said.
Nor has such a slice a scale: a length that is typed over it is no measurement, whatever it was taken from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from annotation.dicom.geometry import Plane, plane_name
from annotation.models import Instance, Series
from annotation.protocol import Continuous, Fault, Protocol
from annotation.protocol.instrument import Cell
from annotation.room.stacks import Images

NO_SIDE = "The images of this finding do not tell the sides. Say “not assessable”."
NO_SCALE = "The images of this finding carry no scale, so nothing is measured on them. Say “not assessable”."
OTHER_SIDE = "This slice lies on the other side of the patient. It is no evidence for this side."

BEYOND_MIDLINE_MM = 10.0
"""Farther than this from the middle, a sagittal slice shows one side only."""


def barred(series: Sequence[Series], protocol: Protocol, form: str, images: Images | None = None) -> dict[str, str]:
    """Give the cells whose series are there, but without a place in the patient; each with why it takes no level.

    `images` are those of the series, where they have been read already.
    """
    why = {cell.key: said for cell in protocol.cells(form) if (said := _needs(cell))}
    needed = {cell.key: _of_roles(series, cell.item.roles) for cell in protocol.cells(form) if cell.key in why}
    told = _told({one.pk for found in needed.values() for one in found}, images)
    return {key: why[key] for key, found in needed.items() if found and not any(one.pk in told for one in found)}


def _needs(cell: Cell) -> str:
    """Say what is missing where no series of a cell has its place; empty for a cell that can do without."""
    if cell.site.side:
        return NO_SIDE
    return NO_SCALE if isinstance(cell.item.scale, Continuous) and cell.item.scale.evidence else ""


def _of_roles(series: Sequence[Series], roles: Sequence[str]) -> list[Series]:
    wanted = {role for need in roles for role in need.split("|")}
    return [one for one in series if not wanted or one.role in wanted]


def _told(series: set[int], images: Images | None) -> set[int]:
    """Give the series of which every frame has its place."""
    if images is None:
        return series - set(_unplaced(series))
    return {pk for pk in series if all(frame["plane"] for image in images[pk].values() for frame in image.frames)}


def _unplaced(series: set[int]) -> QuerySet[Instance, int]:
    """Give the series with a frame that has no place; the database looks, so that a saved answer parses no JSON.

    The text is exact: within a string of the JSON a backslash would stand before the second quote.
    """
    stored = Instance.objects.filter(series__in=series).alias(told=Cast("frames", TextField()))
    return stored.filter(told__contains='"plane": null').values_list("series", flat=True).distinct()


def refused(cells: Mapping[str, str], answers: Mapping[str, Any]) -> tuple[Fault, ...]:
    """Give a fault for every level or number that was given to one of `cells`."""
    return tuple(Fault(cell, why) for cell, why in cells.items() if isinstance(answers.get(cell), (int, float)))


def lies_on_other_side(side: str, plane: Plane, own: Plane, others: Sequence[Plane]) -> bool:
    """Tell whether a sagittal slice lies clearly on the side that is not meant; x grows towards the patient's left.

    The middle of a sagittal series (`own`) is the patient's only where the series covers both sides. So a series across
    the patient (its middle among `others`) has to say the same, and the slice lies beyond the middles of all.
    """
    across = [_across(other) for other in others if plane_name(other) != "sagittal"]
    if not side or not across or plane_name(plane) != "sagittal":
        return False
    at, middles = _across(plane), [_across(own), *across]
    if side == "right":
        return at - max(middles) > BEYOND_MIDLINE_MM
    return min(middles) - at > BEYOND_MIDLINE_MM


def _across(plane: Plane) -> float:
    """Give where the middle of an image lies between right and left, mm."""
    rows, columns = (plane.rows - 1) / 2 * plane.spacing_rc_mm[0], (plane.columns - 1) / 2 * plane.spacing_rc_mm[1]
    return plane.position_lps_mm[0] + rows * plane.column_lps[0] + columns * plane.row_lps[0]
