"""The reading room in a real browser, against the stand-in server of this folder."""

from __future__ import annotations

import json
import os
import re
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from viewer.test.room_server import World, serve

PORT = int(os.environ.get("SPONDY_ROOM_TEST_PORT", "8127"))
URL = f"http://127.0.0.1:{PORT}"
EXPECTED = ("Failed to load resource", "net::ERR", "Couldn't process because XMLHttpRequest")
CHROMIUM = os.environ.get("SPONDY_CHROMIUM", "/usr/bin/chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def world() -> Iterator[World]:
    server = serve(PORT, 2)
    yield server.RequestHandlerClass.world  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()


@pytest.fixture
def page(browser: Browser, world: World) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(15_000)
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: complaints.append(str(e)))
    yield page
    context.close()
    # A refused request is what some tests ask for; anything else is a defect, policy violations first.
    assert [c for c in complaints if not any(known in c for known in EXPECTED)] == []


def wait_until(holds: Callable[[], bool], what: str, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def post(path: str, **values: Any) -> Any:
    request = urllib.request.Request(URL + path, json.dumps(values).encode(), method="POST")
    return json.load(urllib.request.urlopen(request))


def written() -> list[dict[str, Any]]:
    return json.load(urllib.request.urlopen(URL + "/__log"))


def visit(page: Page, form: str = "mr") -> None:
    page.goto(f"{URL}/room/DEMO/{form}/")
    ready(page)


def ready(page: Page) -> None:
    expect(page.locator("#cockpit")).to_have_attribute("data-curtain", "open")
    expect(page.locator(".images")).to_have_attribute("data-settled", "true")
    expect(page.locator(".images")).to_have_attribute("data-complete", "true")


def saved(page: Page) -> None:
    expect(page.locator("#cockpit")).to_have_attribute("data-save-state", "clean")


def cell(page: Page, key: str) -> str:
    return page.locator(f'[data-cell="{key}"]').get_attribute("data-value") or ""


def view(page: Page, role: str) -> Any:
    return page.locator(f'.view[data-role="{role}"]').first


def at_pixel(page: Page, role: str, column: float, row: float) -> tuple[float, float]:
    x0, y0, cx, cy, rx, ry = map(float, view(page, role).get_attribute("data-pixel-map").split(","))
    box = view(page, role).bounding_box()
    return box["x"] + x0 + column * cx + row * rx, box["y"] + y0 + column * cy + row * ry


def to_pixel(series: Any, point: Any) -> tuple[int, float, float]:
    """Slice, column and row of a patient point in a phantom series."""
    best = min(
        range(len(series.planes)),
        key=lambda i: abs(
            np.dot(
                np.subtract(point, series.planes[i].position_lps_mm),
                np.cross(series.planes[i].row_lps, series.planes[i].column_lps),
            )
        ),
    )
    plane = series.planes[best]
    away = np.subtract(point, plane.position_lps_mm)
    return (
        best,
        float(away @ plane.row_lps) / plane.spacing_rc_mm[1],
        float(away @ plane.column_lps) / plane.spacing_rc_mm[0],
    )


def measure(page: Page, world: World) -> float:
    """Set the three points of the first case where the phantom planted them; the planted millimetres."""
    phantom = world.cases["mr"][0].phantom
    series = next(s for s in phantom.series if s.role == "SAG_T2")
    page.keyboard.press("s")
    for name in "PAQ":
        index, column, row = to_pixel(series, phantom.landmarks_lps_mm[name])
        expect(view(page, "SAG_T2")).to_have_attribute("data-slice", str(index + 1))
        page.mouse.click(*at_pixel(page, "SAG_T2", column, row))
    return float(phantom.truth.slip_mm)


def grade_all(page: Page) -> None:
    """Every cell by its key, the slip typed; ends at the submit button."""
    for _ in range(40):
        if page.evaluate("document.activeElement.classList.contains('submit')"):
            return
        if page.evaluate("document.activeElement.classList.contains('typed-number')"):
            page.keyboard.type("4.5")
            page.keyboard.press("Enter")
        else:
            page.keyboard.press("1")
    raise AssertionError("the sheet does not end")


def test_a_form_by_keyboard_alone_and_the_next_case_without_reload(page: Page, world: World) -> None:
    visit(page)
    page.evaluate("window.sameDocument = true")
    tokens = set(world.cases["mr"][1].frames)
    grade_all(page)
    saved(page)
    wait_until(lambda: tokens <= set(world.fetched), "the next case is fetched ahead")
    world.fetched.clear()
    page.keyboard.press("Enter")
    expect(page.locator("dialog.summary")).to_contain_text("4.5 mm")
    page.keyboard.press("Enter")
    expect(page.locator("h1.case")).to_have_text("Case 002 of 2")
    ready(page)
    assert page.evaluate("window.sameDocument")
    assert world.cases["mr"][0].locked
    assert world.cases["mr"][0].newest["answers"]["pfirrmann.case"] == 1
    assert not tokens & set(world.fetched), "nothing is fetched twice"
    # What the next case shows is its own: the frame addresses on the screen belong to case 2.
    uid = view(page, "SAG_T2").get_attribute("data-frame")
    assert uid in {f["uid"] for f in world.cases["mr"][1].stacks[0]["frames"]}


def test_ct_form_in_few_key_presses_and_the_end(page: Page, world: World) -> None:
    world.cases["ct"].pop()
    visit(page, "ct")
    for key in ("2", "3"):
        page.keyboard.press(key)
    expect(page.locator('[data-item="contrast_pattern"] .value')).to_have_text(re.compile("R Intra.* · L Trans.*"))
    grade_all(page)
    saved(page)
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator(".all-done h1")).to_have_text("All 1 readings are submitted.")
    assert world.cases["ct"][0].newest["answers"]["contrast_pattern.left"] == 3


