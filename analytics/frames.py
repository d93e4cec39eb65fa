"""Handed-over rows or plain tables as typed frames, with the levels taken from the protocol's scales."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, assert_never

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.protocol import Continuous, Item, Missing, Nominal, Ordinal, Protocol, case_value, catalogue

__all__ = ["READERS", "BadTable", "Frames", "Row", "Variable", "from_handover", "from_tables", "read_table"]

READERS = ("R1", "R2")
SEXES = ("F", "M")
LEVELS = ("L3", "L4", "L5")  # the declared levels of the reference tables; others join when they occur
EVERY_LEVEL = ("L1", "L2", "L3", "L4", "L5", "L6")
NRS = ("nrs_baseline", "nrs_15min", "nrs_1month")
CLINICAL = ("case_id", "age", "sex", "bmi", "level", *NRS)
RANGES = {"age": (0.0, 130.0), "bmi": (5.0, 150.0), **dict.fromkeys(NRS, (0.0, 10.0))}
BLANK = frozenset({"", "NA", "NaN", "nan", "None", "<NA>"})
Kind = Literal["nominal", "ordinal", "continuous"]


class BadTable(ValueError):
    """A table that cannot be read as what it should be.

    Attributes
    ----------
    table : str
        ``"clinical"``, ``"gradings"`` or a file's name.
    row : int or None
        Line in the file, the header being line 1.
    column : str or None
        Name of the column.
    message : str
        What is wrong.
    """

    def __init__(self, table: str, message: str, *, row: int | None = None, column: str | None = None) -> None:
        self.table, self.row, self.column, self.message = table, row, column, message
        super().__init__(self.sentence(table))

    def sentence(self, name: str) -> str:
        """Say it with the file's own name."""
        place = name + (f", row {self.row}" if self.row else "") + (f", column {self.column}" if self.column else "")
        return f"{place}: {self.message}"


class Row(NamedTuple):
    """One cell of one locked reading, as the handover yields it."""

    case: str
    reader: str
    round: str
    item: str
    site: str
    value: float | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Variable:
    """A finding or characteristic with its declared levels.

    Attributes
    ----------
    codes, names, labels : tuple
        Stored code, exported name and shown label of each level, ascending; empty for a measurement.
    unit, decimals
        Of a measurement.
    """

    code: str
    title: str
    kind: Kind
    codes: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    unit: str = ""
    decimals: int = 0

    @property
    def binary(self) -> bool:
        """Whether there are exactly two levels."""
        return len(self.codes) == 2

    def to_document(self) -> dict[str, Any]:
        """Return the variable as JSON values."""
        return {
            "code": self.code,
            "title": self.title,
            "kind": self.kind,
            "codes": list(self.codes),
            "names": list(self.names),
            "labels": list(self.labels),
            "unit": self.unit,
            "decimals": self.decimals,
        }


@dataclass(frozen=True)
class Frames:
    """All a plan needs: case values of each reader, and clinical values of each case.

    Attributes
    ----------
    protocol, version
        Of the instrument.
    cases : tuple of str
        Sorted; every frame has exactly these rows.
    items : tuple of Variable
        The findings in the protocol's order, without support items.
    readings : mapping of str to DataFrame
        Per reader, cases by items, level codes or measurements as floats; NaN is not graded.
    clinical : DataFrame
        Cases by ``age, sex, bmi, level, nrs_...``; ``sex`` and ``level`` as codes into `characteristics`.
    has_outcomes : bool
        Whether clinical rows were given at all.
    gaps : mapping
        ``(reader, item, reason)`` to the number of cases not assessable for that reason.
    """

    protocol: str
    version: int
    cases: tuple[str, ...]
    items: tuple[Variable, ...]
    readings: Mapping[str, pd.DataFrame]
    clinical: pd.DataFrame
    characteristics: Mapping[str, Variable]
    has_outcomes: bool
    gaps: Mapping[tuple[str, str, str], int] = field(default_factory=dict)

    @property
    def readers(self) -> tuple[str, ...]:
        """The readers' neutral names."""
        return tuple(self.readings)

    def item(self, code: str) -> Variable:
        """Return the item with this code; ``KeyError`` when there is none."""
        return {item.code: item for item in self.items}[code]

    def grades(self, reader: str, item: str) -> NDArray[np.float64]:
        """Return one reader's case values of one item, NaN where not graded."""
        return self.readings[reader][item].to_numpy(dtype=float)

    def measured(self, name: str) -> NDArray[np.float64]:
        """Return a clinical column as floats."""
        return self.clinical[name].to_numpy(dtype=float)

    def typed(self, reader: str) -> pd.DataFrame:
        """Give one reader's values their types: categories with every declared level, ordered where the scale is."""
        columns: dict[str, Any] = {}
        for item in self.items:
            values = self.readings[reader][item.code]
            if item.kind == "continuous":
                columns[item.code] = values.astype("Float64")
            else:
                dtype = pd.CategoricalDtype(list(item.codes), ordered=item.kind == "ordinal")
                columns[item.code] = values.astype(dtype)
        return pd.DataFrame(columns, index=list(self.cases))


