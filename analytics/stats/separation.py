"""Separation: detecting it before a logistic model is fitted, and Firth's penalised likelihood that survives it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg, optimize, special, stats

from analytics.stats.profile import Look, crossing
from analytics.stats.result import NotEstimable, Result, Value

__all__ = ["Firth", "FirthTerm", "Separation", "firth", "refused", "separation"]

Separation = Literal["none", "quasi-complete", "complete"]
Array = NDArray[np.float64]
STRIDE, LONG_STRIDE = 0.5, 2.0  # standard errors between two looks at a profile, under separation and without
SETTLED = 1e-12  # of log likelihood
WELL_CONDITIONED = 1e-4  # smallest to largest pivot of a root
MOST_FOR_NEWTON = 120  # cases; the exact curvature costs cases squared, and many cases do without


def separation(design: ArrayLike, outcome: ArrayLike) -> Separation:
    """Tell whether some direction of the coefficients sorts the outcome without error.

    Parameters
    ----------
    design : array_like of float, shape (cases, columns)
        With the intercept column, full rank, no missing values.
    outcome : array_like of float, shape (cases,)
        0 or 1.

    Returns
    -------
    {"none", "quasi-complete", "complete"}
        Linear programme of Konis 2007 (DPhil thesis, Oxford): maximise ``sum s_i x_i'b`` subject to ``s_i x_i'b >= 0``
        and ``|b| <= 1``. Without separation the optimum is 0; otherwise some maximum-likelihood estimates are infinite.
        One outcome class, and no case at all, are sorted by any intercept.
    """
    x, y = np.asarray(design, dtype=float), np.asarray(outcome, dtype=float)
    if y.size == 0:
        return "complete"
    greatest = np.abs(x).max(axis=0)
    signed = (2 * y - 1)[:, None] * (x / np.where(greatest > 0, greatest, 1.0))
    box = [(-1.0, 1.0)] * x.shape[1]
    found = optimize.linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(y.size), bounds=box, method="highs")
    if not found.success or float(found.fun or 0) >= -1e-7:
        return "none"
    # A margin: push the worst case as far inside as the box allows.
    margin = np.hstack([-signed, np.ones((y.size, 1))])
    goal = np.append(np.zeros(x.shape[1]), -1.0)
    strict = optimize.linprog(goal, A_ub=margin, b_ub=np.zeros(y.size), bounds=[*box, (0.0, 1.0)], method="highs")
    return "complete" if strict.success and float(strict.fun or 0) < -1e-7 else "quasi-complete"


@dataclass(frozen=True, kw_only=True)
class FirthTerm(Result):
    """One coefficient of a Firth fit; judge it by profile limits and penalised likelihood ratio, not by Wald."""

    b: Value
    se: Value
    se_augmented: Value
    odds_ratio: Value
    b_profile_low: Value
    b_profile_high: Value
    p_plr: Value

    PRINTED: ClassVar[Mapping[str, str]] = MappingProxyType({"odds_ratio": "or"})


@dataclass(frozen=True, kw_only=True)
class Firth(Result):
    """A logistic model fitted with Firth's penalty."""

    loglik_penalised: Value
    loglik_penalised_null: Value
    terms: Mapping[str, FirthTerm]

    FRAME: ClassVar[tuple[str, ...]] = (*Result.FRAME, "terms")


@dataclass(frozen=True)
class _State:
    b: Array
    loglik: float
    p: Array
    hat: Array
    root: Array  # lower triangular root of the information
    converged: bool = True


