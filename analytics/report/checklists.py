"""The reporting checklists as tables, what of them is open, and how the frozen plan was left."""

from __future__ import annotations

from collections.abc import Mapping

from analytics.report.checklist_items import CHECKLISTS, Item
from analytics.report.document import Paragraph, Section, Table, stated
from analytics.report.facts import ANOTHER, AS_FROZEN, ITS_PART, NONE_FROZEN, StudyFacts
from analytics.stats.result import Results
from annotation.protocol import FACTS

__all__ = ["checklists", "declared", "deviations", "open_points"]

LABELS = {one.code: one.label for one in FACTS} | {"readers": "Experience of the readers"}
SHORT = {one.code for one in FACTS if one.kind != "text"}
COLUMNS = ("Item", "What it asks", "Where it is answered, and what is open")


def checklists(about: StudyFacts, titles: Mapping[str, str]) -> list[Section]:
    """Fill the four lists; `titles` are the sections this report has, by code."""
    return [
        Section(
            code,
            title,
            (
                Table(
                    code,
                    title,
                    COLUMNS,
                    tuple(
                        (stated(item.number, f"{code}/item"), item.asks, _answer(item, about, titles)) for item in asked
                    ),
                    ("Items are numbered as in the original, in our own words; read the original before you submit.",),
                ),
            ),
            2,
        )
        for code, (title, asked) in CHECKLISTS.items()
    ]


def _answer(item: Item, about: StudyFacts, titles: Mapping[str, str]) -> str:
    there = [titles[code] for code in item.sections if code in titles]
    said = [f"See {', '.join(f'“{title}”' for title in there)}."] if there else []
    known = [code for code in item.facts if _has(about, code)]
    said += [f"{LABELS[code]}: {about.said(code).rstrip('.')}." for code in known if code in SHORT]
    if kept := [LABELS[code] for code in known if code not in SHORT]:
        said.append(f"Stated in Methods or below: {', '.join(kept)}.")
    if missing := [LABELS[code] for code in item.facts if not _has(about, code)]:
        said.append(f"open: state {', '.join(missing)}.")
    if item.left:
        said.append(f"open: {item.left}.")
    if item.sections and not there:
        said.append("open: this analysis holds nothing of it.")
    return " ".join(said)


def _has(about: StudyFacts, code: str) -> bool:
    return bool(about.readers) if code == "readers" else about.has(code)


def declared(about: StudyFacts) -> list[Paragraph]:
    """Print the stated facts that belong to no part of the Methods."""
    codes = ("protocol_access", "involvement", "funding", "interests", "data_access")
    return [Paragraph(f"{LABELS[code]}: {about.said(code)}") for code in codes if about.has(code)]


KEPT = {
    AS_FROZEN: "None: the plan that was run is the one frozen before the first reading.",
    ITS_PART: "Only agreement was analysed, which needs no outcome; the frozen plan as a whole was not run yet.",
    ANOTHER: "The plan that was run is not the one frozen before the first reading.",
    NONE_FROZEN: "No analysis plan was frozen with this study; nothing can be compared.",
}


def deviations(results: Results, about: StudyFacts) -> Section:
    """List how the analysis left the frozen plan."""
    if not about.settings:
        text: tuple[Paragraph, ...] = (Paragraph("No plan was frozen with these tables; nothing can be compared."),)
    elif about.deviations:
        text = tuple(map(Paragraph, about.deviations))
    else:
        text = (Paragraph(KEPT[about.plan_of(results)]),)
    return Section("deviations", "Deviations from the frozen plan", text)


def open_points(about: StudyFacts) -> Section | None:
    """List the facts nobody has stated yet."""
    missing = [one for one in FACTS if not about.has(one.code)]
    if not missing:
        return None
    rows = tuple((one.label, one.part) for one in missing)
    note = ("The coordinator states them at the desk, under Facts; the next view of the report holds them.",)
    return Section("open", "Open points", (Table("open_facts", "Facts not stated yet", ("Fact", "Part"), rows, note),))
