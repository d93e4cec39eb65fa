"""`verify` is silent about a sound study and names what was changed behind the program's back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from annotation import handover, room
from annotation.models import Assignment, Event, Instance, Revision, Study
from tests import cast

pytestmark = pytest.mark.django_db


def sql(statement: str, *params: str | int | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)


def triggers() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'")
        else:
            cursor.execute(
                "SELECT tgname, tgrelid::regclass::text FROM pg_trigger "
                "WHERE NOT tgisinternal AND tgname LIKE 'annotation%'"
            )
        return list(cursor.fetchall())


def disarm() -> None:
    """Drop the guards, as somebody with the database's own rights could; the test's rollback brings them back."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for name, table in triggers():
        sql(f"DROP TRIGGER {name}" + (f" ON {table}" if connection.vendor == "postgresql" else ""))


@pytest.fixture
def read() -> Assignment:
    """One reading with three revisions, locked, and one still open with two."""
    reading = cast.current("reader_a", cast.SPINE, "mr")
    full = cast.answers(cast.SPINE, "mr")
    for base, comment in enumerate(("one", "two", "three")):
        room.save(cast.reader_a(), reading.id, base=base, answers={**full, "comment": comment}, evidence={})
    room.lock(cast.reader_a(), reading.id, base=3)
    other = cast.current("reader_b", cast.SPINE, "ct")
    for base in range(2):
        room.save(cast.reader_b(), other.id, base=base, answers={"quality_ct.case": base}, evidence={})
    assert not list(handover.verify(cast.SPINE))
    return Assignment.objects.get(pk=reading.id)


def _key(one: Assignment) -> str:
    return one.pk.hex if connection.vendor == "sqlite" else str(one.pk)


def _swap_places(one: Assignment) -> None:
    two = Assignment.objects.filter(reader=cast.reader_b(), study=one.study, form="ct").order_by("position")[2:4]
    first, second = two[0], two[1]
    for position, which in ((999, first), (first.position, second), (second.position, first)):
        sql("UPDATE annotation_assignment SET position = %s WHERE id = %s", position, _key(which))


def _rewrite_chain(one: Assignment) -> None:
    """Change an answer and seal the whole chain anew, as somebody who knows the program would."""
    from annotation import trail

    previous = ""
    for row in Revision.objects.filter(assignment=one).order_by("number"):
        row.answers = {**row.answers, "pfirrmann.case": 1 + row.answers["pfirrmann.case"] % 5}
        row.previous_digest = previous
        previous = row.digest = trail.revision_digest(row)
        import json

        sql("UPDATE annotation_revision SET answers = %s, previous_digest = %s, digest = %s WHERE id = %s",
            json.dumps(row.answers), row.previous_digest, row.digest, row.pk)  # fmt: skip


def _point_elsewhere(one: Assignment) -> None:
    earlier = Revision.objects.get(assignment=one, number=2)
    sql("UPDATE annotation_assignment SET locked_revision_id = %s WHERE id = %s", earlier.pk, _key(one))


def _cut_the_tail(one: Assignment) -> None:
    last = Revision.objects.filter(assignment__reader=cast.reader_b()).latest("number")
    sql("DELETE FROM annotation_revision WHERE id = %s", last.pk)


def _set_revision(column: str, value: str) -> Callable[[Assignment], object]:
    """Change a column of the locked revision."""
    statement = f"UPDATE annotation_revision SET {column} = %s WHERE id = %s"
    return lambda one: sql(statement, value, one.locked_revision_id)


def _lock_event(one: Assignment) -> int:
    return int(Event.objects.get(study=one.study, verb="lock").pk)


def _cut_the_middle(one: Assignment) -> None:
    sql("DELETE FROM annotation_revision WHERE id = %s", Revision.objects.get(assignment=one, number=2).pk)


def _open_the_lock(one: Assignment) -> None:
    sql("UPDATE annotation_assignment SET locked_revision_id = NULL WHERE id = %s", _key(one))


def _take_an_actor(one: Assignment) -> None:
    sql("UPDATE annotation_event SET actor_id = NULL WHERE id = %s", _lock_event(one))


def _change_a_reason(one: Assignment) -> None:
    sql("UPDATE annotation_event SET reason = 'x' WHERE id = %s", _lock_event(one))


def _cut_the_trail(one: Assignment) -> None:
    sql("DELETE FROM annotation_event WHERE id = %s", _lock_event(one))


