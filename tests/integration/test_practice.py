"""Practice: what is planted is shown beside the own answers, after submitting, to that reader alone."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.test import Client
from PIL import Image

from annotation import desk, room
from annotation.access import WrongState
from annotation.models import Assignment, Study
from annotation.people import Person
from annotation.protocol import Invalid
from spondy.demo import practice

pytestmark = pytest.mark.django_db

CODE = "PRACTICE"


def person(name: str) -> Person:
    return get_user_model().objects.get(username=name)


def client(name: str) -> Client:
    seat = Client()
    seat.force_login(person(name))
    return seat


@pytest.fixture
def coordinator() -> Person:
    users = get_user_model().objects
    for name in ("trainer", "anna", "bert"):
        users.create_user(username=name, password="not needed here")
    found = person("trainer")
    settings = {"synthetic": True, "display_check": False}
    desk.create_study(found, code=CODE, title="Practice", settings=settings, seed=5)
    for name in ("anna", "bert"):
        desk.set_member(found, CODE, username=name, role="reader")
    steps: list[str] = []
    practice.fill(found, CODE, cases=2, seed=77, step=lambda done, of, said: steps.append(said))
    assert len(steps) == 2
    return found


def read(
    seat: Client, form: str, *, wrong: str = "", unsolved: bool = False
) -> tuple[dict[str, Any], str, dict[str, Any]]:
    """Answer as planted but for one cell, and submit; the reading, its page, the planted answers."""
    reading = seat.get(f"/api/room/{CODE}/{form}/next").json()["reading"]
    planted = _planted(reading["id"], form)
    if unsolved:
        study = Study.objects.get(code=CODE)
        del study.settings["practice"][Assignment.objects.get(pk=reading["id"]).case.patient.identifier_hash]
        study.save()
    answers = planted | {f"quality_{form}.case": 2}
    if wrong:
        answers[wrong] = 0 if answers[wrong] else 1
    saved = seat.put(reading["save_url"], {"base": 0, "answers": answers, "evidence": {}}, "application/json").json()
    lock = {"base": saved["revision"], "onward": True}
    answer = seat.post(reading["lock_url"], lock, "application/json").json()
    assert answer["locked"]
    assert ("next" in answer) is not bool(answer["solution_url"]), "what is planted is looked at first"
    return reading, answer["solution_url"], planted


def _planted(reading: str, form: str) -> dict[str, Any]:
    patient = Assignment.objects.select_related("case__patient").get(pk=reading).case.patient
    kept: dict[str, Any] = Study.objects.get(code=CODE).settings["practice"][patient.identifier_hash]
    return dict(kept["answers"][form])


def test_what_is_planted_is_shown_after_submitting_and_to_this_reader_alone(coordinator: Person) -> None:
    anna, bert = client("anna"), client("bert")
    reading = anna.get(f"/api/room/{CODE}/mr/next").json()["reading"]
    page = f"/room/{CODE}/practice/{reading['id']}/"
    for seat in (anna, bert, client("trainer")):
        assert seat.get(page).status_code == 404, "before the lock there is no such page"
        assert seat.get(f"{page}isthmic_bme.case.png").status_code == 404
    secret = json.dumps(Study.objects.get(code=CODE).settings["practice"])
    pages = [f"/room/{CODE}/", f"/room/{CODE}/mr/", f"/api/room/{CODE}/mr/next", f"/api/room/{CODE}/mr/upcoming"]
    for path in pages:
        said = anna.get(path).content.decode()
        assert "planted" not in said.replace("What was planted", "")
        for kept in json.loads(secret).values():
            assert not any(f"{spot['centre_lps_mm'][2]}" in said for spot in kept["spots"].values()), path

    done, address, planted = read(anna, "mr", wrong="isthmic_bme.case")
    assert address == page
    shown = anna.get(page).content.decode()
    found = room.solution(person("anna"), CODE, done["id"])
    assert found.right == len(planted) - 1
    (missed,) = (one for one in found.findings if one.verdict == "other")
    assert missed.cell == "isthmic_bme.case"
    assert missed.own != missed.planted
    assert missed.criteria in shown
    assert f"{found.right} of {len(planted)} findings as planted" in shown
    assert bert.get(page).status_code == 404
    assert client("trainer").get(page).status_code == 404
    assert f"{found.right} of {len(planted)} as planted" in anna.get(f"/room/{CODE}/").content.decode()

    every_finding_has_the_picture_of_its_slice(client("bert"))
    a_study_shows_the_way_to_practice(coordinator)


def every_finding_has_the_picture_of_its_slice(seat: Client) -> None:
    for form, cells in (("mr", 11), ("ct", 2)):
        done, page, planted = read(seat, form)
        assert len(planted) == cells
        pictures = {}
        for one in room.solution(person("bert"), CODE, done["id"]).findings:
            answer = seat.get(f"{page}{one.cell}.png")
            assert answer.status_code == 200
            assert answer["Content-Type"] == "image/png"
            assert ", slice " in one.seen_on, one.cell
            pictures[one.cell] = np.asarray(Image.open(io.BytesIO(answer.content)))
            assert pictures[one.cell].shape == (640, 640)
            assert pictures[one.cell].std() > 15, "something is seen"
        assert seat.get(f"{page}quality_{form}.case.png").status_code == 404
        if form == "ct":
            # contrast or needle is white on each side's slice, near the middle of the picture
            assert all(picture[40:600, 40:600].max() == 255 for picture in pictures.values())


def a_study_shows_the_way_to_practice(coordinator: Person) -> None:
    desk.create_study(coordinator, code="STUDY", title="A study", seed=1)
    desk.set_member(coordinator, "STUDY", username="anna", role="reader")
    seen = room.hall(person("anna"), "STUDY")
    assert (seen.practice, seen.is_practice) == (CODE, False)
    assert f'href="/room/{CODE}/"' in client("anna").get("/room/STUDY/").content.decode()
    assert room.hall(person("anna"), CODE).practice == "", "practice leads to no other practice"
    with pytest.raises(desk.BadSetting, match="before the protocol is frozen"):
        desk.set_solutions(coordinator, CODE, {})


def test_a_case_without_a_solution_closes_no_hall_and_opens_no_reading(coordinator: Person) -> None:
    anna = client("anna")
    solved, _, planted = read(anna, "mr")
    unsolved, page, _ = read(anna, "mr", unsolved=True)
    assert page == "", "there is no page to go to"
    assert anna.get(f"/room/{CODE}/practice/{unsolved['id']}/").status_code == 404
    assert [str(one.reading) for one in room.practised(person("anna"), CODE)] == [solved["id"]]
    assert f"{len(planted)} of {len(planted)} as planted" in anna.get(f"/room/{CODE}/").content.decode()
    for state, act in (("draft", desk.freeze), ("frozen", desk.begin_reading)):
        Study.objects.filter(code=CODE).update(state=state)
        with pytest.raises(WrongState, match="without a solution: 1"):
            act(coordinator, CODE)


def test_only_a_synthetic_study_can_be_given_solutions() -> None:
    get_user_model().objects.create_user(username="trainer", password="not needed here")
    coordinator = person("trainer")
    desk.create_study(coordinator, code="REAL", title="Of patients", seed=1)
    with pytest.raises(desk.BadSetting, match="synthetic"):
        desk.set_solutions(coordinator, "REAL", {})
    desk.create_study(coordinator, code=CODE, title="Practice", settings={"synthetic": True}, seed=1)
    wrong = {"answers": {"mr": {"pfirrmann.case": 9}}, "spots": {}}
    with pytest.raises(Invalid):
        desk.set_solutions(coordinator, CODE, {"1": wrong})
    assert "practice" not in Study.objects.get(code=CODE).settings


def test_the_command_asks_for_two_readers_before_it_draws() -> None:
    with pytest.raises(CommandError, match="two readers"):
        call_command("practice_study", "--study", "ALONE", "--coordinator", "coordinator", "--reader", "reader_a")
    assert not Study.objects.filter(code="ALONE").exists()
