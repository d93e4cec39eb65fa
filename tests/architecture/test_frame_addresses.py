"""A frame's address opens for one session, one reading and a while; every other try gets one and the same 404."""

from __future__ import annotations

import base64
import time

import pytest
from django.core.cache import cache
from django.test import Client

from annotation import addresses, room
from annotation.dicom.codec import stored_array
from annotation.models import Instance
from tests import cast
from tests.conftest import FRAME_LIFETIME_S

pytestmark = pytest.mark.django_db


@pytest.fixture
def seat() -> Client:
    return cast.client("reader_a")


@pytest.fixture
def address(seat: Client) -> str:
    return next(cast.frame_addresses(cast.next_of(seat, cast.SPINE, "mr")["reading"]))


def refused(answer: cast.Answer) -> bool:
    """Say whether this is the one refusal; whatever the reason, a stranger learns nothing from it."""
    reference = cast.wsgi("/frames/nothing/frames/1")
    assert reference.status == 404
    return (answer.status, answer.headers, answer.body) == (reference.status, reference.headers, reference.body)


def test_the_reader_gets_the_stored_frame(seat: Client, address: str) -> None:
    answer = cast.wsgi(address, cookie=cast.session_cookie(seat))
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.4.80"
    assert answer.headers["Content-Length"] == str(len(answer.body))
    header = Instance.objects.filter(series__case__patient__study__code=cast.SPINE)[0].header
    assert stored_array(answer.body, header).shape == (32, 32)
    head = cast.wsgi(address, cookie=cast.session_cookie(seat), method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert "private" in answer.headers["Cache-Control"]
    assert answer.headers["Vary"] == "Cookie"


def test_another_cookie_beside_the_session_does_no_harm(seat: Client, address: str) -> None:
    for other in ('_xsrf=2|1:0; lab={"a": 1}; x', "a=b; c", "weird[]=1,2;=;"):
        assert cast.wsgi(address, cookie=f"{other}; {cast.session_cookie(seat)}").status == 200, other


def test_other_methods_do_nothing(seat: Client, address: str) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert cast.wsgi(address, cookie=cast.session_cookie(seat), method=method).status == 405


@pytest.mark.parametrize("who", ["reader_a", "reader_b", "coordinator", "root"])
def test_another_session_even_of_the_same_person(who: str, address: str) -> None:
    assert refused(cast.wsgi(address, cookie=cast.session_cookie(cast.client(who))))


def test_nobody_signed_in(address: str) -> None:
    for cookie in ("", "sessionid=", "sessionid=abc", "other=1"):
        assert refused(cast.wsgi(address, cookie=cookie))


def test_after_the_lock_and_after_setting_aside(seat: Client, address: str) -> None:
    cookie = cast.session_cookie(seat)
    reading = cast.next_of(seat, cast.SPINE, "mr")["reading"]
    assert cast.send(seat, "POST", reading["set_aside_url"], {"reason": "Dark room."}).status_code == 200
    assert refused(cast.wsgi(address, cookie=cookie))
    cast.read_one("reader_a", cast.SPINE, "ct")
    locked = cast.current("reader_a", cast.SPINE, "mr", session=cookie.split("=", 1)[1])
    own = next(cast.frame_addresses(locked.document()))
    assert cast.wsgi(own, cookie=cookie).status == 200
    cast.read_one("reader_a", cast.SPINE, "mr")
    assert refused(cast.wsgi(own, cookie=cookie))


def test_a_case_that_was_set_aside_opens_again_when_its_turn_comes(seat: Client, address: str) -> None:
    cookie = cast.session_cookie(seat)
    reader = cast.reader_a()
    first = cast.current("reader_a", cast.SPINE, "mr")
    room.set_aside(reader, first.id, reason="Later.")
    for _ in range(3):
        ahead = seat.get(f"/api/room/{cast.SPINE}/mr/upcoming").json()["reading"]
        assert ahead is not None
        image = ahead["stacks"][0]["frames"][0]["image"]
        assert cast.wsgi(image, cookie=cookie).status == 200, "what is prefetched opens"
        cast.read_one("reader_a", cast.SPINE, "mr")
    assert cast.current("reader_a", cast.SPINE, "mr").id == first.id
    again = next(cast.frame_addresses(cast.next_of(seat, cast.SPINE, "mr")["reading"]))
    assert cast.wsgi(again, cookie=cookie).status == 200
    assert seat.get(f"/api/room/{cast.SPINE}/mr/upcoming").json()["reading"] is None


def test_expired(seat: Client) -> None:
    session = cast.session_cookie(seat).split("=", 1)[1]
    reading = cast.current("reader_a", cast.SPINE, "mr")
    digest = Instance.objects.filter(series__case__patient__study__code=cast.SPINE)[0].frames[0]["digest"]
    for age, status in ((0, 200), (FRAME_LIFETIME_S * 3, 404)):
        token = addresses.seal(reading.id, digest, session=session, now=time.time() - age)
        answer = cast.wsgi(f"/frames/{token}/frames/1", cookie=cast.session_cookie(seat))
        assert answer.status == status
    assert refused(answer)


def test_tampered(seat: Client, address: str) -> None:
    cookie = cast.session_cookie(seat)
    token = address.split("/")[2]
    flipped = [
        base64.urlsafe_b64encode(bytes([*raw[:place], raw[place] ^ bit, *raw[place + 1 :]])).decode().rstrip("=")
        for raw in [base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))]
        for place in (0, 15, 16, 31, 40, len(raw) - 1)
        for bit in (1, 128)
    ]
    others = [token[:-4], token + "AAAA", token[::-1], "", "%00", "ä", "é" * 40, "A" * 5000, token + "!", f"-{token}"]
    for wrong in [*flipped, *others]:
        assert refused(cast.wsgi(f"/frames/{wrong}/frames/1", cookie=cookie)), wrong
    for odd in (f"/frames/{token}/frames/2", f"/frames/{token}", f"/frames/{token}/frames/1/"):
        assert cast.wsgi(odd, cookie=cookie).status == 404


def test_an_unknown_host_is_turned_away(seat: Client, address: str) -> None:
    assert refused(cast.wsgi(address, cookie=cast.session_cookie(seat), host="evil.example"))


def test_an_address_says_nothing(seat: Client, address: str) -> None:
    """Two frames of one reading share no visible part, and none holds the digest or the reading's number."""
    reading = cast.next_of(seat, cast.SPINE, "mr")["reading"]
    tokens = [one.split("/")[2] for one in cast.frame_addresses(reading)]
    assert len(set(tokens)) == len(tokens) == 12
    assert len({token[:8] for token in tokens}) == len(tokens)
    raw = [base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)) for token in tokens]
    assert all(bytes.fromhex(reading["id"].replace("-", "")) not in one for one in raw)
    # The same frame keeps its address for a while, which is what a browser's cache lives on.
    again = cast.frame_addresses(cast.next_of(seat, cast.SPINE, "mr")["reading"])
    assert [one.split("/")[2] for one in again] == tokens


def test_the_list_of_closed_readings_outlives_every_address() -> None:
    reading = cast.current("reader_a", cast.SPINE, "mr").id
    addresses.close(reading)
    assert addresses.is_closed(reading)
    left = cache._cache.get_client(None).ttl(cache.make_key(f"closed-reading:{reading}"))  # type: ignore[attr-defined]
    assert left > 2 * FRAME_LIFETIME_S - 10
