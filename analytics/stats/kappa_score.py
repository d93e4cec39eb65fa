"""Score limits of Cohen's kappa: the values that Pearson's chi-square does not reject."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.stats.result import NotEstimable, Value, Z
from analytics.stats.square import NO_PAIRS, ONE_READER_CONSTANT, square

__all__ = ["UNCONFIRMED", "score_limits"]

Array = NDArray[np.float64]
BOUND = Z**2
UNCONFIRMED = "no case was given one of the two levels by both readers"
NOBODY_AGREES = "no case was given the same level by both readers"
TOO_FEW = "too few cases agree or differ for a limit"
STEPS = 200
NEWTON = 40
INSIDE = 0.9  # of the way to the border of what shares can be
CLOSE = 1e-10
STALLED = 1e-6  # near kappa 1 rounding alone moves the shares by this much; no further step then comes closer
LEAST = -1.0  # no kappa of these weights lies below


class _Cells:
    """The cells that occurred: ``count`` of them, their weights, and how chance agreement bends with their shares."""

    def __init__(self, table: NDArray[np.int_], w: Array) -> None:
        self.row, self.column = np.nonzero(table)
        self.count = table[self.row, self.column].astype(float)
        self.n = float(self.count.sum())
        self.own = w[self.row, self.column]
        crossed = w[self.row][:, self.column]
        self.bend = crossed + crossed.T

    def kappa(self, p: Array) -> float:
        pe = float(p @ self.bend @ p) / 2
        return (float(p @ self.own) - pe) / (1 - pe)

    def chi2(self, p: Array) -> float:
        return float((self.count**2 / p).sum()) / self.n - self.n

    def spread(self, p: Array) -> float:
        """Give the variance of kappa in one case, by the delta method."""
        pull = self.own - (1 - self.kappa(p)) * (self.bend @ p)
        middle = float(p @ pull)
        return float(p @ (pull - middle) ** 2) / (1 - float(p @ self.bend @ p) / 2) ** 2

    @np.errstate(over="ignore", divide="ignore", invalid="ignore")  # steps that run away are seen by their own look
    def likeliest(self, kappa: float, start: Array) -> Array | None:
        """Give the most likely table of this kappa, by Newton's method on Lagrange's conditions."""
        size = start.size
        matrix, right = np.zeros((size + 2, size + 2)), np.zeros(size + 2)
        p, pressure, before = start, 0.0, math.inf
        for _ in range(NEWTON):
            toward = self.bend @ p
            slope = self.own - (1 - kappa) * toward
            matrix[:size, :size] = -pressure * (1 - kappa) * self.bend
            matrix[np.arange(size), np.arange(size)] += self.count / p**2
            matrix[:size, size] = matrix[size, :size] = 1
            matrix[:size, size + 1] = matrix[size + 1, :size] = slope
            right[:size] = self.count / p
            right[size:] = 1 - p.sum(), kappa - float(p @ self.own) + (1 - kappa) * float(p @ toward) / 2
            try:
                found = np.linalg.solve(matrix, right)
            except np.linalg.LinAlgError:
                return None
            step, pressure = found[:size], float(found[-1])
            if not np.isfinite(found).all():
                return None
            reach = float((-step / p).max())
            p = p + step * (1.0 if reach < INSIDE else INSIDE / reach)
            moved = float(np.abs(step / p).max())
            if moved < CLOSE or before <= moved < STALLED:
                return p
            before = moved
        return None


def score_limits(table: ArrayLike, w: ArrayLike) -> tuple[Value, Value]:
    """Give the 95 % score interval of kappa, weighted or not.

    Parameters
    ----------
    table : array_like of int, shape (levels, levels)
        Rows reader 1, columns reader 2, complete pairs only.
    w : array_like of float, shape (levels, levels)
        Agreement weights, 1 on the diagonal.

    Returns
    -------
    tuple of Value
        The kappas for which ``sum((n_i - n p_i)^2 / (n p_i))`` is at most ``Z**2``, where ``p`` is the most likely
        table among those with that kappa (Lang 2008, Stat Med 27:5975). Mass lies on the cells that occurred (Owen
        2001, Empirical likelihood, ch. 3), so that one unobserved extreme disagreement does not rule a weighted kappa.
        Where nobody differs, the upper limit is 1. The lower one takes Wilson's limit of the share of differing cases,
        each as far apart as two levels in use are, over chance disagreement; -1 at least, and at least the lower limit
        of the same cases with one of them read that far apart. Refused where two levels are used and one of them never
        by both readers in the same case, and where no case was read alike: nothing then says how high kappa might be.
        Refused where kappa is.
    """
    counts = square(table)
    weights = np.asarray(w, dtype=float)
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    used = np.flatnonzero(rows + columns)
    n = int(counts.sum())
    if n == 0 or min(np.count_nonzero(rows), np.count_nonzero(columns)) < 2:
        no = NotEstimable(ONE_READER_CONSTANT if n else NO_PAIRS)
        return no, no
    if np.trace(counts) == n:
        return _of_no_difference(counts, weights, used), 1.0
    if used.size == 2 and not all(counts[level, level] for level in used):
        no = NotEstimable(UNCONFIRMED)
        return no, no
    if not np.trace(counts):
        no = NotEstimable(NOBODY_AGREES)
        return no, no
    cells = _Cells(counts, weights)
    return _limit(cells, -1.0), _limit(cells, 1.0)


def _of_no_difference(counts: NDArray[np.int_], w: Array, used: NDArray[np.intp]) -> float:
    """Give Wilson's lower limit, but never less than that of the same cases with one of them read differently."""
    n = int(counts.sum())
    among = w[np.ix_(used, used)]
    shares = counts.diagonal()[used] / n
    # Nothing says how far apart two readings would be: as far as two levels in use are.
    differing = BOUND / (n + BOUND) * (1 - float(among.min()))
    found = [max(LEAST, 1 - differing / (1 - float(shares @ among @ shares)))]
    for one, other in np.argwhere(among == among.min()):
        if counts[used[one], used[one]] > 1 or used.size > 2:
            moved = counts.copy()
            moved[used[one], used[one]] -= 1
            moved[used[one], used[other]] += 1
            limit = _limit(_Cells(moved, w), -1.0)
            found += [limit] if isinstance(limit, float) else []
    return max(found)


def _limit(cells: _Cells, side: float) -> Value:
    """Walk from the estimate to the side until chi-square reaches its bound."""
    p = cells.count / cells.n
    estimate = cells.kappa(p)
    seen = [(0.0, 0.0)]
    near, far = 0.0, math.inf
    away = 0.7 * Z * math.sqrt(cells.spread(p) / cells.n)
    for _ in range(STEPS):
        found = cells.likeliest(estimate + side * away, p)
        if found is None:  # too far at once: from nearer it may be in reach
            away = near + (away - near) / 4
            continue
        root = math.sqrt(max(cells.chi2(found), 0.0))
        if abs(root - Z) < CLOSE or far - near < CLOSE * away:
            return estimate + side * away
        if root < Z:
            near, p = away, found
        else:
            far = away
        seen = [*seen[-1:], (away, root)]
        away = _next(seen, near, far)
    return NotEstimable(TOO_FEW)


def _next(seen: list[tuple[float, float]], near: float, far: float) -> float:
    """Give the place where the line through the last two would cross; the root of chi-square is nearly one."""
    (first, low), (second, high) = seen
    rise = (high - low) / (second - first) if second != first else 0.0
    wished = second + (Z - high) / rise if rise > 0 else math.inf
    if near < wished < far:
        return wished
    return (near + far) / 2 if math.isfinite(far) else 2 * near
