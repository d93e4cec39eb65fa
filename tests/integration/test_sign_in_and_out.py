"""Signing in and out, the first page, changing the password, and that a form without its token is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests import cast

pytestmark = pytest.mark.django_db


def test_in_by_the_form_and_straight_to_the_own_door() -> None:
    seat = cast.client()
    wanted = f"/room/{cast.SPINE}/"
    answer = seat.get(wanted)
    assert (answer.status_code, answer["Location"]) == (302, f"/accounts/login/?next={wanted}")
    wrong = seat.post(answer["Location"], {"username": "reader_b", "password": "wrong"})
    assert wrong.status_code == 200
    assert "correct" in wrong.content.decode().lower()
    right = seat.post(answer["Location"], {"username": "reader_b", "password": cast.PASSWORD, "next": wanted})
    assert (right.status_code, right["Location"]) == (302, wanted)
    assert seat.get(wanted).status_code == 200
    assert seat.get("/")["Location"] == wanted, "with one role straight to its door"


def test_nobody_is_sent_to_a_foreign_site() -> None:
    seat = cast.client()
    for evil in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
        answer = seat.post(f"/accounts/login/?next={evil}", {"username": "reader_b", "password": cast.PASSWORD})
        assert answer["Location"] == "/"
        seat.post("/accounts/logout/")


def test_out_and_nothing_is_left() -> None:
    seat = cast.client("reader_a")
    address = next(cast.frame_addresses(cast.next_of(seat, cast.SPINE, "mr")["reading"]))
    assert seat.get("/accounts/logout/").status_code == 405
    answer = seat.post("/accounts/logout/")
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/")
    assert seat.get(f"/room/{cast.SPINE}/").status_code == 302
    assert seat.get(f"/api/room/{cast.SPINE}/mr/next").status_code == 403
    assert cast.wsgi(address, cookie="").status == 404


def test_the_first_page_lists_own_studies_only() -> None:
    pages = {who: cast.client(who).get("/") for who in ("coordinator", "reader_a", "analyst", "stranger", "root")}
    text = {who: page.content.decode() for who, page in pages.items()}
    for who in ("coordinator", "reader_a", "analyst"):
        assert "Spines of four" in text[who]
        assert "Pebbles of three" in text[who]
    assert "Spines of four" not in text["stranger"] + text["root"]
    assert "Pebbles of three" in text["root"]
    assert "You are in no study yet" in text["stranger"]
    assert "Reading</" not in text["reader_a"], "a reader is not told the state of the study"
    assert "Make a new study" in text["coordinator"]
    assert "Make a new study" not in text["reader_a"] + text["analyst"] + text["stranger"]


def test_the_password_can_be_changed_to_a_good_one() -> None:
    seat = cast.client("reader_a")
    form = {"old_password": cast.PASSWORD, "new_password1": "kurz", "new_password2": "kurz"}
    assert seat.post("/accounts/password/", form).status_code == 200
    form |= {"new_password1": "ein-langes-neues-wort", "new_password2": "ein-langes-neues-wort"}
    assert seat.post("/accounts/password/", form).status_code == 302
    anew = cast.client().post("/accounts/login/", {"username": "reader_a", "password": "ein-langes-neues-wort"})
    assert anew.status_code == 302


def test_many_wrong_passwords_close_the_sign_in_for_a_while(settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT = 3
    guess = {"username": "reader_a", "password": "wrong"}
    right = {"username": "reader_a", "password": cast.PASSWORD}
    at_work, stranger = cast.client("reader_a"), cast.client()
    assert [stranger.post("/accounts/login/", guess).status_code for _ in range(3)] == [200, 200, 429]
    closed = stranger.post("/accounts/login/", right)
    assert closed.status_code == 429, "the right password opens nothing before the time is over"
    assert "closed for 15 minutes" in closed.content.decode()
    assert cast.client().post("/accounts/login/", right, REMOTE_ADDR="10.0.0.7").status_code == 302, (
        "not from elsewhere"
    )
    assert cast.client().post("/accounts/login/", right | {"username": "reader_b"}).status_code == 302, "others go on"
    assert at_work.get(f"/room/{cast.SPINE}/").status_code == 200, "who is signed in stays so"


def test_a_forwarded_address_counts_behind_the_proxy_only(settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT = 2
    guess = {"username": "reader_a", "password": "wrong"}

    def from_many() -> list[int]:
        sent = (f"10.0.0.{n}" for n in range(3))
        return [cast.client().post("/accounts/login/", guess, HTTP_X_FORWARDED_FOR=one).status_code for one in sent]

    assert from_many() == [200, 429, 429], "a header that anybody can send changes nothing"
    settings.BEHIND_TLS = True
    assert from_many() == [200, 200, 200]


@pytest.mark.parametrize(
    ("who", "path", "body"),
    [
        ("coordinator", f"/desk/{cast.SPINE}/closing/", {"reason": "x", "typed_code": cast.SPINE}),
        ("coordinator", "/desk/", {"code": "X1", "title": "X", "protocol": "spondylolysis"}),
        ("analyst", f"/report/{cast.SPINE}/", {}),
        (None, "/accounts/login/", {"username": "reader_a", "password": cast.PASSWORD}),
    ],
)
def test_a_form_without_its_token_is_refused_with_a_page(who: str | None, path: str, body: dict[str, str]) -> None:
    answer = cast.client(who, enforce_csrf_checks=True).post(path, body)
    assert answer.status_code == 403
    assert "Traceback" not in answer.content.decode()


def test_every_page_carries_the_policy_and_is_not_framed() -> None:
    for who, path in (
        ("reader_a", f"/room/{cast.SPINE}/mr/"),
        ("coordinator", f"/desk/{cast.SPINE}/"),
        (None, "/accounts/login/"),
    ):
        answer = cast.client(who).get(path)
        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "'unsafe-eval'" not in policy.replace("'wasm-unsafe-eval'", "")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] == "same-origin"
    assert "no-store" in cast.client("reader_a").get(f"/room/{cast.SPINE}/")["Cache-Control"]
