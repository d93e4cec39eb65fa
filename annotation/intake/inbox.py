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
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from annotation.access import WrongState
from annotation.intake import deliveries, spool
from annotation.models import Delivery, DeliveryState, Study, Way

log = logging.getLogger(__name__)

MOST_SEEN, MOST_TAKEN, MOST_KEPT = 20_000, 400, 200_000
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

    def keep(self, home: Path, there: set[str]) -> None:
        """After a walk to the end: forget what is no longer in this folder, for others have taken it."""
        below = f"{home}{os.sep}"
        for path in [one for one in self.seen if one.startswith(below) and one not in there]:
            del self.seen[path]
        now = time.monotonic()
        for path in [one for one, until in self.left_alone.items() if until <= now]:
            del self.left_alone[path]
        if len(self.seen) > MOST_KEPT:  # folders that are gone, or never walked to their end
            self.seen.clear()

    def leave_alone(self, path: Path) -> None:
        self.seen.pop(str(path), None)
        self.left_alone[str(path)] = time.monotonic() + LEFT_ALONE_S

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
    there: set[str] = set()
    waiting = 0
    for number, (path, found) in enumerate(_files(home)):
        there.add(str(path))
        if number >= MOST_SEEN or len(settled) >= MOST_TAKEN or time.monotonic() > until:
            waiting += 1
            break
        if memory.has_settled(str(path), found) and not _is_being_written(path):
            settled.append(path)
        else:
            waiting += 1
    else:
        memory.keep(home, there)
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
        movable, sticky = os.access(here, os.W_OK | os.X_OK), _is_sticky(here)
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
            is_anothers = sticky and found.st_uid != os.geteuid()
            if not movable or is_anothers or not os.access(path, os.R_OK):
                memory.say_once(
                    "rights", "files in the inbox cannot be read or moved; see to the rights of its folders"
                )
                continue
            yield path, found


def _is_sticky(here: str) -> bool:
    """Say whether nobody but a file's owner may move it out of this folder."""
    try:
        found = os.stat(here)
    except OSError:
        return True
    return bool(found.st_mode & stat.S_ISVTX) and os.geteuid() not in (0, found.st_uid)


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
    staged: list[tuple[Path, Path]] = []
    begun: uuid.UUID | None = None
    taken = 0
    try:
        spool.check_room(0)
        delivery = open_one.pk if open_one is not None else deliveries.begin(study, way=Way.INBOX)
        begun = None if open_one is not None else delivery
        staged = _stage(paths)
        numbers = deliveries.place_all(delivery, [source for _, source in staged], move=True)
        for (path, source), number in zip(staged, numbers, strict=True):
            taken += _after(delivery, path, source, number)
    except (WrongState, spool.Unwritable) as fault:
        memory.say_once(f"{study.code} {type(fault).__name__}", f"the inbox of study {study.code} waits: {fault}")
    finally:
        for path, source in staged:
            if source != path:
                source.unlink(missing_ok=True)
    if taken:
        log.info("inbox of study %s: %d files taken", study.code, taken)
    elif begun:
        deliveries.drop_empty(begun)
    return taken


def _stage(paths: list[Path]) -> list[tuple[Path, Path]]:
    """Give what can be brought along; a file that has gone or cannot be read is left alone, its name unsaid."""
    staged: list[tuple[Path, Path]] = []
    for path in paths:
        try:
            staged.append((path, _staged(path)))
        except spool.Unwritable:
            if not staged:
                raise
            break  # what fitted is brought along; the next look says that there is no room
        except OSError as fault:
            _leave(path, fault)
    return staged


def _leave(path: Path, fault: OSError) -> None:
    memory.leave_alone(path)
    kind = type(fault).__name__
    memory.say_once(kind, f"a file in the inbox could not be taken ({kind}); it is left alone for a while")


def _staged(path: Path) -> Path:
    """Give what can be renamed into the spool: the file itself, or its copy where another file system holds it."""
    found = path.lstat()
    if found.st_dev == spool.folder().stat().st_dev:
        return path
    spool.check_room(found.st_size)
    return _copied(path)


def _copied(path: Path) -> Path:
    staging = spool.folder() / "staging"
    copy = staging / uuid.uuid4().hex
    try:
        staging.mkdir(mode=spool.FOLDER_MODE, exist_ok=True)
        shutil.copyfile(path, copy, follow_symlinks=False)
    except OSError as fault:
        copy.unlink(missing_ok=True)
        if fault.errno in spool.FULL:
            raise spool.told(fault) from None
        raise
    return copy


def _after(delivery: uuid.UUID, path: Path, source: Path, number: int) -> int:
    """See to what a move left: a copied original goes; what could not be moved or removed is left alone for a while."""
    target = spool.path(delivery, number)
    if not number:
        memory.leave_alone(path)
        return 0
    if target.is_symlink() or not target.is_file():  # changed between the look and the move: nothing is followed
        deliveries.take_back(delivery, number)
        memory.leave_alone(path)
        return 0
    with suppress(OSError):  # another's file: the folder is closed to others anyway
        target.chmod(spool.FILE_MODE)
    if source != path:
        try:
            path.unlink(missing_ok=True)
        except OSError as fault:  # it would be taken again and again
            deliveries.take_back(delivery, number)
            _leave(path, fault)
            return 0
    memory.seen.pop(str(path), None)
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
    with _alone() as mine:  # else another worker may be moving files into one of the inbox just now
        ways = (Way.RECEIVER, Way.INBOX) if mine else (Way.RECEIVER,)
        left = Delivery.objects.filter(way__in=ways, state=DeliveryState.RECEIVING, touched_at__lt=before)
        found = list(left.values_list("pk", flat=True))
        for delivery in found:
            close(delivery)
    return len(found)


def tend() -> None:
    """What a worker's timer does for the ways in. A fault's own text may name a path, so it is not handed on."""
    try:
        close_left_behind()
        look()
    except OSError as fault:
        log.error("the inbox could not be looked at (%s); the next look comes soon", type(fault).__name__)
