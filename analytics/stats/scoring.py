"""Firth's estimates of many resamples by Fisher scoring on augmented weights (Heinze & Schemper 2002)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analytics.stats.problem import (
    FITTED,
    UNSETTLED,
    Climbed,
    Problem,
    Some,
    information,
    look,
    solved,
    taken,
)
from analytics.stats.separation import highest

__all__: list[str] = []  # no statistics: a part of batch

Array = NDArray[np.float64]
STEPS = 300
LONGEST = 2.0  # step of scaled coefficients
NEAR = 0.1  # step from which on scoring is accelerated
FLAT = 1e-6  # step below which a likelihood that rises no more is at its top, by rounding


def scored(problem: Problem, some: Some, start: Array, settled: float) -> Climbed:
    """Climb Firth's likelihood of every resample; what does not get there goes the way of the single fit."""
    fits, columns = some.free.shape
    found = Climbed(np.full((fits, columns), np.nan), np.full(fits, UNSETTLED, dtype=np.int8), np.full(fits, -np.inf))
    left, now, b = np.arange(fits), some, start
    loglik, scoring = _look(problem, now, b)
    went, before = np.zeros_like(b), scoring
    for _ in range(STEPS):
        step = _shortened(_ahead(scoring, scoring - before, went))
        after, after_loglik, following, refused = _step(problem, now, b, loglik, step, _shortened(scoring))
        risen = after_loglik >= _border(loglik)
        after = np.where(risen[:, None], after, b)
        size = 1 + np.abs(after).max(axis=1)
        ahead, plain = np.abs(step).max(axis=1), np.abs(scoring).max(axis=1)
        done = np.where(risen, ahead < settled * size, plain < FLAT * size)
        found.b[left[done]], found.status[left[done]] = after[done], FITTED
        found.loglik[left[done]] = np.where(risen, after_loglik, loglik)[done]
        on = risen & ~done
        if not on.any():
            break
        # Where the acceleration was refused, the memory it rests on starts anew.
        went = np.where(refused[:, None], 0.0, step)[on]
        before = np.where(refused[:, None], following, scoring)[on]
        left, now, loglik, b, scoring = left[on], taken(now, on), after_loglik[on], after[on], following[on]
    for fit in np.flatnonzero(found.status != FITTED):
        _alone(problem, some, start, int(fit), found)
    return found


def _alone(problem: Problem, some: Some, start: Array, fit: int, found: Climbed) -> None:
    """Fit one resample as `separation.firth` does."""
    w, free = some.w[fit].astype(int), some.free[fit]
    x, y = np.repeat(problem.x[:, free], w, axis=0), np.repeat(problem.y, w)
    top = highest(x, y, start[fit][free])
    if top is not None:
        found.b[fit] = 0.0
        found.b[fit, free], found.loglik[fit], found.status[fit] = top[0], top[1], FITTED


def _shortened(step: Array) -> Array:
    return np.asarray(step * np.minimum(1.0, LONGEST / np.maximum(np.abs(step).max(axis=1), 1e-300))[:, None])


def _border(loglik: Array) -> Array:
    """Give what a step must reach so that the likelihood has not fallen beyond rounding."""
    return np.asarray(loglik - 1e-12 * np.abs(loglik), dtype=np.float64)


def _ahead(scoring: Array, turned: Array, went: Array) -> Array:
    """Near the top, what the last two steps have in common is gone at once (Anderson 1965, one step back)."""
    square = np.einsum("rj,rj->r", turned, turned)
    near = (np.abs(scoring).max(axis=1) < NEAR) & (square > 0)
    share = np.where(near, np.einsum("rj,rj->r", turned, scoring) / np.where(near, square, 1.0), 0.0)
    return np.asarray(scoring - share[:, None] * (went + turned), dtype=np.float64)


def _step(
    problem: Problem, some: Some, b: Array, loglik: Array, step: Array, plain: Array
) -> tuple[Array, Array, Array, NDArray[np.bool_]]:
    """Go the step; where the likelihood would fall the plain one, and then the half of it as often as needed."""
    at = b + step
    after, following = _look(problem, some, at)
    refused = ~(after >= _border(loglik))
    worse = refused
    for halving in range(25):
        if not worse.any():
            break
        step[worse] = plain[worse] / 2**halving
        at[worse] = b[worse] + step[worse]
        after[worse], following[worse] = _look(problem, taken(some, worse), at[worse])
        worse = ~(after >= _border(loglik))
    return at, after, following, refused


def _inverted(matrix: Array) -> Array:
    try:
        return np.asarray(np.linalg.inv(matrix), dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.pinv(matrix, hermitian=True), dtype=np.float64)


def _look(problem: Problem, some: Some, b: Array) -> tuple[Array, Array]:
    """Penalised likelihood, and the next step."""
    now = look(problem, some, b)
    variance = now.p * (1 - now.p)
    informed = information(problem, some, some.w * variance)
    inverse = _inverted(informed)
    sign, size = np.linalg.slogdet(informed)
    both = some.free[:, :, None] & some.free[:, None, :]
    inverse = np.where(both, inverse, 0.0)
    upper = np.triu_indices(b.shape[1])
    twice = np.where(upper[0] == upper[1], 1.0, 2.0)
    hat = variance * ((inverse[:, upper[0], upper[1]] * twice) @ problem.pairs.T)
    score = np.where(some.free, (some.w * (problem.y - now.p + hat * (0.5 - now.p))) @ problem.x, 0.0)
    step = solved(information(problem, some, some.w * variance * (1 + hat)), score)
    loglik = np.where(sign > 0, now.loglik + size / 2, -np.inf)
    return loglik, step
