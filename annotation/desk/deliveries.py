"""What a coordinator does with deliveries: upload, watch, cancel, start again. Every call checks who asks for what."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from django.core.paginator import Paginator
from django.db.models import Count, Q, Sum

from annotation import intake, jobs
from annotation.access import NotYours, study_for
from annotation.desk.cohort import Page
from annotation.intake import DeliveryCard, ProblemGroup, inbox
from annotation.intake.parts import Part
from annotation.intake.parts import append_parts as receive_parts
from annotation.intake.peers import BadReceiver, terms
from annotation.models import Arrival, ArrivalState, Delivery, DeliveryState, Role, Series, Study, Way
from annotation.people import Person

MOST_AT_ONCE = 5000
"""Files in one announcement."""
MOST_PARTS = 400
SHOWN = 12


@dataclass(frozen=True)
class Upload:
    """An upload that is still being received: what a browser needs to go on with it."""

    id: uuid.UUID
    state: str
    files: int
    here: int
    bytes: int
    received: int


@dataclass(frozen=True)
class DeliveryRow:
    """A delivery as the page shows it, with why some files stayed out."""

    card: DeliveryCard
    problems: list[ProblemGroup]

    @property
    def is_unfinished_upload(self) -> bool:
        return self.card.state == DeliveryState.RECEIVING and self.card.way == Way.UPLOAD


@dataclass(frozen=True)
class DeliveryTable:
    """What is open or stopped, all of it, and a page of what has ended."""

    under_way: list[DeliveryRow]
    page: Page[DeliveryRow]

    @property
    def rows(self) -> list[DeliveryRow]:
        return [*self.under_way, *self.page.rows]


@dataclass(frozen=True)
class Ways:
    """The ways in that are open on this server besides the page itself."""

    inbox: str
    inbox_is_there: bool
    receiver: str
    receiver_port: int
    senders: tuple[str, ...]


def _mine(person: Person, code: str, delivery: uuid.UUID) -> Study:
    """Give the study when the delivery is one of it; a foreign delivery does not exist."""
    study = study_for(person, code, Role.COORDINATOR)
    if not Delivery.objects.filter(pk=delivery, study=study).exists():
        raise NotYours
    return study


# --- upload --------------------------------------------------------------------------------------------------------


def _upload(found: Delivery) -> Upload:
    counts = Arrival.objects.filter(delivery=found).aggregate(
        files=Count("pk"),
        here=Count("pk", filter=~Q(state=ArrivalState.AWAITED)),
        bytes=Sum("size", default=0),
        received=Sum("received", default=0),
    )
    return Upload(id=found.pk, state=found.state, **counts)


def open_upload(person: Person, code: str) -> Upload | None:
    """Give the person's own upload that is not finished; choosing the same folder again goes on with it."""
    study = study_for(person, code, Role.COORDINATOR)
    found = _open(study, person)
    return _upload(found) if found else None


def _open(study: Study, person: Person) -> Delivery | None:
    mine = Delivery.objects.filter(study=study, way=Way.UPLOAD, started_by=person, state=DeliveryState.RECEIVING)
    return mine.order_by("-created_at").first()


def begin_upload(person: Person, code: str) -> Upload:
    """Open an upload, or give the one that is open."""
    study = study_for(person, code, Role.COORDINATOR)
    found = _open(study, person)
    if found is None:
        found = Delivery.objects.get(pk=intake.begin(study, way=Way.UPLOAD, by=person))
    return _upload(found)


def upload_state(person: Person, code: str, delivery: uuid.UUID) -> Upload:
    study = _mine(person, code, delivery)
    return _upload(Delivery.objects.get(pk=delivery, study=study))


def announce(
    person: Person, code: str, delivery: uuid.UUID, files: Sequence[tuple[int, str]]
) -> list[intake.Announced]:
    _mine(person, code, delivery)
    return intake.announce(delivery, files)


def check_delivery(person: Person, code: str, delivery: uuid.UUID) -> None:
    """Raise NotYours unless the delivery is one of a study this person coordinates."""
    _mine(person, code, delivery)


def append(person: Person, code: str, delivery: uuid.UUID, number: int, *, offset: int, data: BinaryIO) -> int:
    _mine(person, code, delivery)
    return intake.append(delivery, number, offset=offset, data=data)


