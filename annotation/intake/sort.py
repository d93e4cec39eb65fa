"""What was received, sorted: archives opened, other files refused by what they are, images grouped by their study.

Only structure is looked at here, by code of our own that follows no length it has not checked. No parser and no decoder
of foreign bytes runs in this process.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from threading import Lock
from typing import IO

from django.db import transaction
from django.utils import timezone

from annotation.dicom import Limits, Refused, prescan
from annotation.intake import spool
from annotation.intake.deliveries import keyed, rewrite
from annotation.intake.sniff import ARCHIVE, DICOM, DIRECTORY, EMPTY, HEAD, sniff
from annotation.models import Arrival, ArrivalState, Delivery, Instance, Study

LIMITS = Limits()
AT_ONCE = 200
LOOKED_AT_AT_ONCE, LARGE = 2, 32 * 1024**2
MOST_MEMBERS = 500_000
LARGEST_ARCHIVE_TOTAL = 64 * 1024**3
INFLATION, INFLATION_FLOOR = 200, 1024**3
"""An archive may hold so many times its own size, and a small one this much; images do not shrink like that."""

INFLATED_FLOOR = 64 * 1024**2

Step = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Sorted:
    """What one file is: waiting for its study's job, or refused."""

    state: ArrivalState
    mark: str = ""
    group: str = ""
    code: str = ""
    sentence: str = ""


def _refused(code: str, sentence: str) -> Sorted:
    return Sorted(ArrivalState.REFUSED, code=code, sentence=sentence)


def sort(delivery: Delivery, step: Step) -> None:
    """Sort all that lies in the spool and is not sorted yet; safe to break off and to begin again."""
    while waiting := list(delivery.arrivals.filter(state=ArrivalState.HERE).order_by("number")[:AT_ONCE]):
        found = [(arrival, *what) for arrival, what in zip(waiting, _look_at(delivery, waiting), strict=True)]
        _write(delivery.study, [(arrival, what) for arrival, what, archive in found if not archive])
        for arrival, _what, archive in found:
            if archive:
                _open_archive(delivery, arrival, step)
        Delivery.objects.filter(pk=delivery.pk).update(touched_at=timezone.now())
        counted = delivery.arrivals.exclude(state=ArrivalState.OPENED)
        total = counted.count()
        step(total - counted.filter(state=ArrivalState.HERE).count(), total, "Looking at what came.")


def _look_at(delivery: Delivery, waiting: Sequence[Arrival]) -> Iterator[tuple[Sorted, bool]]:
    """Look at files side by side: reading and hashing them are most of it. Large ones are in memory one at a time."""
    turn = Lock()

    def one(arrival: Arrival) -> tuple[Sorted, bool]:
        with turn if arrival.size > LARGE else nullcontext():
            return look(delivery, arrival)

    with ThreadPoolExecutor(LOOKED_AT_AT_ONCE) as hands:
        yield from hands.map(one, waiting)


def look(delivery: Delivery, arrival: Arrival) -> tuple[Sorted, bool]:
    """Say what a file is, and whether it is an archive to be opened."""
    path = spool.path(delivery.pk, arrival.number)
    try:
        with path.open("rb") as file:
            code, sentence = sniff(file.read(HEAD))
            if code == ARCHIVE:
                return _refused("", ""), True
            if code != DICOM:
                return _not_taken(code, sentence), False
            if (size := path.stat().st_size) > LIMITS.file_bytes:
                return _refused("too_large", "The file is larger than one image file may be."), False
            file.seek(0)
            # A size is said, since reading to the end holds the file twice.
            return inspect(delivery.study, file.read(size)), False
    except FileNotFoundError:
        return _refused(*(EMPTY if not arrival.size else ("lost", "The file is no longer in the spool."))), False


def _not_taken(code: str, sentence: str) -> Sorted:
    if code == DIRECTORY:  # it lists what lies beside it; the images come in by themselves
        return Sorted(ArrivalState.OPENED, code=DIRECTORY)
    return _refused(code, sentence)


def inspect(study: Study, data: bytes) -> Sorted:
    """Check the structure of an image file, and give the marks by which it and its study are known."""
    # This process may serve others as well: a small file may not ask it for a gigabyte. Images deflate to a third.
    inflated = min(LIMITS.inflated_bytes, max(INFLATED_FLOOR, INFLATION * len(data)))
    try:
        scan = prescan(data, replace(LIMITS, inflated_bytes=inflated))
    except Refused as refusal:
        return _refused(refusal.code, refusal.sentence)
    mark = keyed("file", study.code.encode() + hashlib.sha256(data).digest())
    return Sorted(ArrivalState.SORTED, mark=mark, group=keyed("study", scan.study_uid)[:40])


def known_marks(study: Study, marks: set[str]) -> set[str]:
    """Give the marks of files that are in the study already."""
    mine = Instance.objects.filter(series__case__patient__study=study, source_mark__in=marks - {""})
    return set(mine.values_list("source_mark", flat=True))


def _write(study: Study, found: list[tuple[Arrival, Sorted]]) -> None:
    known = known_marks(study, {what.mark for _, what in found})
    for arrival, what in found:
        duplicate = what.mark in known
        arrival.state = ArrivalState.DUPLICATE if duplicate else what.state
        arrival.mark, arrival.group = what.mark, what.group
        arrival.reason_code, arrival.reason = what.code, what.sentence
    rewrite([arrival for arrival, _ in found], "state", "mark", "group", "reason_code", "reason")
    for arrival, _ in found:  # the row first: killed in between, a file is forgotten later, but not taken for lost
        if arrival.state != ArrivalState.SORTED:
            spool.forget(arrival.delivery_id, arrival.number)


