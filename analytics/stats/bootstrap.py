"""Bootstrap intervals by case: percentile and BCa, all replicates at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from analytics.stats.result import ALPHA, NotEstimable, Result, Value, Z
from analytics.stats.square import Weighting, weights

__all__ = ["Bootstrap", "auc_of", "bootstrap", "icc_a1_of", "kappa_of", "resamples"]

Array = NDArray[np.float64]
Ints = NDArray[np.intp]
# Row numbers of shape (replicates, cases) to one value a replicate, NaN where it does not exist.
Statistic = Callable[[Ints], Array]
AT_ONCE = 262_144  # resampled cases worked on at a time: what the processor's cache holds


@dataclass(frozen=True)
class _Quick:
    """A statistic that knows its values without each case, at less than a resample a case."""

    of: Statistic
    left_out: Callable[[], Array]

    def __call__(self, rows: Ints) -> Array:
        return self.of(rows)


@dataclass(frozen=True, kw_only=True)
class Bootstrap(Result):
    """Bootstrap distribution of a statistic with percentile and BCa limits."""

    estimate: Value
    replicates: Value
    n_undefined: Value
    mean: Value
    se: Value
    acceleration_jackknife: Value
    z0: Value
    z0_midrank: Value
    percentile_low: Value
    percentile_high: Value
    bca_low: Value
    bca_high: Value
    bca_midrank_low: Value
    bca_midrank_high: Value


def resamples(cases: int, replicates: int, seed: int) -> Ints:
    """Draw cases with replacement.

    Parameters
    ----------
    cases, replicates : int
        How many rows there are, and how often they are drawn.
    seed : int
        Stored with the result.

    Returns
    -------
    ndarray of int, shape (replicates, cases)
    """
    return np.random.default_rng(seed).integers(0, cases, size=(replicates, cases))


def kappa_of(first: ArrayLike, second: ArrayLike, codes: ArrayLike, weighting: Weighting = "unweighted") -> Statistic:
    """Make Cohen's kappa of resampled pairs.

    Parameters
    ----------
    first, second : array_like of float, shape (cases,)
        Codes of complete pairs.
    codes : array_like of float, shape (levels,)
        Declared codes, ascending.
    weighting : {"unweighted", "linear", "quadratic"}
        Agreement weights.
    """
    scale = np.asarray(codes, dtype=float)
    q, w = scale.size, weights(scale, weighting)
    cell = np.searchsorted(scale, np.asarray(first)) * q + np.searchsorted(scale, np.asarray(second))

    def of_counts(counts: Ints) -> Array:
        total = counts.sum(axis=1)
        tables = counts.reshape(counts.shape[0], q, q) / np.maximum(total, 1)[:, None, None]
        po = np.einsum("rij,ij->r", tables, w)
        pe = np.einsum("ri,ij,rj->r", tables.sum(axis=2), w, tables.sum(axis=1))
        defined = (1 - pe > 1e-12) & (total > 0)
        return np.where(defined, (po - pe) / np.where(defined, 1 - pe, 1.0), np.nan)

    def statistic(rows: Ints) -> Array:
        drawn = cell[rows]
        drawn += (np.arange(rows.shape[0]) * q * q)[:, None]
        return of_counts(np.bincount(drawn.ravel(), minlength=rows.shape[0] * q * q).reshape(rows.shape[0], q * q))

    def left_out() -> Array:
        """Cases of one cell leave the same table behind."""
        counts = np.bincount(cell, minlength=q * q)
        values = of_counts(np.maximum(counts - np.eye(q * q, dtype=int), 0))
        return np.asarray(values[cell], dtype=np.float64)

    return _Quick(statistic, left_out)


def icc_a1_of(ratings: ArrayLike) -> Statistic:
    """Make the intraclass correlation, two-way, absolute agreement, single measures, of resampled cases.

    Parameters
    ----------
    ratings : array_like of float, shape (cases, readers)
        Complete cases.
    """
    x = np.asarray(ratings, dtype=float)
    k = x.shape[1]
    if not x.size:
        return lambda rows: np.full(rows.shape[0], np.nan)
    u = x - x.mean()
    case, square = u.sum(axis=1), (u**2).sum(axis=1)
    terms = np.column_stack([u, case**2, square])
    nothing = 1e-13 * float(square.max())

    def of_sums(n: Array | float, total: Array) -> Array:
        """Mean squares from sums over the cases drawn; the ratings are centred, so little is lost."""
        grand, cases, squares = total[:, :k].sum(axis=1) ** 2 / (k * n), total[:, k] / k, total[:, k + 1]
        readers = (total[:, :k] ** 2).sum(axis=1) / n
        r, c, e = (
            np.where(one > nothing * n, one, 0.0)
            for one in (cases - grand, readers - grand, squares - cases - readers + grand)
        )
        r, c, e = r / (n - 1), c / (k - 1), e / ((n - 1) * (k - 1))
        below = r + (k - 1) * e + k * (c - e) / n
        defined = below > 0
        return np.where(defined, (r - e) / np.where(defined, below, 1.0), np.nan)

    def statistic(rows: Ints) -> Array:
        n = rows.shape[1]
        if n < 2:
            return np.full(rows.shape[0], np.nan)
        flat = rows + (np.arange(rows.shape[0]) * x.shape[0])[:, None]
        times = np.bincount(flat.ravel(), minlength=rows.shape[0] * x.shape[0]).reshape(-1, x.shape[0])
        return of_sums(float(n), times.astype(float) @ terms)

    def left_out() -> Array:
        return of_sums(float(x.shape[0] - 1), terms.sum(axis=0) - terms)

    return _Quick(statistic, left_out if x.shape[0] > 2 else lambda: np.full(x.shape[0], np.nan))


def auc_of(outcome: ArrayLike, score: ArrayLike) -> Statistic:
    """Make the area under the ROC curve of resampled cases, ties counted half.

    Parameters
    ----------
    outcome : array_like of float, shape (cases,)
        0 or 1, complete.
    score : array_like of float, shape (cases,)
        Higher where 1 is likelier, complete.
    """
    y = np.asarray(outcome, dtype=np.intp)
    levels, place = np.unique(np.asarray(score, dtype=float), return_inverse=True)
    place = place.reshape(-1)
    cells, cell = 2 * levels.size, 2 * place + y

    def of_counts(counts: Ints) -> Array:
        failures, successes = counts[:, 0::2], counts[:, 1::2]
        below = np.cumsum(failures, axis=1)
        pairs = below[:, -1] * successes.sum(axis=1)
        wins = np.einsum("rl,rl->r", successes, 2 * below - failures) / 2
        return np.where(pairs > 0, wins / np.where(pairs > 0, pairs, 1), np.nan)

    def statistic(rows: Ints) -> Array:
        drawn = cell[rows]
        drawn += (np.arange(rows.shape[0]) * cells)[:, None]
        return of_counts(np.bincount(drawn.ravel(), minlength=rows.shape[0] * cells).reshape(rows.shape[0], cells))

    def left_out() -> Array:
        """Each case takes the pairs it wins, and all pairs it is in."""
        counts = np.bincount(cell, minlength=cells)
        failures, successes = counts[0::2], counts[1::2]
        of_success = np.cumsum(failures) - failures / 2
        of_failure = successes.sum() - np.cumsum(successes) + successes / 2
        wins = float(successes @ of_success) - np.where(y == 1, of_success[place], of_failure[place])
        pairs = (failures.sum() - (y == 0)) * (successes.sum() - (y == 1))
        return np.where(pairs > 0, wins / np.where(pairs > 0, pairs, 1), np.nan)

    if not y.size:
        return lambda rows: np.full(rows.shape[0], np.nan)
    return _Quick(statistic, left_out)


def bootstrap(
    statistic: Statistic, rows: Ints, *, name: str, seed: int | None = None, left_out: Array | None = None
) -> Bootstrap:
    """Bootstrap a statistic.

    Parameters
    ----------
    statistic : callable
        Row numbers (replicates, cases) to one value a replicate, e.g. from `kappa_of`.
    rows : ndarray of int, shape (replicates, cases)
        Resampled row numbers, e.g. from `resamples`.
    name : str
        What the statistic is, for the method.
    seed : int, optional
        Printed with the method.
    left_out : ndarray, shape (cases,), optional
        The statistic without each case in turn, where the caller has a quicker way to it; else it is computed here.

    Returns
    -------
    Bootstrap
        Percentile and BCa limits (Efron 1987) with type-7 quantiles and the jackknife's acceleration. ``bca`` takes its
        bias from the share of replicates below the estimate, ``bca_midrank`` counts ties half. Replicates without a
        value are dropped and counted.
    """
    replicates, n = rows.shape
    seeded = "" if seed is None else f", seed {seed}"
    method = f"bootstrap of {name}, {replicates} resamples of cases{seeded}"
    frame: dict[str, Any] = {"n": n, "method": method, "source": "Efron 1987"}
    known: dict[str, Any] = {"replicates": replicates}
    everyone = np.arange(n)[None, :]
    estimate = float(statistic(everyone)[0]) if n > 1 else np.nan
    if not np.isfinite(estimate):
        return Bootstrap.refused("the statistic does not exist for these cases", **known, **frame)
    chunk = max(1, AT_ONCE // n)
    values = np.concatenate([statistic(rows[at : at + chunk]) for at in range(0, replicates, chunk)])
    defined = np.sort(values[np.isfinite(values)])
    known |= {"estimate": estimate, "n_undefined": int(replicates - defined.size)}
    if defined.size < 20:
        return Bootstrap.refused("too few resamples have a value", **known, **frame)
    below = float(np.mean(defined < estimate - 1e-12))
    tied = float(np.mean(np.abs(defined - estimate) <= 1e-12))
    if left_out is None:
        left_out = statistic.left_out() if isinstance(statistic, _Quick) else _jackknife(statistic, n)
    acceleration = _acceleration(left_out)
    low, high = np.quantile(defined, [ALPHA / 2, 1 - ALPHA / 2])
    strict, midrank = (_bca(defined, share, acceleration) for share in (below, below + tied / 2))
    return Bootstrap(
        **frame,
        **known,
        mean=float(defined.mean()),
        se=float(defined.std(ddof=1)),
        acceleration_jackknife=acceleration,
        z0=strict[0],
        z0_midrank=midrank[0],
        percentile_low=float(low),
        percentile_high=float(high),
        bca_low=strict[1],
        bca_high=strict[2],
        bca_midrank_low=midrank[1],
        bca_midrank_high=midrank[2],
    )


def _jackknife(statistic: Statistic, n: int) -> Array:
    kept = np.arange(n - 1)[None, :] + (np.arange(n - 1)[None, :] >= np.arange(n)[:, None])
    chunk = max(1, AT_ONCE // n)
    return np.concatenate([statistic(kept[at : at + chunk]) for at in range(0, n, chunk)])


def _acceleration(values: Array) -> Value:
    """Skewness of the jackknife: ``sum U^3 / (6 (sum U^2)^1.5)``."""
    if not np.all(np.isfinite(values)):
        return NotEstimable("the statistic does not exist when one case is left out")
    u = values.mean() - values
    spread = float(np.sum(u**2))
    return float(np.sum(u**3)) / (6 * spread**1.5) if spread > 1e-24 else 0.0


def _bca(defined: Array, share: float, acceleration: Value) -> tuple[Value, Value, Value]:
    if not 0 < share < 1:
        no = NotEstimable("all resamples lie on one side of the estimate")
        return no, no, no
    z0 = float(stats.norm.ppf(share))
    if isinstance(acceleration, NotEstimable):
        return z0, acceleration, acceleration
    limits = []
    for z in (-Z, Z):
        shifted = z0 + (z0 + z) / (1 - float(acceleration) * (z0 + z))
        limits.append(float(np.quantile(defined, stats.norm.cdf(shifted))))
    return z0, limits[0], limits[1]
