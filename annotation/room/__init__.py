"""DOOR of the reader: the own next case, its images, save and lock. Blinded values only."""

from __future__ import annotations

from annotation.pace import KINDS
from annotation.room.ahead import Ahead
from annotation.room.closing import NoReason, after, lock, set_aside
from annotation.room.comfort import BadChoice, Comfort, Habit, Question, choose_habit, comfort, note_display
from annotation.room.hall import FormProgress, Hall, hall, sheet
from annotation.room.practice import (
    Compared,
    Practised,
    Solution,
    practised,
    solution,
    solution_picture,
    solution_waits,
)
from annotation.room.reading import (
    BlindedReading,
    Saved,
    Stale,
    Step,
    next_reading,
    save,
    upcoming,
)
from annotation.room.stacks import Frame, Label, Stack, Window
from annotation.room.timelog import BadMoment, Happened, note_simulated_times, note_times

__all__ = [
    "KINDS",
    "Ahead",
    "BadChoice",
    "BadMoment",
    "BlindedReading",
    "Comfort",
    "Compared",
    "FormProgress",
    "Frame",
    "Habit",
    "Hall",
    "Happened",
    "Label",
    "NoReason",
    "Practised",
    "Question",
    "Saved",
    "Solution",
    "Stack",
    "Stale",
    "Step",
    "Window",
    "after",
    "choose_habit",
    "comfort",
    "hall",
    "lock",
    "next_reading",
    "note_display",
    "note_simulated_times",
    "note_times",
    "practised",
    "save",
    "set_aside",
    "sheet",
    "solution",
    "solution_picture",
    "solution_waits",
    "upcoming",
]
