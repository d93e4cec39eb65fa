"""The clinical table at the desk: uploaded, its columns confirmed, the difference looked at, then written."""

from __future__ import annotations

import csv
import io
import json
import re
import stat
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from annotation import desk, intake
from annotation.access import NotYours, WrongState
from annotation.intake.clinical import waiting
from annotation.models import Case, ClinicalValue, Event, Exclusion, Patient, Study
from tests import cast
from tests.conftest import ROOT

pytestmark = pytest.mark.django_db

HEAD = "Fallnummer;Name;Alter;Geschlecht;BMI;Niveau;NRS vor;NRS 15 min;NRS 1 Monat;Ausschluss\r\n"
SECRET = "HX7734-"


def row(number: int, **more: str) -> str:
    cells = {
        "id": f"{SECRET}{number}", "name": cast.FAMILY, "age": "44", "sex": "w", "bmi": "26,1", "level": "L5",
        "before": "7", "soon": "3", "later": "2,5", "out": "", **more,
    }  # fmt: skip
    return ";".join(cells.values()) + "\r\n"


def table(*rows: str) -> bytes:
    return (HEAD + "".join(rows)).encode("cp1252")


@pytest.fixture
def study() -> Study:
    desk.create_study(cast.coordinator(), code="TAB", title="A table", settings={"images": "none"}, seed=7)
    return desk.intake_target("TAB")


def brought(data: bytes, second: bytes | None = None) -> str:
    return desk.receive_table(cast.coordinator(), "TAB", data, second)


def looked(token: str) -> desk.TablePage:
    return desk.table_page(cast.coordinator(), "TAB", token)


def written(data: bytes) -> Any:
    token = brought(data)
    found = looked(token).found
    assert found is not None
    return desk.confirm_table(cast.coordinator(), "TAB", token, digest=found.digest)


def values(name: str, timepoint: str = "") -> list[tuple[str, float | None]]:
    rows = ClinicalValue.objects.filter(patient__study__code="TAB", name=name, timepoint=timepoint).order_by("pk")
    return list(rows.values_list("value", "number"))


def everything() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Patient, Case, ClinicalValue, Event, Exclusion))


def test_a_preview_writes_nothing_and_a_confirmation_what_it_showed(study: Study) -> None:
    before = everything()
    token = brought(table(row(1), row(2, later="11"), row(3, out="d,b")))
    page = looked(token)
    assert page.found is not None
    assert (page.found.rows, page.found.accepted, page.found.new) == (3, 2, 2)
    assert [(one.row, one.letter, one.column) for one in page.errors] == [(3, "I", "nrs_1month")]
    assert [one.name for one in page.ignored] == ["Name"]
    assert everything() == before
    desk.confirm_table(cast.coordinator(), "TAB", token, digest=page.found.digest)
    assert Patient.objects.filter(study=study).count() == 2
    assert list(Exclusion.objects.filter(patient__study=study).values_list("reason", "note")) == [("b", "also d")]
    assert values("nrs", "1month") == [("2.5", 2.5), ("2.5", 2.5)]
    with pytest.raises(NotYours):
        looked(token)


def test_a_second_table_updates_shows_old_and_new_and_keeps_the_history(study: Study) -> None:
    written(table(row(1), row(2), row(3)))
    token = brought(table(row(1, later="4", age=""), row(2), row(4, out="NA")))
    found = looked(token).found
    assert found is not None
    (change,) = found.changes
    assert (change.row, change.column, change.before, change.after) == (2, "nrs_1month", "2.5", "4")
    assert change.case.startswith("P-")
    assert (found.new, found.unchanged, len(found.absent)) == (1, 1, 1)
    desk.confirm_table(cast.coordinator(), "TAB", token, digest=found.digest)
    patient = Patient.objects.get(study=study, pseudonym=change.case)
    rows = ClinicalValue.objects.filter(patient=patient, name="nrs", timepoint="1month").order_by("pk")
    assert [one.number for one in rows] == [2.5, 4]
    assert ClinicalValue.objects.filter(patient=patient, name="age").count() == 1, "an empty cell deletes nothing"
    again = looked(brought(table(row(1, later="4"), row(2), row(4)))).found
    assert again is not None
    assert not again.writes


