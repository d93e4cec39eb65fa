"""The report as a Word file with native tables."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from analytics.report.document import plain
from analytics.report.tables import tables
from analytics.report.text import Table
from analytics.stats.result import Results

if TYPE_CHECKING:
    from docx.document import Document

__all__ = ["docx"]

# A file's dates would make equal results unequal files.
NO_TIME = datetime(2000, 1, 1, tzinfo=UTC)


def docx(results: Results, title: str, facts: Mapping[str, str]) -> bytes:
    """Write the report's tables as a Word document, landscape A4.

    Parameters
    ----------
    results : Results
        What a plan computed.
    title : str
        Heading.
    facts : mapping of str to str
        Lines for the head.
    """
    import docx as word
    from docx.enum.section import WD_ORIENT
    from docx.shared import Cm, Pt

    document = word.Document()
    document.core_properties.created = document.core_properties.modified = NO_TIME
    document.core_properties.author = "Spondy"
    document.core_properties.title = title
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Cm(29.7), Cm(21.0)
    section.left_margin = section.right_margin = Cm(1.8)
    document.styles["Normal"].font.size = Pt(9)
    document.add_heading(title, level=0)
    lines = {"Plan": f"{results.plan['title']} ({results.plan['code']}, digest {results.plan['digest'][:12]})", **facts}
    for name, value in lines.items():
        document.add_paragraph(f"{name}: {value}")
    for place, table in enumerate(tables(results), start=1):
        _add(document, place, table)
    return _without_times(document)


def _add(document: Document, place: int, table: Table) -> None:
    from docx.shared import Pt

    document.add_heading(f"Table {place}. {table.title}", level=2)
    grid = document.add_table(rows=1, cols=len(table.columns), style="Light List Accent 1")
    for cell, text in zip(grid.rows[0].cells, table.columns, strict=True):
        cell.text = plain(text)
    for row in table.rows:
        cells = grid.add_row().cells
        for cell, text in zip(cells, row, strict=True):
            cell.text = plain(text)
    for line in grid.rows:
        for cell in line.cells:
            for paragraph in cell.paragraphs:
                paragraph.paragraph_format.space_after = Pt(0)
                for run in paragraph.runs:
                    run.font.size = Pt(8)
    for note in table.footnotes:
        document.add_paragraph(plain(note)).runs[0].font.size = Pt(7.5)


def _without_times(document: Document) -> bytes:
    """Save with fixed times inside the archive."""
    import zipfile

    saved, fixed = io.BytesIO(), io.BytesIO()
    document.save(saved)
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0)), old.read(name), zipfile.ZIP_DEFLATED)
    return fixed.getvalue()
