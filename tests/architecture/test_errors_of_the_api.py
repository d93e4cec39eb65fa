"""What goes wrong below /api/ answers as problem+json with the status the contract names; nothing shows a traceback."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from annotation import desk, room
from annotation.models import Assignment, Revision, Study
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def seat() -> Client:
    return cast.client("reader_a")


@pytest.fixture
def reading(seat: Client) -> dict[str, Any]:
    found: dict[str, Any] = cast.next_of(seat, cast.SPINE, "mr")["reading"]
    return found


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    """Check an error's whole shape and give its body."""
    assert answer.status_code == status, answer.content[:500]
    assert answer["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["code"] == code
    assert body["title"]
    assert body["type"]
    assert "Traceback" not in answer.content.decode()
    assert set(body) >= {"type", "title", "status", "detail", "code"}
    return body


def put(seat: Client, reading: dict[str, Any], answers: object, *, base: object = 0, **more: object) -> Any:
    return cast.send(seat, "PUT", reading["save_url"], {"base": base, "answers": answers, **more})


WRONG = {
    "level": ({"pfirrmann.case": 9}, "pfirrmann.case"),
    "true is no level": ({"modic_type1.case": True}, "modic_type1.case"),
    "text": ({"pfirrmann.case": "4"}, "pfirrmann.case"),
    "null": ({"pfirrmann.case": None}, "pfirrmann.case"),
    "out of range": ({"slip_mm.case": 61}, "slip_mm.case"),
    "decimals": ({"slip_mm.case": 8.25}, "slip_mm.case"),
    "another form's": ({"contrast_pattern.right": 2}, "contrast_pattern.right"),
    "unknown": ({"nothing.case": 2}, "nothing.case"),
    "unknown reason": ({"pfirrmann.case": {"not_assessable": "bored"}}, "pfirrmann.case"),
    "reason without note": ({"pfirrmann.case": {"not_assessable": "other"}}, "pfirrmann.case"),
    "long comment": ({"comment": "x" * 2001}, "comment"),
    "comment with NUL": ({"comment": "a\x00b"}, "comment"),
    "note with NUL": ({"pfirrmann.case": {"not_assessable": "other", "note": "a\x00"}}, "pfirrmann.case"),
    "half a character": ({"comment": "\ud800"}, "comment"),
    "no object": ([], ""),
    "text for all": ("answers", ""),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_invalid_answer_is_422_with_the_cell(case: str, seat: Client, reading: dict[str, Any]) -> None:
    answers, cell = WRONG[case]
    body = problem(put(seat, reading, answers), 422, "invalid")
    assert [fault["cell"] for fault in body["faults"]] == [cell]
    assert all(fault["message"] for fault in body["faults"])
    assert not Revision.objects.filter(assignment=reading["id"]).exists()


POINTS = [[0.0, 0.0, 0.0], [0.0, 40.0, 0.0], [0.0, 10.0, 5.0]]
BAD_EVIDENCE = {
    "list": [],
    "unknown cell": {"nothing.case": {}},
    "cell without points": {"pfirrmann.case": {}},
    "no points": {"slip_mm.case": {"uid": "2.25.1"}},
    "two points": {"slip_mm.case": {"uid": "2.25.1", "points_lps_mm": POINTS[:2]}},
    "booleans": {"slip_mm.case": {"uid": "2.25.1", "points_lps_mm": [[True] * 3] * 3}},
    "texts": {"slip_mm.case": {"uid": "2.25.1", "points_lps_mm": [["1"] * 3] * 3}},
    "far out": {"slip_mm.case": {"uid": "2.25.1", "points_lps_mm": [[1e308] * 3, [0] * 3, [1] * 3]}},
    "beyond floats": {"slip_mm.case": {"uid": "2.25.1", "points_lps_mm": [[10**400] * 3] * 3}},
    "one place": {"slip_mm.case": {"uid": "2.25.1", "points_lps_mm": [[1.0, 2.0, 3.0]] * 3}},
    "foreign image": {"slip_mm.case": {"uid": "2.25.1", "points_lps_mm": POINTS}},
    "no text for an image": {"slip_mm.case": {"uid": {"a": 1}, "points_lps_mm": POINTS}},
}


@pytest.mark.parametrize("case", BAD_EVIDENCE)
def test_bad_evidence_is_422_with_the_cell(case: str, seat: Client, reading: dict[str, Any]) -> None:
    answer = put(seat, reading, {"slip_mm.case": 10.0, "pfirrmann.case": 2}, evidence=BAD_EVIDENCE[case])
    body = problem(answer, 422, "invalid")
    assert body["faults"][0]["cell"] == (next(iter(BAD_EVIDENCE[case])) if case != "list" else "")


def test_a_stale_base_is_409_with_the_newest_content(seat: Client, reading: dict[str, Any]) -> None:
    assert put(seat, reading, {"pfirrmann.case": 2}).json()["revision"] == 1
    body = problem(put(seat, reading, {"pfirrmann.case": 3}), 409, "stale")
    assert (body["revision"], body["answers"]) == (1, {"pfirrmann.case": 2})
    assert {"saved_at", "evidence", "kept"} <= set(body)
    problem(put(seat, reading, {"pfirrmann.case": 3}, base=10**30), 409, "stale")
    problem(cast.send(seat, "POST", reading["lock_url"], {"base": 0}), 409, "stale")
    # The very same content again is no conflict: a repeated request after a lost answer.
    assert put(seat, reading, {"pfirrmann.case": 2.0}).json()["revision"] == 1


def test_a_lock_with_gaps_is_422_with_every_cell(seat: Client, reading: dict[str, Any]) -> None:
    schema: Any = cast.instrument(cast.SPINE).schema("mr", complete=True)
    every = set(schema["required"])
    body = problem(cast.send(seat, "POST", reading["lock_url"], {"base": 0}), 422, "invalid")
    assert {fault["cell"] for fault in body["faults"]} == every
    put(seat, reading, {"pfirrmann.case": 2})
    body = problem(cast.send(seat, "POST", reading["lock_url"], {"base": 1}), 422, "invalid")
    assert {fault["cell"] for fault in body["faults"]} == every - {"pfirrmann.case"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"", 400),
        (b"\xff\xfe", 400),
        (b"[]", 400),
        (b"7", 400),
        (b'{"base": -1, "answers": {}}', 400),
        (b'{"base": "x", "answers": {}}', 400),
        (b'{"base": 0}', 400),
        (b'{"base": 0, "answers": NaN}', 400),
        (b'{"base": 0, "answers": {"slip_mm.case": 1e999}}', 400),
        (b'{"base": 0, "answers": {}, "kept": "C1"}', 400),
        (b'{"base": 0, "answers": {}, "kept": [{}]}', 400),
        (b'{"base": 0, "answers": ' + b"[" * 3000 + b"]" * 3000 + b"}", 400),
    ],
)
def test_a_body_of_the_wrong_shape_is_400(body: bytes, status: int, seat: Client, reading: dict[str, Any]) -> None:
    answer = seat.put(reading["save_url"], body, content_type="application/json")
    assert answer.status_code in (status, 422), answer.content[:300]
    assert answer["Content-Type"] == "application/problem+json"
    assert not Revision.objects.exists()


