"""The report as one self-contained page that also prints well, and its parts for the run's own page."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from html import escape
from importlib.resources import files
from typing import Any, assert_never

from analytics.report.document import Block, Fact, Figure, Number, Paragraph, Report, Section, Table, pieces, plain
from analytics.report.layout import (
    FOLDED,
    Line,
    contents,
    glued,
    indents,
    is_level,
    numbering,
    parted,
    setting,
    stands_alone,
)
from analytics.stats.result import NotEstimable, spelled

__all__ = ["Markup", "anchor", "html", "sections"]

LEAD = "Every number can be followed to its line in estimates.csv, which keeps all digits."
BELOW, DEEPER = ' class="below"', ' class="deeper"'
FOLD = "Tables and figures of the supplement"
SHORT = 31  # characters of a cell that is kept on one line
MOST_ON_ONE_LINE = 4  # columns; in wider tables a cell breaks between its parts
MOST_DIGITS = 19
# Cells are moved by classes, a digit's width and a tenth of it at a time: the pages' policy allows no style attribute.
MOVES = (
    "td.moved { text-indent: calc((var(--d) + var(--t)) * 1ch); }\n"
    + " ".join(f"td.d{digits} {{ --d: {digits}; }}" for digits in range(MOST_DIGITS + 1))
    + "\n"
    + " ".join(f"td.t{tenth} {{ --t: .{tenth}; }}" for tenth in range(10))
    + "\n"
)

Written = Callable[[Report, Number], str]
"""How a number is written into the page."""
Framed = Callable[[Table | Figure], str]
"""What stands below a table or figure, such as the formats it comes in."""
Drawn = Callable[[Figure], str]
"""The address of a figure's picture."""


class Markup(str):
    """Text that is HTML already; templates that know the convention take it as it is."""

    __slots__ = ()

    def __html__(self) -> str:
        """Return the text itself."""
        return self


def html(report: Report, figures: Mapping[str, Mapping[str, bytes]]) -> str:
    """Write the report as one HTML page without anything fetched from elsewhere.

    Parameters
    ----------
    report : Report
        What is to be written.
    figures : mapping of str to mapping of str to bytes
        By a figure's code and format; the page takes ``svg``.
    """

    def source(figure: Figure) -> str:
        return f"data:image/svg+xml;base64,{base64.b64encode(figures[figure.code]['svg']).decode()}"

    style = files(__package__).joinpath("page.css").read_text(encoding="utf-8") + MOVES
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{_text(report, value)}</dd>" for name, value in report.facts.items())
    links = _contents(report)
    body = "".join(sections(report, drawn=source).values())
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(report.title)}</title>\n<style>\n{style}</style></head>\n<body>"
        f'<nav aria-label="Contents"><h2>Contents</h2><ol>{links}</ol></nav>\n<main>'
        f'<header><h1>{escape(report.title)}</h1><p class="lead">{LEAD}</p><dl class="facts">{facts}</dl></header>'
        f"{body}\n</main></body></html>\n"
    )


def _contents(report: Report) -> str:
    """Write the lines of the contents; those of the supplement are folded."""
    written = ""
    for head, below in parted((level, anchor(one), words) for level, one, words in contents(report)):
        lines = "".join(map(_line, below))
        if head[1] in FOLDED and below:
            lines = f"<li{BELOW}><details><summary>{FOLD}</summary><ol>{lines}</ol></details></li>"
        written += _line(head) + lines
    return written


def _line(line: Line) -> str:
    level, name, words = line
    kind = {1: "", 2: BELOW}.get(level, DEEPER)
    return f'<li{kind}><a href="#{escape(name)}">{escape(words)}</a></li>'


def anchor(one: Section | Table | Figure) -> str:
    """Give the name under which a part of the report is found in the page."""
    match one:
        case Section():
            return one.code
        case Table():
            return f"table-{one.code}"
        case Figure():
            return f"figure-{one.code}"
        case _:
            assert_never(one)


def sections(
    report: Report, *, drawn: Drawn, written: Written | None = None, framed: Framed | None = None
) -> dict[str, Markup]:
    """Write every section as HTML, by its code.

    Parameters
    ----------
    report : Report
        What is to be written.
    drawn : callable
        Gives the address of a figure's picture.
    written : callable, optional
        Writes a number; by default a ``data`` element with the full value and the line of ``estimates.csv``.
    framed : callable, optional
        Writes what stands below a table or a figure.
    """
    page = _Page(report, drawn, written or _data, framed or (lambda block: ""))
    return {one.code: Markup(page.section(one)) for one in report.sections}


