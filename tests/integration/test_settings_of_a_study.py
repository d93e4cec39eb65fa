"""What a coordinator chooses for a new study reaches the questions and the warnings of its readers."""

from __future__ import annotations

from typing import Any

import pytest

from annotation import desk
from annotation.access import protocol_of
from annotation.dicom import geometry
from annotation.models import Instance, Study
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


def test_images_are_turned_to_the_standard_view_where_the_study_says_so() -> None:
    """The same places in the patient under another raster; the acquired one is what a study has without a word."""
    assert made(orientation="standard").settings["orientation"] == "standard"
    with pytest.raises(desk.BadSetting):
        desk.create_study(cast.coordinator(), code="OTHER", title="Other", settings={"orientation": "upside down"})
    for instance in Instance.objects.filter(series__case__patient__study__code=cast.SPINE, series__modality="CT"):
        instance.header["00200037"]["Value"] = [-1, 0, 0, 0, -1, 0]  # prone: the back is up
        planes = geometry.planes(instance.header)
        instance.frames = [
            frame | {"plane": plane and plane.to_json()} for frame, plane in zip(instance.frames, planes, strict=True)
        ]
        instance.save()
    acquired = cast.current("reader_a", cast.SPINE, "ct").document()
    study = cast.study()
    study.settings = study.settings | {"orientation": "standard"}
    study.save()
    seat = cast.client("reader_a")
    turned = cast.next_of(seat, cast.SPINE, "ct")["reading"]
    for before, after in zip(acquired["stacks"], turned["stacks"], strict=True):
        for one, other in zip(before["frames"], after["frames"], strict=True):
            assert "turn" not in one
            assert other["turn"] == {"transpose": False, "reverse_columns": True, "reverse_rows": True}
            assert other["metadata"]["00200037"]["Value"] == [1, 0, 0, 0, 1, 0]
            assert cast.patient_point(one, 3, 5) == pytest.approx(cast.patient_point(other, 28, 26))
    # A mark set on the turned picture is taken, kept as points of the patient, and comes back to the digit.
    sent = cast.pointing(turned, "contrast_pattern.right")
    body = {"base": 0, "answers": {"contrast_pattern.right": 2}, "evidence": sent}
    assert cast.send(seat, "PUT", turned["save_url"], body).status_code == 200
    assert cast.next_of(seat, cast.SPINE, "ct")["reading"]["evidence"] == sent


def test_how_images_stand_can_be_changed_until_the_protocol_is_frozen() -> None:
    study, seat = made(), cast.client("coordinator")
    page = "/desk/NEW/setup/"
    assert '<option value="acquired" selected>' in seat.get(page).content.decode()
    for wrong in ("upside down", ""):
        seat.post(page, {"orientation": wrong})
        study.refresh_from_db()
        assert (study.settings.get("orientation"), study.state) == (None, "draft"), "neither changed nor frozen"
    seat.post(page, {"orientation": "standard"})
    study.refresh_from_db()
    assert study.settings["orientation"] == "standard"
    assert '<option value="standard" selected>' in seat.get(page).content.decode()
    event = study.events.order_by("-number")[0]
    assert (event.verb, event.before, event.after) == ("choose orientation", "acquired", "standard")
    seat.post(page)
    assert "Turned to the standard view" in seat.get(page).content.decode()
    assert seat.post(page, {"orientation": "acquired"}).status_code == 409
    study.refresh_from_db()
    assert study.settings["orientation"] == "standard"


@pytest.mark.parametrize("code", [code for code, _ in desk.checks()])
def test_each_warning_can_be_left_out(code: str) -> None:
    rules = {rule.code for rule in protocol_of(made(checks_off=[code])).rules}
    assert rules == {rule.code for rule in protocol_of(cast.study()).rules} - {code}


def test_the_page_names_every_warning_with_its_sentence() -> None:
    page = cast.client("coordinator").get("/desk/").content.decode()
    for code in ("C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "C10"):
        assert f"{code}: " in page
    assert "{" not in "".join(said for _, said in desk.checks())
