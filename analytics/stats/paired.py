"""The same cases at two times: Wilcoxon signed-rank, McNemar, Spearman."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from analytics.stats.exact import signed_rank_two_sided
from analytics.stats.result import NotEstimable, Result, Value, Z

__all__ = ["McNemar", "SignedRank", "Spearman", "mcnemar", "signed_rank", "spearman"]


def complete(first: ArrayLike, second: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Keep the cases in which both values are known."""
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if a.shape != b.shape:
        raise ValueError(f"The two series have different lengths: {a.shape} and {b.shape}.")
    known = np.isfinite(a) & np.isfinite(b)
    return a[known], b[known]


@dataclass(frozen=True, kw_only=True)
class SignedRank(Result):
    """Wilcoxon signed-rank test of ``second - first``, as SPSS prints it.

    Attributes
    ----------
    changes : tuple of (change, cases, normal score)
        Distinct changes, how many cases have them, and Blom's normal score of their mean rank: a Q-Q plot as SPSS
        draws it.
    """

    n_negative: Value
    n_positive: Value
    n_zero: Value
    sum_ranks_negative: Value
    sum_ranks_positive: Value
    z: Value
    p: Value
    p_continuity: Value
    p_exact: Value
    changes: tuple[tuple[float, int, float], ...] = ()

    FRAME: ClassVar[tuple[str, ...]] = (*Result.FRAME, "changes")
    DRAWN: ClassVar[tuple[str, tuple[str, ...]]] = ("changes", ("change", "cases", "normal_score"))
    SHOWS_N: ClassVar[bool] = True


def signed_rank(first: ArrayLike, second: ArrayLike) -> SignedRank:
    """Compare two times of the same cases by ranks.

    Parameters
    ----------
    first, second : array_like of float, shape (cases,)
        Pairwise complete cases are used.

    Returns
    -------
    SignedRank
        Zeros dropped, midranks, tie-corrected variance. ``z`` rests on the smaller rank sum (never positive), ``p`` has
        no continuity correction (SPSS), ``p_continuity`` has (R's default), ``p_exact`` is the permutation distribution
        of the midranks.
    """
    a, b = complete(first, second)
    # 6.1 - 3.1 and 9.1 - 6.1 are the same change; binary leftovers would break the tie.
    d = np.round(b - a, 9)
    moved = d[d != 0]
    ranks = stats.rankdata(np.abs(moved))
    up, down = float(ranks[moved > 0].sum()), float(ranks[moved < 0].sum())
    m = int(moved.size)
    known: dict[str, Any] = {
        "n_negative": int(np.sum(d < 0)),
        "n_positive": int(np.sum(d > 0)),
        "n_zero": int(np.sum(d == 0)),
        "sum_ranks_negative": down,
        "sum_ranks_positive": up,
    }
    frame: dict[str, Any] = {
        "n": int(d.size),
        "method": "Wilcoxon signed-rank, zeros dropped, no continuity correction",
        "source": "Wilcoxon 1945; SPSS NPAR TESTS",
        "changes": _normal_scores(d),
    }
    if m == 0:
        return SignedRank.refused(
            "no case changed" if d.size else "no case was observed at both times", **known, **frame
        )
    centre = m * (m + 1) / 4
    ties = np.unique(ranks, return_counts=True)[1].astype(float)
    sd = math.sqrt(m * (m + 1) * (2 * m + 1) / 24 - float(np.sum(ties**3 - ties)) / 48)
    z = (min(up, down) - centre) / sd
    z_half = (abs(up - centre) - 0.5 * (up != centre)) / sd
    return SignedRank(
        **frame,
        **known,
        z=z,
        p=_two_sided(z),
        p_continuity=min(1.0, _two_sided(z_half)),
        p_exact=signed_rank_two_sided(ranks, up),
    )


