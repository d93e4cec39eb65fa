"""Proportional odds model of ordered classes, and the test whether the odds are proportional."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from analytics.stats.cumulative import (
    SETTLED,
    Fitted,
    Setting,
    borders,
    class_probabilities,
    climb,
    expected_information,
    look,
    maximum,
)
from analytics.stats.profile import Look, crossing
from analytics.stats.result import LEVEL, NotEstimable, Result, Value
from analytics.stats.risk import quantile

__all__ = ["Ordinal", "OrdinalTerm", "Threshold", "proportional_odds"]

Array = NDArray[np.float64]
Ints = NDArray[np.intp]
SOURCE = "McCullagh 1980"
METHOD = "proportional odds model, maximum likelihood, listwise complete cases"
CROSSED = 1e-8  # probability of a class below 0


@dataclass(frozen=True, kw_only=True)
class OrdinalTerm(Result):
    """One predictor of a proportional odds model; above 1 the odds ratio speaks for higher classes.

    Attributes
    ----------
    odds_ratio : Value
        With Wald (``or_ci_``) and exact profile-likelihood limits (``or_profile_``).
    lr_chi2, p_lr : Value
        Against the model without the term.
    parallel_df, parallel_score_, parallel_lr_ : Value
        Score and likelihood-ratio test against the model in which this term alone has a coefficient of its own at every
        threshold.
    """

    b: Value
    se: Value
    wald: Value
    p_wald: Value
    odds_ratio: Value
    or_ci_low: Value
    or_ci_high: Value
    or_profile_low: Value
    or_profile_high: Value
    lr_chi2: Value
    p_lr: Value
    parallel_df: Value
    parallel_score_chi2: Value
    parallel_score_p: Value
    parallel_lr_chi2: Value
    parallel_lr_p: Value

    PRINTED: ClassVar[Mapping[str, str]] = MappingProxyType({"odds_ratio": "or"})


@dataclass(frozen=True, kw_only=True)
class Threshold(Result):
    """Logit of being at or below a class when every predictor is 0."""

    b: Value
    se: Value


@dataclass(frozen=True, kw_only=True)
class Ordinal(Result):
    """A proportional odds model.

    Attributes
    ----------
    classes : Value
        How many classes occur; empty ones are merged away.
    parallel_df, parallel_score_, parallel_lr_ : Value
        Score and likelihood-ratio test against the model in which every term has coefficients of its own at every
        threshold.
    terms, thresholds : mapping
        Predictors by name; thresholds by the code of the class below.
    """

    classes: Value
    minus2ll: Value
    minus2ll_null: Value
    lr_chi2: Value
    lr_df: Value
    lr_p: Value
    nagelkerke_r2: Value
    aic: Value
    parallel_df: Value
    parallel_score_chi2: Value
    parallel_score_p: Value
    parallel_lr_chi2: Value
    parallel_lr_p: Value
    terms: Mapping[str, OrdinalTerm]
    thresholds: Mapping[str, Threshold]

    FRAME: ClassVar[tuple[str, ...]] = (*Result.FRAME, "terms", "thresholds")
    SHOWS_N: ClassVar[bool] = True


class _Data(NamedTuple):
    setting: Setting
    names: list[str]
    constant: list[str]
    codes: list[float]
    scale: Array
    middle: Array


def proportional_odds(
    outcome: ArrayLike, predictors: Mapping[str, ArrayLike], *, level: float = LEVEL, parallel: bool = True
) -> Ordinal:
    """Fit a proportional odds model.

    Parameters
    ----------
    outcome : array_like of float, shape (cases,)
        Codes of ordered classes, NaN where missing; classes that do not occur are left out with a note.
    predictors : mapping of str to array_like of float, shape (cases,)
        NaN is missing; a case with any missing value leaves the model.
    level : float
        Of the intervals.
    parallel : bool
        Whether proportionality is tested, which costs a fit a term.

    Returns
    -------
    Ordinal
        ``logit P(class <= k) = a_k - b'x`` (McCullagh 1980, J R Stat Soc B 42:109; R MASS::polr, ordinal::clm):
        Newton, standard errors from the observed information. Proportionality against partial
        proportional odds (Peterson & Harrell 1990, Appl Stat 39:205): by score test with the expected information
        (SAS PROC LOGISTIC), which needs no wider fit; by likelihood ratio (ordinal::nominal_test), at the supremum of
        the likelihood where a predictor sorts the classes at a threshold, and not at all where the wider model's
        thresholds cross. Refused where fewer than two classes occur, nothing varies, columns are combinations of
        others, or the classes are separated.
    """
    data = _prepared(outcome, predictors)
    notes = tuple(f"{name} was left out: it does not vary among the complete cases." for name in data.constant)
    frame: dict[str, Any] = {"n": int(data.setting.y.size), "method": METHOD, "source": SOURCE}
    fit = maximum(data.setting)
    if isinstance(fit, str):
        return _without_estimates(data, fit, notes, frame)
    n, k, width = data.setting.y.size, data.setting.classes, len(data.names)
    shares = np.bincount(data.setting.y) / n
    null = float(n * np.sum(special.xlogy(shares, shares)))
    chi2 = max(0.0, 2 * (fit.loglik - null))
    covariance = np.asarray(np.linalg.inv(fit.information), dtype=np.float64)
    terms = {name: _term(data, fit, covariance, j, level, parallel, frame) for j, name in enumerate(data.names)}
    terms |= {name: OrdinalTerm.refused("does not vary among the complete cases", **frame) for name in data.constant}
    return Ordinal(
        **frame,
        notes=notes,
        classes=k,
        minus2ll=-2 * fit.loglik,
        minus2ll_null=-2 * null,
        lr_chi2=chi2,
        lr_df=width,
        lr_p=float(stats.chi2.sf(chi2, width)),
        nagelkerke_r2=-math.expm1(-chi2 / n) / -math.expm1(2 * null / n),
        aic=-2 * fit.loglik + 2 * (width + k - 1),
        **_tested(data.setting, fit, list(range(width)), parallel),
        terms=terms,
        thresholds=_thresholds(data, fit, covariance, frame),
    )


def _prepared(outcome: ArrayLike, predictors: Mapping[str, ArrayLike]) -> _Data:
    y = np.asarray(outcome, dtype=float)
    columns = {name: np.asarray(values, dtype=float) for name, values in predictors.items()}
    if any(values.shape != y.shape for values in columns.values()):
        raise ValueError("Outcome and predictors have different lengths.")
    rows = np.all([np.isfinite(values) for values in (y, *columns.values())], axis=0)
    varying = {name: values[rows] for name, values in columns.items() if rows.any() and np.ptp(values[rows]) > 0}
    codes, place = np.unique(y[rows], return_inverse=True)
    x = np.column_stack(list(varying.values())) if varying else np.empty((int(rows.sum()), 0))
    middle = x.mean(axis=0) if x.size else np.zeros(x.shape[1])
    scale = x.std(axis=0) if x.size else np.ones(x.shape[1])
    setting = Setting(place.astype(np.intp), (x - middle) / scale, int(codes.size))
    constant = [name for name in columns if name not in varying]
    return _Data(setting, list(varying), constant, [float(code) for code in codes], scale, middle)


def _tested(setting: Setting, fit: Fitted, own: list[int], wanted: bool) -> dict[str, Any]:
    """Score and likelihood-ratio test of proportionality for some predictors."""
    names = ("parallel_df", "parallel_score_chi2", "parallel_score_p", "parallel_lr_chi2", "parallel_lr_p")
    df = (setting.classes - 2) * len(own)
    why = "" if wanted else "proportionality was not asked for"
    if df == 0:
        why = "with two classes there is one threshold, so nothing can differ"
    elif setting.y.size < fit.theta.size + df:
        why = f"there are {setting.y.size} complete cases for {fit.theta.size + df} coefficients"
    if why:
        return dict.fromkeys(names, NotEstimable(why))
    above, below = borders(setting, own)
    start = np.concatenate([fit.theta, np.zeros(df)])
    score, information = look(setting, above, below, start)[1], expected_information(setting, own, start)
    found: dict[str, Any] = {"parallel_df": df}
    tests = {"score": _quadratic(score, information), "lr": _wider(setting, fit, own, start)}
    for name, chi2 in tests.items():
        found[f"parallel_{name}_chi2"] = chi2
        found[f"parallel_{name}_p"] = chi2 if isinstance(chi2, NotEstimable) else float(stats.chi2.sf(chi2, df))
    return found


def _quadratic(score: Array, information: Array) -> float | NotEstimable:
    scale = np.sqrt(np.diag(information))
    if scale.min() <= 0 or np.linalg.matrix_rank(information / np.outer(scale, scale), hermitian=True) < scale.size:
        return NotEstimable("the cases do not tell the thresholds' coefficients apart")
    return max(0.0, float(score @ np.linalg.solve(information, score)))


def _wider(setting: Setting, fit: Fitted, own: list[int], start: Array) -> float | NotEstimable:
    """Twice the gain of likelihood; the coefficients themselves may run away."""
    wider = climb(setting, *borders(setting, own), start, np.arange(start.size), gain=SETTLED)
    if wider is None:
        return NotEstimable("the model with coefficients of its own at every threshold did not converge")
    if class_probabilities(setting, own, wider.theta).min() < -CROSSED:
        return NotEstimable("with coefficients of their own the thresholds cross, so there is no such likelihood")
    return max(0.0, 2 * (wider.loglik - fit.loglik))


def _term(
    data: _Data, fit: Fitted, covariance: Array, j: int, level: float, parallel: bool, frame: dict[str, Any]
) -> OrdinalTerm:
    place, scale, z = data.setting.classes - 1 + j, float(data.scale[j]), quantile(level)
    b, se = float(fit.theta[place]) / scale, math.sqrt(float(covariance[place, place])) / scale
    above, below = borders(data.setting, [])
    others = np.delete(np.arange(fit.theta.size), place)
    start = fit.theta.copy()
    start[place] = 0.0
    without = climb(data.setting, above, below, start, others)
    no = NotEstimable("the fit without this term did not converge")
    chi2: Value = no if without is None else max(0.0, 2 * (fit.loglik - without.loglik))
    return OrdinalTerm(
        **frame,
        b=b,
        se=se,
        wald=(b / se) ** 2,
        p_wald=float(2 * stats.norm.sf(abs(b / se))),
        odds_ratio=_exp(b),
        or_ci_low=_exp(b - z * se),
        or_ci_high=_exp(b + z * se),
        or_profile_low=_limit(data, fit, place, -2 * se * scale, scale, level),
        or_profile_high=_limit(data, fit, place, 2 * se * scale, scale, level),
        lr_chi2=chi2,
        p_lr=chi2 if isinstance(chi2, NotEstimable) else float(stats.chi2.sf(float(chi2), 1)),
        **_tested(data.setting, fit, [j], parallel),
    )


def _exp(value: float) -> float:
    return math.exp(value) if value < 709 else math.inf


def _limit(data: _Data, fit: Fitted, place: int, step: float, scale: float, level: float) -> Value:
    """Exact crossing of the profile likelihood; for another level the fall is rescaled to the border of 95 %."""
    above, below = borders(data.setting, [])
    others = np.delete(np.arange(fit.theta.size), place)
    border = float(stats.chi2.ppf(LEVEL, 1) / stats.chi2.ppf(level, 1))

    def profile(value: float, near: Array) -> Look:
        start = near.copy()
        start[place] = value
        there = climb(data.setting, above, below, start, others)
        if there is None:
            return Look(math.nan, math.nan, near)
        score = look(data.setting, above, below, there.theta)[1]
        return Look(border * 2 * (fit.loglik - there.loglik), -2 * border * float(score[place]), there.theta)

    found = crossing(profile, fit.theta, start=float(fit.theta[place]), step=step)
    return found if isinstance(found, NotEstimable) else _exp(found / scale)


def _thresholds(data: _Data, fit: Fitted, covariance: Array, frame: dict[str, Any]) -> dict[str, Threshold]:
    """Thresholds on the predictors' own scale: the centring is undone."""
    cuts = data.setting.classes - 1
    turn = np.concatenate([np.zeros(cuts), data.middle / data.scale])
    found: dict[str, Threshold] = {}
    for cut in range(cuts):
        row = turn.copy()
        row[cut] = 1.0
        se = math.sqrt(float(row @ covariance @ row))
        found[f"{data.codes[cut]:g}"] = Threshold(**frame, b=float(row @ fit.theta), se=se)
    return found


def _without_estimates(data: _Data, why: str, notes: tuple[str, ...], frame: dict[str, Any]) -> Ordinal:
    terms = {name: OrdinalTerm.refused(why, **frame) for name in (*data.names, *data.constant)}
    known: dict[str, Any] = {"classes": data.setting.classes, "terms": terms, "thresholds": {}}
    return Ordinal.refused(why, notes=notes, **known, **frame)
