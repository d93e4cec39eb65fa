"""The time log of a reading: what its page tells of being opened, seen and worked on. Nothing of it is given back."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils import timezone

from annotation.access import NotYours, study_for, writable_protocol
from annotation.models import Assignment, Moment, Role, State
from annotation.pace import KINDS
from annotation.people import Person
from annotation.room.hall import synthetic

LONGEST_AGO = timedelta(days=60)
"""Moments that waited longer for a network are kept at that age."""


class BadMoment(ValueError):
    """A moment of a kind that is not known."""

    sentence = "This is no moment of a reading."


class Happened(NamedTuple):
    """One thing a page tells: its number there, what it was, on which cell, and how long before it was sent."""

    number: int
    kind: str
    cell: str
    ago_ms: int


def note_times(person: Person, reading_id: uuid.UUID, *, visit: uuid.UUID, happened: Iterable[Happened]) -> None:
    """Keep moments of an own reading, also of one that has been submitted since: the last ones arrive after it.

    Told by their age, so that no clock but the server's counts. What was kept before is not kept again.

    Raises
    ------
    NotYours
        Another's reading, or one that was never handed out.
    BadMoment
        A kind that no page tells; nothing is kept.
    """
    assignment = _own(person, reading_id)
    _keep(person, assignment, visit, happened, since=assignment.opened_at)


def note_simulated_times(
    person: Person, reading_id: uuid.UUID, *, visit: uuid.UUID, happened: Iterable[Happened]
) -> None:
    """Keep the invented times of a program's reading, which are older than the reading itself.

    For synthetic studies alone, and called by programs: no page and no address leads here.

    Raises
    ------
    NotYours
        As in `note_times`, and where the study is not a synthetic one.
    BadMoment
        As in `note_times`.
    """
    assignment = _own(person, reading_id)
    if not synthetic(assignment.study):
        raise NotYours
    _keep(person, assignment, visit, happened, since=None)


def _own(person: Person, reading_id: uuid.UUID) -> Assignment:
    found = Assignment.objects.select_related("study").filter(pk=reading_id, reader=person, opened_at__isnull=False)
    assignment = found.first()
    if assignment is None:
        raise NotYours
    return assignment


def _keep(
    person: Person, assignment: Assignment, visit: uuid.UUID, happened: Iterable[Happened], *, since: datetime | None
) -> None:
    protocol = writable_protocol(study_for(person, assignment.study.code, Role.READER), State.READING)
    cells = {cell.key for cell in protocol.cells(assignment.form)}
    now = timezone.now()
    told = list(happened)
    if any(one.kind not in KINDS for one in told):
        raise BadMoment
    rows = [
        Moment(
            assignment=assignment,
            visit=visit,
            number=one.number,
            kind=one.kind,
            cell=one.cell if one.cell in cells else "",
            at=_at(now, one.ago_ms, since),
            received_at=now,
        )
        for one in told
    ]
    Moment.objects.bulk_create(rows, ignore_conflicts=True)


def _at(now: datetime, ago_ms: int, since: datetime | None) -> datetime:
    at = now - min(timedelta(milliseconds=max(0, ago_ms)), LONGEST_AGO)
    return max(at, since) if since else at
