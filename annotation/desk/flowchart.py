"""The flow chart as a journal prints it: where each box, line of text and arrow stands, in points of the page.

Counts stay in the boxes down the middle; who went no further stands at the right, as CONSORT has it. The widths are
those of Helvetica, which Arial and Liberation Sans share, so that no line runs out of its box.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from annotation.desk.flow import Flow, Stage

WIDTH = 720
MIDDLE_WIDTH, SIDE_WIDTH = 260, 380
LEFT = 0.5  # half a point in: a line of one point then fills whole points of a screen
SIDE_X = WIDTH - SIDE_WIDTH - LEFT
SIZE, LEADING, PADDING = 13, 17, 11
GAP = 22
INDENT, HANGING = 14.0, 36.0  # of a reason's letter, and of its words
_WIDTHS = (
    "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278 278 "
    "584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944 "
    "667 667 611 278 278 278 469 556 333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 "
    "278 556 500 722 500 500 500 334 260 334 584"
)
ADVANCE = dict(zip(map(chr, range(32, 127)), map(int, _WIDTHS.split()), strict=True))


@dataclass(frozen=True)
class Line:
    """One line of text; `x` is its start, or its middle in a box of the middle column."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Box:
    x: float
    y: float
    width: float
    height: float
    anchor: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Arrow:
    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def head(self) -> str:
        """The three corners of the arrow's head."""
        if self.x1 == self.x2:
            return f"{self.x2 - 4},{self.y2 - 9} {self.x2 + 4},{self.y2 - 9} {self.x2},{self.y2}"
        return f"{self.x2 - 9},{self.y2 - 4} {self.x2 - 9},{self.y2 + 4} {self.x2},{self.y2}"


@dataclass(frozen=True)
class Chart:
    width: int
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    sentence: str


def flow_chart(flow: Flow) -> Chart:
    """Lay a flow out; a stage that nobody is lost at and that says nothing more is left out."""
    stages = [stage for stage in flow.stages if not _says_nothing(stage, flow)]
    boxes: list[Box] = []
    arrows: list[Arrow] = []
    centre, y = LEFT + MIDDLE_WIDTH / 2, LEFT
    for place, stage in enumerate(stages):
        box = _middle(stage, y)
        boxes.append(box)
        y = box.y + box.height
        if place == len(stages) - 1:
            break
        side = _side(stage, y + GAP) if stage.lost else None
        below = y + GAP * 2 if side is None else side.y + side.height + GAP
        arrows.append(Arrow(centre, y, centre, below))
        if side is not None:
            boxes.append(side)
            level = side.y + side.height / 2
            arrows.append(Arrow(centre, level, SIDE_X, level))
        y = below
    return Chart(WIDTH, y + LEFT, tuple(boxes), tuple(arrows), flow.sentence)


def _says_nothing(stage: Stage, flow: Flow) -> bool:
    """The release is a step of the desk: once everybody released is read, a paper has no use for it."""
    return stage.code == "released" and stage.lost == 0 and stage.n == flow.stages[-1].n


def _middle(stage: Stage, y: float) -> Box:
    lines = [*wrapped(stage.title, MIDDLE_WIDTH - 2 * PADDING), f"(n = {stage.n})"]
    height = len(lines) * LEADING + 2 * PADDING
    lined = tuple(Line(LEFT + MIDDLE_WIDTH / 2, _baseline(y, row), text) for row, text in enumerate(lines))
    return Box(LEFT, y, MIDDLE_WIDTH, height, "middle", lined)


def _side(stage: Stage, y: float) -> Box:
    """Reasons hang under their head, each with its own count; one reason without a letter needs no head."""
    alone = len(stage.falls) == 1 and not stage.falls[0].code
    head = stage.falls[0].text if alone else stage.fallen
    heads = wrapped(f"{head} (n = {stage.lost})", SIDE_WIDTH - 2 * PADDING)
    lines, row = [(0.0, place, text) for place, text in enumerate(heads)], len(heads)
    for fall in () if alone else stage.falls:
        texts = wrapped(f"{fall.text} (n = {fall.n})", SIDE_WIDTH - 2 * PADDING - HANGING)
        lines.append((INDENT, row, f"({fall.code})" if fall.code else "\u2013"))
        lines += [(HANGING, row + place, text) for place, text in enumerate(texts)]
        row += len(texts)
    placed = tuple(Line(SIDE_X + PADDING + x, _baseline(y, at), text) for x, at, text in lines)
    return Box(SIDE_X, y, SIDE_WIDTH, row * LEADING + 2 * PADDING, "start", placed)


def _baseline(y: float, row: int) -> float:
    return y + PADDING + SIZE + row * LEADING - 1


def width_of(text: str) -> float:
    """Width of a line in points; an unknown letter counts as a wide one."""
    return sum(ADVANCE.get(letter, 800) for letter in text) * SIZE / 1000


def wrapped(text: str, width: float) -> list[str]:
    """Break a text at its blanks; a count "(n = 12)" and a number with its unit are never broken."""
    words = re.sub(r" = |(?<=\d) ", lambda blank: blank[0].replace(" ", "\u00a0"), text).split(" ")
    lines = [words[0]]
    for word in words[1:]:
        longer = f"{lines[-1]} {word}"
        if width_of(longer.replace("\u00a0", " ")) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return [line.replace("\u00a0", " ") for line in lines]
