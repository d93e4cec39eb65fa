"""The report as a tagged PDF (PDF/UA-1), set by typst: fonts embedded, vector figures, wide tables turned."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, assert_never

from analytics.report.document import Block, Figure, Paragraph, Report, Table, plain
from analytics.report.layout import Setting, fitted, glued, indents, is_level, is_wide, setting, stands_alone

__all__ = ["pdf"]

PT_PER_MM = 72 / 25.4
SHORT_PT, LONG_PT = (210 - 40) * PT_PER_MM, (297 - 40) * PT_PER_MM
HIGHEST_PT = 600.0
TABLE_PT, SMALLEST_PT = 8.5, 6.5
LEVEL_DIGITS = 2.0
SIZE = re.compile(
    rb'<svg[^>]*?\swidth="([\d.]+)(?:pt|px)?"[^>]*?\sheight="([\d.]+)|<svg[^>]*?\sheight="([\d.]+)(?:pt|px)?"[^>]*?\swidth="([\d.]+)'
)


def pdf(report: Report, figures: Mapping[str, Mapping[str, bytes]]) -> bytes:
    """Write the report as PDF.

    Parameters
    ----------
    report : Report
        What is to be written.
    figures : mapping of str to mapping of str to bytes
        By a figure's code and format; the document takes ``svg``, which stays vector.
    """
    import typst

    source = files(__package__).joinpath("paper.typ").read_bytes()
    document = {
        "title": plain(report.title),
        "facts": [[name, plain(value)] for name, value in report.facts.items()],
        "runs": _runs(report, figures),
    }
    compiler = typst.Compiler(source, font_paths=_fonts(), sys_inputs={"report": json.dumps(document)})
    made = compiler.compile(format="pdf", pdf_standards="ua-1", timestamp=0)
    if not isinstance(made, bytes):
        raise TypeError(f"typst gave {type(made).__name__} instead of one file.")
    return made


@cache
def _fonts() -> Any:
    """Give the faces that come with the libraries: a machine's own would make other bytes."""
    import matplotlib
    import typst

    return typst.Fonts(include_system_fonts=False, font_paths=[f"{matplotlib.get_data_path()}/fonts/ttf"])


def _runs(report: Report, figures: Mapping[str, Mapping[str, bytes]]) -> list[dict[str, Any]]:
    """Take apart into runs of pages of one direction."""
    runs: list[dict[str, Any]] = []

    def put(block: dict[str, Any], *, wide: bool) -> None:
        if not runs or runs[-1]["wide"] is not wide:
            runs.append({"wide": wide, "blocks": []})
        runs[-1]["blocks"].append(block)

    for section in report.sections:
        sizes = [_wide(block) for block in section.blocks]
        if not stands_alone(section):
            put({"kind": "heading", "level": section.level, "text": plain(section.title)}, wide=sizes[:1] == [True])
        for block, wide in zip(section.blocks, sizes, strict=True):
            put(_block(block, figures, wide=wide), wide=wide)
    return runs


def _wide(block: Block) -> bool:
    return isinstance(block, Table) and is_wide(setting(block), TABLE_PT, SHORT_PT)


def _block(block: Block, figures: Mapping[str, Mapping[str, bytes]], *, wide: bool) -> dict[str, Any]:
    match block:
        case Paragraph():
            return {"kind": "paragraph", "text": plain(block.text)}
        case Table():
            return _table(block, setting(block), LONG_PT if wide else SHORT_PT)
        case Figure():
            svg = figures[block.code]["svg"]
            return {
                "kind": "figure",
                "caption": plain(block.caption),
                "alt": plain(block.alt),
                "svg": svg.decode(),
                "width": _width(svg),
            }
        case _:
            assert_never(block)


def _table(table: Table, set: Setting, room: float) -> dict[str, Any]:
    size, widths = fitted(set, room, TABLE_PT, SMALLEST_PT)
    moved = [[LEVEL_DIGITS * is_level(row[0]) for row in table.rows]]
    moved += [indents([row[column] for row in table.rows]) for column in range(1, len(set.heads))]
    return {
        "kind": "table",
        "title": plain(table.title),
        "groups": [{"text": plain(word), "span": span} for word, span in set.groups],
        "heads": [plain(head) for head in set.heads],
        "rows": [
            [{"text": plain(glued(cell)).strip(), "indent": moved[column][place]} for column, cell in enumerate(row)]
            for place, row in enumerate(table.rows)
        ],
        "notes": [plain(note) for note in table.footnotes],
        "size": size,
        "widths": widths,
    }


def _width(svg: bytes) -> float:
    """Give a picture's own width, or less where it would not fit a page with its caption: no letter is blown up."""
    found = SIZE.search(svg[:2000])
    if found is None:
        return SHORT_PT
    across, down = (float(one) for one in (found.group(1, 2) if found.group(1) else found.group(4, 3)))
    return min(across, SHORT_PT, HIGHEST_PT * across / down)
