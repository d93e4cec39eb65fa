"""What a reader points at: the slice a grade was seen on, measured points, and marks drawn on images.

The document has one object a cell, and under ``marks`` a list. As the viewer sends and gets it::

    {"<item>.<site>": {"uid": ..., "window": {"width": ..., "level": ...},        the evidence slice, and its window
                       "field": {"centre_lps_mm": [x, y, z], "height_mm": h},     optional: the part that was zoomed to
                       "points_lps_mm": [P, A, Q]},                               only where the value was measured
     "marks": [{"kind": "angle", "uid": ..., "points_lps_mm": [...], "label": "A"}]}

Stored, ``uid`` becomes ``sop_uid`` and ``frame``, and the server adds the values it has measured itself. Millimetres
come from the stored geometry, never from the viewer.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from annotation.dicom.geometry import Plane, on_plane, plane_name, slip
from annotation.dicom.marks import POINTS_OF, inside, value_of
from annotation.dicom.numbering import space_of
from annotation.models import Instance, Series
from annotation.protocol import Fault, Invalid, Measured, Protocol
from annotation.protocol.instrument import Cell
from annotation.protocol.scales import Continuous
from annotation.room.sides import OTHER_SIDE, lies_on_other_side
from annotation.room.stacks import frame_uid

Evidence = dict[str, Any]

MARKS = "marks"
"""The one key that is no cell; a cell's key has a dot in it."""

MOST_MARKS = 100

LARGEST_DIFFERENCE_MM = 0.11
"""A typed or shown value may differ from the points by the rounding of its last decimal, and a hair."""

FARTHEST = 1e5
"""No coordinate of a scanner in mm, and no window in use, lies farther out."""

OFF_PLANE_MM = 1.0
"""Points of one measurement lie on the slice they were set on; the viewer's own rounding stays far below."""

LABEL = re.compile(r"[A-Z]")
"""One letter: nothing else could be told with it."""

Points = NDArray[np.float64]


def _refuse(cell: str, message: str) -> NoReturn:
    raise Invalid((Fault(cell, message),))


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
        Naming the cell whose slice or points do not fit a stored image or the value, or `marks`.
    """
    if not isinstance(evidence, Mapping):
        _refuse("", "The evidence must be an object of cells.")
    cells = {cell.key: cell for cell in protocol.cells(form)}
    images = _Images(series, assignment, _named(evidence))
    kept: Evidence = {}
    for key, sent in evidence.items():
        if key == MARKS:
            continue
        cell = cells.get(str(key))
        if cell is None:
            _refuse(str(key)[:60], "This form does not ask this.")
        if found := _of_cell(cell, answers.get(cell.key), sent, images):
            kept[cell.key] = found
    if marks := _marks(evidence.get(MARKS, []), images):
        kept[MARKS] = marks
    return kept


class _Images:
    """The case's images under the names this reading knows them by."""

    def __init__(self, series: Sequence[Series], assignment: uuid.UUID, named: Collection[str]) -> None:
        self._series = series
        self._assignment = assignment
        self._named = named
        self._homes: dict[str, tuple[Series, str, int]] | None = None
        self._instances: dict[tuple[int, str], Instance] | None = None

    def home(self, cell: str, uid: object) -> tuple[Series, str, int]:
        if self._homes is None:  # one pass over the case, and only when something points at an image
            self._homes = {
                frame_uid(self._assignment, sop_uid, frame): (one, sop_uid, frame)
                for one in self._series
                for sop_uid, frame in one.parameters["order"]
            }
        found = self._homes.get(uid) if isinstance(uid, str) else None
        return found or _refuse(cell, "This names an image that is not part of this case.")

    def plane(self, series: Series, sop_uid: str, frame: int) -> Plane | None:
        stored = self._stored(series, sop_uid).frames[frame - 1]["plane"]
        return Plane.from_json(stored) if stored else None

    def _stored(self, series: Series, sop_uid: str) -> Instance:
        if self._instances is None:
            self._instances = self._fetch()
        return self._instances[series.pk, sop_uid]

    def _fetch(self) -> dict[tuple[int, str], Instance]:
        """Read what every named image, and the middle of each series, says of its planes: all in one query."""
        homes = [home for uid, home in (self._homes or {}).items() if uid in self._named]
        wanted = {sop_uid for _, sop_uid, _ in homes} | {_middle(series)[0] for series in self._series}
        found = Instance.objects.filter(series__in=self._series, sop_uid__in=wanted)
        return {(one.series_id, one.sop_uid): one for one in found.only("series", "sop_uid", "frames", "header")}

    def middles(self, series: Series) -> tuple[Plane | None, list[Plane]]:
        """Give the plane in the middle of a series, and those of the others in the same frame of reference."""
        here = self._space(series)
        others = [one for one in self._series if one.pk != series.pk and self._space(one) == here]
        planes = [self.plane(one, *_middle(one)) for one in others]
        return self.plane(series, *_middle(series)), [plane for plane in planes if plane]

    def _space(self, series: Series) -> str:
        return space_of(series.series_uid, self._stored(series, _middle(series)[0]).header)

    def measurable(self, cell: str, sent: Mapping[str, Any], count: int) -> tuple[Plane, Points]:
        """Give points that lie on and within the image they name."""
        plane = self.plane(*self.home(cell, sent.get("uid")))
        if plane is None:
            _refuse(cell, "This image carries no geometry; nothing can be measured on it.")
        points = _points(cell, sent.get("points_lps_mm"), count)
        if on_plane(plane, points) > OFF_PLANE_MM:
            _refuse(cell, "The points do not lie on the image they name.")
        if not inside(plane, points):
            _refuse(cell, "A point lies outside its image.")
        return plane, points


