"""The clinical table: one row a patient, CSV, XLSX or a REDCap export. A row with an error stays out.

A table is read (`tables`, `text`, `workbook`, `redcap`), its columns are understood (`columns`), each line becomes
values (`rows`, `values`), and these are held against what is stored (`standing`, `difference`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction

from annotation.intake.clinical.columns import (
    TARGETS,
    Column,
    Proposal,
    Table,
    letter,
    plain,
    propose,
    score_of,
    table_of,
)
from annotation.intake.clinical.difference import Change, Difference, compare, keep
from annotation.intake.clinical.redcap import dictionary_of, is_dictionary, understood
from annotation.intake.clinical.rows import OUTCOMES, ClinicalError
from annotation.intake.clinical.standing import queries_of
from annotation.intake.clinical.tables import MOST_BYTES, BadCell, BadTable, read
from annotation.intake.clinical.values import PARSERS, Value, is_missing, stem_of
from annotation.intake.gate import still_open
from annotation.models import Study
from annotation.people import Person

__all__ = [
    "MOST_BYTES",
    "OUTCOMES",
    "PARSERS",
    "TARGETS",
    "BadCell",
    "BadTable",
    "Change",
    "ClinicalError",
    "ClinicalLog",
    "Column",
    "Difference",
    "Proposal",
    "Table",
    "Value",
    "compare",
    "is_missing",
    "keep",
    "letter",
    "plain",
    "propose",
    "queries_of",
    "stem_of",
    "table_from",
    "take_clinical",
]


@dataclass
class ClinicalLog:
    """What came of a table: errors keep a row out, notes do not."""

    rows: int = 0
    accepted: int = 0
    errors: list[ClinicalError] = field(default_factory=list)
    notes: list[ClinicalError] = field(default_factory=list)


def table_from(data: bytes, second: bytes | None, saved: Mapping[str, str]) -> Table:
    """Read a table and, when there is one, its REDCap dictionary, in either order. Raises BadTable."""
    score = score_of(saved)
    sheet = read(data, score)
    other = read(second, score) if second else None
    if is_dictionary(sheet):
        if other is None or is_dictionary(other):
            raise BadTable("This is a REDCap data dictionary. Add the data export beside it.")
        sheet, other = other, sheet
    dictionary = dictionary_of(other) if other is not None else None
    return understood(table_of(sheet, score), dictionary)


def take_clinical(
    study: Study, path: Path, *, dictionary: Path | None = None, by: Person | None = None, dry_run: bool = False
) -> ClinicalLog:
    """Read the table, by its REDCap dictionary where there is one, and append what is new or changed.

    The same table again appends nothing.
    """
    try:
        data, other = _bytes(path), _bytes(dictionary) if dictionary else None
        table = table_from(data, other, study.columns)
        mapping = [one.target for one in propose(table.columns, study.columns)]
        with transaction.atomic():
            still_open(study, images=False)
            found = compare(study, table, mapping)
            if found.accepted and not dry_run:
                keep(study, found, by=by)
    except BadTable as fault:
        return ClinicalLog(errors=[ClinicalError(1, "", str(fault))])
    return ClinicalLog(found.rows, found.accepted, found.errors, found.notes)


def _bytes(path: Path) -> bytes:
    if path.stat().st_size > MOST_BYTES:
        raise BadTable(f"The file is larger than {MOST_BYTES // 1_000_000} MB; a clinical table is smaller.")
    return path.read_bytes()
