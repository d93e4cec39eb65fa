"""The report's tables as a workbook: a sheet a table, numbers as numbers, a contents sheet with links."""

from __future__ import annotations

import io
import math
import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Literal

from analytics.report.document import Number, Report, Table, pieces, plain
from analytics.report.layout import contents, is_level, numbering, numeric, setting, single
from analytics.report.packed import put, repacked
from analytics.stats.words import half_up

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.worksheet.worksheet import Worksheet

__all__ = ["sheets", "xlsx"]

CONTENTS = "Contents"
FORBIDDEN = re.compile(r"[\[\]:*?/\\']")
LONGEST_NAME = 31  # characters of a sheet's name
DIGITS_PER_EM = 1.75  # a workbook measures widths in digits
NARROWEST, BROADEST = 6.0, 60.0
FACE, SIZE = "Arial", 10
INK, SOFT, BLUE = "1B1E23", "5B626C", "0B5CAD"
NOTE_PT = 12.5  # height of a line of a note


def xlsx(report: Report) -> bytes:
    """Write the report's tables as an Excel workbook.

    Parameters
    ----------
    report : Report
        What is to be written. A cell that is one number becomes a number, unrounded where its printed form is its
        rounding; every other cell is text as printed.
    """
    book = _book(report)
    names = _names(report)
    _contents(book.create_sheet(CONTENTS), report, names)
    numbers = numbering(report)
    for table in report.tables():
        sheet = book.create_sheet(names[table.code])
        _sheet(sheet, report, table, numbers[Table, table.code])
        back = sheet.cell(2, 1, CONTENTS)
        _link(back, CONTENTS)
    return _saved(book)


def sheets(report: Report) -> dict[str, bytes]:
    """Write every table as a workbook of its own, by its code."""
    numbers, names = numbering(report), _names(report)
    made = {}
    for table in report.tables():
        book = _book(report)
        _sheet(book.create_sheet(names[table.code]), report, table, numbers[Table, table.code])
        made[table.code] = _saved(book)
    return made


def _book(report: Report) -> Workbook:
    from openpyxl import Workbook

    book = Workbook()
    if (first := book.active) is not None:
        book.remove(first)
    book.properties.creator = book.properties.lastModifiedBy = "Spondy"
    book.properties.title = plain(report.title)
    return book


def _saved(book: Workbook) -> bytes:
    saved = io.BytesIO()
    book.save(saved)
    return repacked(saved.getvalue())


def _link(cell: Any, sheet: str) -> None:
    from openpyxl.worksheet.hyperlink import Hyperlink

    cell.hyperlink = Hyperlink(ref=cell.coordinate, location=f"'{sheet}'!A1")
    cell.font = _font(colour=BLUE, underline="single")


def _font(
    *, colour: str = INK, size: float = SIZE, bold: bool = False, underline: Literal["single"] | None = None
) -> Font:
    from openpyxl.styles import Font

    return Font(name=FACE, size=size, bold=bold, color=colour, underline=underline)


def _names(report: Report) -> dict[str, str]:
    """Give each table a name a sheet may have: its number and its code."""
    numbers = numbering(report)
    return {
        table.code: FORBIDDEN.sub("_", f"{numbers[Table, table.code].removeprefix('Table ')} {table.code}")[
            :LONGEST_NAME
        ]
        for table in report.tables()
    }


def _contents(sheet: Worksheet, report: Report, names: dict[str, str]) -> None:
    from openpyxl.styles import Alignment

    put(sheet, 1, 1, plain(report.title)).font = _font(size=14, bold=True)
    for line, (name, value) in enumerate(report.facts.items(), start=2):
        put(sheet, line, 1, name).font = _font(colour=SOFT)
        cell = put(sheet, line, 2, plain(value))
        cell.font = _font()
        cell.alignment = Alignment(vertical="top", wrap_text=True)
    tables = [(one, words) for _, one, words in contents(report) if isinstance(one, Table)]
    for line, (one, words) in enumerate(tables, start=len(report.facts) + 3):
        number, _, title = words.partition(". ")
        _link(put(sheet, line, 1, number), names[one.code])
        put(sheet, line, 2, title).font = _font()
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 16, 90
    _printed(sheet)