def test_the_slip_tool_gives_the_planted_millimetres_and_points_can_be_moved(page: Page, world: World) -> None:
    visit(page)
    planted = measure(page, world)
    saved(page)
    shown = float(cell(page, "slip_mm.case"))
    assert abs(shown - planted) <= 0.5
    evidence = world.cases["mr"][0].newest["evidence"]["slip_mm.case"]
    assert evidence["uid"] == view(page, "SAG_T2").get_attribute("data-frame")
    assert abs(world.cases["mr"][0].judged()["measured"]["slip_mm.case"]["value_mm"] - shown) <= 0.051
    # The last click leaves nothing behind for the next tool.
    page.keyboard.press("l")
    page.wait_for_timeout(600)
    expect(view(page, "SAG_T2").locator("svg.drawn .mark")).to_have_count(0)
    page.keyboard.press("l")
    # Points show only on their own slice; the others say where they are.
    page.keyboard.press("PageDown")
    expect(page.locator('[data-slip="slip_mm.case"]')).to_have_count(0)
    expect(view(page, "SAG_T2").locator(".view-note")).to_contain_text("points on slice")
    page.keyboard.press("PageUp")
    grip = view(page, "SAG_T2").locator('[data-point="2"] .grip')
    expect(grip).to_be_visible()
    # The overlay is drawn anew with the slice, within two frames; the grip of the old one has no box.
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    box = grip.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 15, y, steps=4)
    page.mouse.up()
    saved(page)
    assert float(cell(page, "slip_mm.case")) > shown + 2
    # Typing replaces the measurement; undo brings it back with its points.
    page.keyboard.type("0")
    page.keyboard.press("Enter")
    saved(page)
    assert "slip_mm.case" not in world.cases["mr"][0].newest["evidence"]
    page.keyboard.press("Control+z")
    saved(page)
    assert "slip_mm.case" in world.cases["mr"][0].newest["evidence"]


def test_not_assessable_with_reason_and_note(page: Page, world: World) -> None:
    visit(page)
    page.keyboard.press("u")
    page.keyboard.press("2")
    assert cell(page, "segment_degeneration.case") == "artefact"
    page.keyboard.press("u")
    page.keyboard.press("4")
    page.keyboard.type("metal 4")
    page.keyboard.press("Enter")
    saved(page)
    answers = world.cases["mr"][0].newest["answers"]
    assert answers["pfirrmann.case"] == {"not_assessable": "other", "note": "metal 4"}


def test_a_remark_is_shown_at_its_cell_and_kept_with_one_key(page: Page, world: World) -> None:
    visit(page)
    page.locator('[data-item="slip_mm"] .head').click()
    page.keyboard.type("9")
    page.keyboard.press("Enter")
    page.keyboard.press("0")
    expect(page.locator('[data-item="meyerding"]')).to_have_class(re.compile("warned"))
    page.keyboard.press("ArrowUp")
    expect(page.locator("[data-remark]").first).to_be_visible()
    code = page.locator("[data-remark]").first.get_attribute("data-remark")
    page.keyboard.press("k")
    saved(page)
    assert code in world.cases["mr"][0].newest["kept"]
    expect(page.locator(".kept").first).to_be_visible()


