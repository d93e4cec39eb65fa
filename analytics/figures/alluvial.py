"""The alluvial diagram of the pain classes: six classes and success at 15 minutes, and the same at one month."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from analytics.figures.sheet import FULL, INK, SMALL, SOFT, Sheet
from analytics.stats.result import Results
from analytics.stats.words import half_up

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["make", "ready"]

ID = "response/15min-1month"
# From the top: what is best stands highest. Dark to light to dark, so grey tells neighbours apart; the words the rest.
CLASSES = ("eq100", "ge75_lt100", "ge50_lt75", "gt0_lt50", "eq0", "increased")
WORDS = ("100 %", "75–99 %", "50–74 %", "1–49 %", "0 %", "Increased pain")
COLOURS = ("#0b3c6f", "#4f81b3", "#a9c6e0", "#f2dcb8", "#d9a05f", "#9a4a12")
REACHED, MISSED = "#4f81b3", "#d9a05f"
SUCCESSES = frozenset({"eq100", "ge75_lt100", "ge50_lt75"})
TOP, TALL, FOOT = 11.0, 84.0, 5.0
BAR, WIDE = 3.0, 15.0  # of a class, of success
HIGH = 9.0  # from which a box of success holds three lines
SLOT, GAP = 3.4, 1.8  # least height of a class, so that its words have room; between classes
COLUMNS = (34.0, 66.0, 107.0, 152.0)  # left edges


class Node(NamedTuple):
    """A class or an answer in one column: its slot, its bar, how many cases."""

    top: float
    bar: float
    height: float
    slot: float
    cases: int


def ready(results: Results) -> bool:
    """Whether any case has a response at both times."""
    return ID in results and results.entry(ID).n > 0


def make(results: Results) -> Sheet:
    """Draw the diagram."""
    n = results.entry(ID).n
    counts = [[int(str(results.value(ID, f"{a}|{b}"))) for b in CLASSES] for a in CLASSES]
    sheet = Sheet(FULL, TOP + TALL + FOOT)
    axes = sheet.axes(0, 0, FULL, TOP + TALL + FOOT, bare=True)
    first, second = [sum(row) for row in counts], [sum(column) for column in zip(*counts, strict=True)]
    scale = (TALL - _lost(max((first, second), key=lambda sizes: _lost(sizes, n)), n)) / n
    columns = [_stacked(sizes, scale) for sizes in (first, _answers(first), second, _answers(second))]
    _ribbons(axes, columns, counts, scale)
    for number, nodes in enumerate(columns):
        _column(sheet, axes, number, nodes, n)
    for number, left in enumerate(COLUMNS):
        middle = left + (WIDE if number % 2 else BAR) / 2
        words = ("15 minutes", "1 month")[number // 2], ("pain reduction", "success")[number % 2]
        sheet.text(middle, 2.5, words[0], ha="center", weight="bold")
        sheet.text(middle, 6, words[1], ha="center", size=SMALL, color=SOFT)
    note = f"{n} cases with a response at both times; success is a reduction of at least 50 %.{_nobody(first, second)}"
    sheet.text(1, TOP + TALL + 3, note, size=SMALL, color=SOFT)
    return sheet


def _nobody(first: Sequence[int], second: Sequence[int]) -> str:
    """Name the classes that have no case at a time; they have no place in the diagram."""
    said = [
        f"{word[0].lower()}{word[1:]} at {time}"
        for time, sizes in (("15 minutes", first), ("1 month", second))
        for word, size in zip(WORDS, sizes, strict=True)
        if not size
    ]
    return f" Nobody had: {', '.join(said)}." if said else ""


def _answers(sizes: Sequence[int]) -> list[int]:
    yes = sum(size for size, code in zip(sizes, CLASSES, strict=True) if code in SUCCESSES)
    return [yes, sum(sizes) - yes]


def _lost(sizes: Sequence[int], n: int) -> float:
    """Millimetres of a column that are no cases: gaps, and what small classes get for their words."""
    there = [size for size in sizes if size]
    scale = (TALL - GAP * (len(there) - 1)) / n
    return GAP * (len(there) - 1) + sum(max(0.0, SLOT - size * scale * 0.85) for size in there)


def _stacked(sizes: Sequence[int], scale: float) -> list[Node]:
    """Place the nodes of a column from the top, the column centred; an empty class has no place."""
    slots = [max(SLOT, size * scale) if size else 0.0 for size in sizes]
    there = [slot for slot in slots if slot]
    spare = TALL - sum(there)
    gap = min(GAP * 2.5, spare / max(len(there) - 1, 1)) if len(there) > 1 else 0.0
    y = TOP + (TALL - sum(there) - gap * (len(there) - 1)) / 2
    nodes = []
    for size, slot in zip(sizes, slots, strict=True):
        nodes.append(Node(y, y + (slot - size * scale) / 2, size * scale, slot, size))
        y += slot + (gap if slot else 0.0)
    return nodes


def _ribbons(axes: Axes, columns: list[list[Node]], counts: list[list[int]], scale: float) -> None:
    answer = [0 if code in SUCCESSES else 1 for code in CLASSES]
    every = range(len(CLASSES))
    totals = [[sum(row) for row in counts], [sum(column) for column in zip(*counts, strict=True)]]
    by_class = [(i, answer[i], totals[0][i], COLOURS[i]) for i in every]
    crossed = [
        (a, j, sum(counts[i][j] for i in every if answer[i] == a), (REACHED, MISSED)[a]) for a in (0, 1) for j in every
    ]
    after = [(j, answer[j], totals[1][j], COLOURS[j]) for j in every]
    for number, flows in enumerate((by_class, crossed, after)):
        start = COLUMNS[number] + (WIDE if number % 2 else BAR)
        _between(axes, start, COLUMNS[number + 1], columns[number], columns[number + 1], flows, scale)


def _between(
    axes: Axes,
    start: float,
    end: float,
    left: list[Node],
    right: list[Node],
    flows: Sequence[tuple[int, int, int, str]],
    scale: float,
) -> None:
    """Draw the ribbons between two columns, each from where the last one of its node ended."""
    leaves, enters = [node.bar for node in left], [node.bar for node in right]
    steps = [step / 40 for step in range(41)]
    xs = [start + (end - start) * step for step in steps]
    for i, j, size, colour in flows:
        if not size:
            continue
        height = size * scale
        upper = [leaves[i] + (enters[j] - leaves[i]) * (3 * s**2 - 2 * s**3) for s in steps]
        axes.fill_between(xs, upper, [y + height for y in upper], color=colour, alpha=0.5, lw=0)
        leaves[i] += height
        enters[j] += height


def _column(sheet: Sheet, axes: Axes, number: int, nodes: list[Node], n: int) -> None:
    from matplotlib.patches import Rectangle

    success = number % 2 == 1
    width = WIDE if success else BAR
    colours = (REACHED, MISSED) if success else COLOURS
    for place, (node, colour) in enumerate(zip(nodes, colours, strict=True)):
        if not node.cases:
            continue
        missed = place == 1 if success else CLASSES[place] not in SUCCESSES
        box = Rectangle(
            (COLUMNS[number], node.bar), width, node.height, facecolor=colour, edgecolor=INK, lw=0.4, zorder=3
        )
        axes.add_patch(box)
        printed = f"{node.cases} ({half_up(100 * node.cases / n, 1)} %)"
        middle = node.top + node.slot / 2
        if success:
            word, ink = ("No", INK) if missed else ("Yes", "white")
            lines = [word, *printed.split(" ", 1)] if node.height > HIGH else [f"{word} {node.cases}"]
            sheet.block(COLUMNS[number] + width / 2, middle, lines, ha="center", color=ink, zorder=6)
        else:
            _words(sheet, number, middle, WORDS[place], printed)


def _words(sheet: Sheet, number: int, middle: float, word: str, printed: str) -> None:
    """Write a class beside its bar: outside on the left, on the ribbon that leaves it in the middle."""
    if number == 0:
        sheet.text(COLUMNS[0] - 1.2, middle, f"{word}:  {printed}", ha="right", size=SMALL)
        return
    sheet.text(COLUMNS[number] + BAR + 1.2, middle, f"{word}:  {printed}", size=SMALL, zorder=6)
