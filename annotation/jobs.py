"""A durable job: claim, lease, progress, cancel, finish. The only writer of the job table.

The database row is the truth; a broker message is only a hint to look at it. A worker claims a job by
compare-and-set on its attempt number, which counts the attempt, and keeps a lease alive while it works. Where a lease
has run out, the reaper (every worker runs one) puts the job back to waiting in one statement and sends the message
again; what has been claimed too often it gives up.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any

from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.db import OperationalError as DatabaseFault
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from kombu.exceptions import OperationalError

from annotation.models import Job, Study
from annotation.models.job import JobState
from annotation.people import Person

log = logging.getLogger(__name__)
MOST_ATTEMPTS = 5
AT_A_TERMINAL = {"at_a_terminal": True}
"""What `begin` notes in the params: no worker carries this job out."""
ALIVE = "worker-alive"
ALIVE_S = 30
OPEN = (JobState.WAITING, JobState.RUNNING)


class Cancelled(Exception):
    """The job was asked to stop, or is no longer held by this worker."""


class NoSuchJob(LookupError):
    """No such job for this person."""


@dataclass(frozen=True)
class Card:
    """What a page shows of a job."""

    id: uuid.UUID
    kind: str
    title: str
    state: str
    done: int
    total: int
    message: str
    result: dict[str, Any]
    created_at: datetime
    finished_at: datetime | None
    study_code: str | None
    cancel_asked: bool
    started_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def percent(self) -> int:
        return min(100, self.done * 100 // self.total) if self.total else 0


def _card(job: Job) -> Card:
    return Card(
        job.id, job.kind, job.title, job.state, job.done, job.total, job.message, job.result, job.created_at,
        job.finished_at, job.study.code if job.study else None, job.cancel_asked, job.started_at,
    )  # fmt: skip


def _lease() -> datetime:
    return timezone.now() + timedelta(seconds=settings.JOB_LEASE_S)


def _patience() -> datetime:
    """How long a message may wait in a busy queue before it counts as lost."""
    return timezone.now() + timedelta(seconds=6 * settings.JOB_LEASE_S)


def _send(job_id: uuid.UUID, kind: str) -> None:
    try:
        current_app.send_task(
            settings.JOB_TASKS[kind],
            args=[str(job_id)],
            priority=settings.JOB_PRIORITY.get(kind, 0),
            retry_policy={"max_retries": 1},
        )
    except OperationalError:
        # The row is written; a message that cannot go out now is sent by the reaper once the broker is back.
        log.warning("job %s (%s) is written down, but the broker does not answer", job_id, kind)


def start(
    kind: str,
    *,
    title: str,
    study: Study | int | None = None,
    subject: str = "",
    params: dict[str, Any] | None = None,
    by: Person | None = None,
) -> Card:
    """Write the job down and, once the transaction holds, tell the workers. The task is found by the kind's name."""
    job = Job.objects.create(
        kind=kind,
        title=title,
        study_id=study.pk if isinstance(study, Study) else study,
        subject=subject,
        params=params or {},
        started_by=by,
        lease_until=_patience(),
    )
    transaction.on_commit(lambda: _send(job.id, kind))
    return _card(job)


def start_once(kind: str, *, subject: str, **more: Any) -> Card | None:
    """Start a job unless an open one of the same kind and subject is there; the caller holds what they are about."""
    if Job.objects.filter(kind=kind, subject=subject, state__in=OPEN).exists():
        return None
    return start(kind, subject=subject, **more)


def look(job_id: uuid.UUID) -> Card:
    job = Job.objects.select_related("study").filter(pk=job_id).first()
    if job is None:
        raise NoSuchJob("There is no such job.")
    return _card(job)


def of(study: Study, *, kinds: tuple[str, ...], most: int = 20) -> list[Card]:
    found = Job.objects.select_related("study").filter(study=study, kind__in=kinds).order_by("-created_at")[:most]
    return [_card(job) for job in found]


def of_subject(beginning: str) -> list[Card]:
    """Give the jobs whose subject begins so, the newest first."""
    found = Job.objects.select_related("study").filter(subject__startswith=beginning).order_by("-created_at")
    return [_card(job) for job in found]


def ask_to_cancel(job_id: uuid.UUID) -> None:
    """Ask; a waiting job ends here, a running one at its next step."""
    Job.objects.filter(pk=job_id, state__in=OPEN).update(cancel_asked=True)
    Job.objects.filter(pk=job_id, state=JobState.WAITING).update(
        state=JobState.CANCELLED, finished_at=timezone.now(), message="Cancelled before it began."
    )


def worker_is_alive() -> bool:
    """Say whether some worker's reaper has run lately."""
    return cache.get(ALIVE) is not None


