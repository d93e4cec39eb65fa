from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from annotation.protocol import (
    CASE,
    SIDES,
    Criterion,
    Item,
    Layout,
    Level,
    Nominal,
    Ordinal,
    Protocol,
    Reason,
    Rule,
    Unknown,
    View,
    catalogue,
    levels,
)
from tests.tiny_instrument import TINY, VOLUME
from tests.unit.protocol.cases import FORM_NAMES, FORMS, SPINE, WIDE

# What a stored study refers to. A change here means that open studies become read-only: raise the version instead.
SPINE_DIGEST = "818f8c4b3e462a2220c65710a833ddf953451d30f0da6b058b5216d7957f32b8"


def test_the_published_version_does_not_change() -> None:
    assert SPINE.digest() == SPINE_DIGEST


def _with_item(protocol: Protocol, code: str, **changes: Any) -> Protocol:
    items = tuple(replace(item, **changes) if item.code == code else item for item in protocol.items)
    return replace(protocol, items=items)


def _coat(*, source: str = "Made up for the tests", criteria: str = "", export: str | None = None) -> Ordinal:
    first, *rest = levels("None", "Thin", "Thick", first=-1)
    return Ordinal("Coat", (replace(first, criteria=criteria, export=export), *rest), source)


MEANING: dict[str, Callable[[], Protocol]] = {
    "version": lambda: replace(TINY, version=2),
    "question": lambda: _with_item(TINY, "coat", asked="Is there a coat?"),
    "criteria": lambda: _with_item(TINY, "coat", criteria="Look twice."),
    "sites": lambda: _with_item(TINY, "coat", sites=CASE),
    "order of sites": lambda: _with_item(TINY, "coat", sites=SIDES[::-1]),
    "required": lambda: _with_item(TINY, "volume_ml", required=True),
    "level criteria": lambda: _with_item(TINY, "coat", scale=_coat(criteria="Bare.")),
    "level export": lambda: _with_item(TINY, "coat", scale=_coat(export="none")),
    "level codes": lambda: _with_item(TINY, "coat", scale=Ordinal("Coat", levels("None", "Thin", "Thick"), "x")),
    "kind of scale": lambda: _with_item(
        TINY,
        "shape",
        scale=Ordinal("Shape", TINY.item("shape").scale.levels, "x"),  # type: ignore[union-attr]
    ),
    "range": lambda: _with_item(TINY, "volume_ml", scale=replace(VOLUME, high=12.0)),
    "unit": lambda: _with_item(TINY, "volume_ml", scale=replace(VOLUME, unit="cL")),
    "rule parameter": lambda: replace(TINY, rules=(replace(TINY.rules[0], params={"measure": "coat", "at_most": 1}),)),
    "no rules": lambda: replace(TINY, rules=()),
    "reasons": lambda: replace(TINY, reasons=TINY.reasons[:1]),
    "order of items": lambda: replace(TINY, items=TINY.items[::-1]),
}
WORDING: dict[str, Callable[[], Protocol]] = {
    "title": lambda: replace(TINY, title="Kiesel"),
    "form title": lambda: replace(TINY, forms=(replace(TINY.forms[0], title="Bogen"),)),
    "short name": lambda: _with_item(TINY, "coat", short="Mantel"),
    "source": lambda: _with_item(TINY, "coat", scale=_coat(source="Elsewhere")),
    "reason label": lambda: replace(TINY, reasons=tuple(replace(reason, label="?") for reason in TINY.reasons)),
    "remark": lambda: replace(TINY, rules=(replace(TINY.rules[0], text="Klein: {value}."),)),
    "layouts": lambda: replace(TINY, forms=(replace(TINY.forms[0], layouts=()),)),
    "who is left out": lambda: replace(TINY, exclusions=(Criterion("a", "Broken"),)),
}


@pytest.mark.parametrize("what", MEANING)
def test_the_digest_covers_what_an_answer_means(what: str) -> None:
    assert MEANING[what]().digest() != TINY.digest()


@pytest.mark.parametrize("what", WORDING)
def test_the_digest_leaves_wording_free(what: str) -> None:
    assert WORDING[what]().digest() == TINY.digest()


