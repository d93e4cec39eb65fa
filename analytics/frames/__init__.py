"""Handed-over rows or plain tables as typed frames, with the levels taken from the protocol's scales."""

from __future__ import annotations

from analytics.frames.clinical import CLINICAL, BadTable
from analytics.frames.context import Context
from analytics.frames.files import read_bytes, read_table, without_names
from analytics.frames.frame import ADJUDICATED, READERS, Adjudicated, Frames, Sites, Variable
from analytics.frames.gradings import from_tables, grading_columns
from analytics.frames.locked import Row, from_handover

__all__ = [
    "ADJUDICATED",
    "CLINICAL",
    "READERS",
    "Adjudicated",
    "BadTable",
    "Context",
    "Frames",
    "Row",
    "Sites",
    "Variable",
    "from_handover",
    "from_tables",
    "grading_columns",
    "read_bytes",
    "read_table",
    "without_names",
]
