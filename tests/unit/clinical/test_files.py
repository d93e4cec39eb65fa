"""Files as spreadsheets, hospitals and attackers write them: a table, or a sentence that says what to do."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date, datetime, time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.styles import numbers

from annotation.intake.clinical import BadTable, Table, propose, table_from

HEAD = ["Patienten-Nr.", "Geschlecht", "BMI (kg/m²)", "Niveau", "Injektionsdatum", "NRS vor", "NRS nach 15 Min"]
ROWS = [
    ["00471", "männlich", "26,1", "L5", "03.04.2019", "7", "3-4"],
    ["00472", "weiblich", "23,9", "L4", "11.12.2020", "5,5", "2"],
]
WANTED = ["patient_id", "sex", "bmi", "level", "injection_date", "nrs_baseline", "nrs_15min"]


def written(rows: list[list[str]], *, delimiter: str = ";", encoding: str = "utf-8", end: str = "\r\n") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end).writerows(rows)
    return out.getvalue().encode(encoding)


def read(data: bytes, second: bytes | None = None) -> Table:
    return table_from(data, second, {})


def targets(table: Table) -> list[str]:
    return [one.target for one in propose(table.columns, {})]


def refused(data: bytes, second: bytes | None = None) -> str:
    with pytest.raises(BadTable) as fault:
        read(data, second)
    return str(fault.value)


@pytest.mark.parametrize(
    ("delimiter", "encoding", "said"),
    [
        (";", "cp1252", "semicolon, in Windows-1252"),  # Excel, German
        (";", "utf-8-sig", "semicolon, in UTF-8"),  # Excel, "CSV UTF-8"
        ("\t", "utf-16", "tab, in UTF-16"),  # Excel, "Unicode text"
        ("\t", "utf-16-le", "tab, in UTF-16"),
        ("\t", "utf-16-be", "tab, in UTF-16"),
        (",", "utf-8", "comma, in UTF-8"),  # LibreOffice and Numbers
        (";", "mac_roman", "semicolon, in Mac Roman"),  # Excel for Mac, old
        (";", "cp850", "semicolon, in DOS 850"),  # Excel, "CSV (MS-DOS)"
        ("|", "utf-8", "vertical bar, in UTF-8"),
    ],
)
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_every_delimiter_and_encoding(delimiter: str, encoding: str, said: str, end: str) -> None:
    head = [one.replace("²", "2") for one in HEAD] if encoding == "mac_roman" else HEAD
    table = read(written([head, *ROWS], delimiter=delimiter, encoding=encoding, end=end))
    assert said in table.remarks[0]
    assert targets(table) == WANTED
    assert [list(line.cells) for line in table.lines] == ROWS
    assert [line.number for line in table.lines] == [2, 3]


def test_what_excel_and_people_add_around_a_table() -> None:
    lines = [["Pars-Studie 2015 bis 2024"], [], HEAD, *ROWS, ["", "", "", "", "", "", "", "", ""], []]
    table = read(b"sep=;\r\n" + written(lines, encoding="cp1252"))
    assert targets(table) == WANTED
    assert (table.head, [line.number for line in table.lines]) == (3, [4, 5])
    assert any("row 3" in remark for remark in table.remarks)


def test_empty_columns_at_the_end_and_line_breaks_in_a_cell() -> None:
    lines = [[*HEAD, "", "", "Bemerkung", ""], [*ROWS[0], "", "", 'zwei\nZeilen; mit "Zeichen"', ""], ROWS[1]]
    table = read(written(lines))
    assert len(table.columns) == 10
    assert [line.number for line in table.lines] == [2, 3]
    assert table.lines[0].cells[9].startswith("zwei\nZeilen")


def test_decimal_commas_do_not_make_a_comma_the_delimiter() -> None:
    lines = [["patient_id", "bmi", "nrs_baseline"], *([f"P{n}", f"2{n % 9},5", "3,5"] for n in range(40))]
    assert targets(read(written(lines))) == ["patient_id", "bmi", "nrs_baseline"]


def test_one_column_is_a_table_as_well() -> None:
    table = read(b"patient_id\nA\nB\n")
    assert targets(table) == ["patient_id"]
    assert len(table.lines) == 2


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"  \r\n ", "empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old Excel file"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"<html><table><tr><td>patient_id</td></tr></table></html>", "web page"),
        (b"\x1f\x8b\x08\x00", "compressed"),
        (b"\x00\x01\x02", "no table"),
        (b"\xff\xfe", "empty"),
        (b"\xff\xfe\x00", "no table"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "no table"),
        (b"PK\x03\x04nonsense", "cannot be opened"),
        (b'patient_id,age\nA,"41\nB,42\n', "never closed"),
        (b"P1;43;M;7\nP2;51;F;6\n", "names on top"),
        (b"x" * 20_000_001, "larger than 20 MB"),
        (b"patient_id\n" + b"A\n" * 50_001, "more than 50000 rows"),
        (b"," * 500 + b"x\n", "more than 400 columns"),
    ],
)
def test_what_is_no_table_gets_a_sentence(data: bytes, said: str) -> None:
    sentence = refused(data)
    assert said in sentence
    assert sentence.endswith(".")


@given(st.binary(max_size=400))
@settings(max_examples=300, deadline=None)
def test_no_bytes_break_it(data: bytes) -> None:
    said = "Read."
    try:
        propose(read(data).columns, {})
    except BadTable as fault:
        said = str(fault)
    assert said.endswith(".")


@given(st.text(max_size=300), st.sampled_from(["utf-8", "utf-16", "cp1252"]))
@settings(max_examples=200, deadline=None)
def test_no_text_breaks_it(text: str, encoding: str) -> None:
    data = ("patient_id;age\n" + text).encode(encoding, errors="replace")
    said = "Read."
    try:
        propose(read(data).columns, {})
    except BadTable as fault:
        said = str(fault)
    assert said.endswith(".")


# --- workbooks -----------------------------------------------------------------------------------------------------


def saved(book: Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def workbook(*rows: list[Any], title: str = "Tabelle1") -> Workbook:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(row)
    return book


def test_dates_numbers_and_leading_zeros_of_a_workbook() -> None:
    book = workbook(
        ["patient_id", "injection_date", "nrs_baseline", "bmi", "nrs_1month_date"],
        [471, datetime.combine(date(2019, 4, 3), time(8, 30)), 7, 26.1, date(2019, 5, 2)],
        ["00472", "03.04.2019", 5.5, "26,1", None],
    )
    book.active["A2"].number_format = "00000"  # type: ignore[index]
    assert [one.cells for one in read(saved(book)).lines] == [
        ("00471", "2019-04-03", "7", "26.1", "2019-05-02"),
        ("00472", "03.04.2019", "5.5", "26,1", ""),
    ]


def test_the_sheet_with_the_patients_is_found_and_a_hidden_one_is_not_read() -> None:
    book = workbook(["Read me"], ["This is the export of the study."], title="Info")
    hidden = book.create_sheet("old")
    hidden.sheet_state = "hidden"
    hidden.append(["patient_id", "age"])
    hidden.append(["A", 99])
    right = book.create_sheet("Patients")
    right.merge_cells("A1:C1")
    right["A1"] = "Cohort"
    right.append(["patient_id", "age"])
    right.append(["B", 41])
    table = read(saved(book))
    assert [one.cells[:2] for one in table.lines] == [("B", "41")]
    said = " ".join(table.remarks)
    assert "Sheet 2 of 2 was read." in said
    assert "1 hidden sheet was" in said
    assert "merged cells" in said


def test_several_sheets_without_the_patients_column_are_asked_about() -> None:
    book = workbook(["x", "y"], ["A", "B"])
    book.create_sheet("two").append(["z", "w"])
    assert "No sheet of the workbook" in refused(saved(book))


def test_formulas_percentages_and_errors_are_marked() -> None:
    book = workbook(["patient_id", "bmi", "nrs_baseline", "age"], ["A", "=20+6", 0.5, "#N/A"])
    book.active["C2"].number_format = numbers.FORMAT_PERCENTAGE  # type: ignore[index]
    book.active["D2"].data_type = "e"  # type: ignore[index]
    assert [cell[:1] for cell in read(saved(book)).lines[0].cells] == ["A", "\ue000", "\ue000", "\ue000"]


def changed(data: bytes, part: str, old: bytes, new: bytes) -> bytes:
    """Write a workbook anew with one part changed, as another program would have written it."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            assert name != part or old in content
            target.writestr(name, content.replace(old, new) if name == part else content)
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


