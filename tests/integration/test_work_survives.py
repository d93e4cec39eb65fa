"""Real workers take a delivery in while they, or their readers, are killed; nothing is lost, nothing comes in twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from annotation import desk, handover, intake, store
from annotation.intake import deliveries, spool
from annotation.models import Arrival, Case, Instance, Job, Series, Way
from tests import cast
from tests.conftest import ROOT, Commands

PATIENTS, SLICES = range(91, 96), 10
FILES = len(PATIENTS) * 2 * SLICES
TWO = (cast.SPINE_SERIES[0], cast.SPINE_SERIES[4])
"""An MR and a CT series: two DICOM studies of one patient."""
WITHIN_S = 120.0


class Worker:
    """A Celery worker with all its processes, and the readers below it."""

    def __init__(self, env: dict[str, str], log: Path) -> None:
        args = [sys.executable, "-m", "celery", "-A", "spondy", "worker", "--concurrency", "1", "--loglevel", "INFO"]
        few = ["--without-gossip", "--without-mingle", "-n", f"w{uuid.uuid4().hex[:8]}@%h"]
        with log.open("ab") as said:
            self.process = subprocess.Popen(
                [*args, *few], cwd=ROOT, env=env, stdout=said, stderr=said, start_new_session=True
            )

    def below(self) -> list[int]:
        """Give the processes below, from the kernel's table."""
        children: dict[int, list[int]] = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(stat.read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(stat.parent.name))
        found = list(children.get(self.process.pid, []))
        for pid in found:
            found += children.get(pid, [])
        return found

    def readers(self) -> list[int]:
        return [pid for pid in self.below() if b"annotation.dicom.child" in _command(pid)]

    def kill(self) -> None:
        """End it without a word: the main process, what it has forked, all at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@contextmanager
def working(env: dict[str, str], log: Path, count: int = 1) -> Iterator[list[Worker]]:
    workers = [Worker(env, log) for _ in range(count)]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.kill()


def until(true: Callable[[], bool], log: Path) -> None:
    end = time.monotonic() + WITHIN_S
    while not true():
        assert time.monotonic() < end, log.read_text()[-4000:]
        time.sleep(0.02)


@pytest.fixture
def env(manage: Commands) -> dict[str, str]:
    return {**manage.environment, "SPONDY_JOB_LEASE_S": "2", "SPONDY_TEXT_SEARCH": "0"}


@pytest.fixture
def delivery(env: dict[str, str], tmp_path: Path) -> uuid.UUID:
    """A delivery of a hundred files that waits to be sealed."""
    assert cast.export(tmp_path / "hospital", patients=PATIENTS, series=TWO, slices=SLICES) == FILES
    desk.create_study(None, code="NEW", title="New")
    one = intake.begin(desk.intake_target("NEW"), way=Way.UPLOAD)
    deliveries.place_all(one, sorted((tmp_path / "hospital").rglob("*.dcm")), move=False)
    return one


def ours() -> int:
    return Instance.objects.filter(series__case__patient__study__code="NEW").count()


def whole(delivery: uuid.UUID) -> None:
    """Everything is in, once, described and under its seals, and nothing waits anywhere."""
    shown = intake.card(delivery)
    assert (shown.state, shown.files, shown.imported + shown.duplicates) == ("done", FILES, FILES)
    assert (shown.refused, shown.quarantined, shown.studies) == (0, 0, 2 * len(PATIENTS))
    assert not Arrival.objects.filter(delivery=delivery).exists()
    assert not spool.home(delivery).exists()
    found = Instance.objects.filter(series__case__patient__study__code="NEW")
    assert found.count() == FILES
    assert found.values("sop_uid").distinct().count() == FILES
    assert Case.objects.filter(patient__study__code="NEW").count() == len(PATIENTS)
    for series in Series.objects.filter(case__patient__study__code="NEW"):
        assert series.frame_count == SLICES == len(series.parameters["order"])
        assert "stale" not in series.parameters
        assert series.role in ("SAG_T2", "CT_PRE")
    assert all(store.holds(frame["digest"]) for one in found for frame in one.frames)
    assert not list(handover.verify("NEW"))


def test_workers_that_are_killed_three_times_lose_nothing(
    env: dict[str, str], delivery: uuid.UUID, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    intake.seal(delivery)
    for more in (1, 25, 60):
        with working(env, log):
            until(lambda more=more: ours() >= more, log)  # type: ignore[misc]
    half = ours()
    assert half < FILES, "It was killed too late to show anything."
    with working(env, log):
        until(lambda: intake.card(delivery).state == "done", log)
    whole(delivery)


def test_readers_that_are_killed_cost_no_file(env: dict[str, str], delivery: uuid.UUID, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    with working(env, log) as (worker,):
        intake.seal(delivery)
        for more in (1, 30, 60):
            until(lambda more=more: ours() >= more and bool(worker.readers()), log)  # type: ignore[misc]
            for pid in worker.readers():
                os.kill(pid, signal.SIGKILL)
        until(lambda: intake.card(delivery).state == "done", log)
    whole(delivery)


def test_readers_end_with_their_worker(env: dict[str, str], delivery: uuid.UUID, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    with working(env, log) as (worker,):
        intake.seal(delivery)
        until(lambda: ours() > 0, log)
        orphans = worker.readers()
        assert orphans
        for pid in [worker.process.pid, *worker.below()]:
            if pid not in orphans:
                os.kill(pid, signal.SIGKILL)
        until(lambda: not any(b"annotation.dicom.child" in _command(pid) for pid in orphans), log)


def test_two_workers_side_by_side(env: dict[str, str], delivery: uuid.UUID, tmp_path: Path) -> None:
    """Both studies of a patient are taken in at the same time, again and again; each patient is one case."""
    log = tmp_path / "worker.log"
    with working(env, log, 2) as workers:
        intake.seal(delivery)
        until(lambda: all(worker.readers() for worker in workers), log)
        until(lambda: intake.card(delivery).state == "done", log)
    whole(delivery)
    assert Case.objects.filter(patient__study__code="NEW").count() == len(PATIENTS)
    assert "locked" not in log.read_text(), "Writers met each other."


def test_cancelled_while_workers_work(env: dict[str, str], delivery: uuid.UUID, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    with working(env, log):
        intake.seal(delivery)
        until(lambda: ours() > 0, log)
        intake.cancel(delivery)
        until(lambda: not _open_jobs(), log)
    assert intake.card(delivery).state == "cancelled"
    kept = ours()
    assert 0 < kept < FILES
    again = intake.begin(desk.intake_target("NEW"), way=Way.UPLOAD)
    deliveries.place_all(again, sorted((tmp_path / "hospital").rglob("*.dcm")), move=False)
    intake.seal(again)
    with working(env, log, 2):
        until(lambda: intake.card(again).state == "done", log)
    whole(again)
    shown = intake.card(again)
    assert (shown.imported, shown.duplicates) == (FILES - kept, kept)


def _open_jobs() -> bool:
    return Job.objects.filter(study__code="NEW", state__in=("waiting", "running")).exists()
