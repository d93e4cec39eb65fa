"""DOOR of the reader: the own next case, its images, save and lock. Blinded values only."""

from __future__ import annotations

from annotation.room.reading import (
    BlindedReading,
    FormProgress,
    Hall,
    NoReason,
    Saved,
    Stale,
    Step,
    hall,
    lock,
    next_reading,
    save,
    set_aside,
    sheet,
    upcoming,
)
from annotation.room.stacks import Frame, Label, Stack, Window

__all__ = [
    "BlindedReading",
    "FormProgress",
    "Frame",
    "Hall",
    "Label",
    "NoReason",
    "Saved",
    "Stack",
    "Stale",
    "Step",
    "Window",
    "hall",
    "lock",
    "next_reading",
    "save",
    "set_aside",
    "sheet",
    "upcoming",
]
