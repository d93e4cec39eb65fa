"""Where a study stands: its steps, the next thing to do, progress as counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q

from annotation import jobs, pace
from annotation.access import protocol_of, study_for
from annotation.desk.facts import told_of
from annotation.models import Assignment, Case, ClinicalValue, Event, Membership, Role, Series, State, Study
from annotation.people import Person

IMPORT_KINDS = ("import", "phantom")


@dataclass(frozen=True)
class StudyStep:
    """One step of a study in the order it is done; `state` is done, now, or later."""

    code: str
    title: str
    state: str
    note: str


@dataclass(frozen=True)
class Board:
    code: str
    title: str
    state: str
    state_label: str
    synthetic: bool
    protocol: str
    protocol_digest: str
    steps: tuple[StudyStep, ...]
    next_sentence: str
    next_step: str
    counts: dict[str, int]


@dataclass(frozen=True)
class ProgressRow:
    reader: str
    form: str
    form_title: str
    locked: int
    begun: int
    set_aside: int
    of: int
    median_minutes: float | None = None
    """Active minutes of a submitted reading, the middle one of `timed`; None where no page told of any."""
    timed: int = 0

    @property
    def percent(self) -> int:
        return self.locked * 100 // self.of if self.of else 0


@dataclass(frozen=True)
class EventRow:
    number: int
    at: datetime
    actor: str
    role: str
    verb: str
    subject: str
    before: str
    after: str
    reason: str


def _counts(study: Study) -> dict[str, int]:
    """Count what the steps tell. What an excluded patient lacks is nobody's work, so it is not counted as open."""
    kept = Q(patient__exclusion__isnull=True)
    told = Exists(ClinicalValue.objects.filter(patient=OuterRef("patient")))
    cases = (
        Case.objects.filter(patient__study=study)
        .annotate(told=told, pictured=Exists(Series.objects.filter(case=OuterRef("pk"))))
        .aggregate(
            cases=Count("id"),
            released=Count("id", filter=kept & Q(released_at__isnull=False)),
            excluded=Count("id", filter=~kept),
            waiting=Count("id", filter=kept & Q(released_at__isnull=True)),
            tabled=Count("id", filter=Q(told=True)),
            tableless=Count("id", filter=kept & Q(told=False)),
            imageless=Count("id", filter=kept & Q(pictured=False)),
        )
    )
    readings = Assignment.objects.filter(study=study).aggregate(
        readings=Count("id"), locked=Count("id", filter=Q(locked_revision__isnull=False))
    )
    undecided = ~Q(held_reason="") & Q(excluded_reason="", case__patient__exclusion__isnull=True)
    series = Series.objects.filter(case__patient__study=study).aggregate(
        series=Count("id"), other=Count("id", filter=Q(role="OTHER")), held=Count("id", filter=undecided)
    )
    readers = Membership.objects.filter(study=study, role=Role.READER).count()
    return {**cases, **readings, **series, "readers": readers}


def board(person: Person, code: str) -> Board:
    study = study_for(person, code, Role.COORDINATOR)
    counts = _counts(study)
    state = State(study.state)
    sentence, step = _next(study, counts)
    return Board(
        study.code,
        study.title,
        state.value,
        state.label,
        bool(study.settings.get("synthetic")),
        f"{study.protocol_code} version {study.protocol_version}",
        study.protocol_digest,
        _steps(study, counts, step),
        sentence,
        step,
        counts,
    )


def _next(study: Study, counts: dict[str, int]) -> tuple[str, str]:
    state = State(study.state)
    if state == State.UNBLINDED:
        return "The study is unblinded. The analyst has readings and outcomes.", "unblinding"
    if state in (State.CLOSED, State.READINGS_LOCKED, State.ADJUDICATION):
        return "All readings are locked. Unblind the study to join readings and outcomes.", "unblinding"
    if state == State.READING:
        left = counts["readings"] - counts["locked"]
        if left:
            return (
                f"{left} of {counts['readings']} readings are open. Nothing to do until the readers are through.",
                "progress",
            )
        return "Every reading is submitted. Close the study.", "closing"
    return _next_before_reading(study, counts)


def _next_before_reading(study: Study, counts: dict[str, int]) -> tuple[str, str]:
    if not counts["cases"]:
        return "Import the cohort: images and the clinical table.", "import"
    if counts["held"]:
        return f"{_of(counts['held'], 'series waits', 'series wait')} for a decision.", "series"
    if counts["waiting"]:
        if counts["imageless"] and study.settings.get("images") != "none":
            return f"{_of(counts['imageless'], 'case has', 'cases have')} no images.", "import"
        # Without any clinical table the study asks for agreement alone; then no row is missed.
        if 0 < counts["tableless"] < counts["cases"] - counts["excluded"]:
            return f"{_of(counts['tableless'], 'case has', 'cases have')} no clinical row.", "clinical"
        return f"{_of(counts['waiting'], 'case waits', 'cases wait')} for release.", "release"
    if counts["readers"] < 2:
        return "Name two readers.", "readers"
    if study.state == State.DRAFT:
        return "Everything is there. Freeze the protocol.", "setup"
    return "Begin reading: the order is drawn and the rooms open.", "readers"


