"""Parts of a plan in several processes: the same numbers, one progress bar, and nobody left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from analytics import plans, simulate
from analytics.frames import Frames, from_tables
from analytics.plans import NotPossible, Plan, Step, side_by_side
from analytics.plans.side_by_side import ROOT, ChildEnded

MODEL = {
    "specification": "bme_only",
    "terms": [{"name": "isthmic_bme", "item": "isthmic_bme"}],
    "averaged": True,
    "outcomes": ["success_15min"],
    "thresholds": [0.5],
    "replicates": 100,
}
LONG = 300_000  # replicates nobody waits for


@pytest.fixture(scope="module")
def frames() -> Frames:
    study = simulate.study(cases=30, kappa=0.7, seed=3)
    return from_tables(study.clinical, study.gradings)


def plan(*more: Step) -> Plan:
    steps = (*plans.get("paper").steps, Step("bootstrap", {"replicates": 100}), *more)
    return replace(plans.get("extended"), steps=steps)


def children(of: int) -> list[int]:
    listed = Path(f"/proc/{of}/task/{of}/children")
    return [int(one) for one in listed.read_text().split()] if listed.exists() else []


def gone(which: list[int]) -> bool:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if not any(Path(f"/proc/{one}/stat").exists() and "Z" not in status(one) for one in which):
            return True
        time.sleep(0.05)
    return False


def status(process: int) -> str:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return "Z"


def test_the_number_of_processes_changes_no_bit(frames: Frames) -> None:
    whole = plan(*(Step("optimism", {**MODEL, "procedure": name}) for name in ("firth", "ridge")))
    said: dict[int, list[int]] = {0: [], 2: []}

    def following(processes: int) -> Callable[[int, int, str], None]:
        return lambda done, of, label: said[processes].append(done * 1000 + of)

    made = [
        plans.carry_out(whole, frames, seed=5, progress=following(processes), processes=processes).to_json()
        for processes in said
    ]
    assert made[0] == made[1]
    for steps in said.values():
        assert steps == sorted(steps)
        assert steps[-1] // 1000 == steps[-1] % 1000


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({}, 8),
        ({"cpu.max": "max 100000"}, 8),
        ({"cpu.max": "150000 100000"}, 2),
        ({"a/cpu.max": "300000 100000", "a/b/cpu.max": "max 100000"}, 3),
        ({"a/b/cpu.max": "5000 100000"}, 1),
        ({"a/b/cpu.max": "6400000 100000"}, 8),
        ({"other/cpu.max": "100000 100000"}, 8),
    ],
)
def test_no_more_processes_than_the_container_may_use(
    limits: dict[str, str], expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in limits.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{text}\n")
    own = tmp_path / "own"
    own.write_text("1:cpu:/\n0::/a/b\n")
    monkeypatch.setattr(side_by_side, "GROUPS", tmp_path)
    monkeypatch.setattr(side_by_side, "OWN_GROUP", own)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    assert plans.processors() == expected
    monkeypatch.setattr(side_by_side, "OWN_GROUP", tmp_path / "nowhere")
    assert plans.processors() == 8


def test_what_a_part_raises_is_raised(frames: Frames) -> None:
    unknown = Step("optimism", {**MODEL, "procedure": "firth", "terms": [{"name": "x", "item": "not_an_item"}]})
    with pytest.raises(NotPossible, match="not_an_item"):
        plans.carry_out(plan(unknown), frames, processes=2)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are looked up as Linux shows them")
@pytest.mark.parametrize("how", ["cancelled", "child killed"])
def test_nobody_is_left_behind(frames: Frames, how: str) -> None:
    started: list[int] = []

    def progress(done: int, of: int, label: str) -> None:
        started[:] = started or children(os.getpid())
        if how == "cancelled" and done:
            raise KeyError("cancelled")
        if how == "child killed":
            os.kill(started[0], signal.SIGKILL)

    with pytest.raises(KeyError if how == "cancelled" else ChildEnded):
        plans.carry_out(plan(Step("bootstrap", {"replicates": LONG})), frames, progress=progress, processes=2)
    assert started
    assert gone(started)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are looked up as Linux shows them")
def test_children_end_with_a_killed_parent() -> None:
    program = f"""
from analytics import plans, simulate
from analytics.frames import from_tables
study = simulate.study(cases=30, kappa=0.7, seed=3)
frames = from_tables(study.clinical, study.gradings)
plan = plans.get("paper").with_bootstrap({LONG})
plans.carry_out(plan, frames, processes=2, progress=lambda done, *_: done and print(flush=True))
"""
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        started = children(parent.pid)
        parent.kill()
    assert len(started) == 2
    assert gone(started)
