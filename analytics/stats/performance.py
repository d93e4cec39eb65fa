"""How well predictions do, for many resamples at once: every measure takes weights instead of copies of the cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from analytics.stats.link import softened
from analytics.stats.validation import CUT, TIED

__all__ = ["Measures", "Recalibrated", "logit", "net_benefits", "performance", "recalibrate"]

Array = NDArray[np.float64]
# Outcome (cases,), predictions (fits, cases), weights (fits, cases) to named values, one a fit, NaN where undefined.
Measures = Callable[[Array, Array, Array], Mapping[str, Array]]
FARTHEST = 1e-15  # a probability this near 0 or 1 has a finite logit
STEPS = 60
SETTLED = 1e-9  # last step of Newton's method, which leaves its square
SHIFTED = 1e-8  # the same for an intercept alone


class Recalibrated(NamedTuple):
    """Logistic regression of the outcome on the logit of a prediction, NaN where it has no maximum."""

    intercept: Array
    slope: Array
    loglik: Array
    large: Array  # the intercept when the slope is held at 1


def logit(p: Array) -> Array:
    """Return log odds, finite also for predictions of 0 and 1."""
    return np.asarray(special.logit(np.clip(p, FARTHEST, 1 - FARTHEST)), dtype=np.float64)


def _share(above: Array, below: Array) -> Array:
    return np.where(below > 0, above / np.where(below > 0, below, 1.0), np.nan)


def _called(p: Array) -> NDArray[np.bool_]:
    return np.asarray(p > CUT + TIED, dtype=np.bool_)


def _auc(y: Array, p: Array, w: Array) -> Array:
    """Area under the ROC curve, ties counted half."""
    if not y.size:
        return np.full(p.shape[0], np.nan)
    rounded = np.round(p, 12)  # equal probabilities may differ in their last binary digits
    order = np.argsort(rounded, axis=1)
    s = np.take_along_axis(rounded, order, axis=1)
    weight = np.take_along_axis(w, order, axis=1)
    event = y[order]
    negative = np.cumsum(weight * (1 - event), axis=1)
    before = np.pad(negative, ((0, 0), (1, 0)))
    n = s.shape[1]
    place = np.broadcast_to(np.arange(n), s.shape)
    new = np.diff(s, axis=1) > 0
    edge = np.ones((s.shape[0], 1), dtype=np.bool_)
    first = np.maximum.accumulate(np.where(np.hstack([edge, new]), place, 0), axis=1)
    last = np.minimum.accumulate(np.where(np.hstack([new, edge]), place, n)[:, ::-1], axis=1)[:, ::-1]
    below, within = np.take_along_axis(before, first, axis=1), np.take_along_axis(before, last + 1, axis=1)
    wins = (weight * event * (below + within)).sum(axis=1) / 2
    return _share(wins, (weight * event).sum(axis=1) * negative[:, -1])


def performance(y: Array, p: Array, w: Array) -> dict[str, Array]:
    """Judge every row of predictions by nine measures.

    Parameters
    ----------
    y : ndarray of float, shape (cases,)
        0 or 1.
    p, w : ndarray of float, shape (fits, cases)
        Predicted probabilities, and how often each case counts.

    Returns
    -------
    dict of str to ndarray of float, shape (fits,)
        NaN where a measure does not exist, e.g. a slope when the prediction sorts the outcome without error.
        ``calibration_intercept`` goes with the slope, ``calibration_in_the_large`` with a slope of 1;
        ``nagelkerke_r2`` is that of the recalibrated prediction. All three as R's ``rms::validate``.
    """
    again = recalibrate(y, p, w)
    return {
        "accuracy": _share((w * (_called(p) == (y == 1))).sum(axis=1), w.sum(axis=1)),
        "sensitivity": _share((w * _called(p)) @ y, w @ y),
        "specificity": _share((w * ~_called(p)) @ (1 - y), w @ (1 - y)),
        "auc": _auc(y, p, w),
        "brier": _share((w * (y - p) ** 2).sum(axis=1), w.sum(axis=1)),
        "nagelkerke_r2": _nagelkerke(y, again.loglik, w),
        "calibration_slope": again.slope,
        "calibration_intercept": again.intercept,
        "calibration_in_the_large": again.large,
    }


def _nagelkerke(y: Array, loglik: Array, w: Array) -> Array:
    n, events = w.sum(axis=1), w @ y
    share = events / np.where(n > 0, n, 1.0)
    null = special.xlogy(events, share) + special.xlogy(n - events, 1 - share)
    per_case = 2 / np.where(n > 0, n, 1.0)
    return _share(-np.expm1(per_case * (null - loglik)), -np.expm1(per_case * null))


def net_benefits(thresholds: Sequence[float]) -> Measures:
    """Make the net benefit at threshold probabilities, as measures whose optimism can be corrected.

    Parameters
    ----------
    thresholds : sequence of float
        Between 0 and 1, exclusive.

    Returns
    -------
    callable
        Gives ``net_benefit_<threshold>``: ``TP/n - FP/n * t/(1-t)``, positive where the probability is at least the
        threshold (Vickers & Elkin 2006, p. 568).
    """

    def measures(y: Array, p: Array, w: Array) -> dict[str, Array]:
        n = w.sum(axis=1)
        return {
            f"net_benefit_{t:g}": _share((w * (p >= t - TIED)) @ (y - t / (1 - t) * (1 - y)), n) for t in thresholds
        }

    return measures


def recalibrate(y: Array, p: Array, w: Array) -> Recalibrated:
    """Regress the outcome on the logit of the predictions, one regression a row.

    Parameters
    ----------
    y : ndarray of float, shape (cases,)
        0 or 1.
    p, w : ndarray of float, shape (fits, cases)
        Predicted probabilities and weights.

    Returns
    -------
    Recalibrated
        Each of shape (fits,). NaN where one outcome class is alone; slope, intercept and likelihood also where the
        prediction sorts the outcome without error or is the same for every case.
    """
    z = logit(np.where(np.isfinite(p), p, 0.5))
    n, events = w.sum(axis=1), w @ y
    both = (events > 0.5) & (events < n - 0.5) & np.isfinite(p).all(axis=1)
    inside = w > 0
    high = [np.where(inside & side, z, -np.inf).max(axis=1, initial=-np.inf) for side in (y == 1, y == 0)]
    low = [np.where(inside & side, z, np.inf).min(axis=1, initial=np.inf) for side in (y == 1, y == 0)]
    overlap = (low[0] < high[1]) & (low[1] < high[0])
    flat = np.maximum(*high) - np.minimum(*low) < 1e-9 if z.size else np.ones(n.size, dtype=np.bool_)
    intercept, slope, loglik = (np.full(n.size, np.nan) for _ in range(3))
    which = both & overlap & ~flat
    if which.any():
        intercept[which], slope[which], loglik[which] = _line(y, z[which], w[which])
    level = both & flat  # a constant prediction tells nothing: the likelihood is that of the null model
    share = events[level] / n[level]
    loglik[level] = special.xlogy(events[level], share) + special.xlogy(n[level] - events[level], 1 - share)
    large = np.full(n.size, np.nan)
    if both.any():
        large[both] = _shift(y, z[both], w[both])
    return Recalibrated(intercept, slope, loglik, large)


class _Line(NamedTuple):
    """Lines that are still on their way: intercept, slope, log likelihood, and what they are fitted to."""

    a: Array
    b: Array
    loglik: Array
    u: Array
    w: Array

    def some(self, which: NDArray[np.bool_]) -> _Line:
        return self if which.all() else _Line(*(one[which] for one in self))


def _line_likelihood(y: Array, a: Array, b: Array, u: Array, w: Array) -> Array:
    eta = a[:, None] + b[:, None] * u
    return np.asarray(np.einsum("rn,rn->r", w, y * eta - softened(eta)[1]), dtype=np.float64)


def _line(y: Array, z: Array, w: Array) -> tuple[Array, Array, Array]:
    """Newton with halved steps for an intercept and a slope, the prediction standardised on the way."""
    n = w.sum(axis=1)
    middle = np.einsum("rn,rn->r", w, z) / n
    u = z - middle[:, None]
    spread = np.sqrt(np.einsum("rn,rn,rn->r", w, u, u) / n)
    u /= spread[:, None]
    null, level = special.logit((w @ y) / n), np.zeros(z.shape[0])
    # As predicted, where that is better than the share alone: a model on its own cases is there already.
    at_null, as_predicted = _line_likelihood(y, null, level, u, w), _line_likelihood(y, middle, spread, u, w)
    better = as_predicted > at_null
    now = _Line(
        np.where(better, middle, null),
        np.where(better, spread, level),
        np.where(better, as_predicted, at_null),
        u,
        w,
    )
    found = [np.full(z.shape[0], np.nan) for _ in range(3)]
    left = np.arange(z.shape[0])
    for _ in range(STEPS):
        now, moved, stuck = _line_step(y, now)
        done = ~stuck & (moved < SETTLED * (1 + np.abs(now.b)))
        for values, one in zip(found, now, strict=False):
            values[left[done]] = one[done]
        on = ~(done | stuck)
        left, now, moved = left[on], now.some(on), moved[on]
        if not left.size:
            break
    else:
        near = moved <= 1e-6 * (1 + np.abs(now.b))
        for values, one in zip(found, now, strict=False):
            values[left[near]] = one[near]
    slope = found[1] / spread
    return found[0] - slope * middle, slope, found[2]


def _line_step(y: Array, now: _Line) -> tuple[_Line, Array, NDArray[np.bool_]]:
    """One step of each line, how far it went, and which can go no further."""
    p = softened(now.a[:, None] + now.b[:, None] * now.u)[0]
    r, v = now.w * (y - p), now.w * p * (1 - p)
    vu = v * now.u
    i00, i01, i11 = v.sum(axis=1), vu.sum(axis=1), np.einsum("rn,rn->r", vu, now.u)
    s0, s1 = r.sum(axis=1), np.einsum("rn,rn->r", r, now.u)
    det = i00 * i11 - i01 * i01
    stuck = det < 1e-14 * (i00 * i11 + 1e-300)
    det = np.where(stuck, 1.0, det)
    da, db = (np.where(stuck, 0.0, step) for step in ((i11 * s0 - i01 * s1) / det, (i00 * s1 - i01 * s0) / det))
    after = _line_likelihood(y, now.a + da, now.b + db, now.u, now.w)
    for _ in range(30):
        worse = ~(after >= now.loglik - 1e-12 * np.abs(now.loglik))
        if not worse.any():
            break
        da[worse] /= 2
        db[worse] /= 2
        after[worse] = _line_likelihood(
            y, now.a[worse] + da[worse], now.b[worse] + db[worse], now.u[worse], now.w[worse]
        )
    stuck |= ~(after >= now.loglik - 1e-12 * np.abs(now.loglik))
    return _Line(now.a + da, now.b + db, after, now.u, now.w), np.maximum(np.abs(da), np.abs(db)), stuck


def _shift(y: Array, z: Array, w: Array) -> Array:
    """Find the intercept at which expected and observed events agree: a monotone equation, bisected and polished."""
    n, events = w.sum(axis=1), w @ y
    around, reach = special.logit(events / n), np.abs(z).max(axis=1) + 1
    low, high = around - reach, around + reach
    a = np.zeros(n.size) if ((low < 0) & (high > 0)).all() else around
    found, left = np.empty(n.size), np.arange(n.size)
    for _ in range(STEPS):
        p = softened(a[:, None] + z)[0]
        p *= w
        expected = p.sum(axis=1)
        gap, slope = events - expected, expected - np.einsum("rn,rn->r", p, p / np.where(w > 0, w, 1.0))
        low, high = np.where(gap > 0, a, low), np.where(gap > 0, high, a)
        step = gap / np.maximum(slope, 1e-300)
        newton = a + step
        # A bracket that ends at the solution must not reject the last step for its rounding.
        inside = ((newton > low) & (newton < high)) | (np.abs(step) < SHIFTED)
        after = np.where(inside, newton, (low + high) / 2)
        moved = np.abs(after - a)
        found[left] = a = after
        on = moved > SHIFTED * (1 + np.abs(a))
        if not on.any():
            break
        left, a, low, high, events, z, w = (one[on] for one in (left, a, low, high, events, z, w))
    return found
