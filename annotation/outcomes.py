"""DOOR of the outcome entry: clinical values of single patients, entered, corrected with a reason, history kept.

Whoever enters outcomes sees pain scores and no reading, image, exclusion reason or progress. The hospital's
identifier finds a patient; it is hashed here and kept nowhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import QuerySet

from annotation import trail
from annotation.access import NotYours, study_for
from annotation.identity import identifier_hash, sealed
from annotation.intake.clinical import PARSERS, TARGETS, BadCell, Value, is_missing, stem_of
from annotation.intake.clinical.values import follow_up
from annotation.intake.gate import still_open
from annotation.models import ClinicalValue, Patient, Role, State, Study
from annotation.people import Person

PAGE_SIZE = 50
LONGEST_REASON = 200
FIELDS = ("age", "sex", "bmi", "nrs_baseline", "nrs_15min", "nrs_1month", "nrs_1month_day")
HELP = {
    "age": "0 to 120",
    "sex": "M or F",
    "bmi": "8 to 90",
    "nrs_baseline": "0 to 10, whole or half",
    "nrs_15min": "0 to 10, whole or half",
    "nrs_1month": "0 to 10, whole or half; “3-4” becomes 3.5",
    "nrs_1month_day": "Whole days from the injection; expected is 28 to 35",
}


class Outdated(ValueError):
    """Somebody has saved this patient since the form was opened."""

    sentence = (
        "Somebody has saved other values for this patient meanwhile. Nothing of yours is saved yet: "
        "compare with the history below, then save again."
    )

    def __init__(self) -> None:
        super().__init__(self.sentence)


class BadEntry(ValueError):
    """Fields that cannot be taken, each with its sentence."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__(" ".join(faults.values()))
        self.faults = dict(faults)
        self.sentence = str(self)


@dataclass(frozen=True)
class PatientLine:
    case: str
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Roll:
    """One page of the study's patients, by pseudonym."""

    study: str
    title: str
    closed: str
    rows: tuple[PatientLine, ...]
    number: int
    pages: int
    total: int
    incomplete: int
    only_incomplete: bool


@dataclass(frozen=True)
class Field:
    name: str
    title: str
    help: str
    value: str
    remark: str
    query: str


@dataclass(frozen=True)
class Past:
    """One value that was written, the newest first.."""

    at: datetime
    by: str
    title: str
    before: str
    value: str
    reason: str


@dataclass(frozen=True)
class Entry:
    """A patient's form. `base` says which rows it was made from."""

    study: str
    title: str
    case: str
    closed: str
    fields: tuple[Field, ...]
    history: tuple[Past, ...]
    base: int

    def value_of(self, name: str) -> str:
        return next(one.value for one in self.fields if one.name == name)


def _study(person: Person, code: str) -> Study:
    return study_for(person, code, Role.OUTCOME_ENTRY)


def _closed(study: Study) -> str:
    if study.has_reached(State.UNBLINDED):
        return f"Study {study.code} is unblinded. Its values can be read here, and are changed no more."
    return ""


def _patients(study: Study) -> QuerySet[Patient]:
    """Give the patients that take part; nobody needs the outcomes of the others."""
    return Patient.objects.filter(study=study, exclusion__isnull=True)


def roll(person: Person, code: str, *, page: int = 1, incomplete: bool = False) -> Roll:
    """List the patients with what is missing of each."""
    study = _study(person, code)
    there: dict[int, set[str]] = {pk: set() for pk in _patients(study).values_list("pk", flat=True)}
    rows = ClinicalValue.objects.filter(patient__in=_patients(study)).order_by("pk")
    names = {stem_of(name): name for name in FIELDS}
    for patient, stem, timepoint, text in rows.values_list("patient", "name", "timepoint", "value").iterator():
        name = names.get((stem, timepoint))
        if name is not None:
            (there[patient].add if text else there[patient].discard)(name)
    lacking = [pk for pk, found in there.items() if len(found) < len(FIELDS)]
    shown = _patients(study).order_by("pseudonym")
    paginator = Paginator(shown.filter(pk__in=lacking) if incomplete else shown, PAGE_SIZE)
    cut = paginator.get_page(page)
    lines = tuple(
        PatientLine(one.pseudonym, tuple(TARGETS[name] for name in FIELDS if name not in there[one.pk]))
        for one in cut.object_list
    )
    return Roll(
        study.code, study.title, _closed(study), lines, cut.number, paginator.num_pages, paginator.count,
        len(lacking), incomplete,
    )  # fmt: skip


def find(person: Person, code: str, *, identifier: str) -> str | None:
    """Find a patient by the hospital's identifier; gives the pseudonym."""
    study = _study(person, code)
    found = _patients(study).filter(identifier_hash=identifier_hash(study.code, identifier)).first()
    return found.pseudonym if found else None


