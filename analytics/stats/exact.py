"""Exact permutation distributions with ties: rank sums, signed ranks, and r x 2 tables."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from analytics.stats.result import NotEstimable, Value

__all__ = ["rank_sum_two_sided", "signed_rank_two_sided", "table_probability"]

MOST_CELLS = 20_000_000  # 160 MB of counts; about 200 cases without ties
MOST_HALF_TABLES = 4_000_000
RELATIVE = 1e-7  # probabilities this close to the observed one count as equal, as in R


def signed_rank_two_sided(ranks: ArrayLike, positive_sum: float) -> Value:
    """Exact two-sided p of a signed-rank sum, conditional on the midranks.

    Parameters
    ----------
    ranks : array_like of float, shape (m,)
        Midranks of the non-zero differences.
    positive_sum : float
        Sum of the ranks of the positive differences.

    Returns
    -------
    float or NotEstimable
        Share of the 2^m sign patterns whose sum lies at least as far from the centre (shift algorithm, Streitberg &
        Roehmel 1986).
    """
    doubled = np.rint(2 * np.asarray(ranks, dtype=float)).astype(int)
    total = int(doubled.sum())
    if total * doubled.size > MOST_CELLS * 20:
        return NotEstimable(f"the exact distribution is not computed for {doubled.size} changes")
    share = np.zeros(total + 1)
    share[0] = 1.0
    top = 0
    for rank in doubled:
        share[rank : top + rank + 1] += share[: top + 1].copy()
        top += int(rank)
        share[: top + 1] /= 2
    away = np.abs(2 * np.arange(total + 1) - total)
    observed = abs(2 * round(2 * positive_sum) - total)
    return min(1.0, float(share[away >= observed].sum()))


def rank_sum_two_sided(ranks: ArrayLike, in_group: ArrayLike) -> Value:
    """Exact two-sided p of a rank sum, conditional on the midranks.

    Parameters
    ----------
    ranks : array_like of float, shape (n,)
        Midranks of all cases.
    in_group : array_like of bool, shape (n,)
        Members of one group; both groups have members.

    Returns
    -------
    float or NotEstimable
        Share of the ways to choose the group whose rank sum lies at least as far from its expectation.
    """
    scores, member = np.asarray(ranks, dtype=float), np.asarray(in_group, dtype=bool)
    n, size = scores.size, int(member.sum())
    sums, share = _rank_sums(scores, min(size, n - size))
    if sums is None or share is None:
        return NotEstimable(f"the exact distribution is not computed for {n} cases")
    if 2 * size > n:
        sums = scores.sum() - sums  # the distribution of the other group, seen from this one
    # In binary a centre such as 18/51 of 1326 falls a hair beside 468, and the sum that mirrors the observed one then
    # counts or not. R's exactRankTests compares without tolerance; so do we, to print the p-value it prints.
    away = sums - size / n * scores.sum()
    observed = abs(float(scores[member].sum()) - size / n * float(scores.sum()))
    return min(1.0, float(share[away <= -observed].sum()) + float(share[away >= observed].sum()))


def _rank_sums(
    scores: NDArray[np.float64], size: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | tuple[None, None]:
    """Every sum of ``size`` of the scores, and how often it occurs; nothing when there are too many."""
    order = np.sort(np.rint(2 * scores).astype(int))
    most = int(order[-size:].sum())
    if (size + 1) * (most + 1) > MOST_CELLS:
        return None, None
    ways = np.zeros((size + 1, most + 1))
    ways[0, 0] = 1.0
    for seen, rank in enumerate(order, start=1):
        reach = int(order[max(0, seen - size) : seen].sum())
        for taken in range(min(seen, size), 0, -1):
            ways[taken, rank : reach + 1] += ways[taken - 1, : reach + 1 - rank]
    counts = ways[size]
    return np.arange(most + 1) / 2, counts / counts.sum()


def table_probability(table: ArrayLike) -> Value:
    """Two-sided exact p of an r x 2 table (Fisher; Freeman & Halton 1951).

    Parameters
    ----------
    table : array_like of int, shape (r, 2)
        Counts; every row and column has a positive sum.

    Returns
    -------
    float or NotEstimable
        Probability, given the margins, of all tables no more probable than the observed one. Every table is counted:
        the rows are split in two halves, each half is listed, and the halves are joined at the number of successes by
        a sorted search.
    """
    counts = np.asarray(table, dtype=int)
    rows, successes = counts.sum(axis=1), int(counts[:, 1].sum())
    middle = _split(rows)
    if middle is None:
        return NotEstimable(f"the exact test is not computed for a table of this size (n = {int(rows.sum())})")
    left, right = _half(rows[:middle]), _half(rows[middle:])
    norm = _log_choose(int(rows.sum()), successes)
    border = sum(_log_choose(int(n), int(k)) for n, k in zip(rows, counts[:, 1], strict=True)) + math.log1p(RELATIVE)
    total = 0.0
    for here, these in left.items():
        there = right.get(successes - here)
        if there is None:
            continue
        shift = float(these.max())  # keeps both factors inside the range of a float
        below = np.concatenate([[0.0], np.cumsum(np.exp(there + shift - norm))])
        total += float(np.sum(np.exp(these - shift) * below[np.searchsorted(there, border - these, side="right")]))
    return min(1.0, total)


def _split(rows: NDArray[np.int_]) -> int | None:
    """Where to cut the rows so that neither half lists more tables than fit."""
    sizes = [
        (max(math.prod(int(n) + 1 for n in part) for part in (rows[:cut], rows[cut:])), cut)
        for cut in range(1, rows.size)
    ]
    if not sizes:
        return None
    worst, cut = min(sizes)
    return cut if worst <= MOST_HALF_TABLES else None


def _half(rows: NDArray[np.int_]) -> dict[int, NDArray[np.float64]]:
    """Every way to place successes in these rows: by their number, the ascending logs of the numbers of ways."""
    total, log = np.zeros(1, dtype=int), np.zeros(1)
    for n in rows:
        k = np.arange(int(n) + 1)
        ways = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
        total = (total[:, None] + k).ravel()
        log = (log[:, None] + ways).ravel()
    order = np.lexsort((log, total))
    sums, starts = np.unique(total[order], return_index=True)
    return {int(here): part for here, part in zip(sums, np.split(log[order], starts[1:]), strict=True)}


def _log_choose(n: int, k: int) -> float:
    return float(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))
