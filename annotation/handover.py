"""DOOR of analytics: locked readings as plain rows, outcomes once unblinded, and `verify`.

Analytics never meets a document, a user name or a pseudonym's origin: readers are R1, R2 ... and a case is its
pseudonym. Too early is refused: readings from “readings locked”, anything with an outcome only from “unblinded”.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from annotation import store, trail
from annotation.access import ProtocolChanged, protocol_of, study_for
from annotation.dicom.geometry import Plane, lps_to_pixel
from annotation.intake.purge import unused
from annotation.models import (
    Assignment,
    Case,
    ClinicalValue,
    Event,
    Exclusion,
    Instance,
    Patient,
    Revision,
    Role,
    State,
    Study,
)
from annotation.people import Person
from annotation.protocol import Invalid, Protocol, check, rows

PASSPORT = ("age", "sex", "bmi", "level")
OUTCOMES = ("nrs_baseline", "nrs_15min", "nrs_1month")


class StillReading(ValueError):
    """The study has not reached the state in which this may be seen."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Row(NamedTuple):
    """One cell of one locked reading."""

    case: str
    reader: str
    round: str
    item: str
    site: str
    value: float | int | None
    reason: str | None


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


@dataclass(frozen=True)
class Subject:
    """The study as analytics may know it."""

    code: str
    title: str
    plan: str
    plan_digest: str
    state_label: str
    synthetic: bool
    readings_open: bool
    outcomes_open: bool
    protocol: Protocol
    cases: int
    excluded: dict[str, int]
    key: int


def subject(person: Person, code: str) -> Subject:
    study = study_for(person, code, Role.ANALYST)
    reasons: dict[str, int] = {}
    for reason in Exclusion.objects.filter(patient__study=study).values_list("reason", flat=True):
        reasons[reason] = reasons.get(reason, 0) + 1
    return Subject(
        study.code,
        study.title,
        study.plan,
        study.plan_digest,
        State(study.state).label,
        bool(study.settings.get("synthetic")),
        study.has_reached(State.READINGS_LOCKED),
        study.has_reached(State.UNBLINDED),
        protocol_of(study),
        Case.objects.filter(patient__study=study).count(),
        reasons,
        study.pk,
    )


def _study(key: int, needed: State) -> Study:
    study = Study.objects.get(pk=key)
    if not study.has_reached(needed):
        raise StillReading(
            f"Study {study.code} is in state “{State(study.state).label}”; this can be seen from “{needed.label}”."
        )
    return study


def protocol(key: int) -> Protocol:
    return protocol_of(Study.objects.get(pk=key))


def gradings(key: int) -> Iterator[Row]:
    """Give every cell of every locked reading that counts; a superseded one and one of an excluded patient do not."""
    study = _study(key, State.READINGS_LOCKED)
    instrument = protocol_of(study)
    names, rounds = _reader_names(study), _rounds(study)
    for reading in _counting(study).iterator():
        revision = reading.locked_revision
        if revision is None:
            continue
        for row in rows(instrument, reading.form, revision.answers):
            yield Row(
                reading.case.patient.pseudonym,
                names[reading.reader_id],
                rounds[reading.pk],
                row.item,
                row.site,
                row.value,
                row.reason,
            )


def _counting(study: Study) -> QuerySet[Assignment]:
    superseded = Assignment.objects.filter(study=study, supersedes__isnull=False).values("supersedes")
    return (
        Assignment.objects.filter(study=study, locked_revision__isnull=False, case__patient__exclusion__isnull=True)
        .exclude(pk__in=superseded)
        .select_related("locked_revision", "case__patient", "reader")
        .order_by("case__patient__pseudonym", "reader__username", "round", "form", "occasion")
    )


def exhibits(key: int) -> Iterator[Exhibit]:
    """Give the images that readers pointed at or drew on, in the readings that count; no image leaves here."""
    study = _study(key, State.READINGS_LOCKED)
    names, rounds = _reader_names(study), _rounds(study)
    for reading in _counting(study).iterator():
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


