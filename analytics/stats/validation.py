"""How well fitted probabilities sort and match the outcome: classification, ROC, Hosmer-Lemeshow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from analytics.stats.paired import complete
from analytics.stats.result import NotEstimable, Result, Value, Z

__all__ = [
    "Calibration",
    "Classification",
    "Proportion",
    "Roc",
    "classify",
    "hosmer_lemeshow_blocks",
    "hosmer_lemeshow_quantile",
    "proportion",
    "roc",
    "unclassified",
]

Array = NDArray[np.float64]
PARTS = ("estimate", "wilson_low", "wilson_high", "clopper_low", "clopper_high")
ROC_METHOD = "AUC, DeLong standard error, Wald interval within [0, 1]"
CUT = 0.5  # of a fitted probability; above it success is predicted
TIED = 1e-9  # two fitted probabilities this close are the same probability


@dataclass(frozen=True, kw_only=True)
class Proportion(Result):
    """A percentage with Wilson and Clopper-Pearson limits, in percent."""

    estimate: Value
    wilson_low: Value
    wilson_high: Value
    clopper_low: Value
    clopper_high: Value


def proportion(hits: int, n: int) -> Proportion:
    """Percentage ``100 * hits / n`` with two 95 % intervals.

    Parameters
    ----------
    hits, n : int
        Counts; with n = 0 the percentage does not exist.

    Returns
    -------
    Proportion
        Wilson 1927 without continuity correction; Clopper & Pearson 1934.
    """
    frame: dict[str, Any] = {
        "n": n,
        "method": "percentage, Wilson and Clopper-Pearson limits",
        "source": "Wilson 1927; Clopper & Pearson 1934",
    }
    if n == 0:
        return Proportion.refused("nothing to divide by", **frame)
    share = hits / n
    middle, half = share + Z**2 / (2 * n), Z * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    below = 1 + Z**2 / n
    return Proportion(
        **frame,
        estimate=100 * share,
        wilson_low=0.0 if hits == 0 else 100 * (middle - half) / below,
        wilson_high=100.0 if hits == n else 100 * (middle + half) / below,
        clopper_low=0.0 if hits == 0 else 100 * float(special.betaincinv(hits, n - hits + 1, 0.025)),
        clopper_high=100.0 if hits == n else 100 * float(special.betaincinv(hits + 1, n - hits, 0.975)),
    )


@dataclass(frozen=True, kw_only=True)
class Classification(Result):
    """The 2 x 2 table of prediction and outcome with its five percentages."""

    tp: int
    fn: int
    tn: int
    fp: int
    accuracy: Proportion
    sensitivity: Proportion
    specificity: Proportion
    ppv: Proportion
    npv: Proportion

    SHARES: ClassVar[tuple[str, ...]] = ("accuracy", "sensitivity", "specificity", "ppv", "npv")

    def values(self) -> dict[str, Value]:
        """Return the counts, then each percentage with its limits."""
        named: dict[str, Value] = {"tp": self.tp, "fn": self.fn, "tn": self.tn, "fp": self.fp}
        for share in self.SHARES:
            for field, value in getattr(self, share).values().items():
                named[share if field == "estimate" else f"{share}_{field}"] = value
        return named


def classify(outcome: ArrayLike, fitted: ArrayLike, *, cut: float = CUT) -> Classification:
    """Classify by a cut-off on the fitted probability.

    Parameters
    ----------
    outcome : array_like of float, shape (cases,)
        0, 1 or NaN.
    fitted : array_like of float, shape (cases,)
        Probabilities of outcome 1; pairwise complete cases are used.
    cut : float
        A case is predicted positive when its probability exceeds the cut (SPSS); equal within 1e-9 counts as negative.

    Returns
    -------
    Classification
        Apparent figures: the model is judged on the cases it was fitted to.
    """
    known, probability = complete(outcome, fitted)
    y, p = known == 1, probability > cut + TIED
    tp, fn, tn, fp = (int(np.sum(cell)) for cell in (y & p, y & ~p, ~y & ~p, ~y & p))
    return Classification(
        n=int(y.size),
        method=f"classification at probability > {cut:g}, apparent",
        tp=tp,
        fn=fn,
        tn=tn,
        fp=fp,
        accuracy=proportion(tp + tn, int(y.size)),
        sensitivity=proportion(tp, tp + fn),
        specificity=proportion(tn, tn + fp),
        ppv=proportion(tp, tp + fp),
        npv=proportion(tn, tn + fn),
    )


def unclassified(why: str, *, n: int) -> Result:
    """Build the classification of a model that does not exist."""
    names = [share if part == "estimate" else f"{share}_{part}" for share in Classification.SHARES for part in PARTS]
    return Missing(n=n, method="classification", named=("tp", "fn", "tn", "fp", *names), why=why)


@dataclass(frozen=True, kw_only=True)
class Missing(Result):
    """Named numbers that do not exist, for one reason."""

    named: tuple[str, ...]
    why: str

    def values(self) -> dict[str, Value]:
        """Return the reason under every name."""
        return dict.fromkeys(self.named, NotEstimable(self.why))


@dataclass(frozen=True, kw_only=True)
class Roc(Result):
    """Area under the ROC curve with DeLong's standard error."""

    auc: Value
    delong_se: Value
    delong_ci_low: Value
    delong_ci_high: Value
    curve: tuple[tuple[float, float], ...] = ()

    FRAME: ClassVar[tuple[str, ...]] = (*Result.FRAME, "curve")
    DRAWN: ClassVar[tuple[str, tuple[str, ...]]] = ("curve", ("one_minus_specificity", "sensitivity"))


