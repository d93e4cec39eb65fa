"""The work of a run, in the worker: computed once, then every file made and kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from analytics.models import Run
from analytics.runs import kept
from analytics.runs.around import about_of, context_of
from analytics.runs.basis import basis_of
from analytics.runs.body import body
from analytics.runs.facts import facts_of
from analytics.runs.record import record_of
from analytics.runs.rows import OUTCOMES, deviation_of, plan_of
from annotation import handover, jobs

if TYPE_CHECKING:
    from analytics.frames import Frames
    from analytics.plans import Plan
    from analytics.report.document import Report
    from analytics.stats.result import Results

# A bar in percent: how much of the whole work each part is, as measured on the demo study.
WHOLE, COMPUTED = 100, 60


class Moved(ValueError):
    """Data or plan are no longer those the run was asked for."""

    sentence = "The data or the plan have changed since this run was asked for. Ask for a new run."


def still_the_same(run: Run, plan: Plan) -> None:
    """Compute nothing, and write nothing, under a key it does not belong to."""
    data = handover.fingerprint(run.study_id, outcomes=run.layer == OUTCOMES)
    if (run.rows_digest, run.plan_digest) != (data, plan.digest()):
        raise Moved(Moved.sentence)


def frames_of(run: Run) -> Frames:
    """Take the locked readings of a run over as frames."""
    from analytics.frames import from_handover

    patients = handover.clinical(run.study_id) if run.layer == OUTCOMES else []
    read = from_handover(handover.protocol(run.study_id), handover.gradings(run.study_id), patients)
    return replace(read, context=context_of(run.study_id))


def carry_out(held: jobs.Held) -> None:
    """Compute a run and make its files. Both are done once: what a killed worker has kept is not done again."""
    run = Run.objects.select_related("study").get(pk=held.subject)
    if run.archive:
        held.finish({}, "Computed before.")
        return
    numbers(held)
    _filed(run, held)


def numbers(held: jobs.Held) -> Results:
    """Compute what a run asks for, unless that is done, and keep it."""
    from analytics.stats.result import Results

    run = Run.objects.select_related("study").get(pk=held.subject)
    if run.results is not None:
        return Results.from_document(run.results)
    held.step(0, WHOLE, "Taking the locked readings over.")
    return _computed(run, held)


def share(held: jobs.Held, low: int, high: int) -> Callable[[int, int, str], None]:
    """Report a part's own steps as its share of the whole; a cancel is noticed at each."""

    def step(done: int, of: int, words: str) -> None:
        held.step(low + (high - low) * done // max(of, 1), WHOLE, words)

    return step


def _computed(run: Run, held: jobs.Held) -> Results:
    from analytics import plans

    frames = frames_of(run)
    plan = plan_of(run.plan, run.layer, handover.protocol(run.study_id))
    still_the_same(run, plan)
    told = share(held, 0, COMPUTED)
    results = plans.carry_out(plan, frames, seed=run.seed, progress=told, processes=plans.processors())
    still_the_same(run, plan)
    patients = handover.clinical(run.study_id) if run.layer == OUTCOMES else []
    run.basis = basis_of(handover.gradings(run.study_id), patients, plan)
    run.results, run.finished_at = results.to_document(), timezone.now()
    held.step(COMPUTED, WHOLE, "The results are there.")
    run.save(update_fields=["results", "basis", "finished_at"])
    return results


def _filed(run: Run, held: jobs.Held) -> None:
    """Make every file, keep them as one archive, and write the page.

    They are made from what is kept, not from what was just computed: so a second worker makes equal ones.
    """
    from analytics.stats.result import Results

    run.refresh_from_db()
    results = Results.from_document(run.results or {})
    subject = handover.about(run.study_id)
    # The files hold data and plan beside the numbers: others than those they came from would be a false report.
    still_the_same(run, plan_of(run.plan, run.layer, subject.protocol))
    composed = composed_of(run, results, subject)
    files = files_of(run, results, subject, composed, told=share(held, COMPUTED, WHOLE - 5))
    held.step(WHOLE - 5, WHOLE, "Keeping the files.")
    archive = kept.keep(run.pk, files)
    page = kept.keep_page(run.pk, body(composed, files))
    with transaction.atomic():
        run.archive, run.page = archive, page
        run.save(update_fields=["archive", "page"])
        held.finish({"entries": len(results.entries), "files": len(files)}, "The results are there.")


def composed_of(run: Run, results: Results, subject: handover.Subject) -> Report:
    """Put the report together: results, and what people stated of the study."""
    from analytics import report

    about = about_of(run.study_id, deviation_of(subject, run.layer, run.plan, run.plan_digest))
    return report.compose(results, subject.title, facts_of(run, subject, results), about)


def files_of(
    run: Run, results: Results, subject: handover.Subject, composed: Report, *, told: Callable[[int, int, str], None]
) -> dict[str, bytes]:
    """Make every file of a run, by its path inside the archive."""
    from analytics import export

    return export.bundle(
        results,
        title=subject.title,
        inputs={"data": run.rows_digest, "plan": run.plan_digest},
        facts=facts_of(run, subject, results),
        frames=frames_of(run),
        plan=plan_of(run.plan, run.layer, subject.protocol),
        record=record_of(run.study_id),
        report=composed,
        told=told,
    )
