from __future__ import annotations

import io
import time

import pytest
from launcher import console as module
from launcher.console import Console


def test_a_step_is_one_line_with_its_time() -> None:
    stream = io.StringIO()
    with Console(stream).step("packages") as step:
        step.note = "by pip"
    assert stream.getvalue().splitlines() == ["[   0.0 s] packages: done in 0.0 s (by pip)"]


def test_a_failed_step_says_so() -> None:
    stream = io.StringIO()
    with pytest.raises(ValueError), Console(stream).step("packages"):
        raise ValueError
    assert "packages: failed after" in stream.getvalue()


def test_a_long_step_gives_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUIET_S", 0.2)
    stream = io.StringIO()
    with Console(stream).step("packages") as step:
        step.heard("  Downloading numpy  ")
        time.sleep(0.7)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert lines[0].endswith("packages ... Downloading numpy")


def test_a_closed_terminal_does_not_stop_the_launcher() -> None:
    stream = io.StringIO()
    console = Console(stream)
    stream.close()
    console.say("nobody hears this")
    with console.step("packages"):
        pass
