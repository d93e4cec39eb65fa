"""The facts of a study: stated at the desk, kept in the trail, handed over by the readers' neutral names."""

from __future__ import annotations

import pytest

from annotation import desk, handover
from annotation.access import NotYours
from annotation.models import Event, Membership, Role
from tests import cast

pytestmark = pytest.mark.django_db


def page(text: dict[str, str]) -> tuple[int, str]:
    answer = cast.client("coordinator").post(f"/desk/{cast.SPINE}/facts/", text)
    return answer.status_code, answer.content.decode()


def test_what_is_stated_is_kept_and_recorded() -> None:
    assert page({"centre": " Balgrist, Zurich ", "period_begin": "2015-07", "period_end": "2024-07"})[0] == 302
    assert desk.state_facts(cast.coordinator(), cast.SPINE, {"centre": "Balgrist, Zurich"}) == 0, "nothing changed"
    assert desk.state_facts(cast.coordinator(), cast.SPINE, {"centre": ""}) == 1
    events = Event.objects.filter(study__code=cast.SPINE, verb="state facts").order_by("number")
    assert [set(event.after) for event in events] == [
        {"told/centre", "told/period_begin", "told/period_end"},
        {"told/centre"},
    ]
    assert events[1].before == {"told/centre": "Balgrist, Zurich"}
    known = {one.field.code: one.text for one in desk.facts(cast.coordinator(), cast.SPINE).stated}
    assert (known["centre"], known["period_end"]) == ("", "2024-07")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"period_begin": "2015-07", "period_end": "2014-12"}, "The last injection lies before the first."),
        ({"period_begin": "July 2015"}, "Write year and month, such as 2015-07."),
        ({"ethics_number": "2019-00123"}, "Name the committee that gave the number."),
        ({"funding": "ask a@b.ch"}, "Leave out e-mail addresses"),
        ({"inclusion": "x" * 2001}, "longer than 2000 characters"),
        ({"centre": "Zurich \ue000"}, "a character that cannot be printed"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(given: dict[str, str], sentence: str) -> None:
    status, text = page(given)
    assert status == 422
    assert sentence in text
    assert "facts" not in cast.study().settings


def test_lines_are_kept_and_a_title_no_document_can_hold_is_refused() -> None:
    assert page({"funding": "None.\r\n\tNone."})[0] == 302
    stated = desk.facts(cast.coordinator(), cast.SPINE).stated
    assert [one.text for one in stated if one.text] == ["None.\n\tNone."]
    for text in ("None.\x0bNone.", "None.\x07", "No\x0cne", "None.\ufffe"):
        with pytest.raises(desk.BadFact) as refused:
            desk.state_facts(cast.coordinator(), cast.SPINE, {"funding": text + "."})
        assert "cannot be printed" in refused.value.sentences["funding"]
    for title in ("A\x0cstudy", "A study\x00", "A\ue001study"):
        with pytest.raises(desk.BadSetting, match="cannot be printed"):
            desk.create_study(cast.coordinator(), code="TITLED", title=title)


def test_experience_stays_when_a_reader_becomes_something_else() -> None:
    reader = cast.reader_a()
    code = f"reader-{reader.pk}"
    desk.state_facts(cast.coordinator(), cast.SPINE, {code: "12 years"})
    Membership.objects.filter(study=cast.study(), user=reader).update(role=Role.ANALYST)
    assert desk.state_facts(cast.coordinator(), cast.SPINE, {"centre": "Zurich"}) == 1
    stated = {one.code: one.text for one in desk.facts(cast.coordinator(), cast.SPINE).readers}
    assert stated[code] == "12 years", "one who has readings is still asked for"
    assert desk.state_facts(cast.coordinator(), cast.SPINE, {code: "13 years"}) == 1
    assert desk.state_facts(cast.coordinator(), cast.SPINE, {code: ""}) == 1
    assert cast.study().settings["facts"]["readers"] == {}


def test_nobody_else_states_facts() -> None:
    for person in (cast.reader_a(), cast.analyst()):
        with pytest.raises(NotYours):
            desk.state_facts(person, cast.SPINE, {"centre": "here"})
    with pytest.raises(handover.StillReading):
        handover.stated(cast.study().pk)


def test_the_report_knows_readers_by_neutral_names_and_steps_by_their_days() -> None:
    experience = {f"reader-{cast.reader_a().pk}": "12 years", f"reader-{cast.reader_b().pk}": "a fellow"}
    desk.state_facts(cast.coordinator(), cast.SPINE, {**experience, "centre": "Zurich"})
    cast.read_all(cast.SPINE)
    cast.close(cast.SPINE)
    told = handover.stated(cast.study().pk)
    assert told.readers == {"R1": "12 years", "R2": "a fellow"}
    assert told.told == {"centre": "Zurich"}
    assert {"frozen", "reading", "locked"} <= set(told.life)
    assert all(len(day) == 10 for day in told.life.values())
