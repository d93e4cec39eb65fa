"""What a coordinator chooses for a new study reaches the questions and the warnings of its readers."""

from __future__ import annotations

from typing import Any

import pytest

from annotation import desk
from annotation.access import protocol_of
from annotation.models import Study
from tests import cast

pytestmark = pytest.mark.django_db


def made(**chosen: Any) -> Study:
    given = {"code": "NEW", "title": "New", "protocol": "spondylolysis", "display_check": "on"} | chosen
    answer = cast.client("coordinator").post("/desk/", given)
    assert answer.status_code == 302, answer.content.decode()[-2000:]
    return Study.objects.get(code="NEW")


def test_usual_choices_leave_the_protocol_as_it_is() -> None:
    study = made(index_level_shown="on")
    assert study.settings == {"index_level_shown": True}
    assert protocol_of(study) == protocol_of(cast.study())


def test_segments_sides_and_the_screen_are_asked_as_chosen() -> None:
    study = made(segments="adjacent", sides="both", display_check="")
    assert study.settings["display_check"] is False
    sites = [site.code for site in protocol_of(study).item("weishaupt").sites]
    assert sites == ["right", "left", "above_right", "above_left", "below_right", "below_left"]


@pytest.mark.parametrize("code", [code for code, _ in desk.checks()])
def test_each_warning_can_be_left_out(code: str) -> None:
    rules = {rule.code for rule in protocol_of(made(checks_off=[code])).rules}
    assert rules == {rule.code for rule in protocol_of(cast.study()).rules} - {code}


def test_the_page_names_every_warning_with_its_sentence() -> None:
    page = cast.client("coordinator").get("/desk/").content.decode()
    for code in ("C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "C10"):
        assert f"{code}: " in page
    assert "{" not in "".join(said for _, said in desk.checks())
