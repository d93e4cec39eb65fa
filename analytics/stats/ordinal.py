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

from analytics.stats.profile import Look, crossing
from analytics.stats.result import LEVEL, NotEstimable, Result, Value
from analytics.stats.risk import quantile
from analytics.stats.separation import separation

__all__ = ["Ordinal", "OrdinalTerm", "Threshold", "proportional_odds"]

Array = NDArray[np.float64]
Ints = NDArray[np.intp]
SOURCE = "McCullagh 1980"
METHOD = "proportional odds model, maximum likelihood, listwise complete cases"
FLOOR = 1e-300  # smallest probability of a class
STEPS = 100


@dataclass(frozen=True, kw_only=True)
class OrdinalTerm(Result):
    """One predictor of a proportional odds model; above 1 the odds ratio speaks for higher classes.

    Attributes
    ----------
    odds_ratio : Value
        With Wald (``or_ci_``) and exact profile-likelihood limits (``or_profile_``).
    lr_chi2, p_lr : Value
        Against the model without the term.
    parallel_chi2, parallel_df, parallel_p : Value
        Against the model in which this term alone has a coefficient of its own at every threshold.
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
    parallel_chi2: Value
    parallel_df: Value
    parallel_p: Value

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
    parallel_chi2, parallel_df, parallel_p : Value
        Against the model in which every term has coefficients of its own at every threshold.
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
    parallel_chi2: Value
    parallel_df: Value
    parallel_p: Value
    terms: Mapping[str, OrdinalTerm]
    thresholds: Mapping[str, Threshold]

    FRAME: ClassVar[tuple[str, ...]] = (*Result.FRAME, "terms", "thresholds")
    SHOWS_N: ClassVar[bool] = True


class _Setting(NamedTuple):
    """Cases of an ordered outcome; a case in class k lies between threshold k - 1 and threshold k."""

    y: Ints
    x: Array  # (cases, predictors), scaled, centred
    classes: int


class _Fit(NamedTuple):
    theta: Array
    loglik: float
    information: Array


class _Data(NamedTuple):
    setting: _Setting
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
        Newton, standard errors from the observed information. Proportionality by likelihood ratio against partial
        proportional odds (Peterson & Harrell 1990, Appl Stat 39:205; ordinal::nominal_test); it is not estimable
        where a predictor sorts the classes at a threshold. Refused where fewer than two classes occur, nothing
        varies, columns are combinations of others, or the classes are separated.
    """
    data = _prepared(outcome, predictors)
    notes = tuple(f"{name} was left out: it does not vary among the complete cases." for name in data.constant)
    frame: dict[str, Any] = {"n": int(data.setting.y.size), "method": METHOD, "source": SOURCE}
    fit = _refusal(data.setting) or _maximum(data.setting, [])
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
    setting = _Setting(place.astype(np.intp), (x - middle) / scale, int(codes.size))
    constant = [name for name in columns if name not in varying]
    return _Data(setting, list(varying), constant, [float(code) for code in codes], scale, middle)


def _refusal(setting: _Setting) -> str:
    n, width = setting.x.shape
    if n == 0:
        return "no case is complete"
    if setting.classes < 2:
        return "every complete case is in the same class"
    if width == 0:
        return "no predictor varies among the complete cases"
    if n < width + setting.classes - 1:
        return f"there are {n} complete cases for {width + setting.classes - 1} coefficients"
    if np.linalg.matrix_rank(np.column_stack([np.ones(n), setting.x])) < width + 1:
        return "some predictors are exact combinations of others"
    return ""


def _borders(setting: _Setting, own: list[int]) -> tuple[Array, Array]:
    """Make the rows that turn the parameters into the borders above and below each case.

    Parameters are thresholds, one coefficient a predictor, then for each predictor in ``own`` its deviation at every
    threshold but the first. The lowest class has no border below, the highest none above; their rows are 0.
    """
    cuts = setting.classes - 1
    rows = []
    for cut in (setting.y, setting.y - 1):
        exists = (cut >= 0) & (cut < cuts)
        at = np.eye(cuts)[np.clip(cut, 0, cuts - 1)]
        extra = [at[:, 1:] * -setting.x[:, [j]] for j in own]
        rows.append(np.column_stack([at, -setting.x, *extra]) * exists[:, None])
    return rows[0], rows[1]


def _maximum(setting: _Setting, own: list[int], start: Array | None = None) -> _Fit | str:
    """Newton's maximum, or why there is none."""
    above, below = _borders(setting, own)
    if not (np.abs(above).max(axis=0) + np.abs(below).max(axis=0)).all():
        return "no case beside one of the thresholds tells about this predictor"
    if separation(np.vstack([above, -below]), np.ones(2 * setting.y.size)) != "none":
        return "the classes are separated, so some maximum-likelihood estimates are infinite"
    theta = _start(setting, above.shape[1]) if start is None else start
    return _climb(setting, above, below, theta, np.arange(theta.size)) or "the fit did not converge"


