"""What a value may be: the three kinds of scale and their levels.

The union is closed so that ``match ... assert_never`` in every consumer makes the type checker list each place a new
kind has to be handled. A new scale of an existing kind is a value in one instrument and touches nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import ClassVar, Literal

__all__ = ["Coded", "Continuous", "Kind", "Level", "Nominal", "Ordinal", "Scale", "Value", "levels", "slug"]

Kind = Literal["nominal", "ordinal", "continuous"]
Value = int | float

# One digit a level keeps every grade one key press away; a longer list is no longer a scale read by eye.
MOST_LEVELS = 10
# The published schema lists the allowed numbers one by one, because `multipleOf 0.1` is not decidable in binary floats.
MOST_STEPS = 20_000


@dataclass(frozen=True, slots=True)
class Level:
    """One code of a scale.

    Parameters
    ----------
    code : int
        What is stored, for ever. Never a bool.
    label : str
        What is shown, e.g. ``"IV"``.
    criteria : str
        When this level applies, in English.
    export : str or None
        The word that stands for the code in exported tables; ``None`` exports the code itself.
    """

    code: int
    label: str
    criteria: str = ""
    export: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.code, bool) or not isinstance(self.code, int):
            raise TypeError(f"A level's code is a whole number, not {self.code!r}.")


def levels(*labels: str, first: int = 0) -> tuple[Level, ...]:
    """Levels with consecutive codes.

    Parameters
    ----------
    *labels : str
        Labels in ascending order.
    first : int
        Code of the first label.

    Returns
    -------
    tuple of Level
        One level a label.
    """
    return tuple(Level(code, label) for code, label in enumerate(labels, start=first))


@dataclass(frozen=True, slots=True)
class _Coded:
    """What nominal and ordinal scales share."""

    name: str
    levels: tuple[Level, ...]
    source: str

    def __post_init__(self) -> None:
        codes = self.codes
        if not 2 <= len(codes) <= MOST_LEVELS:
            raise ValueError(f"Scale {self.name!r} has {len(codes)} levels; it needs 2 to {MOST_LEVELS}.")
        if any(low >= high for low, high in pairwise(codes)):
            raise ValueError(f"The codes of scale {self.name!r} do not ascend: {codes}.")
        if not self.source.strip():
            raise ValueError(f"Scale {self.name!r} names no source.")

    @property
    def codes(self) -> tuple[int, ...]:
        """Codes of all levels, ascending, whether or not anybody ever used them."""
        return tuple(level.code for level in self.levels)

    @property
    def highest(self) -> int:
        """The highest code."""
        return self.codes[-1]

    def level(self, code: int) -> Level:
        """The level with this code; ``ValueError`` when there is none."""
        for level in self.levels:
            if level.code == code:
                return level
        raise ValueError(f"{self.name} has no level {code!r}.")

    def keys(self) -> dict[str, int]:
        """Digit key to code: the code itself where every code is one digit, else the place counted from 1."""
        if all(0 <= code <= 9 for code in self.codes):
            return {str(code): code for code in self.codes}
        return {str(place % 10): code for place, code in enumerate(self.codes, start=1)}


@dataclass(frozen=True, slots=True)
class Nominal(_Coded):
    """Levels without an order; a yes/no finding is nominal with the codes 0 and 1."""

    kind: ClassVar[Literal["nominal"]] = "nominal"


@dataclass(frozen=True, slots=True)
class Ordinal(_Coded):
    """Levels in ascending order; the distances between them mean nothing."""

    kind: ClassVar[Literal["ordinal"]] = "ordinal"


@dataclass(frozen=True, slots=True)
class Continuous:
    """A measurement on a closed range, in steps of ``10 ** -decimals``.

    Parameters
    ----------
    name, unit : str
        The quantity and its unit.
    low, high : float
        First and last allowed value, in ``unit``, both allowed.
    decimals : int
        Digits after the point that are kept.
    source : str
        Where the construction is described.
    evidence : str or None
        The tool whose points back the number (``"three_points"``), or ``None`` for a typed number.
    """

    name: str
    unit: str
    low: float
    high: float
    decimals: int
    source: str
    evidence: str | None = None

    kind: ClassVar[Literal["continuous"]] = "continuous"

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"Scale {self.name!r} has no range: {self.low} to {self.high}.")
        if not 0 <= self.decimals <= 6:
            raise ValueError(f"Scale {self.name!r} keeps {self.decimals} decimals; 0 to 6 are possible.")
        if not self.source.strip():
            raise ValueError(f"Scale {self.name!r} names no source.")
        if any(round(edge, self.decimals) != edge for edge in (self.low, self.high)):
            raise ValueError(f"The range of scale {self.name!r} does not end on a step.")
        if self._last_step() > MOST_STEPS:
            raise ValueError(f"Scale {self.name!r} has over {MOST_STEPS} steps; use fewer decimals or a shorter range.")

    def _last_step(self) -> int:
        return int((Decimal(str(self.high)) - Decimal(str(self.low))).scaleb(self.decimals))

    def steps(self) -> Iterator[float]:
        """Every allowed value from low to high, each the float nearest to its decimal."""
        low, size = Decimal(str(self.low)), Decimal(1).scaleb(-self.decimals)
        for step in range(self._last_step() + 1):
            yield float(low + step * size)


Coded = Nominal | Ordinal
Scale = Nominal | Ordinal | Continuous


def slug(name: str) -> str:
    """A name as a lower-case identifier, e.g. for a place in a schema."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
