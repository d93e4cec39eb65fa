"""What a coordinator does, on the pages: make a study, release, draw the order, watch counts, close, unblind."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from django.conf import settings
from django.test import Client

from annotation import desk, handover, intake
from annotation.access import WrongState
from annotation.dicom.roles import ROLE_TITLES
from annotation.models import Assignment, Case, Event, Series, Study
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def seat() -> Client:
    return cast.client("coordinator")


def made(seat: Client, code: str = "NEW", *, cases: int = 6, chosen: dict[str, object] | None = None) -> Study:
    """Make a study of clinical rows alone: no image is needed to speak of orders."""
    desk.create_study(
        cast.coordinator(), code=code, title="New", settings={"images": "none"} if chosen is None else chosen, seed=7
    )
    rows = [cast.clinical_row(number) for number in range(40, 40 + cases)]
    path = cast.table(settings.DATA_DIR / f"{code}.csv", rows)
    intake.take_in(desk.intake_target(code), dicom=[], clinical=path)
    for username in ("reader_a", "reader_b"):
        desk.set_member(cast.coordinator(), code, username=username, role="reader")
    return Study.objects.get(code=code)


def test_a_study_from_its_making_to_its_end(seat: Client) -> None:
    answer = seat.post("/desk/", {"code": "FULL", "title": "Full", "protocol": "spondylolysis"})
    assert answer.status_code == 302, answer.content
    assert "Import the cohort" in seat.get("/desk/FULL/").content.decode()
    assert seat.post("/desk/", {"code": "full", "title": "Again", "protocol": "spondylolysis"}).status_code == 422
    folder = settings.DATA_DIR / "full"
    cast.export(folder / "dicom", patients=[51, 52], series=cast.SPINE_SERIES)
    rows = [cast.clinical_row(51), cast.clinical_row(52), cast.clinical_row(53, exclusion="a")]
    intake.take_in(desk.intake_target("FULL"), dicom=[folder / "dicom"], clinical=cast.table(folder / "t.csv", rows))
    assert "2 cases wait for release" in seat.get("/desk/FULL/").content.decode()
    cast.look_at_all("FULL")
    seat.post("/desk/FULL/release/", {"all": "1"})
    assert Case.objects.filter(patient__study__code="FULL", released_at__isnull=False).count() == 2
    for username in ("reader_a", "reader_b"):
        assert seat.post("/desk/FULL/readers/", {"username": username, "role": "reader"}).status_code == 302
    assert "Freeze the protocol" in seat.get("/desk/FULL/setup/").content.decode()
    seat.post("/desk/FULL/setup/")
    seat.post("/desk/FULL/readers/", {"begin": "1"})
    assert Study.objects.get(code="FULL").state == "reading"
    cast.ROLES["FULL"] = {"reader_a": "reader", "reader_b": "reader"}
    try:
        refused = seat.post("/desk/FULL/closing/", {"reason": "Done.", "typed_code": "FULL"})
        assert "8 readings are not submitted yet" in refused.content.decode()
        cast.read_all("FULL")
    finally:
        del cast.ROLES["FULL"]
    assert "Close the study" in seat.get("/desk/FULL/").content.decode()
    seat.post("/desk/FULL/unblinding/", {"reason": "Now.", "typed_code": "FULL"})
    assert Study.objects.get(code="FULL").state == "reading", "only a closed study is unblinded"
    assert seat.post("/desk/FULL/closing/", {"reason": "Done.", "typed_code": "FULL"}).status_code == 302
    assert Study.objects.get(code="FULL").state == "closed"
    assert seat.post("/desk/FULL/unblinding/", {"reason": "Now.", "typed_code": "FULL"}).status_code == 302
    states = [one.after for one in Event.objects.filter(study__code="FULL", verb="state").order_by("number")]
    assert states == ["frozen", "reading", "readings_locked", "adjudication", "closed", "unblinded"]
    trail = seat.get("/desk/FULL/trail/").content.decode()
    assert "Done." in trail
    assert "Now." in trail
    assert not list(handover.verify("FULL"))


def test_a_reader_of_a_closed_study_sees_a_closed_room(seat: Client) -> None:
    cast.read_all(cast.PEBBLE)
    reader = cast.client("reader_a")
    assert "all submitted" in reader.get(f"/room/{cast.PEBBLE}/").content.decode()
    cast.close(cast.PEBBLE)
    assert "Reading is closed" in reader.get(f"/room/{cast.PEBBLE}/").content.decode()
    assert reader.get(f"/room/{cast.PEBBLE}/one/").status_code == 302
    assert reader.get(f"/api/room/{cast.PEBBLE}/one/next").status_code == 409


# --- release -------------------------------------------------------------------------------------------------------


def test_a_case_is_released_when_it_is_complete(seat: Client) -> None:
    made(seat, chosen={}, cases=1)
    folder = settings.DATA_DIR / "part"
    cast.export(folder, patients=[40], series=cast.SPINE_SERIES[:3])
    intake.take_in(desk.intake_target("NEW"), dicom=[folder])
    case = Case.objects.get(patient__study__code="NEW")
    page = seat.get("/desk/NEW/release/").content.decode()
    assert ROLE_TITLES["CT_PRE"] in page
    assert seat.post("/desk/NEW/release/", {"case": case.pk}).status_code == 409
    seat.post("/desk/NEW/release/", {"all": "1"})
    assert not Case.objects.filter(pk=case.pk, released_at__isnull=False).exists()
    cast.export(folder, patients=[40], series=cast.SPINE_SERIES)
    intake.take_in(desk.intake_target("NEW"), dicom=[folder])
    refused = seat.post("/desk/NEW/release/", {"case": case.pk})
    assert refused.status_code == 409
    assert "a look at its images missing" in refused.content.decode()
    cast.look_at_all("NEW")
    assert seat.post("/desk/NEW/release/", {"case": case.pk}).status_code == 302
    assert Case.objects.filter(pk=case.pk, released_at__isnull=False).exists()
    desk.withdraw(cast.coordinator(), "NEW", case.pk, reason="Too early.")
    assert not Case.objects.filter(pk=case.pk, released_at__isnull=False).exists()


def test_a_coordinator_finds_a_case_by_the_hospitals_identifier(seat: Client) -> None:
    page = seat.post(f"/desk/{cast.SPINE}/release/", {"identifier": f" {cast.HOSPITAL_ID}-2 "}).content.decode()
    hit = desk.find_case(cast.coordinator(), cast.SPINE, identifier=f"{cast.HOSPITAL_ID}-2")
    assert hit
    assert f"This patient is case <strong>{hit}</strong>" in page
    other = seat.post(f"/desk/{cast.SPINE}/release/", {"identifier": "x"}).content.decode()
    assert "No patient of this study" in other
    # An address would leave the identifier in logs and in the browser's history.
    assert all('name="identifier"' not in form.split("</form>")[0] for form in page.split('method="get"')[1:])


def test_a_role_set_at_the_desk_stays_when_more_images_come(seat: Client) -> None:
    made(seat, chosen={}, cases=1)
    folder = settings.DATA_DIR / "roles"
    cast.export(folder, patients=[40], series=cast.SPINE_SERIES[:1])
    intake.take_in(desk.intake_target("NEW"), dicom=[folder])
    one = Series.objects.get(case__patient__study__code="NEW")
    assert one.role == "SAG_T2"
    assert seat.post("/desk/NEW/series/", {"series": one.pk, "role": "SAG_STIR"}).status_code == 302
    assert seat.post("/desk/NEW/series/", {"series": one.pk, "role": "NONSENSE"}).status_code == 422
    fresh = cast.picture(np.random.default_rng(3), 32)
    cast.image(cast.SPINE_SERIES[0], patient=40, series=1, number=4, pixels=fresh).save_as(
        folder / "m.dcm", enforce_file_format=True
    )
    assert intake.take_in(desk.intake_target("NEW"), dicom=[folder]).imported == 1
    one.refresh_from_db()
    assert (one.role, one.frame_count) == ("SAG_STIR", 4)
    picture = seat.get(f"/desk/NEW/series/{one.pk}/sheet.png")
    assert picture["Content-Type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")


# --- the order -----------------------------------------------------------------------------------------------------


def orders(code: str, form: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for place in desk.ledger(cast.coordinator(), code):
        if place.form == form:
            found.setdefault(place.reader, []).append(place.case)
    return found


def test_the_order_is_stored_random_and_nowhere_the_same(seat: Client) -> None:
    made(seat, cases=30)
    desk.freeze(cast.coordinator(), "NEW")
    desk.release_all(cast.coordinator(), "NEW")
    assert desk.begin_reading(cast.coordinator(), "NEW") == 30
    for form in ("ct", "mr"):
        of = orders("NEW", form)
        a, b = of["reader_a"], of["reader_b"]
        assert sorted(a) == sorted(b)
        assert len(set(a)) == 30
        assert not [place for place in range(30) if a[place] == b[place]]
        assert a != sorted(a)
    assert orders("NEW", "ct")["reader_a"] != orders("NEW", "mr")["reader_a"]
    aliases = [place.alias for place in desk.ledger(cast.coordinator(), "NEW") if place.reader == "reader_a"][:30]
    assert aliases == [f"Case {number:03d}" for number in range(1, 31)]


def test_the_order_follows_from_the_seed_and_from_nothing_else() -> None:
    cases = list(range(100, 130))
    stream = ("reader_a", "ct", "main", 0)
    first = desk.order.draw(cases, seed=7, stream=stream, avoid=[])
    assert first == desk.order.draw(cases, seed=7, stream=stream, avoid=[])
    assert first != desk.order.draw(cases, seed=8, stream=stream, avoid=[])
    assert first != desk.order.draw(cases, seed=7, stream=("reader_b", *stream[1:]), avoid=[])
    other = desk.order.draw(cases, seed=7, stream=stream, avoid=[first])
    assert not [place for place in range(30) if first[place] == other[place]]
    pairs = Counter(desk.order.draw([1, 2, 3], seed=seed, stream=(), avoid=[])[0] for seed in range(600))
    assert all(150 < count < 250 for count in pairs.values()), pairs


@pytest.mark.parametrize("later", [1, 2, 3, 5])
def test_cases_that_come_later_keep_the_rule(later: int, seat: Client) -> None:
    """A case released while reading is under way waits until it has company: no two readers share a place."""
    study = made(seat, cases=4)
    desk.freeze(cast.coordinator(), "NEW")
    desk.release_all(cast.coordinator(), "NEW")
    desk.begin_reading(cast.coordinator(), "NEW")
    before = orders("NEW", "ct")
    for number in range(60, 60 + later):
        path = cast.table(settings.DATA_DIR / "later.csv", [cast.clinical_row(number)])
        intake.take_in(study, dicom=[], clinical=path)
        case = Case.objects.get(patient__study=study, released_at__isnull=True)
        assert seat.post("/desk/NEW/release/", {"case": case.pk}).status_code == 302
    after = orders("NEW", "ct")
    for reader, order in after.items():
        assert order[:4] == before[reader]
    a, b = after["reader_a"], after["reader_b"]
    assert sorted(a) == sorted(b)
    assert not [place for place, (x, y) in enumerate(zip(a, b, strict=True)) if x == y]
    assert len(a) >= 4 + later - (later % 2 if later < 4 else 1)
    assert not list(handover.verify("NEW"))


def test_a_reader_who_comes_later_shares_no_place_either(seat: Client) -> None:
    made(seat, cases=12)
    desk.freeze(cast.coordinator(), "NEW")
    desk.release_all(cast.coordinator(), "NEW")
    desk.begin_reading(cast.coordinator(), "NEW")
    desk.set_member(cast.coordinator(), "NEW", username="stranger", role="reader")
    desk.admit(cast.coordinator(), "NEW")
    of = orders("NEW", "ct")
    assert len(of["stranger"]) == 12
    for reader in ("reader_a", "reader_b"):
        assert not [place for place in range(12) if of[reader][place] == of["stranger"][place]]


def test_reading_begins_when_everything_is_there(seat: Client) -> None:
    study = made(seat)
    with pytest.raises(WrongState, match="Draft"):
        desk.begin_reading(cast.coordinator(), "NEW")
    desk.freeze(cast.coordinator(), "NEW")
    with pytest.raises(WrongState, match="No case is released"):
        desk.begin_reading(cast.coordinator(), "NEW")
    desk.release_all(cast.coordinator(), "NEW")
    desk.remove_member(cast.coordinator(), "NEW", username="reader_b")
    with pytest.raises(WrongState, match="two readers"):
        desk.begin_reading(cast.coordinator(), "NEW")
    assert not Assignment.objects.filter(study=study).exists()
    desk.set_member(cast.coordinator(), "NEW", username="reader_b", role="reader")
    assert desk.begin_reading(cast.coordinator(), "NEW") == 6
    with pytest.raises(WrongState):
        desk.begin_reading(cast.coordinator(), "NEW")


# --- members -------------------------------------------------------------------------------------------------------


def test_one_role_a_person_and_it_changes_only_when_all_is_locked(seat: Client) -> None:
    coordinator = cast.coordinator()
    with pytest.raises(WrongState, match="open readings"):
        desk.set_member(coordinator, cast.SPINE, username="reader_a", role="analyst")
    for form in ("ct", "mr"):
        for _ in range(4):
            cast.read_one("reader_a", cast.SPINE, form)
    desk.set_member(coordinator, cast.SPINE, username="reader_a", role="analyst")
    roles = [member.role for member in desk.members(coordinator, cast.SPINE) if member.username == "reader_a"]
    assert roles == ["analyst"]
    assert cast.client("reader_a").get(f"/room/{cast.SPINE}/").status_code == 404
    with pytest.raises(WrongState, match="at least one coordinator"):
        desk.set_member(coordinator, cast.SPINE, username="coordinator", role="reader")


def test_progress_is_counts_and_never_a_grade(seat: Client) -> None:
    cast.read_one("reader_a", cast.SPINE, "mr")
    page = seat.get(f"/desk/{cast.SPINE}/progress/").content.decode()
    rows = {(row.reader, row.form): (row.locked, row.of) for row in desk.progress(cast.coordinator(), cast.SPINE)}
    assert rows[("reader_a", "mr")] == (1, 4)
    assert rows[("reader_b", "ct")] == (0, 4)
    assert "pfirrmann" not in page.lower()
    trail = seat.get(f"/desk/{cast.SPINE}/trail/").content.decode()
    assert "lock" in trail
    assert str(Assignment.objects.get(locked_revision__isnull=False).pk) not in trail
