"""Every interval holds its estimate and widens with the level, and what turns round with the data."""

from __future__ import annotations

import inspect
import itertools
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.stats import (
    agreement,
    ancova,
    association,
    bootstrap,
    calibration,
    change,
    clustered,
    decision,
    intra,
    logistic,
    ordinal,
    paired,
    penalised,
    prediction,
    raters,
    reliability,
    risk,
    separation,
    square,
    sums,
    validation,
)
from analytics.stats.result import NotEstimable, Result, Value
from tests.unit.stats.functions import public

settings.register_profile("intervals", deadline=None, max_examples=12, derandomize=True)
settings.load_profile("intervals")
seeds = st.integers(0, 2**31)
CODES = (0, 1, 2, 3)
WEIGHTINGS: tuple[square.Weighting, ...] = ("unweighted", "linear", "quadratic")
# What an interval belongs to, where its name does not say so.
OWNERS = {
    "": ("estimate", "percent_agreement", "b", "mean", "corrected"),
    "wilson": ("estimate",),
    "clopper": ("estimate",),
    "delong": ("auc",),
    "or": ("odds_ratio",),
    "or_profile": ("odds_ratio",),
    "or_profile_exact": ("odds_ratio",),
    "b_profile": ("b",),
    "risk_ratio_katz": ("risk_ratio",),
    "risk_ratio_koopman": ("risk_ratio",),
    "odds_ratio_woolf": ("odds_ratio",),
    "percentile": ("mean",),
    "fieller": ("rs",),
    "bonett_wright": ("rs",),
    "fisher": ("rs",),
    "score": ("estimate",),
    "loa": ("bias",),
}
NONE_HELD = {"bca", "bca_midrank"}  # shifted on purpose, and not always over the estimate


class Study:
    """Grades, measurements, outcome and predictions of sixty cases."""

    def __init__(self, seed: int, n: int = 60) -> None:
        rng = np.random.default_rng(seed)
        self.rng, self.n = rng, n
        truth = rng.integers(0, 4, n)
        self.x = np.where(rng.random((n, 3)) < 0.7, truth[:, None], rng.integers(0, 4, (n, 3))).astype(float)
        self.values = rng.normal(6, 3, (n, 1)) + rng.normal(0, 1, (n, 3))
        self.finding = (truth > 1).astype(float)
        self.y = (rng.random(n) < np.where(truth > 1, 0.65, 0.35)).astype(float)
        self.p = np.clip(0.5 + 0.1 * (truth - 1.5) + rng.normal(0, 0.15, n), 0.02, 0.98)
        self.design = logistic.prepare({"finding": self.finding, "mm": self.values[:, 0]}, self.y)
        self.rows = bootstrap.resamples(n, 120, seed)

    def table(self, codes: Iterable[float] = CODES) -> np.ndarray:
        return association.cross_table(self.x[:, 0], self.x[:, 1], tuple(codes), tuple(codes))

    def yes_no(self) -> np.ndarray:
        return association.cross_table(self.finding, self.y, (0, 1), (0, 1))


