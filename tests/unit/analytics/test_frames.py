from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analytics.frames import BadTable, Frames, from_handover, from_tables, read_table
from annotation.protocol import catalogue
from tests.tiny_instrument import TINY

SPINE = catalogue.latest("spondylolysis")


def tables(oracles: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    return read_table(oracles / "d2" / "clinical.csv"), read_table(oracles / "d2" / "gradings.csv")


def test_levels_come_from_the_scales_used_or_not(d2: Frames) -> None:
    lee = d2.item("lee")
    assert lee.codes == (0, 1, 2, 3)
    assert 2 not in d2.grades("R1", "lee")
    typed = d2.typed("R1")
    assert list(typed["lee"].cat.categories) == [0, 1, 2, 3]
    assert typed["lee"].cat.ordered
    assert not typed["isthmic_bme"].cat.ordered
    assert str(typed["slip_mm"].dtype) == "Float64"
    assert d2.item("contrast_pattern").names == ("peri", "intra", "trans")


def test_a_blank_cell_and_an_absent_row_are_not_graded(d2: Frames) -> None:
    assert len(d2.cases) == 60
    at = d2.cases.index("B041")  # no row of reader 2
    assert np.isnan([d2.grades("R2", item.code)[at] for item in d2.items]).all()
    assert math.isnan(d2.grades("R1", "lee")[d2.cases.index("B023")])


def test_numbers_and_text_are_the_same_table(oracles: Path, d2: Frames) -> None:
    folder = oracles / "d2"
    typed = from_tables(pd.read_csv(folder / "clinical.csv"), pd.read_csv(folder / "gradings.csv"))
    for reader in d2.readers:
        pd.testing.assert_frame_equal(typed.readings[reader], d2.readings[reader])
    pd.testing.assert_frame_equal(typed.clinical, d2.clinical)


def test_row_order_changes_nothing(oracles: Path, d2: Frames) -> None:
    clinical, gradings = tables(oracles)
    turned = from_tables(clinical.iloc[::-1].reset_index(drop=True), gradings.iloc[::-1].reset_index(drop=True))
    assert turned.cases == d2.cases
    pd.testing.assert_frame_equal(turned.readings["R1"], d2.readings["R1"])


FAULTS = [
    ("clinical", 4, "nrs_15min", "eleven", "'eleven' is not a number"),
    ("clinical", 4, "nrs_15min", "11", "outside 0 to 10"),
    ("clinical", 4, "sex", "x", "not one of F, M"),
    ("clinical", 4, "level", "S1", "not one of L1"),
    ("clinical", 4, "age", "-3", "outside"),
    ("clinical", 4, "case_id", "B001", "already in row 2"),
    ("clinical", 4, "case_id", "", "no name"),
    ("gradings", 5, "pfirrmann", "6", "expected 1, 2, 3, 4, 5"),
    ("gradings", 5, "contrast_pattern", "2", "expected peri, intra, trans"),
    ("gradings", 5, "slip_mm", "a lot", "expected"),
    ("gradings", 5, "isthmic_bme", "yes", "expected 0, 1"),
    ("gradings", 5, "reader", "R/3", "names no reader"),
    ("gradings", 5, "reader", "averaged", "names no reader"),
    ("gradings", 5, "round", "2nd time", "names no round"),
    ("gradings", 5, "contrast_pattern.left", "inner", "expected peri, intra, trans"),
    ("gradings", 5, "case_id", "X9", "not in the clinical table"),
]


@pytest.mark.parametrize(("name", "row", "column", "text", "words"), FAULTS)
def test_a_fault_names_row_and_column(oracles: Path, name: str, row: int, column: str, text: str, words: str) -> None:
    both = dict(zip(("clinical", "gradings"), tables(oracles), strict=True))
    if column not in both[name].columns:
        both[name][column] = ""
    both[name].loc[row - 2, column] = text
    with pytest.raises(BadTable) as caught:
        from_tables(both["clinical"], both["gradings"])
    assert (caught.value.table, caught.value.row, caught.value.column) == (name, row, column)
    assert words in caught.value.sentence("file.csv")


def test_readers_have_any_code_and_their_number_decides_the_order(oracles: Path, d2: Frames) -> None:
    clinical, gradings = tables(oracles)
    other = gradings.assign(reader=gradings["reader"].map({"R1": "Ann", "R2": "B10"}))
    third = gradings[gradings["reader"] == "R1"].assign(reader="B9")
    frames = from_tables(clinical, pd.concat([other, third], ignore_index=True))
    assert frames.readers == ("Ann", "B9", "B10")
    for reader, before in (("Ann", "R1"), ("B9", "R1"), ("B10", "R2")):
        pd.testing.assert_frame_equal(frames.readings[reader], d2.readings[before])
    with pytest.raises(BadTable, match="only Ann graded"):
        from_tables(clinical, other[other["reader"] == "Ann"])
    with pytest.raises(BadTable, match="capital letters only"):
        from_tables(clinical, pd.concat([other, third.assign(reader="ann")], ignore_index=True))


def test_a_repeat_round_stands_beside_the_main_one(oracles: Path, d2: Frames) -> None:
    clinical, gradings = tables(oracles)
    again = gradings[gradings["reader"] == "R2"].head(20).assign(round="Repeat", lee="1")
    trained = gradings.head(4).assign(round="training", lee="3")
    frames = from_tables(clinical, pd.concat([gradings.assign(round="1"), again, trained], ignore_index=True))
    pd.testing.assert_frame_equal(frames.readings["R1"], d2.readings["R1"])
    assert {reader: list(rounds) for reader, rounds in frames.again.items()} == {"R2": ["repeat"]}
    both = frames.rounds("R2", "lee")
    assert both.shape == (60, 2)
    assert np.isfinite(both[:, 1]).sum() == 20
    assert set(both[np.isfinite(both[:, 1]), 1]) == {1.0}
    assert frames.rounds("R1", "lee").shape == (60, 1)


def test_an_adjudicated_row_settles_and_agreement_stands(oracles: Path, d2: Frames) -> None:
    clinical, gradings = tables(oracles)
    one, two = d2.grades("R1", "lee"), d2.grades("R2", "lee")
    first = int(np.flatnonzero(np.isfinite(one) & np.isfinite(two) & (one != two))[0])
    row = {**dict.fromkeys(gradings.columns, ""), "case_id": d2.cases[first], "reader": "Consensus", "lee": "3"}
    frames = from_tables(clinical, pd.concat([gradings, pd.DataFrame([row])], ignore_index=True))
    assert frames.readers == ("R1", "R2")
    settled = frames.adjudicated
    assert settled is not None
    values = frames.grades("adjudicated", "lee")
    assert values[first] == 3
    alike = one == two
    np.testing.assert_array_equal(values[alike], one[alike])
    open_ = (np.isfinite(one) | np.isfinite(two)) & ~alike & (np.arange(60) != first)
    assert np.isnan(values[open_]).all()
    assert (settled.decided["lee"], settled.agreed["lee"], settled.open["lee"]) == (1, alike.sum(), open_.sum())
    assert settled.decided["pfirrmann"] == 0
    assert d2.adjudicated is None


def test_columns_of_places_are_the_places_of_a_finding(oracles: Path) -> None:
    clinical, gradings = tables(oracles)
    sides = {f"contrast_pattern.{side}": gradings["contrast_pattern"] for side in ("left", "right")}
    parts = {f"soft_tissue_edema_cyst.{part}": gradings["soft_tissue_edema_cyst"] for part in ("edema", "cyst")}
    frames = from_tables(clinical, gradings.assign(**sides, **parts, note="free text"))
    assert set(frames.sites) == {"contrast_pattern", "soft_tissue_edema_cyst"}
    contrast = frames.sites["contrast_pattern"]
    assert (contrast.codes, contrast.labels, contrast.alike) == (("right", "left"), ("Right", "Left"), True)
    np.testing.assert_array_equal(contrast.values["R2"][:, 1], frames.grades("R2", "contrast_pattern"))
    assert not frames.sites["soft_tissue_edema_cyst"].alike, "two findings, not two places"


def test_a_reading_that_stands_twice_is_refused(oracles: Path) -> None:
    clinical, gradings = tables(oracles)
    with pytest.raises(BadTable, match="already in row 2"):
        from_tables(clinical, pd.concat([gradings, gradings.iloc[:1]], ignore_index=True))


def test_a_missing_column_is_named(oracles: Path) -> None:
    clinical, gradings = tables(oracles)
    with pytest.raises(BadTable, match="column lee"):
        from_tables(clinical, gradings.drop(columns="lee"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"a,b\n1\n", "row 2: has 1 fields"),
        (b"a,a\n1,2\n", "column a: this column stands there twice"),
        (b"a,b\n\xff\xfe,2\n", "not UTF-8"),
    ],
)
def test_a_file_that_is_no_table_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "odd.csv"
    path.write_bytes(content)
    with pytest.raises(BadTable, match=r"odd\.csv") as caught:
        read_table(path)
    assert words in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadTable, match=r"nowhere\.csv: cannot be read: No such file"):
        read_table(tmp_path / "nowhere.csv")


