"""The parts of a plan in several processes: the parent deals them out, the children compute.

A child is a Python of its own. It gets the plan and the frames once and then one part at a time, so a slow part
holds nobody up. Every part draws from the run's own seed, and the parent puts the parts back in the plan's order: the
results do not depend on how many processes there were or which of them was quicker.
"""

from __future__ import annotations

import math
import os
import pickle
import selectors
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO, cast

from analytics.frames import Frames
from analytics.plans.plan import Plan
from analytics.stats.result import Entry

__all__ = ["ChildEnded", "Progress", "computed", "processors", "serve"]

Progress = Callable[[int, int, str], None]
Entries = tuple[Entry, ...]
ROOT = Path(__file__).resolve().parents[2]
MOST = 8  # children: each is a Python with the libraries and the frames, and a plan has few long parts
GROUPS, OWN_GROUP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
LOOK_UP_S = 1.0  # how often progress is reported while nothing is done: so soon a cancel is noticed
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
KEPT = ("PATH", "LANG", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR")


class ChildEnded(RuntimeError):
    """A process that computes ended in the middle."""

    sentence = "A process that computes ended in the middle, perhaps for want of memory. Ask for the run again."


def processors() -> int:
    """Count the processors this process may use, as far as a child for each is worth its memory."""
    allowed = getattr(os, "sched_getaffinity", None)
    return min(len(allowed(0)) if allowed else os.cpu_count() or 1, MOST, *_quotas())


def _quotas() -> Iterator[int]:
    """How many processors each control group (version 2) around this process leaves it; a container's limit is one."""
    try:
        own = next(line for line in OWN_GROUP.read_text().splitlines() if line.startswith("0::"))
    except (OSError, StopIteration):
        return
    group = GROUPS / own.removeprefix("0::").strip("/")
    for folder in (group, *group.parents[: len(group.parts) - len(GROUPS.parts)]):
        quota = "max"
        with suppress(OSError):
            quota, _, period = (folder / "cpu.max").read_text().partition(" ")
        if quota != "max":
            yield max(1, math.ceil(int(quota) / int(period)))


def computed(
    plan: Plan,
    frames: Frames,
    seed: int,
    wanted: Sequence[int],
    *,
    processes: int,
    report: Callable[[int, int], None],
) -> dict[int, Entries]:
    """Compute parts of a plan in child processes.

    Parameters
    ----------
    plan, frames, seed
        As for `carry.carry_out`.
    wanted : sequence of int
        Places of the parts in the plan; none of them builds on another.
    processes : int
        How many children, at least 1.
    report : callable
        Called with how many are done and the place of the one that has been worked on longest, at least every
        second; whatever it raises ends the children.

    Returns
    -------
    dict of int to tuple of Entry

    Raises
    ------
    ChildEnded
        When a child dies. What a part raises is raised here.
    """
    found: dict[int, Entries] = {}
    waiting, running = list(reversed(wanted)), dict[int, _Child]()
    with _children(min(processes, len(wanted)), (plan, frames, seed)) as children, selectors.DefaultSelector() as pipes:
        for child in children:
            running[child.ask(waiting.pop())] = child
            pipes.register(child.answers, selectors.EVENT_READ, child)
        while running:
            report(len(found), next(iter(running)))
            for key, _ in pipes.select(LOOK_UP_S):
                place, entries = key.data.answer()
                found[place] = entries
                del running[place]
                if waiting:
                    running[key.data.ask(waiting.pop())] = key.data
    return found


@contextmanager
def _children(count: int, given: tuple[Plan, Frames, int]) -> Iterator[list[_Child]]:
    children: list[_Child] = []
    try:
        children += (_Child() for _ in range(count))
        package = pickle.dumps(given)
        for child in children:
            child.send(package)
        yield children
    finally:
        for child in children:
            child.end()


class _Child:
    def __init__(self) -> None:
        # No secret of the environment goes along, and one thread each: the sums must not depend on how many there are.
        env = {name: os.environ[name] for name in KEPT if name in os.environ} | dict.fromkeys(ONE_THREAD, "1")
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from analytics.plans import side_by_side; side_by_side.serve()"],
            cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self.answers = cast(BinaryIO, self._process.stdout)

    def send(self, package: bytes) -> None:
        pipe = cast(BinaryIO, self._process.stdin)
        try:
            pipe.write(package)
            pipe.flush()
        except BrokenPipeError:
            raise ChildEnded(ChildEnded.sentence) from None

    def ask(self, place: int) -> int:
        self.send(pickle.dumps(place))
        return place

    def answer(self) -> tuple[int, Entries]:
        try:
            place, entries = pickle.load(self.answers)  # noqa: S301  written by our own child
        except (EOFError, pickle.UnpicklingError):
            raise ChildEnded(ChildEnded.sentence) from None
        if isinstance(entries, Exception):
            raise entries
        return place, entries

    def end(self) -> None:
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(BrokenPipeError):
                cast(BinaryIO, pipe).close()
        self._process.wait()


def _listen(source: BinaryIO, asked: SimpleQueue[Any]) -> None:
    """Take what the parent sends; when it is gone, end at once, also in the middle of a part."""
    while True:
        try:
            asked.put(pickle.load(source))  # noqa: S301  written by our own parent
        except (EOFError, pickle.UnpicklingError):
            os._exit(0)


def serve() -> None:
    """Be a child: compute what is asked for on standard input."""
    from analytics.plans.carry import parts_of

    # What a library prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    asked: SimpleQueue[Any] = SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, asked), daemon=True).start()
    parts = parts_of(*asked.get())[1]
    while True:
        place = asked.get()
        try:
            found: Entries | Exception = tuple(parts[place].run())
        except Exception as error:  # the parent raises it
            found = error
        answers.write(pickle.dumps((place, found)))
        answers.flush()
