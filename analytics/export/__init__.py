"""What leaves the program: estimates, tables, figures and report as files."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import platform
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from analytics.stats.result import NotEstimable, Results, Value

__all__ = ["bundle", "estimates_csv", "estimates_rows", "manifest", "tables_csv", "versions"]

COLUMNS = ("id", "field", "value", "status", "reason", "n", "method")
LIBRARIES = ("numpy", "scipy", "pandas", "statsmodels", "matplotlib")


def spelled(value: Value) -> str:
    """Write a number with 17 significant digits, a word as it is, and nothing for what does not exist."""
    if isinstance(value, NotEstimable):
        return ""
    if isinstance(value, float):
        if math.isinf(value):
            return "Inf" if value > 0 else "-Inf"
        return format(value, ".17g")
    return str(value)


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


def bundle(results: Results, *, title: str, inputs: Mapping[str, str], facts: Mapping[str, str]) -> dict[str, bytes]:
    """Make every file of an analysis, by its path inside the export."""
    from analytics.figures import draw
    from analytics.report import docx, html

    files: dict[str, bytes] = {"estimates.csv": estimates_csv(results).encode()}
    files |= {f"tables/{name}": text.encode() for name, text in tables_csv(results).items()}
    files |= {f"figures/{name}.svg": svg for name, svg in draw(results).items()}
    files["report.html"] = html(results, title, facts).encode()
    files["report.docx"] = docx(results, title, facts)
    files["results.json"] = results.to_json().encode()
    listed = {path: hashlib.sha256(content).hexdigest() for path, content in sorted(files.items())}
    document = {**manifest(results, inputs=inputs, facts=facts), "files": listed}
    files["manifest.json"] = (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
    return files
