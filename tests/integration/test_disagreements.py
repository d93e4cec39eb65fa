"""The disagreement gallery: only of locked readings, each difference once, the larger first, the images beside it."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from analytics.runs import gallery as door
from analytics.runs.rows import NothingThere
from annotation import handover, room
from annotation.models import Assignment
from annotation.protocol import catalogue
from tests import cast

pytestmark = pytest.mark.django_db

HERE = f"/report/{cast.SPINE}/disagreements/"
LABELS = ("I", "II", "III", "IV", "V")
# Of the four spines in the order of their codes: four steps, one, none; and one that one reader could not assess.
DISCS = {"reader_a": ("I", "IV", "III", ""), "reader_b": ("V", "III", "III", "II")}


def _read(username: str) -> None:
    """Read every spine: discs as in `DISCS`, all else alike; reader_a points at an image of each disc."""
    mine = Assignment.objects.filter(study__code=cast.SPINE, reader__username=username, form="mr")
    codes = sorted(mine.values_list("case__patient__pseudonym", flat=True))
    for _ in codes:
        reading = cast.current(username, cast.SPINE, "mr")
        label = DISCS[username][codes.index(mine.get(pk=reading.id).case.patient.pseudonym)]
        grade: Any = 1 + LABELS.index(label) if label else {"not_assessable": "artefact"}
        evidence: dict[str, Any] = {}
        if username == "reader_a" and label:
            frame = next(stack for stack in reading.stacks if stack.role == "SAG_T2").frames[1]
            tip, tail = (cast.patient_point({"metadata": frame.metadata}, *at) for at in ((10, 12), (8, 20)))
            arrow = {"kind": "arrow", "uid": frame.uid, "points_lps_mm": [tip, tail], "label": "A"}
            evidence = {"pfirrmann.case": {"uid": frame.uid, "window": {"width": 500, "level": 250}}, "marks": [arrow]}
        answers = cast.answers(cast.SPINE, "mr", seed=1) | {"pfirrmann.case": grade}
        saved = room.save(cast.person(username), reading.id, base=0, answers=answers, evidence=evidence)
        room.lock(cast.person(username), reading.id, base=saved.revision)


@pytest.fixture
def closed() -> None:
    for username in DISCS:
        _read(username)
    cast.read_all(cast.SPINE)
    cast.close(cast.SPINE)


def _found(**asked: Any) -> door.Gallery:
    return door.gallery(cast.analyst(), cast.SPINE, door.Asked(**asked))


def test_before_the_lock_nothing_is_shown() -> None:
    cast.read_one("reader_a", cast.SPINE, "mr")
    cast.read_one("reader_b", cast.SPINE, "mr", seed=2)
    found = _found()
    assert (found.cards, found.counts, found.found) == ((), (), 0)
    assert "not locked" in found.sentence
    with pytest.raises(NothingThere):
        door.evidence(cast.analyst(), cast.SPINE, "0" * 16)


def test_differences_stand_by_size_with_words_and_images(closed: None) -> None:
    found = _found(item="pfirrmann")
    assert [card.words for card in found.cards] == ["4 steps", "1 step", "not assessable for one"]
    assert [[one.words for one in card.graded] for card in found.cards] == [
        ["I", "V"],
        ["IV", "III"],
        ["not assessable", "II"],
    ]
    assert found.cards[2].graded[0].reason, "why it could not be assessed"
    pointed = [[bool(one.image) for one in card.graded] for card in found.cards]
    assert pointed == [[True, False], [True, False], [False, False]]
    assert found.cards[0].graded[0].place == "Sagittal T2, 2 of 3"
    (count,) = [count for count in found.counts if count.item == "pfirrmann"]
    assert (count.differ, count.compared, count.excused, count.largest) == (3, 4, 1, "4 steps")
    codes = sorted({row.case for row in handover.gradings(cast.study().pk)})
    assert [card.case for card in found.cards] == [codes[0], codes[1], codes[3]]
    by_ct = [count for count in _found().counts if count.item == "contrast_pattern"]
    assert by_ct[0].compared == 8, "both sides of four cases"


def test_of_differences_alike_the_one_with_an_image_stands_first() -> None:
    said = {"A": 3.0, "B": 3.0, "C": 4.0}
    cells = tuple(
        door._Cell(case, "pfirrmann.case", {"R1": door._Answer(2.0, ""), "R2": door._Answer(other, "")}, None)
        for case, other in said.items()
    )
    spine = catalogue.latest("spondylolysis")
    found = door._differing(spine, cells, "pfirrmann", ("R1", "R2"), {("B", "pfirrmann.case")})
    assert [one.cell.case for one in found] == ["C", "B", "A"], "the larger first, then the one with an image"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"least": 2.0}, ["4 steps"]),
        ({"kind": door.GRADES}, ["4 steps", "1 step"]),
        ({"kind": door.NOT_ASSESSABLE}, ["not assessable for one"]),
        ({"pair": "R1 and R2", "page": 99}, ["4 steps", "1 step", "not assessable for one"]),
    ],
)
def test_the_filter_keeps_what_is_asked_for(closed: None, asked: dict[str, Any], words: list[str]) -> None:
    assert [card.words for card in _found(item="pfirrmann", **asked).cards] == words
    for unknown in ({"item": "nrs_1month"}, {"pair": "R1 and R9"}):
        with pytest.raises(NothingThere):
            _found(**unknown)


def test_the_page_shows_images_and_asks_the_database_little(closed: None) -> None:
    analyst = cast.client("analyst")
    text = analyst.get(f"{HERE}?item=pfirrmann&least=2").content.decode()
    assert "No image was pointed at." in text
    assert "1 difference," in text
    assert "nrs" not in text, "no outcome on the page"
    image = _found(item="pfirrmann").cards[0].graded[0].image
    assert f"{HERE}{image}.png" in text
    drawn = Image.open(io.BytesIO(analyst.get(f"{HERE}{image}.png").content))
    assert min(drawn.size) > 400
    assert analyst.get(f"{HERE}?item=nothing").status_code == 404
    assert analyst.get(f"{HERE}{'0' * 16}.png").status_code == 404
    assert cast.client("reader_a").get(HERE).status_code == 404
    with CaptureQueriesContext(
        connection,
    ) as few:
        analyst.get(f"{HERE}?item=pfirrmann&least=2")
    with CaptureQueriesContext(connection) as many:
        analyst.get(HERE)
    assert len(few) == len(many)
