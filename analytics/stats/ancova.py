"""Follow-up score on baseline score and finding: what the dichotomised outcome throws away."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from analytics.stats.result import LEVEL, NotEstimable, Result, Value

__all__ = ["AdjustedMean", "Ancova", "LinearTerm", "ancova"]

Array = NDArray[np.float64]
INTERCEPT, BASELINE = "intercept", "baseline"
NOTHING_LEFT = 1e-20  # share of the variance below which a fit is exact


@dataclass(frozen=True, kw_only=True)
class LinearTerm(Result):
    """One coefficient of a linear model."""

    b: Value
    se: Value
    t: Value
    df: Value
    p: Value
    ci_low: Value
    ci_high: Value


@dataclass(frozen=True, kw_only=True)
class AdjustedMean(Result):
    """Follow-up score of one level, baseline and covariates held at their means; the plain mean beside it."""

    mean: Value
    se: Value
    ci_low: Value
    ci_high: Value
    raw_mean: Value

    SHOWS_N: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class Ancova(Result):
    """Analysis of covariance.

    Attributes
    ----------
    r2, adjusted_r2, residual_sd : Value
        Of the model with baseline, finding and covariates.
    finding_f, finding_df, residual_df, finding_p : Value
        The finding as a whole, against the model without it.
    parallel_f, parallel_p : Value
        Whether the finding's effect depends on the baseline: test of the interaction.
    terms : mapping of str to LinearTerm
        Intercept, baseline, the finding (or its levels against the first that occurs), covariates.
    means : mapping of str to AdjustedMean
        By level, where levels were given.
    """

    r2: Value
    adjusted_r2: Value
    residual_sd: Value
    finding_f: Value
    finding_df: Value
    residual_df: Value
    finding_p: Value
    parallel_f: Value
    parallel_p: Value
    terms: Mapping[str, LinearTerm]
    means: Mapping[str, AdjustedMean]

    FRAME: ClassVar[tuple[str, ...]] = (*Result.FRAME, "terms", "means")
    SHOWS_N: ClassVar[bool] = True


class _Data(NamedTuple):
    y: Array
    names: list[str]
    x: Array
    finding: list[int]  # its columns
    coded: Array  # the finding itself
    notes: tuple[str, ...]


class _Fit(NamedTuple):
    b: Array
    covariance: Array
    rss: float
    df: int


def ancova(
    followup: ArrayLike,
    baseline: ArrayLike,
    finding: ArrayLike,
    *,
    levels: Mapping[str, float] | None = None,
    covariates: Mapping[str, ArrayLike] | None = None,
    robust: bool = False,
    level: float = LEVEL,
) -> Ancova:
    """Regress the follow-up score on the baseline score and a finding.

    Parameters
    ----------
    followup, baseline : array_like of float, shape (cases,)
        Scores, NaN where missing; a case with any missing value leaves the model.
    finding : array_like of float, shape (cases,)
        Grade or measurement.
    levels : mapping of str to float, optional
        Name and code of each level: the finding enters as indicators, the first level that occurs being the
        reference. Without it the finding enters as a number.
    covariates : mapping of str to array_like, optional
        Further columns, e.g. age.
    robust : bool
        Standard errors of HC3 instead of equal variances.
    level : float
        Of the t intervals.

    Returns
    -------
    Ancova
        Ordinary least squares (Vickers & Altman 2001, BMJ 323:1123). HC3: MacKinnon & White 1985, J Econometrics
        29:305; the tests of the finding are then Wald F tests. Constant columns are left out with a note; refused
        where the follow-up or the finding does not vary, columns are combinations of others, no degree of freedom is
        left or the fit is exact.
    """
    data = _prepared(followup, baseline, finding, levels, dict(covariates or {}))
    method = "analysis of covariance, least squares" + (", HC3 standard errors" if robust else "")
    frame: dict[str, Any] = {"n": int(data.y.size), "method": method, "source": "Vickers & Altman 2001"}
    fit = _refusal(data) or _fitted(data.x, data.y, robust)
    if isinstance(fit, str):
        terms = {name: LinearTerm.refused(fit, **frame) for name in data.names}
        means = {name: AdjustedMean.refused(fit, **frame) for name in levels or {}}
        return Ancova.refused(fit, terms=terms, means=means, **frame)
    total = float(np.sum((data.y - data.y.mean()) ** 2))
    f, p = _joint(fit, data.finding)
    half = float(stats.t.ppf((1 + level) / 2, fit.df))
    return Ancova(
        **frame,
        notes=data.notes,
        r2=1 - fit.rss / total,
        adjusted_r2=1 - fit.rss / fit.df / (total / (data.y.size - 1)),
        residual_sd=math.sqrt(fit.rss / fit.df),
        finding_f=f,
        finding_df=len(data.finding),
        residual_df=fit.df,
        finding_p=p,
        **_parallel(data, robust),
        terms={name: _term(fit, j, half, frame) for j, name in enumerate(data.names)},
        means=_means(data, fit, levels or {}, half, frame),
    )


def _prepared(
    followup: ArrayLike,
    baseline: ArrayLike,
    finding: ArrayLike,
    levels: Mapping[str, float] | None,
    covariates: Mapping[str, ArrayLike],
) -> _Data:
    """Complete cases, and the columns that vary."""
    y, before, own = (np.asarray(values, dtype=float) for values in (followup, baseline, finding))
    others = {name: np.asarray(values, dtype=float) for name, values in covariates.items()}
    if len({series.shape for series in (y, before, own, *others.values())}) > 1:
        raise ValueError("The series have different lengths.")
    rows = np.all([np.isfinite(series) for series in (y, before, own, *others.values())], axis=0)
    if levels is not None:
        rows &= np.isin(own, list(levels.values()))
    coded = own[rows]
    if levels is None:
        columns = {"finding": coded}
    else:
        occurring = [name for name, code in levels.items() if np.any(coded == code)]
        columns = {name: (coded == levels[name]).astype(float) for name in occurring[1:]}
    wanted = {BASELINE: before[rows], **columns, **{name: values[rows] for name, values in others.items()}}
    varying = {name: values for name, values in wanted.items() if values.size and np.ptp(values) > 0}
    notes = tuple(
        f"{name} was left out: it does not vary among the complete cases." for name in wanted.keys() - varying
    )
    names = [INTERCEPT, *varying]
    x = np.column_stack([np.ones(coded.size), *varying.values()])
    return _Data(y[rows], names, x, [j for j, name in enumerate(names) if name in columns], coded, notes)


def _refusal(data: _Data) -> str:
    if data.y.size == 0:
        return "no case is complete"
    if np.ptp(data.y) == 0:
        return "the follow-up score is the same for every case"
    return "" if data.finding else "the finding does not vary among the complete cases"


def _fitted(x: Array, y: Array, robust: bool) -> _Fit | str:
    n, columns = x.shape
    if n <= columns:
        return f"there are {n} complete cases for {columns} coefficients"
    scale = np.abs(x).max(axis=0)
    if np.linalg.matrix_rank(x / scale) < columns:
        return "some predictors are exact combinations of others"
    q, r = np.linalg.qr(x / scale)
    b = np.linalg.solve(r, q.T @ y)
    residual = y - q @ (q.T @ y)
    rss, df = float(residual @ residual), n - columns
    if rss < NOTHING_LEFT * float(y @ y):
        return "the model fits without error, so nothing has a standard error"
    root = np.linalg.inv(r)
    if not robust:
        return _Fit(b / scale, rss / df * (root @ root.T) / np.outer(scale, scale), rss, df)
    room = 1 - np.sum(q**2, axis=1)
    if room.min() < 1e-12:
        return "one case alone determines a coefficient, so HC3 does not exist"
    meat = (q * ((residual / room) ** 2)[:, None]).T @ q
    return _Fit(b / scale, root @ meat @ root.T / np.outer(scale, scale), rss, df)


def _joint(fit: _Fit, columns: list[int]) -> tuple[float, float]:
    """Wald F test that the coefficients of these columns are all 0."""
    b, block = fit.b[columns], fit.covariance[np.ix_(columns, columns)]
    f = float(b @ np.linalg.solve(block, b)) / len(columns)
    return f, float(stats.f.sf(f, len(columns), fit.df))


def _parallel(data: _Data, robust: bool) -> dict[str, Any]:
    if BASELINE not in data.names:
        no = NotEstimable("the baseline score does not vary")
        return {"parallel_f": no, "parallel_p": no}
    products = data.x[:, data.finding] * data.x[:, [data.names.index(BASELINE)]]
    wider = np.column_stack([data.x, products])
    fit = _fitted(wider, data.y, robust)
    if isinstance(fit, str):
        return {"parallel_f": NotEstimable(fit), "parallel_p": NotEstimable(fit)}
    f, p = _joint(fit, list(range(data.x.shape[1], wider.shape[1])))
    return {"parallel_f": f, "parallel_p": p}


def _term(fit: _Fit, j: int, half: float, frame: dict[str, Any]) -> LinearTerm:
    b, se = float(fit.b[j]), math.sqrt(max(0.0, float(fit.covariance[j, j])))
    known: dict[str, Any] = {**frame, "b": b, "se": se, "df": fit.df, "ci_low": b - half * se, "ci_high": b + half * se}
    if se == 0:
        return LinearTerm.refused("the standard error is 0", **known)
    return LinearTerm(**known, t=b / se, p=float(2 * stats.t.sf(abs(b / se), fit.df)))


def _means(
    data: _Data, fit: _Fit, levels: Mapping[str, float], half: float, frame: dict[str, Any]
) -> dict[str, AdjustedMean]:
    found: dict[str, AdjustedMean] = {}
    for name, code in levels.items():
        own = data.coded == code
        there: dict[str, Any] = {**frame, "n": int(own.sum())}
        if not own.any():
            found[name] = AdjustedMean.refused("no complete case has this level", **there)
            continue
        at = data.x.mean(axis=0)
        at[data.finding] = [float(data.names[j] == name) for j in data.finding]
        mean, se = float(at @ fit.b), math.sqrt(max(0.0, float(at @ fit.covariance @ at)))
        raw = float(data.y[own].mean())
        found[name] = AdjustedMean(
            **there, mean=mean, se=se, ci_low=mean - half * se, ci_high=mean + half * se, raw_mean=raw
        )
    return found
