"""One line of the table, read by the mapping: values, errors, remarks. The identifier ends here, as a hash."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TypeVar

from annotation.dicom.keyed import day_offset
from annotation.identity import identifier_hash, key
from annotation.intake.clinical import values
from annotation.intake.clinical.columns import Line, Table
from annotation.intake.clinical.tables import BadCell, BadTable
from annotation.intake.clinical.values import Value
from annotation.protocol import Protocol

OUTCOMES = ("nrs_baseline", "nrs_15min", "nrs_1month", "nrs_1month_day")
_Read = TypeVar("_Read")


@dataclass(frozen=True)
class ClinicalError:
    """What is wrong in one cell; the row number counts as a spreadsheet does, the head mostly being row 1."""

    row: int
    column: str
    message: str


@dataclass
class Row:
    """A line as it was understood. `person` is the keyed hash of its identifier, empty where there is none."""

    number: int
    person: str = ""
    level: str = ""
    exclusion: tuple[str, ...] = ()
    kept: dict[str, Value] = field(default_factory=dict)
    at: dict[str, int] = field(default_factory=dict)
    errors: list[ClinicalError] = field(default_factory=list)
    notes: list[ClinicalError] = field(default_factory=list)

    def row_of(self, name: str) -> int:
        return self.at.get(name, self.number)


class Reader:
    """Reads the lines of one table for one study."""

    def __init__(self, code: str, table: Table, mapping: Sequence[str], *, protocol: Protocol, today: date) -> None:
        self.code, self.table, self.today = code, table, today
        self.levels = protocol.index_levels
        self.criteria = [criterion.code for criterion in protocol.exclusions]
        self.places: dict[str, list[int]] = {}
        for place, target in enumerate(mapping):
            if target:
                self.places.setdefault(target, []).append(place)
        if "patient_id" not in self.places:
            raise BadTable("The table has no column patient_id; name the column with the hospital's identifier so.")
        self._refuse_twins(mapping)
        self.computed = {"bmi": 0, "age": 0}
        self.slashed = False
        self.month_leads = self._order_of_dates()

    def _refuse_twins(self, mapping: Sequence[str]) -> None:
        seen: dict[str, str] = {}
        for column, target in zip(self.table.columns, mapping, strict=True):
            name = column.name.casefold()
            if target and name in seen:
                where = f" (columns {seen[name]} and {column.letter})" if column.letter else ""
                raise BadTable(f"Two columns for {target} have the same name{where}. Rename one or leave it out.")
            if target:
                seen[name] = column.letter

    def _order_of_dates(self) -> bool | None:
        """Tell once for all columns whether the month leads; None where no cell tells.

        One program wrote the table. Two orders in it would put a follow-up on a day nobody meant.
        """
        told: dict[bool, str] = {}
        for target in ("injection_date", "nrs_1month_date", "birth_date"):
            for place in self.places.get(target, ()):
                texts = [one.cells[place] for one in self.table.lines]
                self.slashed |= any(map(values.is_slashed, texts))
                leads = values.month_first(texts)
                if leads is not None:
                    letter = self.table.columns[place].letter
                    told.setdefault(leads, f"{target} (column {letter})" if letter else target)
        if len(told) > 1:
            raise BadTable(
                f"Dates with slashes stand as day/month/year in {told[False]} and as month/day/year in {told[True]}. "
                "Write both columns in one order, best as 2024-05-31."
            )
        return next(iter(told), None)

    # --- one line

    def read(self, line: Line) -> Row:
        row = Row(line.number)
        name = self._one(line, row, "patient_id", lambda place, text: values.identifier(text))
        if name is None and not row.errors:
            row.errors.append(ClinicalError(line.number, "patient_id", "The row has no identifier of the patient."))
        for target, parse in values.PARSERS.items():
            self._keep(line, row, target, parse)
        self._keep(line, row, "level", lambda text: values.level(text, self.levels))
        self._keep(line, row, "exclusion", lambda text: values.exclusion(text, self.criteria))
        row.level = row.kept["level"].text if "level" in row.kept else ""
        row.exclusion = tuple(row.kept.pop("exclusion").text.split(",")) if "exclusion" in row.kept else ()
        self._bmi(line, row)
        self._dates(line, row, name)
        self._note_zero(row)
        if name is not None:
            row.person = identifier_hash(self.code, name)
        return row

    def _texts(self, line: Line, target: str) -> Iterator[tuple[int, str]]:
        for place in self.places.get(target, ()):
            text = line.cells[place]
            choices = self.table.columns[place].choices
            if choices:
                text = "; ".join(choices.get(one.strip(), one.strip()) for one in text.split(";"))
            if not values.is_missing(text) or (target == "patient_id" and text.strip()):
                yield place, line.cells[place].strip()

    def _one(self, line: Line, row: Row, target: str, parse: Callable[[int, str], _Read]) -> _Read | None:
        """Read what the columns of one target say; they must agree."""
        found: list[_Read] = []
        for place, text in self._texts(line, target):
            row.at[target] = line.row_of(place)
            try:
                if place in line.torn:
                    raise BadCell("The rows of this record give different values.")
                found.append(self._spoken(place, text, parse))
            except BadCell as fault:
                row.errors.append(ClinicalError(row.at[target], target, str(fault)))
                return None
        if len(found) > 1 and any(one != found[0] for one in found):
            message = "The columns that are taken for this give different values."
            row.errors.append(ClinicalError(row.at[target], target, message))
            return None
        return found[0] if found else None

    def _spoken(self, place: int, text: str, parse: Callable[[int, str], _Read]) -> _Read:
        """Read a coded cell by its label; by its code only where the labels do not speak against it."""
        choices = self.table.columns[place].choices
        if not choices:
            return parse(place, text)
        said = "; ".join(choices.get(one.strip(), one.strip()) for one in text.split(";"))
        try:
            return parse(place, said)
        except BadCell:
            if said == text or not _codes_agree(choices):
                raise
            return parse(place, text)

    def _keep(self, line: Line, row: Row, target: str, parse: values.Parse) -> None:
        value = self._one(line, row, target, lambda place, text: parse(text))
        if value is None:
            return
        row.kept[target] = replace(value, note="") if value.note else value
        self._note(row, target, value.note)

    def _note(self, row: Row, target: str, note: str) -> None:
        if note:
            row.notes.append(ClinicalError(row.row_of(target), target, note))

    # --- what follows from other columns

    def _bmi(self, line: Line, row: Row) -> None:
        height = self._one(line, row, "height", lambda place, text: values.height_m(text))
        weight = self._one(line, row, "weight", lambda place, text: values.weight_kg(text))
        if height is None or weight is None:
            return
        number = weight / height**2
        given = row.kept.get("bmi")
        if given is None:
            if not 8 <= number <= 90:
                row.errors.append(ClinicalError(row.row_of("weight"), "weight", "Height and weight do not fit."))
                return
            row.kept["bmi"] = Value(f"{number:.1f} (from height and weight)", number)
            self.computed["bmi"] += 1
        elif given.number is not None and abs(given.number - number) > 1:
            self._note(row, "bmi", "The BMI differs by more than 1 from height and weight.")

    def _day(self, line: Line, row: Row, target: str) -> date | None:
        def parse(place: int, text: str) -> date:
            earliest = date(1900, 1, 1) if target == "birth_date" else values.EARLIEST
            return values.day_of(text, today=self.today, months_lead=bool(self.month_leads), earliest=earliest)

        return self._one(line, row, target, parse)

    def _dates(self, line: Line, row: Row, name: str | None) -> None:
        injected = self._day(line, row, "injection_date")
        later = self._day(line, row, "nrs_1month_date")
        born = self._day(line, row, "birth_date")
        if injected is not None and name is not None:
            # A date is kept moved by the patient's own number of days, as in the images.
            shifted = injected + timedelta(days=day_offset(name, key=key()))
            row.kept["injection_date"] = Value(shifted.isoformat())
        if later is not None and "nrs_1month_day" not in row.kept:
            self._follow_up(row, injected, later)
        if born is not None and "age" not in row.kept:
            self._age(row, injected, born)

    def _follow_up(self, row: Row, injected: date | None, later: date) -> None:
        if injected is None:
            self._note(row, "nrs_1month_date", "Without an injection_date in the same row the day is not computed.")
        elif later < injected:
            message = "The follow-up lies before the injection."
            row.errors.append(ClinicalError(row.row_of("nrs_1month_date"), "nrs_1month_date", message))
        elif (later - injected).days > values.MOST_DAYS:
            message = f"The follow-up lies more than {values.MOST_DAYS} days after the injection."
            row.errors.append(ClinicalError(row.row_of("nrs_1month_date"), "nrs_1month_date", message))
        else:
            value = values.follow_up((later - injected).days)
            row.kept["nrs_1month_day"] = replace(value, note="") if value.note else value
            self._note(row, "nrs_1month_date", value.note)

    def _age(self, row: Row, injected: date | None, born: date) -> None:
        if injected is None:
            self._note(row, "birth_date", "Without an injection_date in the same row the age is not computed.")
            return
        years = injected.year - born.year - ((injected.month, injected.day) < (born.month, born.day))
        if not 0 <= years <= 120:
            message = "The date of birth does not fit the injection."
            row.errors.append(ClinicalError(row.row_of("birth_date"), "birth_date", message))
            return
        row.kept["age"] = Value(str(years), float(years))
        self.computed["age"] += 1

    def _note_zero(self, row: Row) -> None:
        baseline = row.kept.get("nrs_baseline")
        if baseline is not None and baseline.number == 0:
            self._note(row, "nrs_baseline", "Baseline pain is 0: no reduction can be computed. Check the record.")

    def remarks(self) -> Iterator[str]:
        """Say, once every line is read, what was computed or assumed."""
        if self.computed["bmi"]:
            yield f"The BMI is computed from height and weight in {self.computed['bmi']} rows."
        if self.computed["age"]:
            yield f"The age is computed from birth and injection in {self.computed['age']} rows; no birth date is kept."
        if self.month_leads:
            yield "All dates with slashes were read as month/day/year, because a day over 12 stands second."
        elif self.month_leads is False:
            yield "All dates with slashes were read as day/month/year, because a day over 12 stands first."
        elif self.slashed:
            yield "Dates with slashes were read as day/month/year; no cell tells otherwise."


def _codes_agree(choices: Mapping[str, str]) -> bool:
    """Codes may stand for labels only where no label names another number than its code."""
    return all(not (found := re.findall(r"\d+", label)) or code in found for code, label in choices.items())
