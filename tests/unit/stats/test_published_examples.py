"""Worked examples of the literature, with their R results and their printed figures."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analytics.stats import agreement, association, logistic, paired, reliability, separation, validation
from analytics.stats.result import NotEstimable, Result, Value

PUBLISHED = Path(__file__).resolve().parents[2] / "oracles" / "published"
LEFT_OUT = {"p_pratt", "z_pratt", "z_signed", "V", "design_rank", "design_columns", "constant_predictors", "status"}
MODELS = {
    "birthwt/hosmer_lemeshow_table_2_2": ("birthwt", ["age", "lwt", "race_black", "race_other", "ftv"]),
    "birthwt/main_effects": ("birthwt", ["age", "lwt", "race_black", "race_other", "smoke", "ptl", "ht", "ui", "ftv"]),
    "sex2": ("sex2", ["age", "oc", "vic", "vicl", "vis", "dia"]),
}


def table(name: str) -> dict[str, np.ndarray]:
    with (PUBLISHED / f"{name}.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {column: np.array([float(row[column]) for row in rows]) for column in rows[0]}


def references() -> list[dict[str, str]]:
    with (PUBLISHED / "references.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def shrout_fleiss() -> Iterator[tuple[str, Result]]:
    data = table("shrout_fleiss_1979")
    ratings = np.column_stack([data[f"J{judge}"] for judge in range(1, 5)])
    for form in reliability.NAMES:
        yield f"shrout_fleiss_1979/{form}", reliability.icc(ratings, form)


def tumour_score() -> Iterator[tuple[str, Result]]:
    data, codes, prefix = table("tumour_score_kappa_2009"), [1, 2, 3], "tumour_score_kappa_2009"
    counts = association.cross_table(data["R1"], data["R2"], codes, codes)
    yield f"{prefix}/table", association.table_counts(counts, ["1", "2", "3"], ["1", "2", "3"])
    yield f"{prefix}/agreement", agreement.percent_agreement(counts)
    yield f"{prefix}/specific_agreement", agreement.specific_agreement(counts, ["1", "2", "3"])
    for weighting in ("unweighted", "linear", "quadratic"):
        yield f"{prefix}/kappa_{weighting}", agreement.kappa(counts, codes, weighting)
        yield f"{prefix}/brennan_prediger_{weighting}/declared", agreement.brennan_prediger(counts, codes, weighting)
        name = "gwet_ac1" if weighting == "unweighted" else f"gwet_ac2_{weighting}"
        yield f"{prefix}/{name}/declared", agreement.gwet(counts, codes, weighting)
    for metric in ("nominal", "ordinal", "interval"):
        yield f"{prefix}/krippendorff_{metric}", agreement.krippendorff(counts, codes, metric)


def models() -> Iterator[tuple[str, Result]]:
    for prefix, (name, predictors) in MODELS.items():
        data = table(name)
        design = logistic.prepare({one: data[one] for one in predictors}, data["low" if name == "birthwt" else "case"])
        model = logistic.fit(design)
        yield prefix, model.summary
        yield from ((f"{prefix}/{term}", found) for term, found in model.terms.items())
        firth = separation.firth(design.x, design.y, design.names)
        yield f"{prefix}/firth", firth
        yield from ((f"{prefix}/firth/{term}", found) for term, found in firth.terms.items())
        if model.fitted is not None:
            yield f"{prefix}/classification", validation.classify(design.y, model.fitted)
            yield f"{prefix}/roc", validation.roc(design.y, model.fitted)
            quantile = validation.hosmer_lemeshow_quantile(design.y, model.fitted)
            yield f"{prefix}/hosmer_lemeshow_quantile", quantile
            yield f"{prefix}/hosmer_lemeshow_blocks", validation.hosmer_lemeshow_blocks(design.y, model.fitted)


def others() -> Iterator[tuple[str, Result]]:
    s100b = table("asah_s100b")
    yield "asah_s100b", validation.roc(s100b["outcome"], s100b["s100b"])
    depression = table("hollander_wolfe_depression")
    yield "hollander_wolfe_depression", paired.signed_rank(depression["x"], depression["y"])
    tea = table("lady_tasting_tea")
    counts = association.cross_table(tea["R1"], tea["R2"], [0, 1], [0, 1])
    yield "lady_tasting_tea", association.contingency(counts)
    yield "lady_tasting_tea/table", association.table_counts(counts, ["0", "1"], ["0", "1"])


@pytest.fixture(scope="module")
def computed() -> dict[str, dict[str, Value]]:
    made = [*shrout_fleiss(), *tumour_score(), *models(), *others()]
    return {id: result.values() for id, result in made}


def agrees(value: Value, row: dict[str, str]) -> bool:
    if row["value"] == "NA":
        return isinstance(value, NotEstimable)
    if isinstance(value, str):
        return value == row["value"]
    if isinstance(value, NotEstimable):
        return False
    reference = float(row["value"])
    return math.isclose(value, reference, rel_tol=0, abs_tol=float(row["tolerance"]) * max(1.0, abs(reference)))


def test_every_published_figure_agrees(computed: dict[str, dict[str, Value]]) -> None:
    wanted = [row for row in references() if row["field"] not in LEFT_OUT and not row["id"].endswith("/observed")]
    assert len(wanted) > 550
    wrong: list[Any] = [
        (row["id"], row["field"], row["program"], row["value"], computed[row["id"]].get(row["field"]))
        for row in wanted
        if row["field"] not in computed[row["id"]] or not agrees(computed[row["id"]][row["field"]], row)
    ]
    assert not wrong, wrong[:10]
    assert sum(row["program"] == "published" for row in wanted) >= 20


def test_shrout_and_fleiss_print_029_for_absolute_agreement(computed: dict[str, dict[str, Value]]) -> None:
    assert round(float(str(computed["shrout_fleiss_1979/icc_a1"]["estimate"])), 2) == 0.29


def test_endometrial_style_separation_is_found_in_the_urinary_tract_data(computed: dict[str, dict[str, Value]]) -> None:
    assert computed["sex2"]["separation"] == "quasi-complete"
    assert isinstance(computed["sex2/dia"]["b"], NotEstimable)
    assert isinstance(computed["sex2/firth/dia"]["b"], float)
