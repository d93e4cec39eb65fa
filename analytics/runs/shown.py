"""A finished run as pages and files."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings

from analytics.runs.rows import LAYERS, OUTCOMES, NothingThere, RunRow, own, row_of
from annotation import handover
from annotation.people import Person

if TYPE_CHECKING:
    from analytics.report import Table
    from analytics.stats.result import Results


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


def shown(person: Person, code: str, run_id: uuid.UUID) -> Shown:
    from analytics.figures import TITLES
    from analytics.stats.result import Results

    run = own(person, code, run_id)
    if run.results is None:
        raise NothingThere
    subject = handover.subject(person, code)
    results = Results.from_document(run.results)
    row = row_of(run, subject)
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

    return [table.plain() for table in report.tables(seen.results)]


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