def roc(outcome: ArrayLike, score: ArrayLike) -> Roc:
    """Area under the ROC curve.

    Parameters
    ----------
    outcome : array_like of float, shape (cases,)
        0, 1 or NaN.
    score : array_like of float, shape (cases,)
        Higher means outcome 1; pairwise complete cases are used.

    Returns
    -------
    Roc
        DeLong, DeLong & Clarke-Pearson 1988 with midranks; Wald interval on the AUC scale, truncated to [0, 1], as R
        pROC. Too narrow near 1 and with few cases of either outcome (docs/statistics.md, coverage).
    """
    known, s = complete(outcome, score)
    y = known == 1
    m, k = int(y.sum()), int((~y).sum())
    frame: dict[str, Any] = {"n": m + k, "method": ROC_METHOD, "source": "DeLong 1988"}
    if m == 0 or k == 0:
        return Roc.refused("every case has the same outcome" if m + k else "no case is complete", **frame)
    s = np.round(s, 12)  # equal probabilities may differ in their last binary digits
    everyone, positive, negative = stats.rankdata(s), stats.rankdata(s[y]), stats.rankdata(s[~y])
    above = (everyone[y] - positive) / k
    below = 1 - (everyone[~y] - negative) / m
    auc = float(above.mean())
    frame["curve"] = _curve(y, s)
    if m < 2 or k < 2:
        return Roc.refused("a standard error needs two cases of each outcome", auc=auc, **frame)
    se = math.sqrt(float(above.var(ddof=1)) / m + float(below.var(ddof=1)) / k)
    return Roc(
        **frame, auc=auc, delong_se=se, delong_ci_low=max(0.0, auc - Z * se), delong_ci_high=min(1.0, auc + Z * se)
    )


def _curve(y: NDArray[np.bool_], score: Array) -> tuple[tuple[float, float], ...]:
    """Give the corners of the ROC curve from (0, 0) to (1, 1), one a cut; equal scores are one cut."""
    cuts = np.unique(score)[::-1]
    hits = [(float((score[~y] >= cut).mean()), float((score[y] >= cut).mean())) for cut in cuts]
    return ((0.0, 0.0), *hits)


