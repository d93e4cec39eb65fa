"""What the person sees: one line a step with its time, and a sign of life for every step over a second."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

QUIET_S = 1.0
HEARTBEAT_S = 5.0
NOISE = ("npm warn", "npm notice", "npm error")


class Step:
    """A step under way; `detail` is the newest thing it said."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.detail = ""
        self.note = ""
        self.began = time.monotonic()
        self.shown_at = 0.0

    def heard(self, line: str) -> None:
        if not line.startswith(NOISE):
            self.detail = line.strip()[:60]

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began


class Console:
    def __init__(self, stream: TextIO | None = None, *, width: int = 100) -> None:
        self.stream = stream or sys.stdout
        self.width = width
        self.live = self._is_terminal()
        self.began = time.monotonic()
        self.active: list[Step] = []
        self.lock = threading.RLock()
        self.drawn = False
        self.ticker: threading.Thread | None = None

    def _is_terminal(self) -> bool:
        try:
            return self.stream.isatty()
        except ValueError:
            return False

    def _write(self, text: str) -> None:
        # A closed terminal or pipe must not keep the launcher from ending its children.
        try:
            self.stream.write(text)
            self.stream.flush()
        except (OSError, ValueError):
            self.live = False

    def _clear(self) -> None:
        if self.drawn:
            self._write("\r\x1b[K")
            self.drawn = False

    def say(self, text: str = "") -> None:
        with self.lock:
            self._clear()
            self._write(f"{text}\n")

    def timed(self, text: str) -> None:
        self.say(f"[{time.monotonic() - self.began:6.1f} s] {text}")

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        step = Step(title)
        with self.lock:
            self.active.append(step)
            self._start_ticker()
        word = "failed after"
        try:
            yield step
            word = "done in"
        finally:
            with self.lock:
                self.active.remove(step)
                note = f" ({step.note})" if step.note else ""
                self.timed(f"{title}: {word} {step.seconds:.1f} s{note}")

    def _start_ticker(self) -> None:
        if self.ticker is None or not self.ticker.is_alive():
            self.ticker = threading.Thread(target=self._tick, name="progress", daemon=True)
            self.ticker.start()

    def _tick(self) -> None:
        while True:
            time.sleep(0.2)
            with self.lock:
                if not self.active:
                    self._clear()
                    self.ticker = None
                    return
                if self.live:
                    self._draw()
                else:
                    self._heartbeat()

    def _draw(self) -> None:
        parts = [f"{step.title} {step.seconds:.0f} s {step.detail}".rstrip() for step in self.active]
        line = f"[{time.monotonic() - self.began:6.1f} s] {' | '.join(parts)}"
        self._clear()
        self._write(line[: self.width])
        self.drawn = True

    def _heartbeat(self) -> None:
        for step in self.active:
            due = QUIET_S if not step.shown_at else step.shown_at + HEARTBEAT_S
            if step.seconds >= due:
                step.shown_at = step.seconds
                self.timed(f"{step.title} ... {step.detail}".rstrip()[: self.width])
