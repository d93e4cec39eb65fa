"""The whole report in order: which sections stand where."""

from __future__ import annotations

from collections.abc import Mapping

from analytics import figures
from analytics.report.document import Figure, Report, Section
from analytics.report.tables import tables
from analytics.stats.result import Results

__all__ = ["compose"]


def compose(results: Results, title: str, facts: Mapping[str, str]) -> Report:
    """Put everything the results allow in its order.

    Parameters
    ----------
    results : Results
        What a plan computed.
    title : str
        Heading of the report.
    facts : mapping of str to str
        Lines for the head, such as study, date and version.
    """
    shown = tuple(Section(table.code, table.title, (table,)) for table in tables(results))
    drawn = tuple(
        Figure(name, figures.TITLES.get(name, name), figures.TITLES.get(name, name))
        for name in figures.available(results)
    )
    sections = (*shown, Section("figures", "Figures", drawn)) if drawn else shown
    return Report(title, {**_about(results), **facts}, sections, results)


def _about(results: Results) -> dict[str, str]:
    """Say what every report says of itself."""
    return {
        "Plan": f"{results.plan['title']} ({results.plan['code']}, digest {results.plan['digest'][:12]})",
        "Cases": str(results.subject["cases"]),
        "Readers": ", ".join(results.subject["readers"]),
        "Instrument": f"{results.subject['protocol']}, version {results.subject['version']}",
    }
