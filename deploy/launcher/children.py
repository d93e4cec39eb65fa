"""Child processes: each in an own group, none outlives the launcher, all end by their pid."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from launcher.places import Ended, Stop, shown, tail

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
Child = subprocess.Popen[bytes]


def _tie_to(parent: int) -> Callable[[], None]:
    """Make the child end when the launcher is killed with SIGKILL and can end nothing itself (Linux only)."""

    def tie() -> None:
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return tie


def wipe_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def exit_code(returncode: int) -> str:
    if returncode >= 0:
        return f"exit code {returncode}"
    try:
        return signal.Signals(-returncode).name
    except ValueError:
        return f"signal {-returncode}"


class Children:
    """Every process the launcher started and the wish to stop, which signals and waiting loops share."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.signal = 0
        self._lock = threading.Lock()
        self._running: list[Child] = []

    def listen(self) -> None:
        """Turn the three ending signals into the wish to stop; loops look at it, nothing is torn out of its work."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, _frame: object) -> None:
        self.signal = self.signal or number
        self.stop.set()

    def rest(self, seconds: float) -> None:
        """Wait, and raise Ended when the wish to stop arrives meanwhile."""
        if self.stop.wait(seconds):
            raise Ended

    def start(
        self,
        args: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        cwd: Path,
        output: int | IO[bytes] | None = None,
        pass_fds: Sequence[int] = (),
        user: int | None = None,
    ) -> Child:
        if self.stop.is_set():
            raise Ended
        child = subprocess.Popen(
            [str(arg) for arg in args],
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output is not None else None,
            start_new_session=True,
            pass_fds=pass_fds,
            # ctypes is loaded beforehand: nothing is imported between fork and exec, where threads could hold locks.
            preexec_fn=_tie_to(os.getpid()),
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )
        with self._lock:
            self._running.append(child)
        return child

    def forget(self, child: Child) -> None:
        wipe_group(child.pid)
        with self._lock, contextlib.suppress(ValueError):
            self._running.remove(child)

    def end(self, child: Child, *, patience_s: float, first: int = signal.SIGTERM) -> None:
        """Ask the leader of the group to end, then kill what is left of the group."""
        if child.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, first)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(patience_s)
        wipe_group(child.pid)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(5)
        self.forget(child)

    def end_all(self, *, patience_s: float = 3.0) -> None:
        with self._lock:
            left = list(reversed(self._running))
        for child in left:
            self.end(child, patience_s=patience_s)

    def run(
        self,
        args: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        cwd: Path,
        log: Path | None = None,
        on_line: Callable[[str], None] | None = None,
        meanwhile: Callable[[], None] | None = None,
        limit_s: float = 3600,
    ) -> int:
        """Run to the end and return the exit code; without `log` the program writes to the terminal itself."""
        output = None if log is None else subprocess.PIPE
        child = self.start(args, env=env, cwd=cwd, output=output)
        reader = None
        if log is not None:
            log.parent.mkdir(parents=True, exist_ok=True)
            reader = threading.Thread(target=_drain, args=(child, log, on_line), daemon=True)
            reader.start()
        until = time.monotonic() + limit_s
        try:
            while child.poll() is None:
                self.rest(0.05)
                if meanwhile is not None:
                    meanwhile()
                if time.monotonic() > until:
                    raise Stop(f"{Path(str(args[0])).name} did not end within {limit_s:.0f} s and was stopped.")
        finally:
            self.end(child, patience_s=5)
        if reader is not None:
            reader.join(2)
        return int(child.returncode)

    def must(
        self,
        what: str,
        args: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        cwd: Path,
        log: Path,
        on_line: Callable[[str], None] | None = None,
        meanwhile: Callable[[], None] | None = None,
        limit_s: float = 3600,
    ) -> None:
        """Run, and stop with a sentence and the end of the log when it fails."""
        code = self.run(args, env=env, cwd=cwd, log=log, on_line=on_line, meanwhile=meanwhile, limit_s=limit_s)
        if code != 0:
            raise Stop(f"{what} failed ({exit_code(code)}). The end of {shown(log)}:\n{tail(log)}")


def _drain(child: Child, log: Path, on_line: Callable[[str], None] | None) -> None:
    assert child.stdout is not None
    with log.open("ab") as file:
        for raw in child.stdout:
            file.write(raw)
            file.flush()
            line = raw.decode("utf-8", "replace").rstrip()
            if line and on_line is not None:
                on_line(line)


class Background:
    """One piece of work in a thread beside the main one; its failure is the main one's failure."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._failure: BaseException | None = None
        self._work = work
        self._thread = threading.Thread(target=self._carry_out, daemon=True)
        self._thread.start()

    def _carry_out(self) -> None:
        try:
            self._work()
        except BaseException as failure:
            self._failure = failure

    def done(self) -> bool:
        return not self._thread.is_alive()

    def join(self, children: Children) -> None:
        while self._thread.is_alive():
            children.rest(0.05)
        if self._failure is not None:
            raise self._failure