def fingerprint(key: int, *, outcomes: bool) -> str:
    """Give the digest of the frozen data: every locked revision's seal and, with outcomes, every clinical value."""
    study = _study(key, State.UNBLINDED if outcomes else State.READINGS_LOCKED)
    sealed = hashlib.sha256(study.protocol_digest.encode())
    locked = Assignment.objects.filter(
        study=study, locked_revision__isnull=False, case__patient__exclusion__isnull=True
    ).order_by("pk")
    for reading, digest in locked.values_list("pk", "locked_revision__digest").iterator():
        sealed.update(f"{reading}:{digest}\n".encode())
    if outcomes:
        values = ClinicalValue.objects.filter(patient__study=study, patient__exclusion__isnull=True).order_by("pk")
        for row in values.values_list("patient__pseudonym", "name", "timepoint", "value", "number").iterator():
            sealed.update(f"{row}\n".encode())
    return sealed.hexdigest()


def _reader_names(study: Study) -> dict[int, str]:
    """Name the readers R1, R2 ... in the order of their accounts; an account that is renamed changes nothing.

    Who only read in another round, such as the adjudicator, comes after the readers of the main one.
    """
    found = Assignment.objects.filter(study=study).order_by("reader_id").values_list("reader_id", flat=True).distinct()
    main = list(found.filter(round="main"))
    readers = [*main, *(pk for pk in found if pk not in main)]
    return {pk: f"R{number}" for number, pk in enumerate(readers, start=1)}


def _rounds(study: Study) -> dict[UUID, str]:
    """Name the round of each reading; a further occasion of the main one that takes no other's place is a repeat.

    One of a practice or adjudication round stays what it is: under another name it would count as a repeat reading.
    """
    found = Assignment.objects.filter(study=study).values_list("pk", "supersedes", "round", "occasion")
    known = {pk: (before, name, occasion) for pk, before, name, occasion in found.iterator()}

    def named(pk: UUID) -> str:
        before, name, occasion = known[pk]
        if before is not None:
            return named(before)
        return name if occasion == 1 or name != "main" else f"{name}_{occasion}"

    return {pk: named(pk) for pk in known}


def clinical(key: int) -> list[dict[str, Any]]:
    """Give one row a case that is not excluded, with the newest value of each column."""
    study = _study(key, State.UNBLINDED)
    patients = Patient.objects.filter(study=study, exclusion__isnull=True).order_by("pseudonym")
    table: dict[int, dict[str, Any]] = {
        patient.pk: {"case_id": patient.pseudonym, **dict.fromkeys((*PASSPORT, *OUTCOMES))} for patient in patients
    }
    newest = ClinicalValue.objects.filter(patient__study=study, patient__exclusion__isnull=True).order_by("pk")
    for value in newest.iterator():
        column = f"{value.name}_{value.timepoint}" if value.timepoint else value.name
        row = table[value.patient_id]
        if column in row:
            row[column] = value.number if value.number is not None else (value.value or None)
    for case in Case.objects.filter(patient__in=table):
        table[case.patient_id]["level"] = table[case.patient_id]["level"] or case.lysis_vertebra or None
    return list(table.values())


# --- verify --------------------------------------------------------------------------------------------------------


def verify(code: str) -> Iterator[str]:
    """Re-check everything that is kept of a study; one sentence a fault."""
    study = Study.objects.filter(code=code).first()
    if study is None:
        yield f"There is no study {code}."
        return
    yield from trail.faults(study)
    try:
        yield from _protocol_faults(study)
        yield from _revision_faults(study)
    except ProtocolChanged as gone:
        yield gone.sentence
    yield from _seal_faults(study)
    yield from _order_faults(study)
    yield from _image_faults(study)


def _protocol_faults(study: Study) -> Iterator[str]:
    if protocol_of(study).digest() != study.protocol_digest:
        yield f"Study {study.code}: the instrument's digest is not the one that was fixed; the study is read-only."


