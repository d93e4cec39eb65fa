from __future__ import annotations

import json
import math
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.protocol import Invalid, Missing, Protocol, canonical, case_value, case_values, check, progress, rows
from tests.tiny_instrument import TINY
from tests.unit.protocol.cases import CT_ANSWERS, FORM_NAMES, FORMS, MR_ANSWERS, SPINE

VALIDATORS = {
    (id(protocol), form, complete): jsonschema.Draft202012Validator(protocol.schema(form, complete=complete))
    for protocol, form in FORMS
    for complete in (False, True)
}


def accepts(protocol: Protocol, form: str, answers: object, *, complete: bool) -> bool:
    try:
        check(protocol, form, answers, complete=complete)
    except Invalid:
        return False
    return True


def faults(form: str, answers: object, *, complete: bool = False) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        check(SPINE, form, answers, complete=complete)
    return {fault.cell: fault.message for fault in caught.value.faults}


def test_a_good_reading_passes() -> None:
    check(SPINE, "ct", CT_ANSWERS, complete=True)
    check(SPINE, "mr", {**MR_ANSWERS, "comment": "Motion on STIR."}, complete=True)
    check(SPINE, "mr", {}, complete=False)


@pytest.mark.parametrize(
    ("cell", "answer", "words"),
    [
        ("pfirrmann.case", 6, "6 is no level; expected 1, 2, 3, 4, 5"),
        ("pfirrmann.case", 0, "no level"),
        ("pfirrmann.case", 4.5, "no level"),
        ("pfirrmann.case", "4", "Expected a number"),
        ("pfirrmann.case", None, "Expected a number"),
        ("modic_type1.case", True, "not True"),
        ("slip_mm.case", False, "not False"),
        ("slip_mm.case", 60.1, "out of range; expected -20.0 to 60.0 mm"),
        ("slip_mm.case", math.nan, "out of range"),
        ("slip_mm.case", math.inf, "out of range"),
        ("slip_mm.case", 8.25, "decimal"),
        ("slip_mm.case", 10**400, "out of range"),
        ("lee.case", {"not_assessable": "tired"}, "is no reason"),
        ("lee.case", {"not_assessable": None}, "is no reason"),
        ("lee.case", {}, "reason is missing"),
        ("lee.case", {"note": "x"}, "reason is missing"),
        ("lee.case", {"not_assessable": "other"}, "needs a note"),
        ("lee.case", {"not_assessable": "other", "note": " \n"}, "needs a note"),
        ("lee.case", {"not_assessable": "other", "note": 5}, "Expected text"),
        ("lee.case", {"not_assessable": "artefact", "note": "x" * 501}, "At most 500"),
        ("lee.case", {"not_assessable": "artefact", "value": 2}, "Unknown: value"),
        ("lee.left", 1, "does not ask"),
        ("contrast_pattern.right", 1, "does not ask"),
        ("comment", 5, "Expected text"),
        ("comment", "x" * 2001, "At most 2000"),
    ],
)
def test_what_cannot_be_stored_is_named(cell: str, answer: object, words: str) -> None:
    found = faults("mr", {**MR_ANSWERS, cell: answer})
    assert list(found) == [cell]
    assert words in found[cell]


def test_every_fault_is_named_at_once() -> None:
    assert set(faults("mr", {"pfirrmann.case": 9, "lee.case": -1, "nonsense": 1})) == {
        "pfirrmann.case",
        "lee.case",
        "nonsense",
    }


@pytest.mark.parametrize("answers", [None, [], "x", 3])
def test_a_document_is_an_object(answers: object) -> None:
    assert list(faults("mr", answers)) == [""]


def test_complete_means_every_required_cell() -> None:
    found = faults("ct", {"contrast_pattern.right": 1}, complete=True)
    assert found == {"contrast_pattern.left": "Not answered.", "quality_ct.case": "Not answered."}


def test_progress_counts_required_cells() -> None:
    assert progress(SPINE, "ct", {"contrast_pattern.right": 1, "confidence_ct.case": 3}) == (1, 3)
    assert progress(SPINE, "ct", CT_ANSWERS) == (3, 3)


