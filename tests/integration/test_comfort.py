"""What a reader sets for the own comfort: mouse habits kept per person, the display check kept with the sitting."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from annotation import desk, room
from annotation.access import NotYours
from annotation.models import Preference, Sitting, Study
from annotation.protocol import catalogue
from tests import cast

pytestmark = pytest.mark.django_db
SCREEN = "2560x1440@1.25"


@pytest.fixture
def seat() -> Client:
    return cast.client("reader_a")


def due(seat: Client, form: str = "mr") -> bool:
    step = cast.next_of(seat, cast.SPINE, form)
    return bool(step["display_due"])


def say(seat: Client, form: str = "mr", **body: Any) -> int:
    address = f"/api/room/{cast.SPINE}/{form}/display"
    return int(cast.send(seat, "POST", address, {"seen": True, "screen": SCREEN} | body).status_code)


def test_a_habit_is_kept_for_the_person_alone(seat: Client) -> None:
    assert room.comfort(cast.reader_a()).habit == "window_left"
    assert cast.send(seat, "PUT", "/api/preferences", {"habit": "window_right"}).status_code == 200
    assert room.comfort(cast.reader_a()).habit == "window_right"
    assert Preference.objects.count() == 1, "nobody else's"
    page = seat.get(f"/room/{cast.SPINE}/mr/").content.decode()
    assert '"habit": "window_right"' in page
    refused = cast.send(seat, "PUT", "/api/preferences", {"habit": "of nobody"})
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_choice")
    assert room.comfort(cast.reader_a()).habit == "window_right"


def test_the_account_page_offers_every_habit(seat: Client) -> None:
    assert seat.post("/accounts/comfort/", {"habit": "pan_left"}).status_code == 302
    page = seat.get("/accounts/comfort/").content.decode()
    checked = page[: page.index("checked")].rsplit('value="', 1)[1]
    assert checked.startswith("pan_left")
    for habit in room.comfort(cast.reader_a()).habits:
        assert f'value="{habit.code}"' in page
    assert seat.post("/accounts/comfort/", {}).status_code == 422


def test_a_habit_that_is_no_longer_offered_is_the_usual_one() -> None:
    Preference.objects.create(user=cast.reader_a(), choices={"habit": "of old"})
    assert room.comfort(cast.reader_a()).habit == "window_left"


def test_the_display_is_asked_for_once_a_sitting_whatever_the_form(seat: Client) -> None:
    assert due(seat)
    assert say(seat, said={"room": "dark"}) == 200
    assert not due(seat)
    assert not due(seat, "ct")
    kept = Sitting.objects.get(reader=cast.reader_a())
    assert {k: kept.display[k] for k in ("seen", "screen", "room", "monitor")} == {
        "seen": True,
        "screen": SCREEN,
        "room": "dark",
        "monitor": "",
    }
    say(seat, seen=False, said={"room": "bright"})
    kept.refresh_from_db()
    assert kept.display["room"] == "dark", "the first word of a sitting stands"
    say(seat, "ct")
    assert Sitting.objects.get(form="ct").display["room"] == "dark", "another form of the same sitting"
    assert room.comfort(cast.reader_a()).said["room"] == "", "offered next time: what was said last"
    assert due(cast.client("reader_b"))


def test_the_desk_sees_how_often_and_what_was_said_last(seat: Client) -> None:
    address, desk_seat = f"/desk/{cast.SPINE}/progress/", cast.client("coordinator")
    assert "Screens" not in desk_seat.get(address).content.decode(), "nobody has looked yet"
    say(seat, said={"room": "dark", "monitor": "office"})
    say(seat, "ct")
    (row,) = desk.screens(cast.coordinator(), cast.SPINE)
    assert (row.reader, row.looks, row.incomplete) == ("reader_a", 1, 0), "two forms of one stretch are one look"
    Sitting.objects.update(closed_at=timezone.now() - timedelta(minutes=16))
    say(seat, seen=False, said={"room": "bright"})
    (row,) = desk.screens(cast.coordinator(), cast.SPINE)
    assert (row.looks, row.incomplete, row.all_visible) == (2, 1, False)
    assert (row.room, row.monitor) == ("bright", ""), "the newest"
    page = desk_seat.get(address).content.decode()
    assert "Bright" in page
    assert "2560 × 1440, scale 1.25" in page
    with pytest.raises(NotYours):
        desk.screens(cast.reader_a(), cast.SPINE)


def test_a_new_sitting_asks_again(seat: Client) -> None:
    say(seat)
    Sitting.objects.update(closed_at=Sitting.objects.get().closed_at - timedelta(minutes=16))
    assert due(seat)


def test_a_study_can_do_without(seat: Client) -> None:
    study = Study.objects.get(code=cast.SPINE)
    study.settings = study.settings | {"display_check": False}
    study.save()
    assert not due(seat)


@pytest.mark.parametrize(
    "body",
    [
        {"said": {"room": "on the beach"}},
        {"said": {"mood": "dim"}},
        {"screen": "big"},
    ],
)
def test_only_what_was_offered_is_taken(seat: Client, body: dict[str, Any]) -> None:
    assert say(seat, **body) == 422
    assert not Sitting.objects.exists()
    assert not Preference.objects.exists()


def test_a_case_is_asked_its_own_segments_by_name() -> None:
    """Where a study asks neighbours, the sheet names the case's segments and asks none that it does not have."""
    study = Study.objects.get(code=cast.SPINE)
    study.settings = study.settings | {"segments": "adjacent", "sides": "both"}
    study.protocol_digest = catalogue.latest(study.protocol_code).with_settings(study.settings).digest()
    study.save()
    seat = cast.client("reader_a")
    sheet = cast.next_of(seat, cast.SPINE, "mr")["reading"]["sheet"]
    disc = next(item for item in sheet["items"] if item["code"] == "pfirrmann")
    assert [cell["label"] for cell in disc["cells"]] == ["L5/S1", "L4/5"]
    facets = next(item for item in sheet["items"] if item["code"] == "weishaupt")
    assert [(cell["segment"], cell["side"]) for cell in facets["cells"]] == [
        ("index", "right"),
        ("index", "left"),
        ("above", "right"),
        ("above", "left"),
    ]
