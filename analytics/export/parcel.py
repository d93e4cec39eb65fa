"""What a bundle holds beside the report: data in every format, plan, scripts, and how to compute it all again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from analytics.export import codebook, datasets, exchange, labelled, rscript, schema
from analytics.export.columns import Column, absences, wide
from analytics.export.questions import Question, questions
from analytics.export.syntax import syntax
from analytics.frames import Frames
from analytics.plans import Plan
from analytics.stats.result import Results

__all__ = ["files"]

README = """# {title}

Written by Spondy. Every number of the report stands in `estimates.csv` under an id and a field.

| file | what |
| --- | --- |
| `report.html`, `.docx`, `.pdf`, `.xlsx` | the report |
| `estimates.csv`, `results.json` | every number; `results.schema.json` describes the second |
| `tables/`, `figures/` | each table and figure by itself |
| `data/gradings.csv`{clinical} | the data as `manage.py analyse` reads them |
| `data/wide.csv`, `wide_labels.csv`, `long.csv`, `data.xlsx` | the same by case or by finding, codes or words |
| `data/codebook.csv`, `codebook.html` | what each column, code and missing code means |
| `data/redcap_dictionary.csv` | REDCap data dictionary for `wide.csv` |
| `spss/` | `wide.sav` and the syntax that computes the main tables from it (SPSS, GNU PSPP) |
| `stata/wide.dta` | the same for Stata 14 and later |
| `r/` | a script for R 4.2 without packages: `Rscript analysis.R` in that folder |
| `imrmc/` | input for iMRMC: success as truth, findings as modalities |
| `record/` | the stored random orders and the trail of the study, where it was read in Spondy |
| `plan.json` | the analysis plan, step by step |
| `manifest.json` | versions, seed, digests of the data and of every file here |
| `rerun.py` | computes the analysis again and compares: `python rerun.py --spondy FOLDER` |

Blank in a CSV file is missing; `long.csv` and `wide_labels.csv` say why. In `wide.sav` missing values have the numbers
the codebook lists; in `wide.dta` they are `.a`, `.b` ... with labels.
{notes}"""


def files(results: Results, frames: Frames, plan: Plan, title: str) -> Iterator[tuple[str, bytes]]:
    """Give path and content of each file.

    Parameters
    ----------
    results, frames, plan
        What was computed, of what, and after which plan.
    title : str
        Of the study.
    """
    columns, known = wide(frames), absences(frames)
    rows = codebook.codebook_rows(frames, columns)
    texts: dict[str, str] = {
        "data/gradings.csv": datasets.gradings_csv(frames),
        "data/wide.csv": datasets.wide_csv(columns, known=known),
        "data/wide_labels.csv": datasets.wide_csv(columns, labels=True, known=known),
        "data/long.csv": datasets.long_csv(frames),
        "data/codebook.csv": codebook.codebook_csv(rows),
        "data/codebook.html": codebook.codebook_html(rows, title),
        "data/redcap_dictionary.csv": exchange.redcap_dictionary(columns),
        "plan.json": _json(plan.to_document()),
        "results.schema.json": _json(schema.RESULTS),
        "rerun.py": Path(__file__).with_name("rerun.py.txt").read_text(encoding="utf-8"),
        "README.md": _readme(title, frames),
    }
    if frames.has_outcomes:
        texts["data/clinical.csv"] = datasets.clinical_csv(frames)
    if frames.context is not None:
        texts["data/context.json"] = _json(frames.context.to_document())
    texts |= {f"imrmc/{name}": text for name, text in exchange.imrmc(frames, columns).items()}
    asked = questions(results, frames, plan, columns)
    texts |= {"r/analysis.R": rscript.script(), "r/questions.csv": rscript.questions_csv(asked)}
    texts["spss/analysis.sps"] = syntax(results, asked, _differ(asked, columns), title)
    yield from ((path, text.encode()) for path, text in texts.items())
    yield "data/data.xlsx", datasets.workbook(frames, columns, rows)
    yield "spss/wide.sav", labelled.sav(columns, codebook.missing_codes(frames), known, title)
    yield "stata/wide.dta", labelled.dta(columns, known, title)


def _json(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _readme(title: str, frames: Frames) -> str:
    clinical = ", `data/clinical.csv`" if frames.has_outcomes else ""
    notes = "" if frames.has_outcomes else "\nThe outcomes are not open yet: nothing here holds one.\n"
    if frames.context is not None:
        notes += (
            "\n`data/context.json` holds what the study's record adds: flow of patients, reading times, scanning.\n"
        )
    return README.format(title=title.replace("\n", " "), clinical=clinical, notes=notes)


def _differ(asked: Sequence[Question], columns: Sequence[Column]) -> dict[str, bool]:
    """Say of each kappa whether the readers used different codes in the cases both graded."""
    values = {column.name: column.values for column in columns}
    found = {}
    for one in asked:
        if one.kind == "kappa_unweighted":
            a, b = (values[name] for name in one.columns)
            both = np.isfinite(a) & np.isfinite(b)
            found[one.id] = set(a[both]) != set(b[both])
    return found
