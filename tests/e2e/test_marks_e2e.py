"""Marks and evidence slices: drawn with the mouse, restored exactly, right in millimetres and grey values."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from playwright.sync_api import Locator, expect

from tests.e2e.browser import SignIn, violations
from tests.e2e.room import Array, Frame, Room, View
from tests.e2e.test_images_e2e import shown, stored_values


def drawn(view: View) -> Locator:
    return view.element.locator("svg.drawn .mark")


def said(view: View, kind: str) -> list[str]:
    return view.element.locator(f'svg.drawn .mark[data-kind="{kind}"] text').all_text_contents()


def place(view: View, column: float, row: float) -> tuple[float, float]:
    return view.on_page(view.map.screen(np.array([column, row])))


def stroke(room: Room, start: tuple[float, float], end: tuple[float, float]) -> None:
    room.page.mouse.move(*start)
    room.page.mouse.down()
    room.page.mouse.move(*end, steps=4)
    room.page.mouse.up()


def points_of(evidence: dict[str, Any], kind: str) -> Array:
    return np.array(next(mark["points_lps_mm"] for mark in evidence["marks"] if mark["kind"] == kind))


def inside(frame: Frame, corners: Array, values: Array) -> Array:
    """Give the values of the pixels whose centres lie in the ellipse between two corners."""
    a, b = (frame.pixel(corner) for corner in corners)
    rows, columns = np.indices(values.shape)
    column, row = (a + b) / 2
    half_column, half_row = np.abs(b - a) / 2
    found: Array = values[((columns - column) / half_column) ** 2 + ((rows - row) / half_row) ** 2 <= 1]
    return found


def test_marks_say_what_the_stored_pixels_say_and_come_back_exactly(sign_in: SignIn) -> None:
    room = Room(sign_in("reader15"), "SPINE", "ct").open()
    view = room.view("CT_POST")
    frame = shown(room, "CT_POST")
    rows, columns = frame.shape
    x, y = columns / 2, rows / 2
    room.press("e")
    stroke(room, place(view, x - 20, y - 15), place(view, x + 22, y + 17))
    room.press("l")
    stroke(room, place(view, x - 60, y), place(view, x - 20, y + 30))
    room.press("a")
    for at in ((x + 60, y), (x + 30, y), (x + 30, y - 40)):
        room.page.mouse.click(*place(view, *at))
    room.press("d")
    room.page.mouse.click(*place(view, x + 10, y + 50))
    room.press("q")
    stroke(room, place(view, x - 40, y - 40), place(view, x - 70, y - 60))
    expect(drawn(view)).to_have_count(5)
    room.expect_saved()

    evidence = room.reading()["evidence"]
    values = stored_values(room, frame)
    found = inside(frame, points_of(evidence, "ellipse"), values)
    assert len(found) > 500
    a, b = (frame.pixel(corner) for corner in points_of(evidence, "ellipse"))
    row_mm, column_mm = frame.values("00280030")
    area = np.pi / 4 * abs((b - a)[0]) * column_mm * abs((b - a)[1]) * row_mm
    assert said(view, "ellipse") == [f"mean {found.mean():.0f} HU · SD {found.std():.0f}", f"{area:.0f} mm²"]
    tail, head = points_of(evidence, "length")
    assert said(view, "length") == [f"{np.linalg.norm(head - tail):.1f} mm"]
    drawn_mm = np.hypot(40 * column_mm, 30 * row_mm)
    assert abs(np.linalg.norm(head - tail) - drawn_mm) < 1.5, "as far as a mouse of whole pixels goes"
    assert abs(float(said(view, "angle")[0].rstrip("°")) - 90) < 3
    column, row = np.round(frame.pixel(points_of(evidence, "point")[0])).astype(int)
    assert said(view, "point") == [f"{values[row, column]:.0f} HU"]
    assert said(view, "arrow") == ["A"]

    before = [said(view, kind) for kind in ("ellipse", "length", "angle", "point", "arrow")]
    room.reload()
    expect(drawn(view)).to_have_count(5)
    assert [said(view, kind) for kind in ("ellipse", "length", "angle", "point", "arrow")] == before
    assert room.reading()["evidence"] == evidence, "to the last digit"

    # An end is taken and moved; the key that removes goes to the chosen mark, and undo brings it back.
    end = drawn(view).filter(has_text=before[1][0]).locator('.handle[data-point="1"] .grip')
    box = end.bounding_box()
    assert box
    grip = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    stroke(room, grip, (grip[0] + 30, grip[1]))
    room.expect_saved()
    assert np.allclose(points_of(room.reading()["evidence"], "length")[0], tail)
    assert said(view, "length") != before[1]
    room.press("Delete")
    expect(drawn(view)).to_have_count(4)
    room.press("Control+z", "Control+z")
    expect(drawn(view)).to_have_count(5)
    room.expect_saved()
    assert room.reading()["evidence"] == evidence
    number = view.slice
    room.press("PageDown")
    expect(drawn(view)).to_have_count(0)
    expect(view.element.locator(".view-note")).to_have_text(f"marks on slice {number}")


def test_a_grade_carries_its_slice_and_one_press_shows_it_again(sign_in: SignIn) -> None:
    room = Room(sign_in("reader16"), "SPINE", "mr").open()
    page, view = room.page, room.view("SAG_T2")
    cell = room.open_cell()
    room.press("PageDown", "PageDown")
    number = view.slice
    view.settle()
    x, y = view.on_page(np.array([150.0, 150.0]))
    stroke(room, (x, y), (x + 40, y + 25))  # a window of one's own
    window = view.window
    room.press("=")
    pin = page.locator(f'[data-pin="{cell}"]')
    expect(pin).to_have_text(re.compile(rf"{number}/.* · W {window[0]} L {window[1]}"))
    room.expect_saved()
    kept = room.reading()["evidence"][cell]
    assert kept["uid"] == view.data("frame")
    assert (round(kept["window"]["width"]), round(kept["window"]["level"])) == window
    assert room.shown_answers() == {}, "a slice is no answer"

    room.press("1")
    expect(pin).to_have_attribute("aria-label", re.compile(f"{number}/"))
    room.press("PageUp", "PageUp", "PageUp", "Shift+1")
    view.expect_slice(number - 3)
    assert view.window != window
    pin.click()
    view.expect_slice(number)
    expect(view.element.locator(".window")).to_have_text(f"W {window[0]} L {window[1]}")

    assert violations(page) == []
    # In a layout without that series the active view takes it.
    room.reload()
    view.expect_slice(number)
    view.element.locator("select.series").select_option(label="Axial T2")
    expect(page.locator(".view[data-role=SAG_T2]")).to_have_count(0)
    pin.click()
    again = room.view("SAG_T2")
    again.expect_slice(number)
    expect(again.element.locator(".window")).to_have_text(f"W {window[0]} L {window[1]}")

    room.press("ArrowUp", "Shift+Delete")
    expect(pin).to_have_count(0)
    room.expect_saved()
    assert room.reading()["evidence"] == {}
    assert cell in room.shown_answers(), "the grade stays"
