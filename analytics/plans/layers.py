"""Layers of the data: repeat rounds, places of a finding, adjudication, and what of them there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from analytics.frames import ADJUDICATED, Sites, Variable
from analytics.plans import several
from analytics.plans.parts import Array, Params, Part, Table
from analytics.stats import clustered, groups, intra
from analytics.stats.result import Entry, Result, Value

__all__ = ["KINDS"]

READ_ONCE = "this reader read no case again"
NOT_SETTLED = "no adjudicated findings were given"
ONE_PLACE = "this finding was graded at one place of the case"


@dataclass(frozen=True, kw_only=True)
class Again(Result):
    """How often a reader read how many cases again."""

    repeat_rounds: Value
    cases_again: Value


@dataclass(frozen=True, kw_only=True)
class Settled(Result):
    """Cases of a finding that were adjudicated, agreed on by all readers, and left open."""

    decided: Value
    agreed: Value
    open: Value


@dataclass(frozen=True, kw_only=True)
class Places(Result):
    """At how many places of a case a finding was graded."""

    places: Value


def given(table: Table, params: Params) -> list[Part]:
    """Say which layers there are beside the readers' case values; the reason where one is missing."""
    frames = table.frames

    def run() -> Iterator[Entry]:
        for reader in frames.readers:
            yield Entry.of(f"layers/again/{reader}", _again(frames.again.get(reader, {})))
        for item in frames.items:
            yield Entry.of(f"layers/{ADJUDICATED}/{item.code}", _settled(table, item))
        for item in frames.items:
            at: dict[str, Any] = {"n": len(frames.cases), "method": "places of the case that were graded"}
            known = frames.sites.get(item.code)
            found = Places(**at, places=len(known.codes)) if known else Places.refused(ONE_PLACE, **at)
            yield Entry.of(f"layers/sites/{item.code}", found)

    return [Part("Layers of the data", run)]


def _again(rounds: Any) -> Again:
    method = "cases with a graded finding in a repeat round"
    if not rounds:
        return Again.refused(READ_ONCE, n=0, method=method)
    read = np.any([np.isfinite(one.to_numpy(dtype=float)).any(axis=1) for one in rounds.values()], axis=0)
    return Again(n=int(read.sum()), method=method, repeat_rounds=len(rounds), cases_again=int(read.sum()))


def _settled(table: Table, item: Variable) -> Settled:
    at: dict[str, Any] = {
        "n": len(table.frames.cases),
        "method": "decided by the adjudicator, or the same value of every reader",
    }
    known = table.frames.adjudicated
    if known is None:
        return Settled.refused(NOT_SETTLED, **at)
    code = item.code
    return Settled(**at, decided=known.decided[code], agreed=known.agreed[code], open=known.open[code])


def again(table: Table, params: Params) -> list[Part]:
    """Agreement of each reader with the own repeat readings, by the item's measurement level."""
    frames = table.frames

    def run(reader: str) -> Iterator[Entry]:
        for item in frames.items:
            rounds, kind = frames.rounds(reader, item.code), table.kind(item, params)
            found = (
                intra.measured_again(rounds)
                if kind == "continuous"
                else intra.graded_again(rounds, item.codes, ordered=kind == "ordinal")
            )
            for name, result in found.items():
                yield Entry.of(f"intra/{reader}/{item.code}/{name}", result)

    return [
        Part(f"Repeat readings: {reader}", partial(run, reader)) for reader in frames.readers if reader in frames.again
    ]


def by_place(table: Table, params: Params) -> list[Part]:
    """Agreement at each place of a finding, and over all places with intervals over patients."""

    def run(item: Variable, sites: Sites) -> Iterator[Entry]:
        kind = table.kind(item, params)
        stacked = np.stack([sites.values[reader] for reader in table.frames.readers], axis=2)  # cases, places, readers
        for place, code in enumerate(sites.codes):
            yield from several.compared(table, f"sites/{item.code}/{code}", stacked[:, place], item, params[kind])
        if sites.alike:
            yield from _over_patients(table, params, item, stacked)

    known = [(item, table.frames.sites.get(item.code)) for item in table.frames.items]
    return [Part(f"Places: {item.title}", partial(run, item, sites)) for item, sites in known if sites is not None]


def _over_patients(table: Table, params: Params, item: Variable, stacked: Array) -> Iterator[Entry]:
    cases, places, readers = stacked.shape
    ratings = stacked.reshape(cases * places, readers)
    patients = np.repeat(np.arange(cases), places).tolist()
    kind = table.kind(item, params)
    for coefficient, weighting in params["clustered"][kind]:
        name = f"{coefficient}_{weighting}" if coefficient in clustered.WEIGHTED else coefficient
        found = clustered.clustered(ratings, patients, item.codes, coefficient, weighting)
        yield Entry.of(f"clustered/{item.code}/{name}", found)
    for coefficient, weighting in params["drawn"][kind]:
        name = f"{coefficient}_{weighting}" if coefficient in clustered.WEIGHTED else coefficient
        drawn = {"replicates": params["replicates"], "seed": table.seed}
        resampled = clustered.resampled(ratings, patients, item.codes, coefficient, weighting, **drawn)
        yield Entry.of(f"clustered/{item.code}/{name}/bootstrap", resampled)


def kruskal(table: Table, params: Params) -> list[Part]:
    """Compare measurements among the levels of characteristics."""

    def run() -> Iterator[Entry]:
        for by in params["by"]:
            one = table.frames.characteristics[by]
            for name in params["variables"]:
                found = groups.kruskal_wallis(table.column(name), table.column(by), one.codes, one.names)
                yield Entry.of(f"kruskal/{name}/by/{by}", found)

    return [Part("Characteristics and pain reduction", run)]


KINDS: dict[str, Callable[[Table, Params], list[Part]]] = {
    "layers": given,
    "again": again,
    "by_place": by_place,
    "kruskal": kruskal,
}