def test_another_type_of_body_is_415(seat: Client, reading: dict[str, Any]) -> None:
    problem(seat.put(reading["save_url"], b"<a/>", content_type="text/xml"), 415, "unsupported_media_type")
    problem(seat.put(reading["save_url"], b"a=1", content_type="application/x-www-form-urlencoded"), 415,
            "unsupported_media_type")  # fmt: skip


@pytest.mark.parametrize("path", ["/api/", "/api/nowhere", "/api/room/readings/seven", "/api/room/SPINE/mr/next/"])
@pytest.mark.parametrize("who", [None, "reader_a"])
def test_an_unknown_address_is_404(path: str, who: str | None) -> None:
    problem(cast.client(who).get(path), 404, "not_found")


def test_wrong_methods_are_405(seat: Client, reading: dict[str, Any]) -> None:
    problem(cast.send(seat, "DELETE", reading["save_url"], {}), 405, "method_not_allowed")
    problem(cast.send(seat, "GET", reading["lock_url"], {}), 405, "method_not_allowed")
    problem(cast.send(seat, "POST", f"/api/room/{cast.SPINE}/mr/next", {}), 405, "method_not_allowed")


def test_signed_out_and_without_the_token_are_403(reading: dict[str, Any]) -> None:
    problem(cast.client().get(f"/api/room/{cast.SPINE}/mr/next"), 403, "not_authenticated")
    strict = cast.client("reader_a", enforce_csrf_checks=True)
    body = problem(put(strict, reading, {"pfirrmann.case": 2}), 403, "permission_denied")
    assert "CSRF" in body["detail"]


