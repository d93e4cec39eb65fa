"""Plain tables: how text becomes clinical values, and what is said of a fault."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import pandas as pd

from analytics.frames.frame import Variable

__all__ = ["BLANK", "CLINICAL", "BadTable", "characteristics", "clinical_values", "need", "text_of"]

SEXES = ("F", "M")
LEVELS = ("L3", "L4", "L5")  # the declared levels of the reference tables; others join when they occur
EVERY_LEVEL = ("L1", "L2", "L3", "L4", "L5", "L6")
NRS = ("nrs_baseline", "nrs_15min", "nrs_1month")
CLINICAL = ("case_id", "age", "sex", "bmi", "level", *NRS)
RANGES = {"age": (0.0, 130.0), "bmi": (5.0, 150.0), **dict.fromkeys(NRS, (0.0, 10.0))}
BLANK = frozenset({"", "NA", "NaN", "nan", "None", "<NA>"})


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


def need(table: str, frame: pd.DataFrame, columns: Iterable[str]) -> None:
    """Refuse a table that lacks one of these columns."""
    for column in columns:
        if column not in frame.columns:
            raise BadTable(table, "this column is missing.", row=1, column=column)


def text_of(cell: object) -> str:
    """Give a cell as text, a whole number without its point, nothing for what is missing."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)) or cell is pd.NA:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def clinical_values(table: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Check the clinical table; codes for sex and level, floats for the rest; and the declared levels."""
    need("clinical", table, CLINICAL)
    cases = [text_of(cell) for cell in table["case_id"].to_list()]
    seen: dict[str, int] = {}
    for row, case in enumerate(cases, start=2):
        if not case:
            raise BadTable("clinical", "the case has no name.", row=row, column="case_id")
        if seen.setdefault(case, row) != row:
            raise BadTable("clinical", f"case {case!r} stands already in row {seen[case]}.", row=row, column="case_id")
    vertebrae = [text_of(cell) for cell in table["level"].to_list()]
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


def characteristics(levels: tuple[str, ...]) -> Mapping[str, Variable]:
    """Describe sex and level, the levels being those `clinical_values` found."""
    return {
        "sex": Variable("sex", "Sex", "nominal", (0, 1), SEXES, ("Women", "Men")),
        "level": Variable("level", "Lytic vertebra", "nominal", tuple(range(len(levels))), levels, levels),
    }


def _coded(table: pd.DataFrame, column: str, names: tuple[str, ...], shown: tuple[str, ...] = ()) -> list[float]:
    codes = []
    for place, cell in enumerate(table[column].to_list()):
        text = text_of(cell)
        if text not in BLANK and text not in names:
            expected = ", ".join(shown or names)
            raise BadTable("clinical", f"{text!r} is not one of {expected}.", row=place + 2, column=column)
        codes.append(math.nan if text in BLANK else float(names.index(text)))
    return codes


def _measure(column: str, cell: object, row: int) -> float:
    text = text_of(cell)
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
