"""The whole report in order: Methods, Results with their tables and figures, supplement, checklists, what is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from analytics import figures
from analytics.report.checklists import checklists, declared, deviations, open_points
from analytics.report.document import Block, Figure, Paragraph, Report, Section, Table
from analytics.report.facts import StudyFacts
from analytics.report.layout import numbering
from analytics.report.methods import methods
from analytics.report.prose import referred
from analytics.report.results_words import SAID
from analytics.report.tables import MAIN, SUPPLEMENT, Part
from analytics.stats.result import Results

__all__ = ["compose"]

PLACES: dict[str, tuple[str, ...]] = {
    "patients": ("exclusion_flow",),
    "pain": ("response_flow", "nrs_over_time"),
    "agreement": ("kappa_forest",),
    "models": ("odds_ratios_15min", "odds_ratios_1month", "roc"),
    "crossed": ("agreement_tables",),
    "agreement_more": ("bland_altman",),
    "predictions": ("calibration", "decision_curve"),
    "sensitivity": ("qq_change",),
}
"""Which figures stand in which part; one that is named nowhere stands at the end of the supplement."""


def compose(results: Results, title: str, facts: Mapping[str, str], about: StudyFacts | None = None) -> Report:
    """Put everything the results allow in its order.

    Parameters
    ----------
    results : Results
        What a plan computed.
    title : str
        Heading of the report.
    facts : mapping of str to str
        Lines for the head, such as study, date and version.
    about : StudyFacts, optional
        What people stated of the study, and what the study has fixed; without it the words say less.
    """
    known = about or StudyFacts()
    drawn = {name: Figure(name, figures.TITLES[name], figures.ALTS[name]) for name in figures.available(results)}
    results_parts = _parts(results, MAIN, drawn)
    further = _parts(results, SUPPLEMENT, drawn)
    if drawn:
        further.append(Section("figures", "Further figures", tuple(drawn.values()), 2))
    told = methods(results, known)
    titles = {one.code: one.title for one in (*told, *results_parts, *further)}
    sections = (
        _heading("methods", "Methods", told),
        _heading("results", "Results", results_parts),
        _heading("supplement", "Supplement", further),
        (
            Section("checklists", "Declarations and reporting checklists", tuple(declared(known))),
            *checklists(known, titles),
        ),
        (deviations(results, known), *filter(None, [open_points(known) if about else None])),
    )
    report = Report(title, facts, tuple(one for group in sections for one in group), results)
    placed = numbering(report)  # a table and a figure may bear one name; words point at the table then
    numbers = {code: shown for (_, code), shown in sorted(placed.items(), key=lambda one: one[0][0] is Table)}
    return replace(report, sections=tuple(_numbered(one, numbers) for one in report.sections))


def _heading(code: str, title: str, below: list[Section]) -> tuple[Section, ...]:
    return (Section(code, title, ()), *below) if below else ()


def _parts(results: Results, parts: tuple[Part, ...], drawn: dict[str, Figure]) -> list[Section]:
    """Build parts: words, tables, then the figures that belong there, which are taken out of `drawn`."""
    made = []
    for part in parts:
        blocks: list[Block] = [Paragraph(text) for text in SAID[part.code](results)] if part.code in SAID else []
        blocks += part.tables(results)
        blocks += [drawn.pop(name) for name in PLACES.get(part.code, ()) if name in drawn]
        if blocks:
            made.append(Section(part.code, part.title, tuple(blocks), 2))
    return made


def _numbered(section: Section, numbers: Mapping[str, str]) -> Section:
    return replace(section, blocks=tuple(_filled(block, numbers) for block in section.blocks))


def _filled(block: Block, numbers: Mapping[str, str]) -> Block:
    match block:
        case Paragraph():
            return Paragraph(referred(block.text, numbers))
        case Table():
            return replace(block, rows=tuple(tuple(referred(cell, numbers) for cell in row) for row in block.rows))
        case Figure():
            return block
