"""How a table is set, for every format alike: spanning heads, decimals under one another, widths, which page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from analytics.report.document import Fact, Figure, Report, Section, Table, pieces, plain

__all__ = [
    "FOLDED",
    "Line",
    "Setting",
    "contents",
    "fitted",
    "glued",
    "indents",
    "is_level",
    "is_wide",
    "numbering",
    "numeric",
    "parted",
    "setting",
    "shares",
    "single",
    "stands_alone",
]

# The whole part of the first number of a cell, with what stands before it.
WHOLE = re.compile(r"^[<>≤≥=±≈ ]*[−-]?\d+")
JOINTS = (": ", ", ")
NO_BREAK = "\N{NO-BREAK SPACE}"
SPLIT = re.compile(r"(?<=;) |(?<=\S) (?=\()")  # where a cell of numbers may be broken
NUMERIC_SHARE = 0.5
LONG_WORDS = 24  # characters; no shorter cell of numbers is broken
ROW_NAME_MOST = 26.0
ROW_NAME_LEAST = 12.0
TEXT_MOST = 30.0
GAP = 1.2  # em between two columns
CROWDED = 0.95  # of an upright page; a table that fits with less is broken into lines there
# Widths of characters in em, measured on Liberation Sans; close enough for any text face.
NARROW, MIDDLE, CAPITAL, BROAD = 0.28, 0.53, 0.68, 0.87
DIGIT = 0.556


def width(text: str) -> float:
    """Estimate how wide a line is, in em."""
    return sum(_width(letter) for letter in text)


def _width(letter: str) -> float:
    if letter.isdigit():
        return DIGIT
    if letter in " .,;:'|!iljtfI()[]/":
        return NARROW
    if letter in "mwMW%–—→∞":
        return BROAD
    return CAPITAL if letter.isupper() else MIDDLE


@dataclass(frozen=True, slots=True)
class Setting:
    """How one table is set.

    Attributes
    ----------
    groups : tuple of (str, int)
        Heads that span several columns, with how many; an empty word spans what has none. Empty without any.
    heads : tuple of str
        The heads of the columns below the spanning ones.
    least, most : tuple of float
        Narrowest and natural widths of the columns, in em of the table's letters.
    """

    groups: tuple[tuple[str, int], ...]
    heads: tuple[str, ...]
    least: tuple[float, ...]
    most: tuple[float, ...]


def numbering(report: Report) -> dict[tuple[type, str], str]:
    """Give every table and figure its printed number, such as ``Table 3``, by its kind and code."""
    numbers: dict[tuple[type, str], str] = {}
    for place, table in enumerate(report.tables(), start=1):
        numbers[Table, table.code] = f"Table {place}"
    for place, figure in enumerate(report.figures(), start=1):
        numbers[Figure, figure.code] = f"Figure {place}"
    return numbers


def stands_alone(section: Section) -> bool:
    """Say whether a section is one table that repeats its title; the caption then serves as its heading."""
    block = section.blocks[0] if len(section.blocks) == 1 else None
    return isinstance(block, Table) and block.title == section.title


def contents(report: Report) -> Iterator[tuple[int, Section | Table | Figure, str]]:
    """List what stands in the contents: level, what it is, and its words; sections, and in them tables and figures."""
    numbers = numbering(report)
    for section in report.sections:
        alone = stands_alone(section)
        if not alone:
            yield section.level, section, plain(section.title)
        for block in section.blocks:
            if isinstance(block, Table | Figure):
                words = block.title if isinstance(block, Table) else block.caption
                yield section.level + (not alone), block, f"{numbers[type(block), block.code]}. {plain(words)}"


FOLDED = frozenset({"supplement"})
"""Parts whose lines a page's contents show on demand: nobody looks for the results among them."""

Line = tuple[int, str, str]
"""A line of a page's contents: level, anchor, words."""


def parted(lines: Iterable[Line]) -> list[tuple[Line, list[Line]]]:
    """Group the lines of a page's contents by the part of the first level they stand in."""
    parts: list[tuple[Line, list[Line]]] = []
    for line in lines:
        if line[0] == 1 or not parts:
            parts.append((line, []))
        else:
            parts[-1][1].append(line)
    return parts


def is_level(cell: str) -> bool:
    """Say whether a row's name stands below the row above it."""
    return cell.startswith("  ")


def setting(table: Table) -> Setting:
    """Set a table: its heads in one or two lines, and how wide its columns have to be and want to be."""
    groups, heads = _heads(table.columns)
    cells = [[plain(row[place]) for row in table.rows] for place in range(len(heads))]
    sizes = [_sizes(place, plain(head), column) for place, (head, column) in enumerate(zip(heads, cells, strict=True))]
    return Setting(groups, heads, tuple(size[0] for size in sizes), tuple(size[1] for size in sizes))


