"""The spool: bytes as they came, each under a number, until they are taken in. No name of a sender's file is used."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import FileIO, RawIOBase
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

log = logging.getLogger(__name__)

LARGEST_FILE = 64 * 1024**3
"""An upload may be a zip archive of a whole cohort; what a single image may be is the business of `sort`."""
LEFT_FREE = 2 * 1024**3
"""The database shares the disk: nothing is received that would leave less."""
STEP = 1024 * 1024
FOLDER_MODE, FILE_MODE = 0o700, 0o600
MARK = "worked-on"
PASSING = ("staging", "reading", "landing")
"""Folders beside the deliveries where files lie for moments; what is left in them a killed process has left."""
PASSED_S = 3600.0
FULL = (errno.ENOSPC, errno.EDQUOT)


class Unwritable(OSError):
    """The spool cannot be written: a fault of the machine, not of the file."""

    sentence = "The server cannot write received files to its disk. Tell the operator."


class NoSpace(Unwritable):
    """The disk is nearly full."""

    sentence = "The server's disk is nearly full, so nothing is received. Tell the operator."


def told(fault: OSError) -> Unwritable:
    """Say a fault of the disk without its text, which names a path."""
    if isinstance(fault, Unwritable):
        return fault
    kind = NoSpace if fault.errno in FULL else Unwritable
    return kind(kind.sentence)


class TooLarge(ValueError):
    """A file is larger than announced, or than anything taken here."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def folder() -> Path:
    return Path(settings.DATA_DIR) / "spool"


def home(delivery: uuid.UUID) -> Path:
    return folder() / delivery.hex


def path(delivery: uuid.UUID, number: int) -> Path:
    return home(delivery) / f"{number:07d}"


def make(delivery: uuid.UUID) -> None:
    home(delivery).mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)


def check_room(size: int) -> None:
    make_sure = folder()
    try:
        make_sure.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        free = shutil.disk_usage(make_sure).free
    except OSError as fault:
        raise told(fault) from None
    if free - size < LEFT_FREE:
        raise NoSpace(NoSpace.sentence)


def append(delivery: uuid.UUID, number: int, *, offset: int, data: BinaryIO, most: int) -> int:
    """Write what `data` gives behind `offset`, at most up to `most`; gives how many bytes the file has now.

    Bytes behind `offset` from an earlier try are written over, never cut off: a late first try may still be writing
    the same bytes, and only what the database has counted stands.
    """
    try:
        make(delivery)
        handle = os.open(path(delivery, number), os.O_CREAT | os.O_WRONLY, FILE_MODE)
    except OSError as fault:
        raise told(fault) from None
    with FileIO(handle, "wb") as file:
        file.seek(offset)
        there = offset
        while piece := data.read(STEP):
            there += len(piece)
            if there > most:
                raise TooLarge("More bytes came than were announced for this file.")
            _write(file, piece)
    return there


def _write(file: RawIOBase, piece: bytes) -> None:
    try:
        view = memoryview(piece)
        while view:
            view = view[file.write(view) or 0 :]
    except OSError as fault:
        raise told(fault) from fault


def keep(delivery: uuid.UUID, number: int, pieces: Iterable[bytes], *, most: int) -> int:
    """Write a file from its pieces; gives its size, or the first size above `most`, and then nothing is kept.

    What goes wrong with the pieces is the caller's; what goes wrong with the disk is told as `Unwritable`.
    """
    size = 0
    try:
        out = path(delivery, number).open("wb", buffering=0)
    except OSError as fault:
        raise told(fault) from fault
    with out:
        for piece in pieces:
            size += len(piece)
            if size > most:
                break
            _write(out, piece)
    if size > most:
        forget(delivery, number)
    return size


def place(delivery: uuid.UUID, number: int, source: Path, *, move: bool) -> int:
    """Bring a local file in: renamed where it may be taken away, else linked, else copied; gives its size."""
    make(delivery)
    target = path(delivery, number)
    target.unlink(missing_ok=True)
    if move:
        _moved(source, target)
    else:
        try:
            os.link(source, target, follow_symlinks=False)
        except OSError:  # another file system, or a file that is not ours to link
            shutil.copyfile(source, target, follow_symlinks=False)
    return target.stat().st_size


def _moved(source: Path, target: Path) -> None:
    try:
        source.rename(target)
    except OSError:  # another file system, or another's file: whole under its name, or not there
        part = target.with_suffix(".part")
        try:
            shutil.copyfile(source, part, follow_symlinks=False)
            part.replace(target)
            source.unlink()
        except OSError:
            # What stays where it was is not taken: it would be taken again and again.
            part.unlink(missing_ok=True)
            target.unlink(missing_ok=True)
            raise


@contextmanager
def worked_on(delivery: uuid.UUID) -> Iterator[None]:
    """Hold the mark of a process that works on a delivery by itself; the kernel lets go of it however that ends."""
    make(delivery)
    handle = os.open(home(delivery) / MARK, os.O_CREAT | os.O_RDWR, FILE_MODE)
    try:
        with contextlib.suppress(OSError):  # a file system without locks: its age says when it was left
            fcntl.flock(handle, fcntl.LOCK_EX)  # `is_left` may hold it for a moment
        yield
    finally:
        os.close(handle)


def is_left(delivery: uuid.UUID) -> bool | None:
    """Whether the process that worked on a delivery by itself is gone; ``None`` if nothing here can say so."""
    try:
        handle = os.open(home(delivery) / MARK, os.O_RDWR)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    finally:
        os.close(handle)
    return True


def unmark(delivery: uuid.UUID) -> None:
    (home(delivery) / MARK).unlink(missing_ok=True)


def drop(delivery: uuid.UUID) -> None:
    shutil.rmtree(home(delivery), ignore_errors=True)


def forget(delivery: uuid.UUID, number: int) -> None:
    path(delivery, number).unlink(missing_ok=True)


def sweep(*, older_than_s: float = PASSED_S) -> int:
    """Drop what killed processes have left in the folders for passing files; gives how many."""
    before, gone = time.time() - older_than_s, 0
    for name in PASSING:
        try:
            left = list(os.scandir(folder() / name))
        except OSError:
            continue
        for one in left:
            try:
                if one.stat(follow_symlinks=False).st_mtime >= before:
                    continue
                if one.is_dir(follow_symlinks=False):
                    shutil.rmtree(one.path, ignore_errors=True)
                else:
                    os.unlink(one.path)
                gone += 1
            except OSError:
                continue
    return gone


def homes(*, older_than_s: float) -> Iterator[uuid.UUID]:
    """Give the deliveries whose folder nobody has touched for so long."""
    if not folder().is_dir():
        return
    for one in folder().iterdir():
        try:
            delivery = uuid.UUID(hex=one.name)
            old = time.time() - one.stat().st_mtime > older_than_s
        except (ValueError, OSError):
            continue
        if old and one.is_dir():
            yield delivery
