"""What must hold for any data: risks, resampled fits, calibration, net benefit, sensitivity models."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from analytics.stats import (
    ancova,
    batch,
    bootstrap,
    calibration,
    change,
    decision,
    logistic,
    ordinal,
    penalised,
    performance,
    prediction,
    problem,
    risk,
    separation,
    validation,
)
from analytics.stats.result import NotEstimable, Value

settings.register_profile("prediction", deadline=None, max_examples=40, derandomize=True)
settings.load_profile("prediction")

cells = st.lists(st.lists(st.integers(0, 40), min_size=2, max_size=2), min_size=2, max_size=2)
pairs = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 20)), min_size=4, max_size=40)
seeds = st.integers(0, 2**31)


def number(value: Value) -> float:
    assert not isinstance(value, NotEstimable | str), value
    return float(value)


def known(*values: Value) -> bool:
    return not any(isinstance(value, NotEstimable) for value in values)


def cases(seed: int, n: int = 80, columns: int = 3) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(size=(n, columns - 1)), rng.integers(0, 2, n)])
    y = (rng.random(n) < 1 / (1 + np.exp(-x @ np.linspace(-0.8, 0.8, columns)))).astype(float)
    return {f"x{j}": x[:, j] for j in range(columns)}, y


@given(cells)
def test_risks_turn_round_with_the_groups_and_the_outcome(table: list[list[int]]) -> None:
    counts = np.array(table)
    there, other_group, other_outcome = (risk.risks(t) for t in (counts, counts[::-1], counts[:, ::-1]))
    if not known(there.risk_difference):
        return
    for back in (other_group, other_outcome):
        assert number(there.risk_difference) == pytest.approx(-number(back.risk_difference), abs=1e-12)
        assert number(there.risk_difference_low) == pytest.approx(-number(back.risk_difference_high), abs=1e-12)
        if known(there.odds_ratio_woolf_low):
            assert number(there.odds_ratio) * number(back.odds_ratio) == pytest.approx(1)
            assert number(there.odds_ratio_woolf_low) * number(back.odds_ratio_woolf_high) == pytest.approx(1)
    if known(there.risk_ratio) and 0 < number(there.risk_ratio) < math.inf:
        for name in ("katz", "koopman"):
            low, high = getattr(there, f"risk_ratio_{name}_low"), getattr(other_group, f"risk_ratio_{name}_high")
            if known(low):
                assert number(low) * number(high) == pytest.approx(1, rel=1e-6)


@given(cells)
def test_intervals_of_risks_hold_their_estimate_and_widen_with_the_level(table: list[list[int]]) -> None:
    narrow, middle, wide = (risk.risks(table, level=level) for level in (0.8, 0.95, 0.99))
    for estimate, low, high in (
        ("risk_with", "risk_with_low", "risk_with_high"),
        ("risk_difference", "risk_difference_low", "risk_difference_high"),
        ("risk_ratio", "risk_ratio_katz_low", "risk_ratio_katz_high"),
        ("risk_ratio", "risk_ratio_koopman_low", "risk_ratio_koopman_high"),
        ("odds_ratio", "odds_ratio_woolf_low", "odds_ratio_woolf_high"),
    ):
        if not known(getattr(middle, estimate), getattr(middle, low)):
            continue
        lows = [number(getattr(one, low)) for one in (wide, middle, narrow)]
        highs = [number(getattr(one, high)) for one in (narrow, middle, wide)]
        assert all(a <= b * (1 + 1e-9) + 1e-12 for a, b in itertools.pairwise(lows))
        assert all(a <= b * (1 + 1e-9) + 1e-12 for a, b in itertools.pairwise(highs))
        assert lows[-1] - 1e-12 <= number(getattr(middle, estimate)) <= highs[0] * (1 + 1e-12) + 1e-12


@settings(max_examples=15)
@given(seeds)
def test_many_fits_are_the_single_fits(seed: int) -> None:
    x, y = cases(seed, n=40)
    design = logistic.prepare(x, y)
    assume(not design.refusal)
    rows = bootstrap.resamples(design.n, 12, seed)
    weights = batch.counts(rows, design.n)
    for firth in (False, True):
        fits = batch.fit_many(design.x, design.y, weights, firth=firth)
        for place, row in enumerate(rows):
            one = logistic.prepare({name: design.x[row, j] for j, name in enumerate(design.names) if j}, design.y[row])
            if one.refusal:
                assert fits.status[place] in (problem.ONE_CLASS, problem.COLLINEAR)
            elif not firth and separation.separation(one.x, one.y) != "none":
                assert fits.status[place] == problem.SEPARATED
            elif firth and place == 0:  # the single fit walks its profiles as well
                own = separation.firth(one.x, one.y, one.names)
                for j, name in enumerate(design.names):
                    if name in own.terms and known(own.terms[name].b):
                        assert fits.b[place, j] == pytest.approx(number(own.terms[name].b), rel=1e-5, abs=1e-6)
            elif not firth:
                own_b = logistic.newton(one.x, one.y, np.zeros(one.x.shape[1])).b
                kept = [design.names.index(name) for name in one.names]
                assert fits.b[place, kept] == pytest.approx(own_b, rel=1e-7, abs=1e-8)


@given(pairs)
def test_the_weighted_measures_are_those_of_repeated_cases(rows: list[tuple[int, int]]) -> None:
    y, p = np.array([row[0] for row in rows], dtype=float), np.array([row[1] for row in rows]) / 20
    weights = np.random.default_rng(len(rows)).integers(0, 3, size=y.size)
    found = {k: v[0] for k, v in performance.performance(y, p[None, :], weights[None, :].astype(float)).items()}
    y2, p2 = np.repeat(y, weights), np.repeat(p, weights)
    table = validation.classify(y2, p2)
    for name in ("accuracy", "sensitivity", "specificity"):
        value = getattr(table, name).estimate
        assert found[name] == pytest.approx(number(value) / 100) if known(value) else math.isnan(found[name])
    auc = validation.roc(y2, p2).auc
    assert found["auc"] == pytest.approx(number(auc)) if known(auc) else math.isnan(found["auc"])
    if y2.size:
        assert found["brier"] == pytest.approx(float(np.mean((y2 - p2) ** 2)))


@given(seeds)
def test_a_perfectly_stable_procedure_has_no_optimism(seed: int) -> None:
    _, y = cases(seed, n=30)
    p = np.random.default_rng(seed).uniform(0.1, 0.9, y.size)
    rows = bootstrap.resamples(y.size, 400, seed)
    found = prediction.optimism(y, prediction.each(lambda _rows: p, y.size), rows)
    brier = found.measures["brier"]
    # The same predictions whatever is drawn: training and test differ by resampling noise only.
    assert abs(number(brier.optimism)) < 4 * 0.3 / math.sqrt(400)
    assert number(brier.ci_low) <= number(brier.corrected) <= number(brier.ci_high)


@settings(max_examples=15)
@given(seeds)
def test_corrected_performance_is_apparent_less_optimism_and_its_interval_widens(seed: int) -> None:
    x, y = cases(seed)
    design = logistic.prepare(x, y)
    rows = bootstrap.resamples(design.n, 100, seed)
    for procedure in (prediction.maximum_likelihood(design), prediction.firth(design)):
        narrow, wide = (prediction.optimism(design.y, procedure, rows, level=level) for level in (0.8, 0.99))
        for name, one in wide.measures.items():
            if known(one.corrected):
                assert number(one.corrected) == pytest.approx(number(one.apparent) - number(one.optimism))
                assert number(one.ci_low) <= number(narrow.measures[name].ci_low) + 1e-12
                assert number(one.ci_high) >= number(narrow.measures[name].ci_high) - 1e-12


@given(pairs, st.floats(0.01, 0.99))
def test_net_benefit(rows: list[tuple[int, int]], threshold: float) -> None:
    y, p = (np.array(side, dtype=float) for side in zip(*rows, strict=True))
    p = p / 20
    point = decision.decision_curve(y, p, [threshold]).points[0]
    assert point.treat_none == 0
    assert number(point.model) <= y.mean() + 1e-12
    assert number(point.over_best) <= number(point.model) - max(0.0, number(point.treat_all)) + 1e-9
    everybody = decision.decision_curve(y, np.ones(y.size), [threshold]).points[0]
    nobody = decision.decision_curve(y, np.zeros(y.size), [threshold]).points[0]
    assert everybody.model == pytest.approx(everybody.treat_all)
    assert nobody.model == 0
    known_outcome = decision.decision_curve(y, y, [threshold]).points[0]
    assert known_outcome.model == pytest.approx(y.mean())
    assert number(point.model_low) <= number(point.model) <= number(point.model_high)


@given(seeds)
def test_a_fitted_model_lies_on_its_own_calibration_line(seed: int) -> None:
    x, y = cases(seed)
    model = logistic.fit(logistic.prepare(x, y))
    assume(model.fitted is not None)
    assert model.fitted is not None
    line = calibration.calibration_line(model.design.y, model.fitted)
    assert number(line.slope) == pytest.approx(1, abs=1e-8)
    assert number(line.intercept) == pytest.approx(0, abs=1e-8)
    assert number(line.in_the_large) == pytest.approx(0, abs=1e-8)
    assert number(line.brier) == pytest.approx(number(model.summary.brier))
    swapped = calibration.calibration_line(1 - model.design.y, 1 - model.fitted / 1.1)
    straight = calibration.calibration_line(model.design.y, model.fitted / 1.1)
    assert number(swapped.slope) == pytest.approx(number(straight.slope), rel=1e-6)
    assert number(swapped.in_the_large) == pytest.approx(-number(straight.in_the_large), rel=1e-6)


def test_the_calibration_curve_of_a_straight_relation_is_straight() -> None:
    p = np.linspace(0.05, 0.95, 60)
    curve = calibration.smoothed(0.1 + 0.7 * p, p, np.linspace(0.1, 0.9, 9))[0]
    assert curve == pytest.approx(0.1 + 0.7 * np.linspace(0.1, 0.9, 9), abs=1e-12)


def test_a_corrected_calibration_curve_lies_nearer_to_the_middle_than_the_apparent_one() -> None:
    x, y = cases(7, n=120, columns=8)
    design = logistic.prepare(x, y)
    measures = calibration.curve_at([0.2, 0.5, 0.8, 0.9999])
    rows = bootstrap.resamples(design.n, 200, 1)
    found = prediction.optimism(design.y, prediction.maximum_likelihood(design), rows, measures=measures).measures
    fitted = logistic.fit(design).fitted
    assert fitted is not None
    own = calibration.smoothed(design.y, fitted, np.array([0.2]))[0][0]
    assert found["curve_0.2"].apparent == pytest.approx(float(own))
    assert number(found["curve_0.2"].corrected) > number(found["curve_0.2"].apparent)
    assert number(found["curve_0.8"].corrected) < number(found["curve_0.8"].apparent)
    assert found["curve_0.9999"].corrected == NotEstimable("the measure does not exist for this model")


@given(seeds)
def test_ridge_goes_from_the_full_model_to_none(seed: int) -> None:
    x, y = cases(seed)
    design = logistic.prepare(x, y)
    model = logistic.fit(design)
    assume(model.fitted is not None)
    slight, heavy = (penalised.ridge(design, grid=[value]) for value in (1e-8, 1e8))
    for name, term in slight.terms.items():
        assert number(term.b) == pytest.approx(number(model.terms[name].b), rel=1e-4, abs=1e-5)
    assert number(slight.effective_df) == pytest.approx(3, abs=1e-5)
    assert number(heavy.effective_df) == pytest.approx(0, abs=1e-4)
    assert heavy.fitted == pytest.approx(np.full(design.n, design.y.mean()), abs=1e-4)
    chosen = penalised.ridge(design)
    best = max(number(penalised.ridge(design, grid=[value]).criterion) for value in penalised.GRID)
    assert number(chosen.criterion) == pytest.approx(best)


@given(seeds)
def test_ancova_follows_its_units(seed: int) -> None:
    rng = np.random.default_rng(seed)
    baseline, finding = rng.integers(0, 11, 40).astype(float), rng.integers(0, 3, 40).astype(float)
    followup = np.clip(baseline - finding + rng.normal(0, 2, 40), 0, 10)
    assume(np.unique(finding).size == 3 and np.ptp(baseline) > 0)
    levels = {"a": 0, "b": 1, "c": 2}
    plain = ancova.ancova(followup, baseline, finding, levels=levels)
    turned = ancova.ancova(-followup, baseline, finding, levels=levels)
    moved = ancova.ancova(followup, baseline * 10 + 3, finding, levels={"c": 2, "b": 1, "a": 0})
    assert number(plain.r2) == pytest.approx(number(turned.r2)) == pytest.approx(number(moved.r2))
    assert number(plain.finding_p) == pytest.approx(number(moved.finding_p), rel=1e-7)
    assert number(plain.terms["c"].b) == pytest.approx(-number(turned.terms["c"].b))
    assert number(plain.terms["c"].b) == pytest.approx(-number(moved.terms["a"].b), rel=1e-7, abs=1e-9)
    # Against the change score instead of the follow-up only the baseline's coefficient moves, by one.
    change_score = ancova.ancova(followup - baseline, baseline, finding, levels=levels)
    assert number(change_score.terms["b"].p) == pytest.approx(number(plain.terms["b"].p), rel=1e-7)
    assert number(change_score.terms["baseline"].b) == pytest.approx(number(plain.terms["baseline"].b) - 1)
    means = plain.means
    assert number(means["c"].mean) - number(means["a"].mean) == pytest.approx(number(plain.terms["c"].b))


@settings(max_examples=15)
@given(seeds)
def test_proportional_odds_turn_round_with_the_classes_and_meet_the_binary_model(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=60)
    y = np.clip(np.round(x + rng.logistic(0, 1, 60)), -2, 2)
    assume(np.unique(y).size >= 3)
    there, back = (ordinal.proportional_odds(outcome, {"x": x}) for outcome in (y, -y))
    assume(known(there.minus2ll))
    a, b = there.terms["x"], back.terms["x"]
    assert number(a.odds_ratio) * number(b.odds_ratio) == pytest.approx(1, rel=1e-7)
    assert number(a.or_profile_low) * number(b.or_profile_high) == pytest.approx(1, rel=1e-6)
    assert number(a.p_lr) == pytest.approx(number(b.p_lr), rel=1e-6, abs=1e-12)
    assert number(a.parallel_score_chi2) == pytest.approx(number(b.parallel_score_chi2), rel=1e-6, abs=1e-8)
    assert number(a.or_profile_low) <= number(a.odds_ratio) <= number(a.or_profile_high)
    wide = ordinal.proportional_odds(y, {"x": x}, level=0.99, parallel=False).terms["x"]
    assert number(wide.or_profile_low) < number(a.or_profile_low)
    assert number(wide.or_ci_high) > number(a.or_ci_high)
    binary = ordinal.proportional_odds(y > 0, {"x": x}).terms["x"]
    model = logistic.fit(logistic.prepare({"x": x}, y > 0)).terms["x"]
    assume(known(model.b))
    for name in ("b", "se", "p_wald", "lr_chi2"):
        assert number(getattr(binary, name)) == pytest.approx(number(getattr(model, name)), rel=1e-6, abs=1e-9)
    assert number(binary.or_profile_low) == pytest.approx(number(model.or_profile_exact_low), rel=1e-6)


@given(seeds)
def test_changes_turn_round_with_the_sides_and_vanish_between_equals(seed: int) -> None:
    x, y = cases(seed)
    other = {name: np.where(np.arange(y.size) % 9 == 0, values[::-1], values) for name, values in x.items()}
    rows = bootstrap.resamples(y.size, 60, seed)
    sides = {"a": change.Side(x, y), "b": change.Side(other, y), "same": change.Side(x, y)}
    there = change.compare(sides, rows)
    back = change.compare({"b": sides["b"], "a": sides["a"]}, rows)
    for name in x:
        one, two = there.changes["a", "b", name], back.changes["b", "a", name]
        if known(one.ratio, one.ratio_low):
            assert number(one.ratio) * number(two.ratio) == pytest.approx(1)
            assert number(one.ratio_low) * number(two.ratio_high) == pytest.approx(1)
            assert number(one.ratio_low) <= number(one.ratio_high)
        none = there.changes["a", "same", name]
        if known(none.ratio, none.ratio_low):
            assert (none.ratio, none.ratio_low, none.ratio_high) == (1, 1, 1)
    assert change.averaged([[0, 1, np.nan], [1, 1, 2]]) == pytest.approx([0.5, 1, np.nan], nan_ok=True)