def firth(design: ArrayLike, outcome: ArrayLike, names: Sequence[str], *, separated: bool = True) -> Firth:
    """Fit a logistic model with Firth's penalty (Jeffreys prior).

    Parameters
    ----------
    design : array_like of float, shape (cases, columns)
        With the intercept as first column, no missing values.
    outcome : array_like of float, shape (cases,)
        0 or 1.
    names : sequence of str
        A name a column.
    separated : bool
        Whether the outcome is separated. Then profiles are walked in small strides, because they may have several
        branches; without separation long strides find the same limits.

    Returns
    -------
    Firth
        Maximum of ``LL + 0.5 log det I`` (Firth 1993; Heinze & Schemper 2002). ``se`` is the inverse information at the
        estimate (brglm2),
        ``se_augmented`` that of the augmented data (R logistf >= 1.24). Limits and p from the penalised profile
        likelihood, in which the penalty keeps the full information matrix, as logistf. Fitted probabilities are pulled
        toward 0.5. Refused without a case, with one outcome class, and where columns are combinations of others.
    """
    x, y = np.asarray(design, dtype=float), np.asarray(outcome, dtype=float)
    refusal = _refusal(x, y)
    if refusal:
        return refused(refusal, names, n=int(y.size))
    scale = np.where(np.ptp(x, axis=0) > 0, x.std(axis=0), np.abs(x).max(axis=0))
    xs = x / scale
    every = np.arange(x.shape[1])
    frame = _frame(int(y.size))
    best = _climb(xs, y, np.zeros(x.shape[1]), every)
    if not best.converged:
        return refused("the penalised fit did not converge", names, n=int(y.size))
    null = _climb(xs, y, np.zeros(x.shape[1]), every[:1])
    shift = float(np.sum(np.log(scale)))  # the determinant in the units of the predictors
    weight = best.p * (1 - best.p)
    se = _standard_errors(xs, weight) / scale
    se_augmented = _standard_errors(xs, weight * (1 + best.hat)) / scale
    stride = STRIDE if separated else LONG_STRIDE
    terms: dict[str, FirthTerm] = {}
    for j, name in enumerate(names):
        b = float(best.b[j] / scale[j])
        terms[name] = FirthTerm(
            **frame,
            b=b,
            se=float(se[j]),
            se_augmented=float(se_augmented[j]),
            odds_ratio=float(np.exp(b)),
            b_profile_low=_limit(xs, y, best, j, float(scale[j]), float(se[j]), stride=-stride),
            b_profile_high=_limit(xs, y, best, j, float(scale[j]), float(se[j]), stride=stride),
            p_plr=_dropped(xs, y, best, j),
        )
    return Firth(**frame, loglik_penalised=best.loglik + shift, loglik_penalised_null=null.loglik + shift, terms=terms)


def highest(x: Array, y: Array, start: Array) -> tuple[Array, float] | None:
    """Climb Firth's likelihood from a start; coefficients and likelihood at the top, or nothing without one."""
    top = _climb(x, y, start, np.arange(x.shape[1]))
    return (top.b, top.loglik) if top.converged else None


def _refusal(x: Array, y: Array) -> str:
    if y.size == 0:
        return "no case is complete"
    if np.ptp(y) == 0:
        return "every complete case has the same outcome"
    greatest = np.abs(x).max(axis=0)
    if greatest.min() == 0 or np.linalg.matrix_rank(x / greatest) < x.shape[1]:
        return "some predictors are exact combinations of others"
    return ""


def _frame(n: int) -> dict[str, Any]:
    method = "Firth penalised likelihood, profile limits, penalised likelihood-ratio test"
    return {"n": n, "method": method, "source": "Firth 1993; Heinze & Schemper 2002"}


def refused(why: str, names: Sequence[str], *, n: int) -> Firth:
    """Build the fit that could not be made, for the one reason ``why``."""
    return Firth.refused(why, terms={name: FirthTerm.refused(why, **_frame(n)) for name in names}, **_frame(n))


def _standard_errors(x: Array, weight: Array) -> Array:
    return np.sqrt(np.diag(np.linalg.inv((x * weight[:, None]).T @ x)))


def _look(x: Array, y: Array, b: Array) -> _State:
    eta = x @ b
    p = special.expit(eta)
    weighted = x * np.sqrt(p * (1 - p))[:, None]
    root = _root(weighted)
    diagonal = np.abs(np.diag(root))
    if diagonal.min() == 0:
        return _State(b, -math.inf, p, np.zeros(y.size), root)
    loglik = float(np.sum(y * eta - np.logaddexp(0, eta))) + float(np.sum(np.log(diagonal)))
    half = linalg.solve_triangular(root, weighted.T, lower=True, check_finite=False)
    return _State(b, loglik, p, np.sum(half**2, axis=0), root)


