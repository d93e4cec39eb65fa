"""A pool of limited processes that take files. Here a file that kills its reader costs one process and one sentence."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import io
import logging
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO, TypeVar, cast

from django.conf import settings

from annotation.dicom import Quarantined, Refused, Taken, TakeRules
from annotation.dicom.child import Ended, receive, send, unpacked
from annotation.dicom.pixels import SUSPICIONS
from annotation.identity import key

log = logging.getLogger(__name__)
T = TypeVar("T")
R = TypeVar("R")

START_S = 120.0
LEAST_S = 6
"""What every file may cost of a processor; large ones get more, by their size."""
BYTES_AT_ONCE, BYTES_A_SECOND = 8_000_000, 3_000_000
LEAST_PATIENCE_S = 9.0
PATIENCE = 3.0
"""How long is waited by the clock for what every file may cost, and how many times what its size adds: a busy machine
gives a process a third of a processor. A small file, hostile or not, has its answer within ten seconds."""
FILES_AHEAD, BYTES_AHEAD = 64, 64 * 1024**2
TRIES = 2
"""A process may be killed for another reason than its file, as when the machine is out of memory."""
MEMORY_KEPT = 16 * 1024**2
AT_ONCE = 256 * 1024
SWITCH_S = 0.0005
"""While one thread writes rows, the others that feed the children wait for each of their steps at most so long; the
interpreter's own five milliseconds would be most of the time that a child needs for a file."""
PIPE_BYTES = 1024 * 1024
"""An answer fits, so that a child goes on to the next file while this process is busy with the last one."""

_UID = re.compile(r"2\.25\.\d{1,39}|1\.2\.840\.10008(\.\d+)+")
Outcome = Taken | Refused | Quarantined
TOO_SLOW = Refused("too_slow", "Reading the file took longer than one file may.")
CRASHED = Refused("crashed", "The file made the program that reads it fail, so it is not taken.")
LOST = Refused("lost", "The file is no longer in the spool; send it again.")


class CannotStart(OSError):
    """No process can be started: a fault of the machine, which must not be laid at a file's door."""

    sentence = "The program that reads files does not start on this machine. Tell the operator, then resume."


def _in(process: subprocess.Popen[bytes]) -> BinaryIO:
    return cast(BinaryIO, process.stdin)


def _out(process: subprocess.Popen[bytes]) -> BinaryIO:
    return cast(BinaryIO, process.stdout)


def seconds_for(size: int) -> int:
    """What a file of so many bytes may cost of a processor."""
    return LEAST_S + _added(size)


def patience_for(size: int) -> float:
    """How long is waited for it by the clock."""
    return LEAST_PATIENCE_S + PATIENCE * _added(size)


def _added(size: int) -> int:
    return max(0, size - BYTES_AT_ONCE) // BYTES_A_SECOND


class _Answer(io.RawIOBase):
    """What a process says until a moment; who reads later meets the end of the pipe, and the process is killed."""

    def __init__(self, process: subprocess.Popen[bytes], until: float) -> None:
        self.process, self.until, self.passed = process, until, False
        self._pipe, self._here = _out(process).fileno(), bytearray()
        self._poll = select.poll()
        self._poll.register(self._pipe, select.POLLIN)

    def read(self, size: int = -1) -> bytes:
        while len(self._here) < size:
            if not self._poll.poll(max(0.0, self.until - time.monotonic()) * 1000):
                self.passed = True
                self.process.kill()
                return b""
            # What is there is taken at once: every step of this thread waits for its turn among the others.
            came = os.read(self._pipe, max(AT_ONCE, size - len(self._here)))
            if not came:
                return b""
            self._here += came
        data = bytes(memoryview(self._here)[:size])
        del self._here[:size]
        return data


