"""The coordinator looks at what came in: roles, holds, masks, exclusions, and the gate that asks for all of it."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from numpy.typing import NDArray

from annotation import desk, handover, intake, jobs, room, store
from annotation.access import NotYours, WrongState
from annotation.desk import BadSetting, NotConfirmed
from annotation.dicom.codec import stored_array
from annotation.models import Assignment, Case, Event, Instance, Job, Series
from tests import cast

pytestmark = pytest.mark.django_db
TEXT = "Something like text stands at the upper or lower edge of the image."


@pytest.fixture
def seat() -> Client:
    return cast.client("coordinator")


@pytest.fixture
def case() -> Case:
    return new_case()


def new_case() -> Case:
    """Make a case with all its series that nobody has looked at, in a study that is not begun."""
    desk.create_study(cast.coordinator(), code="NEW", title="New", seed=7)
    home = settings.DATA_DIR / "look"
    cast.export(home, patients=[71], series=cast.SPINE_SERIES)
    table = cast.table(settings.DATA_DIR / "look.csv", [cast.clinical_row(71)])
    intake.take_in(desk.intake_target("NEW"), dicom=[home], clinical=table)
    return Case.objects.select_related("patient").get(patient__study__code="NEW")


def of_role(case: Case, role: str) -> Series:
    return Series.objects.get(case=case, role=role)


def hold(series: Series, reason: str = TEXT) -> Series:
    series.held_reason = reason
    series.save()
    return series


def work(kind: str) -> None:
    """Do what waits for a worker."""
    bodies: dict[str, Callable[[jobs.Held], None]] = {"mask": desk.carry_out_mask, "purge": desk.carry_out_purge}
    for job in Job.objects.filter(kind=kind, state="waiting"):
        jobs.work(str(job.pk), bodies[kind])


def said(verb: str) -> Event:
    newest: Event = Event.objects.filter(study__code="NEW", verb=verb).order_by("-number")[0]
    return newest


def missing(case: Case) -> tuple[str, ...]:
    return next(row for row in desk.cases(cast.coordinator(), "NEW").rows if row.id == case.pk).missing


def pixels(series: Series) -> list[NDArray[np.integer]]:
    return [
        stored_array(store.get(frame["digest"]), image.header)
        for image in Instance.objects.filter(series=series).order_by("sop_uid")
        for frame in image.frames
    ]


def digests(series: Series) -> set[str]:
    return {frame["digest"] for image in Instance.objects.filter(series=series) for frame in image.frames}


# --- the gate ------------------------------------------------------------------------------------------------------


def test_the_gate_names_what_is_missing_in_words(case: Case) -> None:
    me = cast.coordinator()
    assert missing(case) == ("a look at its images",)
    stir = hold(of_role(case, "SAG_STIR"))
    Case.objects.filter(pk=case.pk).update(lysis_vertebra="")
    wanted = ("index level", "Sagittal STIR", "a decision on its held series", "a look at its images")
    assert missing(case) == wanted
    with pytest.raises(WrongState, match="not released: index level, Sagittal STIR, a decision"):
        desk.release(me, "NEW", case.pk)
    assert desk.release_all(me, "NEW") == (0, [f"1 case is not released: {', '.join(wanted)} missing."])
    found = desk.completeness(me, "NEW")
    assert (found.cases, found.waiting, found.complete) == (1, 1, 0)
    assert {lack.code for lack in found.lacks} == {"level", "SAG_STIR", "decision", "look"}
    desk.release_series(me, "NEW", stir.pk, reason="Letters of the side only.")
    desk.set_level(me, "NEW", case.pk, level="L5")
    desk.look_at(me, "NEW", str(case))
    assert desk.release_all(me, "NEW") == (1, [])
    assert [row.case for row in desk.cases(me, "NEW", state="released").rows] == [str(case)]
    assert not desk.cases(me, "NEW", state="waiting").rows
    assert not desk.cases(me, "NEW", lacks="look").rows
    assert not desk.cases(me, "NEW", lacks="nothing-such").rows


@pytest.mark.parametrize("chosen", [{"synthetic": True}, {"images": "none"}])
def test_generated_pictures_and_none_need_no_look(chosen: dict[str, object], case: Case) -> None:
    study = case.patient.study
    study.settings = chosen
    study.save()
    assert missing(case) == ()
    hold(of_role(case, "AX_T2"))
    assert "a decision on its held series" in missing(case)


def test_a_setting_that_would_open_the_gate_by_a_typing_error_is_refused() -> None:
    with pytest.raises(BadSetting, match="required, none"):
        desk.create_study(cast.coordinator(), code="TYPO", title="Typo", settings={"images": "nonne"})


# --- looked at -----------------------------------------------------------------------------------------------------


def test_a_look_marks_what_is_clean_and_leaves_what_is_held(case: Case, seat: Client) -> None:
    hold(of_role(case, "CT_PRE"))
    page = desk.look(cast.coordinator(), "NEW", str(case))
    assert (page.unseen, page.held, page.series[0].state) == (5, 1, "held"), "what waits for a decision stands first"
    assert seat.post(f"/desk/NEW/look/{case}/", {"act": "looked", "seen": page.seen}).status_code == 302
    assert Series.objects.filter(case=case, looked_at__isnull=False).count() == 5
    assert said("look at images").after == {"series": 5}
    assert missing(case) == ("CT before contrast", "a decision on its held series")
    assert desk.look_at(cast.coordinator(), "NEW", str(case)) == 0


def test_what_came_after_the_page_was_opened_was_not_looked_at(case: Case, seat: Client) -> None:
    seen = desk.look(cast.coordinator(), "NEW", str(case)).seen
    cast.image(
        cast.SPINE_SERIES[0], patient=71, series=1, number=9, pixels=cast.picture(np.random.default_rng(1), 32)
    ).save_as(settings.DATA_DIR / "late.dcm", enforce_file_format=True)
    assert intake.take_in(case.patient.study, dicom=[settings.DATA_DIR / "late.dcm"]).imported == 1
    answer = seat.post(f"/desk/NEW/look/{case}/", {"act": "release", "seen": seen, "case": case.pk})
    assert answer.status_code == 409
    assert "have changed since this page was opened" in answer.content.decode()
    assert not Series.objects.filter(case=case, looked_at__isnull=False).exists()


def test_looked_at_and_release_goes_to_the_next_case(case: Case, seat: Client) -> None:
    cast.export(settings.DATA_DIR / "second", patients=[72], series=cast.SPINE_SERIES)
    table = cast.table(settings.DATA_DIR / "second.csv", [cast.clinical_row(72)])
    intake.take_in(case.patient.study, dicom=[settings.DATA_DIR / "second"], clinical=table)
    first = desk.first_case(cast.coordinator(), "NEW")
    assert seat.get("/desk/NEW/look/")["Location"] == f"/desk/NEW/look/{first}/"
    places = []
    for _ in range(2):
        page = desk.look(cast.coordinator(), "NEW", first)
        body = {"act": "release", "seen": page.seen, "case": page.id}
        places.append(seat.post(f"/desk/NEW/look/{first}/", body)["Location"])
        first = page.next_waiting
    assert places[0].startswith("/desk/NEW/look/P-")
    assert places[1] == "/desk/NEW/release/"
    assert Case.objects.filter(patient__study__code="NEW", released_at__isnull=False).count() == 2


def test_a_case_that_lacks_something_is_looked_at_and_not_released(case: Case, seat: Client) -> None:
    hold(of_role(case, "AX_T2"))
    page = desk.look(cast.coordinator(), "NEW", str(case))
    answer = seat.post(f"/desk/NEW/look/{case}/", {"act": "release", "seen": page.seen, "case": case.pk}, follow=True)
    assert f"{case} is not released: Axial T2, a decision on its held series missing." in answer.content.decode()
    assert Series.objects.filter(case=case, looked_at__isnull=False).count() == 5


# --- held series and readers ---------------------------------------------------------------------------------------


def begun(case: Case) -> None:
    """Let both readers read this case and two more."""
    for number in (72, 73):
        cast.export(settings.DATA_DIR / "more", patients=[number], series=cast.SPINE_SERIES)
    rows = [cast.clinical_row(number) for number in (72, 73)]
    more = cast.table(settings.DATA_DIR / "more.csv", rows)
    intake.take_in(case.patient.study, dicom=[settings.DATA_DIR / "more"], clinical=more)
    me = cast.coordinator()
    for username in ("reader_a", "reader_b"):
        desk.set_member(me, "NEW", username=username, role="reader")
    cast.look_at_all("NEW")
    assert desk.release_all(me, "NEW")[1] == []
    desk.freeze(me, "NEW")
    desk.begin_reading(me, "NEW")


@pytest.mark.parametrize("field", ["held_reason", "excluded_reason"])
def test_no_reader_meets_a_held_or_excluded_series_at_any_address(field: str, case: Case) -> None:
    begun(case)
    seat, cookie = cast.client("reader_a"), ""
    hidden = Series.objects.filter(case__patient__study__code="NEW", role="SAG_STIR")
    frames = {frame["digest"] for image in Instance.objects.filter(series__in=hidden) for frame in image.frames}
    hidden.update(**{field: "Text."})
    told = b""
    bodies = {store.get(digest) for digest in frames}
    for _ in range(3):
        reading = cast.next_of(seat, "NEW", "mr")["reading"]
        ahead = seat.get("/api/room/NEW/mr/upcoming").json()["reading"] or {"stacks": []}
        cookie = cast.session_cookie(seat)
        told += json.dumps([reading, ahead]).encode()
        for address in [*cast.frame_addresses(reading), *cast.frame_addresses(ahead)]:
            answer = cast.wsgi(address, cookie=cookie)
            assert answer.status == 200
            assert answer.body not in bodies
        room.set_aside(cast.reader_a(), Assignment.objects.get(pk=reading["id"]).pk, reason="On.")
    assert b"SAG_STIR" not in told
    for one in hidden:
        for path in (
            f"series/{one.pk}/sheet.png",
            f"series/{one.pk}/slices/1.png",
            f"look/{case}/",
            "series/",
            "look/",
        ):
            assert seat.get(f"/desk/NEW/{path}").status_code == 404, path


def test_two_series_of_one_role_are_named_with_the_one_that_hangs_first(case: Case, seat: Client) -> None:
    t1, t2 = of_role(case, "SAG_T1"), of_role(case, "SAG_T2")
    desk.set_role(cast.coordinator(), "NEW", t1.pk, role="SAG_T2")
    hints = {card.id: card.same_role for card in desk.look(cast.coordinator(), "NEW", str(case)).series}
    first, second = sorted((t1.pk, t2.pk))
    assert hints[first] == "hangs first"
    assert "second" in hints[second]
    assert "Role given twice" in seat.get(f"/desk/NEW/look/{case}/").content.decode()
    desk.set_role(cast.coordinator(), "NEW", of_role(case, "SAG_STIR").pk, role="OTHER")
    study = case.patient.study
    study.settings = {"images": "none"}  # two series of one role leave another one open
    study.save()
    begun(case)
    seat = cast.client("reader_a")
    for _ in range(3):
        reading = cast.next_of(seat, "NEW", "mr")["reading"]
        if Assignment.objects.get(pk=reading["id"]).case_id == case.pk:
            break
        room.set_aside(cast.reader_a(), Assignment.objects.get(pk=reading["id"]).pk, reason="On.")
    hung = next(stack for stack in reading["stacks"] if stack["role"] == "SAG_T2")
    image = cast.wsgi(hung["frames"][0]["image"], cookie=cast.session_cookie(seat)).body
    order = Series.objects.get(pk=first).parameters["order"]
    stored = Instance.objects.get(series=first, sop_uid=order[0][0]).frames[0]["digest"]
    assert image == store.get(stored), "the hint names the series that the room gives first"


# --- acts ----------------------------------------------------------------------------------------------------------


def test_a_held_series_is_released_with_a_reason(case: Case, seat: Client) -> None:
    one = hold(of_role(case, "CT_POST"))
    here = f"/desk/NEW/look/{case}/"
    assert seat.post(here, {"act": "show", "series": one.pk, "reason": " "}).status_code == 422
    answer = seat.post(here, {"act": "show", "series": one.pk, "reason": "Table edge, no text."})
    assert answer["Location"] == f"{here}?series={one.pk}"
    one.refresh_from_db()
    assert (one.held_reason, bool(one.looked_at)) == ("", True)
    event = said("release series")
    assert (event.before, event.reason, event.subject) == (TEXT, "Table edge, no text.", f"{case}, series {one.pk}")
    with pytest.raises(WrongState, match="not held back"):
        desk.release_series(cast.coordinator(), "NEW", one.pk, reason="Again.")


def test_an_excluded_series_leaves_the_store_and_comes_in_no_second_time(case: Case, seat: Client) -> None:
    one, gone = of_role(case, "AX_T2"), digests(of_role(case, "AX_T2"))
    kept = set().union(*(digests(other) for other in Series.objects.exclude(pk=one.pk)))
    with pytest.raises(NotConfirmed):
        desk.exclude_series(cast.coordinator(), "NEW", one.pk, reason="")
    assert seat.post(f"/desk/NEW/look/{case}/", {"act": "exclude", "series": one.pk, "reason": "Another body part."})
    assert all(store.holds(digest) for digest in gone), "the worker removes them"
    assert any("still in the store" in fault for fault in handover.verify("NEW"))
    work("purge")
    assert not any(store.holds(digest) for digest in gone - kept)
    assert not list(handover.verify("NEW"))
    assert said("exclude series").reason == "Another body part."
    again = intake.take_in(case.patient.study, dicom=[settings.DATA_DIR / "look"])
    assert (again.imported, again.duplicates) == (0, 18)
    assert seat.get(f"/desk/NEW/series/{one.pk}/sheet.png").status_code == 404
    assert seat.get(f"/desk/NEW/series/{one.pk}/slices/1.png").status_code == 404
    assert "Another body part." in seat.get(f"/desk/NEW/look/{case}/").content.decode()
    assert missing(case) == ("Axial T2", "a look at its images")
    for act in (desk.exclude_series, desk.release_series):
        with pytest.raises(WrongState):
            act(cast.coordinator(), "NEW", one.pk, reason="Again.")
    with pytest.raises(WrongState, match="excluded"):
        desk.set_role(cast.coordinator(), "NEW", one.pk, role="AX_T1")


def test_bytes_that_another_series_needs_stay(case: Case) -> None:
    one, other = of_role(case, "AX_T2"), of_role(case, "SAG_T2")
    shared = Instance.objects.filter(series=other)[0].frames[0]["digest"]
    image = Instance.objects.filter(series=one)[0]
    image.frames[0]["digest"] = shared
    image.save()
    desk.exclude_series(cast.coordinator(), "NEW", one.pk, reason="Other part.")
    work("purge")
    assert store.holds(shared)


def test_a_mask_changes_its_rectangle_in_every_slice_and_nothing_else(case: Case, seat: Client) -> None:
    one = hold(of_role(case, "SAG_T2"))
    before, old = pixels(one), digests(one)
    taken = set(Instance.objects.filter(series=one).values_list("digest", flat=True))
    body = {"act": "mask", "series": one.pk, "row0": "1", "row1": "4", "column0": "3", "column1": "20"}
    assert seat.post(f"/desk/NEW/look/{case}/", body).status_code == 302
    one.refresh_from_db()
    assert one.held_reason == "A rectangle is being masked."
    page = seat.get(f"/desk/NEW/look/{case}/").content.decode()
    assert 'data-busy="yes"' in page
    with pytest.raises(WrongState, match="being masked"):
        desk.mask_series(cast.coordinator(), "NEW", one.pk, rectangle=(0, 0, 2, 2))
    with pytest.raises(WrongState, match="being masked"):
        desk.release_series(cast.coordinator(), "NEW", one.pk, reason="Now.")
    work("mask")
    one.refresh_from_db()
    assert one.held_reason == TEXT, "what was held before still needs its decision"
    after = pixels(one)
    assert len(after) == len(before) == 3
    for new, was in zip(after, before, strict=True):
        assert (new[0:4, 2:20] == was.min()).all()
        outside = np.ones(was.shape, bool)
        outside[0:4, 2:20] = False
        assert np.array_equal(new[outside], was[outside])
    work("purge")
    assert not any(store.holds(digest) for digest in old)
    assert not list(handover.verify("NEW"))
    assert set(Instance.objects.filter(series=one).values_list("taken_digest", flat=True)) == taken
    (mask,) = one.masks
    assert (mask["rectangle"], mask["by"]) == ([0, 2, 4, 20], "coordinator")
    assert said("mask series").after == {"rows": [0, 4], "columns": [2, 20], "slices": 3}
    header = Instance.objects.filter(series=one)[0].header
    assert header["00280301"]["Value"] == ["NO"]
    again = intake.take_in(case.patient.study, dicom=[settings.DATA_DIR / "look"])
    assert (again.imported, again.duplicates, again.quarantined) == (0, 18, [])


def test_a_clean_series_is_looked_at_again_after_a_mask(case: Case) -> None:
    desk.look_at(cast.coordinator(), "NEW", str(case))
    one = of_role(case, "SAG_T1")
    desk.mask_series(cast.coordinator(), "NEW", one.pk, rectangle=(0, 0, 2, 2), reason="A letter.")
    work("mask")
    one.refresh_from_db()
    assert (one.held_reason, one.looked_at, one.masks[0]["reason"]) == ("", None, "A letter.")
    assert missing(case) == ("a look at its images",)


def test_a_mask_that_fails_changes_nothing_and_can_be_asked_for_again(case: Case) -> None:
    me, one = cast.coordinator(), of_role(case, "SAG_T1")
    before = digests(one)
    desk.mask_series(me, "NEW", one.pk, rectangle=(0, 0, 2, 2))
    image = Instance.objects.filter(series=one)[0]
    missing_bytes = store.get(image.frames[0]["digest"])
    store.drop(image.frames[0]["digest"])
    work("mask")
    one.refresh_from_db()
    assert Job.objects.get(kind="mask").state == "failed"
    assert (digests(one), one.masks) == (before, [])
    assert one.held_reason, "a series whose mask failed is shown to nobody"
    assert "Mask in" in cast.client("coordinator").get(f"/desk/NEW/look/{case}/").content.decode()
    store.put(missing_bytes)
    desk.mask_series(me, "NEW", one.pk, rectangle=(0, 0, 2, 2))
    work("mask")
    one.refresh_from_db()
    assert len(one.masks) == 1
    desk.release_series(me, "NEW", one.pk, reason="Masked.")


@pytest.mark.parametrize("rectangle", [(0, 0, 0, 5), (0, 0, 33, 5), (-1, 0, 2, 2), (5, 5, 4, 9), (0, 0, 1)])
def test_a_rectangle_outside_the_image_is_refused(rectangle: tuple[int, ...], case: Case) -> None:
    with pytest.raises(BadSetting):
        desk.mask_series(cast.coordinator(), "NEW", of_role(case, "SAG_T1").pk, rectangle=rectangle)
    assert not Job.objects.filter(kind="mask").exists()


@pytest.mark.parametrize("text", ["", "x", "1.5", "-1", "9" * 30, "٣"])
def test_what_is_no_number_is_refused(text: str, case: Case, seat: Client) -> None:
    body = {"act": "mask", "series": of_role(case, "SAG_T1").pk, "row0": text, "row1": 3, "column0": 1, "column1": 2}
    assert seat.post(f"/desk/NEW/look/{case}/", body).status_code == 422


# --- a released case never changes silently ------------------------------------------------------------------------

ACTS: dict[str, Callable[[Case], object]] = {
    "role": lambda case: desk.set_role(cast.coordinator(), "NEW", of_role(case, "SAG_T1").pk, role="OTHER"),
    "mask": lambda case: desk.mask_series(
        cast.coordinator(), "NEW", Series.objects.filter(case=case)[0].pk, rectangle=(0, 0, 2, 2)
    ),
    "exclude": lambda case: desk.exclude_series(
        cast.coordinator(), "NEW", Series.objects.filter(case=case)[0].pk, reason="Wrong."
    ),
}


@pytest.mark.parametrize("act", ACTS)
def test_a_change_after_the_release_takes_it_back_on_record(act: str, case: Case) -> None:
    desk.look_at(cast.coordinator(), "NEW", str(case))
    desk.release(cast.coordinator(), "NEW", case.pk)
    ACTS[act](case)
    case.refresh_from_db()
    assert case.released_at is None
    assert said("withdraw release").subject == str(case)
    assert said("withdraw release").reason


def test_whoever_is_excluded_and_comes_back_is_released_anew(case: Case) -> None:
    desk.look_at(cast.coordinator(), "NEW", str(case))
    desk.release(cast.coordinator(), "NEW", case.pk)
    desk.exclude(cast.coordinator(), "NEW", case.patient_id, reasons=["d"])
    case.refresh_from_db()
    assert case.released_at is None
    assert said("withdraw release").reason == "The patient was excluded."
    Case.objects.filter(pk=case.pk).update(released_at=timezone.now())  # as an exclusion left it formerly
    desk.restore(cast.coordinator(), "NEW", case.patient_id, reason="Wrong patient.")
    case.refresh_from_db()
    assert case.released_at is None
    assert [row.released for row in desk.cases(cast.coordinator(), "NEW").rows] == [False]


@pytest.mark.parametrize("sign", ["\0", "\x1b", "\x85"])
def test_a_control_character_in_a_reason_is_left_out(sign: str, case: Case, seat: Client) -> None:
    one = hold(of_role(case, "SAG_T2"))
    body = {"act": "show", "series": one.pk, "reason": f"No te{sign}xt on it.\n"}
    assert seat.post(f"/desk/NEW/look/{case}/", body).status_code == 302
    assert said("release series").reason == "No text on it."
    assert seat.post(f"/desk/NEW/look/{case}/", {**body, "act": "exclude", "reason": sign}).status_code == 422
    body = {"patient": case.patient_id, "reason": "d", "note": f"Said so.{sign}"}
    assert seat.post("/desk/NEW/eligibility/", body).status_code == 302
    assert said("exclude").reason == "Said so."


@pytest.mark.parametrize("act", ACTS)
def test_nothing_changes_once_the_case_is_read(act: str, case: Case, seat: Client) -> None:
    begun(case)
    before = list(Series.objects.filter(case=case).order_by("pk").values())
    with pytest.raises(WrongState, match="being read"):
        ACTS[act](case)
    hold(of_role(case, "AX_T2"))
    with pytest.raises(WrongState, match="being read"):
        desk.release_series(cast.coordinator(), "NEW", of_role(case, "AX_T2").pk, reason="No.")
    Series.objects.filter(case=case).update(held_reason="")
    assert list(Series.objects.filter(case=case).order_by("pk").values()) == before
    page = seat.get(f"/desk/NEW/look/{case}/").content.decode()
    assert "its series stay as they are" in page
    assert "Mask in every slice" not in page
    assert (
        seat.post(f"/desk/NEW/look/{case}/", {"act": "exclude", "series": before[0]["id"], "reason": "x"}).status_code
        == 409
    )


def test_a_role_that_is_set_as_it_was_takes_no_release_back(case: Case) -> None:
    desk.look_at(cast.coordinator(), "NEW", str(case))
    desk.release(cast.coordinator(), "NEW", case.pk)
    desk.set_role(cast.coordinator(), "NEW", of_role(case, "SAG_T1").pk, role="SAG_T1")
    case.refresh_from_db()
    assert case.released_at is not None


def test_a_release_is_withdrawn_on_the_page_with_a_reason(case: Case, seat: Client) -> None:
    desk.look_at(cast.coordinator(), "NEW", str(case))
    desk.release(cast.coordinator(), "NEW", case.pk)
    assert "Withdraw" in seat.get("/desk/NEW/release/").content.decode()
    assert seat.post("/desk/NEW/release/", {"withdraw": case.pk, "reason": ""}).status_code == 422
    assert seat.post("/desk/NEW/release/?state=released", {"withdraw": case.pk, "reason": "Wrong level."})[
        "Location"
    ] == ("/desk/NEW/release/?state=released")
    case.refresh_from_db()
    assert case.released_at is None
    assert said("withdraw release").reason == "Wrong level."


def test_a_series_of_another_study_does_not_exist(case: Case, seat: Client) -> None:
    foreign = Series.objects.filter(case__patient__study__code=cast.PEBBLE)[0]
    me = cast.coordinator()
    for act in (desk.release_series, desk.exclude_series):
        with pytest.raises(NotYours):
            act(me, "NEW", foreign.pk, reason="Mine.")
    with pytest.raises(NotYours):
        desk.mask_series(me, "NEW", foreign.pk, rectangle=(0, 0, 2, 2))
    with pytest.raises(NotYours):
        desk.set_role(me, "NEW", foreign.pk, role="OTHER")
    with pytest.raises(NotYours):
        desk.look_at(me, "NEW", str(foreign.case))
    with pytest.raises(NotYours):
        desk.look_at(cast.reader_a(), "NEW", str(case))
    assert seat.get(f"/desk/NEW/look/{foreign.case}/").status_code == 404
    assert seat.get(f"/desk/NEW/series/{foreign.pk}/slices/1.png").status_code == 404
    assert (
        seat.post(f"/desk/NEW/look/{case}/", {"act": "role", "series": foreign.pk, "role": "OTHER"}).status_code == 404
    )


def test_a_mask_that_ends_while_the_page_is_made_is_asked_for_again(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The jobs are read before the series: the other way round an end in between would never be seen."""
    look = importlib.import_module("annotation.desk.look")  # the door gives a function of the same name
    order: list[str] = []
    of_subject, place = look.jobs.of_subject, look._place

    def asked(subject: str) -> Any:
        order.append("jobs")
        return of_subject(subject)

    def placed(one: Series) -> Any:
        order.append("series")
        return place(one)

    monkeypatch.setattr(look.jobs, "of_subject", asked)
    monkeypatch.setattr(look, "_place", placed)
    desk.look(cast.coordinator(), "NEW", str(case))
    assert order[0] == "jobs"
    assert "series" in order
