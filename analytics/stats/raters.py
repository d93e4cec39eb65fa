"""Any number of readers, grades missing here and there: agreement corrected for chance, and the table of all pairs.

A case counts when at least two readers graded it; a reader with no such case is left out. Within a case every pair of
its readers counts alike, and every case counts alike however many graded it (Gwet 2014, ch. 2.4). The scale is the
DECLARED one: its number of levels enters AC1 and Brennan-Prediger, its distances every weighted coefficient.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analytics.stats import sums
from analytics.stats.disagreement import Metric, alpha_of
from analytics.stats.grades import Grades, graded
from analytics.stats.result import LEVEL, NotEstimable, Result, Value
from analytics.stats.square import Weighting
from analytics.stats.sums import Kind, Sums

__all__ = [
    "Alpha",
    "ChanceCorrected",
    "Fleiss",
    "PercentAgreement",
    "brennan_prediger",
    "conger",
    "fleiss",
    "fleiss_by_level",
    "gwet",
    "krippendorff",
    "percent_agreement",
]

ONE_CASE = "a standard error needs two cases"


@dataclass(frozen=True, kw_only=True)
class ChanceCorrected(Result):
    """A coefficient of several readers; ``p`` tests zero with the same standard error that gives the interval."""

    estimate: Value
    se: Value
    ci_low: Value
    ci_high: Value
    p: Value
    pa: Value
    pe: Value
    n_readers: int
    n_grades: int


@dataclass(frozen=True, kw_only=True)
class Fleiss(ChanceCorrected):
    """Fleiss' kappa; ``se0``, ``z`` and ``p0`` hold under the hypothesis of no agreement beyond chance."""

    se0: Value
    z: Value
    p0: Value


@dataclass(frozen=True, kw_only=True)
class PercentAgreement(Result):
    """Agreeing pairs of readers in percent, and the cases in which all their readers agree."""

    percent_agreement: Value
    se: Value
    ci_low: Value
    ci_high: Value
    percent_unanimous: Value
    n_readers: int
    n_grades: int


@dataclass(frozen=True, kw_only=True)
class Alpha(Result):
    """Krippendorff's alpha with its delta-method interval; for few cases prefer the bootstrap."""

    estimate: Value
    se: Value
    ci_low: Value
    ci_high: Value
    observed_disagreement: Value
    expected_disagreement: Value
    n_readers: int
    n_grades: int


def _spread(found: Sums, level: float) -> dict[str, Any]:
    """Estimate with everything that follows from its standard error."""
    estimate = found.value()
    if isinstance(estimate, NotEstimable):
        return dict.fromkeys(("estimate", "se", "ci_low", "ci_high", "p"), estimate)
    n = len(found.terms)
    if n < 2:
        return {"estimate": estimate} | dict.fromkeys(("se", "ci_low", "ci_high", "p"), NotEstimable(ONE_CASE))
    se = sums.error(found.terms, found.of)
    low, high = sums.interval(float(estimate), se, n, level)
    p = sums.two_sided(float(estimate), se, n)
    return {"estimate": estimate, "se": se, "ci_low": low, "ci_high": high, "p": p}


def _frame(found: Sums, cases: int, method: str, source: str) -> dict[str, Any]:
    left = cases - found.rows.size
    note = f"{left} of {cases} cases left out: fewer than two readers graded them."
    return {
        "n": int(found.rows.size),
        "method": method,
        "source": source,
        "notes": (note,) if left else (),
        "n_readers": found.readers,
        "n_grades": found.grades,
    }


def _coefficient(
    ratings: ArrayLike, codes: ArrayLike, kind: Kind, weighting: Weighting, level: float, singles: bool
) -> tuple[Sums, Grades, dict[str, Any], int]:
    grades = graded(ratings, codes, singles=singles)
    found = sums.chance_corrected(grades, codes, kind, weighting)
    pa, pe = found.two_parts()
    return found, grades, _spread(found, level) | {"pa": pa, "pe": pe}, len(np.asarray(ratings))


