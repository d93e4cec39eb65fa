"""Who took part: assessed, left out and why, included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics.figures.marks import number
from analytics.figures.sheet import INK, PALE, SMALL, TYPE, Sheet, wrapped
from analytics.stats.result import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["make", "ready"]

WIDTH, LEFT, RIGHT = 130.0, 48.0, 66.0
PAD, STEP, HEAD = 2.4, 3.05, 11.0
REASON = "flow/excluded/"


def ready(results: Results) -> bool:
    """Whether it is known how many were assessed and included."""
    return all(number(results, f"flow/{name}", "n") is not None for name in ("assessed", "included"))


def _reasons(results: Results) -> list[tuple[str, int]]:
    """Name each reason with its count, as the study's protocol words it, else by its letter."""
    words = {one["code"]: str(one["title"]) for one in results.subject.get("exclusions", ())}
    found = []
    for entry in results.under(REASON):
        code = entry.id.removeprefix(REASON)
        found.append((words.get(code, f"Reason {code}"), int(number(results, entry.id, "n") or 0)))
    return found


def make(results: Results) -> Sheet:
    """Draw the boxes."""
    assessed, included = (int(number(results, f"flow/{name}", "n") or 0) for name in ("assessed", "included"))
    reasons = _reasons(results)
    lines = [f"Excluded (n = {sum(count for _, count in reasons) or assessed - included})"]
    starts = [0]
    for word, count in reasons:
        starts.append(len(lines))
        lines += wrapped(f"{word} (n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{count})", RIGHT - 2 * PAD - 3)
    tall = STEP * len(lines) + 2 * PAD
    between = tall + 8
    sheet = Sheet(WIDTH, 2 * HEAD + between + 2)
    axes = sheet.axes(0, 0, WIDTH, sheet.height, bare=True)
    _box(axes, 1, 1, LEFT, HEAD)
    _box(axes, 1, 1 + HEAD + between, LEFT, HEAD)
    _box(axes, WIDTH - RIGHT - 1, 1 + HEAD + 4, RIGHT, tall)
    middle = 1 + LEFT / 2
    for y, word, count in ((1, "Assessed for eligibility", assessed), (1 + HEAD + between, "Included", included)):
        sheet.block(middle, y + HEAD / 2, [word, f"n = {count}"], ha="center")
    _arrow(axes, (middle, 1 + HEAD), (middle, 1 + HEAD + between))
    branch = 1 + HEAD + 4 + tall / 2
    _arrow(axes, (middle, branch), (WIDTH - RIGHT - 1, branch))
    for place, line in enumerate(lines):
        indent = 0.0 if place == 0 else 3.0 if place in starts else 4.5
        y = 1 + HEAD + 4 + PAD + STEP * (place + 0.5)
        sheet.text(WIDTH - RIGHT - 1 + PAD + indent, y, line, size=TYPE if place == 0 else SMALL)
    return sheet


def _box(axes: Axes, left: float, top: float, width: float, height: float) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((left, top), width, height, facecolor=PALE, edgecolor=INK, lw=0.7))


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    how: dict[str, Any] = {
        "arrowstyle": "-|>",
        "color": INK,
        "lw": 0.8,
        "shrinkA": 0,
        "shrinkB": 0,
        "mutation_scale": 7,
    }
    axes.annotate("", xy=end, xytext=start, arrowprops=how)
