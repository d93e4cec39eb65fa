"""Prediction as data: optimism, calibration, decision curve and ridge of every reader's and the averaged findings."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from analytics.plans import modelling
from analytics.plans.parts import Array, NotPossible, Params, Part, Table
from analytics.stats import (
    batch,
    bootstrap,
    calibration,
    change,
    decision,
    logistic,
    penalised,
    performance,
    prediction,
)
from analytics.stats.result import Entry, NotEstimable, Result

__all__ = ["AVERAGED", "KINDS", "columns", "prepared", "sources"]

AVERAGED = "averaged"
MEASURES = (
    "accuracy",
    "sensitivity",
    "specificity",
    "auc",
    "brier",
    "nagelkerke_r2",
    "calibration_slope",
    "calibration_intercept",
    "calibration_in_the_large",
)
PROCEDURES: dict[str, tuple[str, Callable[[logistic.Design], prediction.Procedure]]] = {
    "maximum_likelihood": ("", prediction.maximum_likelihood),
    "firth": ("/firth", prediction.firth),
    "ridge": ("/ridge", penalised.ridge_procedure),
}


def _procedure(params: Params) -> tuple[str, Callable[[logistic.Design], prediction.Procedure]]:
    suffix, procedure = PROCEDURES[params["procedure"]]
    return suffix, partial(procedure, **_penalty(params))


def _penalty(params: Params) -> dict[str, Any]:
    """How the plan wants the penalty of a ridge model chosen."""
    return {name: params[name] for name in ("rule", "grid") if name in params}


def sources(table: Table, params: Params) -> tuple[str, ...]:
    """Whose findings predict: each reader's, and where the plan asks for them averaged and adjudicated ones."""
    readers = table.frames.readers
    averaged = (AVERAGED,) if params.get("averaged") and len(readers) > 1 else ()
    return (*table.readers(params)[: len(readers)], *averaged, *table.readers(params)[len(readers) :])


def columns(table: Table, terms: Sequence[Mapping[str, Any]], who: str, outcome: str) -> dict[str, Array]:
    """Code the predictors of one source; averaged ones are means of what each reader's findings were coded to."""
    items = {item.code: item for item in table.frames.items}
    if unknown := sorted({term["item"] for term in terms} - items.keys()):
        raise NotPossible(f"The plan's model names {', '.join(unknown)}, which the readings do not have.")

    def of(reader: str) -> dict[str, Array]:
        grades = {code: table.frames.grades(reader, code) for code in items}
        return modelling.predictors(terms, items, grades, table.column(outcome))

    if who != AVERAGED:
        return of(who)
    if any(term.get("indicators") for term in terms):
        raise NotPossible("Indicators of the levels that occur cannot be averaged over readers.")
    each = [of(reader) for reader in table.frames.readers]
    return {name: change.averaged([one[name] for one in each]) for name in each[0]}


def prepared(table: Table, terms: Sequence[Mapping[str, Any]], who: str, outcome: str) -> logistic.Design:
    """Prepare the complete cases of one source and outcome."""
    return logistic.prepare(columns(table, terms, who, outcome), table.column(outcome))


Run = Callable[[str, logistic.Design], Iterator[Entry]]


def _each(table: Table, params: Params, name: str, run: Run) -> list[Part]:
    """Make one part of every source and outcome; ``run`` gets ``<specification>/<source>/<outcome>`` and the design."""

    def one(who: str, outcome: str) -> Iterator[Entry]:
        design = prepared(table, params["terms"], who, outcome)
        return run(f"{params['specification']}/{who}/{outcome}", design)

    return [
        Part(f"{name} {params['specification']}: {who}, {outcome}", partial(one, who, outcome))
        for who in sources(table, params)
        for outcome in params["outcomes"]
    ]


def averaged_model(table: Table, params: Params) -> list[Part]:
    """Fit one specification to the readers' mean findings."""

    def fit(outcome: str) -> Iterator[Entry]:
        design = prepared(table, params["terms"], AVERAGED, outcome)
        return modelling.described(f"logistic/{params['specification']}/{AVERAGED}/{outcome}", design, firth=True)

    return [
        Part(f"Model {params['specification']}: {AVERAGED}, {outcome}", partial(fit, outcome))
        for outcome in params["outcomes"]
        if len(table.frames.readers) > 1
    ]


