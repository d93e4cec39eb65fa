"""One cell becomes one value. Sentences say what is wrong and what to write; they never quote the cell."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from annotation.intake.clinical.tables import MARKS, SHORTENED, BadCell

SEXES = {
    "m": "M", "male": "M", "man": "M", "mann": "M", "mannlich": "M", "maennlich": "M", "masculin": "M", "homme": "M",
    "h": "M", "mas": "M", "f": "F", "female": "F", "woman": "F", "w": "F", "frau": "F", "weiblich": "F",
    "feminin": "F", "femme": "F", "fem": "F",
}  # fmt: skip
MISSING = {"", "na", "n/a", "nan", "-", "–", "—", "?", "none", "null", ".", "k.a.", "n.a.", "nd", "n/d", "unknown",
           "unbekannt", "missing", "fehlt"}  # fmt: skip
EARLIEST = date(1980, 1, 1)
FOLLOW_UP_DAYS = (28, 35)
MOST_DAYS = 3650
MOST_IDENTIFIER = 64
SEEN = 2000
"""Columns of scores say the same few things over and over; what cannot be read is never kept."""


@dataclass(frozen=True)
class Value:
    """One value as it is kept: text, number, and a remark on how it was read."""

    text: str
    number: float | None = None
    note: str = ""


Parse = Callable[[str], Value]


def is_missing(text: str) -> bool:
    return text.strip().lower() in MISSING


def whole(text: str) -> str:
    """Give a cell's text ready to be read; raises BadCell for one the spreadsheet could not give."""
    if text in MARKS:
        raise BadCell(MARKS[text])
    return text.replace("\u00a0", " ").replace("\u202f", " ").replace("\u2212", "-").strip()


_NUMBER = re.compile(r"[+-]?\d{1,12}(?:[.,]\d{1,17})?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:[.,'’ ]\d{3})+(?:[.,]\d+)?")
_SHORT = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE][+-]?\d+")
_AS_DAY = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}[. -]{1,2}[A-Za-zäéû]{3,9}\.?|[A-Za-zäéû]{3,9}[. -]{1,2}\d{1,2}")


def number_of(text: str) -> float:
    """Read a number with a decimal point or comma; nothing else is guessed."""
    text = whole(text)
    if _NUMBER.fullmatch(text):
        return float(text.replace(",", "."))
    if _THOUSANDS.fullmatch(text):
        raise BadCell("Write the number without a thousands separator.")
    if _AS_DAY.fullmatch(text):
        raise BadCell("The spreadsheet has made a date of this cell. Format the column as text and enter it again.")
    raise BadCell("This is not a number. Write the number alone, without a unit or a sign.")


def bounded(low: float, high: float, unit: str) -> Parse:
    @lru_cache(SEEN)
    def parse(text: str) -> Value:
        number = number_of(text)
        if not low <= number <= high:
            raise BadCell(f"The value is outside {low:g} to {high:g} {unit}.")
        return Value(f"{number:g}", number)

    return parse


@lru_cache(SEEN)
def nrs(text: str) -> Value:
    """Read a pain score: 0 to 10, whole or half; "3-4" is 3.5, and its text keeps what was written, as the flag."""
    text = whole(text)
    span = re.fullmatch(r"(\d{1,2})\s*(?:-|–|to|bis|à)\s*(\d{1,2})", text)
    if span and int(span[2]) - int(span[1]) == 1 and int(span[2]) <= 10:
        number = (int(span[1]) + int(span[2])) / 2
        return Value(f"{number:g} (written {span[1]}-{span[2]})", number, "Written as a span; its middle is kept.")
    if span:
        raise BadCell("Only a span of two neighbouring whole numbers is read, as its middle. Write one number.")
    number = number_of(text)
    if not 0 <= number <= 10 or (2 * number) % 1:
        raise BadCell("This is no NRS value: 0 to 10, whole or half.")
    return Value(f"{number:g}", number)


@lru_cache(SEEN)
def sex(text: str) -> Value:
    bare = unicodedata.normalize("NFKD", whole(text).casefold())
    known = SEXES.get("".join(sign for sign in bare if not unicodedata.combining(sign)))
    if known is None:
        raise BadCell("This is no sex this table knows: M or F.")
    return Value(known)


def days(text: str) -> Value:
    number = number_of(text)
    if not 0 <= number <= MOST_DAYS or number % 1:
        raise BadCell(f"This is no number of days: whole, 0 to {MOST_DAYS}.")
    return follow_up(int(number))


def follow_up(number: int) -> Value:
    low, high = FOLLOW_UP_DAYS
    note = "" if low <= number <= high else f"The follow-up lies outside day {low} to {high}."
    return Value(str(number), float(number), note)


def height_m(text: str) -> float:
    number = number_of(text)
    if 100 <= number <= 250:
        return number / 100
    if 1 <= number <= 2.5:
        return number
    raise BadCell("This is no height: 100 to 250 cm, or 1 to 2.5 m.")


def weight_kg(text: str) -> float:
    number = number_of(text)
    if not 20 <= number <= 350:
        raise BadCell("The value is outside 20 to 350 kg.")
    return number


