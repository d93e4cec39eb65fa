"""REDCap project exports: codes and labels, checkboxes, events and repeats, in either order of the two files."""

from __future__ import annotations

import pytest

from annotation.intake.clinical import BadTable, propose, table_from

DICTIONARY = (
    b'"Variable / Field Name","Form Name","Section Header","Field Type","Field Label",'
    b'"Choices, Calculations, OR Slider Labels","Field Note"\n'
    b"record_id,base,,text,Record ID,,\n"
    b"mrn,base,,text,Hospital number,,\n"
    b'gender,base,,radio,"<b>Sex</b>","1, Male | 2, Female",\n'
    b'why_not,base,,checkbox,Exclusion,"a, No pain assessment | b, No MRI | d, Bad MRI",\n'
    b'nrs,pain,,dropdown,Pain (NRS),"0, 0 none | 1, 1 | 2, 2 | 7, 7 | 10, 10 worst",\n'
)
DATA = (
    b"record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,mrn,gender,why_not___a,why_not___b,"
    b"why_not___d,nrs,base_complete\n"
    b"1,baseline_arm_1,,,HX1,2,0,1,1,7,2\n"
    b"1,15_min_arm_1,,,,,,,,2,2\n"
    b"1,1_month_arm_1,,,,,,,,0,2\n"
    b"2,baseline_arm_1,,,HX2,1,0,0,0,10,2\n"
    b"2,1_month_arm_1,,,,,,,,1,2\n"
)


@pytest.mark.parametrize("turned", [False, True])
def test_a_longitudinal_export_with_its_dictionary(turned: bool) -> None:
    table = table_from(*((DICTIONARY, DATA) if turned else (DATA, DICTIONARY)), {})
    found = {one.target: column for one, column in zip(propose(table.columns, {}), table.columns, strict=True)}
    assert found["patient_id"].name == "mrn @ baseline_arm_1"
    assert found["sex"].name == "gender @ baseline_arm_1"
    assert found["sex"].choices == {"1": "Male", "2": "Female"}
    assert found["nrs_baseline"].name == "nrs @ baseline_arm_1"
    assert found["nrs_15min"].name == "nrs @ 15_min_arm_1"
    assert found["nrs_1month"].name == "nrs @ 1_month_arm_1"
    assert found["exclusion"].name == "why_not @ baseline_arm_1"
    assert [line.number for line in table.lines] == [2, 5]
    first = dict(zip((one.name for one in table.columns), table.lines[0].cells, strict=True))
    assert first["why_not @ baseline_arm_1"] == "b;d"
    assert first["nrs @ 1_month_arm_1"] == "0"
    assert "5 rows of events were merged to 2 records." in table.remarks


def test_a_cell_remembers_the_row_it_came_from_and_a_contradiction_is_torn() -> None:
    data = DATA + b"2,baseline_arm_1,,,HX9,,,,,,\n"
    table = table_from(data, None, {})
    place = [one.name for one in table.columns].index("nrs @ 1_month_arm_1")
    assert table.lines[1].row_of(place) == 6
    torn = [table.columns[at].name for at in table.lines[1].torn]
    assert torn == ["mrn @ baseline_arm_1"]


def test_repeats_are_numbered() -> None:
    data = b"record_id,redcap_repeat_instrument,redcap_repeat_instance,mrn,nrs\n1,,,HX1,\n1,pain,1,,7\n1,pain,2,,3\n"
    names = [one.name for one in table_from(data, None, {}).columns]
    assert names == ["record_id", "mrn", "nrs @ pain #1", "nrs @ pain #2"]


def test_an_export_with_labels_needs_no_dictionary() -> None:
    data = (
        b'"Record ID","Event Name","Hospital number","Sex","Pain (NRS)","Why not (choice=a)","Why not (choice=b)"\n'
        b"1,Baseline,HX1,Male,7,Unchecked,Checked\n"
        b"1,1 month,,,2,,\n"
    )
    table = table_from(data, None, {})
    targets = {column.name: one.target for one, column in zip(propose(table.columns, {}), table.columns, strict=True)}
    assert targets["Hospital number @ Baseline"] == "patient_id"
    assert targets["Sex @ Baseline"] == "sex"
    assert targets["Pain (NRS) @ Baseline"] == "nrs_baseline"
    assert targets["Pain (NRS) @ 1 month"] == "nrs_1month"
    assert [one.cells[-1] for one in table.lines] == ["b"]


@pytest.mark.parametrize(
    ("data", "second", "said"),
    [
        (DICTIONARY, None, "Add the data export"),
        (DICTIONARY, DICTIONARY, "Add the data export"),
        (DATA, DATA, "no REDCap data dictionary"),
        (b"patient_id,age\nA,41\n", DICTIONARY, "do not belong together"),
    ],
)
def test_what_does_not_fit_gets_a_sentence(data: bytes, second: bytes | None, said: str) -> None:
    with pytest.raises(BadTable, match=said):
        table_from(data, second, {})
