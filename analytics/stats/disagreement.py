"""Krippendorff's alpha as a function of sums over cases, for any number of readers, values and gaps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.stats.grades import Grades, graded
from analytics.stats.sums import Array, Numbers, Sums, form, nothing, ratio

__all__ = ["Metric", "alpha", "alpha_of"]

Metric = Literal["nominal", "ordinal", "interval", "ratio"]
ORDINAL = 20_000_000  # numbers: the ordinal metric keeps a table of all pairs of values for each case


def alpha(grades: Grades, codes: ArrayLike, metric: Metric = "nominal") -> Sums:
    """Krippendorff's alpha of any number of readers with missing values.

    Parameters
    ----------
    grades : Grades
        From `graded`, without singles.
    codes : array_like of float, shape (levels,)
        The values; for a measurement every value that occurs.
    metric : {"nominal", "ordinal", "interval", "ratio"}
        Squared distance of two values: 0/1, the grades between them, ``(a-b)^2``, ``((a-b)/(a+b))^2``.
    """
    if grades.why:
        return nothing(grades)
    if metric == "ordinal" and len(grades.index) * grades.levels**2 > ORDINAL:
        return replace(nothing(grades), why=f"the ordinal metric is for grades; there are {grades.levels} values")
    scale = np.asarray(codes, dtype=float)
    scale = scale / max(abs(scale[0]), abs(scale[-1]))  # every metric ignores the unit
    given = grades.given[:, None].astype(float)
    parts: Callable[[Numbers], tuple[Numbers, Numbers]]
    if metric == "interval":
        terms, parts = _moments(grades.index, scale - scale.mean()), _spread
    elif metric == "ordinal":
        counts = grades.counts
        both = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(scale.size)
        terms = np.hstack([counts, (both / (given - 1)[:, :, None]).reshape(len(counts), -1)])
        parts = _ordinal_disagreement(scale.size)
    else:
        counts, delta = grades.counts, _squared_distance(scale, metric)
        terms = np.hstack([counts, form(counts, delta)[:, None] / (given - 1)])
        parts = _disagreement(delta)

    def of(sums: Numbers) -> Numbers:
        observed, expected = parts(sums)
        return 1 - ratio(observed, expected)

    held, readers = int(grades.given.sum()), int(grades.readers.size)
    return Sums(terms, of, parts, grades.rows, readers, held, undefined="all values are equal")


def alpha_of(ratings: ArrayLike, metric: Metric = "nominal") -> Sums:
    """Krippendorff's alpha of grades or measurements whose values are those that occur.

    Parameters
    ----------
    ratings : array_like of float, shape (cases, readers)
        NaN is missing.
    metric : {"nominal", "ordinal", "interval", "ratio"}
        As in `alpha`; ``ratio`` refuses negative values.
    """
    x = np.asarray(ratings, dtype=float)
    values = np.unique(x[np.isfinite(x)])
    why = "the ratio metric needs values from zero up" if metric == "ratio" and np.any(values < 0) else ""
    # Fewer than two values have no distances; made-up ones let the case end in the right sentence.
    codes = values if values.size > 1 else np.append(values, [values[-1] + 1] if values.size else [0.0, 1.0])
    grades = graded(x, codes)
    return replace(nothing(grades), why=why) if why else alpha(grades, codes, metric)


def _squared_distance(scale: Array, metric: Metric) -> Array:
    if metric == "nominal":
        return 1 - np.eye(scale.size)
    apart, together = scale[:, None] - scale, scale[:, None] + scale
    return np.asarray((apart / np.where(together == 0, 1.0, together)) ** 2, dtype=float)


def _moments(index: NDArray[np.intp], scale: Array) -> Array:
    """Count, sum and sum of squares of each case's values, and how far they lie apart; shape (cases, 4)."""
    known = index >= 0
    x, m = np.where(known, scale[index], 0.0), known.sum(axis=1)
    total = x.sum(axis=1)
    within = np.sum(np.where(known, x - (total / m)[:, None], 0.0) ** 2, axis=1)
    return np.column_stack([m, total, np.sum(x**2, axis=1), 2 * m / (m - 1) * within])


def _spread(sums: Numbers) -> tuple[Numbers, Numbers]:
    """Observed and expected squared difference from the sums of `_moments`."""
    n, total, squares, within = (sums[..., place] for place in range(4))
    return ratio(within, n), ratio(2 * (n * squares - total**2), n * (n - 1))


def _disagreement(delta: Array) -> Callable[[Numbers], tuple[Numbers, Numbers]]:
    def parts(sums: Numbers) -> tuple[Numbers, Numbers]:
        margin, within = sums[..., :-1], sums[..., -1]
        n = margin.sum(axis=-1)
        expected = form(margin, delta)
        return ratio(within, n), ratio(expected, n * (n - 1))

    return parts


def _ordinal_disagreement(levels: int) -> Callable[[Numbers], tuple[Numbers, Numbers]]:
    def parts(sums: Numbers) -> tuple[Numbers, Numbers]:
        margin = sums[..., :levels]
        pairs = sums[..., levels:].reshape(*sums.shape[:-1], levels, levels)
        middle = np.cumsum(margin, axis=-1) - margin / 2
        delta = (middle[..., :, None] - middle[..., None, :]) ** 2
        n = margin.sum(axis=-1)
        expected = np.sum(margin[..., :, None] * delta * margin[..., None, :], axis=(-2, -1))
        return ratio(np.sum(pairs * delta, axis=(-2, -1)), n), ratio(expected, n * (n - 1))

    return parts