def test_the_criteria_are_those_of_the_reference_study_in_their_order() -> None:
    assert [criterion.code for criterion in SPINE.exclusions] == ["a", "b", "c", "d", "e"]
    assert SPINE.with_settings({"index_level_shown": False}).exclusions == SPINE.exclusions
    with pytest.raises(ValueError, match="Doubled exclusions"):
        replace(TINY, exclusions=(Criterion("a", "Broken"), Criterion("a", "Wet")))
    with pytest.raises(ValueError, match="one lower-case letter"):
        Criterion("A1", "Broken")


def test_lookups_by_an_unknown_code_say_so() -> None:
    for ask in (
        lambda: SPINE.item("tail"),
        lambda: SPINE.form("us"),
        lambda: SPINE.cell("lee.tail"),
        lambda: SPINE.cell("lee"),
        lambda: SPINE.items_of("us"),
        lambda: SPINE.reason("bored"),
        lambda: SPINE.segment_names("T12"),
        lambda: catalogue.get("spondylolysis", 99),
        lambda: catalogue.latest("knee"),
    ):
        with pytest.raises(Unknown):
            ask()


def test_the_catalogue_keeps_a_published_version() -> None:
    catalogue.register(SPINE)
    assert catalogue.latest("spondylolysis") is SPINE
    assert "spondylolysis" in catalogue.codes()
    with pytest.raises(ValueError, match="already known"):
        catalogue.register(replace(SPINE, title="Something else"))
    assert catalogue.get("spondylolysis", 1) is SPINE


def test_the_eleven_findings_and_their_codes() -> None:
    findings = {item.code: item for item in SPINE.items if not item.support}
    assert list(findings) == [
        "contrast_pattern",
        "segment_degeneration",
        "pfirrmann",
        "modic_type1",
        "weishaupt",
        "bartynski",
        "lee",
        "slip_mm",
        "meyerding",
        "isthmic_bme",
        "soft_tissue_edema_cyst",
    ]
    coded = {code: item.scale for code, item in findings.items() if isinstance(item.scale, Nominal | Ordinal)}
    assert {code: scale.codes for code, scale in coded.items()} == {
        "contrast_pattern": (1, 2, 3),
        "segment_degeneration": (0, 1),
        "pfirrmann": (1, 2, 3, 4, 5),
        "modic_type1": (0, 1),
        "weishaupt": (0, 1, 2, 3),
        "bartynski": (0, 1, 2, 3),
        "lee": (0, 1, 2, 3),
        "meyerding": (0, 1, 2, 3, 4, 5),
        "isthmic_bme": (0, 1),
        "soft_tissue_edema_cyst": (0, 1),
    }
    assert all(level.criteria for scale in coded.values() for level in scale.levels)
    assert all(item.criteria and item.read_on and item.roles and item.required for item in findings.values())


def test_export_words_and_numbers() -> None:
    assert [SPINE.exported("contrast_pattern", code) for code in (1, 2, 3)] == ["peri", "intra", "trans"]
    assert SPINE.exported("segment_degeneration", 1) == "multi"
    assert SPINE.exported("pfirrmann", 4) == 4
    assert SPINE.exported("slip_mm", 8.2) == 8.2
    with pytest.raises(ValueError, match="no level 6"):
        SPINE.exported("pfirrmann", 6)


@pytest.mark.parametrize("protocol", [SPINE, TINY], ids=["spine", "tiny"])
def test_what_is_exported_can_be_read_back(protocol: Protocol) -> None:
    for item in protocol.items:
        values = item.scale.codes if isinstance(item.scale, Nominal | Ordinal) else tuple(item.scale.steps())
        for value in values:
            assert protocol.parsed(item.code, str(protocol.exported(item.code, value))) == value


@pytest.mark.parametrize(
    ("item", "text", "value"), [("pfirrmann", " 4.0 ", 4), ("slip_mm", "-3", -3.0), ("contrast_pattern", "trans", 3)]
)
def test_parsed_takes_what_tables_write(item: str, text: str, value: float) -> None:
    assert SPINE.parsed(item, text) == value