def test_beside_a_value_that_is_refused_nothing_stands_of_the_one_before(page: Page, world: World) -> None:
    visit(page)
    value = measure(page, world)
    saved(page)
    page.locator('[data-item="meyerding"] .head').click()
    page.keyboard.press("5")
    page.locator('[data-item="slip_mm"] .head').click()
    slip = page.locator('[data-item="slip_mm"]')
    expect(slip.locator(".measured")).to_contain_text("endplate")
    expect(slip.locator("[data-remark=C1]")).to_be_visible()
    slip.locator("input").fill("99")
    page.keyboard.press("Enter")
    expect(slip.locator(".fault")).to_have_text(f"Between −20 and 60 mm. The answer stays: {value:.1f} mm.")
    expect(slip.locator(".measured")).to_have_count(0)
    expect(slip.locator("[data-remark]")).to_have_count(0)
    expect(slip.locator("input")).to_have_value("99")
    # With the mouse elsewhere and back it is gone, and what belongs to the answer stands there again.
    page.locator('[data-item="modic_type1"] .head').click()
    expect(page.locator('[data-item="modic_type1"]')).to_have_class(re.compile("open"))
    page.locator('[data-item="slip_mm"] .head').click()
    expect(slip.locator("input")).to_have_value(f"{value:.1f}")
    expect(slip.locator(".measured")).to_contain_text("endplate")
    expect(slip.locator("[data-remark=C1]")).to_be_visible()
    # A value the server refuses: the same holds.
    with refusing(page, "slip_mm.case"):
        slip.locator("input").fill("12")
        page.keyboard.press("Enter")
        expect(slip.locator(".fault")).to_have_text("Refused.")
        expect(slip.locator("[data-remark]")).to_have_count(0)


@contextmanager
def refusing(page: Page, key: str) -> Iterator[None]:
    """Let the server take no answer for one cell."""
    problem = {"detail": "Refused.", "faults": [{"cell": key, "message": "Refused."}]}

    def answer(route: Route) -> None:
        route.fulfill(status=422, json=problem) if route.request.method == "PUT" else route.fallback()

    page.route("**/*", answer)
    yield
    page.unroute("**/*", answer)


SAID = (
    "Measured 31 %, grade I covers up to 25 %.",
    "Grade 0, but the slip is 9.0 mm.",
    "Slip measured on a series that is axial; 12 mm off the midline; on L4/5, not L5/S1.",
    "Check the points: endplate 18.0 mm, slip 41.0 mm.",
    "The slip is −2.3 mm, so backwards; that is unusual with lysis.",
)


