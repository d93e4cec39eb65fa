"""Asking for a run, and calling it off."""

from __future__ import annotations

import platform
import uuid
from importlib.metadata import version

from django.conf import settings
from django.db import IntegrityError, transaction

from analytics.models import Run
from analytics.runs.home import choice
from analytics.runs.rows import LAYERS, OUTCOMES, NothingThere, RunRow, deviation_of, layer_of, own, plan_of, row_of
from analytics.runs.work import still_the_same
from annotation import handover, jobs, trail
from annotation.people import Person

WRITTEN_AGAIN = "The files are written again with the facts as they are stated now."
PACKAGES = ("numpy", "scipy", "pandas", "statsmodels", "django", "pydicom")


def start(person: Person, code: str, *, plan_code: str = "") -> uuid.UUID:
    """Ask for a run over what may be seen now. The same data, plan and seed give the run that is there already.

    With outcomes another plan than the study's may be asked for; the trail and the report then call it a deviation.
    """
    subject = handover.subject(person, code)
    layer = layer_of(subject)
    if not layer:
        raise handover.StillReading("The readings are not locked yet; there is nothing to compute.")
    if plan_code and plan_code not in dict(choice(subject, layer)):
        raise NothingThere
    plan = plan_of(plan_code or subject.plan, layer, subject.protocol)
    deviation = deviation_of(subject, layer, plan.code, plan.digest())
    keyed = {
        "study_id": subject.key,
        "layer": layer,
        "plan_digest": plan.digest(),
        "rows_digest": handover.fingerprint(subject.key, outcomes=layer == OUTCOMES),
        "seed": 0,
        "program": settings.VERSION,
    }
    try:
        with transaction.atomic():
            run, made = Run.objects.get_or_create(
                **keyed, defaults={"plan": plan.code, "versions": versions(), "asked_by": person}
            )
            if made or _stopped(run):
                _send(run, person, reason=deviation)
    except IntegrityError:
        run = Run.objects.get(**keyed)
    return run.pk


def again(person: Person, code: str, run_id: uuid.UUID) -> None:
    """Take a run up again that was cancelled, failed or has no files; what it has computed is not computed again.

    The files of a finished run are written again: facts may have been stated since. Its numbers stay.
    """
    with transaction.atomic():
        run = Run.objects.select_for_update().get(pk=own(person, code, run_id).pk)
        subject = handover.subject(person, code)
        reason = deviation_of(subject, run.layer, run.plan, run.plan_digest)
        if run.archive:
            still_the_same(run, plan_of(run.plan, run.layer, subject.protocol))
            run.archive = run.page = ""
            run.save(update_fields=["archive", "page"])
            reason = f"{WRITTEN_AGAIN} {reason}".strip()
        if _stopped(run):
            _send(run, person, reason=reason)


def _stopped(run: Run) -> bool:
    """Say whether a run lacks its files and nobody is at work on it."""
    return not run.archive and (run.job_id is None or not jobs.look(run.job_id).is_open)


def _send(run: Run, person: Person, *, reason: str) -> None:
    card = jobs.start(
        "analyse", title=f"{LAYERS[run.layer]}: plan {run.plan}", study=run.study_id, subject=str(run.pk), by=person
    )
    run.job_id = card.id
    run.save(update_fields=["job"])
    trail.record(run.study_id, person, "start run", subject=str(run.pk), after=run.layer, reason=reason)


def versions() -> dict[str, str]:
    return {"spondy": settings.VERSION, "python": platform.python_version(), **{p: version(p) for p in PACKAGES}}


def cancel(person: Person, code: str, run_id: uuid.UUID) -> None:
    run = own(person, code, run_id)
    if run.job_id:
        jobs.ask_to_cancel(run.job_id)


def card(person: Person, code: str, run_id: uuid.UUID) -> RunRow:
    return row_of(own(person, code, run_id), handover.subject(person, code))
