"""Handed-over rows or plain tables as typed frames, with the levels taken from the protocol's scales."""

from __future__ import annotations

from analytics.frames.clinical import BadTable, read_table
from analytics.frames.context import Context
from analytics.frames.frame import ADJUDICATED, READERS, Adjudicated, Frames, Sites, Variable
from analytics.frames.gradings import from_tables
from analytics.frames.locked import Row, from_handover

__all__ = [
    "ADJUDICATED",
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
    "read_table",
]
