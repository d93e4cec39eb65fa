"""When something fails: a slice, the network, the session, or the other tab."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
from playwright.sync_api import Page, Request, Route, expect

from tests.e2e.browser import SignIn, Visitor
from tests.e2e.room import Room

COMPLETE = {"contrast_pattern.right": 1, "contrast_pattern.left": 2, "quality_ct.case": 2}


def answer_all(visitor: Visitor, study: str, form: str, answers: dict[str, Any]) -> None:
    status, step = visitor.api(f"/api/room/{study}/{form}/next")
    assert status == 200
    reading = step["reading"]
    body = {"base": reading["revision"], "answers": answers, "evidence": {}, "kept": []}
    assert visitor.api(reading["save_url"], "PUT", body)[0] == 200


def puts(page: Page) -> list[dict[str, Any]]:
    """Note what is sent to be saved, in order."""
    sent: list[dict[str, Any]] = []

    def hear(request: Request) -> None:
        if request.method == "PUT":
            sent.append(json.loads(request.post_data or "{}"))

    page.on("request", hear)
    return sent


def test_a_slice_that_fails_covers_its_view_and_blocks_submit(sign_in: SignIn) -> None:
    reader = sign_in("reader4")
    answer_all(reader, "SPINE", "ct", COMPLETE)
    room = Room(reader, "SPINE", "ct")
    frames = room.frames("CT_PRE")
    middle = len(frames) // 2
    # Addresses are sealed anew for every visit: the page's own list is read on its way and one address is broken.
    broken: list[str] = []

    def spoil(route: Route) -> None:
        answer = route.fetch()
        stacks = answer.json()["reading"]["stacks"]
        broken.append(next(s for s in stacks if s["role"] == "CT_PRE")["frames"][middle]["image"])
        route.fulfill(response=answer)

    def serve(route: Route) -> None:
        if broken and route.request.url.endswith(broken[0]):
            route.fulfill(status=500, body="broken")
        else:
            route.continue_()

    reader.watch.allow("status 500: /frames/", "console: Failed to load resource: .* 500")
    room.page.route("**/api/room/SPINE/ct/next", spoil)
    room.page.route("**/frames/**", serve)
    room.open(complete=False)

    view = room.view("CT_PRE")
    cover = view.element.locator(".cover")
    expect(view.element).to_have_attribute("data-state", "failed")
    expect(cover).to_be_visible()
    expect(cover).to_contain_text(f"Slice {middle + 1} of CT before contrast did not load.")
    box, whole = cover.bounding_box(), view.element.bounding_box()
    assert box
    assert whole
    assert box["width"] * box["height"] > 0.95 * whole["width"] * whole["height"], "nothing shows beside the sentence"
    top = view.element.evaluate(
        "e => { const b = e.getBoundingClientRect();"
        " const at = document.elementFromPoint(b.left + b.width / 2, b.top + b.height / 2);"
        " return [at.closest('.cover') !== null, getComputedStyle(at.closest('.cover') ?? at).backgroundColor]; }"
    )
    assert top[0], "the cover is in front"
    assert re.fullmatch(r"rgb\(\d+, \d+, \d+\)", top[1]), f"the cover is not see-through: {top[1]}"
    expect(room.view("CT_POST").element).to_have_attribute("data-state", "ready")  # the other view works on
    expect(room.page.locator(".sheet-end .failed")).to_contain_text("did not load")

    room.page.locator(".submit").click()
    summary = room.page.locator("dialog.summary")
    expect(summary.locator(".obstacle")).to_contain_text("1 image did not load.")
    expect(summary.locator("button.primary")).to_be_disabled()
    room.press("Escape")

    room.page.unroute("**/frames/**")
    room.press("y")
    expect(cover).to_be_hidden()
    view.expect_slice(middle + 1)
    room.ready()
    room.page.locator(".submit").click()
    expect(summary.locator("button.primary")).to_be_enabled()
    room.press("Escape")


def test_a_slice_scrolled_to_never_shows_its_neighbour(sign_in: SignIn) -> None:
    """The toolkit keeps the previous picture when a slice fails; the page must not."""
    reader = sign_in("reader5")
    room = Room(reader, "SPINE", "ct")
    reader.watch.allow("status 500: /frames/", "console: Failed to load resource: .* 500")
    middle = len(room.frames("CT_POST")) // 2
    broken: list[str] = []

    def spoil(route: Route) -> None:
        answer = route.fetch()
        stacks = answer.json()["reading"]["stacks"]
        broken.append(next(s for s in stacks if s["role"] == "CT_POST")["frames"][middle + 1]["image"])
        route.fulfill(response=answer)

    room.page.route("**/api/room/SPINE/ct/next", spoil)
    room.page.route(
        "**/frames/**",
        lambda route: route.fulfill(status=500) if route.request.url.endswith(broken[0]) else route.continue_(),
    )
    room.open(complete=False)
    view = room.view("CT_POST")
    view.expect_slice(middle + 1)
    room.page.mouse.click(*view.on_page(np.array([200.0, 200.0])))
    room.press("PageDown")
    expect(view.element).to_have_attribute("data-state", "failed")
    expect(view.element).to_have_attribute("data-slice", "")
    expect(view.element.locator(".cover")).to_contain_text(f"Slice {middle + 2} of CT after contrast did not load.")
    room.press("PageDown")
    view.expect_slice(middle + 3)
    expect(view.element.locator(".cover")).to_be_hidden()


def test_answers_given_without_a_network_are_kept_and_sent_in_order(sign_in: SignIn) -> None:
    reader = sign_in("reader6")
    room = Room(reader, "SPINE", "ct").open()
    reader.watch.allow("console: Failed to load resource: net::ERR_INTERNET_DISCONNECTED")
    base = room.reading()["revision"]
    sent = puts(room.page)
    reader.context.set_offline(True)
    room.press("3", "1")
    room.expect_saved("waiting")
    room.page.wait_for_timeout(20_000)  # the cut the product promises to outlive; it is tried several times meanwhile
    room.press("2")
    state = room.page.locator(".save-state")
    expect(state).to_contain_text("waiting for the network (3)")
    assert len(room.shown_answers()) == 3, "they stand in the sheet"
    room.page.locator(".submit").click()
    expect(room.page.locator("dialog.summary .obstacle")).to_contain_text("Answers are not saved yet.")
    room.press("Escape")

    sent.clear()
    reader.context.set_offline(False)
    room.expect_saved()
    assert [put["base"] for put in sent] == [base, base + 1, base + 2]
    assert [len(put["answers"]) for put in sent] == [1, 2, 3]
    reading = room.reading()
    assert reading["revision"] == base + 3
    assert reading["answers"] == {"contrast_pattern.right": 3, "contrast_pattern.left": 1, "quality_ct.case": 2}


def test_answers_outlive_a_closed_tab_without_a_network(sign_in: SignIn) -> None:
    reader = sign_in("reader7")
    room = Room(reader, "SPINE", "ct").open()
    reader.watch.allow("net::ERR_INTERNET_DISCONNECTED")
    reader.context.set_offline(True)
    room.press("2")
    room.expect_saved("waiting")
    room.page.close()
    reader.context.set_offline(False)
    assert room.reading()["revision"] == 0, "nothing was sent"
    again = Room(reader, "SPINE", "ct", reader.context.new_page()).open()
    again.expect_saved()
    assert again.shown_answers() == {"contrast_pattern.right": "2"}
    assert again.reading()["answers"] == {"contrast_pattern.right": 2}


def test_signed_out_in_the_middle_keeps_the_answers_until_the_same_person_is_back(sign_in: SignIn) -> None:
    reader = sign_in("reader8")
    room = Room(reader, "SPINE", "ct").open()
    base = room.reading()["revision"]
    # What is fetched ahead of the next case is sealed to the session that ended.
    reader.watch.allow(
        "status 40[13]: /api/room/", "status 404: /frames/", "console: Failed to load resource: .* 40[134]"
    )
    reader.context.clear_cookies(name="sessionid")
    room.press("1")
    room.expect_saved("signed_out")
    state = room.page.locator(".save-state")
    expect(state).to_contain_text("You are signed out. 1 unsaved, kept on this machine.")
    room.press("2")
    expect(state).to_contain_text("2 unsaved")
    link = state.get_by_role("link", name="Sign in")
    assert link.get_attribute("target") == "_blank", "the page with the answers stays open"

    stranger = reader.context.new_page()
    other = Visitor("reader9", reader.url, reader.context, stranger, reader.watch)
    other.sign_in()
    room.page.bring_to_front()
    room.page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(state).to_contain_text("Someone else is signed in.")
    expect(state).to_contain_text("Sign in as reader8.")

    reader.context.clear_cookies(name="sessionid")
    reader.sign_in(stranger)
    room.page.evaluate("window.dispatchEvent(new Event('focus'))")
    room.expect_saved()
    reading = room.reading()
    assert reading["revision"] == base + 2
    assert reading["answers"] == {"contrast_pattern.right": 1, "contrast_pattern.left": 2}


def two_tabs(reader: Visitor) -> tuple[Room, Room]:
    """Open a reading in two tabs and answer it differently: first in the one, then in the other."""
    one = Room(reader, "SPINE", "ct").open()
    two = Room(reader, "SPINE", "ct", reader.context.new_page()).open()
    reader.watch.allow("status 409: /api/room/", "console: Failed to load resource: .* 409")
    one.page.bring_to_front()
    one.press("1")
    one.expect_saved()
    two.page.bring_to_front()
    two.press("3")
    two.expect_saved("stale")
    dialog = two.page.locator("dialog.conflict")
    expect(dialog).to_be_visible()
    expect(dialog.locator("section").nth(0)).to_contain_text("Trans-defect")
    expect(dialog.locator("section").nth(1)).to_contain_text("Peri-defect")
    two.press("Escape")
    expect(dialog).to_be_visible()
    return one, two


def kept_versions(house: Any, reading: str) -> list[Any]:
    found = house.rows(
        "SELECT answers FROM annotation_revision WHERE replace(assignment_id, '-', '') = ? ORDER BY number",
        reading.replace("-", ""),
    )
    return [json.loads(answers)["contrast_pattern.right"] for (answers,) in found]


def test_two_tabs_show_the_conflict_and_the_chosen_version_goes_on(house: Any, sign_in: SignIn) -> None:
    reader = sign_in("reader9")
    _, two = two_tabs(reader)
    two.page.get_by_role("button", name="Go on with this page").click()
    two.expect_saved()
    assert two.reading()["answers"] == {"contrast_pattern.right": 3}
    assert kept_versions(house, two.reading_id) == [1, 3]


def test_two_tabs_going_on_with_the_other_version_keeps_both(house: Any, sign_in: SignIn) -> None:
    reader = sign_in("reader10")
    _, two = two_tabs(reader)
    two.page.get_by_role("button", name="Go on with the other version").click()
    two.expect_saved()
    assert two.shown_answers() == {"contrast_pattern.right": "1"}
    assert two.reading()["answers"] == {"contrast_pattern.right": 1}
    assert kept_versions(house, two.reading_id) == [1, 3, 1], "what was not chosen is kept as well"
