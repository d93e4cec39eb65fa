"""Pictures of the phantom for people: contact sheet, atlas of grades, sets to grade blind, and their score."""

from __future__ import annotations

from .blind import write_blind
from .contact import write_contact
from .publish import publish
from .score import confusions, score

__all__ = ["confusions", "publish", "score", "write_blind", "write_contact"]
