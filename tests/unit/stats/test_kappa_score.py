"""Score limits of kappa: against another optimiser, Wilson's interval, and every possible table."""

from __future__ import annotations

import math
from itertools import combinations_with_replacement, permutations, product

import numpy as np
import pytest
from scipy import optimize

from analytics.stats import agreement, square, validation
from analytics.stats.kappa_score import NOBODY_AGREES, TOO_FEW, UNCONFIRMED, score_limits
from analytics.stats.result import NotEstimable, Z

WEIGHTINGS: tuple[square.Weighting, ...] = ("unweighted", "linear", "quadratic")
GRADES = np.array([[9, 2, 0], [1, 7, 3], [1, 0, 6]])


def kappa(p: np.ndarray, w: np.ndarray) -> float:
    pe = float(p.sum(axis=1) @ w @ p.sum(axis=0))
    return (float((p * w).sum()) - pe) / (1 - pe)


def pearson(table: np.ndarray, w: np.ndarray, fixed: float) -> float:
    """Chi-square at the most likely table of a kappa, by a general optimiser that knows no derivative of ours."""
    place = np.nonzero(table)
    count, n = table[place], table.sum()

    def whole(shares: np.ndarray) -> np.ndarray:
        filled = np.zeros(table.shape)
        filled[place] = shares
        return filled

    def unlikely(shares: np.ndarray) -> float:
        return -float(count @ np.log(shares))

    def off(shares: np.ndarray) -> np.ndarray:
        return np.array([shares.sum() - 1, kappa(whole(shares), w) - fixed])

    found = optimize.minimize(
        unlikely,
        count / n,
        method="SLSQP",
        bounds=optimize.Bounds(1e-9, 1.0),
        constraints=optimize.NonlinearConstraint(off, 0.0, 0.0),
        options={"ftol": 1e-13, "maxiter": 500},
    )
    assert found.success, found.message
    return float(((count - n * found.x) ** 2 / (n * found.x)).sum())


@pytest.mark.parametrize(
    ("table", "weighting"),
    [
        (np.array([[82, 2], [2, 48]]), "unweighted"),
        (np.array([[42, 3], [4, 1]]), "unweighted"),
        (GRADES, "linear"),
        (GRADES, "quadratic"),
    ],
)
def test_chi_square_is_at_its_bound_by_another_optimiser(table: np.ndarray, weighting: square.Weighting) -> None:
    w = square.weights(np.arange(len(table)), weighting)
    for limit in score_limits(table, w):
        assert pearson(table, w, float(str(limit))) == pytest.approx(Z**2, rel=1e-4)


def test_wilson_is_the_case_in_which_nobody_differs() -> None:
    low, high = score_limits([[30, 0], [0, 30]], np.eye(2))
    wilson = validation.proportion(60, 60).wilson_low  # in per cent
    assert low == pytest.approx(1 - (1 - float(str(wilson)) / 100) / 0.5, rel=1e-12)
    assert high == 1


@pytest.mark.parametrize("places", [(0, 1), (1, 3), (0, 4)])
def test_with_two_levels_in_use_the_weights_do_not_matter(places: tuple[int, int]) -> None:
    diagonal = np.zeros(5, dtype=int)
    diagonal[list(places)] = 10
    for weighting in WEIGHTINGS:
        low, high = score_limits(np.diag(diagonal), square.weights(np.arange(5), weighting))
        assert low == pytest.approx(0.67775, abs=1e-5), weighting
        assert high == 1


@pytest.mark.parametrize("diagonal", [(20, 20, 20, 20, 20), (60, 25, 9, 0, 2), (0, 57, 2, 0, 0), (40, 0, 0, 0, 2)])
@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_nobody_differing_says_no_less_than_one_case_read_as_far_apart(
    diagonal: tuple[int, ...], weighting: square.Weighting
) -> None:
    w = square.weights(np.arange(5), weighting)
    perfect = float(str(score_limits(np.diag(diagonal), w)[0]))
    pairs = list(permutations(np.flatnonzero(diagonal), 2))
    farthest = min(w[pair] for pair in pairs)
    with_one = []
    for pair in pairs:
        table = np.diag(diagonal)
        table[pair[0], pair[0]] -= 1
        table[pair] += 1
        with_one += [float(str(score_limits(table, w)[0]))] if w[pair] == farthest else []
    assert -1 <= max(with_one) <= perfect < 1