def test_the_confirmed_columns_are_used_the_next_time_and_by_the_command(study: Study, tmp_path: Path) -> None:
    data = b"Kennung;Spalte 1;Alter\r\nHX1;7;44\r\n"
    token = brought(data)
    assert "no column patient_id" in looked(token).fault
    desk.map_columns(cast.coordinator(), "TAB", token, {0: "patient_id", 1: "nrs_baseline", 2: ""})
    found = looked(token).found
    assert found is not None
    desk.confirm_table(cast.coordinator(), "TAB", token, digest=found.digest)
    study.refresh_from_db()
    assert study.columns == {"Kennung": "patient_id", "Spalte 1": "nrs_baseline", "Alter": ""}
    assert values("age") == []
    (tmp_path / "t.csv").write_bytes(b"Kennung;Spalte 1;Alter\r\nHX2;6;45\r\n")
    log = intake.take_in(study, dicom=[], clinical=tmp_path / "t.csv").clinical
    assert (log.accepted, values("nrs", "baseline"), values("age")) == (1, [("7", 7), ("6", 6)], [])
    desk.forget_columns(cast.coordinator(), "TAB")
    study.refresh_from_db()
    assert study.columns == {}
    for place, target in ((9, "age"), (0, "nonsense")):
        with pytest.raises(NotYours):
            desk.map_columns(cast.coordinator(), "TAB", brought(data), {place: target})


def test_what_changed_since_the_preview_is_looked_at_again(study: Study) -> None:
    token = brought(table(row(1, later="5")))
    found = looked(token).found
    assert found is not None
    written(table(row(1, later="5")))
    before = everything()
    with pytest.raises(WrongState, match="changed since this preview"):
        desk.confirm_table(cast.coordinator(), "TAB", token, digest=found.digest)
    assert everything() == before


def test_a_value_of_the_outcome_entry_stays_and_a_desks_decision_too(study: Study) -> None:
    from annotation import outcomes

    written(table(row(1), row(2)))
    desk.set_member(cast.coordinator(), "TAB", username="clerk", role="outcome_entry")
    case = outcomes.find(cast.clerk(), "TAB", identifier=f"{SECRET}1")
    assert case is not None
    form = outcomes.entry(cast.clerk(), "TAB", case)
    outcomes.save(cast.clerk(), "TAB", case, base=form.base, given={"nrs_1month": "6"}, reason="Chart says 6.")
    found = looked(brought(table(row(1), row(2)))).found
    assert found is not None
    assert [(one.row, one.column) for one in found.notes] == [(2, "nrs_1month")]
    assert not found.changes
    written(table(row(1), row(2)))
    assert outcomes.entry(cast.clerk(), "TAB", case).value_of("nrs_1month") == "6"


def test_after_the_lock_values_alone_and_after_unblinding_nothing(study: Study) -> None:
    written(table(row(1), row(2)))
    Study.objects.filter(pk=study.pk).update(state="readings_locked")
    found = looked(brought(table(row(1, later="5"), row(2, level="L4"), row(3)))).found
    assert found is not None
    assert [(one.row, one.column) for one in found.errors] == [(3, "level"), (4, "patient_id")]
    assert len(found.changes) == 1
    token = brought(table(row(1, later="5")))
    Study.objects.filter(pk=study.pk).update(state="unblinded")
    with pytest.raises(WrongState, match="is unblinded"):
        desk.confirm_table(cast.coordinator(), "TAB", token, digest=found.digest)
    with pytest.raises(WrongState, match="is unblinded"):
        brought(table(row(1)))


