"""Studies with planted agreement: two readers, several readers, sites of a patient, measurements."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
from analytics.stats import agreement, bootstrap, clustered, intra, raters, reliability, square
from analytics.stats.result import NotEstimable
from numpy.typing import NDArray

from bench.parts.coverage import Look, Scenario

Array = NDArray[np.float64]
Rng = np.random.Generator
SIZES = (50, 134)
RESAMPLES = 500
REFERENCE = (66 / 134, 55 / 134, 13 / 134)  # contrast pattern of the reference study
GRADES = (0.30, 0.35, 0.25, 0.10)
SLIP = 0.14  # chance of one grade up, and of one down
WEIGHTINGS: tuple[square.Weighting, ...] = ("unweighted", "linear", "quadratic")


def copied(kappa: float, margin: Array) -> Array:
    """Joint table of two readers who share the truth with probability kappa: every kappa, weighted or not, is that."""
    return kappa * np.diag(margin) + (1 - kappa) * np.outer(margin, margin)


def slipped(margin: Array) -> Array:
    """Joint table of two readers who each miss the true grade by one step now and then."""
    q = margin.size
    read = np.zeros((q, q))
    for truth in range(q):
        for seen, chance in ((truth - 1, SLIP), (truth, 1 - 2 * SLIP), (truth + 1, SLIP)):
            read[truth, min(max(seen, 0), q - 1)] += chance
    return read.T @ np.diag(margin) @ read


def agreeing(table: Array, weighting: square.Weighting) -> tuple[float, float, float, float]:
    """Kappa, AC, Brennan-Prediger and the share of agreement of a population, written out once more."""
    q = len(table)
    away = np.abs(np.subtract.outer(np.arange(q), np.arange(q))) / (q - 1)
    w = {"unweighted": (away == 0).astype(float), "linear": 1 - away, "quadratic": 1 - away**2}[weighting]
    first, second = table.sum(axis=1), table.sum(axis=0)
    mean = (first + second) / 2
    pa = float((w * table).sum())
    chances = (
        float(first @ w @ second),
        float(w.sum() / (q * (q - 1)) * (mean * (1 - mean)).sum()),
        float(w.sum() / q**2),
    )
    kappa, ac, bp = ((pa - pe) / (1 - pe) for pe in chances)
    return kappa, ac, bp, pa


def ordinal_alpha(table: Array) -> float:
    """Krippendorff's alpha of a population of two readers, ordinal metric."""
    mean = (table.sum(axis=0) + table.sum(axis=1)) / 2
    middle = np.cumsum(mean) - mean / 2
    away = (middle[:, None] - middle) ** 2
    return 1 - float((table * away).sum() / (mean @ away @ mean))


def look(interval: str, truth: float, found: Any, *fields: str) -> Look:
    """Take estimate, low and high of a result by the names of their fields."""
    return Look(interval, truth, *(getattr(found, name) for name in fields or ("estimate", "ci_low", "ci_high")))


def drawn(interval: str, truth: float, found: bootstrap.Bootstrap) -> Iterator[Look]:
    for kind in ("percentile", "bca", "bca_midrank"):
        words = {"percentile": "percentile", "bca": "BCa", "bca_midrank": "BCa midrank"}[kind]
        yield look(f"{interval}, {words}", truth, found, "estimate", f"{kind}_low", f"{kind}_high")


