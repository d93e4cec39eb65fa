"""How well the models predict: ROC, calibration and decision curves, by reader and time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from analytics.figures.marks import (
    OUTCOMES,
    interval,
    legend,
    look,
    number,
    numbers,
    readers,
    refusal,
    shown,
    with_limits,
)
from analytics.figures.sheet import FULL, INK, LINE, SMALL, SOFT, Sheet, wrapped
from analytics.stats.result import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["calibration", "calibration_ready", "decision", "decision_ready", "roc", "roc_ready"]

HALF, AXIS, HEAD, FOOT = FULL / 2, 13.0, 6.0, 10.0


def _place(reader: str, outcome: str) -> str:
    return f"default/{reader}/{outcome}"


def _any(results: Results, has: Callable[[Results, str], bool]) -> bool:
    """Whether any reader's model of any outcome has what is drawn."""
    return any(has(results, _place(reader, outcome)) for outcome in OUTCOMES for reader in readers(results))


def _models(results: Results, id: str) -> tuple[list[str], list[str]]:
    """Give the readers and the outcomes with a model, one without an estimate too: it says so in its panel."""
    there = [(r, o) for r in readers(results) for o in OUTCOMES if id.format(_place(r, o)) in results]
    return list(dict.fromkeys(reader for reader, _ in there)), [o for o in OUTCOMES if o in {one for _, one in there}]


def _why(axes: Axes, results: Results, id: str) -> None:
    """Say in the middle of a panel why nothing is drawn there."""
    axes.text(
        0.5,
        0.5,
        "\n".join(["Not estimable:", *wrapped(refusal(results, id), 48, SMALL)]),
        transform=axes.transAxes,
        ha="center",
        va="center",
        fontsize=SMALL,
        color=SOFT,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 2},
    )


def _grid(sheet: Sheet, number: int, top: float, size: float, title: str) -> Axes:
    left = number * HALF + AXIS
    axes = sheet.axes(left, top + HEAD, HALF - AXIS - 4, size)
    sheet.text(left, top + 2.5, title, weight="bold")
    return axes


def _square(axes: Axes, x: str, y: str) -> None:
    axes.plot([0, 1], [0, 1], color=LINE, lw=0.8, zorder=0)
    ticks = [0, 0.2, 0.4, 0.6, 0.8, 1]
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xlabel=x, ylabel=y, xticks=ticks, yticks=ticks)


def _roc(results: Results, place: str) -> bool:
    id = f"logistic/{place}/roc"
    return id in results and bool(results.entry(id).series) and number(results, id, "auc") is not None


def roc_ready(results: Results) -> bool:
    """Whether any model has a ROC curve."""
    return _any(results, _roc)


def roc(results: Results) -> Sheet:
    """Draw the ROC curve of each reader's model, with area and interval."""
    size = HALF - AXIS - 4
    who, times = _models(results, "logistic/{}/roc")
    sheet = Sheet(HALF * len(times), HEAD + size + FOOT)
    for column, outcome in enumerate(times):
        axes = _grid(sheet, column, 0, size, f"Success at {OUTCOMES[outcome]}")
        _square(axes, "1 − specificity", "Sensitivity")
        for reader in who:
            _roc_line(axes, results, _place(reader, outcome), readers(results).index(reader), reader)
        legend(axes, loc="lower right", handlelength=3.2)
    return sheet


def _roc_line(axes: Axes, results: Results, place: str, number: int, reader: str) -> None:
    id, own = f"logistic/{place}/roc", look(number)
    if not _roc(results, place):
        axes.plot([], [], " ", label="\n".join(wrapped(f"{reader}: {refusal(results, id)}", 40, SMALL)))
        return
    series = results.entry(id).series
    found = with_limits(results, id, "auc", "delong_ci_low", "delong_ci_high")
    area = interval(*found) if found else "no interval"
    axes.plot(series["one_minus_specificity"], series["sensitivity"], color=own.colour, ls=own.line, lw=1.2,
              label=f"{reader}: AUC {area}")  # fmt: skip


def _bins(place: str) -> str:
    return f"logistic/{place}/hosmer_lemeshow_quantile"


def _calibrated(results: Results, place: str) -> bool:
    ids = (f"calibration/{place}/curve", _bins(place))
    return any(id in results and results.entry(id).series for id in ids)


def calibration_ready(results: Results) -> bool:
    """Whether any model has groups or a curve of observed against predicted."""
    return _any(results, _calibrated)


def calibration(results: Results) -> Sheet:
    """Draw observed against predicted: tenths of the cases, the smooth curve with its limits, and the slope."""
    size = HALF - AXIS - 4
    who, times = _models(results, _bins("{}"))
    tall = HEAD + size + FOOT
    # Pages hold three rows of squares of half the width only if they are lower than wide.
    size, tall = (size, tall) if len(who) < 3 else (size * 0.72, HEAD + size * 0.72 + FOOT)
    sheet = Sheet(HALF * len(times), tall * len(who))
    for row, reader in enumerate(who):
        for column, outcome in enumerate(times):
            axes = _grid(sheet, column, row * tall, size, f"{reader}, success at {OUTCOMES[outcome]}")
            _square(axes, "Predicted probability", "Observed share")
            _calibration(axes, results, _place(reader, outcome), readers(results).index(reader))
    return sheet


