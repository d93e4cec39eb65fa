"""One reader, the same cases again: intra-reader agreement, with the coefficients that compare readers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analytics.stats import agreement, raters, reliability, square
from analytics.stats.association import cross_table
from analytics.stats.result import LEVEL, Result, Value

__all__ = ["Repeatability", "graded_again", "measured_again", "repeatability"]

Any_ = TypeVar("Any_", bound=Result)
WEIGHTINGS: tuple[square.Weighting, ...] = ("unweighted", "linear", "quadratic")


@dataclass(frozen=True, kw_only=True)
class Repeatability(Result):
    """How far two measurements of one case by one reader lie apart."""

    within_sd: Value
    within_sd_low: Value
    within_sd_high: Value
    coefficient: Value
    coefficient_low: Value
    coefficient_high: Value
    df: Value


def _intra(result: Any_, rounds: int) -> Any_:
    return replace(result, method=f"intra-reader, {rounds} rounds of one reader: {result.method}")


def _checked(rounds: ArrayLike) -> Any:
    x = np.asarray(rounds, dtype=float)
    if x.ndim != 2 or x.shape[1] < 2:
        raise ValueError(f"Rounds are cases by rounds with at least two rounds; this has shape {x.shape}.")
    return x


def graded_again(rounds: ArrayLike, codes: ArrayLike, *, ordered: bool = True) -> dict[str, Result]:
    """Agreement of one reader with himself in grades.

    Parameters
    ----------
    rounds : array_like of float, shape (cases, rounds)
        Codes of one reader, a column for each round; NaN is not graded.
    codes : array_like of float, shape (levels,)
        Declared codes, ascending.
    ordered : bool
        Whether the weighted coefficients and the ordinal alpha mean anything.

    Returns
    -------
    dict of str to Result
        ``percent_agreement``, ``kappa_..``, ``gwet_..``, ``brennan_prediger_..``, ``krippendorff_..``: the functions of
        `agreement` on the complete pairs for two rounds, those of `raters` (kappa: Conger's) for more. Each method
        begins with "intra-reader".

    Raises
    ------
    ValueError
        Fewer than two columns; a grade that is not declared (more than two rounds).
    """
    x = _checked(rounds)
    scale = [float(code) for code in np.asarray(codes, dtype=float)]
    weightings = WEIGHTINGS if ordered else WEIGHTINGS[:1]
    metric: agreement.Metric = "ordinal" if ordered else "nominal"
    found: dict[str, Result] = {}
    kinds: dict[str, Callable[..., Result]]
    if x.shape[1] == 2 and len(scale) > 1:
        given: Any = cross_table(x[:, 0], x[:, 1], scale, scale)
        kinds = {
            "kappa": agreement.kappa,
            "gwet": agreement.gwet,
            "brennan_prediger": agreement.brennan_prediger,
        }
        found["percent_agreement"] = agreement.percent_agreement(given)
    else:
        given = x
        kinds = {"kappa": raters.conger, "gwet": raters.gwet, "brennan_prediger": raters.brennan_prediger}
        found["percent_agreement"] = raters.percent_agreement(x, scale)
    found |= {
        f"{name}_{weighting}": kind(given, scale, weighting) for name, kind in kinds.items() for weighting in weightings
    }
    found[f"krippendorff_{metric}"] = raters.krippendorff(x, metric)
    return {name: _intra(result, x.shape[1]) for name, result in found.items()}


def measured_again(rounds: ArrayLike, *, level: float = LEVEL) -> dict[str, Result]:
    """Agreement of one reader with himself in measurements.

    Parameters
    ----------
    rounds : array_like of float, shape (cases, rounds)
        Measurements of one reader, a column for each round; NaN is missing.
    level : float
        Of the intervals of the intraclass correlations and of repeatability.

    Returns
    -------
    dict of str to Result
        The six intraclass correlations, ``repeatability``, and ``bland_altman`` for two rounds. Rounds of one reader
        are interchangeable only where nothing was learnt in between: the one-way form supposes it, the two-way forms do
        not.

    Raises
    ------
    ValueError
        Fewer than two columns.
    """
    x = _checked(rounds)
    found: dict[str, Result] = {str(form): one for form, one in reliability.icc_family(x, level=level).items()}
    found["repeatability"] = repeatability(x, level=level)
    if x.shape[1] == 2:
        found["bland_altman"] = reliability.bland_altman(x[:, 0], x[:, 1])
    return {name: _intra(result, x.shape[1]) for name, result in found.items()}


def repeatability(rounds: ArrayLike, *, level: float = LEVEL) -> Repeatability:
    """Within-case standard deviation and repeatability coefficient.

    Parameters
    ----------
    rounds : array_like of float, shape (cases, rounds)
        NaN is missing; cases measured twice at least are used, each with all its measurements.
    level : float
        Of the intervals.

    Returns
    -------
    Repeatability
        Root of the pooled within-case variance (Bland & Altman 1996, BMJ 313:744), and ``1.96 sqrt(2)`` times it: in
        95 % two measurements of one case lie no farther apart (Bland & Altman 1999). Chi-square limits, which suppose
        normal errors of one size.

    Raises
    ------
    ValueError
        Fewer than two columns.
    """
    x = _checked(rounds)
    x = x[np.isfinite(x).sum(axis=1) >= 2]
    n = len(x)
    frame: dict[str, Any] = {
        "n": n,
        "method": "within-case standard deviation and repeatability coefficient, chi-square limits",
        "source": "Bland & Altman 1996, 1999",
    }
    if n == 0:
        return Repeatability.refused("no case was measured twice", **frame)
    known = np.isfinite(x)
    times = known.sum(axis=1)
    centre = np.where(known, x, 0.0).sum(axis=1) / times
    df = int((times - 1).sum())
    pooled = float((np.where(known, x - centre[:, None], 0.0) ** 2).sum())
    low, high = (math.sqrt(pooled / float(stats.chi2.ppf(p, df))) for p in ((1 + level) / 2, (1 - level) / 2))
    sd, wide = math.sqrt(pooled / df), reliability.LIMITS * math.sqrt(2)
    return Repeatability(
        **frame,
        within_sd=sd,
        within_sd_low=low,
        within_sd_high=high,
        coefficient=wide * sd,
        coefficient_low=wide * low,
        coefficient_high=wide * high,
        df=df,
    )