def test_a_byte_order_mark_and_empty_last_lines_are_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "excel.csv"
    path.write_bytes(b"\xef\xbb\xbfcase_id,age\r\nA,3\r\n,\r\n\r\n")
    assert read_table(path).to_dict("list") == {"case_id": ["A"], "age": ["3"]}


def cell(
    reader: str,
    item: str,
    site: str,
    value: float | None,
    reason: str | None = None,
    case: str = "C1",
    round: str = "main",
) -> tuple[str, str, str, str, str, float | None, str | None]:
    return (case, reader, round, item, site, value, reason)


def test_sites_become_the_case_value_by_the_protocols_rule() -> None:
    rows = [
        cell("R1", "contrast_pattern", "right", 1),
        cell("R1", "contrast_pattern", "left", 2),
        cell("R2", "contrast_pattern", "right", 3),
        cell("R2", "contrast_pattern", "left", None, "artefact"),
        cell("R1", "contrast_pattern", "right", 2, case="C2"),
        cell("R1", "contrast_pattern", "left", None, "artefact", case="C2"),
        cell("R1", "quality_ct", "case", 2),
        cell("R1", "pfirrmann", "case", 5, round="training"),
    ]
    frames = from_handover(SPINE, rows)
    assert frames.cases == ("C1", "C2")
    assert frames.grades("R1", "contrast_pattern")[0] == 2
    assert frames.grades("R2", "contrast_pattern")[0] == 3, "the other side cannot be deeper"
    assert math.isnan(frames.grades("R1", "contrast_pattern")[1]), "the other side might be deeper"
    assert frames.gaps == {("R1", "contrast_pattern", "artefact"): 1}
    assert math.isnan(frames.grades("R1", "pfirrmann")[0]), "another round does not count"
    assert not frames.has_outcomes
    assert "quality_ct" not in [item.code for item in frames.items]


