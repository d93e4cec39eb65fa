"""CSV as spreadsheets write it: any delimiter, any encoding, `sep=` lines, line breaks inside quotes."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter

from annotation.intake.clinical.tables import MOST_ROWS, BadTable, Score, Sheet

NO_TABLE = "This is no table: neither CSV nor XLSX."
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_SAMPLE_ROWS = 200
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe\0\0", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_NAMES = {
    "utf-8": "UTF-8", "utf-8-sig": "UTF-8", "utf-16": "UTF-16", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16",
    "utf-32": "UTF-32", "cp1252": "Windows-1252", "mac_roman": "Mac Roman", "cp850": "DOS 850",
}  # fmt: skip
# Letters that tables of hospitals hold; what another encoding makes of their bytes is a sign, or none of them.
_LETTERS = set("äöüßÄÖÜéèàçêâîôûëïœùñåæøÉÈÀÇ")
_SIGNS = set("–’“”„«»µ²°±§€")
_FOREIGN = re.compile(rb"[A-Za-z]*[\x80-\xff][A-Za-z\x80-\xff]*")
_CONTROL = re.compile(r"[\0-\x08\x0e-\x1f]")
_HTML = re.compile(r"\s*(<\?xml|<!doctype|<html|<table|<meta)", re.IGNORECASE)


def read_text(data: bytes, score: Score) -> Sheet:
    """Read bytes as a CSV table, or say why they are none."""
    text, encoding = decoded(data)
    text = text.rstrip("\x1a")  # where DOS ended its files
    if _CONTROL.search(text):
        raise BadTable(NO_TABLE)
    if _HTML.match(text):
        raise BadTable("This is a web page in a table's clothes. Open it in Excel and save it as .xlsx.")
    named = re.match(r"sep=(.)\r?\n", text)
    if named:
        text = text[named.end() :]
    delimiter = named[1] if named else _delimiter(text, score)
    sheet = _parsed(text, delimiter)
    said = DELIMITERS.get(delimiter, "its own sign")
    sheet.remarks.insert(0, f"Read as CSV, separated by {said}, in {_NAMES[encoding]}.")
    return sheet


def decoded(data: bytes) -> tuple[str, str]:
    """Give the text and its encoding: by mark, by strict rules, or by which letters come out."""
    try:
        for mark, encoding in _MARKS:
            if data.startswith(mark):
                return data.decode(encoding).removeprefix("\ufeff"), encoding
        if b"\0" in data:
            encoding = _wide(data)
            return data.decode(encoding), encoding
    except UnicodeError:
        raise BadTable(NO_TABLE) from None
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        encoding = max(("cp1252", "mac_roman", "cp850"), key=lambda one: _plausible(data, one))
        return data.decode(encoding, errors="replace"), encoding


def _wide(data: bytes) -> str:
    """Tell UTF-16 without a mark by where its zeros stand."""
    sample = data[:20_000]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) * 5 < len(sample):
        raise BadTable(NO_TABLE)
    return "utf-16-be" if even > odd else "utf-16-le"


def _plausible(data: bytes, encoding: str) -> int:
    found = Counter(match.group() for match in _FOREIGN.finditer(data[:2_000_000]))
    total = 0
    for word, times in found.most_common(2000):
        signs = [sign for sign in word.decode(encoding, errors="replace") if ord(sign) > 127]
        total += times * sum((sign in _LETTERS) - (sign not in _LETTERS | _SIGNS) for sign in signs)
    return total


def _delimiter(text: str, score: Score) -> str:
    """Choose the sign under which a head is understood and the rows have one width."""

    def judged(delimiter: str) -> tuple[int, float, int]:
        sheet = _parsed(text, delimiter, most=_SAMPLE_ROWS)
        widths = Counter(len(cells) for _, cells in sheet.rows)
        width, times = max(widths.items(), key=lambda one: (one[1], one[0]), default=(0, 0))
        fits = times / len(sheet.rows) if width > 1 else 0.0
        return sheet.best(score), fits, width

    rated = {delimiter: judged(delimiter) for delimiter in DELIMITERS if delimiter in text}
    return max(rated, key=rated.__getitem__, default=",")


def _parsed(text: str, delimiter: str, *, most: int = MOST_ROWS * 4) -> Sheet:
    sheet = Sheet()
    try:
        _fill(sheet, text, delimiter, most, strict=True)
    except csv.Error as fault:
        if "end of data" in str(fault) or "field larger" in str(fault):
            if most == _SAMPLE_ROWS:
                return sheet
            where = sheet.rows[-1][0] + 1 if sheet.rows else 1
            raise BadTable(f"A quotation mark opens at row {where} or later and is never closed.") from None
        sheet = Sheet()
        try:
            _fill(sheet, text, delimiter, most, strict=False)
        except csv.Error:
            if most != _SAMPLE_ROWS:
                raise BadTable(NO_TABLE) from None
    return sheet


def _fill(sheet: Sheet, text: str, delimiter: str, most: int, *, strict: bool) -> None:
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict)
    for number, line in enumerate(lines, start=1):
        if number > most:
            return
        sheet.add(number, line)
