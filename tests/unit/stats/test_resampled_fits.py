"""Fits of separated resamples beside the single solver, on the reference study with its thirteen columns."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from analytics.frames import from_tables, read_table
from analytics.plans import catalogue, predicting
from analytics.plans.parts import Table
from analytics.stats import batch, bootstrap, change, logistic, penalised, separation
from analytics.stats.result import NotEstimable

FRAME = {"n": 60, "method": "", "source": ""}
D2 = Path(__file__).parents[2] / "oracles" / "d2"


@cache
def drawn(
    who: str, outcome: str, replicates: int, seed: int, specification: str = "default"
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    table = Table(from_tables(read_table(D2 / "clinical.csv"), read_table(D2 / "gradings.csv")))
    design = predicting.prepared(table, catalogue.MODELS[specification], who, outcome)
    x, y, place = batch.merged(design.x, design.y)
    return x, y, batch.counts(place[bootstrap.resamples(design.n, replicates, seed)], y.size)


def single(x: np.ndarray, y: np.ndarray, w: np.ndarray, varies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    times = w.astype(int)
    return np.repeat(x, times, axis=0)[:, varies], np.repeat(y, times)


def test_a_separated_resample_is_never_taken_for_a_fit() -> None:
    x, y, w = drawn("R2", "success_1month", 150, 1)  # one of them goes on rising until it is flat in every digit
    fits = batch.fit_many(x, y, w)
    assert batch.WORDS[int(fits.status[107])] == "a separated outcome"
    for fit in range(95, 120):
        one = single(x, y, w[fit], fits.varies[fit])
        if np.linalg.matrix_rank(one[0]) == one[0].shape[1]:
            assert (fits.status[fit] == batch.FITTED) == (separation.separation(*one) == "none")
    assert np.nanmax(np.abs(fits.b), initial=0.0) < 100


@pytest.mark.parametrize(("who", "seed"), [("R2", 0), ("R2", 1), ("R1", 0)])
def test_firth_finds_the_single_solvers_top_or_a_higher_one(who: str, seed: int) -> None:
    x, y, w = drawn(who, "success_1month", 150, seed)
    fits = batch.fit_many(x, y, w, firth=True)
    usable = fits.status != batch.COLLINEAR
    assert (fits.status[usable] == batch.FITTED).all()
    for fit in np.flatnonzero(usable)[:40]:
        varies = fits.varies[fit]
        design, outcome = single(x, y, w[fit], varies)
        found = separation.highest(design, outcome, np.zeros(design.shape[1]))
        there = separation.highest(design, outcome, fits.b[fit, varies])
        assert there is not None
        assert there[0] == pytest.approx(fits.b[fit, varies], rel=1e-5, abs=1e-5)
        assert found is None or there[1] > found[1] - 1e-7


def test_a_firth_fit_does_not_depend_on_the_others_in_its_batch() -> None:
    x, y, w = drawn("R2", "success_1month", 150, 0)
    together = batch.fit_many(x, y, w, firth=True)
    for few in range(0, 150, 10):
        alone = batch.fit_many(x, y, w[few : few + 10], firth=True)
        assert alone.b == pytest.approx(together.b[few : few + 10], rel=1e-7, abs=1e-7, nan_ok=True)


def test_a_limit_that_has_run_away_is_refused_on_its_own_side_and_counted() -> None:
    x, slow = np.arange(60.0) % 2, np.random.default_rng(4).random(60)
    design = logistic.prepare({"x": x, "slow": slow * 1e-3}, np.arange(60.0) // 2 % 2)
    drawn = np.column_stack([np.zeros(200), np.linspace(-2, 20, 200), np.linspace(-2, 20, 200)])
    model = change._Model(design, "", drawn[0], drawn, ("",) * 200)
    near, far = (change._odds(model, place, 0.95, FRAME) for place in (2, 1))
    # The same coefficients: over a range of 0.001 they are small.
    assert not isinstance(near.or_high, NotEstimable)
    assert near.notes == ()
    assert far.or_low == near.or_low
    assert far.or_high == NotEstimable(change.AWAY)
    assert far.notes == ("In 56 of 200 resamples the ratio over the predictor's range is beyond a million.",)
    still = change._Model(design, "", drawn[0], drawn * 0, ("",) * 200)
    both = change._change(still, model, "x", 0.95, FRAME)
    assert (both.ratio_low, both.ratio_high) == (far.or_low, far.or_high)
    assert isinstance(both.se, NotEstimable)


@pytest.mark.parametrize("rule", ["aic_c", "bic"])
def test_the_penalty_is_the_grids_best_although_not_all_of_it_is_fitted(rule: penalised.Rule) -> None:
    for specification in ("default", "reduced"):
        x, y, w = drawn("R2", "success_15min", 40, 0, specification)
        design = dataclasses.replace(logistic.prepare({}, y), x=x, y=y)
        each = [penalised._choose(design, w, rule, [one]).criterion for one in penalised.GRID]
        chosen = penalised._choose(design, w, rule, penalised.GRID)
        assert chosen.place.tolist() == np.argmax(each, axis=0).tolist()
        assert chosen.criterion == pytest.approx(np.max(each, axis=0), abs=1e-8)
