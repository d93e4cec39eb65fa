"""DOOR of the analyst: takes the handover, carries out the plan, keeps the run."""

from __future__ import annotations

from analytics.runs.asked import cancel, card, start
from analytics.runs.home import Home, home
from analytics.runs.rows import LAYERS, OUTCOMES, READINGS, NothingThere, RunRow
from analytics.runs.shown import Shown, file, files, shown, tables
from analytics.runs.work import Moved, carry_out

__all__ = [
    "LAYERS",
    "OUTCOMES",
    "READINGS",
    "Home",
    "Moved",
    "NothingThere",
    "RunRow",
    "Shown",
    "cancel",
    "card",
    "carry_out",
    "file",
    "files",
    "home",
    "shown",
    "start",
    "tables",
]
