"""A planted truth is recovered and held as often as it should be; the simulation benchmark itself still runs."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "deploy"))

from bench.parts import planted_agreement, planted_models, planted_prediction, planted_reference  # noqa: E402  after the path
from bench.parts.coverage import Look, Scenario, is_off, judged, keeps, markdown  # noqa: E402  after the path

from analytics import simulate  # noqa: E402  after the path
from analytics.stats import batch, logistic  # noqa: E402  after the path
from analytics.stats.result import NotEstimable  # noqa: E402  after the path
from tests.unit.stats.functions import public  # noqa: E402  after the path

DOCS = (ROOT / "docs" / "statistics.md").read_text()
STUDIES = 300
BAND = 3.3 * 100 * math.sqrt(0.95 * 0.05 / STUDIES)  # three and a third standard errors: 4.2 points
SCENARIOS = [
    one for part in (planted_agreement, planted_prediction, planted_models) for one in part.scenarios() if one.trial
]


def lines(scenario: Scenario) -> dict[str, dict[str, Any]]:
    return {line["interval"]: line for line in judged(scenario, STUDIES, seed=7)}


@pytest.mark.parametrize(
    ("trial", "intervals"),
    [
        (
            partial(
                planted_agreement.two_readers, planted_agreement.copied(0.6, np.array([0.5, 0.5])), "unweighted", 134
            ),
            ("kappa, Wald", "kappa, BCa midrank", "AC1, linearised t"),
        ),
        (partial(planted_agreement.apart, "normal", 50), ("bias, t", "low limit of agreement")),
        (partial(planted_prediction.correlated, None, 0.61, 2 * math.sin(math.pi / 6 * 0.61), 134), ("Spearman, FHP",)),
        (partial(planted_models.scores, False, 50), ("difference, t", "difference, HC3")),
    ],
)
def test_what_was_planted_comes_out_and_is_held(trial: Any, intervals: tuple[str, ...]) -> None:
    found = lines(Scenario("test", "planted", "n", trial))
    for interval in intervals:
        line = found[interval]
        assert abs(line["coverage_pct"] - 95) < BAND, line
        assert abs(line["bias"]) < 4 * line["bias_se"] + 0.02, line


def test_an_interval_that_fails_is_seen_to_fail() -> None:
    found = lines(Scenario("test", "unequal spread", "n", partial(planted_models.scores, True, 134)))
    assert found["difference, t"]["coverage_pct"] < 85
    assert is_off(found["difference, t"])
    assert not is_off(found["difference, HC3"])
    assert "**" in markdown([found["difference, t"]]).splitlines()[-1]


def test_a_promised_interval_that_fails_is_named() -> None:
    def every(held: float) -> Iterator[tuple[float, list[Look]]]:
        for chance, at in ((held, 0.0), (1 - held, 2.0)):
            yield chance, [Look("sure", 0.0, at, at - 1, at + 1, promised=True), Look("other", 0.0, at, at, at)]

    for held, kept in ((0.95, True), (0.93, True), (0.9699, True), (0.929, False), (0.98, False)):
        found = lines(Scenario("test", "by hand", "n", every=partial(every, held)))
        assert found["sure"]["promise_kept"] is kept, held
        assert "promise_kept" not in found["other"]
        printed = markdown([found["sure"]]).splitlines()[-1]
        assert "promised" in printed
        assert ("**" in printed) != kept, "a promise kept with the error of its simulation carries no mark"
        assert "promised" not in markdown([found["other"]])
    drawn = {"coverage_pct": 91.0, "studies": 1000, "without_pct": 0.0}
    assert keeps(drawn), "chance may add three standard errors, of 0.7 each"
    assert not keeps(drawn | {"studies": 4000})
    assert keeps(drawn | {"studies": 20, "coverage_pct": 100.0})
    head = {"family": "test", "planted": "by hand", "interval": "sure", "size": "n"}
    few = drawn | head | {"coverage_pct": 91.5, "coverage_se": 2.0, "studies": 200, "promise_kept": True}
    assert is_off(few)
    assert "**" not in markdown([few]).splitlines()[-1], "off by more than chance moves 1,000 studies, but not 200"
    assert not keeps(drawn | {"without_pct": 2.0}), "an interval that many studies lack is no promise"


def test_the_reference_studys_own_promises_are_named() -> None:
    looks = [
        one
        for place, scenario in enumerate(planted_reference.scenarios())
        if "134" in scenario.size and scenario.trial
        for one in scenario.trial(np.random.default_rng(place))
    ]
    promised = {one.interval for one in looks if one.promised}
    assert {f"kappa of {item}, score" for item in planted_reference.LEVELS} <= promised
    assert {
        f"log OR of {item}, {time}, {kind}"
        for item in simulate.ODDS_RATIOS
        for time in ("15min", "1month")
        for kind in ("Wald", "Firth profile")
    } <= promised
    assert not [name for name in promised if name.startswith("kappa") and "Wald" in name]


def test_a_planted_odds_ratio_is_recovered_from_many_cases() -> None:
    x, eta = planted_models.findings(np.random.default_rng(5), 40_000, rare=False)
    y = (np.random.default_rng(6).random(eta.size) < 1 / (1 + np.exp(-eta))).astype(float)
    design = logistic.prepare(x, y)
    fitted = batch.fit_many(design.x, design.y, np.ones((1, design.n))).b[0]
    assert np.exp(fitted[1:]) == pytest.approx([7, 0.6, 1.1], rel=0.08)


def test_exact_coverage_is_weighed_by_probability() -> None:
    """Agresti & Coull 1998 draw these curves; at one half of two cases the sums are done by hand."""
    found = lines(Scenario("test", "p", "n = 2", every=partial(planted_prediction.shares, 0.5, 2)))
    assert found["Wilson, %"]["coverage_pct"] == 100  # 0 of 2 reaches up to 65.8 %, and 2 of 2 mirrors it
    assert found["Wilson, %"]["bias"] == 0

    def every() -> Iterator[tuple[float, list[Look]]]:
        no = NotEstimable("none here")
        yield 0.2, [Look("one", 1.0, 1.5, 1.2, 1.8)]
        yield 0.3, [Look("one", 1.0, 0.5, 0.4, 0.6)]
        yield 0.4, [Look("one", 1.0, 1.0, 0.9, math.inf)]
        yield 0.1, [Look("one", 1.0, no, no, no)]

    line = lines(Scenario("test", "by hand", "n", every=every))["one"]
    assert (line["without_pct"], line["coverage_pct"]) == (10.0, 44.4)
    assert (line["below_pct"], line["above_pct"]) == (33.3, 22.2)
    assert line["bias"] == pytest.approx((0.2 * 0.5 - 0.3 * 0.5) / 0.9, abs=1e-4)


def test_every_scenario_runs_and_stands_in_the_documentation() -> None:
    """One study of each: a changed interface or a new interval without its line in the tables is seen here."""
    for place, scenario in enumerate(SCENARIOS):
        assert scenario.trial is not None
        assert f"**{scenario.family}**" in DOCS
        assert f"| {scenario.planted} |" in DOCS
        for look in scenario.trial(np.random.default_rng(place)):
            assert f"| {look.interval} |" in DOCS, (scenario.family, look.interval)
            assert isinstance(look.estimate, NotEstimable) or math.isfinite(float(look.estimate))
    families = {json.dumps((one.family, one.planted, one.size)) for one in SCENARIOS}
    assert len(families) == len(SCENARIOS), "two scenarios would draw the same numbers"


def test_every_public_statistic_is_named_in_the_documentation() -> None:
    listed = DOCS[DOCS.index("## Functions") : DOCS.index("## Models")]
    assert not [name for name in public() if f"`{name}`" not in listed]
