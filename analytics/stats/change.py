"""How an odds ratio changes with who reads (readers, adjudicated, averaged grades) or with the outcome."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.stats import batch, logistic
from analytics.stats.logistic import Design
from analytics.stats.result import LEVEL, NotEstimable, Result, Value

__all__ = ["Change", "Changes", "OddsOf", "Side", "averaged", "compare"]

Array = NDArray[np.float64]
Ints = NDArray[np.intp]
AT_ONCE = 2_000_000  # case weights held in memory at a time
FEWEST = 20  # resamples with a value
MOST_FAILED = 0.5  # share of resamples without a model beyond which there is no interval
RUNS_AWAY = math.log(1e6)  # log ratio over all of a predictor's range that no data support: only a flat likelihood does
AWAY = "resamples run away: a limit does not exist"
SOURCE = "Efron & Tibshirani 1993, ch. 13"


class Side(NamedTuple):
    """One model of a comparison: whose predictors, and which outcome."""

    predictors: Mapping[str, ArrayLike]
    outcome: ArrayLike


@dataclass(frozen=True, kw_only=True)
class OddsOf(Result):
    """A term's odds ratio in one model, on the cases all models share."""

    b: Value
    odds_ratio: Value
    or_low: Value
    or_high: Value


@dataclass(frozen=True, kw_only=True)
class Change(Result):
    """A term in two models on the same patients.

    Attributes
    ----------
    difference : Value
        Of the coefficients, second minus first, with its bootstrap standard error.
    ratio : Value
        Of the odds ratios, second over first, with percentile limits.
    replicates_used : Value
        Resamples in which both models exist and the term varies in both.
    """

    difference: Value
    se: Value
    ratio: Value
    ratio_low: Value
    ratio_high: Value
    replicates_used: Value


@dataclass(frozen=True, kw_only=True)
class Changes(Result):
    """Models of the same patients, and every pair of them compared.

    Attributes
    ----------
    odds : mapping of (side, term) to OddsOf
    changes : mapping of (first side, second side, term) to Change
    """

    replicates: Value
    odds: Mapping[tuple[str, str], OddsOf]
    changes: Mapping[tuple[str, str, str], Change]

    FRAME: ClassVar[tuple[str, ...]] = (*Result.FRAME, "odds", "changes")
    SHOWS_N: ClassVar[bool] = True


class _Model(NamedTuple):
    design: Design
    refusal: str
    own: Array  # (columns,)
    drawn: Array  # (replicates, columns), NaN where the term has no coefficient
    why: tuple[str, ...]


def averaged(readings: Sequence[ArrayLike]) -> Array:
    """Average the readers' grades of each case.

    Parameters
    ----------
    readings : sequence of array_like of float, shape (cases,)
        One series a reader, NaN where not graded.

    Returns
    -------
    ndarray of float, shape (cases,)
        The mean of the codes (of yes/no findings the share of readers who saw it), NaN unless every reader graded.
    """
    if not readings:
        return np.empty(0)
    return np.asarray(np.mean([np.asarray(one, dtype=float) for one in readings], axis=0), dtype=np.float64)


def compare(sides: Mapping[str, Side], rows: Ints, *, firth: bool = False, level: float = LEVEL) -> Changes:
    """Compare odds ratios between models of the same patients.

    Parameters
    ----------
    sides : mapping of str to Side
        Two or more models by name; every series has one value a patient, in the same order, NaN where missing. Only
        patients complete in all models are used, so that nothing but the side changes.
    rows : ndarray of int, shape (replicates, patients)
        Resampled patients, e.g. from `bootstrap.resamples`, numbered as the series; those that are not complete drop
        out of their resample.
    firth : bool
        Firth's penalty instead of maximum likelihood: needed where the outcome is separated.
    level : float
        Of the intervals.

    Returns
    -------
    Changes
        Odds ratios of each term in each model, and for each term two models share the difference of the logarithms
        and the ratio of the odds ratios. The readings of one patient are dependent, so whole patients are resampled
        and every model is fitted anew to the same resample; percentile limits. Resamples without one of the models
        are left out and counted; where they are more than half, there is no interval. A limit whose ratio over the
        predictor's range is beyond a million does not exist: there the likelihood of the resample is flat.
    """
    kept, designs = _shared(sides)
    replicates = int(rows.shape[0])
    fitted = "Firth's penalised likelihood" if firth else "maximum likelihood"
    method = f"odds ratios of the same patients by {fitted}, percentile bootstrap by patient, {replicates} resamples"
    frame: dict[str, Any] = {"n": int(kept.sum()), "method": method, "source": SOURCE}
    models = {name: _modelled(design, rows, kept, firth) for name, design in designs.items()}
    odds = {
        (side, term): _odds(model, place, level, frame)
        for side, model in models.items()
        for place, term in enumerate(model.design.names)
        if place
    }
    changes = {
        (first, second, term): _change(models[first], models[second], term, level, frame)
        for first, second in itertools.combinations(models, 2)
        for term in models[first].design.names[1:]
        if term in models[second].design.names
    }
    return Changes(**frame, replicates=replicates, odds=odds, changes=changes)


