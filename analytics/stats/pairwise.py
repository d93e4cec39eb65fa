"""Every pair of several readers, each with the coefficients of two readers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.stats import agreement
from analytics.stats.association import cross_table
from analytics.stats.grades import ONE_LEVEL, graded
from analytics.stats.result import NotEstimable, Result, Value
from analytics.stats.square import Weighting

__all__ = ["PairTable", "ReaderPair", "pairwise"]


@dataclass(frozen=True)
class ReaderPair:
    """Two of the readers, with the coefficients of two readers on the cases both graded."""

    first: str
    second: str
    percent: agreement.PercentAgreement
    kappa: agreement.Kappa
    gwet: agreement.ChanceCorrected


@dataclass(frozen=True, kw_only=True)
class PairTable(Result):
    """Every pair of readers; the mean of their kappas is Light's kappa."""

    pairs: tuple[ReaderPair, ...]
    mean_kappa: Value
    lowest_kappa: Value
    highest_kappa: Value

    def values(self) -> dict[str, Value]:
        """Kappa of each pair by name, then their mean, lowest and highest."""
        named: dict[str, Value] = {f"{pair.first}/{pair.second}": pair.kappa.estimate for pair in self.pairs}
        return named | {"mean": self.mean_kappa, "lowest": self.lowest_kappa, "highest": self.highest_kappa}


def pairwise(
    ratings: ArrayLike, codes: ArrayLike, readers: Sequence[str], weighting: Weighting = "unweighted"
) -> PairTable:
    """Compare every pair of readers with the coefficients of two readers.

    Parameters
    ----------
    ratings : array_like of float, shape (cases, readers)
        Codes; NaN is not graded. Each pair is compared on the cases both graded.
    codes : array_like of float, shape (levels,)
        Declared codes, ascending.
    readers : sequence of str
        What each reader is called; a pair is called ``first/second``.
    weighting : {"unweighted", "linear", "quadratic"}
        Weights of kappa and AC2.

    Returns
    -------
    PairTable
        ``mean`` is Light's kappa (Light 1971, Psychol Bull 76:365). A pair whose kappa is not estimable, or in which
        one reader used a single level, keeps its place but enters neither mean nor extremes; `notes` say how many.

    Raises
    ------
    ValueError
        Ratings that do not have a column for each reader, and as in `fleiss`.
    """
    x = np.asarray(ratings, dtype=float)
    grades = graded(x, codes)
    if x.shape[1] != len(readers):
        raise ValueError(f"{x.shape[1]} columns of grades, {len(readers)} names of readers.")
    frame: dict[str, Any] = {
        "n": int(grades.rows.size),
        "method": f"Cohen's kappa, {weighting}, of each pair of readers; mean after Light",
        "source": "Cohen 1960; Light 1971",
    }
    if grades.levels < 2:
        return PairTable.refused(ONE_LEVEL, pairs=(), **frame)
    scale = [float(code) for code in np.asarray(codes, dtype=float)]
    pairs = tuple(
        _pair(x[:, [a, b]], scale, (readers[a], readers[b]), weighting) for a, b in combinations(range(x.shape[1]), 2)
    )
    kappas = [
        float(pair.kappa.estimate)
        for pair in pairs
        if not isinstance(pair.kappa.estimate, NotEstimable | str) and not pair.kappa.notes
    ]
    if not kappas:
        return PairTable.refused("no pair of readers has an estimable kappa", pairs=pairs, **frame)
    missing = len(pairs) - len(kappas)
    notes = (f"{missing} of {len(pairs)} pairs have no estimable kappa and are not in the mean.",) if missing else ()
    return PairTable(
        **frame,
        notes=notes,
        pairs=pairs,
        mean_kappa=float(np.mean(kappas)),
        lowest_kappa=min(kappas),
        highest_kappa=max(kappas),
    )


def _pair(two: NDArray[np.float64], scale: list[float], names: tuple[str, str], weighting: Weighting) -> ReaderPair:
    table = cross_table(two[:, 0], two[:, 1], scale, scale)
    return ReaderPair(
        *names,
        percent=agreement.percent_agreement(table),
        kappa=agreement.kappa(table, scale, weighting),
        gwet=agreement.gwet(table, scale, weighting),
    )
