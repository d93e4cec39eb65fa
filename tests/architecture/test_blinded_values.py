"""What a reader's pages are made of: the frozen values of the room and nothing else."""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.template import engines
from django.template.base import Node, VariableNode
from django.template.defaulttags import ForNode, IfNode, URLNode, WithNode
from django.template.loader_tags import BlockNode

from annotation import room
from annotation.models import Study
from annotation.web import room as pages
from tests import cast

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
ROOM = sorted(path.relative_to(TEMPLATES).as_posix() for path in (TEMPLATES / "room").rglob("*.html"))
VALUES = [
    room.Hall,
    room.FormProgress,
    room.BlindedReading,
    room.Saved,
    room.Step,
    room.Stack,
    room.Ahead,
    room.Frame,
    room.Window,
    room.Label,
    room.Practised,
]
FORBIDDEN = re.compile(
    r"patient|name$|birth|(^|_)age$|sex|bmi|nrs|outcome|pseudonym|hash|seed|digest|reader|username|case$|case_id|acquired|pk$"
)
# A practice case is synthetic: after its lock the truth is shown on purpose, by these values and no others.
PRACTICE = (room.Practised, room.Solution, room.Compared)
# What every page shows: the signed-in person's own account name, messages, Django's own loop variable.
EVERYWHERE = {"user.is_authenticated", "user.get_username", "messages", "message", "message.tags", "csrf_token"}


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.__name__)
def test_a_value_of_the_room_is_frozen_and_has_no_field_for_a_secret(value: Any) -> None:
    assert value.__dataclass_params__.frozen
    for field in dataclasses.fields(value):
        assert not FORBIDDEN.search(field.name), field.name


def test_the_room_gives_values_and_never_a_row() -> None:
    """Every public function of the door is annotated with plain values."""
    for name in ("hall", "sheet", "next_reading", "upcoming", "after", "save", "lock", "set_aside"):
        given = str(typing.get_type_hints(getattr(room, name))["return"])
        assert "annotation.models" not in given, name
        assert "QuerySet" not in given, name


def names(node: Node, bound: dict[str, str]) -> Iterator[str]:
    """Give every variable path that a template uses, loops resolved to what they run over."""
    yield from (_resolved(word, bound) for word in _own(node))
    if isinstance(node, ForNode):
        over = _resolved(str(node.sequence), bound)
        bound = {**bound, **{var: f"{over}[]" for var in node.loopvars}}
    if isinstance(node, WithNode):
        bound = {**bound, **{key: _resolved(str(value), bound) for key, value in node.extra_context.items()}}
    branches = [getattr(node, children, None) or () for children in node.child_nodelists]
    for branch in [*branches, *(children for _, children in getattr(node, "conditions_nodelists", ()))]:
        for child in branch:
            yield from names(child, bound)


def _own(node: Node) -> Iterator[str]:
    """Give the expressions that stand in the node itself."""
    match node:
        case ForNode():
            yield str(node.sequence)
        case VariableNode():
            yield str(node.filter_expression)
        case IfNode():
            for condition, _ in node.conditions_nodelists:
                yield from _words(condition)
        case URLNode():
            yield from map(str, [*node.args, *node.kwargs.values()])
        case _:
            return


def _words(condition: Any) -> Iterator[str]:
    for part in (getattr(condition, "first", None), getattr(condition, "second", None)):
        if part is not None:
            yield from _words(part)
    if hasattr(condition, "value") and condition.value is not None:
        yield str(condition.value)


def _resolved(expression: str, bound: dict[str, str]) -> str:
    path = expression.split("|")[0].strip()
    head, _, rest = path.partition(".")
    return f"{bound[head]}.{rest}".rstrip(".") if head in bound else path


def used(template: str) -> set[str]:
    loaded: Any = engines["django"].get_template(template)
    found = {name for node in loaded.template.nodelist for name in names(node, {})}
    found |= {
        name
        for node in loaded.template.nodelist
        for block in node.get_nodes_by_type(BlockNode)
        for name in names(block, {})
    }
    return {name for name in found if not re.match(r"""^['"\d]""", name) and name not in ("True", "False", "None")}


def allowed() -> set[str]:
    hall = {f"hall.{field.name}" for field in dataclasses.fields(room.Hall)}
    form = {f"hall.forms[].{field.name}" for field in dataclasses.fields(room.FormProgress)}
    islands = {"sheet", "sheet.title", "room", "room.study", "room.study_title", "room.form", "room.home_url"}
    islands |= {"room.next_url"}  # its answer is asked for before the script is there
    return hall | form | {"hall.forms", "hall.forms[]"} | EVERYWHERE | islands | _practice()


def _practice() -> set[str]:
    done, solved, found = (
        {name for name in vars(value) | value.__annotations__ if name[0] != "_"} for value in PRACTICE
    )
    return (
        {"practised", "forloop.counter", "forloop.first"}
        | {f"practised[].{name}" for name in done}
        | {f"solution.{name}" for name in solved}
        | {f"solution.findings[].{name}" for name in found}
    )


@pytest.mark.parametrize("template", ROOM)
def test_a_template_of_the_room_uses_blinded_values_only(template: str) -> None:
    strange = used(template) - allowed()
    assert not strange, f"{template} uses {sorted(strange)}"


def test_the_look_into_templates_finds_what_they_use() -> None:
    assert {"hall.title", "hall.forms[].done", "hall.study"} <= used("room/hall.html")
    assert "board.counts.released" in used("desk/board.html")
    assert len(ROOM) >= 2


@pytest.mark.django_db
def test_the_islands_of_the_reading_page_hold_the_agreed_keys() -> None:
    answer = cast.client("reader_a").get(f"/room/{cast.SPINE}/mr/")
    island = answer.context["room"]
    assert set(island) == {
        "study", "study_title", "form", "user", "csrf", "next_url", "upcoming_url", "home_url", "signin_url", "comfort",
        "display_url", "preferences_url", "drawings", "atlas",
    }  # fmt: skip
    assert island["user"] == "reader_a"
    again = cast.client("reader_b").get(f"/room/{cast.SPINE}/mr/").context["room"]
    assert island["atlas"] == again["atlas"], "pictures of grades are the same for all"
    assert "index_level" not in str(answer.context["sheet"])
    assert pages.__doc__
    assert Study.objects.get(code=cast.SPINE).title == island["study_title"]


@pytest.mark.django_db
def test_a_reading_as_the_viewer_gets_it_has_the_agreed_keys() -> None:
    reading = cast.next_of(cast.client("reader_a"), cast.SPINE, "mr")["reading"]
    assert set(reading) == {
        "id", "label", "position", "of", "form", "index_level", "index_segment", "synthetic", "revision", "saved_at",
        "answers", "evidence", "measured", "remarks", "kept", "stacks", "barred", "save_url", "lock_url",
        "set_aside_url", "times_url",
    }  # fmt: skip
    stack = reading["stacks"][0]
    assert set(stack) == {"id", "role", "title", "plane", "automatic_window", "frames", "index_slice", "labels"}
    frame = stack["frames"][0]
    assert set(frame) == {"image", "uid", "metadata"}
    # Geometry, grey values and derived UIDs; no date, no time, no person, no device.
    assert all(tag[:4] in {"0008", "0020", "0028", "0018"} for tag in frame["metadata"])
    assert {tag for tag in frame["metadata"] if tag.startswith("0008")} <= {"00080016", "00080018", "00080060"}
    assert {tag for tag in frame["metadata"] if tag.startswith("0018")} <= {"00180050"}
