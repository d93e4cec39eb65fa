"""The pictures of the reading room in a real browser: places, computed planes, magnifier, second window, every size."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect

from viewer.test.room_server import World
from viewer.test.test_room import (  # noqa: F401 (fixtures are used by their names)
    at_pixel,
    browser,
    cell,
    page,
    post,
    saved,
    view,
    visit,
    wait_until,
    world,
)

SIZES = ((1280, 800), (1920, 1080), (2560, 1440), (1200, 1920))


def slices(page: Page) -> list[str | None]:
    return [one.get_attribute("data-slice") for one in page.locator(".view").all()]


def sagittal_at(world: World, left_of_midline: float, role: str = "SAG_T2") -> int:
    """Count of the sagittal slice nearest to a distance from the middle of the index segment, by the phantom itself."""
    phantom = world.cases["mr"][0].phantom
    bones = [phantom.anatomy.vertebrae[name] for name in phantom.truth.index_segment.split("/")]
    middle = np.mean(
        [[bone.x, *((bone.upper_p + bone.upper_a + bone.lower_p + bone.lower_a) / 4)] for bone in bones], axis=0
    )
    goal = middle + [left_of_midline, 0, 0]
    planes = next(s for s in phantom.series if s.role == role).planes
    away = [abs(float(np.dot(goal - p.position_lps_mm, np.cross(p.row_lps, p.column_lps)))) for p in planes]
    return int(np.argmin(away)) + 1


def test_places_by_two_keys_and_blocks_with_their_discs(page: Page, world: World) -> None:
    post("/__switch", labels=True)
    visit(page)
    axial = view(page, "AX_T2")
    expect(axial.locator(".block")).to_have_text("block 3 of 3 · L5/S1")
    for key, left in (("2", -20), ("3", 20), ("1", 0)):
        page.keyboard.press("t")
        expect(page.locator(".jump-menu")).to_contain_text("Right pars and foramen")
        page.keyboard.press(key)
        expect(page.locator(".jump-menu")).to_be_hidden()
        for role in ("SAG_T2", "SAG_STIR"):
            expect(view(page, role)).to_have_attribute("data-slice", str(sagittal_at(world, left, role)))
    expect(view(page, "SAG_T2").locator(".hint")).to_be_empty()
    assert cell(page, "segment_degeneration.case") == "", "a place is no grade"
    start = axial.get_attribute("data-slice")
    page.keyboard.press("b")
    page.keyboard.press("Shift+B")
    page.keyboard.press("b")
    expect(axial).to_have_attribute("data-slice", start)
    page.keyboard.press("Shift+B")
    expect(axial.locator(".block")).to_have_text("block 2 of 3 · L4/5")
    expect(axial).to_have_attribute("data-slice", "6")
    page.keyboard.press("t")
    page.keyboard.press("4")
    expect(axial.locator(".block")).to_have_text("block 3 of 3 · L5/S1")
    # Any other key leaves the list, and digits grade again.
    page.keyboard.press("t")
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    assert cell(page, "segment_degeneration.case") == "1"


def test_without_labels_a_place_says_what_it_rests_on(page: Page, world: World) -> None:
    visit(page)
    expect(view(page, "AX_T2").locator(".block")).to_have_text(re.compile(r"^block \d of 3$"))
    page.keyboard.press("t")
    page.keyboard.press("2")
    hint = view(page, "SAG_T2").locator(".hint")
    expect(hint).to_have_text("Right pars and foramen: counted from the middle of the series")
    page.keyboard.press("PageDown")
    expect(hint).to_be_empty()
    page.keyboard.press("t")
    page.keyboard.press("4")
    expect(view(page, "AX_T2").locator(".hint")).to_have_text("Index disc: no vertebra is labelled")


def test_computed_planes_show_stored_values_and_follow_the_crosshair(page: Page, world: World) -> None:
    visit(page, "ct")
    page.locator("select.layouts").select_option("mpr")
    sagittal, coronal = page.locator('[data-stack="k2:sagittal"]'), page.locator('[data-stack="k2:coronal"]')
    for one in (sagittal, coronal):
        expect(one).to_have_attribute("data-state", "ready")
    expect(sagittal.locator(".kind")).to_have_text("sagittal reformat")
    # Prone or not: a computed plane stands upright, front at the left, patient's right at the viewer's left.
    for one, letters in ((sagittal, "APHF"), (coronal, "RLHF")):
        places = ("left", "right", "top", "bottom")
        assert "".join(one.locator(f".at-{place}").text_content() or "" for place in places) == letters
    # The crosshair goes to a stored pixel; the computed slices there show exactly its value.
    series = next(s for s in world.cases["ct"][0].phantom.series if s.role == "CT_POST")
    row, column, count = 90, 140, int(view(page, "CT_POST").get_attribute("data-slice") or 0)
    page.keyboard.press("Shift+T")
    page.mouse.click(*at_pixel(page, "CT_POST", column, row))
    plane = series.planes[count - 1]
    across = 256 - column if plane.row_lps[0] < 0 else column + 1
    expect(sagittal).to_have_attribute("data-slice", str(across))
    expect(sagittal.locator(".reference")).to_have_count(2)
    stored = int(series.pixels[count - 1][row][column])
    hounsfield = stored if series.pixels.dtype.kind == "i" else stored - 1024
    x0, y0, cx, cy, rx, ry = map(float, (sagittal.get_attribute("data-pixel-map") or "").split(","))
    box = sagittal.bounding_box()
    assert box
    down = (
        len(series.planes) - count
        if series.planes[0].position_lps_mm[2] < series.planes[-1].position_lps_mm[2]
        else count - 1
    )
    back = 255 - row if plane.column_lps[1] < 0 else row
    page.keyboard.press("Shift+T")
    page.mouse.move(box["x"] + x0 + back * cx + down * rx, box["y"] + y0 + back * cy + down * ry)
    expect(sagittal.locator(".value-here")).to_have_text(f"{hounsfield} HU")
    # The mouse rests while the slice under it changes: the value is the new slice's.
    page.mouse.wheel(0, 100)
    expect(sagittal).to_have_attribute("data-slice", str(across + 1))
    beside = column - 1 if plane.row_lps[0] < 0 else column + 1
    here = hounsfield + int(series.pixels[count - 1][row][beside]) - stored
    expect(sagittal.locator(".value-here")).to_have_text(f"{here} HU")
    # A computed slice is no stored image: it is kept as no evidence.
    sagittal.click(position={"x": 60, "y": 60})
    page.keyboard.press("=")
    page.keyboard.press("2")
    saved(page)
    assert world.cases["ct"][0].newest["evidence"] == {}


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [("tilt", "The slices are tilted"), ("gap", "A slice is missing"), ("thick", "Slices are 3.0 mm apart")],
)
def test_series_that_are_not_regular_and_thin_are_not_computed(
    page: Page,
    world: World,
    fault: str,
    sentence: str,
) -> None:
    post("/__switch", slices=fault)
    visit(page, "ct")
    option = page.locator('select.layouts option[value="mpr"]')
    expect(option).to_be_disabled()
    expect(option).to_contain_text(sentence)
    for _ in range(5):
        page.keyboard.press("v")
    assert page.locator(".images").get_attribute("data-layout") not in ("mpr", "sagittal")


def tap(page: Page, letter: str) -> None:
    """Press a key for no time at all: between two commands to a busy browser it could count as held."""
    page.evaluate(
        """letter => ['keydown', 'keyup'].forEach((kind) => document.body.dispatchEvent(
            new KeyboardEvent(kind, { key: letter, code: `Key${letter.toUpperCase()}`, bubbles: true })))""",
        letter,
    )


def test_the_magnifier_draws_from_stored_values(page: Page, world: World) -> None:
    visit(page, "ct")
    page.keyboard.press("Shift+Digit3")
    x, y = at_pixel(page, "CT_PRE", 120, 130)
    page.mouse.move(x, y)
    tap(page, "g")
    lens = page.locator("canvas.lens")
    expect(lens).to_have_count(1)
    grey = lens.evaluate("c => c.getContext('2d').getImageData(c.width / 2, c.height / 2, 1, 1).data[0]")
    series = next(s for s in world.cases["ct"][0].phantom.series if s.role == "CT_PRE")
    around = series.pixels[int(view(page, "CT_PRE").get_attribute("data-slice")) - 1][129:132, 119:122].astype(float)
    offset = 0 if series.pixels.dtype.kind == "i" else -1024
    shades = np.clip((around + offset + 160) / 400, 0, 1) * 255
    assert shades.min() - 2 <= grey <= shades.max() + 2
    tap(page, "g")
    expect(lens).to_have_count(0)
    page.keyboard.down("g")
    page.wait_for_timeout(400)
    page.keyboard.up("g")
    expect(lens).to_have_count(0)


def test_images_in_a_second_window_and_back(page: Page, world: World) -> None:
    visit(page, "ct")
    complaints: list[str] = []
    with page.expect_popup() as popped:
        page.keyboard.press("o")
    other = popped.value
    other.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
    other.on("pageerror", lambda e: complaints.append(str(e)))
    expect(other.locator('.view[data-state="ready"]')).to_have_count(2)
    expect(page.locator(".images")).to_have_count(0)
    expect(page.locator(".elsewhere")).to_contain_text("Case 001 of 2")
    dark = other.evaluate("[document.documentElement, document.body].map(e => getComputedStyle(e).backgroundColor)")
    assert set(dark) == {"rgb(11, 12, 14)"}
    first = int(slices(other)[0] or 0)
    other.keyboard.press("PageDown")
    wait_until(lambda: slices(other) == [str(first + 1)] * 2, "keys scroll in the second window")
    other.keyboard.press("2")
    saved(page)
    assert cell(page, "contrast_pattern.right") == "2"
    page.keyboard.press("PageUp")
    wait_until(lambda: slices(other) == [str(first)] * 2, "keys of the first window scroll the images in the second")
    # Drags end on the right document, pictures keep their proportions when the window changes.
    box = view(other, "CT_PRE").bounding_box()
    other.mouse.move(box["x"] + 200, box["y"] + 200)
    other.mouse.down()
    other.mouse.move(box["x"] + 260, box["y"] + 200, steps=4)
    other.mouse.up()
    expect(view(other, "CT_PRE").locator(".window")).not_to_have_text("W 2000 L 500")
    other.set_viewport_size({"width": 700, "height": 1100})

    def proportion() -> float:
        step = list(map(float, (view(other, "CT_PRE").get_attribute("data-pixel-map") or "0,0,1,0,0,9").split(",")))
        size = (
            view(other, "CT_PRE")
            .locator("canvas.picture")
            .evaluate("c => (c.width / c.height) / (c.clientWidth / c.clientHeight)")
        )
        return float(size) * step[2] / step[5]

    wait_until(lambda: abs(abs(proportion()) - 1) < 0.02, "a circle stays round")
    wait_until(lambda: view(other, "CT_PRE").bounding_box()["width"] > 600, "upright: one below the other")
    other.close()
    expect(page.locator('.images .view[data-state="ready"]')).to_have_count(2)
    expect(page.locator(".elsewhere")).to_have_count(0)
    page.keyboard.press("PageDown")
    wait_until(lambda: slices(page) == [str(first + 1)] * 2, "the images go on in the first window")
    assert complaints == []


def overflow(page: Page) -> list[str]:
    """What is cut off or lies over something else in bar and pictures."""
    return list(
        page.evaluate(
            """() => {
              const found = [];
              const box = e => e.getBoundingClientRect();
              const bar = document.querySelector('.cockpit > .bar');
              for (const part of bar.querySelectorAll('button, select, h1')) {
                const b = box(part);
                if (b.width && b.right > box(bar).right + 0.5) found.push('bar: ' + part.textContent.slice(0, 20));
                if (part.matches('h1') && part.scrollWidth > part.clientWidth + 1) found.push('title');
              }
              for (const view of document.querySelectorAll('.view')) {
                const v = box(view);
                const seen = [...view.querySelectorAll('.corner > *, .letter')].filter(e => e.textContent && box(e).width);
                for (const part of seen) {
                  const b = box(part);
                  if (b.left < v.left - 1 || b.right > v.right + 1 || b.top < v.top - 1 || b.bottom > v.bottom + 1)
                    found.push('view: ' + part.className);
                }
                const corners = [...view.querySelectorAll('.corner')].map(box).filter(b => b.height > 9);
                corners.forEach((a, i) => corners.slice(i + 1).forEach(b => {
                  if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)
                    found.push('corners over one another');
                }));
                for (const needed of ['.slice', '.position', '.window', '.bar-text', '.at-left', '.series'])
                  if (!view.querySelector(needed)?.textContent) found.push('missing ' + needed);
              }
              return found;
            }"""
        )
    )


@pytest.mark.parametrize("form", ["mr", "ct"])
def test_nothing_is_cut_off_at_any_size(page: Page, world: World, form: str) -> None:
    post("/__switch", labels=True)
    found: dict[str, list[str]] = {}
    visit(page, form)
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        for layout in ("mpr", "sagittal") if form == "ct" else ("2x2",):
            if form == "ct":
                page.locator("select.layouts").select_option(layout)
            wait_until(
                lambda: all(one.get_attribute("data-state") == "ready" for one in page.locator(".view").all()),
                "all views show something",
            )
            page.wait_for_timeout(150)
            if wrong := overflow(page):
                found[f"{width}x{height} {layout}"] = wrong
    assert found == {}


def test_memory_of_computed_planes_goes_with_the_case(page: Page, world: World) -> None:
    """The next case computes its own: nothing of the last one is shown again under the same name."""
    visit(page, "ct")
    page.locator("select.layouts").select_option("sagittal")
    sagittal = page.locator('[data-stack="k2:sagittal"]')
    expect(sagittal).to_have_attribute("data-state", "ready")

    def picture() -> Any:
        return sagittal.locator("canvas.picture").evaluate(
            "c => [...c.getContext('2d').getImageData(0, c.height / 2, c.width, 1).data].filter((_, i) => i % 4 === 0)"
        )

    before = picture()
    for key in ("1", "1", "1"):
        page.keyboard.press(key)
    saved(page)
    page.locator(".submit").click()
    page.keyboard.press("Enter")
    expect(page.locator("h1.case")).to_have_text("Case 002 of 2")
    expect(page.locator(".images")).to_have_attribute("data-complete", "true")
    page.locator("select.layouts").select_option("sagittal")
    expect(sagittal).to_have_attribute("data-state", "ready")
    wait_until(lambda: picture() != before, "the next case has its own computed slices")


@pytest.mark.parametrize("ahead", ["wrong", None])
def test_the_next_case_hangs_when_the_last_one_is_closed_and_not_before(
    page: Page, world: World, ahead: str | None
) -> None:
    """Also where another case than the one that comes was fetched ahead: nobody ever sees that one."""
    post("/__switch", upcoming=ahead)
    visit(page, "ct")
    asked = "performance.getEntriesByType('resource').some(e => e.name.endsWith('/upcoming'))"
    wait_until(lambda: page.evaluate(asked), "asked")
    first, second = ({f["uid"] for stack in case.stacks for f in stack["frames"]} for case in world.cases["ct"])
    held: list[Route] = []
    page.route("**/lock", lambda route: held.append(route))
    for key in ("1", "1", "1"):
        page.keyboard.press(key)
    saved(page)
    page.locator(".submit").click()
    with page.expect_request("**/lock"):
        page.keyboard.press("Enter")
    hung = page.locator('.view[data-state="ready"]')
    expect(hung).to_have_count(2)
    assert {one.get_attribute("data-frame") for one in hung.all()} < first
    before = [one.locator("canvas.picture").evaluate("c => c.toDataURL()") for one in hung.all()]
    wait_until(lambda: page.wait_for_timeout(20) or len(held) == 1, "the server is asked to close it")
    held[0].continue_()
    expect(page.locator("h1.case")).to_have_text("Case 002 of 2")
    expect(page.locator("#cockpit")).to_have_attribute("data-curtain", "open")
    expect(page.locator(".images")).to_have_attribute("data-complete", "true")
    assert {one.get_attribute("data-frame") for one in hung.all()} < second
    shown = [one.locator("canvas.picture").evaluate("c => c.toDataURL()") for one in hung.all()]
    assert len(before) == len(shown) == 2
    assert not set(shown) & set(before), "another picture"
