"""What a check is given: one reader's answers to one form, and what is known beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from annotation.protocol.answers import Answers, Missing, case_value
from annotation.protocol.instrument import Cell, Item, Protocol
from annotation.protocol.scales import Continuous, Value


def signed(number: str) -> str:
    """A number in a sentence, with a minus as the sheet shows it: no line ends behind one."""
    return number.replace("-", "\N{MINUS SIGN}")


@dataclass(frozen=True, slots=True)
class Measured:
    """What the server recomputed from the points behind one cell.

    Parameters
    ----------
    value_mm, base_mm : float
        The measurement and the length it is compared with, unrounded.
    plane : str
        Plane of the image the points lie on: sagittal, axial, coronal or oblique.
    off_midline_mm : float or None
        Distance of that image from the midline, where known.
    segment : str or None
        Name of the segment the points lie at, where known, e.g. ``"L4/5"``.
    """

    value_mm: float
    base_mm: float
    plane: str
    off_midline_mm: float | None = None
    segment: str | None = None

    @property
    def percent(self) -> float | None:
        """The measurement in per cent of its base; ``None`` without a base."""
        return 100 * self.value_mm / self.base_mm if self.base_mm > 0 else None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about a case beside the reader's answers; ``None`` is unknown and sets off no check."""

    measured: Mapping[str, Measured] = field(default_factory=dict)
    roles_present: frozenset[str] | None = None
    lysis_vertebra: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Cells concerned and the words for the rule's sentence."""

    cells: tuple[str, ...]
    words: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Case:
    """One reader's answers to one form, with what the checks ask of them."""

    protocol: Protocol
    form: str
    answers: Answers
    facts: Facts

    def number(self, item_code: str) -> Value | None:
        """The item's case value, or nothing."""
        item = self.protocol.item(item_code)
        value = case_value(item, {site.code: self.answers.get(f"{item.code}.{site.code}") for site in item.sites})
        return None if isinstance(value, Missing) else value

    def cells(self, item_code: str) -> tuple[str, ...]:
        """Cells that make the item's case value."""
        item = self.protocol.item(item_code)
        return tuple(Cell(item, site).key for site in item.sites if site.counts)

    def measured(self, item_code: str) -> Measured | None:
        """The points behind the item's answer, as long as the answer is a number."""
        if self.number(item_code) is None:
            return None
        return next((self.facts.measured[key] for key in self.cells(item_code) if key in self.facts.measured), None)

    def label(self, item_code: str, value: Value) -> str:
        """A value as the reader knows it: the level's label, or the number with its unit."""
        scale = self.protocol.item(item_code).scale
        if isinstance(scale, Continuous):
            return signed(f"{value:.{scale.decimals}f} {scale.unit}")
        return scale.level(int(value)).label

    def segments(self) -> dict[str, str]:
        """Relative segment to name, for the segments this case has; empty when the index level is unknown."""
        level = self.facts.lysis_vertebra
        return self.protocol.segment_names(level) if level in self.protocol.index_levels and level else {}

    def at_segment(self, item: Item, segment: str) -> list[str]:
        """Cells of an item at a segment."""
        return [Cell(item, site).key for site in item.sites if site.segment == segment]
