"""Two readers, one categorical finding: agreement, kappa, PABAK, Gwet, Brennan-Prediger, Krippendorff.

Every coefficient is taken from the table on the DECLARED scale: leaving out a level nobody used moves the weights and
changes AC1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from analytics.stats.kappa_score import score_limits
from analytics.stats.result import NotEstimable, Result, Value, Z, number
from analytics.stats.square import (
    NO_PAIRS,
    ONE_CATEGORY,
    ONE_LEVEL,
    ONE_READER_CONSTANT,
    Weighting,
    square,
    weights,
    yes_no,
)

__all__ = [
    "Alpha",
    "BiasPrevalence",
    "ChanceCorrected",
    "Kappa",
    "Pabak",
    "PercentAgreement",
    "Specific",
    "bias_prevalence",
    "brennan_prediger",
    "gwet",
    "kappa",
    "krippendorff",
    "pabak",
    "percent_agreement",
    "specific_agreement",
]

Metric = Literal["nominal", "ordinal", "interval"]


@dataclass(frozen=True, kw_only=True)
class PercentAgreement(Result):
    """Share of pairs in which both readers gave the same level."""

    n_pairs: Value
    percent_agreement: Value


def percent_agreement(table: ArrayLike) -> PercentAgreement:
    """Percentage of identical gradings.

    Parameters
    ----------
    table : array_like of int, shape (levels, levels)
        Rows reader 1, columns reader 2, complete pairs only.
    """
    counts = square(table)
    n = int(counts.sum())
    frame: dict[str, Any] = {"n": n, "method": "percent agreement of complete pairs"}
    if n == 0:
        return PercentAgreement.refused(NO_PAIRS, n_pairs=0, **frame)
    return PercentAgreement(**frame, n_pairs=n, percent_agreement=100 * float(np.trace(counts)) / n)


@dataclass(frozen=True, kw_only=True)
class Specific(Result):
    """Specific agreement of each level."""

    levels: tuple[str, ...]
    shares: tuple[Value, ...]

    def values(self) -> dict[str, Value]:
        """One share a level."""
        return dict(zip(self.levels, self.shares, strict=True))


def specific_agreement(table: ArrayLike, levels: Sequence[str]) -> Specific:
    """Give ``2 n_kk / (n_k. + n_.k)`` for each level; for a yes/no finding the negative and positive agreement.

    Parameters
    ----------
    table : array_like of int, shape (levels, levels)
        Complete pairs.
    levels : sequence of str
        What each level is called.
    """
    counts = square(table)
    used = counts.sum(axis=0) + counts.sum(axis=1)
    shares = tuple(
        2 * float(counts[k, k]) / float(used[k]) if used[k] else NotEstimable("neither reader used this level")
        for k in range(len(levels))
    )
    return Specific(
        n=int(counts.sum()),
        method="specific agreement",
        source="Dice 1945; Fleiss 1975",
        levels=tuple(levels),
        shares=shares,
    )


@dataclass(frozen=True, kw_only=True)
class Kappa(Result):
    """Cohen's kappa: Wald interval from ``ase1``, test of zero from ``ase0``, score interval."""

    estimate: Value
    ase1: Value
    ci_low: Value
    ci_high: Value
    ase0: Value
    z_approx_t: Value
    p: Value
    po: Value
    pe: Value
    ci_low_score: Value
    ci_high_score: Value


def kappa(table: ArrayLike, codes: ArrayLike, weighting: Weighting = "unweighted") -> Kappa:
    """Cohen's kappa on the declared scale.

    Parameters
    ----------
    table : array_like of int, shape (levels, levels)
        Rows reader 1, columns reader 2, complete pairs only.
    codes : array_like of float, shape (levels,)
        Declared codes, which carry the distances of the weights.
    weighting : {"unweighted", "linear", "quadratic"}
        Weights of `weights`.

    Returns
    -------
    Kappa
        ``ase1`` (Fleiss, Cohen & Everitt 1969, Psychol Bull 72:323) is SPSS's "Asymptotic Standard Error" and gives the
        Wald interval, not truncated; ``z_approx_t`` is its "Approximate T"; the limits ``_score`` are `score_limits`.
        Undefined when all cases lie in one category; with one constant reader 0 by the formula, no test, and a note.
    """
    counts = square(table)
    n = int(counts.sum())
    frame: dict[str, Any] = {
        "n": n,
        "method": f"Cohen's kappa, {weighting}, Wald interval from ase1, score interval",
        "source": "Fleiss, Cohen & Everitt 1969; Lang 2008",
    }
    if n == 0:
        return Kappa.refused(NO_PAIRS, **frame)
    w = weights(codes, weighting)
    p = counts / n
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    po, pe = float(np.sum(w * p)), float(rows @ w @ columns)
    constant = (np.count_nonzero(rows) == 1, np.count_nonzero(columns) == 1)
    if all(constant) and np.trace(counts) == n:
        return Kappa.refused(ONE_CATEGORY, po=po, pe=pe, **frame)
    if any(constant):
        return _one_constant(po, pe, frame)
    estimate = (po - pe) / (1 - pe)
    mean = (w @ columns)[:, None] + (rows @ w)[None, :]
    spread1 = float(np.sum(p * (w - mean * (1 - estimate)) ** 2)) - (estimate - pe * (1 - estimate)) ** 2
    spread0 = float(np.sum(np.outer(rows, columns) * (w - mean) ** 2)) - pe**2
    ase1 = 0.0 if po == 1 else _root(spread1) / ((1 - pe) * math.sqrt(n))
    ase0 = _root(spread0) / ((1 - pe) * math.sqrt(n))
    z = estimate / ase0 if ase0 > 0 else math.nan
    why = "the standard error under the null is zero"
    low, high = score_limits(counts, w)
    return Kappa(
        **frame,
        estimate=estimate,
        ase1=ase1,
        ci_low=estimate - Z * ase1,
        ci_high=estimate + Z * ase1,
        ase0=ase0,
        z_approx_t=number(z, why),
        p=number(2 * float(stats.norm.sf(abs(z))), why),
        po=po,
        pe=pe,
        ci_low_score=low,
        ci_high_score=high,
    )


