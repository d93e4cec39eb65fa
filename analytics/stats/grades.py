"""Grades of several readers, before anything is computed: which cases and readers can be compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.stats.square import ONE_LEVEL

__all__ = ["NO_CASES", "NO_READERS", "ONE_LEVEL", "Grades", "graded"]

NO_READERS = "fewer than two readers graded anything"
NO_CASES = "no case was graded by two readers"


@dataclass(frozen=True)
class Grades:
    """Grades of the cases and readers that can be compared.

    Attributes
    ----------
    index : ndarray of int, shape (cases, readers)
        Place of each grade on the scale, -1 where there is none.
    levels : int
        Levels of the scale.
    rows : ndarray of int, shape (cases,)
        Which rows of the input they are.
    readers : ndarray of int, shape (readers,)
        Which columns of the input they are.
    """

    index: NDArray[np.intp]
    levels: int
    rows: NDArray[np.intp]
    readers: NDArray[np.intp]

    @property
    def given(self) -> NDArray[np.intp]:
        """Grades a case has, shape (cases,)."""
        given: NDArray[np.intp] = (self.index >= 0).sum(axis=1)
        return given

    @property
    def counts(self) -> NDArray[np.float64]:
        """How many readers gave each level, shape (cases, levels)."""
        counts: NDArray[np.float64] = (self.index[:, :, None] == np.arange(self.levels)).sum(axis=1).astype(float)
        return counts

    @property
    def why(self) -> str:
        """Why nothing can be compared; empty where it can."""
        if self.levels < 2:
            return ONE_LEVEL
        if self.readers.size < 2:
            return NO_READERS
        return "" if np.any(self.given >= 2) else NO_CASES


def graded(ratings: ArrayLike, codes: ArrayLike, *, singles: bool = False) -> Grades:
    """Find the cases and readers that can be compared.

    Parameters
    ----------
    ratings : array_like of float, shape (cases, readers)
        Codes; NaN is not graded.
    codes : array_like of float, shape (levels,)
        Declared codes, ascending, used or not.
    singles : bool
        Keep cases with a single grade, which then count in the margins (Gwet 2014; R irrCAC). By default a case stays
        when two readers graded it, as with two readers.

    Raises
    ------
    ValueError
        Ratings that are not a table, a scale that does not ascend, a grade that is not declared.
    """
    x = np.asarray(ratings, dtype=float)
    scale = np.asarray(codes, dtype=float)
    if x.ndim != 2:
        raise ValueError(f"Ratings are cases by readers; this has shape {x.shape}.")
    if scale.ndim != 1 or np.any(np.diff(scale) <= 0):
        raise ValueError("The declared codes ascend.")
    known = np.isfinite(x)
    if not np.all(np.isin(x[known], scale)):
        raise ValueError("A grade is not on the declared scale.")
    index = np.where(known, np.searchsorted(scale, np.where(known, x, scale[0] if scale.size else 0.0)), -1)
    rows = np.flatnonzero(known.sum(axis=1) >= (1 if singles else 2))
    readers = np.flatnonzero(known[rows].any(axis=0))
    return Grades(index[np.ix_(rows, readers)], int(scale.size), rows, readers)
