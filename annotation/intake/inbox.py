"""The watched inbox folder: below it one folder a study code, and whatever is put there is taken in.

Looked at by the timer of every worker, one at a time. A file is taken when it has settled: size and time of change
stayed the same for a while and nobody has it open for writing. It is moved, so what lies in the inbox is what is not
taken yet. Its row is written before the move: after a kill the spool and the inbox tell together what happened. No
name from the inbox is stored or logged, for folders there are named after patients.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import signal
import stat
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from annotation.access import WrongState
from annotation.intake import deliveries, spool
from annotation.models import Delivery, DeliveryState, Study, Way

log = logging.getLogger(__name__)

MOST_SEEN, MOST_TAKEN = 20_000, 400
"""A look is short: the worker's timer has other work. What is not reached now is reached by the next."""
LOOK_S = 4.0
EMPTY_S = 3600.0
LEFT_ALONE_S = 300.0
UNFINISHED = (".part", ".partial", ".filepart", ".crdownload", ".download", ".tmp", ".temp", ".swp", "~")
COMPANIONS = {"thumbs.db", "desktop.ini"}


@dataclass
class _Memory:
    """What earlier looks of this process have seen."""

    seen: dict[str, tuple[int, int, float]] = field(default_factory=dict)
    left_alone: dict[str, float] = field(default_factory=dict)
    said: set[str] = field(default_factory=set)

    def has_settled(self, path: str, found: os.stat_result) -> bool:
        """Say whether a file has stayed as it is for the settle time, as far as this process has seen."""
        size, changed, since = self.seen.get(path, (-1, -1, 0.0))
        if (size, changed) != (found.st_size, found.st_mtime_ns):
            since = time.monotonic()
        self.seen[path] = (found.st_size, found.st_mtime_ns, since)
        return time.monotonic() - since >= settings.INBOX_SETTLE_S

    def say_once(self, about: str, sentence: str) -> None:
        if about not in self.said:
            self.said.add(about)
            log.warning(sentence)


memory = _Memory()


def folder() -> Path | None:
    """Give the inbox, or nothing where it is switched off or was not made."""
    found = Path(settings.INBOX) if settings.INBOX else None
    return found if found is not None and found.is_dir() else None


