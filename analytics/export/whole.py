"""Every file of an analysis: report, figures, numbers, data, and the manifest that lists them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from analytics import figures
from analytics.export.estimates import estimates_csv, manifest, tables_csv
from analytics.figures.sheet import Format
from analytics.frames import Frames
from analytics.plans import Plan
from analytics.stats.result import Results

if TYPE_CHECKING:
    from analytics.report.document import Report

__all__ = ["bundle"]

FIGURES: tuple[Format, ...] = ("svg", "pdf", "png")


def bundle(
    results: Results,
    *,
    title: str,
    inputs: Mapping[str, str],
    facts: Mapping[str, str],
    frames: Frames | None = None,
    plan: Plan | None = None,
    record: Mapping[str, str] | None = None,
    report: Report | None = None,
    told: Callable[[int, int, str], None] | None = None,
) -> dict[str, bytes]:
    """Make every file of an analysis, by its path inside the export.

    Parameters
    ----------
    results : Results
        What came out.
    title : str
        Heading of the documents.
    inputs : mapping of str to str
        SHA-256 of each input by name.
    facts : mapping of str to str
        Anything else to keep, such as the program's version.
    frames, plan : Frames, Plan, optional
        What was computed of what; with both the data, their codebook, scripts for other programs and `rerun.py`.
    record : mapping of str to str, optional
        Further texts by file name, such as the orders the cases were read in.
    report : Report, optional
        What the documents hold, where more than the results is known; else it is composed of the results.
    told : callable, optional
        Hears before each part which of how many it is, and its name; may raise to stop the work.
    """
    from analytics.report import compose, docx, html, pdf, xlsx

    composed = report or compose(results, title, facts)
    files: dict[str, bytes] = {}
    drawn: dict[str, dict[str, bytes]] = {name: {} for name in figures.available(results)}
    parts: list[tuple[str, Callable[[], Mapping[str, bytes]]]] = [
        ("Writing the estimates and tables.", lambda: _texts(results)),
        *((f"Drawing the figures as {kind.upper()}.", partial(_figures, results, kind, drawn)) for kind in FIGURES),
        ("Writing the page.", lambda: {"report.html": html(composed, drawn).encode()}),
        ("Writing the Word file.", lambda: {"report.docx": docx(composed, drawn)}),
        ("Writing the PDF.", lambda: {"report.pdf": pdf(composed, drawn)}),
        ("Writing the workbook.", lambda: {"report.xlsx": xlsx(composed)}),
    ]
    if frames is not None and plan is not None:
        parts.append(("Writing the data.", partial(_data, results, frames, plan, title)))
    if record:
        parts.append(
            ("Writing the record.", lambda: {f"record/{name}": text.encode() for name, text in record.items()})
        )
    for place, (words, make) in enumerate(parts):
        if told:
            told(place, len(parts), words)
        files |= make()
    listed = {path: hashlib.sha256(content).hexdigest() for path, content in sorted(files.items())}
    document = {**manifest(results, inputs=inputs, facts=facts), "files": listed}
    files["manifest.json"] = (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
    return files


def _texts(results: Results) -> dict[str, bytes]:
    files = {f"tables/{name}": text.encode() for name, text in tables_csv(results).items()}
    return files | {"estimates.csv": estimates_csv(results).encode(), "results.json": results.to_json().encode()}


def _figures(results: Results, kind: Format, drawn: dict[str, dict[str, bytes]]) -> dict[str, bytes]:
    """Draw all figures in one format; the documents take them from ``drawn``."""
    made = figures.draw(results, kind)
    for name, data in made.items():
        drawn[name][kind] = data
    return {f"figures/{name}.{kind}": data for name, data in made.items()}


def _books(composed: Report) -> dict[str, bytes]:
    from analytics import report

    return {f"tables/{code}.xlsx": data for code, data in report.sheets(composed).items()}


def _data(results: Results, frames: Frames, plan: Plan, title: str) -> dict[str, bytes]:
    from analytics.export import parcel  # reads and writes many formats; a page that shows numbers does without

    return dict(parcel.files(results, frames, plan, title))