def identifier(text: str) -> str:
    """Give the hospital's identifier as it was entered; what a spreadsheet has broken would be another person."""
    text = whole(text)
    if is_missing(text):
        raise BadCell("The row has no identifier of the patient.")
    if _SHORT.fullmatch(text):
        raise BadCell(MARKS[SHORTENED])
    if len(text) > MOST_IDENTIFIER:
        raise BadCell(f"The identifier is longer than {MOST_IDENTIFIER} characters; a DICOM PatientID never is.")
    return text


def level(text: str, known: Iterable[str]) -> Value:
    text = whole(text).upper()
    if re.fullmatch(r"[LS]\d\s*[/-]\s*[LS]?\d", text):
        raise BadCell("This is a segment. Write the lytic vertebra alone, for example L5.")
    if text not in known:
        raise BadCell(f"This is no level of this protocol: {', '.join(known) or 'it has none'}.")
    return Value(text)


def exclusion(text: str, known: Sequence[str]) -> Value:
    """Read one letter or several, given back in the order in which they count; words are not guessed."""
    parts = [one.strip() for one in re.split(r"[,;+/&\n|]|\b(?:and|und|et)\b", whole(text)) if one.strip()]
    found = [re.fullmatch(r"\(?([A-Za-z])\)?\.?", part) for part in parts]
    letters = {one[1].lower() for one in found if one}
    if not letters or not all(found) or not letters <= set(known):
        named = ", ".join(known) or "this protocol has none"
        raise BadCell(
            f"This is no exclusion reason ({named}). Write the letter, several with commas between, or nothing."
        )
    ordered = [code for code in known if code in letters]
    note = "" if len(ordered) == 1 else "Several reasons; the patient counts under the first."
    return Value(",".join(ordered), None, note)


# --- days of the calendar ------------------------------------------------------------------------------------------

_MONTHS = {
    "jan": 1, "jän": 1, "feb": 2, "fév": 2, "fev": 2, "mar": 3, "mär": 3, "mrz": 3, "apr": 4, "avr": 4, "may": 5,
    "mai": 5, "jun": 6, "jui": 0, "jul": 7, "aug": 8, "aoû": 8, "aou": 8, "sep": 9, "oct": 10, "okt": 10, "nov": 11,
    "dec": 12, "dez": 12, "déc": 12,
}  # fmt: skip
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
NO_DATE = "This is no date; write 2024-05-31 or 31.05.2024."


def is_slashed(text: str) -> bool:
    """Tell a date that can be read in two orders from “n/a”."""
    return _SLASHED.match(text.strip()) is not None


def month_first(texts: Iterable[str]) -> bool | None:
    """Tell from a whole column whether 04/05/2024 is an April day; None where nothing tells."""
    seen: bool | None = None
    for text in texts:
        found = _SLASHED.match(text.strip())
        if found and int(found[1]) > 12:
            return False
        if found and int(found[2]) > 12:
            seen = True
    return seen


def _parts(text: str, months_lead: bool) -> tuple[int, int, int]:
    if found := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})|(\d{4})(\d{2})(\d{2})", text):
        year, month, day = (int(one) for one in found.groups() if one is not None)
        return year, month, day
    if found := re.fullmatch(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4}|\d{2})", text):
        return _year(found[3]), int(found[2]), int(found[1])
    if found := _SLASHED.fullmatch(text):
        first, second, year = (int(one) for one in found.groups())
        return (year, first, second) if months_lead else (year, second, first)
    if found := re.fullmatch(r"(\d{1,2})[. -]{1,2}([^\W\d]{3,9})\.?[ -](\d{4}|\d{2})", text):
        return _year(found[3]), _month(found[2].lower()), int(found[1])
    raise BadCell(NO_DATE)


def _month(name: str) -> int:
    if name.startswith("jui"):  # juin, juillet
        return 7 if name.startswith("juil") else 6
    return _MONTHS.get(name[:3], 0)


def _year(text: str) -> int:
    return int(text) if len(text) == 4 else 2000 + int(text)


def day_of(text: str, *, today: date, months_lead: bool = False, earliest: date = EARLIEST) -> date:
    """Read a day of the calendar; a time beside it is passed over."""
    text = re.sub(r"[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?Z?$", "", whole(text))
    if re.fullmatch(r"[1-6]\d{4}([.,]\d+)?", text):
        raise BadCell("This is a spreadsheet's number of a day. Format the column as date and save the file again.")
    try:
        found = date(*_parts(text, months_lead))
    except ValueError as fault:
        if isinstance(fault, BadCell):
            raise
        raise BadCell(NO_DATE) from None
    if found > today:
        raise BadCell("This date lies in the future.")
    if found < earliest:
        raise BadCell(f"This date is impossible: it lies before {earliest.year}.")
    return found


PARSERS: Mapping[str, Parse] = {
    "age": bounded(0, 120, "years"),
    "sex": sex,
    "bmi": bounded(8, 90, "kg/m²"),
    "nrs_baseline": nrs,
    "nrs_15min": nrs,
    "nrs_1month": nrs,
    "nrs_1month_day": days,
}
"""How each kept value is read, in the table and in the form of the outcome entry alike."""


def stem_of(name: str) -> tuple[str, str]:
    """Give the name and time point under which a value is stored."""
    if name.startswith("nrs_") and name != "nrs_1month_day":
        return "nrs", name.removeprefix("nrs_")
    return name, ""
