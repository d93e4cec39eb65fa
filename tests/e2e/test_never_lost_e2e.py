"""No answer is lost, none is doubled, none is silently overwritten: browser killed, server killed, two machines."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.parts.screen import Memory  # the path to deploy/ is set by house.py
from playwright.sync_api import Browser, BrowserContext, expect

from tests.e2e.browser import SIZE, SignIn, Visitor, Watch
from tests.e2e.conftest import FLAGS, PATIENCE_MS
from tests.e2e.house import House, wait_until
from tests.e2e.room import Room

RIGHT, LEFT, QUALITY = "contrast_pattern.right", "contrast_pattern.left", "quality_ct.case"
KEPT = """async () => {
  const names = (await indexedDB.databases()).map((one) => one.name);
  if (!names.includes('spondy-room')) return [];
  const open = indexedDB.open('spondy-room');
  await new Promise((done) => { open.onsuccess = done; });
  const all = open.result.transaction('drafts').objectStore('drafts').getAllKeys();
  await new Promise((done) => { all.onsuccess = done; });
  open.result.close();
  return all.result;
}"""


def revisions(house: House, reading: str) -> list[dict[str, Any]]:
    """Give every stored state of the answers, oldest first."""

    found = house.rows(
        "SELECT answers FROM annotation_revision WHERE replace(assignment_id, '-', '') = ? ORDER BY number",
        reading.replace("-", ""),
    )
    return [json.loads(answers) for (answers,) in found]


# --- the browser is killed -----------------------------------------------------------------------------------------


class Machine:
    """A browser with a profile on the disk, which can be killed and opened again."""

    def __init__(self, browser: Browser, house: House, profile: Path) -> None:
        self.browser, self.house, self.profile = browser, house, profile
        self.watch = Watch(house.url)
        self.context: BrowserContext | None = None

    def visitor(self, name: str) -> Visitor:
        kind = self.browser.browser_type
        where = os.environ.get("SPONDY_TEST_BROWSER") or kind.executable_path
        if self.context is None:
            self.context = kind.launch_persistent_context(
                self.profile, executable_path=where, args=FLAGS, viewport=SIZE
            )
            self.context.set_default_timeout(PATIENCE_MS)
            self.watch.over(self.context)
        visitor = Visitor(name, self.house.url, self.context, self.context.pages[0], self.watch)
        self.context.clear_cookies()
        visitor.sign_in()
        return visitor

    def processes(self) -> list[int]:
        said = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
        return [int(line.split()[0]) for line in said.splitlines() if f"--user-data-dir={self.profile}" in line]

    def kill(self) -> None:
        """End it as a power cut would: the browser's own process and every one it has started."""
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        wait_until(lambda: not self.processes(), "the end of the browser")
        # A killed process stays in the kernel's list until its parent has heard of it, and the lock it left behind
        # names it: the next browser would take it for one that still runs.
        for left in self.profile.glob("Singleton*"):
            left.unlink()
        self.context = None


@contextmanager
def machine(browser: Browser, house: House, profile: Path) -> Iterator[Machine]:
    one = Machine(browser, house, profile)
    try:
        yield one
    finally:
        if one.context is not None:
            one.context.close()
    assert not one.watch.unexpected


def test_a_killed_browser_sends_what_it_kept_for_that_person_alone(
    house: House, browser: Browser, tmp_path: Path
) -> None:
    with machine(browser, house, tmp_path / "profile") as here:
        here.watch.allow("net::ERR_INTERNET_DISCONNECTED")
        reader = here.visitor("reader17")
        room = Room(reader, "SPINE", "ct").open()
        identity = room.reading_id
        room.press("1")
        room.expect_saved()
        reader.context.set_offline(True)
        room.press("2", "2")
        room.expect_saved("waiting")
        expect(room.page.locator(".save-state")).to_contain_text("waiting for the network (2)")
        here.kill()
        assert revisions(house, identity) == [{RIGHT: 1}], "the rest is only on that machine"

        stranger = Room(here.visitor("reader18"), "SPINE", "ct").open()
        stranger.expect_saved()
        assert stranger.shown_answers() == {}, "another person's answers are not shown"
        assert stranger.reading()["revision"] == 0, "nor sent under another name"
        assert stranger.page.evaluate(KEPT) == [f"reader17|{identity}"]

        again = Room(here.visitor("reader17"), "SPINE", "ct").open()
        again.expect_saved()
        assert again.reading_id == identity
        assert again.shown_answers() == {RIGHT: "1", LEFT: "2", QUALITY: "2"}
        assert revisions(house, identity) == [{RIGHT: 1}, {RIGHT: 1, LEFT: 2}, {RIGHT: 1, LEFT: 2, QUALITY: 2}]
        assert again.page.evaluate(KEPT) == [], "what the server has is not kept here"