# A reader's documents, good ones and ones that are wrong in the ways documents go wrong.
def _answer(protocol: Protocol) -> st.SearchStrategy[Any]:
    codes = st.sampled_from([reason.code for reason in protocol.reasons] + ["tired", ""])
    excuse = st.fixed_dictionaries(
        {},
        optional={
            "not_assessable": codes | st.none() | st.integers(0, 1),
            "note": st.sampled_from(["", "  ", "metal", "x" * 500, "x" * 501, 5, None]),
            "value": st.just(1),
        },
    )
    return st.one_of(
        st.integers(-2, 9),
        st.integers(-250, 650).map(lambda tenths: tenths / 10),
        st.sampled_from([8.25, 0.01, 12.34, 12.51, -0.0, 4.0, 1e300, 10**30, math.nan, math.inf, -math.inf]),
        st.floats(-30, 70),
        st.booleans(),
        st.none(),
        st.sampled_from(["4", "", []]),
        excuse,
    )


@st.composite
def _documents(draw: st.DrawFn, protocol: Protocol, form: str) -> object:
    seed = draw(st.integers(0, 2**32 - 1))
    answers = protocol.simulate(np.random.default_rng(seed), form, unassessable=0.2)
    keys = [cell.key for cell in protocol.cells(form)]
    for key in draw(st.lists(st.sampled_from(keys), max_size=2)):
        answers.pop(key, None)
    strange = st.sampled_from([*keys, "comment", "nonsense", "pfirrmann", "pfirrmann.left", ""])
    text = st.sampled_from(["", "ok", "x" * 2000, "x" * 2001])
    answers.update(draw(st.dictionaries(strange, _answer(protocol) | text, max_size=3)))
    return answers


@pytest.mark.parametrize("complete", [False, True])
@pytest.mark.parametrize(("protocol", "form"), FORMS, ids=FORM_NAMES)
@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_schema_and_checker_agree(protocol: Protocol, form: str, complete: bool, data: st.DataObject) -> None:
    answers = data.draw(_documents(protocol, form))
    by_schema = VALIDATORS[id(protocol), form, complete].is_valid(answers)
    assert accepts(protocol, form, answers, complete=complete) == by_schema


@pytest.mark.parametrize(("protocol", "form"), FORMS, ids=FORM_NAMES)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_schema_and_checker_agree_on_every_answer(protocol: Protocol, form: str, data: st.DataObject) -> None:
    cell = data.draw(st.sampled_from([cell.key for cell in protocol.cells(form)]))
    answers = {cell: data.draw(_answer(protocol))}
    by_schema = VALIDATORS[id(protocol), form, False].is_valid(answers)
    assert accepts(protocol, form, answers, complete=False) == by_schema


@pytest.mark.parametrize("value", [True, False, math.nan, math.inf, 8.25, "8.2", None, 60.1])
def test_the_schema_refuses_what_json_makes_easy(value: object) -> None:
    assert not VALIDATORS[id(SPINE), "mr", False].is_valid({"slip_mm.case": value})


def test_the_schema_takes_every_step_of_a_measurement() -> None:
    validator = VALIDATORS[id(SPINE), "mr", False]
    for tenths in range(-200, 601):
        answers = json.loads(f'{{"slip_mm.case": {tenths / 10}}}')
        assert validator.is_valid(answers)
        check(SPINE, "mr", answers, complete=False)


@pytest.mark.parametrize(("protocol", "form"), FORMS, ids=FORM_NAMES)
@pytest.mark.parametrize("complete", [False, True])
def test_the_schema_is_a_schema(protocol: Protocol, form: str, complete: bool) -> None:
    jsonschema.Draft202012Validator.check_schema(protocol.schema(form, complete=complete))


def test_equal_answers_have_one_spelling() -> None:
    spelt = {
        "slip_mm.case": -0.0,
        "lee.case": {"note": " metal ", "not_assessable": "other"},
        "comment": "  ",
        "pfirrmann.case": 4.0,
    }
    tidy = canonical(SPINE, "mr", spelt)
    expected = '{"pfirrmann.case": 4, "lee.case": {"not_assessable": "other", "note": "metal"}, "slip_mm.case": 0.0}'
    assert json.dumps(tidy) == expected
    assert canonical(SPINE, "mr", tidy) == tidy


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_one_spelling_passes_and_stays(data: st.DataObject) -> None:
    answers = data.draw(_documents(SPINE, "mr"))
    if not isinstance(answers, dict) or not accepts(SPINE, "mr", answers, complete=False):
        return
    tidy = canonical(SPINE, "mr", answers)
    check(SPINE, "mr", tidy, complete=False)
    assert json.dumps(canonical(SPINE, "mr", tidy)) == json.dumps(tidy)


