"""Existing gradings in the browser: checked at the door, computed by a worker, seen by who handed them in alone."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import Workbook

from analytics import export, plans, tasks
from analytics.frames import from_tables, read_bytes
from analytics.models import TableRun
from analytics.runs import kept, uploaded
from annotation.models import Job, Membership
from tests import cast
from tests.conftest import ROOT

pytestmark = pytest.mark.django_db

ORACLE = ROOT / "tests" / "oracles" / "d2"
PLACE = "/report/"


def _table(name: str) -> bytes:
    return (ORACLE / f"{name}.csv").read_bytes()


def _workbook(data: bytes) -> bytes:
    """Give a table as a workbook whose numbers are numbers."""
    book, made = Workbook(), io.BytesIO()
    sheet = book.worksheets[0]
    for place, line in enumerate(csv.reader(io.StringIO(data.decode()))):
        numbers = (cell if place == 0 or not cell.replace(".", "", 1).isdigit() else float(cell) for cell in line)
        sheet.append(list(numbers))
    book.save(made)
    return made.getvalue()


@pytest.fixture
def seat() -> Client:
    return cast.client("analyst")


def _hand_in(seat: Client, clinical: bytes | None = None, gradings: bytes | None = None, **more: Any) -> Any:
    files = {"gradings": SimpleUploadedFile("mine.csv", gradings or _table("gradings"))}
    if clinical is not None:
        files["clinical"] = SimpleUploadedFile("pain.csv", clinical)
    return seat.post(PLACE, {"plan": "paper", "seed": "3", "bootstrap": "0", **files, **more})


def _streamed(seat: Client, place: str) -> Iterable[bytes]:
    answer: Any = seat.get(place)
    chunks: Iterable[bytes] = answer.streaming_content
    return chunks


def _work() -> None:
    tasks.analyse_tables(str(TableRun.objects.get().job_id))


def test_tables_become_results_page_and_archive(seat: Client) -> None:
    first = _hand_in(seat, _workbook(_table("clinical")))
    assert first.status_code == 302
    assert b"waiting for a worker" in seat.get(first["Location"]).content
    _work()
    run = TableRun.objects.get()
    page = seat.get(first["Location"])
    assert page.status_code == 200
    assert f"{first['Location']}files/all.zip" in page.content.decode()
    packed = zipfile.ZipFile(io.BytesIO(b"".join(_streamed(seat, f"{first['Location']}files/all.zip"))))
    frames = from_tables(read_bytes("c", _table("clinical")), read_bytes("g", _table("gradings")))
    expected = export.estimates_csv(plans.carry_out(plans.get("paper"), frames, seed=3))
    assert packed.read("estimates.csv").decode() == expected, "as `analyse` computes it"
    assert {"report.html", "report.docx", "report.pdf", "manifest.json"} <= set(packed.namelist())
    id = next(csv.DictReader(io.StringIO(expected)))["id"]
    assert "Where this number comes from" in seat.get(f"{first['Location']}origin?id={id}").content.decode()
    assert _hand_in(seat, _workbook(_table("clinical")))["Location"] == first["Location"], "computed once"
    assert TableRun.objects.count() == 1
    other = cast.client("root")
    Membership.objects.create(study=cast.study(), user=cast.root(), role="analyst")
    for path in ("", "state", "files/estimates.csv", f"origin?id={id}"):
        assert other.get(first["Location"] + path).status_code == 404, "another analyst's"
    assert seat.post(f"{first['Location']}delete").status_code == 302
    assert not TableRun.objects.exists()
    assert not any(default_storage.exists(name) for name in (*run.tables.values(), run.archive, run.page))


def test_agreement_alone_and_a_killed_worker_s_numbers_are_kept(seat: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    place = _hand_in(seat)["Location"]

    def killed(*_: object) -> str:
        raise SystemExit(9)

    with monkeypatch.context() as broken:
        broken.setattr(kept, "keep", killed)
        with pytest.raises(SystemExit):
            _work()
    run = TableRun.objects.get()
    assert run.results is not None
    assert not run.archive
    assert not any("success" in entry["id"] for entry in run.results["entries"]), "no outcome was handed in"
    Job.objects.update(lease_until="2000-01-01T00:00Z")

    def never(*_: object, **__: object) -> None:
        raise AssertionError("computed twice")

    monkeypatch.setattr(uploaded, "_computed", never)
    _work()
    assert b"files/all.zip" in seat.get(place).content


def test_a_cancelled_analysis_starts_again(seat: Client) -> None:
    place = _hand_in(seat)["Location"]
    seat.post(f"{place}cancel")
    assert b"Start again" in seat.get(f"{place}state").content
    _work()
    assert not TableRun.objects.get().archive
    first = TableRun.objects.get().job_id
    seat.post(f"{place}again")
    assert TableRun.objects.get().job_id != first


GRADED = "case_id,reader," + ",".join(_table("gradings").decode().splitlines()[0].split(",")[2:])
LINE = _table("gradings").decode().splitlines()[1]


@pytest.mark.parametrize(
    ("gradings", "clinical", "sentence"),
    [
        (f"{GRADED},Patient Name\n{LINE},x\n", None, "mine.csv, row 1, column Patient Name: this column looks as if"),
        (f"{GRADED},birthDate\n{LINE},x\n", None, "column birthDate: this column looks as if it named patients"),
        (f'{GRADED}\n"Muster, Ilse",{LINE.partition(",")[2]}\n', None, "row 2, column case_id: this looks like a"),
        (f"{GRADED}\n{LINE.replace(',R1,', ',solo,')}\n", None, "only solo graded the cases"),
        (GRADED.replace(",", ";") + "\n", None, "semicolons"),
        ("\x00PK", None, "mine.csv"),
        (
            None,
            "case_id,age,sex,bmi,level,nrs_baseline,nrs_15min,nrs_1month\nA,old,F,,,,,\n",
            "pain.csv, row 2, column",
        ),
    ],
)
def test_a_fault_names_file_row_and_column(
    seat: Client, gradings: str | None, clinical: str | None, sentence: str
) -> None:
    answer = _hand_in(seat, clinical.encode() if clinical else None, gradings.encode() if gradings else None)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not TableRun.objects.exists()


def test_wishes_and_sizes_have_limits(seat: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for wish in ({"plan": "mine"}, {"seed": "-1"}, {"bootstrap": "7"}, {"bootstrap": "1000000"}):
        assert _hand_in(seat, None, None, **wish).status_code == 422
    assert seat.post(PLACE, {"plan": "paper"}).status_code == 422
    monkeypatch.setattr(uploaded, "MOST_BYTES", 1000)
    assert _hand_in(seat).status_code == 413


def test_columns_that_no_analysis_knows_are_not_stored(seat: Client) -> None:
    lines = _table("gradings").decode().splitlines()
    more = "\n".join([f"{lines[0]},remark", *(f"{line},secret words" for line in lines[1:])])
    assert _hand_in(seat, gradings=more.encode()).status_code == 302
    stored = kept.table(TableRun.objects.get().tables["gradings"])
    assert b"secret" not in stored
    assert len(stored.splitlines()) == len(lines)