def test_a_redcap_export_becomes_patients(study: Study) -> None:
    from tests.unit.clinical.test_redcap import DATA, DICTIONARY

    token = brought(DICTIONARY, DATA)
    found = looked(token).found
    assert found is not None
    assert found.errors == []
    desk.confirm_table(cast.coordinator(), "TAB", token, digest=found.digest)
    assert sorted(one for one, _ in values("sex")) == ["F", "M"]
    assert values("nrs", "1month") == [("0", 0), ("1", 1)]
    assert Exclusion.objects.get(patient__study=study).reason == "b"
    assert desk.find_case(cast.coordinator(), "TAB", identifier="HX1")


def test_thousands_of_rows_cost_no_query_each(study: Study) -> None:
    few, many = (brought(table(*(row(number) for number in range(1, size)))) for size in (3, 400))
    counted = []
    for token in (few, many):
        with CaptureQueriesContext(connection) as queries:
            looked(token)
        counted.append(len(queries))
    assert counted[0] == counted[1] < 15


# --- the waiting table ---------------------------------------------------------------------------------------------


def home_of(token: str) -> Path:
    return settings.DATA_DIR / "spool" / "tables" / token


def test_a_waiting_table_is_its_owners_alone_and_goes_away(study: Study) -> None:
    token = brought(table(row(1)))
    home = home_of(token)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in home.iterdir()} == {0o600}
    desk.set_member(cast.coordinator(), "TAB", username="stranger", role="coordinator")
    with pytest.raises(NotYours):
        desk.table_page(cast.stranger(), "TAB", token)
    with pytest.raises(NotYours):
        desk.table_page(cast.coordinator(), cast.SPINE, token)
    for wrong in ("..", "0" * 32, token[:-1], token.upper()):
        with pytest.raises(NotYours):
            looked(wrong)
    desk.cancel_table(cast.coordinator(), "TAB", token)
    assert not home.exists()
    with pytest.raises(NotYours):
        desk.cancel_table(cast.coordinator(), "TAB", token)


def test_an_old_table_is_swept(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    token = brought(table(row(1)))
    later = time.time() + waiting.KEPT_S + 1
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(NotYours):
        looked(token)
    waiting.sweep()
    assert not home_of(token).exists()


# --- over HTTP -----------------------------------------------------------------------------------------------------


def upload(seat: Client, data: bytes, second: bytes | None = None) -> Any:
    files = {"table": SimpleUploadedFile(f"{cast.FILE_NAME}.csv", data)}
    if second is not None:
        files["dictionary"] = SimpleUploadedFile("d.csv", second)
    return seat.post("/desk/TAB/clinical/", files)


def test_the_pages_from_upload_to_confirmation_and_no_page_names_a_patient(
    study: Study, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    seat = cast.client("coordinator")
    heard = [seat.get("/desk/TAB/clinical/").content.decode()]
    data = table(row(1), row(2, age=cast.FAMILY), row(3, before="0", soon="3-4"))
    moved = upload(seat, data)
    assert moved.status_code == 302
    page = moved["Location"]
    heard.append(seat.get(page).content.decode())
    assert "This is not a number." in heard[-1]
    assert "Baseline pain is 0" in heard[-1]
    remarks = seat.get(f"{page}remarks.csv")
    assert remarks["Content-Disposition"] == 'attachment; filename="remarks.csv"'
    lines = list(csv.DictReader(io.StringIO(remarks.content.decode("utf-8-sig"))))
    assert [(one["row"], one["column"], one["kind"]) for one in lines][:1] == [("3", "C", "error")]
    heard.append(remarks.content.decode())
    assert seat.post(page, {"column-2": "", "column-99": "age"}).status_code == 404
    assert seat.post(page, {"column-2": ""}).status_code == 302
    heard.append(seat.get(page).content.decode())
    found = desk.table_page(cast.coordinator(), "TAB", page.rstrip("/").rsplit("/", 1)[1]).found
    assert found is not None
    assert found.accepted == 3
    stale = seat.post(page, {"confirm": "0" * 64}, follow=True)
    assert "Nothing was written" in stale.content.decode()
    done = seat.post(page, {"confirm": found.digest}, follow=True)
    heard.append(done.content.decode())
    assert "Written: 3 new patients" in heard[-1]
    heard.append(seat.get("/desk/TAB/trail/").content.decode())
    for answer in heard:
        assert SECRET not in answer
        assert cast.FAMILY not in answer
    assert SECRET not in caplog.text
    assert cast.FAMILY not in caplog.text
    kept = json.dumps([list(ClinicalValue.objects.values_list("value", flat=True)), [*Event.objects.values()]],
                      default=str)  # fmt: skip
    assert SECRET not in kept
    assert cast.FAMILY not in kept
    assert not list((settings.DATA_DIR / "spool" / "tables").iterdir())


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"%PDF-1.4", "PDF"), (b"P1;7\n", "names on top"), (b"x" * 20_000_001, "larger than 20 MB")],
)
def test_a_file_that_is_none_is_refused_on_the_page(study: Study, data: bytes, said: str) -> None:
    answer = upload(cast.client("coordinator"), data)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not (settings.DATA_DIR / "spool" / "tables").exists() or not list(
        (settings.DATA_DIR / "spool" / "tables").iterdir()
    )


