"""Many logistic fits at once.

A resample is how often each case was drawn, so the information matrices of all resamples are one product of weights and
products of columns: no loop per replicate, and no copy of the data per replicate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from analytics.stats.link import BLOCK
from analytics.stats.logistic import newton
from analytics.stats.problem import (
    COLLINEAR,
    FITTED,
    ONE_CLASS,
    SEPARATED,
    UNSETTLED,
    Climbed,
    Problem,
    Some,
    State,
    information,
    look,
    solved,
    taken,
)
from analytics.stats.scoring import scored
from analytics.stats.separation import separation

__all__ = ["COLLINEAR", "FITTED", "WORDS", "Counts", "Fits", "counts", "fit_many", "merged", "probabilities"]

Array = NDArray[np.float64]
Counts = NDArray[np.float64]  # (fits, cases): how often each case is in the resample
WORDS = {
    ONE_CLASS: "only one outcome class",
    COLLINEAR: "predictors that are combinations of others",
    SEPARATED: "a separated outcome",
    UNSETTLED: "no convergence",
}
STEPS, SUSPICIOUS = 30, 12  # Newton steps, and after how many of them separation is looked for
MANY = 20  # fits that are worth a common start
FLAT = 1e-6  # step below which a likelihood that rises no more is at its top, by rounding
FAR = 20.0  # log odds that nothing but separation gives, almost
MILD = 8.0  # log odds up to which Firth's likelihood has one top near that of maximum likelihood
ROUGHLY = 1e-5  # last step of a fit that is only a start
ALIKE = 1e-9  # of two log likelihoods: the same top
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
    problem = Problem(xs, outcome, xs[:, upper[0]] * xs[:, upper[1]], place)
    ridge = np.zeros((fits, columns)) if penalty is None else np.asarray(penalty, dtype=float) / scale**2
    parts = [slice(at, at + step) for step in (max(1, BLOCK // max(1, w.shape[1])),) for at in range(0, fits, step)]
    usable = [_usable(problem, w[part], collinear=penalty is None) for part in parts]
    free = np.concatenate([one[0] for one in usable]) if parts else np.zeros((0, columns), dtype=np.bool_)
    status = np.concatenate([one[1] for one in usable]) if parts else np.zeros(0, dtype=np.int8)
    b = np.full((fits, columns), np.nan)
    near = np.zeros((0, columns))
    if not firth:
        near = _near(problem, w, free, ridge, status) if start is None else np.asarray(start, dtype=float) * scale
    common = _common(problem) if firth else None
    for part in parts:
        which = np.arange(fits)[part][status[part] == FITTED]
        if which.size:
            some = Some(w[which], free[which], ridge[which])
            if common is not None:
                found = _firth(problem, some, common, settled)
            else:
                found = _likeliest(problem, some, np.where(free[which], near[which], 0.0), settled)
            b[which], status[which] = found.b, found.status
    return Fits(b / scale, status, free)


def _common(problem: Problem) -> tuple[Array, Array]:
    """Coefficients of all different cases together, by maximum likelihood and with Firth's penalty; 0 without."""
    every = np.ones((1, problem.y.size))
    free, status = _usable(problem, every, collinear=True)
    zero = np.zeros(free.shape)
    if status[0] != FITTED:
        return zero, zero
    one = Some(every, free, zero)
    return _begun(_newton(problem, one, zero, ROUGHLY)), _begun(scored(problem, one, zero, SETTLED))


def _usable(problem: Problem, w: Counts, *, collinear: bool) -> tuple[NDArray[np.bool_], NDArray[np.int8]]:
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


def _halved(problem: Problem, some: Some, now: State, step: Array) -> tuple[State, NDArray[np.bool_]]:
    """Go the step, or the half of it as often as the likelihood would fall; where it never rises, stay."""
    after = look(problem, some, now.b + step)
    border = now.loglik - 1e-12 * np.abs(now.loglik)
    for halving in range(1, 21):
        worse = ~(after.loglik >= border)
        if not worse.any():
            return after, worse
        again = look(problem, taken(some, worse), now.b[worse] + step[worse] / 2**halving)
        for old, new in zip(after, again, strict=True):
            old[worse] = new
    stuck = ~(after.loglik >= border)
    for ended, began in zip(after, now, strict=True):
        ended[stuck] = began[stuck]
    return after, stuck


