"""The data as plain tables: in the layout `analyse` reads, wide and long, with codes and with words."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from openpyxl import Workbook
from openpyxl.styles import Font

from analytics.export.columns import NOT_GRADED, Array, Column, absences, number
from analytics.export.estimates import written
from analytics.frames import ADJUDICATED, Frames, Variable
from analytics.frames.frame import MAIN
from analytics.frames.gradings import EXCUSE
from analytics.report.packed import put, repacked

__all__ = ["clinical_csv", "gradings_csv", "long_csv", "long_rows", "wide_csv", "workbook"]

LONG = (
    "case_id",
    "reader",
    "round",
    "item",
    "question",
    "place",
    "kind",
    "value",
    "label",
    "unit",
    "missing",
    "missing_label",
)
MEASURED = ("age", "bmi", "nrs_baseline", "nrs_15min", "nrs_1month")
CLINICAL = ("case_id", "age", "sex", "bmi", "level", *MEASURED[2:])


def clinical_csv(frames: Frames) -> str:
    """Write the clinical values as `analyse` reads them: one row a case."""

    def cells(place: int) -> Iterator[str]:
        yield frames.cases[place]
        for name in CLINICAL[1:]:
            value = float(frames.measured(name)[place])
            if math.isnan(value) or name in MEASURED:
                yield number(value)
            else:
                yield frames.characteristics[name].names[int(value)]

    return written(CLINICAL, (cells(place) for place in range(len(frames.cases))))


def gradings_csv(frames: Frames) -> str:
    """Write the gradings as `analyse` reads them: one row a case, reader and round.

    Beside the columns of the reference layout stand ``round``, the places of findings that were graded at several, why
    a finding could not be assessed, and the decisions of an adjudicator as rows of a reader of that name.
    """
    places = [(item, at) for item in frames.items if item.code in frames.sites for at in _sites(frames, item)]
    excused = [item.code for item in frames.items if any(of == item.code for _, _, of in frames.excused)]
    header = [
        *("case_id", "reader", "round"),
        *(item.code for item in frames.items),
        *(f"{item.code}.{code}" for item, (_, code) in places),
        *(f"{code}.{EXCUSE}" for code in excused),
    ]

    def line(case: int, reader: str, round: str, grades: dict[str, Array]) -> list[str]:
        main = round == MAIN and reader != ADJUDICATED
        return [
            *(frames.cases[case], reader, round),
            *(_word(item, grades[item.code][case]) for item in frames.items),
            *(
                _word(item, frames.sites[item.code].values[reader][case, at]) if main else ""
                for item, (at, _) in places
            ),
            *(frames.excused.get((reader, round, code), {}).get(frames.cases[case], "") for code in excused),
        ]

    blocks = list(_blocks(frames))
    return written(header, (line(case, *block) for case in range(len(frames.cases)) for block in blocks))


def _sites(frames: Frames, item: Variable) -> list[tuple[int, str]]:
    return list(enumerate(frames.sites[item.code].codes))


def _blocks(frames: Frames) -> Iterator[tuple[str, str, dict[str, Array]]]:
    for reader in frames.readers:
        yield reader, MAIN, {item.code: frames.grades(reader, item.code) for item in frames.items}
        for round, again in frames.again.get(reader, {}).items():
            yield reader, round, {item.code: again[item.code].to_numpy(dtype=float) for item in frames.items}
    if frames.adjudicated is not None:
        said = frames.adjudicated.decisions
        yield ADJUDICATED, MAIN, {item.code: said[item.code].to_numpy(dtype=float) for item in frames.items}


def _word(item: Variable, value: float) -> str:
    """Give a grade as the protocol exports it."""
    if math.isnan(value):
        return ""
    return item.names[item.codes.index(int(value))] if item.codes else number(float(value))


def wide_csv(columns: Sequence[Column], *, labels: bool = False, known: dict[str, str]) -> str:
    """Write one row a case.

    Parameters
    ----------
    columns : sequence of Column
        What `wide` gave.
    labels : bool
        Labels, with the reason in the place of what is missing; else codes, with blanks for it.
    known : dict of str to str
        What `absences` gave.
    """
    return written([column.name for column in columns], wide_rows(columns, labels=labels, known=known))


def wide_rows(columns: Sequence[Column], *, labels: bool, known: dict[str, str]) -> Iterator[list[str]]:
    """Give the cells of `wide_csv` as text."""
    for case in range(len(columns[0].texts)):
        yield [_cell(column, case, labels=labels, known=known) for column in columns]


def _cell(column: Column, case: int, *, labels: bool, known: dict[str, str]) -> str:
    if column.kind == "text":
        return column.texts[case]
    if column.gone[case]:
        return known[column.gone[case]] if labels else ""
    return column.label_of(column.values[case]) if labels else number(column.values[case])


def long_rows(frames: Frames) -> Iterator[tuple[str, ...]]:
    """Give one row a case, reader, round, finding and place; the place is empty for the value of the case."""
    known = absences(frames)
    for reader, round, grades in _blocks(frames):
        settled = reader == ADJUDICATED
        for item in frames.items:
            excused = frames.excused.get((reader, round, item.code), {})
            for case, value in zip(frames.cases, grades[item.code], strict=True):
                if not settled or math.isfinite(value) or case in excused:
                    yield _long(case, reader, round, item, "", value, excused.get(case, NOT_GRADED), known)
            if round == MAIN and item.code in frames.sites and not settled:
                sites = frames.sites[item.code]
                for at, place in enumerate(sites.codes):
                    for case, value in zip(frames.cases, sites.values[reader][:, at], strict=True):
                        if np.isfinite(value):
                            yield _long(case, reader, round, item, place, value, "", known)


def _long(
    case: str, reader: str, round: str, item: Variable, place: str, value: float, why: str, known: dict[str, str]
) -> tuple[str, ...]:
    there = math.isfinite(value)
    label = item.labels[item.codes.index(int(value))] if there and item.codes else ""
    gone = ("", "") if there else (why, known[why])
    return (case, reader, round, item.code, item.title, place, item.kind, number(value), label, item.unit, *gone)


def long_csv(frames: Frames) -> str:
    """Write `long_rows`."""
    return written(LONG, long_rows(frames))


def workbook(frames: Frames, columns: Sequence[Column], codebook: Sequence[dict[str, str]]) -> bytes:
    """Write the data as one Excel workbook: wide with codes, wide with words, long, and the codebook."""
    known = absences(frames)
    book = Workbook()
    book.remove(book.worksheets[0])
    names = [column.name for column in columns]
    typed = [
        [column.texts[case] if column.kind == "text" else _number(column.values[case]) for column in columns]
        for case in range(len(frames.cases))
    ]
    _sheet(book, "wide", names, typed)
    _sheet(book, "wide_labels", names, wide_rows(columns, labels=True, known=known))
    value = LONG.index("value")
    _sheet(book, "long", LONG, ([*row[:value], _number_of(row[value]), *row[value + 1 :]] for row in long_rows(frames)))
    _sheet(book, "codebook", list(codebook[0]), (list(row.values()) for row in codebook))
    file = io.BytesIO()
    book.save(file)
    return repacked(file.getvalue())


def _number(value: float) -> float | int | None:
    return None if math.isnan(value) else int(value) if value == int(value) else float(value)


def _number_of(text: str) -> float | int | None:
    return _number(float(text)) if text else None


def _sheet(book: Workbook, title: str, header: Sequence[str], rows: Iterable[Sequence[str | float | None]]) -> None:
    sheet = book.create_sheet(title)
    for place, name in enumerate(header, start=1):
        put(sheet, 1, place, name).font = Font(bold=True)
    sheet.freeze_panes = "B2"
    for line, row in enumerate(rows, start=2):
        for place, value in enumerate(row, start=1):
            if value not in ("", None):
                put(sheet, line, place, value)
