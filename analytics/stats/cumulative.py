"""Likelihood of cumulative logits: proportional odds, and the partial models in which some odds differ by threshold."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from analytics.stats.separation import separation

__all__ = [
    "SETTLED",
    "Fitted",
    "Setting",
    "borders",
    "class_probabilities",
    "climb",
    "expected_information",
    "look",
    "maximum",
]

Array = NDArray[np.float64]
Ints = NDArray[np.intp]
FLOOR = 1e-300  # smallest probability of a class
STEPS = 100
SETTLED = 1e-13  # of log likelihood
SEPARATED = "the classes are separated, so some maximum-likelihood estimates are infinite"


class Setting(NamedTuple):
    """Cases of an ordered outcome; a case in class k lies between threshold k - 1 and threshold k."""

    y: Ints
    x: Array  # (cases, predictors), scaled, centred
    classes: int


class Fitted(NamedTuple):
    """A maximum: parameters, log likelihood and observed information there."""

    theta: Array
    loglik: float
    information: Array


def borders(setting: Setting, own: list[int]) -> tuple[Array, Array]:
    """Make the rows that turn the parameters into the borders above and below each case.

    Parameters are thresholds, one coefficient a predictor, then for each predictor in ``own`` its deviation at every
    threshold but the first. The lowest class has no border below, the highest none above; their rows are 0.
    """
    cuts = setting.classes - 1
    rows = []
    for cut in (setting.y, setting.y - 1):
        exists = (cut >= 0) & (cut < cuts)
        at = np.eye(cuts)[np.clip(cut, 0, cuts - 1)]
        extra = [at[:, 1:] * -setting.x[:, [j]] for j in own]
        rows.append(np.column_stack([at, -setting.x, *extra]) * exists[:, None])
    return rows[0], rows[1]


def maximum(setting: Setting) -> Fitted | str:
    """Newton's maximum, or why there is none."""
    refusal = _refusal(setting)
    if refusal:
        return refusal
    above, below = borders(setting, [])
    if separation(np.vstack([above, -below]), np.ones(2 * setting.y.size)) != "none":
        return SEPARATED
    every = np.arange(above.shape[1])
    return climb(setting, above, below, _start(setting, every.size), every) or "the fit did not converge"


def _refusal(setting: Setting) -> str:
    n, width = setting.x.shape
    if n == 0:
        return "no case is complete"
    if setting.classes < 2:
        return "every complete case is in the same class"
    if width == 0:
        return "no predictor varies among the complete cases"
    if n < width + setting.classes - 1:
        return f"there are {n} complete cases for {width + setting.classes - 1} coefficients"
    if np.linalg.matrix_rank(np.column_stack([np.ones(n), setting.x])) < width + 1:
        return "some predictors are exact combinations of others"
    return ""


def _start(setting: Setting, size: int) -> Array:
    shares = np.cumsum(np.bincount(setting.y))[:-1] / setting.y.size
    return np.concatenate([special.logit(shares), np.zeros(size - shares.size)])


def _shares(setting: Setting, above: Array, below: Array, theta: Array) -> tuple[Array, Array, Array]:
    """Probability of each case's own class, and the distribution function at its borders."""
    high = np.where(setting.y == setting.classes - 1, np.inf, above @ theta)
    low = np.where(setting.y == 0, -np.inf, below @ theta)
    f_high, f_low = special.expit(high), special.expit(low)
    # The difference of the smaller tails keeps its digits.
    return np.where(low > 0, special.expit(-low) - special.expit(-high), f_high - f_low), f_high, f_low


def _first(setting: Setting, above: Array, below: Array, theta: Array) -> tuple[Array, Array]:
    """Probability of each case's own class, and the derivatives of its logarithm."""
    share, f_high, f_low = _shares(setting, above, below, theta)
    kept = np.maximum(share, FLOOR)
    d_high, d_low = f_high * (1 - f_high), f_low * (1 - f_low)
    return share, (d_high / kept)[:, None] * above - (d_low / kept)[:, None] * below


def look(setting: Setting, above: Array, below: Array, theta: Array) -> tuple[float, Array, Array]:
    """Log likelihood, score and observed information."""
    share, f_high, f_low = _shares(setting, above, below, theta)
    if share.min() <= FLOOR:
        return -math.inf, np.zeros(theta.size), np.eye(theta.size)
    first = _first(setting, above, below, theta)[1]
    bend_high = f_high * (1 - f_high) * (1 - 2 * f_high) / share
    bend_low = f_low * (1 - f_low) * (1 - 2 * f_low) / share
    curved = (above * bend_high[:, None]).T @ above - (below * bend_low[:, None]).T @ below
    return float(np.sum(np.log(share))), first.sum(axis=0), first.T @ first - curved


def climb(
    setting: Setting, above: Array, below: Array, start: Array, free: Ints, *, gain: float = 0.0
) -> Fitted | None:
    """Maximise over the free parameters by Newton's steps, halved where the likelihood would fall.

    Ends where the step is nothing, or promises no more than ``gain`` of log likelihood.
    """
    theta = start.copy()
    now, score, information = look(setting, above, below, theta)
    for _ in range(STEPS):
        step = np.zeros(theta.size)
        try:
            step[free] = np.linalg.solve(information[np.ix_(free, free)], score[free])
        except np.linalg.LinAlgError:
            return None
        if 0 <= float(step @ score) < gain:
            return Fitted(theta, now, information)
        if step[free] @ score[free] < 0:  # not concave here: go uphill on the diagonal
            step[free] = score[free] / np.maximum(np.abs(np.diag(information)[free]), 1e-6)
        for _halving in range(40):
            after = look(setting, above, below, theta + step)
            if after[0] >= now - 1e-13 * abs(now):
                break
            step /= 2
        else:
            return None
        theta = theta + step
        now, score, information = after
        if float(np.abs(step).max()) < 1e-11 * (1 + float(np.abs(theta).max())):
            return Fitted(theta, now, information)
    return None


def expected_information(setting: Setting, own: list[int], theta: Array) -> Array:
    """Fisher information: over the classes each case could have been in, as probable as ``theta`` makes them."""
    total = np.zeros((theta.size, theta.size))
    for one in range(setting.classes):
        there = setting._replace(y=np.full(setting.y.size, one, dtype=np.intp))
        above, below = borders(there, own)
        share, first = _first(there, above, below, theta)
        total += (first * share[:, None]).T @ first
    return total


def class_probabilities(setting: Setting, own: list[int], theta: Array) -> Array:
    """Probability of every class for every case, shape (cases, classes); below 0 where thresholds cross."""
    reached = [np.zeros(setting.y.size)]
    for cut in range(setting.classes - 1):
        above, _ = borders(setting._replace(y=np.full(setting.y.size, cut, dtype=np.intp)), own)
        reached.append(special.expit(above @ theta))
    return np.diff(np.column_stack([*reached, np.ones(setting.y.size)]), axis=1)
