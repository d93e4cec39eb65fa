"""Numbers inside sentences, and references to tables and figures that are numbered later."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from analytics.report.document import marked, stated
from analytics.report.text import Cells, ratio, rounded
from analytics.stats.result import NotEstimable

__all__ = ["LEVEL", "Prose", "fixed", "listed", "referred", "see"]

LEVEL = stated("95 %", "fixed/level")
POINTS = re.compile("\ue003([^\ue004]*)\ue004")


class Prose(Cells):
    """As in tables, but a number that does not exist is said with its reason on the spot."""

    def reason(self, id: str, field: str) -> str:
        """Words for a number that does not exist, with the reason."""
        value = self.results.value(id, field)
        why = value.why if isinstance(value, NotEstimable) else str(value)
        return marked(f"not estimable: {why}", id, field)

    def value(self, id: str, field: str) -> float | None:
        """Give the unrounded number, or nothing where there is none."""
        found = self.results.value(id, field) if self.has(id) else None
        return float(found) if isinstance(found, float | int) else None

    def spread(self, id: str, decimals: int = 1) -> str:
        """Print mean and standard deviation."""
        if not self.exists(id, "mean"):
            return self.reason(id, "mean")
        return f"{self.number(id, 'mean', decimals)} ± {self.number(id, 'sd', decimals)}"

    def between(
        self,
        id: str,
        fields: tuple[str, str, str],
        after: str = "",
        *,
        decimals: int = 2,
        bounds: tuple[float, float] = (-math.inf, math.inf),
        unit: str = "",
    ) -> str:
        """Print an estimate with its interval and the interval's level in brackets, and what else stands there."""
        if not self.exists(id, fields[0]):
            return self.reason(id, fields[0])
        middle = self.number(id, fields[0], decimals)
        if not self.exists(id, fields[1]):
            return f"{middle}{unit} (interval {self.reason(id, fields[1])}{after})"
        low, high = (self._shown(id, field, lambda x: rounded(_cut(x, bounds), decimals)) for field in fields[1:])
        return f"{middle}{unit} ({LEVEL} interval {low} to {high}{after})"

    def odds_between(self, id: str, p: str) -> str:
        """Print an odds ratio with its interval and the p of its Wald test."""
        middle, low, high = (self._shown(id, field, ratio) for field in ("or", "or_ci_low", "or_ci_high"))
        return f"odds ratio {middle}, {LEVEL} interval {low} to {high}; Wald p {self.equal(self.p(id, p))}"


def _cut(x: float, bounds: tuple[float, float]) -> float:
    return min(max(x, bounds[0]), bounds[1])


def fixed(text: str, name: str) -> str:
    """Say of a number that the plan or the program has fixed it."""
    return stated(text, f"fixed/{name}")


def listed(words: Sequence[str], joint: str = "and") -> str:
    """Put words one after the other as a sentence does."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {joint} {words[-1]}"


def see(*codes: str) -> str:
    """Point at tables or figures by their codes; the numbers are filled in once all have their places."""
    return f"\ue003{','.join(codes)}\ue004"


def referred(text: str, numbers: Mapping[str, str]) -> str:
    """Fill the numbers of tables and figures in; what points at nothing that is there goes, with its brackets."""

    def shown(found: re.Match[str]) -> str:
        known = [stated(numbers[code], f"reference/{code}") for code in found[1].split(",") if code in numbers]
        return f" ({', '.join(known)})" if known else ""

    return POINTS.sub(shown, text)
