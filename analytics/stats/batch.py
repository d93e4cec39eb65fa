"""Many logistic fits at once.

A resample is how often each case was drawn, so the information matrices of all resamples are one product of weights and
products of columns: no loop per replicate, and no copy of the data per replicate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from analytics.stats.link import BLOCK, softened
from analytics.stats.logistic import newton
from analytics.stats.separation import separation

__all__ = ["FITTED", "WORDS", "Counts", "Fits", "counts", "fit_many", "merged", "probabilities"]

Array = NDArray[np.float64]
Counts = NDArray[np.float64]  # (fits, cases): how often each case is in the resample
FITTED, ONE_CLASS, COLLINEAR, SEPARATED, UNSETTLED = range(5)
WORDS = {
    ONE_CLASS: "only one outcome class",
    COLLINEAR: "predictors that are combinations of others",
    SEPARATED: "a separated outcome",
    UNSETTLED: "no convergence",
}
STEPS, SUSPICIOUS = 30, 12  # Newton steps, and after how many of them separation is looked for
MANY = 20  # fits that are worth a common start
SLOW_STEPS = 300  # of Fisher scoring
NEAR = 0.1  # step of Fisher scoring from which on it is accelerated
SETTLED = 1e-10  # of scaled coefficients
SINGULAR = 1e-12  # smallest eigenvalue of a correlation matrix


@dataclass(frozen=True)
class Fits:
    """Coefficients of many fits.

    Attributes
    ----------
    b : ndarray of float, shape (fits, columns)
        In the order of the design's columns; 0 for a predictor that does not vary in the resample, NaN without a fit.
    status : ndarray of int, shape (fits,)
        ``FITTED``, or a key of ``WORDS``.
    varies : ndarray of bool, shape (fits, columns)
        Whether the predictor varies in the resample; the intercept always counts as if it did.
    """

    b: Array
    status: NDArray[np.int8]
    varies: NDArray[np.bool_]


class _Problem(NamedTuple):
    x: Array  # (cases, columns), scaled
    y: Array  # (cases,)
    pairs: Array  # (cases, columns (columns + 1) / 2): products of columns
    place: NDArray[np.intp]  # (columns, columns) into pairs


class _Some(NamedTuple):
    """The fits of a batch that are still on their way."""

    w: Counts
    free: NDArray[np.bool_]  # (fits, columns): columns that vary
    penalty: Array  # (fits, columns)


class _State(NamedTuple):
    b: Array
    p: Array
    loglik: Array


def counts(rows: NDArray[np.intp], cases: int) -> Counts:
    """Count how often each case is in each resample.

    Parameters
    ----------
    rows : ndarray of int, shape (replicates, drawn)
        Row numbers, e.g. from `bootstrap.resamples`.
    cases : int
        How many cases there are.

    Returns
    -------
    ndarray of float, shape (replicates, cases)
    """
    replicates = rows.shape[0]
    flat = (np.arange(replicates)[:, None] * cases + rows).ravel()
    return np.bincount(flat, minlength=replicates * cases).reshape(replicates, cases).astype(float)


def probabilities(x: ArrayLike, fits: Fits) -> Array:
    """Fitted probability of every case under every fit, shape (fits, cases); NaN without a fit."""
    return np.asarray(special.expit(fits.b @ np.asarray(x, dtype=float).T), dtype=np.float64)


def merged(x: ArrayLike, y: ArrayLike) -> tuple[Array, Array, NDArray[np.intp]]:
    """Take equal cases together: a model of coded findings then costs as much as there are different ones.

    Parameters
    ----------
    x : array_like of float, shape (cases, columns)
        Design without missing values.
    y : array_like of float, shape (cases,)
        Outcome.

    Returns
    -------
    x : ndarray of float, shape (different cases, columns)
    y : ndarray of float, shape (different cases,)
    place : ndarray of int, shape (cases,)
        Which of them each case is; ``place[rows]`` are resampled row numbers of the different cases.
    """
    both = np.column_stack([np.asarray(x, dtype=float), np.asarray(y, dtype=float)])
    if not both.shape[0]:
        return both[:, :-1], both[:, -1], np.empty(0, dtype=np.intp)
    different, place = np.unique(both, axis=0, return_inverse=True)
    return np.ascontiguousarray(different[:, :-1]), different[:, -1].copy(), place.reshape(-1).astype(np.intp)


def fit_many(
    x: ArrayLike,
    y: ArrayLike,
    weights: Counts,
    *,
    penalty: ArrayLike | None = None,
    firth: bool = False,
    start: Array | None = None,
    settled: float = SETTLED,
) -> Fits:
    """Fit a logistic model to every resample.

    Parameters
    ----------
    x : array_like of float, shape (cases, columns)
        The intercept first, no missing values.
    y : array_like of float, shape (cases,)
        0 or 1.
    weights : ndarray of float, shape (fits, cases)
        How often each case counts; cases of weight 0 are out.
    penalty : array_like of float, shape (fits, columns), optional
        Ridge: ``sum penalty b^2 / 2`` is taken from the log likelihood. 0 leaves a column alone.
    firth : bool
        Add half the log determinant of the information (Firth 1993), which keeps separated resamples finite.
    start : ndarray of float, shape (fits, columns), optional
        Coefficients to begin at, where something near is known.
    settled : float
        Length of the last step. Newton's error is about its square.

    Returns
    -------
    Fits
        Newton with halved steps to 1e-10 of scaled coefficients; Fisher scoring on augmented weights with Firth's
        penalty. A predictor that does not vary in a resample is left out there, as `logistic.prepare` does. A resample
        without convergence is looked at for separation: by the direction in which it runs away, else by Konis' linear
        programme.
    """
    design, outcome, w = np.asarray(x, dtype=float), np.asarray(y, dtype=float), np.asarray(weights, dtype=float)
    fits, columns = w.shape[0], design.shape[1]
    scale = np.maximum(np.abs(design).max(axis=0, initial=0.0), 1e-300) if design.size else np.ones(columns)
    xs = design / scale
    upper = np.triu_indices(columns)
    place = np.zeros((columns, columns), dtype=np.intp)
    place[upper] = place.T[upper] = np.arange(upper[0].size)
    problem = _Problem(xs, outcome, xs[:, upper[0]] * xs[:, upper[1]], place)
    ridge = np.zeros((fits, columns)) if penalty is None else np.asarray(penalty, dtype=float) / scale**2
    parts = [slice(at, at + step) for step in (max(1, BLOCK // max(1, w.shape[1])),) for at in range(0, fits, step)]
    usable = [_usable(problem, w[part], collinear=penalty is None) for part in parts]
    free = np.concatenate([one[0] for one in usable]) if parts else np.zeros((0, columns), dtype=np.bool_)
    status = np.concatenate([one[1] for one in usable]) if parts else np.zeros(0, dtype=np.int8)
    b = np.full((fits, columns), np.nan)
    near = _near(problem, w, free, ridge, status, firth) if start is None else np.asarray(start, dtype=float) * scale
    climb = _scored if firth else _newton
    for part in parts:
        which = np.arange(fits)[part][status[part] == FITTED]
        if which.size:
            some = _Some(w[which], free[which], ridge[which])
            b[which], status[which] = climb(problem, some, np.where(free[which], near[which], 0.0), settled)
    return Fits(b / scale, status, free)


def _usable(problem: _Problem, w: Counts, *, collinear: bool) -> tuple[NDArray[np.bool_], NDArray[np.int8]]:
    """Find the columns that vary in each resample, and the resamples that allow a fit."""
    total = w.sum(axis=1)
    status = np.zeros(total.size, dtype=np.int8)
    events = w @ problem.y
    alone = (events < 0.5) | (events > total - 0.5)
    status[alone] = ONE_CLASS
    n = np.where(total > 0, total, 1.0)
    mean = (w @ problem.x) / n[:, None]
    diagonal = np.arange(problem.x.shape[1])
    free = (w @ problem.pairs[:, problem.place[diagonal, diagonal]]) / n[:, None] - mean**2 > 1e-14
    free[:, 0] = True
    if collinear and problem.x.shape[1] > 2:
        spread = (w @ problem.pairs)[:, problem.place] / n[:, None, None] - mean[:, :, None] * mean[:, None, :]
        root = np.sqrt(np.where(free, np.einsum("rjj->rj", spread), 1.0))
        root[:, 0] = 1.0
        correlation = np.where(free[:, :, None] & free[:, None, :], spread / (root[:, :, None] * root[:, None, :]), 0.0)
        correlation[:, diagonal, diagonal] = 1.0
        status[(np.linalg.eigvalsh(correlation)[:, 0] < SINGULAR) & ~alone] = COLLINEAR
    return free, status


def _information(problem: _Problem, some: _Some, weight: Array) -> Array:
    """Penalised information of every fit; columns that are out get a row of the unit matrix."""
    matrix = (weight @ problem.pairs)[:, problem.place]
    both = some.free[:, :, None] & some.free[:, None, :]
    diagonal = np.arange(problem.x.shape[1])
    matrix = np.where(both, matrix, 0.0)
    matrix[:, diagonal, diagonal] += np.where(some.free, some.penalty, 1.0)
    return matrix


def _solved(matrix: Array, right: Array) -> Array:
    try:
        return np.asarray(np.linalg.solve(matrix, right[:, :, None])[:, :, 0], dtype=np.float64)
    except np.linalg.LinAlgError:  # one that runs away spoils the batch: a trace of the diagonal keeps it going
        diagonal = np.arange(matrix.shape[1])
        kept = matrix.copy()
        kept[:, diagonal, diagonal] += 1e-13 + 1e-10 * np.einsum("rjj->rj", matrix)
        return np.asarray(np.linalg.solve(kept, right[:, :, None])[:, :, 0], dtype=np.float64)


def _inverted(matrix: Array) -> Array:
    try:
        return np.asarray(np.linalg.inv(matrix), dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.pinv(matrix, hermitian=True), dtype=np.float64)


def _look(problem: _Problem, some: _Some, b: Array) -> _State:
    eta = b @ problem.x.T
    p, soft = softened(eta)
    held = np.where(some.penalty > 0, b, 0.0)  # one that runs away has no square
    loglik = np.einsum("rn,rn->r", some.w, problem.y * eta - soft) - (some.penalty * held**2).sum(axis=1) / 2
    return _State(b, p, loglik)


def _taken(some: _Some, which: NDArray[np.bool_]) -> _Some:
    return _Some(some.w[which], some.free[which], some.penalty[which])


def _halved(problem: _Problem, some: _Some, now: _State, step: Array) -> _State:
    """Go the step, or the half of it as often as the likelihood would fall."""
    after = _look(problem, some, now.b + step)
    for _ in range(20):
        worse = ~(after.loglik >= now.loglik - 1e-12 * np.abs(now.loglik))
        if not worse.any():
            break
        step[worse] /= 2
        again = _look(problem, _taken(some, worse), now.b[worse] + step[worse])
        for old, new in zip(after, again, strict=True):
            old[worse] = new
    return after


def _near(
    problem: _Problem, w: Counts, free: NDArray[np.bool_], penalty: Array, status: NDArray[np.int8], firth: bool
) -> Array:
    """Coefficients to start from: those of the mean resample, or 0."""
    start = np.zeros(free.shape)
    good = status == FITTED
    if good.sum() >= MANY and not penalty.any():
        mean = _Some(good.astype(float)[None, :] @ w / good.sum(), np.atleast_2d(free[good].any(axis=0)), penalty[:1])
        together, found = (_scored if firth else _newton)(problem, mean, start[:1], SETTLED)
        if found[0] == FITTED:
            start[:] = together
    return start


def _newton(problem: _Problem, some: _Some, start: Array, settled: float) -> tuple[Array, NDArray[np.int8]]:
    fits, columns = some.free.shape
    found, status = np.full((fits, columns), np.nan), np.full(fits, UNSETTLED, dtype=np.int8)
    left = np.arange(fits)
    now = _look(problem, some, start)
    for turn in range(STEPS):
        residual = some.w * (problem.y - now.p)
        score = np.where(some.free, residual @ problem.x - some.penalty * now.b, 0.0)
        step = _solved(_information(problem, some, some.w * now.p * (1 - now.p)), score)
        away = _runs_away(problem, some, step) if turn >= SUSPICIOUS else np.zeros(left.size, dtype=np.bool_)
        now = _halved(problem, some, now, step)
        done = np.abs(step).max(axis=1) < settled * (1 + np.abs(now.b).max(axis=1))
        found[left[done]], status[left[done]] = now.b[done], FITTED
        status[left[away & ~done]] = SEPARATED
        on = ~(done | away)
        if not on.any():
            return found, status
        if not on.all():
            left, some, now = left[on], _taken(some, on), _State(now.b[on], now.p[on], now.loglik[on])
    for place, fit in enumerate(left):
        found[fit], status[fit] = _alone(problem, _taken(some, np.arange(left.size) == place))
    return found, status


def _runs_away(problem: _Problem, some: _Some, step: Array) -> NDArray[np.bool_]:
    """Whether a step sorts the outcome without error: then the likelihood rises along it for ever."""
    gain = (step @ problem.x.T) * (2 * problem.y - 1)
    gain = np.where(some.w > 0, gain, 0.0)
    sorts = (gain.max(axis=1) > 0.1) & (gain.min(axis=1) > -1e-6)
    return np.asarray(sorts & (some.penalty == 0).all(axis=1), dtype=np.bool_)


def _alone(problem: _Problem, one: _Some) -> tuple[Array, int]:
    """Decide by the linear programme, and fit what is not separated by careful steps."""
    inside, free = one.w[0] > 0, one.free[0]
    nowhere = np.full(free.size, np.nan)
    if one.penalty.any():
        return nowhere, UNSETTLED
    x, y, w = problem.x[inside][:, free], problem.y[inside], one.w[0][inside].astype(int)
    if separation(x, y) != "none":
        return nowhere, SEPARATED
    best = newton(np.repeat(x, w, axis=0), np.repeat(y, w), np.zeros(x.shape[1]))
    if not best.converged:
        return nowhere, UNSETTLED
    nowhere[free], nowhere[~free] = best.b, 0.0
    return nowhere, FITTED


def _scored(problem: _Problem, some: _Some, start: Array, settled: float) -> tuple[Array, NDArray[np.int8]]:
    """Firth's estimates by Fisher scoring on augmented weights (Heinze & Schemper 2002)."""
    fits, columns = some.free.shape
    found, status = np.full((fits, columns), np.nan), np.full(fits, UNSETTLED, dtype=np.int8)
    left, b = np.arange(fits), start
    loglik, scoring = _firth_look(problem, some, b)
    went, scored = np.zeros_like(b), scoring
    for _ in range(SLOW_STEPS):
        step = _ahead(scoring, scoring - scored, went)
        step *= np.minimum(1.0, 2.0 / np.maximum(np.abs(step).max(axis=1), 1e-300))[:, None]
        after, after_loglik, following = _firth_halved(problem, some, b, loglik, step)
        done = np.abs(step).max(axis=1) < settled * (1 + np.abs(after).max(axis=1))
        found[left[done]], status[left[done]] = after[done], FITTED
        on = ~done
        if not on.any():
            break
        left, some, loglik, went, scored = left[on], _taken(some, on), after_loglik[on], step[on], scoring[on]
        b, scoring = after[on], following[on]
    return found, status