def _root(weighted: Array) -> Array:
    """Lower triangular root of the information; by orthogonal steps where squaring would lose too many digits."""
    try:
        root = np.asarray(np.linalg.cholesky(weighted.T @ weighted), dtype=np.float64)
        diagonal = np.diag(root)
        if diagonal.min() > WELL_CONDITIONED * diagonal.max():
            return root
    except np.linalg.LinAlgError:
        pass
    return np.asarray(np.linalg.qr(weighted)[1], dtype=np.float64).T


def _climb(x: Array, y: Array, start: Array, free: NDArray[np.intp], *, gain: float = 0.0) -> _State:
    """Maximise the penalised likelihood over the free coefficients; the others stay where they start.

    Ends when the step is nothing, or when the step promises no more than ``gain`` of likelihood: on a flat top the
    coefficients go on moving long after the likelihood has settled.
    """
    now = _look(x, y, start)
    if not free.size:
        return now
    for _ in range(200):
        score = _score(x, y, now)[free]
        step = _step(x, y, now, free, score)
        longest = float(np.abs(step).max())
        if longest < 1e-10 or float(score @ step) < gain:
            return now
        after = _halved(x, y, now, step * min(1.0, 2.0 / longest), free)
        if after is None:
            # No uphill left within rounding: that is the top when the step was already tiny.
            return now if longest < 1e-6 else replace(now, converged=False)
        now = after
    return replace(now, converged=False)


def _score(x: Array, y: Array, now: _State) -> Array:
    return x.T @ (y - now.p + now.hat * (0.5 - now.p))


def _step(x: Array, y: Array, now: _State, free: NDArray[np.intp], score: Array) -> Array:
    """Newton's step where the penalised likelihood curves downward, else a step of Fisher scoring."""
    weight, slope = now.p * (1 - now.p), 1 - 2 * now.p
    augmented = (x * (weight * (1 + now.hat))[:, None]).T @ x
    if y.size <= MOST_FOR_NEWTON and float(np.abs(np.diag(now.root)).min()) > 0:
        half = np.linalg.solve(now.root, x.T)
        h = half.T @ half
        turned = (weight * slope)[:, None] * x
        hat_change = np.diag(h)[:, None] * turned - weight[:, None] * (h**2 @ turned)
        curvature = (augmented - x.T @ ((slope / 2)[:, None] * hat_change))[np.ix_(free, free)]
        try:
            np.linalg.cholesky(curvature)
            return np.asarray(np.linalg.solve(curvature, score), dtype=np.float64)
        except np.linalg.LinAlgError:
            pass
    return np.asarray(np.linalg.pinv(augmented[np.ix_(free, free)], hermitian=True) @ score, dtype=np.float64)


def _halved(x: Array, y: Array, now: _State, step: Array, free: NDArray[np.intp]) -> _State | None:
    for halving in range(25):
        b = now.b.copy()
        b[free] += step / 2**halving
        after = _look(x, y, b)
        if after.loglik >= now.loglik - 1e-13 * abs(now.loglik):
            return after
    return None


def _without(columns: int, j: int) -> NDArray[np.intp]:
    return np.delete(np.arange(columns), j)


def _dropped(x: Array, y: Array, best: _State, j: int) -> Value:
    start = best.b.copy()
    start[j] = 0.0
    without = _climb(x, y, start, _without(x.shape[1], j), gain=SETTLED)
    if not without.converged:
        return NotEstimable("the fit without this term did not converge")
    return float(stats.chi2.sf(max(0.0, 2 * (best.loglik - without.loglik)), 1))


def _limit(x: Array, y: Array, best: _State, j: int, scale: float, se: float, *, stride: float) -> Value:
    """Where the penalised profile has fallen by half the chi-square border, in units of the predictor."""
    free = _without(x.shape[1], j)

    def profile(value: float, near: Array) -> Look:
        start = near.copy()
        start[j] = value
        there = _climb(x, y, start, free, gain=SETTLED)
        return Look(2 * (best.loglik - there.loglik), -2 * float(_score(x, y, there)[j]), there.b)

    found = crossing(profile, best.b, start=float(best.b[j]), step=stride * se * scale)
    return found if isinstance(found, NotEstimable) else found / scale
