"""Sensitivity analyses: risks, covariance, proportional odds, characteristics, and odds ratios that change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from analytics import derive
from analytics.frames import ADJUDICATED, Variable
from analytics.plans import layers, modelling, predicting
from analytics.plans.parts import Array, NotPossible, Params, Part, Table
from analytics.plans.steps import unordered
from analytics.stats import ancova, association, bootstrap, change, logistic, ordinal, risk, validation
from analytics.stats.result import LEVEL, Entry, NotEstimable

__all__ = ["KINDS"]


def rules(table: Table, params: Params) -> list[Part]:
    """Compute nothing: refuse a plan whose cut-offs are not those this program decides by."""
    ours = {"success_times": derive.SUCCESS_TIMES, "classification_cut": validation.CUT, "level": LEVEL}
    if other := sorted(name for name, value in params.items() if ours.get(name) != value):
        raise NotPossible(f"The plan fixes {', '.join(other)} otherwise than this version of the program.")
    return []


def _findings(table: Table, params: Params) -> Iterator[tuple[str, Variable | None, Array, bool]]:
    """Give id, variable, values and whether it enters as levels: each reader's findings, then characteristics."""
    for reader in table.readers(params):
        for item in table.frames.items:
            levels = unordered(table, item, params)
            yield f"{reader}/{item.code}", item, table.frames.grades(reader, item.code), levels
    for name in params.get("characteristics", ()):
        one = table.frames.characteristics.get(name)
        yield f"characteristics/{name}", one, table.column(name), one is not None


def risks(table: Table, params: Params) -> list[Part]:
    """Risk difference and risk ratio of every finding with two levels."""

    def run() -> Iterator[Entry]:
        for item in table.frames.items:
            for reader in table.readers(params) if item.binary else ():
                for outcome in params["outcomes"]:
                    grades = table.frames.grades(reader, item.code)
                    counts = association.cross_table(grades, table.column(outcome), item.codes, (0, 1))
                    yield Entry.of(f"risk/{reader}/{item.code}/by/{outcome}", risk.risks(counts))

    return [Part("Findings and success: risks", run)]


def covariance(table: Table, params: Params) -> list[Part]:
    """Regress the follow-up score on the baseline score and each finding or characteristic."""

    def run(followup: str) -> Iterator[Entry]:
        for place, one, values, as_levels in _findings(table, params):
            levels = dict(zip(one.names, one.codes, strict=True)) if one and as_levels else None
            found = ancova.ancova(table.column(followup), table.column(params["baseline"]), values, levels=levels)
            id = f"ancova/{place}/{followup}"
            yield Entry.of(id, found)
            terms = dict(found.terms)
            if levels is None and "finding" not in terms:
                why = found.finding_p.why if isinstance(found.finding_p, NotEstimable) else "does not vary"
                terms["finding"] = ancova.LinearTerm.refused(why, n=found.n, method=found.method, source=found.source)
            for name, term in terms.items():
                yield Entry.of(f"{id}/{name}", term)
            for name, mean in found.means.items():
                yield Entry.of(f"{id}/mean/{name}", mean)

    return [Part(f"Analysis of covariance: {followup}", partial(run, followup)) for followup in params["followups"]]


def _entered(name: str, one: Variable | None, values: Array, as_levels: bool) -> dict[str, Array]:
    """Code one finding for a model: indicators of the levels that occur but the lowest, or the number."""
    if one is None or not as_levels:
        return {name: values}
    known = np.isfinite(values)
    occurring = [place for place, code in enumerate(one.codes) if np.any(values[known] == code)]
    made = {
        f"{one.code}_{one.names[place]}": np.where(known, (values == one.codes[place]).astype(float), np.nan)
        for place in occurring[1:]
    }
    return made or {name: values}


def proportional_odds(table: Table, params: Params) -> list[Part]:
    """Model the six response classes by each finding alone, and by each characteristic."""

    def run(response: str) -> Iterator[Entry]:
        for place, one, values, as_levels in _findings(table, params):
            entered = _entered(place.rpartition("/")[2], one, values, as_levels)
            yield from _ordinal(f"ordinal/{place}/{response}", table.column(response), entered)

    return [Part(f"Proportional odds: {response}", partial(run, response)) for response in params["responses"]]


