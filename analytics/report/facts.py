"""What people know of a study and no data set holds: stated once at the desk, printed wherever the report needs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from analytics.report.document import stated
from analytics.stats.result import Results

__all__ = ["ANOTHER", "AS_FROZEN", "ITS_PART", "NONE_FROZEN", "Dated", "StudyFacts"]

# What the plan that was run is to the one the study froze.
AS_FROZEN, ITS_PART, ANOTHER, NONE_FROZEN = "as frozen", "its part", "another", "none frozen"


@dataclass(frozen=True, slots=True)
class Dated:
    """A step in the study's life and the day it was taken, as the trail recorded it."""

    step: str
    on: str


@dataclass(frozen=True)
class StudyFacts:
    """Facts of one study.

    Attributes
    ----------
    told : mapping of str to str
        What the coordinator entered, by the field's code; a field that was left empty is not there.
    readers : mapping of str to str
        Experience of each reader by the neutral name.
    settings : mapping of str to str
        What the study has fixed in the program, in words: instrument, plan, images, seed of the orders.
    life : sequence of Dated
        Steps from the trail, in order.
    deviations : sequence of str
        What was done otherwise than the frozen plan says, one sentence each.
    synthetic : bool
        Whether the data were made by the program.
    """

    told: Mapping[str, str] = field(default_factory=dict)
    readers: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    life: Sequence[Dated] = ()
    deviations: Sequence[str] = ()
    synthetic: bool = False

    def has(self, code: str) -> bool:
        """Whether somebody stated this."""
        return bool(self.told.get(code, "").strip())

    def said(self, code: str, otherwise: str = "") -> str:
        """Print a fact with its origin, or other words where nobody stated it."""
        return stated(self.told[code].strip(), f"facts/{code}") if self.has(code) else otherwise

    def setting(self, code: str, otherwise: str = "") -> str:
        """Print what the study has fixed in the program."""
        return stated(self.settings[code], f"settings/{code}") if self.settings.get(code) else otherwise

    def plan_of(self, results: Results) -> str:
        """Tell what the plan that was run is to the frozen one; before the outcomes only a part can be run."""
        frozen = self.settings.get("plan_digest", "")
        if not frozen:
            return NONE_FROZEN
        if str(results.plan["digest"]).startswith(frozen):
            return AS_FROZEN
        return ANOTHER if results.subject["has_outcomes"] else ITS_PART

    def on(self, step: str) -> str:
        """Print the day of a step of the trail, or nothing."""
        return next((stated(one.on, f"trail/{step}") for one in self.life if one.step == step and one.on), "")