@contextmanager
def _alone() -> Iterator[bool]:
    """Hold the lock of all workers that share the spool; the kernel lets go of it when its holder dies."""
    spool.folder().mkdir(mode=spool.FOLDER_MODE, parents=True, exist_ok=True)
    with (spool.folder() / "inbox.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True


def look() -> int:
    """Take what has settled; seal a delivery once its folder is quiet. Gives how many files were taken."""
    home = folder()
    if home is None:
        return 0
    until = time.monotonic() + LOOK_S
    with _alone() as mine:
        if not mine:
            return 0
        taken = 0
        for one in sorted(os.scandir(home), key=lambda entry: entry.name):
            if one.name.startswith("."):
                continue
            if not one.is_dir(follow_symlinks=False):
                memory.say_once("/", "a file lies in the inbox itself; put it into the folder of a study")
                continue
            study = Study.objects.filter(code=one.name).first()
            if study is None:
                memory.say_once(one.path, "a folder in the inbox has no study's code as its name; it is left alone")
                continue
            taken += _look_into(Path(one.path), study, until)
        return taken


def _look_into(home: Path, study: Study, until: float) -> int:
    open_one = Delivery.objects.filter(study=study, way=Way.INBOX, state=DeliveryState.RECEIVING).first()
    if open_one is not None:
        deliveries.recover_placed(open_one.pk)  # what a killed worker had begun; under the lock nobody else does
    settled: list[Path] = []
    waiting = 0
    for number, (path, found) in enumerate(_files(home)):
        if number >= MOST_SEEN or len(settled) >= MOST_TAKEN or time.monotonic() > until:
            waiting += 1
            break
        if memory.has_settled(str(path), found) and not _is_being_written(path):
            settled.append(path)
        else:
            waiting += 1
    if settled:
        return _take(study, open_one, settled)
    if open_one is not None and not waiting:
        _seal_when_quiet(open_one)
    _drop_empty(home)
    return 0


def _files(home: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Walk without following links; give regular files that are finished and that may be read and moved."""
    now = time.monotonic()
    for here, folders, names in os.walk(home, followlinks=False):
        folders.sort()
        movable = os.access(here, os.W_OK | os.X_OK)
        for name in sorted(names):
            path = Path(here, name)
            if _is_unfinished(name) or memory.left_alone.get(str(path), 0.0) > now:
                continue
            try:
                found = path.lstat()
            except OSError:
                continue
            if not stat.S_ISREG(found.st_mode):
                continue
            if not movable or not os.access(path, os.R_OK):
                memory.say_once(
                    "rights", "files in the inbox cannot be read or moved; see to the rights of its folders"
                )
                continue
            yield path, found


def _is_unfinished(name: str) -> bool:
    return name.startswith((".", "~")) or name.lower().endswith(UNFINISHED) or name.lower() in COMPANIONS


def _is_being_written(path: Path) -> bool:
    """Ask the kernel whether somebody has the file open for writing; where it cannot tell, the settle time decides."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return True
    try:
        # Should somebody open it this very moment, the kernel tells; its usual way of telling would end the worker.
        fcntl.fcntl(handle, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except (OSError, AttributeError):  # another's file, another kernel, a network file system
        return False
    finally:
        os.close(handle)
    return False


def _take(study: Study, open_one: Delivery | None, paths: list[Path]) -> int:
    try:
        delivery = open_one.pk if open_one is not None else deliveries.begin(study, way=Way.INBOX)
        spool.check_room(0)
        staged = [_staged(path) for path in paths]
        numbers = deliveries.place_all(delivery, staged, move=True)
    except (WrongState, spool.NoSpace) as fault:
        memory.say_once(f"{study.code} {type(fault).__name__}", f"the inbox of study {study.code} waits: {fault}")
        return 0
    taken = 0
    for path, source, number in zip(paths, staged, numbers, strict=True):
        taken += _after(path, source, spool.path(delivery, number))
    log.info("inbox of study %s: %d files taken", study.code, taken)
    return taken


def _staged(path: Path) -> Path:
    """Give what can be renamed into the spool: the file itself, or its copy where another file system holds it."""
    if path.lstat().st_dev == spool.folder().stat().st_dev:
        return path
    staging = spool.folder() / "staging"
    staging.mkdir(mode=spool.FOLDER_MODE, exist_ok=True)
    copy = staging / uuid.uuid4().hex
    shutil.copyfile(path, copy, follow_symlinks=False)
    return copy


def _after(path: Path, source: Path, target: Path) -> int:
    """See to what a move left: a copied original goes, a file that could not be moved is left alone for a while."""
    memory.seen.pop(str(path), None)
    if target.is_symlink() or not target.is_file():  # changed between the look and the move: nothing is followed
        target.unlink(missing_ok=True)
        memory.left_alone[str(path)] = time.monotonic() + LEFT_ALONE_S
        return 0
    target.chmod(spool.FILE_MODE)
    if source != path:
        path.unlink(missing_ok=True)
    return 1


def _seal_when_quiet(open_one: Delivery) -> None:
    open_one.refresh_from_db()
    if timezone.now() - open_one.touched_at > timedelta(seconds=2 * settings.INBOX_SETTLE_S):
        close(open_one.pk)


def _drop_empty(home: Path) -> None:
    """Remove folders that have been empty for an hour: their names are of patients. The study's own stays."""
    before = time.time() - EMPTY_S
    for here, _, _ in os.walk(home, topdown=False, followlinks=False):
        if here == str(home):
            continue
        try:
            if os.stat(here).st_mtime < before:
                os.rmdir(here)
        except OSError:
            continue  # not empty, or not ours


def close(delivery: uuid.UUID) -> None:
    """Seal a delivery with what is whole in it; a study that takes nothing in any more ends it."""
    deliveries.recover_placed(delivery)
    deliveries.forget_incomplete(delivery)
    try:
        deliveries.seal(delivery)
    except WrongState as closed:
        log.warning("a delivery is not taken in: %s", closed.sentence)
        deliveries.cancel(delivery)


def close_left_behind(*, after_s: float = LEFT_ALONE_S) -> int:
    """Seal what a receiver that was killed, or an inbox that is gone, left open; gives how many."""
    before = timezone.now() - timedelta(seconds=after_s)
    left = Delivery.objects.filter(
        way__in=(Way.RECEIVER, Way.INBOX), state=DeliveryState.RECEIVING, touched_at__lt=before
    ).values_list("pk", flat=True)
    for delivery in list(left):
        close(delivery)
    return len(left)


def tend() -> None:
    """What a worker's timer does for the ways in."""
    close_left_behind()
    look()
