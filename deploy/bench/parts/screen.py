"""One Chromium for all that is measured: pages are opened, pictures are waited for, wheels are turned."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, CDPSession, Page, ViewportSize, sync_playwright

from launcher.suite import find_browser

WATCH = Path(__file__).with_name("watch.js").read_text()
SIZE: ViewportSize = {"width": 1280, "height": 800}
PATIENCE_MS = 60_000
QUIET_S = 0.8
SETTLE_S = 0.3
# Between half and three times the page's size, halved so often: to about one part in a hundred.
SCALES, HALVINGS = (0.5, 3.0), 8
MIB = 1024 * 1024
FLAGS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    # OHIF's files and its images come from two ports; so neither program pays for asking across origins.
    "--disable-web-security",
]


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
        yield started
        started.close()


@dataclass(frozen=True)
class Memory:
    """What the process of a page has, in MiB, and how many nodes its document holds."""

    resident: float
    heap: float
    nodes: int

    @classmethod
    def of(cls, browser: Browser, page: CDPSession) -> Memory:
        page.send("HeapProfiler.collectGarbage")
        heap = page.send("Runtime.getHeapUsage")["usedSize"]
        nodes = page.send("Memory.getDOMCounters")["nodes"]
        whole = browser.new_browser_cdp_session()
        processes = whole.send("SystemInfo.getProcessInfo")["processInfo"]
        whole.detach()
        resident = max(_pages(one["id"]) for one in processes if one["type"] == "renderer")
        return cls(resident * os.sysconf("SC_PAGE_SIZE") / MIB, heap / MIB, nodes)


def _pages(process: int) -> int:
    """Count the pages a process holds; one that has ended since it was listed holds none."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


class Screen:
    """A browser profile with one page."""

    def __init__(self, browser: Browser, url: str) -> None:
        context = browser.new_context(viewport=SIZE, service_workers="block")
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(WATCH)
        self.url = url
        self.context = context
        self.page: Page = context.new_page()

    def sign_in(self, url: str, name: str, password: str) -> None:
        self.page.goto(f"{url}/accounts/login/")
        self.page.fill("#id_username", name)
        self.page.fill("#id_password", password)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(lambda at: "/accounts/login/" not in at)

    def open(self, address: str, pictures: int) -> list[float]:
        """Give when each picture stood there, in ms from the start of the navigation."""
        self.page.goto("about:blank")
        self.page.goto(address, wait_until="commit")
        return self.times(pictures)

    def times(self, pictures: int) -> list[float]:
        self.page.wait_for_function("n => window.bench && window.bench.times().length >= n", arg=pictures, polling=50)
        self.quiet()
        found: list[float] = self.page.evaluate("window.bench.times()")
        return found[:pictures]

    def area(self) -> float:
        """Give the pixels of the first picture: without a graphics card, drawing costs by the pixel."""
        found: float = self.page.evaluate(
            "(() => { const c = [...document.querySelectorAll('canvas')].filter((c) => c.clientWidth > 150)[0];"
            " return c.width * c.height; })()"
        )
        return found

    def resize(self, pixels: float) -> None:
        """Give the first picture so many pixels, as nearly as whole ones allow, by the size of the page."""
        low, high = SCALES
        for _ in range(HALVINGS):
            scale = (low + high) / 2
            self.page.set_viewport_size(
                {"width": round(SIZE["width"] * scale), "height": round(SIZE["height"] * scale)}
            )
            time.sleep(SETTLE_S)
            low, high = (scale, high) if self.area() < pixels else (low, scale)

    def quiet(self) -> None:
        """Wait until no server has been asked for a while: what is loaded ahead is there."""
        asked = -1
        while asked != (now := self.page.evaluate("performance.getEntriesByType('resource').length")):
            asked = now
            time.sleep(QUIET_S)

    def set_aside(self) -> None:
        """Send the open case to the end of the order; the time runs from the click that does it."""
        self.page.get_by_role("button", name="Set aside").click()
        self.page.fill("#aside-reason", "measured")
        self.page.evaluate(
            "() => { window.bench.restart(); document.querySelector('dialog.aside button.primary').click(); }"
        )

    def scroll(self, notches: int) -> list[float]:
        """Turn the wheel over the first canvas notch by notch; gives ms from each to the changed picture."""
        box = self.page.evaluate(
            "(() => { const b = [...document.querySelectorAll('canvas')].filter((c) => c.clientWidth > 150)[0]"
            ".getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        self.page.mouse.move(*box)
        for notch in range(notches):  # once unmeasured, so that every slice is there
            self.page.mouse.wheel(0, self.way(notch, notches))
            time.sleep(0.1)
        self.page.evaluate("window.bench.forget()")
        for notch in range(notches):
            self.page.evaluate("window.bench.arm()")
            self.page.mouse.wheel(0, self.way(notch, notches))
            self.page.wait_for_function("n => window.bench.turns.length > n", arg=notch, polling=20)
        found: list[float] = self.page.evaluate("window.bench.turns")
        return found

    @staticmethod
    def way(notch: int, notches: int) -> int:
        return 100 if notch < notches // 2 else -100
