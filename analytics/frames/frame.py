"""What a plan needs to know of a study, and how an instrument's items are described for it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, assert_never

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analytics.frames.context import Context
from annotation.protocol import Continuous, Item, Nominal, Ordinal, Protocol

__all__ = ["ADJUDICATED", "MAIN", "READERS", "Adjudicated", "Array", "Frames", "Sites", "Variable", "findings", "named"]

READERS = ("R1", "R2")
ADJUDICATED = "adjudicated"
MAIN = "main"  # the round that counts; others repeat it
Array = NDArray[np.float64]
Kind = Literal["nominal", "ordinal", "continuous"]


@dataclass(frozen=True, slots=True)
class Variable:
    """A finding or characteristic with its declared levels.

    Attributes
    ----------
    codes, names, labels : tuple
        Stored code, exported name and shown label of each level, ascending; empty for a measurement.
    unit, decimals
        Of a measurement.
    """

    code: str
    title: str
    kind: Kind
    codes: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    unit: str = ""
    decimals: int = 0

    @property
    def binary(self) -> bool:
        """Whether there are exactly two levels."""
        return len(self.codes) == 2

    def to_document(self) -> dict[str, Any]:
        """Return the variable as JSON values."""
        return {
            "code": self.code,
            "title": self.title,
            "kind": self.kind,
            "codes": list(self.codes),
            "names": list(self.names),
            "labels": list(self.labels),
            "unit": self.unit,
            "decimals": self.decimals,
        }


@dataclass(frozen=True)
class Sites:
    """One item at every place it was graded.

    Attributes
    ----------
    codes, labels : tuple of str
        Of the places, in the instrument's order.
    alike : bool
        Whether the places are sides or segments of one question, so that one coefficient of all of them means
        something. Parts of a question, such as oedema and cyst, are not alike.
    values : mapping of str to ndarray, shape (cases, places)
        By reader; NaN is not graded.
    """

    codes: tuple[str, ...]
    labels: tuple[str, ...]
    alike: bool
    values: Mapping[str, Array]


@dataclass(frozen=True)
class Adjudicated:
    """Findings after adjudication: what was decided, and what the readers had agreed on before.

    Attributes
    ----------
    values : DataFrame
        Cases by items; NaN is open.
    decided, agreed, open : mapping of str to int
        By item, the cases that were decided by the adjudicator, those not put to him because all readers gave the same
        value, and those that some reader graded but nobody settled.
    decisions : DataFrame
        Cases by items; what was decided alone, NaN where nobody was asked.
    """

    values: pd.DataFrame
    decided: Mapping[str, int]
    agreed: Mapping[str, int]
    open: Mapping[str, int]
    decisions: pd.DataFrame

    @classmethod
    def of(cls, decisions: pd.DataFrame, readings: Mapping[str, pd.DataFrame]) -> Adjudicated:
        """Settle each case: the decision, or the value that every reader gave.

        Parameters
        ----------
        decisions : DataFrame
            Cases by items, NaN where nothing was decided.
        readings : mapping of str to DataFrame
            Of every reader, in the same shape.
        """
        given = np.stack([readings[reader][decisions.columns].to_numpy(dtype=float) for reader in readings])
        said = decisions.to_numpy(dtype=float)
        alike = np.all(given == given[0], axis=0)  # NaN is alike with nothing
        values = np.where(np.isfinite(said), said, np.where(alike, given[0], np.nan))
        unsettled = np.isnan(values) & np.isfinite(given).any(axis=0)
        counts = (np.isfinite(said), np.isnan(said) & alike, unsettled)
        decided, agreed, still = (dict(zip(decisions.columns, map(int, c.sum(axis=0)), strict=True)) for c in counts)
        settled = pd.DataFrame(values, index=decisions.index, columns=decisions.columns)
        return cls(settled, decided, agreed, still, decisions)


@dataclass(frozen=True)
class Frames:
    """All a plan needs: case values of each reader, and clinical values of each case.

    Attributes
    ----------
    protocol, version
        Of the instrument.
    cases : tuple of str
        Sorted; every frame has exactly these rows.
    items : tuple of Variable
        The findings in the protocol's order, without support items.
    readings : mapping of str to DataFrame
        Per reader, cases by items, level codes or measurements as floats; NaN is not graded.
    clinical : DataFrame
        Cases by ``age, sex, bmi, level, nrs_...``; ``sex`` and ``level`` as codes into `characteristics`.
    has_outcomes : bool
        Whether clinical rows were given at all.
    excused : mapping
        ``(reader, round, item)`` to the cases that could not be assessed, with the code of the reason; an adjudicator
        is a reader of the main round.
    reasons : mapping of str to str
        Code of every reason the instrument knows, to its label.
    again : mapping of str to mapping of str to DataFrame
        Per reader and repeat round, the same as `readings`.
    sites : mapping of str to Sites
        Items that were graded at more than one place.
    adjudicated : Adjudicated or None
        What an adjudicator settled; None where nobody did.
    context : Context or None
        What stands around the readings; None where plain tables were given.
    """

    protocol: str
    version: int
    cases: tuple[str, ...]
    items: tuple[Variable, ...]
    readings: Mapping[str, pd.DataFrame]
    clinical: pd.DataFrame
    characteristics: Mapping[str, Variable]
    has_outcomes: bool
    excused: Mapping[tuple[str, str, str], Mapping[str, str]] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    again: Mapping[str, Mapping[str, pd.DataFrame]] = field(default_factory=dict)
    sites: Mapping[str, Sites] = field(default_factory=dict)
    adjudicated: Adjudicated | None = None
    context: Context | None = None

    @property
    def readers(self) -> tuple[str, ...]:
        """The readers' neutral names."""
        return tuple(self.readings)

    @property
    def gaps(self) -> Mapping[tuple[str, str, str], int]:
        """``(reader, item, reason)`` to the number of cases not assessable for that reason in the main round."""
        return Counter(
            (reader, item, reason)
            for (reader, round, item), cases in self.excused.items()
            for reason in cases.values()
            if round == MAIN and reader in self.readings
        )

    def item(self, code: str) -> Variable:
        """Return the item with this code; ``KeyError`` when there is none."""
        return {item.code: item for item in self.items}[code]

    def grades(self, reader: str, item: str) -> Array:
        """Return one reader's case values of one item, or the adjudicated ones; NaN where not graded."""
        if reader == ADJUDICATED and self.adjudicated is not None:
            return self.adjudicated.values[item].to_numpy(dtype=float)
        return self.readings[reader][item].to_numpy(dtype=float)

    def rounds(self, reader: str, item: str) -> Array:
        """Return one reader's case values of the main round and each repeat, shape (cases, rounds)."""
        repeats = [round[item].to_numpy(dtype=float) for round in self.again.get(reader, {}).values()]
        return np.column_stack([self.grades(reader, item), *repeats])

    def measured(self, name: str) -> Array:
        """Return a clinical column as floats."""
        return self.clinical[name].to_numpy(dtype=float)

    def typed(self, reader: str) -> pd.DataFrame:
        """Give one reader's values their types: categories with every declared level, ordered where the scale is."""
        columns: dict[str, Any] = {}
        for item in self.items:
            values = self.readings[reader][item.code]
            if item.kind == "continuous":
                columns[item.code] = values.astype("Float64")
            else:
                dtype = pd.CategoricalDtype(list(item.codes), ordered=item.kind == "ordinal")
                columns[item.code] = values.astype(dtype)
        return pd.DataFrame(columns, index=list(self.cases))