def test_one_or_two_differing_cases_always_give_limits_around_kappa() -> None:
    """Near kappa 1 rounding is coarser than any absolute tolerance of the search."""
    rng = np.random.default_rng(1)
    whole = [np.diag([134, 53, 8, 19, 50, 236])]
    for levels, n in product((4, 5, 6), (50, 150, 500)):
        whole.append(np.diag(2 + rng.multinomial(n - 2 * levels, rng.dirichlet(np.ones(levels)))))
    for table in whole:
        for step in (1, len(table) - 1):  # one case read a level lower, then one as far apart as can be
            table[step, step] -= 1
            table[step, 0] += 1
            for weighting in WEIGHTINGS:
                w = square.weights(np.arange(len(table)), weighting)
                low, high = (float(str(limit)) for limit in score_limits(table, w))
                assert -1 < low < kappa(table / table.sum(), w) < high < 1, (table, weighting)
    ordinary = np.diag([134, 53, 8, 19, 50, 235])
    ordinary[1, 0] = 1
    assert score_limits(ordinary, square.weights(np.arange(6), "quadratic"))[1] == pytest.approx(0.99996355, abs=1e-8)


@pytest.mark.filterwarnings("error")
def test_what_has_no_limit_says_it_of_the_data() -> None:
    apart = [[0, 0, 1, 0], [0] * 4, [0] * 4, [1, 2, 0, 0]]
    assert score_limits(apart, np.eye(4)) == (NotEstimable(NOBODY_AGREES), NotEstimable(NOBODY_AGREES))
    quadratic = square.weights(np.arange(3), "quadratic")
    assert score_limits([[0, 0, 2], [0, 1, 0], [2, 0, 0]], quadratic)[0] == NotEstimable(TOO_FEW)
    rng = np.random.default_rng(0)
    for levels in (3, 4, 5) * 25:  # steps of the search run away, silently
        table = rng.multinomial(int(rng.integers(2, 9)), np.full(levels**2, levels**-2.0)).reshape(levels, levels)
        for limit in score_limits(table, square.weights(np.arange(levels), "quadratic")):
            assert isinstance(limit, float | NotEstimable), table


def test_a_level_that_no_two_readings_share_says_nothing_of_kappa() -> None:
    assert score_limits([[46, 3], [1, 0]], np.eye(2)) == (NotEstimable(UNCONFIRMED), NotEstimable(UNCONFIRMED))


def test_of_every_possible_table_the_promised_share_is_held() -> None:
    """Isthmic oedema, 0.94 planted: 50 cases drawn, each table weighed; Wald's interval fails there."""
    n, planted = 50, 0.94
    share = 50 / 134
    cell = [planted * p + (1 - planted) * p * p for p in (1 - share, share)]
    off = (1 - planted) * share * (1 - share)
    held = dict.fromkeys(("", "_score"), 0.0)
    existing = held.copy()
    for b, c in combinations_with_replacement(range(7), 2):  # turned round the limits are the same
        for d in range(4, n - 10):
            a = n - b - c - d
            if a < 1:
                continue
            ways = math.lgamma(n + 1) - sum(math.lgamma(k + 1) for k in (a, b, c, d))
            chance = math.exp(ways + a * math.log(cell[0]) + d * math.log(cell[1]) + (b + c) * math.log(off))
            chance *= 1 if b == c else 2
            if chance < 1e-4:
                continue
            found = agreement.kappa([[a, b], [c, d]], [0, 1])
            for ending in held:
                low, high = (float(str(getattr(found, f"ci_{end}{ending}"))) for end in ("low", "high"))
                existing[ending] += chance
                held[ending] += chance * (low <= planted <= high)
    assert existing["_score"] > 0.98
    assert 0.93 < held["_score"] / existing["_score"] < 0.98
    assert held[""] / existing[""] < 0.85
