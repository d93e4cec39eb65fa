"""Layers of the plan `extended`: repeat readings, places of a finding, adjudication, three readers of any name."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analytics import export, plans
from analytics.frames import Frames, from_tables, read_table
from analytics.report import tables
from analytics.stats import agreement, association, clustered, intra
from analytics.stats.result import NotEstimable, Results
from annotation.protocol import catalogue
from tests.tiny_instrument import TINY
from tests.unit.analytics.conftest import page_of

EXTENDED = plans.get("extended")
KINDS = {
    "layers",
    "again",
    "by_place",
    "kruskal",
    "prevalence",
    "chisq",
    "rank_sum",
    "multiplicity",
    "risk",
    "agreement",
}
SPECIFIED = {"averaged_model", "model", "optimism", "change", "ridge", "ordinal_model", "calibration"}


def layered(oracles: Path, *, third: bool = False) -> Frames:
    """Give the reference tables a repeat round, sides, an adjudicator, and perhaps a third reader."""
    folder = oracles / "d2"
    clinical, gradings = read_table(folder / "clinical.csv"), read_table(folder / "gradings.csv")
    rng = np.random.default_rng(4)
    other = gradings["contrast_pattern"].where(rng.random(len(gradings)) < 0.7, "peri")
    gradings["contrast_pattern.right"] = gradings["contrast_pattern"]
    gradings["contrast_pattern.left"] = other
    gradings["soft_tissue_edema_cyst.edema"] = gradings["soft_tissue_edema_cyst"]
    gradings["soft_tissue_edema_cyst.cyst"] = "0"
    one = gradings[gradings["reader"] == "R1"]
    again = one.head(30).assign(round="repeat", lee=one["lee"].where(rng.random(len(one)) < 0.8, "0"))
    more = [gradings, again, one.assign(reader="Consensus")]
    if third:
        more.append(gradings[gradings["reader"] == "R2"].assign(reader="R10"))
    return from_tables(clinical, pd.concat(more, ignore_index=True))


def carried(frames: Frames) -> Results:
    some = tuple(
        step
        for step in EXTENDED.steps
        if step.kind in KINDS
        or (step.kind in SPECIFIED and step.params["specification"] == "bme_only")
        or (step.kind == "model" and step.params.get("of") == "adjudicated")
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = plans.carry_out(replace(EXTENDED, steps=some).with_bootstrap(100), frames, seed=2)
    assert all(row["status"] == "ok" or row["reason"] for row in export.estimates_rows(found))
    return found


@pytest.fixture(scope="module")
def frames(oracles: Path) -> Frames:
    return layered(oracles)


@pytest.fixture(scope="module")
def found(frames: Frames) -> Results:
    return carried(frames)


def test_repeat_readings_are_compared_with_the_readers_own(found: Results, frames: Frames) -> None:
    again = found.entry("layers/again/R1").values
    assert (again["repeat_rounds"], again["cases_again"]) == (1, 30)
    assert found.value("layers/again/R2", "cases_again") == NotEstimable("this reader read no case again")
    own = intra.graded_again(frames.rounds("R1", "lee"), [0, 1, 2, 3])["kappa_quadratic"]
    assert found.entry("intra/R1/lee/kappa_quadratic").values == own.values()
    assert own.n < 31
    assert found.value("intra/R1/slip_mm/icc_a1", "estimate") == 1
    assert found.value("intra/R1/slip_mm/repeatability", "within_sd") == 0
    assert "intra/R1/isthmic_bme/kappa_linear" not in found
    assert not list(found.under("intra/R2"))


def test_places_stand_alone_and_together_over_patients(found: Results, frames: Frames) -> None:
    sites, codes = frames.sites["contrast_pattern"].values, (1, 2, 3)
    left = association.cross_table(sites["R1"][:, 1], sites["R2"][:, 1], codes, codes)
    expected = agreement.kappa(left, codes, "unweighted").values()
    assert found.entry("sites/contrast_pattern/left/kappa_unweighted").values == expected
    both = np.column_stack([sites["R1"].ravel(), sites["R2"].ravel()])
    over = clustered.clustered(both, np.repeat(np.arange(60), 2).tolist(), codes, "conger")
    assert found.entry("clustered/contrast_pattern/conger_unweighted").values == over.values()
    assert over.n_patients < over.n_sites
    assert found.value("clustered/contrast_pattern/conger_unweighted/bootstrap", "replicates") == 100
    assert found.value("layers/sites/contrast_pattern", "places") == 2
    assert isinstance(found.value("layers/sites/lee", "places"), NotEstimable)
    assert "sites/soft_tissue_edema_cyst/cyst/agreement" in found
    assert not list(found.under("clustered/soft_tissue")), "two findings have no common kappa"


def test_adjudicated_findings_are_a_third_set_of_predictors(found: Results, full: Results) -> None:
    """The adjudicator of these tables says what reader 1 says, so the numbers are those of reader 1."""
    for id in (
        "chisq/{}/isthmic_bme/by/success_15min",
        "mwu/{}/slip_mm/by/success_1month",
        "multiplicity/{}/success_15min/lee",
        "prevalence/{}/pfirrmann",
        "logistic/categorical/{}/success_15min",
        "logistic/reduced/{}/success_1month/slip_mm",
        "logistic/default/{}/success_15min/firth/slip_mm",
    ):
        assert found.entry(id.format("adjudicated")).values == full.entry(id.format("R1")).values, id
    for id in (
        "risk/{}/isthmic_bme/by/success_15min",
        "prediction/bme_only/{}/success_15min/auc",
        "calibration/bme_only/{}/success_15min/line",
        "ridge/bme_only/{}/success_1month",
        "ordinal/bme_only/{}/response_15min/isthmic_bme",
        "logistic/bme_only/{}/success_15min/isthmic_bme",
    ):
        assert found.entry(id.format("adjudicated")).values == found.entry(id.format("R1")).values, id
    with_ = "change/bme_only/success_15min/with_adjudicated"
    assert found.value(f"{with_}/R1-adjudicated/isthmic_bme", "ratio") == pytest.approx(1)
    assert "change/bme_only/adjudicated/success_15min-success_1month/isthmic_bme" in found
    assert not list(found.under("change/bme_only/success_15min/R1-adjudicated"))
    settled = found.entry("layers/adjudicated/lee").values
    assert settled["decided"] == full.value("completeness/R1/lee", "graded")


def test_a_study_without_layers_says_so(d2: Frames, full: Results) -> None:
    only = tuple(step for step in EXTENDED.steps if step.kind in {"layers", "again", "by_place", "model"})
    bare = plans.carry_out(replace(EXTENDED, steps=only), d2)
    for id, field in (("adjudicated/lee", "decided"), ("again/R1", "cases_again"), ("sites/lee", "places")):
        assert isinstance(bare.value(f"layers/{id}", field), NotEstimable)
    assert {entry.id.split("/")[0] for entry in bare.entries} == {"study", "layers", "logistic"}
    assert not [entry.id for entry in bare.entries if "adjudicated" in entry.id and not entry.id.startswith("layers")]


def test_level_and_pain_reduction(found: Results, d2: Frames) -> None:
    entry = found.entry("kruskal/ppr_15min/by/level")
    counts = [entry.values[f"n_{level}"] for level in ("L3", "L4", "L5")]
    assert sum(map(int, map(str, counts))) == entry.n == entry.values["n"]
    assert {"h", "df", "p", "epsilon_squared", "mean_rank_L5"} <= entry.values.keys()


def test_three_readers_from_plain_tables(oracles: Path, d2: Frames) -> None:
    frames = layered(oracles, third=True)
    assert frames.readers == ("R1", "R2", "R10")
    found = carried(frames)
    for id in (
        "agreement/lee/fleiss_unweighted",
        "agreement/lee/pairs/R2-R10/kappa_quadratic",
        "agreement/slip_mm/icc_ak",
        "sites/contrast_pattern/right/conger_unweighted",
        "clustered/contrast_pattern/fleiss_unweighted",
        "logistic/bme_only/R10/success_15min",
        "change/bme_only/success_15min/R2-R10/isthmic_bme",
    ):
        assert id in found, id
    assert found.value("agreement/lee/pairs/R2-R10/kappa_unweighted", "estimate") == 1
    assert found.value("clustered/contrast_pattern/percent", "n_readers") == 3
    assert page_of(found, "Three")


def test_any_instrument_has_its_layers_before_the_outcomes() -> None:
    plan = plans.agreement_for(TINY, of="extended")
    assert plan.code != plans.agreement_for(TINY).code
    assert {"layers", "again", "by_place", "bootstrap"} <= {step.kind for step in plan.steps}
    assert not plan.needs_outcomes
    assert plans.agreement_for(catalogue.latest("spondylolysis")).digest() != plan.digest()


def test_the_report_prints_every_family(found: Results) -> None:
    printed = {table.code: table.plain() for table in tables(found)}
    for table in printed.values():
        assert table.rows, table.code
        assert all(len(row) == len(table.columns) for row in table.rows), table.code
    rows = {code: {row[0]: row for row in table.rows} for code, table in printed.items()}
    lee = "Stenosis of the foramen at the index segment"
    assert rows["agreement_again"][f"{lee}, R1"][3] == "0.70 (0.46 to 0.85)"
    assert any("score interval" in note for note in printed["agreement_again"].footnotes)
    assert rows["agreement_again"][f"{lee}, R1"][4] == "substantial (moderate to almost perfect)"
    contrast = "Contrast distribution at the defect"
    assert rows["agreement_places"][f"{contrast}: left"][4].startswith("fair (")
    assert rows["agreement_places"][f"{contrast}: all places"][1] == "111 of 56 patients"
    assert rows["layers"]["Repeat readings, R2"][1] == "none: this reader read no case again"
    assert rows["layers"][f"Adjudicated, {lee}"][1] == "59 decided, 0 agreed by all readers, 1 open"
    oedema = "Bone marrow oedema at the isthmus"
    risk = rows["risks"][f"{oedema}, 15 minutes, R1"]
    assert risk[2:5] == ("55.6", "20.5", "35.0 (8.5 to 57.2)")
    assert "H(1) 0.67, ε² 0.01; p = 0.414" in rows["characteristics"]["Lytic vertebra"][3]
    assert printed["performance_bme_only_15min"].columns[1:] == ("R1", "R2", "mean of readers", "adjudicated")
    auc = rows["performance_bme_only_15min"]["  AUC"]
    assert auc[1] == auc[4]
    assert " → " in auc[1]
    assert rows["change_bme_only"][f"15 minutes, R1 → adjudicated: {oedema}"][4] == "1.00 (1.00 to 1.00)"
    for family in ("calibration", "decision", "ridge", "ordinal", "model", "fit"):
        assert {f"{family}_bme_only_15min", f"{family}_bme_only_1month"} <= set(printed), family
    assert rows["decision_bme_only_15min"]["Threshold 10 %, treat all"][1] == "0.24"


def test_the_report_of_three_readers(oracles: Path) -> None:
    steps = tuple(step for step in plans.get("full").steps if step.kind == "agreement")
    found = plans.carry_out(replace(EXTENDED, steps=steps), layered(oracles, third=True))
    printed = {table.code: table.plain() for table in tables(found)}
    assert "agreement" not in printed
    first = printed["agreement_several"].rows[0]
    assert first[2:5] == ("95.4 %", "κ 0.92 (0.83 to 1.00)", "almost perfect")
    assert printed["agreement_pairs"].columns[1:] == ("R1–R2", "R1–R10", "R2–R10")
    assert len(printed["bland_altman"].rows) == 3


def test_a_table_without_layers_prints_the_reasons(d2: Frames) -> None:
    only = tuple(step for step in EXTENDED.steps if step.kind == "layers")
    (table,) = tables(plans.carry_out(replace(EXTENDED, steps=only), d2))
    table = table.plain()
    assert ("Adjudicated, every finding", "none: no adjudicated findings were given") in table.rows
