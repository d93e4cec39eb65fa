"""Coefficients of agreement written as smooth functions of sums over cases.

Kappas, AC1, alpha and the intraclass correlations depend on the data only through a few sums over cases. Written that
way, one function gives the estimate, its standard error by linearisation (the derivative in the direction of each
case), the standard error when cases come in patients (the same, summed by patient) and every bootstrap replicate.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from analytics.stats.grades import NO_READERS, Grades
from analytics.stats.result import LEVEL, NotEstimable, Value, number
from analytics.stats.square import ONE_CATEGORY, Weighting, weights

__all__ = [
    "Kind",
    "Sums",
    "chance_corrected",
    "error",
    "form",
    "icc",
    "in_parts",
    "interval",
    "nothing",
    "percent",
    "ratio",
    "two_sided",
]

Array = NDArray[np.float64]
Numbers = NDArray[Any]  # float, or complex while a derivative is taken
Kind = Literal["fleiss", "conger", "gwet", "brennan_prediger"]
TINY = 1e-12
AT_ONCE = 4_000_000  # numbers held in memory at a time
TWO_UNITS = "A standard error needs two units."
STEP = 1e-20  # of the complex-step derivative, which has no cancellation and hence no best size


def form(x: Numbers, w: Array) -> Numbers:
    """Give ``x' W x`` along the last axis."""
    value: Numbers = np.sum((x @ w) * x, axis=-1)
    return value


@dataclass(frozen=True)
class Sums:
    """A coefficient as a function of sums over cases.

    Attributes
    ----------
    terms : ndarray, shape (cases, d)
        What each case adds to the sums.
    of : callable
        Sums of shape (..., d), real or complex, to the coefficient of shape (...); NaN where it does not exist.
    parts : callable
        Sums to the two quantities the coefficient is made of: observed and chance agreement, or observed and expected
        disagreement.
    rows : ndarray of int, shape (cases,)
        Which rows of the input these cases are.
    readers, grades : int
        Readers who graded any of them, and grades in all.
    why : str
        Why there is no coefficient; empty where there may be one.
    undefined : str
        What to say when ``of`` gives NaN for the whole.
    """

    terms: Array
    of: Callable[[Numbers], Numbers]
    parts: Callable[[Numbers], tuple[Numbers, Numbers]]
    rows: NDArray[np.intp]
    readers: int
    grades: int
    why: str = ""
    undefined: str = ONE_CATEGORY

    @property
    def total(self) -> Array:
        """Sums over all cases, shape (d,)."""
        total: Array = self.terms.sum(axis=0)
        return total

    def value(self) -> Value:
        """Return the coefficient of all cases."""
        return NotEstimable(self.why) if self.why else number(float(self.of(self.total)), self.undefined)

    def two_parts(self) -> tuple[Value, Value]:
        """Both parts of the coefficient of all cases."""
        if self.why:
            return NotEstimable(self.why), NotEstimable(self.why)
        first, second = self.parts(self.total)
        return number(float(first), self.undefined), number(float(second), self.undefined)

    def by(self, groups: NDArray[np.intp]) -> Array:
        """Add the terms up by group.

        Parameters
        ----------
        groups : ndarray of int, shape (cases,)
            Group of each case, numbered from 0 without a gap.

        Returns
        -------
        ndarray, shape (groups, d)
        """
        added = np.zeros((int(groups.max()) + 1 if groups.size else 0, self.terms.shape[1]))
        np.add.at(added, groups, self.terms)
        return added


