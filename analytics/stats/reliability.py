"""Several readers, one measurement: intraclass correlation in all its forms, and Bland-Altman."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from analytics.stats.paired import complete
from analytics.stats.result import LEVEL, NotEstimable, Result, Value, number

__all__ = [
    "Anova",
    "BlandAltman",
    "Form",
    "Icc",
    "IccForm",
    "Pairs",
    "anova",
    "bland_altman",
    "icc",
    "icc_family",
    "pairs",
]

Form = Literal["icc_1", "icc_a1", "icc_c1", "icc_1k", "icc_ak", "icc_ck"]
# McGraw & Wong 1996 | Shrout & Fleiss 1979 | SPSS
NAMES: dict[Form, str] = {
    "icc_1": "ICC(1) | ICC(1,1) | one-way random, single measures",
    "icc_a1": "ICC(A,1) | ICC(2,1) | two-way, absolute agreement, single measures",
    "icc_c1": "ICC(C,1) | ICC(3,1) | two-way, consistency, single measures",
    "icc_1k": "ICC(k) | ICC(1,k) | one-way random, average measures",
    "icc_ak": "ICC(A,k) | ICC(2,k) | two-way, absolute agreement, average measures",
    "icc_ck": "ICC(C,k) | ICC(3,k) | two-way, consistency, average measures",
}
LIMITS = 1.96  # Bland & Altman's limits use 1.96 exactly


@dataclass(frozen=True, kw_only=True)
class Pairs(Result):
    """How many cases every reader measured."""

    n_pairs: Value


def pairs(ratings: ArrayLike) -> Pairs:
    """Count complete cases.

    Parameters
    ----------
    ratings : array_like of float, shape (cases, readers)
        NaN is missing.
    """
    n = int(_ratings(ratings).shape[0])
    return Pairs(n=n, method="complete pairs", n_pairs=n)


@dataclass(frozen=True, kw_only=True)
class Anova(Result):
    """Mean squares of cases, readers and residual."""

    ms_subjects: Value
    ms_raters: Value
    ms_error: Value


def _ratings(ratings: ArrayLike) -> NDArray[np.float64]:
    given = np.asarray(ratings, dtype=float)
    if given.ndim != 2 or given.shape[1] < 2:
        raise ValueError(f"Ratings are cases by readers with at least two readers; this has shape {given.shape}.")
    return given[np.all(np.isfinite(given), axis=1)]


def anova(ratings: ArrayLike) -> Anova:
    """Two-way analysis of variance without replication.

    Parameters
    ----------
    ratings : array_like of float, shape (cases, readers)
        Cases with a NaN are left out.
    """
    x = _ratings(ratings)
    n, k = x.shape
    frame: dict[str, Any] = {"n": n, "method": "two-way analysis of variance, cases by readers"}
    if n < 2:
        return Anova.refused(f"this needs two complete cases, there are {n}", **frame)
    grand = x.mean()
    residual = x - x.mean(axis=1, keepdims=True) - x.mean(axis=0) + grand
    return Anova(
        **frame,
        ms_subjects=k * float(np.sum((x.mean(axis=1) - grand) ** 2)) / (n - 1),
        ms_raters=n * float(np.sum((x.mean(axis=0) - grand) ** 2)) / (k - 1),
        ms_error=float(np.sum(residual**2)) / ((n - 1) * (k - 1)),
    )


@dataclass(frozen=True, kw_only=True)
class Icc(Result):
    """An intraclass correlation with its F interval."""

    estimate: Value
    ci_low: Value
    ci_high: Value
    F: Value
    df1: Value
    df2: Value
    p: Value


@dataclass(frozen=True)
class _Squares:
    n: int
    k: int
    r: float
    c: float
    e: float
    w: float
    upper: float  # the probability up to the upper quantile of an interval, 0.975


def icc(ratings: ArrayLike, form: Form = "icc_a1", *, level: float = LEVEL) -> Icc:
    """Intraclass correlation.

    Parameters
    ----------
    ratings : array_like of float, shape (cases, readers)
        Cases with a NaN are left out.
    form : str
        ``icc_a1`` two-way, absolute agreement, single measures (the reference study's), ``icc_c1`` consistency,
        ``icc_1`` one-way, and ``..k`` of the readers' mean.
    level : float
        Of the interval.

    Returns
    -------
    Icc
        McGraw & Wong 1996 (Psychol Methods 1:30); interval from F, for absolute agreement with Satterthwaite's degrees
        of freedom, as SPSS and R irr. ``F`` tests zero reliability. ICC 1 with interval [1, 1] when the readers never
        differ; undefined when all values are equal. The F interval supposes cases that are spread normally: where they
        are skewed it holds 80 % instead of 95 % (docs/statistics.md, coverage).
    """
    x = _ratings(ratings)
    n, k = x.shape
    frame: dict[str, Any] = {"n": n, "method": NAMES[form], "source": "McGraw & Wong 1996"}
    if n < 2:
        return Icc.refused(f"this needs two complete cases, there are {n}", **frame)
    if np.ptp(x) == 0:
        return Icc.refused("all values are equal", **frame)
    if np.all(np.ptp(x, axis=1) == 0):
        no = NotEstimable("the readers never differ, so there is no error to compare with")
        return Icc(**frame, estimate=1.0, ci_low=1.0, ci_high=1.0, F=no, df1=n - 1, df2=no, p=no)
    found = anova(x)
    r, c, e = (
        float(ms) if not isinstance(ms, NotEstimable) else math.nan
        for ms in (found.ms_subjects, found.ms_raters, found.ms_error)
    )
    # A residual of pure rounding (two readers apart by a constant) would make F a number of no meaning.
    e = 0.0 if e < 1e-12 * max(r, c) else e
    squares = _Squares(n=n, k=k, r=r, c=c, e=e, w=(c + (n - 1) * e) / n, upper=(1 + level) / 2)
    # Two-way with readers pooled into error: MSW = (MSC (k-1) + MSE (n-1)(k-1)) / (n (k-1)).
    return _absolute(squares, form, frame) if form in {"icc_a1", "icc_ak"} else _plain(squares, form, frame)


def _plain(s: _Squares, form: Form, frame: dict[str, Any]) -> Icc:
    """One-way and consistency forms: everything is a function of one F."""
    error, df2 = (s.w, s.n * (s.k - 1)) if form in {"icc_1", "icc_1k"} else (s.e, (s.n - 1) * (s.k - 1))
    df1 = s.n - 1
    if error == 0:
        no = NotEstimable("the error mean square is zero")
        return Icc(**frame, estimate=1.0, ci_low=1.0, ci_high=1.0, F=no, df1=df1, df2=df2, p=no)
    f = s.r / error
    low, high = f / float(stats.f.ppf(s.upper, df1, df2)), f * float(stats.f.ppf(s.upper, df2, df1))
    single = form in {"icc_1", "icc_c1"}

    def coefficient(ratio: float) -> float:
        below = ratio + s.k - 1 if single else ratio
        return (ratio - 1) / below if below else -math.inf

    why = "the cases do not differ at all"
    return Icc(
        **frame,
        estimate=number(coefficient(f), why),
        ci_low=number(coefficient(low), why),
        ci_high=number(coefficient(high), why),
        F=f,
        df1=df1,
        df2=df2,
        p=float(stats.f.sf(f, df1, df2)),
    )


def _absolute(s: _Squares, form: Form, frame: dict[str, Any]) -> Icc:
    """Absolute agreement: F with Satterthwaite's degrees of freedom (McGraw & Wong 1996, table 7)."""
    single = form == "icc_a1"
    readers = s.k if single else 1
    denominator = s.r + (s.k - 1) * s.e * single + readers * (s.c - s.e) / s.n
    why = "the mean squares of these few cases admit no value"
    if denominator <= 0:
        return Icc.refused(why, **frame)
    estimate = (s.r - s.e) / denominator
    df1 = s.n - 1
    f = number(s.r / s.e if s.e else math.nan, "the error mean square is zero")
    df2 = _satterthwaite(s, estimate)
    if isinstance(df2, NotEstimable):
        return Icc.refused(df2.why, estimate=estimate, F=f, df1=df1, **frame)
    upper, lower = float(stats.f.ppf(s.upper, df1, df2)), float(stats.f.ppf(s.upper, df2, df1))
    mixed = readers * s.c + (s.k * s.n - s.k - s.n) * s.e if single else s.c - s.e
    p = NotEstimable(f.why) if isinstance(f, NotEstimable) else float(stats.f.sf(f, df1, df2))
    return Icc(
        **frame,
        estimate=estimate,
        ci_low=_limit(s.n * (s.r - upper * s.e), upper * mixed + s.n * s.r),
        ci_high=_limit(s.n * (lower * s.r - s.e), mixed + s.n * lower * s.r),
        F=f,
        df1=df1,
        df2=df2,
        p=p,
    )


def _satterthwaite(s: _Squares, estimate: float) -> float | NotEstimable:
    if estimate >= 1:
        return NotEstimable("the readers never differ")
    # McGraw & Wong leave k out for the readers' mean; SPSS and R irr keep it, and so do we.
    a = s.k * estimate / (s.n * (1 - estimate))
    b = 1 + s.k * estimate * (s.n - 1) / (s.n * (1 - estimate))
    below = (a * s.c) ** 2 / (s.k - 1) + (b * s.e) ** 2 / ((s.n - 1) * (s.k - 1))
    df2 = (a * s.c + b * s.e) ** 2 / below if below else math.nan
    return (
        number(df2, "the degrees of freedom are undefined")
        if df2 > 0
        else NotEstimable("the degrees of freedom are undefined")
    )


def _limit(above: float, below: float) -> Value:
    return number(above / below if below else math.nan, "the limit is undefined for so few cases")


@dataclass(frozen=True, kw_only=True)
class IccForm(Icc):
    """One form of the family under its three names.

    ``df2`` and ``p`` go with the interval (Satterthwaite's degrees of freedom for absolute agreement, R irr);
    ``df2_zero`` and ``p_zero`` test a coefficient of zero with the F of the analysis of variance (SPSS, R psych).
    """

    mcgraw_wong: str
    shrout_fleiss: str
    spss: str
    df2_zero: Value
    p_zero: Value


def icc_family(ratings: ArrayLike, *, level: float = LEVEL) -> dict[Form, IccForm]:
    """All six intraclass correlations of any number of readers, single and average measures.

    Parameters
    ----------
    ratings : array_like of float, shape (cases, readers)
        Cases with a NaN are left out, as SPSS does.
    level : float
        Of the intervals.

    Returns
    -------
    dict of str to IccForm
        By the names of `icc`. Shrout & Fleiss 1979 (Psychol Bull 86:420, table 4), McGraw & Wong 1996 (tables 4 and 7).
        Two-way random and two-way mixed give the same numbers and differ in what they may be generalised to.

    Raises
    ------
    ValueError
        Fewer than two columns.
    """
    n, k = _ratings(ratings).shape
    found = {}
    for form, names in NAMES.items():
        one = icc(ratings, form, level=level)
        df2 = n * (k - 1) if form in {"icc_1", "icc_1k"} else (n - 1) * (k - 1)
        f = one.F
        free = NotEstimable(f.why) if isinstance(f, NotEstimable) else df2
        p = NotEstimable(f.why) if isinstance(f, NotEstimable) else float(stats.f.sf(float(f), n - 1, df2))
        mcgraw_wong, shrout_fleiss, spss = names.split(" | ")
        known = {name.name: getattr(one, name.name) for name in fields(one)}
        found[form] = IccForm(
            **known, mcgraw_wong=mcgraw_wong, shrout_fleiss=shrout_fleiss, spss=spss, df2_zero=free, p_zero=p
        )
    return found


@dataclass(frozen=True, kw_only=True)
class BlandAltman(Result):
    """Bias and limits of agreement of two readers, each with its interval; difference reader 1 - reader 2.

    Attributes
    ----------
    points : tuple of (mean, difference, cases)
        Distinct pairs and how many cases have them.
    """

    bias: Value
    bias_ci_low: Value
    bias_ci_high: Value
    bias_t: Value
    bias_p: Value
    sd_diff: Value
    loa_low: Value
    loa_high: Value
    se_loa: Value
    loa_low_ci_low: Value
    loa_low_ci_high: Value
    loa_high_ci_low: Value
    loa_high_ci_high: Value
    proportional_bias_r: Value
    proportional_bias_p: Value
    points: tuple[tuple[float, float, int], ...] = ()

    FRAME: ClassVar[tuple[str, ...]] = (*Result.FRAME, "points")
    DRAWN: ClassVar[tuple[str, tuple[str, ...]]] = ("points", ("mean", "difference", "cases"))


def bland_altman(first: ArrayLike, second: ArrayLike) -> BlandAltman:
    """Limits of agreement of two readers.

    Parameters
    ----------
    first, second : array_like of float, shape (cases,)
        The two readers' measurements, in one unit; pairwise complete cases are used.

    Returns
    -------
    BlandAltman
        Limits bias -/+ 1.96 SD; a limit's standard error is ``SD sqrt(1/n + 1.96^2 / (2 (n-1)))`` (Bland & Altman 1999,
        Stat Methods Med Res 8:135), intervals from t(n-1). Proportional bias is the Pearson correlation of
        difference and mean. The limits suppose normal differences; with heavy tails their intervals hold about 80 %.
    """
    a, b = complete(first, second)
    n = int(a.size)
    frame: dict[str, Any] = {"n": n, "method": "Bland-Altman, reader 1 - reader 2", "source": "Bland & Altman 1999"}
    if n < 2:
        return BlandAltman.refused(f"this needs two complete cases, there are {n}", **frame)
    d = np.round(a - b, 12)
    bias, sd = float(d.mean()), float(d.std(ddof=1)) if np.ptp(d) else 0.0
    t = float(stats.t.ppf(0.975, n - 1))
    se, se_loa = sd / math.sqrt(n), sd * math.sqrt(1 / n + LIMITS**2 / (2 * (n - 1)))
    low, high = bias - LIMITS * sd, bias + LIMITS * sd
    why = "all differences are equal"
    ratio = bias / se if se else math.nan
    r, r_p = _proportional(d, (a + b) / 2)
    distinct, cases = np.unique(np.column_stack([np.round((a + b) / 2, 12), d]), axis=0, return_counts=True)
    return BlandAltman(
        **frame,
        points=tuple((float(x), float(y), int(k)) for (x, y), k in zip(distinct, cases, strict=True)),
        bias=bias,
        bias_ci_low=bias - t * se,
        bias_ci_high=bias + t * se,
        bias_t=number(ratio, why),
        bias_p=number(2 * float(stats.t.sf(abs(ratio), n - 1)), why),
        sd_diff=sd,
        loa_low=low,
        loa_high=high,
        se_loa=se_loa,
        loa_low_ci_low=low - t * se_loa,
        loa_low_ci_high=low + t * se_loa,
        loa_high_ci_low=high - t * se_loa,
        loa_high_ci_high=high + t * se_loa,
        proportional_bias_r=r,
        proportional_bias_p=r_p,
    )


def _proportional(d: NDArray[np.float64], mean: NDArray[np.float64]) -> tuple[Value, Value]:
    if np.ptp(d) == 0 or np.ptp(mean) == 0:
        no = NotEstimable("the differences or the means are all equal")
        return no, no
    r = float(np.corrcoef(d, mean)[0, 1])
    if d.size < 3:
        return r, NotEstimable("a p-value needs three cases")
    if abs(r) > 1 - 1e-12:
        return r, 0.0
    return r, float(2 * stats.t.sf(abs(r) * math.sqrt((d.size - 2) / (1 - r**2)), d.size - 2))
