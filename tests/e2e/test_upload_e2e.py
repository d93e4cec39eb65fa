"""The import page as a coordinator uses it: by mouse, by keyboard, by drop; a lost line; what stayed out and why."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import FileChooser, Page, expect

from tests import cast
from tests.e2e.browser import SignIn, Visitor, violations
from tests.e2e.test_desk_e2e import press_at

STUDY = "INTAKE"
PAGE = f"/desk/{STUDY}/import/"
TAKING_MS = 90_000
LOST = (r"/bytes", r"/upload\b", "ERR_INTERNET_DISCONNECTED", "ERR_FAILED", r"part=deliveries")


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """What a hospital hands over: CT and MRI, and beside them what belongs to no image."""
    folder = tmp_path / "Graureiher"
    patient = 700 + int.from_bytes(os.urandom(2), "big")
    cast.export(folder, patients=(patient,), series=cast.SPINE_SERIES)
    (folder / "Befund Zwetschgenbaum.pdf").write_bytes(b"%PDF-1.7 a report")
    (folder / "Bildschirm.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    (folder / "VIEWER").mkdir()
    (folder / "VIEWER" / "START.EXE").write_bytes(b"MZ" + bytes(4000))
    (folder / ".DS_Store").write_bytes(b"x")
    return folder


def heavy(folder: Path, *, files: int) -> Path:
    """Make files that take a while on a slow line."""
    size = replace(cast.SPINE_SERIES[0], size=452)
    patient = 70_000 + int.from_bytes(os.urandom(2), "big")
    cast.export(folder, patients=(patient,), series=(size,), slices=files)
    return folder


def state(page: Page) -> str:
    return page.locator("#upload-state").inner_text()


def choose(page: Page, folder: Path) -> None:
    page.locator("input[webkitdirectory]").set_input_files(folder)


def is_taken_in(page: Page) -> None:
    expect(page.locator("#upload-state")).to_contain_text("are being taken in", timeout=TAKING_MS)
    expect(page.locator(".delivery").first.locator(".badge").first).to_have_text("Done", timeout=TAKING_MS)


class Line:
    """The visitor's way to the server, as fast as said, or cut."""

    def __init__(self, visitor: Visitor) -> None:
        self.wire = visitor.context.new_cdp_session(visitor.page)
        self.wire.send("Network.enable")

    def set(self, bytes_a_second: int = -1, *, cut: bool = False) -> None:
        more = {"offline": cut, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_a_second}
        self.wire.send("Network.emulateNetworkConditions", more)


def test_a_folder_becomes_a_case_and_what_stayed_out_says_why(sign_in: SignIn, export: Path) -> None:
    visitor = sign_in("coordinator")
    page = visitor.go(PAGE)
    expect(page.get_by_role("heading", name="Drop a folder, files or zip archives here")).to_be_visible()
    assert not violations(page)
    choose(page, export)
    is_taken_in(page)
    card = page.locator(".delivery").first
    expect(card).to_contain_text("18 imported, 0 duplicates, 3 refused, 0 in quarantine")
    why = card.locator("summary")
    press_at(page, why)
    table = card.get_by_role("table")
    for reason, name in (
        ("This is a PDF document", "Graureiher/Befund Zwetschgenbaum.pdf"),
        ("This is a picture (PNG)", "Graureiher/Bildschirm.png"),
        ("This is a Windows program", "Graureiher/VIEWER/START.EXE"),
    ):
        row = table.locator("tbody tr").filter(has_text=reason)
        expect(row.locator(".file")).to_have_text(name)
    assert not violations(page)
    page.wait_for_timeout(6000)
    expect(table).to_be_visible()  # drawn anew meanwhile, and still open
    expect(table).to_contain_text("Befund Zwetschgenbaum.pdf")
    # The steps at the left were drawn anew when the delivery ended: a reload shows the same.
    steps = page.locator("nav.steps").inner_text()
    # Names were in this page only: after a reload, and in everything that was sent, numbers are all there is.
    page.reload()
    assert page.locator("nav.steps").inner_text() == steps
    card = page.locator(".delivery").first
    card.locator("summary").click()
    expect(card.locator("tbody .file").first).to_have_text(re.compile(r"file \d{6}"))
    assert "Zwetschgenbaum" not in page.content()
    assert not [url for url in visitor.watch.requests if "Zwetschgenbaum" in url or "Graureiher" in url]
    page.goto(f"{visitor.url}/desk/{STUDY}/series/")
    expect(page.locator("main")).to_contain_text("P-")


def test_nothing_that_is_sent_carries_a_name(sign_in: SignIn, export: Path) -> None:
    visitor = sign_in("coordinator")
    page = visitor.go(PAGE)
    bodies: list[str] = []
    heads: list[str] = []
    page.on("request", lambda request: bodies.append(request.post_data or "") if "/files" in request.url else None)
    page.on("request", lambda request: heads.append(str(request.headers)))
    choose(page, export)
    is_taken_in(page)
    assert any('"files"' in body for body in bodies)
    for name in ("Graureiher", "Zwetschgenbaum", "Befund", "START"):
        assert name not in "".join(bodies) + "".join(heads)