def _one_constant(po: float, pe: float, frame: dict[str, Any]) -> Kappa:
    no = NotEstimable(ONE_READER_CONSTANT)
    note = f"Not estimable as agreement: {ONE_READER_CONSTANT}, so the formula gives 0 whatever the other did."
    zero: dict[str, Any] = dict.fromkeys(("estimate", "ase1", "ci_low", "ci_high", "ase0"), 0.0)
    unknown: dict[str, Any] = dict.fromkeys(("z_approx_t", "p", "ci_low_score", "ci_high_score"), no)
    return Kappa(**frame, **zero, **unknown, notes=(note,), po=po, pe=pe)


def _root(variance: float) -> float:
    return math.sqrt(variance) if variance > 1e-15 else 0.0


@dataclass(frozen=True, kw_only=True)
class Pabak(Result):
    """Prevalence- and bias-adjusted kappa of a yes/no finding."""

    estimate: Value


def pabak(table: ArrayLike) -> Pabak:
    """Give ``2 po - 1`` (Byrt, Bishop & Carlin 1993, J Clin Epidemiol 46:423).

    Parameters
    ----------
    table : array_like of int, shape (2, 2)
        Complete pairs; another shape raises a ``ValueError``: with more levels see `brennan_prediger`.
    """
    counts = yes_no(table)
    n = int(counts.sum())
    frame: dict[str, Any] = {"n": n, "method": "PABAK = 2 po - 1", "source": "Byrt, Bishop & Carlin 1993"}
    if n == 0:
        return Pabak.refused(NO_PAIRS, **frame)
    return Pabak(**frame, estimate=2 * float(np.trace(counts)) / n - 1)


@dataclass(frozen=True, kw_only=True)
class BiasPrevalence(Result):
    """How far the readers' totals differ, and how rare the finding is."""

    bias_index: Value
    prevalence_index: Value


def bias_prevalence(table: ArrayLike) -> BiasPrevalence:
    """Give bias index (b-c)/n and prevalence index (a-d)/n (Byrt, Bishop & Carlin 1993).

    Parameters
    ----------
    table : array_like of int, shape (2, 2)
        Second level is positive: a both positive, b only reader 1, c only reader 2, d both negative.

    Raises
    ------
    ValueError
        A table of another shape.
    """
    counts = yes_no(table)
    n = int(counts.sum())
    frame: dict[str, Any] = {"n": n, "method": "bias and prevalence index", "source": "Byrt, Bishop & Carlin 1993"}
    if n == 0:
        return BiasPrevalence.refused(NO_PAIRS, **frame)
    (d, c), (b, a) = counts.tolist()
    return BiasPrevalence(**frame, bias_index=(b - c) / n, prevalence_index=(a - d) / n)


@dataclass(frozen=True, kw_only=True)
class ChanceCorrected(Result):
    """A chance-corrected coefficient with its linearised standard error."""

    estimate: Value
    se: Value
    ci_low: Value
    ci_high: Value
    pa: Value
    pe: Value


def gwet(table: ArrayLike, codes: ArrayLike, weighting: Weighting = "unweighted") -> ChanceCorrected:
    """Gwet's AC1 (unweighted) or AC2 on the declared scale.

    Parameters
    ----------
    table : array_like of int, shape (levels, levels)
        Complete pairs.
    codes : array_like of float, shape (levels,)
        Declared codes; their number and distances enter the coefficient.
    weighting : {"unweighted", "linear", "quadratic"}
        AC1 for unweighted, AC2 otherwise.

    Returns
    -------
    ChanceCorrected
        Subject-level linearisation and t(n-1) interval, not truncated (Gwet 2008, Br J Math Stat Psychol 61:29; 2014,
        ch. 5).
    """
    q = np.asarray(codes).size
    w = weights(codes, weighting)
    factor = float(w.sum()) / max(1, q * (q - 1))

    def chance(margin: NDArray[np.float64], row: NDArray[np.int_], column: NDArray[np.int_]) -> NDArray[np.float64]:
        return factor * ((1 - margin)[row] + (1 - margin)[column]) / 2

    name = "Gwet's AC1" if weighting == "unweighted" else f"Gwet's AC2, {weighting} weights"
    return _linearised(
        table, w, chance, slope=2.0, method=f"{name}, declared scale, t(n-1) interval", source="Gwet 2008, 2014"
    )


