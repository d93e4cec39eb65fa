"""Bytes of several files in one stream. Whole small files are counted together: a statement each would cost more."""

from __future__ import annotations

import io
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, cast

from django.db.models import F
from django.utils import timezone

from annotation.access import NotYours
from annotation.intake import spool
from annotation.intake.deliveries import NotReceiving, WrongOffset, append, find
from annotation.intake.spool import TooLarge
from annotation.models import Arrival, ArrivalState, Delivery, DeliveryState


@dataclass(frozen=True)
class Part:
    """What came of one file's bytes; without a code they are here."""

    number: int
    received: int
    code: str = ""
    detail: str = ""


class Slice(io.RawIOBase):
    """The next so many bytes of a stream, for one of the files that share it."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self.stream = stream
        self.left = size

    def read(self, most: int = -1) -> bytes:
        piece = self.stream.read(self.left if most < 0 else min(most, self.left)) if self.left else b""
        self.left -= len(piece)
        return piece

    def skip(self) -> None:
        while self.left and self.read(1 << 20):
            pass


def append_parts(delivery: uuid.UUID, parts: Sequence[tuple[int, int, int]], data: BinaryIO) -> list[Part]:
    """Receive (number, offset, size) one behind the other; what cannot be gone on with says so in its own part."""
    if find(delivery).state != DeliveryState.RECEIVING:
        raise NotReceiving("This delivery takes no more files; begin another one.")
    numbers = [number for number, _, _ in parts]
    rows = {row.number: row for row in Arrival.objects.filter(delivery_id=delivery, number__in=numbers)}
    if set(numbers) - set(rows):
        raise NotYours
    spool.check_room(sum(size for _, _, size in parts))
    whole: set[int] = set()
    out = []
    try:
        for number, offset, size in parts:
            piece = Slice(data, size)
            row = rows[number]
            fresh = row.received == 0 and row.state == ArrivalState.AWAITED and number not in whole
            if fresh and offset == 0 and size == row.size:
                out.append(_whole(delivery, row, piece, whole))
            else:
                out.append(_piece(delivery, number, offset, piece))
            piece.skip()
    finally:  # also when the line breaks off in the middle: what was whole by then is here
        lost = _count(delivery, whole)
    return [lost.get(part.number, part) for part in out]


def _whole(delivery: uuid.UUID, row: Arrival, piece: Slice, whole: set[int]) -> Part:
    there = spool.append(delivery, row.number, offset=0, data=cast(BinaryIO, piece), most=row.size)
    if there == row.size:
        whole.add(row.number)
        return Part(row.number, there)
    # Cut off: counted like any other piece, so that the next try goes on behind it.
    waiting = Arrival.objects.filter(pk=row.pk, received=0, state=ArrivalState.AWAITED)
    waiting.filter(delivery__state=DeliveryState.RECEIVING).update(received=there)
    return Part(row.number, there)


def _piece(delivery: uuid.UUID, number: int, offset: int, piece: Slice) -> Part:
    try:
        return Part(number, append(delivery, number, offset=offset, data=cast(BinaryIO, piece)))
    except WrongOffset as fault:
        return Part(number, fault.received, "wrong_offset", fault.sentence)
    except TooLarge as fault:
        return Part(number, offset, "too_large", fault.sentence)


def _count(delivery: uuid.UUID, whole: set[int]) -> dict[int, Part]:
    """Count whole files by one compare and set; gives the parts that another request had counted meanwhile."""
    if not whole:
        return {}
    mine = Arrival.objects.filter(delivery_id=delivery, number__in=whole)
    waiting = mine.filter(received=0, state=ArrivalState.AWAITED, delivery__state=DeliveryState.RECEIVING)
    won = waiting.update(received=F("size"), state=ArrivalState.HERE)
    Delivery.objects.filter(pk=delivery).update(touched_at=timezone.now())
    if won == len(whole):
        return {}
    now = mine.values_list("number", "received", "size")
    return {n: Part(n, there, "wrong_offset", WrongOffset(there).sentence) for n, there, size in now if there != size}
