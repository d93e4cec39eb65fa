"""The time log: kept once whatever is sent how often, counted without idle and hidden stretches, given to no reader."""

from __future__ import annotations

import uuid
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from annotation import desk, handover, room
from annotation.access import NotYours
from annotation.models import Assignment, Moment, Study
from annotation.pace import Told, active
from tests import cast

pytestmark = pytest.mark.django_db
VISIT, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)
NOON = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)


def told(*what: tuple[float, str], visit: uuid.UUID = VISIT) -> list[Told]:
    return [Told(visit, number, kind, NOON + timedelta(seconds=at)) for number, (at, kind) in enumerate(what)]


@pytest.mark.parametrize(
    ("moments", "seconds"),
    [
        ([], None),
        (told((0, "opened")), None),  # a page that died at once: nothing to go by
        (told((0, "opened"), (3, "first_image"), (10, "answer"), (30, "submit"), (31, "left")), 30),
        # A minute without input counts, what comes after it does not, until the next input.
        (told((0, "opened"), (5, "first_input"), (65, "idle"), (600, "back"), (620, "left")), 85),
        (told((0, "opened"), (10, "hidden"), (100, "visible"), (105, "left")), 15),
        # Idle and hidden at once, in either order: seen again is not yet awake again.
        (told((0, "opened"), (60, "idle"), (70, "hidden"), (90, "visible"), (95, "answer"), (99, "left")), 64),
        # Two windows: the same second counts once, whoever tells it.
        (told((0, "opened"), (60, "left")) + told((30, "opened"), (90, "left"), visit=OTHER), 90),
        (told((0, "opened"), (60, "left")) + told((10, "opened"), (20, "left"), visit=OTHER), 60),
        # A clock that was set back in between takes nothing away.
        (told((0, "opened"), (50, "answer"), (40, "answer"), (60, "left")), 60),
    ],
)
def test_active_seconds(moments: list[Told], seconds: float | None) -> None:
    assert active(moments) == active(moments[::-1]) == seconds


def tell(
    username: str, reading: uuid.UUID, *moments: tuple[int, str, int], visit: uuid.UUID = VISIT, **more: Any
) -> int:
    sent = [{"number": number, "kind": kind, "ago_ms": ago_ms, **more} for number, kind, ago_ms in moments]
    address = f"/api/room/readings/{reading}/times"
    return int(cast.send(cast.client(username), "POST", address, {"visit": str(visit), "moments": sent}).status_code)


def test_what_is_sent_again_or_late_is_kept_once_and_only_the_own() -> None:
    reading = cast.current("reader_a", cast.SPINE, "mr").id
    Assignment.objects.filter(pk=reading).update(opened_at=timezone.now() - timedelta(hours=1))
    assert tell("reader_a", reading, (0, "opened", 90_000), (1, "answer", 30_000), cell="pfirrmann.case") == 200
    assert tell("reader_a", reading, (1, "answer", 30_500), (2, "left", 0), cell="of nobody") == 200
    kept = list(Moment.objects.filter(assignment=reading).order_by("number"))
    assert [(one.kind, one.cell) for one in kept] == [
        ("opened", "pfirrmann.case"),
        ("answer", "pfirrmann.case"),
        ("left", ""),
    ]
    first, second = ((later.at - earlier.at).total_seconds() for earlier, later in pairwise(kept))
    assert (first, second) == (pytest.approx(60, abs=1), pytest.approx(30, abs=5))
    assert tell("reader_a", reading, (3, "answer", 10**11)) == 200
    early = Moment.objects.get(number=3)
    assert early.at == Assignment.objects.get(pk=reading).opened_at, "nothing happened before it was handed out"
    assert tell("reader_a", reading, (4, "lunch", 0)) == 422
    assert tell("reader_a", reading, (4, "answer", -1)) == 400
    for stranger in ("reader_b", "coordinator", "stranger"):
        assert tell(stranger, reading, (9, "left", 0)) == 404
    assert Moment.objects.count() == 4
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE annotation_moment SET kind = 'left'")