def brennan_prediger(table: ArrayLike, codes: ArrayLike, weighting: Weighting = "unweighted") -> ChanceCorrected:
    """Brennan-Prediger coefficient: chance is one over the number of declared levels (Brennan & Prediger 1981).

    Parameters
    ----------
    table : array_like of int, shape (levels, levels)
        Complete pairs.
    codes : array_like of float, shape (levels,)
        Declared codes.
    weighting : {"unweighted", "linear", "quadratic"}
        Weights of `weights`.
    """
    q = np.asarray(codes).size
    w = weights(codes, weighting)

    def chance(margin: NDArray[np.float64], row: NDArray[np.int_], column: NDArray[np.int_]) -> NDArray[np.float64]:
        return np.full(row.shape, float(w.sum()) / max(1, q**2))

    method = f"Brennan-Prediger, {weighting}, declared scale, t(n-1) interval"
    return _linearised(table, w, chance, slope=0.0, method=method, source="Brennan & Prediger 1981; Gwet 2014")


def _linearised(
    table: ArrayLike,
    w: NDArray[np.float64],
    chance: Callable[[NDArray[np.float64], NDArray[np.int_], NDArray[np.int_]], NDArray[np.float64]],
    *,
    slope: float,
    method: str,
    source: str,
) -> ChanceCorrected:
    """Coefficient and its variance over cases; ``chance`` gives each case's share of the chance agreement."""
    counts = square(table)
    n = int(counts.sum())
    frame: dict[str, Any] = {"n": n, "method": method, "source": source}
    if n == 0 or len(w) < 2:
        return ChanceCorrected.refused(NO_PAIRS if n == 0 else ONE_LEVEL, **frame)
    row, column = np.nonzero(counts)
    times = counts[row, column]
    margin = (counts.sum(axis=0) + counts.sum(axis=1)) / (2 * n)
    own = w[row, column]
    own_chance = chance(margin, row, column)
    pa = float(np.sum(times * own)) / n
    pe = float(np.sum(times * own_chance)) / n
    if abs(1 - pe) < 1e-12:
        return ChanceCorrected.refused("chance agreement is perfect", pa=pa, pe=pe, **frame)
    estimate = (pa - pe) / (1 - pe)
    if n == 1:
        return ChanceCorrected.refused("a standard error needs two pairs", estimate=estimate, pa=pa, pe=pe, **frame)
    linear = (own - pe) / (1 - pe) - slope * (1 - estimate) * (own_chance - pe) / (1 - pe)
    se = math.sqrt(float(np.sum(times * (linear - estimate) ** 2)) / (n * (n - 1)))
    half = float(stats.t.ppf(0.975, n - 1)) * se
    return ChanceCorrected(
        **frame, estimate=estimate, se=se, ci_low=estimate - half, ci_high=estimate + half, pa=pa, pe=pe
    )


@dataclass(frozen=True, kw_only=True)
class Alpha(Result):
    """Krippendorff's alpha; its interval needs a bootstrap."""

    estimate: Value


def krippendorff(table: ArrayLike, codes: ArrayLike, metric: Metric = "nominal") -> Alpha:
    """Krippendorff's alpha of two readers.

    Parameters
    ----------
    table : array_like of int, shape (levels, levels)
        Complete pairs.
    codes : array_like of float, shape (levels,)
        Declared codes, ascending.
    metric : {"nominal", "ordinal", "interval"}
        Squared distance: 0/1, cumulated margins, or squared difference of codes.

    Returns
    -------
    Alpha
        ``1 - observed / expected`` disagreement of the coincidence matrix (Krippendorff 2004, ch. 11).
    """
    counts = square(table)
    n = int(counts.sum())
    frame: dict[str, Any] = {"n": n, "method": f"Krippendorff's alpha, {metric}", "source": "Krippendorff 2004"}
    if n == 0:
        return Alpha.refused(NO_PAIRS, **frame)
    coincidence = counts + counts.T
    margin = coincidence.sum(axis=1).astype(float)
    delta = _distance(np.asarray(codes, dtype=float), margin, metric)
    expected = float(margin @ delta @ margin) / (2 * n - 1)
    if expected == 0:
        return Alpha.refused(ONE_CATEGORY, **frame)
    return Alpha(**frame, estimate=1 - float(np.sum(coincidence * delta)) / expected)


def _distance(codes: NDArray[np.float64], margin: NDArray[np.float64], metric: Metric) -> NDArray[np.float64]:
    if metric == "nominal":
        return 1 - np.eye(codes.size)
    if metric == "interval":
        return (codes[:, None] - codes) ** 2
    middle = np.cumsum(margin) - margin / 2
    return (middle[:, None] - middle) ** 2