def fleiss(
    ratings: ArrayLike,
    codes: ArrayLike,
    weighting: Weighting = "unweighted",
    *,
    level: float = LEVEL,
    singles: bool = False,
) -> Fleiss:
    """Fleiss' kappa: chance from the mean margin, as if any reader might have graded any case.

    Parameters
    ----------
    ratings : array_like of float, shape (cases, readers)
        Codes; NaN is not graded. A case with fewer than two grades is left out, and `notes` say so.
    codes : array_like of float, shape (levels,)
        Declared codes, ascending, used or not.
    weighting : {"unweighted", "linear", "quadratic"}
        Weights by distance of the declared codes.
    level : float
        Of the interval.
    singles : bool
        Let cases with one grade count in the margins (R irrCAC).

    Returns
    -------
    Fleiss
        Fleiss 1971 (Psychol Bull 76:378, eq. 7). ``se`` by linearisation over cases with t(n-1) limits, not truncated
        (Gwet 2014, ch. 5); ``se0``, ``z``, ``p0`` under the null after Fleiss, Nee & Landis 1979 (Psychol Bull 86:974,
        eq. 12), which needs unweighted grades and the same number of readers for each case.

    Raises
    ------
    ValueError
        Ratings that are not a table, codes that do not ascend, a grade that is not declared.
    """
    found, grades, values, cases = _coefficient(ratings, codes, "fleiss", weighting, level, singles)
    frame = _frame(
        found,
        cases,
        f"Fleiss' kappa, {weighting}, declared scale, linearised standard error, t(n-1) interval",
        "Fleiss 1971; Fleiss, Nee & Landis 1979; Gwet 2014",
    )
    return Fleiss(**frame, **values, **_under_the_null(found, grades, values["estimate"], weighting))


def _under_the_null(found: Sums, grades: Grades, estimate: Value, weighting: Weighting) -> dict[str, Any]:
    def refused(why: str) -> dict[str, Any]:
        return dict.fromkeys(("se0", "z", "p0"), NotEstimable(why))

    if isinstance(estimate, NotEstimable):
        return refused(estimate.why)
    if weighting != "unweighted":
        return refused("the standard error under the null is known for unweighted grades only")
    each = grades.given
    m, n = int(each[0]), each.size
    if np.any(each != m):
        return refused("the standard error under the null needs the same number of readers for each case")
    p = grades.counts.sum(axis=0) / (n * m)
    spread = float(np.sum(p * (1 - p)))
    variance = 2 * (spread**2 - float(np.sum(p * (1 - p) * (1 - 2 * p)))) / (n * m * (m - 1) * spread**2)
    se0 = math.sqrt(variance)
    z = float(estimate) / se0
    return {"se0": se0, "z": z, "p0": 2 * float(stats.norm.sf(abs(z)))}


def fleiss_by_level(
    ratings: ArrayLike, codes: ArrayLike, levels: Sequence[str], *, level: float = LEVEL
) -> dict[str, Fleiss]:
    """Fleiss' kappa of each level against all others.

    Parameters
    ----------
    ratings : array_like of float, shape (cases, readers)
        As in `fleiss`.
    codes : array_like of float, shape (levels,)
        Declared codes, ascending.
    levels : sequence of str
        What each level is called.
    level : float
        Of the intervals.

    Returns
    -------
    dict of str to Fleiss
        Fleiss 1971 (eq. 17 to 20) with the standard error under the null of Fleiss, Nee & Landis 1979,
        ``sqrt(2/(n m (m-1)))``, as SPSS and R irr print them. A level nobody gave is not estimable.
    """
    x = np.asarray(ratings, dtype=float)
    scale = np.asarray(codes, dtype=float)
    graded(x, scale)
    return {
        name: fleiss(np.where(np.isfinite(x), x == code, np.nan), [0, 1], level=level)
        for name, code in zip(levels, scale, strict=True)
    }


def conger(
    ratings: ArrayLike,
    codes: ArrayLike,
    weighting: Weighting = "unweighted",
    *,
    level: float = LEVEL,
    singles: bool = False,
) -> ChanceCorrected:
    """Conger's kappa: chance from each reader's own margin; with two readers it is Cohen's.

    Parameters
    ----------
    ratings, codes, weighting, level, singles
        As in `fleiss`.

    Returns
    -------
    ChanceCorrected
        Conger 1980 (Psychol Bull 88:322, eq. 8), the "exact" Fleiss kappa of R irr. A reader's margin is taken over
        the cases this reader graded. Standard error by linearisation over cases, t(n-1) limits (Gwet 2014, ch. 5; 2021,
        ch. 6). Where a reader used a single level `notes` say so: two readers then always give 0.

    Raises
    ------
    ValueError
        As in `fleiss`.
    """
    found, grades, values, cases = _coefficient(ratings, codes, "conger", weighting, level, singles)
    method = f"Conger's kappa, {weighting}, declared scale, linearised standard error, t(n-1) interval"
    frame = _frame(found, cases, method, "Conger 1980; Gwet 2014")
    if not found.why:
        used = [np.unique(column[column >= 0]).size for column in grades.index.T]
        flat = [str(int(grades.readers[place]) + 1) for place, levels in enumerate(used) if levels == 1]
        if flat:
            frame["notes"] += (f"Readers who used a single level, by column: {', '.join(flat)}.",)
    return ChanceCorrected(**frame, **values)