def variable(item: Item) -> Variable:
    """Describe a protocol's item for analysis."""
    match item.scale:
        case Nominal() | Ordinal() as scale:
            return Variable(
                code=item.code,
                title=item.asked,
                kind=scale.kind,
                codes=scale.codes,
                names=tuple(level.export or str(level.code) for level in scale.levels),
                labels=tuple(level.label for level in scale.levels),
            )
        case Continuous() as scale:
            return Variable(item.code, item.asked, "continuous", unit=scale.unit, decimals=scale.decimals)
        case _:
            assert_never(item.scale)


def findings(protocol: Protocol) -> tuple[Item, ...]:
    """Items that are analysed: all but the support items."""
    return tuple(item for item in protocol.items if not item.support)


def from_handover(
    protocol: Protocol,
    readings: Iterable[tuple[str, str, str, str, str, float | None, str | None]],
    clinical: Iterable[Mapping[str, Any]] = (),
    *,
    round: str = "main",
) -> Frames:
    """Build frames from locked readings.

    Parameters
    ----------
    protocol : Protocol
        The study's instrument.
    readings : iterable of Row
        Cells of one or several rounds; support items are ignored. Sites are condensed by the protocol's own rule.
    clinical : iterable of mapping
        ``case_id`` with ``age, sex, bmi, level, nrs_baseline, nrs_15min, nrs_1month``; absent or None is missing. None
        at all: agreement only.
    round : str
        Which round counts.
    """
    items = findings(protocol)
    cells: dict[tuple[str, str, str], dict[str, Any]] = {}
    cases: set[str] = set()
    for case, reader, of_round, item, site, value, reason in readings:
        if of_round == round:
            cases.add(case)
            answer = Missing(reason) if value is None and reason else value
            cells.setdefault((reader, case, item), {})[site] = answer
    found = {key: case_value(protocol.item(key[2]), by_site) for key, by_site in cells.items()}
    rows = [dict(row) for row in clinical]
    table = pd.DataFrame(rows, columns=list(CLINICAL))
    values, levels = _clinical(table)
    names = sorted({reader for reader, _, _ in cells} | set(READERS))
    everyone = tuple(sorted(cases | set(values.index)))
    gaps = Counter(
        (r, i, v.reason) for (r, _, i), v in found.items() if isinstance(v, Missing) and v.reason != "not_answered"
    )
    frames = {
        reader: pd.DataFrame(
            {item.code: [_float(found.get((reader, case, item.code))) for case in everyone] for item in items},
            index=list(everyone),
            dtype=float,
        )
        for reader in names
    }
    return _frames(protocol, everyone, frames, values, levels, has_outcomes=bool(rows), gaps=gaps)


def _float(value: float | Missing | None) -> float:
    return math.nan if value is None or isinstance(value, Missing) else float(value)


def from_tables(clinical: pd.DataFrame, gradings: pd.DataFrame) -> Frames:
    """Build frames from two plain tables in the layout of the reference data.

    Parameters
    ----------
    clinical : DataFrame
        One row a case: ``case_id, age, sex, bmi, level, nrs_baseline, nrs_15min, nrs_1month``.
    gradings : DataFrame
        One row a case and reader: ``case_id, reader`` and a column an item, spelled as the protocol exports. A blank
        cell and an absent row mean "not graded".

    Raises
    ------
    BadTable
        With row and column of the first thing that cannot be read.
    """
    protocol = catalogue.latest("spondylolysis")
    items = findings(protocol)
    values, levels = _clinical(clinical)
    _need("gradings", gradings, ("case_id", "reader", *(item.code for item in items)))
    cases = tuple(sorted(values.index))
    place_of = {case: place for place, case in enumerate(cases)}
    grades = {r: np.full((len(cases), len(items)), math.nan) for r in READERS}
    seen: dict[tuple[str, str], int] = {}
    columns = [gradings[item.code].to_list() for item in items]
    names = zip(gradings["case_id"].to_list(), gradings["reader"].to_list(), strict=True)
    for row, (case, reader) in enumerate(((_text(a), _text(b)) for a, b in names), start=2):
        if case not in place_of:
            raise BadTable("gradings", f"case {case!r} is not in the clinical table.", row=row, column="case_id")
        if reader not in READERS:
            raise BadTable("gradings", f"reader {reader!r} is neither R1 nor R2.", row=row, column="reader")
        if seen.setdefault((case, reader), row) != row:
            raise BadTable("gradings", f"{reader} graded case {case!r} already in row {seen[case, reader]}.", row=row)
        grades[reader][place_of[case]] = [
            _grade(protocol, item, column[row - 2], row) for item, column in zip(items, columns, strict=True)
        ]
    codes = [item.code for item in items]
    frames = {r: pd.DataFrame(grades[r], index=list(cases), columns=codes) for r in READERS}
    return _frames(protocol, cases, frames, values, levels, has_outcomes=True, gaps={})


