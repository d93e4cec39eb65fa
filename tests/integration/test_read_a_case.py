"""What a reader does: open the own next case, grade, measure, keep a remark, set aside, submit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.test import Client

from annotation import handover, room
from annotation.access import NotYours, WrongState
from annotation.models import Assignment, Event, Instance, Revision, Series, Sitting
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def seat() -> Client:
    return cast.client("reader_a")


@pytest.fixture
def reading(seat: Client) -> dict[str, Any]:
    found: dict[str, Any] = cast.next_of(seat, cast.SPINE, "mr")["reading"]
    return found


def put(seat: Client, reading: dict[str, Any], base: int, answers: object, **more: object) -> Any:
    return cast.send(seat, "PUT", reading["save_url"], {"base": base, "answers": answers, **more})


def test_a_case_opens_with_its_images_in_slice_order(seat: Client, reading: dict[str, Any]) -> None:
    assert (reading["label"], reading["position"], reading["of"]) == ("Case 001", 1, 4)
    assert (reading["index_level"], reading["index_segment"]) == ("L5", "L5/S1")
    assert [stack["role"] for stack in reading["stacks"]] == ["SAG_T2", "SAG_T1", "SAG_STIR", "AX_T2"]
    for stack in reading["stacks"]:
        places = [frame["metadata"]["00200032"]["Value"] for frame in stack["frames"]]
        axis = 0 if stack["plane"] == "sagittal" else 2
        along = [place[axis] for place in places]
        assert along in (sorted(along), sorted(along, reverse=True))
        assert len(set(along)) == 3
        assert stack["automatic_window"]["width"] > 0
    ct = cast.next_of(seat, cast.SPINE, "ct")["reading"]
    assert [stack["role"] for stack in ct["stacks"]] == ["CT_PRE", "CT_POST"]
    assert ct["id"] != reading["id"]


def test_every_save_is_a_revision_and_a_reload_finds_the_newest(seat: Client, reading: dict[str, Any]) -> None:
    assert put(seat, reading, 0, {"pfirrmann.case": 2}).json()["revision"] == 1
    assert put(seat, reading, 1, {"pfirrmann.case": 4, "comment": " Seen. "}).json()["revision"] == 2
    again = cast.next_of(seat, cast.SPINE, "mr")["reading"]
    assert (again["id"], again["revision"]) == (reading["id"], 2)
    assert again["answers"] == {"pfirrmann.case": 4, "comment": "Seen."}
    assert again["saved_at"]
    rows = Revision.objects.filter(assignment=reading["id"]).order_by("number")
    assert [row.answers for row in rows] == [{"pfirrmann.case": 2}, {"pfirrmann.case": 4, "comment": "Seen."}]
    assert rows[1].previous_digest == rows[0].digest
    assert Sitting.objects.filter(reader=cast.reader_a()).count() == 1


def test_a_remark_is_recorded_and_kept_on_record(seat: Client, reading: dict[str, Any]) -> None:
    """Grade III with a small slip: the check speaks, the reader keeps the answer, both are stored."""
    answers = {"meyerding.case": 0, "slip_mm.case": 9.0}
    said = put(seat, reading, 0, answers).json()
    codes = [remark["code"] for remark in said["remarks"]]
    assert "C2" in codes
    assert all(set(remark) == {"code", "text", "cells", "severity"} for remark in said["remarks"])
    assert said["kept"] == []
    kept = put(seat, reading, 1, answers, kept=["C2", "C999"]).json()
    assert (kept["revision"], kept["kept"]) == (2, ["C2"])
    row = Revision.objects.get(assignment=reading["id"], number=2)
    assert row.kept == ["C2"]
    assert "C2" in [remark["code"] for remark in row.remarks]
    gone = put(seat, reading, 2, {"meyerding.case": 1, "slip_mm.case": 9.0}, kept=["C2"]).json()
    assert "C2" not in [remark["code"] for remark in gone["remarks"]]
    assert gone["kept"] == []


def measured(
    seat: Client, reading: dict[str, Any], value: float, points: dict[str, Any], base: int = 0, **more: Any
) -> Any:
    answers = {"slip_mm.case": value, **more}
    return put(seat, reading, base, answers, evidence={"slip_mm.case": points})


@pytest.mark.parametrize("slip", [0.0, 8.2, -3.0, 25.0])
def test_the_server_measures_the_points_itself(slip: float, seat: Client, reading: dict[str, Any]) -> None:
    points = cast.points_on(reading, slip_mm=slip)
    said = measured(seat, reading, slip, points).json()
    assert said["measured"]["slip_mm.case"]["value_mm"] == pytest.approx(slip, abs=0.05)
    again = cast.next_of(seat, cast.SPINE, "mr")["reading"]
    assert again["evidence"]["slip_mm.case"]["uid"] == points["uid"]
    assert np.allclose(again["evidence"]["slip_mm.case"]["points_lps_mm"], points["points_lps_mm"])
    stored = Revision.objects.get(assignment=reading["id"]).evidence["slip_mm.case"]
    assert Instance.objects.filter(sop_uid=stored["sop_uid"]).exists(), "kept in stable terms"
    assert stored["plane"] == "sagittal"
    assert stored["off_midline_mm"] == 0.0
    assert not list(handover.verify(cast.SPINE))


@pytest.mark.parametrize("wrong", [8.4, 8.0, 12.0, -8.2])
def test_a_value_that_is_not_that_of_the_points_is_refused(wrong: float, seat: Client, reading: dict[str, Any]) -> None:
    answer = measured(seat, reading, wrong, cast.points_on(reading, slip_mm=8.2))
    assert answer.status_code == 422
    assert answer.json()["faults"][0]["cell"] == "slip_mm.case"
    assert "8.2 mm" in answer.json()["faults"][0]["message"]
    assert not Revision.objects.filter(assignment=reading["id"]).exists()


def test_points_off_their_image_are_refused(seat: Client, reading: dict[str, Any]) -> None:
    points = cast.points_on(reading, slip_mm=8.2)
    for point in points["points_lps_mm"]:
        point[0] += 2.0
    answer = measured(seat, reading, 8.2, points)
    assert answer.status_code == 422
    assert "do not lie on the image" in answer.json()["faults"][0]["message"]
    for point in points["points_lps_mm"]:
        point[0] -= 1.9
    assert measured(seat, reading, 8.2, points).status_code == 200


def test_points_on_another_readers_or_another_cases_image_are_refused(reading: dict[str, Any], seat: Client) -> None:
    other = cast.next_of(cast.client("reader_b"), cast.SPINE, "mr")["reading"]
    ahead = seat.get(f"/api/room/{cast.SPINE}/mr/upcoming").json()["reading"]
    for foreign in (other, ahead):
        points = cast.points_on(reading, slip_mm=8.2) | {"uid": cast.points_on(foreign, slip_mm=8.2)["uid"]}
        answer = measured(seat, reading, 8.2, points)
        assert answer.status_code == 422
        assert "not part of this case" in answer.json()["faults"][0]["message"]


def test_a_typed_value_without_points_is_taken(seat: Client, reading: dict[str, Any]) -> None:
    said = put(seat, reading, 0, {"slip_mm.case": 8.2}).json()
    assert said["measured"] == {}


def test_the_percentage_is_hidden_until_the_grade_is_given(seat: Client, reading: dict[str, Any]) -> None:
    """Also the endplate's length, by which a reader could divide; in the save's answer and after a reload."""
    points = cast.points_on(reading, slip_mm=8.5, base_mm=34.0)

    def shown() -> tuple[dict[str, Any], str]:
        again = cast.next_of(seat, cast.SPINE, "mr")["reading"]
        return again["measured"]["slip_mm.case"], str(again["remarks"])

    before = measured(seat, reading, 8.5, points).json()
    for one, remarks in ((before["measured"]["slip_mm.case"], str(before["remarks"])), shown()):
        assert one["slip_pct"] is None
        assert one["endplate_mm"] is None
        assert "%" not in remarks
    after = measured(seat, reading, 8.5, points, base=1, meyerding__case=1)
    assert after.status_code == 422, "the helper's own spelling is no cell"
    answers = {"slip_mm.case": 8.5, "meyerding.case": 1}
    after = put(seat, reading, 1, answers, evidence={"slip_mm.case": points}).json()
    for one in (after["measured"]["slip_mm.case"], shown()[0]):
        assert one["slip_pct"] == pytest.approx(25.0, abs=0.2)
        assert one["endplate_mm"] == pytest.approx(34.0, abs=0.1)


def test_a_case_set_aside_comes_back_at_the_end(seat: Client, reading: dict[str, Any]) -> None:
    put(seat, reading, 0, {"pfirrmann.case": 2})
    refused = cast.send(seat, "POST", reading["set_aside_url"], {"reason": "  "})
    assert refused.status_code == 422
    assert cast.send(seat, "POST", reading["set_aside_url"], {"reason": "The images load slowly."}).status_code == 200
    labels = []
    for _ in range(3):
        following = cast.next_of(seat, cast.SPINE, "mr")["reading"]
        labels.append(following["label"])
        assert put(seat, reading, 1, {"pfirrmann.case": 3}).status_code == 200, "an answer under way is not lost"
        cast.read_one("reader_a", cast.SPINE, "mr")
    assert labels == ["Case 002", "Case 003", "Case 004"]
    back = cast.next_of(seat, cast.SPINE, "mr")["reading"]
    assert (back["label"], back["revision"], back["answers"]) == ("Case 001", 2, {"pfirrmann.case": 3})
    said = Event.objects.get(study__code=cast.SPINE, verb="set aside")
    assert said.reason == "The images load slowly."
    page = seat.get(f"/room/{cast.SPINE}/").content.decode()
    assert "1 set aside" in page


def test_a_reading_is_submitted_once_and_the_next_one_opens(seat: Client, reading: dict[str, Any]) -> None:
    answers = cast.answers(cast.SPINE, "mr")
    assert put(seat, reading, 0, answers).status_code == 200
    done = cast.send(seat, "POST", reading["lock_url"], {"base": 1})
    assert (done.status_code, done.json()) == (200, {"locked": True, "solution_url": ""})
    assert cast.send(seat, "POST", reading["lock_url"], {"base": 1}).status_code == 404
    following = cast.next_of(seat, cast.SPINE, "mr")
    assert (following["reading"]["label"], following["done"], following["of"]) == ("Case 002", 1, 4)
    assert following["reading"]["revision"] == 0
    row = Assignment.objects.get(pk=reading["id"])
    assert row.locked_at
    assert row.locked_revision
    assert row.locked_revision.answers == answers
    assert Event.objects.filter(study__code=cast.SPINE, verb="lock", actor=cast.reader_a()).count() == 1


def test_what_closes_a_case_brings_the_next_one_along_and_what_does_not_tells_nothing_of_it(
    seat: Client, reading: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def close(one: dict[str, Any], act: str, **body: object) -> Any:
        return cast.send(seat, "POST", one[f"{act}_url"], {"onward": True, **body})

    answers = cast.answers(cast.SPINE, "mr")
    assert put(seat, reading, 0, answers).status_code == 200
    ahead = seat.get(f"/api/room/{cast.SPINE}/mr/upcoming").json()["reading"]
    assert set(ahead) == {"stacks", "mark"}
    for refused in (close(reading, "lock", base=0), close(reading, "set_aside", reason=" ")):
        assert refused.status_code in (409, 422)
        assert "stacks" not in refused.json()
        assert not Assignment.objects.filter(reader=cast.reader_a(), form="mr", position=2, opened_at__isnull=False)
    with pytest.raises(NotYours):  # still open
        room.after(cast.reader_a(), reading["id"], session="")
    said = close(reading, "lock", base=1, ahead=ahead["mark"]).json()
    assert (said["locked"], said["solution_url"]) == (True, "")
    whole = cast.next_of(seat, cast.SPINE, "mr")
    assert said["next"] == whole | {"reading": whole["reading"] | {"stacks": [], "as_ahead": True}}
    assert ahead["stacks"] == whole["reading"]["stacks"], "with the mark, what was fetched ahead is what is shown"
    second = whole["reading"]
    assert (second["label"], said["next"]["done"], second["revision"]) == ("Case 002", 1, 0)
    said = close(second, "set_aside", reason="The images load slowly.", ahead=ahead["mark"]).json()
    assert (said["locked"], said["next"]) == (False, cast.next_of(seat, cast.SPINE, "mr"))
    third = said["next"]["reading"]
    assert (third["label"], said["next"]["done"]) == ("Case 003", 1)
    assert put(seat, third, 0, answers).status_code == 200
    with monkeypatch.context() as patch:  # the next case is damaged: this one is closed all the same, and says so
        patch.setattr("annotation.room.closing.next_reading", _raises(KeyError("1.2.3")))
        assert close(third, "set_aside", reason="Later.").json() == {"locked": False, "next": None}
        patch.setattr("annotation.room.closing.next_reading", _raises(WrongState("Closed.")))
        third = cast.next_of(seat, cast.SPINE, "mr")["reading"]
        assert put(seat, third, third["revision"], answers).status_code == 200
        base = third["revision"] + 1
        assert close(third, "lock", base=base).json() == {"locked": True, "solution_url": "", "next": None}
    for _ in range(2):
        last = cast.next_of(seat, cast.SPINE, "mr")["reading"]
        assert put(seat, last, 0, answers).status_code == 200
        said = close(last, "lock", base=1).json()
    assert said["next"] == {"reading": None, "done": 4, "of": 4, "display_due": False}
    with pytest.raises(NotYours):
        room.after(cast.person("reader_b"), reading["id"], session="")


def _raises(error: Exception) -> Callable[..., None]:
    def instead(*_: object, **__: object) -> None:
        raise error

    return instead


def test_not_assessable_with_a_reason_is_a_whole_answer(seat: Client, reading: dict[str, Any]) -> None:
    protocol = cast.instrument(cast.SPINE)
    nothing = {cell.key: {"not_assessable": "artefact"} for cell in protocol.cells("mr") if cell.required}
    nothing["pfirrmann.case"] = {"not_assessable": "other", "note": " Metal. "}
    assert put(seat, reading, 0, nothing).status_code == 200
    assert cast.send(seat, "POST", reading["lock_url"], {"base": 1}).status_code == 200
    row = Assignment.objects.get(pk=reading["id"])
    assert row.locked_revision
    assert row.locked_revision.answers["pfirrmann.case"] == {"not_assessable": "other", "note": "Metal."}


def test_a_series_that_was_held_back_is_not_shown(seat: Client, reading: dict[str, Any]) -> None:
    case = Assignment.objects.get(pk=reading["id"]).case
    Series.objects.filter(case=case, role="SAG_T1").update(held_reason="A line of text in the picture.")
    again = cast.next_of(seat, cast.SPINE, "mr")["reading"]
    assert [stack["role"] for stack in again["stacks"]] == ["SAG_T2", "SAG_STIR", "AX_T2"]


def test_a_reading_that_was_never_handed_out_cannot_be_saved(seat: Client, reading: dict[str, Any]) -> None:
    waiting = Assignment.objects.filter(
        study__code=cast.SPINE, reader=cast.reader_a(), form="mr", opened_at__isnull=True
    ).first()
    assert waiting is not None
    address = reading["save_url"].replace(reading["id"], str(waiting.pk))
    answer = cast.send(seat, "PUT", address, {"base": 0, "answers": {"pfirrmann.case": 2}})
    assert answer.status_code == 404
    assert not waiting.revisions.exists()


@pytest.mark.parametrize("changed", ["held", "masked", "level", "labels", "turned", "session", "hour"])
def test_images_that_changed_since_they_were_fetched_ahead_are_sent_again(
    changed: str, seat: Client, reading: dict[str, Any], settings: Any
) -> None:
    ahead = seat.get(f"/api/room/{cast.SPINE}/mr/upcoming").json()["reading"]
    following = Assignment.objects.get(reader=cast.reader_a(), form="mr", position=2)
    shown = Series.objects.filter(case=following.case, role="SAG_T2")
    match changed:
        case "held":
            shown.update(held_reason="burned_in")
        case "masked":
            Instance.objects.filter(pk__in=shown.values("instances")[:1]).update(digest="0" * 64)
        case "level":
            type(following.case).objects.filter(pk=following.case_id).update(lysis_vertebra="L4")
        case "labels":
            type(following.case).objects.filter(pk=following.case_id).update(labels={"space": []})
        case "turned":
            study = cast.study()
            study.settings = {**study.settings, "orientation": "standard"}
            study.save()
        case "session":
            seat = cast.client("reader_a")
        case "hour":
            settings.FRAME_LIFETIME_S += 1
    body = {"reason": "On.", "onward": True, "ahead": ahead["mark"]}
    found = cast.send(seat, "POST", reading["set_aside_url"], body).json()["next"]["reading"]
    assert "as_ahead" not in found
    assert len(found["stacks"]) == (3 if changed == "held" else 4)
