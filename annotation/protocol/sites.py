"""Where an item is asked: once for the case, per side, per segment, or at places of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

__all__ = ["CASE", "SIDES", "Site"]


@dataclass(frozen=True, slots=True)
class Site:
    """A place at which an item is asked.

    Parameters
    ----------
    code, label : str
        Stored name, and shown name within its segment; the label is empty where an item has one place only.
    segment, segment_label : str
        ``"index"`` or a segment relative to it (``"above"``, ``"below_2"``), and how that is shown while the names
        of a case's segments are not known.
    side : str
        ``"right"``, ``"left"`` of the patient, or empty.
    required : bool
        Whether an answer here is needed before a reading can be submitted.
    counts : bool
        Whether the answer enters the case value; neighbouring segments never do.
    """

    code: str
    label: str
    segment: str = "index"
    segment_label: str = ""
    side: str = ""
    required: bool = True
    counts: bool = True

    def shown(self, segment_names: Mapping[str, str] | None = None) -> str:
        """The label with its segment, e.g. ``"L4/5, right"``; the index segment is named only where names are given."""
        segment = segment_names[self.segment] if segment_names else self.segment_label
        if segment and self.label:
            return f"{segment}, {self.label.lower()}"
        return segment or self.label

    def row(self, segment_names: Mapping[str, str] | None = None) -> str:
        """The label without its side: the line on which both sides of a place stand."""
        place = self.label.removeprefix(self.side.capitalize()).strip() if self.side else self.label
        return replace(self, label=place.capitalize()).shown(segment_names)


CASE = (Site("case", ""),)
SIDES = (Site("right", "Right", side="right"), Site("left", "Left", side="left"))