def two_readers(joint: Array, weighting: square.Weighting, n: int, rng: Rng) -> Iterator[Look]:
    """Every interval of two readers' grades."""
    q = len(joint)
    codes = np.arange(q)
    table = rng.multinomial(n, joint.ravel()).reshape(q, q)
    place = np.repeat(np.arange(q * q), table.ravel())
    pairs = np.column_stack([place // q, place % q]).astype(float)
    kappa, ac, bp, pa = agreeing(joint, weighting)
    word = "" if weighting == "unweighted" else f" {weighting}"
    found = agreement.kappa(table, codes, weighting)
    rows = rng.integers(0, n, size=(RESAMPLES, n))
    statistic = bootstrap.kappa_of(pairs[:, 0], pairs[:, 1], codes, weighting)
    again = bootstrap.bootstrap(statistic, rows, name="kappa")
    kappas = [
        look(f"kappa{word}, Wald", kappa, found),
        look(f"kappa{word}, score", kappa, found, "estimate", "ci_low_score", "ci_high_score"),
        look(f"kappa{word}, linearised t", kappa, raters.conger(pairs, codes, weighting)),
        *drawn(f"kappa{word}", kappa, again),
    ]
    # With one constant reader the formula gives 0 and the report prints "not estimable": no interval then.
    no = NotEstimable(square.ONE_READER_CONSTANT)
    yield from [one._replace(estimate=no, low=no, high=no) for one in kappas] if found.notes else kappas
    name = "AC1" if weighting == "unweighted" else f"AC2{word}"
    yield look(f"{name}, linearised t", ac, agreement.gwet(table, codes, weighting))
    yield look(f"Brennan-Prediger{word}, linearised t", bp, agreement.brennan_prediger(table, codes, weighting))
    if weighting == "unweighted":
        percent = raters.percent_agreement(pairs, codes)
        yield look("percent agreement, t", 100 * pa, percent, "percent_agreement", "ci_low", "ci_high")
    if weighting == "linear":
        yield look("alpha ordinal, delta method", ordinal_alpha(joint), raters.krippendorff(pairs, "ordinal"))


def read(rng: Rng, truth: NDArray[np.intp], kappa: float, margin: Array, readers: int, missing: float) -> Array:
    """Let each reader copy the truth or draw from its margin; some grades are missing."""
    copy = rng.random((truth.size, readers)) < math.sqrt(kappa)
    x = np.where(copy, truth[:, None], rng.choice(margin.size, (truth.size, readers), p=margin)).astype(float)
    x[rng.random(x.shape) < missing] = np.nan
    return x


def several(kappa: float, margin: Array, missing: float, n: int, rng: Rng) -> Iterator[Look]:
    codes = np.arange(margin.size)
    x = read(rng, rng.choice(margin.size, n, p=margin), kappa, margin, 3, missing)
    _, ac, bp, _ = agreeing(copied(kappa, margin), "unweighted")
    yield look("Fleiss, linearised t", kappa, raters.fleiss(x, codes))
    yield look("Conger, linearised t", kappa, raters.conger(x, codes))
    yield look("AC1, linearised t", ac, raters.gwet(x, codes))
    yield look("Brennan-Prediger, linearised t", bp, raters.brennan_prediger(x, codes))
    yield look("alpha nominal, delta method", kappa, raters.krippendorff(x, "nominal"))
    again = clustered.resampled(x, None, codes, "alpha_nominal", replicates=RESAMPLES, seed=int(rng.integers(1 << 31)))
    yield from drawn("alpha nominal", kappa, again)


def sites(kappa: float, margin: Array, patients: int, rng: Rng) -> Iterator[Look]:
    """Four sites a patient: the finding and the readers' lapses go by patient half of the time."""
    codes, whose = np.arange(margin.size), np.repeat(np.arange(patients), 4)

    def mixed(whole: Array, each: Array) -> Array:
        return np.where(rng.random(each.shape) < 0.5, whole, each)

    def any_level(*shape: int) -> Array:
        return rng.choice(margin.size, shape, p=margin).astype(float)

    truth = mixed(any_level(patients, 1)[whose], any_level(whose.size, 1))
    coin = mixed(rng.random((patients, 2))[whose], rng.random((whose.size, 2)))
    x = np.where(coin < math.sqrt(kappa), truth, any_level(whose.size, 2))
    yield look("kappa, over patients, t", kappa, clustered.clustered(x, list(whose), codes))
    seed = int(rng.integers(1 << 31))
    yield from drawn("kappa", kappa, clustered.resampled(x, list(whose), codes, replicates=RESAMPLES, seed=seed))
    yield look("kappa, sites taken for independent", kappa, raters.conger(x, codes))


FORMS: tuple[reliability.Form, ...] = ("icc_1", "icc_a1", "icc_c1", "icc_ak")
KINDS = {"normal": lambda rng, n: rng.normal(size=n), "skewed": lambda rng, n: rng.exponential(size=n) - 1}


def measured(icc: float, bias: float, kind: str, n: int, rng: Rng) -> Iterator[Look]:
    """Two readers, subjects of variance 1, error by the planted consistency, readers apart by a fixed bias."""
    noise = 1 / icc - 1
    apart = np.array([bias / 2, -bias / 2])
    x = KINDS[kind](rng, n)[:, None] + apart + rng.normal(0, math.sqrt(noise), (n, 2))
    readers = bias**2 / 2
    truth = {
        "icc_1": (1 - readers / 2) / (1 + noise + readers / 2),
        "icc_a1": 1 / (1 + noise + readers),
        "icc_c1": icc,
        "icc_ak": 1 / (1 + (noise + readers) / 2),
    }
    for form in FORMS:
        yield look(f"{reliability.NAMES[form].split(' | ')[0]}, F", truth[form], reliability.icc(x, form))
    rows = rng.integers(0, n, size=(RESAMPLES, n))
    yield from drawn("ICC(A,1)", truth["icc_a1"], bootstrap.bootstrap(bootstrap.icc_a1_of(x), rows, name="ICC"))
    yield look("ICC(A,1), linearised t", truth["icc_a1"], clustered.clustered(x, range(n), [], "icc_a1"))


def drawn_readers(icc: float, share: float, n: int, rng: Rng) -> Iterator[Look]:
    """Two readers drawn at random: their share of the variance is in the truth, and two readers hardly show it."""
    noise = 1 / icc - 1
    x = rng.normal(size=(n, 1)) + rng.normal(0, math.sqrt(share), 2) + rng.normal(0, math.sqrt(noise), (n, 2))
    yield look("ICC(A,1), F", 1 / (1 + noise + share), reliability.icc(x))


def apart(kind: str, n: int, rng: Rng) -> Iterator[Look]:
    """Differences of two readers: bias 0.3, SD 1; and two rounds of one reader with within-case SD 0.5."""
    d = rng.normal(size=n) if kind == "normal" else rng.standard_t(5, size=n) / math.sqrt(5 / 3)
    first = rng.normal(6, 4, n)
    found = reliability.bland_altman(first + d + 0.3, first)
    yield look("bias, t", 0.3, found, "bias", "bias_ci_low", "bias_ci_high")
    for side, sign in (("low", -1), ("high", 1)):
        names = (f"loa_{side}", f"loa_{side}_ci_low", f"loa_{side}_ci_high")
        yield look(f"{side} limit of agreement", 0.3 + sign * reliability.LIMITS, found, *names)
    again = first[:, None] + np.column_stack([d, np.zeros(n)])  # the difference of two rounds has variance 2 sw^2
    names = ("within_sd", "within_sd_low", "within_sd_high")
    yield look("within-case SD, chi-square", math.sqrt(0.5), intra.repeatability(again), *names)


def scenarios() -> Iterator[Scenario]:
    """All of them; what is planted is said in words."""

    def each(family: str, planted: str, trial: Callable[..., Iterable[Look]], sizes: tuple[int, ...] = SIZES) -> Any:
        for n in sizes:
            yield Scenario(family, planted, f"n = {n}", partial(trial, n))

    def sized(function: Callable[..., Iterable[Look]], *given: Any) -> Callable[..., Iterable[Look]]:
        return lambda n, rng: function(*given, n, rng)

    for kappa in (0.6, 0.9):
        for prevalence in (0.05, 0.2, 0.5):
            joint = copied(kappa, np.array([1 - prevalence, prevalence]))
            planted = f"kappa {kappa}, prevalence {100 * prevalence:g} %"
            yield from each("Two readers, yes/no finding", planted, sized(two_readers, joint, "unweighted"))
    joint = copied(0.8, np.array(REFERENCE))
    yield from each("Two readers, three levels", "kappa 0.8", sized(two_readers, joint, "unweighted"))
    joint = slipped(np.array(GRADES))
    for weighting in WEIGHTINGS:
        planted = f"kappa {agreeing(joint, weighting)[0]:.2f}, {weighting}"
        yield from each("Two readers, four grades", planted, sized(two_readers, joint, weighting))
    margin = np.array(REFERENCE)
    yield from each("Three readers, three levels", "kappa 0.7", sized(several, 0.7, margin, 0.0))
    yield from each("Three readers, three levels", "a seventh missing", sized(several, 0.7, margin, 1 / 7))
    for patients in (12, 25, 50):
        trial = partial(sites, 0.7, np.array([0.7, 0.3]), patients)
        yield Scenario("Four sites a patient, two readers", "kappa 0.7", f"{patients} patients", trial)
    family = "Two readers, measurements"
    for icc, bias, kind in ((0.95, 0.0, "normal"), (0.95, 0.2, "normal"), (0.7, 0.2, "normal"), (0.95, 0.0, "skewed")):
        planted = f"consistency {icc}, readers {bias:g} SD apart, {kind}"
        yield from each(family, planted, sized(measured, icc, bias, kind))
    yield from each(family, "readers drawn at random", sized(drawn_readers, 0.9, 0.05))
    for kind in ("normal", "heavy tails"):
        yield from each("Differences of two readers", kind, sized(apart, kind))