def _sheet(sheet: Worksheet, report: Report, table: Table, number: str) -> None:
    from openpyxl.styles import Alignment, Border, Side
    from openpyxl.utils import get_column_letter

    set = setting(table)
    thick, thin = Side(style="medium"), Side(style="thin")
    put(sheet, 1, 1, f"{number}. {plain(table.title)}").font = _font(size=SIZE + 1, bold=True)
    for place, head in enumerate(table.columns, start=1):
        cell = put(sheet, 3, place, plain(head))
        cell.font, cell.border = _font(bold=True), Border(top=thick, bottom=thin)
    for place in range(len(table.columns)):
        column = [row[place] for row in table.rows]
        left = place == 0 or not numeric([plain(text) for text in column])
        sheet.cell(3, place + 1).alignment = Alignment(
            vertical="bottom", wrap_text=True, horizontal="left" if left else "right"
        )
        for line, text in enumerate(column, start=4):
            _write(sheet, line, place + 1, report, text, left=left)
    last = 3 + len(table.rows)
    for place in range(1, len(table.columns) + 1):
        sheet.cell(last, place).border = Border(bottom=thick, top=thin if last == 3 else None)
    widths = [max(NARROWEST, min(ems * DIGITS_PER_EM + 1, BROADEST)) for ems in set.most]
    for place, digits in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = digits
    for line, note in enumerate(table.footnotes, start=last + 1):
        cell = put(sheet, line, 1, plain(note))
        cell.font = _font(colour=SOFT, size=SIZE - 1)
        cell.alignment = Alignment(vertical="top", wrap_text=True)
        sheet.merge_cells(start_row=line, end_row=line, start_column=1, end_column=len(widths))
        # A merged cell does not grow with its text.
        sheet.row_dimensions[line].height = NOTE_PT * math.ceil(len(plain(note)) / sum(widths))
    sheet.freeze_panes = "B4"
    sheet.print_title_rows = "3:3"
    _printed(sheet)


def _printed(sheet: Worksheet) -> None:
    """Let a sheet print on A4 pages that are as wide as it is, without the lines of the screen."""
    from openpyxl.worksheet.properties import PageSetupProperties

    sheet.sheet_view.showGridLines = False
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _write(sheet: Worksheet, line: int, place: int, report: Report, text: str, *, left: bool) -> None:
    from openpyxl.styles import Alignment

    name, side = place == 1, "left" if left else "right"
    found = None if name else _number(report, text)
    if found is None:
        cell = put(sheet, line, place, plain(text).strip())
        indent = int(name and is_level(text))
        cell.alignment = Alignment(vertical="top", wrap_text=True, indent=indent, horizontal=side)
    else:
        cell = put(sheet, line, place, found[0])
        cell.number_format = found[1]
        cell.alignment = Alignment(vertical="top", horizontal=side)
    cell.font = _font()


def _number(report: Report, text: str) -> tuple[float | int, str] | None:
    """Give the number a cell consists of and how it is shown, or nothing where the cell is more or less than that."""
    if not single(text):
        return None
    printed = plain(text).replace("−", "-")
    try:
        shown = Decimal(printed)
    except InvalidOperation:
        return None
    exponent = shown.as_tuple().exponent
    decimals = -exponent if isinstance(exponent, int) else 0
    form = f"0.{'0' * decimals}" if decimals else "0"
    (part,) = pieces(text)
    full = report.full(part) if isinstance(part, Number) else None
    if isinstance(full, float) and half_up(full, decimals) == shown:
        return full, form
    return (float(shown), form) if decimals else (int(shown), form)