def _start(setting: _Setting, size: int) -> Array:
    shares = np.cumsum(np.bincount(setting.y))[:-1] / setting.y.size
    return np.concatenate([special.logit(shares), np.zeros(size - shares.size)])


def _look(setting: _Setting, above: Array, below: Array, theta: Array) -> tuple[float, Array, Array]:
    """Log likelihood, score and observed information."""
    top, bottom = setting.y == setting.classes - 1, setting.y == 0
    high = np.where(top, np.inf, above @ theta)
    low = np.where(bottom, -np.inf, below @ theta)
    f_high, f_low = special.expit(high), special.expit(low)
    # The difference of the smaller tails keeps its digits.
    upper = np.where(low > 0, special.expit(-low) - special.expit(-high), f_high - f_low)
    if upper.min() <= FLOOR:
        return -math.inf, np.zeros(theta.size), np.eye(theta.size)
    d_high, d_low = f_high * (1 - f_high), f_low * (1 - f_low)
    first = (d_high / upper)[:, None] * above - (d_low / upper)[:, None] * below
    bend_high, bend_low = d_high * (1 - 2 * f_high) / upper, d_low * (1 - 2 * f_low) / upper
    curved = (above * bend_high[:, None]).T @ above - (below * bend_low[:, None]).T @ below
    return float(np.sum(np.log(upper))), first.sum(axis=0), first.T @ first - curved


def _climb(setting: _Setting, above: Array, below: Array, start: Array, free: Ints) -> _Fit | None:
    """Maximise over the free parameters by Newton's steps, halved where the likelihood would fall."""
    theta = start.copy()
    now, score, information = _look(setting, above, below, theta)
    for _ in range(STEPS):
        step = np.zeros(theta.size)
        try:
            step[free] = np.linalg.solve(information[np.ix_(free, free)], score[free])
        except np.linalg.LinAlgError:
            return None
        if step[free] @ score[free] < 0:  # not concave here: go uphill on the diagonal
            step[free] = score[free] / np.maximum(np.abs(np.diag(information)[free]), 1e-6)
        for _halving in range(40):
            after = _look(setting, above, below, theta + step)
            if after[0] >= now - 1e-13 * abs(now):
                break
            step /= 2
        else:
            return None
        theta = theta + step
        now, score, information = after
        if float(np.abs(step).max()) < 1e-11 * (1 + float(np.abs(theta).max())):
            return _Fit(theta, now, information)
    return None


def _tested(setting: _Setting, fit: _Fit, own: list[int], wanted: bool) -> dict[str, Any]:
    """Likelihood-ratio test of proportionality for some predictors."""
    names = ("parallel_chi2", "parallel_df", "parallel_p")
    df = (setting.classes - 2) * len(own)
    wider: _Fit | str = "proportionality was not asked for"
    if df == 0:
        wider = "with two classes there is one threshold, so nothing can differ"
    elif wanted and setting.y.size < fit.theta.size + df:
        wider = f"there are {setting.y.size} complete cases for {fit.theta.size + df} coefficients"
    elif wanted:
        wider = _maximum(setting, own, np.concatenate([fit.theta, np.zeros(df)]))
    if isinstance(wider, str):
        return dict.fromkeys(names, NotEstimable(wider))
    chi2 = max(0.0, 2 * (wider.loglik - fit.loglik))
    return {names[0]: chi2, names[1]: df, names[2]: float(stats.chi2.sf(chi2, df))}


def _term(
    data: _Data, fit: _Fit, covariance: Array, j: int, level: float, parallel: bool, frame: dict[str, Any]
) -> OrdinalTerm:
    place, scale, z = data.setting.classes - 1 + j, float(data.scale[j]), quantile(level)
    b, se = float(fit.theta[place]) / scale, math.sqrt(float(covariance[place, place])) / scale
    above, below = _borders(data.setting, [])
    others = np.delete(np.arange(fit.theta.size), place)
    start = fit.theta.copy()
    start[place] = 0.0
    without = _climb(data.setting, above, below, start, others)
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


def _limit(data: _Data, fit: _Fit, place: int, step: float, scale: float, level: float) -> Value:
    """Exact crossing of the profile likelihood; for another level the fall is rescaled to the border of 95 %."""
    above, below = _borders(data.setting, [])
    others = np.delete(np.arange(fit.theta.size), place)
    border = float(stats.chi2.ppf(LEVEL, 1) / stats.chi2.ppf(level, 1))

    def profile(value: float, near: Array) -> Look:
        start = near.copy()
        start[place] = value
        there = _climb(data.setting, above, below, start, others)
        if there is None:
            return Look(math.nan, math.nan, near)
        score = _look(data.setting, above, below, there.theta)[1]
        return Look(border * 2 * (fit.loglik - there.loglik), -2 * border * float(score[place]), there.theta)

    found = crossing(profile, fit.theta, start=float(fit.theta[place]), step=step)
    return found if isinstance(found, NotEstimable) else _exp(found / scale)


def _thresholds(data: _Data, fit: _Fit, covariance: Array, frame: dict[str, Any]) -> dict[str, Threshold]:
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
