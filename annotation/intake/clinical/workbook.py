"""XLSX: the right sheet, dates as dates, numbers as they are shown, and no bomb."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

from annotation.intake.clinical.tables import (
    BROKEN,
    FORMULA,
    MOST_COLUMNS,
    PERCENT,
    SHORTENED,
    BadTable,
    Score,
    Sheet,
)

MOST_UNPACKED = 80_000_000
MOST_MEMBERS = 2_000
_CANNOT = "The workbook cannot be opened. Open it in Excel, save it again as .xlsx, and try once more."
_SEEN_SHEETS = 20
_DIGITS_KEPT = 15  # a spreadsheet holds no more of a number


def read_workbook(data: bytes, score: Score) -> Sheet:
    """Read the sheet whose head has the patients' column; raises BadTable with a sentence."""
    try:
        facts = _inspected(data)
        return _chosen(data, facts, score)
    except BadTable:
        raise
    except Exception as fault:  # the library raises whatever a damaged file makes it stumble over
        raise BadTable(_CANNOT) from fault


def _inspected(data: bytes) -> set[str]:
    """Look at the archive before any parser does; gives which of "formulas" and "merged" occur."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except zipfile.BadZipFile:
        raise BadTable(_CANNOT) from None
    members = archive.infolist()
    names = {one.filename for one in members}
    _refuse_others(archive, names)
    if len(members) > MOST_MEMBERS or sum(one.file_size for one in members) > MOST_UNPACKED:
        raise BadTable("The workbook unpacks to far more than a clinical table. Copy the values to a new workbook.")
    if any(one.flag_bits & 1 for one in members):
        raise BadTable("The workbook has a password. Save it without one.")
    found: set[str] = set()
    for one in members:
        if not one.filename.endswith((".xml", ".rels")):
            continue
        part = archive.read(one)
        if re.search(rb"<!\s*(DOCTYPE|ENTITY)", part) or part[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise BadTable(_CANNOT)
        if one.filename.startswith("xl/worksheets/"):
            found |= {"formulas"} if re.search(rb"<f[ >/]", part) else set()
            found |= {"merged"} if b"<mergeCell " in part else set()
    return found


def _refuse_others(archive: zipfile.ZipFile, names: set[str]) -> None:
    if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
        raise BadTable("This is an OpenDocument file. In LibreOffice, save it as .xlsx or CSV.")
    if any(name.endswith(".iwa") for name in names):
        raise BadTable("This is a Numbers file. Export it as CSV or Excel.")
    if "xl/workbook.bin" in names:
        raise BadTable("This is a binary Excel file (.xlsb). Save it as .xlsx or CSV.")
    if "[Content_Types].xml" not in names:
        raise BadTable("This is an archive, not a table. Unpack it and choose the table.")


def _chosen(data: bytes, facts: set[str], score: Score) -> Sheet:
    """Take the first visible sheet with a patients' column; with one sheet, that one."""
    from openpyxl import load_workbook  # heavy, and only a table needs it

    book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    sheets = [one for one in book.worksheets if one.sheet_state == "visible"][:_SEEN_SHEETS]
    hidden = len(book.worksheets) - len(sheets)
    rated = [(one, top.best(score)) for one in sheets if (top := _rows(one, most=20)).rows]
    if not rated:
        raise BadTable("The workbook has no visible sheet with anything in it.")
    best, rating = max(rated, key=lambda one: one[1] >= 100)
    if rating < 100 and len(rated) > 1:
        raise BadTable(
            "No sheet of the workbook has a column patient_id. Name the column with the hospital's identifier so, or "
            "save the sheet with the patients as a file of its own."
        )
    out = _rows(best)
    if "formulas" in facts:
        _mark_formulas(data, best.title, out)
    out.remarks += _remarks(sheets.index(best) + 1, len(sheets), hidden, facts)
    return out


def _remarks(place: int, sheets: int, hidden: int, facts: set[str]) -> Iterator[str]:
    yield "Read as an Excel workbook." if sheets == 1 else f"Sheet {place} of {sheets} was read."
    if hidden:
        yield f"{hidden} hidden sheet{'s' if hidden > 1 else ''} {'were' if hidden > 1 else 'was'} not read."
    if "merged" in facts:
        yield "The workbook has merged cells. A merged cell counts for its first row and column alone."


def _present(sheet: Any) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Give each row's number and the cells that are really there.

    The library's own `iter_rows` pads: one stray cell in XFD1048576 would make seventeen thousand million.
    """
    from openpyxl.worksheet._reader import WorkSheetParser

    book = sheet.parent
    with sheet._get_source() as source:
        parser = WorkSheetParser(
            source, sheet._shared_strings, data_only=book.data_only, epoch=book.epoch,
            date_formats=book._date_formats, timedelta_formats=book._timedelta_formats,
        )  # fmt: skip
        yield from parser.parse()


def _rows(sheet: Any, *, most: int = 0) -> Sheet:
    """Read a sheet, or with `most` its first rows that hold anything."""
    from openpyxl.cell.read_only import ReadOnlyCell

    out = Sheet()
    for number, row in _present(sheet):
        cells: list[str] = []
        for one in row:
            if one["value"] is None:
                continue
            text = _text(ReadOnlyCell(sheet, **one))
            if not text.strip():
                continue
            place = min(one["column"], MOST_COLUMNS + 1) - 1
            cells += [""] * (place + 1 - len(cells))
            cells[place] = text
        out.add(number, cells)
        if most and len(out.rows) >= most:
            break
    return out


def _mark_formulas(data: bytes, title: str, out: Sheet) -> None:
    """Find the formulas that no program has computed yet: their cells look empty."""
    from openpyxl import load_workbook

    def cells(computed: bool) -> Iterator[tuple[int, dict[str, Any]]]:
        sheet = load_workbook(io.BytesIO(data), read_only=True, data_only=computed)[title]
        return ((number, one) for number, row in _present(sheet) for one in row)

    kept = dict(out.rows)
    for (number, formula), (_, value) in zip(cells(False), cells(True), strict=False):
        # A formula that gives an empty text has a text for its type; one never computed has no type at all.
        if formula["data_type"] != "f" or value["value"] is not None or value["data_type"] != "n":
            continue
        place = min(formula["column"], MOST_COLUMNS) - 1
        row = kept.setdefault(number, [])
        row += [""] * (place + 1 - len(row))
        row[place] = FORMULA
    out.rows = sorted(kept.items())


_ZEROS = re.compile(r"0{2,}")


def _text(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return BROKEN if cell.data_type == "e" else value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time) or not isinstance(value, int | float):
        return str(value)
    return _number(value, str(cell.number_format or ""))


def _number(value: float, shown_as: str) -> str:
    if "%" in shown_as:
        return PERCENT
    if abs(value) >= 10**_DIGITS_KEPT:
        return SHORTENED
    if float(value).is_integer():
        # Identifiers keep the leading zeros that a format such as 00000000 shows.
        return str(int(value)).zfill(len(shown_as)) if _ZEROS.fullmatch(shown_as) else str(int(value))
    return repr(value)
