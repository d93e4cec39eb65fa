"""Reader against reader: cross-tables of every graded finding as heat maps, and Bland-Altman of what is measured."""

from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

from analytics.figures.marks import interval, look, numbers, readers
from analytics.figures.sheet import FULL, INK, POINT, SMALL, SOFT, TYPE, Sheet, wrapped
from analytics.stats.result import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["bland_altman", "bland_altman_ready", "tables", "tables_ready"]

MOST_PAIRS = 3  # what fits on a page
SHADES = ("#ffffff", "#d4e0ec", "#9db9d6", "#5c8abc", "#2a5c94", "#0b3c6f")
BAND = "#c9d6e4"


class Pair(NamedTuple):
    """Two readers, and where the results keep what compares them."""

    first: str
    second: str
    below: str  # between the item and the statistic


def _pairs(results: Results) -> list[Pair]:
    who = readers(results)
    if len(who) == 2:
        return [Pair(who[0], who[1], "")]
    return [Pair(a, b, f"/pairs/{a}-{b}") for a, b in combinations(who, 2)]


def _items(results: Results, statistic: str) -> list[dict[str, Any]]:
    """Give the items that any pair of readers has this statistic of."""
    found = []
    for item in results.subject["items"]:
        ids = [f"agreement/{item['code']}{pair.below}/{statistic}" for pair in _pairs(results)]
        if any(id in results and results.entry(id).n for id in ids):
            found.append(item)
    return found


def tables_ready(results: Results) -> bool:
    """Whether two readers graded any finding of the same case, and no more pairs than a page holds."""
    return 0 < len(_pairs(results)) <= MOST_PAIRS and bool(_items(results, "table"))


TITLED, CELLS, NAMES, HEAT_GAP = 9.5, 24.0, 9.0, 2.0
LEAST = 5.0  # points of a number in a cell


def tables(results: Results) -> Sheet:
    """Draw a small table of counts for each finding and pair of readers."""
    pairs, items = _pairs(results), _items(results, "table")
    shown_pairs = [(item, pair) for item in items for pair in pairs]
    columns = 4 if len(pairs) == 1 else 6  # of several pairs those of two findings stand beside one another
    wide = (FULL - 2) / columns
    cells = min(CELLS, wide - NAMES - HEAT_GAP)
    tall = TITLED + cells + 8.0
    rows = math.ceil(len(shown_pairs) / columns)
    sheet = Sheet(FULL, rows * tall + 5.5)
    for number, (item, pair) in enumerate(shown_pairs):
        left, top = 1 + number % columns * wide, number // columns * tall
        _table(sheet, left, top, cells, results, item, pair, wide)
    note = "Cases by both readers' grades; darker is more of the finding's cases; framed cells are equal grades."
    sheet.text(1, rows * tall + 2.5, note, size=SMALL, color=SOFT)
    return sheet


def _table(
    sheet: Sheet, left: float, top: float, cells: float, results: Results, item: dict[str, Any], pair: Pair, wide: float
) -> None:
    names = [str(name) for name in item["names"]]
    values = results.entry(f"agreement/{item['code']}{pair.below}/table").values
    counts = [[int(str(values[f"{a}|{b}"])) for b in names] for a in names]
    most = max(max(row) for row in counts) or 1
    title = _shortened(str(item["title"]), wide - 2)
    for line, words in enumerate(title):
        sheet.text(left, top + 2 + 2.7 * line, words, size=SMALL)
    axes = sheet.axes(left + NAMES, top + TITLED, cells, cells)
    side = len(names)
    axes.set(xlim=(0, side), ylim=(side, 0))
    axes.spines[:].set_visible(False)
    size = min(TYPE, max(LEAST, 0.62 * cells / side / POINT))
    for i, row in enumerate(counts):
        for j, count in enumerate(row):
            _cell(axes, i, j, count, count / most, size)
    labels = [str(label) for label in item["labels"]] if max(map(len, item["labels"])) <= 4 else names
    middles = [place + 0.5 for place in range(side)]
    axes.set_xticks(middles, labels)
    axes.set_yticks(middles, labels)
    axes.tick_params(length=0, pad=1.2, labelsize=SMALL if cells > CELLS - 5 else LEAST)
    sheet.text(left + NAMES + cells / 2, top + TITLED + cells + 4.9, pair.second, size=SMALL, ha="center", color=SOFT)
    sheet.text(left + 0.8, top + TITLED + cells / 2, pair.first, size=SMALL, ha="center", rotation=90, color=SOFT)