class _Page:
    def __init__(self, report: Report, drawn: Drawn, written: Written, framed: Framed) -> None:
        self.report, self.drawn, self.written, self.framed = report, drawn, written, framed
        self.numbers = numbering(report)

    def section(self, one: Section) -> str:
        """Write a section; a heading that a sole table repeats is left to the table's caption."""
        level = 2 if one.level == 1 else 3
        heading = "" if stands_alone(one) else f'<h{level} class="part">{self.text(one.title)}</h{level}>'
        blocks = "".join(map(self.block, one.blocks))
        return f'\n<section id="{escape(one.code)}" aria-label="{escape(plain(one.title))}">{heading}{blocks}</section>'

    def block(self, block: Block) -> str:
        match block:
            case Paragraph():
                return f"\n<p>{self.text(block.text)}</p>"
            case Table():
                return self.table(block)
            case Figure():
                return self.figure(block)
            case _:
                assert_never(block)

    def text(self, text: str) -> str:
        return _text(self.report, text, self.written)

    def table(self, table: Table) -> str:
        notes = "".join(f"<li>{self.text(note)}</li>" for note in table.footnotes)
        short = SHORT if len(table.columns) <= MOST_ON_ONE_LINE else 0
        moved = [
            [0.0] * len(table.rows),
            *(indents([row[i] for row in table.rows]) for i in range(1, len(table.columns))),
        ]
        rows = "".join(
            self.row(row, [column[place] for column in moved], short) for place, row in enumerate(table.rows)
        )
        title = escape(plain(table.title))
        return (
            f'\n<div class="block" id="{escape(anchor(table))}">'
            f'<div class="scroll" tabindex="0" role="region" aria-label="{title}"><table>'
            f"<caption><b>{self.numbers[Table, table.code]}</b>{self.text(table.title)}</caption>"
            f"<thead>{self.heads(table)}</thead><tbody>{rows}</tbody></table></div>"
            + (f'<ul class="notes">{notes}</ul>' if notes else "")
            + f"{self.framed(table)}</div>"
        )

    def heads(self, table: Table) -> str:
        set = setting(table)
        heads = "".join(f'<th scope="col">{self.text(head)}</th>' for head in set.heads)
        if not set.groups:
            return f"<tr>{heads}</tr>"
        over = "".join(
            f'<th scope="colgroup" colspan="{span}" class="over"><span>{self.text(word)}</span></th>'
            if word
            else "<td></td>" * span
            for word, span in set.groups
        )
        return f"<tr>{over}</tr><tr>{heads}</tr>"

    def row(self, row: tuple[str, ...], moved: list[float], short: int) -> str:
        level = ' class="level"' if is_level(row[0]) else ""
        cells = "".join(self.cell(cell, indent, short) for cell, indent in zip(row[1:], moved[1:], strict=True))
        return f'<tr><th scope="row"{level}>{self.text(row[0].strip())}</th>{cells}</tr>'

    def cell(self, cell: str, indent: float, short: int) -> str:
        names = [*(["short"] if len(plain(cell)) <= short else []), *_moved(indent)]
        kind = f' class="{" ".join(names)}"' if names else ""
        return f"<td{kind}>{self.text(glued(cell))}</td>"

    def figure(self, figure: Figure) -> str:
        return (
            f'\n<figure class="block" id="{escape(anchor(figure))}">'
            f'<img alt="{escape(plain(figure.alt))}" src="{escape(self.drawn(figure))}" loading="lazy">'
            f"<figcaption><b>{self.numbers[Figure, figure.code]}</b>{self.text(figure.caption)}</figcaption>"
            f"{self.framed(figure)}</figure>"
        )


def _moved(indent: float) -> list[str]:
    whole, tenth = divmod(min(round(indent * 10), 10 * MOST_DIGITS + 9), 10)
    return ["moved", f"d{whole}", f"t{tenth}"] if whole or tenth else []


def _text(report: Report, text: str, written: Written | None = None) -> str:
    return "".join(_piece(report, piece, written or _data) for piece in pieces(text))


def _piece(report: Report, piece: str | Number | Fact, written: Written) -> str:
    match piece:
        case Number():
            return written(report, piece)
        case Fact():
            return f'<span data-fact="{escape(piece.name)}">{escape(piece.text)}</span>'
        case str():
            return escape(piece)
        case _:
            assert_never(piece)


def _data(report: Report, number: Number) -> str:
    full: Any = report.full(number)
    value = "" if full is None or isinstance(full, NotEstimable) else spelled(full)
    return (
        f'<data value="{escape(value)}" data-id="{escape(number.id)}" data-field="{escape(number.field)}" '
        f'title="{escape(number.id)}, {escape(number.field)}">{escape(number.text)}</data>'
    )
