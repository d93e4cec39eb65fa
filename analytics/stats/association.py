"""A finding against a yes/no outcome: rank sums, contingency tables, and families of p-values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from analytics.stats.exact import rank_sum_two_sided, table_probability
from analytics.stats.paired import complete
from analytics.stats.result import NotEstimable, Result, Value

__all__ = [
    "Adjusted",
    "Contingency",
    "Counts",
    "RankSum",
    "adjust",
    "contingency",
    "cross_table",
    "rank_sum",
    "table_counts",
]


@dataclass(frozen=True, kw_only=True)
class RankSum(Result):
    """Mann-Whitney test of a graded or measured finding between the outcome's two groups, as SPSS prints it."""

    n0: Value
    n1: Value
    U: Value
    U1: Value
    W: Value
    mean_rank_0: Value
    mean_rank_1: Value
    z: Value
    p: Value
    p_continuity: Value
    p_exact: Value


def rank_sum(values: ArrayLike, group: ArrayLike) -> RankSum:
    """Compare a finding between two groups by ranks.

    Parameters
    ----------
    values : array_like of float, shape (cases,)
        Grades or measurements; NaN is missing.
    group : array_like of float, shape (cases,)
        0, 1 or NaN. Pairwise complete cases are used.

    Returns
    -------
    RankSum
        ``U`` is the smaller of the two, ``U1`` that of group 1, ``W`` the rank sum of the smaller group. ``z`` is
        tie-corrected and never positive, ``p`` has no continuity correction (SPSS), ``p_continuity`` has (R),
        ``p_exact`` is the permutation distribution of the midranks.
    """
    x, g = complete(values, group)
    n1, n0 = int(np.sum(g == 1)), int(np.sum(g == 0))
    n = n0 + n1
    frame: dict[str, Any] = {
        "n": n,
        "method": "Mann-Whitney U, tie-corrected, no continuity correction",
        "source": "Mann & Whitney 1947; SPSS NPAR TESTS",
    }
    sizes: dict[str, Any] = {"n0": n0, "n1": n1}
    if n0 == 0 or n1 == 0:
        return RankSum.refused("one of the two groups is empty", **sizes, **frame)
    ranks = stats.rankdata(x)
    sum1 = float(ranks[g == 1].sum())
    sum0 = n * (n + 1) / 2 - sum1
    u1 = sum1 - n1 * (n1 + 1) / 2
    known: dict[str, Any] = {
        **sizes,
        "U": min(u1, n0 * n1 - u1),
        "U1": u1,
        "W": sum1 if n1 < n0 else sum0,
        "mean_rank_0": sum0 / n0,
        "mean_rank_1": sum1 / n1,
    }
    ties = np.unique(ranks, return_counts=True)[1].astype(float)
    variance = n0 * n1 / 12 * ((n + 1) - float(np.sum(ties**3 - ties)) / (n * (n - 1)))
    if np.ptp(x) == 0:
        return RankSum.refused("all values are equal", **known, **frame)
    away = abs(u1 - n0 * n1 / 2)
    sd = math.sqrt(variance)
    return RankSum(
        **frame,
        **known,
        z=-away / sd,
        p=_two_sided(away / sd),
        p_continuity=min(1.0, _two_sided((away - 0.5 * (away > 0)) / sd)),
        p_exact=rank_sum_two_sided(ranks, g == 1),
    )


def _two_sided(z: float) -> float:
    return float(2 * stats.norm.sf(z))


