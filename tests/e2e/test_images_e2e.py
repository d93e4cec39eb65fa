"""What the reader sees: the right slice, linked, lettered, windowed, and the very pixels that were stored."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import expect

from annotation.dicom.codec import decode_stored
from tests.e2e.browser import SignIn, violations
from tests.e2e.house import House
from tests.e2e.pictures import difference
from tests.e2e.room import Array, Frame, Room, View

SAGITTAL = ("SAG_T2", "SAG_T1", "SAG_STIR")


def stored_values(room: Room, frame: Frame) -> Array:
    """Fetch a stored frame by its sealed address and decode it as the house keeps it, in modality values."""
    status, data = room.visitor.api(frame.image)
    assert status == 200
    slope = float((frame.values("00281053") or [1])[0])
    intercept = float((frame.values("00281052") or [0])[0])
    values = decode_stored(data)
    if frame.values("00280103") == [1]:
        values = values.view(np.int16)
    return np.asarray(values.astype(float) * slope + intercept)


def middle(frames: list[Frame], index: int) -> Array:
    rows, columns = frames[index].shape
    return frames[index].patient((columns - 1) / 2, (rows - 1) / 2)


def shown(room: Room, role: str) -> Frame:
    uid = room.view(role).data("frame")
    return next(frame for frame in room.frames(role) if frame.uid == uid)


def test_sagittal_series_scroll_together_by_position(sign_in: SignIn) -> None:
    room = Room(sign_in("reader11"), "SPINE", "mr").open()
    frames = {role: room.frames(role) for role in (*SAGITTAL, "AX_T2")}
    number = len(frames["SAG_T2"]) // 2 + 1
    axial = room.view("AX_T2").slice
    for key, step in (("PageDown", 1), ("PageDown", 1), ("PageUp", -1)):
        room.press(key)
        number += step
        for role in SAGITTAL:
            room.view(role).expect_slice(number)
        point = middle(frames["SAG_T2"], number - 1)
        for role in SAGITTAL[1:]:
            depths = [abs(frame.depth(point)) for frame in frames[role]]
            assert int(np.argmin(depths)) == room.view(role).slice - 1, "the slice nearest in millimetres"
    assert room.view("AX_T2").slice == axial, "the axial series is not linked"

    x, y = room.view("SAG_T1").on_page(np.array([150.0, 150.0]))
    room.page.mouse.move(x, y)
    room.page.mouse.wheel(0, 100)
    for role in SAGITTAL:
        room.view(role).expect_slice(number + 1)
    room.press("x")
    expect(room.page.get_by_role("button", name="Link off")).to_be_visible()
    room.page.mouse.wheel(0, 100)
    room.view("SAG_T1").expect_slice(number + 2)
    room.view("SAG_T2").expect_slice(number + 1)


def test_the_reference_line_lies_where_the_slices_cross(sign_in: SignIn) -> None:
    room = Room(sign_in("reader11"), "SPINE", "mr").open()
    room.press("PageDown")
    sagittal, axial = room.view("SAG_T2"), room.view("AX_T2")
    sagittal.expect_slice(len(room.frames("SAG_T2")) // 2 + 2)
    line = axial.element.locator("line.reference")
    expect(line).to_have_count(1)
    axial.settle()
    source, target = shown(room, "SAG_T2"), shown(room, "AX_T2")
    ends = [[float(line.get_attribute(f"{axis}{end}") or "nan") for axis in "xy"] for end in (1, 2)]
    points = [target.patient(*axial.map.pixel(np.array(end))) for end in ends]
    assert max(abs(source.depth(point)) for point in points) < 0.1, "both ends lie in the sagittal slice"
    assert np.linalg.norm(points[0] - points[1]) > 50, "and it crosses the picture"
    expect(sagittal.element.locator("line.reference")).to_have_count(0)

    room.press("n", "n", "n")
    expect(sagittal.element.locator("line.reference")).to_have_count(1)


def test_window_presets_by_shift_and_digit_and_by_digit_in_the_images(sign_in: SignIn) -> None:
    room = Room(sign_in("reader11"), "SPINE", "ct").open()
    view = room.view("CT_PRE")
    assert view.window == (2000, 500), "CT opens with the bone window"
    for keys, window in (("3", (400, 40)), ("4", (3500, 1000)), ("2", (2000, 500))):
        room.press(f"Shift+Digit{keys}")
        expect(view.element.locator(".window")).to_have_text(f"W {window[0]} L {window[1]}")
    assert room.view("CT_POST").window == (2000, 500)
    room.press("F6", "3")
    expect(view.element.locator(".window")).to_have_text("W 400 L 40")
    assert room.shown_answers() == {}, "a digit in the images is no answer"
    room.press("F6", "3")
    assert room.shown_answers() == {"contrast_pattern.right": "3"}, "a digit in the sheet is one"
    expect(view.element.locator(".window")).to_have_text("W 400 L 40")
    room.press("Control+z")


def side(direction: Array) -> str:
    axis = int(np.argmax(np.abs(direction)))
    return ("RL", "AP", "FH")[axis][int(direction[axis] > 0)]


@pytest.mark.parametrize("reader", ["reader11", "reader12"])
def test_the_prone_ct_is_shown_as_acquired_with_its_side_letters(sign_in: SignIn, reader: str) -> None:
    """Prone head first has the left at the left, feet first the right; the back is up in both, nothing is turned."""
    room = Room(sign_in(reader), "SPINE", "ct").open()
    for role in ("CT_PRE", "CT_POST"):
        view, frame = room.view(role), shown(room, role)
        along, down, _ = frame.axes
        letters = {"left": side(-along), "right": side(along), "top": side(-down), "bottom": side(down)}
        assert (letters["top"], letters["bottom"]) == ("P", "A")
        assert view.letters == letters
        columns, rows = view.map.column, view.map.row
        assert columns[0] > 0
        assert rows[1] > 0
        assert abs(columns[1]) + abs(rows[0]) < 1e-6


@contextlib.contextmanager
def turned_to_the_standard_view(house: House) -> Iterator[None]:
    """Let the study ask for it after all: it is frozen, and a study of its own would cost a second import."""
    change = "UPDATE annotation_study SET settings = json_set(settings, '$.orientation', ?) WHERE code = 'SPINE'"
    with contextlib.closing(sqlite3.connect(house.folder / "data" / "spondy.sqlite3", timeout=20)) as base:

        def turn(orientation: str) -> None:
            with base:
                assert base.execute(change, (orientation,)).rowcount == 1

        turn("standard")
        try:
            yield
        finally:
            turn("acquired")


@pytest.mark.parametrize("reader", ["reader11", "reader12"])
def test_the_prone_ct_is_turned_upright_where_the_study_says_so(house: House, sign_in: SignIn, reader: str) -> None:
    room = Room(sign_in(reader), "SPINE", "ct")
    acquired = {frame.uid: frame for role in ("CT_PRE", "CT_POST") for frame in room.frames(role)}
    with turned_to_the_standard_view(house):
        room.open()
        for role in ("CT_PRE", "CT_POST"):
            view, turned = room.view(role), shown(room, role)
            letters = view.letters
            assert letters == {"left": "R", "right": "L", "top": "A", "bottom": "P"}
            stored = acquired[turned.uid]
            along, down, _ = stored.axes
            values = stored_values(room, stored)
            upright = values[:: 1 if down[1] > 0 else -1, :: 1 if along[0] > 0 else -1]
            assert difference(view, upright) < 1.0
            assert min(difference(view, other) for other in (values, upright[:, ::-1], upright[::-1])) > 4.0
            the_densest_bone_lies_where_it_is_in_the_patient(view, values, stored, turned)


def the_densest_bone_lies_where_it_is_in_the_patient(view: View, values: Array, stored: Frame, turned: Frame) -> None:
    """By the acquired header to the patient, from there by the turned one to the screen."""
    margin = len(values) // 4  # nearer to the edge, words may stand over it
    middle = values[margin:-margin, margin:-margin]
    row, column = np.array(np.unravel_index(np.argmax(middle), middle.shape)) + margin
    x, y = view.map.screen(turned.pixel(stored.patient(float(column), float(row)))).round().astype(int)
    picture = view.pixels()
    assert picture[y, x] > 150
    assert picture[y, x] - np.median(picture[y - 25 : y + 26, x - 25 : x + 26]) > 40, "a small bright place"


def test_what_stands_around_the_pictures(sign_in: SignIn) -> None:
    room = Room(sign_in("reader11"), "SPINE", "mr").open()
    letters_follow_the_geometry(room)
    what_it_is_and_is_not_stands_there(room)
    the_scale_bar_is_as_long_as_it_says(room)


def letters_follow_the_geometry(room: Room) -> None:
    for role in SAGITTAL:
        letters = room.view(role).letters
        assert (letters["left"], letters["right"]) == ("A", "P")
        assert letters["top"].startswith("H")
        assert letters["bottom"].startswith("F")
    axial = room.view("AX_T2").letters
    assert (axial["left"], axial["right"]) == ("R", "L")
    # The disc of L5/S1 can lie so steep that the top of its picture is more foot than front.
    assert "A" in axial["top"]
    assert "P" in axial["bottom"]


def what_it_is_and_is_not_stands_there(room: Room) -> None:
    foot = room.page.locator("footer.foot")
    expect(foot.get_by_text("not for diagnosis")).to_be_visible()
    expect(foot.get_by_text("synthetic images")).to_be_visible()
    for role in (*SAGITTAL, "AX_T2"):
        element = room.view(role).element
        expect(element.locator(".synthetic")).to_have_text("synthetic")
        expect(element.locator(".bar-text")).to_have_text(re.compile(r"\d+ mm"))
        expect(element.locator(".slice")).to_have_text(re.compile(r"\d+/\d+"))
        expect(element.locator(".position")).to_have_text(re.compile(r"[RLAPFH] \d+\.\d mm"))


@pytest.mark.parametrize(("form", "roles"), [("mr", (*SAGITTAL, "AX_T2")), ("ct", ("CT_PRE", "CT_POST"))])
def test_the_screen_shows_the_stored_pixels(sign_in: SignIn, form: str, roles: tuple[str, ...]) -> None:
    room = Room(sign_in("reader11"), "SPINE", form).open()
    for role in roles:
        view = room.view(role)
        values = stored_values(room, shown(room, role))
        right, mirrored = difference(view, values), difference(view, values[:, ::-1])
        assert right < 1.0, (role, right)
        assert mirrored > 4.0, "a mirrored picture would not pass"
    view = room.view(roles[0])
    room.press("i")
    values = stored_values(room, shown(room, roles[0]))
    assert difference(view, values, inverted=True) < 1.0


def the_scale_bar_is_as_long_as_it_says(room: Room) -> None:
    view = room.view("SAG_T2")
    room.press("v")
    view.settle()
    box = view.element.locator(".bar").bounding_box()
    said = re.match(r"\d+", view.element.locator(".bar-text").inner_text())
    assert box
    assert said
    frame = shown(room, "SAG_T2")
    row_mm, column_mm = (float(v) for v in frame.values("00280030"))
    assert np.linalg.norm(view.map.column) / column_mm == pytest.approx(box["width"] / int(said[0]), rel=0.02)
    assert np.linalg.norm(view.map.row) / row_mm == pytest.approx(box["width"] / int(said[0]), rel=0.02)


def test_computed_planes_go_to_a_second_window_under_the_headers_of_the_house(sign_in: SignIn) -> None:
    """The empty page inherits policy and origin; the images move as they are, and no page is asked for."""
    room = Room(sign_in("reader11"), "SPINE", "ct").open()
    room.page.locator("select.layouts").select_option("mpr")
    for plane in ("sagittal", "coronal"):
        expect(room.page.locator(f'[data-stack$=":{plane}"]')).to_have_attribute("data-state", "ready")
    asked = len(room.visitor.watch.requests)
    with room.page.expect_popup() as popped:
        room.press("o")
    other = popped.value
    expect(other.locator('.view[data-state="ready"]')).to_have_count(4)
    expect(other.locator("footer.foot").get_by_text("not for diagnosis")).to_be_visible()
    assert other.title() == room.page.title()
    picture = View(other.locator('[data-stack$=":sagittal"]')).pixels()
    assert picture.max() - picture.min() > 100, "a picture, not a black rectangle"
    other.keyboard.press("PageDown")
    # Images of the next case may still be on their way.
    known = re.compile(r"about:blank$|blob:|.*\.css$|.*/frames/[^/]+/frames/\d+$|.*/upcoming$")
    assert [url for url in room.visitor.watch.requests[asked:] if not known.match(url)] == []
    assert violations(other) == []
    other.close()
    expect(room.page.locator('.images .view[data-state="ready"]')).to_have_count(4)