def _named(evidence: Mapping[Any, Any]) -> set[str]:
    """Give the images that are named anywhere; nothing is checked yet."""
    marks = evidence.get(MARKS)
    sent = [*evidence.values(), *(marks if isinstance(marks, list) else ())]
    uids = [one.get("uid") for one in sent if isinstance(one, Mapping)]
    return {uid for uid in uids if isinstance(uid, str)}


def _middle(series: Series) -> tuple[str, int]:
    order = series.parameters["order"]
    sop_uid, frame = order[len(order) // 2]
    return sop_uid, frame


# --- the evidence of one cell --------------------------------------------------------------------------------------


def _of_cell(cell: Cell, value: object, sent: object, images: _Images) -> dict[str, Any]:
    """Give the stored form of a cell's evidence; empty for points that are no answer yet and nothing else."""
    if not isinstance(sent, Mapping):
        _refuse(cell.key, "The evidence of an answer is an object.")
    if strangers := sorted(str(key) for key in sent if key not in ("uid", "window", "field", "points_lps_mm")):
        _refuse(cell.key, f"Unknown: {', '.join(strangers)[:60]}.")
    shown = {
        name: check(cell.key, sent[name])
        for name, check in (("window", _window), ("field", _field))
        if sent.get(name) is not None
    }
    measured = _measured(cell, value, sent, images) if "points_lps_mm" in sent else {}
    home = images.home(cell.key, sent.get("uid"))
    _right_side(cell, home, images)
    _, sop_uid, frame = home
    if not measured and "window" not in shown:
        # Points without a number are an unfinished measurement, not an answer.
        return {} if "points_lps_mm" in sent else _refuse(cell.key, "The evidence slice comes with its window.")
    return {"sop_uid": sop_uid, "frame": frame, **shown, **measured}


def _right_side(cell: Cell, home: tuple[Series, str, int], images: _Images) -> None:
    if not cell.site.side:
        return
    plane, (own, others) = images.plane(*home), images.middles(home[0])
    if plane and own and lies_on_other_side(cell.site.side, plane, own, others):
        _refuse(cell.key, OTHER_SIDE)


def _measured(cell: Cell, value: object, sent: Mapping[str, Any], images: _Images) -> dict[str, Any]:
    scale = cell.item.scale
    if not isinstance(scale, Continuous) or scale.evidence is None:
        _refuse(cell.key, "This cell takes no points.")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return {}
    plane, points = images.measurable(cell.key, sent, 3)
    if float(np.linalg.norm(points[1] - points[0])) < 1.0:
        _refuse(cell.key, "The two points of the endplate lie on one another.")
    made = slip(*points)
    if abs(made.value_mm - value) > LARGEST_DIFFERENCE_MM:
        _refuse(cell.key, f"The points give {made.value_mm:.1f} mm, not {value} mm.")
    home, _, _ = images.home(cell.key, sent.get("uid"))
    return {
        "points_lps_mm": _plain(points),
        "value_mm": float(made.value_mm) + 0.0,
        "endplate_mm": float(made.endplate_mm),
        "plane": plane_name(plane),
        "off_midline_mm": _off_midline(images, home, plane),
    }


def _off_midline(images: _Images, series: Series, plane: Plane) -> float | None:
    """Give the distance to the middle slice of the same series, in mm; None for one slice."""
    if len(series.parameters["order"]) < 3:
        return None
    middle = images.plane(series, *_middle(series))
    if middle is None:
        return None
    apart = np.asarray(plane.position_lps_mm) - np.asarray(middle.position_lps_mm)
    return abs(float(apart @ np.asarray(plane.normal_lps)))


def _window(cell: str, sent: object) -> dict[str, float]:
    found = sent if isinstance(sent, Mapping) and set(sent) == {"width", "level"} else {}
    if not (_is_number(found.get("width")) and _is_number(found.get("level")) and found["width"] > 0):
        _refuse(cell, "A window has a width above 0 and a level.")
    return {name: float(found[name]) + 0.0 for name in ("width", "level")}


def _field(cell: str, sent: object) -> dict[str, Any]:
    found = sent if isinstance(sent, Mapping) and set(sent) == {"centre_lps_mm", "height_mm"} else {}
    if not (_is_number(found.get("height_mm")) and found["height_mm"] > 0):
        _refuse(cell, "The part of the image that was shown has a centre and a height in mm.")
    (centre,) = _plain(_points(cell, [found["centre_lps_mm"]], 1))
    return {"centre_lps_mm": centre, "height_mm": float(found["height_mm"])}


# --- marks ---------------------------------------------------------------------------------------------------------


def _marks(sent: object, images: _Images) -> list[dict[str, Any]]:
    if not isinstance(sent, list) or len(sent) > MOST_MARKS:
        _refuse(MARKS, f"Marks are a list of at most {MOST_MARKS}.")
    return [_mark(one, images) for one in sent]


def _mark(sent: object, images: _Images) -> dict[str, Any]:
    kind = sent.get("kind") if isinstance(sent, Mapping) else None
    if not isinstance(sent, Mapping) or not isinstance(kind, str) or kind not in POINTS_OF:
        _refuse(MARKS, f"A mark is one of {', '.join(POINTS_OF)}.")
    if strangers := sorted(str(key) for key in sent if key not in ("kind", "uid", "points_lps_mm", "label")):
        _refuse(MARKS, f"Unknown: {', '.join(strangers)[:60]}.")
    label = sent.get("label")
    if label is not None and not (kind == "arrow" and isinstance(label, str) and LABEL.fullmatch(label)):
        _refuse(MARKS, "Only an arrow has a label, and it is one letter from A to Z.")
    plane, points = images.measurable(MARKS, sent, POINTS_OF[kind])
    try:
        value = value_of(kind, plane, points)
    except ValueError as flat:
        _refuse(MARKS, str(flat))
    _, sop_uid, frame = images.home(MARKS, sent.get("uid"))
    return {
        "kind": kind,
        "sop_uid": sop_uid,
        "frame": frame,
        "points_lps_mm": _plain(points),
        **({"label": label} if label else {}),
        **({"value": value.number, "unit": value.unit} if value else {}),
    }


# --- numbers -------------------------------------------------------------------------------------------------------

_IN_WORDS = {1: "One point", 2: "Two points", 3: "Three points"}


def _points(cell: str, given: object, count: int) -> Points:
    sound = (
        isinstance(given, list)
        and len(given) == count
        and all(isinstance(point, list) and len(point) == 3 and all(_is_number(x) for x in point) for point in given)
    )
    if not sound:
        _refuse(cell, f"{_IN_WORDS[count]} of three coordinates in millimetres are needed.")
    return np.asarray(given, dtype=float)


def _plain(points: Points) -> list[list[float]]:
    """Give numbers as JSON keeps them: PostgreSQL knows no -0.0, and a seal over one would not fit afterwards."""
    return [[float(x) + 0.0 for x in point] for point in points]


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) <= FARTHEST  # False for NaN too; a whole number beyond all floats compares without fault


# --- what comes out ------------------------------------------------------------------------------------------------


def measured_in(evidence: Evidence) -> dict[str, Measured]:
    """Give what the protocol's checks ask about each measurement."""
    return {
        cell: Measured(kept["value_mm"], kept["endplate_mm"], kept["plane"], kept["off_midline_mm"])
        for cell, kept in _cells(evidence)
        if "value_mm" in kept
    }


def _cells(evidence: Evidence) -> list[tuple[str, dict[str, Any]]]:
    return [(cell, kept) for cell, kept in evidence.items() if cell != MARKS]


def for_viewer(evidence: Evidence, assignment: uuid.UUID) -> dict[str, Any]:
    """Give stored evidence back as the viewer sent it, under this reading's names of its images."""

    def own(kept: Mapping[str, Any], *names: str) -> dict[str, Any]:
        known = {name: kept[name] for name in names if name in kept}
        return {"uid": frame_uid(assignment, kept["sop_uid"], kept["frame"]), **known}

    document: dict[str, Any] = {cell: own(kept, "window", "field", "points_lps_mm") for cell, kept in _cells(evidence)}
    if MARKS in evidence:
        document[MARKS] = [own(mark, "kind", "points_lps_mm", "label") for mark in evidence[MARKS]]
    return document
