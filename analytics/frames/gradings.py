"""A plain table of gradings as frames: any readers, repeat rounds, places of a finding, an adjudicated row a case."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from analytics.frames.clinical import BLANK, CLINICAL, BadTable, characteristics, clinical_values, need, text_of
from analytics.frames.frame import (
    ADJUDICATED,
    MAIN,
    Adjudicated,
    Array,
    Frames,
    Sites,
    assembled,
    findings,
    named,
    places,
)
from analytics.frames.locked import ADJUDICATION, PRACTICE
from annotation.protocol import Item, Protocol, catalogue

__all__ = ["EXCUSE", "from_tables", "grading_columns"]

CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,19}")  # part of identifiers, whose parts are set off by / and -
SETTLED = frozenset({ADJUDICATED, "adjudicator", *ADJUDICATION})
TAKEN = frozenset({"averaged", "characteristics", "all"})  # these stand at a reader's place in an identifier
ROUND = re.compile(r"[a-z0-9_]{1,20}")
FIRST = frozenset({"", "1", MAIN})
SITE = re.compile(r"[a-z0-9_]+")
EXCUSE = "not_assessable"  # stands at a place's position in a column's name, and is none
READER = "a reader's code is a letter, then letters, digits and underscores, 20 at most"


def from_tables(clinical: pd.DataFrame | None, gradings: pd.DataFrame, *, instrument: str = "spondylolysis") -> Frames:
    """Build frames from two plain tables in the layout of the reference data.

    Parameters
    ----------
    clinical : DataFrame or None
        One row a case: ``case_id, age, sex, bmi, level, nrs_baseline, nrs_15min, nrs_1month``; None where the outcomes
        are still closed, so that there is nothing but the readings.
    gradings : DataFrame
        One row a case and reader: ``case_id, reader`` and a column an item, spelled as the protocol exports. A blank
        cell and an absent row mean "not graded". Two readers or more, by any codes. A reader ``adjudicated`` (or
        ``consensus``) is none: these rows settle the findings, and where they are blank the value that all readers
        gave stands. An optional column ``round`` names repeat rounds; blank, ``1`` and ``main`` are the main round,
        ``training`` and ``calibration`` are left out. Optional columns ``<item>.<place>``, such as
        ``contrast_pattern.right``, hold what was graded at each place; ``<item>.not_assessable`` says by its code why
        a blank finding could not be assessed.

    instrument : str
        Code of the protocol whose items the columns are.

    Raises
    ------
    BadTable
        With row and column of the first thing that cannot be read.
    """
    protocol = catalogue.latest(instrument)
    items = findings(protocol)
    need("gradings", gradings, ("case_id", "reader", *(item.code for item in items)))
    values, levels = clinical_values(_unseen(gradings) if clinical is None else clinical)
    cases = tuple(sorted(values.index))
    parsed = _Parsed(protocol, items, gradings)
    blocks = _blocks(gradings, cases, parsed)
    readers = named(reader for reader, round in blocks if round == MAIN and reader != ADJUDICATED)
    if len({reader.casefold() for reader in readers}) < len(readers):
        said = f"{', '.join(readers)} differ in small and capital letters only."
        raise BadTable("gradings", said, column="reader")
    if len(readers) < 2:
        raise BadTable("gradings", f"only {readers[0]} graded the cases; agreement needs two.", column="reader")
    blank = np.full((len(cases), len(parsed.columns)), math.nan)

    def frame(reader: str, round: str = MAIN) -> pd.DataFrame:
        block = blocks.get((reader, round), blank)
        return pd.DataFrame(block[:, : len(items)], index=list(cases), columns=[item.code for item in items])

    frames = {reader: frame(reader) for reader in readers}
    again: dict[str, dict[str, pd.DataFrame]] = {}
    for reader, round in sorted(blocks):
        if round != MAIN and reader in frames:
            again.setdefault(reader, {})[round] = frame(reader, round)
    settled = (ADJUDICATED, MAIN) in blocks
    return assembled(
        protocol,
        cases,
        frames,
        values,
        characteristics(levels),
        has_outcomes=clinical is not None,
        excused=parsed.excused,
        again=again,
        sites=parsed.sites({reader: blocks.get((reader, MAIN), blank) for reader in readers}),
        adjudicated=Adjudicated.of(frame(ADJUDICATED), frames) if settled else None,
    )


def grading_columns(instrument: str) -> tuple[str, ...]:
    """Name the columns of a gradings table; those of places begin with an item's name and a dot."""
    return ("case_id", "reader", "round", *(item.code for item in findings(catalogue.latest(instrument))))


def _unseen(gradings: pd.DataFrame) -> pd.DataFrame:
    """Give a clinical table that knows the cases of the readings and nothing about them."""
    named_cases = {text_of(case) for case in gradings["case_id"].to_list()} - {""}
    return pd.DataFrame({"case_id": sorted(named_cases)}, columns=list(CLINICAL))


