"""The life of a delivery: announced, received into the spool, sealed, and how far it is. Every way in speaks to this.

Nothing here looks into a file. A sealed delivery is sorted and taken in by `work`.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from annotation import jobs
from annotation.access import NotYours, WrongState
from annotation.identity import key
from annotation.intake import spool
from annotation.intake.gate import still_open
from annotation.intake.spool import TooLarge
from annotation.models import Arrival, ArrivalState, Delivery, DeliveryState, Study, Way
from annotation.people import Person

MOST_FILES = 500_000
UNDER_WAY = (DeliveryState.RECEIVING, DeliveryState.SORTING, DeliveryState.TAKING)


class NotReceiving(WrongState):
    """The delivery takes no more files: it is sealed, done or cancelled."""


class WrongOffset(ValueError):
    """Bytes came for another place than where the file ends; `received` says where to go on."""

    def __init__(self, received: int) -> None:
        self.received = received
        self.sentence = f"{received} bytes of this file are here; go on behind them."
        super().__init__(self.sentence)


@dataclass(frozen=True)
class Announced:
    """The number under which a file is received, and how much of it is here."""

    number: int
    received: int
    state: str


def keyed(purpose: str, text: bytes) -> str:
    """Hash with the key, so that nobody without it can try names or contents out."""
    return hmac.new(key(), f"{purpose}\0".encode() + text, hashlib.sha256).hexdigest()


def begin(study: Study, *, way: Way, by: Person | None = None) -> uuid.UUID:
    """Open a delivery. Raises WrongState when the study takes no images in any more."""
    with transaction.atomic():
        still_open(study, images=True)
        return Delivery.objects.create(study=study, way=way, started_by=by).pk


def study_of(delivery: uuid.UUID) -> Study:
    return find(delivery).study


def find(delivery: uuid.UUID) -> Delivery:
    found = Delivery.objects.select_related("study", "started_by").filter(pk=delivery).first()
    if found is None:
        raise NotYours
    return found


def _receiving(delivery: uuid.UUID) -> Delivery:
    """Hold the delivery's row for this transaction; only one that is still receiving."""
    found = Delivery.objects.select_for_update().filter(pk=delivery).first()
    if found is None:
        raise NotYours
    if found.state != DeliveryState.RECEIVING:
        raise NotReceiving("This delivery takes no more files; begin another one.")
    return found


def _touch(found: Delivery) -> None:
    found.touched_at = timezone.now()
    found.save(update_fields=["touched_at"])


def _next_number(found: Delivery) -> int:
    return (Arrival.objects.filter(delivery=found).aggregate(most=Max("number"))["most"] or 0) + 1


def announce(delivery: uuid.UUID, files: Sequence[tuple[int, str]]) -> list[Announced]:
    """Say which files will come, as (size, fingerprint); one that was announced before keeps number and bytes."""
    for size, _ in files:
        if not 0 <= size <= spool.LARGEST_FILE:
            raise TooLarge("A file is larger than this intake takes.")
    spool.check_room(sum(size for size, _ in files))
    prints = [keyed("fingerprint", text.encode("utf-8", "surrogatepass")) for _, text in files]
    with transaction.atomic():
        found = _receiving(delivery)
        number = _next_number(found)
        known = {a.fingerprint: a for a in Arrival.objects.filter(delivery=found, fingerprint__in=prints)}
        if number + len(files) > MOST_FILES:
            raise TooLarge(f"One delivery holds at most {MOST_FILES} files; bring the others in a second one.")
        made = []
        for (size, _), fingerprint in zip(files, prints, strict=True):
            if fingerprint in known:
                continue
            state = ArrivalState.AWAITED if size else ArrivalState.HERE
            known[fingerprint] = Arrival(delivery=found, number=number, fingerprint=fingerprint, size=size, state=state)
            made.append(known[fingerprint])
            number += 1
        Arrival.objects.bulk_create(made, batch_size=500)
        _touch(found)
    return [Announced(known[one].number, known[one].received, known[one].state) for one in prints]


def append(delivery: uuid.UUID, number: int, *, offset: int, data: BinaryIO) -> int:
    """Receive bytes of one announced file; gives how many of it are here now."""
    arrival = Arrival.objects.filter(delivery_id=delivery, number=number).select_related("delivery").first()
    if arrival is None:
        raise NotYours
    if arrival.delivery.state != DeliveryState.RECEIVING:
        raise NotReceiving("This delivery takes no more files; begin another one.")
    if offset != arrival.received:
        raise WrongOffset(arrival.received)
    spool.check_room(arrival.size - offset)
    there = spool.append(delivery, number, offset=offset, data=data, most=arrival.size)
    state = ArrivalState.HERE if there == arrival.size else ArrivalState.AWAITED
    # Compare and set: of two tries at the same bytes one counts them.
    won = Arrival.objects.filter(
        pk=arrival.pk, received=offset, state=ArrivalState.AWAITED, delivery__state=DeliveryState.RECEIVING
    ).update(received=there, state=state)
    if not won:
        arrival.refresh_from_db()
        raise WrongOffset(arrival.received)
    Delivery.objects.filter(pk=delivery).update(touched_at=timezone.now())
    return there


@contextmanager
def receive(delivery: uuid.UUID) -> Iterator[tuple[int, BinaryIO]]:
    """Give a number and an open file for one object from the net; whole when the block ends, gone when it raises."""
    with transaction.atomic():
        found = _receiving(delivery)
        arrival = Arrival.objects.create(delivery=found, number=_next_number(found))
        _touch(found)
    spool.make(delivery)
    target = spool.path(delivery, arrival.number)
    try:
        with target.open("wb") as file:
            yield arrival.number, file
            size = file.tell()
    except BaseException:
        spool.forget(delivery, arrival.number)
        Arrival.objects.filter(pk=arrival.pk).delete()
        raise
    Arrival.objects.filter(pk=arrival.pk).update(size=size, received=size, state=ArrivalState.HERE)


