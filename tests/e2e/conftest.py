"""The browser tests: one house and one browser for the session, a fresh profile for every person."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

# Playwright's synchronous interface runs an event loop in this thread; Django would refuse to work beside it.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.e2e.browser import SIZE, SignIn, Visitor, Watch
from tests.e2e.house import MANIFEST, House, running

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_MS = 20_000  # a busy machine is no fault; what does not come at all is
# Only the house itself can be reached; a name asked of anybody else is not found.
ALONE = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking", ALONE]


def strict() -> bool:
    return os.environ.get("CI", "").lower() in {"true", "1"}


def give_up(sentence: str) -> None:
    if strict():
        pytest.fail(sentence)
    pytest.skip(sentence)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = os.environ.get("SPONDY_TEST_BROWSER") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None or not Path(found).exists():
        give_up("The browser tests need Chromium and libatomic1 (on Debian: apt-get install chromium libatomic1).")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    if not MANIFEST.is_file():
        pytest.fail("The viewer is not built: npm ci && npm run build in viewer/, or ./run test.")
    with running(tmp_path_factory.mktemp("house")) as found:
        yield found


@pytest.fixture
def anybody(house: House, browser: Browser) -> Iterator[SignIn]:
    """Open a fresh browser profile for a person who is not signed in yet; what goes wrong there fails the test."""
    made: list[Visitor] = []

    def open_for(name: str) -> Visitor:
        context = browser.new_context(viewport=SIZE, accept_downloads=True)
        context.set_default_timeout(PATIENCE_MS)
        watch = Watch(house.url)
        watch.over(context)
        made.append(Visitor(name, house.url, context, context.new_page(), watch))
        return made[-1]

    yield open_for
    unexpected = [f"{visitor.name}: {fault}" for visitor in made for fault in visitor.watch.unexpected]
    for visitor in made:
        visitor.context.close()
    assert not unexpected, unexpected


@pytest.fixture
def sign_in(anybody: SignIn) -> SignIn:
    def signed_in(name: str) -> Visitor:
        visitor = anybody(name)
        visitor.sign_in()
        return visitor

    return signed_in
