"""No function warns, returns NaN or raises a foreign error on degenerate input; it says why instead."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from analytics.stats import agreement, association, describe, logistic, paired, reliability, separation, validation
from analytics.stats.result import NotEstimable, Result

SERIES = {
    "empty": [],
    "one": [3.0],
    "two": [3.0, 5.0],
    "constant": [2.0] * 8,
    "missing": [math.nan] * 6,
    "one known": [math.nan, 4.0, math.nan, math.nan],
    "nearly constant": [1.0, 1.0 + 1e-15, 1.0, 1.0],
    "ordinary": [0.0, 1.0, 0.0, 2.0, 3.0, 1.0, 0.0, 2.0],
}


@pytest.fixture(autouse=True)
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


@pytest.mark.parametrize("name", SERIES)
def test_one_series(name: str) -> None:
    sound(describe.describe(SERIES[name]))
    sound(describe.level_counts(SERIES[name], [0, 1, 2, 3], ["a", "b", "c", "d"]))


@pytest.mark.parametrize("first", SERIES)
@pytest.mark.parametrize("second", SERIES)
def test_two_series(first: str, second: str) -> None:
    size = max(len(SERIES[first]), len(SERIES[second]))
    a, b = (np.array((SERIES[name] + [math.nan] * size)[:size]) for name in (first, second))
    binary_a, binary_b = (np.where(np.isnan(x), np.nan, x > 1) for x in (a, b))
    for result in (
        paired.signed_rank(a, b),
        paired.spearman(a, b),
        paired.mcnemar(binary_a, binary_b),
        association.rank_sum(a, binary_b),
        association.contingency(association.cross_table(a, binary_b, range(6), [0, 1]), range(6)),
        reliability.bland_altman(a, b),
        reliability.anova(np.column_stack([a, b])),
        *(reliability.icc(np.column_stack([a, b]), form) for form in reliability.NAMES),
    ):
        sound(result)
    design = logistic.prepare({"a": a}, binary_b)
    model = logistic.fit(design)
    sound(model.summary)
    for term in model.terms.values():
        sound(term)
    if not design.refusal:
        firth = separation.firth(design.x, design.y, design.names)
        for result in (firth, *firth.terms.values()):
            sound(result)
        sound(validation.roc(design.y, design.x[:, -1]))
        sound(validation.hosmer_lemeshow_quantile(design.y, np.full(design.n, 0.3)))
        sound(validation.hosmer_lemeshow_blocks(design.y, np.full(design.n, 0.3)))


@pytest.mark.parametrize(
    "table",
    [
        [[0, 0], [0, 0]],
        [[9, 0], [0, 0]],
        [[0, 9], [0, 0]],
        [[5, 4], [0, 0]],
        [[1, 0], [0, 0]],
        [[5, 0], [0, 4]],
        [[0, 5], [4, 0]],
        [[1, 1], [0, 0]],
    ],
)
def test_agreement_tables(table: list[list[int]]) -> None:
    for weighting in ("unweighted", "linear", "quadratic"):
        for coefficient in (agreement.kappa, agreement.gwet, agreement.brennan_prediger):
            sound(coefficient(table, [0, 1], weighting))
    for metric in ("nominal", "ordinal", "interval"):
        sound(agreement.krippendorff(table, [0, 1], metric))
    for result in (
        agreement.percent_agreement(table),
        agreement.specific_agreement(table, ["no", "yes"]),
        agreement.pabak(table),
        agreement.bias_prevalence(table),
        association.contingency(table),
        validation.classify([0, 1, 1], [0.2, 0.2, 0.2]),
    ):
        sound(result)


def test_both_readers_constant_and_equal_has_no_kappa() -> None:
    found = agreement.kappa([[12, 0], [0, 0]], [0, 1])
    assert found.estimate == NotEstimable("all cases lie in one category")
    assert found.po == 1


def test_one_constant_reader_gives_zero_by_the_formula_no_test_and_a_note() -> None:
    found = agreement.kappa([[7, 5], [0, 0]], [0, 1])
    assert found.estimate == 0
    assert isinstance(found.z_approx_t, NotEstimable)
    assert "single category" in found.notes[0]


def test_perfect_agreement_has_an_interval_of_one_point() -> None:
    found = agreement.kappa([[7, 0], [0, 5]], [0, 1])
    assert (found.estimate, found.ase1, found.ci_low, found.ci_high) == (1, 0, 1, 1)
    same = reliability.icc([[1, 1], [2, 2], [4, 4]])
    assert (same.estimate, same.ci_low, same.ci_high) == (1, 1, 1)


def test_models_are_refused_with_a_sentence() -> None:
    y = [0, 1, 0, 1, 1, 0]
    x = [1.0, 2, 3, 4, 6, 5]
    cases: dict[str, Any] = {
        "no case is complete": ({"x": [math.nan] * 6}, y),
        "every complete case has the same outcome": ({"x": x}, [1] * 6),
        "no predictor varies": ({"x": [2] * 6}, y),
        "complete cases for": ({name: np.random.default_rng(j).normal(size=6) for j, name in enumerate("abcdefg")}, y),
        "exact combinations": ({"x": x, "twice": [2 * v for v in x]}, y),
    }
    for words, (predictors, outcome) in cases.items():
        model = logistic.fit(logistic.prepare(predictors, outcome))
        assert isinstance(model.summary.minus2ll, NotEstimable)
        assert words in model.summary.minus2ll.why


def test_a_constant_predictor_is_left_out_with_a_note() -> None:
    model = logistic.fit(logistic.prepare({"x": [1, 2, 3, 4, 2, 3], "flat": [1] * 6}, [0, 1, 0, 1, 0, 1]))
    assert any("flat was left out" in note for note in model.summary.notes)
    assert isinstance(model.terms["flat"].b, NotEstimable)
    assert isinstance(model.terms["x"].b, float)
