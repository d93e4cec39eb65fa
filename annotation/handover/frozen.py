"""What may be seen when, and under which neutral names."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from annotation.access import protocol_of, study_for
from annotation.models import Assignment, Case, Exclusion, Role, State, Study
from annotation.people import Person
from annotation.protocol import Protocol


class StillReading(ValueError):
    """The study has not reached the state in which this may be seen."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Subject:
    """The study as analytics may know it."""

    code: str
    title: str
    plan: str
    plan_digest: str
    state_label: str
    synthetic: bool
    readings_open: bool
    outcomes_open: bool
    protocol: Protocol
    cases: int
    excluded: dict[str, int]
    key: int


def subject(person: Person, code: str) -> Subject:
    return _subject(study_for(person, code, Role.ANALYST))


def about(key: int) -> Subject:
    """Give the study to a worker, which has no person's eyes."""
    return _subject(Study.objects.get(pk=key))


def _subject(study: Study) -> Subject:
    reasons: dict[str, int] = {}
    for reason in Exclusion.objects.filter(patient__study=study).values_list("reason", flat=True):
        reasons[reason] = reasons.get(reason, 0) + 1
    return Subject(
        study.code,
        study.title,
        study.plan,
        study.plan_digest,
        State(study.state).label,
        bool(study.settings.get("synthetic")),
        study.has_reached(State.READINGS_LOCKED),
        study.has_reached(State.UNBLINDED),
        protocol_of(study),
        Case.objects.filter(patient__study=study).count(),
        reasons,
        study.pk,
    )


def frozen(key: int, needed: State) -> Study:
    study = Study.objects.get(pk=key)
    if not study.has_reached(needed):
        raise StillReading(
            f"Study {study.code} is in state “{State(study.state).label}”; this can be seen from “{needed.label}”."
        )
    return study


def protocol(key: int) -> Protocol:
    return protocol_of(Study.objects.get(pk=key))


def counting(study: Study) -> QuerySet[Assignment]:
    superseded = Assignment.objects.filter(study=study, supersedes__isnull=False).values("supersedes")
    return (
        Assignment.objects.filter(study=study, locked_revision__isnull=False, case__patient__exclusion__isnull=True)
        .exclude(pk__in=superseded)
        .select_related("locked_revision", "case__patient", "reader")
        .order_by("case__patient__pseudonym", "reader__username", "round", "form", "occasion")
    )


def reader_names(study: Study) -> dict[int, str]:
    """Name the readers R1, R2 ... in the order of their accounts; an account that is renamed changes nothing.

    Who only read in another round, such as the adjudicator, comes after the readers of the main one.
    """
    found = Assignment.objects.filter(study=study).order_by("reader_id").values_list("reader_id", flat=True).distinct()
    main = list(found.filter(round="main"))
    readers = [*main, *(pk for pk in found if pk not in main)]
    return {pk: f"R{number}" for number, pk in enumerate(readers, start=1)}


def rounds_of(study: Study) -> dict[UUID, str]:
    """Name the round of each reading; a further occasion of the main one that takes no other's place is a repeat.

    One of a practice or adjudication round stays what it is: under another name it would count as a repeat reading.
    """
    found = Assignment.objects.filter(study=study).values_list("pk", "supersedes", "round", "occasion")
    known = {pk: (before, name, occasion) for pk, before, name, occasion in found.iterator()}

    def named(pk: UUID) -> str:
        before, name, occasion = known[pk]
        if before is not None:
            return named(before)
        return name if occasion == 1 or name != "main" else f"{name}_{occasion}"

    return {pk: named(pk) for pk in known}
