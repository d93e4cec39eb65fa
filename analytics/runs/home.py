"""What the analyst sees first: what may be computed now, and what has been."""

from __future__ import annotations

from dataclasses import dataclass

from analytics.models import Run
from analytics.runs.rows import LAYERS, OUTCOMES, READINGS, RunRow, layer_of, row_of
from annotation import handover
from annotation.people import Person


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

    @property
    def finished(self) -> tuple[RunRow, ...]:
        """The runs that have numbers, the newest first."""
        return tuple(run for run in self.runs if run.finished_at is not None)


def home(person: Person, code: str) -> Home:
    subject = handover.subject(person, code)
    layer = layer_of(subject)
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
        choice(subject, layer),
        tuple(row_of(run, subject) for run in found),
    )


def choice(subject: handover.Subject, layer: str) -> tuple[tuple[str, str], ...]:
    """Give the plans that may be asked for: with outcomes all that fit the instrument, before them no choice."""
    from analytics import plans

    fitting = (one for one in plans.titles() if plans.get(one[0]).protocol == subject.protocol.code)
    return tuple(fitting) if layer == OUTCOMES else ()