def _heads(columns: tuple[str, ...]) -> tuple[tuple[tuple[str, int], ...], tuple[str, ...]]:
    """Lift words that neighbouring heads begin with into a head that spans them."""
    for joint in JOINTS:
        split = [column.partition(joint) if place else ("", "", column) for place, column in enumerate(columns)]
        runs = [(key, list(run)) for key, run in groupby(split, key=lambda one: one[0] if one[1] else "")]
        if any(key and len(run) > 1 for key, run in runs):
            groups: list[tuple[str, int]] = []
            heads: list[str] = []
            for key, run in runs:
                lifted = bool(key) and len(run) > 1
                groups.append((key if lifted else "", len(run)))
                heads += [rest if lifted or not sign else f"{first}{sign}{rest}" for first, sign, rest in run]
            return tuple(groups), tuple(rest or columns[place] for place, rest in enumerate(heads))
    return (), columns


def _sizes(place: int, head: str, column: list[str]) -> tuple[float, float]:
    whole = max((width(cell.strip()) for cell in column), default=0.0) + indent_most(column)
    word = max((width(word) for text in (head, *column) for word in text.split()), default=0.0)
    if place == 0:
        levels = GAP if any(is_level(cell) for cell in column) else 0.0
        return max(word, min(whole, ROW_NAME_LEAST)) + levels + GAP, max(min(whole, ROW_NAME_MOST), word) + levels + GAP
    short = [part for cell in column for part in ([cell] if len(cell) <= LONG_WORDS else SPLIT.split(cell))]
    least = max([word, *(width(part) for part in short if len(part) <= LONG_WORDS)]) + indent_most(column)
    natural = max(whole, min(width(head), 9.0))
    return least + GAP, max(least, min(natural, TEXT_MOST)) + GAP


def glued(cell: str) -> str:
    """Give a cell of numbers that is broken before an interval or after a semicolon and nowhere else.

    Parameters
    ----------
    cell : str
        As a table has it; origins, which have no spaces, may still be in it.
    """
    if not WHOLE.match(plain(cell)) or any(isinstance(piece, Fact) for piece in pieces(cell)):
        return cell
    parts = SPLIT.split(cell)
    return " ".join(part.replace(" ", NO_BREAK) if len(plain(part)) <= LONG_WORDS else part for part in parts)


def numeric(column: list[str]) -> bool:
    """Say whether most cells of a column begin with a number."""
    filled = [cell for cell in column if cell.strip()]
    return bool(filled) and sum(bool(WHOLE.match(cell)) for cell in filled) >= NUMERIC_SHARE * len(filled)


def indents(column: list[str]) -> list[float]:
    """Say by how many digits' widths each cell is moved to the right so that the decimals stand under one another.

    Parameters
    ----------
    column : list of str
        The cells of one column; origins may still be in them.
    """
    shown = [plain(cell) for cell in column]
    if not numeric(shown):
        return [0.0] * len(column)
    found = [WHOLE.match(cell) for cell in shown]
    widths = [width(match.group()) if match else None for match in found]
    widest = max((one for one in widths if one is not None), default=0.0)
    return [0.0 if one is None else round((widest - one) / DIGIT, 2) for one in widths]


def indent_most(column: list[str]) -> float:
    """Give the widest indent of a column, in em."""
    return max(indents(column), default=0.0) * DIGIT


def shares(set: Setting, room: float) -> list[float]:
    """Share ``room`` out among the columns, in the unit of ``room``; the sizes of letters decide whether it is enough.

    Natural widths where they fit. Else each column gets its narrowest width; of what is left the columns of values get
    what they lack before the names of the rows, which may be broken.
    """
    least, most = sum(set.least), sum(set.most)
    if most <= room:
        return list(set.most)
    if least >= room:
        return [room * one / least for one in set.least]
    lacking = [high - low for low, high in zip(set.least, set.most, strict=True)]
    values = sum(lacking[1:])
    given = min(1.0, (room - least) / values) if values else 0.0
    names = min(lacking[0], room - least - given * values)
    return [
        low + (names if place == 0 else given * lack)
        for place, (low, lack) in enumerate(zip(set.least, lacking, strict=True))
    ]


def single(cell: str) -> bool:
    """Say whether a cell is one number and nothing else."""
    parts = list(pieces(cell))
    return len(parts) == 1 and not isinstance(parts[0], str)


def is_wide(set: Setting, size: float, room: float) -> bool:
    """Say whether a table of letters of ``size`` points needs a landscape page, where ``room`` is an upright one's."""
    return sum(set.most) * size > room and sum(set.least) * size > CROWDED * room


def fitted(set: Setting, room: float, size: float, smallest: float) -> tuple[float, list[float]]:
    """Give the size of the letters at which a table fits into ``room``, and the widths of its columns, in points."""
    while size > smallest and sum(set.least) * size > room:
        size -= 0.5
    return size, [one * size for one in shares(set, room / size)]
