"""JSON lines, and what a process and those below it take of memory while something runs."""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

LOOK_S = 0.1


def emit(bench: str, metric: str, value: float, unit: str) -> None:
    line = {"bench": bench, "metric": metric, "value": round(value, 3), "unit": unit}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _parents() -> dict[int, int]:
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            found[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    return found


def below(root: int) -> Iterator[int]:
    """Give a process and all that it has started, by the kernel's table."""
    children: dict[int, list[int]] = {}
    for pid, parent in _parents().items():
        children.setdefault(parent, []).append(pid)
    waiting = [root]
    while waiting:
        yield (one := waiting.pop())
        waiting += children.get(one, [])


def command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _peak_mib(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024 if "VmHWM:" in status else 0.0


def processor_s(pid: int) -> float:
    """Give what one process has used of the processors, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ended_s() -> float:
    """Give what the processes used that this one has started and seen end, and those below them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Peaks:
    """Look at processes until the block ends; `own` is the largest of the program's, `reader` of its children's."""

    def __init__(self, *roots: int) -> None:
        self.roots = roots
        self.own = self.reader = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self._over.wait(LOOK_S):
            for root in self.roots:
                for pid in below(root):
                    if b"annotation.dicom.child" in command(pid):
                        self.reader = max(self.reader, _peak_mib(pid))
                    else:
                        self.own = max(self.own, _peak_mib(pid))

    def __enter__(self) -> Peaks:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()
