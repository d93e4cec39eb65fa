"""Two tabs, two threads, two processes: one revision wins, the others are told, nothing is lost or doubled."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from django.conf import settings
from django.db import connection, connections

from annotation import desk, handover, room
from annotation.access import NotYours, WrongState
from annotation.models import Assignment, Event, Revision
from tests import cast

pytestmark = pytest.mark.usefixtures("live")
TABS = 6


def at_once(acts: Sequence[Callable[[], object]]) -> list[object]:
    """Run the acts in threads of their own that begin together; gives what each returned or raised."""
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        try:
            gate.wait(10)
            return act()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        said = list(pool.map(run, acts))
    connections.close_all()
    return said


def test_one_revision_wins_and_the_others_are_stale() -> None:
    reading = cast.current("reader_a", cast.SPINE, "mr")
    reader = cast.reader_a()

    def save(code: int) -> Callable[[], object]:
        return lambda: room.save(reader, reading.id, base=0, answers={"pfirrmann.case": code}, evidence={})

    said = at_once([save(1 + tab % 5) for tab in range(TABS)])
    won = [one for one in said if isinstance(one, room.Saved)]
    lost = [one for one in said if isinstance(one, room.Stale)]
    assert len(won) + len(lost) == TABS, said
    stored = Revision.objects.get(assignment=reading.id)
    # A tab that sent the very same content is told of the same revision.
    assert {one.revision for one in won} == {stored.number} == {1}
    assert all(one.answers == stored.answers for one in won)
    assert all(one.newest.answers == stored.answers for one in lost)
    assert len(lost) >= TABS - 2
    assert not list(handover.verify(cast.SPINE))


def _save_often(username: str, form: str) -> int:
    reading, reader, base = cast.current(username, cast.SPINE, form), cast.person(username), 0
    for seed in range(5):
        answers = cast.answers(cast.SPINE, form, seed=seed)
        base = room.save(reader, reading.id, base=base, answers=answers, evidence={}).revision
    return base


def test_readers_do_not_stand_in_each_others_way() -> None:
    """Both readers save in both forms at once; the trail's chain holds all of it."""
    before = Event.objects.filter(study__code=cast.SPINE).count()
    seats = [(reader, form) for reader in ("reader_a", "reader_b") for form in ("ct", "mr")]
    acts = [partial(_save_often, username, form) for username, form in seats]
    assert at_once(acts) == [5, 5, 5, 5]
    assert Event.objects.filter(study__code=cast.SPINE).count() == before + 20
    assert not list(handover.verify(cast.SPINE))


def _lock_and_save_at_once(round_: int) -> None:
    reading, reader = cast.current("reader_a", cast.SPINE, "ct"), cast.reader_a()
    full = cast.answers(cast.SPINE, "ct", seed=1)
    room.save(reader, reading.id, base=0, answers=full, evidence={})
    changed = {**full, "comment": f"round {round_}"}
    acts: list[Callable[[], object]] = [
        lambda: room.lock(reader, reading.id, base=1),
        lambda: room.save(reader, reading.id, base=1, answers=changed, evidence={}),
        lambda: room.set_aside(reader, reading.id, reason="Later."),
        lambda: room.lock(reader, reading.id, base=1),
    ]
    said = at_once(acts)
    assert all(one is None or isinstance(one, room.Saved | room.Stale | NotYours) for one in said), said
    one = Assignment.objects.get(pk=reading.id)
    newest = Revision.objects.filter(assignment=one).latest("number")
    if one.locked_revision_id:
        assert one.locked_revision_id == newest.pk
    assert (said[0] is None) + (said[3] is None) <= 1
    assert bool(one.locked_revision_id) == (None in (said[0], said[3]))


def test_a_lock_and_a_save_at_once_leave_a_sound_reading() -> None:
    for round_ in range(3):
        _lock_and_save_at_once(round_)
    assert not list(handover.verify(cast.SPINE))


def test_an_order_is_drawn_once() -> None:
    code = desk.create_study(cast.coordinator(), code="TWICE", title="Twice", settings={"images": "none"}, seed=1)
    for username in ("reader_a", "reader_b"):
        desk.set_member(cast.coordinator(), code, username=username, role="reader")
    from annotation import intake

    path = cast.table(settings.DATA_DIR / "twice.csv", [cast.clinical_row(n) for n in range(30, 40)])
    intake.take_in(desk.intake_target(code), dicom=[], clinical=path)
    desk.freeze(cast.coordinator(), code)
    desk.release_all(cast.coordinator(), code)
    coordinator = cast.coordinator()
    said = at_once([lambda: desk.begin_reading(coordinator, code)] * 4)
    assert sorted(type(one).__name__ for one in said) == ["WrongState"] * 3 + ["int"], said
    assert all(isinstance(one, int | WrongState) for one in said)
    assert Assignment.objects.filter(study__code=code).count() == 2 * 2 * 10
    assert not list(handover.verify(code))
