"""A person at a browser, watched: what the console says, what fails, and where requests go."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response, ViewportSize

SIZE: ViewportSize = {"width": 1280, "height": 800}
# WCAG 2.2 level A and AA, and what axe itself calls good practice for landmarks and headings.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@dataclass
class Watch:
    """Everything a person should never meet: errors in the console, failed requests, foreign addresses."""

    origin: str
    faults: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    _allowed: list[re.Pattern[str]] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        context.on("console", self._console)
        context.on("weberror", lambda error: self.faults.append(f"script: {error.error}"))
        context.on("request", self._request)
        context.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.faults.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _request(self, request: Request) -> None:
        self.requests.append(request.url)
        if not request.url.startswith(("blob:", "data:")) and not request.url.startswith(f"{self.origin}/"):
            self.faults.append(f"foreign request: {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.faults.append(f"status {response.status}: {urlsplit(response.url).path}")

    def allow(self, *patterns: str) -> None:
        """Say which faults this test provokes on purpose."""
        self._allowed += [re.compile(pattern) for pattern in patterns]

    @property
    def unexpected(self) -> list[str]:
        return [fault for fault in self.faults if not any(known.search(fault) for known in self._allowed)]


@dataclass
class Visitor:
    """One person in one browser profile."""

    name: str
    url: str
    context: BrowserContext
    page: Page
    watch: Watch

    def go(self, path: str) -> Page:
        self.page.goto(f"{self.url}{path}")
        return self.page

    def sign_in(self, page: Page | None = None) -> None:
        page = page or self.page
        page.goto(f"{self.url}/accounts/login/")
        page.fill("#id_username", self.name)
        page.fill("#id_password", "demo")
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "/accounts/login/" not in url)

    def api(self, path: str, method: str = "GET", body: Any = None) -> tuple[int, Any]:
        """Speak to the API with this person's cookies, outside the page."""
        cookies = {str(c.get("name")): str(c.get("value")) for c in self.context.cookies()}
        answer = self.context.request.fetch(
            f"{self.url}{path}",
            method=method,
            data=body,
            headers={"X-CSRFToken": cookies.get("csrftoken", ""), "Referer": f"{self.url}/"},
        )
        kind = answer.headers.get("content-type", "")
        return answer.status, answer.json() if "json" in kind else answer.body()


SignIn = Callable[[str], Visitor]


def violations(page: Page) -> list[str]:
    """Say what axe finds against WCAG 2.2 AA, one line a rule with the elements."""
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}}).response["violations"]
    return [
        f"{one['id']} ({one['impact']}): {one['help']}; "
        + " | ".join(f"{node['html'][:160]} [{node['failureSummary'][:220]}]" for node in one["nodes"][:3])
        for one in found
    ]
