"""The slip tool: points placed with the mouse give the planted millimetres, on the page and on the server."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.e2e.browser import SignIn
from tests.e2e.house import House
from tests.e2e.room import Array, Room

CELL = "slip_mm.case"


@pytest.mark.parametrize("reader", ["reader2", "reader4", "reader5"])
def test_points_at_the_landmarks_give_the_planted_slip(house: House, sign_in: SignIn, reader: str) -> None:
    room = Room(sign_in(reader), "SPINE", "mr").open()
    truth = house.truth(reader, "mr", room.label)
    room.measure(truth["landmarks_lps_mm"])
    room.expect_saved()
    shown = float(room.shown_answers()[CELL])
    assert abs(shown - truth["slip_mm"]) <= 0.5

    reading = room.reading()
    assert reading["answers"][CELL] == shown
    assert abs(reading["measured"][CELL]["value_mm"] - shown) <= 0.05, "the server measures the same from the points"
    assert reading["measured"][CELL]["slip_pct"] is None, "the percentage stays hidden until the grade is given"
    placed = np.array(reading["evidence"][CELL]["points_lps_mm"])
    wanted = np.array([truth["landmarks_lps_mm"][name] for name in ("P", "A", "Q")])
    frames = {frame.uid: frame for frame in room.frames("SAG_T2")}
    frame = frames[reading["evidence"][CELL]["uid"]]
    assert np.abs([frame.depth(point) for point in placed]).max() < 1e-3, "the points lie in the slice"
    assert np.linalg.norm(placed - wanted, axis=1).max() < 1.0


def test_a_reload_draws_the_points_again_and_a_point_can_be_moved(house: House, sign_in: SignIn) -> None:
    room = Room(sign_in("reader6"), "SPINE", "mr").open()
    truth = house.truth("reader6", "mr", room.label)
    room.measure(truth["landmarks_lps_mm"])
    room.expect_saved()
    before = room.reading()
    room.reload()
    view = room.view("SAG_T2")
    handles = view.element.locator(".handle.movable")
    expect(handles).to_have_count(3)
    text = view.element.locator(".value-text")
    expect(text).to_have_text(f"{before['answers'][CELL]:.1f} mm")

    box = handles.nth(2).locator(".dot").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    room.page.mouse.move(x, y)
    room.page.mouse.down()
    room.page.mouse.move(x + 3, y + 12, steps=4)
    room.page.mouse.up()
    room.expect_saved()
    after = room.reading()
    assert after["revision"] == before["revision"] + 1
    assert after["answers"][CELL] != before["answers"][CELL]
    assert after["evidence"][CELL]["points_lps_mm"][:2] == before["evidence"][CELL]["points_lps_mm"][:2]
    assert abs(after["measured"][CELL]["value_mm"] - after["answers"][CELL]) <= 0.05


def steer(room: Room, wanted: Array) -> None:
    """Move the cursor of the one view to a place in it with the arrows, first fast, then point by point."""
    view = room.view("SAG_T2")
    x, y = (float(part) for part in view.data("cursor").split(","))
    for away, keys in ((wanted[0] - x, ("ArrowLeft", "ArrowRight")), (wanted[1] - y, ("ArrowUp", "ArrowDown"))):
        key, steps = keys[int(away > 0)], round(abs(away))
        room.press(*[f"Shift+{key}"] * (steps // 12), *[key] * (steps % 12))


def test_points_and_marks_are_set_and_moved_by_keys_alone(house: House, sign_in: SignIn) -> None:
    room = Room(sign_in("reader13"), "SPINE", "mr").open()
    truth = house.truth("reader13", "mr", room.label)
    points = [np.array(truth["landmarks_lps_mm"][name]) for name in ("P", "A", "Q")]
    frames = room.frames("SAG_T2")
    number = int(np.argmin([abs(frame.depth(points[0])) for frame in frames]))
    room.press("v", "F6")
    view = room.view("SAG_T2")
    room.press("Home", *["PageDown"] * number)
    view.expect_slice(number + 1)
    room.press("s")
    for point in points:
        steer(room, view.map.screen(frames[number].pixel(point)))
        expect(room.page.locator(".images > [role=status]").last).to_contain_text("mm")
        room.press("Enter")
    room.expect_saved()
    first = room.reading()
    assert abs(first["answers"][CELL] - truth["slip_mm"]) <= 0.5
    placed = np.array(first["evidence"][CELL]["points_lps_mm"])
    assert np.linalg.norm(placed - points, axis=1).max() < 1.0
    assert room.open_cell() == CELL, "the keyboard is back where the value stands"

    # The last point is taken and moved; put back, it is where it was.
    room.press("F6", ",", *["ArrowDown"] * 20, "Escape")
    assert room.reading()["revision"] == first["revision"]
    what_is_carried_goes_back_when_the_picture_changes(room)
    assert room.reading()["revision"] == first["revision"]
    room.press(",", *["ArrowDown"] * 20, "Enter")
    room.expect_saved()
    moved = room.reading()
    assert moved["revision"] == first["revision"] + 1
    a, b = (np.array(one["evidence"][CELL]["points_lps_mm"]) for one in (first, moved))
    assert np.array_equal(a[:2], b[:2])
    down = 20 / view.map.row[1] * float(frames[number].values("00280030")[0])
    assert np.linalg.norm(b[2] - a[2]) == pytest.approx(down, abs=0.02)

    # A length, and one of its ends moved.
    room.press("F6", "l", "Enter", *["Shift+ArrowRight"] * 5, "Enter")
    room.expect_saved()
    (mark,) = room.reading()["evidence"]["marks"]
    one_px = float(frames[number].values("00280030")[1]) / view.map.column[0]
    assert np.linalg.norm(np.subtract(*mark["points_lps_mm"])) == pytest.approx(60 * one_px, abs=0.05)
    room.press(",", *["ArrowRight"] * 10, "Enter")
    room.expect_saved()
    (longer,) = room.reading()["evidence"]["marks"]
    assert np.linalg.norm(np.subtract(*longer["points_lps_mm"])) == pytest.approx(70 * one_px, abs=0.05)
    assert longer["points_lps_mm"][0] == mark["points_lps_mm"][0]
    room.press("Delete")
    room.expect_saved()
    assert "marks" not in room.reading()["evidence"]


def what_is_carried_goes_back_when_the_picture_changes(room: Room) -> None:
    """Another slice, another layout, a click: a point that was in the hand is drawn where it was."""
    view = room.view("SAG_T2")
    last = view.element.locator(".handle.movable .dot").nth(2)

    def place() -> Array:
        view.settle()
        return np.array([float(last.get_attribute(name) or "nan") for name in ("cx", "cy")])

    before = place()
    for leave, back in ((["PageDown"], ["PageUp"]), (["v"], ["v"]), ([], [])):
        room.press(",", *["Shift+ArrowDown"] * 2)
        assert np.linalg.norm(place() - before) > 20, "it is carried"
        if leave:
            room.press(*leave, *back)
        else:
            room.page.mouse.click(*view.on_page(np.array([30.0, 120.0])))
        assert np.abs(place() - before).max() < 0.1, leave


def test_the_slip_is_not_measured_on_an_axial_slice(sign_in: SignIn) -> None:
    room = Room(sign_in("reader7"), "SPINE", "mr").open()
    view = room.view("AX_T2")
    room.page.mouse.click(*view.on_page(np.array([100.0, 100.0])))
    room.press("s")
    expect(view.element.locator(".prompt")).to_have_text(re.compile("sagittal slice"))
    for x in (100, 140, 180):
        room.page.mouse.click(*view.on_page(np.array([float(x), 150.0])))
    assert CELL not in room.shown_answers()
    assert room.reading()["revision"] == 0
