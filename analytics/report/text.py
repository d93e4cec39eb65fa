"""Numbers as printed text: half-up rounding, intervals with their level, reasons as footnotes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from analytics.stats.result import NotEstimable, Results, Value
from analytics.stats.words import half_up, p_words

__all__ = ["Cells", "Table"]

MARKS = "abcdefghijklmnopqrstuvwxyz"
MINUS = "−"


@dataclass(frozen=True, slots=True)
class Table:
    """A printed table; the first column names the row."""

    code: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    footnotes: tuple[str, ...] = ()


class Cells:
    """Turns numbers into cells of one table and collects why some have none."""

    def __init__(self, results: Results) -> None:
        self.results = results
        self._reasons: dict[str, str] = {}
        self._notes: list[str] = []

    def note(self, text: str) -> None:
        """Add a footnote once."""
        if text not in self._notes:
            self._notes.append(text)

    @property
    def footnotes(self) -> tuple[str, ...]:
        """Footnotes of the table: general ones, then the reasons by their marks."""
        return (*self._notes, *(f"{mark} {reason}." for reason, mark in self._reasons.items()))

    def reason(self, why: str) -> str:
        """Words for a number that does not exist."""
        mark = self._reasons.setdefault(why, self._mark(len(self._reasons)))
        return f"not estimable {mark}"

    @staticmethod
    def _mark(place: int) -> str:
        repeat, letter = divmod(place, len(MARKS))
        return f"({MARKS[letter] * (repeat + 1)})"

    def _shown(self, value: Value, form: Callable[[float], str]) -> str:
        if isinstance(value, NotEstimable):
            return self.reason(value.why)
        if isinstance(value, str):
            return value
        if math.isinf(value):
            return "∞" if value > 0 else f"{MINUS}∞"
        return form(value)

    def has(self, id: str) -> bool:
        """Whether the plan computed this."""
        return id in self.results

    def number(self, id: str, field: str, decimals: int = 2) -> str:
        """One number, rounded half up."""
        return self._shown(self.results.value(id, field), lambda x: rounded(x, decimals))

    def count(self, id: str, field: str) -> str:
        """A whole number."""
        return self.number(id, field, 0)

    def p(self, id: str, field: str = "p") -> str:
        """A p-value."""
        return self._shown(self.results.value(id, field), p_words)

    def share(self, id: str, count: str, percent: str) -> str:
        """A count with its percentage."""
        n = self.results.value(id, count)
        share = self.results.value(id, percent)
        return self.count(id, count) if isinstance(share, NotEstimable) else f"{n} ({self.number(id, percent, 1)} %)"

    def interval(
        self,
        id: str,
        fields: tuple[str, str, str],
        decimals: int = 2,
        bounds: tuple[float, float] = (-math.inf, math.inf),
    ) -> str:
        """An estimate with its limits; limits beyond ``bounds`` are cut for print only."""
        middle, low, high = (self.results.value(id, field) for field in fields)
        if isinstance(middle, NotEstimable):
            return self.reason(middle.why)
        shown = self._shown(middle, lambda x: rounded(x, decimals))
        if isinstance(low, NotEstimable) and isinstance(high, NotEstimable):
            return f"{shown} (interval {self.reason(low.why)})"
        limits = [self._limit(limit, decimals, bounds) for limit in (low, high)]
        return f"{shown} ({limits[0]} to {limits[1]})"

    def _limit(self, value: Value, decimals: int, bounds: tuple[float, float]) -> str:
        if isinstance(value, NotEstimable | str):
            return self._shown(value, str)
        return self._shown(min(max(value, bounds[0]), bounds[1]), lambda x: rounded(x, decimals))


def rounded(value: float, decimals: int) -> str:
    """Half up, with a real minus sign; large numbers in powers of ten."""
    if abs(value) >= 1e5:
        return f"{value:.1e}".replace("-", MINUS)
    return str(half_up(value, decimals)).replace("-", MINUS)
