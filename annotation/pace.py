"""How long a reading really took, from its time log; and the log's vocabulary. For coordinators and analysis only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count

from annotation.models import Assignment, Moment, Revision, Study

KINDS = (
    "opened",
    "first_image",
    "first_input",
    "answer",
    "idle",
    "back",
    "hidden",
    "visible",
    "submit",
    "left",
)
"""What a page tells of itself. `idle` bears the time at which a minute without input was over."""

SEEN, GONE = ("opened", "visible"), ("hidden", "submit", "left")
AWAKE = ("opened", "first_input", "answer", "back")

Stretch = tuple[datetime, datetime]


class Told(NamedTuple):
    """One moment, without its reading."""

    visit: UUID
    number: int
    kind: str
    at: datetime


@dataclass(frozen=True)
class Pace:
    """Active seconds of one reading, and in how many sittings it was answered; None where no page told anything."""

    reading: UUID
    active_s: float | None
    sittings: int


def active(moments: Iterable[Told]) -> float | None:
    """Give the seconds in which a reading was seen and worked on; the same second in two windows counts once.

    Parameters
    ----------
    moments : iterable of Told
        All of one reading, in any order.

    Returns
    -------
    float or None
        None where there is nothing to go by.
    """
    visits = groupby(sorted(moments), key=lambda one: one.visit)
    stretches = sorted(stretch for _, told in visits for stretch in _stretches(told))
    if not stretches:
        return None
    total, reached = timedelta(), stretches[0][0]
    for begin, end in stretches:
        total += max(end - max(begin, reached), timedelta())
        reached = max(reached, end)
    return total.total_seconds()


def _stretches(told: Iterable[Told]) -> Iterator[Stretch]:
    """Walk one visit in its own order. What ends without a word ends with the last thing that was heard of it."""
    seen = awake = False
    since: datetime | None = None
    for one in told:
        at = one.at if since is None else max(one.at, since)
        if since is not None and seen and awake:
            yield since, at
        since = at
        seen = (seen or one.kind in SEEN) and one.kind not in GONE
        awake = (awake or one.kind in AWAKE) and one.kind != "idle"


def paces(study: Study) -> dict[UUID, Pace]:
    """Give the pace of every reading of a study that was opened."""
    told = Moment.objects.filter(assignment__study=study).order_by("assignment")
    rows = told.values_list("assignment", "visit", "number", "kind", "at").iterator()
    seconds = {
        reading: active(Told(*row[1:]) for row in found) for reading, found in groupby(rows, key=lambda row: row[0])
    }
    sittings = dict(
        Revision.objects.filter(assignment__study=study)
        .values("assignment")
        .annotate(sittings=Count("sitting", distinct=True))
        .values_list("assignment", "sittings")
    )
    opened = Assignment.objects.filter(study=study, opened_at__isnull=False).values_list("pk", flat=True)
    return {pk: Pace(pk, seconds.get(pk), sittings.get(pk, 0)) for pk in opened}
