"""What is stored of a study's patients, in a handful of queries, and what of it a table may no longer change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from annotation.intake.clinical.columns import TARGETS
from annotation.intake.clinical.rows import OUTCOMES, ClinicalError, Row
from annotation.intake.clinical.values import Value, follow_up, stem_of
from annotation.intake.exclusions import further
from annotation.models import Assignment, Case, ClinicalValue, Event, Exclusion, Membership, Patient, Role, State, Study

Spot = tuple[str, str]
"""Name and time point of a stored value."""


@dataclass(frozen=True)
class Stored:
    """The newest row of one value; `by_hand` where the outcome entry wrote it."""

    text: str
    number: float | None
    by_hand: bool

    def says(self, value: Value) -> bool:
        return (self.text, self.number) == (value.text, value.number)


@dataclass
class Known:
    """One patient as the database has it."""

    key: int
    pseudonym: str
    case: int | None = None
    level: str = ""
    exclusion: tuple[str, ...] = ()
    in_reading: bool = False
    level_by_hand: bool = False
    brought_back: bool = False
    values: dict[Spot, Stored] = field(default_factory=dict)

    def stored(self, name: str) -> Stored | None:
        return self.values.get(stem_of(name))


@dataclass(frozen=True)
class Standing:
    """Every patient of a study by the hash of the identifier."""

    locked: bool
    known: dict[str, Known]

    @classmethod
    def of(cls, study: Study) -> Standing:
        found: dict[int, Known] = {}
        hashes: dict[str, Known] = {}
        for pk, pseudonym, person in Patient.objects.filter(study=study).values_list(
            "pk", "pseudonym", "identifier_hash"
        ):
            hashes[person] = found[pk] = Known(pk, pseudonym)
        in_reading = set(Assignment.objects.filter(study=study).values_list("case", flat=True).distinct())
        for pk, patient, level in Case.objects.filter(patient__study=study).values_list(
            "pk", "patient", "lysis_vertebra"
        ):
            found[patient].case, found[patient].level = pk, level
            found[patient].in_reading = pk in in_reading
        for patient, reason, note in Exclusion.objects.filter(patient__study=study).values_list(
            "patient", "reason", "note"
        ):
            found[patient].exclusion = (reason, *further(note)[0])
        _acts(study, found)
        _values(study, found)
        return cls(study.has_reached(State.READINGS_LOCKED), hashes)

    # --- what may no longer change

    def conflicts(self, row: Row) -> Iterator[ClinicalError]:
        known = self.known.get(row.person)
        if known is None:
            if self.locked:
                message = "The readings are locked; no patient comes in any more."
                yield ClinicalError(row.row_of("patient_id"), "patient_id", message)
            return
        if row.level and row.level != known.level and (message := self._level(known)):
            yield ClinicalError(row.row_of("level"), "level", message)
        if row.exclusion and row.exclusion != known.exclusion and (message := self._exclusion(known)):
            yield ClinicalError(row.row_of("exclusion"), "exclusion", message)

    def _level(self, known: Known) -> str:
        if self.locked:
            return "The readings are locked; no level changes any more."
        if known.in_reading:
            return "The case has another level already, and it is being read."
        if known.level_by_hand:
            return "The case has another level already, and it was set at the desk."
        return ""

    def _exclusion(self, known: Known) -> str:
        if self.locked:
            return "The readings are locked; no exclusion changes any more."
        if known.in_reading:
            return "The case is being read to the end; it is not left out any more."
        if known.brought_back:
            return "The patient was taken back into the study at the desk. Leave the cell empty, or decide at the desk."
        return ""


def queries_of(known: Known) -> Iterator[str]:
    """Say what in a patient's stored values a person should look up in the records."""
    baseline, day = known.stored("nrs_baseline"), known.stored("nrs_1month_day")
    if baseline is not None and baseline.number == 0:
        yield "Baseline pain is 0: no reduction can be computed."
    if day is not None and day.number is not None and (note := follow_up(int(day.number)).note):
        yield note
    for name in OUTCOMES:
        stored = known.stored(name)
        if stored is not None and "written" in stored.text:
            yield f"{TARGETS[name]}: written as a span, its middle is kept."


def _acts(study: Study, found: dict[int, Known]) -> None:
    """Learn from the trail what was decided at the desk."""
    named = {one.pseudonym: one for one in found.values()}
    verbs = ("set index level", "exclude", "restore")
    acts = Event.objects.filter(study=study, verb__in=verbs).order_by("number").values_list("verb", "subject")
    for verb, subject in acts.iterator():
        one = named.get(subject)
        if one is None:
            continue
        if verb == "set index level":
            one.level_by_hand = True
        else:
            one.brought_back = verb == "restore"


def _values(study: Study, found: dict[int, Known]) -> None:
    hands = set(Membership.objects.filter(study=study, role=Role.OUTCOME_ENTRY).values_list("user", flat=True))
    rows = ClinicalValue.objects.filter(patient__study=study).order_by("pk")
    for patient, name, timepoint, text, number, by, reason in rows.values_list(
        "patient", "name", "timepoint", "value", "number", "recorded_by", "reason"
    ).iterator(chunk_size=5000):
        found[patient].values[name, timepoint] = Stored(text, number, bool(reason) or by in hands)
