"""No prediction or sensitivity model warns, returns NaN or raises a foreign error on degenerate input."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator

import numpy as np
import pytest

from analytics.stats import (
    ancova,
    bootstrap,
    calibration,
    change,
    decision,
    logistic,
    ordinal,
    penalised,
    prediction,
    risk,
)
from analytics.stats.result import NotEstimable, Result

SERIES = {
    "empty": [],
    "one": [3.0],
    "two": [3.0, 5.0],
    "constant": [2.0] * 12,
    "missing": [math.nan] * 12,
    "one known": [math.nan, 4.0, math.nan, math.nan],
    "nearly constant": [1.0, 1.0 + 1e-15, 1.0, 1.0] * 3,
    "ordinary": [0.0, 1.0, 0.0, 2.0, 3.0, 1.0, 0.0, 2.0, 4.0, 1.0, 3.0, 2.0],
    "rare": [0.0] * 11 + [4.0],
    "huge": [1e12, 0.0, 5e11, 3e11, 1e12, 0.0] * 2,
}
EVERY = tuple(SERIES)


@pytest.fixture(autouse=True)
def _warnings_are_errors() -> Iterator[None]:
    with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
        warnings.simplefilter("error")
        yield


def sound(*results: Result) -> None:
    for result in results:
        assert all(result.notes)
        for name, value in result.values().items():
            if isinstance(value, NotEstimable):
                assert len(value.why) > 5, name
            elif not isinstance(value, str):
                assert not math.isnan(value), name


def aligned(*names: str) -> list[np.ndarray]:
    size = max(len(SERIES[name]) for name in names)
    return [np.array((SERIES[name] + [math.nan] * size)[:size]) for name in names]


@pytest.mark.parametrize("first", EVERY)
@pytest.mark.parametrize("second", EVERY)
def test_two_series(first: str, second: str) -> None:
    a, b = aligned(first, second)
    binary = np.where(np.isnan(b), np.nan, b > 1)
    design = logistic.prepare({"a": a, "reversed": a[::-1] ** 2 / 1e6}, binary)
    rows = bootstrap.resamples(max(1, design.n), 40, 1)[:, : design.n]
    for procedure in (
        prediction.maximum_likelihood(design),
        prediction.firth(design),
        penalised.ridge_procedure(design, grid=[0.5, 8]),
        prediction.each(lambda rows: NotEstimable("there is no such model"), design.n),
    ):
        found = prediction.optimism(design.y, procedure, rows)
        sound(found, *found.measures.values())
    for rule in ("aic_c", "aic", "bic"):
        ridge = penalised.ridge(design, rule=rule)
        sound(ridge, *ridge.terms.values())
    for levels in (None, {"low": 0.0, "one": 1.0, "two": 2.0, "never": 9.0}):
        for robust in (False, True):
            model = ancova.ancova(b, a, a[::-1], levels=levels, covariates={"both": a + b}, robust=robust)
            sound(model, *model.terms.values(), *model.means.values())
            sound(ancova.ancova(a, b, binary, robust=robust))
    for predictors in ({"a": a}, {"a": a, "twice": 2 * a}, {}):
        ordered = ordinal.proportional_odds(b, predictors)
        sound(ordered, *ordered.terms.values(), *ordered.thresholds.values())
    patients = bootstrap.resamples(max(1, a.size), 40, 1)[:, : a.size]
    sides = {"x": change.Side({"a": a}, binary), "y": change.Side({"a": a[::-1]}, binary)}
    for firth in (False, True):
        compared = change.compare(sides, patients, firth=firth)
        sound(compared, *compared.odds.values(), *compared.changes.values())


@pytest.mark.parametrize("outcome", ["empty", "one", "constant", "missing", "ordinary", "rare"])
@pytest.mark.parametrize(
    "p", [[], [0.3], [0.0], [1.0], [0.0, 1.0], [0.2, 0.2 + 1e-15], [math.nan], [0.1, 0.9, math.nan], [1e-300, 0.5]]
)
def test_predictions_against_an_outcome(outcome: str, p: list[float]) -> None:
    y = np.array(SERIES[outcome]) > 1
    known = np.where(np.isnan(SERIES[outcome]), np.nan, y) if y.size else np.array([])
    fitted = np.resize(p, y.size) if p else np.full(y.size, math.nan)
    sound(calibration.calibration_line(known, fitted), calibration.calibration_curve(known, fitted))
    curve = decision.decision_curve(known, fitted, [0.2, 0.5])
    sound(curve, *curve.points)
    sound(calibration.calibration_line(known * 2, fitted * 3))


@pytest.mark.parametrize(
    "table",
    [
        [[0, 0], [0, 0]],
        [[3, 0], [0, 0]],
        [[0, 3], [0, 4]],
        [[3, 0], [4, 0]],
        [[3, 0], [0, 4]],
        [[0, 1], [1, 0]],
        [[1, 0], [0, 0]],
        [[100000, 1], [100000, 0]],
        [[0, 5], [3, 2]],
    ],
)
def test_tables(table: list[list[int]]) -> None:
    sound(risk.risks(table), risk.risks(table, level=0.5))


def test_reasons() -> None:
    y = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1], dtype=float)
    x = np.arange(10.0)
    separated = logistic.prepare({"x": x}, y)
    found = prediction.optimism(y, prediction.maximum_likelihood(separated), bootstrap.resamples(10, 50, 1))
    assert found.n_failed == NotEstimable("the procedure gives no model: a separated outcome")
    # Firth and ridge have a model there; a slope does not exist, because the predictions sort the outcome.
    for procedure in (prediction.firth(separated), penalised.ridge_procedure(separated)):
        corrected = prediction.optimism(y, procedure, bootstrap.resamples(10, 50, 1)).measures
        assert isinstance(corrected["brier"].corrected, float)
        assert isinstance(corrected["calibration_slope"].corrected, NotEstimable)
    assert calibration.shrinkage(4.0, 8.0, n=20).notes
    assert calibration.shrinkage(NotEstimable("no model"), 8.0, n=20).factor == NotEstimable("no model")
    collinear = logistic.prepare({"x": x, "twice": 2 * x}, np.array([0, 1, 0, 1, 0, 1, 1, 0, 1, 1.0]))
    assert isinstance(penalised.ridge(collinear).penalty, float)
    assert "combinations" in str(ordinal.proportional_odds(x // 3, {"x": x % 4, "again": x % 4}).minus2ll)
    assert "separated" in str(ordinal.proportional_odds(x // 4, {"x": x}).minus2ll)
    assert "one threshold" in str(ordinal.proportional_odds(x % 2, {"x": (x * 7) % 5}).parallel_df)
    assert "without error" in str(ancova.ancova(2 * x, x, x % 3).r2)
    assert "no case" in str(ancova.ancova([math.nan], [1], [1]).r2)
    assert "determines" in str(ancova.ancova((x * 7) % 4, (x * 3) % 7, np.eye(10)[3], robust=True).r2)


def test_half_of_the_resamples_without_a_model_is_too_many() -> None:
    y, turn = np.tile([0.0, 1.0], 10), iter(range(1000))

    def sometimes(rows: np.ndarray) -> np.ndarray | NotEstimable:
        return NotEstimable("nothing was selected") if next(turn) % 3 else np.linspace(0.2, 0.8, 20)

    found = prediction.optimism(y, prediction.each(sometimes, 20), bootstrap.resamples(20, 90, 1))
    assert found.n_failed in (59, 60)
    assert "nothing was selected" in found.notes[0]
    assert found.measures["brier"].corrected == NotEstimable("more than half of the resamples gave no model")


def test_a_curve_between_two_heaps_of_predictions_has_a_value() -> None:
    # Half way every neighbour is as far as the farthest, so the tricube leaves no weight.
    y, p = np.array([0.0, 1.0] * 10 + [1.0] * 20), np.repeat([0.25, 0.75], 20)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = calibration.calibration_curve(y, p, points=5)
    assert found.points[2][:2] == pytest.approx((0.5, 0.75))
    assert all(math.isfinite(value) for point in found.points for value in point)
