"""What R makes of the awkward tables: its numbers within tolerance, and a sentence where it gives none.

``python -m tests.unit.analytics.test_awkward_references FOLDER`` writes the tables for references.R.
"""

from __future__ import annotations

import csv
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from analytics import plans
from analytics.frames import from_tables, read_table
from analytics.stats.result import NotEstimable
from tests.unit.analytics.test_any_table import AWKWARD

ORACLES = Path(__file__).resolve().parents[2] / "oracles"
TABLES = tuple(
    name for name in AWKWARD if name not in {"no case", "all missing", "collinear"}
)  # R reads no type from empty columns; collinear predictors are no other table to these statistics


def table(name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    clinical, gradings = (read_table(ORACLES / "d2" / f"{kind}.csv") for kind in ("clinical", "gradings"))
    return AWKWARD[name](clinical, gradings)


def written(folder: Path) -> None:
    for name in TABLES:
        clinical, gradings = table(name)
        (folder / name).mkdir(parents=True)
        clinical.to_csv(folder / name / "clinical.csv", index=False)
        gradings.to_csv(folder / name / "gradings.csv", index=False)


def rows() -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    with (ORACLES / "awkward" / "references.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["table"], []).append(row)
    return found


@pytest.mark.parametrize("name", TABLES)
def test_the_numbers_of_r(name: str) -> None:
    full = plans.get("full")
    steps = tuple(step for step in full.steps if step.params.get("specification", "bme_only") == "bme_only")
    found = plans.carry_out(replace(full, steps=steps), from_tables(*table(name)))
    wrong, numbers = [], 0
    for row in rows()[name]:
        ours = found.value(row["id"], row["field"])
        if row["value"] == "NA":
            agrees = isinstance(ours, NotEstimable) and len(ours.why) > 5
        else:
            reference, numbers = float(row["value"]), numbers + 1
            near = float(row["tolerance"]) * max(1.0, abs(reference))
            agrees = isinstance(ours, int | float) and abs(ours - reference) <= near
        if not agrees:
            wrong.append((row["id"], row["field"], row["value"], ours))
    assert not wrong, wrong
    assert numbers > 20


if __name__ == "__main__":
    written(Path(sys.argv[1]))