Member = tuple[int, tuple[str, str] | None]
"""Size of a member that lies in the spool, or why it does not."""


# --- archives ------------------------------------------------------------------------------------------------------


def _open_archive(delivery: Delivery, arrival: Arrival, step: Step) -> None:
    """Give each member a number of its own, in blocks, so that nobody waits long for the database.

    Until the last is there they count as announced, under the archive's name; broken off before, it begins anew.
    """
    name = f"archive {arrival.number}"
    own = delivery.arrivals.filter(group=name)
    own.delete()
    total = delivery.arrivals.exclude(state=ArrivalState.OPENED).count()
    last = delivery.arrivals.order_by("-number").values_list("number", flat=True)[0]
    found = enumerate(members(delivery, arrival, last + 1), start=last + 1)
    while block := list(islice(found, AT_ONCE)):
        Arrival.objects.bulk_create([_announced(delivery, name, number, member) for number, member in block])
        Delivery.objects.filter(pk=delivery.pk).update(touched_at=timezone.now())
        step(0, total, "Opening an archive.")
    with transaction.atomic():
        own.exclude(reason_code="").update(state=ArrivalState.REFUSED)
        own.filter(reason_code="").update(state=ArrivalState.HERE)
        own.update(group="")
        arrival.state = ArrivalState.OPENED
        arrival.save(update_fields=["state"])
    spool.forget(delivery.pk, arrival.number)


def _announced(delivery: Delivery, name: str, number: int, member: Member) -> Arrival:
    size, refusal = member
    code, sentence = refusal or ("", "")
    return Arrival(
        delivery=delivery, number=number, size=size, received=size, group=name, reason_code=code, reason=sentence
    )


_DAMAGED = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError)
_TAKEN_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What a person's computer packs with. Other methods inflate without a bound in the library that reads archives."""
LONGEST_DIRECTORY = 32 * 1024**2
"""The list of an archive's members is read into memory at once; half a million members need no more."""
TAIL = 66_000
_ENDS = ((b"PK\x05\x06", 12, "<L"), (b"PK\x06\x06", 40, "<Q"))
UNSAID = 0xFFFFFFFF
"""Where an archive's end lies, and where in it stands how long the list is; a large archive says it in the second."""


def members(delivery: Delivery, arrival: Arrival, number: int) -> Iterator[Member]:
    """Stream an archive's members into the spool under numbers; no member's name is used, no archive in it opened."""
    path = spool.path(delivery.pk, arrival.number)
    try:
        if _directory_bytes(path) > LONGEST_DIRECTORY:
            yield 0, ("zip_budget", "The archive holds more than this intake takes at once; split it.")
            return
        archive = zipfile.ZipFile(path)
    except (*_DAMAGED, OSError, struct.error):
        yield 0, ("bad_zip", "The zip archive is damaged.")
        return
    budget = min(LARGEST_ARCHIVE_TOTAL, max(INFLATION_FLOOR, INFLATION * path.stat().st_size))
    with archive:
        for count, member in enumerate(one for one in archive.infolist() if not one.is_dir()):
            if count >= MOST_MEMBERS or budget <= 0:
                yield 0, ("zip_budget", "The archive holds more than this intake takes at once; split it.")
                return
            spool.check_room(min(member.file_size, LIMITS.file_bytes))
            size, refusal = _member(archive, member, delivery, number + count, min(budget, LIMITS.file_bytes))
            budget -= size
            yield size, refusal


def _directory_bytes(path: Path) -> int:
    """Give how long an archive says that its list of members is: the largest of what may be read as its end."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL))
        tail = file.read()
    said = [0]
    for mark, place, form in _ENDS:
        for at in (found.start() for found in re.finditer(re.escape(mark), tail)):
            if at + place + 8 <= len(tail):
                said.append(struct.unpack_from(form, tail, at + place)[0])
    return max(size for size in said if size != UNSAID)


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, delivery: Delivery, number: int, most: int) -> Member:
    if member.flag_bits & 1:
        return 0, ("encrypted", "A file in the zip archive is encrypted; unpack it first.")
    if (member.external_attr >> 16) & 0o170000 == 0o120000:
        return 0, ("link", "An entry of the zip archive is a link to another place; links are not followed.")
    if member.compress_type not in _TAKEN_METHODS:
        return 0, ("zip_method", "A file in the zip archive is packed in an unusual way; pack it again as plain ZIP.")
    try:
        with archive.open(member) as file:
            return _stream(file, delivery, number, most)
    except spool.Unwritable:
        raise
    except (*_DAMAGED, OSError):  # a false offset leads before the beginning of the file
        spool.forget(delivery.pk, number)
        # What was inflated before the damage showed has cost something: no more than its head says it holds.
        return min(member.file_size, most), ("bad_zip_member", "A file in the zip archive is damaged.")


def _stream(file: IO[bytes], delivery: Delivery, number: int, most: int) -> Member:
    """Inflate a member no further than its head when that says it is no image."""
    head = file.read(HEAD)
    code, sentence = sniff(head)
    if code == ARCHIVE:
        return len(head), ("nested_zip", "A zip archive inside a zip archive is not opened; unpack it first.")
    if code not in (DICOM, DIRECTORY):
        return len(head), (code, sentence)
    size = spool.keep(delivery.pk, number, chain([head], iter(lambda: file.read(spool.STEP), b"")), most=most)
    if size > most:
        return size, ("too_large", "A file in the zip archive is larger than this intake takes.")
    return size, None