def place(delivery: uuid.UUID, path: Path, *, move: bool) -> int:
    """Bring one local file in; gives its number. Raises OSError, and has no row, when that fails."""
    with transaction.atomic():
        found = _receiving(delivery)
        row = Arrival.objects.create(delivery=found, number=_next_number(found))
        _touch(found)
    try:
        size = spool.place(delivery, row.number, path, move=move)
    except OSError:
        spool.forget(delivery, row.number)
        row.delete()
        raise
    Arrival.objects.filter(pk=row.pk).update(size=size, received=size, state=ArrivalState.HERE)
    return row.number


def place_all(delivery: uuid.UUID, paths: Sequence[Path], *, move: bool) -> list[int]:
    """Bring local files in. Their rows are written first: a file in the spool without a row would be nobody's.

    A file that cannot be read is refused; one that should move and cannot stays where it is, with 0 for its number.
    """
    with transaction.atomic():
        found = _receiving(delivery)
        first = _next_number(found)
        rows = [Arrival(delivery=found, number=first + n) for n in range(len(paths))]
        Arrival.objects.bulk_create(rows, batch_size=500)
        _touch(found)
    here, lost = [], []
    for row, path in zip(rows, paths, strict=True):
        try:
            row.size = row.received = spool.place(delivery, row.number, path, move=move)
            row.state = ArrivalState.HERE
            here.append(row)
        except OSError:
            row.state, row.reason_code = ArrivalState.REFUSED, "unreadable"
            row.reason = "The file could not be read from the disk."
            lost.append(row)
    if move:
        for row in lost:
            spool.forget(delivery, row.number)
        Arrival.objects.filter(pk__in=[row.pk for row in lost]).delete()
        rewrite(here, "size", "received", "state")
        return [row.number if row.state == ArrivalState.HERE else 0 for row in rows]
    rewrite([*here, *lost], "size", "received", "state", "reason_code", "reason")
    return [row.number for row in rows]


def rewrite(rows: Sequence[Arrival], *fields: str) -> None:
    """Write fields of many rows that are there: an upsert costs a tenth of the long CASE of `bulk_update`."""
    Arrival.objects.bulk_create(
        rows, batch_size=250, update_conflicts=True, unique_fields=["id"], update_fields=list(fields)
    )


def take_back(delivery: uuid.UUID, number: int) -> None:
    """Undo one `place`: the file was not taken after all."""
    Arrival.objects.filter(delivery_id=delivery, number=number).delete()
    spool.forget(delivery, number)


def drop_empty(delivery: uuid.UUID) -> None:
    """Let go of a delivery that was begun and got nothing."""
    if Delivery.objects.filter(pk=delivery, state=DeliveryState.RECEIVING, arrivals=None).delete()[0]:
        spool.drop(delivery)


def recover_placed(delivery: uuid.UUID) -> int:
    """After a crash in `place_all`: what lies in the spool is here, what does not was never taken; gives the first."""
    waiting = list(Arrival.objects.filter(delivery_id=delivery, state=ArrivalState.AWAITED, fingerprint=""))
    here = [row for row in waiting if spool.path(delivery, row.number).is_file()]
    for row in here:
        row.size = row.received = spool.path(delivery, row.number).stat().st_size
        row.state = ArrivalState.HERE
    rewrite(here, "size", "received", "state")
    Arrival.objects.filter(pk__in=[row.pk for row in waiting if row not in here]).delete()
    return len(here)


def seal(delivery: uuid.UUID) -> None:
    """Say that nothing more comes: the workers begin. A second time it does nothing.

    Raises WrongState while announced files are not all here.
    """
    with transaction.atomic():
        # Of the joined tables nothing is held: PostgreSQL refuses that for an account that may be missing.
        found = (
            Delivery.objects.select_for_update(of=("self",))
            .select_related("study", "started_by")
            .filter(pk=delivery)
            .first()
        )
        if found is None:
            raise NotYours
        if found.state != DeliveryState.RECEIVING:
            return
        awaited = found.arrivals.filter(state=ArrivalState.AWAITED).count()
        if awaited:
            raise WrongState(f"{awaited} announced files are not all here; send them, or cancel the delivery.")
        still_open(found.study, images=True)
        mark_sealed(found)
        start_sorting(found)


def mark_sealed(found: Delivery) -> None:
    found.state, found.sealed_at = DeliveryState.SORTING, timezone.now()
    found.save(update_fields=["state", "sealed_at"])


def start_sorting(found: Delivery) -> None:
    title = f"Import: {Way(found.way).label.lower()}"
    jobs.start_once("import", title=title, study=found.study, subject=found.pk.hex, by=found.started_by)


def cancel(delivery: uuid.UUID) -> None:
    """Stop it. What is in stays in; what waits is thrown away."""
    changed = Delivery.objects.filter(pk=delivery, state__in=UNDER_WAY).update(
        state=DeliveryState.CANCELLED, finished_at=timezone.now()
    )
    if not changed:
        return
    for card in jobs.of_subject(delivery.hex):
        jobs.ask_to_cancel(card.id)
    spool.drop(delivery)


def forget_incomplete(delivery: uuid.UUID) -> None:
    """Drop files that were begun and never finished, as when a sender breaks off; the others are kept."""
    half = Arrival.objects.filter(delivery_id=delivery, state=ArrivalState.AWAITED)
    for number in half.values_list("number", flat=True):
        spool.forget(delivery, number)
    half.delete()