def _ahead(scoring: Array, turned: Array, went: Array) -> Array:
    """Near the top, what the last two steps have in common is gone at once (Anderson 1965, one step back)."""
    square = np.einsum("rj,rj->r", turned, turned)
    near = (np.abs(scoring).max(axis=1) < NEAR) & (square > 0)
    share = np.where(near, np.einsum("rj,rj->r", turned, scoring) / np.where(near, square, 1.0), 0.0)
    return np.asarray(scoring - share[:, None] * (went + turned), dtype=np.float64)


def _firth_halved(problem: _Problem, some: _Some, b: Array, loglik: Array, step: Array) -> tuple[Array, Array, Array]:
    at = b + step
    after, following = _firth_look(problem, some, at)
    for _ in range(20):
        worse = ~(after >= loglik - 1e-12 * np.abs(loglik))
        if not worse.any():
            break
        step[worse] /= 2
        at[worse] = b[worse] + step[worse]
        after[worse], following[worse] = _firth_look(problem, _taken(some, worse), at[worse])
    return at, after, following


def _firth_look(problem: _Problem, some: _Some, b: Array) -> tuple[Array, Array]:
    """Penalised likelihood, and the next step."""
    now = _look(problem, some, b)
    variance = now.p * (1 - now.p)
    information = _information(problem, some, some.w * variance)
    inverse = _inverted(information)
    sign, size = np.linalg.slogdet(information)
    both = some.free[:, :, None] & some.free[:, None, :]
    inverse = np.where(both, inverse, 0.0)
    upper = np.triu_indices(b.shape[1])
    twice = np.where(upper[0] == upper[1], 1.0, 2.0)
    hat = variance * ((inverse[:, upper[0], upper[1]] * twice) @ problem.pairs.T)
    score = np.where(some.free, (some.w * (problem.y - now.p + hat * (0.5 - now.p))) @ problem.x, 0.0)
    step = _solved(_information(problem, some, some.w * variance * (1 + hat)), score)
    loglik = np.where(sign > 0, now.loglik + size / 2, -np.inf)
    return loglik, step