def _frames(
    protocol: Protocol,
    cases: tuple[str, ...],
    readings: Mapping[str, pd.DataFrame],
    clinical: pd.DataFrame,
    levels: tuple[str, ...],
    *,
    has_outcomes: bool,
    gaps: Mapping[tuple[str, str, str], int],
) -> Frames:
    return Frames(
        protocol=protocol.code,
        version=protocol.version,
        cases=cases,
        items=tuple(variable(item) for item in findings(protocol)),
        readings=readings,
        clinical=clinical.reindex(list(cases)),
        characteristics={
            "sex": Variable("sex", "Sex", "nominal", (0, 1), SEXES, ("Women", "Men")),
            "level": Variable("level", "Lytic vertebra", "nominal", tuple(range(len(levels))), levels, levels),
        },
        has_outcomes=has_outcomes,
        gaps=dict(gaps),
    )


def _need(table: str, frame: pd.DataFrame, columns: Iterable[str]) -> None:
    for column in columns:
        if column not in frame.columns:
            raise BadTable(table, "this column is missing.", row=1, column=column)


def _text(cell: object) -> str:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)) or cell is pd.NA:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _grade(protocol: Protocol, item: Item, cell: object, row: int) -> float:
    text = _text(cell)
    if text in BLANK:
        return math.nan
    try:
        return float(protocol.parsed(item.code, text))
    except ValueError as fault:
        raise BadTable("gradings", str(fault), row=row, column=item.code) from None


def _clinical(table: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Check the clinical table; codes for sex and level, floats for the rest; and the declared levels."""
    _need("clinical", table, CLINICAL)
    cases = [_text(cell) for cell in table["case_id"].to_list()]
    seen: dict[str, int] = {}
    for row, case in enumerate(cases, start=2):
        if not case:
            raise BadTable("clinical", "the case has no name.", row=row, column="case_id")
        if seen.setdefault(case, row) != row:
            raise BadTable("clinical", f"case {case!r} stands already in row {seen[case]}.", row=row, column="case_id")
    vertebrae = [_text(cell) for cell in table["level"].to_list()]
    levels = tuple(level for level in EVERY_LEVEL if level in LEVELS or level in vertebrae)
    columns = {
        "sex": _coded(table, "sex", SEXES),
        "level": _coded(table, "level", levels, shown=EVERY_LEVEL),
        **{
            name: [_measure(name, cell, place + 2) for place, cell in enumerate(table[name].to_list())]
            for name in RANGES
        },
    }
    return pd.DataFrame(columns, index=cases, dtype=float), levels


def _coded(table: pd.DataFrame, column: str, names: tuple[str, ...], shown: tuple[str, ...] = ()) -> list[float]:
    codes = []
    for place, cell in enumerate(table[column].to_list()):
        text = _text(cell)
        if text not in BLANK and text not in names:
            expected = ", ".join(shown or names)
            raise BadTable("clinical", f"{text!r} is not one of {expected}.", row=place + 2, column=column)
        codes.append(math.nan if text in BLANK else float(names.index(text)))
    return codes


def _measure(column: str, cell: object, row: int) -> float:
    text = _text(cell)
    if text in BLANK:
        return math.nan
    low, high = RANGES[column]
    try:
        value = float(text)
    except ValueError:
        raise BadTable("clinical", f"{text!r} is not a number.", row=row, column=column) from None
    if not low <= value <= high:
        raise BadTable("clinical", f"{text} lies outside {low:g} to {high:g}.", row=row, column=column)
    return value


def read_table(path: Path) -> pd.DataFrame:
    """Read a CSV file as text, with every fault as a sentence.

    Parameters
    ----------
    path : Path
        UTF-8, comma-separated, with a header line.

    Returns
    -------
    DataFrame
        Of strings; row k of the frame is line k + 2 of the file.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = list(csv.reader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else "it is not UTF-8 text in CSV form"
        raise BadTable(path.name, f"cannot be read: {reason}.") from None
    while lines and not any(lines[-1]):
        lines.pop()
    if not lines:
        raise BadTable(path.name, "is empty.")
    header = [name.strip() for name in lines[0]]
    if doubled := [name for name, count in Counter(header).items() if count > 1]:
        raise BadTable(path.name, "this column stands there twice.", row=1, column=doubled[0] or "(no name)")
    for place, line in enumerate(lines[1:], start=2):
        if len(line) != len(header):
            raise BadTable(path.name, f"has {len(line)} fields where the header has {len(header)}.", row=place)
    return pd.DataFrame(lines[1:], columns=header, dtype=str)
