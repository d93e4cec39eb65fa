"""Panels of key images: only of locked readings, true to the pixels and the patient's sides, without a case's code."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from analytics.runs import panels as door
from analytics.runs.rows import NothingThere
from annotation import handover, room
from annotation.models import Series, Study
from tests import cast

pytestmark = pytest.mark.django_db

WINDOW = {"width": 500.0, "level": 250.0}


@pytest.fixture
def closed() -> tuple[int, str]:
    """SPINE closed, with one exhibit of reader_a: a grade with an arrow on its image; and the case's code."""
    mine = cast.current("reader_a", cast.SPINE, "mr")
    frame = next(stack for stack in mine.stacks if stack.role == "SAG_T2").frames[1]
    points = [cast.patient_point({"metadata": frame.metadata}, *at) for at in ((10, 12), (8, 20))]
    evidence = {
        "pfirrmann.case": {
            "uid": frame.uid,
            "window": WINDOW,
            "field": {"centre_lps_mm": cast.patient_point({"metadata": frame.metadata}, 9, 14), "height_mm": 40.0},
        },
        "marks": [{"kind": "arrow", "uid": frame.uid, "points_lps_mm": points, "label": "A"}],
    }
    answers = cast.answers(cast.SPINE, "mr", seed=1) | {"pfirrmann.case": 4}
    saved = room.save(cast.reader_a(), mine.id, base=0, answers=answers, evidence=evidence)
    room.lock(cast.reader_a(), mine.id, base=saved.revision)
    cast.read_all(cast.SPINE)
    cast.close(cast.SPINE)
    key = Study.objects.get(code=cast.SPINE).pk
    return key, next(handover.exhibits(key)).case


def _page() -> door.Panels:
    return door.panels(cast.analyst(), cast.SPINE, [])


def test_before_the_lock_there_is_no_image(client: Client) -> None:
    found = _page()
    assert (found.cards, found.found) == ((), 0)
    assert "not locked" in found.sentence
    with pytest.raises(NothingThere):
        door.thumbnail(cast.analyst(), cast.SPINE, "0" * 16)


def test_a_picture_has_values_places_and_sides_and_nothing_else(closed: tuple[int, str]) -> None:
    key, case = closed
    (exhibit,) = handover.exhibits(key, case=case)
    found = handover.picture(key, exhibit)
    assert found._fields == ("values", "sampled_mm", "window", "inverted", "letters", "centre")
    assert found.values.dtype == np.float32
    assert np.ptp(found.values) > 0
    assert found.window == (500.0, 250.0), "as the reader left it"
    assert found.centre == pytest.approx((9, 14)), "column and row of what the reader looked at"
    assert found.letters == ("A", "P", "H", "F"), "a sagittal slice: front at the left, head at the top"
    with pytest.raises(handover.StillReading):
        handover.picture(key, exhibit._replace(slice=exhibit.slice + 1))
    Series.objects.filter(case__patient__pseudonym=case).update(held_reason="text")
    with pytest.raises(handover.StillReading, match="held back"):
        handover.picture(key, exhibit)


def test_the_caption_names_finding_and_grade_and_no_case(closed: tuple[int, str]) -> None:
    (card,) = _page().cards
    assert (card.case, card.reader, card.grade, card.marks) == (closed[1], "R1", "IV", 1)
    found = door.panels(cast.analyst(), cast.SPINE, [card.key, "0" * 16])
    assert found.caption.endswith(": IV (Sagittal T2).")
    assert closed[1] not in found.caption
    assert closed[1] not in card.key
    fitting: tuple[tuple[int, dict[str, Any]], ...] = (
        (1, {"grade": "IV"}),
        (0, {"grade": "V"}),
        (0, {"reader": "R2"}),
        (1, {"item": "pfirrmann"}),
    )
    for fits, filters in fitting:
        assert door.panels(cast.analyst(), cast.SPINE, [], **filters).found == fits


def _drawn(client: Client, query: str, kind: str = "png") -> Any:
    return client.get(f"/report/{cast.SPINE}/panels/print.{kind}?{query}")


def test_the_page_previews_and_gives_every_format(closed: tuple[int, str]) -> None:
    analyst = cast.client("analyst")
    (card,) = _page().cards
    page = analyst.get(f"/report/{cast.SPINE}/panels/?pick={card.key}")
    assert page.status_code == 200
    assert card.said in page.content.decode()
    small = analyst.get(f"/report/{cast.SPINE}/panels/{card.key}.png")
    assert Image.open(io.BytesIO(small.content)).size == (150, 150)
    query = f"pick={card.key}&width=85&columns=1"
    starts = {"svg": b"<?xml", "pdf": b"%PDF", "png": b"\x89PNG", "tiff": b"II"}
    for kind, start in starts.items():
        first = _drawn(analyst, query, kind)
        assert first.content.startswith(start)
        assert first.content == _drawn(analyst, query, kind).content, "equal bytes"
        assert closed[1].encode() not in first.content
    printed = Image.open(io.BytesIO(_drawn(analyst, query).content))
    assert printed.size[0] == pytest.approx(85 / 25.4 * 600, abs=1)
    assert Image.open(io.BytesIO(_drawn(analyst, query, "preview").content)).size[0] < 600
    for wrong in (_drawn(analyst, query, "exe"), _drawn(analyst, "pick=ffff"), _drawn(analyst, "")):
        assert wrong.status_code == 404
    assert _drawn(cast.client("reader_a"), query).status_code == 404


def test_marks_and_an_own_arrow_change_the_figure(closed: tuple[int, str]) -> None:
    analyst = cast.client("analyst")
    (card,) = _page().cards
    ways = ["", f"&marks_{card.key}=0", f"&x_{card.key}=50&y_{card.key}=50", f"&height_mm_{card.key}=20", "&scale=0"]
    made = [_drawn(analyst, f"pick={card.key}{way}", "preview").content for way in ways]
    assert len(set(made)) == len(ways)
    assert _drawn(analyst, f"pick={card.key}&x_{card.key}=nan&width=9e9", "preview").content == made[0]
