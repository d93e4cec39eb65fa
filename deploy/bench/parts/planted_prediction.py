"""Studies with planted risks, ranks and predictions: proportions, contrasts of risks, ROC, calibration, optimism."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np
from analytics.stats import (
    batch,
    bootstrap,
    calibration,
    decision,
    logistic,
    paired,
    performance,
    prediction,
    risk,
    validation,
)
from numpy.typing import NDArray
from scipy import optimize, special, stats

from bench.parts.coverage import Look, Scenario, Weighed, logs

Array = NDArray[np.float64]
Rng = np.random.Generator
SIZES = (50, 134)
RESAMPLES = 200  # inside the bootstrap of the optimism
NEW_CASES = 5000  # on which a model's true performance is measured
GRADES = (0.25, 0.35, 0.25, 0.15)


def shares(p: float, n: int) -> Weighed:
    """Every count of a binomial with its probability."""
    for hits in range(n + 1):
        one = validation.proportion(hits, n)
        yield (
            float(stats.binom.pmf(hits, n, p)),
            [
                Look("Wilson, %", 100 * p, one.estimate, one.wilson_low, one.wilson_high),
                Look("Clopper-Pearson, %", 100 * p, one.estimate, one.clopper_low, one.clopper_high),
            ],
        )


def contrasts(p1: float, n1: int, p0: float, n0: int) -> Weighed:
    """Every table of two binomials with its probability."""
    odds = special.logit(p1) - special.logit(p0)
    for x1 in range(n1 + 1):
        for x0 in range(n0 + 1):
            weight = float(stats.binom.pmf(x1, n1, p1) * stats.binom.pmf(x0, n0, p0))
            if weight < 1e-9:
                continue
            r = risk.risks([[n0 - x0, x0], [n1 - x1, x1]])
            d = (r.risk_difference, r.risk_difference_low, r.risk_difference_high)
            needed = (r.number_needed, r.number_needed_low, r.number_needed_high)
            yield (
                weight,
                [
                    Look("risk difference, Newcombe", p1 - p0, *d),
                    logs("log RR, Katz", p1 / p0, r.risk_ratio, r.risk_ratio_katz_low, r.risk_ratio_katz_high),
                    logs("log RR, Koopman", p1 / p0, r.risk_ratio, r.risk_ratio_koopman_low, r.risk_ratio_koopman_high),
                    logs(
                        "log OR, Woolf", math.exp(odds), r.odds_ratio, r.odds_ratio_woolf_low, r.odds_ratio_woolf_high
                    ),
                    Look("number needed, where it has limits", 1 / (p1 - p0), *needed),
                ],
            )


def ranks(auc: float, events: float, n: int, rng: Rng) -> Iterator[Look]:
    """Normal scores in both groups."""
    y = (rng.random(n) < events).astype(float)
    score = rng.normal(size=n) + y * math.sqrt(2) * float(stats.norm.ppf(auc))
    found = validation.roc(y, score)
    yield Look("AUC, DeLong", auc, found.auc, found.delong_se and found.delong_ci_low, found.delong_ci_high)


def spearmans(cuts: Array | None, r: float) -> float:
    """Spearman's correlation of a population: bivariate normal, as it is or rounded to classes at the cuts."""
    if cuts is None:
        return 6 / math.pi * math.asin(r / 2)
    ends = np.concatenate([[-9.0], cuts, [9.0]])
    law = stats.multivariate_normal([0, 0], [[1, r], [r, 1]])
    reached = np.array([[float(law.cdf([a, b])) for b in ends] for a in ends])
    cells = np.diff(np.diff(reached, axis=0), axis=1)
    margin = cells.sum(axis=1)
    middle = np.cumsum(margin) - margin / 2 - 0.5
    return float(middle @ cells @ middle / (margin @ middle**2))


def correlated(cuts: Array | None, truth: float, r: float, n: int, rng: Rng) -> Iterator[Look]:
    x = rng.multivariate_normal([0, 0], [[1, r], [r, 1]], size=n)
    if cuts is not None:
        x = np.searchsorted(cuts, x).astype(float)
    found = paired.spearman(x[:, 0], x[:, 1])
    for name, word in (("fieller", "FHP"), ("bonett_wright", "Bonett-Wright"), ("fisher", "Fisher")):
        low, high = getattr(found, f"ci_low_{name}"), getattr(found, f"ci_high_{name}")
        yield Look(f"Spearman, {word}", truth, found.rs, low, high)


SLOPE, INTERCEPT, THRESHOLD = 0.8, 0.2, 0.4
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(60)
FORECAST = -0.3 + 1.2 * NODES  # logits of a model's predictions, by quadrature
SHARE = WEIGHTS / WEIGHTS.sum()


def in_the_large() -> float:
    """Shift of the predictions at which as many outcomes are expected as occur."""
    occurring = float(SHARE @ special.expit(INTERCEPT + SLOPE * FORECAST))
    return float(optimize.brentq(lambda c: float(SHARE @ special.expit(c + FORECAST)) - occurring, -3, 3))