@dataclass(frozen=True, kw_only=True)
class Counts(Result):
    """The cells of a table, named ``row|column``."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[int, ...], ...]

    def values(self) -> dict[str, Value]:
        """One count a cell."""
        return {
            f"{row}|{column}": self.cells[i][j]
            for i, row in enumerate(self.rows)
            for j, column in enumerate(self.columns)
        }


def cross_table(
    rows: ArrayLike, columns: ArrayLike, row_codes: Sequence[float], column_codes: Sequence[float]
) -> NDArray[np.int_]:
    """Count pairs on the declared codes, used or not.

    Parameters
    ----------
    rows, columns : array_like of float, shape (cases,)
        Codes; cases with a NaN in either are left out.
    row_codes, column_codes : sequence of float
        Every declared code, ascending.

    Returns
    -------
    ndarray of int, shape (len(row_codes), len(column_codes))
    """
    a, b = complete(rows, columns)
    return np.array([[int(np.sum((a == i) & (b == j))) for j in column_codes] for i in row_codes], dtype=int).reshape(
        len(row_codes), len(column_codes)
    )


def table_counts(table: NDArray[np.int_], rows: Sequence[str], columns: Sequence[str]) -> Counts:
    """Name the cells of a table."""
    return Counts(
        n=int(table.sum()),
        method="counts of complete pairs",
        rows=tuple(rows),
        columns=tuple(columns),
        cells=tuple(tuple(int(cell) for cell in row) for row in table),
    )


@dataclass(frozen=True, kw_only=True)
class Contingency(Result):
    """Every test of an r x 2 table; `notes` say when Fisher's test belongs beside Pearson's."""

    chi2: Value
    df: Value
    p: Value
    yates_chi2: Value
    yates_p: Value
    lr_chi2: Value
    lr_p: Value
    linear_by_linear: Value
    linear_by_linear_p: Value
    fisher_p: Value
    cramers_v: Value
    min_expected: Value
    pct_expected_below_5: Value
    odds_ratio: Value
    risk_ratio: Value

    SHOWS_N: ClassVar[bool] = True


NO_SCORES = NotEstimable("the levels have no order to score")
NOT_2X2 = NotEstimable("this is defined for tables of two rows and two columns")
FALLBACK = "Expected counts are small: read Fisher's exact p beside Pearson's."


def contingency(table: ArrayLike, scores: Sequence[float] | None = None) -> Contingency:
    """Test an r x 2 table in every customary way.

    Parameters
    ----------
    table : array_like of int, shape (r, 2)
        Rows are levels of the finding in ascending order, columns outcome 0 and 1. Empty rows and columns are dropped.
    scores : sequence of float, optional
        Score of each row for the linear-by-linear test (the grade codes).

    Returns
    -------
    Contingency
        Pearson without Yates' correction is ``p``; ``fisher_p`` is exact (Fisher; Freeman-Halton for r > 2).
        ``odds_ratio`` is ad/bc, ``risk_ratio`` P(outcome | second row) / P(outcome | first row); either may be
        infinite.
    """
    full = np.asarray(table, dtype=int)
    rows, columns = full.sum(axis=1) > 0, full.sum(axis=0) > 0
    kept = full[rows][:, columns]
    n = int(kept.sum())
    frame: dict[str, Any] = {
        "n": n,
        "method": "Pearson chi-square without continuity correction",
        "source": "Pearson 1900",
    }
    if min(kept.shape) < 2:
        why = (
            "no case is complete"
            if n == 0
            else "every case has the same level"
            if kept.shape[0] < 2
            else "every case has the same outcome"
        )
        return Contingency.refused(why, **frame)
    expected = np.outer(kept.sum(axis=1), kept.sum(axis=0)) / n
    df = kept.shape[0] - 1
    chi2 = float(np.sum((kept - expected) ** 2 / expected))
    positive = kept > 0
    lr = float(2 * np.sum(kept[positive] * np.log(kept[positive] / expected[positive])))
    below = 100 * float(np.mean(expected < 5))
    small = below > 0 if kept.shape == (2, 2) else below > 20 or bool(expected.min() < 1)
    return Contingency(
        **frame,
        notes=(FALLBACK,) if small else (),
        chi2=chi2,
        df=df,
        p=float(stats.chi2.sf(chi2, df)),
        lr_chi2=lr,
        lr_p=float(stats.chi2.sf(lr, df)),
        fisher_p=table_probability(kept),
        cramers_v=math.sqrt(chi2 / n),
        min_expected=float(expected.min()),
        pct_expected_below_5=below,
        **_linear(kept, None if scores is None else np.asarray(scores, dtype=float)[rows]),
        **_two_by_two(kept, expected),
    )


def _linear(kept: NDArray[np.int_], scores: NDArray[np.float64] | None) -> dict[str, Any]:
    if scores is None:
        return {"linear_by_linear": NO_SCORES, "linear_by_linear_p": NO_SCORES}
    n = int(kept.sum())
    row = scores - np.sum(scores * kept.sum(axis=1)) / n
    outcome = kept[:, 1] - kept.sum(axis=1) * kept[:, 1].sum() / n
    share = kept[:, 1].sum() / n
    covariance = float(np.sum(row * outcome))
    statistic = (n - 1) * covariance**2 / (float(np.sum(row**2 * kept.sum(axis=1))) * n * share * (1 - share))
    return {"linear_by_linear": float(statistic), "linear_by_linear_p": float(stats.chi2.sf(statistic, 1))}


def _two_by_two(kept: NDArray[np.int_], expected: NDArray[np.float64]) -> dict[str, Any]:
    if kept.shape != (2, 2):
        return dict.fromkeys(("yates_chi2", "yates_p", "odds_ratio", "risk_ratio"), NOT_2X2)
    distance = np.abs(kept - expected)
    yates = float(np.sum((distance - np.minimum(0.5, distance)) ** 2 / expected))
    (a, b), (c, d) = (tuple(float(cell) for cell in row) for row in kept)
    return {
        "yates_chi2": yates,
        "yates_p": float(stats.chi2.sf(yates, 1)),
        "odds_ratio": _ratio(a * d, b * c),
        "risk_ratio": _ratio(d / (c + d), b / (a + b)),
    }


def _ratio(above: float, below: float) -> Value:
    if below == 0:
        return math.inf if above > 0 else NotEstimable("both products are zero")
    return above / below


@dataclass(frozen=True, kw_only=True)
class Adjusted(Result):
    """One p-value of a family, adjusted three ways."""

    p_raw: Value
    p_bonferroni: Value
    p_holm: Value
    p_bh: Value


def adjust(family: Mapping[str, Value]) -> dict[str, Adjusted]:
    """Adjust a family of p-values for multiplicity.

    Parameters
    ----------
    family : mapping of str to float or NotEstimable
        Raw p-values by name. Those without a value are reported as such and do not count in the family.

    Returns
    -------
    dict of str to Adjusted
        Bonferroni, Holm (1979) and Benjamini & Hochberg (1995), as R's ``p.adjust``.
    """
    known = {name: float(p) for name, p in family.items() if not isinstance(p, NotEstimable)}
    m = len(known)
    frame: dict[str, Any] = {
        "n": m,
        "method": f"family of {m} tests: Bonferroni, Holm, Benjamini-Hochberg",
        "source": "R p.adjust",
    }
    names = sorted(known, key=lambda name: known[name])
    p = np.array([known[name] for name in names])
    steps = np.arange(m)
    holm = np.minimum(1.0, np.maximum.accumulate(p * (m - steps)))
    bh = np.minimum(1.0, np.minimum.accumulate((p * m / (steps + 1))[::-1])[::-1])
    found: dict[str, Adjusted] = {}
    for place, name in enumerate(names):
        found[name] = Adjusted(
            **frame,
            p_raw=known[name],
            p_bonferroni=min(1.0, known[name] * m),
            p_holm=float(holm[place]),
            p_bh=float(bh[place]),
        )
    refused = {name: Adjusted.refused(p.why, **frame) for name, p in family.items() if isinstance(p, NotEstimable)}
    return {name: found.get(name) or refused[name] for name in family}
