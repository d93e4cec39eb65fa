"""The whole path holds for awkward tables: no warning, no NaN, a reason for everything that does not exist."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analytics import export, plans
from analytics.frames import Frames, from_tables, read_table
from analytics.simulate import study
from analytics.stats.result import NotEstimable, Results
from tests.unit.analytics.conftest import page_of

Tables = tuple[pd.DataFrame, pd.DataFrame]
CONSTANT = {"contrast_pattern": "peri", "segment_degeneration": "uni", "slip_mm": "3.0", "pfirrmann": "3"}
PAIN = ["nrs_baseline", "nrs_15min", "nrs_1month"]


def perfect(c: pd.DataFrame, g: pd.DataFrame) -> Tables:
    one = g[g.reader == "R1"]
    return c, pd.concat([one, one.assign(reader="R2")], ignore_index=True)


def constant_reader(c: pd.DataFrame, g: pd.DataFrame) -> Tables:
    second = g.reader == "R2"
    for item in g.columns[2:]:
        g.loc[second, item] = CONSTANT.get(item, "0")
    return c, g


def first(n: int) -> Callable[[pd.DataFrame, pd.DataFrame], Tables]:
    def cut(c: pd.DataFrame, g: pd.DataFrame) -> Tables:
        kept = set(c.case_id[:n])
        return c.iloc[:n], g[g.case_id.isin(kept)].reset_index(drop=True)

    return cut


def one_class(c: pd.DataFrame, g: pd.DataFrame) -> Tables:
    return c.assign(nrs_baseline="8", nrs_15min="0", nrs_1month="9"), g


def all_missing(c: pd.DataFrame, g: pd.DataFrame) -> Tables:
    return c.assign(**dict.fromkeys(["age", "sex", "bmi", "level", *PAIN], "")), g.iloc[:0]


def complete_separation(c: pd.DataFrame, g: pd.DataFrame) -> Tables:
    oedema = g[g.reader == "R1"].set_index("case_id").isthmic_bme
    followup = ["1" if oedema.get(case) == "1" else "8" for case in c.case_id]
    return c.assign(nrs_baseline="8", nrs_15min=followup, nrs_1month=followup), g


def half_points(c: pd.DataFrame, g: pd.DataFrame) -> Tables:
    rng = np.random.default_rng(1)
    return c.assign(**{name: [str(x / 2) for x in rng.integers(0, 21, len(c))] for name in PAIN}), g


def collinear(c: pd.DataFrame, g: pd.DataFrame) -> Tables:
    return c, g.assign(soft_tissue_edema_cyst=g.isthmic_bme)


def simulated(c: pd.DataFrame, g: pd.DataFrame) -> Tables:
    made = study(cases=200, seed=4)
    return made.clinical, made.gradings


AWKWARD = {
    "perfect agreement": perfect,
    "constant reader": constant_reader,
    "no case": first(0),
    "one case": first(1),
    "two cases": first(2),
    "three cases": first(3),
    "one outcome class": one_class,
    "all missing": all_missing,
    "complete separation": complete_separation,
    "half points": half_points,
    "collinear": collinear,
    "hundreds of cases": simulated,
}


def frames(oracles: Path, name: str) -> Frames:
    folder = oracles / "d2"
    return from_tables(*AWKWARD[name](read_table(folder / "clinical.csv"), read_table(folder / "gradings.csv")))


def carried_out(oracles: Path, name: str, plan: str) -> Results:
    return plans.carry_out(plans.get(plan), frames(oracles, name))


def sound(found: Results) -> None:
    for entry in found.entries:
        for field, value in entry.values.items():
            if isinstance(value, NotEstimable):
                assert len(value.why) > 5, (entry.id, field)
            elif isinstance(value, float):
                assert not math.isnan(value), (entry.id, field)


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_tables(oracles: Path, name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = carried_out(oracles, name, "full")
        page = page_of(found, name)
    sound(found)
    assert not re.search(r"\bnan\b", re.sub(r'src="[^"]*"', "", page), re.IGNORECASE)
    assert Results.from_json(found.to_json()) == found
    assert export.estimates_csv(found).count("\n") > 300


@pytest.mark.parametrize("name", ["half points", "hundreds of cases"])
def test_the_extended_plan_of_larger_tables(oracles: Path, name: str) -> None:
    """The short model stands for the wide ones, which `test_extended.py` fits to every other table."""
    full, extended = plans.get("full"), plans.get("extended").with_bootstrap(100)
    added = extended.steps[len(full.steps) :]
    short = tuple(step for step in added if step.params.get("specification", "reduced") == "reduced")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = plans.carry_out(replace(extended, steps=short), frames(oracles, name))
    sound(found)
    assert len(found.entries) > 1000


def test_perfect_agreement_is_one_everywhere(oracles: Path) -> None:
    found = carried_out(oracles, "perfect agreement", "paper")
    for item in found.subject["items"]:
        if item["kind"] != "continuous":
            assert found.value(f"agreement/{item['code']}/kappa_unweighted", "estimate") == pytest.approx(1)
    assert found.value("agreement/slip_mm/icc_a1", "estimate") == 1


def test_one_outcome_class_refuses_the_models_politely(oracles: Path) -> None:
    found = carried_out(oracles, "one outcome class", "paper")
    value = found.value("logistic/default/R1/success_15min", "nagelkerke_r2")
    assert value == NotEstimable("every complete case has the same outcome")


def test_complete_separation_is_named(oracles: Path) -> None:
    found = carried_out(oracles, "complete separation", "paper")
    assert found.value("logistic/default/R1/success_15min", "separation") == "complete"
