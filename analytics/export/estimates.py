"""The numbers as files: estimates, printed tables, the document of all results, and what they were computed with."""

from __future__ import annotations

import csv
import io
import platform
from collections.abc import Iterable, Mapping
from importlib import metadata
from typing import Any

from analytics.stats.result import NotEstimable, Results, spelled

__all__ = ["estimates_csv", "estimates_rows", "manifest", "tables_csv", "versions", "written"]

COLUMNS = ("id", "field", "value", "status", "reason", "n", "method")
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


def written(header: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """Write rows as CSV: UTF-8, commas, line feeds."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(list(header))
    writer.writerows(list(row) for row in rows)
    return text.getvalue()


def estimates_csv(results: Results) -> str:
    """Write `estimates_rows` as CSV with the columns ``id,field,value,status,reason,n,method``."""
    return written(COLUMNS, ([row[column] for column in COLUMNS] for row in estimates_rows(results)))


def tables_csv(results: Results) -> dict[str, str]:
    """Write each printed table as CSV, by file name; footnotes follow after an empty line."""
    from analytics.report import tables

    files = {}
    for table in (one.plain() for one in tables(results)):
        notes = [(), *((note,) for note in table.footnotes)] if table.footnotes else []
        files[f"{table.code}.csv"] = written(table.columns, [*table.rows, *notes])
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
