"""Tables as files: CSV or a workbook as text, and the columns a table for analysis must not have."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import pandas as pd

from analytics.frames.clinical import BadTable, text_of

__all__ = ["read_bytes", "read_table", "without_names"]

WORKBOOK = b"PK\x03\x04"
LARGEST = 100_000_000  # bytes of an unpacked workbook
MOST_ROWS = 100_000
NAMING = re.compile(
    r"(?:^|_)(?:first|last|full|family|given|middle|maiden|patient|sur|fore)?_?names?(?:$|_)|surname|forename|vorname"
    r"|nachname|familienname|birth|geburt|(?:^|_)(?:dob|geb|geb_datum|gebdat|mrn|ssn|pid|patient_?id|case_?number|phone|tel"
    r"|telefon|e_?mail|mail|address|adresse|street|strasse|postcode|plz|zip|initials|accession|hospital_?id)(?:$|_)"
)
SPOKEN = re.compile(r"[^\W\d_]{2,}[\s,;^]+[^\W\d_]{2,}")
DAY = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}")
CODED = "Give each case a code of your own that says nothing of the patient."


def read_table(path: Path) -> pd.DataFrame:
    """Read a file as text, with every fault as a sentence; as `read_bytes`."""
    try:
        data = path.read_bytes()
    except OSError as fault:
        raise BadTable(path.name, f"cannot be read: {fault.strerror}.") from None
    return read_bytes(path.name, data)


def read_bytes(name: str, data: bytes) -> pd.DataFrame:
    """Read a table as text, with every fault as a sentence.

    Parameters
    ----------
    name : str
        What faults call the file.
    data : bytes
        CSV in UTF-8, comma-separated, with a header line; or an XLSX workbook, whose first sheet is taken.

    Returns
    -------
    DataFrame
        Of strings; row k of the frame is line k + 2 of the file.
    """
    lines = _sheet(name, data) if data.startswith(WORKBOOK) else _lines(name, data)
    while lines and not any(lines[-1]):
        lines.pop()
    if not lines:
        raise BadTable(name, "is empty.")
    header = [one.strip() for one in lines[0]]
    if len(header) == 1 and ";" in header[0]:
        raise BadTable(name, "its columns are set off by semicolons; save it with commas, or as XLSX.", row=1)
    if doubled := [one for one, count in Counter(header).items() if count > 1]:
        raise BadTable(name, "this column stands there twice.", row=1, column=doubled[0] or "(no name)")
    for place, line in enumerate(lines[1:], start=2):
        if len(line) != len(header):
            raise BadTable(name, f"has {len(line)} fields where the header has {len(header)}.", row=place)
    return pd.DataFrame(lines[1:], columns=header, dtype=str)


def _lines(name: str, data: bytes) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise BadTable(name, "cannot be read: it is not UTF-8 text in CSV form.") from None


def _sheet(name: str, data: bytes) -> list[list[str]]:
    """Give the first sheet of a workbook as text; empty columns at its right end are none."""
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            if sum(part.file_size for part in parts.infolist()) > LARGEST:
                raise BadTable(name, "is too large once unpacked; save the one sheet as CSV.")
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        rows = book.worksheets[0].iter_rows(values_only=True, max_row=MOST_ROWS)
        lines = [[_cell(cell) for cell in row] for row in rows]
    except BadTable:
        raise
    except Exception as fault:  # a broken workbook fails anywhere inside its reader
        raise BadTable(name, f"cannot be read as a workbook ({type(fault).__name__}).") from None
    width = max((place for line in lines[:1] for place, cell in enumerate(line, 1) if cell), default=0)
    padded = (line + [""] * (width - len(line)) for line in lines)
    return [line if any(line[width:]) else line[:width] for line in padded]


def _cell(cell: object) -> str:
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d}"
    return text_of(cell)


def without_names(name: str, table: pd.DataFrame, known: Iterable[str]) -> pd.DataFrame:
    """Give the columns an analysis knows; refuse a table that looks as if it named patients.

    Parameters
    ----------
    name : str
        What faults call the file.
    table : DataFrame
        As `read_bytes` gives it.
    known : iterable of str
        Columns, or beginnings of columns before a dot, that are kept.

    Raises
    ------
    BadTable
        For a column whose name speaks of a name, a birth date, an address or a hospital's number, and for a case whose
        code looks like a name or a date.
    """
    for column in map(str, table.columns):
        plain = re.sub(r"(?<=[a-z])(?=[A-Z])|[^\w]+", "_", column.strip()).casefold()
        if column not in known and NAMING.search(plain):
            raise BadTable(name, "this column looks as if it named patients. Remove it.", row=1, column=column)
    cases = table["case_id"].to_list() if "case_id" in table.columns else []
    for row, case in enumerate(cases, start=2):
        if SPOKEN.search(case) or DAY.search(case):
            raise BadTable(name, f"this looks like a name or a date. {CODED}", row=row, column="case_id")
    kept = set(known)
    return table[[column for column in table.columns if str(column).partition(".")[0] in kept]]
