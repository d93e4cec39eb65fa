"""The images that readers pointed at or drew on; no image leaves here, only its digest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from annotation.dicom.geometry import Plane, lps_to_pixel
from annotation.handover.frozen import counting, frozen, reader_names, rounds_of
from annotation.models import Assignment, Instance, State


class Exhibit(NamedTuple):
    """One image of a locked reading: the evidence of a cell, or (cell empty) one that was only drawn on.

    `slice` counts from 1 in the order the reader scrolled; `digest` names the stored frame. `marks` are what was drawn
    on the image: kind, label, value with unit, and the points as ``[column, row]`` in pixels.
    """

    case: str
    reader: str
    round: str
    form: str
    cell: str
    role: str
    slice: int
    of: int
    digest: str
    window: dict[str, float] | None
    field: dict[str, Any] | None
    marks: tuple[dict[str, Any], ...]


def exhibits(key: int, *, case: str = "") -> Iterator[Exhibit]:
    """Give the images that readers pointed at or drew on, in the readings that count; no image leaves here.

    With `case` only those of the case with this pseudonym.
    """
    study = frozen(key, State.READINGS_LOCKED)
    names, rounds = reader_names(study), rounds_of(study)
    readings = counting(study)
    for reading in (readings.filter(case__patient__pseudonym=case) if case else readings).iterator():
        found = reading.locked_revision.evidence if reading.locked_revision else {}
        drawn = [*found.get("marks", [])]
        drawn += [{"kind": "three_points", **kept} for kept in _cells(found).values() if "points_lps_mm" in kept]
        images = {(one["sop_uid"], one["frame"]): "" for one in drawn}
        pointed = [(cell, (kept["sop_uid"], kept["frame"])) for cell, kept in _cells(found).items()]
        left = [("", image) for image in images if image not in {image for _, image in pointed}]
        stored = _stored(reading, {sop_uid for _, (sop_uid, _) in [*pointed, *left]})
        for cell, (sop_uid, frame) in [*pointed, *left]:
            instance = stored[sop_uid]
            order = instance.series.parameters["order"]
            on_it = [one for one in drawn if (one["sop_uid"], one["frame"]) == (sop_uid, frame)]
            yield Exhibit(
                reading.case.patient.pseudonym,
                names[reading.reader_id],
                rounds[reading.pk],
                reading.form,
                cell,
                instance.series.role,
                1 + [tuple(place) for place in order].index((sop_uid, frame)),
                len(order),
                instance.frames[frame - 1]["digest"],
                found.get(cell, {}).get("window"),
                found.get(cell, {}).get("field"),
                tuple(_drawn(one, instance, frame) for one in on_it),
            )


def _stored(reading: Assignment, sop_uids: set[str]) -> dict[str, Instance]:
    """Give these images of the reading's case in one query, without their headers."""
    found = Instance.objects.filter(series__case=reading.case_id, sop_uid__in=sop_uids)
    return {one.sop_uid: one for one in found.select_related("series").defer("header")}


def _cells(evidence: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {cell: kept for cell, kept in evidence.items() if cell != "marks"}


def _drawn(mark: dict[str, Any], instance: Instance, frame: int) -> dict[str, Any]:
    """Give a drawing in pixels of its image, so that a panel can be made of both."""
    plane = Plane.from_json(instance.frames[frame - 1]["plane"])
    pixels = [[float(at) for at in reversed(lps_to_pixel(plane, point))] for point in mark["points_lps_mm"]]
    said = {name: mark[name] for name in ("kind", "label", "value", "unit") if name in mark}
    if "value_mm" in mark:
        said |= {"value": mark["value_mm"], "unit": "mm"}
    return said | {"points_column_row": pixels}
