"""Several readers: what must hold for any data, and what degenerate data say."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from analytics.stats import agreement, clustered, disagreement, intra, raters, reliability, square
from analytics.stats.association import cross_table
from analytics.stats.pairwise import pairwise
from analytics.stats.result import NotEstimable, Result, Value

settings.register_profile("statistics", deadline=None, max_examples=60, derandomize=True)
settings.load_profile("statistics")

WEIGHTINGS: tuple[square.Weighting, ...] = ("unweighted", "linear", "quadratic")
METRICS: tuple[disagreement.Metric, ...] = ("nominal", "ordinal", "interval", "ratio")
KINDS = (raters.fleiss, raters.conger, raters.gwet, raters.brennan_prediger)
grade = st.one_of(st.integers(0, 3), st.just(math.nan))
tables = st.integers(2, 5).flatmap(
    lambda k: st.lists(st.lists(grade, min_size=k, max_size=k), min_size=1, max_size=25).map(
        lambda x: np.array(x, float)
    )
)
weightings = st.sampled_from(WEIGHTINGS)


@pytest.fixture(autouse=True, scope="module")
def _warnings_are_errors() -> Iterator[None]:
    with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
        warnings.simplefilter("error")
        yield


def sound(result: Result) -> None:
    for name, value in result.values().items():
        if isinstance(value, NotEstimable):
            assert len(value.why) > 5, name
        elif not isinstance(value, str):
            assert not math.isnan(value), name


def same(a: Result, b: Result, *fields: str) -> None:
    left, right = a.values(), b.values()
    for field in fields or tuple(left):
        assert equal(left[field], right[field]), (field, left[field], right[field])


def equal(a: Value, b: Value) -> bool:
    if isinstance(a, NotEstimable | str) or isinstance(b, NotEstimable | str):
        return type(a) is type(b)
    return math.isclose(a, b, rel_tol=1e-7, abs_tol=1e-7)


def everything(x: np.ndarray, codes: Any = range(4), level: float = 0.95) -> list[Result]:
    found: list[Result] = [kind(x, codes, weighting, level=level) for kind in KINDS for weighting in WEIGHTINGS]
    found += [raters.krippendorff(x, metric, level=level) for metric in METRICS]
    return [*found, raters.percent_agreement(x, codes, level=level)]


def numbers(result: Result, *fields: str) -> list[float] | None:
    values = [result.values()[field] for field in fields]
    return None if any(isinstance(value, NotEstimable) for value in values) else [float(str(value)) for value in values]


@given(tables, st.integers(0, 2**31))
def test_readers_and_cases_have_no_order(x: np.ndarray, seed: int) -> None:
    rng = np.random.default_rng(seed)
    moved = rng.permutation(rng.permutation(x, axis=1), axis=0)
    for before, after in zip(everything(x), everything(moved), strict=True):
        same(before, after)


@given(tables, st.integers(0, 2**31))
def test_unweighted_coefficients_do_not_know_the_labels(x: np.ndarray, seed: int) -> None:
    to = np.random.default_rng(seed).permutation(4).astype(float)
    other = np.where(np.isfinite(x), to[np.where(np.isfinite(x), x, 0).astype(int)], np.nan)
    for kind in KINDS:
        same(kind(x, range(4)), kind(other, range(4)))
    same(raters.krippendorff(x, "nominal"), raters.krippendorff(other, "nominal"))


@given(tables, weightings)
def test_an_unused_level_between_changes_no_weighted_kappa(x: np.ndarray, weighting: square.Weighting) -> None:
    apart = np.where(x > 1, x + 1, x)  # grade 2 is declared and nobody gives it
    wider = [0, 1, 2, 3, 4]
    for kind in (raters.fleiss, raters.conger):
        same(kind(apart, [0, 1, 3, 4], weighting), kind(apart, wider, weighting))
    same(raters.percent_agreement(apart, [0, 1, 3, 4]), raters.percent_agreement(apart, wider))


def test_an_unused_level_moves_ac1_and_brennan_prediger() -> None:
    x = [[0, 0, 1], [1, 1, 1], [0, 0, 0], [1, 0, 1]]
    for kind in (raters.gwet, raters.brennan_prediger):
        assert not equal(kind(x, [0, 1]).estimate, kind(x, [0, 1, 2]).estimate)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=30), weightings)
def test_two_readers_are_the_two_reader_functions(pairs: list[tuple[int, int]], weighting: square.Weighting) -> None:
    x = np.array(pairs, dtype=float)
    table = cross_table(x[:, 0], x[:, 1], range(4), range(4))
    cohen = agreement.kappa(table, range(4), weighting)
    same(raters.conger(x, range(4), weighting), cohen, "estimate")
    same(raters.gwet(x, range(4), weighting), agreement.gwet(table, range(4), weighting), *GWET)
    two = agreement.brennan_prediger(table, range(4), weighting)
    same(raters.brennan_prediger(x, range(4), weighting), two, *GWET)
    same(raters.krippendorff(x, "ordinal"), agreement.krippendorff(table, range(4), "ordinal"), "estimate")


GWET = ("estimate", "se", "ci_low", "ci_high", "pa", "pe")


@given(tables)
def test_intervals_hold_the_estimate_and_widen_with_the_level(x: np.ndarray) -> None:
    for narrow, wide in zip(everything(x, level=0.8), everything(x, level=0.99), strict=True):
        name = "percent_agreement" if isinstance(narrow, raters.PercentAgreement) else "estimate"
        inner, outer = (numbers(one, "ci_low", name, "ci_high") for one in (narrow, wide))
        assert (inner is None) == (outer is None)
        if inner and outer:
            assert outer[0] <= inner[0] <= inner[1] <= inner[2] <= outer[2]
            assert inner[1] <= (100 if name != "estimate" else 1) + 1e-9


@given(tables, st.integers(0, 2**31))
def test_patients_may_be_named_anything_and_one_patient_is_refused(x: np.ndarray, seed: int) -> None:
    rng = np.random.default_rng(seed)
    whose = rng.integers(0, 6, len(x))
    names = [f"patient {number}" for number in whose]
    for kind in clustered.NAMES:
        there = clustered.clustered(x, list(whose), range(4), kind, "linear")
        sound(there)
        same(there, clustered.clustered(x, names, range(4), kind, "linear"))
        limits = numbers(there, "ci_low", "estimate", "ci_high")
        assert limits is None or limits == sorted(limits)
        alone = clustered.clustered(x, [1] * len(x), range(4), kind)
        assert isinstance(alone.se, NotEstimable)
        assert alone.n_patients <= 1


@given(st.lists(st.lists(st.floats(0, 30), min_size=3, max_size=3), min_size=4, max_size=20))
def test_absolute_agreement_exceeds_consistency_only_by_the_readers_square(rows: list[list[float]]) -> None:
    x = np.round(np.array(rows), 2)
    x = x - x.mean(axis=0)  # the readers' means agree
    assume(np.ptp(x) > 1)
    squares = reliability.anova(x)
    r, e = float(str(squares.ms_subjects)), float(str(squares.ms_error))
    assume(e > 0.1 and r > 0.1)
    absolute = reliability.icc_family(x)["icc_a1"].estimate
    # MSC is 0 instead of MSE, its expectation: that is all that parts ICC(A,1) from ICC(C,1).
    assert absolute == pytest.approx((r - e) / (r + 2 * e - 3 * e / len(x)), rel=1e-6, abs=1e-9)
    assert clustered.clustered(x, range(len(x)), [], "icc_a1").estimate == pytest.approx(absolute, rel=1e-6, abs=1e-9)


@given(st.lists(st.floats(0, 30), min_size=4, max_size=20), st.integers(0, 2**31))
def test_absolute_agreement_is_consistency_when_the_readers_differ_as_chance_has_it(x: list[float], seed: int) -> None:
    values = np.array(x)
    assume(np.ptp(values) > 1)
    rng = np.random.default_rng(seed)
    ratings = values[:, None] + rng.normal(0, 1, (values.size, 3))
    ratings -= ratings.mean(axis=0)
    e = float(str(reliability.anova(ratings).ms_error))
    ratings += np.array([-1, 0, 1]) * math.sqrt(e / values.size)  # MSC = MSE
    family = reliability.icc_family(ratings)
    same(family["icc_a1"], family["icc_c1"], "estimate")
    same(family["icc_ak"], family["icc_ck"], "estimate")


DEGENERATE: dict[str, Any] = {
    "empty": np.empty((0, 3)),
    "all missing": np.full((5, 3), np.nan),
    "one reader": [[0], [1], [2]],
    "one case": [[0, 1, 1]],
    "one case, alike": [[2, 2, 2]],
    "constant": np.ones((6, 3)),
    "perfect": [[0, 0, 0], [1, 1, 1], [3, 3, 3], [1, 1, 1]],
    "one constant reader": [[0, 1, 0], [0, 2, 2], [0, 3, 1], [0, 0, 0]],
    "never two grades": [[0, np.nan, np.nan], [np.nan, 1, np.nan], [np.nan, np.nan, 3]],
    "two of three readers": [[0, 1, np.nan], [1, 1, np.nan], [2, 1, np.nan]],
    "two cases": [[0, 1, 1], [2, 2, 3]],
    "zeros": np.zeros((4, 2)),
    "opposed": [[0, 3], [3, 0], [0, 3], [3, 0]],
    "readers that never meet": [[0, 1, np.nan, np.nan], [np.nan, np.nan, 1, 1], [1, 1, np.nan, np.nan]],
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_grades_have_a_sentence(name: str) -> None:
    x = np.asarray(DEGENERATE[name], dtype=float)
    for result in everything(x):
        sound(result)
    for kind in KINDS:
        sound(kind(x, range(4), singles=True))
    for found in raters.fleiss_by_level(x, range(4), list("abcd")).values():
        sound(found)
    names = [f"R{place}" for place in range(x.shape[1])]
    table = pairwise(x, range(4), names)
    for result in (table, *(one for pair in table.pairs for one in (pair.percent, pair.kappa, pair.gwet))):
        sound(result)
    for kind_ in clustered.NAMES:
        for whose in (list(range(len(x))), [0] * len(x), [None] * len(x), [1, *[math.nan] * len(x)][: len(x)]):
            sound(clustered.clustered(x, whose, range(4), kind_))
            sound(clustered.resampled(x, whose, range(4), kind_, replicates=60))
        sound(clustered.resampled(x, None, range(4), kind_, replicates=60))
    if x.shape[1] > 1:
        for result in (*intra.graded_again(x, range(4)).values(), *intra.measured_again(x).values()):
            sound(result)


@pytest.mark.parametrize("codes", [[], [1]])
def test_a_scale_of_one_level_is_refused(codes: list[int]) -> None:
    x = np.full((4, 2), 1.0 if codes else math.nan)
    for kind in KINDS:
        sound(kind(x, codes))
        assert kind(x, codes).estimate == NotEstimable("the declared scale has fewer than two levels")
    sound(pairwise(x, codes, ["a", "b"]))
    for result in intra.graded_again(x, codes).values():
        sound(result)


def test_the_reasons() -> None:
    for name, why in (
        ("all missing", "fewer than two readers"),
        ("one reader", "fewer than two readers"),
        ("constant", "all cases lie in one category"),
    ):
        found = raters.fleiss(DEGENERATE[name], range(4))
        assert isinstance(found.estimate, NotEstimable)
        assert why in found.estimate.why
    one = raters.gwet([[0, 1, 1]], range(4))
    assert isinstance(one.estimate, float)
    assert one.se == NotEstimable("a standard error needs two cases")
    perfect = raters.conger(DEGENERATE["perfect"], range(4))
    assert (perfect.estimate, perfect.se, perfect.ci_low, perfect.ci_high) == (1, 0, 1, 1)
    assert isinstance(perfect.p, NotEstimable)
    left = raters.fleiss([[0.0, 0.0], [1.0, math.nan], [1.0, 1.0], [0.0, 1.0]], [0, 1])
    assert left.notes == ("1 of 4 cases left out: fewer than two readers graded them.",)
    flat = raters.conger(DEGENERATE["one constant reader"], range(4))
    assert "by column: 1" in flat.notes[0]
    many = raters.krippendorff([[value, value + 0.5] for value in range(200)], "ordinal").estimate
    assert many == NotEstimable("the ordinal metric is for grades; there are 400 values")
    ratio = raters.krippendorff([[-1, 2], [3, 4]], "ratio").estimate
    assert ratio == NotEstimable("the ratio metric needs values from zero up")


def test_wrong_calls_are_refused() -> None:
    with pytest.raises(ValueError, match="declared scale"):
        raters.fleiss([[0, 7]], range(4))
    with pytest.raises(ValueError, match="ascend"):
        raters.fleiss([[0, 1]], [1, 0])
    with pytest.raises(ValueError, match="shape"):
        raters.fleiss([0, 1], [0, 1])
    with pytest.raises(ValueError, match="names"):
        pairwise([[0, 1]], [0, 1], ["only one"])
    with pytest.raises(ValueError, match="each row"):
        clustered.clustered([[0, 1]], [1, 2], [0, 1])
    with pytest.raises(ValueError, match="level"):
        raters.gwet([[0, 1], [1, 1]], [0, 1], level=95)
    with pytest.raises(ValueError, match="two rounds"):
        intra.measured_again([[1.0], [2.0]])


def test_the_family_has_its_three_names() -> None:
    found = reliability.icc_family([[1, 2, 2], [3, 3, 4], [5, 7, 6], [2, 2, 3]])
    names = [(one.mcgraw_wong, one.shrout_fleiss) for one in found.values()]
    assert names[1] == ("ICC(A,1)", "ICC(2,1)")
    assert len(set(names)) == 6
    assert found["icc_ck"].spss == "two-way, consistency, average measures"
    narrow = reliability.icc_family([[1, 2, 2], [3, 3, 4], [5, 7, 6], [2, 2, 3]], level=0.8)
    for form, one in found.items():
        outer, inner = (numbers(each, "ci_low", "estimate", "ci_high") for each in (one, narrow[form]))
        assert outer is not None
        assert inner is not None
        assert outer[0] < inner[0] < inner[1] < inner[2] < outer[2]
