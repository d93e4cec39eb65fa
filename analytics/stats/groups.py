"""One measurement in several groups, compared by ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analytics.stats.paired import complete
from analytics.stats.result import NotEstimable, Result, Value

__all__ = ["KruskalWallis", "kruskal_wallis"]

SMALL = 5
ROUGH = "A group has fewer than five cases; the chi-square approximation is rough there."


@dataclass(frozen=True, kw_only=True)
class KruskalWallis(Result):
    """Kruskal-Wallis test.

    Attributes
    ----------
    h, df, p : Value
        Corrected for ties; ``p`` from chi-square with one degree less than there are groups with cases.
    epsilon_squared : Value
        ``h / (n - 1)``, the share of the ranks' variance that lies between the groups, 0 to 1.
    groups : mapping
        ``n_<level>``, ``mean_rank_<level>`` and ``median_<level>`` of each declared level.
    """

    h: Value
    df: Value
    p: Value
    epsilon_squared: Value
    groups: Mapping[str, Value]

    FRAME: ClassVar[tuple[str, ...]] = (*Result.FRAME, "groups")
    SHOWS_N: ClassVar[bool] = True

    def values(self) -> dict[str, Value]:
        """Return the numbers, those of each group last."""
        return super().values() | dict(self.groups)


def kruskal_wallis(values: ArrayLike, groups: ArrayLike, codes: Sequence[float], names: Sequence[str]) -> KruskalWallis:
    """Compare a measurement among the levels of a characteristic by ranks.

    Parameters
    ----------
    values : array_like of float, shape (cases,)
        Measurements; NaN is missing.
    groups : array_like of float, shape (cases,)
        Codes of the level each case belongs to; NaN is missing. Pairwise complete cases are used.
    codes, names : sequence, shape (levels,)
        Every declared code and its name. Levels without cases are counted and do not enter the test.

    Returns
    -------
    KruskalWallis
        Kruskal & Wallis 1952 (J Am Stat Assoc 47:583, eq. 1.1 and 1.4), as SPSS NPAR TESTS and R ``kruskal.test``;
        epsilon-squared after Kelley 1935, as Tomczak & Tomczak 2014 (Trends Sport Sci 1:19, table 1).
    """
    x, g = complete(values, groups)
    n = x.size
    ranks = stats.rankdata(x) if n else x
    each: dict[str, Value] = {}
    between, sizes = 0.0, []
    for code, name in zip(codes, names, strict=True):
        own = g == code
        size = int(own.sum())
        nobody = NotEstimable("no case has this level")
        each[f"n_{name}"] = size
        each[f"mean_rank_{name}"] = float(ranks[own].mean()) if size else nobody
        each[f"median_{name}"] = float(np.median(x[own])) if size else nobody
        if size:
            sizes.append(size)
            between += size * (float(ranks[own].mean()) - (n + 1) / 2) ** 2
    frame: dict[str, Any] = {
        "n": n,
        "method": "Kruskal-Wallis, corrected for ties, chi-square approximation",
        "source": "Kruskal & Wallis 1952; SPSS NPAR TESTS",
        "groups": each,
    }
    if len(sizes) < 2:
        return KruskalWallis.refused("every case has the same level" if n else "no case is complete", **frame)
    spread = float(np.sum((ranks - (n + 1) / 2) ** 2))
    if np.ptp(x) == 0:
        return KruskalWallis.refused("all values are equal", **frame)
    h = (n - 1) * between / spread
    return KruskalWallis(
        **frame,
        notes=(ROUGH,) if min(sizes) < SMALL else (),
        h=h,
        df=len(sizes) - 1,
        p=float(stats.chi2.sf(h, len(sizes) - 1)),
        epsilon_squared=h / (n - 1),
    )