def in_parts(function: Callable[[Array], Numbers], rows: Array) -> Array:
    """Apply ``function`` to the rows of a table, a bounded number at a time.

    Parameters
    ----------
    function : callable
        Rows of shape (n, d) to values of shape (n,).
    rows : ndarray, shape (n, d)
        No row gives no value.
    """
    if not len(rows):
        return np.empty(0)
    chunk = max(1, AT_ONCE // max(1, rows.shape[1]))
    return np.concatenate([function(rows[at : at + chunk]) for at in range(0, len(rows), chunk)]).astype(float)


def error(terms: Array, of: Callable[[Numbers], Numbers]) -> float:
    """Give the standard error of ``of`` by linearisation over independent units.

    Parameters
    ----------
    terms : ndarray, shape (units, d)
        What each unit (case, or patient with several sites) adds to the sums; two units at least.
    of : callable
        As in `Sums`; defined for the total.

    Returns
    -------
    float
        ``sqrt(n/(n-1) sum (U_i - mean U)^2)``, U_i the derivative in the direction of unit i (infinitesimal jackknife).
        For the chance-corrected coefficients this is Gwet 2014, ch. 5, for units that are patients Yang & Zhou 2014.

    Raises
    ------
    ValueError
        Fewer than two units.
    """
    if len(terms) < 2:
        raise ValueError(TWO_UNITS)
    n, total = len(terms), terms.sum(axis=0)
    u = in_parts(lambda some: of(total + 1j * STEP * some).imag / STEP, terms)
    variance = n / (n - 1) * float(np.sum((u - u.mean()) ** 2))
    return math.sqrt(variance) if variance > TINY**2 else 0.0


def interval(estimate: float, se: float, n: int, level: float = LEVEL) -> tuple[float, float]:
    """Limits ``estimate -/+ t(n-1) se``, not truncated; ValueError with fewer than two units."""
    if n < 2:
        raise ValueError(TWO_UNITS)
    if not 0 < level < 1:
        raise ValueError(f"A confidence level lies between 0 and 1; this one is {level}.")
    half = float(stats.t.ppf((1 + level) / 2, n - 1)) * se
    return estimate - half, estimate + half


def two_sided(estimate: float, se: float, n: int) -> Value:
    """Two-sided p of a coefficient of zero, from t(n-1)."""
    if se == 0 or n < 2:
        return NotEstimable("the standard error is zero" if n > 1 else "a standard error needs two units")
    return float(2 * stats.t.sf(abs(estimate) / se, n - 1))


def ratio(above: Numbers, below: Numbers) -> Numbers:
    """Divide; NaN without a warning where ``below`` is zero."""
    defined = np.abs(below) > TINY
    quotient: Numbers = np.where(defined, above / np.where(defined, below, 1.0), np.nan)
    return quotient


def nothing(grades: Grades) -> Sums:
    """Give the sums of grades that cannot be compared."""

    def of(sums: Numbers) -> Numbers:
        return np.full(sums.shape[:-1], np.nan)

    def parts(sums: Numbers) -> tuple[Numbers, Numbers]:
        return of(sums), of(sums)

    held = int(grades.given.sum())
    return Sums(np.zeros((grades.rows.size, 1)), of, parts, grades.rows, int(grades.readers.size), held, grades.why)


def _pairs(grades: Grades, w: Array) -> Array:
    """Weighted share of agreeing reader pairs of each case, and whether it has a pair; shape (cases, 2)."""
    counts, given = grades.counts, grades.given
    agreeing = np.sum(counts * (counts @ w - 1), axis=1)
    paired = given >= 2
    return np.column_stack([np.where(paired, agreeing / np.where(paired, given * (given - 1), 1), 0.0), paired])


def percent(grades: Grades) -> Sums:
    """Share of agreeing reader pairs, each case counting once."""
    if grades.why:
        return nothing(grades)

    def parts(sums: Numbers) -> tuple[Numbers, Numbers]:
        observed = ratio(sums[..., 0], sums[..., 1])
        return observed, np.zeros_like(observed)

    def of(sums: Numbers) -> Numbers:
        return parts(sums)[0]

    terms = _pairs(grades, np.eye(grades.levels))
    return Sums(terms, of, parts, grades.rows, int(grades.readers.size), int(grades.given.sum()))


def chance_corrected(grades: Grades, codes: ArrayLike, kind: Kind, weighting: Weighting = "unweighted") -> Sums:
    """Give ``(pa - pe)/(1 - pe)`` of any number of readers; the four kinds differ in the chance agreement ``pe``.

    Parameters
    ----------
    grades : Grades
        From `graded`.
    codes : array_like of float, shape (levels,)
        Declared codes: their number and their distances enter.
    kind : {"fleiss", "conger", "gwet", "brennan_prediger"}
        ``pe`` from the mean margin (``pi' W pi``), from the margins of each pair of different readers, from Gwet's
        ``T_w/(q(q-1)) sum pi(1-pi)``, or ``T_w/q^2``. A case adds its shares to the mean margin, however many graded
        it.
    weighting : {"unweighted", "linear", "quadratic"}
        Agreement weights.
    """
    if grades.why:
        return nothing(grades)
    q, w = grades.levels, weights(codes, weighting)
    if kind == "conger":
        place = grades.index[:, :, None] == np.arange(q)
        margins, chance = place.reshape(len(place), -1).astype(float), _chance_of_pairs(w, int(grades.readers.size))
    else:
        margins, chance = grades.counts / grades.given[:, None], _chance_of_mean(w, kind)

    def parts(sums: Numbers) -> tuple[Numbers, Numbers]:
        return ratio(sums[..., 0], sums[..., 1]), chance(sums[..., 2:])

    def of(sums: Numbers) -> Numbers:
        observed, expected = parts(sums)
        return ratio(observed - expected, 1 - expected)

    terms = np.hstack([_pairs(grades, w), margins])
    return Sums(terms, of, parts, grades.rows, int(grades.readers.size), int(grades.given.sum()))


def _chance_of_mean(w: Array, kind: Kind) -> Callable[[Numbers], Numbers]:
    """Chance agreement from the margin of all readers together."""
    q = len(w)

    def chance(margins: Numbers) -> Numbers:
        share = ratio(margins, margins.sum(axis=-1)[..., None])
        if kind == "fleiss":
            return form(share, w)
        if kind == "gwet":
            return np.asarray(float(w.sum()) / (q * (q - 1)) * np.sum(share * (1 - share), axis=-1))
        return np.full(margins.shape[:-1], float(w.sum()) / q**2, dtype=margins.dtype)

    return chance


def _chance_of_pairs(w: Array, readers: int) -> Callable[[Numbers], Numbers]:
    """Chance agreement of Conger 1980: the mean over the pairs of different readers."""
    q = len(w)

    def chance(margins: Numbers) -> Numbers:
        each = margins.reshape(*margins.shape[:-1], readers, q)
        share = ratio(each, each.sum(axis=-1)[..., None])
        every, own = form(share.sum(axis=-2), w), form(share, w).sum(axis=-1)
        return np.asarray((every - own) / (readers * (readers - 1)))

    return chance


def icc(ratings: ArrayLike, *, absolute: bool = True) -> Sums:
    """Single-measure two-way intraclass correlation as a function of sums.

    Parameters
    ----------
    ratings : array_like of float, shape (cases, readers)
        Cases with a NaN are left out.
    absolute : bool
        ICC(A,1), absolute agreement, or else ICC(C,1), consistency (McGraw & Wong 1996).
    """
    x = np.asarray(ratings, dtype=float)
    rows = np.flatnonzero(np.all(np.isfinite(x), axis=1))
    x = x[rows]
    n_, k = x.shape
    why = NO_READERS if k < 2 else "" if n_ >= 2 else f"this needs two complete cases, there are {n_}"
    if not why:  # the coefficient knows neither origin nor unit; without them the sums cancel nothing
        x = x - x.mean()
        x = x / (np.abs(x).max() or 1.0)
    terms = np.hstack([np.ones((n_, 1)), x, (x.sum(axis=1) ** 2)[:, None], (x**2).sum(axis=1)[:, None]])

    def squares(sums: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        n, by_reader, totals, every = sums[..., 0], sums[..., 1 : k + 1], sums[..., -2], sums[..., -1]
        centre = ratio(by_reader.sum(axis=-1) ** 2, n * k)
        between = totals / k - centre
        readers = ratio(np.sum(by_reader**2, axis=-1), n) - centre
        rest = every - centre - between - readers
        free = n - 1
        return ratio(between, free), readers / (k - 1), ratio(rest, free * (k - 1))

    def parts(sums: Numbers) -> tuple[Numbers, Numbers]:
        r, c, e = squares(sums)
        below = r + (k - 1) * e
        return r - e, below + k * ratio(c - e, sums[..., 0]) if absolute else below

    def of(sums: Numbers) -> Numbers:
        above, below = parts(sums)
        return ratio(above, np.where(below.real > TINY, below, 0.0))

    return Sums(terms, of, parts, rows, k, n_ * k, why, "all values are equal, or too few cases differ")
