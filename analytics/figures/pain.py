"""Pain on the rating scale: boxes over time, and Q-Q plots of its change."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from analytics.figures.marks import look, numbers, shown
from analytics.figures.sheet import FULL, INK, LINE, PALE, SMALL, SOFT, Sheet
from analytics.stats.result import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["over_time", "over_time_ready", "quantiles", "quantiles_ready"]

TIMES = {"nrs_baseline": "Baseline", "nrs_15min": "15 minutes", "nrs_1month": "1 month"}
FIELDS = ("min", "q25_type6", "median", "q75_type6", "max", "mean")
WIDTH = 85.0


def _described(results: Results) -> list[tuple[str, tuple[float, ...], int]]:
    found = []
    for name, words in TIMES.items():
        id = f"descriptive/{name}"
        if values := numbers(results, id, *FIELDS):
            found.append((words, values, results.entry(id).n))
    return found


def over_time_ready(results: Results) -> bool:
    """Whether pain is described at two times at least."""
    return len(_described(results)) > 1


def over_time(results: Results) -> Sheet:
    """Draw median, quartiles, extremes and mean at each time."""
    found = _described(results)
    sheet = Sheet(WIDTH, 72)
    axes = sheet.axes(12, 3, WIDTH - 14, 48)
    own = look(0)
    for place, (_, (least, low, median, high, most, _), _) in enumerate(found):
        axes.plot([place, place], [least, most], color=own.colour, lw=0.9, zorder=1)
        axes.bar(place, high - low, 0.42, low, facecolor=PALE, edgecolor=own.colour, lw=0.9, zorder=2)
        axes.plot([place - 0.21, place + 0.21], [median, median], color=own.colour, lw=2, zorder=3)
        for edge in (least, most):
            axes.plot([place - 0.1, place + 0.1], [edge, edge], color=own.colour, lw=0.9)
    means = [values[5] for _, values, _ in found]
    axes.plot(
        range(len(found)), means, color=look(1).colour, ls=look(1).line, marker="D", ms=4.5, mec=INK, mew=0.5, zorder=4
    )
    axes.set(ylim=(-0.3, 10.3), xlim=(-0.5, len(found) - 0.5), ylabel="Pain, numeric rating scale 0 to 10")
    axes.set_yticks(range(0, 11, 2))
    lines = [f"{words}\nn = {n}\nmean {shown(values[5], 1)}" for words, values, n in found]
    axes.set_xticks(range(len(found)), lines)
    axes.tick_params(axis="x", length=0)
    note = ("Box: median and quartiles; whiskers: least and greatest value;", "diamonds: means.")
    sheet.block(1, 67, list(note), size=SMALL, color=SOFT)
    return sheet


def _pairs(results: Results) -> list[tuple[str, str]]:
    codes = list(TIMES)
    found = []
    for number, first in enumerate(codes):
        for second in codes[number + 1 :]:
            id = f"wilcoxon/{first}-{second}"
            if id in results and len(results.entry(id).series.get("change", ())) > 1:
                found.append((id, f"{TIMES[first]} to {TIMES[second]}"))
    return found


def quantiles_ready(results: Results) -> bool:
    """Whether any change of pain varies."""
    return bool(_pairs(results))


def quantiles(results: Results) -> Sheet:
    """Draw each change of pain against what a normal distribution would give, as SPSS does."""
    found = _pairs(results)
    wide = FULL / 3
    sheet = Sheet(wide * len(found), 66)
    for place, (id, words) in enumerate(found):
        left = place * wide + 11
        size = wide - 14
        axes = sheet.axes(left, 7, size, size)
        sheet.text(left, 3, f"{words}, n = {results.entry(id).n}", size=SMALL, weight="bold")
        _normal(axes, results, id, first=place == 0)
    note = "Larger dots are several cases; on the line the changes would be normally distributed."
    sheet.text(1, 63.5, note if len(found) > 1 else note.partition(";")[0] + ".", size=SMALL, color=SOFT)
    return sheet


def _normal(axes: Axes, results: Results, id: str, *, first: bool) -> None:
    from matplotlib.ticker import MaxNLocator

    series = results.entry(id).series
    n = sum(series["cases"])
    pairs = list(zip(series["change"], series["cases"], strict=True))
    mean = sum(change * cases for change, cases in pairs) / n
    sd = math.sqrt(sum(cases * (change - mean) ** 2 for change, cases in pairs) / (n - 1))
    expected = [mean + sd * score for score in series["normal_score"]]
    values = [*series["change"], *expected]
    pad = 0.09 * (max(values) - min(values))
    low, high = min(values) - pad, max(values) + pad
    axes.plot([low, high], [low, high], color=LINE, lw=0.9, zorder=0)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5, integer=True))
    own = look(0)
    axes.scatter(series["change"], expected, s=[6 + 2.2 * (cases - 1) for cases in series["cases"]],
                 facecolors=own.colour + "59", edgecolors=own.colour, linewidths=0.6, zorder=2)  # fmt: skip
    axes.set(xlim=(low, high), ylim=(low, high), xlabel="Observed change", ylabel="Expected if normal" if first else "")
