"""The coordinator says which vertebra is lytic where the table does not; the operator says whose study it is."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from annotation import access, desk, intake
from annotation.models import Case, Event
from tests import cast

pytestmark = pytest.mark.django_db


def without_level(code: str) -> Case:
    desk.create_study(cast.coordinator(), code=code, title="New", settings={"images": "none"}, seed=7)
    row = cast.clinical_row(61, level="")
    intake.take_in(desk.intake_target(code), dicom=[], clinical=cast.table(settings.DATA_DIR / f"{code}.csv", [row]))
    return Case.objects.get(patient__study__code=code)


def test_a_case_without_a_level_gets_one_and_can_be_released() -> None:
    case, seat = without_level("LEVEL"), cast.client("coordinator")
    assert "index level" in seat.get("/desk/LEVEL/release/").content.decode()
    assert seat.post("/desk/LEVEL/release/", {"case": str(case.pk)}).status_code == 409
    seat.post("/desk/LEVEL/release/", {"level_of": str(case.pk), "level": "L4"})
    case.refresh_from_db()
    assert case.lysis_vertebra == "L4"
    seat.post("/desk/LEVEL/release/", {"case": str(case.pk)})
    case.refresh_from_db()
    assert case.released_at is not None
    said = Event.objects.get(study__code="LEVEL", verb="set index level")
    assert (said.before, said.after) == ("", "L4")


def test_an_unknown_level_is_refused_with_a_sentence() -> None:
    case, seat = without_level("LEVEL2"), cast.client("coordinator")
    answer = seat.post("/desk/LEVEL2/release/", {"level_of": str(case.pk), "level": "T12"})
    assert answer.status_code == 422
    assert "no level of this protocol" in answer.content.decode()
    case.refresh_from_db()
    assert case.lysis_vertebra == ""


def test_the_trail_is_written_in_words() -> None:
    without_level("WORDS")
    page = cast.client("coordinator").get("/desk/WORDS/trail/").content.decode()
    assert "rows: 1, accepted: 1" in page
    assert "&#x27;rows&#x27;" not in page


def test_a_study_made_at_the_command_line_has_its_coordinator() -> None:
    table = cast.table(settings.DATA_DIR / "mine.csv", [cast.clinical_row(62)])
    call_command("import_cohort", study="MINE", create=True, title="Mine", clinical=table, coordinator="coordinator")
    assert ("MINE", "coordinator") in [(seat.study, seat.role) for seat in access.seats(cast.coordinator())]
    with pytest.raises(CommandError, match="There is no account") as refused:
        call_command("import_cohort", study="YOURS", create=True, title="Yours", clinical=table, coordinator="nobody")
    assert refused.value.returncode == 2