def _revision_faults(study: Study) -> Iterator[str]:
    instrument = protocol_of(study)
    previous: Revision | None = None
    found = Revision.objects.filter(assignment__study=study).select_related("assignment")
    locked = dict(Assignment.objects.filter(study=study).values_list("pk", "locked_revision"))
    for revision in found.order_by("assignment", "number").iterator():
        name = f"Study {study.code}: revision {revision.number} of reading {revision.assignment_id}"
        before = previous if previous and previous.assignment_id == revision.assignment_id else None
        if revision.number != (before.number + 1 if before else 1):
            yield f"{name} does not follow the one before it."
        if revision.previous_digest != (before.digest if before else "") or revision.digest != trail.revision_digest(
            revision
        ):
            yield f"{name} does not fit its seal."
        try:
            complete = locked[revision.assignment_id] == revision.pk
            check(instrument, revision.assignment.form, revision.answers, complete=complete)
        except Invalid as invalid:
            yield f"{name}: {invalid}"
        if before and locked[revision.assignment_id] == before.pk:
            yield f"{name} was added after the lock."
        previous = revision


def _seal_faults(study: Study) -> Iterator[str]:
    """Compare the readings with what the trail says was saved and locked: a whole chain could be written anew."""
    said: dict[str, list[str]] = {}
    locks: dict[str, str] = {}
    events = Event.objects.filter(study=study, verb__in=["save", "lock"]).order_by("number")
    for verb, subject, after in events.values_list("verb", "subject", "after").iterator():
        digest = str(after.get("digest", "")) if isinstance(after, dict) else ""
        if verb == "save":
            said.setdefault(subject, []).append(digest)
        else:
            locks[subject] = digest
    kept: dict[str, list[str]] = {}
    found = Revision.objects.filter(assignment__study=study).order_by("assignment", "number")
    for assignment, digest in found.values_list("assignment", "digest").iterator():
        kept.setdefault(str(assignment), []).append(digest)
    for subject in sorted({*said, *kept}):
        if said.get(subject) != kept.get(subject):
            yield f"Study {study.code}: the revisions of reading {subject} are not those the trail has."
    locked = Assignment.objects.filter(study=study, locked_revision__isnull=False)
    now = {str(pk): digest for pk, digest in locked.values_list("pk", "locked_revision__digest")}
    for subject in sorted({*locks, *now}):
        if locks.get(subject) != now.get(subject):
            yield f"Study {study.code}: reading {subject} is not locked as the trail says."


def _order_faults(study: Study) -> Iterator[str]:
    places: dict[tuple[int, str, str], list[int]] = {}
    for reading in Assignment.objects.filter(study=study).order_by("position").iterator():
        places.setdefault((reading.reader_id, reading.form, reading.round), []).append(reading.position)
    for (_, form, round_name), positions in places.items():
        if positions != list(range(1, len(positions) + 1)):
            yield f"Study {study.code}: a reader's order of form {form}, round {round_name}, has gaps."
    drawn = Event.objects.filter(study=study, verb="draw order").order_by("number")
    for subject, block in drawn.values_list("subject", "after"):
        places_of = Assignment.objects.filter(
            study=study, reader__username=subject, form=block["form"], position__range=(block["from"], block["to"])
        ).order_by("position")
        if trail.order_digest(places_of.values_list("case", flat=True)) != block.get("digest"):
            yield f"Study {study.code}: an order of form {block['form']} is not the one that was drawn."


def _image_faults(study: Study) -> Iterator[str]:
    left_behind: set[str] = set()
    for instance in Instance.objects.filter(series__case__patient__study=study).select_related("series").iterator():
        digests = [frame["digest"] for frame in instance.frames]
        if trail.image_digest(instance.header, digests) != instance.digest:
            yield f"Study {study.code}: the header of image {instance.pk} does not fit its digest."
        if instance.taken_digest not in ("", instance.digest) and not instance.series.masks:
            yield f"Study {study.code}: image {instance.pk} is not the one that was taken in, and no mask says why."
        if instance.series.excluded_reason:
            left_behind |= {digest for digest in digests if store.holds(digest)}
        else:
            yield from _frame_faults(study, instance.pk, digests)
    if left := len(unused(left_behind)):
        yield f"Study {study.code}: {left} frames of excluded series are still in the store."


def _frame_faults(study: Study, image: int, digests: list[str]) -> Iterator[str]:
    for number, digest in enumerate(digests, start=1):
        name = f"Study {study.code}: frame {number} of image {image}"
        try:
            data = store.get(digest)
        except store.MissingBytes:
            yield f"{name} is missing from the store."
            continue
        if hashlib.sha256(data).hexdigest() != digest:
            yield f"{name} does not fit its digest."
