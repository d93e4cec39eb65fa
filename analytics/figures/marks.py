"""How readers, times and numbers look in every figure: colour, shape and line together, so that grey is enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analytics.stats.result import NotEstimable, Results, Value
from analytics.stats.words import half_up, p_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "OUTCOMES",
    "Look",
    "interval",
    "known",
    "legend",
    "look",
    "number",
    "numbers",
    "p_shown",
    "readers",
    "refusal",
    "shown",
    "title_of",
    "with_limits",
]

OUTCOMES = {"success_15min": "15 minutes", "success_1month": "1 month"}
MINUS = "\N{MINUS SIGN}"


class Look(NamedTuple):
    """Colour, marker and line of one source."""

    colour: str
    marker: str
    line: str | tuple[int, tuple[float, ...]]


# Dark, light, middle in grey; told apart by every kind of colour vision; a shape and a line each.
LOOKS = (
    Look("#0b3c6f", "o", "-"),
    Look("#d9822b", "s", (0, (4.5, 1.6))),
    Look("#7b5ea7", "^", (0, (1.2, 1.4))),
    Look("#2f8f6b", "D", (0, (6, 1.6, 1.2, 1.6))),
    Look("#a23b5b", "v", (0, (3, 1, 1, 1, 1, 1))),
    Look("#5b626c", "P", (0, (8, 2))),
)


def look(place: int) -> Look:
    """Give the look of the reader at this place."""
    return LOOKS[place % len(LOOKS)]


def readers(results: Results) -> list[str]:
    """Name the readers in their order."""
    return [str(reader) for reader in results.subject["readers"]]


def known(*values: Value) -> bool:
    """Whether all are numbers."""
    return not any(isinstance(value, NotEstimable | str) for value in values)


def number(results: Results, id: str, field: str) -> float | None:
    """Give a number of the results; None where it was not computed or does not exist."""
    found = results.entry(id).values.get(field) if id in results else None
    return float(found) if isinstance(found, int | float) else None


def numbers(results: Results, id: str, *fields: str) -> tuple[float, ...] | None:
    """Give several numbers of one entry; None where one is missing."""
    found = [number(results, id, field) for field in fields]
    return tuple(value for value in found if value is not None) if None not in found else None


def with_limits(results: Results, id: str, middle: str, low: str, high: str) -> tuple[float, float, float] | None:
    """Give an estimate and its limits; None where one is missing."""
    found = numbers(results, id, middle, low, high)
    return (found[0], found[1], found[2]) if found else None


def refusal(results: Results, id: str) -> str:
    """Say why an entry has no number."""
    for value in results.entry(id).values.values() if id in results else ():
        if isinstance(value, NotEstimable):
            return value.why
    return "not computed"


def shown(value: float, decimals: int = 2) -> str:
    """Print a number with a true minus sign."""
    return str(half_up(value, decimals)).replace("-", MINUS)


def interval(middle: float, low: float, high: float, decimals: int = 2) -> str:
    """Print an estimate with its interval."""
    return f"{shown(middle, decimals)} ({shown(low, decimals)} to {shown(high, decimals)})"


def p_shown(p: float) -> str:
    """Print a p-value with its sign."""
    words = p_words(p)
    return f"p {words}" if words.startswith("<") else f"p = {words}"


def title_of(results: Results, code: str) -> str:
    """Give the title of an item."""
    return next((str(item["title"]) for item in results.subject["items"] if item["code"] == code), code)


def legend(axes: Axes, **more: object) -> None:
    """Add a legend in the house's look."""
    kept = {"frameon": False, "handlelength": 2.6, "borderaxespad": 0.2, "labelspacing": 0.35, "fontsize": 6.0, **more}
    axes.legend(**kept)
