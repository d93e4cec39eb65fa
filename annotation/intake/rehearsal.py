"""What would come of a batch: every check, no row and no image. Files lie in the spool while it runs, and go again."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

from annotation.dicom import Refused
from annotation.intake import sort, sources, spool, work
from annotation.intake.log import Log, Problem, Progress
from annotation.intake.sandbox import Outcome, pool
from annotation.intake.shelve import Item, Verdict, rehearse
from annotation.models import Arrival, ArrivalState, Delivery, Study

S = ArrivalState


def rehearse_all(study: Study, paths: list[Path], out: Log, step: Progress) -> None:
    """Fill `out` with what taking these paths in would come to."""
    unsaved = Delivery(pk=uuid.uuid4(), study=study)
    try:
        looked = list(_looked(unsaved, paths))
        out.received = sum(arrival.state != S.OPENED for arrival in looked)
        waiting = sorted((one for one in looked if one.state == S.SORTED), key=lambda one: (one.group, one.number))
        verdicts = {one.number: Verdict(S(one.state), one.reason_code, one.reason) for one in looked}
        seen: tuple[set[str], set[str]] = set(), set()
        for number, group in enumerate(_groups(waiting)):
            verdicts |= _take(unsaved, group, seen)
            step(number, len(waiting), "Looking at what would come in.")
        out.studies, out.series = map(len, seen)
        _tell(verdicts, out)
    finally:
        spool.drop(unsaved.pk)


def _looked(unsaved: Delivery, paths: list[Path]) -> Iterator[Arrival]:
    number = 0
    for path in sources.files(paths):
        number += 1
        arrival = Arrival(delivery=unsaved, number=number)
        arrival.size = spool.place(unsaved.pk, number, path, move=False)
        yield from (looked := list(_one(unsaved, arrival)))
        number = looked[-1].number


def _one(unsaved: Delivery, arrival: Arrival) -> Iterator[Arrival]:
    what, archive = sort.look(unsaved, arrival)
    if not archive:
        arrival.state, arrival.mark, arrival.group = what.state, what.mark, what.group
        arrival.reason_code, arrival.reason = what.code, what.sentence
        if what.mark and sort.known_marks(unsaved.study, {what.mark}):
            arrival.state = S.DUPLICATE
        yield arrival
        return
    arrival.state = S.OPENED
    yield arrival
    for number, (size, refusal) in enumerate(sort.members(unsaved, arrival, arrival.number + 1), arrival.number + 1):
        member = Arrival(delivery=unsaved, number=number, size=size)
        if refusal:
            member.state, (member.reason_code, member.reason) = S.REFUSED, refusal
            yield member
        else:
            yield from _one(unsaved, member)


def _groups(waiting: list[Arrival]) -> Iterator[list[Arrival]]:
    group: list[Arrival] = []
    for arrival in waiting:
        if group and arrival.group != group[0].group:
            yield group
            group = []
        group.append(arrival)
    if group:
        yield group


def _take(unsaved: Delivery, group: list[Arrival], seen: tuple[set[str], set[str]]) -> dict[int, Verdict]:
    verdicts, items = {}, []
    files = ((arrival, spool.path(unsaved.pk, arrival.number)) for arrival in group)
    for arrival, outcome in pool(os.cpu_count() or 1).take(files, work.rules_of(unsaved.study)):
        what = _light(arrival, outcome)
        if isinstance(what, Item):
            seen[0].add(what.taken.facts.study_uid)
            seen[1].add(what.taken.facts.series_uid)
            items.append(what)
        else:
            verdicts[arrival.number] = what
    for person, own in work.by_person(unsaved.study, items).items():
        verdicts |= rehearse(unsaved.study, person, own).verdicts
    return verdicts


def _light(arrival: Arrival, outcome: Outcome) -> Item | Verdict:
    if isinstance(outcome, Exception):
        state = S.REFUSED if isinstance(outcome, Refused) else S.QUARANTINED
        return Verdict(state, outcome.code, outcome.sentence)
    digests = tuple(hashlib.sha256(frame).hexdigest() for frame in outcome.frames)
    return work.item_of(arrival.number, outcome, digests, arrival.mark)


def _tell(verdicts: dict[int, Verdict], out: Log) -> None:
    for number, verdict in sorted(verdicts.items()):
        if verdict.state in (S.REFUSED, S.QUARANTINED):
            there = out.refused if verdict.state == S.REFUSED else out.quarantined
            there.append(Problem(f"file {number:06d}", verdict.code, verdict.sentence))
    out.imported = sum(verdict.state == S.IMPORTED for verdict in verdicts.values())
    out.duplicates = sum(verdict.state == S.DUPLICATE for verdict in verdicts.values())
