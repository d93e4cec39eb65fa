"""The body of a run's page, written once by the worker: every number leads to its origin, every table to its files."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

if TYPE_CHECKING:
    from analytics.report.document import Figure, Number, Report, Table


def body(report: Report, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Give contents and sections as the page shows them; addresses are relative to the run."""
    from analytics.report.layout import contents
    from analytics.report.page import anchor, sections

    def framed(block: Table | Figure) -> str:
        links = (
            f'<a href="files/{escape(path)}">{escape(ending.upper())}</a>'
            for ending, path in _formats(block)
            if path in files
        )
        return f'<p class="files">{" ".join(links)}</p>'

    written = sections(report, drawn=lambda figure: f"files/{_stem(figure)}.svg", written=number, framed=framed)
    return {
        "title": report.title,
        "facts": dict(report.facts),
        "contents": [[level, anchor(one), words] for level, one, words in contents(report)],
        "sections": list(written.values()),
    }


def number(report: Report, one: Number) -> str:
    """Write a number as a link to where it comes from."""
    origin = escape(urlencode({"id": one.id, "field": one.field}))
    return f'<a class="number" href="origin?{origin}">{escape(one.text)}</a>'


def _stem(block: Table | Figure) -> str:
    from analytics.report.document import Table

    return f"{'tables' if isinstance(block, Table) else 'figures'}/{block.code}"


def _formats(block: Table | Figure) -> list[tuple[str, str]]:
    from analytics.report.document import Table

    endings = ("csv", "xlsx") if isinstance(block, Table) else ("svg", "pdf", "png")
    return [(ending, f"{_stem(block)}.{ending}") for ending in endings]
