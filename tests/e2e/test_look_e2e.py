"""The light box by keyboard: a held series is masked, released with a reason, its case released; without script too."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests import cast
from tests.e2e.browser import SignIn, violations
from tests.e2e.house import House
from tests.e2e.test_desk_e2e import press_at, tab_to

CODE = "LIGHTBOX"
SIZE = 64


@pytest.fixture(scope="module")
def cases(house: House, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Two patients as a hospital exports them; the first one's sagittal T2 has text at its upper edge."""
    home = tmp_path_factory.mktemp("lightbox")
    for patient in (81, 82):
        cast.export(home / "dicom", patients=[patient], series=cast.SPINE_SERIES)
    rng = np.random.default_rng(81)
    for number in range(1, cast.SLICES + 1):
        pixels = cast.picture(rng, SIZE)
        pixels[:8, ::2] = pixels.max() + 1
        written = cast.image(cast.SPINE_SERIES[0], patient=81, series=1, number=number, pixels=pixels)
        written.save_as(home / "dicom" / f"{cast.FILE_NAME}81" / "S1" / f"{cast.FAMILY}_{number}.dcm")
    table = cast.table(home / "table.csv", [cast.clinical_row(81), cast.clinical_row(82)])
    more = ("--create", "--title", "Light box", "--coordinator", "coordinator")
    house.manage("import_cohort", "--study", CODE, *more, "--clinical", table, "--dicom", home / "dicom")


def chosen(page: Page) -> str:
    return page.locator(".strip.current .name").inner_text()


def open_held(page: Page) -> None:
    tab_to(page, page.get_by_label("State"))
    page.keyboard.type("Held")
    press_at(page, page.get_by_role("button", name="Show"))
    press_at(page, page.locator("tbody th a").first)
    expect(page.locator(".strip.current")).to_contain_text("held")


def mask_the_text(page: Page) -> None:
    page.keyboard.press("m")
    for text in ("1", "8", "1", str(SIZE)):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    # a worker does it, when it is through with what other tests have asked of it
    expect(page.locator(".strip.current")).to_contain_text("1 mask", timeout=60_000)
    expect(page.locator(".strip.current .badge").first).to_have_text("held")


def picture(page: Page, folder: Path) -> np.ndarray:
    """Give the greys of the large picture as they stand on the screen."""
    path = folder / "picture.png"
    shown = page.locator(".picture img")
    shown.evaluate("async (image) => { await image.decode(); await new Promise(requestAnimationFrame); }")
    shown.screenshot(path=path)
    return np.asarray(Image.open(path).convert("L"), dtype=float)


def test_a_held_series_is_masked_and_its_case_released_by_keyboard(
    cases: None, sign_in: SignIn, tmp_path: Path, house: House
) -> None:
    coordinator = sign_in("coordinator")
    page = coordinator.go(f"/desk/{CODE}/series/")
    open_held(page)
    assert not violations(page)
    expect(page.locator(".pick").first).to_be_focused()
    top = picture(page, tmp_path)
    assert top[: len(top) // 10].max() > 200, "the text is seen"
    mask_the_text(page)
    expect(page.locator(".picture img")).to_have_attribute("src", re.compile("v=3-1"))
    assert picture(page, tmp_path)[: len(top) // 10].max() < 60, "and then it is not"

    page.keyboard.press("Escape")
    page.keyboard.press("h")
    page.keyboard.type("Masked.")
    page.keyboard.press("Enter")
    expect(page.locator(".strip.current .badge").first).to_have_text("looked at")
    expect(page.locator(".strip.current .pick")).to_be_focused()

    page.keyboard.press("ArrowDown")
    assert chosen(page) == "Sagittal T1"
    page.keyboard.press("6")
    expect(page.locator(".strip.current .name")).to_have_text("Coronal")
    expect(page.locator(".look-state")).to_contain_text("missing: Sagittal T1")
    page.keyboard.press("2")
    expect(page.locator(".strip.current .name")).to_have_text("Sagittal T1")
    for key, place in (("ArrowRight", "3"), ("ArrowRight", "3"), ("Home", "1"), ("ArrowRight", "2")):
        page.keyboard.press(key)
        expect(page.locator(".picture")).to_have_attribute("data-place", place)
    page.keyboard.press("a")
    expect(page.locator(".picture")).to_have_class("picture all")
    page.keyboard.press("Escape")

    first = page.get_by_role("heading", level=1).inner_text()
    page.keyboard.press("Shift+Enter")
    expect(page.get_by_role("heading", level=1)).not_to_have_text(first)
    expect(page.locator(".look-state")).to_contain_text("a look at its images")
    page.keyboard.press("Shift+Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Release")
    expect(page.locator("tbody .badge.ok")).to_have_count(2)
    assert not violations(page)

    events = [
        verb for (verb,) in house.rows("SELECT verb FROM annotation_event WHERE verb LIKE '%series%' ORDER BY id")
    ]
    assert {"mask series", "release series", "set series role"} <= set(events)
    assert "everything fits" in house.manage("verify", "--study", CODE)


def test_a_rectangle_is_drawn_with_the_mouse(cases: None, sign_in: SignIn) -> None:
    page = sign_in("coordinator").go(f"/desk/{CODE}/look/")
    image = page.locator(".picture img")
    expect(image).to_be_visible()
    page.wait_for_load_state("networkidle")
    size = int(page.locator(".strip.current").get_attribute("data-columns") or 0)
    box = image.bounding_box()
    assert box
    dot = box["width"] / size
    page.mouse.move(box["x"] + 2.5 * dot, box["y"] + 4.5 * dot)
    page.mouse.down()
    page.mouse.move(box["x"] + 9.5 * dot, box["y"] + 6.5 * dot, steps=4)
    page.mouse.up()
    typed = {n: page.locator(f"input[name={n}]").input_value() for n in ("row0", "row1", "column0", "column1")}
    assert typed == {"row0": "5", "row1": "7", "column0": "3", "column1": "10"}
    drawn = page.locator(".mask-box").bounding_box()
    assert drawn
    assert abs(drawn["width"] - 8 * dot) < 3
    page.keyboard.press("Escape")
    expect(page.locator(".mask-box")).to_be_hidden()


def test_the_light_box_works_without_script(cases: None, house: House, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(f"{house.url}/accounts/login/?next=/desk/{CODE}/look/")
    page.fill("#id_username", "coordinator")
    page.fill("#id_password", "demo")
    page.click("main button")
    page.locator(".pick").nth(1).click()
    expect(page.locator(".strip.current .name")).to_have_text("Sagittal T1")
    page.get_by_role("button", name="Coronal").click()
    expect(page.locator(".strip.current .name")).to_have_text("Coronal")
    page.get_by_role("button", name="Sagittal T1").click()
    expect(page.locator(".strip.current .name")).to_have_text("Sagittal T1")
    page.get_by_role("link", name="All slices").click()
    expect(page.locator(".picture.all img")).to_be_visible()
    context.close()