@dataclass(frozen=True, kw_only=True)
class Calibration(Result):
    """Hosmer-Lemeshow test; its value depends on the grouping, so `groups` are part of it."""

    chi2: Value
    df: Value
    p: Value
    groups: tuple[tuple[int, int, float], ...] = ()

    FRAME: ClassVar[tuple[str, ...]] = (*Result.FRAME, "groups")
    DRAWN: ClassVar[tuple[str, tuple[str, ...]]] = ("groups", ("cases", "events", "expected"))


def hosmer_lemeshow_quantile(outcome: ArrayLike, fitted: ArrayLike, *, groups: int = 10) -> Calibration:
    """Hosmer-Lemeshow test with groups cut at type-7 quantiles of the fitted probabilities (R ResourceSelection).

    Parameters
    ----------
    outcome, fitted : array_like of float, shape (cases,)
        Outcome 0, 1 or NaN and its fitted probability; pairwise complete cases are used.
    groups : int
        How many quantile groups are asked for.
    """
    y, p = complete(outcome, fitted)
    cuts = np.unique(np.round(np.quantile(p, np.linspace(0, 1, groups + 1)), 12)) if p.size else p
    place = np.searchsorted(cuts[1:-1], np.round(p, 12), side="left") if cuts.size > 2 else np.zeros(p.size, dtype=int)
    return _calibration(y, p, place, method=f"Hosmer-Lemeshow, {groups} groups cut at type-7 quantiles")


def hosmer_lemeshow_blocks(outcome: ArrayLike, fitted: ArrayLike, *, groups: int = 10) -> Calibration:
    """Hosmer-Lemeshow test with groups of about equal size that never split equal probabilities (SAS PROC LOGISTIC).

    Parameters
    ----------
    outcome, fitted : array_like of float, shape (cases,)
        Outcome 0, 1 or NaN and its fitted probability; pairwise complete cases are used.
    groups : int
        How many groups are aimed at; each is filled to ``floor(n / groups + 0.5)`` cases.
    """
    y, p = complete(outcome, fitted)
    _, member, sizes = np.unique(np.round(p, 9), return_inverse=True, return_counts=True)
    target = max(1, math.floor(p.size / groups + 0.5))
    group_of = np.array(_filled([int(size) for size in sizes], target, p.size), dtype=int)
    return _calibration(y, p, group_of[member], method=f"Hosmer-Lemeshow, groups of {target} with ties kept together")


def _filled(sizes: Sequence[int], target: int, n: int) -> list[int]:
    """Assign ascending blocks to groups: one joins while the group is short and at least half of the block fits."""
    group, filled, places, counts = 0, 0, [], [0]
    for size in sizes:
        if filled and not (filled < target and filled + size // 2 <= target):
            group, filled = group + 1, 0
            counts.append(0)
        filled += size
        counts[group] += size
        places.append(group)
    if group and counts[group] <= math.floor(0.05 * n):
        places = [min(place, group - 1) for place in places]
    return places


def _calibration(y: Array, p: Array, place: NDArray[np.int_], *, method: str) -> Calibration:
    found = np.unique(place)
    frame: dict[str, Any] = {"n": int(y.size), "method": method, "source": "Hosmer & Lemeshow 1980"}
    if found.size < 3:
        return Calibration.refused(f"the probabilities fill only {found.size} groups", groups=(), **frame)
    chi2 = 0.0
    listed = []
    for group in found:
        own = place == group
        n, observed, expected = int(own.sum()), int(y[own].sum()), float(p[own].sum())
        if not 0 < expected < n:
            return Calibration.refused("in one group every probability is 0 or 1", groups=(), **frame)
        chi2 += (observed - expected) ** 2 / (expected * (1 - expected / n))
        listed.append((n, observed, expected))
    df = found.size - 2
    return Calibration(**frame, chi2=chi2, df=df, p=float(stats.chi2.sf(chi2, df)), groups=tuple(listed))
