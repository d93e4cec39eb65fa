"""A locked reading refuses every further write: by its door, by the API, by the ORM, by SQL, on both databases."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection, models, transaction
from django.utils import timezone

from annotation import desk, room
from annotation.access import NotYours
from annotation.models import Assignment, ClinicalValue, Event, Moment, Revision, Study
from annotation.models.append_only import AppendOnlyError
from annotation.models.reading import LockedReadingError
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def locked() -> Assignment:
    reading = cast.read_one("reader_a", cast.SPINE, "mr")
    return Assignment.objects.get(pk=reading.id)


def picture(assignment: Assignment) -> object:
    """Give everything about a reading that must not move."""
    rows = Revision.objects.filter(assignment=assignment).order_by("number").values_list()
    return list(Assignment.objects.filter(pk=assignment.pk).values_list()), list(rows)


def test_the_door(locked: Assignment) -> None:
    before, reader = picture(locked), cast.reader_a()
    with pytest.raises(NotYours):
        room.save(reader, locked.pk, base=1, answers={}, evidence={})
    with pytest.raises(NotYours):
        room.lock(reader, locked.pk, base=1)
    with pytest.raises(NotYours):
        room.set_aside(reader, locked.pk, reason="No.")
    assert picture(locked) == before


def test_the_api(locked: Assignment) -> None:
    before, seat = picture(locked), cast.client("reader_a")
    base = f"/api/room/readings/{locked.pk}"
    same = {"base": 1, "answers": locked.locked_revision.answers if locked.locked_revision else {}, "evidence": {}}
    for method, path, body in (
        ("PUT", base, same),
        ("PUT", base, {"base": 1, "answers": {}, "evidence": {}}),
        ("POST", f"{base}/lock", {"base": 1}),
        ("POST", f"{base}/set-aside", {"reason": "No."}),
    ):
        answer = cast.send(seat, method, path, body)
        assert answer.status_code == 404
        assert answer["Content-Type"] == "application/problem+json"
    assert picture(locked) == before


def _another(one: Assignment, **more: object) -> Assignment:
    values = {f.attname: getattr(one, f.attname) for f in Assignment._meta.concrete_fields}
    return Assignment(**{**values, "locked_revision_id": None, "locked_at": None, **more})


def _revision(one: Assignment, number: int) -> Revision:
    return Revision(assignment=one, number=number, answers={}, saved_at=timezone.now(), digest="0" * 64)


def _save(one: Assignment) -> None:
    one.locked_revision = None
    one.save()


def _save_by_hand(one: Assignment) -> None:
    one.locked_revision = None
    models.Model.save_base(one, force_update=True)


def _change(one: Assignment) -> Revision:
    revision: Revision = Revision.objects.get(assignment=one, number=1)
    revision.answers = {}
    return revision


def _bulk_update(one: Assignment) -> None:
    one.locked_revision_id = None
    Assignment.objects.bulk_update([one], ["locked_revision"])


BY_ORM: dict[str, Callable[[Assignment], object]] = {
    "assignment.save": _save,
    "assignment.save_base": _save_by_hand,
    "assignment.delete": lambda one: one.delete(),
    "assignment.update": lambda one: Assignment.objects.filter(pk=one.pk).update(locked_revision=None),
    "assignment.update of all": lambda one: Assignment.objects.update(alias="Case 999"),
    "assignment.bulk_update": _bulk_update,
    "assignment base manager": lambda one: Assignment._base_manager.filter(pk=one.pk).update(alias="Case 999"),
    "assignment queryset delete": lambda one: Assignment.objects.filter(pk=one.pk).delete(),
    "assignment upsert": lambda one: Assignment.objects.bulk_create(
        [_another(one)], update_conflicts=True, unique_fields=["id"], update_fields=["locked_revision", "locked_at"]
    ),
    "study.assignments": lambda one: one.study.assignments.update(locked_at=None),
    "revision.save": lambda one: _change(one).save(),
    "revision.save_base": lambda one: models.Model.save_base(_change(one), force_update=True),
    "revision.delete": lambda one: Revision.objects.get(assignment=one, number=1).delete(),
    "revision.update": lambda one: Revision.objects.filter(assignment=one).update(answers={}),
    "revision.bulk_update": lambda one: Revision.objects.bulk_update([_change(one)], ["answers"]),
    "revision queryset delete": lambda one: Revision.objects.filter(assignment=one).delete(),
    "revision raw delete": lambda one: Revision.objects.filter(assignment=one)._raw_delete(using="default"),
    "revision base manager": lambda one: Revision._base_manager.filter(assignment=one).update(answers={}),
    "revision added": lambda one: _revision(one, 2).save(),
    "revisions added in bulk": lambda one: Revision.objects.bulk_create([_revision(one, 2)]),
    "revision upsert": lambda one: Revision.objects.bulk_create(
        [_revision(one, 1)],
        update_conflicts=True,
        unique_fields=["assignment", "number"],
        update_fields=["answers", "digest"],
    ),
    "revisions of the reading": lambda one: one.revisions.all().update(answers={}),
}
REFUSALS = (LockedReadingError, AppendOnlyError, DatabaseError, models.ProtectedError)


@pytest.mark.parametrize("way", BY_ORM)
def test_the_orm(way: str, locked: Assignment) -> None:
    before = picture(locked)
    with pytest.raises(REFUSALS), transaction.atomic():
        BY_ORM[way](locked)
    assert picture(locked) == before


A, R = "annotation_assignment", "annotation_revision"
COPY_OF_A = (
    "(id, study_id, reader_id, case_id, form, round, occasion, position, alias, set_aside_reason) "
    f"SELECT {{id}}, study_id, reader_id, case_id, form, round, {{occasion}}, {{position}}, 'x', '' "
    f"FROM {A} WHERE id = %(a)s"
)
COPY_OF_R = (
    "(id, assignment_id, number, answers, evidence, remarks, kept, saved_at, previous_digest, digest) "
    f"SELECT {{id}}, assignment_id, {{number}}, '{{{{}}}}', '{{{{}}}}', '[]', '[]', saved_at, '', 'x' "
    f"FROM {R} WHERE id = %(r)s"
)
BOTH = [
    f"UPDATE {A} SET locked_revision_id = NULL WHERE id = %(a)s",
    f"UPDATE {A} SET locked_at = NULL",
    f"UPDATE {A} SET alias = 'Case 999' WHERE id = %(a)s",
    f"UPDATE {A} SET reader_id = %(other)s WHERE id = %(a)s",
    f"DELETE FROM {A} WHERE id = %(a)s",
    f"UPDATE {R} SET answers = '{{}}' WHERE id = %(r)s",
    f"UPDATE {R} SET number = 7",
    f"DELETE FROM {R} WHERE id = %(r)s",
    f"DELETE FROM {R}",
    f"INSERT INTO {R} " + COPY_OF_R.format(id="987654", number="2"),
]
ONLY = {
    "sqlite": [
        f"INSERT OR REPLACE INTO {R} " + COPY_OF_R.format(id="id", number="number"),
        f"INSERT OR REPLACE INTO {R} " + COPY_OF_R.format(id="987654", number="number"),
        f"INSERT OR REPLACE INTO {A} " + COPY_OF_A.format(id="id", occasion="occasion", position="position"),
        f"INSERT OR REPLACE INTO {A} " + COPY_OF_A.format(id="%(new)s", occasion="occasion", position="999"),
        f"INSERT OR REPLACE INTO {A} " + COPY_OF_A.format(id="%(new)s", occasion="9", position="position"),
        f"UPDATE OR REPLACE {A} SET id = %(a)s WHERE id = %(open)s",
        f"UPDATE OR REPLACE {A} SET position = (SELECT position FROM {A} WHERE id = %(a)s) WHERE id = %(open)s",
    ],
    "postgresql": [
        f"TRUNCATE {R} CASCADE",
        f"TRUNCATE {A}, {R} CASCADE",
        "TRUNCATE annotation_event",
        f"INSERT INTO {R} {COPY_OF_R.format(id='id', number='number')} ON CONFLICT (id) DO UPDATE SET answers = '[]'",
    ],
}


def _params(locked: Assignment) -> dict[str, Any]:
    waiting = Assignment.objects.filter(study=locked.study, reader=locked.reader, form="mr", locked_revision=None)[0]

    def key(value: uuid.UUID) -> str:
        return value.hex if connection.vendor == "sqlite" else str(value)

    return {
        "a": key(locked.pk),
        "open": key(waiting.pk),
        "new": key(uuid.uuid4()),
        "r": locked.locked_revision_id,
        "other": cast.reader_b().pk,
    }


@pytest.mark.parametrize("number", range(len(BOTH) + max(map(len, ONLY.values()))))
def test_sql(number: int, locked: Assignment) -> None:
    statements = [*BOTH, *ONLY[connection.vendor]]
    if number >= len(statements):
        return  # the other database has more ways
    before, params = picture(locked), _params(locked)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statements[number], params)
    assert picture(locked) == before


def test_sql_does_what_it_says_on_a_reading_that_is_open(locked: Assignment) -> None:
    """The statements above fail because of the lock and not because of their spelling."""
    params = _params(locked)
    params["a"] = params["open"]
    with connection.cursor() as cursor:
        cursor.execute(BOTH[0], params)
        cursor.execute(BOTH[2], params)
        assert cursor.rowcount == 1


KEPT = {"annotation_event": Event, "annotation_clinicalvalue": ClinicalValue, "annotation_revision": Revision}


@pytest.mark.parametrize("table", KEPT)
def test_rows_that_are_only_added(table: str) -> None:
    """Also of readings that are still open: what was once answered, measured or done stays readable."""
    cast.current("reader_b", cast.SPINE, "ct")
    reading = cast.current("reader_b", cast.SPINE, "ct")
    room.save(cast.reader_b(), reading.id, base=0, answers={"contrast_pattern.right": 1}, evidence={})
    kept = KEPT[table]
    one = kept._base_manager.all()[0]
    before = list(kept._base_manager.order_by("pk").values_list())
    column = {"annotation_event": "verb", "annotation_clinicalvalue": "value", "annotation_revision": "digest"}[table]
    for statement in (f"UPDATE {table} SET {column} = 'x'", f"DELETE FROM {table} WHERE id = {one.pk}"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    if connection.vendor == "sqlite":
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} WHERE id = {one.pk}")
    for act in (one.save, one.delete, kept.objects.all().delete, lambda: kept.objects.update(**{column: "x"})):
        with pytest.raises(AppendOnlyError):
            act()
    assert list(kept._base_manager.order_by("pk").values_list()) == before


def test_a_moment_of_the_time_log_is_not_replaced() -> None:
    """Told once more, under its number or its own key, it stays as it was first told; nothing fails of it."""
    reading = cast.current("reader_a", cast.SPINE, "mr")
    visit, now = uuid.UUID(int=1), timezone.now()

    def moment(number: int, kind: str, **more: Any) -> Moment:
        return Moment(assignment_id=reading.id, visit=visit, number=number, kind=kind, at=now, received_at=now, **more)

    moment(0, "opened").save(force_insert=True)
    kept = list(Moment.objects.values_list())
    Moment.objects.bulk_create([moment(0, "left")], ignore_conflicts=True)
    if connection.vendor == "sqlite":
        columns = [str(field.column) for field in Moment._meta.concrete_fields]
        with connection.cursor() as cursor:
            for key, number in (("id", 7), ("NULL", "number")):
                given = {"id": key, "number": number, "kind": "'left'"}
                listed = ", ".join(str(given.get(column, column)) for column in columns)
                table = Moment._meta.db_table
                cursor.execute(f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) SELECT {listed} FROM {table}")
    assert list(Moment.objects.values_list()) == kept
    Moment.objects.bulk_create([moment(0, "left"), moment(1, "left")], ignore_conflicts=True)
    assert list(Moment.objects.order_by("number").values_list("number", "kind")) == [(0, "opened"), (1, "left")]


def test_the_desk_moves_nothing_of_a_case_in_the_order(locked: Assignment) -> None:
    coordinator, series = cast.coordinator(), locked.case.series.all()[0]
    with pytest.raises(desk_refusal()):
        desk.set_role(coordinator, cast.SPINE, series.pk, role="OTHER")
    with pytest.raises(desk_refusal()):
        desk.set_level(coordinator, cast.SPINE, locked.case_id, level="L4")
    with pytest.raises(desk_refusal()):
        desk.withdraw(coordinator, cast.SPINE, locked.case_id, reason="No.")
    with pytest.raises(desk_refusal()):
        desk.remove_member(coordinator, cast.SPINE, username="reader_a")
    with pytest.raises(desk_refusal()):
        desk.set_member(coordinator, cast.SPINE, username="reader_a", role="analyst")
    assert Study.objects.get(code=cast.SPINE).state == "reading"


def desk_refusal() -> type[Exception]:
    from annotation.access import WrongState

    return WrongState
