"""The plan `extended`: what a reviewer asks beside `full`, for any table and any number of readers."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command

from analytics import derive, export, plans
from analytics.frames import Frames, from_tables, read_table
from analytics.plans import NotPossible, Plan, Step
from analytics.stats import logistic, prediction
from analytics.stats.result import NotEstimable, Results
from annotation.protocol import catalogue
from tests.unit.analytics.conftest import page_of
from tests.unit.analytics.test_any_table import AWKWARD

EXTENDED = plans.get("extended")
FULL = plans.get("full")
SPINE = catalogue.latest("spondylolysis")
# What paper and full were before this plan: a frozen study names them by these.
DIGESTS = {
    "paper": "ead06dc3e82ed3ed6f6ad2930ddc5ee3708bee0a008d0bdc045e1a4b0b71a544",
    "full": "7ff98bde0db623f47d6b733b5392a5591f21ba9e767df9a1e762699bef506de7",
}
CORRECTED = {"apparent", "optimism", "corrected", "ci_low", "ci_high"}
IDS = (
    "prediction/default/R1/success_15min/firth/auc",
    "prediction/reduced/R2/success_1month/calibration_slope",
    "prediction/bme_only/averaged/success_15min/brier",
    "prediction/default/R1/success_15min/ridge/accuracy",
    "decision/reduced/R1/success_15min",
    "decision/reduced/R1/success_15min/net_benefit_0.5",
    "calibration/reduced/R1/success_15min/line",
    "calibration/default/R2/success_1month/firth/curve",
    "calibration/reduced/averaged/success_1month/shrinkage",
    "ridge/default/R1/success_15min/slip_mm",
    "ridge/categorical/R2/success_1month",
    "risk/R1/isthmic_bme/by/success_15min",
    "ancova/R1/pfirrmann/nrs_15min/finding",
    "ancova/R2/contrast_pattern/nrs_1month/mean/intra",
    "ancova/characteristics/level/nrs_15min",
    "ordinal/R1/slip_mm/response_15min/slip_mm",
    "ordinal/reduced/averaged/response_1month",
    "ordinal/characteristics/age/response_1month/age",
    "change/reduced/success_15min/R1-R2/slip_mm",
    "change/reduced/success_1month/R2-averaged/slip_mm",
    "change/bme_only/R1/success_15min-success_1month/isthmic_bme",
    "change/bme_only/R1/success_15min/isthmic_bme",
    "characteristics/all/success_15min/age",
    "characteristics/level/success_1month",
    "logistic/reduced/averaged/success_15min/slip_mm",
    "bootstrap/lee/kappa_quadratic",
    "spearman/level-ppr_15min",
    "kruskal/ppr_1month/by/level",
    "layers/adjudicated/lee",
)


def complete(found: Results) -> None:
    for entry in found.entries:
        for field, value in entry.values.items():
            assert not isinstance(value, float) or not math.isnan(value), (entry.id, field)
            assert not isinstance(value, NotEstimable) or value.why, (entry.id, field)


def only_added(replicates: int) -> Plan:
    """Leave out what `full` has: its own tests have it already."""
    plan = EXTENDED.with_bootstrap(replicates)
    return replace(plan, steps=plan.steps[len(FULL.steps) :])


@pytest.fixture(scope="module")
def made(oracles: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("extended")
    where = {name: oracles / "d2" / f"{name}.csv" for name in ("clinical", "gradings")}
    drawn = {"plan": "extended", "bootstrap": 100, "seed": 3}
    call_command("analyse", **where, **drawn, out=out, stdout=io.StringIO())
    return out


@pytest.fixture(scope="module")
def extended(made: Path) -> Results:
    return Results.from_json((made / "results.json").read_text())


def test_the_command_writes_each_number_or_a_sentence(made: Path) -> None:
    with (made / "estimates.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert set(IDS) <= {row["id"] for row in rows}
    assert {row["status"] for row in rows} == {"ok", "not_estimable"}
    for row in rows:
        assert bool(row["value"]) == (row["status"] == "ok") == (not row["reason"]), row
        assert row["value"].lower() != "nan", row
    manifest = json.loads((made / "manifest.json").read_text())
    assert (manifest["plan"]["code"], manifest["seed"]) == ("extended", 3)
    assert manifest["plan"]["digest"] == EXTENDED.with_bootstrap(100).digest()


def test_it_has_everything_of_full_and_every_family(extended: Results, full: Results) -> None:
    for entry in full.entries:
        assert extended.entry(entry.id).values == entry.values
    for id in IDS:
        assert id in extended, id
    complete(extended)


def test_the_documentation_names_every_family(extended: Results, full: Results) -> None:
    page = Path(__file__).resolve().parents[3] / "docs" / "statistics.md"
    section = page.read_text().split("### Identifiers of `extended`")[1].split("\n## ")[0]
    listed = " ".join(line.split("|")[1] for line in section.splitlines() if line.startswith("| `"))
    named = {id.split("/")[0] for id in re.findall(r"`([a-z]+)", listed)}
    heads = {entry.id.split("/")[0] for entry in extended.entries}
    added = heads - {entry.id.split("/")[0] for entry in full.entries}
    assert added <= named
    assert named - heads == {"intra", "sites", "clustered"}, "these need repeat readings and places"


def test_corrected_performance_is_the_functions_own(extended: Results, d2: Frames) -> None:
    entry = extended.entry("prediction/bme_only/R1/success_15min/auc")
    assert entry.values.keys() >= CORRECTED
    reached = derive.success(d2.measured("nrs_baseline"), d2.measured("nrs_15min"))
    design = logistic.prepare({"bme": d2.grades("R1", "isthmic_bme")}, reached)
    rows = np.random.default_rng(3).integers(0, design.n, size=(100, design.n))
    expected = prediction.optimism(design.y, prediction.maximum_likelihood(design), rows).measures["auc"]
    assert entry.values == expected.values()


def test_the_same_seed_gives_the_same_numbers(d2: Frames) -> None:
    drawing = tuple(
        step
        for step in EXTENDED.steps
        if step.kind in {"optimism", "change"} and step.params["specification"] == "reduced"
    )
    plan = replace(EXTENDED, steps=drawing).with_bootstrap(100)
    assert plans.carry_out(plan, d2, seed=5) == plans.carry_out(plan, d2, seed=5)
    assert plans.carry_out(plan, d2, seed=5) != plans.carry_out(plan, d2, seed=6)


def test_progress_names_its_parts(d2: Frames) -> None:
    seen: list[tuple[int, int, str]] = []
    step = next(step for step in EXTENDED.steps if step.kind == "ridge")
    plan = replace(EXTENDED, steps=(step,))
    plans.carry_out(plan, d2, progress=lambda done, of, label: seen.append((done, of, label)))
    assert [done for done, _, _ in seen] == list(range(8))
    assert seen[1] == (1, 7, "Ridge default: R1, success_15min")


def test_a_bootstrap_of_the_plan_is_drawn_as_often_as_asked() -> None:
    drawn = [step.params["replicates"] for step in EXTENDED.with_bootstrap(300).steps if "replicates" in step.params]
    assert set(drawn) == {300}
    assert len(drawn) == sum("replicates" in step.params for step in EXTENDED.steps)
    assert EXTENDED.with_bootstrap(2000).digest() == EXTENDED.digest()


@pytest.mark.parametrize(("code", "digest"), DIGESTS.items())
def test_older_plans_are_what_they_were(code: str, digest: str) -> None:
    assert plans.get(code).digest() == digest


@pytest.mark.parametrize("name", sorted(AWKWARD.keys() - {"hundreds of cases", "half points"}))
def test_awkward_tables(oracles: Path, name: str) -> None:
    folder = oracles / "d2"
    clinical, gradings = AWKWARD[name](read_table(folder / "clinical.csv"), read_table(folder / "gradings.csv"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = plans.carry_out(only_added(100), from_tables(clinical, gradings))
    complete(found)
    if len(clinical) > 3:  # of fewer, levels that do not occur have no terms
        assert set(IDS) <= {entry.id for entry in found.entries}
    assert all(row["status"] == "ok" or row["reason"] for row in export.estimates_rows(found))


def third(change: Callable[[np.ndarray], np.ndarray], frames: Frames) -> Frames:
    values = frames.readings["R1"].copy()
    values[:] = change(values.to_numpy())
    return replace(frames, readings={**frames.readings, "R3": values})


THIRD: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "shifted by a case": lambda x: np.roll(x, 1, axis=0),
    "as the first": lambda x: x,
    "graded nothing": lambda x: np.full(x.shape, np.nan),
    "half missing": lambda x: np.where(np.arange(len(x))[:, None] % 2 == 0, x, np.nan),
}


@pytest.mark.parametrize("name", THIRD)
def test_three_readers_agree_by_the_coefficients_of_several(d2: Frames, name: str) -> None:
    frames = third(THIRD[name], d2)
    agreement = plans.agreement_for(SPINE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = plans.carry_out(agreement.with_bootstrap(100), frames, seed=2)
        page = page_of(found, name)
    complete(found)
    for id in (
        "lee/fleiss_unweighted",
        "lee/conger_quadratic",
        "lee/gwet_ac1/declared",
        "lee/krippendorff_ordinal",
        "lee/brennan_prediger_linear/declared",
        "lee/fleiss_level/2",
        "lee/pairs",
        "lee/pairs/R1-R3/kappa_unweighted",
        "isthmic_bme/pairs/R2-R3/pabak",
        "slip_mm/icc_a1",
        "slip_mm/icc_ck",
        "slip_mm/pairs/R1-R2/bland_altman",
    ):
        assert f"agreement/{id}" in found, id
    assert "agreement/lee/kappa_unweighted" not in found
    assert {"bootstrap/lee/fleiss_quadratic", "bootstrap/slip_mm/icc_a1"} <= {entry.id for entry in found.entries}
    assert "Traceback" not in page
    two = plans.carry_out(agreement, d2)
    pair = found.entry("agreement/lee/pairs/R1-R2/kappa_unweighted")
    assert pair.values == two.entry("agreement/lee/kappa_unweighted").values


def test_three_readers_of_the_extended_plan(d2: Frames) -> None:
    some = tuple(
        step
        for step in EXTENDED.steps
        if step.params.get("specification", "reduced") == "reduced" and step.kind != "ordinal"
    )
    found = plans.carry_out(replace(EXTENDED, steps=some).with_bootstrap(100), third(THIRD["shifted by a case"], d2))
    complete(found)
    assert "prediction/reduced/R3/success_15min/auc" in found
    assert "change/reduced/success_15min/R2-R3/slip_mm" in found
    assert page_of(found, "Three")


def test_one_reader_cannot_agree(d2: Frames) -> None:
    with pytest.raises(NotPossible, match="it needs two, and there are 1"):
        plans.carry_out(plans.agreement_for(SPINE), replace(d2, readings={"R1": d2.readings["R1"]}))


def test_a_plan_that_names_what_is_not_there_says_so(d2: Frames) -> None:
    model = {"specification": "odd", "terms": [{"name": "x", "item": "x"}], "outcomes": ["success_15min"]}
    with pytest.raises(NotPossible, match="names x, which"):
        plans.carry_out(Plan("odd", "Odd", 1, "spondylolysis", (Step("ridge", model),)), d2)
    terms = [{"name": "lee", "item": "lee", "indicators": True}]
    averaged = {**model, "terms": terms, "averaged": True}
    with pytest.raises(NotPossible, match="cannot be averaged"):
        plans.carry_out(Plan("odd", "Odd", 1, "spondylolysis", (Step("ridge", averaged),)), d2)
