"""What leaves the program: estimates, tables, figures and report as files."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import platform
from collections.abc import Callable, Mapping
from functools import partial
from importlib import metadata
from typing import Any

from analytics import figures
from analytics.figures.sheet import Format
from analytics.stats.result import NotEstimable, Results, spelled

__all__ = ["bundle", "estimates_csv", "estimates_rows", "manifest", "tables_csv", "versions"]

COLUMNS = ("id", "field", "value", "status", "reason", "n", "method")
FIGURES: tuple[Format, ...] = ("svg", "pdf", "png")
LIBRARIES = ("numpy", "scipy", "pandas", "statsmodels", "matplotlib")


def estimates_rows(results: Results) -> list[dict[str, str]]:
    """Give one row per identifier and field, in the order of the plan."""
    return [
        {
            "id": entry.id,
            "field": field,
            "value": spelled(value),
            "status": "not_estimable" if isinstance(value, NotEstimable) else "ok",
            "reason": value.why if isinstance(value, NotEstimable) else "",
            "n": str(entry.n),
            "method": entry.method,
        }
        for entry in results.entries
        for field, value in entry.values.items()
    ]


def _csv(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def estimates_csv(results: Results) -> str:
    """Write `estimates_rows` as CSV with the columns ``id,field,value,status,reason,n,method``."""
    return _csv(COLUMNS, [tuple(row[column] for column in COLUMNS) for row in estimates_rows(results)])


def tables_csv(results: Results) -> dict[str, str]:
    """Write each printed table as CSV, by file name; footnotes follow after an empty line."""
    from analytics.report import tables

    files = {}
    for table in (one.plain() for one in tables(results)):
        notes = [(), *((note,) for note in table.footnotes)] if table.footnotes else []
        files[f"{table.code}.csv"] = _csv(table.columns, [*table.rows, *notes])
    return files


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that computed."""
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in LIBRARIES}}


def manifest(results: Results, *, inputs: Mapping[str, str], facts: Mapping[str, str]) -> dict[str, Any]:
    """Say what the results were computed from and with.

    Parameters
    ----------
    results : Results
        What came out.
    inputs : mapping of str to str
        SHA-256 of each input by name.
    facts : mapping of str to str
        Anything else to keep, such as the program's version.
    """
    return {
        "plan": dict(results.plan),
        "seed": results.seed,
        "cases": results.subject["cases"],
        "inputs": dict(inputs),
        "versions": versions(),
        **dict(facts),
    }


def bundle(
    results: Results,
    *,
    title: str,
    inputs: Mapping[str, str],
    facts: Mapping[str, str],
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
    told : callable, optional
        Hears before each part which of how many it is, and its name; may raise to stop the work.
    """
    from analytics import report

    composed = report.compose(results, title, facts)
    files: dict[str, bytes] = {}
    drawn: dict[str, dict[str, bytes]] = {name: {} for name in figures.available(results)}
    parts: list[tuple[str, Callable[[], Mapping[str, bytes]]]] = [
        ("Writing the estimates and tables.", lambda: _texts(results)),
        *((f"Drawing the figures as {kind.upper()}.", partial(_figures, results, kind, drawn)) for kind in FIGURES),
        ("Writing the page.", lambda: {"report.html": report.html(composed, drawn).encode()}),
        ("Writing the Word file.", lambda: {"report.docx": report.docx(composed, drawn)}),
        ("Writing the PDF.", lambda: {"report.pdf": report.pdf(composed, drawn)}),
        ("Writing the workbook.", lambda: {"report.xlsx": report.xlsx(composed)}),
    ]
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
