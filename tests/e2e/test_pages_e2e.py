"""Every page of every role: nothing against WCAG 2.2 AA, nothing in the console, nothing from elsewhere, no white."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.e2e.browser import SignIn, Visitor, violations
from tests.e2e.room import Room

DESK = (
    "",
    "setup/",
    "import/",
    "series/",
    "look/",
    "release/",
    "readers/",
    "progress/",
    "closing/",
    "unblinding/",
    "facts/",
    "trail/",
)
# Of a page that has not loaded its script yet, nothing may be brighter than the darkest panel's text needs.
DARK = 60


def audited(page: Page, name: str) -> list[str]:
    return [f"{name}: {fault}" for fault in violations(page)]


def test_sign_in_and_errors(anybody: SignIn) -> None:
    visitor = anybody("reader1")
    visitor.watch.allow("status 404: /no/such/page", "status 404: /desk/SPINE/", "console: Failed to load .* 404")
    page = visitor.go("/")
    expect(page).to_have_url(re.compile(r"/accounts/login/\?next=/$"))
    found = audited(page, "sign-in")
    page.fill("#id_username", "reader1")
    page.fill("#id_password", "wrong")
    page.keyboard.press("Enter")
    expect(page.locator(".errorlist")).to_be_visible()
    found += audited(page, "sign-in, refused")
    visitor.sign_in()
    for path in ("/no/such/page", "/desk/SPINE/"):
        found += audited(visitor.go(path), path)
    found += audited(visitor.go("/accounts/password/"), "password")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("study", ["EMPTY", "SPINE", "DONE"])
def test_every_page_of_the_desk(sign_in: SignIn, study: str) -> None:
    """A study with nothing in it, one that is being read, one that is over."""
    coordinator = sign_in("coordinator")
    found: list[str] = []
    for step in DESK:
        found += audited(coordinator.go(f"/desk/{study}/{step}"), f"desk {study} {step}")
    if study == "EMPTY":
        found += audited(coordinator.go("/"), "home of the coordinator")
        found += audited(coordinator.go("/desk/"), "new study")
        coordinator.page.fill("#id_code", "EMPTY")
        coordinator.page.fill("#id_title", "Taken already")
        coordinator.watch.allow("status 422: /desk/", "console: Failed to load .* 422")
        coordinator.page.keyboard.press("Enter")
        expect(coordinator.page.locator(".errorlist")).to_be_visible()
        found += audited(coordinator.page, "new study, refused")
    assert not found, "\n".join(found)


def test_hall_and_home_of_a_reader(sign_in: SignIn) -> None:
    reader = sign_in("reader12")
    found = audited(reader.go("/room/SPINE/"), "hall")
    both = sign_in("reader1")
    found += audited(both.go("/"), "home of a reader in two studies")
    found += audited(both.go("/room/DONE/"), "hall of a closed study")
    assert not found, "\n".join(found)


def test_the_reading_page_in_its_states(sign_in: SignIn) -> None:
    reader = sign_in("reader12")
    room = Room(reader, "SPINE", "mr").open()
    page = room.page
    found = audited(page, "sheet")
    room.press("?")
    expect(page.locator(".criteria")).to_be_visible()
    found += audited(page, "criteria")
    room.press("?", "u")
    found += audited(page, "reasons")
    room.press("4")
    expect(page.locator("input.note-text")).to_be_visible()
    found += audited(page, "note")
    room.press("Escape", "1")
    while room.open_cell() != "slip_mm.case":
        room.press("ArrowDown")
    found += audited(page, "number")
    room.press("F1")
    expect(page.locator("dialog.keys")).to_be_visible()
    found += audited(page, "keys")
    room.press("Escape")
    page.locator(".submit").click()
    expect(page.locator("dialog.summary")).to_be_visible()
    found += audited(page, "summary")
    room.press("Escape")
    page.get_by_role("button", name="Set aside").click()
    expect(page.locator("dialog.aside")).to_be_visible()
    found += audited(page, "set aside")
    room.press("Escape")
    assert not found, "\n".join(found)


def test_the_ct_form_and_the_end_of_a_form(sign_in: SignIn) -> None:
    reader = sign_in("reader13")
    room = Room(reader, "SPINE", "ct").open()
    found = audited(room.page, "CT form")
    answers = {"contrast_pattern.right": 1, "contrast_pattern.left": 1, "quality_ct.case": 1}
    while (step := reader.api("/api/room/SPINE/ct/next")[1])["reading"]:
        reading = step["reading"]
        body = {"base": reading["revision"], "answers": answers, "evidence": {}, "kept": []}
        saved = reader.api(reading["save_url"], "PUT", body)[1]
        assert reader.api(reading["lock_url"], "POST", {"base": saved["revision"]})[0] == 200
    reader.go("/room/SPINE/ct/")
    expect(room.page.get_by_role("heading", level=1)).to_have_text("All 3 readings are submitted.")
    found += audited(room.page, "end of the form")
    room.press("Enter")
    expect(room.page).to_have_url(re.compile("/room/SPINE/$"))
    expect(room.page.get_by_text("all submitted")).to_be_visible()
    assert not found, "\n".join(found)


def finished_run(analyst: Visitor) -> Page:
    page = analyst.go("/report/DONE/")
    expect(page.locator("tbody tr")).to_have_count(1)
    for _ in range(60):
        if page.get_by_text("done", exact=True).count():
            break
        page.wait_for_timeout(1000)
        page.reload()
    page.locator("tbody a").click()
    expect(page.get_by_role("link", name="estimates.csv", exact=True)).to_be_visible()
    return page


def test_the_report(sign_in: SignIn) -> None:
    analyst = sign_in("analyst")
    found = audited(analyst.go("/"), "home of the analyst")
    found += audited(analyst.go("/report/SPINE/"), "report of a study being read")
    found += audited(analyst.go("/report/"), "tables handed in")
    page = finished_run(analyst)
    found += audited(page, "results")
    assert page.locator("main table").count() >= 5
    figures = page.locator("main figure img")
    assert figures.count() >= 3
    figures.last.scroll_into_view_if_needed()
    expect(figures.last).to_be_visible()
    # What is not in sight is fetched only when it comes near; here all are asked for.
    figures.evaluate_all("all => all.forEach(one => { one.loading = 'eager'; })")
    sizes = figures.evaluate_all("all => Promise.all(all.map(one => one.decode().then(() => one.naturalWidth)))")
    assert min(sizes) > 100, "every figure is drawn"
    expect(page.locator(".badge", has_text="synthetic data")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("response")
    expect(page.locator("#found")).to_contain_text("shown. Escape clears it.")
    page.keyboard.press("Escape")
    number = page.locator("main a.number").first
    address = number.evaluate("e => e.href")
    number.focus()
    page.keyboard.press("Enter")
    expect(page.locator("dialog#origin")).to_be_visible()
    found += audited(page, "origin of a number, over the results")
    page.keyboard.press("Escape")
    expect(page.locator("dialog#origin")).to_be_hidden()
    one = page.url.rstrip("/").rsplit("/", 1)[1]
    for path in (
        address,
        f"/report/DONE/compare?first={one}&second={one}",
        "/report/DONE/panels/",
        "/report/DONE/disagreements/",
    ):
        found += audited(analyst.go(path.removeprefix(analyst.url)), path)
    assert not found, "\n".join(found)


def test_the_room_is_dark_before_its_script_is_there(sign_in: SignIn) -> None:
    reader = sign_in("reader12")
    reader.watch.allow("net::ERR_FAILED")
    reader.page.route("**/static/viewer/**", lambda route: route.abort())
    page = reader.go("/room/SPINE/mr/")
    expect(page.get_by_text("Opening the reading room")).to_be_visible()
    picture = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("L"), dtype=float)
    assert picture.mean() < 25
    assert (picture > DARK).mean() < 0.01, "only the letters of one sentence are bright"


def test_no_frame_of_the_opening_room_is_bright(sign_in: SignIn) -> None:
    """Take what the screen shows while the page and the first case come up; no frame of it may flash."""
    reader = sign_in("reader12")
    reader.go("/room/SPINE/")
    session = reader.context.new_cdp_session(reader.page)
    brightness: list[float] = []

    def look(frame: dict[str, object]) -> None:
        import base64

        picture = Image.open(io.BytesIO(base64.b64decode(str(frame["data"])))).convert("L")
        corner = np.asarray(picture, dtype=float)
        brightness.append(float((corner > 200).mean()))
        session.send("Page.screencastFrameAck", {"sessionId": frame["sessionId"]})

    session.on("Page.screencastFrame", look)
    session.send("Page.startScreencast", {"format": "png", "everyNthFrame": 1})
    Room(reader, "SPINE", "mr").open()
    session.send("Page.stopScreencast")
    assert brightness, "the screen was seen"
    assert max(brightness) < 0.25, "no white frame"


KEPT_DRAFTS = """
() => new Promise((resolve, reject) => {
  const request = indexedDB.open('spondy-room');
  request.onerror = () => reject(request.error);
  request.onsuccess = () => {
    const all = request.result.transaction('drafts').objectStore('drafts').getAllKeys();
    all.onsuccess = () => resolve(all.result);
  };
})
"""


def test_signing_out_leaves_nothing_behind_in_the_browser(sign_in: SignIn) -> None:
    reader = sign_in("reader14")
    room = Room(reader, "SPINE", "ct").open()
    reader.watch.allow("net::ERR_INTERNET_DISCONNECTED")
    reader.context.set_offline(True)
    room.press("1")
    room.expect_saved("waiting")
    reader.context.set_offline(False)
    room.expect_saved()
    identity = room.reading_id
    page = reader.go("/room/SPINE/")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/accounts/login/"))
    assert page.evaluate(KEPT_DRAFTS) == [], "what the server has is kept nowhere else"
    kept = page.evaluate("[...Object.entries(localStorage), ...Object.entries(sessionStorage)].join(' ')")
    assert identity not in kept
    assert "contrast_pattern" not in kept
