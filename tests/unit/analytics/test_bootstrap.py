from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from analytics import plans
from analytics.frames import Frames
from analytics.stats.agreement import kappa
from analytics.stats.association import cross_table
from analytics.stats.bootstrap import Statistic, auc_of, bootstrap, icc_a1_of, kappa_of, resamples
from analytics.stats.paired import complete
from analytics.stats.reliability import icc
from analytics.stats.result import NotEstimable
from analytics.stats.validation import roc


@pytest.mark.parametrize(("item", "name"), [("isthmic_bme", "kappa_unweighted"), ("slip_mm", "icc_a1")])
def test_on_the_shipped_resamples_it_is_the_reference(d2: Frames, oracles: Path, item: str, name: str) -> None:
    rows = np.loadtxt(oracles / "d2" / f"bootstrap_indices_{item}.csv", delimiter=",", dtype=int)
    a, b = complete(d2.grades("R1", item), d2.grades("R2", item))
    statistic = icc_a1_of(np.column_stack([a, b])) if name == "icc_a1" else kappa_of(a, b, [0, 1])
    found = bootstrap(statistic, rows, name=name).values()
    with (oracles / "d2" / "references_bootstrap.csv").open(newline="") as file:
        wanted = [row for row in csv.DictReader(file) if row["id"] == f"bootstrap/{item}/{name}"]
    assert len(wanted) == 14
    for row in wanted:
        reference = float(row["value"])
        assert found[row["field"]] == pytest.approx(reference, abs=float(row["tolerance"]) * max(1, abs(reference))), (
            row
        )


def test_vectorised_statistics_are_the_plain_ones() -> None:
    rng = np.random.default_rng(8)
    a, b = rng.integers(0, 4, 25).astype(float), rng.integers(0, 4, 25).astype(float)
    rows = resamples(25, 6, seed=1)
    for weighting in ("unweighted", "linear", "quadratic"):
        plain = [kappa(cross_table(a[r], b[r], range(4), range(4)), range(4), weighting).estimate for r in rows]
        assert kappa_of(a, b, range(4), weighting)(rows) == pytest.approx(plain, rel=1e-12)
    x = rng.normal(size=(25, 2)) + rng.normal(size=(25, 1))
    assert icc_a1_of(x)(rows) == pytest.approx([icc(x[r]).estimate for r in rows], rel=1e-12)

    y = rng.integers(0, 2, 25).astype(float)
    assert auc_of(y, a)(rows) == pytest.approx([roc(y[r], a[r] / 9).auc for r in rows], rel=1e-12)


def test_each_case_left_out_is_found_without_resampling() -> None:
    rng = np.random.default_rng(9)
    a, b, y = (rng.integers(0, top, 30).astype(float) for top in (4, 4, 2))
    kept = np.array([np.delete(np.arange(30), left) for left in range(30)])
    rows = resamples(30, 200, seed=1)
    made: dict[str, Statistic] = {
        "kappa": kappa_of(a, b, range(4), "linear"),
        "icc": icc_a1_of(np.column_stack([a, b])),
        "auc": auc_of(y, a),
    }
    for name, statistic in made.items():
        plain = bootstrap(statistic, rows, name=name, left_out=statistic(kept))
        assert bootstrap(statistic, rows, name=name).values() == pytest.approx(plain.values(), rel=1e-10)


def test_the_seed_decides() -> None:
    assert np.array_equal(resamples(9, 5, seed=3), resamples(9, 5, seed=3))
    assert not np.array_equal(resamples(9, 5, seed=3), resamples(9, 5, seed=4))


def test_what_has_no_value_says_so() -> None:
    flat = bootstrap(kappa_of([1, 1, 1], [1, 1, 1], [0, 1]), resamples(3, 200, 0), name="kappa")
    assert isinstance(flat.bca_low, NotEstimable)
    perfect = bootstrap(kappa_of([0, 1, 0, 1, 1], [0, 1, 0, 1, 1], [0, 1]), resamples(5, 500, 0), name="kappa")
    assert perfect.estimate == 1
    assert isinstance(perfect.n_undefined, int)
    assert perfect.n_undefined > 0
    assert isinstance(perfect.bca_low, NotEstimable)
    assert perfect.percentile_low == 1


def test_a_plan_with_bootstrap_has_another_digest_and_covers_every_item(d2: Frames) -> None:
    plain = plans.get("paper")
    more = plain.with_bootstrap(200)
    assert more.digest() != plain.digest()
    only = type(plain)("b", "B", 1, "spondylolysis", more.steps[-1:])
    found = plans.carry_out(only, d2, seed=5)
    for item in d2.items:
        name = "icc_a1" if item.kind == "continuous" else "kappa_unweighted"
        low, high = (
            float(str(found.value(f"bootstrap/{item.code}/{name}", f"percentile_{side}"))) for side in ("low", "high")
        )
        assert low <= float(str(found.value(f"bootstrap/{item.code}/{name}", "estimate"))) <= high
    assert plans.carry_out(only, d2, seed=5) == found
    assert plans.carry_out(only, d2, seed=6) != found
    assert isinstance(found.value("bootstrap/lee/kappa_quadratic", "bca_low"), float)
