"""The computation itself, in the worker."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from analytics.models import Run
from analytics.runs.around import context_of
from analytics.runs.rows import OUTCOMES, plan_of
from annotation import handover, jobs

if TYPE_CHECKING:
    from analytics.plans import Plan


class Moved(ValueError):
    """Data or plan are no longer those the run was asked for."""

    sentence = "The data or the plan have changed since this run was asked for. Ask for a new run."


def _still_the_same(run: Run, plan: Plan) -> None:
    """Compute nothing under a key it does not belong to."""
    data = handover.fingerprint(run.study_id, outcomes=run.layer == OUTCOMES)
    if (run.rows_digest, run.plan_digest) != (data, plan.digest()):
        raise Moved(Moved.sentence)


def carry_out(held: jobs.Held) -> None:
    """Compute a run in the worker. The readings are frozen, so doing it again gives the same."""
    from analytics import figures, plans
    from analytics.frames import from_handover

    run = Run.objects.select_related("study").get(pk=held.subject)
    if run.results is not None:
        held.finish({}, "Computed before.")
        return
    held.step(0, 0, "Taking the locked readings over.")
    instrument = handover.protocol(run.study_id)
    patients = handover.clinical(run.study_id) if run.layer == OUTCOMES else []
    read = from_handover(instrument, handover.gradings(run.study_id), patients)
    frames = replace(read, context=context_of(run.study_id))
    plan = plan_of(run.plan, run.layer, instrument)
    _still_the_same(run, plan)
    results = plans.carry_out(plan, frames, seed=run.seed, progress=held.step, processes=plans.processors())
    _still_the_same(run, plan)
    drawn = {name: svg.decode() for name, svg in figures.draw(results).items()}
    with transaction.atomic():
        run.results, run.figures = results.to_document(), drawn
        run.finished_at = timezone.now()
        run.save(update_fields=["results", "figures", "finished_at"])
        held.finish({"entries": len(results.entries)}, "The results are there.")