def gwet(
    ratings: ArrayLike,
    codes: ArrayLike,
    weighting: Weighting = "unweighted",
    *,
    level: float = LEVEL,
    singles: bool = False,
) -> ChanceCorrected:
    """Gwet's AC1 (unweighted) or AC2 of any number of readers.

    Parameters
    ----------
    ratings, codes, weighting, level, singles
        As in `fleiss`.

    Returns
    -------
    ChanceCorrected
        Gwet 2008 (Br J Math Stat Psychol 61:29, eq. 6 and 36); 2014, ch. 4 and 5. Equals `agreement.gwet` for two
        readers.

    Raises
    ------
    ValueError
        As in `fleiss`.
    """
    found, _, values, cases = _coefficient(ratings, codes, "gwet", weighting, level, singles)
    name = "Gwet's AC1" if weighting == "unweighted" else f"Gwet's AC2, {weighting} weights"
    frame = _frame(found, cases, f"{name}, declared scale, t(n-1) interval", "Gwet 2008, 2014")
    return ChanceCorrected(**frame, **values)


def brennan_prediger(
    ratings: ArrayLike,
    codes: ArrayLike,
    weighting: Weighting = "unweighted",
    *,
    level: float = LEVEL,
    singles: bool = False,
) -> ChanceCorrected:
    """Brennan-Prediger coefficient of any number of readers: chance is fixed by the declared scale.

    Parameters
    ----------
    ratings, codes, weighting, level, singles
        As in `fleiss`.

    Returns
    -------
    ChanceCorrected
        Brennan & Prediger 1981 (Educ Psychol Meas 41:687); Gwet 2014, ch. 4. Equals `agreement.brennan_prediger` for
        two readers; with two levels the PABAK of several readers.

    Raises
    ------
    ValueError
        As in `fleiss`.
    """
    found, _, values, cases = _coefficient(ratings, codes, "brennan_prediger", weighting, level, singles)
    method = f"Brennan-Prediger, {weighting}, declared scale, t(n-1) interval"
    frame = _frame(found, cases, method, "Brennan & Prediger 1981; Gwet 2014")
    return ChanceCorrected(**frame, **values)


def percent_agreement(ratings: ArrayLike, codes: ArrayLike, *, level: float = LEVEL) -> PercentAgreement:
    """Percentage of agreeing pairs of readers, and of cases in which all readers agree.

    Parameters
    ----------
    ratings, codes, level
        As in `fleiss`.

    Returns
    -------
    PercentAgreement
        Mean over the cases of the share of agreeing pairs (Fleiss 1971, eq. 2 and 3); standard error over cases, t(n-1)
        limits, not truncated.

    Raises
    ------
    ValueError
        As in `fleiss`.
    """
    grades = graded(ratings, codes)
    found = sums.percent(grades)
    method = "percent agreement of pairs of readers, mean over cases, t(n-1) interval"
    frame = _frame(found, len(np.asarray(ratings)), method, "Fleiss 1971")
    if found.why:
        return PercentAgreement.refused(found.why, **frame)
    shares = _spread(found, level)
    shown: dict[str, Any] = {
        name: shares[name] if isinstance(shares[name], NotEstimable) else 100 * shares[name]
        for name in ("se", "ci_low", "ci_high")
    }
    return PercentAgreement(
        **frame,
        **shown,
        percent_agreement=100 * shares["estimate"],
        percent_unanimous=100 * float(np.mean(grades.counts.max(axis=1) == grades.given)),
    )


def krippendorff(ratings: ArrayLike, metric: Metric = "nominal", *, level: float = LEVEL) -> Alpha:
    """Krippendorff's alpha of any number of readers.

    Parameters
    ----------
    ratings : array_like of float, shape (cases, readers)
        Codes or measurements; NaN is missing. A case with fewer than two values is left out: it can be paired with
        nothing. Levels nobody used change nothing, so no scale is asked for.
    metric : {"nominal", "ordinal", "interval", "ratio"}
        Squared distance: 0/1, the grades that lie between, ``(a-b)^2``, ``((a-b)/(a+b))^2`` for values from zero up.
    level : float
        Of the interval.

    Returns
    -------
    Alpha
        ``1 - observed/expected`` disagreement (Krippendorff 2004, ch. 11.3). The interval is by linearisation over
        cases with t(n-1), the derivative of alpha itself; R irrCAC linearises an approximation and differs in the third
        decimal for a dozen cases. Krippendorff recommends a bootstrap: `clustered.resampled`.

    Raises
    ------
    ValueError
        Ratings that are not a table.
    """
    found = alpha_of(ratings, metric)
    method = f"Krippendorff's alpha, {metric}, delta-method standard error, t(n-1) interval"
    frame = _frame(found, len(np.asarray(ratings)), method, "Krippendorff 2004")
    observed, expected = found.two_parts()
    spread = _spread(found, level)
    del spread["p"]
    return Alpha(**frame, **spread, observed_disagreement=observed, expected_disagreement=expected)