def test_a_computed_formula_counts_with_its_value() -> None:
    data = saved(workbook(["patient_id", "bmi", "age"], ["A", "=20+6", '=IF(1,"",2)']))
    data = changed(data, SHEET, b"<f>20+6</f><v></v>", b"<f>20+6</f><v>26</v>")
    data = changed(data, SHEET, b'<c r="C2"><f>', b'<c r="C2" t="str"><f>')
    assert read(data).lines[0].cells == ("A", "26", "")


def test_stray_cells_at_the_far_end_are_no_trouble() -> None:
    book = workbook(["patient_id", "age"], ["A", 41])
    book.active["A1048576"].number_format = "0.00"  # type: ignore[index]
    book.active["XFD3"].number_format = "0.00"  # type: ignore[index]
    table = read(saved(book))
    assert [one.cells for one in table.lines] == [("A", "41")]


def test_a_long_number_is_no_identifier_any_more() -> None:
    assert read(saved(workbook(["patient_id"], [1234567890123456789]))).lines[0].cells[0].startswith("\ue000")


def bomb(size: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(SHEET, b" " * size)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (bomb(81_000_000), "unpacks to far more"),
        (changed(saved(workbook(["patient_id"])), SHEET, b"<worksheet", b"<!DOCTYPE x><worksheet"), "cannot be opened"),
        (changed(saved(workbook(["patient_id"])), SHEET, b"</worksheet>", b""), "cannot be opened"),
        (saved(workbook()), "no visible sheet"),
    ],
    ids=["bomb", "dtd", "cut", "empty"],
)
def test_a_hostile_or_broken_workbook_gets_a_sentence(data: bytes, said: str) -> None:
    assert said in refused(data)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mimetype", "LibreOffice"),
        ("Index/Tables/Tile.iwa", "Numbers"),
        ("xl/workbook.bin", "binary"),
        ("a", "archive"),
    ],
)
def test_other_programs_archives_get_a_sentence(name: str, said: str) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, "x")
    assert said in refused(out.getvalue())


WHOLE = saved(workbook(["patient_id", "age"], ["A", 41], ["B", "=1+1"]))


@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=12))
@settings(max_examples=40, deadline=None)
def test_no_damage_to_a_workbook_breaks_it(damage: list[tuple[int, int]]) -> None:
    whole = bytearray(WHOLE)
    for place, value in damage:
        whole[place] = value
    said = "Read."
    try:
        read(bytes(whole))
    except BadTable as fault:
        said = str(fault)
    assert said.endswith(".")