def test_criteria_and_many_remarks_scroll_in_their_own_place(page: Page) -> None:
    """At 1280 x 800 every item stays on one screen, and the levels stay in sight while their criteria are read."""
    visit(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("?")
    criteria, scroller = page.locator(".criteria"), page.locator(".sheet > .scroller")
    expect(criteria).to_have_class(re.compile("more-below"))
    for _ in range(3):
        page.keyboard.press("Shift+PageDown")
    expect(criteria).not_to_have_class(re.compile("more-below"))
    expect(criteria.locator("p").last).to_be_in_viewport(ratio=1)
    expect(page.locator('[data-open-cell="pfirrmann.case"]')).to_be_in_viewport(ratio=1)
    at = criteria.evaluate("part => part.scrollTop")
    page.keyboard.press("u")  # the sheet is drawn anew
    assert criteria.evaluate("part => part.scrollTop") == pytest.approx(at, abs=60) and at > 0
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+PageUp")
    expect(criteria).to_have_class(re.compile("more-below"))
    page.keyboard.press("?")

    cells = ["slip_mm.case", "meyerding.case"]
    said = [{"code": f"C{at}", "text": text, "severity": "warn", "cells": cells} for at, text in enumerate(SAID)]

    def answer(route: Route) -> None:
        if route.request.method != "PUT":
            return route.fallback()
        response = route.fetch()
        return route.fulfill(response=response, json=response.json() | {"remarks": said})

    page.route("**/*", answer)
    page.locator('[data-item="meyerding"] .head').click()
    page.keyboard.press("0")
    saved(page)
    page.keyboard.press("ArrowUp")
    expect(page.locator(".remark-count")).to_have_text("5 remarks")
    assert scroller.evaluate("part => part.scrollHeight <= part.clientHeight"), "one screen without scrolling"
    expect(page.locator(".item").last).to_be_in_viewport(ratio=1)
    expect(page.locator("[data-remark=C4]")).not_to_be_in_viewport()
    for _ in range(4):
        page.keyboard.press("Shift+PageDown")
    expect(page.locator("[data-remark=C4]")).to_be_in_viewport(ratio=0.9)


def test_reload_in_the_middle_loses_nothing(page: Page, world: World) -> None:
    visit(page)
    for key in ("1", "4", "0"):
        page.keyboard.press(key)
    page.keyboard.press("PageDown")
    saved(page)
    page.reload()
    ready(page)
    assert cell(page, "pfirrmann.case") == "4"
    expect(page.locator('[data-item="weishaupt"]')).to_have_class(re.compile("open"))
    expect(view(page, "SAG_T2")).to_have_attribute("data-slice", "8")


def test_digits_belong_to_the_visible_focus(page: Page, world: World) -> None:
    visit(page, "ct")
    window = view(page, "CT_PRE").locator(".window")
    # Mouse work on the images leaves the digits with the sheet.
    view(page, "CT_PRE").click()
    page.keyboard.press("1")
    assert cell(page, "contrast_pattern.right") == "1"
    page.keyboard.press("F6")
    page.keyboard.press("3")
    assert cell(page, "contrast_pattern.left") == ""
    expect(window).to_have_text("W 400 L 40")
    page.keyboard.press("`")
    page.keyboard.press("Shift+Digit2")
    expect(window).to_have_text("W 2000 L 500")
    page.keyboard.press("3")
    assert cell(page, "contrast_pattern.left") == "3"


def test_linked_scroll_full_size_layouts_and_reference_line(page: Page, world: World) -> None:
    visit(page)
    box = view(page, "SAG_T1").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.wheel(0, 100)
    page.mouse.wheel(0, 100)
    for role in ("SAG_T1", "SAG_T2", "SAG_STIR"):
        expect(view(page, role)).to_have_attribute("data-slice", "9")
    expect(view(page, "AX_T2")).to_have_attribute("data-slice", "7")
    expect(view(page, "AX_T2").locator(".reference")).to_have_count(1)
    line = view(page, "AX_T2").locator(".reference").get_attribute("x1")
    page.keyboard.press("x")
    page.keyboard.press("PageUp")
    expect(view(page, "SAG_T1")).to_have_attribute("data-slice", "8")
    expect(view(page, "SAG_T2")).to_have_attribute("data-slice", "9")
    assert view(page, "AX_T2").locator(".reference").get_attribute("x1") != line
    view(page, "SAG_T1").dblclick(position={"x": 200, "y": 200})
    assert view(page, "SAG_T1").bounding_box()["width"] > 900
    page.keyboard.press("f")
    assert view(page, "SAG_T1").bounding_box()["width"] < 500
    page.keyboard.press("v")
    expect(page.locator(".view")).to_have_count(1)
    expect(view(page, "SAG_T2")).to_have_attribute("data-slice", "9")
    page.keyboard.press("v")
    expect(page.locator(".view")).to_have_count(4)


def test_side_letters_come_from_the_header_of_the_prone_patient(page: Page, world: World) -> None:
    visit(page, "ct")
    series = world.cases["ct"][0].phantom.series
    plane = next(s for s in series if s.role == "CT_PRE").planes[0]
    right = "L" if plane.row_lps[0] > 0 else "R"
    bottom = "P" if plane.column_lps[1] > 0 else "A"
    expect(view(page, "CT_PRE").locator(".at-right")).to_have_text(right)
    expect(view(page, "CT_PRE").locator(".at-bottom")).to_have_text(bottom)


def test_a_slice_that_fails_covers_its_view_and_blocks_submit(page: Page, world: World) -> None:
    frame = world.cases["mr"][0].stacks[0]["frames"][9]["image"].split("/")[2]
    post("/__switch", frames=frame)
    page.goto(f"{URL}/room/DEMO/mr/")
    expect(page.locator("#cockpit")).to_have_attribute("data-curtain", "open")
    expect(page.locator(".failed")).to_contain_text("Sagittal T2 slice 10")
    for _ in range(3):
        page.keyboard.press("PageDown")
    expect(view(page, "SAG_T2")).to_have_attribute("data-state", "failed")
    expect(view(page, "SAG_T2").locator(".cover")).to_contain_text("Slice 10 of Sagittal T2 did not load")
    assert view(page, "SAG_T2").get_attribute("data-slice") == ""
    page.keyboard.press("s")
    expect(view(page, "SAG_T2").locator(".prompt")).to_contain_text("Wait")
    page.keyboard.press("s")
    grade_all(page)
    saved(page)
    page.keyboard.press("Enter")
    expect(page.locator(".obstacle")).to_contain_text("1 image did not load")
    assert page.locator("dialog.summary button.primary").is_disabled()
    page.keyboard.press("Escape")
    post("/__switch", frames=None)
    page.keyboard.press("y")
    expect(view(page, "SAG_T2")).to_have_attribute("data-slice", "10")
    expect(page.locator(".failed")).to_be_hidden()
    page.locator(".submit").click()
    page.keyboard.press("Enter")
    expect(page.locator("h1.case")).to_have_text("Case 002 of 2")


def test_addresses_that_ran_out_are_asked_for_again(page: Page, world: World) -> None:
    post("/__switch", delay_ms=150)
    page.goto(f"{URL}/room/DEMO/mr/")
    expect(view(page, "SAG_T2")).to_have_attribute("data-slice", "7")
    page.keyboard.press("PageDown")
    page.keyboard.press("4")
    world.cases["mr"][0].address("later")
    post("/__switch", delay_ms=None)
    ready(page)
    expect(page.locator(".failed")).to_be_hidden()
    expect(view(page, "SAG_T2")).to_have_attribute("data-slice", "8")
    expect(view(page, "SAG_T2")).to_have_attribute("data-state", "ready")


def test_window_drag_zoom_length_and_the_value_under_the_mouse(page: Page, world: World) -> None:
    visit(page, "ct")
    target = view(page, "CT_POST")
    box = target.bounding_box()
    x, y = box["x"] + 200, box["y"] + 330

    def drag(button: str = "left", dx: int = 100, dy: int = 0) -> None:
        page.mouse.move(x, y)
        page.mouse.down(button=button)
        page.mouse.move(x + dx, y + dy, steps=5)
        page.mouse.up(button=button)

    drag()
    expect(target.locator(".window")).not_to_have_text("W 2000 L 500")
    scale = float(target.get_attribute("data-pixel-map").split(",")[2])
    drag("right", 0, 60)
    expect(target).not_to_have_attribute("data-pixel-map", re.compile(f",{scale:.4f},0.0000,0.0000"))
    page.keyboard.press("r")
    expect(target.locator(".window")).to_have_text("W 2000 L 500")
    page.keyboard.press("l")
    drag(dx=150)
    scale = float(target.get_attribute("data-pixel-map").split(",")[2])
    spacing = world.cases["ct"][0].phantom.series[-1].planes[0].spacing_rc_mm[1]

    def length() -> float:
        found = re.search(r"([\d.]+) mm", target.locator("svg.drawn").text_content() or "")
        return float(found[1]) if found else 0.0

    wait_until(lambda: abs(length() - 150 / scale * spacing) <= 1, "the length is that of the line drawn")
    page.keyboard.press("Delete")
    expect(target.locator("svg.drawn")).to_have_text("")
    page.mouse.move(*at_pixel(page, "CT_POST", 128, 128))
    series = next(s for s in world.cases["ct"][0].phantom.series if s.role == "CT_POST")
    stored = int(series.pixels[10][128][128])
    hounsfield = stored if series.pixels.dtype.kind == "i" else stored - 1024
    expect(target.locator(".value-here")).to_have_text(f"{hounsfield} HU")


def test_locating_a_point_and_a_link_with_a_distance(page: Page, world: World) -> None:
    visit(page)
    series = next(s for s in world.cases["mr"][0].phantom.series if s.role == "AX_T2")
    plane = series.planes[1]
    middle = np.add(plane.position_lps_mm, np.multiply(plane.column_lps, 95 * plane.spacing_rc_mm[0]))
    point = np.add(middle, np.multiply(plane.row_lps, 95 * plane.spacing_rc_mm[1]))
    sagittal = next(s for s in world.cases["mr"][0].phantom.series if s.role == "SAG_T2")
    index, column, row = to_pixel(sagittal, point)
    expect(view(page, "SAG_T2")).to_have_attribute("data-slice", str(index + 1))
    page.keyboard.down("Shift")
    page.mouse.click(*at_pixel(page, "SAG_T2", column, row))
    page.keyboard.up("Shift")
    expect(view(page, "AX_T2")).to_have_attribute("data-slice", "2")
    expect(view(page, "AX_T2").locator(".located")).to_have_count(1)
    page.keyboard.press("x")
    page.keyboard.press("PageDown")
    page.keyboard.press("PageDown")
    expect(view(page, "SAG_T2")).to_have_attribute("data-slice", str(index + 3))
    page.keyboard.press("Shift+X")
    page.keyboard.press("PageUp")
    expect(view(page, "SAG_T2")).to_have_attribute("data-slice", str(index + 2))
    expect(view(page, "SAG_T1")).to_have_attribute("data-slice", str(index))


def test_without_geometry_there_are_no_letters_and_no_measuring(page: Page, world: World) -> None:
    post("/__switch", geometry=True)
    visit(page)
    assert view(page, "SAG_T2").get_attribute("data-geometry") == "missing"
    expect(view(page, "SAG_T2").locator(".view-note")).to_contain_text("missing")
    expect(view(page, "SAG_T2").locator(".at-left")).to_have_text("")
    page.keyboard.press("s")
    expect(view(page, "SAG_T2").locator(".prompt")).to_contain_text("cannot be measured")
    for x in (100, 200, 150):
        view(page, "SAG_T2").click(position={"x": x, "y": 200})
    assert cell(page, "slip_mm.case") == ""


def test_a_role_without_a_stack_says_so(page: Page, world: World) -> None:
    post("/__switch", without="AX_T2")
    visit(page)
    expect(view(page, "AX_T2").locator(".cover")).to_have_text(re.compile("No Axial T2 in this case"))


def test_offline_answers_wait_survive_a_reload_and_go_out_in_order(page: Page, world: World) -> None:
    visit(page)
    page.keyboard.press("1")
    saved(page)
    post("/__switch", save="drop")
    for key in ("4", "1", "2"):
        page.keyboard.press(key)
    expect(page.locator(".save-state")).to_contain_text("waiting for the network (3)")
    page.locator(".submit").click()
    expect(page.locator(".obstacle")).to_contain_text("not saved yet")
    page.keyboard.press("Escape")
    page.reload()
    ready(page)
    assert cell(page, "weishaupt.case") == "2"
    post("/__switch", save=None)
    saved(page)
    log = [entry["answers"] for entry in written()]
    assert [len(answers) for answers in log] == [1, 2, 3, 4]
    assert log[-1]["weishaupt.case"] == 2


def test_a_lost_acknowledgement_doubles_nothing(page: Page, world: World) -> None:
    visit(page)
    post("/__switch", save="ack")
    page.keyboard.press("1")
    expect(page.locator("#cockpit")).to_have_attribute("data-save-state", "waiting")
    post("/__switch", save=None)
    saved(page)
    assert len(written()) == 1


@pytest.mark.parametrize("choice", ["mine", "theirs"])
def test_two_tabs_both_versions_are_kept_and_the_reader_chooses(page: Page, world: World, choice: str) -> None:
    visit(page)
    page.keyboard.press("1")
    saved(page)
    post("/__elsewhere", form="mr", answers={"pfirrmann.case": 5})
    page.keyboard.press("2")
    dialog = page.locator("dialog.conflict")
    expect(dialog).to_contain_text("Two versions")
    dialog.get_by_role("button", name="this page" if choice == "mine" else "the other version").click()
    saved(page)
    expected = 2 if choice == "mine" else 5
    assert cell(page, "pfirrmann.case") == str(expected)
    history = [r["answers"].get("pfirrmann.case") for r in world.cases["mr"][0].revisions]
    assert history[-1] == expected
    assert set(history) >= {2, 5}


@contextmanager
def slow_saving(page: Page) -> Iterator[None]:
    """Nothing that is saved meanwhile reaches the server before the end."""
    held: list[Route] = []
    slow = True
    page.route("**/api/room/readings/*", lambda route: held.append(route) if slow else route.continue_())
    yield
    slow = False
    for route in held:
        route.continue_()


def test_a_conflict_that_arrives_behind_a_dialog_is_asked_when_it_closes(page: Page, world: World) -> None:
    visit(page)
    page.keyboard.press("1")
    saved(page)
    post("/__elsewhere", form="mr", answers={"pfirrmann.case": 5})
    with slow_saving(page):
        page.keyboard.press("2")
        page.keyboard.press("F1")
        expect(page.locator("dialog.keys")).to_be_visible()
    expect(page.locator("#cockpit")).to_have_attribute("data-save-state", "stale")
    expect(page.locator("dialog.conflict")).to_have_count(0)
    page.keyboard.press("Escape")
    page.locator("dialog.conflict").get_by_role("button", name="this page").click()
    saved(page)
    assert world.cases["mr"][0].newest["answers"]["pfirrmann.case"] == 2


def test_a_number_being_typed_goes_on_when_the_sheet_is_drawn_anew(page: Page) -> None:
    visit(page)
    page.locator('[data-item="slip_mm"] .head').click()
    page.keyboard.type("9")
    page.keyboard.press("Enter")
    saved(page)
    with slow_saving(page):
        page.keyboard.press("0")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowUp")
        page.keyboard.type("12")
        page.keyboard.press("ArrowLeft")
    expect(page.locator('[data-item="meyerding"]')).to_have_class(re.compile("warned"))
    page.keyboard.type("7")
    expect(page.locator("input.typed-number")).to_have_value("172")


def test_signed_out_in_the_middle_goes_on_after_the_sign_in(page: Page, world: World) -> None:
    visit(page)
    post("/__switch", save=401, page=True)
    page.keyboard.press("1")
    expect(page.locator(".save-state")).to_contain_text("You are signed out")
    expect(page.locator(".save-state a")).to_have_attribute("target", "_blank")
    page.keyboard.press("3")
    post("/__switch", save=None, page=None)
    saved(page)
    assert world.cases["mr"][0].newest["answers"] == {"segment_degeneration.case": 1, "pfirrmann.case": 3}


def test_comment_set_aside_and_taken_away(page: Page, world: World) -> None:
    visit(page)
    page.keyboard.press("c")
    page.keyboard.type("thick slices 4 u s")
    page.keyboard.press("Control+Enter")
    saved(page)
    assert world.cases["mr"][0].newest["answers"] == {"comment": "thick slices 4 u s"}
    page.get_by_role("button", name="Set aside").click()
    page.keyboard.type("waits for a colleague")
    page.locator("dialog.aside button.primary").click()
    expect(page.locator("h1.case")).to_have_text("Case 002 of 2")
    ready(page)
    world.cases["mr"][0].locked = True
    page.keyboard.press("1")
    expect(page.locator("dialog.notice")).to_contain_text("closed")
    page.keyboard.press("Enter")
    expect(page.locator("h1.case")).to_have_text("Case 001 of 2")


def test_a_case_closed_elsewhere_keeps_the_last_answers_until_it_is_handed_out_again(page: Page, world: World) -> None:
    visit(page)
    case = world.cases["mr"][0]
    case.locked = True
    page.keyboard.press("1")
    expect(page.locator("dialog.notice")).to_contain_text("Your last answers are kept in this browser.")
    page.keyboard.press("Enter")
    expect(page.locator("h1.case")).to_have_text("Case 002 of 2")
    ready(page)
    assert case.newest["answers"] == {}
    case.locked = False
    visit(page)
    saved(page)
    assert case.newest["answers"] == {"segment_degeneration.case": 1}


def test_a_study_that_takes_nothing_now_says_why_and_keeps_the_answers(page: Page, world: World) -> None:
    visit(page)
    post("/__switch", save=409)
    page.keyboard.press("1")
    expect(page.locator(".save-state")).to_contain_text("A fault was asked for.")
    page.locator(".submit").click()
    expect(page.locator(".obstacle")).to_contain_text("A fault was asked for.")
    page.keyboard.press("Escape")
    post("/__switch", save=None)
    page.get_by_role("button", name="Try now").click()
    saved(page)
    assert world.cases["mr"][0].newest["answers"] == {"segment_degeneration.case": 1}


def test_no_axe_violation(page: Page, world: World) -> None:
    from axe_playwright_python.sync_playwright import Axe

    visit(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("?")
    expect(page.locator(".criteria")).to_have_class(re.compile("more-below"))  # what scrolls is reached by keys
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    options = {"runOnly": {"type": "tag", "values": tags}}
    found = Axe().run(page, options=options).response["violations"]
    assert [(v["id"], [n["html"][:160] for n in v["nodes"]]) for v in found] == []
