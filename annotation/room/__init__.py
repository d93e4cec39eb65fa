"""DOOR of the reader: the own next case, its images, save and lock. Blinded values only."""

from __future__ import annotations

from annotation.room.comfort import BadChoice, Comfort, Habit, Question, choose_habit, comfort, note_display
from annotation.room.hall import FormProgress, Hall, hall, sheet
from annotation.room.reading import (
    BlindedReading,
    NoReason,
    Saved,
    Stale,
    Step,
    lock,
    next_reading,
    save,
    set_aside,
    upcoming,
)
from annotation.room.stacks import Frame, Label, Stack, Window

__all__ = [
    "BadChoice",
    "BlindedReading",
    "Comfort",
    "FormProgress",
    "Frame",
    "Habit",
    "Hall",
    "Label",
    "NoReason",
    "Question",
    "Saved",
    "Stack",
    "Stale",
    "Step",
    "Window",
    "choose_habit",
    "comfort",
    "hall",
    "lock",
    "next_reading",
    "note_display",
    "save",
    "set_aside",
    "sheet",
    "upcoming",
]