def variable(item: Item) -> Variable:
    """Describe a protocol's item for analysis."""
    match item.scale:
        case Nominal() | Ordinal() as scale:
            return Variable(
                code=item.code,
                title=item.asked,
                kind=scale.kind,
                codes=scale.codes,
                names=tuple(level.export or str(level.code) for level in scale.levels),
                labels=tuple(level.label for level in scale.levels),
            )
        case Continuous() as scale:
            return Variable(item.code, item.asked, "continuous", unit=scale.unit, decimals=scale.decimals)
        case _:
            assert_never(item.scale)


def findings(protocol: Protocol) -> tuple[Item, ...]:
    """Items that are analysed: all but the support items."""
    return tuple(item for item in protocol.items if not item.support)


def named(readers: Iterable[str]) -> tuple[str, ...]:
    """Order the readers, numbers by their size; fewer than both usual ones are still both, one without a reading."""
    found = set(readers)
    known = found | set(READERS) if found <= set(READERS) else found
    return tuple(sorted(known, key=lambda name: re.sub(r"\d+", lambda number: number[0].zfill(9), name)))


def assembled(
    protocol: Protocol,
    cases: tuple[str, ...],
    readings: Mapping[str, pd.DataFrame],
    clinical: pd.DataFrame,
    characteristics: Mapping[str, Variable],
    **more: Any,
) -> Frames:
    """Put the frames of an instrument together."""
    return Frames(
        protocol=protocol.code,
        version=protocol.version,
        cases=cases,
        items=tuple(variable(item) for item in findings(protocol)),
        readings=readings,
        clinical=clinical.reindex(list(cases)),
        characteristics=characteristics,
        reasons={reason.code: reason.label for reason in protocol.reasons},
        **more,
    )


def places(item: Item, codes: Iterable[str]) -> Sites | None:
    """Describe the places of an item that were graded; None where it was graded once a case.

    Where the side of a finding was named beside it, the sides repeat the question, so the whole does not stand with
    them.
    """
    known = {site.code: site for site in item.sites}
    order = [site for site in item.sites if site.code in set(codes)]
    sided = [site for site in order if site.side]
    order = sided or order
    others = [code for code in codes if code not in known]
    if len(order) + len(others) < 2:
        return None
    alike = all(site.code in ("case", _place(site.segment, site.side)) for site in order)
    labels = tuple(site.shown() or "Index segment" for site in order)
    return Sites((*(site.code for site in order), *others), (*labels, *others), alike, {})


def _place(segment: str, side: str) -> str:
    return "_".join(part for part in ("" if segment == "index" else segment, side) if part)