Call = Callable[[Study, float], Any]
AT_A_LEVEL: dict[str, Call] = {
    "ancova.ancova": lambda s, level: [
        ancova.ancova(s.values[:, 0], s.values[:, 1], s.finding, levels={"no": 0, "yes": 1}, robust=robust, level=level)
        for robust in (False, True)
    ],
    "calibration.calibration_curve": lambda s, level: calibration.calibration_curve(s.y, s.p, points=5, level=level),
    "calibration.calibration_line": lambda s, level: calibration.calibration_line(s.y, s.p, level=level),
    "change.compare": lambda s, level: change.compare(
        {"one": change.Side({"x": s.finding}, s.y), "two": change.Side({"x": s.x[:, 1]}, s.y)}, s.rows, level=level
    ),
    "clustered.clustered": lambda s, level: [
        clustered.clustered(s.x, list(np.arange(s.n) // 3), CODES, kind, level=level) for kind in clustered.NAMES
    ],
    "decision.decision_curve": lambda s, level: decision.decision_curve(s.y, s.p, [0.3, 0.5], level=level),
    "intra.measured_again": lambda s, level: intra.measured_again(s.values, level=level),
    "intra.repeatability": lambda s, level: intra.repeatability(s.values, level=level),
    "ordinal.proportional_odds": lambda s, level: ordinal.proportional_odds(
        s.x[:, 0], {"finding": s.y, "mm": s.values[:, 0]}, level=level, parallel=False
    ),
    "penalised.ridge": lambda s, level: penalised.ridge(s.design, level=level),
    "prediction.optimism": lambda s, level: prediction.optimism(
        s.design.y, prediction.maximum_likelihood(s.design), s.rows, level=level
    ),
    "raters.brennan_prediger": lambda s, level: raters.brennan_prediger(s.x, CODES, level=level),
    "raters.conger": lambda s, level: raters.conger(s.x, CODES, "linear", level=level),
    "raters.fleiss": lambda s, level: raters.fleiss(s.x, CODES, level=level),
    "raters.fleiss_by_level": lambda s, level: raters.fleiss_by_level(s.x, CODES, list("abcd"), level=level),
    "raters.gwet": lambda s, level: raters.gwet(s.x, CODES, "quadratic", level=level),
    "raters.krippendorff": lambda s, level: raters.krippendorff(s.x, "ordinal", level=level),
    "raters.percent_agreement": lambda s, level: raters.percent_agreement(s.x, CODES, level=level),
    "reliability.icc": lambda s, level: reliability.icc(s.values, level=level),
    "reliability.icc_family": lambda s, level: reliability.icc_family(s.values, level=level),
    "risk.risks": lambda s, level: risk.risks(s.yes_no(), level=level),
}
# 95 % only, as the programs they are compared with print them.
AT_95: dict[str, Callable[[Study], Any]] = {
    "agreement": lambda s: [
        kind(s.table(), CODES, weighting)
        for kind in (agreement.kappa, agreement.gwet, agreement.brennan_prediger)
        for weighting in WEIGHTINGS
    ],
    "bland_altman": lambda s: reliability.bland_altman(s.values[:, 0], s.values[:, 1]),
    "bootstrap": lambda s: bootstrap.bootstrap(bootstrap.icc_a1_of(s.values), s.rows, name="ICC"),
    "classify": lambda s: [getattr(validation.classify(s.y, s.p), name) for name in validation.Classification.SHARES],
    "firth": lambda s: separation.firth(s.design.x, s.design.y, s.design.names, separated=False).terms,
    "logistic": lambda s: logistic.fit(s.design).terms,
    "roc": lambda s: validation.roc(s.y, s.p),
    "spearman": lambda s: paired.spearman(s.values[:, 0], s.values[:, 1]),
}


def found(value: Any) -> Iterator[Result]:
    """Every result inside what a function gave."""
    if isinstance(value, Result):
        yield value
        inner = [getattr(value, field.name) for field in fields(value)]
        yield from (one for part in inner if isinstance(part, Mapping | tuple) for one in found(part))
    elif isinstance(value, Mapping):
        yield from (one for part in value.values() for one in found(part))
    elif isinstance(value, list | tuple):
        yield from (one for part in value for one in found(part))


def limits(result: Result) -> Iterator[tuple[str, Value | None, float, float]]:
    """Each interval of a result: its name, what it belongs to, its limits."""
    own = {field.name: getattr(result, field.name) for field in fields(result)}
    for name, low in own.items():
        ended = re.fullmatch(r"(?:(.*)_)?low|ci_low_(.*)", name)
        if ended is None:
            continue
        high = own[name.removesuffix("low") + "high" if name.endswith("low") else name.replace("low", "high")]
        stem = (ended[1] or ended[2] or "").removesuffix("ci").removesuffix("_")
        if stem in NONE_HELD or isinstance(low, NotEstimable) or isinstance(high, NotEstimable):
            continue
        owner = next((own[one] for one in (stem, *OWNERS.get(stem, ())) if one in own), None)
        yield name, owner, float(low), float(high)


def held(value: Any) -> int:
    """Check that every interval holds what it belongs to; count them."""
    count = 0
    for result in found(value):
        for name, owner, low, high in limits(result):
            assert owner is not None, (type(result).__name__, name, "belongs to nothing: name its owner")
            assert isinstance(owner, int | float), (type(result).__name__, name, owner)
            room = 1e-9 * max(1.0, abs(float(owner)))
            assert low - room <= owner <= high + room, (type(result).__name__, name, low, owner, high)
            count += 1
    return count


def test_every_function_with_a_level_is_tried() -> None:
    taking = {name for name, function in public().items() if "level" in inspect.signature(function).parameters}
    assert taking - {"risk.quantile", "sums.interval"} == AT_A_LEVEL.keys()


@pytest.mark.parametrize("name", AT_A_LEVEL)
@given(seed=seeds)
def test_an_interval_holds_its_estimate_and_widens_with_the_level(name: str, seed: int) -> None:
    study = Study(seed)
    three = [AT_A_LEVEL[name](study, level) for level in (0.8, 0.95, 0.99)]
    intervals = 0
    # The percentile limits of optimism bracket their estimate in the long run, not always.
    if name != "prediction.optimism":
        intervals = sum(held(one) for one in three)
    for narrow, wide in itertools.pairwise(three):
        for inner, outer in zip(found(narrow), found(wide), strict=True):
            further = {limit[0]: limit[2:] for limit in limits(outer)}
            for limit, _, low, high in limits(inner):
                if limit not in further and limit == "number_needed_low":
                    continue  # a wider interval of the difference may reach 0
                lower, higher = further[limit]
                assert lower <= low + 1e-12 * abs(low), (type(inner).__name__, limit)
                assert higher >= high - 1e-12 * abs(high), (type(inner).__name__, limit)
                intervals += 1
            if isinstance(inner, calibration.CalibrationCurve) and isinstance(outer, calibration.CalibrationCurve):
                for (_, middle, low, high), (_, _, lower, higher) in zip(inner.points, outer.points, strict=True):
                    assert lower <= low <= middle <= high <= higher
                    intervals += 1
    assert intervals, "nothing was compared"


@pytest.mark.parametrize("name", AT_95)
@given(seed=seeds)
def test_an_interval_of_95_percent_holds_its_estimate(name: str, seed: int) -> None:
    assert held(AT_95[name](Study(seed)))


@given(seeds, st.floats(0.05, 0.9), st.integers(2, 400))
def test_the_t_interval_of_sums(seed: int, level: float, n: int) -> None:
    estimate, se = np.random.default_rng(seed).normal(), 0.3
    low, high = sums.interval(estimate, se, n, level)
    lower, higher = sums.interval(estimate, se, n, level + 0.05)
    assert lower < low < estimate < high < higher
    assert risk.quantile(level) < risk.quantile(level + 0.05)


def reversed_(result: Result, other: Result, *names: str) -> None:
    for name in names or tuple(result.values()):
        a, b = result.values()[name], other.values()[name]
        assert type(a) is type(b), name
        if isinstance(a, int | float) and isinstance(b, int | float):
            assert math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9), (name, a, b)


@given(seeds, st.sampled_from(WEIGHTINGS))
def test_weighted_coefficients_do_not_know_which_end_of_the_scale_is_the_first(
    seed: int, weighting: square.Weighting
) -> None:
    study = Study(seed, 25)
    codes = np.array([0.0, 1.0, 2.0, 5.0])
    table, turned = study.table(), -codes[::-1]
    for kind in (agreement.kappa, agreement.gwet, agreement.brennan_prediger):
        reversed_(kind(table, codes, weighting), kind(table[::-1, ::-1], turned, weighting))
    graded = codes[study.x.astype(int)]
    for several in (raters.fleiss, raters.conger, raters.gwet, raters.brennan_prediger):
        reversed_(several(graded, codes, weighting), several(-graded, turned, weighting))
    for metric in ("nominal", "ordinal", "interval"):
        reversed_(
            agreement.krippendorff(table, codes, metric), agreement.krippendorff(table[::-1, ::-1], turned, metric)
        )
        reversed_(raters.krippendorff(graded, metric), raters.krippendorff(-graded, metric))


@given(seeds)
def test_what_a_yes_no_finding_knows_of_reader_and_level(seed: int) -> None:
    study = Study(seed, 30)
    table = association.cross_table(study.finding, study.y, (0, 1), (0, 1))
    for other in (table.T, table[::-1, ::-1]):
        reversed_(agreement.pabak(table), agreement.pabak(other))
        reversed_(agreement.brennan_prediger(table, [0, 1]), agreement.brennan_prediger(other, [0, 1]))
    there, back = agreement.bias_prevalence(table), agreement.bias_prevalence(table[::-1, ::-1])
    assert there.bias_index == pytest.approx(-float(str(back.bias_index)))
    assert there.prevalence_index == pytest.approx(-float(str(back.prevalence_index)))


@given(seeds)
def test_penalised_odds_ratios_invert_with_the_outcome(seed: int) -> None:
    study = Study(seed, 30)
    x, names = study.design.x, study.design.names
    there, back = (separation.firth(x, y, names) for y in (study.design.y, 1 - study.design.y))
    assert there.loglik_penalised == pytest.approx(float(str(back.loglik_penalised)))
    for name in names:
        a, b = there.terms[name], back.terms[name]
        assert float(str(a.odds_ratio)) * float(str(b.odds_ratio)) == pytest.approx(1, rel=1e-6)
        assert a.b_profile_low == pytest.approx(-float(str(b.b_profile_high)), rel=1e-6, abs=1e-6)
        assert a.p_plr == pytest.approx(float(str(b.p_plr)), rel=1e-5, abs=1e-9)
    one, two = (penalised.ridge(logistic.prepare({"f": study.finding}, y)).terms["f"] for y in (study.y, 1 - study.y))
    assert float(str(one.odds_ratio)) * float(str(two.odds_ratio)) == pytest.approx(1, rel=1e-6)


@given(seeds)
def test_measurements_turn_round_with_the_readers(seed: int) -> None:
    study = Study(seed)
    a, b = study.values[:, 0], study.values[:, 1]
    there, back = reliability.bland_altman(a, b), reliability.bland_altman(b, a)
    reversed_(there, back, "sd_diff", "bias_p", "se_loa", "proportional_bias_p")
    assert there.bias == pytest.approx(-float(str(back.bias)))
    assert there.loa_low_ci_high == pytest.approx(-float(str(back.loa_high_ci_low)))
    for moved in (np.column_stack([b, a]), 3 - 2 * np.column_stack([a, b])):
        reversed_(reliability.icc(np.column_stack([a, b])), reliability.icc(moved))
    reversed_(paired.spearman(a, b), paired.spearman(b, a**3))
    falling = paired.spearman(a, -b)
    assert falling.ci_low_fieller == pytest.approx(-float(str(paired.spearman(a, b).ci_high_fieller)))


@given(seeds)
def test_the_area_turns_round_with_score_and_outcome(seed: int) -> None:
    study = Study(seed)
    there = validation.roc(study.y, study.p)
    for other in (validation.roc(1 - study.y, study.p), validation.roc(study.y, -study.p)):
        assert there.auc == pytest.approx(1 - float(str(other.auc)))
        assert there.delong_se == pytest.approx(float(str(other.delong_se)))
    reversed_(there, validation.roc(1 - study.y, 1 - study.p))
