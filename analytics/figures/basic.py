"""Figures as SVG whose bytes depend on nothing but the results."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

from analytics.derive import RESPONSES
from analytics.stats.result import NotEstimable, Results, Value
from analytics.stats.words import half_up

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["TITLES", "available", "draw"]

INK, SOFT, LINE = "#1b2430", "#5b6776", "#c9d1da"
READER_COLOURS = ("#22577a", "#d1603d")
BANDS = (
    ("poor", -1.0, 0.0),
    ("slight", 0.0, 0.2),
    ("fair", 0.2, 0.4),
    ("moderate", 0.4, 0.6),
    ("substantial", 0.6, 0.8),
    ("almost perfect", 0.8, 1.0),
)
BAND_COLOURS = ("#f3f4f6", "#eaf0f5", "#dde8f0", "#cddfea", "#bbd4e3", "#a6c8dc")
CLASS_COLOURS = ("#b23a48", "#d98e73", "#e9cfae", "#bcd9b4", "#7fb98f", "#3b8f6b")
CLASS_LABELS = ("Increased pain", "No change", "1–49 %", "50–74 %", "75–99 %", "100 %")
SMALLEST, LARGEST = 0.02, 50.0  # odds ratios beyond end in an arrow


TITLES = {
    "kappa_forest": "Agreement of the readers with 95 % confidence intervals",
    "response_flow": "Pain reduction from 15 minutes to 1 month",
    "odds_ratios_15min": "Odds ratios of success at 15 minutes, by reader",
    "odds_ratios_1month": "Odds ratios of success at 1 month, by reader",
}


def draw(results: Results) -> dict[str, bytes]:
    """Draw every figure the results allow.

    Parameters
    ----------
    results : Results
        What a plan computed.

    Returns
    -------
    dict of str to bytes
        SVG by name: ``kappa_forest``, ``response_flow``, ``odds_ratios_15min``, ``odds_ratios_1month``. No date, no
        random identifier inside.
    """
    return {name: _svg(figure) for name, figure in _made(results).items()}


def available(results: Results) -> list[str]:
    """Name the figures the results allow, in their order."""
    return list(_made(results))


def _made(results: Results) -> dict[str, Figure]:
    made: dict[str, Figure | None] = {
        "kappa_forest": _agreement(results),
        "response_flow": _flow(results),
        "odds_ratios_15min": _odds(results, "success_15min", "15 minutes"),
        "odds_ratios_1month": _odds(results, "success_1month", "1 month"),
    }
    return {name: figure for name, figure in made.items() if figure is not None}


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    # A figure of its own, never pyplot: no state is left behind, and threads do not meet.
    from matplotlib.figure import Figure as New

    figure = New(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(colors=INK, labelsize=9)
    return figure, axes


def _svg(figure: Figure) -> bytes:
    import matplotlib

    target = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "spondy", "svg.fonttype": "path", "font.family": "DejaVu Sans"}):
        figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None})
    return target.getvalue()


def _known(*values: Value) -> bool:
    return not any(isinstance(value, NotEstimable | str) for value in values)


def _agreement(results: Results) -> Figure | None:
    rows: list[tuple[str, float, float, float]] = []
    for item in results.subject["items"]:
        for name, symbol in (("kappa_unweighted", "κ"), ("icc_a1", "ICC")):
            id = f"agreement/{item['code']}/{name}"
            if id not in results:
                continue
            values = [results.value(id, field) for field in ("estimate", "ci_low", "ci_high")]
            tested = name == "icc_a1" or _known(results.value(id, "z_approx_t"))
            if tested and _known(*values):
                middle, low, high = (float(value) for value in values if not isinstance(value, NotEstimable))
                rows.append((f"{item['title']}  ({symbol})", middle, low, high))
    if not rows:
        return None
    figure, axes = _figure(8.6, 1.3 + 0.36 * len(rows))
    left = min(-0.1, *(max(low, -1.0) - 0.05 for _, _, low, _ in rows))
    for (word, low, high), colour in zip(BANDS, BAND_COLOURS, strict=True):
        axes.axvspan(max(low, left), high, color=colour, lw=0, zorder=0)
        if high > left and (high - max(low, left)) > 0.12:
            axes.text((max(low, left) + high) / 2, -0.95, word, ha="center", va="bottom", fontsize=7.5, color=SOFT)
    for place, (_, middle, low, high) in enumerate(rows):
        axes.plot([max(low, left), min(high, 1.0)], [place, place], color=INK, lw=1.4, zorder=2)
        axes.plot(middle, place, "s", color=READER_COLOURS[0], ms=6, zorder=3)
        axes.text(1.03, place, str(half_up(middle, 2)), va="center", fontsize=8.5, color=INK)
    axes.set(
        xlim=(left, 1.0),
        ylim=(len(rows) - 0.4, -1.0),
        yticks=range(len(rows)),
        xlabel="Coefficient with 95 % confidence interval",
    )
    axes.set_yticklabels([label for label, *_ in rows])
    axes.tick_params(axis="y", length=0)
    return figure


Bar = tuple[float, float, float, bool]  # odds ratio, limits, whether penalised


def _bars(results: Results, outcome: str) -> dict[tuple[str, str], Bar]:
    """Odds ratios of the main model by reader and predictor."""
    found: dict[tuple[str, str], Bar] = {}
    for reader in results.subject["readers"]:
        for prefix, fields, penalised in _sources(results, reader, outcome):
            for entry in results.under(prefix):
                name = entry.id.removeprefix(prefix)
                if "/" in name or name == "intercept" or fields[0] not in entry.values:
                    continue
                values = [entry.values[field] for field in fields]
                if _known(*values):
                    numbers = [float(value) for value in values if not isinstance(value, NotEstimable)]
                    middle, low, high = (_exp(value) for value in numbers) if penalised else numbers
                    found[reader, name] = (middle, low, high, penalised)
    return found


def _odds(results: Results, outcome: str, title: str) -> Figure | None:
    readers = results.subject["readers"]
    found = _bars(results, outcome)
    names = list(dict.fromkeys(name for _, name in found))
    if not names:
        return None
    figure, axes = _figure(8.6, 1.4 + 0.42 * len(names))
    for place, name in enumerate(names):
        for shift, (reader, colour) in enumerate(zip(readers, READER_COLOURS, strict=False)):
            if (reader, name) in found:
                _bar(axes, place + 0.26 * shift - 0.13, found[reader, name], colour)
    axes.axvline(1, color=SOFT, lw=0.9, zorder=0)
    axes.set(xscale="log", xlim=(SMALLEST, LARGEST), ylim=(len(names) - 0.4, -0.6), yticks=range(len(names)))
    axes.set_xticks([0.05, 0.2, 0.5, 1, 2, 5, 20], ["0.05", "0.2", "0.5", "1", "2", "5", "20"])
    axes.minorticks_off()
    axes.set_yticklabels([_label(results, name) for name in names])
    axes.tick_params(axis="y", length=0)
    penalised = any(bar[3] for bar in found.values())
    hollow = "\nhollow: Firth-penalised, because of separation" if penalised else ""
    axes.set_xlabel(f"Odds ratio of success at {title} (95 % confidence interval){hollow}")
    for reader, colour in zip(readers, READER_COLOURS, strict=False):
        axes.plot([], [], "o", color=colour, label=reader)
    figure.legend(loc="outside upper right", ncols=2, frameon=False, fontsize=9)
    return figure


def _sources(results: Results, reader: str, outcome: str) -> list[tuple[str, tuple[str, str, str], bool]]:
    """Where the odds ratios of a model come from: maximum likelihood, or Firth where that has none."""
    id = f"logistic/default/{reader}/{outcome}"
    if id not in results:
        return []
    if _known(results.value(id, "minus2ll")):
        return [(f"{id}/", ("or", "or_ci_low", "or_ci_high"), False)]
    return [(f"{id}/firth/", ("b", "b_profile_low", "b_profile_high"), True)]


def _exp(value: float) -> float:
    return math.exp(min(value, 700.0))


def _label(results: Results, name: str) -> str:
    named = {
        "contrast_intra": "Contrast intra-defect",
        "contrast_trans": "Contrast trans-defect",
        "segment_multi": "Multi-segmental degeneration",
    }
    titles: dict[str, Any] = {item["code"]: item["title"] for item in results.subject["items"]}
    return named.get(name) or str(titles.get(name, name))


def _bar(axes: Axes, place: float, found: Bar, colour: str) -> None:
    middle, low, high, hollow = found
    axes.plot([max(low, SMALLEST), min(high, LARGEST)], [place, place], color=colour, lw=1.4, solid_capstyle="butt")
    for beyond, edge, marker in ((low < SMALLEST, SMALLEST, "<"), (high > LARGEST, LARGEST, ">")):
        if beyond:
            axes.plot(edge, place, marker, color=colour, ms=5, clip_on=False)
    if SMALLEST <= middle <= LARGEST:
        axes.plot(middle, place, "o", color=colour, ms=5.5, mfc="white" if hollow else colour)


def _flow(results: Results) -> Figure | None:
    id = "response/15min-1month"
    if id not in results or results.entry(id).n == 0:
        return None
    counts = [[int(str(results.value(id, f"{a}|{b}"))) for b in RESPONSES] for a in RESPONSES]
    n = results.entry(id).n
    figure, axes = _figure(8.6, 5.2)
    gap = 0.025 * n
    left = _stack([sum(row) for row in counts], gap)
    right = _stack([sum(row[j] for row in counts) for j in range(len(RESPONSES))], gap)
    from_left, from_right = [low for low, _ in left], [low for low, _ in right]
    for i in reversed(range(len(RESPONSES))):
        for j in reversed(range(len(RESPONSES))):
            if counts[i][j]:
                _ribbon(axes, from_left[i], from_right[j], counts[i][j], CLASS_COLOURS[i])
                from_left[i] += counts[i][j]
                from_right[j] += counts[i][j]
    for x, side, stack, align in ((0.0, -1, left, "right"), (1.0, 1, right, "left")):
        for place, (low, high) in enumerate(stack):
            if high > low:
                axes.fill_between([x - 0.02, x + 0.02], low, high, color=CLASS_COLOURS[place], lw=0)
                axes.text(
                    x + side * 0.035,
                    (low + high) / 2,
                    f"{CLASS_LABELS[place]}  {round(high - low)}",
                    ha=align,
                    va="center",
                    fontsize=9,
                    color=INK,
                )
    top = max(left[-1][1], right[-1][1])
    axes.text(0, top + gap, "15 minutes", ha="center", va="bottom", fontsize=10, color=INK)
    axes.text(1, top + gap, "1 month", ha="center", va="bottom", fontsize=10, color=INK)
    axes.set(xlim=(-0.35, 1.35), ylim=(0, top + 4 * gap))
    axes.axis("off")
    return figure


def _stack(sizes: list[int], gap: float) -> list[tuple[float, float]]:
    """Bars above one another with gaps between those that exist."""
    bars, low = [], 0.0
    for size in sizes:
        bars.append((low, low + size))
        low += size + (gap if size else 0)
    return bars


def _ribbon(axes: Axes, left: float, right: float, size: int, colour: str) -> None:
    xs = [step / 40 for step in range(41)]
    bend = [3 * x**2 - 2 * x**3 for x in xs]
    low = [left + (right - left) * b for b in bend]
    axes.fill_between([0.02 + 0.96 * x for x in xs], low, [y + size for y in low], color=colour, alpha=0.45, lw=0)
