"""Several readers, sites of a patient, rounds of a reader: against R, other programs and printed figures."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analytics.stats import agreement, clustered, intra, raters, reliability, square
from analytics.stats.association import cross_table
from analytics.stats.bootstrap import kappa_of, resamples
from analytics.stats.pairwise import pairwise
from analytics.stats.result import NotEstimable, Result, Value

ORACLES = Path(__file__).resolve().parents[2] / "oracles"
RATERS = ORACLES / "raters"
SCALES: dict[str, range] = {
    "four_readers": range(1, 6),
    "five_observers": range(4),
    "missing_grades": range(5),  # grade 3 is declared and never used
    "fleiss_1971": range(1, 6),
    "sites": range(4),
}
KINDS: dict[str, Callable[..., Result]] = {
    "fleiss": raters.fleiss,
    "conger": raters.conger,
    "gwet": raters.gwet,
    "brennan_prediger": raters.brennan_prediger,
}
WEIGHTINGS: tuple[square.Weighting, ...] = ("unweighted", "linear", "quadratic")


@cache
def columns(name: str, folder: Path = RATERS) -> dict[str, np.ndarray]:
    with (folder / f"{name}.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {column: np.array([float(row[column] or "nan") for row in rows]) for column in rows[0]}


def readers(name: str, count: int | None = None) -> np.ndarray:
    prefix = "J" if name.startswith("shrout") else "R"
    found = columns(name, ORACLES / "published" if prefix == "J" else RATERS)
    given = sorted(column for column in found if column.startswith(prefix) and column[1:].isdigit())
    return np.column_stack([found[column] for column in given[:count]])


def coefficients() -> Iterator[tuple[str, Result]]:
    for name, codes in SCALES.items():
        for kind, function in KINDS.items():
            for weighting in WEIGHTINGS:
                yield f"{name}/{kind}/{weighting}", function(readers(name), codes, weighting)
                yield (
                    f"{name}/{kind}/{weighting}/singles",
                    function(readers(name), codes, weighting, singles=True),
                )
    for name in (*SCALES, "measures"):
        for metric in ("nominal", "ordinal", "interval", "ratio"):
            yield f"{name}/krippendorff/{metric}", raters.krippendorff(readers(name), metric)
    for code, found in raters.fleiss_by_level(readers("fleiss_1971"), range(1, 6), list("12345")).items():
        yield f"fleiss_1971/level/{code}", found


def others() -> Iterator[tuple[str, Result]]:
    sites = readers("sites")
    yield "sites/pairwise", pairwise(sites, range(4), ["R1", "R2", "R3"])
    yield "sites/pairwise_quadratic", pairwise(sites, range(4), ["R1", "R2", "R3"], "quadratic")
    for name in ("measures", "shrout_fleiss_1979"):
        for form, found in reliability.icc_family(readers(name)).items():
            yield f"{name}/{form}", found
    yield "measures/repeatability", intra.repeatability(readers("measures"))


def patients() -> Iterator[tuple[str, Result]]:
    whose = list(columns("sites")["patient"])
    kinds: tuple[clustered.Coefficient, ...] = ("fleiss", "conger", "gwet", "brennan_prediger")
    others: tuple[clustered.Coefficient, ...] = ("alpha_nominal", "alpha_ordinal", "alpha_interval", "icc_a1", "icc_c1")
    for weighting in WEIGHTINGS:
        for kind in kinds:
            found = clustered.clustered(readers("sites"), whose, range(4), kind, weighting)
            yield f"sites/patients/{kind}/{weighting}", found
        two = clustered.clustered(readers("sites", 2), whose, range(4), "conger", weighting)
        yield f"sites_R1_R2/patients/conger/{weighting}", two
    for kind in others:
        yield f"sites/patients/{kind}", clustered.clustered(readers("sites"), whose, [], kind)
    scans = columns("parathyroid_sites")
    both = np.column_stack([scans["R1"], scans["R2"]])
    found = clustered.clustered(both, list(scans["patient"]), [0, 1])
    yield "parathyroid_sites/patients/conger/unweighted", found


@pytest.fixture(scope="module")
def computed() -> dict[str, dict[str, Value]]:
    return {id: result.values() for id, result in (*coefficients(), *others(), *patients())}


def references() -> list[dict[str, str]]:
    with (RATERS / "references.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def agrees(value: Value, row: dict[str, str]) -> bool:
    if isinstance(value, NotEstimable | str):
        return False
    reference = float(row["value"])
    return math.isclose(value, reference, rel_tol=0, abs_tol=float(row["tolerance"]) * max(1.0, abs(reference)))


def test_every_reference_value_agrees(computed: dict[str, dict[str, Value]]) -> None:
    wanted = references()
    assert len(wanted) > 900
    wrong: list[Any] = [
        (row["id"], row["field"], row["program"], row["value"], computed[row["id"]].get(row["field"]))
        for row in wanted
        if row["field"] not in computed[row["id"]] or not agrees(computed[row["id"]][row["field"]], row)
    ]
    assert not wrong, (len(wrong), wrong[:10])
    assert sum(row["program"] == "published" for row in wanted) >= 25


def test_what_fleiss_prints() -> None:
    found = raters.fleiss(readers("fleiss_1971"), range(1, 6))
    assert f"{found.estimate:.3f} {found.pa:.3f} {found.pe:.3f} {found.z:.2f}" == "0.430 0.556 0.220 17.65"
    assert (found.n, found.n_readers, found.n_grades) == (30, 6, 180)


def test_the_standard_error_under_the_null_needs_equal_numbers_and_no_weights() -> None:
    assert isinstance(raters.fleiss(readers("missing_grades"), range(5)).se0, NotEstimable)
    assert isinstance(raters.fleiss(readers("fleiss_1971"), range(1, 6), "linear").z, NotEstimable)


def test_two_readers_with_missing_grades_are_the_two_reader_functions() -> None:
    x = readers("missing_grades", 2)
    table = cross_table(x[:, 0], x[:, 1], range(5), range(5))
    for weighting in WEIGHTINGS:
        cohen, conger = agreement.kappa(table, range(5), weighting), raters.conger(x, range(5), weighting)
        assert conger.estimate == pytest.approx(cohen.estimate, rel=1e-12)
        # The same linearisation, divided by n there and by n - 1 here.
        assert conger.se == pytest.approx(float(str(cohen.ase1)) * math.sqrt(cohen.n / (cohen.n - 1)), rel=1e-10)
        for several, two in (
            (raters.gwet, agreement.gwet),
            (raters.brennan_prediger, agreement.brennan_prediger),
        ):
            a, b = several(x, range(5), weighting).values(), two(table, range(5), weighting).values()
            assert all(a[field] == pytest.approx(value, rel=1e-10) for field, value in b.items())
    for metric in ("nominal", "ordinal", "interval"):
        found = raters.krippendorff(x, metric).estimate
        assert found == pytest.approx(agreement.krippendorff(table, range(5), metric).estimate, rel=1e-12)
    whole = agreement.percent_agreement(table).percent_agreement
    assert raters.percent_agreement(x, range(5)).percent_agreement == pytest.approx(whole, rel=1e-12)
    again = intra.graded_again(x, range(5))
    assert again["kappa_linear"].values() == agreement.kappa(table, range(5), "linear").values()
    assert all(found.method.startswith("intra-reader") for found in again.values())


def test_the_table_of_pairs_holds_the_two_reader_results() -> None:
    x = readers("missing_grades")
    found = pairwise(x, range(5), ["A", "B", "C", "D"], "linear")
    assert [(pair.first, pair.second) for pair in found.pairs][:3] == [("A", "B"), ("A", "C"), ("A", "D")]
    table = cross_table(x[:, 1], x[:, 3], range(5), range(5))
    assert found.pairs[4].kappa == agreement.kappa(table, range(5), "linear")
    kappas = [float(str(pair.kappa.estimate)) for pair in found.pairs]
    assert found.mean_kappa == pytest.approx(np.mean(kappas))
    assert (found.lowest_kappa, found.highest_kappa) == (min(kappas), max(kappas))


def test_patients_with_one_site_each_change_nothing() -> None:
    x = readers("five_observers")
    for kind, function in KINDS.items():
        alone: Any = function(x, range(4), "quadratic")
        found = clustered.clustered(x, list("abcdefghijklmno"), range(4), kind, "quadratic")  # type: ignore[arg-type]
        assert found.se == pytest.approx(alone.se, rel=1e-12)
        assert found.design_effect == pytest.approx(1, rel=1e-12)


def test_a_site_repeated_adds_no_information_about_patients() -> None:
    x = readers("five_observers")
    once = clustered.clustered(x, range(15), range(4), "fleiss")
    twice = clustered.clustered(np.vstack([x, x]), [*range(15), *range(15)], range(4), "fleiss")
    assert twice.estimate == pytest.approx(once.estimate, rel=1e-12)
    assert twice.se == pytest.approx(once.se, rel=1e-10)
    assert twice.design_effect == pytest.approx(2 * 29 / 30 * 15 / 14, rel=1e-10)


def test_resampled_cases_are_the_bootstrap_of_two_readers() -> None:
    x = readers("sites", 2)
    rows = resamples(len(x), 50, seed=4)
    found = clustered.resampled(x, None, range(4), "conger", "linear", replicates=50, seed=4)
    plain = kappa_of(x[:, 0], x[:, 1], range(4), "linear")(rows)
    assert found.mean == pytest.approx(plain.mean(), rel=1e-12)
    assert found.se == pytest.approx(plain.std(ddof=1), rel=1e-10)


@pytest.mark.parametrize("kind", ["percent", "fleiss", "conger", "gwet", "alpha_ordinal", "alpha_interval", "icc_a1"])
def test_drawing_patients_brings_all_their_sites(kind: clustered.Coefficient) -> None:
    x, whose = readers("sites"), columns("sites")["patient"]
    found = clustered.resampled(x, list(whose), range(4), kind, replicates=40, seed=9)
    values = []
    for row in resamples(30, 40, seed=9):
        drawn = np.vstack([x[whose == patient + 1] for patient in row])
        values.append(float(str(clustered.clustered(drawn, range(len(drawn)), range(4), kind).estimate)))
    assert found.n == 30
    assert found.mean == pytest.approx(np.mean(values), rel=1e-10)
    assert found.percentile_low == pytest.approx(np.quantile(values, 0.025), rel=1e-10)


def test_the_analytic_and_the_resampled_standard_error_are_near() -> None:
    x, whose = readers("sites"), list(columns("sites")["patient"])
    kinds: tuple[clustered.Coefficient, ...] = ("conger", "alpha_ordinal", "icc_a1")
    for kind in kinds:
        analytic = clustered.clustered(x, whose, range(4), kind).se
        drawn = clustered.resampled(x, whose, range(4), kind, replicates=2000, seed=2)
        assert drawn.se == pytest.approx(float(str(analytic)), rel=0.15)
        assert isinstance(drawn.bca_low, float)


def test_sites_are_wider_than_independent_cases_when_patients_are_alike() -> None:
    rng = np.random.default_rng(3)
    hard = np.repeat(rng.random(40) < 0.5, 4)  # one patient is easy to read at every site, another at none
    truth = rng.integers(0, 2, 160)
    x = np.column_stack([np.where(hard & (rng.random(160) < 0.5), 1 - truth, truth) for _ in range(3)])
    found = clustered.clustered(x, list(np.repeat(range(40), 4)), [0, 1], "fleiss")
    assert float(str(found.design_effect)) > 1.2
