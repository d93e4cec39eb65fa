"""The square table of two readers: its declared scale, the weights of its cells, and why it may give no number."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "NO_PAIRS",
    "ONE_CATEGORY",
    "ONE_LEVEL",
    "ONE_READER_CONSTANT",
    "Table",
    "Weighting",
    "square",
    "weights",
    "yes_no",
]

Weighting = Literal["unweighted", "linear", "quadratic"]
Table = NDArray[np.int_]
NO_PAIRS = "no case was graded by both readers"
ONE_CATEGORY = "all cases lie in one category"
ONE_READER_CONSTANT = "one reader used a single category"
ONE_LEVEL = "the declared scale has fewer than two levels"


def weights(codes: ArrayLike, weighting: Weighting) -> NDArray[np.float64]:
    """Agreement weights by the distance of the declared codes.

    Parameters
    ----------
    codes : array_like of float, shape (levels,)
        Declared codes, ascending.
    weighting : {"unweighted", "linear", "quadratic"}
        Identity, ``1 - |i-j|/range`` or ``1 - ((i-j)/range)^2``.

    Returns
    -------
    ndarray of float, shape (levels, levels)
        A scale of one level has no distances: its only weight is 1.
    """
    scale = np.asarray(codes, dtype=float)
    if weighting == "unweighted" or scale.size < 2:
        return np.eye(scale.size)
    distance = np.abs(scale[:, None] - scale) / (scale[-1] - scale[0])
    weight: NDArray[np.float64] = 1 - (distance if weighting == "linear" else distance**2)
    return weight


def square(table: ArrayLike) -> Table:
    """Return the counts; ``ValueError`` where the table is not square."""
    counts = np.asarray(table, dtype=int)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise ValueError(f"An agreement table is square; this one has shape {counts.shape}.")
    return counts


def yes_no(table: ArrayLike) -> Table:
    """Return the counts; ``ValueError`` where the table is not of two levels."""
    counts = square(table)
    if counts.shape != (2, 2):
        raise ValueError(f"This is defined for a finding of two levels; the table has shape {counts.shape}.")
    return counts
