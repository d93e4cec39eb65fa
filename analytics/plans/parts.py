"""What every step of a plan is made of: a piece of work, and the table it works on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics import derive
from analytics.frames import ADJUDICATED, Frames, Variable
from analytics.stats.result import Entry, Value

__all__ = ["Array", "NotPossible", "Params", "Part", "Table"]

Array = NDArray[np.float64]
Params = Mapping[str, Any]


class NotPossible(ValueError):
    """A plan that does not fit the data it was given."""

    @property
    def sentence(self) -> str:
        """What a person reads."""
        return str(self)


@dataclass(frozen=True)
class Part:
    """A piece of work with the name progress shows.

    One that asks the table for what was computed before says so by ``builds``; the others may run in any order.
    """

    label: str
    run: Callable[[], Iterator[Entry]]
    builds: bool = False


class Table:
    """The frames with the derived outcomes, and what has been computed so far."""

    def __init__(self, frames: Frames, seed: int = 0) -> None:
        self.frames = frames
        self.seed = seed
        self._found: dict[str, Entry] = {}
        self._derived: dict[str, Array] = {}
        if frames.has_outcomes:
            baseline = frames.measured("nrs_baseline")
            for time in ("15min", "1month"):
                followup = frames.measured(f"nrs_{time}")
                self._derived[f"ppr_{time}"] = derive.percent_reduction(baseline, followup)
                self._derived[f"success_{time}"] = derive.success(baseline, followup)
                self._derived[f"response_{time}"] = derive.response(baseline, followup)

    def keep(self, entry: Entry) -> None:
        """Remember an entry for steps that build on it."""
        self._found[entry.id] = entry

    def computed(self, id: str, field: str) -> Value:
        """Return a number of an earlier step."""
        return self._found[id].values[field]

    def column(self, name: str) -> Array:
        """Return a clinical or derived column."""
        if name in self._derived:
            return self._derived[name]
        if name in self.frames.clinical.columns:
            return self.frames.measured(name)
        raise NotPossible(f"The plan names {name!r}, which is neither a clinical nor a derived value.")

    def readers(self, params: Params) -> tuple[str, ...]:
        """Name those whose findings a step is about: all readers, or with ``of`` the adjudicated ones alone.

        ``also_adjudicated`` puts the adjudicated findings beside the readers'. Where there are none, neither is named.
        """
        settled = (ADJUDICATED,) if self.frames.adjudicated is not None else ()
        if params.get("of") == ADJUDICATED:
            return settled
        return (*self.frames.readers, *(settled if params.get("also_adjudicated") else ()))

    def kind(self, item: Variable, params: Params) -> str:
        """Give the measurement level of an item as the plan treats it."""
        return "nominal" if item.code in params.get("as_nominal", ()) else item.kind