def test_the_last_moments_arrive_after_the_lock_and_none_after_the_study_is_over() -> None:
    reading = cast.read_one("reader_a", cast.SPINE, "mr").id
    assert tell("reader_a", reading, (0, "opened", 60_000), (1, "submit", 0)) == 200
    Study.objects.filter(code=cast.SPINE).update(state="readings_locked")
    assert tell("reader_a", reading, (2, "left", 0)) == 409


def test_coordinators_see_paces_as_counts_and_analysis_gets_them_after_the_lock() -> None:
    cast.read_all(cast.SPINE)
    mine = Assignment.objects.filter(study__code=cast.SPINE, reader__username="reader_a", form="mr")
    mine_only = list(mine.values_list("pk", flat=True))
    for minutes, reading in enumerate(mine_only, start=1):
        Assignment.objects.filter(pk=reading)
        long_ago = timezone.now() - timedelta(hours=2)
        for number, (kind, after) in enumerate((("opened", 0), ("answer", 30), ("submit", 60 * minutes))):
            at = long_ago + timedelta(seconds=after)
            Moment.objects.create(
                assignment_id=reading, visit=VISIT, number=number, kind=kind, at=at, received_at=timezone.now()
            )
    rows = {(row.reader, row.form): row for row in desk.progress(cast.coordinator(), cast.SPINE)}
    assert (rows["reader_a", "mr"].median_minutes, rows["reader_a", "mr"].timed) == (2.5, 4)
    assert (rows["reader_b", "mr"].median_minutes, rows["reader_b", "mr"].timed) == (None, 0)
    page = cast.client("coordinator").get(f"/desk/{cast.SPINE}/progress/").content.decode()
    assert "2.5" in page
    with pytest.raises(NotYours):
        desk.progress(cast.reader_a(), cast.SPINE)
    key = cast.study().pk
    with pytest.raises(handover.StillReading):
        handover.paces(key)
    room.note_display(
        cast.reader_b(), cast.SPINE, "ct", seen=False, said={"room": "dim", "monitor": "office"}, screen="1920x1080@1"
    )
    cast.close(cast.SPINE)
    given = [one for one in handover.paces(key) if one.active_s is not None]
    assert {one.form for one in given} == {"mr"}
    assert {one.reader for one in given} == {"R1"}
    assert sorted(one.active_s or 0 for one in given) == [60, 120, 180, 240]
    assert {one.sittings for one in handover.paces(key)} == {1}
    assert len({one.case for one in given}) == 4
    sat = [one for one in handover.sittings(key) if one.room]
    assert [(one.reader, one.form, one.room, one.monitor, one.all_visible) for one in sat] == [
        ("R2", "ct", "dim", "office", False)
    ]


def test_only_a_synthetic_study_takes_times_before_its_readings_were_handed_out() -> None:
    reading = cast.current("reader_a", cast.SPINE, "mr").id
    happened = [room.Happened(0, "opened", "", 240_000), room.Happened(1, "submit", "", 0)]
    with pytest.raises(NotYours):
        room.note_simulated_times(cast.reader_a(), reading, visit=VISIT, happened=happened)
    study = cast.study()
    Study.objects.filter(pk=study.pk).update(settings=study.settings | {"synthetic": True})
    assert tell("reader_a", reading, (0, "opened", 240_000), visit=OTHER) == 200
    assert Moment.objects.get(visit=OTHER).at >= Assignment.objects.get(pk=reading).opened_at, "a page never may"
    with pytest.raises(NotYours):
        room.note_simulated_times(cast.reader_b(), reading, visit=VISIT, happened=happened)
    room.note_simulated_times(cast.reader_a(), reading, visit=VISIT, happened=happened)
    kept = Moment.objects.filter(visit=VISIT).order_by("number").values_list("at", flat=True)
    assert [(later - earlier).total_seconds() for earlier, later in pairwise(kept)] == [240]