def proportional_odds_model(table: Table, params: Params) -> list[Part]:
    """Model the six response classes by several findings."""

    def run(who: str, response: str) -> Iterator[Entry]:
        entered = predicting.columns(table, params["terms"], who, response)
        yield from _ordinal(f"ordinal/{params['specification']}/{who}/{response}", table.column(response), entered)

    return [
        Part(f"Proportional odds {params['specification']}: {who}, {response}", partial(run, who, response))
        for who in predicting.sources(table, params)
        for response in params["responses"]
    ]


def _ordinal(id: str, classes: Array, entered: Mapping[str, Array]) -> Iterator[Entry]:
    found = ordinal.proportional_odds(classes, entered)
    yield Entry.of(id, found)
    for name, term in found.terms.items():
        yield Entry.of(f"{id}/{name}", term)
    for name, threshold in found.thresholds.items():
        yield Entry.of(f"{id}/threshold/{name}", threshold)


def characteristics(table: Table, params: Params) -> list[Part]:
    """Predict success from age, sex and the like, each alone and all together."""

    def entered(name: str) -> dict[str, Array]:
        one = table.frames.characteristics.get(name)
        return _entered(name, one, table.column(name), one is not None)

    def run(outcome: str) -> Iterator[Entry]:
        each = {name: entered(name) for name in params["variables"]}
        together = {term: values for terms in each.values() for term, values in terms.items()}
        for name, terms in {**each, "all": together}.items():
            design = logistic.prepare(terms, table.column(outcome))
            yield from modelling.described(f"characteristics/{name}/{outcome}", design, firth=True)

    return [Part(f"Characteristics: {outcome}", partial(run, outcome)) for outcome in params["outcomes"]]


def changes(table: Table, params: Params) -> list[Part]:
    """Compare each odds ratio between readers, with averaged and adjudicated findings, and between outcomes."""
    spec, outcomes = params["specification"], params["outcomes"]
    who = predicting.sources(table, params)

    def side(source: str, outcome: str) -> change.Side:
        return change.Side(predicting.columns(table, params["terms"], source, outcome), table.column(outcome))

    def run(id: str, sides: Mapping[str, tuple[str, str]]) -> Iterator[Entry]:
        made = {name: side(source, outcome) for name, (source, outcome) in sides.items()}
        rows = bootstrap.resamples(max(len(table.frames.cases), 1), params["replicates"], table.seed)
        found = change.compare(made, rows[:, : len(table.frames.cases)], firth=params["firth"])
        yield from _compared(id, made, found)

    # Comparing keeps the cases all sides share; findings nobody settled would take cases from the readers' comparison.
    own = [source for source in who if source != ADJUDICATED]
    between = {f"{spec}/{outcome}": {source: (source, outcome) for source in own} for outcome in outcomes}
    if len(own) < len(who):
        settled = {f"{spec}/{outcome}/with_{ADJUDICATED}": {s: (s, outcome) for s in who} for outcome in outcomes}
        between |= settled
    between |= {f"{spec}/{source}": {outcome: (source, outcome) for outcome in outcomes} for source in who}
    return [
        Part(f"Change of odds ratios: {place}", partial(run, f"change/{place}", sides))
        for place, sides in between.items()
        if len(sides) > 1
    ]


def _compared(id: str, sides: Mapping[str, change.Side], found: change.Changes) -> Iterator[Entry]:
    """Yield every term of every side and pair; one that does not vary on the shared cases says so."""
    frame: dict[str, Any] = {"n": found.n, "method": found.method, "source": found.source}
    constant = "does not vary among the cases that all models share"
    yield Entry.of(id, found)
    for name, one in sides.items():
        for term in one.predictors:
            odds = found.odds.get((name, term)) or change.OddsOf.refused(constant, **frame)
            yield Entry.of(f"{id}/{name}/{term}", odds)
    for first, second in combinations(sides, 2):
        for term in sides[first].predictors:
            if term in sides[second].predictors:
                changed = found.changes.get((first, second, term)) or change.Change.refused(constant, **frame)
                yield Entry.of(f"{id}/{first}-{second}/{term}", changed)


KINDS: dict[str, Callable[[Table, Params], list[Part]]] = {
    **predicting.KINDS,
    **layers.KINDS,
    "rules": rules,
    "risk": risks,
    "ancova": covariance,
    "ordinal": proportional_odds,
    "ordinal_model": proportional_odds_model,
    "characteristics": characteristics,
    "change": changes,
}
