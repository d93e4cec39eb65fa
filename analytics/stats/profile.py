"""Limits from a profile likelihood: the exact crossing, and the crossing R's MASS interpolates."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analytics.stats.result import LEVEL, NotEstimable, Z

__all__ = ["BORDER", "Profile", "crossing", "interpolated"]

Array = NDArray[np.float64]


class Look(NamedTuple):
    """What a profile shows at one value of the coefficient."""

    fall: float  # twice the fall of the log likelihood
    slope: float  # of the fall
    others: Array  # coefficients there


# A value of the coefficient, and the other coefficients to start from.
Profile = Callable[[float, Array], Look]

BORDER = float(stats.chi2.ppf(LEVEL, 1))
FARTHEST = 60.0  # scaled units from the estimate beyond which nothing is looked for
TIGHT = 1e-11  # relative length of the last step
MASS_ALPHA = (1 - LEVEL) / 4  # MASS::confint profiles a little beyond the limits it wants
MASS_STEPS = 9
MASS_DENSITY = 3  # points of stats::spline per profiled point


def crossing(profile: Profile, near: Array, *, start: float, step: float) -> float | NotEstimable:
    """Find where a profile has fallen by the chi-square border.

    Parameters
    ----------
    profile : callable
        Value and starting coefficients to a `Look`.
    near : ndarray
        Coefficients at the estimate.
    start : float
        The estimate.
    step : float
        Stride, signed. Small strides keep to the branch that leads away from the estimate where the likelihood has
        several.

    Returns
    -------
    float or NotEstimable
        In the units of ``start``.
    """
    inner, outer = start, start + step
    here = profile(outer, near)
    while here.fall < BORDER:
        if abs(outer - start) > FARTHEST:
            return NotEstimable("the profile likelihood never falls to the limit")
        near, inner, outer = here.others, outer, outer + step
        here = profile(outer, near)
    if not math.isfinite(here.fall):
        return NotEstimable("the profile likelihood breaks down before the limit")
    return _root(profile, near, inner, outer, here)


def _root(profile: Profile, near: Array, inner: float, outer: float, here: Look) -> float:
    """Newton's method on the profile, kept between a value inside and one outside the border."""
    place = outer
    for _ in range(100):
        step = -(here.fall - BORDER) / here.slope if here.slope else math.inf
        if abs(step) < TIGHT * (1 + abs(place)):
            return place + step
        proposed = place + step
        inside = min(inner, outer) < proposed < max(inner, outer)
        place = proposed if inside else (inner + outer) / 2
        here = profile(place, near)
        if here.fall < BORDER:
            inner, near = place, here.others
        else:
            outer = place
        if abs(outer - inner) < TIGHT * (1 + abs(place)):
            break
    return place


def interpolated(
    profile: Profile, near: Array, *, start: float, se: float
) -> tuple[float | NotEstimable, float | NotEstimable]:
    """Limits as R's ``MASS::confint.glm`` gives them.

    R profiles at strides of a fifth of the widest z, draws a cubic spline through the signed roots, samples it, and
    interpolates linearly between the samples. The result differs from the exact crossing in the fourth digit; it is
    computed so that it can be compared with R.

    Parameters
    ----------
    profile, near, start
        As for `crossing`.
    se : float
        Standard error, in the units of ``start``.

    Returns
    -------
    low, high : float or NotEstimable
    """
    widest = math.sqrt(float(stats.chi2.ppf(1 - MASS_ALPHA, 1)))
    places, roots = [start], [0.0]
    for sign in (-1, 1):
        before = others = near
        for step in range(1, MASS_STEPS + 1):
            place = start + sign * step * widest / 5 * se
            # The other coefficients go on as they went: only where the search begins.
            begin, before = 2 * others - before, others
            fall, _, others = profile(place, begin)
            places.append(place)
            roots.append(sign * math.sqrt(max(fall, 0.0)))
            if abs(roots[-1]) >= widest:
                break
    if len(places) < 4 or not np.all(np.isfinite(roots)):
        no = NotEstimable("the profile likelihood breaks down before the limit")
        return no, no
    order = np.argsort(places)
    x, z = np.array(places)[order], np.array(roots)[order]
    dense = np.linspace(x[0], x[-1], MASS_DENSITY * x.size)
    height = _spline(x, z, dense)
    return _read(height, dense, -Z), _read(height, dense, Z)


def _read(height: Array, dense: Array, wanted: float) -> float | NotEstimable:
    order = np.argsort(height)
    if not height[order[0]] <= wanted <= height[order[-1]]:
        return NotEstimable("the profile likelihood never falls to the limit")
    return float(np.interp(wanted, height[order], dense[order]))


def _spline(x: Array, y: Array, at: Array) -> Array:
    """Cubic spline whose end pieces have the third derivative of the cubic through the four outermost points.

    These are the end conditions of Forsythe, Malcolm & Moler 1977, the default of R's ``spline``.
    """
    n, h = x.size, np.diff(x)
    slope = np.diff(y) / h
    system, right = np.zeros((n, n)), np.zeros(n)
    for i in range(1, n - 1):
        system[i, i - 1 : i + 2] = h[i - 1], 2 * (h[i - 1] + h[i]), h[i]
        right[i] = slope[i] - slope[i - 1]
    system[0, :2] = -h[0], h[0]
    right[0] = h[0] ** 2 * _third_difference(x[:4], y[:4])
    system[-1, -2:] = h[-1], -h[-1]
    right[-1] = -(h[-1] ** 2) * _third_difference(x[-4:], y[-4:])
    sixth = np.linalg.solve(system, right)  # second derivatives over six
    piece = np.clip(np.searchsorted(x, at, side="right") - 1, 0, n - 2)
    t = at - x[piece]
    linear = slope[piece] - h[piece] * (sixth[piece + 1] + 2 * sixth[piece])
    cubic = (sixth[piece + 1] - sixth[piece]) / h[piece]
    return y[piece] + t * (linear + t * (3 * sixth[piece] + t * cubic))


def _third_difference(x: Array, y: Array) -> float:
    """Divided difference over four points."""
    table = y.astype(float)
    for order in range(1, 4):
        table = (table[1:] - table[:-1]) / (x[order:] - x[:-order])
    return float(table[0])