class _Child:
    """One process, started when it is first needed and again after it has died."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None

    def _started(self) -> subprocess.Popen[bytes]:
        if self.process is not None and self.process.poll() is None:
            return self.process
        self.end()
        for _ in range(TRIES):
            try:
                return self._start()
            except (Ended, ValueError, OSError):
                log.error("a process that reads files does not start (it ended with %s)", self.end())
        raise CannotStart(CannotStart.sentence)

    def _start(self) -> subprocess.Popen[bytes]:
        # No secret of the environment reaches it; threads of numerical libraries would only cost address space.
        # Pictures of the same size come one after the other: what one gives back, the next one gets.
        few = {
            "PATH": os.environ.get("PATH", ""), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1",
            "MALLOC_MMAP_THRESHOLD_": str(MEMORY_KEPT), "MALLOC_TRIM_THRESHOLD_": str(2 * MEMORY_KEPT),
        }  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-m", "annotation.dicom.child"], cwd=settings.BASE_DIR, env=few,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        _widen(_out(self.process))
        receive(cast(BinaryIO, _Answer(self.process, time.monotonic() + START_S)))
        return self.process

    def take(self, path: Path, rules: TakeRules) -> Outcome:
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            return LOST
        asked = {
            "path": os.path.abspath(path), "key": key().hex(), "allow_head": rules.allow_head,
            "released": sorted(rules.released), "check_every": rules.check_every, "seconds": seconds_for(size),
        }  # fmt: skip
        patience_s = patience_for(size)
        for _ in range(TRIES):
            process = self._started()  # which is not the file's time
            began = time.monotonic()
            answer = self._ask(process, asked, began + patience_s)
            if answer is not None:
                return answer
            patience_s -= time.monotonic() - began  # tried again it has no more than is left
        return CRASHED

    def _ask(self, process: subprocess.Popen[bytes], asked: dict[str, Any], until: float) -> Outcome | None:
        """Ask once; nothing when the process died over it and not because it was slow."""
        reply = _Answer(process, until)
        try:
            send(_in(process), asked)
            message, frames = receive(cast(BinaryIO, reply))
            answer = _outcome(message, frames)
        except (Ended, BrokenPipeError, ValueError, TypeError, KeyError, AttributeError):
            code = self.end()
            log.warning("a process that reads files ended with %s; a new one goes on", code)
            return TOO_SLOW if reply.passed or code == -signal.SIGXCPU else None
        if message.get("spent"):
            self.end()
        return answer

    def end(self) -> int | None:
        if self.process is None:
            return None
        process, self.process = self.process, None
        if process.stdin:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        try:
            code = process.wait(0.5)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        if process.stdout:
            process.stdout.close()
        return code


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # the child says what is the matter with it
        return 0


def _widen(pipe: BinaryIO) -> None:
    try:
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    except (OSError, AttributeError):  # another kernel, or its limit for one user is reached: it only gets slower
        log.debug("the pipe to a process that reads files keeps its size")


def _outcome(message: dict[str, Any], frames: tuple[bytes, ...]) -> Outcome:
    if "refused" in message:
        return Refused(*_words(message["refused"]))
    if "quarantined" in message:
        return Quarantined(*_words(message["quarantined"]))
    taken = unpacked(message["taken"], frames)
    _check(taken)
    return taken


def _words(said: list[object]) -> tuple[str, str]:
    code, sentence = (str(one) for one in said)
    return code[:40], sentence[:2000]


def _check(taken: Taken) -> None:
    """Refuse an answer that no honest child gives: a file may have taken it over. Raises ValueError."""
    facts = taken.facts
    uids = (facts.study_uid, facts.series_uid, facts.sop_uid)
    right = (
        all(isinstance(uid, str) and _UID.fullmatch(uid) for uid in uids)
        and facts.modality in ("CT", "MR")
        and (taken.suspicion == "" or taken.suspicion in SUSPICIONS)
        and isinstance(facts.instance_number, int | None)
        and abs(facts.instance_number or 0) < 2**31
        and isinstance(facts.patient_id, str)
        and isinstance(taken.header, dict)
        and 0 < len(taken.frames) == len(taken.planes)
        and all(frame.startswith(b"\xff\xd8\xff") for frame in taken.frames)
    )
    if not right:
        raise ValueError("A process that reads files has given an answer without sense.")


class Pool:
    """Some children side by side, kept busy."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._children = [_Child() for _ in range(size)]
        self._idle: SimpleQueue[_Child] = SimpleQueue()
        for child in self._children:
            self._idle.put(child)
        # More hands than children: while one puts away what came of a file, its child has the next one.
        self._threads = ThreadPoolExecutor(2 * size, thread_name_prefix="take")
        sys.setswitchinterval(SWITCH_S)
        self._closing = threading.Lock()
        self._begun = False

    def start(self) -> None:
        """Start the children without waiting for them; one that does not start says so when it is needed."""
        if not self._begun:
            self._begun = True
            for _ in self._children:
                self._threads.submit(self._warm)

    def _warm(self) -> None:
        child = self._idle.get()
        try:
            with contextlib.suppress(CannotStart):
                child._started()
        finally:
            self._idle.put(child)

    def _one(self, what: T, path: Path, rules: TakeRules, then: Callable[[T, Outcome], R]) -> R:
        child = self._idle.get()
        try:
            outcome = child.take(path, rules)
        finally:
            self._idle.put(child)
        return then(what, outcome)

    def take(self, files: Iterable[tuple[T, Path]], rules: TakeRules) -> Iterator[tuple[T, Outcome]]:
        """Take files side by side; give what came of each in the order asked."""
        return self.each(files, rules, lambda _what, outcome: outcome)

    def each(
        self, files: Iterable[tuple[T, Path]], rules: TakeRules, then: Callable[[T, Outcome], R]
    ) -> Iterator[tuple[T, R]]:
        """Take files side by side and give what `then` makes of each, in the order asked.

        `then` runs in other threads than the caller's, so it must not ask the database. Some are asked ahead, so that
        the children do not wait for the caller, and no more, so that memory stays flat: few of large files.
        """
        asked: deque[tuple[T, int, Future[R]]] = deque()
        ahead = 0
        try:
            for what, path in files:
                size = _size(path)
                asked.append((what, size, self._threads.submit(self._one, what, path, rules, then)))
                ahead += size
                while len(asked) > 4 * self.size and (len(asked) > FILES_AHEAD or ahead > BYTES_AHEAD):
                    first, gone, answer = asked.popleft()
                    ahead -= gone
                    yield first, answer.result()
            while asked:
                first, _, answer = asked.popleft()
                yield first, answer.result()
        finally:
            for _, _, answer in asked:
                answer.cancel()

    def close(self) -> None:
        with self._closing:
            self._threads.shutdown(wait=True, cancel_futures=True)
            for child in self._children:
                child.end()


@lru_cache(maxsize=4)
def _of(process: int, size: int) -> Pool:
    pool = Pool(size)
    atexit.register(pool.close)
    return pool


def pool(size: int = 1) -> Pool:
    """Give this process's pool of so many children; after a fork the new process gets its own."""
    return _of(os.getpid(), size)
