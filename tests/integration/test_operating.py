"""What an operator relies on: health, readiness, the tables from zero, a job that nobody holds."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import DatabaseError
from django.utils import timezone

from annotation import jobs, store
from annotation.models import Job
from spondy import health
from tests import cast
from tests.conftest import Commands


@pytest.mark.django_db
def test_live_and_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    seat = cast.client()
    assert seat.get("/healthz").json() == {"status": "live"}
    said = seat.get("/readyz")
    assert said.status_code == 503
    assert said.json() == {"ready": False, "database": True, "broker": True, "storage": True, "worker": False}
    jobs.reap()
    said = seat.get("/readyz")
    assert (said.status_code, said.json()["ready"]) == (200, True)
    monkeypatch.setattr(store, "writable", lambda: False)
    assert seat.get("/readyz").status_code == 503
    assert seat.get("/readyz").json()["storage"] is False


@pytest.mark.django_db
def test_ready_says_which_part_is_away(monkeypatch: pytest.MonkeyPatch, settings: object) -> None:
    class Away:
        def cursor(self) -> None:
            raise DatabaseError("gone")

    monkeypatch.setattr(health, "connection", Away())
    said = cast.client().get("/readyz")
    assert (said.status_code, said.json()["database"]) == (503, False)
    assert "gone" not in said.content.decode()


def test_a_broker_that_is_away_is_said_and_does_not_fail_the_page(manage: Commands) -> None:
    manage.environment["REDIS_URL"] = "redis://127.0.0.1:1/0"
    code = (
        "from django.test import Client; c = Client(SERVER_NAME='localhost'); r = c.get('/readyz'); "
        "print(r.status_code, r.json()['broker'], r.json()['database'], c.get('/healthz').status_code)"
    )
    done = manage("shell", "--verbosity", "0", "-c", code)
    assert done.stdout.split() == ["503", "False", "True", "200"], done.stdout + done.stderr


FROM_ZERO = """
from django.core.management import call_command
for step in (["migrate"], ["migrate", "analytics", "zero"], ["migrate", "annotation", "0001"], ["migrate"]):
    call_command(*step, verbosity=0)
call_command("makemigrations", "--check", "--dry-run", verbosity=0)
call_command("import_cohort", "--study", "FIRST", "--create", "--title", "First", "--dicom", "docs")
"""


def test_the_tables_from_zero(manage: Commands, tmp_path: Path) -> None:
    """A new, empty database: all migrations, back to nothing, and forth again; nothing is missing from them."""
    manage.environment["DATABASE_URL"] = f"sqlite:///{tmp_path / 'new.sqlite3'}"
    done = manage("shell", "--verbosity", "0", "-c", FROM_ZERO)
    assert done.returncode == 0, done.stderr
    assert "files received" in done.stdout


@pytest.mark.django_db
def test_the_guards_can_be_taken_down_and_put_up_again_here_too() -> None:
    from importlib import import_module

    from django.apps import apps  # noqa: TID251  what a migration is given
    from django.db import connection

    names = ("0003_close_the_ways_around_the_guards", "0002_append_only_and_final_locks")
    steps = [import_module(f"annotation.migrations.{name}") for name in names]

    class Editor:
        """What a migration asks of the schema editor, inside the test's own transaction."""

        def __init__(self) -> None:
            self.connection = connection

        def execute(self, statement: str, params: None = None) -> None:
            with connection.cursor() as cursor:
                cursor.execute(statement)

    for step in steps:
        step.unguard(apps, Editor())
    for step in reversed(steps):
        step.guard(apps, Editor())
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


@pytest.mark.django_db
def test_a_job_that_was_left_behind_is_sent_again_a_few_times_and_then_given_up() -> None:
    gone = timezone.now() - timedelta(minutes=1)
    left = Job.objects.create(kind="analyse", title="left", state="running", attempt=1, lease_until=gone)
    held = Job.objects.create(
        kind="analyse", title="held", state="running", attempt=1, lease_until=timezone.now() + timedelta(minutes=1)
    )
    worn = Job.objects.create(kind="analyse", title="worn", state="running", attempt=99, lease_until=gone)
    assert jobs.reap() == 1
    states = {job.title: job.state for job in Job.objects.all() if job.title in ("left", "held", "worn")}
    assert states == {"left": "waiting", "held": "running", "worn": "failed"}
    assert jobs.reap() == 0
    assert jobs.claim(str(held.pk)) is None
    first = jobs.claim(str(left.pk))
    assert first is not None
    assert first.attempt == 2
    assert jobs.claim(str(left.pk)) is None, "one holder at a time"
    Job.objects.filter(pk=left.pk).update(attempt=3)
    with pytest.raises(jobs.Cancelled):
        first.step(1, 2)
    with pytest.raises(jobs.Cancelled):
        first.finish({})
    assert jobs.claim(str(worn.pk)) is None


@pytest.mark.django_db
def test_a_failing_job_says_a_sentence_and_keeps_the_fault_for_the_log() -> None:
    card = jobs.start("analyse", title="fails", study=None)

    def fail(held: jobs.Held) -> None:
        raise ValueError(f"{cast.FAMILY} divided by zero")

    jobs.work(str(card.id), fail)
    job = Job.objects.get(pk=card.id)
    assert job.state == "failed"
    assert cast.FAMILY not in job.message
    assert "Traceback" not in job.message