def _of(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _steps(study: Study, counts: dict[str, int], now: str) -> tuple[StudyStep, ...]:
    def step(code: str, title: str, done: bool, note: str) -> StudyStep:
        return StudyStep(code, title, "now" if code == now else "done" if done else "later", note)

    kept = counts["cases"] - counts["excluded"]
    decided = counts["cases"] > 0 and counts["waiting"] == 0
    all_locked = 0 < counts["readings"] == counts["locked"]
    told = f"{counts['tableless']} missing" if counts["tableless"] else _of(counts["tabled"], "row", "rows")
    stated, asked = told_of(study)
    held = f"{counts['held']} held" if counts["held"] else f"{counts['series']} series"
    return (
        step("setup", "Set-up", study.has_reached(State.FROZEN), State(study.state).label),
        step("import", "Import", counts["cases"] > 0, _of(counts["cases"], "case", "cases")),
        step("clinical", "Clinical table", kept > 0 == counts["tableless"], told),
        step("series", "Series", counts["series"] > 0 == counts["held"], held),
        step("eligibility", "Eligibility", decided, f"{kept} of {counts['cases']}"),
        step("release", "Release", decided, f"{counts['released']} of {kept}"),
        step("readers", "Readers", study.has_reached(State.READING), _of(counts["readers"], "reader", "readers")),
        step("progress", "Progress", all_locked, f"{counts['locked']} of {counts['readings']}"),
        step("closing", "Close", study.has_reached(State.CLOSED), ""),
        step("unblinding", "Unblinding", study.state == State.UNBLINDED, ""),
        step("facts", "Facts", stated == asked, f"{stated} of {asked}"),
        step("trail", "Trail", False, ""),
    )


def progress(person: Person, code: str) -> list[ProgressRow]:
    """Give how far each reader is in each form and how long a case takes, as counts and nothing else."""
    study = study_for(person, code, Role.COORDINATOR)
    minutes = _minutes(study)
    titles = {form.code: form.title for form in protocol_of(study).forms}
    rows = (
        Assignment.objects.filter(study=study)
        .values("reader__username", "form")
        .annotate(
            of=Count("id", distinct=True),
            locked=Count("id", filter=Q(locked_revision__isnull=False), distinct=True),
            begun=Count("id", filter=Q(revisions__number=1, locked_revision__isnull=True), distinct=True),
            aside=Count("id", filter=Q(set_aside_at__isnull=False, locked_revision__isnull=True), distinct=True),
        )
        .order_by("reader__username", "form")
    )
    return [
        ProgressRow(
            row["reader__username"],
            row["form"],
            titles.get(row["form"], row["form"]),
            row["locked"],
            row["begun"],
            row["aside"],
            row["of"],
            *_middle(minutes.get((row["reader__username"], row["form"]), [])),
        )
        for row in rows
    ]


def _minutes(study: Study) -> dict[tuple[str, str], list[float]]:
    """Give the active minutes of each submitted reading, by reader and form."""
    known = pace.paces(study)
    found: dict[tuple[str, str], list[float]] = {}
    locked = Assignment.objects.filter(study=study, locked_revision__isnull=False)
    for pk, reader, form in locked.values_list("pk", "reader__username", "form"):
        active_s = known[pk].active_s if pk in known else None
        if active_s is not None:
            found.setdefault((reader, form), []).append(active_s / 60)
    return found


def _middle(minutes: list[float]) -> tuple[float | None, int]:
    return (median(minutes) if minutes else None), len(minutes)


def _words(value: Any) -> str:
    """Write what an event keeps as a person reads it; a digest is known by its beginning."""
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_words(one)}" for name, one in value.items())
    if value is None:
        return ""
    text = str(value)
    return f"{text[:12]}…" if len(text) == 64 and text.isalnum() else text


def events(person: Person, code: str, *, before: int | None = None, most: int = 100) -> list[EventRow]:
    """Give the newest events of the trail; saves of answers are left out, they are the readers' own."""
    study = study_for(person, code, Role.COORDINATOR)
    found = Event.objects.select_related("actor").filter(study=study).exclude(verb="save").order_by("-number")
    if before is not None:
        found = found.filter(number__lt=before)
    return [
        EventRow(
            event.number,
            event.at,
            event.actor.username if event.actor else "operator",
            event.role,
            event.verb,
            "" if event.verb in {"lock", "set aside"} else event.subject,
            _words(event.before),
            "" if event.verb == "lock" else _words(event.after),
            event.reason,
        )
        for event in found[:most]
    ]


def jobs_of(person: Person, code: str) -> list[jobs.Card]:
    study = study_for(person, code, Role.COORDINATOR)
    return jobs.of(study, kinds=IMPORT_KINDS)
