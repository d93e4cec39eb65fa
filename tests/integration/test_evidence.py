"""What a reader points at and draws: taken through the API, checked, restored exactly, sealed, handed over."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from annotation import handover, room, store
from annotation.models import Assignment, Instance, Revision, Study
from tests import cast
from tests.cast import patient_point as at

pytestmark = pytest.mark.django_db

WINDOW = {"width": 1800.5, "level": -12.25}


@pytest.fixture
def seat() -> Client:
    return cast.client("reader_a")


@pytest.fixture
def reading(seat: Client) -> dict[str, Any]:
    found: dict[str, Any] = cast.next_of(seat, cast.SPINE, "mr")["reading"]
    return found


def put(seat: Client, reading: dict[str, Any], evidence: object, base: int = 0, **answers: Any) -> Any:
    given = {name.replace("__", "."): value for name, value in answers.items()}
    return cast.send(seat, "PUT", reading["save_url"], {"base": base, "answers": given, "evidence": evidence})


def frame_of(reading: dict[str, Any], role: str = "SAG_T2", place: int = 0) -> dict[str, Any]:
    stack = next(stack for stack in reading["stacks"] if stack["role"] == role)
    found: dict[str, Any] = stack["frames"][place]
    return found


def document(reading: dict[str, Any]) -> dict[str, Any]:
    """Give one of everything: pins with and without a part, a measured cell that is pinned, every kind of mark."""
    one, other = frame_of(reading), frame_of(reading, "SAG_T1", 1)

    def mark(kind: str, *pixels: tuple[float, float], **more: str) -> dict[str, Any]:
        return {"kind": kind, "uid": one["uid"], "points_lps_mm": [at(one, *pixel) for pixel in pixels], **more}

    return {
        "pfirrmann.case": {"uid": one["uid"], "window": WINDOW},
        "modic_type1.case": {
            "uid": other["uid"],
            "window": {"width": 400, "level": 40},
            "field": {"centre_lps_mm": at(other, 40, 40), "height_mm": 77.125},
        },
        "slip_mm.case": cast.points_on(reading, slip_mm=8.2) | {"window": WINDOW},
        "marks": [
            mark("length", (10, 10), (20, 10)),
            mark("angle", (20, 10), (10, 10), (10, 30)),
            mark("ellipse", (10, 10), (30, 30)),
            mark("point", (12.25, 13.5)),
            mark("arrow", (5, 5), (9, 9), label="A"),
        ],
    }


def test_evidence_comes_back_exactly_and_the_same_again_is_no_new_revision(
    seat: Client, reading: dict[str, Any]
) -> None:
    sent = document(reading)
    said = put(seat, reading, sent, slip_mm__case=8.2)
    assert said.status_code == 200, said.content
    again = cast.next_of(seat, cast.SPINE, "mr")["reading"]
    assert again["evidence"] == sent, "to the last digit"
    assert put(seat, reading, sent, slip_mm__case=8.2).json()["revision"] == 1
    moved = copy.deepcopy(sent)
    moved["marks"][0]["points_lps_mm"][0][1] += 0.25
    assert put(seat, reading, moved, base=1, slip_mm__case=8.2).json()["revision"] == 2
    assert put(seat, reading, {}, base=2, slip_mm__case=8.2).json()["revision"] == 3
    kept = [row.evidence for row in Revision.objects.filter(assignment=reading["id"]).order_by("number")]
    assert [len(one.get("marks", [])) for one in kept] == [5, 5, 0], "appended, never overwritten"
    assert not list(handover.verify(cast.SPINE)), "every revision fits its seal"


def test_the_server_measures_marks_itself_and_keeps_stable_names(seat: Client, reading: dict[str, Any]) -> None:
    put(seat, reading, document(reading), slip_mm__case=8.2)
    kept = Revision.objects.get(assignment=reading["id"]).evidence
    down, across = frame_of(reading)["metadata"]["00280030"]["Value"]
    values = {mark["kind"]: (mark.get("value"), mark.get("unit")) for mark in kept["marks"]}
    assert values["length"] == (pytest.approx(10 * across), "mm")
    assert values["angle"] == (pytest.approx(90.0), "degrees")
    assert values["ellipse"] == (pytest.approx(3.14159265 / 4 * 20 * across * 20 * down), "mm2")
    assert values["point"] == values["arrow"] == (None, None)
    everything = [*(kept[cell] for cell in kept if cell != "marks"), *kept["marks"]]
    assert all(Instance.objects.filter(sop_uid=one["sop_uid"]).exists() for one in everything)
    assert not any("uid" in one for one in everything)
    assert kept["slip_mm.case"]["plane"] == "sagittal"


def test_a_pin_stands_without_an_answer_but_points_do_not(seat: Client, reading: dict[str, Any]) -> None:
    sent = document(reading)
    assert put(seat, reading, sent).status_code == 200
    shown = cast.next_of(seat, cast.SPINE, "mr")["reading"]
    assert shown["evidence"]["pfirrmann.case"] == sent["pfirrmann.case"]
    assert shown["measured"] == {}
    assert set(shown["evidence"]["slip_mm.case"]) == {"uid", "window"}, "an unfinished measurement leaves its slice"


def _point(reading: dict[str, Any], **more: Any) -> dict[str, Any]:
    frame = frame_of(reading)
    return {"kind": "point", "uid": frame["uid"], "points_lps_mm": [at(frame, 5, 5)], **more}


def _pin(reading: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"uid": frame_of(reading)["uid"], "window": WINDOW, **more}


def _drawn(reading: dict[str, Any], kind: str, *pixels: tuple[float, float], **more: Any) -> dict[str, Any]:
    frame = frame_of(reading)
    return {"kind": kind, "uid": frame["uid"], "points_lps_mm": [at(frame, *pixel) for pixel in pixels], **more}


def _arrow(reading: dict[str, Any], label: str) -> dict[str, Any]:
    return _drawn(reading, "arrow", (1, 1), (5, 5), label=label)


BAD: dict[str, tuple[Callable[[dict[str, Any]], Any], str, str]] = {
    "unknown kind": (lambda r: {"marks": [_point(r, kind="note")]}, "marks", "one of"),
    "a list as kind": (lambda r: {"marks": [_point(r, kind=["point"])]}, "marks", "one of"),
    "no list": (lambda r: {"marks": _point(r)}, "marks", "at most 100"),
    "null": (lambda r: {"marks": None}, "marks", "at most 100"),
    "too many": (lambda r: {"marks": [_point(r)] * 101}, "marks", "at most 100"),
    "free text": (lambda r: {"marks": [_point(r, text="Meier")]}, "marks", "Unknown: text"),
    "a label on a point": (lambda r: {"marks": [_point(r, label="A")]}, "marks", "Only an arrow"),
    "a name as label": (lambda r: {"marks": [_arrow(r, "Meier")]}, "marks", "one letter"),
    "a small letter": (lambda r: {"marks": [_arrow(r, "a")]}, "marks", "one letter"),
    "one point too few": (lambda r: {"marks": [_drawn(r, "angle", (1, 1), (5, 5))]}, "marks", "Three points"),
    "outside": (lambda r: {"marks": [_drawn(r, "length", (1, 1), (5000, 5))]}, "marks", "outside its image"),
    "off the slice": (
        lambda r: {"marks": [_point(r, points_lps_mm=[[x + 9 for x in at(frame_of(r), 5, 5)]])]},
        "marks",
        "do not lie on the image",
    ),
    "flat": (lambda r: {"marks": [_drawn(r, "ellipse", (1, 1), (9, 1))]}, "marks", "no area"),
    "foreign image": (lambda r: {"marks": [_point(r, uid="2.25.1")]}, "marks", "not part of this case"),
    "pin on a foreign image": (lambda r: {"pfirrmann.case": _pin(r, uid="2.25.1")}, "pfirrmann.case", "not part"),
    "pin without window": (lambda r: {"pfirrmann.case": {"uid": _pin(r)["uid"]}}, "pfirrmann.case", "its window"),
    "window of nothing": (
        lambda r: {"pfirrmann.case": _pin(r, window={"width": 0, "level": 1})},
        "pfirrmann.case",
        "above 0",
    ),
    "window in words": (
        lambda r: {"pfirrmann.case": _pin(r, window={"width": "wide", "level": True})},
        "pfirrmann.case",
        "above 0",
    ),
    "more in a window": (lambda r: {"pfirrmann.case": _pin(r, window=WINDOW | {"x": 1})}, "pfirrmann.case", "above 0"),
    "field without centre": (
        lambda r: {"pfirrmann.case": _pin(r, field={"height_mm": 5})},
        "pfirrmann.case",
        "centre and a height",
    ),
    "free text in a pin": (lambda r: {"pfirrmann.case": _pin(r, note="Meier")}, "pfirrmann.case", "Unknown: note"),
    "points on a graded cell": (
        lambda r: {"pfirrmann.case": _pin(r, points_lps_mm=[[0, 0, 0]] * 3)},
        "pfirrmann.case",
        "takes no points",
    ),
    "no object": (lambda r: {"pfirrmann.case": "slice 7"}, "pfirrmann.case", "is an object"),
    "a cell of another form": (lambda r: {"contrast_pattern.right": _pin(r)}, "contrast_pattern.right", "not ask"),
    "slip outside its image": (
        lambda r: {"slip_mm.case": _pin(r, points_lps_mm=[at(frame_of(r), c, 5) for c in (900, 940, 910)])},
        "slip_mm.case",
        "outside its image",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_fits_no_image_is_refused_with_its_cell_and_a_sentence(
    case: str, seat: Client, reading: dict[str, Any]
) -> None:
    make, cell, said = BAD[case]
    answer = put(seat, reading, make(reading), slip_mm__case=5.0)
    assert answer.status_code == 422, answer.content
    (fault,) = answer.json()["faults"]
    assert fault["cell"] == cell
    assert said in fault["message"]
    assert not Revision.objects.filter(assignment=reading["id"]).exists()


def test_all_images_that_are_named_are_asked_for_at_once(seat: Client, reading: dict[str, Any]) -> None:
    sent = document(reading)
    frames = next(stack for stack in reading["stacks"] if stack["role"] == "SAG_T2")["frames"]
    sent["marks"] += [{"kind": "point", "uid": one["uid"], "points_lps_mm": [at(one, 5, 5)]} for one in frames]
    with CaptureQueriesContext(connection) as asked:
        assert put(seat, reading, sent, slip_mm__case=8.2).status_code == 200
    # One look for what has a scale at all, and one for every image that is named.
    assert len([one for one in asked if "annotation_instance" in one["sql"]]) == 2


def test_another_readers_name_of_the_same_image_is_none_of_mine(seat: Client, reading: dict[str, Any]) -> None:
    other = cast.next_of(cast.client("reader_b"), cast.SPINE, "mr")["reading"]
    answer = put(seat, reading, {"marks": [_point(other)]})
    assert answer.status_code == 422
    assert "not part of this case" in answer.json()["faults"][0]["message"]


def test_evidence_is_locked_with_the_reading_and_handed_over_afterwards() -> None:
    mine = cast.current("reader_a", cast.SPINE, "mr")
    frames = next(stack for stack in mine.stacks if stack.role == "SAG_T2").frames
    frame = {"uid": frames[0].uid, "metadata": frames[0].metadata}
    full = cast.answers(cast.SPINE, "mr")
    evidence = {
        "pfirrmann.case": {"uid": frame["uid"], "window": WINDOW},
        "marks": [
            {"kind": "length", "uid": frame["uid"], "points_lps_mm": [at(frame, 10, 12), at(frame, 20, 12)]},
            {"kind": "point", "uid": frames[2].uid, "points_lps_mm": [at({"metadata": frames[2].metadata}, 7, 8)]},
        ],
    }
    Assignment.objects.filter(pk=mine.id).update(occasion=2)
    saved = room.save(cast.reader_a(), mine.id, base=0, answers=full, evidence=evidence)
    room.lock(cast.reader_a(), mine.id, base=saved.revision)
    cast.read_all(cast.SPINE)
    key = Study.objects.get(code=cast.SPINE).pk
    with pytest.raises(handover.StillReading):
        list(handover.exhibits(key))
    cast.close(cast.SPINE)
    with CaptureQueriesContext(connection) as asked:
        cell, drawn = handover.exhibits(key)
    assert len([one for one in asked if "annotation_instance" in one["sql"]]) == 1, "all its images at once"
    assert (cell.reader, cell.form, cell.cell, cell.role) == ("R1", "mr", "pfirrmann.case", "SAG_T2")
    assert {cell.round, drawn.round} <= {row.round for row in handover.gradings(key)}
    assert cell.round == "main_2", "the same name as in the table of grades"
    assert (cell.slice, cell.of, cell.window, cell.field) == (1, len(frames), WINDOW, None)
    assert store.holds(cell.digest)
    (length,) = cell.marks
    assert (length["kind"], length["unit"]) == ("length", "mm")
    assert np.allclose(length["points_column_row"], [[10, 12], [20, 12]])
    assert (drawn.cell, drawn.slice, drawn.window) == ("", 3, None)
    assert [mark["kind"] for mark in drawn.marks] == ["point"]


def test_where_the_sides_cannot_be_told_no_side_is_graded(seat: Client) -> None:
    """A level for right or left is refused, “not assessable” is taken; one series with its places is enough."""
    needed = Instance.objects.filter(series__case__patient__study__code=cast.SPINE, series__role="CT_POST")
    whole = {instance.pk: instance.frames for instance in needed}
    for instance in needed:
        instance.frames = [frame | {"plane": None} for frame in instance.frames]
        instance.save()
    reading = cast.next_of(seat, cast.SPINE, "ct")["reading"]
    assert set(reading["barred"]) == {"contrast_pattern.right", "contrast_pattern.left"}
    refused = put(seat, reading, {}, contrast_pattern__right=2)
    assert (refused.status_code, refused.json()["faults"][0]["cell"]) == (422, "contrast_pattern.right")
    reason = {"not_assessable": cast.instrument(cast.SPINE).reasons[0].code}
    assert put(seat, reading, {}, contrast_pattern__right=reason, quality_ct__case=1).status_code == 200
    for instance in needed:
        instance.frames = whole[instance.pk]
        instance.save()
    assert cast.next_of(seat, cast.SPINE, "ct")["reading"]["barred"] == {}
    assert put(seat, reading, {}, base=1, contrast_pattern__right=2).status_code == 200
    assert cast.next_of(seat, cast.SPINE, "mr")["reading"]["barred"] == {}, "no side is asked, and there is a scale"


def test_a_number_over_images_without_a_scale_is_no_measurement(seat: Client) -> None:
    """Millimetres that nothing on the images could have told are refused, typed as well as pointed at."""
    for instance in Instance.objects.filter(series__role__in=("SAG_T2", "SAG_T1")):
        instance.frames = [frame | {"plane": None} for frame in instance.frames]
        instance.save()
    reading = cast.next_of(seat, cast.SPINE, "mr")["reading"]
    assert set(reading["barred"]) == {"slip_mm.case"}, "a grade that needs no millimetres is asked as before"
    refused = put(seat, reading, {}, slip_mm__case=8.2)
    assert (refused.status_code, refused.json()["faults"]) == (
        422,
        [{"cell": "slip_mm.case", "message": reading["barred"]["slip_mm.case"]}],
    )
    reason = {"not_assessable": cast.instrument(cast.SPINE).reasons[0].code}
    assert put(seat, reading, {}, slip_mm__case=reason, meyerding__case=1).status_code == 200


AXIAL_MIDDLE = 22.0
"""Where the middle of the made axial images lies between right and left, mm."""


def test_a_slice_of_the_other_side_is_no_evidence_for_this_one(seat: Client) -> None:
    study = Study.objects.get(code=cast.SPINE)
    study.settings = study.settings | {"sides": "both"}
    study.protocol_digest = cast.instrument(cast.SPINE).with_settings(study.settings).digest()
    study.save()
    for place, instance in enumerate(Instance.objects.filter(series__role="SAG_T1").order_by("series", "pk")):
        plane = instance.frames[0]["plane"]
        plane["position_lps_mm"][0] = AXIAL_MIDDLE + (-15.0, 0.0, 15.0)[place % 3]
        instance.save()
    reading = cast.next_of(seat, cast.SPINE, "mr")["reading"]
    right, middle, left = ({"uid": frame_of(reading, "SAG_T1", place)["uid"], "window": WINDOW} for place in range(3))
    assert put(seat, reading, {"lee.right": right, "lee.left": left}).status_code == 200
    assert put(seat, reading, {"lee.right": middle, "lee.left": middle}, base=1).status_code == 200
    for sent in ({"lee.right": left}, {"lee.left": right}):
        refused = put(seat, reading, sent, base=2)
        assert (refused.status_code, refused.json()["faults"][0]["cell"]) == (422, next(iter(sent)))
    # Of a series that covers one side alone the middle is not the patient's: the axial series says where that lies.
    for place, instance in enumerate(Instance.objects.filter(series__role="SAG_T1").order_by("series", "pk")):
        plane = instance.frames[0]["plane"]
        plane["position_lps_mm"][0] = AXIAL_MIDDLE + (-60.0, -40.0, -5.0)[place % 3]
        instance.save()
    assert put(seat, reading, {"lee.right": left}, base=2).status_code == 200
    assert put(seat, reading, {"lee.left": right}, base=3).status_code == 422
    assert put(seat, reading, {"lee.left": left}, base=3).status_code == 200, "within 10 mm of the patient's middle"
    # Where nothing but the series itself tells of a middle, nothing is refused.
    for instance in Instance.objects.exclude(series__role="SAG_T1"):
        instance.header["00200052"] = {"vr": "UI", "Value": ["2.25.7"]}
        instance.save()
    assert put(seat, reading, {"lee.left": right}, base=4).status_code == 200
