"""Each finding among the cases with success and among those without: counts, shares, means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from analytics.frames import Variable
from analytics.plans.parts import Array, Table
from analytics.stats import describe
from analytics.stats.result import Entry

__all__ = ["OUTCOMES", "by_success"]

OUTCOMES = ("success_15min", "success_1month")
SIDES = (("success", 1), ("no_success", 0))


def by_success(table: Table, reader: str, item: Variable) -> Iterator[Entry]:
    """Describe one reader's finding by each outcome; nothing where there are no outcomes yet."""
    grades = table.frames.grades(reader, item.code)
    for outcome in OUTCOMES if table.frames.has_outcomes else ():
        reached = table.column(outcome)
        both = np.isfinite(grades) & np.isfinite(reached)
        values: dict[str, Any] = {"n": int(both.sum())}
        for side, code in SIDES:
            values |= {f"{name}_{side}": value for name, value in _told(item, grades[both & (reached == code)]).items()}
        method = "cases graded and with a defined response; percentages of those with, or without, success"
        yield Entry(f"success/{reader}/{item.code}/by/{outcome}", int(both.sum()), method, values)


def _told(item: Variable, grades: Array) -> dict[str, Any]:
    if item.kind == "continuous":
        found = describe.describe(grades).values()
        return {name: found[name] for name in ("n", "mean", "sd", "median", "q25_type6", "q75_type6")}
    counted = describe.level_counts(grades, item.codes, item.names)
    return {"n": counted.n, **counted.values()}
