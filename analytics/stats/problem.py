"""What many logistic fits have in common: the data, the fits on their way, their likelihood and their information."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.stats.link import softened

__all__: list[str] = []  # no statistics: what batch and scoring are made of

Array = NDArray[np.float64]
FITTED, ONE_CLASS, COLLINEAR, SEPARATED, UNSETTLED = range(5)  # what becomes of a fit


class Problem(NamedTuple):
    """The data all fits share."""

    x: Array  # (cases, columns), scaled
    y: Array  # (cases,)
    pairs: Array  # (cases, columns (columns + 1) / 2): products of columns
    place: NDArray[np.intp]  # (columns, columns) into pairs


class Some(NamedTuple):
    """The fits of a batch that are still on their way."""

    w: Array  # (fits, cases): how often each case counts
    free: NDArray[np.bool_]  # (fits, columns): columns that vary
    penalty: Array  # (fits, columns)


class State(NamedTuple):
    """Where the fits are."""

    b: Array
    p: Array
    loglik: Array


class Climbed(NamedTuple):
    """Where the fits ended."""

    b: Array  # (fits, columns), NaN without an end
    status: NDArray[np.int8]
    loglik: Array  # -inf without an end


def information(problem: Problem, some: Some, weight: Array) -> Array:
    """Penalised information of every fit; columns that are out get a row of the unit matrix."""
    matrix = (weight @ problem.pairs)[:, problem.place]
    both = some.free[:, :, None] & some.free[:, None, :]
    diagonal = np.arange(problem.x.shape[1])
    matrix = np.where(both, matrix, 0.0)
    matrix[:, diagonal, diagonal] += np.where(some.free, some.penalty, 1.0)
    return matrix


def solved(matrix: Array, right: Array) -> Array:
    """Solve the equations of every fit."""
    try:
        return np.asarray(np.linalg.solve(matrix, right[:, :, None])[:, :, 0], dtype=np.float64)
    except np.linalg.LinAlgError:  # one that runs away spoils the batch: a trace of the diagonal keeps it going
        diagonal = np.arange(matrix.shape[1])
        kept = matrix.copy()
        kept[:, diagonal, diagonal] += 1e-13 + 1e-10 * np.einsum("rjj->rj", matrix)
        return np.asarray(np.linalg.solve(kept, right[:, :, None])[:, :, 0], dtype=np.float64)


def look(problem: Problem, some: Some, b: Array) -> State:
    """Probabilities and penalised likelihood at coefficients."""
    eta = b @ problem.x.T
    p, soft = softened(eta)
    held = np.where(some.penalty > 0, b, 0.0)  # one that runs away has no square
    loglik = np.einsum("rn,rn->r", some.w, problem.y * eta - soft) - (some.penalty * held**2).sum(axis=1) / 2
    return State(b, p, loglik)


def taken(some: Some, which: NDArray[np.bool_]) -> Some:
    """Keep some of the fits; their weights are large, so not copied where that is all."""
    if which.all():
        return some
    return Some(some.w[which], some.free[which], some.penalty[which])
