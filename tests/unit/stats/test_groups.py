"""Several groups compared by ranks: a printed example, another program, any data, no data."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analytics.stats.groups import kruskal_wallis
from analytics.stats.result import NotEstimable


def test_the_example_of_hollander_and_wolfe() -> None:
    """R, ?kruskal.test: mucociliary efficiency, Hollander & Wolfe 1973, p. 116; H = 0.77143, df = 2, p = 0.68."""
    clearance = [2.9, 3.0, 2.5, 2.6, 3.2, 3.8, 2.7, 4.0, 2.4, 2.8, 3.4, 3.7, 2.2, 2.0]
    found = kruskal_wallis(clearance, [0] * 5 + [1] * 4 + [2] * 5, [0, 1, 2], ["normal", "airway", "asbestosis"])
    assert (found.n, found.df) == (14, 2)
    assert found.h == pytest.approx(27 / 35, abs=1e-12)
    assert found.p == pytest.approx(math.exp(-27 / 70), abs=1e-12)
    assert found.epsilon_squared == pytest.approx(27 / 35 / 13, abs=1e-12)
    assert found.values()["n_airway"] == 4
    assert found.values()["median_normal"] == 2.9
    assert found.notes


scores = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 3)), min_size=6, max_size=40)


@given(scores)
def test_it_is_scipys_with_any_ties_and_the_rank_sum_of_two(rows: list[tuple[int, int]]) -> None:
    x, g = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    found = kruskal_wallis(x, g, [0, 1, 2, 3], "abcd")
    several = [x[g == code] for code in np.unique(g)]
    if len(several) < 2 or np.ptp(x) == 0:
        assert isinstance(found.h, NotEstimable)
        return
    other = stats.kruskal(*several)
    assert found.h == pytest.approx(other.statistic, abs=1e-9)
    assert found.p == pytest.approx(other.pvalue, abs=1e-9)
    assert 0 <= float(str(found.epsilon_squared)) <= 1 + 1e-12
    assert sum(int(str(found.values()[f"n_{name}"])) for name in "abcd") == found.n
    turned = kruskal_wallis(8 - x, g, [0, 1, 2, 3], "abcd")
    assert turned.h == pytest.approx(found.h, abs=1e-9)


@pytest.mark.parametrize(
    ("values", "groups", "why"),
    [
        ([], [], "no case is complete"),
        ([1.0, math.nan], [math.nan, 1.0], "no case is complete"),
        ([1.0, 2.0], [1.0, 1.0], "every case has the same level"),
        ([2.0, 2.0, 2.0], [0.0, 1.0, 2.0], "all values are equal"),
    ],
)
def test_what_cannot_be_compared_says_so(values: list[float], groups: list[float], why: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = kruskal_wallis(values, groups, [0, 1, 2], ["L3", "L4", "L5"])
    assert found.h == found.p == found.epsilon_squared == NotEstimable(why)
    assert set(found.values()) >= {f"{what}_{level}" for what in ("n", "median") for level in ("L3", "L5")}