@pytest.mark.parametrize(
    ("item", "text", "expected"),
    [
        ("contrast_pattern", "2", "expected peri, intra, trans"),
        ("contrast_pattern", "Intra-defect", "expected peri"),
        ("pfirrmann", "6", "expected 1, 2, 3, 4, 5"),
        ("modic_type1", "yes", "expected 0, 1"),
        ("pfirrmann", "", "expected"),
        ("slip_mm", "nan", "expected -20.0 to 60.0 mm"),
        ("slip_mm", "inf", "expected"),
        ("slip_mm", "61", "expected"),
        ("slip_mm", "8,2", "expected"),
    ],
)
def test_parsed_names_what_was_expected(item: str, text: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        SPINE.parsed(item, text)


def test_percent_waits_for_the_grade_by_eye() -> None:
    assert not SPINE.reveals_percent("mr", {"slip_mm.case": 8.2})
    assert SPINE.reveals_percent("mr", {"meyerding.case": 1})
    assert SPINE.reveals_percent("mr", {"meyerding.case": {"not_assessable": "artefact"}})
    assert TINY.reveals_percent("one", {})


def test_segments_of_a_case() -> None:
    assert SPINE.index_levels == ("L1", "L2", "L3", "L4", "L5", "L6")
    assert SPINE.segment_names("L5") == {
        "index": "L5/S1",
        "above": "L4/5",
        "above_2": "L3/4",
        "above_3": "L2/3",
        "above_4": "L1/2",
    }
    assert SPINE.segment_names("L4") == {
        "index": "L4/5",
        "above": "L3/4",
        "above_2": "L2/3",
        "above_3": "L1/2",
        "below": "L5/S1",
    }
    assert SPINE.segment_names("L3")["index"] == "L3/4"
    assert SPINE.segment_names("L6") == {
        "index": "L6/S1",
        "above": "L5/6",
        "above_2": "L4/5",
        "above_3": "L3/4",
        "above_4": "L2/3",
        "above_5": "L1/2",
    }
    assert SPINE.segment_names("L1")["below_4"] == "L5/S1"


def keys(protocol: Protocol, item: str) -> list[str]:
    return [site.code for site in protocol.item(item).sites]


def test_settings_that_change_nothing_keep_the_digest() -> None:
    same = SPINE.with_settings({"segments": "index", "sides": "once", "allow_head": True, "checks_off": []})
    assert same == SPINE
    assert same.digest() == SPINE.digest()


def test_settings_spread_items_over_segments_and_sides() -> None:
    assert keys(WIDE, "pfirrmann") == ["case", "above", "below"]
    assert keys(WIDE, "lee") == ["right", "left", "above_right", "above_left", "below_right", "below_left"]
    assert keys(WIDE, "isthmic_bme") == ["right", "left"]
    assert keys(WIDE, "soft_tissue_edema_cyst") == ["right_edema", "left_edema", "right_cyst", "left_cyst"]
    assert keys(WIDE, "contrast_pattern") == ["right", "left"]
    assert keys(WIDE, "slip_mm") == ["case"]
    every = SPINE.with_settings({"segments": "all"})
    assert keys(every, "weishaupt") == [
        "case",
        *("above", "above_2", "above_3", "above_4", "above_5"),
        *("below", "below_2", "below_3", "below_4"),
    ]
    named = SPINE.with_settings({"sides": "named"})
    assert keys(named, "isthmic_bme") == ["case", "right", "left"]
    assert keys(named, "weishaupt") == ["case"]
    assert len({protocol.digest() for protocol in (SPINE, WIDE, every, named)}) == 4


def test_neighbours_are_asked_but_never_demanded() -> None:
    cells = {cell.key: cell for cell in WIDE.cells("mr")}
    assert cells["lee.right"].required
    assert not cells["lee.above_right"].required
    assert cells["lee.above_right"].site.side == "right"
    assert cells["lee.above_right"].site.segment == "above"


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"segments": "some"}, "segments is 'some'"),
        ({"segments": 1}, "segments is 1"),
        ({"sides": "right"}, "sides is 'right'"),
        ({"checks_off": ["C99"]}, "C99"),
        ({"checks_off": "C1"}, "list of rule codes"),
        ({"rules": {"C1": {"tolerence": 1}}}, "C1 has the parameters"),
        ({"rules": {"C77": {}}}, "C77"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(chosen: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        SPINE.with_settings(chosen)


BROKEN: dict[str, tuple[Callable[[], object], str]] = {
    "two items of a name": (lambda: replace(TINY, items=TINY.items * 2), "Doubled items"),
    "two rules of a name": (lambda: replace(TINY, rules=TINY.rules * 2), "Doubled rules"),
    "form nobody has": (lambda: _with_item(TINY, "coat", form="two"), "no form 'two'"),
    "role the form lacks": (lambda: _with_item(TINY, "coat", roles=("SAG_T2|CT_PRE",)), "CT_PRE"),
    "waits for nothing": (lambda: _with_item(TINY, "volume_ml", percent_after=("weight",)), "weight"),
    "waits for another form": (lambda: _with_item(SPINE, "slip_mm", percent_after=("quality_ct",)), "another form"),
    "two sites, one value": (lambda: _with_item(TINY, "coat", combine="only"), "combines"),
    "highest of no order": (lambda: _with_item(TINY, "shape", combine="max"), "no order"),
    "odd code": (lambda: replace(TINY.items[0], code="Coat.2"), "Not a code"),
    "reserved reason": (lambda: Reason("not_answered", "Later"), "absent answer"),
    "rule of no form": (lambda: replace(TINY, rules=(Rule("X", "at_most", {}, "x", form="two"),)), "no form 'two'"),
    "linked stranger": (lambda: replace(TINY.forms[0], linked=(("COR",),)), "COR"),
    "view of no role": (
        lambda: replace(TINY.forms[0], layouts=(Layout("x", "X", 1, 1, (View("COR", "first", "1"),)),)),
        "COR",
    ),
    "view of no preset": (
        lambda: replace(TINY.forms[0], layouts=(Layout("x", "X", 1, 1, (View("OTHER", "first", "9"),)),)),
        "'9'",
    ),
    "grid and views": (lambda: replace(TINY.forms[0], layouts=(Layout("x", "X", 2, 2, ()),)), "0 views"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_an_instrument_that_contradicts_itself_is_refused(what: str) -> None:
    make, sentence = BROKEN[what]
    with pytest.raises((ValueError, LookupError), match=sentence):
        make()


def test_instruments_cannot_be_changed_in_place() -> None:
    with pytest.raises(TypeError):
        SPINE.rules[0].params["tolerance"] = 9  # type: ignore[index]
    with pytest.raises(TypeError):
        SPINE.segments["L7"] = {}  # type: ignore[index]
    assert hash(SPINE) == hash(replace(SPINE))


@pytest.mark.parametrize(("protocol", "form"), FORMS, ids=FORM_NAMES)
def test_sheets_and_codebooks_are_json(protocol: Protocol, form: str) -> None:
    sheet = protocol.sheet(form)
    assert json.loads(json.dumps(sheet, allow_nan=False)) == sheet
    book = protocol.codebook()
    assert json.loads(json.dumps(book, allow_nan=False)) == book
    columns = list(book[0])
    assert {"item", "site", "label", "kind", "code", "level", "unit", "range", "reference", "form", "missing"} < set(
        columns
    )
    assert all(set(row) == set(columns) for row in book)


def test_the_sheet_as_the_viewer_takes_it() -> None:
    sheet: dict[str, Any] = SPINE.sheet("mr")
    assert {key: sheet[key] for key in ("protocol", "version", "form", "title", "modality")} == {
        "protocol": "spondylolysis",
        "version": 1,
        "form": "mr",
        "title": "MRI form",
        "modality": "MR",
    }
    assert sheet["reasons"][-1] == {"code": "other", "label": "Other", "note": True}
    items = {item["code"]: item for item in sheet["items"]}
    assert items["pfirrmann"]["scale"]["levels"][3] | {"criteria": ""} == {
        "code": 4,
        "label": "IV",
        "criteria": "",
        "key": "4",
    }
    assert items["slip_mm"]["scale"] == {
        "kind": "continuous",
        "name": "Slip",
        "unit": "mm",
        "low": -20.0,
        "high": 60.0,
        "decimals": 1,
        "tool": "three_points",
    }
    start = sheet["layouts"][0]
    assert (start["rows"], start["columns"]) == (2, 2)
    assert [view["role"] for view in start["views"]] == ["SAG_T2", "SAG_T1", "SAG_STIR", "AX_T2"]
    assert start["views"][3]["start"] == "index_disc"
    assert sheet["linked"] == [["SAG_T2", "SAG_T1", "SAG_STIR"], ["AX_T2", "AX_T1"]]
    assert [(jump["code"], jump["kind"], jump["left_mm"]) for jump in sheet["jumps"]] == [
        ("midline", "lateral", 0.0),
        ("right_pars", "lateral", -20.0),
        ("left_pars", "lateral", 20.0),
        ("index_disc", "index_disc", 0.0),
    ]
    assert sheet["reformat_layouts"] == []
    assert sheet["presets"] == [
        {"key": "1", "title": "As stored", "kind": "stored"},
        {"key": "5", "title": "MR automatic", "kind": "automatic"},
    ]


def test_the_ct_form_opens_before_beside_after_on_bone() -> None:
    sheet: dict[str, Any] = SPINE.sheet("ct")
    views = sheet["layouts"][0]["views"]
    assert [(view["role"], view["preset"]) for view in views] == [("CT_PRE", "2"), ("CT_POST", "2")]
    assert {"key": "2", "title": "CT bone", "kind": "window", "width": 2000, "level": 500} in sheet["presets"]
    thin = sheet["reformat_layouts"]
    assert [layout["max_slice_mm"] for layout in thin] == [2.0, 2.0]
    assert [[view["reformat"] for view in layout["views"]] for layout in thin] == [
        ["", "", "sagittal"],
        ["", "sagittal", "", "coronal"],
    ]
    assert all(not view["reformat"] for layout in sheet["layouts"] for view in layout["views"])


def test_a_sheet_for_a_case_leaves_out_segments_it_does_not_have() -> None:
    sheet: dict[str, Any] = WIDE.sheet("mr", index_level="L5")
    items = {item["code"]: item for item in sheet["items"]}
    assert [(cell["key"], cell["label"]) for cell in items["lee"]["cells"]] == [
        ("lee.right", "L5/S1, right"),
        ("lee.left", "L5/S1, left"),
        ("lee.above_right", "L4/5, right"),
        ("lee.above_left", "L4/5, left"),
    ]
    assert [cell["label"] for cell in items["isthmic_bme"]["cells"]] == ["Right", "Left"]
    assert [cell["label"] for cell in items["slip_mm"]["cells"]] == [""]


def test_the_codebook_explains_every_number() -> None:
    book = {(row["cell"], row["code"]): row for row in SPINE.codebook()}
    contrast = book["contrast_pattern.left", 2]
    assert contrast["label"] == "Contrast distribution at the defect (left)"
    assert (contrast["level"], contrast["export"], contrast["kind"]) == ("Intra-defect", "intra", "ordinal")
    assert contrast["combine"] == "max"
    slip = book["slip_mm.case", ""]
    assert (slip["unit"], slip["range"], slip["decimals"]) == ("mm", "-20.0 to 60.0 mm", 1)
    assert "not_covered: Not covered by the images" in str(slip["missing"])


def test_items_share_a_scale_in_the_schema() -> None:
    schema: dict[str, Any] = SPINE.schema("mr", complete=True)
    assert "level_seen.case" not in schema["required"]
    assert "quality_mr.case" in schema["required"]
    same_name = replace(
        TINY,
        items=(
            Item("one_a", Nominal("Mark", levels("No", "Yes"), "x"), form="one", asked="?", short="A"),
            Item("one_b", Nominal("Mark", (Level(3, "C"), Level(4, "D")), "x"), form="one", asked="?", short="B"),
        ),
        rules=(),
    )
    defined: dict[str, Any] = same_name.schema("one", complete=False)["$defs"]  # type: ignore[assignment]
    assert defined["mark"]["enum"] == [0, 1]
    assert defined["mark_one_b"]["enum"] == [3, 4]
