"""The scanning parameters: medians worked out by hand, groups by field strength, what counts and what does not."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from annotation import desk
from annotation.desk.scanning import rounded, summary
from annotation.intake.scans import Parameter, Scan
from annotation.models import Case, Exclusion, Instance, Patient, Series
from tests import cast

pytestmark = pytest.mark.django_db


def study(code: str) -> None:
    desk.create_study(cast.coordinator(), code=code, title="Scans", seed=7)


def case(code: str, number: int) -> Case:
    patient = Patient.objects.create(study=cast.study(code), pseudonym=f"P-{number:06d}", identifier_hash=str(number))
    return Case.objects.create(patient=patient)


def scan(home: Case, role: str, *, modality: str = "MR", told: dict[str, Any] | None = None, **more: Any) -> Series:
    kept = {"matrix": [320, 320], **(told or {})}
    number = Series.objects.count()
    return Series.objects.create(
        case=home, series_uid=f"2.25.9{number}", modality=modality, role=role, parameters=kept, **more
    )


def groups(code: str, role: str) -> list[tuple[Any, int]]:
    """Give each group that has the role, with the role's place in it."""
    table = desk.scanning_table(cast.coordinator(), code)
    return [(b, n) for b in table.blocks for n, column in enumerate(b.columns) if column.role == role]


def cells(code: str, role: str, title: str) -> list[str]:
    return [line.cells[n].text for b, n in groups(code, role) for line in b.lines if line.title == title]


def test_medians_and_ranges_by_field_strength() -> None:
    """1.5 T: 3000, 3600, 4100, 5000 -> 3850; 3 T: 2800, 3301, 3500 -> 3301; the header's 1.494 T is 1.5 T."""
    study("FIELD")
    for number, (tesla, tr) in enumerate(
        [(1.5, 3600), (1.494, 3000), (1.5, 5000), (1.5, 4100), (3.0, 2800), (3, 3500), (2.89, 3301), (1.0, 700)]
    ):
        scan(case("FIELD", number), "SAG_T2", told={"field_strength_t": tesla, "repetition_time_ms": tr})
    scan(case("FIELD", 99), "SAG_T2", told={"repetition_time_ms": 900})
    table = desk.scanning_table(cast.coordinator(), "FIELD")
    assert [block.group for block in table.blocks] == ["1.5 T", "3 T", "other field", "field not stated"]
    assert cells("FIELD", "SAG_T2", "Repetition time") == ["3850 (3000–5000)", "3301 (2800–3500)", "700", "900"]
    assert [(row.title, row.n) for row in table.fields] == [
        ("1.5 T", 4), ("3 T", 3), ("other field", 1), ("field not stated", 1),
    ]  # fmt: skip
    assert table.mri_cases == 9
    assert sum(row.percent for row in table.fields) == pytest.approx(100)


def test_percentages_come_from_counts() -> None:
    """The paper prints 54.3 % for 58 of 134; it is 43.3 %."""
    study("PAPER")
    patients = Patient.objects.bulk_create(
        Patient(study=cast.study("PAPER"), pseudonym=f"P-{n:06d}", identifier_hash=str(n)) for n in range(134)
    )
    cases = Case.objects.bulk_create(Case(patient=patient) for patient in patients)
    Series.objects.bulk_create(
        Series(case=one, series_uid=str(n), modality="MR", role="SAG_T1",
               parameters={"matrix": [1, 1], "field_strength_t": 1.5 if n < 58 else 3.0})
        for n, one in enumerate(cases)
    )  # fmt: skip
    page = cast.client("coordinator").get("/desk/PAPER/scanning/").content.decode()
    assert ">43.3<" in page
    assert ">56.7<" in page


def test_what_a_header_does_not_say_is_said_with_its_n() -> None:
    study("GAPPY")
    for number, told in enumerate([{"averages": 2, "echo_time_ms": 98.5}, {"averages": 1.5}, {}]):
        scan(case("GAPPY", number), "AX_T2", told={"field_strength_t": 3.0, **told})
    scan(case("GAPPY", 10), "SAG_T2", told={"field_strength_t": 3.0})
    lines = {line.title: line.cells for block, _ in groups("GAPPY", "AX_T2") for line in block.lines}
    assert "Flip angle" not in lines  # nobody states it: no line
    assert [(c.text, c.n, c.of, c.partly) for c in lines["Averages"]] == [
        ("–", 0, 1, False), ("1.8 (1.5–2)", 2, 3, True),
    ]  # fmt: skip
    assert lines["Averages"][1].median == 1.75, "unrounded until it is printed"
    page = cast.client("coordinator").get("/desk/GAPPY/scanning/").content.decode()
    assert "n = 2" in page