def _patient(study: Study, case: str) -> Patient:
    found = _patients(study).filter(pseudonym=case).first()
    if found is None:
        raise NotYours
    return found


def _rows(patient: Patient) -> Iterator[tuple[str, ClinicalValue]]:
    names = {stem_of(name): name for name in FIELDS}
    for row in ClinicalValue.objects.filter(patient=patient).select_related("recorded_by").order_by("pk"):
        name = names.get((row.name, row.timepoint))
        if name is not None:
            yield name, row


def entry(person: Person, code: str, case: str) -> Entry:
    study = _study(person, code)
    patient = _patient(study, case)
    newest: dict[str, ClinicalValue] = {}
    history = []
    base = 0
    for name, row in _rows(patient):
        history.append(_past(name, row, newest.get(name)))
        newest[name], base = row, row.pk
    fields = tuple(_field(name, newest.get(name)) for name in FIELDS)
    return Entry(study.code, study.title, case, _closed(study), fields, tuple(reversed(history)), base)


def _field(name: str, row: ClinicalValue | None) -> Field:
    plain, remark = _shown(row.value if row else "")
    number = row.number if row else None
    query = ""
    if name == "nrs_baseline" and number == 0:
        query = "Baseline pain is 0: no reduction can be computed. Check the record."
    elif name == "nrs_1month_day" and number is not None:
        query = follow_up(int(number)).note
    return Field(name, TARGETS[name], HELP[name], plain, remark, query)


def _shown(text: str) -> tuple[str, str]:
    """Take a stored text apart: the number as a field shows it, and how it was read."""
    plain, _, remark = text.partition(" (")
    return plain, remark.rstrip(")")


def _past(name: str, row: ClinicalValue, before: ClinicalValue | None) -> Past:
    was = before.value if before else ""
    who = row.recorded_by.username if row.recorded_by else "operator"
    return Past(row.recorded_at, who, TARGETS[name], was, row.value, row.reason or "")


def save(person: Person, code: str, case: str, *, base: int, given: Mapping[str, str], reason: str) -> int:
    """Append what is new or changed; gives how many values were written.

    Raises
    ------
    Outdated
        Somebody else has saved since `base`.
    BadEntry
        A field cannot be read, or a stored value would change without a reason.
    annotation.access.WrongState
        The study is unblinded.
    """
    study = _study(person, code)
    with transaction.atomic():
        still_open(study, images=False)  # holds the study's row: two people save one after the other
        patient = _patient(study, case)
        newest: dict[str, ClinicalValue] = {}
        last = 0
        for name, row in _rows(patient):
            newest[name], last = row, row.pk
        if last != base:
            raise Outdated
        changes = _changes(given, newest, reason)
        for name, value in changes.items():
            stem, timepoint = stem_of(name)
            ClinicalValue.objects.create(
                patient=patient,
                name=stem,
                timepoint=timepoint,
                value=value.text,
                number=value.number,
                recorded_by=person,
                reason=reason.strip() if name in newest and newest[name].value else None,
            )
        if changes:
            _record(study, person, patient, changes, newest)
    return len(changes)


def _changes(given: Mapping[str, str], newest: Mapping[str, ClinicalValue], reason: str) -> dict[str, Value]:
    """Read the fields by the rules of the table; a field that was emptied removes its value."""
    faults: dict[str, str] = {}
    changes: dict[str, Value] = {}
    for name in FIELDS:
        if name not in given:
            continue
        row = newest.get(name)
        stored = Value(row.value, row.number) if row else Value("")
        if given[name].strip() == _shown(stored.text)[0]:
            continue  # left as it was shown: a computed BMI keeps its decimals, a span its remark
        try:
            value = Value("") if is_missing(given[name]) else PARSERS[name](given[name])
        except BadCell as fault:
            faults[name] = str(fault)
            continue
        same = value.number == stored.number if value.number is not None else value.text == stored.text
        if not same:
            changes[name] = Value(value.text, value.number)
    corrected = [name for name in changes if name in newest and newest[name].value]
    if corrected and not reason.strip():
        faults["reason"] = "Say why a stored value changes; the reason stays in the history."
    if len(reason.strip()) > LONGEST_REASON:
        faults["reason"] = f"The reason is longer than {LONGEST_REASON} characters."
    if faults:
        raise BadEntry(faults)
    return changes


def _record(
    study: Study, person: Person, patient: Patient, changes: Mapping[str, Value], newest: Mapping[str, ClinicalValue]
) -> None:
    """Tell the trail who and how many, and a keyed digest instead of the values: the coordinator reads the trail."""
    text = json.dumps([patient.pseudonym, *((name, one.text, one.number) for name, one in changes.items())])
    corrected = sum(1 for name in changes if name in newest and newest[name].value)
    after = {
        "values": len(changes),
        "corrected": corrected,
        "digest_of_values": sealed(text),
    }
    trail.record(study, person, "enter outcomes", subject=patient.pseudonym, after=after)
