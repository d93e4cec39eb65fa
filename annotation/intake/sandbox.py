"""A pool of limited processes that take files. Here a file that kills its reader costs one process and one sentence."""

from __future__ import annotations

import atexit
import logging
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO, TypeVar, cast

from django.conf import settings

from annotation.dicom import Quarantined, Refused, Taken, TakeRules
from annotation.dicom.child import Ended, receive, send, unpacked
from annotation.identity import key

log = logging.getLogger(__name__)
T = TypeVar("T")

START_S = 120.0
LEAST_S = 6
"""What every file may cost of a processor; large ones get more, by their size."""
BYTES_A_SECOND = 3_000_000
PATIENCE = 3.0
"""A busy machine gives a process a third of a processor; waiting longer than that is waiting for nothing."""

Outcome = Taken | Refused | Quarantined


def _in(process: subprocess.Popen[bytes]) -> BinaryIO:
    return cast(BinaryIO, process.stdin)


def _out(process: subprocess.Popen[bytes]) -> BinaryIO:
    return cast(BinaryIO, process.stdout)


@contextmanager
def _deadline(process: subprocess.Popen[bytes], seconds: float) -> Iterator[None]:
    """Kill the process when it has not answered by then; who reads from it meets the end of the pipe."""
    alarm = threading.Timer(seconds, process.kill)
    alarm.daemon = True
    alarm.start()
    try:
        yield
    finally:
        alarm.cancel()


class _Child:
    """One process, started when it is first needed and again after it has died."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None

    def _started(self) -> subprocess.Popen[bytes]:
        if self.process is not None and self.process.poll() is None:
            return self.process
        # No secret of the environment reaches it; threads of numerical libraries would only cost address space.
        few = {"PATH": os.environ.get("PATH", ""), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "annotation.dicom.child"],
            cwd=settings.BASE_DIR, env=few, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        with _deadline(self.process, START_S):
            receive(_out(self.process))
        return self.process

    def take(self, path: Path, rules: TakeRules) -> Outcome:
        try:
            seconds = LEAST_S + path.stat().st_size // BYTES_A_SECOND
        except FileNotFoundError:
            return Refused("lost", "The file is no longer in the spool; send it again.")
        asked = {
            "path": str(path.resolve()), "key": key().hex(), "allow_head": rules.allow_head,
            "released": sorted(rules.released), "seconds": seconds,
        }  # fmt: skip
        try:
            process = self._started()
            with _deadline(process, PATIENCE * seconds):
                send(_in(process), asked)
                message, frames = receive(_out(process))
        except (Ended, BrokenPipeError, ValueError):
            return self._died()
        if "refused" in message:
            return Refused(*message["refused"])
        if "quarantined" in message:
            return Quarantined(*message["quarantined"])
        return unpacked(message["taken"], frames)

    def _died(self) -> Refused:
        code = self.end()
        log.warning("a process that reads files ended with %s; a new one goes on", code)
        if code in (-signal.SIGXCPU, -signal.SIGKILL):
            return Refused("too_slow", "Reading the file took longer than one file may.")
        return Refused("crashed", "The file made the program that reads it fail, so it is not taken.")

    def end(self) -> int | None:
        if self.process is None:
            return None
        process, self.process = self.process, None
        if process.stdin:
            process.stdin.close()
        try:
            code = process.wait(0.5)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        if process.stdout:
            process.stdout.close()
        return code


class Pool:
    """Some children side by side. `take` keeps them busy and gives what came of each file in the order asked."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._children = [_Child() for _ in range(size)]
        self._idle: SimpleQueue[_Child] = SimpleQueue()
        for child in self._children:
            self._idle.put(child)
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="take")
        self._closing = threading.Lock()

    def _one(self, path: Path, rules: TakeRules) -> Outcome:
        child = self._idle.get()
        try:
            return child.take(path, rules)
        finally:
            self._idle.put(child)

    def take(self, files: Iterable[tuple[T, Path]], rules: TakeRules) -> Iterator[tuple[T, Outcome]]:
        """Take files side by side; the caller's thread alone works with what comes of them.

        A few are asked ahead, so that the children do not wait for the caller, and no more, so that memory stays flat.
        """
        asked: deque[tuple[T, Future[Outcome]]] = deque()
        try:
            for what, path in files:
                asked.append((what, self._threads.submit(self._one, path, rules)))
                if len(asked) > 2 * self.size:
                    first, answer = asked.popleft()
                    yield first, answer.result()
            while asked:
                first, answer = asked.popleft()
                yield first, answer.result()
        finally:
            for _, answer in asked:
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
