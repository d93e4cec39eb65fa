"""Decision curve: what acting on a prediction gains over acting on everybody or nobody."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.stats.paired import complete
from analytics.stats.result import LEVEL, NotEstimable, Result, Value
from analytics.stats.risk import quantile
from analytics.stats.validation import TIED

__all__ = ["THRESHOLDS", "DecisionCurve", "NetBenefit", "decision_curve"]

Array = NDArray[np.float64]
THRESHOLDS = tuple(percent / 100 for percent in range(5, 100, 5))


@dataclass(frozen=True, kw_only=True)
class NetBenefit(Result):
    """Net benefit at one threshold probability, in true positives per case.

    Attributes
    ----------
    model, model_low, model_high : Value
        Treating the cases whose probability is at least the threshold.
    treat_all, treat_none : Value
        Treating everybody, nobody.
    over_best, over_best_low, over_best_high : Value
        Gain over the better of treating all and none.
    avoided : Value
        Treatments avoided per case against treating everybody, without missing an outcome.
    """

    threshold: float
    model: Value
    model_low: Value
    model_high: Value
    treat_all: Value
    treat_none: Value
    over_best: Value
    over_best_low: Value
    over_best_high: Value
    avoided: Value


@dataclass(frozen=True, kw_only=True)
class DecisionCurve(Result):
    """Net benefit over a range of threshold probabilities."""

    points: tuple[NetBenefit, ...]

    FRAME: ClassVar[tuple[str, ...]] = (*Result.FRAME, "points")

    def values(self) -> dict[str, Value]:
        """Return the numbers of every threshold as ``<field>_<threshold>``."""
        return {
            f"{field}_{point.threshold:g}": value
            for point in self.points
            for field, value in point.values().items()
            if field != "threshold"
        }


def decision_curve(
    outcome: ArrayLike, fitted: ArrayLike, thresholds: Sequence[float] = THRESHOLDS, *, level: float = LEVEL
) -> DecisionCurve:
    """Compute net benefit at threshold probabilities.

    Parameters
    ----------
    outcome : array_like of float, shape (cases,)
        0, 1 or NaN.
    fitted : array_like of float, shape (cases,)
        Predicted probabilities; pairwise complete cases are used.
    thresholds : sequence of float
        Probabilities from which one would act, between 0 and 1, exclusive.
    level : float
        Of the intervals.

    Returns
    -------
    DecisionCurve
        Vickers & Elkin 2006, Med Decis Making 26:565, p. 568: ``TP/n - FP/n * t/(1 - t)``, positive where the
        probability is at least t (ties within 1e-9). Net benefit is a mean over cases, so its limits are Wald limits
        of a mean, for the model as it stands. Apparent on the cases the model was made from: correct it for optimism
        with `performance.net_benefits`.

    Raises
    ------
    ValueError
        When a threshold is not between 0 and 1.
    """
    if not all(0 < t < 1 for t in thresholds):
        raise ValueError("A threshold probability lies between 0 and 1.")
    y, p = complete(outcome, fitted)
    frame: dict[str, Any] = {"n": int(y.size), "method": "net benefit", "source": "Vickers & Elkin 2006"}
    why = "no case is complete" if y.size == 0 else ""
    if not why and not np.isin(y, (0.0, 1.0)).all():
        why = "the outcome has values other than 0 and 1"
    if why:
        return DecisionCurve(**frame, points=tuple(NetBenefit.refused(why, threshold=t, **frame) for t in thresholds))
    return DecisionCurve(**frame, points=tuple(_point(y, p, float(t), quantile(level), frame) for t in thresholds))


def _point(y: Array, p: Array, threshold: float, z: float, frame: dict[str, Any]) -> NetBenefit:
    odds = threshold / (1 - threshold)
    worth = y - odds * (1 - y)  # of treating this case
    treated = (p >= threshold - TIED) * worth
    model, everybody = float(treated.mean()), float(worth.mean())
    gain = treated - worth if everybody > 0 else treated
    low, high = _limits(treated, z)
    gain_low, gain_high = _limits(gain, z)
    return NetBenefit(
        **frame,
        threshold=threshold,
        model=model,
        model_low=low,
        model_high=high,
        treat_all=everybody,
        treat_none=0.0,
        over_best=float(gain.mean()),
        over_best_low=gain_low,
        over_best_high=gain_high,
        avoided=(model - everybody) / odds,
    )


def _limits(values: Array, z: float) -> tuple[Value, Value]:
    if values.size < 2:
        no = NotEstimable("an interval needs two cases")
        return no, no
    half = z * float(values.std(ddof=1)) / math.sqrt(values.size)
    return float(values.mean()) - half, float(values.mean()) + half
