"""Agreement over several sites per patient (sides, segments): sites of one patient are not independent cases.

The estimate is that of all sites together. What changes is its standard error and interval: patients, not sites, are
the units that are summed, and drawn by the bootstrap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from analytics.stats import sums
from analytics.stats.bootstrap import Bootstrap, Ints, Statistic, bootstrap, resamples
from analytics.stats.disagreement import Metric, alpha_of
from analytics.stats.grades import graded
from analytics.stats.result import LEVEL, NotEstimable, Result, Value
from analytics.stats.square import Weighting
from analytics.stats.sums import Kind, Sums

__all__ = ["WEIGHTED", "Clustered", "Coefficient", "clustered", "resampled"]

Coefficient = Literal[
    "percent",
    "fleiss",
    "conger",
    "gwet",
    "brennan_prediger",
    "alpha_nominal",
    "alpha_ordinal",
    "alpha_interval",
    "alpha_ratio",
    "icc_a1",
    "icc_c1",
]
NAMES: dict[Coefficient, str] = {
    "percent": "share of agreeing pairs of readers",
    "fleiss": "Fleiss' kappa",
    "conger": "Conger's kappa (Cohen's for two readers)",
    "gwet": "Gwet's AC1/AC2",
    "brennan_prediger": "Brennan-Prediger",
    "alpha_nominal": "Krippendorff's alpha, nominal",
    "alpha_ordinal": "Krippendorff's alpha, ordinal",
    "alpha_interval": "Krippendorff's alpha, interval",
    "alpha_ratio": "Krippendorff's alpha, ratio",
    "icc_a1": "ICC(A,1)",
    "icc_c1": "ICC(C,1)",
}
WEIGHTED: dict[Coefficient, Kind] = {
    "fleiss": "fleiss",
    "conger": "conger",
    "gwet": "gwet",
    "brennan_prediger": "brennan_prediger",
}
METRICS: dict[Coefficient, Metric] = {
    "alpha_nominal": "nominal",
    "alpha_ordinal": "ordinal",
    "alpha_interval": "interval",
    "alpha_ratio": "ratio",
}
ONE_PATIENT = "a standard error needs two patients"


@dataclass(frozen=True, kw_only=True)
class Clustered(Result):
    """A coefficient over sites with its standard error over patients.

    ``se_sites`` takes the sites for independent; ``design_effect`` is the square of the ratio of both.
    """

    estimate: Value
    se: Value
    ci_low: Value
    ci_high: Value
    p: Value
    se_sites: Value
    design_effect: Value
    n_patients: int
    n_sites: int
    n_readers: int


def clustered(
    ratings: ArrayLike,
    patients: Sequence[Any],
    codes: ArrayLike,
    coefficient: Coefficient = "conger",
    weighting: Weighting = "unweighted",
    *,
    level: float = LEVEL,
) -> Clustered:
    """Agreement over several sites per patient with a cluster-robust standard error.

    Parameters
    ----------
    ratings : array_like of float, shape (sites, readers)
        Codes, or measurements for alpha and the intraclass correlations; NaN is not graded. A site with fewer than two
        grades is left out (with any missing value, for the intraclass correlations).
    patients : sequence, shape (sites,)
        Whose site it is; any labels. Sites without a label (None, NaN) are left out.
    codes : array_like of float, shape (levels,)
        Declared codes, ascending; not looked at by alpha and the intraclass correlations.
    coefficient : str
        ``percent``, ``fleiss``, ``conger``, ``gwet``, ``brennan_prediger``, ``alpha_..`` with a metric, ``icc_a1``,
        ``icc_c1``.
    weighting : {"unweighted", "linear", "quadratic"}
        For the chance-corrected coefficients.
    level : float
        Of the interval.

    Returns
    -------
    Clustered
        ``se`` by linearisation summed over patients with K/(K-1). For Cohen's kappa it is the estimator of Yang & Zhou
        2014 (Stat Med 33:2612), weighted 2015 (Comput Stat Data Anal 82:1), for Fleiss and Conger that of Vanbelle 2017
        (Biom J 59:1016); the interval is t(K-1) where they take the normal. In simulations it
        covers 92 to 94 % with 10 patients and 95 % from 50 on.

    Raises
    ------
    ValueError
        As many labels as rows are missing; a grade that is not declared.
    """
    found, of_patient, note = _prepared(ratings, patients, codes, coefficient, weighting)
    estimate = found.value()
    by_patient = found.by(of_patient)
    count = len(by_patient)
    frame: dict[str, Any] = {
        "n": len(found.terms),
        "method": f"{_named(coefficient, weighting)} over sites, standard error over patients, t(K-1) interval",
        "source": "Yang & Zhou 2014; Vanbelle 2017",
        "notes": note,
        "n_patients": count,
        "n_sites": len(found.terms),
        "n_readers": found.readers,
    }
    if isinstance(estimate, NotEstimable):
        return Clustered.refused(estimate.why, **frame)
    if count < 2:
        return Clustered.refused(ONE_PATIENT, estimate=estimate, **frame)
    se, alone = sums.error(by_patient, found.of), sums.error(found.terms, found.of)
    low, high = sums.interval(float(estimate), se, count, level)
    return Clustered(
        **frame,
        estimate=estimate,
        se=se,
        ci_low=low,
        ci_high=high,
        p=sums.two_sided(float(estimate), se, count),
        se_sites=alone,
        design_effect=(se / alone) ** 2 if alone > 0 else NotEstimable("the standard error over sites is zero"),
    )


def resampled(
    ratings: ArrayLike,
    patients: Sequence[Any] | None,
    codes: ArrayLike,
    coefficient: Coefficient = "conger",
    weighting: Weighting = "unweighted",
    *,
    replicates: int = 2000,
    seed: int = 1,
) -> Bootstrap:
    """Bootstrap a coefficient by drawing patients with all their sites.

    Parameters
    ----------
    ratings, codes, coefficient, weighting
        As in `clustered`.
    patients : sequence, shape (sites,), or None
        None draws the cases themselves.
    replicates, seed : int
        How often, and the seed of the draws.

    Returns
    -------
    Bootstrap
        As `bootstrap.bootstrap`; ``n`` is the number of patients (Field & Welsh 2007, J R Stat Soc B 69:369; Kang et
        al. 2013, Stat Med 32:3700). Replicates without a value, such as those with grades in one level only, are
        dropped and counted. All replicates are one matrix product.

    Raises
    ------
    ValueError
        As in `clustered`.
    """
    labels = range(len(np.asarray(ratings))) if patients is None else patients
    found, of_patient, note = _prepared(ratings, labels, codes, coefficient, weighting)
    by_patient = found.by(of_patient)
    count = len(by_patient)
    unit = "cases" if patients is None else f"patients with all their sites ({len(found.terms)})"
    name = f"{_named(coefficient, weighting)}, drawing {unit}"
    estimate = found.value()
    if isinstance(estimate, NotEstimable) or count < 2:
        why = estimate.why if isinstance(estimate, NotEstimable) else ONE_PATIENT
        method = f"bootstrap of {name}, {replicates} resamples, seed {seed}"
        return Bootstrap.refused(why, n=count, method=method, source="Efron 1987", notes=note, replicates=replicates)
    return bootstrap(
        drawn(by_patient, found),
        resamples(count, replicates, seed),
        name=name,
        seed=seed,
        left_out=sums.in_parts(lambda some: found.of(found.total - some), by_patient),
    )


def drawn(terms: NDArray[np.float64], found: Sums) -> Statistic:
    """Make the coefficient of resampled units from the terms of each.

    Parameters
    ----------
    terms : ndarray, shape (units, d)
        What each unit adds to the sums.
    found : Sums
        Whose coefficient it is.
    """
    units = len(terms)

    def statistic(rows: Ints) -> NDArray[np.float64]:
        count = len(rows)
        flat = (np.arange(count)[:, None] * units + rows).ravel()
        times = np.bincount(flat, minlength=count * units).reshape(count, units).astype(float)
        return sums.in_parts(found.of, times @ terms)

    return statistic


def _named(coefficient: Coefficient, weighting: Weighting) -> str:
    return f"{NAMES[coefficient]}, {weighting}" if coefficient in WEIGHTED else NAMES[coefficient]


def _prepared(
    ratings: ArrayLike, patients: Sequence[Any], codes: ArrayLike, coefficient: Coefficient, weighting: Weighting
) -> tuple[Sums, Ints, tuple[str, ...]]:
    """Give the sums over the sites that count, the patient of each, and what was left out."""
    x = np.asarray(ratings, dtype=float)
    if x.ndim != 2 or len(patients) != len(x):
        raise ValueError(f"{len(patients)} patients for ratings of shape {x.shape}: each row needs one.")
    whose = pd.factorize(pd.Series(list(patients), dtype=object))[0]
    x = np.where((whose >= 0)[:, None], x, np.nan)
    found = _sums(x, codes, coefficient, weighting)
    kept = np.unique(whose[found.rows], return_inverse=True)[1]
    left = len(x) - found.rows.size
    note = f"{left} of {len(x)} sites left out: too few grades, or no patient named."
    return found, kept.astype(np.intp), (note,) if left else ()


def _sums(x: NDArray[np.float64], codes: ArrayLike, coefficient: Coefficient, weighting: Weighting) -> Sums:
    if coefficient in ("icc_a1", "icc_c1"):
        return sums.icc(x, absolute=coefficient == "icc_a1")
    if coefficient in METRICS:
        return alpha_of(x, METRICS[coefficient])
    grades = graded(x, codes)
    if coefficient == "percent":
        return sums.percent(grades)
    return sums.chance_corrected(grades, codes, WEIGHTED[coefficient], weighting)