def test_with_the_token_of_the_page_a_save_passes(reading: dict[str, Any]) -> None:
    strict = cast.client("reader_a", enforce_csrf_checks=True)
    page = strict.get(f"/room/{cast.SPINE}/mr/").content.decode()
    island = page.split('<script id="room" type="application/json">')[1].split("</script>")[0]
    token = json.loads(island)["csrf"]
    body = json.dumps({"base": 0, "answers": {"pfirrmann.case": 2}})
    answer = strict.put(reading["save_url"], body, content_type="application/json", headers={"X-CSRFToken": token})
    assert answer.status_code == 200


def test_a_study_in_another_state_is_409(seat: Client, reading: dict[str, Any]) -> None:
    Study.objects.filter(code=cast.SPINE).update(state="frozen")
    problem(put(seat, reading, {"pfirrmann.case": 2}), 409, "wrong_state")
    problem(seat.get(f"/api/room/{cast.SPINE}/mr/next"), 409, "wrong_state")


def test_a_changed_instrument_makes_its_study_read_only_and_no_other() -> None:
    Study.objects.filter(code=cast.SPINE).update(protocol_digest="0" * 64)
    seat = cast.client("reader_a")
    body = problem(seat.get(f"/api/room/{cast.SPINE}/mr/next"), 409, "protocol_changed")
    assert "read-only" in body["detail"]
    assert cast.next_of(seat, cast.PEBBLE, "one")["reading"]


def test_an_instrument_that_the_program_lost_lets_its_study_rest_and_no_other() -> None:
    Study.objects.filter(code=cast.SPINE).update(protocol_version=99)
    seat = cast.client("reader_a")
    body = problem(seat.get(f"/api/room/{cast.SPINE}/mr/next"), 409, "protocol_changed")
    assert "version 99" in body["detail"]
    assert seat.get(f"/room/{cast.SPINE}/").status_code == 409
    assert cast.client("coordinator").get(f"/desk/{cast.SPINE}/").status_code in (200, 409)
    assert cast.client("coordinator").get("/").status_code == 200
    assert cast.next_of(seat, cast.PEBBLE, "one")["reading"]


@pytest.mark.parametrize("path", [f"/api/room/{cast.SPINE}/mr/next", f"/room/{cast.SPINE}/"])
def test_a_fault_of_the_program_shows_no_traceback(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError("a secret of the inside")

    monkeypatch.setattr(room, "next_reading", fail)
    monkeypatch.setattr(room, "hall", fail)
    seat = cast.client("reader_a")
    seat.raise_request_exception = False
    answer = seat.get(path)
    text = answer.content.decode()
    assert answer.status_code == 500
    assert "secret of the inside" not in text
    assert "Traceback" not in text
    assert ("problem+json" in answer["Content-Type"]) == path.startswith("/api/")


def test_nothing_left_to_read_is_no_error(seat: Client) -> None:
    for _ in range(4):
        cast.read_one("reader_a", cast.SPINE, "ct")
    assert cast.next_of(seat, cast.SPINE, "ct") == {"reading": None, "done": 4, "of": 4, "display_due": False}
    assert seat.get(f"/api/room/{cast.SPINE}/ct/upcoming").json() == {"reading": None}
    assert Assignment.objects.filter(locked_revision__isnull=False).count() == 4


def test_the_schema_is_openapi_3_1_and_names_every_address() -> None:
    document = cast.client("stranger").get("/api/schema/?format=json").json()
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) >= {"/api/room/readings/{reading}", "/api/room/{study}/{form}/next"}


def test_a_wrong_word_at_the_desk_is_said_on_its_page() -> None:
    seat = cast.client("coordinator")
    page = seat.post(f"/desk/{cast.SPINE}/readers/", {"username": "nobody-here", "role": "reader"})
    assert "There is no account" in page.content.decode()
    page = seat.post(f"/desk/{cast.SPINE}/closing/", {"reason": "Done.", "typed_code": "WRONG"})
    assert "Type the study" in page.content.decode()
    assert seat.post(f"/desk/{cast.SPINE}/readers/", {"remove": "a\x00b"}).status_code < 500
    assert seat.post(f"/desk/{cast.SPINE}/setup/").status_code == 409
    assert desk.board(cast.coordinator(), cast.SPINE).state == "reading"