def test_rounds_of_the_handover_are_repeats_practice_or_adjudication() -> None:
    rows = [
        cell("R1", "contrast_pattern", "right", 1),
        cell("R1", "contrast_pattern", "left", 2),
        cell("R2", "contrast_pattern", "right", 1),
        cell("R2", "contrast_pattern", "left", 3),
        cell("R1", "pfirrmann", "case", 3),
        cell("R2", "pfirrmann", "case", 3),
        cell("R1", "lee", "case", 0),
        cell("R2", "lee", "case", 1),
        cell("R1", "pfirrmann", "case", 4, round="repeat"),
        cell("R1", "pfirrmann", "case", 5, round="calibration"),
        cell("R3", "contrast_pattern", "left", 2, round="adjudication"),
        cell("R3", "contrast_pattern", "right", None, round="adjudication"),
        cell("R1", "lee", "case", None, "artefact", round="repeat"),
        cell("R3", "lee", "case", None, "not_imaged", round="adjudication"),
    ]
    frames = from_handover(SPINE, rows)
    assert frames.readers == ("R1", "R2")
    assert {reader: list(rounds) for reader, rounds in frames.again.items()} == {"R1": ["repeat"]}
    np.testing.assert_array_equal(frames.rounds("R1", "pfirrmann"), [[3, 4]])
    settled = frames.adjudicated
    assert settled is not None
    assert frames.grades("adjudicated", "contrast_pattern")[0] == 2, "the side they agreed on stands"
    assert frames.grades("adjudicated", "pfirrmann")[0] == 3
    assert math.isnan(frames.grades("adjudicated", "lee")[0])
    assert (settled.decided["contrast_pattern"], settled.agreed["pfirrmann"], settled.open["lee"]) == (1, 1, 1)
    np.testing.assert_array_equal(frames.sites["contrast_pattern"].values["R2"], [[1, 3]])
    assert frames.excused == {
        ("R1", "repeat", "lee"): {"C1": "artefact"},
        ("adjudicated", "main", "lee"): {"C1": "not_imaged"},
    }
    assert frames.gaps == {}, "only the readers' main round is counted"
    assert from_handover(SPINE, rows[:9]).adjudicated is None


def test_clinical_rows_join_by_case() -> None:
    clinical = [
        {"case_id": "C2", "age": 40, "sex": "F", "bmi": None, "level": "L6", "nrs_baseline": 6, "nrs_15min": 2.5},
        {"case_id": "C3", "age": 50, "sex": "M"},
    ]
    frames = from_handover(SPINE, [cell("R1", "pfirrmann", "case", 3)], clinical)
    assert frames.cases == ("C1", "C2", "C3")
    assert frames.has_outcomes
    assert frames.measured("nrs_15min")[1] == 2.5
    assert np.isnan(frames.measured("nrs_1month")).all()
    assert frames.characteristics["level"].names == ("L3", "L4", "L5", "L6")


def test_another_instrument_goes_the_same_way() -> None:
    rows = [
        cell("R1", "shape", "case", 7),
        cell("R2", "shape", "case", 1),
        cell("R1", "coat", "right", -1),
        cell("R1", "coat", "left", 0),
        cell("R2", "volume_ml", "case", 3.25),
    ]
    frames = from_handover(TINY, rows)
    assert [item.code for item in frames.items] == ["shape", "coat", "volume_ml"]
    assert frames.item("shape").codes == (1, 2, 7)
    assert frames.grades("R1", "coat")[0] == 0
    assert frames.grades("R2", "volume_ml")[0] == 3.25
