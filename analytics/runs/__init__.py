"""DOOR of the analyst: takes the handover, carries out the plan, keeps the run."""

from __future__ import annotations

from analytics.runs.asked import again, cancel, card, start
from analytics.runs.compare import Compared, changes_csv, compare
from analytics.runs.home import Home, home
from analytics.runs.origin import Origin, origin, rows_csv
from analytics.runs.rows import LAYERS, OUTCOMES, READINGS, NothingThere, RunRow
from analytics.runs.shown import Shown, archive, file, shown
from analytics.runs.work import Moved, carry_out, numbers

__all__ = [
    "LAYERS",
    "OUTCOMES",
    "READINGS",
    "Compared",
    "Home",
    "Moved",
    "NothingThere",
    "Origin",
    "RunRow",
    "Shown",
    "again",
    "archive",
    "cancel",
    "card",
    "carry_out",
    "changes_csv",
    "compare",
    "file",
    "home",
    "numbers",
    "origin",
    "rows_csv",
    "shown",
    "start",
]
