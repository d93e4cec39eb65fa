"""Open and save the own current case.

What leaves this module is a frozen value that has no field for a name, a date of the patient, an outcome or another
reader. UIDs and addresses are derived per assignment, so that two readers comparing notes cannot match cases.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, cast

from django.db import IntegrityError, transaction
from django.db.models import Count, F, QuerySet
from django.utils import timezone

from annotation import addresses, trail
from annotation.access import NotYours, readable, study_for, writable_protocol
from annotation.models import Assignment, Revision, Role, Series, State, Study
from annotation.people import Person
from annotation.protocol import Facts, Invalid, Protocol, canonical, check, remarks
from annotation.room.ahead import Ahead, mark_of
from annotation.room.comfort import display_due
from annotation.room.evidence import Evidence, for_viewer, measured_in, placed
from annotation.room.hall import synthetic
from annotation.room.sides import barred, refused
from annotation.room.sitting import sitting_of
from annotation.room.stacks import Images, Rules, Stack, images_of, stacks_of


class Stale(ValueError):
    """Another tab or machine has saved this reading since; both versions are kept."""

    sentence = "This reading was saved elsewhere in the meantime."

    def __init__(self, newest: Saved) -> None:
        super().__init__(self.sentence)
        self.newest = newest


@dataclass(frozen=True)
class Saved:
    """The newest state of the own answers to the own current case."""

    revision: int
    saved_at: str | None
    answers: Mapping[str, Any]
    evidence: Mapping[str, Any]
    measured: Mapping[str, Any]
    remarks: tuple[Mapping[str, Any], ...]
    kept: tuple[str, ...]


@dataclass(frozen=True)
class BlindedReading:
    id: uuid.UUID
    label: str
    position: int
    of: int
    form: str
    index_level: str
    index_segment: str
    synthetic: bool
    saved: Saved
    stacks: tuple[Stack, ...]
    barred: Mapping[str, str]
    sheet: Mapping[str, Any] | None
    as_ahead: bool = False
    """The stacks are those that were fetched ahead, and left out here."""

    def document(self) -> dict[str, Any]:
        flat = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "saved"}
        flat |= asdict(self.saved) | {"id": str(self.id), "stacks": [stack.document() for stack in self.stacks]}
        return {key: value for key, value in flat.items() if value or key not in ("sheet", "as_ahead")}


@dataclass(frozen=True)
class Step:
    """The next thing to read in one form, and how far the reader is."""

    reading: BlindedReading | None
    done: int
    of: int
    display_due: bool = False


# --- what is open to whom ------------------------------------------------------------------------------------------


def _readings(study: Study, reader: Person, form: str) -> QuerySet[Assignment]:
    return Assignment.objects.filter(study=study, reader=reader, form=form)


def _queue(study: Study, reader: Person, form: str) -> QuerySet[Assignment]:
    """Own open readings in the stored order; what was set aside comes back at the end."""
    return (
        _readings(study, reader, form)
        .filter(locked_revision__isnull=True)
        .select_related("case", "study")
        .order_by(F("set_aside_at").asc(nulls_first=True), "position")
    )


def opened(person: Person, reading_id: uuid.UUID) -> tuple[Study, Assignment]:
    """Give the reading when it is the person's own, has been handed out and is not locked; else it does not exist.

    Which reading is handed out next can change under an open page (a new case goes before one that was set aside).
    The answers given on that page are answers all the same, so what has been opened can be saved until its lock.
    """
    found = (
        Assignment.objects.select_related("case", "study")
        .filter(pk=reading_id, reader=person, opened_at__isnull=False, locked_revision__isnull=True)
        .first()
    )
    if found is None:
        raise NotYours
    return study_for(person, found.study.code, Role.READER), found


# --- the case on the screen ----------------------------------------------------------------------------------------


def next_reading(person: Person, code: str, form: str, *, session: str, ahead: str = "") -> Step:
    """Give the own current reading; without its stacks where `ahead` is the mark they were fetched ahead under."""
    study = study_for(person, code, Role.READER)
    protocol = writable_protocol(study, State.READING)
    if form not in {known.code for known in protocol.forms}:
        raise NotYours
    counted = _readings(study, person, form).aggregate(of=Count("pk"), done=Count("locked_revision"))
    of, done = counted["of"], counted["done"]
    assignment = _queue(study, person, form).first()
    if assignment is None:
        return Step(None, done, of)
    if assignment.opened_at is None:
        _queue(study, person, form).filter(pk=assignment.pk).update(opened_at=timezone.now())
    addresses.reopen(assignment.pk)
    reading = _open(study, protocol, assignment, of=of, session=session, ahead=ahead)
    return Step(reading, done, of, display_due(study, person))


def upcoming(person: Person, code: str, form: str, *, session: str) -> Ahead | None:
    """Give the images, and only the images, of the own next but one reading, for prefetching."""
    study = study_for(person, code, Role.READER)
    protocol = writable_protocol(study, State.READING)
    following = _queue(study, person, form)[1:2].first()
    if following is None or form not in {known.code for known in protocol.forms}:
        return None
    addresses.reopen(following.pk)  # what was set aside was closed; its turn is near
    series, rules = _series(protocol, following), _rules(protocol, following)
    # The mark first: an image that is masked in between is under no mark that fits it, and is sent again.
    mark = mark_of(following.pk, series, rules, session=session)
    stacks = _stacks(following, series, images_of(series), rules, session)
    return Ahead(stacks, mark) if stacks else None


def _open(
    study: Study, protocol: Protocol, assignment: Assignment, *, of: int, session: str, ahead: str
) -> BlindedReading:
    level = _shown_level(assignment)
    segment = protocol.segment_names(level).get("index", "") if level else ""
    series, rules = _series(protocol, assignment), _rules(protocol, assignment)
    known = bool(ahead) and ahead == mark_of(assignment.pk, series, rules, session=session)
    images = None if known else images_of(series)
    return BlindedReading(
        id=assignment.pk,
        label=assignment.alias,
        position=assignment.position,
        of=of,
        form=assignment.form,
        index_level=level,
        index_segment=segment,
        synthetic=synthetic(study),
        saved=saved_of(protocol, assignment, newest_of(assignment)),
        stacks=() if images is None else _stacks(assignment, series, images, rules, session),
        barred=barred(series, protocol, assignment.form, images),
        sheet=_own_sheet(protocol, assignment.form, level),
        as_ahead=known,
    )


def _own_sheet(protocol: Protocol, form: str, level: str) -> dict[str, Any] | None:
    """Give the sheet with this case's segments by their names, where it differs from the form's."""
    if not level or all(cell.site.segment == "index" for cell in protocol.cells(form)):
        return None
    return protocol.sheet(form, index_level=level)


def _shown_level(assignment: Assignment) -> str:
    return assignment.case.lysis_vertebra if assignment.study.settings.get("index_level_shown", True) else ""


def _series(protocol: Protocol, assignment: Assignment) -> list[Series]:
    roles = protocol.form(assignment.form).roles
    shown = Series.objects.filter(readable(), case_id=assignment.case_id, role__in=roles)
    return sorted(shown, key=lambda series: (roles.index(series.role), series.pk))


def _rules(protocol: Protocol, assignment: Assignment) -> Rules:
    level = _shown_level(assignment)
    below = sum(name.startswith("below") for name in protocol.segment_names(level)) if level else None
    return Rules(below, assignment.case.labels, assignment.study.settings.get("orientation") == "standard")


def _stacks(
    assignment: Assignment, series: Sequence[Series], images: Images, rules: Rules, session: str
) -> tuple[Stack, ...]:
    def address(digest: str) -> str:
        return f"/frames/{addresses.seal(assignment.pk, digest, session=session)}/frames/1"

    return stacks_of(series, images, assignment=assignment.pk, address=address, rules=rules)


def newest_of(assignment: Assignment) -> Revision | None:
    return Revision.objects.filter(assignment=assignment).order_by("-number").first()


def saved_of(protocol: Protocol, assignment: Assignment, revision: Revision | None) -> Saved:
    if revision is None:
        return Saved(0, None, {}, {}, {}, (), ())
    percent_shown = protocol.reveals_percent(assignment.form, revision.answers)
    # The length of the endplate is hidden with the percentage: a reader could divide.
    measured = {
        cell: {
            "value_mm": made.value_mm,
            "endplate_mm": made.base_mm if percent_shown else None,
            "slip_pct": 100 * made.value_mm / made.base_mm if percent_shown else None,
        }
        for cell, made in measured_in(revision.evidence).items()
    }
    return Saved(
        revision.number,
        revision.saved_at.isoformat(),
        revision.answers,
        for_viewer(revision.evidence, assignment.pk),
        measured,
        tuple({key: value for key, value in remark.items() if key != "query"} for remark in revision.remarks),
        tuple(revision.kept),
    )


# --- what the reader does ------------------------------------------------------------------------------------------


def save(
    person: Person,
    reading_id: uuid.UUID,
    *,
    base: int,
    answers: object,
    evidence: object,
    kept: object = (),
) -> Saved:
    """Add a revision on top of revision `base`.

    Raises
    ------
    NotYours
        Another's reading, one that is locked, or one that was never handed out.
    Stale
        `base` is not the newest revision and the content differs from it.
    annotation.protocol.Invalid
        A cell holds what its scale does not know; nothing is saved.
    """
    study, assignment = opened(person, reading_id)
    protocol = writable_protocol(study, State.READING)
    check(protocol, assignment.form, answers, complete=False)
    document = canonical(protocol, assignment.form, cast(Mapping[str, object], answers))
    series = _series(protocol, assignment)
    if faults := refused(barred(series, protocol, assignment.form), document):
        raise Invalid(faults)
    points = placed(series, assignment.pk, protocol, assignment.form, document, evidence)
    newest = newest_of(assignment)
    if newest is not None and _same(newest, document, points, kept):
        return saved_of(protocol, assignment, newest)
    if base != (newest.number if newest else 0):
        raise Stale(saved_of(protocol, assignment, newest))
    said = _remarks(protocol, assignment, series, document, points)
    codes = {remark["code"] for remark in said}
    kept_codes = sorted(codes & {str(code) for code in kept}) if isinstance(kept, (list, tuple)) else []
    try:
        revision = _append(study, person, assignment, newest, document, points, said, kept_codes)
    except IntegrityError:  # the unique number decides between two tabs; the lock's trigger speaks here too
        opened(person, reading_id)
        raise Stale(saved_of(protocol, assignment, newest_of(assignment))) from None
    return saved_of(protocol, assignment, revision)


def _same(newest: Revision, answers: dict[str, Any], evidence: Evidence, kept: object) -> bool:
    asked = {str(code) for code in kept} if isinstance(kept, (list, tuple)) else set()
    known = {remark["code"] for remark in newest.remarks}
    return newest.answers == answers and newest.evidence == evidence and set(newest.kept) == asked & known


def _remarks(
    protocol: Protocol, assignment: Assignment, series: Sequence[Series], answers: dict[str, Any], evidence: Evidence
) -> list[Any]:
    roles = frozenset(one.role for one in series)
    level = _shown_level(assignment) or None  # a study that hides it does not let a remark tell it
    facts = Facts(measured=measured_in(evidence), roles_present=roles or None, lysis_vertebra=level)
    return [asdict(remark) for remark in remarks(protocol, assignment.form, answers, facts)]


def _append(
    study: Study,
    person: Person,
    assignment: Assignment,
    newest: Revision | None,
    answers: dict[str, Any],
    evidence: Evidence,
    said: list[Any],
    kept: list[str],
) -> Revision:
    now = timezone.now()
    with transaction.atomic():
        revision = Revision(
            assignment=assignment,
            number=newest.number + 1 if newest else 1,
            answers=answers,
            evidence=evidence,
            remarks=said,
            kept=kept,
            sitting=sitting_of(study, person, assignment.form),
            saved_at=now,
            previous_digest=newest.digest if newest else "",
        )
        revision.digest = trail.revision_digest(revision)
        revision.save()
        trail.record(study, person, "save", subject=str(assignment.pk), after={"digest": revision.digest})
    return revision
