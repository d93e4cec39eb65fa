"""What a statistic is once computed: frozen, unrounded, with n, method, source, or the reason it has no value."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, ClassVar, Self

__all__ = [
    "ALPHA",
    "LEVEL",
    "Entry",
    "NotComputed",
    "NotEstimable",
    "Result",
    "Results",
    "Value",
    "Z",
    "number",
    "spelled",
]

LEVEL = 0.95
ALPHA = 0.05
Z = 1.959963984540054  # the normal 97.5 % quantile itself, not 1.96


@dataclass(frozen=True, slots=True)
class NotEstimable:
    """A quantity that has no value here, and the sentence that says why."""

    why: str

    def __bool__(self) -> bool:
        return False


Value = float | int | str | NotEstimable


class NotComputed(LookupError):
    """The plan did not compute this quantity."""


def number(value: float, why: str) -> float | NotEstimable:
    """Return ``value`` as a float where it is finite, else the reason.

    Parameters
    ----------
    value : float
        Any float, numpy floats included.
    why : str
        The sentence to give where ``value`` is infinite or not a number.
    """
    plain = float(value)
    return plain if math.isfinite(plain) else NotEstimable(why)


@dataclass(frozen=True, kw_only=True)
class Result:
    """Base of every result: how many it rests on, how it was computed, and after whom.

    Attributes
    ----------
    n : int
        Observations (cases, pairs) the result rests on.
    method : str
        The variant computed, in words.
    source : str
        Where the definition stands.
    notes : tuple of str
        What a reader has to know beside the numbers.
    """

    n: int
    method: str
    source: str = ""
    notes: tuple[str, ...] = ()

    FRAME: ClassVar[tuple[str, ...]] = ("n", "method", "source", "notes")
    SHOWS_N: ClassVar[bool] = False
    PRINTED: ClassVar[Mapping[str, str]] = MappingProxyType(
        {}
    )  # attribute -> field name, where Python forbids the latter
    DRAWN: ClassVar[tuple[str, tuple[str, ...]]] = ("", ())  # attribute that holds rows of points, and their columns

    @classmethod
    def refused(cls, why: str, /, **known: Any) -> Self:
        """Build the result whose every unknown number is not estimable for the one reason ``why``."""
        blank: dict[str, Any] = {
            f.name: NotEstimable(why) for f in fields(cls) if f.name not in cls.FRAME and f.name not in known
        }
        return cls(**blank, **known)

    def values(self) -> dict[str, Value]:
        """Return the numbers by field name, as declared, ``n`` first where the statistic prints it."""
        named: dict[str, Value] = {"n": self.n} if self.SHOWS_N else {}
        numbers = (f.name for f in fields(self) if f.name not in self.FRAME)
        return named | {self.PRINTED.get(name, name): getattr(self, name) for name in numbers}

    def series(self) -> dict[str, tuple[float, ...]]:
        """Return the points that a figure of this statistic shows, by column; empty where it has none."""
        held, columns = self.DRAWN
        rows = getattr(self, held) if held else ()
        return dict(zip(columns, zip(*rows, strict=True), strict=True)) if rows else {}


def spelled(value: Value) -> str:
    """Write a number with 17 significant digits, a word as it is, and nothing for what does not exist."""
    if isinstance(value, NotEstimable):
        return ""
    if isinstance(value, float):
        if math.isinf(value):
            return "Inf" if value > 0 else "-Inf"
        return format(value, ".17g")
    return str(value)


@dataclass(frozen=True, slots=True)
class Entry:
    """The numbers of one statistic under the identifier a plan gave it.

    `series` are columns of equal length for a figure of it: points of a curve, pairs of measurements. They are in the
    order of their values, never of the cases, and no table or list of estimates shows them.
    """

    id: str
    n: int
    method: str
    values: Mapping[str, Value]
    notes: tuple[str, ...] = ()
    series: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, id: str, result: Result) -> Entry:
        """Take the numbers of ``result`` under ``id``."""
        method = f"{result.method} ({result.source})" if result.source else result.method
        return cls(id, result.n, method, result.values(), result.notes, result.series())


@dataclass(frozen=True)
class Results:
    """Everything one plan computed from one set of frames.

    Attributes
    ----------
    plan : mapping
        ``code``, ``title`` and ``digest`` of the plan.
    subject : mapping
        What was analysed: protocol, readers, counts, items with their levels. JSON-able.
    seed : int
        Seed of everything random.
    entries : tuple of Entry
        In the order of the plan; identifiers are unique.
    """

    plan: Mapping[str, Any]
    subject: Mapping[str, Any]
    seed: int
    entries: tuple[Entry, ...]
    _by_id: Mapping[str, Entry] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_id = {entry.id: entry for entry in self.entries}
        if len(by_id) != len(self.entries):
            raise ValueError("Two entries of one analysis carry the same identifier.")
        object.__setattr__(self, "_by_id", by_id)

    def __contains__(self, id: object) -> bool:
        return id in self._by_id

    def entry(self, id: str) -> Entry:
        """Return the entry under ``id``; ``NotComputed`` when the plan has none."""
        try:
            return self._by_id[id]
        except KeyError:
            raise NotComputed(f"This plan computes no {id}.") from None

    def value(self, id: str, field: str) -> Value:
        """One number; ``NotComputed`` when the plan has no such identifier or field."""
        entry = self.entry(id)
        if field not in entry.values:
            raise NotComputed(f"{id} has no field {field}.")
        return entry.values[field]

    def under(self, prefix: str) -> Iterator[Entry]:
        """Iterate over the entries whose identifier starts with ``prefix``, in order."""
        return (entry for entry in self.entries if entry.id.startswith(prefix))

    def to_document(self) -> dict[str, Any]:
        """Return the whole as strict JSON values: no NaN, no Infinity."""
        return {
            "plan": dict(self.plan),
            "subject": dict(self.subject),
            "seed": self.seed,
            "entries": [
                {
                    "id": entry.id,
                    "n": entry.n,
                    "method": entry.method,
                    "notes": list(entry.notes),
                    "values": [[name, _packed(value)] for name, value in entry.values.items()],
                    "series": {name: list(column) for name, column in entry.series.items()},
                }
                for entry in self.entries
            ],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Results:
        """Read back what `to_document` gave."""
        return cls(
            plan=document["plan"],
            subject=document["subject"],
            seed=document["seed"],
            entries=tuple(
                Entry(
                    id=one["id"],
                    n=one["n"],
                    method=one["method"],
                    values={name: _unpacked(value) for name, value in one["values"]},
                    notes=tuple(one["notes"]),
                    # What was computed before there were series has none.
                    series={name: tuple(column) for name, column in one.get("series", {}).items()},
                )
                for one in document["entries"]
            ),
        )

    def to_json(self) -> str:
        """Write the document as JSON text; floats keep every digit."""
        return json.dumps(self.to_document(), ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Results:
        """Read back what `to_json` gave."""
        return cls.from_document(json.loads(text))


def _packed(value: Value) -> Any:
    if isinstance(value, NotEstimable):
        return {"why": value.why}
    if isinstance(value, str):
        return {"word": value}
    if isinstance(value, float) and math.isinf(value):
        return {"infinite": 1 if value > 0 else -1}
    return value


def _unpacked(value: Any) -> Value:
    if isinstance(value, int | float):
        return value
    if "why" in value:
        return NotEstimable(value["why"])
    if "word" in value:
        return str(value["word"])
    return math.inf if value["infinite"] > 0 else -math.inf