def _normal_scores(d: NDArray[np.float64]) -> tuple[tuple[float, int, float], ...]:
    """Give distinct values with their counts and Blom scores: the normal quantile of (rank - 3/8) / (n + 1/4)."""
    values, counts = np.unique(d, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2  # equal values share their mean rank
    scores = stats.norm.ppf((ranks - 3 / 8) / (d.size + 1 / 4))
    return tuple((float(x), int(k), float(z)) for x, k, z in zip(values, counts, scores, strict=True))


def _two_sided(z: float) -> float:
    return float(2 * stats.norm.sf(abs(z)))


@dataclass(frozen=True, kw_only=True)
class McNemar(Result):
    """Change of a yes/no outcome; the exact binomial p is the one to report."""

    n_first: Value
    n_second: Value
    both: Value
    lost: Value
    gained: Value
    neither: Value
    chi2: Value
    p_asymptotic: Value
    chi2_continuity: Value
    p_continuity: Value
    p_exact: Value
    p_midp: Value

    SHOWS_N: ClassVar[bool] = True


def mcnemar(first: ArrayLike, second: ArrayLike) -> McNemar:
    """Compare a 0/1 outcome at two times.

    Parameters
    ----------
    first, second : array_like of float, shape (cases,)
        0, 1 or NaN; pairwise complete cases are used.

    Returns
    -------
    McNemar
        ``gained`` counts 0 then 1, ``lost`` 1 then 0. Without a discordant pair the exact p is 1 and the chi-square
        undefined.
    """
    a, b = complete(first, second)
    gained, lost = int(np.sum((a == 0) & (b == 1))), int(np.sum((a == 1) & (b == 0)))
    frame: dict[str, Any] = {"n": int(a.size), "method": "McNemar, exact binomial", "source": "McNemar 1947"}
    known: dict[str, Any] = {
        "n_first": int(a.sum()),
        "n_second": int(b.sum()),
        "both": int(np.sum((a == 1) & (b == 1))),
        "lost": lost,
        "gained": gained,
        "neither": int(np.sum((a == 0) & (b == 0))),
    }
    if a.size == 0:
        return McNemar.refused("no case was observed at both times", **known, **frame)
    moved = gained + lost
    if moved == 0:
        return McNemar.refused("no case changed sides", **known, **frame, p_exact=1.0, p_midp=1.0)
    chi2 = (gained - lost) ** 2 / moved
    chi2_continuity = max(abs(gained - lost) - 1, 0) ** 2 / moved
    fewer = min(gained, lost)
    exact = min(1.0, 2 * float(stats.binom.cdf(fewer, moved, 0.5)))
    half = float(stats.binom.pmf(fewer, moved, 0.5))
    return McNemar(
        **frame,
        **known,
        chi2=chi2,
        p_asymptotic=float(stats.chi2.sf(chi2, 1)),
        chi2_continuity=chi2_continuity,
        p_continuity=float(stats.chi2.sf(chi2_continuity, 1)),
        p_exact=exact,
        p_midp=min(1.0, 2 * float(stats.binom.cdf(fewer, moved, 0.5)) - half),
    )


@dataclass(frozen=True, kw_only=True)
class Spearman(Result):
    """Spearman's rank correlation with three intervals on Fisher's z; ``fieller`` is SPSS's default and ours."""

    rs: Value
    p: Value
    ci_low_fieller: Value
    ci_high_fieller: Value
    ci_low_bonett_wright: Value
    ci_high_bonett_wright: Value
    ci_low_fisher: Value
    ci_high_fisher: Value

    SHOWS_N: ClassVar[bool] = True


def spearman(x: ArrayLike, y: ArrayLike) -> Spearman:
    """Correlate two measurements by ranks.

    Parameters
    ----------
    x, y : array_like of float, shape (cases,)
        Pairwise complete cases are used.

    Returns
    -------
    Spearman
        Pearson correlation of midranks, p from t with n-2 df; intervals ``tanh(atanh(rs) -/+ z se)`` with
        ``se = sqrt(1.06/(n-3))`` (Fieller, Hartley & Pearson 1957), ``sqrt((1+rs^2/2)/(n-3))`` (Bonett & Wright 2000),
        ``1/sqrt(n-3)``.
    """
    a, b = complete(x, y)
    n = int(a.size)
    frame: dict[str, Any] = {
        "n": n,
        "method": "Spearman, midranks, t with n-2 df, Fieller-Hartley-Pearson interval",
        "source": "Fieller, Hartley & Pearson 1957, Biometrika 44:470",
    }
    if n < 2:
        return Spearman.refused(f"a correlation needs two cases, there are {n}", **frame)
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return Spearman.refused("one of the two variables is constant", **frame)
    rs = float(np.corrcoef(stats.rankdata(a), stats.rankdata(b))[0, 1])
    perfect = abs(rs) > 1 - 1e-12
    rs = math.copysign(1.0, rs) if perfect else rs
    if perfect or n <= 3:
        why = "the ranks agree perfectly" if perfect else f"an interval needs four cases, there are {n}"
        return Spearman.refused(why, rs=rs, p=_spearman_p(rs, n), **frame)
    centre = math.atanh(rs)
    limits: dict[str, Any] = {}
    for name, se in (
        ("fieller", math.sqrt(1.06 / (n - 3))),
        ("bonett_wright", math.sqrt((1 + rs**2 / 2) / (n - 3))),
        ("fisher", 1 / math.sqrt(n - 3)),
    ):
        limits[f"ci_low_{name}"] = math.tanh(centre - Z * se)
        limits[f"ci_high_{name}"] = math.tanh(centre + Z * se)
    return Spearman(**frame, rs=rs, p=_spearman_p(rs, n), **limits)


def _spearman_p(rs: float, n: int) -> Value:
    if n < 3:
        return NotEstimable(f"a p-value needs three cases, there are {n}")
    if abs(rs) == 1:
        return 0.0
    t = rs * math.sqrt((n - 2) / (1 - rs**2))
    return float(2 * stats.t.sf(abs(t), n - 2))