CONTRAST = SPINE.item("contrast_pattern")
VERY = {"not_assessable": "artefact"}


@pytest.mark.parametrize(
    ("right", "left", "expected"),
    [
        (1, 2, 2),
        (3, 1, 3),
        (3, VERY, 3),
        (VERY, 3, 3),
        (2, VERY, Missing("artefact")),
        (VERY, 1, Missing("artefact")),
        (None, 2, Missing("not_answered")),
        (VERY, None, Missing("artefact")),
        (2, Missing("other"), Missing("other")),
    ],
)
def test_the_deeper_side_is_the_case_value(right: object, left: object, expected: object) -> None:
    assert case_value(CONTRAST, {"right": right, "left": left}) == expected


def test_either_sub_answer_makes_the_finding() -> None:
    item = SPINE.item("soft_tissue_edema_cyst")
    assert case_value(item, {"edema": 0, "cyst": 1}) == 1
    assert case_value(item, {"edema": 0, "cyst": 0}) == 0
    assert case_value(item, {"edema": 1, "cyst": VERY}) == 1
    assert case_value(item, {"edema": 0, "cyst": VERY}) == Missing("artefact")


def test_neighbours_never_enter_the_case_value() -> None:
    item = SPINE.with_settings({"segments": "all", "sides": "both"}).item("weishaupt")
    values = {"right": 0, "left": 1, "above_right": 3, "above_left": 3}
    assert case_value(item, values) == 1
    assert case_value(item, {"above_right": 3}) == Missing("not_answered")


def test_case_values_of_a_form() -> None:
    values = case_values(SPINE, "ct", CT_ANSWERS)
    assert values == {
        "contrast_pattern": Missing("artefact"),
        "quality_ct": 2,
        "confidence_ct": Missing("not_answered"),
    }


def test_case_value_of_a_boolean_is_a_mistake_of_the_program() -> None:
    with pytest.raises(TypeError, match="True"):
        case_value(CONTRAST, {"right": True, "left": 1})


def test_rows_are_one_a_cell() -> None:
    long = [(row.item, row.site, row.value, row.reason) for row in rows(SPINE, "ct", CT_ANSWERS)]
    assert long == [
        ("contrast_pattern", "right", 2, None),
        ("contrast_pattern", "left", None, "artefact"),
        ("quality_ct", "case", 2, None),
        ("confidence_ct", "case", None, None),
    ]


@pytest.mark.parametrize(("protocol", "form"), FORMS, ids=FORM_NAMES)
def test_simulated_readings_pass(protocol: Protocol, form: str) -> None:
    for seed in range(20):
        truth = protocol.simulate(np.random.default_rng(seed), form)
        check(protocol, form, truth, complete=True)
        rng = np.random.default_rng(seed)
        read = protocol.simulate(rng, form, truth=truth, agreement=0.7, unassessable=0.3)
        check(protocol, form, read, complete=True)
        assert read == protocol.simulate(
            np.random.default_rng(seed), form, truth=truth, agreement=0.7, unassessable=0.3
        )


def test_simulated_agreement_follows_what_was_asked() -> None:
    rng = np.random.default_rng(5)
    truth = TINY.simulate(rng, "one")
    copies = [TINY.simulate(rng, "one", truth=truth, agreement=0.7) for _ in range(2000)]
    same = np.mean([copy["shape.case"] == truth["shape.case"] for copy in copies])
    # Copied in 70 %, and one in three of the rest by chance.
    assert same == pytest.approx(0.8, abs=0.03)
    volumes = np.array([copy["volume_ml.case"] for copy in copies], dtype=float)
    assert volumes.mean() == pytest.approx(float(str(truth["volume_ml.case"])), abs=0.05)
    assert TINY.simulate(rng, "one", truth=truth, agreement=1.0) == truth


def test_simulation_refuses_a_chance_above_one() -> None:
    with pytest.raises(ValueError, match=r"1\.5"):
        TINY.simulate(np.random.default_rng(0), "one", agreement=1.5)
