"""Risk difference, risk ratio and number needed beside the odds ratio, with intervals that suit small samples."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, stats

from analytics.stats.result import LEVEL, NotEstimable, Result, Value, Z

__all__ = ["Risks", "quantile", "risks"]

METHOD = "risks of two groups: Newcombe hybrid score, Katz log, Koopman score and Woolf limits"
SOURCE = "Newcombe 1998; Katz 1978; Koopman 1984; Woolf 1955; Altman 1998"
ZERO = NotEstimable("a cell of the table is zero, so the standard error of the logarithm is infinite")
EVERYBODY = NotEstimable("every case has the outcome, so the standard error of the logarithm is 0")
NEITHER = NotEstimable("nobody in either group has the outcome")


@dataclass(frozen=True, kw_only=True)
class Risks(Result):
    """The outcome's risk with and without a finding, and every customary contrast of the two.

    Attributes
    ----------
    risk_with, risk_without : Value
        Share with the outcome among cases with and without the finding, with Wilson limits.
    risk_difference : Value
        ``risk_with - risk_without``, Newcombe's hybrid score limits.
    risk_ratio : Value
        ``risk_with / risk_without``, limits of Katz (``_katz_``) and Koopman (``_koopman_``); may be infinite.
    odds_ratio : Value
        Limits of Woolf; may be infinite.
    number_needed : Value
        ``1 / risk_difference``: negative where the finding lowers the risk.
    """

    risk_with: Value
    risk_with_low: Value
    risk_with_high: Value
    risk_without: Value
    risk_without_low: Value
    risk_without_high: Value
    risk_difference: Value
    risk_difference_low: Value
    risk_difference_high: Value
    risk_ratio: Value
    risk_ratio_katz_low: Value
    risk_ratio_katz_high: Value
    risk_ratio_koopman_low: Value
    risk_ratio_koopman_high: Value
    odds_ratio: Value
    odds_ratio_woolf_low: Value
    odds_ratio_woolf_high: Value
    number_needed: Value
    number_needed_low: Value
    number_needed_high: Value

    SHOWS_N: ClassVar[bool] = True


def quantile(level: float) -> float:
    """Return the normal quantile of a two-sided interval of this level."""
    return Z if level == LEVEL else float(stats.norm.ppf((1 + level) / 2))


def risks(table: ArrayLike, *, level: float = LEVEL) -> Risks:
    """Compare the outcome's risk between cases with and without a finding.

    Parameters
    ----------
    table : array_like of int, shape (2, 2)
        Rows: finding absent, present; columns: outcome 0, 1 (as `association.cross_table` gives it for complete
        pairs).
    level : float
        Of the intervals.

    Returns
    -------
    Risks
        Difference: Newcombe 1998, Stat Med 17:873, method 10, from the two Wilson intervals. Ratio: Katz et al. 1978,
        Biometrics 34:469, ``exp(log RR -/+ z sqrt(1/x1 - 1/n1 + 1/x0 - 1/n0))``; Koopman 1984, Biometrics 40:513, the
        score test inverted, which also serves tables with zero cells. Odds ratio: Woolf 1955. Number needed: Altman
        1998, BMJ 317:1309; it has limits only where the interval of the difference excludes 0.

    Raises
    ------
    ValueError
        When the table is not 2 x 2 or has negative cells.
    """
    cells = np.asarray(table, dtype=float)
    if cells.shape != (2, 2) or bool((cells < 0).any()):
        raise ValueError("A table of two rows and two columns of counts is needed.")
    frame: dict[str, Any] = {"n": int(cells.sum()), "method": METHOD, "source": SOURCE}
    (n0, n1), (x0, x1) = cells.sum(axis=1).tolist(), cells[:, 1].tolist()
    if n0 == 0 or n1 == 0:
        empty = "no case is complete" if n0 + n1 == 0 else f"no case {'without' if n0 == 0 else 'with'} the finding"
        return Risks.refused(empty, **frame)
    z = quantile(level)
    p1, p0 = x1 / n1, x0 / n0
    (low1, high1), (low0, high0) = _wilson(x1, n1, z), _wilson(x0, n0, z)
    difference = p1 - p0
    low = max(-1.0, difference - math.hypot(p1 - low1, high0 - p0))
    high = min(1.0, difference + math.hypot(high1 - p1, p0 - low0))
    return Risks(
        **frame,
        risk_with=p1,
        risk_with_low=low1,
        risk_with_high=high1,
        risk_without=p0,
        risk_without_low=low0,
        risk_without_high=high0,
        risk_difference=difference,
        risk_difference_low=low,
        risk_difference_high=high,
        **_ratio(x1, n1, x0, n0, z),
        **_odds(x1, n1 - x1, x0, n0 - x0, z),
        **_number_needed(difference, low, high),
    )


def _wilson(x: float, n: float, z: float) -> tuple[float, float]:
    share = x / n
    middle, half = share + z**2 / (2 * n), z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    below = 1 + z**2 / n
    return 0.0 if x == 0 else (middle - half) / below, 1.0 if x == n else (middle + half) / below


def _ratio(x1: float, n1: float, x0: float, n0: float, z: float) -> dict[str, Any]:
    names = ("katz_low", "katz_high", "koopman_low", "koopman_high")
    found: dict[str, Value] = dict.fromkeys(("risk_ratio", *(f"risk_ratio_{name}" for name in names)), NEITHER)
    if x1 + x0 == 0:
        return found
    ratio = math.inf if x0 == 0 else (x1 / n1) / (x0 / n0)
    found["risk_ratio"] = ratio
    found["risk_ratio_katz_low"] = found["risk_ratio_katz_high"] = ZERO
    if x1 == n1 and x0 == n0:
        found["risk_ratio_katz_low"] = found["risk_ratio_katz_high"] = EVERYBODY
    elif x1 > 0 and x0 > 0:
        half = z * math.sqrt(1 / x1 - 1 / n1 + 1 / x0 - 1 / n0)
        found["risk_ratio_katz_low"], found["risk_ratio_katz_high"] = _around(ratio, half)
    found["risk_ratio_koopman_low"] = 0.0 if x1 == 0 else _koopman(x1, n1, x0, n0, z, ratio, -1)
    found["risk_ratio_koopman_high"] = math.inf if x0 == 0 else _koopman(x1, n1, x0, n0, z, ratio, 1)
    return found


def _around(ratio: float, half: float) -> tuple[float, float]:
    return ratio * math.exp(-half), ratio * math.exp(half)


def _koopman(x1: float, n1: float, x0: float, n0: float, z: float, ratio: float, side: int) -> float:
    """Limit of the score interval on one side of the ratio, searched on the logarithm."""

    def excess(log_ratio: float) -> float:
        return _score(math.exp(log_ratio), x1, n1, x0, n0) - z**2

    # An estimate of 0 or infinity has no logarithm: start where the score is still small.
    start = -30.0 if ratio == 0 else 30.0 if math.isinf(ratio) else math.log(ratio)
    step = 0.5
    while excess(start + side * step) < 0:
        step *= 2
    inner, outer = start, start + side * step
    return math.exp(float(optimize.brentq(excess, inner, outer, xtol=1e-14, rtol=1e-14)))


def _score(ratio: float, x1: float, n1: float, x0: float, n0: float) -> float:
    """Score statistic of a risk ratio: the difference ``p1 - ratio p0`` over its variance under that ratio."""
    a, c = (n1 + n0) * ratio, x1 + x0
    b = n1 * ratio + x1 + n0 + x0 * ratio
    p0 = min(1.0, 2 * c / (b + math.sqrt(max(0.0, b * b - 4 * a * c))))
    p1 = min(1.0, ratio * p0)
    away = x1 / n1 - ratio * x0 / n0
    variance = p1 * (1 - p1) / n1 + ratio**2 * p0 * (1 - p0) / n0
    if variance <= 0:
        return 0.0 if abs(away) < 1e-12 else math.inf
    return away**2 / variance


def _odds(a: float, b: float, c: float, d: float, z: float) -> dict[str, Any]:
    """Odds ratio of ``a : b`` against ``c : d``."""
    names = ("odds_ratio_woolf_low", "odds_ratio_woolf_high")
    if min(a, b, c, d) == 0:
        above, below = a * d, b * c
        neither = NotEstimable("both products are zero")
        estimate: Value = above / below if below else math.inf if above else neither
        return {"odds_ratio": estimate, **dict.fromkeys(names, ZERO)}
    estimate = a * d / (b * c)
    low, high = _around(estimate, z * math.sqrt(1 / a + 1 / b + 1 / c + 1 / d))
    return {"odds_ratio": estimate, names[0]: low, names[1]: high}


def _number_needed(difference: float, low: float, high: float) -> dict[str, Any]:
    none = NotEstimable("the two risks are equal")
    names = ("number_needed", "number_needed_low", "number_needed_high")
    if abs(difference) < 1e-12:
        return dict.fromkeys(names, none)
    if low <= 0 <= high:
        spans = NotEstimable("the interval of the risk difference includes 0, so the number needed passes infinity")
        return {names[0]: 1 / difference, names[1]: spans, names[2]: spans}
    return {names[0]: 1 / difference, names[1]: 1 / high, names[2]: 1 / low}
