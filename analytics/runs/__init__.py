"""DOOR of the analyst: takes the handover, carries out the plan, keeps the run."""

from __future__ import annotations

import platform
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from analytics.models import Run
from annotation import handover, jobs, trail
from annotation.people import Person

if TYPE_CHECKING:  # scipy and statsmodels are heavy; a page that only lists runs does not load them
    from analytics.plans import Plan
    from analytics.report import Table
    from analytics.stats.result import Results

READINGS, OUTCOMES = "readings", "outcomes"
LAYERS = {READINGS: "Agreement of the readers", OUTCOMES: "Readings with outcomes"}
PACKAGES = ("numpy", "scipy", "pandas", "statsmodels", "django", "pydicom")


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


@dataclass(frozen=True)
class Home:
    """What the analyst sees first: what may be computed now, and what has been."""

    code: str
    title: str
    state_label: str
    synthetic: bool
    layer: str
    layer_label: str
    sentence: str
    plan: str
    plans: tuple[tuple[str, str], ...]
    runs: tuple[RunRow, ...]


@dataclass(frozen=True)
class Shown:
    """A finished run with its facts; `results` is unrounded."""

    row: RunRow
    results: Results
    facts: Mapping[str, str]
    study: str
    title: str
    synthetic: bool
    digests: Mapping[str, str]
    figures: Mapping[str, str]
    captions: Mapping[str, str]


def _layer(subject: handover.Subject) -> str:
    return OUTCOMES if subject.outcomes_open else READINGS if subject.readings_open else ""


def home(person: Person, code: str) -> Home:
    subject = handover.subject(person, code)
    layer = _layer(subject)
    found = Run.objects.select_related("job__study").filter(study_id=subject.key).order_by("-created_at")
    sentence = {
        "": "The readings are not locked yet. Agreement can be computed once the study is closed.",
        READINGS: "The readings are locked. Agreement can be computed; outcomes follow after unblinding.",
        OUTCOMES: "The study is unblinded. Everything the plan names can be computed.",
    }[layer]
    return Home(
        subject.code,
        subject.title,
        subject.state_label,
        subject.synthetic,
        layer,
        LAYERS.get(layer, ""),
        sentence,
        subject.plan,
        _choice(subject, layer),
        tuple(_row(run, subject) for run in found),
    )


def _choice(subject: handover.Subject, layer: str) -> tuple[tuple[str, str], ...]:
    """Give the plans that may be asked for: with outcomes all that fit the instrument, before them no choice."""
    from analytics import plans

    fitting = (one for one in plans.titles() if plans.get(one[0]).protocol == subject.protocol.code)
    return tuple(fitting) if layer == OUTCOMES else ()


def _row(run: Run, subject: handover.Subject) -> RunRow:
    card = jobs.look(run.job_id) if run.job_id else None
    deviation = _deviation(subject, run.layer, run.plan, run.plan_digest)
    return RunRow(run.pk, LAYERS[run.layer], run.plan, deviation, run.created_at, run.finished_at, card)


def _plan(code: str, layer: str, instrument: Any) -> Plan:
    from analytics import plans

    if layer == OUTCOMES:
        return plans.planned(code, instrument)
    return plans.agreement_for(instrument, of=code)


def _deviation(subject: handover.Subject, layer: str, code: str, digest: str) -> str:
    """Say how a run's plan differs from the one frozen with the study; before the outcomes its own agreement is run."""
    if layer != OUTCOMES or digest == subject.plan_digest:
        return ""
    if not subject.plan_digest:
        return "No analysis plan was frozen with this study."
    if code != _plan(subject.plan, layer, subject.protocol).code:
        return f"Deviation: plan “{code}” was run; the study froze plan “{subject.plan}” before the first reading."
    return f"Deviation: plan “{code}” is no longer the version the study froze before the first reading."


def start(person: Person, code: str, *, plan_code: str = "") -> uuid.UUID:
    """Ask for a run over what may be seen now. The same data, plan and seed give the run that is there already.

    With outcomes another plan than the study's may be asked for; the trail and the report then call it a deviation.
    """
    subject = handover.subject(person, code)
    layer = _layer(subject)
    if not layer:
        raise handover.StillReading("The readings are not locked yet; there is nothing to compute.")
    if plan_code and plan_code not in dict(_choice(subject, layer)):
        raise NothingThere
    plan = _plan(plan_code or subject.plan, layer, subject.protocol)
    deviation = _deviation(subject, layer, plan.code, plan.digest())
    keyed = {
        "study_id": subject.key,
        "layer": layer,
        "plan_digest": plan.digest(),
        "rows_digest": handover.fingerprint(subject.key, outcomes=layer == OUTCOMES),
        "seed": 0,
    }
    try:
        with transaction.atomic():
            run, made = Run.objects.get_or_create(
                **keyed, defaults={"plan": plan.code, "versions": _versions(), "asked_by": person}
            )
            if made or _ended_without_result(run):
                card = jobs.start(
                    "analyse",
                    title=f"{LAYERS[layer]}: plan {plan.code}",
                    study=subject.key,
                    subject=str(run.pk),
                    by=person,
                )
                run.job_id = card.id
                run.save(update_fields=["job"])
                trail.record(subject.key, person, "start run", subject=str(run.pk), after=layer, reason=deviation)
    except IntegrityError:
        run = Run.objects.get(**keyed)
    return run.pk


