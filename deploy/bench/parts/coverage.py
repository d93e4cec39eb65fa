"""Repeating a study whose truth is known: bias of an estimate, and how often its interval holds the truth."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from analytics.stats.result import NotEstimable, Value

LEVEL = 95.0
OFF = 2.5  # percentage points; more than three and a half times what chance moves in 1,000 studies
PROMISED_WITHIN = 2.0  # points off the level that a promised interval may be: what discrete tables alone bring about
ERRORS = 3.0  # and what chance may add, in standard errors: one alarm in 370 sound intervals
PROMISE = {True: "promised", False: "promised, **not kept**"}


class Look(NamedTuple):
    """One interval of one simulated study; an interval that does not exist has a reason for its limits."""

    interval: str
    truth: float
    estimate: Value
    low: Value
    high: Value
    promised: bool = False


Trial = Callable[[np.random.Generator], Iterable[Look]]
Weighed = Iterator[tuple[float, Iterable[Look]]]


@dataclass(frozen=True)
class Scenario:
    """A kind of study: what is planted, how large it is, and one trial of it, or all trials with their probability."""

    family: str
    planted: str
    size: str
    trial: Trial | None = None
    every: Callable[[], Weighed] | None = None

    def draws(self, repetitions: int, seed: int) -> Weighed:
        """Give studies with their weight; each scenario has random numbers of its own."""
        if self.every is not None:
            yield from self.every()
        if self.trial is not None:
            own = zlib.crc32(f"{self.family}|{self.planted}|{self.size}".encode())
            rng = np.random.default_rng([seed, own])
            for _ in range(repetitions):
                yield 1.0, self.trial(rng)


def logs(interval: str, truth: float, *ratio: Value, promised: bool = False) -> Look:
    """Look at estimate, low and high of a ratio on the logarithm."""
    estimate, low, high = map(_log, ratio)
    return Look(interval, math.log(truth), estimate, low, high, promised)


def _log(value: Value) -> Value:
    if isinstance(value, NotEstimable | str):
        return value
    return -math.inf if value <= 0 else math.inf if math.isinf(value) else math.log(value)


def _number(value: Value) -> float:
    return math.nan if isinstance(value, NotEstimable | str) else float(value)


def judged(scenario: Scenario, repetitions: int, seed: int) -> list[dict[str, Any]]:
    """Carry a scenario out; one line an interval."""
    seen: dict[str, list[tuple[float, float, float, float, float]]] = {}
    promised: set[str] = set()
    for weight, looks in scenario.draws(repetitions, seed):
        for look in looks:
            numbers = (_number(value) for value in (look.estimate, look.low, look.high))
            row = (weight, look.truth, *numbers)
            promised |= {look.interval} if look.promised else set()
            seen.setdefault(look.interval, []).append(row)  # type: ignore[arg-type]  # mypy cannot count: they are five
    exact = scenario.trial is None
    head = {"bench": "simulation", "family": scenario.family, "planted": scenario.planted, "size": scenario.size}
    lines = [head | {"interval": name} | _judged(np.array(rows), exact) for name, rows in seen.items()]
    return [line | ({"promise_kept": keeps(line)} if line["interval"] in promised else {}) for line in lines]


def keeps(line: Mapping[str, Any]) -> bool:
    """Whether an interval that nearly every study has holds the truth as often as it says, but for chance."""
    off = abs(float(line.get("coverage_pct", 0.0)) - LEVEL)
    # The error at the level itself: that of a coverage which came out as 100 % would be zero.
    error = 0.0 if line["studies"] == "all" else math.sqrt(LEVEL * (100 - LEVEL) / int(line["studies"]))
    return off <= PROMISED_WITHIN + ERRORS * error and float(line["without_pct"]) < 1


def _judged(rows: np.ndarray[Any, Any], exact: bool) -> dict[str, Any]:
    """Percentages over the studies that have the interval; ``below`` counts intervals that lie below the truth."""
    weight, truth, estimate, low, high = rows.T
    whole = float(weight.sum())
    known, both = np.isfinite(estimate), ~np.isnan(low) & ~np.isnan(high)
    away, w = (estimate - truth)[known], weight[known]
    line: dict[str, Any] = {"studies": "all" if exact else len(rows), "truth": round(float(np.mean(truth)), 4)}
    if known.any():
        bias = float(np.average(away, weights=w))
        spread = math.sqrt(float(np.average((away - bias) ** 2, weights=w)))
        line |= {"bias": round(bias, 4), "bias_se": 0.0 if exact else round(spread / math.sqrt(len(away)), 4)}
    line["without_pct"] = round(100 * (1 - float(weight[both].sum()) / whole), 1)
    if both.any():
        share = weight[both] / weight[both].sum()
        beneath, over = (100 * float(share[miss[both]].sum()) for miss in (high < truth - 1e-12, low > truth + 1e-12))
        held = 100 - beneath - over
        error = 0.0 if exact else math.sqrt(max(held * (100 - held), 0.0) / both.sum())
        line |= {"coverage_pct": round(held, 1), "coverage_se": round(error, 1)}
        line |= {"below_pct": round(beneath, 1), "above_pct": round(over, 1)}
        line["width"] = round(float(np.median((high - low)[both])), 3)
    return line


def is_off(line: Mapping[str, Any]) -> bool:
    """Whether an interval holds the truth clearly less or more often than it says."""
    return "coverage_pct" in line and abs(float(line["coverage_pct"]) - LEVEL) > OFF


def markdown(lines: Sequence[Mapping[str, Any]]) -> str:
    """Write the lines as one table a family; a column a size, each cell bias, coverage, and studies without."""
    families = dict.fromkeys(str(line["family"]) for line in lines)
    return "\n\n".join(_family(family, [one for one in lines if one["family"] == family]) for family in families)


def _family(family: str, lines: Sequence[Mapping[str, Any]]) -> str:
    sizes = list(dict.fromkeys(str(line["size"]) for line in lines))
    rows: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = {}
    for line in lines:
        rows.setdefault((str(line["planted"]), str(line["interval"])), {})[str(line["size"])] = line
    head = ["planted", "interval", *(f"{size}" for size in sizes)]
    table = [f"**{family}**", "", f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    before = ""
    for (planted, interval), cells in rows.items():
        shown = [_cell(cells[size]) if size in cells else "" for size in sizes]
        table.append(f"| {planted if planted != before else ''} | {interval} | {' | '.join(shown)} |")
        before = planted
    return "\n".join(table)


def _cell(line: Mapping[str, Any]) -> str:
    parts = [f"{line['bias']:+.3f}"] if "bias" in line else []
    if "coverage_pct" in line:
        promised = "promise_kept" in line  # judged with the error of the simulation, which is_off leaves out
        mark = "**" if is_off(line) and not promised else ""
        parts.append(f"{mark}{line['coverage_pct']:.1f}{mark}")
        parts[-1] += f" ± {line['coverage_se']:.1f}, {PROMISE[line['promise_kept']]}" if promised else ""
        parts += [f"({line['without_pct']:g} without)"] if line["without_pct"] else []
    return ", ".join(parts[:2]) + (f" {parts[2]}" if len(parts) > 2 else "")
