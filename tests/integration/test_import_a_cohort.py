"""The command that takes a cohort in: its exit codes, its JSON, and that running it again changes nothing."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError

from annotation import desk, intake, jobs
from annotation.models import Case, ClinicalValue, Exclusion, Instance, Job, Patient, Series, Study
from tests import cast
from tests.conftest import Commands

NEW = ("import_cohort", "--study", "NEW", "--create", "--title", "New", "--protocol", "spondylolysis")


def run(*args: str | Path, out: Path) -> dict[str, Any]:
    """Run the command in this process and give what it wrote with --json."""
    call_command(*map(str, args), "--json", str(out))
    document: dict[str, Any] = json.loads(out.read_text())
    return document


def counts() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Study, Patient, Case, Series, Instance, ClinicalValue, Exclusion))


@pytest.fixture
def hospital(tmp_path: Path) -> Path:
    cast.export(tmp_path / "dicom", patients=[21, 22], series=cast.SPINE_SERIES)
    cast.table(tmp_path / f"{cast.FILE_NAME}.csv", [cast.clinical_row(21), cast.clinical_row(22)])
    return tmp_path


@pytest.mark.django_db
def test_a_cohort_comes_in_and_a_second_time_nothing(hospital: Path) -> None:
    table, images, out = hospital / f"{cast.FILE_NAME}.csv", hospital / "dicom", hospital / "out.json"
    first = run(*NEW, "--clinical", table, "--dicom", images, out=out)
    seconds = first.pop("seconds")
    assert 0 < seconds < 60
    assert first.items() >= {
        "received": 36, "imported": 36, "duplicates": 0, "refused": [], "quarantined": [], "studies": 4, "series": 12,
        "clinical": {"rows": 2, "accepted": 2, "errors": [], "notes": []},
    }.items()  # fmt: skip
    before = counts()
    again = run(*NEW, "--clinical", table, "--dicom", images, out=out)
    assert (again["imported"], again["duplicates"], again["clinical"]["accepted"]) == (0, 36, 2)
    assert counts() == before
    roles = Series.objects.filter(case__patient__study__code="NEW").values_list("role", flat=True)
    assert sorted(roles) == sorted(["SAG_T2", "SAG_T1", "SAG_STIR", "AX_T2", "CT_PRE", "CT_POST"] * 2)
    assert Study.objects.get(code="NEW").state == "draft"
    jobs = Job.objects.filter(study__code="NEW", kind="import")
    assert {job.state for job in jobs} == {"done"}
    assert jobs.count() == 2


@pytest.mark.django_db
def test_files_folders_and_zip_archives_are_one(hospital: Path) -> None:
    archive = hospital / "export.zip"
    files = sorted(path for path in (hospital / "dicom").rglob("*") if path.is_file())
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for path in files[:18]:
            opened.write(path, f"{cast.FAMILY}/../{path.name}-{path.parent.name}")
        opened.writestr("readme.txt", "Nothing.")
    document = run(*NEW, "--dicom", archive, files[18], hospital / "dicom", out=hospital / "out.json")
    assert document["received"] == 19 + 1 + 36
    assert (document["imported"], document["duplicates"]) == (36, 19)
    assert [one["reason_code"] for one in document["refused"]] == ["not_dicom"] or document["refused"]
    for one in document["refused"]:
        assert set(one) == {"name", "reason_code", "reason"}


@pytest.mark.django_db
def test_what_is_refused_is_listed_without_its_name(hospital: Path) -> None:
    wrong = hospital / "dicom" / f"{cast.FAMILY}-wrong"
    wrong.mkdir()
    (wrong / f"{cast.FAMILY}.txt").write_text(f"{cast.FAMILY} {cast.HOSPITAL_ID}")
    whole = next(path for path in (hospital / "dicom").rglob("*.dcm")).read_bytes()
    (wrong / "cut.dcm").write_bytes(whole[: len(whole) // 2])
    (wrong / "empty.dcm").write_bytes(b"")
    (wrong / "bad.zip").write_bytes(b"PK\x03\x04" + b"x" * 100)
    marked = cast.image(
        cast.SPINE_SERIES[0], patient=21, series=1, number=9, pixels=cast.picture(np.random.default_rng(1), 32),
        BurnedInAnnotation="YES",
    )  # fmt: skip
    marked.save_as(wrong / "burned.dcm", enforce_file_format=True)
    out = hospital / "out.json"
    document = run(*NEW, "--dicom", hospital / "dicom", out=out)
    assert document["received"] == 36 + 5
    assert document["imported"] == 36
    assert len(document["refused"]) == 4
    assert [one["reason_code"] for one in document["quarantined"]] == ["burned_in"]
    for one in document["refused"] + document["quarantined"]:
        assert one["name"].startswith("file 0000")
        assert one["reason"].endswith(".")
    said = out.read_text() + json.dumps(list(Job.objects.values_list("result", "message", "title", "params")))
    assert not [secret for secret in cast.SECRETS if secret in said]


@pytest.mark.django_db
def test_another_image_under_a_known_identity_is_held_back(hospital: Path) -> None:
    run(*NEW, "--dicom", hospital / "dicom", out=hospital / "out.json")
    other = cast.image(
        cast.SPINE_SERIES[0], patient=21, series=1, number=1, pixels=cast.picture(np.random.default_rng(9), 32)
    )
    other.save_as(hospital / "other.dcm", enforce_file_format=True)
    document = run(*NEW, "--dicom", hospital / "other.dcm", out=hospital / "out.json")
    assert [one["reason_code"] for one in document["quarantined"]] == ["same_identity"]
    assert document["imported"] == 0


@pytest.mark.django_db
def test_a_case_that_is_read_takes_no_new_image(tmp_path: Path) -> None:
    cast.export(tmp_path, patients=[1], series=cast.SPINE_SERIES)
    fresh = cast.picture(np.random.default_rng(3), 32)
    more = cast.image(cast.SPINE_SERIES[0], patient=1, series=1, number=4, pixels=fresh)
    more.save_as(tmp_path / "more.dcm", enforce_file_format=True)
    document = run("import_cohort", "--study", cast.SPINE, "--dicom", tmp_path, out=tmp_path / "out.json")
    assert document["duplicates"] == 18
    assert [one["reason_code"] for one in document["quarantined"]] == ["case_in_reading"]
    assert document["imported"] == 0


@pytest.mark.django_db
def test_a_dry_run_writes_no_row_and_no_image(hospital: Path) -> None:
    desk.create_study(None, code="NEW", title="New")
    before, stored = (counts(), Job.objects.count()), sorted((settings.DATA_DIR / "store").rglob("*"))
    dry = (*NEW, "--clinical", hospital / f"{cast.FILE_NAME}.csv", "--dicom", hospital / "dicom", "--dry-run")
    document = run(*dry, out=hospital / "out.json")
    assert document["received"] == 36
    assert document["clinical"]["accepted"] == 2
    assert document["studies"] == 4
    assert (document["imported"], document["duplicates"]) == (36, 0)
    assert (counts(), Job.objects.count()) == before
    assert sorted((settings.DATA_DIR / "store").rglob("*")) == stored
    some = sorted((hospital / "dicom").rglob("*.dcm"))[:18]
    run(*NEW, "--dicom", *some, out=hospital / "out.json")
    before = (counts(), Job.objects.count())
    document = run(*dry, out=hospital / "out.json")
    assert (document["imported"], document["duplicates"]) == (18, 18)
    assert (counts(), Job.objects.count()) == before


@pytest.mark.django_db
def test_a_dry_run_makes_no_study(hospital: Path) -> None:
    before = counts(), Job.objects.count()
    with pytest.raises(CommandError, match="There is no study NEW; a dry run makes none") as refused:
        run(*NEW, "--dicom", hospital / "dicom", "--dry-run", out=hospital / "out.json")
    assert refused.value.returncode == 2
    assert (counts(), Job.objects.count()) == before


@pytest.mark.django_db
@pytest.mark.parametrize("target", ["tests", "/proc/out.json"])
def test_a_target_that_cannot_be_written_stops_before_the_import(hospital: Path, target: str) -> None:
    before = counts(), Job.objects.count()
    with pytest.raises(CommandError, match="cannot be written") as refused:
        call_command(*NEW, "--dicom", str(hospital / "dicom"), "--json", target)
    assert refused.value.returncode == 2
    assert (counts(), Job.objects.count()) == before


@pytest.mark.django_db
def test_a_name_in_the_wrong_column_is_repeated_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    fields = [name for name in cast.clinical_row(1) if name != "patient_id"]
    rows = [cast.clinical_row(80 + place, **{name: cast.FAMILY}) for place, name in enumerate(fields)]
    document = run(*NEW, "--clinical", cast.table(tmp_path / "t.csv", rows), out=tmp_path / "out.json")
    assert [one["column"] for one in document["clinical"]["errors"]] == fields
    job = Job.objects.get(study__code="NEW")
    assert job.result["clinical"]["errors"]
    assert "files received" in caplog.text
    for said in (json.dumps(document), json.dumps(job.result), job.message, caplog.text):
        assert cast.FAMILY.lower() not in said.lower()


@pytest.mark.django_db
def test_a_cancelled_import_ends_with_1_and_a_sentence(hospital: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cancelled(study: Study, **more: Any) -> intake.Log:
        jobs.ask_to_cancel(Job.objects.get(study=study).pk)
        more["progress"](1, 2, "")
        raise AssertionError("A cancelled job takes no further step.")

    monkeypatch.setattr(intake, "take_in", cancelled)
    with pytest.raises(CommandError, match="was cancelled") as ended:
        call_command(*NEW, "--dicom", str(hospital / "dicom"))
    assert ended.value.returncode == 1
    assert Job.objects.get(study__code="NEW").state == "cancelled"


ROWS = [
    {"patient_id": "", "age": "40"},
    {"patient_id": "B1", "age": "140"},
    {"patient_id": "B2", "age": "forty"},
    {"patient_id": "B3", "sex": "x"},
    {"patient_id": "B4", "bmi": "5"},
    {"patient_id": "B5", "level": "T12"},
    {"patient_id": "B6", "injection_date": "30.02.2013"},
    {"patient_id": "B7", "nrs_baseline": "11"},
    {"patient_id": "B8", "nrs_15min": "3.3"},
    {"patient_id": "B9", "exclusion": "f"},
    {"patient_id": "B10", "exclusion": "ab"},
    {"patient_id": "GOOD", "age": "40,5", "sex": "w", "bmi": "23,1", "level": "l4", "injection_date": "3.4.2013"},
    {"patient_id": "GOOD", "age": "41"},
    {"patient_id": "B11", "bmi": "wide", "sex": "x"},
]
EXPECTED = [
    (2, "patient_id"), (3, "age"), (4, "age"), (5, "sex"), (6, "bmi"), (7, "level"), (8, "injection_date"),
    (9, "nrs_baseline"), (10, "nrs_15min"), (11, "exclusion"), (12, "exclusion"), (14, "patient_id"), (15, "sex"),
    (15, "bmi"),
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["csv", "semicolon", "xlsx", "latin1"])
def test_errors_of_the_clinical_table_name_row_and_column(kind: str, tmp_path: Path) -> None:
    columns = [*cast.clinical_row(1)]
    lines = [columns, *([row.get(name, "") for name in columns] for row in ROWS)]
    path = _written(tmp_path, kind, lines)
    document = run(*NEW, "--clinical", path, out=tmp_path / "out.json")
    clinical = document["clinical"]
    assert (clinical["rows"], clinical["accepted"]) == (len(ROWS), 1)
    assert sorted((one["row"], one["column"]) for one in clinical["errors"]) == sorted(EXPECTED)
    assert all(one["message"].endswith(".") for one in clinical["errors"])
    study = desk.intake_target("NEW")
    kept = {
        f"{one.name}{one.timepoint}": one.number or one.value
        for one in ClinicalValue.objects.filter(patient__study=study)
    }
    assert kept["age"] == 40.5
    assert kept["bmi"] == 23.1
    assert kept["sex"] == "F"
    assert kept["level"] == "L4"
    assert "2013-04-03" not in kept.values()


def _written(folder: Path, kind: str, lines: list[list[str]]) -> Path:
    if kind == "xlsx":
        from openpyxl import Workbook

        book = Workbook()
        sheet = book.create_sheet(index=0)
        for line in lines:
            sheet.append(line)
        book.save(folder / "t.xlsx")
        return folder / "t.xlsx"
    import csv

    path = folder / "t.csv"
    with path.open("w", newline="", encoding="latin-1" if kind == "latin1" else "utf-8-sig") as file:
        csv.writer(file, delimiter=";" if kind == "semicolon" else ",").writerows(lines)
    return path


@pytest.mark.django_db
@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\x00\x01\x02", b"PK\x03\x04nonsense", b"\xff\xfe"])
def test_a_table_that_is_none_is_an_error_of_row_1(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    document = run(*NEW, "--clinical", tmp_path / "t.csv", out=tmp_path / "out.json")
    assert document["clinical"]["accepted"] == 0
    assert [one["row"] for one in document["clinical"]["errors"]] == [1]


@pytest.mark.django_db
def test_the_clinical_table_meets_its_images_and_keeps_no_identifier(hospital: Path) -> None:
    run(*NEW, "--clinical", hospital / f"{cast.FILE_NAME}.csv", "--dicom", hospital / "dicom", out=hospital / "o.json")
    cases = Case.objects.filter(patient__study__code="NEW")
    assert [case.lysis_vertebra for case in cases] == ["L5", "L5"]
    assert all(case.series.count() == 6 for case in cases)
    # A date is kept moved by the patient's own number of days, as in the images.
    dates = ClinicalValue.objects.filter(name="injection_date", patient__study__code="NEW").values_list(
        "value", flat=True
    )
    assert len(set(dates)) == 2
    assert cast.INJECTED not in dates


@pytest.mark.django_db
def test_a_correction_is_a_further_row(hospital: Path) -> None:
    table = hospital / "t.csv"
    for value in ("2.5", "3.5", "3.5"):
        cast.table(table, [cast.clinical_row(21, nrs_1month=value)])
        run(*NEW, "--clinical", table, out=hospital / "o.json")
    rows = ClinicalValue.objects.filter(name="nrs", timepoint="1month", patient__study__code="NEW").order_by("pk")
    assert [row.number for row in rows] == [2.5, 3.5]


@pytest.mark.django_db
def test_an_excluded_patient_is_not_released_even_when_it_was(hospital: Path) -> None:
    table = hospital / f"{cast.FILE_NAME}.csv"
    run(*NEW, "--clinical", table, "--dicom", hospital / "dicom", out=hospital / "o.json")
    study = Study.objects.get(code="NEW")
    study.memberships.create(user=cast.coordinator(), role="coordinator")
    for username in ("reader_a", "reader_b"):
        desk.set_member(cast.coordinator(), "NEW", username=username, role="reader")
    desk.freeze(cast.coordinator(), "NEW")
    cast.look_at_all("NEW")
    assert desk.release_all(cast.coordinator(), "NEW")[0] == 2
    intake.take_in(study, dicom=[], clinical=cast.table(table, [cast.clinical_row(22, exclusion="b")]))
    desk.begin_reading(cast.coordinator(), "NEW")
    assert study.assignments.count() == 2 * 2 * 1


# --- the exit codes, as a shell sees them --------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    "args",
    [
        ("--study", "NEW", "--create"),
        ("--study", "NOWHERE", "--dicom", "."),
        ("--study", "NEW", "--dicom", "does-not-exist", "--create"),
        ("--study", "NEW", "--clinical", "tests", "--create"),
        ("--study", "9bad code", "--dicom", "tests", "--create"),
        ("--study", "NEW", "--dicom", "tests/integration", "--create", "--protocol", "nonsense"),
        ("--study", "NEW", "--dicom", "tests/integration", "--create", "--setting", "segments"),
        ("--study", "NEW", "--dicom", "tests/integration", "--create", "--json", "no/such/folder/out.json"),
    ],
)
def test_bad_arguments_end_with_2(args: tuple[str, ...]) -> None:
    before = Job.objects.count()
    with pytest.raises(CommandError) as error:
        call_command("import_cohort", *args)
    assert error.value.returncode == 2
    assert str(error.value).endswith((".", "!"))
    assert Job.objects.count() == before


def test_the_command_as_a_process(manage: Commands, tmp_path: Path) -> None:
    cast.export(tmp_path / "dicom", patients=[23], series=cast.SPINE_SERIES[:1])
    (tmp_path / "dicom" / "junk").write_text("junk")
    done = manage(*NEW, "--dicom", tmp_path / "dicom", "--json", tmp_path / "out.json")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "out.json").read_text())["imported"] == 3
    assert not [secret for secret in cast.SECRETS if secret in done.stdout + done.stderr]
    assert manage("import_cohort").returncode == 2
    wrong = manage("import_cohort", "--study", "NOWHERE", "--dicom", tmp_path)
    assert wrong.returncode == 2
    assert "Traceback" not in wrong.stderr
    # No space, no right, no disk: the store's folder cannot be written.
    manage.environment["SPONDY_DATA_DIR"] = str(tmp_path / "data")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "store").write_text("a file where a folder should be")
    cast.export(tmp_path / "more", patients=[24], series=cast.SPINE_SERIES[:1])
    broken = manage("import_cohort", "--study", "NEW", "--dicom", tmp_path / "more")
    assert broken.returncode == 1, broken.stdout + broken.stderr
    assert "The batch could not run" in broken.stderr


@pytest.mark.django_db
def test_a_redcap_export_with_its_dictionary(tmp_path: Path) -> None:
    (tmp_path / "dictionary.csv").write_text(
        '"Variable / Field Name","Form Name","Section Header","Field Type","Field Label",'
        '"Choices, Calculations, OR Slider Labels"\nrecord_id,b,,text,Record,\nmrn,b,,text,Number,\n'
        'gender,b,,radio,Sex,"1, Male | 2, Female"\nnrs,b,,text,Pain,\n'
    )
    (tmp_path / "data.csv").write_text(
        "record_id,redcap_event_name,mrn,gender,nrs\n1,baseline_arm_1,HX1,2,7\n1,1_month_arm_1,,,2\n"
    )
    given = ("--clinical", tmp_path / "data.csv", "--dictionary", tmp_path / "dictionary.csv")
    document = run(*NEW, *given, out=tmp_path / "out.json")
    assert (document["clinical"]["rows"], document["clinical"]["accepted"]) == (1, 1)
    kept = ClinicalValue.objects.filter(patient__study__code="NEW").values_list("name", "timepoint", "value")
    assert set(kept) == {("sex", "", "F"), ("nrs", "baseline", "7"), ("nrs", "1month", "2")}
    with pytest.raises(CommandError, match="--dictionary goes with the data table"):
        call_command(*NEW, "--dicom", str(tmp_path), "--dictionary", str(tmp_path / "dictionary.csv"))
