from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from analytics import plans
from analytics.frames import Frames, from_handover
from analytics.plans import NotPossible, Plan, Step
from analytics.stats import penalised
from analytics.stats.result import NotComputed, NotEstimable, Results
from annotation.protocol import catalogue
from tests.tiny_instrument import TINY

SPINE = catalogue.latest("spondylolysis")


def test_a_plan_is_data_and_its_digest_follows_what_it_computes() -> None:
    full = plans.get("full")
    assert json.loads(json.dumps(full.to_document())) == full.to_document()
    assert full.digest() == plans.get("full").digest() != plans.get("paper").digest()
    assert replace(full, title="Another title").digest() == full.digest()
    assert replace(full, steps=full.steps[:-1]).digest() != full.digest()
    first = full.steps[0]
    assert replace(full, steps=(Step(first.kind, {"x": 1}), *full.steps[1:])).digest() != full.digest()


def test_what_studies_froze_is_still_what_they_froze() -> None:
    """A digest that moves makes every later run of an old study a deviation."""
    assert plans.get("paper").digest() == "ead06dc3e82ed3ed6f6ad2930ddc5ee3708bee0a008d0bdc045e1a4b0b71a544"
    assert plans.get("full").digest() == "7ff98bde0db623f47d6b733b5392a5591f21ba9e767df9a1e762699bef506de7"


def test_extended_names_its_cut_offs_and_its_penalty(d2: Frames) -> None:
    extended = plans.get("extended")
    rules = extended.steps[0]
    ridge = [step.params for step in extended.steps if "ridge" in (step.kind, step.params.get("procedure"))]
    assert len(ridge) == 10
    assert {(one["rule"], tuple(one["grid"])) for one in ridge} == {("aic_c", penalised.GRID)}
    (only,) = {entry.id.split("/")[0] for entry in plans.carry_out(replace(extended, steps=(rules,)), d2).entries}
    assert only == "study"
    for name, value in rules.params.items():
        other = replace(extended, steps=(Step("rules", {name: value * 2}),))
        with pytest.raises(NotPossible, match=f"fixes {name} otherwise"):
            plans.carry_out(other, d2)
    step = next(step for step in extended.steps if step.kind == "ridge")
    one = replace(extended, steps=(Step("ridge", {**step.params, "grid": [3.0]}),))
    assert plans.carry_out(one, d2).value("ridge/default/R1/success_15min", "penalty") == 3


@pytest.mark.parametrize("code", plans.codes())
def test_agreement_before_the_outcomes_belongs_to_the_plan(code: str) -> None:
    part, whole = plans.agreement_for(SPINE, of=code), plans.get(code)
    assert all(step in whole.steps for step in part.steps)
    assert plans.agreement_for(SPINE, of=part.code) == part, "a run keeps only the name"
    assert not part.needs_outcomes
    assert plans.agreement_for(TINY, of=code) == plans.planned(code, TINY)


def test_the_names_of_plans() -> None:
    assert plans.codes() == ("paper", "full", "extended")
    with pytest.raises(KeyError):
        plans.get("everything")


def test_every_finding_of_the_protocol_is_in_the_main_model() -> None:
    default = next(s for s in plans.get("full").steps if s.params.get("specification") == "default")
    assert {term["item"] for term in default.params["terms"]} == {i.code for i in SPINE.items if not i.support}
    assert len(default.params["terms"]) == 12


def test_results_survive_json_digit_for_digit(full: Results) -> None:
    text = full.to_json()
    assert "NaN" not in text
    assert "Infinity" not in text
    back = Results.from_json(text)
    assert back == full
    assert back.value("chisq/R1/modic_type1/by/success_15min", "odds_ratio") == np.inf
    assert isinstance(back.value("agreement/lee/specific_agreement", "2"), NotEstimable)
    assert Results.from_document(json.loads(json.dumps(full.to_document()))) == full


def test_what_was_not_computed_is_told_from_what_cannot_be(paper: Results) -> None:
    with pytest.raises(NotComputed, match="computes no agreement/lee/gwet"):
        paper.value("agreement/lee/gwet_ac1/declared", "estimate")
    with pytest.raises(NotComputed, match="no field nothing"):
        paper.value("agreement/lee/kappa_unweighted", "nothing")


def test_paper_numbers_are_fulls_numbers(paper: Results, full: Results) -> None:
    for entry in paper.entries:
        if "/firth" not in entry.id:
            assert full.entry(entry.id).values == entry.values


def test_progress_counts_up_and_may_cancel(d2: Frames) -> None:
    seen: list[tuple[int, int, str]] = []
    agreement = plans.agreement_for(SPINE)
    plans.carry_out(agreement, d2, progress=lambda done, of, label: seen.append((done, of, label)))
    assert [done for done, _, _ in seen] == list(range(len(seen)))
    assert seen[-1][0] == seen[-1][1]
    assert all(label for _, _, label in seen)

    class Cancelled(Exception):
        pass

    def stop(done: int, of: int, label: str) -> None:
        if done == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        plans.carry_out(agreement, d2, progress=stop)


def test_a_plan_that_does_not_fit_says_so(d2: Frames) -> None:
    with pytest.raises(NotPossible, match="made for 'tiny'"):
        plans.carry_out(plans.agreement_for(TINY), d2)
    without = from_handover(SPINE, [("C1", "R1", "main", "pfirrmann", "case", 3, None)])
    with pytest.raises(NotPossible, match="needs outcomes"):
        plans.carry_out(plans.get("paper"), without)
    odd = Plan("odd", "Odd", 1, "spondylolysis", (Step("describe", {"variables": ["weight"]}),))
    with pytest.raises(NotPossible, match="weight"):
        plans.carry_out(odd, d2)


def test_agreement_needs_no_outcome_and_is_the_full_plans(d2: Frames, full: Results) -> None:
    found = plans.carry_out(plans.agreement_for(SPINE), replace(d2, has_outcomes=False))
    for entry in found.entries:
        assert full.entry(entry.id).values == entry.values
    assert not [entry for entry in found.entries if "success" in entry.id or "nrs" in entry.id]


def test_a_tiny_instrument_gets_its_coefficients() -> None:
    rng = np.random.default_rng(5)
    rows: list[tuple[str, str, str, str, str, float | None, str | None]] = []
    for case in range(20):
        shape, volume = int(rng.choice([1, 2, 7])), round(float(rng.uniform(1, 9)), 2)
        for reader in ("R1", "R2"):
            own = shape if rng.random() < 0.8 else 1
            rows.append((f"C{case:02d}", reader, "main", "shape", "case", own, None))
            rows.append((f"C{case:02d}", reader, "main", "volume_ml", "case", volume + (reader == "R2") * 0.1, None))
            for site in ("right", "left"):
                rows.append((f"C{case:02d}", reader, "main", "coat", site, int(rng.integers(-1, 2)), None))
    found = plans.carry_out(plans.agreement_for(TINY), from_handover(TINY, rows))
    assert isinstance(found.value("agreement/shape/kappa_unweighted", "estimate"), float)
    assert "agreement/shape/kappa_linear" not in found
    assert "agreement/coat/kappa_quadratic" in found
    assert found.value("agreement/volume_ml/bland_altman", "bias") == pytest.approx(-0.1)
    assert found.value("completeness/R1/coat", "graded") == 20