def _ended_without_result(run: Run) -> bool:
    return run.results is None and (run.job_id is None or not jobs.look(run.job_id).is_open)


def _versions() -> dict[str, str]:
    return {"spondy": settings.VERSION, "python": platform.python_version(), **{p: version(p) for p in PACKAGES}}


def cancel(person: Person, code: str, run_id: uuid.UUID) -> None:
    run = _own(person, code, run_id)
    if run.job_id:
        jobs.ask_to_cancel(run.job_id)


def card(person: Person, code: str, run_id: uuid.UUID) -> RunRow:
    return _row(_own(person, code, run_id), handover.subject(person, code))


def _own(person: Person, code: str, run_id: uuid.UUID) -> Run:
    subject = handover.subject(person, code)
    run = Run.objects.filter(pk=run_id, study_id=subject.key).first()
    if run is None:
        raise NothingThere
    return run


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
    frames = from_handover(instrument, handover.gradings(run.study_id), patients)
    plan = _plan(run.plan, run.layer, instrument)
    _still_the_same(run, plan)
    results = plans.carry_out(plan, frames, seed=run.seed, progress=held.step, processes=plans.processors())
    _still_the_same(run, plan)
    drawn = {name: svg.decode() for name, svg in figures.draw(results).items()}
    with transaction.atomic():
        run.results, run.figures = results.to_document(), drawn
        run.finished_at = timezone.now()
        run.save(update_fields=["results", "figures", "finished_at"])
        held.finish({"entries": len(results.entries)}, "The results are there.")


class Moved(ValueError):
    """Data or plan are no longer those the run was asked for."""

    sentence = "The data or the plan have changed since this run was asked for. Ask for a new run."


def _still_the_same(run: Run, plan: Plan) -> None:
    """Compute nothing under a key it does not belong to."""
    data = handover.fingerprint(run.study_id, outcomes=run.layer == OUTCOMES)
    if (run.rows_digest, run.plan_digest) != (data, plan.digest()):
        raise Moved(Moved.sentence)


def shown(person: Person, code: str, run_id: uuid.UUID) -> Shown:
    from analytics.figures import TITLES
    from analytics.stats.result import Results

    run = _own(person, code, run_id)
    if run.results is None:
        raise NothingThere
    subject = handover.subject(person, code)
    results = Results.from_document(run.results)
    row = _row(run, subject)
    facts = {
        "Study": f"{subject.title} ({subject.code})",
        "Data": "Synthetic" if subject.synthetic else "Study data",
        "Layer": LAYERS[run.layer],
        "Cases": str(results.subject["cases"]),
        "Plan": row.deviation or f"{run.plan}{', as frozen with the study' if run.layer == OUTCOMES else ''}",
        "Computed": f"{run.finished_at:%Y-%m-%d %H:%M} UTC" if run.finished_at else "",
        "Spondy": _program(run.versions.get("spondy", "")),
    }
    return Shown(
        row,
        results,
        facts,
        subject.code,
        subject.title,
        subject.synthetic,
        {"data": run.rows_digest, "plan": run.plan_digest},
        run.figures,
        {name: TITLES.get(name, name) for name in run.figures},
    )


def _program(computed_by: str) -> str:
    """Name the program's version; the same data and plan give the run that is there, also after an upgrade."""
    now = str(settings.VERSION)
    return computed_by if computed_by in ("", now) else f"{computed_by} (the program is now {now})"


def tables(seen: Shown) -> list[Table]:
    from analytics import report

    return report.tables(seen.results)


def file(seen: Shown, name: str) -> bytes:
    """Give one file of the export by its exact path; what is asked for often is not made from all the others."""
    from analytics import export

    folder, _, stem = name.rpartition("/")
    if folder == "figures" and stem.removesuffix(".svg") in seen.figures:
        return seen.figures[stem.removesuffix(".svg")].encode()
    if folder == "tables" and stem in (tables := export.tables_csv(seen.results)):
        return tables[stem].encode()
    if name == "estimates.csv":
        return export.estimates_csv(seen.results).encode()
    made = files(seen)
    if name not in made:
        raise NothingThere
    return made[name]


def files(seen: Shown) -> dict[str, bytes]:
    """Give every file of the run's export by its relative path."""
    from analytics import export

    return export.bundle(seen.results, title=seen.title, inputs=seen.digests, facts=seen.facts)
