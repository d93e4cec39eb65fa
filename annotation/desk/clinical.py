"""The clinical table at the desk: uploaded, its columns confirmed, the difference looked at, and only then written.

The coordinator is shown names of columns, counts and pseudonyms; what the hospital calls a patient is shown nowhere.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from annotation import trail
from annotation.access import NotYours, WrongState, study_for
from annotation.intake import TooLarge, clinical
from annotation.intake.clinical import Change, ClinicalError, Difference, Table, waiting
from annotation.intake.clinical.standing import Standing
from annotation.intake.gate import still_open
from annotation.models import Role, Study
from annotation.people import Person

CLINICAL_COLUMNS = clinical.TARGETS
MOST_TABLE_BYTES = clinical.MOST_BYTES
MOST_UPLOAD_BYTES = 2 * MOST_TABLE_BYTES + 1_000_000
"""A table, a dictionary and the form around them; `client_max_body_size` in deploy/nginx lets as much through."""
SHOWN = 200
"""Lines of a list on the page; the file of remarks holds all."""
COUNTED = ("age", "sex", "bmi", "level", "injection_date", "nrs_baseline", "nrs_15min", "nrs_1month", "nrs_1month_day")


class TableGone(NotYours):
    """The table was confirmed, cancelled, or has waited too long."""

    sentence = "This table is not here any more: it waits for an hour at most. Upload it again."


class BadUpload(ValueError):
    """A file that is no clinical table."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Coverage:
    """How many patients have a value of one kind."""

    title: str
    patients: int
    of: int

    @property
    def missing(self) -> int:
        return self.of - self.patients


@dataclass(frozen=True)
class Query:
    """Something a person should look up in the records."""

    case: str
    sentence: str


@dataclass(frozen=True)
class ClinicalState:
    """What is stored, in counts, and what asks for a look."""

    patients: int
    coverage: tuple[Coverage, ...]
    queries: tuple[Query, ...]
    columns: tuple[tuple[str, str], ...]
    closed: str


@dataclass(frozen=True)
class ColumnRow:
    """A column of the table that waits: its name and what kind of cells it has, never a cell."""

    place: int
    letter: str
    name: str
    label: str
    filled: int
    kind: str
    target: str
    reason: str


@dataclass(frozen=True)
class Remark:
    """An error or a note; `letter` and `name` are the column's own, `column` is ours."""

    row: int
    letter: str
    name: str
    column: str
    message: str
    kind: str


@dataclass(frozen=True)
class TablePage:
    """One waiting table: its columns, and what it would do."""

    token: str
    rows: int
    remarks: tuple[str, ...]
    columns: tuple[ColumnRow, ...]
    fault: str
    found: Difference | None
    errors: tuple[Remark, ...]
    notes: tuple[Remark, ...]
    changes: tuple[Change, ...]
    absent: tuple[str, ...]
    lacking: tuple[str, ...]
    rows_out: int

    @property
    def sentence(self) -> str:
        """Say what would be written, and only that."""
        found = self.found
        if found is None:
            return ""
        counts = (
            (found.new, "new patient"), (found.first_values, "first value"), (len(found.changes), "changed value"),
            (found.unchanged, "unchanged patient"),
        )  # fmt: skip
        return ", ".join(f"{number} {name}{'s' if number > 1 else ''}" for number, name in counts if number) + "."

    @property
    def ignored(self) -> list[ColumnRow]:
        return [one for one in self.columns if not one.target and (one.filled or one.name)]


def check_table_upload(person: Person, code: str, size: int) -> None:
    """Say before a byte is read whether this person may send so much."""
    study_for(person, code, Role.COORDINATOR)
    if size > MOST_UPLOAD_BYTES:
        raise TooLarge(
            f"The upload is larger than {MOST_TABLE_BYTES // 1_000_000} MB a file; a clinical table is smaller."
        )


def clinical_state(person: Person, code: str) -> ClinicalState:
    study = study_for(person, code, Role.COORDINATOR)
    known = Standing.of(study).known.values()
    counts = dict.fromkeys(COUNTED, 0)
    queries = []
    for one in sorted(known, key=lambda one: one.pseudonym):
        for name in COUNTED:
            stored = one.stored(name)
            counts[name] += stored is not None and bool(stored.text or (name == "level" and one.level))
        if not one.exclusion:
            queries += [Query(one.pseudonym, sentence) for sentence in clinical.queries_of(one)]
    coverage = tuple(Coverage(clinical.TARGETS[name], number, len(known)) for name, number in counts.items())
    columns = tuple((name, clinical.TARGETS.get(target, "left out")) for name, target in study.columns.items())
    return ClinicalState(len(known), coverage, tuple(queries[:SHOWN]), columns, _closed(study))


def _closed(study: Study) -> str:
    try:
        with transaction.atomic():
            still_open(study, images=False)
    except WrongState as refusal:
        return refusal.sentence
    return ""


def _owner(study: Study, person: Person) -> str:
    return f"{study.pk}:{person.pk}"


def receive_table(person: Person, code: str, data: bytes, dictionary: bytes | None) -> str:
    """Read a table and let it wait; gives its token. Raises BadUpload with a sentence, WrongState when too late."""
    study = study_for(person, code, Role.COORDINATOR)
    if closed := _closed(study):
        raise WrongState(closed)
    try:
        table = clinical.table_from(data, dictionary, study.columns)
    except clinical.BadTable as fault:
        raise BadUpload(str(fault)) from None
    proposed = clinical.propose(table.columns, study.columns)
    about = {"mapping": [one.target for one in proposed], "reasons": [one.reason for one in proposed]}
    return waiting.put(_owner(study, person), table.document(), about)


