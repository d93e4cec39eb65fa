"""Do predicted probabilities come true: calibration line, smooth calibration curve, Brier score, shrinkage factor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from analytics.stats.paired import complete
from analytics.stats.performance import Measures, logit, recalibrate
from analytics.stats.result import LEVEL, NotEstimable, Result, Value
from analytics.stats.risk import quantile

__all__ = [
    "CalibrationCurve",
    "CalibrationLine",
    "Shrinkage",
    "calibration_curve",
    "calibration_line",
    "curve_at",
    "shrinkage",
]

Array = NDArray[np.float64]
SPAN = 2 / 3  # share of the cases in each neighbourhood, as R's lowess
FEWEST = 10  # cases of a curve
PLACES = 500  # at which the curve is computed for the distances; between them it is interpolated
MOST = 2_000_000  # distances held in memory at a time
ONE_CLASS = "every case has the same outcome"
NOT_SORTED = "the prediction is the same for every case, or sorts the outcome without error"


@dataclass(frozen=True, kw_only=True)
class CalibrationLine(Result):
    """How predictions relate to the outcome on average.

    Attributes
    ----------
    in_the_large : Value
        Intercept when the slope is held at 1; 0 where as many cases have the outcome as predicted.
    intercept, slope : Value
        Of the outcome on the prediction's logit; a slope below 1 means predictions that are too extreme.
    unreliability_chi2, unreliability_p : Value
        Likelihood-ratio test of intercept 0 and slope 1, 2 df.
    brier, brier_scaled : Value
        Mean squared distance, and its gain over predicting the prevalence for everybody.
    spiegelhalter_z, spiegelhalter_p : Value
        Test of the Brier score against its expectation.
    """

    n_events: Value
    expected_events: Value
    in_the_large: Value
    in_the_large_low: Value
    in_the_large_high: Value
    intercept: Value
    slope: Value
    slope_low: Value
    slope_high: Value
    unreliability_chi2: Value
    unreliability_p: Value
    brier: Value
    brier_scaled: Value
    spiegelhalter_z: Value
    spiegelhalter_p: Value

    SHOWS_N: ClassVar[bool] = True


def _known(outcome: ArrayLike, fitted: ArrayLike) -> tuple[Array, Array, str]:
    y, p = complete(outcome, fitted)
    if y.size == 0:
        return y, p, "no case is complete"
    if not np.isin(y, (0.0, 1.0)).all():
        return y, p, "the outcome has values other than 0 and 1"
    if p.min() < 0 or p.max() > 1:
        return y, p, "the predictions are not probabilities"
    return y, p, ""


def calibration_line(outcome: ArrayLike, fitted: ArrayLike, *, level: float = LEVEL) -> CalibrationLine:
    """Judge predicted probabilities by the logistic calibration line.

    Parameters
    ----------
    outcome : array_like of float, shape (cases,)
        0, 1 or NaN.
    fitted : array_like of float, shape (cases,)
        Predicted probabilities; pairwise complete cases are used.
    level : float
        Of the Wald intervals.

    Returns
    -------
    CalibrationLine
        Cox 1958, Biometrika 45:562; Miller, Hui & Tierney 1991, Stat Med 10:1213. On the cases a maximum-likelihood
        model was fitted to, slope 1 and intercept 0 hold by construction: correct them for optimism. Brier 1950;
        Spiegelhalter 1986, Stat Med 5:421. Without any standard error for intercept and slope where the prediction
        sorts the outcome without error.
    """
    y, p, refusal = _known(outcome, fitted)
    method = "calibration line: outcome on the logit of the prediction"
    frame: dict[str, Any] = {"n": int(y.size), "method": method, "source": "Cox 1958; Miller 1991; Spiegelhalter 1986"}
    if refusal:
        return CalibrationLine.refused(refusal, **frame)
    score = float(np.mean((y - p) ** 2))
    known = {"n_events": int(y.sum()), "expected_events": float(p.sum()), "brier": score, **_spiegelhalter(y, p)}
    if np.ptp(y) == 0:
        return CalibrationLine.refused(ONE_CLASS, **known, **frame)
    known["brier_scaled"] = 1 - score / (float(y.mean()) * (1 - float(y.mean())))
    known |= _line(y, p, quantile(level))
    return CalibrationLine(**frame, **known)


def _spiegelhalter(y: Array, p: Array) -> dict[str, Any]:
    variance = float(np.sum((1 - 2 * p) ** 2 * p * (1 - p)))
    if variance <= 1e-24:
        no = NotEstimable("the Brier score cannot vary under these predictions")
        return {"spiegelhalter_z": no, "spiegelhalter_p": no}
    z = float(np.sum((y - p) * (1 - 2 * p))) / math.sqrt(variance)
    return {"spiegelhalter_z": z, "spiegelhalter_p": float(2 * stats.norm.sf(abs(z)))}


def _line(y: Array, p: Array, z: float) -> dict[str, Any]:
    eta = logit(p)
    found = recalibrate(y, p[None, :], np.ones((1, y.size)))
    large = float(found.large[0])
    weight = special.expit(eta + large)
    se = 1 / math.sqrt(max(float(np.sum(weight * (1 - weight))), 1e-300))
    named: dict[str, Any] = {
        "in_the_large": large,
        "in_the_large_low": large - z * se,
        "in_the_large_high": large + z * se,
    }
    slope, intercept = float(found.slope[0]), float(found.intercept[0])
    if not math.isfinite(slope):
        names = ("intercept", "slope", "slope_low", "slope_high", "unreliability_chi2", "unreliability_p")
        return named | dict.fromkeys(names, NotEstimable(NOT_SORTED))
    again = special.expit(intercept + slope * eta)
    v = again * (1 - again)
    middle = float(np.sum(v * eta) / np.sum(v))
    se = 1 / math.sqrt(float(np.sum(v * (eta - middle) ** 2)))
    chi2 = max(0.0, 2 * (float(found.loglik[0]) - float(np.sum(y * eta - np.logaddexp(0, eta)))))
    return named | {
        "intercept": intercept,
        "slope": slope,
        "slope_low": slope - z * se,
        "slope_high": slope + z * se,
        "unreliability_chi2": chi2,
        "unreliability_p": float(stats.chi2.sf(chi2, 2)),
    }


@dataclass(frozen=True, kw_only=True)
class CalibrationCurve(Result):
    """Observed share with the outcome as a smooth function of the prediction.

    Attributes
    ----------
    mean_distance, p90_distance, greatest_distance : Value
        Of prediction and curve over the cases: the integrated calibration index, E90 and Emax.
    points : tuple of (predicted, observed, low, high)
        The curve with pointwise limits.
    """

    mean_distance: Value
    p90_distance: Value
    greatest_distance: Value
    points: tuple[tuple[float, float, float, float], ...] = ()

    FRAME: ClassVar[tuple[str, ...]] = (*Result.FRAME, "points")
    DRAWN: ClassVar[tuple[str, tuple[str, ...]]] = ("points", ("predicted", "observed", "low", "high"))


def calibration_curve(
    outcome: ArrayLike, fitted: ArrayLike, *, points: int = 50, span: float = SPAN, level: float = LEVEL
) -> CalibrationCurve:
    """Smooth the outcome over the predicted probability.

    Parameters
    ----------
    outcome, fitted : array_like of float, shape (cases,)
        Outcome 0, 1 or NaN and its predicted probability; pairwise complete cases are used.
    points : int
        Places at which the curve is given, evenly from the least to the greatest prediction.
    span : float
        Share of the cases in each neighbourhood.
    level : float
        Of the pointwise limits.

    Returns
    -------
    CalibrationCurve
        Local linear regression with tricube weights and no robustness steps, as R's ``lowess(iter=0, delta=0)``
        (Cleveland 1979) and ``rms::val.prob``. Limits from the binomial variance of the weighted mean, cut to [0, 1].
        Distances: Austin & Steyerberg 2019, Stat Med 38:4051.
    """
    y, p, refusal = _known(outcome, fitted)
    method = f"calibration curve, lowess with span {span:.2g} and no robustness steps"
    frame: dict[str, Any] = {"n": int(y.size), "method": method, "source": "Cleveland 1979; Austin & Steyerberg 2019"}
    if not refusal and y.size < FEWEST:
        refusal = "a curve needs ten cases"
    if not refusal and np.ptp(p) < 1e-9:
        refusal = "the prediction is the same for every case"
    if refusal:
        return CalibrationCurve.refused(refusal, points=(), **frame)
    own = np.unique(p)
    if own.size > PLACES:
        own = np.unique(np.quantile(own, np.linspace(0, 1, PLACES)))
    distance = np.abs(np.interp(p, own, smoothed(y, p, own, span)[0]) - p)
    grid = np.linspace(float(p.min()), float(p.max()), points)
    curve, spread = smoothed(y, p, grid, span)
    half = quantile(level) * spread
    shown = np.column_stack([grid, np.clip(curve, 0, 1), np.clip(curve - half, 0, 1), np.clip(curve + half, 0, 1)])
    return CalibrationCurve(
        **frame,
        mean_distance=float(distance.mean()),
        p90_distance=float(np.quantile(distance, 0.9)),
        greatest_distance=float(distance.max()),
        points=tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in shown),
    )


def smoothed(y: Array, p: Array, at: Array, span: float = SPAN) -> tuple[Array, Array]:
    """Smooth an outcome at given places.

    Parameters
    ----------
    y, p : ndarray of float, shape (cases,)
        Outcome and prediction, complete.
    at : ndarray of float, shape (places,)
        Where the curve is wanted.
    span : float
        Share of the cases in each neighbourhood.

    Returns
    -------
    tuple of ndarray, shape (places,)
        The curve, and its binomial standard error.
    """
    near = max(2, min(p.size, int(span * p.size + 1e-7)))
    chunk = max(1, MOST // p.size)
    parts = [_smoothed(y, p, at[start : start + chunk], near) for start in range(0, at.size, chunk)]
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _smoothed(y: Array, p: Array, at: Array, near: int) -> tuple[Array, Array]:
    away = p - at[:, None]
    distance = np.abs(away)
    reach = np.partition(distance, near - 1, axis=1)[:, near - 1 : near]
    # R's lowess: the nearest thousandth counts fully, the farthest not at all.
    tricube = (1 - (distance / np.where(reach > 0, reach, 1.0)) ** 3) ** 3
    weight = np.where(distance <= 0.999 * reach, np.where(distance > 0.001 * reach, tricube, 1.0), 0.0)
    # Between two heaps of equal predictions every neighbour may be as far as the farthest: then all count alike.
    weight = np.where(weight.sum(axis=1, keepdims=True) > 0, weight, (distance <= reach).astype(float))
    weight /= weight.sum(axis=1, keepdims=True)
    middle = (weight * away).sum(axis=1, keepdims=True)
    spread = (weight * (away - middle) ** 2).sum(axis=1, keepdims=True)
    sloped = np.sqrt(spread) > 0.001 * np.ptp(p)
    tilt = np.where(sloped, -middle / np.where(sloped, spread, 1.0), 0.0)
    weight = weight * (1 + tilt * (away - middle))
    curve = weight @ y
    inside = np.clip(curve, 0, 1)
    return curve, np.sqrt((weight**2).sum(axis=1) * inside * (1 - inside))


def curve_at(places: Sequence[float], *, span: float = SPAN) -> Measures:
    """Make the calibration curve at some predictions, as measures whose optimism can be corrected.

    Parameters
    ----------
    places : sequence of float
        Predicted probabilities.
    span : float
        Share of the cases in each neighbourhood.

    Returns
    -------
    callable
        Gives ``curve_<place>``, NaN where a model's predictions do not reach the place. With `prediction.optimism` the
        overfitting-corrected calibration curve (Harrell 2015; R rms::calibrate).
    """
    at = np.asarray(places, dtype=float)

    def measures(y: Array, p: Array, w: Array) -> dict[str, Array]:
        found = np.full((p.shape[0], at.size), np.nan)
        for fit, (own, times) in enumerate(zip(p, w.astype(int), strict=True)):
            drawn, outcome = np.repeat(own, times), np.repeat(y, times)
            if drawn.size < FEWEST or np.ptp(drawn) < 1e-9:
                continue
            inside = (at >= drawn.min()) & (at <= drawn.max())
            if inside.any():
                found[fit, inside] = smoothed(outcome, drawn, at[inside], span)[0]
        return {f"curve_{place:g}": found[:, j] for j, place in enumerate(at)}

    return measures


@dataclass(frozen=True, kw_only=True)
class Shrinkage(Result):
    """How far coefficients have to be pulled toward 0 before they serve new cases."""

    factor: Value
    chi2: Value
    df: Value


def shrinkage(chi2: Value, df: Value, *, n: int) -> Shrinkage:
    """Heuristic shrinkage factor of a model.

    Parameters
    ----------
    chi2, df : float or NotEstimable
        Likelihood-ratio chi-square of the whole model and its degrees of freedom, candidates that were dropped
        included (`Summary.omnibus_chi2`, ``omnibus_df``).
    n : int
        Cases the model rests on.

    Returns
    -------
    Shrinkage
        ``(chi2 - df) / chi2``, van Houwelingen & le Cessie 1990, Stat Med 9:1303. Multiply the slopes by
        it and estimate the intercept anew. At or below 0 the model predicts no better than the prevalence.
    """
    frame: dict[str, Any] = {
        "n": n,
        "method": "heuristic shrinkage factor (chi2 - df) / chi2",
        "source": "van Houwelingen & le Cessie 1990",
    }
    if isinstance(chi2, NotEstimable) or isinstance(df, NotEstimable):
        why = chi2.why if isinstance(chi2, NotEstimable) else str(df)
        return Shrinkage.refused(why, chi2=chi2, df=df, **frame)
    height, width = float(chi2), float(df)
    known: dict[str, Any] = {"chi2": height, "df": width}
    if height <= 0:
        return Shrinkage.refused("the model explains nothing, so there is nothing to shrink", **known, **frame)
    factor = (height - width) / height
    notes = ("The model predicts new cases no better than the prevalence does.",) if factor <= 0 else ()
    return Shrinkage(**frame, **known, factor=factor, notes=notes)
