"""What a report says of its run: study, layer, plan, when and with which version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from analytics.models import Run
from analytics.runs.rows import LAYERS, OUTCOMES, deviation_of
from annotation import handover

if TYPE_CHECKING:
    from analytics.stats.result import Results


def facts_of(run: Run, subject: handover.Subject, results: Results) -> dict[str, str]:
    deviation = deviation_of(subject, run.layer, run.plan, run.plan_digest)
    return {
        "Study": f"{subject.title} ({subject.code})",
        "Data": "Synthetic" if subject.synthetic else "Study data",
        "Layer": LAYERS[run.layer],
        "Cases": str(results.subject["cases"]),
        "Plan": deviation or f"{run.plan}{', as frozen with the study' if run.layer == OUTCOMES else ''}",
        "Seed": str(run.seed),
        "Computed": f"{run.finished_at:%Y-%m-%d %H:%M} UTC" if run.finished_at else "",
        "Spondy": _program(run.program),
    }


def _program(computed_by: str) -> str:
    """Name the program's version; files of an older run are made by the version that is there now."""
    now = str(settings.VERSION)
    return computed_by if computed_by in ("", now) else f"{computed_by} (files by {now})"