def _waiting(study: Study, person: Person, token: str) -> tuple[Table, dict[str, Any]]:
    try:
        document, about = waiting.get(_owner(study, person), token)
    except waiting.Gone:
        raise TableGone from None
    return Table.of(document), about


def table_page(person: Person, code: str, token: str) -> TablePage:
    """Give the columns and the difference of a waiting table; writes nothing."""
    study = study_for(person, code, Role.COORDINATOR)
    table, about = _waiting(study, person, token)
    found, fault = _compared(study, table, about["mapping"])
    columns = tuple(
        ColumnRow(place, one.letter, one.name, one.label, one.filled, one.kind, target, reason)
        for place, (one, target, reason) in enumerate(
            zip(table.columns, about["mapping"], about["reasons"], strict=True)
        )
        if one.name or one.filled
    )
    places = _places(table, about["mapping"])
    return TablePage(
        token,
        len(table.lines),
        tuple(found.remarks if found else table.remarks),
        columns,
        fault,
        found,
        tuple(_remarks(found.errors[:SHOWN], "error", places)) if found else (),
        tuple(_remarks(found.notes[:SHOWN], "note", places)) if found else (),
        tuple(found.changes[:SHOWN]) if found else (),
        tuple(found.absent[:SHOWN]) if found else (),
        tuple(clinical.TARGETS[name] for name in found.lacking) if found else (),
        found.rows - found.accepted if found else 0,
    )


def _compared(study: Study, table: Table, mapping: Sequence[str]) -> tuple[Difference | None, str]:
    try:
        return clinical.compare(study, table, mapping), ""
    except clinical.BadTable as fault:
        return None, str(fault)


def _places(table: Table, mapping: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Give, for each of our columns, letters and names of those it is taken from."""
    found: dict[str, list[int]] = {}
    for place, target in enumerate(mapping):
        if target:
            found.setdefault(target, []).append(place)
    return {
        target: (
            ", ".join(filter(None, (table.columns[place].letter for place in places))),
            ", ".join(table.columns[place].name for place in places),
        )
        for target, places in found.items()
    }


def _remarks(found: Sequence[ClinicalError], kind: str, places: Mapping[str, tuple[str, str]]) -> list[Remark]:
    return [Remark(one.row, *places.get(one.column, ("", "")), one.column, one.message, kind) for one in found]


def map_columns(person: Person, code: str, token: str, chosen: Mapping[int, str]) -> None:
    """Say which column is which, by its place; what is not named stays as it is."""
    study = study_for(person, code, Role.COORDINATOR)
    _, about = _waiting(study, person, token)
    for place, target in chosen.items():
        if place >= len(about["mapping"]) or (target and target not in clinical.TARGETS):
            raise NotYours
        if about["mapping"][place] != target:
            about["mapping"][place], about["reasons"][place] = target, "your choice"
    waiting.note(_owner(study, person), token, about)


def confirm_table(person: Person, code: str, token: str, *, digest: str) -> Difference:
    """Write what the preview with this digest showed, and keep the mapping for the next table."""
    study = study_for(person, code, Role.COORDINATOR)
    table, about = _waiting(study, person, token)
    with transaction.atomic():
        still_open(study, images=False)
        found, fault = _compared(study, table, about["mapping"])
        if found is None:
            raise BadUpload(fault)
        if found.digest != digest:
            raise WrongState("The study has changed since this preview. Nothing was written; look at it again.")
        clinical.keep(study, found, by=person)
        _keep_columns(study, table, about["mapping"], person)
    waiting.drop(_owner(study, person), token)
    return found


def _keep_columns(study: Study, table: Table, mapping: Sequence[str], person: Person) -> None:
    """Keep what was confirmed: columns that are used, and those that would be taken for something and are not."""
    plainly = clinical.propose(table.columns, {})
    kept = dict(study.columns)
    for column, target, proposal in zip(table.columns, mapping, plainly, strict=True):
        if column.name and (target or proposal.target):
            kept[column.name] = target
    if kept != study.columns:
        study.columns = kept
        study.save(update_fields=["columns"])
        used = sum(bool(target) for target in kept.values())
        trail.record(study, person, "map columns", after={"used": used, "left out": len(kept) - used})


def cancel_table(person: Person, code: str, token: str) -> None:
    study = study_for(person, code, Role.COORDINATOR)
    try:
        waiting.drop(_owner(study, person), token)
    except waiting.Gone:
        raise TableGone from None


def forget_columns(person: Person, code: str) -> None:
    """Drop the confirmed mapping, so that the next table is proposed anew."""
    study = study_for(person, code, Role.COORDINATOR)
    with transaction.atomic():
        study = Study.objects.select_for_update().get(pk=study.pk)
        if study.columns:
            study.columns = {}
            study.save(update_fields=["columns"])
            trail.record(study, person, "map columns", after={"used": 0, "left out": 0})


def table_remarks(person: Person, code: str, token: str) -> str:
    """Give every error and note of a waiting table as CSV."""
    study = study_for(person, code, Role.COORDINATOR)
    table, about = _waiting(study, person, token)
    found, _ = _compared(study, table, about["mapping"])
    places = _places(table, about["mapping"])
    out = io.StringIO()
    lines = csv.writer(out)
    lines.writerow(("row", "column", "name", "kind", "message"))
    if found is not None:
        both = [*_remarks(found.errors, "error", places), *_remarks(found.notes, "note", places)]
        for one in sorted(both, key=lambda one: one.row):
            lines.writerow((one.row, one.letter, one.column, one.kind, one.message))
    return out.getvalue()
