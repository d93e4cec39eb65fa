"""Agreement of the readers: coefficients as a forest over the bands of their words."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from analytics.figures.marks import interval, look, with_limits
from analytics.figures.sheet import FULL, INK, PALE, SMALL, SOFT, Sheet, wrapped
from analytics.stats.result import Results
from analytics.stats.words import icc_band, kappa_band, kappa_limits, kappa_refused

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["make", "ready"]

Bands = tuple[tuple[str, float], ...]
KAPPA: Bands = (
    ("poor", 0.0),
    ("slight", 0.2),
    ("fair", 0.4),
    ("moderate", 0.6),
    ("substantial", 0.8),
    ("almost perfect", 1.0),
)
ICC: Bands = (("poor", 0.5), ("moderate", 0.75), ("good", 0.9), ("excellent", 1.0))
# Cohen's of two readers, Fleiss' of more, as the tables print: symbol, name, whether grades near one another count.
PLAIN = (("κ", "kappa_unweighted"), ("κ", "fleiss_unweighted"))
WEIGHTED = (("κw", "kappa_quadratic"), ("κw", "fleiss_quadratic"))
FEW = 10  # cases read differently; as the tables say
LABEL, SYMBOL, PLOT, GAP, PRINTED = 44.0, 6.0, 65.0, 3.0, 31.0
STEP, APART, HEADROOM, FOOT = 3.7, 1.7, 9.0, 9.5


class Row(NamedTuple):
    """One coefficient of one item."""

    item: str
    symbol: str
    middle: float
    low: float
    high: float
    words: str
    few: bool
    weighted: bool


def ready(results: Results) -> bool:
    """Whether any coefficient has an interval."""
    return any(_rows(results))


def _rows(results: Results) -> tuple[list[Row], list[Row]]:
    coded: list[Row] = []
    measured: list[Row] = []
    for item in results.subject["items"]:
        code, title = item["code"], str(item["title"])
        for symbol, name in (*PLAIN, *(WEIGHTED if item["kind"] == "ordinal" else ())):
            id = f"agreement/{code}/{name}"
            fields = kappa_limits(results.entry(id), str(results.plan.get("code"))) if id in results else None
            found = with_limits(results, id, *fields) if fields else None
            if fields and found and not kappa_refused(results.entry(id)):
                few = not fields[1].endswith("score") and _differing(results, code) < FEW
                coded.append(Row(title, symbol, *found, kappa_band(found[0]), few, symbol == "κw"))
        if found := with_limits(results, f"agreement/{code}/icc_a1", "estimate", "ci_low", "ci_high"):
            measured.append(Row(title, "ICC", *found, icc_band(found[0]), few=False, weighted=False))
    return coded, measured


def _differing(results: Results, code: str) -> int:
    id = f"agreement/{code}/table"
    if id not in results:
        return FEW
    cells = results.entry(id).values.items()
    return sum(int(str(count)) for name, count in cells if len(set(name.split("|"))) > 1)


def _layout(rows: list[Row]) -> tuple[list[float], list[tuple[str, float, list[str]]], float]:
    """Place the rows in millimetres below the first one's upper edge; items with their middle and wrapped title."""
    places: list[float] = []
    heads: list[tuple[str, float, list[str]]] = []
    y = 0.0
    for item in dict.fromkeys(row.item for row in rows):
        own = sum(row.item == item for row in rows)
        lines = wrapped(item, LABEL)
        height = max(own * STEP, len(lines) * 3.05)
        middle = y + height / 2
        places += [middle + (number - (own - 1) / 2) * STEP for number in range(own)]
        heads.append((item, middle, lines))
        y += height + APART
    return places, heads, y


def make(results: Results) -> Sheet:
    """Draw the forest."""
    parts = [(rows, bands) for rows, bands in zip(_rows(results), (KAPPA, ICC), strict=True) if rows]
    notes = _notes([row for rows, _ in parts for row in rows])
    height = sum(HEADROOM + _layout(rows)[2] + FOOT for rows, _ in parts) + 3.2 * len(notes) + 1
    sheet = Sheet(FULL, height)
    top = 0.0
    for rows, bands in parts:
        top = _forest(sheet, top, rows, bands)
    for line, note in enumerate(notes):
        sheet.text(1, top + 1.5 + 3.2 * line, note, size=SMALL, color=SOFT)
    return sheet


def _notes(rows: list[Row]) -> list[str]:
    notes = []
    if any(row.weighted for row in rows):
        notes.append("κ unweighted (filled), κw weighted by squared distance (hollow); bands after Landis and Koch.")
    if any(row.symbol == "ICC" for row in rows):
        notes.append("ICC two-way, absolute agreement, single measures; bands after Koo and Li.")
    if any(row.few for row in rows):
        notes.append("* Fewer than 10 cases were read differently: the interval is likely too narrow.")
    return notes


def _forest(sheet: Sheet, top: float, rows: list[Row], bands: Bands) -> float:
    places, heads, height = _layout(rows)
    left = LABEL + SYMBOL + 2
    first = top + HEADROOM
    axes = sheet.axes(left, first, PLOT, height)
    least = max(min(-0.1, *(row.low - 0.04 for row in rows)), -1.0)
    axes.set(xlim=(least, 1.0), ylim=(height, 0), yticks=[])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(f"{'ICC' if bands is ICC else 'Kappa'} with 95 % confidence interval")
    _shade(sheet, axes, bands, least, left, first)
    for row, place in zip(rows, places, strict=True):
        _coefficient(axes, row, place)
        y = first + place
        sheet.text(LABEL + SYMBOL, y, row.symbol, size=SMALL, ha="right", color=SOFT)
        right = left + PLOT + GAP
        printed = interval(row.middle, max(row.low, -1.0), min(row.high, 1.0)) + ("*" if row.few else "")
        sheet.text(right, y, printed, size=SMALL)
        sheet.text(right + PRINTED, y, row.words, size=SMALL)
    for _, middle, lines in heads:
        sheet.block(1, first + middle, lines)
    return first + height + FOOT


def _shade(sheet: Sheet, axes: Axes, bands: Bands, least: float, left: float, first: float) -> None:
    edges = [least, *(edge for _, edge in bands)]
    scale = PLOT / (1.0 - least)
    for place, ((low, high), (word, _)) in enumerate(zip(pairwise(edges), bands, strict=True)):
        if high <= least:
            continue
        axes.axvspan(max(low, least), high, color="#ffffff" if place % 2 else PALE, lw=0, zorder=0)
        # On two lines in turn, so that a narrow band has the room of its neighbours too.
        middle = left + ((max(low, least) + high) / 2 - least) * scale
        sheet.text(middle, first - 2 - 2.8 * (place % 2), word, size=SMALL, ha="center", color=SOFT)
    axes.axvline(0, color=INK, lw=0.5, zorder=1)


def _coefficient(axes: Axes, row: Row, place: float) -> None:
    least = axes.get_xlim()[0]
    colour = look(0).colour
    axes.plot([max(row.low, least), min(row.high, 1.0)], [place, place], color=colour, lw=1.1, zorder=2)
    if row.low < least:
        axes.plot(least, place, "<", color=colour, ms=3.5, clip_on=False)
    marker, fill = ("D", "white") if row.weighted else ("s", colour)
    axes.plot(row.middle, place, marker, color=colour, mfc=fill, ms=3.6, zorder=3, clip_on=False)
