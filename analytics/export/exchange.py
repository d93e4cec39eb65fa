"""Files for REDCap and for iMRMC."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analytics.export.columns import Column, number
from analytics.export.estimates import written
from analytics.frames import ADJUDICATED, Frames

__all__ = ["imrmc", "redcap_dictionary"]

REDCAP = (
    "Variable / Field Name",
    "Form Name",
    "Section Header",
    "Field Type",
    "Field Label",
    "Choices, Calculations, OR Slider Labels",
    "Field Note",
    "Text Validation Type OR Show Slider Number",
    "Text Validation Min",
    "Text Validation Max",
    "Identifier?",
    "Branching Logic (Show field only if...)",
    "Required Field?",
    "Custom Alignment",
    "Question Number (surveys only)",
    "Matrix Group Name",
    "Matrix Ranking?",
    "Field Annotation",
)
NO_TRUTH = "-1"  # iMRMC's reader of the lines that tell the truth


def redcap_dictionary(columns: Sequence[Column]) -> str:
    """Write the data dictionary for a REDCap project into which ``wide.csv`` can be imported.

    Parameters
    ----------
    columns : sequence of Column
        What `wide` gave; the first becomes the record's name.
    """
    return written(REDCAP, ([_field(column).get(name, "") for name in REDCAP] for column in columns))


def _field(column: Column) -> dict[str, str]:
    common = {
        "Variable / Field Name": column.name,
        "Form Name": f"reading_{column.reader.lower()}" if column.reader else "case",
        "Field Label": column.label,
        "Field Note": " ".join(part for part in (column.unit, column.note) if part),
    }
    if column.coded:
        choices = " | ".join(f"{code}, {label}" for code, label in column.levels.items())
        return {**common, "Field Type": "radio", "Choices, Calculations, OR Slider Labels": choices}
    if column.kind == "text":
        return {**common, "Field Type": "text"}
    return {**common, "Field Type": "text", "Text Validation Type OR Show Slider Number": "number"}


def imrmc(frames: Frames, columns: Sequence[Column]) -> dict[str, str]:
    """Write an iMRMC input file for each outcome, by file name.

    Parameters
    ----------
    frames, columns
        Of the study.

    Returns
    -------
    dict of str to str
        ``<outcome>.imrmc``: success is the truth, every ordered finding a modality, its grade or measurement the score.
        Findings with more than two unordered levels have no score. Cases are numbered; ``cases.csv`` names them. A case
        without outcome is left out, a grade that is missing has no line.
    """
    outcomes = [column for column in columns if column.name.startswith("success_")]
    scored = [item for item in frames.items if item.kind != "nominal" or item.binary]
    readers = [reader for reader in frames.readers if reader != ADJUDICATED]
    files = {}
    for outcome in outcomes:
        truth = {case: int(value) for case, value in enumerate(outcome.values) if np.isfinite(value)}
        lines = [
            f"{outcome.label}: score of each finding by reader; truth 1 is success",
            f"NR: {len(readers)}",
            f"N0: {sum(not value for value in truth.values())}",
            f"N1: {sum(truth.values())}",
            f"NM: {len(scored)}",
            "",
            "BEGIN DATA:",
            *(f"{NO_TRUTH},{case + 1},0,{value}" for case, value in truth.items()),
        ]
        for reader in readers:
            for item in scored:
                grades = frames.grades(reader, item.code)
                lines += [
                    f"{reader},{case + 1},{item.code},{number(grades[case])}"
                    for case in truth
                    if np.isfinite(grades[case])
                ]
        files[f"{outcome.name}.imrmc"] = "\n".join(lines) + "\n"
    if files:
        numbered = ((place, case) for place, case in enumerate(frames.cases, start=1))
        files["cases.csv"] = written(("number", "case_id"), numbered)
    return files