def _shared(sides: Mapping[str, Side]) -> tuple[NDArray[np.bool_], dict[str, Design]]:
    """Keep the patients complete in every model, and prepare each model on them."""
    series = [
        np.asarray(one, dtype=float) for side in sides.values() for one in (*side.predictors.values(), side.outcome)
    ]
    if len({one.shape for one in series}) > 1:
        raise ValueError("The series have different lengths.")
    kept = np.all([np.isfinite(one) for one in series], axis=0) if series else np.zeros(0, dtype=np.bool_)
    designs = {
        name: logistic.prepare(
            {term: np.asarray(values, dtype=float)[kept] for term, values in side.predictors.items()},
            np.asarray(side.outcome, dtype=float)[kept],
        )
        for name, side in sides.items()
    }
    return np.asarray(kept, dtype=np.bool_), designs


def _modelled(design: Design, rows: Ints, kept: NDArray[np.bool_], firth: bool) -> _Model:
    """Fit one model to the patients and to every resample of them."""
    nothing = np.full((rows.shape[0], design.x.shape[1]), np.nan)
    refusal = design.refusal
    if not refusal:
        fits = batch.fit_many(design.x, design.y, np.ones((1, design.n)), firth=firth)
        refusal = batch.WORDS.get(int(fits.status[0]), "")
        own = fits.b[0]
    if refusal:
        return _Model(design, refusal, nothing[:0].sum(axis=0), nothing, (refusal,) * rows.shape[0])
    x, y, place = batch.merged(design.x, design.y)
    whose = np.full(kept.size, y.size)  # those that are not complete are counted behind the others, and dropped
    whose[kept] = place
    size, parts, why = max(1, AT_ONCE // kept.size), [], []
    for at in range(0, rows.shape[0], size):
        counts = batch.counts(whose[rows[at : at + size]], y.size + 1)[:, :-1]
        fits = batch.fit_many(x, y, counts, firth=firth)
        parts.append(np.where(fits.varies, fits.b, np.nan))
        why += [batch.WORDS.get(int(status), "") for status in fits.status]
    return _Model(design, "", own, np.concatenate(parts) if parts else nothing, tuple(why))


def _exp(value: float) -> float:
    return math.exp(value) if value < 709 else math.inf


def _limits(drawn: Array, level: float, span: float) -> tuple[Value, Value] | NotEstimable:
    """Percentile limits of a coefficient or a difference of two, as a ratio; none where they have run away."""
    there = drawn[np.isfinite(drawn)]
    if there.size < FEWEST:
        return NotEstimable("too few resamples have a value")
    if there.size < (1 - MOST_FAILED) * drawn.size:
        return NotEstimable("more than half of the resamples have no such odds ratio")
    tail = (1 - level) / 2
    low, high = (float(one) for one in np.quantile(there, [tail, 1 - tail]))
    return _limit(low, span), _limit(high, span)


def _limit(log_ratio: float, span: float) -> Value:
    return NotEstimable(AWAY) if abs(log_ratio) * span > RUNS_AWAY else _exp(log_ratio)


def _span(model: _Model, place: int) -> float:
    return float(np.ptp(model.design.x[:, place]))


def _notes(drawn: Array, span: float, *models: _Model) -> tuple[str, ...]:
    """Count the resamples without a model, and those whose value has run away."""
    away = int((np.abs(drawn[np.isfinite(drawn)]) * span > RUNS_AWAY).sum())
    said = f"In {away} of {drawn.size} resamples the ratio over the predictor's range is beyond a million."
    return (*_failures(*models), *((said,) if away else ()))


def _failures(*models: _Model) -> tuple[str, ...]:
    if not any(any(model.why) for model in models):
        return ()
    failed: Counter[str] = Counter()
    for words in zip(*(model.why for model in models), strict=True):
        failed.update([next((word for word in words if word), "")])
    failed.pop("", None)
    if not failed:
        return ()
    reasons = ", ".join(f"{word} {count}" for word, count in sorted(failed.items()))
    return (f"{failed.total()} of {len(models[0].why)} resamples gave no model ({reasons}) and are left out.",)


def _odds(model: _Model, place: int, level: float, frame: dict[str, Any]) -> OddsOf:
    if model.refusal:
        return OddsOf.refused(model.refusal, **frame)
    b = float(model.own[place])
    drawn, span = model.drawn[:, place], _span(model, place)
    limits = _limits(drawn, level, span)
    known: dict[str, Any] = {**frame, "notes": _notes(drawn, span, model), "b": b, "odds_ratio": _exp(b)}
    if isinstance(limits, NotEstimable):
        return OddsOf.refused(limits.why, **known)
    return OddsOf(**known, or_low=limits[0], or_high=limits[1])


def _change(first: _Model, second: _Model, term: str, level: float, frame: dict[str, Any]) -> Change:
    refusal = first.refusal or second.refusal
    if refusal:
        return Change.refused(refusal, **frame)
    one, two = first.design.names.index(term), second.design.names.index(term)
    difference = float(second.own[two] - first.own[one])
    drawn = second.drawn[:, two] - first.drawn[:, one]
    there = drawn[np.isfinite(drawn)]
    span = max(_span(first, one), _span(second, two))
    known: dict[str, Any] = {
        **frame,
        "notes": _notes(drawn, span, first, second),
        "difference": difference,
        "ratio": _exp(difference),
        "replicates_used": int(there.size),
    }
    limits = _limits(drawn, level, span)
    if isinstance(limits, NotEstimable):
        return Change.refused(limits.why, **known)
    runs = any(isinstance(limit, NotEstimable) for limit in limits)
    se: Value = NotEstimable("resamples run away") if runs else float(there.std(ddof=1))
    return Change(**known, se=se, ratio_low=limits[0], ratio_high=limits[1])
