"""Numbers as printed text: half-up rounding, intervals with their level, reasons as footnotes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from analytics.report.document import Table, marked, plain, stated
from analytics.stats.result import NotEstimable, Results, Value
from analytics.stats.words import exactly, half_up, p_words

__all__ = ["LIMITS_95", "OUTCOMES", "TIMES", "Cells", "Table", "items", "labelled", "readers_of", "sources_of"]

MARKS = "abcdefghijklmnopqrstuvwxyz"
MINUS = "−"
HUNDRED = Decimal(100)
NOT_WHOLE = "Percentages are rounded one by one; those of one whole need not add up to one hundred as printed."
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
    labels = {
        (item["code"], *one) for item in items(results) for one in zip(item["names"], item["labels"], strict=True)
    }
    named = {(code, name): label for code, name, label in labels}
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
    return known.get(name) or (f"{titles[item]}: {named.get((item, level), level)}" if item in titles else name)


class Cells:
    """Turns numbers into cells of one table and collects why some have none; every number keeps its origin."""

    def __init__(self, results: Results) -> None:
        self.results = results
        self._reasons: dict[str, tuple[str, str]] = {}
        self._notes: list[str] = []

    def note(self, text: str) -> None:
        """Add a footnote once; two that read the same are one."""
        if plain(text) not in map(plain, self._notes):
            self._notes.append(text)

    def noted(self, id: str, before: str = "") -> None:
        """Add what the statistic under ``id`` has to say of itself, after words that name it."""
        for note in self.results.entry(id).notes:
            self.note(f"{before}{marked(note, id, 'notes')}")

    @property
    def footnotes(self) -> tuple[str, ...]:
        """Footnotes of the table: general ones, then the reasons by their marks."""
        return (*self._notes, *(f"{mark} {reason}." for mark, reason in self._reasons.values()))

    def reason(self, id: str, field: str) -> str:
        """Words for a number that does not exist, and a footnote that says why."""
        value = self.results.value(id, field)
        why = value.why if isinstance(value, NotEstimable) else str(value)
        return marked(f"not estimable {self.mark(marked(why, id, field))}", id, field)

    def mark(self, why: str) -> str:
        """Give the mark of a footnote that belongs to single cells."""
        return self._reasons.setdefault(plain(why), (self._mark(len(self._reasons)), why))[0]

    @staticmethod
    def _mark(place: int) -> str:
        repeat, letter = divmod(place, len(MARKS))
        return f"({MARKS[letter] * (repeat + 1)})"

    def _shown(self, id: str, field: str, form: Callable[[float], str]) -> str:
        value = self.results.value(id, field)
        if isinstance(value, NotEstimable):
            return self.reason(id, field)
        return marked(printed(value, form), id, field)

    def has(self, id: str) -> bool:
        """Whether the plan computed this."""
        return id in self.results

    def exists(self, id: str, field: str) -> bool:
        """Whether this number was computed and has a value."""
        return not isinstance(self.results.value(id, field), NotEstimable)

    def n(self, id: str) -> str:
        """Print on how many observations a statistic rests."""
        return marked(str(self.results.entry(id).n), id, "n")

    def cases(self) -> str:
        """Print the number of cases that were analysed."""
        shown = str(self.results.subject["cases"])
        return marked(shown, "study/cases", "n") if self.has("study/cases") else stated(shown, "study/cases")

    def number(self, id: str, field: str, decimals: int = 2) -> str:
        """Print one number, rounded half up."""
        return self._shown(id, field, lambda x: rounded(x, decimals))

    def scaled(self, id: str, field: str, scale: Fraction | int, decimals: int) -> str:
        """Print ``scale`` times one number, such as a share in percent."""
        return self._shown(id, field, lambda x: rounded(x, decimals, Fraction(scale)))

    def percent(self, id: str, field: str, scale: int = 1) -> str:
        """Print a percentage with its sign, or the reason."""
        return f"{self.scaled(id, field, scale, 1)}{' %' if self.exists(id, field) else ''}"

    def whole(self, shares: Iterable[tuple[str, str]]) -> None:
        """Say in a note where percentages of one whole, each rounded on its own, do not add up as printed."""
        values = [self.results.value(id, field) for id, field in shares]
        known = [value for value in values if isinstance(value, float | int)]
        if len(known) == len(values) > 0 and sum(half_up(value, 1) for value in known) != HUNDRED:
            self.note(NOT_WHOLE)

    def count(self, id: str, field: str) -> str:
        """Print a whole number."""
        return self.number(id, field, 0)

    def p(self, id: str, field: str = "p") -> str:
        """Print a p-value."""
        return self._shown(id, field, p_words)

    def share(self, id: str, count: str, percent: str) -> str:
        """Print a count with its percentage."""
        n = self.count(id, count)
        return f"{n} ({self.percent(id, percent)})" if self.exists(id, percent) else n

    def optional(self, id: str, shown: Callable[[str], str]) -> str:
        """Print what stands under ``id``, or nothing where the plan did not compute it."""
        return shown(id) if self.has(id) else ""

    def corrected(self, id: str, bounds: tuple[float, float] = (-math.inf, math.inf)) -> str:
        """Print an apparent figure and the one corrected for optimism with its limits, cut at ``bounds`` for print."""
        if not self.exists(id, "apparent"):
            return self.reason(id, "apparent")
        shown = self.interval(id, ("corrected", "ci_low", "ci_high"), bounds=bounds)
        return f"{self.number(id, 'apparent')} → {shown}"

    def interval(
        self,
        id: str,
        fields: tuple[str, str, str],
        decimals: int = 2,
        bounds: tuple[float, float] = (-math.inf, math.inf),
        *,
        scale: Fraction | int = 1,
    ) -> str:
        """Print an estimate with its limits, ``scale`` times; limits beyond ``bounds`` are cut for print only."""

        def form(x: float) -> str:
            return rounded(min(max(x, bounds[0]), bounds[1]), decimals, Fraction(scale))

        return self._with_limits(id, fields, form)

    def odds(self, id: str, fields: tuple[str, str, str], p: str, *, logarithms: bool = False) -> str:
        """Print an odds ratio with its limits and its p-value; with ``logarithms`` the fields hold logs of them."""
        if not self.exists(id, fields[0]):
            return self.reason(id, fields[0])

        def form(x: float) -> str:
            return ratio(math.exp(min(x, 700.0)) if logarithms else x)

        return f"{self._with_limits(id, fields, form)}; p {self.equal(self.p(id, p))}"

    def ratio(self, id: str, fields: tuple[str, str, str]) -> str:
        """Print a ratio with its limits."""
        return self._with_limits(id, fields, ratio)

    @staticmethod
    def equal(p: str) -> str:
        """Put the sign before a p-value that has none."""
        return p if plain(p)[0] in "<n" else f"= {p}"

    def _with_limits(self, id: str, fields: tuple[str, str, str], form: Callable[[float], str]) -> str:
        middle, low, high = fields
        if not self.exists(id, middle):
            return self.reason(id, middle)
        shown = self._shown(id, middle, form)
        if not self.exists(id, low) and not self.exists(id, high):
            return f"{shown} (interval {self.reason(id, low)})"
        return f"{shown} ({self._shown(id, low, form)} to {self._shown(id, high, form)})"


def printed(value: Value, form: Callable[[float], str]) -> str:
    """Print a value that exists: words as they are, infinity as its sign."""
    if isinstance(value, NotEstimable):
        raise TypeError(f"{value!r} has no number to print.")
    if isinstance(value, str):
        return value
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    return form(value)


def rounded(value: float, decimals: int, times: Fraction = Fraction(1)) -> str:
    """Round ``times`` the value half up, with a real minus sign; write large numbers in powers of ten."""
    if abs(value) >= 1e5:
        exponent = Decimal(repr(value)).adjusted()
        return f"{rounded(value / 10.0**exponent, 1)} × 10^{exponent}"
    return str(half_up(exactly(value, times), decimals)).replace("-", MINUS)


def ratio(value: float) -> str:
    """Print an odds ratio with two decimals, without decimals from 100 on, and never as 0.00."""
    if 0 <= value < 0.005:
        return "< 0.01"
    return rounded(value, 0 if value >= 100 else 2)
