"""Practice: a synthetic case whose planted truth is shown beside the own answers, after these are submitted.

Only a study whose coordinator has put down what is planted in its synthetic cases has such pages. Before the lock, and
for everybody but the reader, they do not exist.
"""

from __future__ import annotations

import io
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from annotation import store
from annotation.access import NotYours, protocol_of, readable, study_for
from annotation.dicom import codec, pixels
from annotation.dicom.geometry import Plane, lps_to_pixel
from annotation.dicom.roles import ROLE_TITLES
from annotation.models import Assignment, Instance, Membership, Role, Series, State, Study
from annotation.people import Person
from annotation.protocol import Protocol
from annotation.protocol.instrument import Cell
from annotation.protocol.scales import Continuous

KEY = "practice"
PICTURE_PX = 640
SAME_PLACE_MM = 0.01
CLOSE_MM = 1.5
"""Two readers' measurements of a slip differ by as much."""

LETTERS = (("L", "R"), ("P", "A"), ("H", "F"))
LETTER_AT = {"right": (PICTURE_PX - 18, PICTURE_PX // 2 - 8), "left": (8, PICTURE_PX // 2 - 8),
             "bottom": (PICTURE_PX // 2 - 5, PICTURE_PX - 24), "top": (PICTURE_PX // 2 - 5, 6)}  # fmt: skip


@dataclass(frozen=True)
class Compared:
    """One finding: the own answer beside what is planted, and which slice shows it."""

    cell: str
    title: str
    own: str
    planted: str
    verdict: str
    criteria: str
    seen_on: str


@dataclass(frozen=True)
class Solution:
    """One own practice reading, submitted."""

    reading: uuid.UUID
    label: str
    form: str
    form_title: str
    segment: str
    findings: tuple[Compared, ...]

    @property
    def right(self) -> int:
        return sum(one.verdict == "as planted" for one in self.findings)


@dataclass(frozen=True)
class Practised:
    """A line of the list of own practice readings."""

    reading: uuid.UUID
    label: str
    form_title: str
    right: int
    of: int


def is_practice(study: Study) -> bool:
    return KEY in study.settings


def practice_for(person: Person, study: Study) -> str:
    """Give the code of a practice study of the same instrument in which the reader may read now; empty without one."""
    if is_practice(study):
        return ""
    seats = Membership.objects.select_related("study").filter(
        user=person, role=Role.READER, study__state=State.READING, study__protocol_code=study.protocol_code
    )
    return next((seat.study.code for seat in seats.order_by("study__code") if is_practice(seat.study)), "")


def solution_waits(person: Person, reading_id: uuid.UUID) -> str:
    """Give the study's code where a reading that was just submitted has a solution; empty otherwise."""
    found = Assignment.objects.select_related("study", "case__patient").filter(
        pk=reading_id, reader=person, locked_revision__isnull=False
    )
    assignment = found.first()
    return assignment.study.code if assignment and _solved(assignment.study, assignment) else ""


def _own(person: Person, code: str) -> tuple[Study, Any]:
    """Give a practice study and the own submitted readings in it."""
    study = study_for(person, code, Role.READER)
    if not is_practice(study):
        raise NotYours
    own = Assignment.objects.filter(study=study, reader=person, locked_revision__isnull=False)
    return study, own.select_related("case__patient", "locked_revision").order_by("form", "position")


def _solved(study: Study, assignment: Assignment) -> Mapping[str, Any] | None:
    """Give what is planted in a reading's case, or None: no practice, or a case nothing is put down for."""
    found: Mapping[str, Any] | None = study.settings.get(KEY, {}).get(assignment.case.patient.identifier_hash)
    return found


def _planted(study: Study, assignment: Assignment) -> Mapping[str, Any]:
    found = _solved(study, assignment)
    if found is None:
        raise NotYours
    return found


def practised(person: Person, code: str) -> tuple[Practised, ...]:
    """Give the own submitted practice readings with how many findings were as planted; one without solution is none."""
    study, own = _own(person, code)
    protocol = protocol_of(study)
    made = [_solution(protocol, one, planted, {}) for one in own if (planted := _solved(study, one)) is not None]
    return tuple(Practised(one.reading, one.label, one.form_title, one.right, len(one.findings)) for one in made)


def solution(person: Person, code: str, reading_id: uuid.UUID) -> Solution:
    """Give an own submitted practice reading beside what is planted.

    Raises
    ------
    NotYours
        No practice study, another's reading, or one that is not submitted.
    """
    study, own = _own(person, code)
    assignment = own.filter(pk=reading_id).first()
    if assignment is None:
        raise NotYours
    planted = _planted(study, assignment)
    return _solution(protocol_of(study), assignment, planted, _places(assignment, planted["spots"]))


def _solution(
    protocol: Protocol, assignment: Assignment, planted: Mapping[str, Any], seen_on: Mapping[str, str]
) -> Solution:
    form = protocol.form(assignment.form)
    right = planted["answers"].get(form.code, {})
    given = assignment.locked_revision.answers if assignment.locked_revision else {}
    findings = tuple(
        _compared(cell, given.get(cell.key), right[cell.key], seen_on.get(cell.key, ""))
        for cell in protocol.cells(form.code)
        if cell.key in right
    )
    level = assignment.case.lysis_vertebra
    segment = protocol.segment_names(level).get("index", "") if level else ""
    return Solution(assignment.pk, assignment.alias, form.code, form.title, segment, findings)


def _compared(cell: Cell, given: object, right: float, seen_on: str) -> Compared:
    scale = cell.item.scale
    if isinstance(scale, Continuous):
        criteria = ""
        verdict = "as planted" if isinstance(given, (int, float)) and abs(given - right) <= CLOSE_MM else "other"
    else:
        criteria = scale.level(int(right)).criteria
        verdict = "as planted" if given == right else "other"
    if given is None or isinstance(given, Mapping):
        verdict = "not assessed"
    return Compared(cell.key, cell.label, _word(cell, given), _word(cell, right), verdict, criteria, seen_on)


def _word(cell: Cell, value: object) -> str:
    scale = cell.item.scale
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "not assessable" if isinstance(value, Mapping) else "no answer"
    if isinstance(scale, Continuous):
        return f"{value:.{scale.decimals}f} {scale.unit}"
    return scale.level(int(value)).label


# --- the slice that shows a finding --------------------------------------------------------------------------------


def solution_picture(person: Person, code: str, reading_id: uuid.UUID, cell: str) -> bytes:
    """Draw the part of the slice on which a planted finding is seen, as PNG, with its side letters.

    Raises
    ------
    NotYours
        As `solution`; and for a cell that has no picture.
    """
    study, own = _own(person, code)
    assignment = own.filter(pk=reading_id).first()
    if assignment is None:
        raise NotYours
    planted = _planted(study, assignment)
    spot = planted["spots"].get(cell)
    if spot is None or cell not in planted["answers"].get(assignment.form, {}):
        raise NotYours
    instance, frame = _frame(assignment, spot)
    array = codec.stored_array(store.get(instance.frames[frame - 1]["digest"]), instance.header)
    rescale = pixels.rescale_of(instance.header, frame)
    grey = pixels.grey(array, window=(spot["window"][0], spot["window"][1]), rescale=rescale, inverted=False)
    plane = Plane.from_json(instance.frames[frame - 1]["plane"])
    return _drawn(Image.fromarray(grey), plane, spot)


def _frame(assignment: Assignment, spot: Mapping[str, Any]) -> tuple[Instance, int]:
    home = Series.objects.filter(readable(), case_id=assignment.case_id, role=spot["role"])
    for instance in Instance.objects.filter(series__in=home).order_by("pk"):
        for frame, kept in enumerate(instance.frames, start=1):
            if _lies(kept["plane"], spot):
                return instance, frame
    raise NotYours


def _lies(plane: Mapping[str, Any] | None, spot: Mapping[str, Any]) -> bool:
    if not plane:
        return False
    off = np.subtract(plane["position_lps_mm"], spot["position_lps_mm"])
    return bool(np.abs(off).max() < SAME_PLACE_MM)


def _places(assignment: Assignment, spots: Mapping[str, Any]) -> dict[str, str]:
    """Say by cell on which slice of which series it is seen, counted as the room counts them."""
    found: dict[str, str] = {}
    for series in Series.objects.filter(readable(), case_id=assignment.case_id):
        here = {cell: spot for cell, spot in spots.items() if spot["role"] == series.role and cell not in found}
        if not here:
            continue
        frames = dict(Instance.objects.filter(series=series).values_list("sop_uid", "frames"))
        order = series.parameters["order"]
        for number, (uid, frame) in enumerate(order, start=1):
            said = f"{ROLE_TITLES[series.role]}, slice {number} of {len(order)}"
            found |= {cell: said for cell, spot in here.items() if _lies(frames[uid][frame - 1]["plane"], spot)}
    return found


def _drawn(picture: Image.Image, plane: Plane, spot: Mapping[str, Any]) -> bytes:
    row, column = (float(v) for v in lps_to_pixel(plane, spot["centre_lps_mm"]))
    down, across = (spot["height_mm"] / 2 / step for step in plane.spacing_rc_mm)
    box = (column + 0.5 - across, row + 0.5 - down, column + 0.5 + across, row + 0.5 + down)
    cut = picture.transform((PICTURE_PX, PICTURE_PX), Image.Transform.EXTENT, box, Image.Resampling.BICUBIC)
    drawing = ImageDraw.Draw(cut)
    for edge, way in (("right", 1), ("left", -1), ("bottom", 1), ("top", -1)):
        along = np.asarray(plane.row_lps if edge in ("right", "left") else plane.column_lps) * way
        axis = int(np.argmax(np.abs(along)))
        at = LETTER_AT[edge]
        drawing.text(at, LETTERS[axis][0 if along[axis] > 0 else 1], fill=235, font_size=18, stroke_width=2,
                     stroke_fill=0)  # fmt: skip
    out = io.BytesIO()
    cut.save(out, "PNG", compress_level=1)
    return out.getvalue()
