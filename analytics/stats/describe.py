"""Describing one variable: centre, spread, quartiles of two schools, shape, normality, counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from analytics.stats.result import NotEstimable, Result, Value, number

__all__ = ["Description", "LevelCounts", "blom_scores", "describe", "level_counts"]

SHAPIRO_MOST = 5000


@dataclass(frozen=True, kw_only=True)
class Description(Result):
    """Mean, spread, quartiles, shape and Shapiro-Wilk of one measurement."""

    n_missing: Value
    mean: Value
    sd: Value
    median: Value
    min: Value
    max: Value
    q25_type6: Value
    q75_type6: Value
    q25_type7: Value
    q75_type7: Value
    skewness: Value
    kurtosis: Value
    shapiro_w: Value
    shapiro_p: Value

    SHOWS_N: ClassVar[bool] = True


def describe(values: ArrayLike) -> Description:
    """Describe a measurement.

    Parameters
    ----------
    values : array_like of float, shape (cases,)
        NaN is missing and is left out.

    Returns
    -------
    Description
        SD with n-1. Quartiles type 6 (SPSS HAVERAGE) and type 7 (R, numpy). Skewness G1 and excess kurtosis G2 as SPSS.
        Shapiro-Wilk after Royston 1995 (AS R94), for 3 to 5000 values that are not all equal.
    """
    given = np.asarray(values, dtype=float)
    x = given[np.isfinite(given)]
    n = int(x.size)
    known: dict[str, Any] = {"n": n, "method": "moments, quantiles type 6 and 7, G1/G2, Shapiro-Wilk AS R94"}
    missing = int(given.size - n)
    if n == 0:
        return Description.refused("no value was observed", n_missing=missing, **known)
    # Values that differ only in their last binary digits have no shape.
    flat = bool(np.ptp(x) <= 1e-12 * float(np.abs(x).max()))
    w, p = _shapiro(x, flat=flat)
    q6 = np.quantile(x, [0.25, 0.75], method="weibull")
    q7 = np.quantile(x, [0.25, 0.75])
    return Description(
        **known,
        n_missing=missing,
        mean=float(x.mean()),
        sd=float(x.std(ddof=1)) if n > 1 else NotEstimable("a standard deviation needs two values"),
        median=float(np.median(x)),
        min=float(x.min()),
        max=float(x.max()),
        q25_type6=float(q6[0]),
        q75_type6=float(q6[1]),
        q25_type7=float(q7[0]),
        q75_type7=float(q7[1]),
        skewness=_shape(x, order=3, flat=flat),
        kurtosis=_shape(x, order=4, flat=flat),
        shapiro_w=w,
        shapiro_p=p,
    )


def _shape(x: NDArray[np.float64], *, order: int, flat: bool) -> Value:
    if x.size < order:
        return NotEstimable(f"this needs {order} values, there are {x.size}")
    if flat:
        return NotEstimable("all values are equal")
    found = stats.skew(x, bias=False) if order == 3 else stats.kurtosis(x, bias=False)
    return number(float(found), "the spread is too small to be told from rounding")


def _shapiro(x: NDArray[np.float64], *, flat: bool) -> tuple[Value, Value]:
    if not 3 <= x.size <= SHAPIRO_MOST:
        no = NotEstimable(f"Shapiro-Wilk needs 3 to {SHAPIRO_MOST} values, there are {x.size}")
        return no, no
    if flat:
        return NotEstimable("all values are equal"), NotEstimable("all values are equal")
    w, p = stats.shapiro(x)
    return number(float(w), "Shapiro-Wilk gave no value"), number(float(p), "Shapiro-Wilk gave no value")


def blom_scores(values: ArrayLike) -> NDArray[np.float64]:
    """Give the normal scores of a Q-Q plot as SPSS draws it.

    Parameters
    ----------
    values : array_like of float, shape (cases,)
        NaN is missing and keeps NaN.

    Returns
    -------
    ndarray of float, shape (cases,)
        ``norm.ppf((rank - 3/8) / (n + 1/4))``, ties at their mean rank (Blom 1958).
    """
    x = np.asarray(values, dtype=float)
    seen = np.isfinite(x)
    scores = np.full(x.shape, math.nan)
    scores[seen] = stats.norm.ppf((stats.rankdata(x[seen]) - 0.375) / (seen.sum() + 0.25))
    return scores


@dataclass(frozen=True, kw_only=True)
class LevelCounts(Result):
    """How often each level occurs; percentages of the observed cases."""

    levels: tuple[str, ...]
    counts: tuple[int, ...]

    FRAME: ClassVar[tuple[str, ...]] = (*Result.FRAME, "levels", "counts")

    def values(self) -> dict[str, Value]:
        """``n_<level>`` and ``pct_<level>`` of every declared level."""
        named: dict[str, Value] = {f"n_{level}": count for level, count in zip(self.levels, self.counts, strict=True)}
        for level, count in zip(self.levels, self.counts, strict=True):
            named[f"pct_{level}"] = 100 * count / self.n if self.n else NotEstimable("no value was observed")
        return named


def level_counts(codes: ArrayLike, levels: Sequence[float], names: Sequence[str]) -> LevelCounts:
    """Count the declared levels of a finding.

    Parameters
    ----------
    codes : array_like of float, shape (cases,)
        Level codes; NaN is not graded and leaves the denominator.
    levels : sequence of float
        Every declared code, used or not.
    names : sequence of str
        What each level is called.
    """
    x = np.asarray(codes, dtype=float)
    counts = tuple(int(np.sum(x == level)) for level in levels)
    return LevelCounts(
        n=sum(counts), method="counts, percentages of the graded cases", levels=tuple(names), counts=counts
    )
