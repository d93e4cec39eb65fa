"""The reading order: drawn once from the study's seed, stored, and never moved.

Restricted randomisation: within one form no case has the same place with two readers, as long as a draw without
such a coincidence can be had. So two readers who compare numbers never speak of the same case.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.db import transaction
from django.db.models import Max

from annotation import trail
from annotation.access import protocol_of, study_for, writable_protocol
from annotation.models import Assignment, Case, Membership, Role, State, Study
from annotation.people import Person
from annotation.trail import order_digest

log = logging.getLogger(__name__)
MOST_DRAWS = 500


def admit(person: Person, code: str) -> int:
    """Give every released case that has no place yet a place in every reader's order; says how many cases.

    Fewer cases than readers wait for company: in so short a block some case would have one place with two readers.
    """
    study = study_for(person, code, Role.COORDINATOR)
    with transaction.atomic():
        held = Study.objects.select_for_update().get(pk=study.pk)
        if held.state != State.READING:
            return 0
        writable_protocol(held, State.READING)
        return assign(held, person)


def assign(study: Study, person: Person) -> int:
    """Append the newly released cases as one block per reader and form, in the caller's transaction."""
    Study.objects.select_for_update().get(pk=study.pk)
    readers = [
        seat.user
        for seat in Membership.objects.select_related("user")
        .filter(study=study, role=Role.READER)
        .order_by("user__username")
    ]
    cases = _placeable(study, len(readers))
    width = max(3, len(str(len(cases))))
    placed = 0
    for form in protocol_of(study).forms:
        for reader in readers:
            mine = Assignment.objects.filter(study=study, reader=reader, form=form.code, round="main")
            known = set(mine.values_list("case_id", flat=True))
            new = [case for case in cases if case.pk not in known]
            start = mine.aggregate(last=Max("position"))["last"] or 0
            drawn = draw(
                [case.pk for case in new],
                seed=study.seed,
                stream=(reader.username, form.code, "main", start),
                avoid=_taken(study, reader, form.code, start, len(new)),
            )
            Assignment.objects.bulk_create(
                Assignment(
                    study=study,
                    reader=reader,
                    case_id=case,
                    form=form.code,
                    position=start + place,
                    alias=f"Case {start + place:0{width}d}",
                )
                for place, case in enumerate(drawn, start=1)
            )
            placed = max(placed, len(new))
            if new:
                after = {
                    "form": form.code,
                    "from": start + 1,
                    "to": start + len(new),
                    "digest": order_digest(drawn),
                }
                trail.record(study, person, "draw order", subject=reader.username, after=after)
    return placed


def _placeable(study: Study, readers: int) -> list[Case]:
    released = Case.objects.filter(
        patient__study=study, released_at__isnull=False, patient__exclusion__isnull=True
    ).order_by("patient__pseudonym")
    placed = set(Assignment.objects.filter(study=study).values_list("case", flat=True))
    waiting = sum(case.pk not in placed for case in released)
    return [case for case in released if not placed or waiting >= readers or case.pk in placed]


def _taken(study: Study, reader: Person, form: str, start: int, number: int) -> list[list[int]]:
    """Give what the other readers have at the places that are to be filled, one list a reader."""
    places = range(start + 1, start + number + 1)
    found = Assignment.objects.filter(study=study, form=form, round="main", position__in=places).exclude(reader=reader)
    by_reader: dict[int, dict[int, int]] = {}
    for other, position, case in found.values_list("reader", "position", "case"):
        by_reader.setdefault(other, {})[position] = case
    return [[theirs.get(place, -1) for place in places] for theirs in by_reader.values()]


@dataclass(frozen=True)
class Place:
    """One line of the order ledger."""

    reader: str
    form: str
    round: str
    position: int
    alias: str
    case: str


def ledger(person: Person, code: str) -> list[Place]:
    """Give the stored order of every reader, for the audit."""
    study = study_for(person, code, Role.COORDINATOR)
    found = Assignment.objects.filter(study=study).select_related("reader", "case__patient")
    return [
        Place(one.reader.username, one.form, one.round, one.position, one.alias, one.case.patient.pseudonym)
        for one in found.order_by("reader__username", "form", "round", "position")
    ]


def draw(cases: Sequence[int], *, seed: int, stream: Sequence[object], avoid: Sequence[Sequence[int]]) -> list[int]:
    """Draw an order of `cases` that shares no place with the orders in `avoid`, or as few as could be had.

    The stream of random numbers depends on the seed and the names in `stream` alone, so that a stored order can be
    drawn again and compared.
    """
    text = ":".join([str(seed), *map(str, stream)])
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big"))
    best: list[int] = []
    fewest = len(cases) * len(avoid) + 1
    for _ in range(MOST_DRAWS):
        order = [cases[i] for i in rng.permutation(len(cases))]
        shared = sum(a == b for other in avoid for a, b in zip(order, other, strict=False))
        if shared < fewest:
            best, fewest = order, shared
        if fewest == 0:
            break
    return best