def test_what_readers_never_see_does_not_count() -> None:
    study("COUNT")
    scan(case("COUNT", 1), "SAG_T2", told={"repetition_time_ms": 3000})
    scan(case("COUNT", 2), "SAG_T2", told={"repetition_time_ms": 9000}, held_reason="Text was read.")
    scan(case("COUNT", 3), "SAG_T2", told={"repetition_time_ms": 9000}, excluded_reason="Wrong patient.")
    left_out = case("COUNT", 4)
    Exclusion.objects.create(patient=left_out.patient, reason="a")
    scan(left_out, "SAG_T2", told={"repetition_time_ms": 9000})
    scan(left_out, "LOC", told={"repetition_time_ms": 9000})
    twice = case("COUNT", 5)
    for tr in (4000, 5000):
        scan(twice, "SAG_T2", told={"repetition_time_ms": tr})
    ((found, _),) = groups("COUNT", "SAG_T2")
    assert [(c.role, c.cases, c.series) for c in found.columns] == [("SAG_T2", 2, 3)]
    assert cells("COUNT", "SAG_T2", "Repetition time") == ["4000 (3000–5000)"]


def test_ct_has_its_own_lines_and_kernels_are_counted() -> None:
    study("TUBE")
    for number, (kvp, kernel) in enumerate([(120, "Br64d"), (120, "Br64d"), (100, "Br40d")]):
        told = {"kvp": kvp, "kernel": kernel, "exposure_mas": 80 + number, "pixel_spacing_mm": [0.3, 0.31]}
        scan(case("TUBE", number), "CT_POST", modality="CT", told=told)
    assert cells("TUBE", "CT_POST", "Tube voltage") == ["120 (100–120)"]
    assert cells("TUBE", "CT_POST", "Exposure") == ["81 (80–82)"]
    assert cells("TUBE", "CT_POST", "Pixel, columns") == ["0.31"]
    ((found, _),) = groups("TUBE", "CT_POST")
    words = {line.title: line.cells for line in found.words}
    assert words["Kernel"] == ("Br64d 2, Br40d 1",)
    assert desk.scanning_table(cast.coordinator(), "TUBE").fields == ()


def test_the_headers_of_an_import_fill_the_table_and_so_do_those_of_an_older_one() -> None:
    """cast: sagittal T2 with TR 3600 and TE 98 in 32 x 32 pixels of 4 mm, slices 4 mm apart, four patients."""
    before = desk.scanning_table(cast.coordinator(), cast.SPINE)
    assert cells(cast.SPINE, "SAG_T2", "Repetition time") == ["3600"]
    assert cells(cast.SPINE, "SAG_T2", "Slice spacing") == ["4"]
    assert cells(cast.SPINE, "SAG_T2", "Field of view, height") == ["128"]
    assert cells(cast.SPINE, "SAG_STIR", "Inversion time") == ["220"]
    assert groups(cast.SPINE, "SAG_T2")[0][0].words[0].cells[0] == "SIEMENS 4"
    own = {"order", "blocks", "plane", "automatic_window", "hints", "slice_spacing_mm"}
    for one in Series.objects.filter(case__patient__study__code=cast.SPINE):
        one.parameters = {key: value for key, value in one.parameters.items() if key in own}
        one.save()
    assert Instance.objects.exists()
    assert desk.scanning_table(cast.coordinator(), cast.SPINE) == before


def test_the_file_is_unrounded() -> None:
    study("FILE")
    for number, te in enumerate([98.04, 101.37]):
        scan(case("FILE", number), "SAG_T2", told={"echo_time_ms": te, "field_strength_t": 3})
    answer = cast.client("coordinator").get("/desk/FILE/scanning.csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    found = next(row for row in rows if row["parameter"] == "Echo time")
    assert found == {
        "role": "SAG_T2", "group": "3 T", "cases": "2", "series": "2", "parameter": "Echo time", "unit": "ms",
        "n": "2", "median": "99.705", "low": "98.04", "high": "101.37",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (2.5, 0, "3"), (4.0, 2, "4"), (0.625, 2, "0.63"), (220.0, 0, "220"), (98.04, 1, "98"), (0.575, 2, "0.58"),
        (1.005, 2, "1.01"), (0.285, 2, "0.29"), (-0.4, 0, "0"), (1e300, 2, "1" + "0" * 300), (5e-324, 2, "0"),
    ],
)  # fmt: skip
def test_numbers_are_printed_half_up_and_bare(value: float, decimals: int, text: str) -> None:
    assert rounded(value, decimals) == text
    assert Parameter("x", "X", "", decimals, "").decimals == decimals


def test_the_median_between_two_decimals_is_their_own() -> None:
    """0.57 and 0.58 have the middle 0.575, printed 0.58; in binary it would lie a hair below."""
    scans = [Scan(n, "SAG_T2", "MR", "3 T", {"averages": value}) for n, value in enumerate((0.57, 0.58))]
    found = summary(Parameter("averages", "Averages", "", 2, "MR"), scans)
    assert (found.median, found.text) == (0.575, "0.58 (0.57–0.58)")
