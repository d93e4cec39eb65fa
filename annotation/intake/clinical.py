"""The clinical table: one row a patient, CSV or XLSX. Errors by row and column; a row with an error stays out."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from django.db import transaction

from annotation import trail
from annotation.access import protocol_of
from annotation.dicom.keyed import day_offset
from annotation.identity import identifier_hash, key
from annotation.intake.gate import still_open
from annotation.intake.shelve import patient_for
from annotation.models import Case, ClinicalValue, Event, Exclusion, Patient, State, Study
from annotation.people import Person

COLUMNS: dict[str, tuple[str, ...]] = {
    "patient_id": ("patientid", "pid", "id", "mrn", "patient", "patientennummer", "fallnummer", "caseid"),
    "age": ("alter", "ageyears"),
    "sex": ("geschlecht", "gender"),
    "bmi": ("bodymassindex",),
    "level": ("niveau", "segment", "hoehe", "höhe", "lyticvertebra"),
    "injection_date": ("date", "datum", "injektionsdatum", "injectiondate"),
    "nrs_baseline": ("nrspre", "nrs0", "nrst0", "nrsvor", "baseline"),
    "nrs_15min": ("nrs15", "nrst1", "nrs15minuten"),
    "nrs_1month": ("nrs1monat", "nrst2", "nrs4weeks", "nrs4wochen"),
    "nrs_1month_date": ("nrs1monthdate", "followupdate", "kontrolldatum"),
    "exclusion": ("ausschluss", "excluded", "exclusionreason"),
}
SEXES = {"m": "M", "male": "M", "mann": "M", "männlich": "M", "f": "F", "female": "F", "w": "F", "frau": "F",
         "weiblich": "F"}  # fmt: skip
EXCLUSIONS = ("a", "b", "c", "d", "e")
MISSING = {"", "na", "n/a", "nan", "-", "–", "?", "none", "null"}


@dataclass(frozen=True)
class ClinicalError:
    """What is wrong in one cell; the row number counts as a spreadsheet does, the head being row 1."""

    row: int
    column: str
    message: str


@dataclass
class ClinicalLog:
    rows: int = 0
    accepted: int = 0
    errors: list[ClinicalError] = field(default_factory=list)


class BadCell(ValueError):
    """A cell that cannot be read; the text is the sentence for the person who made the table.

    It never quotes the cell: in a shifted column that is a name, and the sentence is stored and shown.
    """


@dataclass(frozen=True)
class Value:
    """One value as it is kept: text, number, and a remark on how it was read."""

    text: str
    number: float | None = None


Appended = tuple[str, str, str, str, float | None]
"""Pseudonym, name, timepoint, text and number of a value that was written."""


def take_clinical(study: Study, path: Path, *, by: Person | None = None, dry_run: bool = False) -> ClinicalLog:
    """Read the table and append what is new or changed; the same table again appends nothing."""
    out = ClinicalLog()
    try:
        head, lines = _table(path)
        columns = _mapped(head)
    except BadCell as fault:
        out.errors.append(ClinicalError(1, "", str(fault)))
        return out
    levels = protocol_of(study).index_levels
    seen: dict[str, int] = {}
    appended: list[Appended] = []
    with transaction.atomic():
        still_open(study, images=False)
        for number, line in enumerate(lines, start=2):
            if not any(cell.strip() for cell in line):
                continue
            out.rows += 1
            row = {name: line[place].strip() if place < len(line) else "" for name, place in columns.items()}
            errors = list(_errors(row, number, seen, levels)) or list(_conflicts(study, row, number))
            out.errors += errors
            if errors:
                continue
            seen[row["patient_id"]] = number
            out.accepted += 1
            if not dry_run:
                appended += _keep(study, row, by)
        if out.accepted and not dry_run:
            after = {"rows": out.rows, "accepted": out.accepted, "digest_of_values": _digest(appended)}
            trail.record(study, by, "import clinical table", after=after)
    return out


# --- reading the table ---------------------------------------------------------------------------------------------


def _table(path: Path) -> tuple[list[str], list[list[str]]]:
    data = path.read_bytes()
    lines = _xlsx(data) if data[:4] == b"PK\x03\x04" else _csv(data)
    if not lines:
        raise BadCell("The table is empty.")
    return lines[0], lines[1:]


def _csv(data: bytes) -> list[list[str]]:
    text = _decoded(data)
    if "\0" in text:
        raise BadCell("This is no table: neither CSV nor XLSX.")
    head = text.split("\n", 1)[0]
    delimiter = max(";\t,|", key=head.count)
    return [list(line) for line in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)]


def _decoded(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _xlsx(data: bytes) -> list[list[str]]:
    from openpyxl import load_workbook  # heavy, and only a table needs it

    try:
        sheet = load_workbook(io.BytesIO(data), read_only=True, data_only=True).worksheets[0]
    except Exception as fault:
        raise BadCell("The workbook cannot be opened; save it again as XLSX or CSV.") from fault
    return [[_text(cell) for cell in line] for line in sheet.iter_rows(values_only=True)]


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def _mapped(head: list[str]) -> dict[str, int]:
    plain = [re.sub(r"[^a-z0-9äöüß]", "", cell.lower()) for cell in head]
    found: dict[str, int] = {}
    for name, others in COLUMNS.items():
        for candidate in (name.replace("_", ""), *others):
            if candidate in plain and plain.index(candidate) not in found.values():
                found[name] = plain.index(candidate)
                break
    if "patient_id" not in found:
        raise BadCell("The table has no column patient_id; name the column with the hospital's identifier so.")
    return found


# --- one cell ------------------------------------------------------------------------------------------------------


def _number(text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise BadCell("This is not a number.") from None


def _bounded(low: float, high: float, unit: str) -> Callable[[str], Value]:
    def parse(text: str) -> Value:
        number = _number(text)
        if not low <= number <= high:
            raise BadCell(f"The value is outside {low:g} to {high:g} {unit}.")
        return Value(f"{number:g}", number)

    return parse


def _nrs(text: str) -> Value:
    span = re.fullmatch(r"(\d+)\s*[-–]\s*(\d+)", text)
    if span and int(span[2]) - int(span[1]) == 1:
        # Records that say "3-4" are entered as 3.5; the text keeps what was written, as the flag.
        number = (int(span[1]) + int(span[2])) / 2
        return Value(f"{number:g} (written {span[1]}-{span[2]})", number)
    number = _number(text)
    if not 0 <= number <= 10 or (2 * number) % 1:
        raise BadCell("This is no NRS value: 0 to 10, whole or half.")
    return Value(f"{number:g}", number)


def _sex(text: str) -> Value:
    if text.lower() not in SEXES:
        raise BadCell("This is no sex this table knows: M or F.")
    return Value(SEXES[text.lower()])


def _date(text: str) -> date:
    for form in ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%Y%m%d"):
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007  a calendar day has no zone
        except ValueError:
            continue
    raise BadCell("This is no date; write 2024-05-31 or 31.05.2024.")


PARSERS: Mapping[str, Callable[[str], Value]] = {
    "age": _bounded(0, 120, "years"),
    "sex": _sex,
    "bmi": _bounded(8, 90, "kg/m²"),
    "nrs_baseline": _nrs,
    "nrs_15min": _nrs,
    "nrs_1month": _nrs,
}


def _is_missing(text: str) -> bool:
    return text.lower() in MISSING


def _errors(row: dict[str, str], number: int, seen: dict[str, int], levels: tuple[str, ...]) -> Iterator[ClinicalError]:
    person = row["patient_id"]
    if _is_missing(person):
        yield ClinicalError(number, "patient_id", "The row has no patient_id.")
    elif person in seen:
        yield ClinicalError(number, "patient_id", f"The same patient stands in row {seen[person]} already.")
    for name, text in row.items():
        if name == "patient_id" or _is_missing(text):
            continue
        try:
            if name in PARSERS:
                PARSERS[name](text)
            elif name.endswith("date"):
                _date(text)
            elif name == "level" and text.upper() not in levels:
                raise BadCell(f"This is no level of this protocol: {', '.join(levels)}.")
            elif name == "exclusion" and text.lower() not in EXCLUSIONS:
                raise BadCell("This is no exclusion reason: a, b, c, d or e, or empty.")
        except BadCell as fault:
            yield ClinicalError(number, name, str(fault))


# --- what stands already -------------------------------------------------------------------------------------------


def _conflicts(study: Study, row: dict[str, str], number: int) -> Iterator[ClinicalError]:
    """Name what the row would change and no longer may: the level of a case in reading, anything of a locked one."""
    patient = Patient.objects.filter(
        study=study, identifier_hash=identifier_hash(study.code, row["patient_id"])
    ).first()
    case = Case.objects.filter(patient=patient).first() if patient else None
    locked = study.has_reached(State.READINGS_LOCKED)
    level = _given(row, "level").upper()
    if level and level != (case.lysis_vertebra if case else ""):
        if locked:
            yield ClinicalError(number, "level", "The readings are locked; no level changes any more.")
        elif case is not None and case.assignments.exists():
            yield ClinicalError(number, "level", "The case has another level already, and it is being read.")
        elif case is not None and _set_at_the_desk(study, case):
            yield ClinicalError(number, "level", "The case has another level already, and it was set at the desk.")
    reason = _given(row, "exclusion").lower()
    if locked and reason and not Exclusion.objects.filter(patient=patient, reason=reason).exists():
        yield ClinicalError(number, "exclusion", "The readings are locked; no exclusion changes any more.")


def _set_at_the_desk(study: Study, case: Case) -> bool:
    return Event.objects.filter(study=study, verb="set index level", subject=str(case)).exists()


# --- keeping -------------------------------------------------------------------------------------------------------


def _given(row: dict[str, str], name: str) -> str:
    text = row.get(name, "")
    return "" if _is_missing(text) else text


def _keep(study: Study, row: dict[str, str], by: Person | None) -> list[Appended]:
    patient = patient_for(study, identifier_hash(study.code, row["patient_id"]))
    case, _ = Case.objects.get_or_create(patient=patient)
    level = _given(row, "level").upper()
    if level and level != case.lysis_vertebra:
        before, case.lysis_vertebra = case.lysis_vertebra, level
        case.save(update_fields=["lysis_vertebra"])
        if before:
            trail.record(study, by, "correct index level", subject=str(case), before=before, after=level)
    reason = _given(row, "exclusion").lower()
    if reason:
        _exclude(study, patient, reason, by)
    return [kept for name, value in _values(row) for kept in _append(patient, name, value, by)]


def _exclude(study: Study, patient: Patient, reason: str, by: Person | None) -> None:
    before = Exclusion.objects.filter(patient=patient).values_list("reason", flat=True).first()
    if before == reason:
        return
    Exclusion.objects.update_or_create(patient=patient, defaults={"reason": reason})
    trail.record(study, by, "exclude", subject=patient.pseudonym, before=before or "", after=reason)


def _digest(appended: list[Appended]) -> str:
    text = json.dumps(appended, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _values(row: dict[str, str]) -> Iterator[tuple[str, Value]]:
    for name, parse in PARSERS.items():
        if not _is_missing(row.get(name, "")):
            yield name, parse(row[name])
    if not _is_missing(row.get("level", "")):
        yield "level", Value(row["level"].upper())
    injected = row.get("injection_date", "")
    if not _is_missing(injected):
        shifted = _date(injected) + timedelta(days=day_offset(row["patient_id"], key=key()))
        yield "injection_date", Value(shifted.isoformat())
        later = row.get("nrs_1month_date", "")
        if not _is_missing(later):
            days = (_date(later) - _date(injected)).days
            yield "nrs_1month_day", Value(str(days), float(days))


def _append(patient: Patient, name: str, value: Value, by: Person | None) -> Iterator[Appended]:
    stem, _, timepoint = name.partition("_") if name.startswith("nrs_") and name != "nrs_1month_day" else (name, "", "")
    newest = ClinicalValue.objects.filter(patient=patient, name=stem, timepoint=timepoint).order_by("-pk").first()
    if newest is not None and (newest.value, newest.number) == (value.text, value.number):
        return
    ClinicalValue.objects.create(
        patient=patient, name=stem, timepoint=timepoint, value=value.text, number=value.number, recorded_by=by
    )
    yield patient.pseudonym, stem, timepoint, value.text, value.number
