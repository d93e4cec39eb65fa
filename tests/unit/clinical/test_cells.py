"""Single cells and whole rows: what is read, what is flagged, what is refused, and that nothing is quoted."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.intake.clinical import TARGETS, BadCell, BadTable, Column, Table, letter, propose, table_from
from annotation.intake.clinical.columns import Line
from annotation.intake.clinical.rows import Reader, Row
from annotation.intake.clinical.values import (
    PARSERS,
    day_of,
    exclusion,
    height_m,
    identifier,
    is_missing,
    month_first,
    nrs,
    number_of,
    sex,
)
from annotation.protocol import catalogue

TODAY = date(2026, 1, 31)


@pytest.mark.parametrize(
    ("text", "number", "kept"),
    [
        ("0", 0, "0"), ("10", 10, "10"), ("3.5", 3.5, "3.5"), ("3,5", 3.5, "3.5"), (" 7 ", 7, "7"), ("7.0", 7, "7"),
        ("3-4", 3.5, "3.5 (written 3-4)"), ("3 – 4", 3.5, "3.5 (written 3-4)"), ("3 bis 4", 3.5, "3.5 (written 3-4)"),
        ("9-10", 9.5, "9.5 (written 9-10)"),
    ],
)  # fmt: skip
def test_pain_is_whole_or_half(text: str, number: float, kept: str) -> None:
    value = nrs(text)
    assert (value.number, value.text) == (number, kept)
    assert bool(value.note) == ("written" in kept)


@pytest.mark.parametrize("text", ["11", "-1", "3.3", "3-5", "10-11", "4-3", "three", "<3", "3/10", "7 (rest)", "1e1"])
def test_other_pain_is_refused(text: str) -> None:
    with pytest.raises(BadCell):
        nrs(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,234.5", "thousands"), ("1.234,5", "thousands"), ("1'234", "thousands"), ("26.1 kg", "without a unit"),
        ("2019-04-03", "made a date"), ("3. Apr", "made a date"), ("Apr 03", "made a date"), ("nan", "not a number"),
        ("1_000", "not a number"), ("\ue000percent", "percentage"), ("\ue000formula", "never computed"),
        ("\ue000error", "#N/A"),
    ],
)  # fmt: skip
def test_a_number_is_not_guessed(text: str, said: str) -> None:
    with pytest.raises(BadCell, match=said):
        number_of(text)


@pytest.mark.parametrize(
    ("text", "known"),
    [("m", "M"), ("Männlich", "M"), ("homme", "M"), ("MALE", "M"), ("w", "F"), ("Féminin", "F"), ("female", "F")],
)
def test_sexes(text: str, known: str) -> None:
    assert sex(text).text == known


@pytest.mark.parametrize("text", ["1", "2", "x", "male?"])
def test_codes_without_a_dictionary_are_no_sex(text: str) -> None:
    with pytest.raises(BadCell):
        sex(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2019-04-03", date(2019, 4, 3)), ("03.04.2019", date(2019, 4, 3)), ("3.4.19", date(2019, 4, 3)),
        ("20190403", date(2019, 4, 3)), ("03/04/2019", date(2019, 4, 3)), ("2019-04-03 08:15", date(2019, 4, 3)),
        ("2019-04-03T08:15:00Z", date(2019, 4, 3)), ("3-Apr-2019", date(2019, 4, 3)), ("3. Mai 2019", date(2019, 5, 3)),
        ("3 juillet 2019", date(2019, 7, 3)), ("3 juin 2019", date(2019, 6, 3)), ("3-Dez-19", date(2019, 12, 3)),
    ],
)  # fmt: skip
def test_days(text: str, found: date) -> None:
    assert day_of(text, today=TODAY) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("30.02.2019", "no date"), ("2019-13-01", "no date"), ("31/31/2019", "no date"), ("43558", "number of a day"),
        ("2026-02-01", "future"), ("1919-04-03", "impossible"), ("spring", "no date"), ("4/2019", "no date"),
        ("3-Xyz-2019", "no date"),
    ],
)  # fmt: skip
def test_days_that_are_none(text: str, said: str) -> None:
    with pytest.raises(BadCell, match=said):
        day_of(text, today=TODAY)


def test_slashes_are_told_by_the_whole_column() -> None:
    assert month_first(["03/04/2019", "03/14/2019"]) is True
    assert month_first(["03/04/2019", "14/03/2019"]) is False
    assert month_first(["03/04/2019", ""]) is None
    assert day_of("03/04/2019", today=TODAY, months_lead=True) == date(2019, 3, 4)


@pytest.mark.parametrize(
    ("text", "codes"),
    [("b", "b"), ("D, b", "b,d"), ("(e)", "e"), ("b und d", "b,d"), ("b/d", "b,d"), ("a;c;b", "a,b,c")],
)
def test_several_reasons_count_in_their_order(text: str, codes: str) -> None:
    value = exclusion(text, "abcde")
    assert value.text == codes
    assert bool(value.note) == ("," in codes)


@pytest.mark.parametrize("text", ["ab", "f", "surgery before", "yes", "1", "e) surgery", ","])
def test_words_are_no_reason(text: str) -> None:
    with pytest.raises(BadCell, match=r"no exclusion reason \(a, b, c, d, e\)"):
        exclusion(text, "abcde")


def test_height_in_both_units_and_identifiers_that_a_spreadsheet_broke() -> None:
    assert height_m("178") == height_m("1,78") == 1.78
    assert identifier(" HX-0012 ") == "HX-0012"
    for text in ("1.23457E+11", "\ue000shortened", "x" * 65, "n/a"):
        with pytest.raises(BadCell):
            identifier(text)


@pytest.mark.parametrize("text", ["", "NA", "n/a", "-", "?", " None ", "unbekannt", "k.A."])
def test_what_counts_as_empty(text: str) -> None:
    assert is_missing(text)


@given(st.text(max_size=60), st.sampled_from(sorted(PARSERS)))
def test_no_sentence_quotes_a_cell(text: str, name: str) -> None:
    said = "Read."
    try:
        PARSERS[name](text)
    except BadCell as fault:
        said = str(fault)
    assert said.endswith(".")
    # The same sentence for every cell of its kind: it cannot hold what the cell held.
    assert len(text.strip()) < 9 or text.strip() not in said


# --- whole rows ----------------------------------------------------------------------------------------------------


def rows(text: str, saved: dict[str, str] | None = None) -> list[Row]:
    table = table_from(text.encode(), None, saved or {})
    mapping = [one.target for one in propose(table.columns, saved or {})]
    reader = Reader("STUDY", table, mapping, protocol=catalogue.latest("spondylolysis"), today=TODAY)
    read = [reader.read(line) for line in table.lines]
    read[0].notes += []
    for remark in reader.remarks():
        assert remark.endswith((".", "otherwise."))
    return read


def said(row: Row) -> list[tuple[int, str]]:
    return [(one.row, one.column) for one in row.errors]


def test_follow_up_before_the_injection_and_outside_its_window() -> None:
    head = "patient_id,injection_date,nrs_1month_date\n"
    one, two, three, four = rows(
        head + "A,2019-04-03,2019-05-03\nB,2019-04-03,2019-04-20\nC,2019-04-03,2019-04-02\nD,,2019-05-03\n"
    )
    assert (one.kept["nrs_1month_day"].number, one.notes) == (30, [])
    assert two.kept["nrs_1month_day"].number == 17
    assert "outside day 28 to 35" in two.notes[0].message
    assert said(three) == [(4, "nrs_1month_date")]
    assert "nrs_1month_day" not in four.kept
    assert four.notes[0].column == "nrs_1month_date"
    assert one.kept["injection_date"].text != "2019-04-03", "a date is kept moved by the patient's own days"


def test_bmi_and_age_are_computed_where_they_are_missing() -> None:
    head = "patient_id,Größe (cm),Gewicht (kg),BMI,Geburtsdatum,Alter,injection_date\n"
    one, two, three = rows(
        head + "A,178,80,,04.04.1975,,03.04.2019\nB,1.78,80,25,,44,03.04.2019\nC,178,80,30,04.04.1975,,\n"
    )
    assert one.kept["bmi"].number == 80 / 1.78**2
    assert one.kept["bmi"].text == "25.2 (from height and weight)"
    assert one.kept["age"].number == 43
    assert (two.kept["bmi"].number, two.kept["age"].number) == (25, 44)
    assert {note.column for note in three.notes} == {"bmi", "birth_date"}


def test_baseline_zero_is_a_query_and_no_error() -> None:
    (one,) = rows("patient_id,nrs_baseline\nA,0\n")
    assert one.errors == []
    assert "Baseline pain is 0" in one.notes[0].message


def test_columns_taken_for_one_must_agree() -> None:
    saved = {"sex": "sex", "Geschlecht": "sex"}
    one, two, three = rows("patient_id,sex,Geschlecht\nA,M,m\nB,M,w\nC,,w\n", saved)
    assert one.kept["sex"].text == "M"
    assert said(two) == [(3, "sex")]
    assert three.kept["sex"].text == "F"


def test_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(BadTable, match="columns B and C"):
        rows("patient_id,age,AGE\nA,41,42\n", {"age": "age"})


def test_units_that_are_not_ours_are_not_proposed() -> None:
    table = table_from(
        b"patient_id,BMI (kg/m2),Age (months),Weight (lb),Alter [Jahre],NRS reduction 15 min\n", None, {}
    )
    assert [one.target for one in propose(table.columns, {})] == ["patient_id", "bmi", "", "", "age", ""]


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("PATIENT_ID", "patient_id"), ("Fall-Nr.", "patient_id"), ("N° patient", ""), ("Numéro patient", "patient_id"),
        ("Sexe", "sex"), ("Âge (ans)", "age"), ("IMC", "bmi"), ("Lyse-Höhe", "level"), ("Wirbel", "level"),
        ("Datum der Injektion", "injection_date"), ("Date d'injection", "injection_date"),
        ("Schmerz vor Injektion (NRS)", "nrs_baseline"), ("NRS 15'", "nrs_15min"), ("Pain 15 min post", "nrs_15min"),
        ("NRS 4 Wochen", "nrs_1month"), ("NRS follow-up", "nrs_1month"), ("Douleur 1 mois", "nrs_1month"),
        ("Datum Kontrolle", "nrs_1month_date"), ("Ausschlussgrund", "exclusion"), ("Name", ""), ("Telefon", ""),
        ("VAS baseline", ""), ("Pain duration before injection", ""), ("Comment on pain at baseline", ""),
    ],
)  # fmt: skip
def test_names_in_three_languages(name: str, target: str) -> None:
    columns = table_from(f"{name};other\n1;2\nx;y\n".encode(), None, {}).columns
    assert propose(columns, {})[0].target == target


def test_a_confirmed_mapping_is_used_and_can_leave_a_column_out() -> None:
    saved = {"Spalte 7": "nrs_baseline", "Alter": "", "Kennung": "patient_id"}
    table = table_from(b"Kennung;Alter;Spalte 7;sex\nA;41;7;m\n", None, saved)
    found = propose(table.columns, saved)
    assert [one.target for one in found] == ["patient_id", "", "nrs_baseline", "sex"]
    assert found[1].reason.startswith("left out")
    plainly = table_from(b"patient_id;age\nA;41\n", None, saved)
    assert [one.target for one in propose(plainly.columns, saved)] == ["patient_id", "age"]


CELL = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["", "NA", "3-4", "0", "11", "2019-04-03", "31/12/2019", "9999-99-99", "1e400", "b,d", "M"]),
    st.floats().map(str),
    st.dates().map(str),
)
ALL = ["patient_id", *(name for name in TARGETS if name != "patient_id")]


@given(st.lists(st.lists(CELL, min_size=len(ALL), max_size=len(ALL)), min_size=1, max_size=4))
def test_no_cell_breaks_a_row(cells: list[list[str]]) -> None:
    lines = tuple(Line(number, tuple(row)) for number, row in enumerate(cells, start=2))
    table = Table(tuple(Column(name, letter(place)) for place, name in enumerate(ALL)), lines, 1)
    reader = Reader("STUDY", table, ALL, protocol=catalogue.latest("spondylolysis"), today=TODAY)
    for line in lines:
        row = reader.read(line)
        assert all(one.message.endswith(".") for one in [*row.errors, *row.notes])
        assert all(len(value.text) <= 80 for value in row.kept.values())
    assert Table.of(json.loads(json.dumps(table.document()))) == table


DATES = "patient_id,injection_date,nrs_1month_date\n"


def read_with_remarks(text: str) -> tuple[list[Row], list[str]]:
    table = table_from(text.encode(), None, {})
    mapping = [one.target for one in propose(table.columns, {})]
    reader = Reader("STUDY", table, mapping, protocol=catalogue.latest("spondylolysis"), today=TODAY)
    return [reader.read(line) for line in table.lines], list(reader.remarks())


def test_all_dates_of_a_table_are_read_in_one_order() -> None:
    """05/31/2019 can only lead with the month, so 06/07/2019 beside it is a June day: 7 days later, not 36."""
    (one,), remarks = read_with_remarks(DATES + "A,05/31/2019,06/07/2019\n")
    assert one.kept["nrs_1month_day"].number == 7
    assert remarks == ["All dates with slashes were read as month/day/year, because a day over 12 stands second."]
    (one,), remarks = read_with_remarks(DATES + "A,31/05/2019,06/07/2019\n")
    assert one.kept["nrs_1month_day"].number == 36
    assert remarks == ["All dates with slashes were read as day/month/year, because a day over 12 stands first."]


def test_where_no_cell_tells_the_order_the_remark_says_so() -> None:
    (one,), remarks = read_with_remarks(DATES + "A,01/05/2019,06/06/2019\n")
    assert one.kept["nrs_1month_day"].number == 36
    assert remarks == ["Dates with slashes were read as day/month/year; no cell tells otherwise."]
    assert read_with_remarks(DATES + "A,2019-05-01,n/a\n")[1] == [], "n/a is no date with slashes"


def test_columns_of_two_orders_are_refused_by_name() -> None:
    with pytest.raises(BadTable, match=r"day/month/year in nrs_1month_date.*month/day/year in injection_date") as no:
        read_with_remarks(DATES + "A,05/31/2019,28/06/2019\n")
    assert "2019," not in str(no.value), "no cell is quoted"
