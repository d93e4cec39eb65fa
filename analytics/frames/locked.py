"""Rows of locked readings as frames: the main round, repeat rounds, sites, and what an adjudicator settled."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from analytics.frames.clinical import CLINICAL, characteristics, clinical_values
from analytics.frames.frame import ADJUDICATED, MAIN, Adjudicated, Frames, Sites, assembled, findings, named, places
from annotation.protocol import Item, Missing, Protocol, case_value

__all__ = ["ADJUDICATION", "PRACTICE", "Row", "from_handover"]

PRACTICE = frozenset({"training", "calibration"})  # looked at beside the study, never in it
ADJUDICATION = frozenset({"adjudication", "consensus"})

Answer = float | Missing | None
Cells = dict[tuple[str, str], dict[str, Answer]]  # (case, item) to the answers by site


class Row(NamedTuple):
    """One cell of one locked reading, as the handover yields it."""

    case: str
    reader: str
    round: str
    item: str
    site: str
    value: float | None
    reason: str | None


def from_handover(
    protocol: Protocol,
    readings: Iterable[tuple[str, str, str, str, str, float | None, str | None]],
    clinical: Iterable[Mapping[str, Any]] = (),
    *,
    round: str = MAIN,
) -> Frames:
    """Build frames from locked readings.

    Parameters
    ----------
    protocol : Protocol
        The study's instrument.
    readings : iterable of Row
        Cells of one or several rounds; support items are ignored. Sites are condensed by the protocol's own rule.
    clinical : iterable of mapping
        ``case_id`` with ``age, sex, bmi, level, nrs_baseline, nrs_15min, nrs_1month``; absent or None is missing. None
        at all: agreement only.
    round : str
        Which round counts. Beside the main one, every further round is a repeat, but those of `PRACTICE`; rows of a
        round of `ADJUDICATION` settle the cells they answer, and cells that every reader answered alike stand.
    """
    items = findings(protocol)
    rounds: dict[str, dict[str, Cells]] = {}
    for case, reader, of_round, item, site, value, reason in readings:
        answer = Missing(reason) if value is None and reason else value
        by_reader = rounds.setdefault(of_round, {})
        by_reader.setdefault(reader, {}).setdefault((case, item), {})[site] = answer
    main = rounds.get(round, {})
    rows = [dict(row) for row in clinical]
    values, levels = clinical_values(pd.DataFrame(rows, columns=list(CLINICAL)))
    cases = {case for cells in main.values() for case, _ in cells} | set(values.index)
    everyone = tuple(sorted(cases))
    readers = named(main)
    frames = {reader: _condensed(protocol, items, everyone, main.get(reader, {})) for reader in readers}
    others = {name: rounds[name] for name in sorted(rounds) if name != round} if round == MAIN else {}
    repeats = {name: cells for name, cells in others.items() if name not in PRACTICE | ADJUDICATION}
    decided = _decided(main, [others[name] for name in others if name in ADJUDICATION])
    return assembled(
        protocol,
        everyone,
        frames,
        values,
        characteristics(levels),
        has_outcomes=bool(rows),
        excused=_excused(protocol, {MAIN: {**main, ADJUDICATED: decided}, **repeats}),
        again=_again(protocol, items, everyone, readers, repeats),
        sites=_sites(items, everyone, main, readers),
        adjudicated=Adjudicated.of(_condensed(protocol, items, everyone, decided), frames) if decided else None,
    )


def _condensed(protocol: Protocol, items: tuple[Item, ...], cases: tuple[str, ...], cells: Cells) -> pd.DataFrame:
    columns = {
        item.code: [
            _float(case_value(protocol.item(item.code), cells[case, item.code]))
            if (case, item.code) in cells
            else math.nan
            for case in cases
        ]
        for item in items
    }
    return pd.DataFrame(columns, index=list(cases), dtype=float)


def _float(value: Answer) -> float:
    return math.nan if value is None or isinstance(value, Missing) else float(value)


def _excused(
    protocol: Protocol, rounds: Mapping[str, Mapping[str, Cells]]
) -> dict[tuple[str, str, str], dict[str, str]]:
    found: dict[tuple[str, str, str], dict[str, str]] = {}
    by_reader = [(reader, round, cells) for round, readers in rounds.items() for reader, cells in readers.items()]
    for reader, round, cells in by_reader:
        for (case, item), by_site in cells.items():
            value = case_value(protocol.item(item), by_site)
            if isinstance(value, Missing) and value.reason != "not_answered":
                found.setdefault((reader, round, item), {})[case] = value.reason
    return found


def _again(
    protocol: Protocol,
    items: tuple[Item, ...],
    cases: tuple[str, ...],
    readers: tuple[str, ...],
    repeats: Mapping[str, Mapping[str, Cells]],
) -> dict[str, dict[str, pd.DataFrame]]:
    found = {
        reader: {name: _condensed(protocol, items, cases, of[reader]) for name, of in repeats.items() if reader in of}
        for reader in readers
    }
    return {reader: rounds for reader, rounds in found.items() if rounds}


def _sites(
    items: tuple[Item, ...], cases: tuple[str, ...], main: Mapping[str, Cells], readers: tuple[str, ...]
) -> dict[str, Sites]:
    found: dict[str, Sites] = {}
    for item in items:
        made = places(item, dict.fromkeys(site.code for site in item.sites))
        if made is not None:
            values = {
                reader: np.array(
                    [
                        [_float(main.get(reader, {}).get((case, item.code), {}).get(site)) for site in made.codes]
                        for case in cases
                    ],
                    dtype=float,
                ).reshape(len(cases), len(made.codes))
                for reader in readers
            }
            found[item.code] = Sites(made.codes, made.labels, made.alike, values)
    return found


def _decided(main: Mapping[str, Cells], adjudications: Iterable[Mapping[str, Cells]]) -> Cells:
    """Give the cells an adjudicator answered; the other sites of the same item stand where the readers agree."""
    decided: Cells = {}
    for cells in [cells for one in adjudications for cells in one.values()]:
        for key, by_site in cells.items():
            given = {site: answer for site, answer in by_site.items() if answer is not None}
            if given:
                decided.setdefault(key, {}).update(given)
    for key, by_site in decided.items():
        answers = [cells.get(key, {}) for cells in main.values()]
        for site in {site for answer in answers for site in answer}:
            first = answers[0].get(site)
            if first is not None and all(answer.get(site) == first for answer in answers):
                by_site.setdefault(site, first)
    return decided
