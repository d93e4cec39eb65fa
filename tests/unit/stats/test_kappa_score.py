"""Score limits of kappa: against another optimiser, Wilson's interval, and every possible table."""

from __future__ import annotations

import math
from itertools import combinations_with_replacement

import numpy as np
import pytest
from scipy import optimize

from analytics.stats import agreement, square, validation
from analytics.stats.kappa_score import UNCONFIRMED, score_limits
from analytics.stats.result import NotEstimable, Z

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
