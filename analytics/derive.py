"""What follows from pain scores: percentage reduction, success, response class.

Decided on the scores, never on rounded percentages.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["RESPONSES", "SUCCESS_TIMES", "percent_reduction", "response", "success"]

Array = NDArray[np.float64]
# From worse to complete relief; the codes of `response` are the places in this list.
RESPONSES = ("increased", "eq0", "gt0_lt50", "ge50_lt75", "ge75_lt100", "eq100")
SUCCESS_TIMES = 2  # the follow-up score may be in the baseline so many times: pain fell by at least half
RESPONDERS = 3  # the first class that counts as success


def _pair(baseline: ArrayLike, followup: ArrayLike) -> tuple[Array, Array, NDArray[np.bool_]]:
    b, f = np.asarray(baseline, dtype=float), np.asarray(followup, dtype=float)
    return b, f, np.isfinite(b) & np.isfinite(f) & (b > 0)


def percent_reduction(baseline: ArrayLike, followup: ArrayLike) -> Array:
    """Percentage pain reduction, positive where pain became less.

    Parameters
    ----------
    baseline, followup : array_like of float, shape (cases,)
        Numeric rating scale, 0 to 10; NaN is missing.

    Returns
    -------
    ndarray of float, shape (cases,)
        ``100 (B - F) / B``; NaN where a score is missing or the baseline is 0, because nothing can be divided by it.
    """
    b, f, defined = _pair(baseline, followup)
    reduction = np.full(b.shape, np.nan)
    reduction[defined] = 100 * (b[defined] - f[defined]) / b[defined]
    return reduction


def success(baseline: ArrayLike, followup: ArrayLike) -> Array:
    """Whether pain fell by at least half, as 0 and 1.

    Parameters
    ----------
    baseline, followup : array_like of float, shape (cases,)
        Numeric rating scale; NaN is missing.

    Returns
    -------
    ndarray of float, shape (cases,)
        1 where ``2 F <= B`` (exact in binary, unlike a comparison of the percentage), 0 otherwise, NaN where undefined.
    """
    b, f, defined = _pair(baseline, followup)
    reached = np.full(b.shape, np.nan)
    reached[defined] = SUCCESS_TIMES * f[defined] <= b[defined]
    return reached


def response(baseline: ArrayLike, followup: ArrayLike) -> Array:
    """Class of the response, as its place in `RESPONSES`.

    Parameters
    ----------
    baseline, followup : array_like of float, shape (cases,)
        Numeric rating scale; NaN is missing.

    Returns
    -------
    ndarray of float, shape (cases,)
        0 more pain, 1 unchanged, 2 less but not by half, 3 by half, 4 by three quarters, 5 no pain left; NaN where
        undefined.
    """
    b, f, defined = _pair(baseline, followup)
    classes = np.full(b.shape, np.nan)
    with np.errstate(invalid="ignore"):
        steps = (f == b, f < b, SUCCESS_TIMES * f <= b, 4 * f <= b, f == 0)
    classes[defined] = 0
    for place, reached in enumerate(steps, start=1):
        classes[defined & reached] = place
    return classes