def optimism(table: Table, params: Params) -> list[Part]:
    """Correct performance and net benefit for optimism, the modelling repeated in every resample."""
    names = (*MEASURES, *(f"net_benefit_{t:g}" for t in params["thresholds"]))
    benefits = performance.net_benefits(params["thresholds"])

    def measures(y: Array, p: Array, w: Array) -> dict[str, Array]:
        return {**performance.performance(y, p, w), **benefits(y, p, w)}

    def run(place: str, design: logistic.Design) -> Iterator[Entry]:
        suffix, procedure = _procedure(params)
        rows = bootstrap.resamples(max(design.n, 1), params["replicates"], table.seed)[:, : design.n]
        x, y, case = batch.merged(design.x, design.y)
        different = dataclasses.replace(design, x=x, y=y)
        found = prediction.optimism(
            y, procedure(different), case[rows], measures=measures, times=np.bincount(case), seed=table.seed
        )
        counts = {"replicates": found.replicates, "n_failed": found.n_failed}
        yield Entry(f"prediction/{place}{suffix}", found.n, f"{found.method} ({found.source})", counts, found.notes)
        why = found.n_failed.why if isinstance(found.n_failed, NotEstimable) else "the measure does not exist"
        refused = prediction.Corrected.refused(why, n=found.n, method=found.method, source=found.source)
        for name in names:
            family = "prediction" if name in MEASURES else "decision"
            yield Entry.of(f"{family}/{place}{suffix}/{name}", found.measures.get(name, refused))

    return _each(table, params, f"Optimism ({params['procedure'].replace('_', ' ')}),", run)


def calibrated(table: Table, params: Params) -> list[Part]:
    """Judge the model's own predictions: calibration line and curve, decision curve, shrinkage factor."""

    def run(place: str, design: logistic.Design) -> Iterator[Entry]:
        suffix, procedure = _procedure(params)
        made = procedure(design)(np.ones((1, design.n)))
        yield from _judged(f"{place}{suffix}", design, made.p[0], made.why[0], params["thresholds"])
        if not suffix:
            whole = logistic.fit(design).summary
            yield Entry.of(
                f"calibration/{place}/shrinkage",
                calibration.shrinkage(whole.omnibus_chi2, whole.omnibus_df, n=design.n),
            )

    return _each(table, params, f"Calibration ({params['procedure'].replace('_', ' ')}),", run)


def _judged(place: str, design: logistic.Design, p: Array, why: str, thresholds: Sequence[float]) -> Iterator[Entry]:
    if not why:
        yield Entry.of(f"calibration/{place}/line", calibration.calibration_line(design.y, p))
        yield Entry.of(f"calibration/{place}/curve", calibration.calibration_curve(design.y, p))
        yield Entry.of(f"decision/{place}", decision.decision_curve(design.y, p, thresholds))
        return
    refusal = f"there is no model: {why}"
    line: dict[str, Any] = {"n": design.n, "method": "calibration line"}
    curve: dict[str, Any] = {"n": design.n, "method": "calibration curve", "points": ()}
    benefit: dict[str, Any] = {"n": design.n, "method": "net benefit", "source": "Vickers & Elkin 2006"}
    points = tuple(decision.NetBenefit.refused(refusal, threshold=t, **benefit) for t in thresholds)
    yield Entry.of(f"calibration/{place}/line", calibration.CalibrationLine.refused(refusal, **line))
    yield Entry.of(f"calibration/{place}/curve", calibration.CalibrationCurve.refused(refusal, **curve))
    yield Entry.of(f"decision/{place}", decision.DecisionCurve(points=points, **benefit))


def ridge(table: Table, params: Params) -> list[Part]:
    """Fit with a ridge penalty beside maximum likelihood."""

    def run(place: str, design: logistic.Design) -> Iterator[Entry]:
        found = penalised.ridge(design, **_penalty(params))
        yield from _with_terms(f"ridge/{place}", found, found.terms)

    return _each(table, params, "Ridge", run)


def _with_terms(id: str, whole: Result, terms: Mapping[str, Result]) -> Iterator[Entry]:
    yield Entry.of(id, whole)
    for name, term in terms.items():
        yield Entry.of(f"{id}/{name}", term)


KINDS: dict[str, Callable[[Table, Params], list[Part]]] = {
    "averaged_model": averaged_model,
    "optimism": optimism,
    "calibration": calibrated,
    "ridge": ridge,
}