def benefit() -> tuple[float, float]:
    """Net benefit of the model at the threshold, and its gain over the better of all and none."""
    z = np.linspace(-0.3 - 1.2 * 9, -0.3 + 1.2 * 9, 200_001)
    share = stats.norm.pdf((z + 0.3) / 1.2)
    odds = THRESHOLD / (1 - THRESHOLD)
    risk_of = special.expit(INTERCEPT + SLOPE * z)
    worth = share / share.sum() * (risk_of - odds * (1 - risk_of))
    model = float(worth[z >= special.logit(THRESHOLD)].sum())
    return model, model - max(0.0, float(worth.sum()))


def forecast(large: float, model: float, gain: float, n: int, rng: Rng) -> Iterator[Look]:
    """Predictions of a model from elsewhere: too extreme, a little too low."""
    z = rng.normal(-0.3, 1.2, n)
    p = special.expit(z)
    y = (rng.random(n) < special.expit(INTERCEPT + SLOPE * z)).astype(float)
    line = calibration.calibration_line(y, p)
    yield Look("calibration slope, Wald", SLOPE, line.slope, line.slope_low, line.slope_high)
    yield Look(
        "calibration in the large, Wald", large, line.in_the_large, line.in_the_large_low, line.in_the_large_high
    )
    curve = calibration.calibration_curve(y, p, points=3).points
    if curve:
        at, observed, low, high = curve[1]
        truth = float(special.expit(INTERCEPT + SLOPE * special.logit(at)))
        yield Look("calibration curve at the middle", truth, observed, low, high)
    point = decision.decision_curve(y, p, [THRESHOLD]).points[0]
    yield Look(f"net benefit at {THRESHOLD}, Wald", model, point.model, point.model_low, point.model_high)
    yield Look("gain over the better default, Wald", gain, point.over_best, point.over_best_low, point.over_best_high)


def cases(columns: int, n: int, rng: Rng) -> tuple[dict[str, Array], Array]:
    """Yes/no findings and grades, of which the first two tell something."""
    x: dict[str, Array] = {}
    for j in range(columns):
        x[f"x{j}"] = (rng.choice(4, n, p=GRADES) if j % 2 else rng.random(n) < 0.4).astype(float)
    chance = special.expit(-0.9 + 1.5 * x["x0"] - 0.3 * x["x1"] + 0.2 * x["x2"])
    return x, (rng.random(n) < chance).astype(float)


def corrected(columns: int, n: int, rng: Rng) -> Iterator[Look]:
    """Optimism of maximum likelihood; the truth is this model's performance on new cases."""
    x, y = cases(columns, n, rng)
    design = logistic.prepare(x, y)
    rows = bootstrap.resamples(design.n, RESAMPLES, int(rng.integers(1 << 31)))
    found = prediction.optimism(design.y, prediction.maximum_likelihood(design), rows)
    if not found.measures:
        return
    fits = batch.fit_many(design.x, design.y, np.ones((1, design.n)))
    fresh, outcome = cases(columns, NEW_CASES, rng)
    seen = np.column_stack([np.ones(NEW_CASES), *(fresh[name] for name in design.names[1:])])
    there = performance.performance(outcome, batch.probabilities(seen, fits), np.ones((1, NEW_CASES)))
    for name, one in found.measures.items():
        if name != "calibration_intercept":
            yield Look(name.replace("_", " "), float(there[name][0]), one.corrected, one.ci_low, one.ci_high)


def scenarios() -> Iterator[Scenario]:
    """All of them; what is planted is said in words."""
    for p in (0.5, 0.75, 0.95):
        for n in (20, 56, 134):
            yield Scenario(
                "Accuracy, sensitivity, prevalence", f"{100 * p:g} %", f"n = {n}", every=partial(shares, p, n)
            )
    for p1, n1, p0, n0 in ((0.64, 50, 0.29, 84), (0.64, 20, 0.29, 30), (0.2, 20, 0.05, 114)):
        planted = f"{100 * p1:g} % of {n1}, {100 * p0:g} % of {n0}"
        yield Scenario("Risks of two groups", planted, "exact", every=partial(contrasts, p1, n1, p0, n0))
    for auc, events in ((0.75, 0.42), (0.95, 0.42), (0.75, 0.1)):
        for n in SIZES:
            planted = f"AUC {auc}, outcome in {100 * events:g} %"
            yield Scenario("ROC", planted, f"n = {n}", partial(ranks, auc, events, n))
    pain = stats.norm.ppf(np.cumsum([0.12, 0.06, 0.1, 0.14, 0.14, 0.13, 0.11, 0.09, 0.06, 0.03]))
    for planted, cuts in (("no ties", None), ("scores 0 to 10", pain)):
        r = 2 * math.sin(math.pi / 6 * 0.61)
        for n in SIZES:
            trial = partial(correlated, cuts, spearmans(cuts, r), r, n)
            yield Scenario("Spearman's correlation 0.61", planted, f"n = {n}", trial)
    for n in SIZES:
        trial = partial(forecast, in_the_large(), *benefit(), n)
        yield Scenario("Predictions of a model from elsewhere", "slope 0.8", f"n = {n}", trial)
    for columns in (4, 12):
        trial = partial(corrected, columns, 134)
        yield Scenario("Performance corrected for optimism", f"{columns} predictors", "n = 134", trial)
