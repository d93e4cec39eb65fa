"""What a report is before it is a file: sections of paragraphs, tables and figures; every number knows its origin.

Text in a report is an ordinary string in which a number carries its line of ``estimates.csv`` between three characters
of Unicode's private use area, as markup carries tags. So cells are put together with f-strings, and whatever writes a
format (page, Word, PDF, workbook) asks `pieces` for words and numbers, or `plain` for what is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from analytics.stats.result import Results, Value

__all__ = [
    "Block",
    "Fact",
    "Figure",
    "Number",
    "Paragraph",
    "Report",
    "Section",
    "Table",
    "marked",
    "pieces",
    "plain",
    "stated",
]

OPENS, DIVIDES, CLOSES = "\ue000", "\ue001", "\ue002"
_MARKED = re.compile(f"{OPENS}([^{CLOSES}]*){DIVIDES}([^{CLOSES}{DIVIDES}]*){CLOSES}")


@dataclass(frozen=True, slots=True)
class Number:
    """A printed number and the line of ``estimates.csv`` it was rounded from."""

    text: str
    id: str
    field: str


@dataclass(frozen=True, slots=True)
class Fact:
    """Something stated by a person or by the record of the study, not computed: an ethics number, a date, a version."""

    text: str
    name: str


def marked(text: str, id: str, field: str) -> str:
    """Say of a printed number which line of ``estimates.csv`` it comes from."""
    return f"{OPENS}{id}#{field}{DIVIDES}{text}{CLOSES}"


def stated(text: str, name: str) -> str:
    """Say of a printed text that it is a stored fact called ``name``."""
    return f"{OPENS}{name}{DIVIDES}{text}{CLOSES}"


def pieces(text: str) -> Iterator[str | Number | Fact]:
    """Take a text apart into words, numbers and facts, in order; empty words are left out."""
    end = 0
    for found in _MARKED.finditer(text):
        if found.start() > end:
            yield text[end : found.start()]
        origin, shown = found.groups()
        id, divided, name = origin.rpartition("#")
        yield Number(shown, id, name) if divided else Fact(shown, origin)
        end = found.end()
    if end < len(text):
        yield text[end:]


def plain(text: str) -> str:
    """Give a text as it is read."""
    return _MARKED.sub(lambda found: found.group(2), text)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """A printed table; the first column names the row, two spaces before it make it a level of the row above."""

    code: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    footnotes: tuple[str, ...] = ()

    def plain(self) -> Table:
        """Give the table as it is read, without origins."""
        rows = tuple(tuple(map(plain, row)) for row in self.rows)
        columns, notes = tuple(map(plain, self.columns)), tuple(map(plain, self.footnotes))
        return Table(self.code, plain(self.title), columns, rows, notes)


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure by its file name without ending; `alt` says in words what is seen."""

    code: str
    caption: str
    alt: str


Block = Paragraph | Table | Figure


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report with its heading; `level` 1 stands in the contents, 2 below it."""

    code: str
    title: str
    blocks: tuple[Block, ...]
    level: int = 1


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report; tables and figures are numbered in the order in which they stand."""

    title: str
    facts: Mapping[str, str] = field(default_factory=dict)
    sections: tuple[Section, ...] = ()
    results: Results | None = field(default=None, repr=False, compare=False)

    def full(self, number: Number) -> Value | None:
        """Give the unrounded value a number was printed from, or nothing where it is not one of the results."""
        if self.results is None or number.id not in self.results:
            return None
        entry = self.results.entry(number.id)
        return entry.n if number.field == "n" and "n" not in entry.values else entry.values.get(number.field)

    def tables(self) -> list[Table]:
        """All tables in order."""
        return [block for section in self.sections for block in section.blocks if isinstance(block, Table)]

    def figures(self) -> list[Figure]:
        """All figures in order."""
        return [block for section in self.sections for block in section.blocks if isinstance(block, Figure)]