# --- the server is killed ------------------------------------------------------------------------------------------


def test_a_server_killed_while_it_saves_gets_every_answer_once(house: House, sign_in: SignIn) -> None:
    reader = sign_in("reader19")
    room = Room(reader, "SPINE", "ct").open()
    asked = [url for url in reader.watch.requests if url.endswith("/next")]
    assert len(asked) == 1, "the page's head asks for the case, and what it gets is what the room uses"
    reader.watch.allow("console: Failed to load resource: ", "status 409: /api/room/")
    # The first save is carried out, and its answer never comes.
    room.page.route(re.compile(r"/api/room/readings/[^/]+$"), lambda route: (route.fetch(), route.abort()), times=1)
    room.press("1")
    room.expect_saved("waiting")
    room.expect_saved()
    assert revisions(house, room.reading_id) == [{RIGHT: 1}], "sent twice, written once"

    house.web.hold()
    try:
        room.press("2")
        room.expect_saved("saving")
    finally:
        house.web.kill()
    room.expect_saved("waiting")
    room.press("2")
    expect(room.page.locator(".save-state")).to_contain_text("(2)")
    house.web.start()
    room.expect_saved()
    expected = [{RIGHT: 1}, {RIGHT: 1, LEFT: 2}, {RIGHT: 1, LEFT: 2, QUALITY: 2}]
    assert revisions(house, room.reading_id) == expected
    assert room.page.evaluate(KEPT) == []


# --- two machines --------------------------------------------------------------------------------------------------


def test_two_machines_one_without_a_network_nothing_is_overwritten(house: House, sign_in: SignIn) -> None:
    desk, ward = (Room(sign_in("reader20"), "SPINE", "ct").open() for _ in range(2))
    for room in (desk, ward):
        room.visitor.watch.allow("net::ERR_INTERNET_DISCONNECTED", "status 409: ", "console: .* status of 409")
    ward.visitor.context.set_offline(True)
    ward.press("3", "3")
    ward.expect_saved("waiting")
    desk.press("1")
    desk.expect_saved()
    ward.visitor.context.set_offline(False)
    ward.expect_saved("stale")
    dialog = ward.page.locator("dialog.conflict")
    expect(dialog.locator("section").nth(0)).to_contain_text("Trans-defect")
    expect(dialog.locator("section").nth(1)).to_contain_text("Peri-defect")
    assert revisions(house, desk.reading_id) == [{RIGHT: 1}], "until the reader has chosen"
    ward.page.get_by_role("button", name="Go on with this page").click()
    ward.expect_saved()
    mine = {RIGHT: 3, LEFT: 3}
    assert revisions(house, desk.reading_id) == [{RIGHT: 1}, mine]
    # The other machine does not know yet; its next answer does not go over the newer ones.
    desk.press("2")
    desk.expect_saved("stale")
    desk.page.get_by_role("button", name="Go on with the other version").click()
    desk.expect_saved()
    assert desk.shown_answers() == {RIGHT: "3", LEFT: "3"}
    assert revisions(house, desk.reading_id)[-2:] == [{RIGHT: 1, LEFT: 2}, mine], "what was not chosen is kept as well"


# --- many cases ----------------------------------------------------------------------------------------------------


def test_ten_cases_in_a_row_leave_nothing_in_memory(browser: Browser, sign_in: SignIn) -> None:
    reader = sign_in("reader18")
    room = Room(reader, "SPINE", "mr").open()
    session = reader.context.new_cdp_session(room.page)
    taken = []
    for _ in range(10):
        before = room.label
        room.page.get_by_role("button", name="Set aside").click()
        room.page.fill("#aside-reason", "to be read later")
        room.page.locator("dialog.aside button.primary").click()
        expect(room.cockpit).not_to_have_attribute("data-label", before)
        room.ready()
        taken.append(Memory.of(browser, session))
    assert max(one.resident for one in taken) < 1200, taken
    # The first case fills what stays: code, compiled shaders. Then the same three cases are compared, two rounds
    # apart, each round by its lowest: what is not collected yet can only add, and a leak adds to every one.
    first, last = taken[1:4], taken[7:]
    assert min(one.heap for one in last) - min(one.heap for one in first) < 5, taken
    assert min(one.nodes for one in last) <= 1.1 * min(one.nodes for one in first), taken