def _move_away(one: Assignment) -> None:
    other = Assignment.objects.filter(reader=cast.reader_b(), study=one.study)[0]
    sql("UPDATE annotation_assignment SET position = 77 WHERE id = %s", _key(other))


def _change_the_instrument(one: Assignment) -> None:
    Study.objects.filter(pk=one.study_id).update(protocol_digest="0" * 64)


def _change_a_header(one: Assignment) -> None:
    image = Instance.objects.filter(series__case__patient__study=one.study)[0]
    sql("UPDATE annotation_instance SET header = '{}' WHERE id = %s", image.pk)


def _swap_an_image(one: Assignment) -> None:
    image = Instance.objects.filter(series__case__patient__study=one.study)[0]
    sql("UPDATE annotation_instance SET taken_digest = %s WHERE id = %s", "0" * 64, image.pk)


TAMPERINGS: dict[str, tuple[Callable[[Assignment], object], str]] = {
    "an answer": (_set_revision("answers", '{"comment": "x"}'), "does not fit its seal"),
    "the evidence": (_set_revision("evidence", '{"slip_mm.case": {}}'), "does not fit its seal"),
    "the time": (_set_revision("saved_at", "2020-01-01 00:00:00+00:00"), "does not fit its seal"),
    "a kept remark": (_set_revision("kept", '["C1"]'), "does not fit its seal"),
    "a revision in the middle": (_cut_the_middle, "does not follow the one before it"),
    "the last revision": (_cut_the_tail, "are not those the trail has"),
    "a chain written anew": (_rewrite_chain, "are not those the trail has"),
    "the lock": (_open_the_lock, "is not locked as the trail says"),
    "the locked revision": (_point_elsewhere, "is not locked as the trail says"),
    "an event's reason": (_change_a_reason, "does not fit its seal"),
    "an event's actor": (_take_an_actor, "does not fit its seal"),
    "an event gone": (_cut_the_trail, "the trail jumps"),
    "the order": (_swap_places, "is not the one that was drawn"),
    "a place": (_move_away, "has gaps"),
    "the protocol's digest": (_change_the_instrument, "the instrument's digest"),
    "an image's header": (_change_a_header, "the header of image"),
    "an image": (_swap_an_image, "is not the one that was taken in"),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_a_change_behind_the_programs_back(what: str, read: Assignment) -> None:
    tamper, sentence = TAMPERINGS[what]
    disarm()
    tamper(read)
    found = list(handover.verify(cast.SPINE))
    assert any(sentence in one for one in found), found
    assert all(one.startswith("Study SPINE: ") for one in found)
    with pytest.raises(CommandError) as error:
        call_command("verify", "--study", cast.SPINE)
    assert error.value.returncode == 1
    assert not list(handover.verify(cast.PEBBLE)), "the other study is as it was"


@contextlib.contextmanager
def changed(path: Path, content: bytes | None) -> Iterator[None]:
    before = path.read_bytes()
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(before)


@pytest.mark.parametrize(
    ("content", "sentence"), [(None, "is missing from the store"), (b"x", "does not fit its digest")]
)
def test_a_frame_that_is_gone_or_changed(content: bytes | None, sentence: str) -> None:
    digest = Instance.objects.filter(series__case__patient__study__code=cast.SPINE)[0].frames[0]["digest"]
    path = Path(default_storage.path(f"frames/{digest[:2]}/{digest[2:4]}/{digest}"))
    with changed(path, content):
        found = list(handover.verify(cast.SPINE))
        assert len(found) == 1
        assert sentence in found[0]
    assert not list(handover.verify(cast.SPINE))


def test_a_sound_study_is_said_to_be_so(capsys: pytest.CaptureFixture[str], read: Assignment) -> None:
    call_command("verify", "--study", cast.SPINE)
    assert "everything fits" in capsys.readouterr().out


def test_a_study_that_is_not_there_and_one_without_its_instrument() -> None:
    assert list(handover.verify("NOWHERE")) == ["There is no study NOWHERE."]
    Study.objects.filter(code=cast.PEBBLE).update(protocol_version=9)
    assert any("does not hold the instrument" in one for one in handover.verify(cast.PEBBLE))


def test_the_guards_are_there() -> None:
    names = {table for _, table in triggers()}
    assert {"annotation_revision", "annotation_event", "annotation_clinicalvalue", "annotation_assignment"} <= names