def _near(problem: Problem, w: Counts, free: NDArray[np.bool_], penalty: Array, status: NDArray[np.int8]) -> Array:
    """Coefficients to start from: those of the mean resample, or 0. The maximum is the same from anywhere."""
    good = status == FITTED
    if good.sum() < MANY or penalty.any():
        return np.zeros(free.shape)
    mean = Some(good.astype(float)[None, :] @ w / good.sum(), np.atleast_2d(free[good].any(axis=0)), penalty[:1])
    return np.broadcast_to(_begun(_newton(problem, mean, np.zeros((1, free.shape[1])), SETTLED)), free.shape)


def _begun(found: Climbed) -> Array:
    return np.where((found.status == FITTED)[:, None], found.b, 0.0)


def _newton(problem: Problem, some: Some, start: Array, settled: float) -> Climbed:
    """Climb by Newton's steps; what runs away or gets stuck has no end."""
    fits, columns = some.free.shape
    found = Climbed(np.full((fits, columns), np.nan), np.full(fits, UNSETTLED, dtype=np.int8), np.full(fits, -np.inf))
    left = np.arange(fits)
    now = look(problem, some, start)
    for turn in range(STEPS):
        residual = some.w * (problem.y - now.p)
        score = np.where(some.free, residual @ problem.x - some.penalty * now.b, 0.0)
        step = solved(information(problem, some, some.w * now.p * (1 - now.p)), score)
        away = _runs_away(problem, some, step) if turn >= SUSPICIOUS else np.zeros(left.size, dtype=np.bool_)
        now, stuck = _halved(problem, some, now, step)
        done = np.abs(step).max(axis=1) < np.where(stuck, FLAT, settled) * (1 + np.abs(now.b).max(axis=1))
        found.b[left[done]], found.status[left[done]], found.loglik[left[done]] = now.b[done], FITTED, now.loglik[done]
        found.status[left[away & ~done]] = SEPARATED
        on = ~(done | away | stuck)
        if not on.any():
            break
        if not on.all():
            left, some, now = left[on], taken(some, on), State(now.b[on], now.p[on], now.loglik[on])
    return found


def _likeliest(problem: Problem, some: Some, start: Array, settled: float) -> Climbed:
    """Fit by maximum likelihood, or with a ridge; what is in doubt is decided by the linear programme."""
    found = _newton(problem, some, start, settled)
    far = np.zeros(found.status.size, dtype=np.bool_)
    if not some.penalty.any():  # a ridge keeps everything near
        far = (found.status == FITTED) & (_farthest(problem, some, found.b) > FAR)
    for fit in np.flatnonzero((found.status == UNSETTLED) | far):
        found.b[fit], found.status[fit] = _alone(problem, taken(some, np.arange(far.size) == fit))
    return found


def _firth(problem: Problem, some: Some, starts: tuple[Array, Array], settled: float) -> Climbed:
    """Fit with Firth's penalty, from where maximum likelihood ends.

    Where that is nowhere or far away, Firth's likelihood may have several tops. Then it is climbed from 0 and from the
    coefficients of all cases, and the higher top counts: the fit must not depend on which others are in the batch.
    """
    likely = _newton(problem, some, np.where(some.free, starts[0], 0.0), ROUGHLY)
    mild = (likely.status == FITTED) & (_farthest(problem, some, likely.b) < MILD)
    found = scored(problem, some, np.where(mild[:, None], likely.b, 0.0), settled)
    wild = np.flatnonzero(~mild)
    if wild.size:
        again = scored(problem, taken(some, ~mild), np.where(some.free[wild], starts[1], 0.0), settled)
        higher = again.loglik > found.loglik[wild] + ALIKE
        which = wild[higher]
        found.b[which], found.status[which], found.loglik[which] = (one[higher] for one in again)
    return found


def _farthest(problem: Problem, some: Some, b: Array) -> Array:
    """Greatest log odds among the cases of each resample."""
    known = np.where(np.isfinite(b), b, 0.0)
    return np.asarray(np.where(some.w > 0, np.abs(known @ problem.x.T), 0.0).max(axis=1), dtype=np.float64)


def _runs_away(problem: Problem, some: Some, step: Array) -> NDArray[np.bool_]:
    """Whether a step sorts the outcome without error: then the likelihood rises along it for ever."""
    gain = (step @ problem.x.T) * (2 * problem.y - 1)
    gain = np.where(some.w > 0, gain, 0.0)
    sorts = (gain.max(axis=1) > 0.1) & (gain.min(axis=1) > -1e-6)
    return np.asarray(sorts & (some.penalty == 0).all(axis=1), dtype=np.bool_)


def _alone(problem: Problem, one: Some) -> tuple[Array, int]:
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
