"""What must hold for any data."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from analytics.stats import agreement, association, logistic, paired, reliability, square, validation
from analytics.stats.result import NotEstimable, Result, Value

settings.register_profile("statistics", deadline=None, max_examples=60, derandomize=True)
settings.load_profile("statistics")

squares = (
    st.integers(2, 5)
    .flatmap(lambda q: st.lists(st.lists(st.integers(0, 15), min_size=q, max_size=q), min_size=q, max_size=q))
    .map(np.array)
)
WEIGHTINGS = ("unweighted", "linear", "quadratic")
grades = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 1)), min_size=4, max_size=40)
scores = st.lists(st.tuples(st.integers(0, 10), st.integers(0, 10)), min_size=1, max_size=30)


def same(a: Result, b: Result, *fields: str) -> None:
    left, right = a.values(), b.values()
    for field in fields or tuple(left):
        assert equal(left[field], right[field]), (field, left[field], right[field])


def equal(a: Value, b: Value) -> bool:
    if isinstance(a, NotEstimable) or isinstance(b, NotEstimable):
        return isinstance(a, NotEstimable) and isinstance(b, NotEstimable)
    if isinstance(a, str) or isinstance(b, str):
        return a == b
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9) or a == b


@given(squares, st.sampled_from(WEIGHTINGS))
def test_coefficients_do_not_know_who_is_reader_one(table: np.ndarray, weighting: square.Weighting) -> None:
    codes = np.arange(len(table))
    same(agreement.kappa(table, codes, weighting), agreement.kappa(table.T, codes, weighting))
    same(agreement.gwet(table, codes, weighting), agreement.gwet(table.T, codes, weighting))
    same(agreement.krippendorff(table, codes, "ordinal"), agreement.krippendorff(table.T, codes, "ordinal"))


@given(squares, st.randoms(use_true_random=False))
def test_unweighted_kappa_does_not_know_the_labels(table: np.ndarray, random: object) -> None:
    order = np.random.default_rng(int(table.sum())).permutation(len(table))
    codes = np.arange(len(table))
    same(agreement.kappa(table, codes), agreement.kappa(table[np.ix_(order, order)], codes))


@given(squares, st.integers(0, 4))
def test_an_unused_level_changes_no_unweighted_kappa_and_no_quadratic_distance(table: np.ndarray, place: int) -> None:
    place = min(place, len(table))
    codes = [code if code < place else code + 1 for code in range(len(table))]
    wider = np.insert(np.insert(table, place, 0, axis=0), place, 0, axis=1)
    everything = list(range(len(table) + 1))
    same(agreement.kappa(table, range(len(table))), agreement.kappa(wider, everything))
    # With weights the distances of the codes count, wherever the unused level stands between the outer ones.
    if 0 < place < len(table):
        same(agreement.kappa(table, codes, "quadratic"), agreement.kappa(wider, everything, "quadratic"))


def test_an_unused_level_moves_ac1() -> None:
    table = np.array([[20, 3], [2, 5]])
    wider = np.pad(table, (0, 1))
    narrow, wide = agreement.gwet(table, [0, 1]).estimate, agreement.gwet(wider, [0, 1, 2]).estimate
    assert not equal(narrow, wide)


@given(squares, st.sampled_from(WEIGHTINGS))
def test_kappa_stays_in_its_interval_and_below_one(table: np.ndarray, weighting: square.Weighting) -> None:
    found = agreement.kappa(table, np.arange(len(table)), weighting)
    if not isinstance(found.estimate, NotEstimable):
        low, middle, high = (float(str(value)) for value in (found.ci_low, found.estimate, found.ci_high))
        assert low <= middle <= high
        assert middle <= 1 + 1e-12


@given(st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), min_size=3, max_size=30))
def test_absolute_agreement_is_consistency_when_the_readers_means_agree(pairs: list[tuple[float, float]]) -> None:
    ratings = np.round(np.array(pairs), 3)
    ratings[:, 1] += ratings[:, 0].mean() - ratings[:, 1].mean()
    assume(np.ptp(ratings[:, 0]) > 0.1 and np.ptp(ratings[:, 0] - ratings[:, 1]) > 0.1)
    # With equal means the mean square of readers is 0, and absolute agreement exceeds consistency by exactly that term.
    squares_ = reliability.anova(ratings)
    n = len(ratings)
    r, e = float(str(squares_.ms_subjects)), float(str(squares_.ms_error))
    absolute = reliability.icc(ratings, "icc_a1").estimate
    assume(not isinstance(absolute, NotEstimable))
    assert absolute == pytest.approx((r - e) / (r + e - 2 * e / n), rel=1e-6, abs=1e-9)


@given(st.lists(st.floats(0, 30), min_size=4, max_size=30), st.integers(0, 2**31))
def test_absolute_agreement_equals_consistency_when_reader_and_error_squares_agree(x: list[float], seed: int) -> None:
    values = np.array(x)
    assume(np.ptp(values) > 1)
    ratings = np.column_stack([values, values + np.random.default_rng(seed).normal(0, 1, values.size)])
    squares_ = reliability.anova(ratings)
    n = len(values)
    wanted = float(str(squares_.ms_error))
    ratings[:, 1] += ratings[:, 0].mean() - ratings[:, 1].mean() + math.sqrt(2 * wanted / n)
    same(reliability.icc(ratings, "icc_a1"), reliability.icc(ratings, "icc_c1"), "estimate")


@given(scores)
def test_mcnemar_is_symmetric(pairs: list[tuple[int, int]]) -> None:
    first, second = (np.array(side) > 5 for side in zip(*pairs, strict=True))
    there, back = paired.mcnemar(first, second), paired.mcnemar(second, first)
    same(there, back, "chi2", "p_exact", "p_midp", "p_continuity", "both", "neither")
    assert (there.gained, there.lost) == (back.lost, back.gained)


@given(scores)
def test_signed_rank_is_symmetric_and_its_p_values_are_probabilities(pairs: list[tuple[int, int]]) -> None:
    first, second = zip(*pairs, strict=True)
    there, back = paired.signed_rank(first, second), paired.signed_rank(second, first)
    same(there, back, "z", "p", "p_continuity", "p_exact")
    for value in (there.p, there.p_continuity, there.p_exact):
        assert isinstance(value, NotEstimable) or 0 <= float(value) <= 1 + 1e-12


@given(grades)
def test_rank_sum_does_not_know_which_group_is_first(rows: list[tuple[int, int]]) -> None:
    values, group = (np.array(side, dtype=float) for side in zip(*rows, strict=True))
    there, back = association.rank_sum(values, group), association.rank_sum(values, 1 - group)
    same(there, back, "U", "z", "p", "p_continuity")


@given(grades)
def test_odds_ratio_inverts_with_the_outcome(rows: list[tuple[int, int]]) -> None:
    values, outcome = (np.array(side, dtype=float) for side in zip(*rows, strict=True))
    there, back = (logistic.fit(logistic.prepare({"grade": values}, y)) for y in (outcome, 1 - outcome))
    same(there.summary, back.summary, "separation", "minus2ll", "nagelkerke_r2")
    a, b = there.terms["grade"], back.terms["grade"]
    if not isinstance(a.odds_ratio, NotEstimable):
        assert not isinstance(b.odds_ratio, NotEstimable)
        assert float(a.odds_ratio) * float(b.odds_ratio) == pytest.approx(1, rel=1e-6)
        assert equal(a.p_wald, b.p_wald)
        low, high = float(str(a.or_profile_exact_low)), float(str(b.or_profile_exact_high))
        assert low * high == pytest.approx(1, rel=1e-5)


@given(grades)
def test_odds_ratio_and_p_of_a_table_follow_its_transposition(rows: list[tuple[int, int]]) -> None:
    values, outcome = (np.array(side, dtype=float) for side in zip(*rows, strict=True))
    binary = (values > 2).astype(float)
    table = association.cross_table(binary, outcome, [0, 1], [0, 1])
    same(association.contingency(table), association.contingency(table.T), "chi2", "fisher_p", "odds_ratio", "lr_chi2")


@given(st.integers(0, 60), st.integers(1, 60))
def test_proportions_lie_in_their_intervals_within_a_hundred_percent(hits: int, n: int) -> None:
    hits = min(hits, n)
    found = validation.proportion(hits, n)
    for low, high in ((found.wilson_low, found.wilson_high), (found.clopper_low, found.clopper_high)):
        assert 0 <= float(str(low)) <= float(str(found.estimate)) + 1e-9 <= float(str(high)) + 2e-9 <= 100 + 1e-6


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_adjusted_p_values_keep_their_order_and_never_shrink(p: list[float]) -> None:
    found = association.adjust({str(place): value for place, value in enumerate(p)})
    for one in found.values():
        assert float(str(one.p_raw)) <= float(str(one.p_bh)) + 1e-12 <= float(str(one.p_holm)) + 2e-12
        assert float(str(one.p_holm)) <= float(str(one.p_bonferroni)) + 1e-12
    order = sorted(found.values(), key=lambda one: float(str(one.p_raw)))
    holm = [float(str(one.p_holm)) for one in order]
    assert holm == sorted(holm)


def test_an_undefined_p_value_does_not_count_in_its_family() -> None:
    family: dict[str, Value] = {"a": 0.01, "b": 0.04, "c": NotEstimable("all values are equal")}
    found = association.adjust(family)
    assert found["a"].p_bonferroni == 0.02
    assert isinstance(found["c"].p_holm, NotEstimable)
    assert found["a"].n == 2