def test_an_upload_without_a_file_or_a_token_is_refused(study: Study) -> None:
    assert cast.client("coordinator").post("/desk/TAB/clinical/", {}).status_code == 422
    strict = cast.client("coordinator", enforce_csrf_checks=True)
    assert upload(strict, table(row(1))).status_code == 403
    assert upload(cast.client("reader_a"), table(row(1))).status_code == 404
    assert upload(cast.client(), table(row(1))).status_code == 302


class Untouchable(io.BytesIO):
    """A body that must not be read."""

    def read(self, *_: Any) -> bytes:
        raise AssertionError("the body was read")

    readline = read


@pytest.mark.parametrize(
    ("username", "length", "status"),
    [("", 1000, 302), ("reader_a", 1000, 404), ("coordinator", 42_000_000, 413), ("", 42_000_000, 302)],
)
def test_who_asks_and_how_much_are_looked_at_before_a_byte_is_read(
    study: Study, username: str, length: int, status: int
) -> None:
    strict = cast.client(username or None, enforce_csrf_checks=True)
    strict.cookies["csrftoken"] = "a" * 32
    body: Any = {"wsgi.input": Untouchable(), "CONTENT_LENGTH": str(length)}
    answer = strict.generic("POST", "/desk/TAB/clinical/", b"x", "multipart/form-data; boundary=x", **body)
    assert answer.status_code == status
    if status == 413:
        assert "larger than 20 MB" in answer.content.decode()


def test_the_proxys_bound_lets_through_what_the_page_takes() -> None:
    text = (ROOT / "deploy" / "nginx" / "spondy.conf").read_text()
    (bound,) = re.findall(r"client_max_body_size (\d+)m;", text)
    assert int(bound) * 1024**2 > desk.MOST_TABLE_BYTES * 2


def test_the_state_tells_what_is_missing_and_what_to_look_up(study: Study) -> None:
    written(table(row(1, before="0"), row(2, soon="3-4", bmi="")))
    state = desk.clinical_state(cast.coordinator(), "TAB")
    assert state.patients == 2
    missing = {one.title: one.missing for one in state.coverage}
    assert missing["Body mass index, kg/m²"] == 1
    assert missing["Pain before (NRS)"] == 0
    said = sorted(one.sentence for one in state.queries)
    assert said[0].startswith("Baseline pain is 0")
    assert said[1].startswith("Pain after 15 minutes (NRS): written as a span")
