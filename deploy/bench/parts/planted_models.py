"""Studies with planted effects: odds ratios, ordered classes, follow-up scores, changes between readers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np
from analytics.stats import ancova, bootstrap, change, logistic, ordinal, penalised, separation
from analytics.stats.result import NotEstimable
from numpy.typing import NDArray
from scipy import special

from bench.parts.coverage import Look, Scenario, logs
from bench.parts.planted_agreement import copied

Array = NDArray[np.float64]
Rng = np.random.Generator
SIZES = (50, 134)
RESAMPLES = 500
WALD = ("odds_ratio", "or_ci_low", "or_ci_high")
EXACT = ("odds_ratio", "or_profile_exact_low", "or_profile_exact_high")
MASS = ("odds_ratio", "or_profile_low", "or_profile_high")
SLIP_MM = (6.0, 3.8)
ABSENT = NotEstimable("the finding does not vary among the cases")
CLASSES = (0.07, 0.24, 0.27, 0.23, 0.07)  # response classes of the reference study; the sixth has the rest
GRADES = (0.25, 0.35, 0.25, 0.15)


def findings(rng: Rng, n: int, rare: bool) -> tuple[dict[str, Array], Array]:
    """Three predictors as the reference study has them, and the linear predictor of success."""
    x = {
        "oedema": (rng.random(n) < (0.06 if rare else 0.37)).astype(float),
        "segment": (rng.random(n) < 0.53).astype(float),
        "slip": np.abs(rng.normal(*SLIP_MM, n)),
    }
    effect = math.log(7) * x["oedema"] + math.log(0.6) * x["segment"] + math.log(1.1) * x["slip"]
    return x, effect - (0.75 if rare else 1.5)


def seen(interval: str, truth: float, term: object, fields: tuple[str, str, str]) -> Look:
    return logs(interval, truth, *(getattr(term, name) for name in fields))


def odds(rare: bool, wide: bool, n: int, rng: Rng) -> Iterator[Look]:
    """Odds ratio 7 of a yes/no finding, 1.1 of a millimetre, by every model; ``wide`` adds nine idle predictors."""
    x, eta = findings(rng, n, rare)
    for place in range(9 * wide):
        x[f"grade {place}"] = rng.choice(4, n, p=GRADES).astype(float)
    y = (rng.random(n) < special.expit(eta)).astype(float)
    design = logistic.prepare(x, y)
    model = logistic.fit(design)
    kind = "refused" if design.refusal else separation.separation(design.x, design.y)
    penal = None if design.refusal else separation.firth(design.x, design.y, design.names, separated=kind != "none")
    ridge = penalised.ridge(design)
    for name, truth in (("oedema", 7.0), ("slip", 1.1)):
        if rare and name == "slip":
            continue
        term = model.terms[name]
        for word, fields in (("Wald", WALD), ("profile", EXACT), ("profile as MASS", MASS)):
            yield seen(f"log OR {truth:g}, {word}", truth, term, fields)
        own = penal.terms.get(name) if penal else None
        limits = (own.b, own.b_profile_low, own.b_profile_high) if own else (ABSENT, ABSENT, ABSENT)
        yield Look(f"log OR {truth:g}, Firth profile", math.log(truth), *limits)
        yield seen(f"log OR {truth:g}, ridge", truth, ridge.terms[name], WALD)


def classes(n: int, rng: Rng) -> Iterator[Look]:
    """Six classes under proportional odds: odds ratio 3 of a finding, 1.1 of a millimetre."""
    x = {"oedema": (rng.random(n) < 0.37).astype(float), "slip": np.abs(rng.normal(*SLIP_MM, n))}
    effect = math.log(3) * x["oedema"] + math.log(1.1) * x["slip"]
    score = effect - 1.0 + rng.logistic(size=n)
    y = np.searchsorted(special.logit(np.cumsum(CLASSES)), score).astype(float)
    found = ordinal.proportional_odds(y, x, parallel=False)
    for name, truth in (("oedema", 3.0), ("slip", 1.1)):
        term = found.terms[name]
        yield seen(f"log OR {truth:g}, Wald", truth, term, WALD)
        yield seen(f"log OR {truth:g}, profile", truth, term, ("odds_ratio", "or_profile_low", "or_profile_high"))


def scores(unequal: bool, n: int, rng: Rng) -> Iterator[Look]:
    """Follow-up on baseline and a finding that lowers it by 1.2; the rarer group may scatter three times as much."""
    finding = (rng.random(n) < 0.2).astype(float)
    baseline = rng.normal(5.6, 2.2, n)
    spread = np.where(finding == 1, 3.0, 1.0) if unequal else np.full(n, 2.0)
    followup = 1 + 0.5 * baseline - 1.2 * finding + spread * rng.normal(size=n)
    levels = {"no": 0.0, "yes": 1.0}
    for robust, word in ((False, "t"), (True, "HC3")):
        found = ancova.ancova(followup, baseline, finding, levels=levels, robust=robust)
        term, mean = found.terms.get("yes"), found.means["yes"]
        if term is not None:
            yield Look(f"difference, {word}", -1.2, term.b, term.ci_low, term.ci_high)
        truth = 1 + 0.5 * float(baseline.mean()) - 1.2
        yield Look(f"adjusted mean, {word}", truth, mean.mean, mean.ci_low, mean.ci_high)


RISKS = {0: 0.3, 1: 0.65}  # of success, without and with the true finding
OEDEMA = np.array([0.63, 0.37])


def planted_log_odds() -> tuple[float, float]:
    """Log odds ratio of the true finding, and of what a reader with kappa 0.8 to the truth sees."""
    joint = copied(0.8, OEDEMA)
    success = [sum(joint[truth, level] * RISKS[truth] for truth in (0, 1)) / joint[:, level].sum() for level in (0, 1)]
    return (
        float(special.logit(RISKS[1]) - special.logit(RISKS[0])),
        float(special.logit(success[1]) - special.logit(success[0])),
    )


def changed(n: int, rng: Rng) -> Iterator[Look]:
    """Odds ratios by the first reader, who sees the truth, and by the second, and how they differ."""
    place = rng.choice(4, n, p=copied(0.8, OEDEMA).ravel())
    truth, other = (place // 2).astype(float), (place % 2).astype(float)
    y = (rng.random(n) < np.where(truth == 1, RISKS[1], RISKS[0])).astype(float)
    sides = {"first": change.Side({"x": truth}, y), "second": change.Side({"x": other}, y)}
    rows = bootstrap.resamples(n, RESAMPLES, int(rng.integers(1 << 31)))
    first, second = planted_log_odds()
    for firth, word in ((False, "maximum likelihood"), (True, "Firth")):
        found = change.compare(sides, rows, firth=firth)
        own = found.odds.get(("first", "x"))
        ratio = found.changes.get(("first", "second", "x"))
        if own is None or ratio is None:
            continue
        yield logs(f"log OR, {word}, percentile", math.exp(first), own.odds_ratio, own.or_low, own.or_high)
        shown = (ratio.ratio, ratio.ratio_low, ratio.ratio_high)
        yield logs(f"log ratio of ORs, {word}, percentile", math.exp(second - first), *shown)


def scenarios() -> Iterator[Scenario]:
    """All of them; what is planted is said in words."""
    family = "Odds ratios, logistic regression"
    for planted, rare, wide, sizes in (
        ("3 predictors, finding in 37 %", False, False, SIZES),
        ("3 predictors, finding in 6 %", True, False, SIZES),
        ("12 predictors, finding in 37 %", False, True, (134,)),
    ):
        for n in sizes:
            yield Scenario(family, planted, f"n = {n}", partial(odds, rare, wide, n))
    for n in SIZES:
        size = f"n = {n}"
        yield Scenario("Odds ratios, proportional odds", "six classes", size, partial(classes, n))
        yield Scenario("Change of an odds ratio", "second reader kappa 0.8", size, partial(changed, n))
        for unequal, planted in ((False, "equal spread"), (True, "rarer group scatters thrice")):
            yield Scenario("Follow-up score, ANCOVA", planted, size, partial(scores, unequal, n))
