"""Numbers as printed text: half-up rounding, intervals with their level, reasons as footnotes."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from analytics.report.document import Table
from analytics.stats.result import NotEstimable, Results, Value
from analytics.stats.words import half_up, p_words

__all__ = ["LIMITS_95", "OUTCOMES", "TIMES", "Cells", "Table", "items", "labelled", "readers_of", "sources_of"]

MARKS = "abcdefghijklmnopqrstuvwxyz"
MINUS = "−"
LIMITS_95 = "Intervals are 95 % confidence intervals."
TIMES = {"15min": "15 minutes", "1month": "1 month"}
OUTCOMES = {f"success_{code}": title for code, title in TIMES.items()}
LAYERS = {"averaged": "mean of readers", "adjudicated": "adjudicated"}


def items(results: Results) -> list[dict[str, Any]]:
    """Return the findings as the results describe them."""
    return list(results.subject["items"])


def readers_of(results: Results) -> list[str]:
    """Return the readers' neutral names."""
    return list(results.subject["readers"])


def sources_of(results: Results) -> dict[str, str]:
    """Whose findings a plan may have used, with their titles: the readers, their mean, the adjudicated ones."""
    return {reader: reader for reader in readers_of(results)} | LAYERS


def labelled(results: Results, name: str) -> str:
    """Give a predictor's title by its name in a model."""
    titles = {item["code"]: item["title"] for item in items(results)}
    known = {
        "contrast_intra": "Contrast: intra-defect",
        "contrast_trans": "Contrast: trans-defect",
        "segment_multi": "Degeneration: multi-segmental",
        "age": "Age, per year",
        "bmi": "Body mass index, per kg/m²",
        "sex": "Men",
        "sex_M": "Men",
        **titles,
    }
    item, _, level = name.rpartition("_")
    if item == "level":
        return f"Lytic vertebra {level}"
    return known.get(name) or (f"{titles[item]}: {level}" if item in titles else name)


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
        return f"not estimable {self.mark(why)}"

    def mark(self, why: str) -> str:
        """Give the mark of a footnote that belongs to single cells."""
        return self._reasons.setdefault(why, self._mark(len(self._reasons)))

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
        """Print one number, rounded half up."""
        return self._shown(self.results.value(id, field), lambda x: rounded(x, decimals))

    def scaled(self, id: str, field: str, scale: float, decimals: int) -> str:
        """Print ``scale`` times one number, such as a share in percent."""
        return self._shown(self.results.value(id, field), lambda x: rounded(scale * x, decimals))

    def count(self, id: str, field: str) -> str:
        """Print a whole number."""
        return self.number(id, field, 0)

    def p(self, id: str, field: str = "p") -> str:
        """Print a p-value."""
        return self._shown(self.results.value(id, field), p_words)

    def share(self, id: str, count: str, percent: str) -> str:
        """Print a count with its percentage."""
        n = self.results.value(id, count)
        share = self.results.value(id, percent)
        return self.count(id, count) if isinstance(share, NotEstimable) else f"{n} ({self.number(id, percent, 1)} %)"

    def optional(self, id: str, shown: Callable[[str], str]) -> str:
        """Print what stands under ``id``, or nothing where the plan did not compute it."""
        return shown(id) if self.has(id) else ""

    def corrected(self, id: str, bounds: tuple[float, float] = (-math.inf, math.inf)) -> str:
        """Print an apparent figure and the one corrected for optimism with its limits, cut at ``bounds`` for print."""
        if isinstance(why := self.results.value(id, "apparent"), NotEstimable):
            return self.reason(why.why)
        shown = self.interval(id, ("corrected", "ci_low", "ci_high"), bounds=bounds)
        return f"{self.number(id, 'apparent')} → {shown}"

    def interval(
        self,
        id: str,
        fields: tuple[str, str, str],
        decimals: int = 2,
        bounds: tuple[float, float] = (-math.inf, math.inf),
        *,
        scale: float = 1,
    ) -> str:
        """Print an estimate with its limits, ``scale`` times; limits beyond ``bounds`` are cut for print only."""

        def form(x: float) -> str:
            return rounded(min(max(scale * x, bounds[0]), bounds[1]), decimals)

        return self._with_limits(id, fields, form)

    def odds(self, id: str, fields: tuple[str, str, str], p: str, *, logarithms: bool = False) -> str:
        """Print an odds ratio with its limits and its p-value; with ``logarithms`` the fields hold logs of them."""
        if isinstance(why := self.results.value(id, fields[0]), NotEstimable):
            return self.reason(why.why)

        def form(x: float) -> str:
            return ratio(math.exp(min(x, 700.0)) if logarithms else x)

        return f"{self._with_limits(id, fields, form)}; p {self.equal(self.p(id, p))}"

    def ratio(self, id: str, fields: tuple[str, str, str]) -> str:
        """Print a ratio with its limits."""
        return self._with_limits(id, fields, ratio)

    @staticmethod
    def equal(p: str) -> str:
        """Put the sign before a p-value that has none."""
        return p if p[0] in "<n" else f"= {p}"

    def _with_limits(self, id: str, fields: tuple[str, str, str], form: Callable[[float], str]) -> str:
        middle, low, high = (self.results.value(id, field) for field in fields)
        if isinstance(middle, NotEstimable):
            return self.reason(middle.why)
        shown = self._shown(middle, form)
        if isinstance(low, NotEstimable) and isinstance(high, NotEstimable):
            return f"{shown} (interval {self.reason(low.why)})"
        return f"{shown} ({self._shown(low, form)} to {self._shown(high, form)})"


def rounded(value: float, decimals: int) -> str:
    """Round half up, with a real minus sign; write large numbers in powers of ten."""
    if abs(value) >= 1e5:
        exponent = Decimal(repr(value)).adjusted()
        return f"{rounded(value / 10.0**exponent, 1)} × 10^{exponent}"
    return str(half_up(value, decimals)).replace("-", MINUS)


def ratio(value: float) -> str:
    """Print an odds ratio with two decimals, without decimals from 100 on, and never as 0.00."""
    if 0 <= value < 0.005:
        return "< 0.01"
    return rounded(value, 0 if value >= 100 else 2)
