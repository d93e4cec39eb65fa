"""What every part of the door needs: layers, a person's own run, its line in a list, its plan."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from analytics.models import Run
from annotation import handover, jobs
from annotation.people import Person

if TYPE_CHECKING:  # scipy and statsmodels are heavy; a page that only lists runs does not load them
    from analytics.plans import Plan

READINGS, OUTCOMES = "readings", "outcomes"
LAYERS = {READINGS: "Agreement of the readers", OUTCOMES: "Readings with outcomes"}


SURE_PERCENT = 5  # of the work, before a guess is worth telling
MINUTE_S = 90


class NothingThere(LookupError):
    """No such run for this person, or not finished yet."""

    sentence = "There is no such run for you."


@dataclass(frozen=True)
class RunRow:
    id: uuid.UUID
    layer: str
    plan: str
    deviation: str
    created_at: datetime
    finished_at: datetime | None
    job: jobs.Card | None
    ready: bool
    time_left: str


def layer_of(subject: handover.Subject) -> str:
    return OUTCOMES if subject.outcomes_open else READINGS if subject.readings_open else ""


def row_of(run: Run, subject: handover.Subject) -> RunRow:
    card = jobs.look(run.job_id) if run.job_id else None
    deviation = deviation_of(subject, run.layer, run.plan, run.plan_digest)
    return RunRow(
        run.pk,
        LAYERS[run.layer],
        run.plan,
        deviation,
        run.created_at,
        run.finished_at,
        card,
        bool(run.archive),
        time_left(card),
    )


def time_left(card: jobs.Card | None, now: datetime | None = None) -> str:
    """Say in words how long a running job will take, judged by how long its part so far took."""
    if card is None or not card.is_open or card.started_at is None or card.percent < SURE_PERCENT:
        return ""
    passed = ((now or timezone.now()) - card.started_at).total_seconds()
    left = round(passed * (100 - card.percent) / card.percent)
    return f"about {left} s left" if left < MINUTE_S else f"about {round(left / 60)} min left"


def plan_of(code: str, layer: str, instrument: Any) -> Plan:
    from analytics import plans

    if layer == OUTCOMES:
        return plans.planned(code, instrument)
    return plans.agreement_for(instrument, of=code)


def deviation_of(subject: handover.Subject, layer: str, code: str, digest: str) -> str:
    """Say how a run's plan differs from the one frozen with the study; before the outcomes its own agreement is run."""
    if layer != OUTCOMES or digest == subject.plan_digest:
        return ""
    if not subject.plan_digest:
        return "No analysis plan was frozen with this study."
    if code != plan_of(subject.plan, layer, subject.protocol).code:
        return f"Deviation: plan “{code}” was run; the study froze plan “{subject.plan}” before the first reading."
    return f"Deviation: plan “{code}” is no longer the version the study froze before the first reading."


def own(person: Person, code: str, run_id: uuid.UUID) -> Run:
    subject = handover.subject(person, code)
    run = Run.objects.filter(pk=run_id, study_id=subject.key).first()
    if run is None:
        raise NothingThere
    return run
