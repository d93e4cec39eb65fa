from __future__ import annotations

import csv
from pathlib import Path

import pytest

from analytics import figures, plans, report
from analytics.frames import Frames, from_tables, read_table
from analytics.stats.result import Results

ORACLES = Path(__file__).resolve().parents[2] / "oracles"
D2 = ORACLES / "d2"


@pytest.fixture(scope="session")
def oracles() -> Path:
    return ORACLES


@pytest.fixture(scope="session")
def references() -> list[dict[str, str]]:
    with (D2 / "references.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def d2() -> Frames:
    return from_tables(read_table(D2 / "clinical.csv"), read_table(D2 / "gradings.csv"))


@pytest.fixture(scope="session")
def full(d2: Frames) -> Results:
    return plans.carry_out(plans.get("full"), d2)


@pytest.fixture(scope="session")
def paper(d2: Frames) -> Results:
    return plans.carry_out(plans.get("paper"), d2)


def page_of(results: Results, title: str) -> str:
    """Write the report of these results as a page."""
    drawn = {name: {"svg": data} for name, data in figures.draw(results).items()}
    return report.html(report.compose(results, title, {}), drawn)