def test_the_same_again_is_known(sign_in: SignIn, tmp_path: Path) -> None:
    visitor = sign_in("coordinator")
    folder = heavy(tmp_path / "a", files=3)
    page = visitor.go(PAGE)
    for words in ("3 imported, 0 duplicates", "0 imported, 3 duplicates"):
        choose(page, folder)
        is_taken_in(page)
        expect(page.locator(".delivery").first).to_contain_text(words)


def test_a_lost_line_is_waited_for_and_a_reload_goes_on_where_it_ended(sign_in: SignIn, tmp_path: Path) -> None:
    visitor = sign_in("coordinator")
    visitor.watch.allow(*LOST)
    folder = heavy(tmp_path / "a", files=60)  # 24 MB
    page = visitor.go(PAGE)
    line = Line(visitor)
    line.set(1_500_000)
    choose(page, folder)
    expect(page.locator("#upload .figures")).to_contain_text(re.compile(r"[1-9]\d* of 60 files"))
    line.set(cut=True)
    expect(page.locator("#upload-state")).to_contain_text("The connection is lost")
    assert not violations(page)
    line.set(1_000_000)
    expect(page.locator("#upload-state")).to_contain_text("Sending", timeout=30_000)
    page.once("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page.locator("#upload-state")).to_contain_text(re.compile(r"not finished: \d+ of 60 files are here"))
    before = int(re.findall(r": (\d+) of 60", state(page))[0])
    assert before > 0
    sent: list[int] = []
    page.on("request", lambda request: sent.append(len(parts(request.headers))) if "/bytes" in request.url else None)
    line.set()
    choose(page, folder)
    is_taken_in(page)
    assert sum(sent) <= 60 - before, "what was here is not sent again"
    expect(page.locator(".delivery").first).to_contain_text("60 imported, 0 duplicates, 0 refused")


def parts(headers: dict[str, str]) -> list[str]:
    return headers.get("upload-parts", "").split(",")


def test_signed_out_in_between_it_waits_for_the_sign_in(sign_in: SignIn, tmp_path: Path) -> None:
    visitor = sign_in("coordinator")
    visitor.watch.allow(r"status 403", r"403 \(Forbidden\)", r"status 302")
    folder = heavy(tmp_path / "a", files=60)
    page = visitor.go(PAGE)
    line = Line(visitor)
    line.set(1_500_000)
    choose(page, folder)
    expect(page.locator("#upload .figures")).to_contain_text(re.compile(r"[1-9]\d* of 60 files"))
    visitor.context.clear_cookies()
    expect(page.locator("#upload-state")).to_contain_text("You are signed out")
    link = page.locator("#upload").get_by_role("link", name="Sign in")
    expect(link).to_be_visible()
    with visitor.context.expect_page() as opened:
        link.click()
    visitor.sign_in(opened.value)
    line.set()
    is_taken_in(page)
    expect(page.locator(".delivery").first).to_contain_text("60 imported")


def test_by_keyboard_paused_gone_on_with_and_cancelled(sign_in: SignIn, tmp_path: Path) -> None:
    visitor = sign_in("coordinator")
    folder = heavy(tmp_path / "a", files=60)
    page = visitor.go(PAGE)
    Line(visitor).set(2_000_000)

    def chosen(chooser: FileChooser) -> None:
        chooser.set_files(folder)

    page.once("filechooser", chosen)
    press_at(page, page.get_by_role("button", name="Choose a folder"))
    expect(page.locator("#upload-state")).to_contain_text("Sending")
    press_at(page, page.get_by_role("button", name="Pause"))
    expect(page.locator("#upload-state")).to_contain_text("Paused")
    go_on = page.get_by_role("button", name="Go on", exact=True)
    expect(go_on).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#upload-state")).to_contain_text("Sending")
    press_at(page, page.get_by_role("button", name="Cancel the upload"))
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("What was sent so far is thrown away")
    assert not violations(page)
    press_at(page, dialog.get_by_role("button", name="Throw it away"))
    expect(page.locator("#upload-state")).to_contain_text("cancelled")
    expect(page.locator(".delivery").first.locator(".badge").first).to_have_text("Cancelled", timeout=15_000)


def test_a_dropped_folder_is_walked(sign_in: SignIn, export: Path) -> None:
    visitor = sign_in("coordinator")
    page = visitor.go(PAGE)
    wire = visitor.context.new_cdp_session(page)
    data = {"items": [], "files": [str(export)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver"):
        wire.send("Input.dispatchDragEvent", {"type": kind, "x": 600, "y": 400, "data": data})
    expect(page.locator("#upload.over")).to_be_visible()
    wire.send("Input.dispatchDragEvent", {"type": "drop", "x": 600, "y": 400, "data": data})
    is_taken_in(page)
    expect(page.locator(".delivery").first).to_contain_text("18 imported, 0 duplicates, 3 refused")
    page.locator(".delivery").first.locator("summary").click()
    expect(page.locator(".delivery").first).to_contain_text("Graureiher/VIEWER/START.EXE")