def reap() -> int:
    """Send again what a lost worker or a lost message left behind; says how many."""
    cache.set(ALIVE, 1, timeout=ALIVE_S)
    sent = 0
    for job in Job.objects.filter(state__in=OPEN, lease_until__lt=timezone.now()):
        if job.attempt >= MOST_ATTEMPTS:
            message = f"Given up after {job.attempt} attempts; the workers ended each time. Start it again."
            if job.params == AT_A_TERMINAL:
                message = "The command at the terminal ended before its work was done. Run it again there."
            Job.objects.filter(pk=job.pk, attempt=job.attempt, state__in=OPEN).update(
                state=JobState.FAILED, finished_at=timezone.now(), message=message
            )
            continue
        # One statement decides: of several reapers one wins, and the worker that lost its lease cannot finish.
        won = Job.objects.filter(pk=job.pk, attempt=job.attempt, lease_until=job.lease_until, state__in=OPEN).update(
            state=JobState.WAITING, lease_until=_patience()
        )
        if won:
            log.warning("job %s (%s) was left behind; sent again", job.pk, job.kind)
            _send(job.pk, job.kind)
            sent += 1
    return sent


@dataclass
class Held(AbstractContextManager["Held"]):
    """A claimed job. Leave the block to finish it; raise to fail it; `step` reports and notices a cancel."""

    id: uuid.UUID
    attempt: int
    params: dict[str, Any]
    subject: str
    study: Study | None
    started_by: Person | None
    error: Exception | None = None
    cancelled: bool = False
    _stop: threading.Event = field(default_factory=threading.Event)
    _beat: threading.Thread | None = None

    def for_study(self) -> Study:
        if self.study is None:
            raise ValueError(f"Job {self.id} names no study.")
        return self.study

    def _mine(self) -> Any:
        return Job.objects.filter(pk=self.id, attempt=self.attempt, state=JobState.RUNNING)

    def __enter__(self) -> Held:
        self._beat = threading.Thread(target=self._keep_alive, name=f"lease-{self.id}", daemon=True)
        self._beat.start()
        return self

    def _keep_alive(self) -> None:
        try:
            while not self._stop.wait(settings.JOB_LEASE_S / 4):
                try:
                    if not self._mine().update(lease_until=_lease()):
                        return
                except DatabaseFault as fault:
                    # A lease outlives several beats; the next one tries again on a new connection.
                    log.warning("job %s: the lease could not be renewed (%s)", self.id, type(fault).__name__)
                    connection.close()
        finally:
            connection.close()

    def step(self, done: int, total: int, message: str = "") -> None:
        changed = (
            self._mine()
            .filter(cancel_asked=False)
            .update(done=done, total=total, message=message[:500], lease_until=_lease())
        )
        if not changed:
            raise Cancelled("This job was cancelled or taken over.")

    def finish(self, result: dict[str, Any], message: str = "") -> None:
        """Write the outcome in the caller's transaction; raises Cancelled when the job is held by another."""
        done = self._mine().update(
            state=JobState.DONE, result=result, message=message[:500], finished_at=timezone.now(), done=F("total")
        )
        if not done:
            raise Cancelled("This job was taken over by another worker.")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._stop.set()
        if self._beat is not None:
            self._beat.join(timeout=5)
        if error is None:
            self._mine().update(state=JobState.DONE, finished_at=timezone.now())
            return False
        if isinstance(error, Cancelled):
            self.cancelled = True
            self._mine().update(state=JobState.CANCELLED, finished_at=timezone.now(), message="Cancelled.")
            return True
        if isinstance(error, Exception):
            self.error = error
            said = getattr(error, "sentence", None)
            # An error with a sentence is foreseen: its trace would tell nobody more.
            log.error("job %s failed%s", self.id, f": {said}" if said else "", exc_info=None if said else error)
            sentence = said or (
                f"It stopped at an unforeseen fault ({type(error).__name__}); the log of the worker says more."
            )
            self._mine().update(state=JobState.FAILED, finished_at=timezone.now(), message=str(sentence)[:500])
            return True
        return False  # SystemExit and the like: the lease runs out and the reaper takes it up again


def begin(kind: str, *, title: str, study: Study | int | None = None, by: Person | None = None) -> Held:
    """Write a job down that this very process carries out: a command at the terminal, on record like the others."""
    job = Job.objects.create(
        kind=kind,
        title=title,
        study_id=study.pk if isinstance(study, Study) else study,
        params=AT_A_TERMINAL,
        started_by=by,
        state=JobState.RUNNING,
        attempt=MOST_ATTEMPTS,  # nobody takes it up again: its input is not the worker's to see
        lease_until=_lease(),
        started_at=timezone.now(),
    )
    return Held(job.pk, MOST_ATTEMPTS, {}, "", job.study, by)


def claim(job_id: str) -> Held | None:
    """Take a waiting job, or one whose lease has run out. None when another worker holds it or it is over."""
    job = Job.objects.select_related("study", "started_by").filter(pk=job_id).first()
    if job is None or job.state not in OPEN:
        return None
    if job.state == JobState.RUNNING and job.lease_until > timezone.now():
        return None
    won = Job.objects.filter(pk=job.pk, attempt=job.attempt, state=job.state).update(
        state=JobState.RUNNING,
        attempt=job.attempt + 1,
        lease_until=_lease(),
        started_at=timezone.now(),
        message="",
    )
    if not won:
        return None
    return Held(job.pk, job.attempt + 1, job.params, job.subject, job.study, job.started_by)


def work(job_id: str, body: Callable[[Held], None]) -> None:
    """Claim a job and carry its body out; a message for a job that is held or over does nothing."""
    held = claim(job_id)
    if held is None:
        return
    with held:
        body(held)
