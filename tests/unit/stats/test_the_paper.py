"""What can be recomputed from the reference study's printed figures (Kajdi 2025, Eur Radiol)."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analytics import derive
from analytics.stats import agreement, association, paired, validation
from analytics.stats.result import Z
from analytics.stats.words import half_up

CASES, SUCCESSES = 134, {"15min": 56, "1month": 73}


def integer_solutions(successes: int, sensitivity: str, specificity: str) -> list[tuple[int, int]]:
    failures = CASES - successes
    return [
        (tp, tn)
        for tp in range(successes + 1)
        for tn in range(failures + 1)
        if str(half_up(100 * tp / successes, 1)) == sensitivity and str(half_up(100 * tn / failures, 1)) == specificity
    ]


@pytest.mark.parametrize(
    ("time", "sensitivity", "specificity", "table", "ppv", "npv"),
    [
        ("15min", "64.3", "76.9", (36, 60), "66.7", "75.0"),
        ("15min", "62.5", "80.8", (35, 63), "70.0", "75.0"),
        ("1month", "72.6", "62.3", (53, 38), "69.7", "65.5"),  # printed 69.6
        ("1month", "71.2", "60.7", (52, 37), "68.4", "63.8"),
    ],
)
def test_the_four_classification_tables_have_one_integer_solution(
    time: str, sensitivity: str, specificity: str, table: tuple[int, int], ppv: str, npv: str
) -> None:
    successes = SUCCESSES[time]
    assert integer_solutions(successes, sensitivity, specificity) == [table]
    tp, tn = table
    y = np.repeat([1, 1, 0, 0], [tp, successes - tp, tn, CASES - successes - tn])
    fitted = np.repeat([0.9, 0.1, 0.1, 0.9], [tp, successes - tp, tn, CASES - successes - tn])
    found = validation.classify(y, fitted)
    shown = [
        str(half_up(float(str(share.estimate)), 1))
        for share in (found.sensitivity, found.specificity, found.ppv, found.npv)
    ]
    assert shown == [sensitivity, specificity, ppv, npv]


def test_three_accuracies_were_rounded_to_the_whole_percent() -> None:
    exact = [str(half_up(100 * right / CASES, 1)) for right in (96, 98, 91, 89)]
    assert exact == ["71.6", "73.1", "67.9", "66.4"]
    assert [str(half_up(100 * right / CASES, 0)) for right in (96, 98, 91)] == ["72", "73", "68"]


def limits(rs: float, se: float) -> tuple[str, str]:
    return tuple(str(half_up(math.tanh(math.atanh(rs) + sign * Z * se), 2)) for sign in (-1, 1))  # type: ignore[return-value]


def test_the_printed_spearman_interval_decides_for_fieller_and_against_bonett_and_wright() -> None:
    printed = ("0.49", "0.71")
    assert limits(0.61, math.sqrt(1.06 / (CASES - 3))) == printed
    candidates = np.arange(0.605, 0.615, 0.0001)
    assert printed not in {limits(rs, math.sqrt((1 + rs**2 / 2) / (CASES - 3))) for rs in candidates}


def test_our_spearman_interval_is_fiellers() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=CASES)
    found = paired.spearman(x, x + rng.normal(size=CASES))
    rs = float(str(found.rs))
    low = math.tanh(math.atanh(rs) - Z * math.sqrt(1.06 / (CASES - 3)))
    assert found.ci_low_fieller == pytest.approx(low, rel=1e-12)


def test_response_bands_add_up() -> None:
    assert SUCCESSES["15min"] == 31 + 9 + 16
    assert CASES - SUCCESSES["15min"] == 36 + 32 + 10
    assert SUCCESSES["1month"] == 25 + 10 + 38
    assert CASES - SUCCESSES["1month"] == 9 + 52 + 0


@pytest.mark.parametrize(
    ("ratio", "low", "high"), [(6.2, 2.0, 18.9), (8.9, 3.0, 26.0), (2.8, 1.0, 7.4), (2.6, 1.1, 6.3)]
)
def test_printed_odds_ratios_are_the_geometric_mean_of_wald_limits(ratio: float, low: float, high: float) -> None:
    smallest = math.sqrt((low - 0.05) * (high - 0.05))
    largest = math.sqrt((low + 0.05) * (high + 0.05))
    assert smallest - 0.05 <= ratio <= largest + 0.05


def test_uncorrected_pearson_gives_the_four_univariate_p_values() -> None:
    for n, hits, p in ((22, 5, "0.047"), (44, 13, "0.044"), (62, 33, "0.013"), (75, 37, "0.046")):
        table = [[CASES - n - (56 - hits), 56 - hits], [n - hits, hits]]
        assert str(half_up(float(str(association.contingency(table).p)), 3)) == p


def test_isthmic_oedema_has_one_table_with_the_printed_percentages_and_p() -> None:
    def rounds_to(n: int, percent: str) -> list[int]:
        return [hits for hits in range(n + 1) if str(half_up(100 * hits / n, 0)) == percent]

    def p(n: int, hits: int, successes: int) -> str:
        table = [[CASES - n - (successes - hits), successes - hits], [n - hits, hits]]
        return str(half_up(float(str(association.contingency(table).p)), 3))

    found = [
        (n, early, late)
        for n in range(2, CASES)
        for early in rounds_to(n, "64")
        for late in rounds_to(n, "70")
        if early <= 56 and late <= 73 <= CASES - n + late and p(n, late, 73) == "0.005"
    ]
    assert found == [(50, 32, 35)]


def test_kappa_of_isthmic_oedema_confirms_the_standard_error() -> None:
    # 50 and 52 positives with four discordant cases: three of reader 1 only, one of reader 2 only.
    found = agreement.kappa([[81, 1], [3, 49]], [0, 1])
    assert str(half_up(float(str(found.estimate)), 2)) == "0.94"
    assert str(half_up(float(str(found.ase1)), 2)) == "0.03"
    assert str(half_up(float(str(found.ase0)), 2)) == "0.09"


def test_mcnemar_candidates() -> None:
    def change(gained: int, lost: int) -> paired.McNemar:
        both = 56 - lost
        first = np.repeat([1, 1, 0, 0], [both, lost, gained, CASES - both - lost - gained])
        second = np.repeat([1, 0, 1, 0], [both, lost, gained, CASES - both - lost - gained])
        return paired.mcnemar(first, second)

    assert str(half_up(float(str(change(28, 11).p_exact)), 3)) == "0.009"
    assert str(half_up(float(str(change(27, 10).p_continuity)), 3)) == "0.009"
    assert str(half_up(float(str(change(27, 10).p_exact)), 3)) == "0.008"


VECTORS = [
    (6, 3, 50, 3),
    (7, 4, 42.857, 2),
    (4, 1, 75, 4),
    (10, 5.5, 45, 2),
    (9, 4.5, 50, 3),
    (5, 0, 100, 5),
    (3, 5, -66.667, 0),
    (6, 6, 0, 1),
    (1, 0, 100, 5),
]


@pytest.mark.parametrize(("baseline", "followup", "reduction", "place"), VECTORS)
def test_derived_outcomes(baseline: float, followup: float, reduction: float, place: int) -> None:
    assert derive.percent_reduction([baseline], [followup])[0] == pytest.approx(reduction, abs=5e-4)
    assert derive.response([baseline], [followup])[0] == place
    assert derive.success([baseline], [followup])[0] == (place >= derive.RESPONDERS)


@pytest.mark.parametrize(("baseline", "followup"), [(0, 0), (0, 3), (math.nan, 3), (5, math.nan)])
def test_a_baseline_of_zero_and_a_missing_score_leave_the_outcome_undefined(baseline: float, followup: float) -> None:
    for derived in (derive.percent_reduction, derive.success, derive.response):
        assert math.isnan(derived([baseline], [followup])[0])
