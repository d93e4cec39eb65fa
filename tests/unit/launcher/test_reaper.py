"""A real worker, on a real broker and a database of its own: it takes a lost job out of limbo by itself."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest
from launcher.context import Context
from launcher.places import ROOT, bare_environment, in_venv
from launcher.services import Valkey
from launcher.suite import wait_until

LOST = """
from datetime import timedelta
from django.utils import timezone
from annotation.models import Job
from annotation.models.job import JobState
gone = timezone.now() - timedelta(minutes=1)
Job.objects.create(kind="analyse", title="lost", state=JobState.RUNNING, attempt=50, lease_until=gone)
"""


def state(database: Path) -> str:
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)) as connection:
        return str(connection.execute("SELECT state FROM annotation_job WHERE title = 'lost'").fetchone()[0])


def manage(env: dict[str, str], *args: str) -> None:
    done = subprocess.run(
        [in_venv("python"), "manage.py", *args], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_worker_looks_for_lost_jobs_by_itself(context: Context, tmp_path: Path) -> None:
    valkey = Valkey.at(tmp_path / "valkey", durable=False)
    with (tmp_path / "valkey.log").open("wb") as log:
        context.children.start(valkey.command(), env={"PATH": os.defpath}, cwd=tmp_path, output=log)
    wait_until(context, valkey.answers, "Valkey")
    env = bare_environment() | {"SPONDY_DATA_DIR": str(tmp_path / "data"), "REDIS_URL": valkey.url}
    manage(env, "migrate", "--no-input", "--verbosity", "0")
    manage(env, "shell", "--verbosity", "0", "-c", LOST)
    database = tmp_path / "data" / "spondy.sqlite3"
    assert state(database) == "running"
    said = tmp_path / "worker.log"
    with said.open("wb") as log:
        args: list[str | Path] = [in_venv("celery"), "-A", "spondy", "worker", "--loglevel", "INFO"]
        worker = context.children.start([*args, "--concurrency", "1"], env=env, cwd=ROOT, output=log)
    until = time.monotonic() + 30
    while state(database) != "failed":
        assert worker.poll() is None, said.read_text()
        assert time.monotonic() < until, said.read_text()
        time.sleep(0.1)
    context.children.end(worker, patience_s=10)
    assert worker.returncode == 0, "SIGTERM lets a worker finish"


def test_a_fault_of_the_reaper_does_not_end_its_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    from annotation import jobs
    from spondy import celery

    said: list[str] = []

    def fail() -> int:
        raise RuntimeError("the database is away")

    def hear(sentence: str, *_: object) -> None:
        said.append(sentence)

    monkeypatch.setattr(jobs, "reap", fail)
    monkeypatch.setattr(celery.log, "exception", hear)
    celery.reap_quietly()
    assert len(said) == 1
    assert "could not look at the jobs" in said[0]
