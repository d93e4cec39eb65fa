"""Hours of reading: few presses, drawings beside the criteria, sides and segments, the own mouse, the own screen."""

from __future__ import annotations

import json

import numpy as np
from playwright.sync_api import expect

from tests.e2e.browser import SignIn, violations
from tests.e2e.house import House
from tests.e2e.room import Room


def graded(house: House, room: Room, form: str) -> int:
    """Grade and submit the current case as it was planted; gives the number of key presses."""
    truth = house.truth("reader20", form, room.label)
    answers = {**truth["answers"][form], f"quality_{form}.case": 2}
    slip = answers.pop("slip_mm.case", None)
    label = room.label
    if slip is not None:
        room.grade(answers, until="slip_mm.case")
        room.measure(truth["landmarks_lps_mm"])
        room.press("Enter")
    room.grade(answers)
    room.expect_saved()
    room.submit()
    expect(room.cockpit).not_to_have_attribute("data-label", label)
    return room.presses


def test_both_forms_of_a_case_in_thirty_presses(house: House, sign_in: SignIn) -> None:
    """Default settings, no mouse but for the three points."""
    reader = sign_in("reader20")
    presses = {form: graded(house, Room(reader, "SPINE", form).open(), form) for form in ("ct", "mr")}
    assert sum(presses.values()) <= 30, presses


def test_drawings_stand_beside_the_criteria_and_cover_no_image(sign_in: SignIn) -> None:
    reader = sign_in("reader20")
    room = Room(reader, "SPINE", "mr").open()
    images = room.page.locator("section.images")
    before = images.bounding_box()
    assert not any("/static/atlas/" in address for address in reader.watch.requests), "nobody has asked yet"
    room.press("?", "ArrowDown")
    criteria = room.page.locator(".criteria")
    panels = criteria.locator("img.panel")
    expect(panels).to_have_count(5)
    drawn = panels.evaluate_all("all => Promise.all(all.map(one => one.decode().then(() => one.naturalWidth > 0)))")
    assert drawn == [True] * 5, "each panel is drawn, none is forbidden"
    assert images.bounding_box() == before
    box = criteria.bounding_box()
    assert box
    assert before
    assert box["x"] >= before["x"] + before["width"]
    the_phantom_stands_beside_each_level(room)
    assert images.bounding_box() == before
    room.press("4")
    assert room.open_cell() == "modic_type1.case", "grading goes on while criteria are read"
    expect(panels).to_have_count(2)
    room.press("?", "ArrowUp", "Delete")
    expect(room.page.locator(".item:visible")).to_have_count(len(room.sheet()["items"]))
    room.expect_saved()


def the_phantom_stands_beside_each_level(room: Room) -> None:
    """Pictures of the atlas, drawn and labelled; by key or click one is large, and grading keeps the keyboard."""
    plates = room.page.locator(".criteria .plate")
    expect(plates).to_have_count(5)
    drawn = plates.locator("img").evaluate_all(
        "all => Promise.all(all.map(one => one.decode().then(() => one.naturalWidth)))"
    )
    assert drawn == [336] * 5
    expect(room.page.locator(".criteria .drawn")).to_contain_text("synthetic. No patients")
    large = room.page.locator(".criteria .plate[aria-pressed=true]")
    room.press("Space", "Space")
    expect(large.locator("img")).to_have_attribute("alt", "Phantom, Pfirrmann II, sagittal T2")
    expect(room.page.locator(".criteria .told")).to_have_text("Phantom, Pfirrmann II, sagittal T2")
    wide = large.bounding_box()
    assert wide
    assert wide["width"] > 250
    assert room.open_cell() == "pfirrmann.case", "the keyboard stays where grades are given"
    assert not violations(room.page)
    large.click()
    expect(large).to_have_count(0)
    plates.nth(4).click()
    expect(large.locator("img")).to_have_attribute("alt", "Phantom, Pfirrmann V, sagittal T2")
    room.press("Space")
    expect(large).to_have_count(0)
    assert room.open_cell() == "pfirrmann.case"


def test_the_screen_then_sides_and_segments_with_the_arrows(house: House, sign_in: SignIn) -> None:
    reader = sign_in("reader20")
    room = Room(reader, "SIDES", "mr").open(complete=False)
    check = room.page.locator("dialog.display")
    expect(check.locator("canvas")).to_be_visible()
    faults = violations(room.page)
    check.get_by_label("Dimmed").check()
    room.press("Enter")
    expect(check).to_have_count(0)

    while not room.open_cell().startswith("weishaupt"):
        assert room.open_cell()
        room.press("ArrowDown")
    matrix = room.page.locator(".matrix")
    expect(matrix.locator("th[scope=col]")).to_have_text(["right", "left"])
    expect(matrix.locator("th[scope=row]").first).to_have_text("L5/S1")
    faults += violations(room.page)
    assert room.open_cell() == "weishaupt.right"
    room.press("ArrowRight")
    assert room.open_cell() == "weishaupt.left"
    room.press("ArrowDown")
    assert room.open_cell() == "weishaupt.above_left"
    room.press("ArrowLeft", "3", "2")
    shown = room.shown_answers()
    assert (shown["weishaupt.above_right"], shown["weishaupt.above_left"]) == ("3", "2")
    room.expect_saved()
    kept = json.loads(str(house.rows("SELECT display FROM annotation_sitting WHERE display <> '{}'")[0][0]))
    assert (kept["seen"], kept["room"], kept["monitor"]) == (True, "dim", "")
    assert not faults, "\n".join(faults)
    room.page.reload()
    room.ready(complete=False)
    expect(room.page.locator(".item.open")).to_be_visible()
    expect(check).to_have_count(0)


def test_the_own_mouse(sign_in: SignIn) -> None:
    """With the window on the right button, dragging the left one scrolls; the choice is there at the next visit."""
    reader = sign_in("reader20")
    room = Room(reader, "SPINE", "mr").open()
    room.press("F1")
    room.page.get_by_label("Window on the right").check()
    room.press("Escape")
    view = room.view("SAG_T2")
    number, window = view.slice, view.window
    x, y = view.on_page(np.array([200, 150]))
    mouse = room.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x, y + 21, steps=3)
    mouse.up()
    view.expect_slice(number + 2)
    assert view.window == window
    mouse.move(x, y)
    mouse.down(button="right")
    mouse.move(x + 60, y, steps=4)
    mouse.up(button="right")
    view.settle()
    assert view.window != window
    view.expect_slice(number + 2)
    reader.go("/accounts/comfort/")
    expect(room.page.get_by_label("Window on the right")).to_be_checked()
    assert not violations(room.page)
