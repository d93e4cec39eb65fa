"""The whole export of a study for the operator at the command line."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from analytics.models import Run
from analytics.runs import kept
from analytics.runs.rows import OUTCOMES, layer_of, plan_of
from analytics.runs.work import composed_of, files_of, frames_of
from annotation import handover

if TYPE_CHECKING:
    from analytics.stats.result import Results

Told = Callable[[int, int, str], None]


class NoExport(LookupError):
    """There is nothing to export, and the sentence says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def exported(code: str, run_id: uuid.UUID | None = None, *, told: Told) -> bytes:
    """Give the archive of a run: of the one that is named, of the newest finished one, or of one computed here.

    What is computed here is not kept as a run.
    """
    key = handover.key_of(code)
    if key is None:
        raise NoExport(f"There is no study {code}.")
    run = _finished(key, code, run_id)
    if run is not None and run.archive:
        with kept.whole(run.archive) as file:
            return file.read()
    subject = handover.about(key)
    if not layer_of(subject):
        raise NoExport("The readings are not locked yet; there is nothing to export.")
    unsaved = _unsaved(subject)
    results = _computed(unsaved, subject, told)
    return kept.packed(files_of(unsaved, results, subject, composed_of(unsaved, results, subject), told=told))


def _finished(key: int, code: str, run_id: uuid.UUID | None) -> Run | None:
    found = Run.objects.filter(study_id=key, results__isnull=False).exclude(archive="").order_by("-finished_at")
    if run_id is None:
        return found.first()
    run = found.filter(pk=run_id).first()
    if run is None:
        raise NoExport(f"Study {code} has no finished run {run_id}.")
    return run


def _unsaved(subject: handover.Subject) -> Run:
    layer = layer_of(subject)
    plan = plan_of(subject.plan, layer, subject.protocol)
    rows = handover.fingerprint(subject.key, outcomes=layer == OUTCOMES)
    known = {"study_id": subject.key, "layer": layer, "plan": plan.code, "program": settings.VERSION}
    return Run(**known, plan_digest=plan.digest(), rows_digest=rows, finished_at=timezone.now())


def _computed(run: Run, subject: handover.Subject, told: Told) -> Results:
    from analytics import plans

    plan = plan_of(run.plan, run.layer, subject.protocol)
    return plans.carry_out(plan, frames_of(run), seed=run.seed, progress=told, processes=plans.processors())