def _calibration(axes: Axes, results: Results, place: str, order: int) -> None:
    own, curve, bins = look(order), f"calibration/{place}/curve", _bins(place)
    if curve in results and (series := results.entry(curve).series):
        axes.fill_between(series["predicted"], series["low"], series["high"], color=own.colour, alpha=0.15, lw=0)
        axes.plot(series["predicted"], series["observed"], color=own.colour, ls=own.line, label="smoothed, 95 % limits")
    if bins in results and (series := results.entry(bins).series):
        at = [e / n for e, n in zip(series["expected"], series["cases"], strict=True)]
        share = [e / n for e, n in zip(series["events"], series["cases"], strict=True)]
        axes.plot(
            at, share, own.marker, color=own.colour, mfc="white", ms=4, mew=0.9, zorder=3, label="tenths of the cases"
        )
    if not axes.lines[1:]:
        _why(axes, results, bins)
        return
    legend(axes, loc="upper left", title=_slopes(results, place), title_fontsize=SMALL, alignment="left")


def _slopes(results: Results, place: str) -> str | None:
    found = numbers(results, f"prediction/{place}/calibration_slope", "apparent", "corrected")
    if found:
        return f"Slope {shown(found[0])}, corrected for optimism {shown(found[1])}"
    slope = number(results, f"calibration/{place}/line", "slope")
    return None if slope is None else f"Slope {shown(slope)} (apparent)"


def _thresholds(results: Results, place: str) -> list[str]:
    id = f"decision/{place}"
    names = results.entry(id).values if id in results else ()
    return [name.removeprefix("model_") for name in names if name.startswith("model_0")]


def _decides(results: Results, place: str) -> bool:
    return any(number(results, f"decision/{place}", f"model_{t}") is not None for t in _thresholds(results, place))


def decision_ready(results: Results) -> bool:
    """Whether any model has a decision curve."""
    return _any(results, _decides)


def decision(results: Results) -> Sheet:
    """Draw net benefit over the threshold, apparent and corrected, beside treating everybody and nobody."""
    size = 52.0
    _, times = _models(results, "decision/{}")
    sheet = Sheet(HALF * len(times), HEAD + size + FOOT + 12)
    for column, outcome in enumerate(times):
        axes = _grid(sheet, column, 0, size, f"Success at {OUTCOMES[outcome]}")
        if not any(_decides(results, _place(reader, outcome)) for reader in readers(results)):
            _why(axes, results, f"decision/{_place(readers(results)[0], outcome)}")
            axes.set(xticks=[], yticks=[])
            continue
        _decision(axes, results, outcome)
        handles = len(axes.get_legend_handles_labels()[0])
        legend(axes, loc="upper left", bbox_to_anchor=(0, -0.19), ncols=2 if handles > 3 else 1, columnspacing=1.2)
    return sheet


def _decision(axes: Axes, results: Results, outcome: str) -> None:
    heights = [0.0]
    everybody: list[tuple[float, float]] = []
    for reader in readers(results):
        place, own = _place(reader, outcome), look(readers(results).index(reader))
        model = _benefits(results, f"decision/{place}", "model_{}", place)
        corrected = _benefits(results, f"decision/{place}/net_benefit_{{}}", "corrected", place)
        everybody = everybody or _benefits(results, f"decision/{place}", "treat_all_{}", place)
        shape: dict[str, Any] = {"color": own.colour, "marker": own.marker, "ms": 2.8}
        if model:
            axes.plot(*_columns(model), **shape, label=reader)
        if corrected:
            axes.plot(
                *_columns(corrected), **shape, mfc="white", ls=(0, (3, 1.5)), lw=0.9, label=f"{reader}, corrected"
            )
        heights += [value for _, value in (*model, *corrected)]
    axes.plot(*_columns(everybody), color=SOFT, lw=1, ls=(0, (1, 1.2)), label="treating everybody")
    axes.axhline(0, color=INK, lw=0.7, label="treating nobody")
    # Beyond the least net benefit shown, treating everybody only falls.
    axes.set(ylim=(max(min([*heights, -0.05]) - 0.02, -0.3), max([*heights, 0.05]) * 1.08), xlim=(0.05, 0.95))
    axes.set(xlabel="Threshold probability", ylabel="Net benefit")


def _benefits(results: Results, id: str, field: str, place: str) -> list[tuple[float, float]]:
    """Give one kind of net benefit over the thresholds at which it exists; id and field have a place for it."""
    found = [(float(t), number(results, id.format(t), field.format(t))) for t in _thresholds(results, place)]
    return [(at, value) for at, value in found if value is not None]


def _columns(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]
