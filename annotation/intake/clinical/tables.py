"""A file becomes rows of text: what a spreadsheet program writes, told apart by its bytes and never by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

MOST_BYTES = 20_000_000
MOST_ROWS = 50_000
MOST_COLUMNS = 400

FORMULA, PERCENT, BROKEN, SHORTENED = "\ue000formula", "\ue000percent", "\ue000error", "\ue000shortened"
MARKS = {
    FORMULA: "The cell holds a formula that was never computed. Open the file in Excel, save it and try again.",
    PERCENT: "The cell is formatted as a percentage. Format it as a number.",
    BROKEN: "The cell holds an error of the spreadsheet, such as #N/A. Correct or empty it.",
    SHORTENED: "The spreadsheet has shortened this long number. Format the column as text and enter it again.",
}
"""What stands in a cell instead of a value, and the sentence for it."""

Score = Callable[[Sequence[str]], int]
"""How well a row would do as the head of the table; 0 for a row that knows no column."""


class BadCell(ValueError):
    """A cell that cannot be read; the text is the sentence for the person who made the table.

    It never quotes the cell: in a shifted column that is a name, and the sentence is stored and shown.
    """


class BadTable(BadCell):
    """A file that is no table we can read."""


@dataclass
class Sheet:
    """Rows as a spreadsheet counts them, the first being 1; `remarks` say how the file was read."""

    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def add(self, number: int, cells: list[str]) -> None:
        """Keep a row; empty ones and empty cells at the end are left out, too many are refused."""
        while cells and not cells[-1].strip():
            cells.pop()
        if not cells:
            return
        if len(self.rows) >= MOST_ROWS:
            raise BadTable(f"The table has more than {MOST_ROWS} rows. Split it into several files.")
        if len(cells) > MOST_COLUMNS:
            raise BadTable(f"The table has more than {MOST_COLUMNS} columns. Keep those that the study needs.")
        self.rows.append((number, cells))

    def best(self, score: Score, *, among: int = 20) -> int:
        """Give the score of the best head among the first rows."""
        return max((score(cells) for _, cells in self.rows[:among]), default=0)


_SAVE_AS = "Save it as .xlsx or as CSV."
_KNOWN = (
    (b"\xd0\xcf\x11\xe0", f"This is an old Excel file (.xls), or one with a password. {_SAVE_AS}"),
    (b"%PDF", "This is a PDF. Export the table as .xlsx or CSV."),
    (b"\x1f\x8b", "This is a compressed archive. Unpack it and choose the table."),
    (b"7z\xbc\xaf", "This is a compressed archive. Unpack it and choose the table."),
    (b"SAS", "This is a file of a statistics program. Export it as CSV."),
    (b"$FL2", "This is an SPSS file. Export it as CSV."),
    (b"<stata_dta>", "This is a Stata file. Export it as CSV."),
)


def read(data: bytes, score: Score) -> Sheet:
    """Read a CSV or XLSX file of any make; raises BadTable with a sentence for everything else."""
    from annotation.intake.clinical.text import read_text
    from annotation.intake.clinical.workbook import read_workbook

    if not data.strip():
        raise BadTable("The file is empty.")
    if len(data) > MOST_BYTES:
        raise BadTable(f"The file is larger than {MOST_BYTES // 1_000_000} MB; a clinical table is smaller.")
    for start, sentence in _KNOWN:
        if data.startswith(start):
            raise BadTable(sentence)
    sheet = read_workbook(data, score) if data[:4] == b"PK\x03\x04" else read_text(data, score)
    if not sheet.rows:
        raise BadTable("The table is empty.")
    return sheet