def _shortened(title: str, width: float) -> list[str]:
    lines = wrapped(title, width, SMALL)
    return lines if len(lines) <= 3 else [*lines[:2], f"{lines[2]} …"]


def _cell(axes: Axes, i: int, j: int, count: int, share: float, size: float) -> None:
    from matplotlib.patches import Rectangle

    shade = 0 if count == 0 else 1 + min(int(share * (len(SHADES) - 1)), len(SHADES) - 2)
    axes.add_patch(Rectangle((j, i), 1, 1, facecolor=SHADES[shade], edgecolor="#b4bac2", lw=0.3))
    if i == j:
        axes.add_patch(Rectangle((j + 0.05, i + 0.05), 0.9, 0.9, facecolor="none", edgecolor=INK, lw=0.8, zorder=3))
    ink = "white" if shade >= 3 else SOFT if count == 0 else INK
    axes.text(j + 0.5, i + 0.53, str(count), ha="center", va="center", fontsize=size, color=ink, zorder=4)


def bland_altman_ready(results: Results) -> bool:
    """Whether any measurement has pairs to draw."""
    return any(_measured(results))


def _measured(results: Results) -> list[tuple[dict[str, Any], Pair, str]]:
    found = []
    for item in results.subject["items"]:
        for pair in _pairs(results):
            id = f"agreement/{item['code']}{pair.below}/bland_altman"
            if id in results and results.entry(id).series and numbers(results, id, "bias", "loa_low_ci_low"):
                found.append((item, pair, id))
    return found[: 2 * MOST_PAIRS]


PANEL, AXIS, ROOM = 66.0, 14.0, 36.0


def bland_altman(results: Results) -> Sheet:
    """Draw difference against mean of two readers, with bias, limits and their intervals."""
    found = _measured(results)
    sheet = Sheet(FULL, PANEL * len(found) + 0.5)
    for number, (item, pair, id) in enumerate(found):
        _panel(sheet, number * PANEL, results, item, pair, id)
    return sheet


def _panel(sheet: Sheet, top: float, results: Results, item: dict[str, Any], pair: Pair, id: str) -> None:
    series, unit = results.entry(id).series, f" ({item['unit']})" if item["unit"] else ""
    width, height = FULL - AXIS - ROOM - 3, PANEL - 15
    axes = sheet.axes(AXIS, top + 5, width, height)
    own = look(0)
    axes.scatter(
        series["mean"],
        series["difference"],
        s=[5 + 7 * (cases - 1) for cases in series["cases"]],
        facecolors=own.colour + "59",
        edgecolors=own.colour,
        linewidths=0.5,
        zorder=3,
    )
    names = (("loa_high", "Upper limit"), ("bias", "Bias"), ("loa_low", "Lower limit"))
    lines = [
        (word, numbers(results, id, name, f"{name}_ci_low", f"{name}_ci_high") or (0.0, 0.0, 0.0))
        for name, word in names
    ]
    values = [value for _, limits in lines for value in limits] + list(series["difference"])
    pad = 0.06 * (max(values) - min(values) or 1)
    low, high = min(values) - pad, max(values) + pad
    axes.set(ylim=(low, high), xlabel=f"Mean of {pair.first} and {pair.second}{unit}")
    axes.set_ylabel(f"{pair.first} {chr(8722)} {pair.second}{unit}")
    axes.axhline(0, color=SOFT, lw=0.5, zorder=1)
    printed = []
    for (word, (middle, below, above)), style in zip(lines, ((0, (4, 2)), "-", (0, (4, 2))), strict=True):
        axes.axhspan(below, above, color=BAND, alpha=0.6, lw=0, zorder=0)
        axes.axhline(middle, color=INK, lw=0.9, ls=style, zorder=2)
        printed.append((top + 5 + height * (high - middle) / (high - low), word, interval(middle, below, above)))
    for y, (_, word, words) in zip(_spread([one[0] for one in printed], 6.6), printed, strict=True):
        sheet.block(FULL - ROOM, y, [word, words], size=SMALL)
    cases = results.entry(id).n
    sheet.text(AXIS, top + 2.2, f"{item['title']}, n = {cases}; larger dots are several cases", size=SMALL, color=SOFT)


def _spread(places: list[float], apart: float) -> list[float]:
    """Move places that lie too near one another apart, about their own middle; they come in ascending order."""
    middle = sum(places) / len(places)
    moved = list(places)
    for number in range(1, len(moved)):
        moved[number] = max(moved[number], moved[number - 1] + apart)
    shift = middle - sum(moved) / len(moved)
    return [place + shift for place in moved]