def _blocks(gradings: pd.DataFrame, cases: tuple[str, ...], parsed: _Parsed) -> dict[tuple[str, str], Array]:
    """Read the rows of every reader and round: cases by the columns of `parsed`."""
    place_of = {case: place for place, case in enumerate(cases)}
    names = zip(gradings["case_id"].to_list(), gradings["reader"].to_list(), strict=True)
    rounds = gradings["round"].to_list() if "round" in gradings.columns else [""] * len(gradings)
    blocks: dict[tuple[str, str], Array] = {}
    seen: dict[tuple[str, str, str], int] = {}
    for row, ((case, reader), of_round) in enumerate(zip(names, rounds, strict=True), start=2):
        case, reader, round = text_of(case), _reader(text_of(reader), row), _round(text_of(of_round), row)
        if case not in place_of:
            raise BadTable("gradings", f"case {case!r} is not in the clinical table.", row=row, column="case_id")
        if seen.setdefault((case, reader, round), row) != row:
            before = seen[case, reader, round]
            raise BadTable("gradings", f"{reader} graded case {case!r} already in row {before}.", row=row)
        numbers = parsed.row(row)
        if round not in PRACTICE:
            of = (reader, MAIN if reader == ADJUDICATED else round)
            parsed.excuse(row, case, of, numbers)
            blocks.setdefault(of, np.full((len(cases), len(numbers)), math.nan))[place_of[case]] = numbers
    return blocks


def _reader(text: str, row: int) -> str:
    if text.casefold() in SETTLED:
        return ADJUDICATED
    if not CODE.fullmatch(text) or text in TAKEN:
        raise BadTable("gradings", f"{text!r} names no reader: {READER}.", row=row, column="reader")
    return text


def _round(text: str, row: int) -> str:
    if text in BLANK or text.casefold() in FIRST:
        return MAIN
    if not ROUND.fullmatch(text.casefold()):
        raise BadTable("gradings", f"{text!r} names no round.", row=row, column="round")
    return text.casefold()


class _Parsed:
    """The columns of a gradings table as numbers: a column an item, then those of single places."""

    def __init__(self, protocol: Protocol, items: tuple[Item, ...], gradings: pd.DataFrame) -> None:
        self._protocol, self._items = protocol, items
        self._known: dict[tuple[str, str], float] = {}
        self.columns = [(item.code, item.code) for item in items]
        self.excused: dict[tuple[str, str, str], dict[str, str]] = {}
        of = {item.code for item in items}
        self._why = {
            item: gradings[f"{item}.{EXCUSE}"].to_list() for item in of if f"{item}.{EXCUSE}" in gradings.columns
        }
        for column in map(str, gradings.columns):
            item, dot, site = column.partition(".")
            if dot and item in of and site != EXCUSE:
                if not SITE.fullmatch(site):
                    raise BadTable("gradings", "this column names no place of the finding.", row=1, column=column)
                self.columns.append((item, column))
        self._cells = [gradings[column].to_list() for _, column in self.columns]

    def row(self, row: int) -> list[float]:
        """Read one line of the file; the header is line 1."""
        return [
            self._number(item, column, cells[row - 2], row)
            for (item, column), cells in zip(self.columns, self._cells, strict=True)
        ]

    def excuse(self, row: int, case: str, of: tuple[str, str], numbers: list[float]) -> None:
        """Keep why the blank findings of one line could not be assessed."""
        for place, item in enumerate(self._items):
            said = text_of(self._why[item.code][row - 2]) if item.code in self._why else ""
            if said in BLANK:
                continue
            known = [reason.code for reason in self._protocol.reasons]
            column = f"{item.code}.{EXCUSE}"
            if said not in known:
                raise BadTable("gradings", f"{said!r} is not one of {', '.join(known)}.", row=row, column=column)
            if not math.isnan(numbers[place]):
                raise BadTable("gradings", f"{item.code} is graded and not assessable at once.", row=row, column=column)
            self.excused.setdefault((*of, item.code), {})[case] = said

    def _number(self, item: str, column: str, cell: object, row: int) -> float:
        text = text_of(cell)
        if text in BLANK:
            return math.nan
        if (item, text) not in self._known:
            try:
                self._known[item, text] = float(self._protocol.parsed(item, text))
            except ValueError as fault:
                raise BadTable("gradings", str(fault), row=row, column=column) from None
        return self._known[item, text]

    def sites(self, blocks: Mapping[str, Array]) -> dict[str, Sites]:
        """Give the places of each finding that has columns of them."""
        found: dict[str, Sites] = {}
        for item in self._items:
            at = {
                column.partition(".")[2]: number
                for number, (code, column) in enumerate(self.columns)
                if code == item.code and "." in column
            }
            made: Any = places(item, at)
            if made is not None:
                order = [at[site] for site in made.codes]
                values = {reader: block[:, order] for reader, block in blocks.items()}
                found[item.code] = Sites(made.codes, made.labels, made.alike, values)
        return found
