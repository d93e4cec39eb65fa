"""What a table would change, before anything is written, and then the writing of just that."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.utils import timezone

from annotation import trail
from annotation.access import protocol_of
from annotation.identity import new_pseudonym, sealed
from annotation.intake.clinical.columns import Table
from annotation.intake.clinical.rows import ClinicalError, Reader, Row
from annotation.intake.clinical.standing import Known, Standing
from annotation.intake.clinical.values import Value, stem_of
from annotation.intake.exclusions import exclude
from annotation.models import Case, ClinicalValue, Patient, Study
from annotation.people import Person

BATCH = 500
LOOKED_FOR = ("age", "sex", "bmi", "level", "nrs_baseline", "nrs_15min", "nrs_1month")
Appended = tuple[str, str, str, str, float | None]
"""Pseudonym, name, timepoint, text and number of a value that was written."""


@dataclass(frozen=True)
class Change:
    """One stored value that the table would replace; `column` is ours."""

    row: int
    case: str
    column: str
    before: str
    after: str


@dataclass
class Difference:
    """The table against the study. Patients are known by pseudonym and row, never by what the hospital calls them.

    `lacking` are values that no column gives and nobody has stored.
    """

    rows: int = 0
    accepted: int = 0
    errors: list[ClinicalError] = field(default_factory=list)
    notes: list[ClinicalError] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    new: int = 0
    first_values: int = 0
    changed_patients: int = 0
    unchanged: int = 0
    absent: list[str] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    taken: list[Row] = field(default_factory=list)
    digest: str = ""

    @property
    def writes(self) -> bool:
        return bool(self.new or self.first_values or self.changes)


def compare(study: Study, table: Table, mapping: Sequence[str]) -> Difference:
    """Read every line and hold it against what is stored; writes nothing.

    Raises BadTable when the mapping cannot be used at all.
    """
    reader = Reader(study.code, table, mapping, protocol=protocol_of(study), today=timezone.localdate())
    standing = Standing.of(study)
    out = Difference()
    seen: dict[str, int] = {}
    for line in table.lines:
        out.rows += 1
        row = reader.read(line)
        if row.person in seen:
            message = f"The same patient stands in row {seen[row.person]} already."
            row.errors.append(ClinicalError(row.row_of("patient_id"), "patient_id", message))
        row.errors = row.errors or list(standing.conflicts(row))
        out.errors += row.errors
        if row.errors:
            continue
        seen[row.person] = line.number
        _accept(out, row, standing.known.get(row.person))
    out.absent = sorted(one.pseudonym for person, one in standing.known.items() if person not in seen)
    out.lacking = _lacking(reader, standing)
    out.remarks += [*table.remarks, *reader.remarks()]
    out.digest = _sealed([row.person, sorted(_wanted(row))] for row in out.taken)
    return out


def _lacking(reader: Reader, standing: Standing) -> list[str]:
    given = set(reader.places)
    given |= {"bmi"} if {"height", "weight"} <= given else set()
    given |= {"age"} if {"birth_date", "injection_date"} <= given else set()
    wanted = [name for name in LOOKED_FOR if name not in given and (name != "level" or reader.levels)]
    return [name for name in wanted if not any(one.stored(name) for one in standing.known.values())]


def _wanted(row: Row) -> Iterator[tuple[str, str]]:
    yield from ((name, value.text) for name, value in row.kept.items())
    yield "exclusion", ",".join(row.exclusion)


def _accept(out: Difference, row: Row, known: Known | None) -> None:
    out.accepted += 1
    out.notes += row.notes
    out.taken.append(row)
    if known is None:
        out.new += 1
        return
    first = 0
    before = len(out.changes)
    for name, value in list(row.kept.items()):
        stored = known.stored(name)
        if stored is None:
            first += 1
        elif stored.says(value):
            del row.kept[name]
        elif stored.by_hand:
            message = "Another value was entered by the outcome entry, and it stays."
            out.notes.append(ClinicalError(row.row_of(name), name, message))
            del row.kept[name]
        else:
            out.changes.append(Change(row.row_of(name), known.pseudonym, name, stored.text, value.text))
    if row.level and row.level != known.level and "level" not in row.kept:
        out.changes.append(Change(row.row_of("level"), known.pseudonym, "level", known.level, row.level))
    if row.exclusion and row.exclusion != known.exclusion:
        was, now = ", ".join(known.exclusion), ", ".join(row.exclusion)
        out.changes.append(Change(row.row_of("exclusion"), known.pseudonym, "exclusion", was, now))
    out.first_values += first
    if first or len(out.changes) > before:
        out.changed_patients += 1
    else:
        out.unchanged += 1


def _sealed(content: object) -> str:
    text = json.dumps(list(content) if isinstance(content, Iterator) else content, ensure_ascii=False, allow_nan=False,
                      separators=(",", ":"), default=list)  # fmt: skip
    return sealed(text)


# --- writing -------------------------------------------------------------------------------------------------------


def keep(study: Study, found: Difference, *, by: Person | None) -> None:
    """Write what was found, inside the caller's transaction that holds the study's row."""
    _make_patients(study, found)
    known = Standing.of(study).known
    _levels(study, found, known, by)
    for row in found.taken:
        if row.exclusion and row.exclusion != known[row.person].exclusion:
            exclude(study, Patient.objects.get(pk=known[row.person].key), row.exclusion, by=by)
    appended: list[Appended] = []
    values: list[ClinicalValue] = []
    for row in found.taken:
        one = known[row.person]
        for name, value in row.kept.items():
            stem, timepoint = stem_of(name)
            appended.append((one.pseudonym, stem, timepoint, value.text, value.number))
            values.append(_value(one.key, stem, timepoint, value, by))
    ClinicalValue.objects.bulk_create(values, batch_size=BATCH)
    after = {
        "rows": found.rows, "accepted": found.accepted, "new_patients": found.new, "changed_values": len(found.changes),
        "digest_of_values": _sealed(appended),
    }  # fmt: skip
    trail.record(study, by, "import clinical table", after=after)


def _value(patient: int, stem: str, timepoint: str, value: Value, by: Person | None) -> ClinicalValue:
    return ClinicalValue(
        patient_id=patient, name=stem, timepoint=timepoint, value=value.text, number=value.number, recorded_by=by
    )


def _make_patients(study: Study, found: Difference) -> None:
    """Make the patients that are new, and the case of everybody who has none yet."""
    there = Patient.objects.filter(study=study)
    known = set(there.values_list("identifier_hash", flat=True))
    taken = set(there.values_list("pseudonym", flat=True))
    fresh = []
    for row in found.taken:
        if row.person in known:
            continue
        while (pseudonym := new_pseudonym()) in taken:
            continue
        taken.add(pseudonym)
        fresh.append(Patient(study=study, identifier_hash=row.person, pseudonym=pseudonym))
    Patient.objects.bulk_create(fresh, batch_size=BATCH)
    people = {row.person for row in found.taken}
    caseless = there.filter(case__isnull=True).values_list("pk", "identifier_hash")
    cases = [Case(patient_id=pk) for pk, person in caseless if person in people]
    Case.objects.bulk_create(cases, batch_size=BATCH)


def _levels(study: Study, found: Difference, known: dict[str, Known], by: Person | None) -> None:
    changed = []
    for row in found.taken:
        one = known[row.person]
        if not row.level or row.level == one.level:
            continue
        changed.append(Case(pk=one.case, lysis_vertebra=row.level))
        if one.level:
            trail.record(study, by, "correct index level", subject=one.pseudonym, before=one.level, after=row.level)
    Case.objects.bulk_update(changed, ["lysis_vertebra"], batch_size=BATCH)
