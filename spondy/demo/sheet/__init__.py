"""Pictures of the phantom for people: the contact sheet of every grade, sets to grade blind, and their score."""

from __future__ import annotations

from .blind import write_blind
from .contact import write_contact
from .score import confusions, score

__all__ = ["confusions", "score", "write_blind", "write_contact"]
