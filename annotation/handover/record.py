"""What the study's record adds to an export: the orders the cases were read in, and the trail, without names."""

from __future__ import annotations

from typing import Any, NamedTuple

from annotation.handover.frozen import frozen, reader_names, rounds_of
from annotation.models import Assignment, Event, Patient, Role, State, Study

# Verbs that say nothing of an outcome; what is not listed waits for the unblinding.
BEFORE_UNBLINDING = frozenset(
    {
        *("create study", "freeze plan", "state", "set role", "remove member", "draw order", "save", "lock"),
        *("set aside", "start run", "release case", "withdraw release", "look at images", "set index level"),
        *("correct index level", "set vertebra labels", "set series role", "release series", "exclude series"),
        *("mask series", "purge"),
    }
)
TOLD = ("digest", "form", "round", "from", "to")  # of what an event kept: never a value, a name or free text


class Place(NamedTuple):
    """One place in a reader's random order, as it was drawn and stored."""

    reader: str
    form: str
    round: str
    position: int
    case: str
    locked: bool
    counts: bool


class Happened(NamedTuple):
    """One event of the trail; `about` is a case, a reading or a reader's neutral name. Free text is left out."""

    number: int
    at: str
    who: str
    verb: str
    about: str
    what: str
    digest: str


def key_of(code: str) -> int | None:
    """Find a study by its code, for the operator at the command line."""
    return Study.objects.filter(code=code).values_list("pk", flat=True).first()


def orders(key: int) -> list[Place]:
    """Give every reader's stored order; readings of patients who were left out later stand in it too."""
    study = frozen(key, State.READINGS_LOCKED)
    names, rounds = reader_names(study), rounds_of(study)
    found = Assignment.objects.filter(study=study).select_related("case__patient__exclusion")
    replaced = set(found.filter(supersedes__isnull=False).values_list("supersedes", flat=True))
    return [
        Place(
            names[reading.reader_id],
            reading.form,
            rounds[reading.pk],
            reading.position,
            reading.case.patient.pseudonym,
            reading.locked_revision_id is not None,
            reading.locked_revision_id is not None
            and reading.pk not in replaced
            and not hasattr(reading.case.patient, "exclusion"),
        )
        for reading in found.order_by("reader", "form", "round", "position")
    ]


def happened(key: int) -> list[Happened]:
    """Give the trail; before the unblinding without anything that has to do with outcomes, so its numbers jump."""
    study = frozen(key, State.READINGS_LOCKED)
    known = _Names(study)
    found = Event.objects.filter(study=study).order_by("number")
    if not study.has_reached(State.UNBLINDED):
        found = found.filter(verb__in=BEFORE_UNBLINDING).exclude(role=Role.OUTCOME_ENTRY)
    return [
        Happened(
            event.number,
            event.at.isoformat(timespec="seconds"),
            known.actor(event),
            event.verb,
            known.subject(event.subject),
            _what(event.verb, event.after),
            event.digest,
        )
        for event in found.iterator()
    ]


class _Names:
    """Neutral names of all that an event may name; what is none of it stays empty."""

    def __init__(self, study: Study) -> None:
        self._readers = reader_names(study)
        accounts = Assignment.objects.filter(study=study).values_list("reader", "reader__username").distinct()
        self._accounts = {username: self._readers[pk] for pk, username in accounts}
        self._cases = set(Patient.objects.filter(study=study).values_list("pseudonym", flat=True))
        read = Assignment.objects.filter(study=study).values_list("pk", "reader", "form", "position")
        self._readings = {
            str(pk): f"{self._readers[reader]} {form} {position}" for pk, reader, form, position in read.iterator()
        }
        self._others: dict[int, str] = {}

    def actor(self, event: Event) -> str:
        if event.actor_id is None:
            return "program"
        if event.actor_id in self._readers:
            return self._readers[event.actor_id]
        return self._others.setdefault(event.actor_id, f"P{len(self._others) + 1} ({event.role or 'no role'})")

    def subject(self, text: str) -> str:
        if text in self._cases:
            return text
        return self._readings.get(text) or self._accounts.get(text, "")


def _what(verb: str, after: Any) -> str:
    """Say what an event made, where that is one of the program's own words or digests."""
    if verb == "state" and after in set(State):
        return str(after)
    if isinstance(after, dict):
        return " ".join(f"{name}={after[name]}" for name in TOLD if name in after)
    return ""
