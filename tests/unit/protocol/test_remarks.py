"""Each check fires where it should and is silent one step beside it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from annotation.protocol import Facts, Measured, Protocol, Remark, Rule, catalogue, check, remarks
from tests.tiny_instrument import TINY
from tests.unit.protocol.cases import MR_ANSWERS, SPINE

ALL_ROLES = frozenset({"SAG_T2", "SAG_T1", "SAG_STIR", "AX_T2"})
AT_L5 = Facts(lysis_vertebra="L5", roles_present=ALL_ROLES)
ALL = SPINE.with_settings({"segments": "all"})
NEIGHBOURS = ("above", "above_2", "above_3", "above_4")


def look(changes: dict[str, object], facts: Facts = AT_L5, protocol: Protocol = SPINE) -> dict[str, Remark]:
    answers = {key: value for key, value in {**MR_ANSWERS, **changes}.items() if value is not None}
    check(protocol, "mr", answers, complete=False)
    fired = remarks(protocol, "mr", answers, facts)
    assert len({remark.code for remark in fired}) == len(fired)
    return {remark.code: remark for remark in fired}


def slip(value_mm: float, base_mm: float = 34.0, plane: str = "sagittal", **place: object) -> Facts:
    measured = replace(Measured(value_mm, base_mm, plane), **place)  # type: ignore[arg-type]
    return replace(AT_L5, measured={"slip_mm.case": measured})


def percent(value: float) -> Facts:
    return slip(value * 0.4, 40.0)


def test_a_plain_reading_sets_off_nothing() -> None:
    assert look({}, slip(8.2, off_midline_mm=2.0, segment="L5/S1")) == {}


@pytest.mark.parametrize(
    ("grade", "measured", "fires"),
    [
        (0, 3.0, False),
        (0, 3.2, True),
        (1, -2.9, False),
        (1, 28.0, False),
        (1, 28.1, True),
        (2, 22.0, False),
        (2, 21.9, True),
        (2, 53.1, True),
        (4, 72.0, False),
        (5, 97.0, False),
        (5, 96.9, True),
        (5, 140.0, False),
    ],
)
def test_c1_slip_outside_the_grades_band(grade: int, measured: float, fires: bool) -> None:
    changes: dict[str, object] = {"meyerding.case": grade, "slip_mm.case": round(measured * 0.4, 1)}
    assert ("C1" in look(changes, percent(measured))) == fires


def test_c1_says_both_and_names_both() -> None:
    remark = look({}, percent(31.0))["C1"]
    assert remark == Remark(
        "C1", "Measured 31 %; grade I covers over 0 % up to 25 %.", ("meyerding.case", "slip_mm.case"), "warn", False
    )


def test_c1_needs_points_and_both_answers() -> None:
    assert "C1" not in look({"slip_mm.case": 30.0})
    assert "C1" not in look({"meyerding.case": None}, percent(31.0))
    assert "C1" not in look({"slip_mm.case": {"not_assessable": "artefact"}}, percent(31.0))


@pytest.mark.parametrize(
    ("grade", "slip_mm", "fires"),
    [(0, 1.9, False), (0, 2.0, True), (0, -3.0, False), (1, 0.1, False), (1, 0.0, True), (2, -1.0, True)],
)
def test_c2_zero_grade_and_real_slip(grade: int, slip_mm: float, fires: bool) -> None:
    fired = look({"meyerding.case": grade, "slip_mm.case": slip_mm})
    assert ("C2" in fired) == fires
    if (grade, slip_mm) == (0, 2.0):
        assert fired["C2"].text == "Grade 0, but a slip of 2.0 mm."


def neighbours(**values: int) -> dict[str, object]:
    """All four upper segments graded healthy, with the named exceptions."""
    graded: dict[str, object] = {}
    for segment in NEIGHBOURS:
        graded |= {
            f"pfirrmann.{segment}": 2,
            f"modic_type1.{segment}": 0,
            f"weishaupt.{segment}": 0,
            f"segment_oedema.{segment}": 0,
        }
    return graded | {"segment_oedema.case": 0} | {key.replace("__", "."): value for key, value in values.items()}


@pytest.mark.parametrize("feature", ["pfirrmann__above", "weishaupt__above", "modic_type1__above"])
def test_c3_two_affected_segments_are_several(feature: str) -> None:
    value = {"pfirrmann__above": 4, "weishaupt__above": 2, "modic_type1__above": 1}[feature]
    fired = look(neighbours(**{feature: value}), protocol=ALL)
    assert fired["C3"].text == "Judged Uni-segmental; segments affected by your other answers: L5/S1, L4/5."
    assert "C3" not in look(neighbours(**{feature: value}) | {"segment_degeneration.case": 1}, protocol=ALL)


def test_c3_just_below_the_limits_is_one_segment() -> None:
    graded = neighbours(pfirrmann__above=3, weishaupt__above=1)
    assert "C3" not in look(graded, protocol=ALL)
    fired = look(graded | {"segment_degeneration.case": 1}, protocol=ALL)
    assert fired["C3"].text.endswith("L5/S1.")


def test_c3_says_several_were_found_without_waiting_for_the_rest() -> None:
    assert "C3" in look({"pfirrmann.above": 5}, protocol=ALL)


def test_c3_does_not_call_several_too_many_while_segments_are_open() -> None:
    several: dict[str, object] = {"segment_degeneration.case": 1}
    assert "C3" not in look(several | {"segment_oedema.case": 0}, protocol=ALL)
    assert "C3" not in look(several)
    adjacent = SPINE.with_settings({"segments": "adjacent"})
    graded = {key: value for key, value in neighbours().items() if key.endswith((".above", ".case"))}
    assert "C3" not in look(graded | several, protocol=adjacent)


def test_c3_takes_the_worse_side() -> None:
    sided = SPINE.with_settings({"segments": "adjacent", "sides": "both"})
    answers: dict[str, object] = {
        "segment_degeneration.case": 0,
        "pfirrmann.case": 5,
        "weishaupt.above_right": 0,
        "weishaupt.above_left": 2,
    }
    fired = {remark.code: remark for remark in remarks(sided, "mr", answers, AT_L5)}
    assert fired["C3"].text.endswith("L5/S1, L4/5.")


def test_c3_can_ask_for_the_same_feature() -> None:
    strict = ALL.with_settings({"rules": {"C3": {"same_feature": True}}})
    different = neighbours(weishaupt__above=3)
    assert "C3" in look(different, protocol=ALL)
    assert "C3" not in look(different, protocol=strict)
    assert "C3" in look(neighbours(pfirrmann__above=4), protocol=strict)


def test_c3_tells_of_a_lone_neighbour() -> None:
    lone = neighbours(pfirrmann__above=4) | {"pfirrmann.case": 2}
    fired = look(lone, protocol=ALL)
    assert fired["C3_neighbour"].text == ("Only L4/5 is affected by your answers, not the index segment L5/S1.")
    assert fired["C3_neighbour"].severity == "info"
    assert "C3_neighbour" not in look(neighbours(), protocol=ALL)
    assert "C3_neighbour" not in look(lone | {"weishaupt.above_2": None}, protocol=ALL)


def test_c3_and_c4_need_the_index_level() -> None:
    fired = look(neighbours(pfirrmann__above=4), Facts(), ALL)
    assert fired == {}


def test_c4_names_what_was_left_open() -> None:
    fired = look({"pfirrmann.above": 2, "modic_type1.above": 0, "weishaupt.above": 0}, protocol=ALL)
    assert fired["C4"].text == "Judged Uni-segmental; not graded: L3/4, L2/3, L1/2."
    assert fired["C4"].severity == "info"
    assert "weishaupt.above_2" in fired["C4"].cells
    # A case with an L5 lysis has no segment below, so nothing is open there.
    assert not any(".below" in cell for cell in fired["C4"].cells)
    assert "C4" not in look(neighbours(), protocol=ALL)
    assert "C4" not in look({})
    assert "C4" not in look({"segment_degeneration.case": 1}, protocol=ALL)


def test_c4_names_the_item_that_is_missing_where_a_segment_is_graded_in_part() -> None:
    """A disc that is graded is not called "not graded": only what is open stands there, the side where one is."""
    fired = look(neighbours() | {"modic_type1.above": None, "weishaupt.above_2": None}, protocol=ALL)
    assert fired["C4"].text == "Judged Uni-segmental; not graded: L4/5 (Modic I), L3/4 (Facet joints)."
    assert fired["C4"].cells == ("segment_degeneration.case", "modic_type1.above", "weishaupt.above_2")
    sided = SPINE.with_settings({"segments": "all", "sides": "both"})
    whole = {cell.key: 0 for cell in sided.cells("mr") if cell.site.segment != "index"}
    graded = {key: value + ("pfirrmann" in key) for key, value in whole.items() if ".below" not in key}
    answers: dict[str, object] = {**graded, "segment_degeneration.case": 0}
    del answers["weishaupt.above_left"]
    said = {remark.code: remark.text for remark in remarks(sided, "mr", answers, AT_L5)}
    assert said["C4"] == "Judged Uni-segmental; not graded: L4/5 (Facet joints left)."


@pytest.mark.parametrize(
    ("facts", "where"),
    [
        (slip(8.2, plane="axial"), "on a series that is axial"),
        (slip(8.2, off_midline_mm=-10.1), "10 mm off the midline"),
        (slip(8.2, segment="L4/5"), "on L4/5, not L5/S1"),
        (slip(8.2, off_midline_mm=10.0), None),
        (slip(8.2, segment="L5/S1"), None),
    ],
)
def test_c5_wrong_place(facts: Facts, where: str | None) -> None:
    fired = look({}, facts)
    assert ("C5" in fired) == (where is not None)
    if where:
        assert fired["C5"].text == f"Slip measured {where}."


@pytest.mark.parametrize(
    ("slip_mm", "base_mm", "fires"),
    [(5.0, 20.0, False), (5.0, 19.9, True), (5.0, 55.0, False), (5.0, 55.1, True), (40.0, 50.0, False)],
)
def test_c6_implausible_endplate(slip_mm: float, base_mm: float, fires: bool) -> None:
    assert ("C6" in look({"slip_mm.case": slip_mm}, slip(slip_mm, base_mm))) == fires


def test_c6_implausible_slip_without_points() -> None:
    assert look({"slip_mm.case": 40.1})["C6"].text == "Check the points: 40.1 mm."


def test_c7_retrolisthesis() -> None:
    backwards = look({"slip_mm.case": -2.0})["C7"]
    assert backwards.severity == "info"
    assert "\N{MINUS SIGN}2.0 mm" in backwards.text, "a minus, which stays with its number"
    assert "C7" not in look({"slip_mm.case": -1.9})


def test_c8_side_and_finding_do_not_fit() -> None:
    named = SPINE.with_settings({"sides": "named"})
    assert look({"isthmic_bme.case": 1, "isthmic_bme.right": 1, "soft_tissue_edema_cyst.left": 1}, protocol=named) == {}
    without = look({"isthmic_bme.case": 1, "soft_tissue_edema_cyst.left": 1}, protocol=named)
    assert without["C8"].text.endswith("Isthmic oedema.")
    reverse: dict[str, object] = {
        "isthmic_bme.case": 0,
        "isthmic_bme.left": 1,
        "soft_tissue_edema_cyst.edema": 0,
        "soft_tissue_edema_cyst.cyst": 1,
        "soft_tissue_edema_cyst.left": 1,
    }
    assert look(reverse, protocol=named)["C8"].cells == ("isthmic_bme.case", "isthmic_bme.right", "isthmic_bme.left")
    assert "C8" not in look({"isthmic_bme.case": 1})


def test_c9_another_level_asks_the_coordinator() -> None:
    remark = look({"level_seen.case": 4})["C9"]
    assert remark.query
    assert remark.text == "You see the lysis at L4; the case is set to L5."
    assert "C9" not in look({"level_seen.case": 5})


def test_c10_answered_without_the_series() -> None:
    facts = replace(AT_L5, roles_present=frozenset({"SAG_T1", "AX_T2"}))
    remark = look({"isthmic_bme.case": {"not_assessable": "sequence_missing"}}, facts)["C10"]
    assert "isthmic_bme.case" not in remark.cells
    assert "pfirrmann.case" in remark.cells
    # Either sagittal series will do for the slip.
    assert "slip_mm.case" not in remark.cells
    assert remark.text.startswith("Answered although a series is not in this case (SAG T2, SAG STIR or SAG T2): ")
    assert "C10" not in look({}, replace(AT_L5, roles_present=None))


def test_c10_belongs_to_the_ct_form_too() -> None:
    facts = Facts(roles_present=frozenset({"CT_PRE"}))
    fired = remarks(SPINE, "ct", {"contrast_pattern.right": 1}, facts)
    assert [(remark.code, remark.cells) for remark in fired] == [("C10", ("contrast_pattern.right",))]


def test_a_check_of_one_form_is_silent_on_the_other() -> None:
    mr_only = replace(SPINE, rules=(Rule("X", "missing_roles", {}, "{items}", form="mr"),))
    facts = Facts(roles_present=frozenset())
    assert remarks(mr_only, "ct", {"contrast_pattern.right": 1}, facts) == ()
    assert [remark.text for remark in remarks(mr_only, "mr", {"lee.case": 1}, facts)] == ["Foramen"]


def test_checks_can_be_switched_off_and_tuned() -> None:
    off = SPINE.with_settings({"checks_off": ["C2"]})
    assert "C2" not in look({"meyerding.case": 0}, protocol=off)
    tuned = SPINE.with_settings({"rules": {"C2": {"at_least": 9.0}}})
    assert "C2" not in look({"meyerding.case": 0}, protocol=tuned)


def test_a_check_of_another_instrument() -> None:
    fired = remarks(TINY, "one", {"volume_ml.case": 0.25}, Facts())
    assert [remark.text for remark in fired] == ["A small pebble of 0.25 mL."]


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (Rule("X", "guess", {}, "x"), "no kind"),
        (Rule("X", "at_most", {"measure": "volume_ml"}, "x"), "takes"),
        (Rule("X", "at_most", {"measure": "volume_ml", "at_most": 1}, "{colour}"), "no word"),
    ],
)
def test_a_rule_that_cannot_be_carried_out_is_refused(rule: Rule, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        catalogue.register(replace(TINY, code="broken", rules=(rule,)))
    assert "broken" not in catalogue.codes()


def test_a_rule_about_an_unknown_item_is_refused() -> None:
    rule = Rule("X", "at_most", {"measure": "weight", "at_most": 1}, "x")
    with pytest.raises(LookupError, match="weight"):
        catalogue.register(replace(TINY, code="broken", rules=(rule,)))
