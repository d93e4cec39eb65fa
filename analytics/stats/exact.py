"""Exact permutation distributions with ties: rank sums, signed ranks, and r x 2 tables."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from analytics.stats.result import NotEstimable, Value

__all__ = ["rank_sum_two_sided", "signed_rank_two_sided", "table_probability"]

Ints = NDArray[np.int_]

MOST_CELLS = 8_000_000  # 64 MB of counts; about 270 cases without ties
MOST_GROUPS = 12  # distinct scores up to which choices are listed by score
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
    if total * doubled.size > MOST_CELLS * 50:
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
        Members of one group.

    Returns
    -------
    float or NotEstimable
        Share of the ways to choose the group whose rank sum lies at least as far from its expectation.
    """
    scores, member = np.asarray(ranks, dtype=float), np.asarray(in_group, dtype=bool)
    size = int(member.sum())
    if size in (0, scores.size):
        return NotEstimable("one of the two groups is empty")
    # In binary a centre such as 18/51 of 1326 falls a hair beside 468, and the sum that mirrors the observed one then
    # counts or not. R's exactRankTests compares without tolerance; so do we, to print the p-value it prints.
    centre = size / scores.size * float(scores.sum())
    observed = abs(float(scores[member].sum()) - centre)
    low = _last(lambda doubled: doubled / 2 - centre <= -observed, 2 * (centre - observed))
    high = _last(lambda doubled: doubled / 2 - centre < observed, 2 * (centre + observed)) + 1
    values, times = np.unique(np.rint(2 * scores).astype(int), return_counts=True)
    tails = _tails_of_groups(values, times, size, low, high)
    if tails is None:
        tails = _tails_of_scores(np.repeat(values, times), size, low, high)
    if tails is None:
        return NotEstimable(f"the exact distribution is not computed for {scores.size} cases")
    return min(1.0, tails)


def _last(holds: Callable[[int], bool], near: float) -> int:
    """Find the last whole number for which a condition holds that is lost near a place."""
    last = math.ceil(near) + 2
    while not holds(last):
        last -= 1
    return last


def _tails_of_groups(values: Ints, times: Ints, size: int, low: int, high: int) -> float | None:
    """Share of the choices with a sum up to ``low`` or from ``high`` on, where few distinct scores are much tied.

    The distinct scores are split in two halves; each half lists how many are taken of each score, with the number of
    ways; the halves are joined at the number taken by a sorted search.
    """
    middle = _split(times)
    if middle is None or values.size > MOST_GROUPS:
        return None
    left, right = (_takings(values[part], times[part]) for part in (slice(middle), slice(middle, None)))
    norm = _log_choose(int(times.sum()), size)
    total = 0.0
    for taken, (sums, logs) in left.items():
        if size - taken not in right:
            continue
        others, other_logs = right[size - taken]
        shift = float(logs.max())
        weight = np.concatenate([[0.0], np.cumsum(np.exp(other_logs + shift - norm))])
        below = weight[np.searchsorted(others, low - sums, side="right")]
        above = weight[-1] - weight[np.searchsorted(others, high - sums, side="left")]
        total += float(np.sum(np.exp(logs - shift) * (below + above)))
    return total


def _takings(values: Ints, times: Ints) -> dict[int, tuple[Ints, NDArray[np.float64]]]:
    """Every way to take from these scores: by how many, the ascending sums and the logs of the numbers of ways."""
    taken, sums, logs = np.zeros(1, dtype=int), np.zeros(1, dtype=int), np.zeros(1)
    for value, n in zip(values, times, strict=True):
        k = np.arange(int(n) + 1)
        taken = (taken[:, None] + k).ravel()
        sums = (sums[:, None] + k * int(value)).ravel()
        logs = (logs[:, None] + _log_ways(int(n))).ravel()
    order = np.lexsort((sums, taken))
    counts, starts = np.unique(taken[order], return_index=True)
    parts = zip(counts, np.split(sums[order], starts[1:]), np.split(logs[order], starts[1:]), strict=True)
    return {int(count): (part, log) for count, part, log in parts}


def _tails_of_scores(scores: Ints, size: int, low: int, high: int) -> float | None:
    """Give the same share where nearly every score is its own, by the shift algorithm; ``scores`` ascend."""
    mirrored = 2 * size > scores.size
    if mirrored:  # the other group's sums are the mirror image, and fewer to count
        size, low, high = scores.size - size, int(scores.sum()) - high, int(scores.sum()) - low
    most = int(scores[-size:].sum())
    if (size + 1) * (most + 1) > MOST_CELLS:
        return None
    ways = np.zeros((size + 1, most + 1))
    ways[0, 0] = 1.0
    before = np.concatenate([[0], np.cumsum(scores)])
    for seen, score in enumerate(scores, start=1):
        # Fewer than would be missing at the end need not be counted, nor sums that so many cannot have.
        for taken in range(min(seen, size), max(0, size - (scores.size - seen) - 1), -1):
            least, greatest = int(before[taken - 1]), int(before[seen - 1] - before[seen - taken])
            ways[taken, least + score : greatest + score + 1] += ways[taken - 1, least : greatest + 1]
    counts = ways[size]
    return float((counts[: max(0, low + 1)].sum() + counts[max(0, high) :].sum()) / counts.sum())


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


def _split(rows: Ints) -> int | None:
    """Where to cut the rows so that neither half lists more tables than fit."""
    sizes = [
        (max(math.prod(int(n) + 1 for n in part) for part in (rows[:cut], rows[cut:])), cut)
        for cut in range(1, rows.size)
    ]
    if not sizes:
        return None
    worst, cut = min(sizes)
    return cut if worst <= MOST_HALF_TABLES else None


def _half(rows: Ints) -> dict[int, NDArray[np.float64]]:
    """Every way to place successes in these rows: by their number, the ascending logs of the numbers of ways."""
    total, log = np.zeros(1, dtype=int), np.zeros(1)
    for n in rows:
        total = (total[:, None] + np.arange(int(n) + 1)).ravel()
        log = (log[:, None] + _log_ways(int(n))).ravel()
    order = np.lexsort((log, total))
    sums, starts = np.unique(total[order], return_index=True)
    return {int(here): part for here, part in zip(sums, np.split(log[order], starts[1:]), strict=True)}


def _log_ways(n: int) -> NDArray[np.float64]:
    k = np.arange(n + 1)
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1), dtype=np.float64)


def _log_choose(n: int, k: int) -> float:
    return float(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))