def append_parts(
    person: Person, code: str, delivery: uuid.UUID, parts: Sequence[tuple[int, int, int]], data: BinaryIO
) -> list[Part]:
    """Receive bytes of several files, given as (number, offset, size), one behind the other in one stream."""
    _mine(person, code, delivery)
    return receive_parts(delivery, parts, data)


def seal(person: Person, code: str, delivery: uuid.UUID, *, only_whole: bool = False) -> None:
    """Say that nothing more comes. With `only_whole`, files that are not all here are let go."""
    _mine(person, code, delivery)
    if only_whole:
        intake.forget_incomplete(delivery)
    intake.seal(delivery)


def cancel_delivery(person: Person, code: str, delivery: uuid.UUID) -> None:
    _mine(person, code, delivery)
    intake.cancel(delivery)


def resume_delivery(person: Person, code: str, delivery: uuid.UUID) -> None:
    """Start again what stopped at a fault."""
    _mine(person, code, delivery)
    intake.resume(delivery)


# --- watching ------------------------------------------------------------------------------------------------------


def delivery_card(person: Person, code: str, delivery: uuid.UUID) -> DeliveryCard:
    _mine(person, code, delivery)
    return intake.card(delivery)


def delivery_problems(person: Person, code: str, delivery: uuid.UUID) -> list[ProblemGroup]:
    _mine(person, code, delivery)
    return intake.problems(delivery)


def delivery_table(person: Person, code: str, *, page: int = 1) -> DeliveryTable:
    """Give every delivery that is open or stopped, and one page of the others, with what stayed out of each."""
    study = study_for(person, code, Role.COORDINATOR)
    found = Delivery.objects.select_related("started_by").filter(study=study).order_by("-created_at")
    under_way = found.filter(state__in=intake.UNDER_WAY)
    ended = Paginator(found.exclude(state__in=intake.UNDER_WAY), SHOWN)
    shown = ended.get_page(page)
    return DeliveryTable(
        _rows(list(under_way)), Page(tuple(_rows(list(shown.object_list))), shown.number, ended.num_pages, ended.count)
    )


def _rows(found: Sequence[Delivery]) -> list[DeliveryRow]:
    cards = intake.cards(found)
    return [DeliveryRow(one, intake.problems(one.id) if one.refused or one.quarantined else []) for one in cards]


def other_imports(person: Person, code: str) -> list[jobs.Card]:
    """Give what no delivery tells: synthetic cases on their way, clinical tables, imports of an earlier version."""
    study = study_for(person, code, Role.COORDINATOR)
    found = jobs.of(study, kinds=("phantom",), most=SHOWN)
    found += [one for one in jobs.of(study, kinds=("import",), most=SHOWN) if one.result.get("received") is not None]
    begun = list(Delivery.objects.filter(study=study, way=Way.COMMAND).values_list("created_at", flat=True))
    told = [one for one in found if not _told_by_a_delivery(one, begun)]
    return sorted(told, key=lambda one: one.created_at, reverse=True)


def _told_by_a_delivery(job: jobs.Card, begun: Sequence[datetime]) -> bool:
    if job.state != "done" or job.result.get("clinical", {}).get("errors"):
        return False
    return job.finished_at is not None and any(job.created_at <= at <= job.finished_at for at in begun)


def held_series(person: Person, code: str) -> int:
    """Count the series that wait for a look."""
    study = study_for(person, code, Role.COORDINATOR)
    held = Series.objects.filter(case__patient__study=study, excluded_reason="").exclude(held_reason="")
    return held.count()


def ways_in(person: Person, code: str) -> Ways:
    """Name what is open besides the page: the inbox by its own name, never by its path, and the receiver."""
    study = study_for(person, code, Role.COORDINATOR)
    home = inbox.folder()
    named = home.name if home else ""
    there = bool(home and (home / study.code).is_dir())
    try:
        found = terms()
    except BadReceiver:
        return Ways(named, there, "", 0, ())
    senders = tuple(peer.title for peer in found.peers.values() if peer.study == study.code)
    return Ways(named, there, found.title if found.peers else "", found.port if found.peers else 0, senders)
