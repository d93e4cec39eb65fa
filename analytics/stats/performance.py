"""How well predictions do, for many resamples at once: every measure takes weights instead of copies of the cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from analytics.stats.validation import TIED

__all__ = ["Measures", "Recalibrated", "logit", "net_benefits", "performance", "recalibrate"]

Array = NDArray[np.float64]
# Outcome (cases,), predictions (fits, cases), weights (fits, cases) to named values, one a fit, NaN where undefined.
Measures = Callable[[Array, Array, Array], Mapping[str, Array]]
CUT = 0.5
FARTHEST = 1e-15  # a probability this near 0 or 1 has a finite logit
STEPS = 60
SETTLED = 1e-9  # last step of Newton's method, which leaves its square


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
    rounded = np.round(p, 12)  # equal probabilities may differ in their last binary digits
    order = np.argsort(rounded, axis=1, kind="stable")
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


def _line(y: Array, z: Array, w: Array) -> tuple[Array, Array, Array]:
    """Newton with halved steps for an intercept and a slope, the prediction standardised on the way."""
    n = w.sum(axis=1, keepdims=True)
    middle = (w * z).sum(axis=1, keepdims=True) / n
    spread = np.sqrt((w * (z - middle) ** 2).sum(axis=1, keepdims=True) / n)
    u = (z - middle) / spread

    def likelihood(a: Array, b: Array) -> tuple[Array, Array]:
        eta = a[:, None] + b[:, None] * u
        return eta, (w * (y * eta - np.logaddexp(0, eta))).sum(axis=1)

    null, level = special.logit((w @ y) / n[:, 0]), np.zeros(z.shape[0])
    stuck = np.zeros(z.shape[0], dtype=np.bool_)
    # As predicted, where that is better than the share alone: a model on its own cases is there already.
    better = likelihood(middle[:, 0], spread[:, 0])[1] > likelihood(null, level)[1]
    a, b = np.where(better, middle[:, 0], null), np.where(better, spread[:, 0], level)
    eta, now = likelihood(a, b)
    for _ in range(STEPS):
        p = special.expit(eta)
        v, r = w * p * (1 - p), w * (y - p)
        i00, i01, i11 = v.sum(axis=1), (v * u).sum(axis=1), (v * u * u).sum(axis=1)
        s0, s1 = r.sum(axis=1), (r * u).sum(axis=1)
        det = i00 * i11 - i01 * i01
        stuck |= det < 1e-14 * (i00 * i11 + 1e-300)
        det = np.where(stuck, 1.0, det)
        da, db = (np.where(stuck, 0.0, step) for step in ((i11 * s0 - i01 * s1) / det, (i00 * s1 - i01 * s0) / det))
        for _halving in range(30):
            eta, after = likelihood(a + da, b + db)
            worse = ~(after >= now - 1e-12 * np.abs(now))
            if not worse.any():
                break
            da, db = np.where(worse, da / 2, da), np.where(worse, db / 2, db)
        stuck |= worse
        a, b, now = a + da, b + db, after
        moved = np.where(stuck, 0.0, np.maximum(np.abs(da), np.abs(db)))
        if float((moved / (1 + np.abs(b))).max()) < SETTLED:
            break
    stuck |= moved > 1e-6 * (1 + np.abs(b))
    slope = np.where(stuck, np.nan, b / spread[:, 0])
    return a - slope * middle[:, 0], slope, np.where(stuck, np.nan, now)


def _shift(y: Array, z: Array, w: Array) -> Array:
    """Find the intercept at which expected and observed events agree: a monotone equation, bisected and polished."""
    events = w @ y
    share = events / w.sum(axis=1)
    around = special.logit(share)
    low, high = around - np.abs(z).max(axis=1) - 1, around + np.abs(z).max(axis=1) + 1
    a = around - (w * z).sum(axis=1) / w.sum(axis=1)
    for _ in range(STEPS):
        p = special.expit(a[:, None] + z)
        gap, slope = events - (w * p).sum(axis=1), (w * p * (1 - p)).sum(axis=1)
        low, high = np.where(gap > 0, a, low), np.where(gap > 0, high, a)
        newton = a + gap / np.maximum(slope, 1e-300)
        after = np.where((newton > low) & (newton < high), newton, (low + high) / 2)
        moved = float(np.abs(after - a).max())
        a = after
        if moved < 1e-13:
            break
    return np.asarray(a, dtype=np.float64)
