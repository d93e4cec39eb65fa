"""Odds ratios of the main model as a forest, by reader, with the numbers beside it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from analytics.figures.marks import OUTCOMES, known, look, p_shown, readers, shown, title_of
from analytics.figures.sheet import FULL, LINE, SMALL, SOFT, TYPE, Sheet, wrapped
from analytics.stats.result import NotEstimable, Results, Value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["at", "made"]

LEAST, GREATEST = 0.02, 50.0  # odds ratios beyond end in an arrow
LABEL, PLOT, WHO, GAP, PRINTED = 42.0, 66.0, 7.0, 3.0, 33.0
STEP, APART, HEADROOM, FOOT = 3.6, 1.4, 6.0, 9.0
TALLEST = 225.0  # mm of a printed page
NAMED = {
    "contrast_intra": "Contrast intra-defect",
    "contrast_trans": "Contrast trans-defect",
    "segment_multi": "Multi-segmental degeneration",
}


class Bar(NamedTuple):
    """An odds ratio with its limits and p, and whether it is penalised; None where it does not exist."""

    odds: tuple[float, float, float] | None
    p: float | None
    penalised: bool


def at(outcome: str) -> Callable[[Results], bool]:
    """Whether the model of this outcome has any odds ratio."""

    def ready(results: Results) -> bool:
        return any(bar.odds for bar in _bars(results, outcome).values())

    return ready


def _bars(results: Results, outcome: str) -> dict[tuple[str, str], Bar]:
    """Give the main model's odds ratios by predictor and reader; Firth's where maximum likelihood has none."""
    found: dict[tuple[str, str], Bar] = {}
    for reader in readers(results):
        id = f"logistic/default/{reader}/{outcome}"
        if id not in results:
            continue
        plain = known(results.value(id, "minus2ll"))
        prefix = f"{id}/" if plain else f"{id}/firth/"
        fields = (
            ("or", "or_ci_low", "or_ci_high", "p_wald") if plain else ("b", "b_profile_low", "b_profile_high", "p_plr")
        )
        for entry in results.under(prefix):
            name = entry.id.removeprefix(prefix)
            if "/" in name or name == "intercept" or fields[0] not in entry.values:
                continue
            found[name, reader] = _bar([entry.values.get(field, NotEstimable("")) for field in fields], plain=plain)
    return found


def _bar(values: list[Value], *, plain: bool) -> Bar:
    numbers = [float(value) for value in values if isinstance(value, int | float)]
    if not known(*values[:3]):
        return Bar(None, None, not plain)
    middle, low, high = numbers[:3] if plain else (math.exp(min(value, 700.0)) for value in numbers[:3])
    return Bar((middle, low, high), numbers[3] if len(numbers) > 3 else None, not plain)


def made(outcome: str) -> Callable[[Results], Sheet]:
    """Give the drawing of the forest of this outcome."""

    def make(results: Results) -> Sheet:
        bars = _bars(results, outcome)
        names = list(dict.fromkeys(name for name, _ in bars))
        who = [reader for reader in readers(results) if any(one == reader for _, one in bars)]
        return _forest(results, OUTCOMES[outcome], bars, names, who)

    return make


def _forest(results: Results, time: str, bars: dict[tuple[str, str], Bar], names: list[str], who: list[str]) -> Sheet:
    step = min(STEP, (TALLEST - HEADROOM - FOOT) / len(names) / len(who) - APART / len(who))
    labels = {name: wrapped(NAMED.get(name) or title_of(results, name), LABEL) for name in names}
    heights = {name: max(step * len(who), 3.05 * len(lines)) + APART for name, lines in labels.items()}
    total = sum(heights.values())
    penalised = any(bar.penalised for bar in bars.values())
    sheet = Sheet(FULL, HEADROOM + total + FOOT + (3.2 if penalised else 0))
    left = LABEL + WHO + 2
    axes = sheet.axes(left, HEADROOM, PLOT, total)
    _scale(axes, total, f"Odds ratio of success at {time}, 95 % confidence interval")
    right = left + PLOT + GAP
    for x, word in ((right, "Odds ratio (95 % CI)"), (right + PRINTED, "p")):
        sheet.text(x, 3, word, size=SMALL, color=SOFT)
    y = 0.0
    for name in names:
        sheet.block(1, HEADROOM + y + heights[name] / 2, labels[name])
        for number, reader in enumerate(who):
            place = y + heights[name] / 2 + (number - (len(who) - 1) / 2) * step
            if (name, reader) in bars:
                _line(sheet, axes, place, bars[name, reader], readers(results).index(reader), reader)
        y += heights[name]
        if name != names[-1]:
            sheet.rule(HEADROOM + y, 1, FULL - 1, color=LINE, lw=0.3)
    if penalised:
        note = "Hollow: Firth-penalised, profile interval, because the outcome is separated by the findings."
        sheet.text(1, sheet.height - 2, note, size=SMALL, color=SOFT)
    return sheet


def _scale(axes: Axes, total: float, label: str) -> None:
    axes.axvline(1, color=SOFT, lw=0.7, zorder=0)
    axes.set(xscale="log", xlim=(LEAST, GREATEST), ylim=(total, 0), yticks=[])
    axes.set_xticks([0.05, 0.2, 0.5, 1, 2, 5, 20], ["0.05", "0.2", "0.5", "1", "2", "5", "20"])
    axes.minorticks_off()
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(label)


def _line(sheet: Sheet, axes: Axes, place: float, bar: Bar, number: int, reader: str) -> None:
    y, own = HEADROOM + place, look(number)
    sheet.text(LABEL + WHO, y, reader, size=SMALL, ha="right", color=SOFT)
    right = LABEL + WHO + 2 + PLOT + GAP
    if bar.odds is None:
        sheet.text(right, y, "not estimable", size=SMALL, color=SOFT)
        return
    middle, low, high = bar.odds
    axes.plot([max(low, LEAST), min(high, GREATEST)], [place, place], color=own.colour, ls=own.line, lw=1.1)
    for beyond, edge, marker in ((low < LEAST, LEAST, "<"), (high > GREATEST, GREATEST, ">")):
        if beyond:
            axes.plot(edge, place, marker, color=own.colour, ms=3.5, clip_on=False)
    if LEAST <= middle <= GREATEST:
        fill = "white" if bar.penalised else own.colour
        axes.plot(middle, place, own.marker, color=own.colour, mfc=fill, ms=TYPE / 2, zorder=3)
    sheet.text(right, y, f"{_ratio(middle)} ({_ratio(low)} to {_ratio(high)})", size=SMALL)
    if bar.p is not None:
        sheet.text(right + PRINTED, y, p_shown(bar.p).removeprefix("p ").removeprefix("= "), size=SMALL)


def _ratio(value: float) -> str:
    """Print an odds ratio as the tables do: two decimals, none above a hundred, and no digits nobody can use."""
    if value < 0.005:
        return "< 0.01"
    return shown(value, 2) if value < 99.995 else "> 999" if value > 999 else shown(value, 0)
