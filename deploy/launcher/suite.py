"""`./run test`: what the tests need, every check, every test on SQLite and PostgreSQL, one closing line."""

from __future__ import annotations

import os
import re
import shutil
import signal
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from launcher import bundle, checks, debian, packages
from launcher.children import Background
from launcher.context import Context, setup_lock
from launcher.places import ROOT, VIEWER, Stop, bare_environment, in_venv
from launcher.services import Postgres, Valkey

DEBIAN_PACKAGES = (
    *("chromium", "libatomic1", "fonts-dejavu-core"),
    *("tesseract-ocr", "tesseract-ocr-eng"),  # the tests of text recognition
    *("pspp", "r-base-core", "libreoffice-writer-nogui", "poppler-utils"),  # the tests that open what is exported
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
NODE_TESTS = re.compile(r"^(?:#|\S) (pass|fail|skipped|cancelled) (\d+)$")
NO_TESTS = 5


@dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def line(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"

    def add(self, other: Tally) -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped


def strict() -> bool:
    return os.environ.get("CI", "").lower() in {"true", "1"}


def find_browser() -> str | None:
    return next((found for found in map(shutil.which, BROWSERS) if found), None)


def carry_out(context: Context, rest: Sequence[str]) -> int:
    with setup_lock(context):
        packages.ensure(context, dev=True)
        bundle.ensure(context)
    return selection(context, rest) if rest else whole(context)


def browser_packages(context: Context) -> None:
    missing = debian.missing(DEBIAN_PACKAGES)
    if missing and debian.can_install():
        debian.install(context, missing, title=f"{', '.join(missing)} by apt")


def need_browser(context: Context) -> str | None:
    found = find_browser()
    if found is None:
        sentence = "The browser tests need Chromium and libatomic1 (on Debian: apt-get install chromium libatomic1)."
        if strict():
            raise Stop(sentence)
        context.console.say(f"{sentence} They are skipped.")
    return found


def selection(context: Context, rest: Sequence[str]) -> int:
    """Run what the person asked for, on SQLite."""
    if any("e2e" in argument for argument in rest):
        browser_packages(context)
    with services(context) as (_, env):
        browser = find_browser()
        if browser:
            env["SPONDY_TEST_BROWSER"] = browser
        return context.children.run([in_venv("python"), "-m", "pytest", *rest], env=env, cwd=ROOT)


def whole(context: Context) -> int:
    system = Background(lambda: browser_packages(context))
    tally = Tally()
    with setup_lock(context):
        viewer = checks.viewer_tool(context)
    tally.failed += len(checks.run_all(context, [viewer]))
    system.join(context.children)
    with services(context) as (folder, env):
        browser = need_browser(context)
        if browser:
            env["SPONDY_TEST_BROWSER"] = browser
        tally.add(viewer_tests(context))
        two = ["-n", "2", "--dist", "loadfile"]
        fast = ["tests", "--ignore=tests/e2e", *two]
        tally.add(pytest(context, "tests on SQLite", fast, env, folder))
        with postgres(context) as url:
            again = ["tests/integration", "tests/architecture", *two]
            tally.add(pytest(context, "tests on PostgreSQL", again, env | {"DATABASE_URL": url}, folder))
        tally.add(pytest(context, "browser tests", ["tests/e2e"], env, folder))
        if browser:
            # The viewer alone against its stand-in server: faults that the real one does not produce on demand.
            alone = [
                "viewer/test/test_room.py",
                "viewer/test/test_images.py",
                "-c",
                os.devnull,
                "--rootdir=.",
                "-p",
                "no:django",
                "-p",
                "no:cacheprovider",
            ]
            tally.add(pytest(context, "viewer in a browser", alone, env | {"SPONDY_CHROMIUM": browser}, folder))
    context.console.say(tally.line())
    return 1 if tally.failed or not tally.passed else 0


@contextmanager
def services(context: Context) -> Iterator[tuple[Path, dict[str, str]]]:
    """Lend the tests a folder, a Valkey and the environment that names them."""
    folder = Path(tempfile.mkdtemp(prefix="spondy-test-"))
    try:
        valkey = Valkey.at(folder / "valkey", durable=False)
        quiet = {"PATH": os.defpath}
        with running(context, valkey.command(), quiet, folder / "valkey.log", valkey.answers, "Valkey"):
            yield (
                folder,
                bare_environment()
                | {
                    "SPONDY_DATA_DIR": str(folder / "data"),
                    "SPONDY_TEST_DATABASE": str(folder / "test.sqlite3"),
                    "REDIS_URL": valkey.url,
                    "OPENBLAS_NUM_THREADS": "1",
                    "OMP_NUM_THREADS": "1",
                },
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgres(context: Context) -> Iterator[str]:
    """Lend the tests a PostgreSQL of their own, as `nobody` when this is root."""
    base = "/tmp" if os.access("/tmp", os.W_OK) else None  # a private TMPDIR could not be entered by `nobody`
    outer = Path(tempfile.mkdtemp(prefix="spondy-postgres-", dir=base))
    outer.chmod(0o711)
    try:
        with context.console.step("PostgreSQL's first files"):
            server = Postgres.at(outer / "server")
            server.initialise()
        args, env, log = server.command(), server.environment(), outer / "log"
        fast = signal.SIGINT  # PostgreSQL's own "fast": open sessions are cut, nothing is waited for
        with running(context, args, env, log, server.answers, "PostgreSQL", user=server.user, first=fast):
            yield server.url
    finally:
        shutil.rmtree(outer, ignore_errors=True)


@contextmanager
def running(
    context: Context,
    args: Sequence[str | Path],
    env: Mapping[str, str],
    log: Path,
    answers: Callable[[], bool],
    name: str,
    *,
    user: int | None = None,
    first: int = signal.SIGTERM,
) -> Iterator[None]:
    """Run a server for the length of a block; only this server ends with the block."""
    with log.open("ab") as output:
        child = context.children.start(args, env=env, cwd=log.parent, output=output, user=user)
    try:
        wait_until(context, answers, name)
        yield
    finally:
        context.children.end(child, patience_s=5, first=first)


def wait_until(context: Context, answers: Callable[[], bool], name: str) -> None:
    for _ in range(300):
        if answers():
            return
        context.children.rest(0.1)
    raise Stop(f"{name} did not start within 30 s.")


def pytest(context: Context, title: str, args: Sequence[str], env: Mapping[str, str], folder: Path) -> Tally:
    context.console.timed(f"{title}: begins")
    report = folder / "report.xml"
    report.unlink(missing_ok=True)
    command: list[str | Path] = [in_venv("python"), "-m", "pytest", "-q", *args, f"--junitxml={report}"]
    code = context.children.run(command, env=env, cwd=ROOT)
    tally = read_report(report)
    if code != 0 and not tally.failed:
        tally.failed += 1
        word = "found no test" if code == NO_TESTS else f"ended with exit code {code}"
        context.console.say(f"{title}: pytest {word}.")
    context.console.timed(f"{title}: {tally.line()}")
    return tally


def read_report(report: Path) -> Tally:
    """Count from pytest's own report; a report that cannot be read counts nothing, the exit code decides."""
    try:
        suites = ElementTree.parse(report).getroot().iter("testsuite")
    except (OSError, ElementTree.ParseError):
        return Tally()
    tally = Tally()
    for suite in suites:
        total, failures, errors, skipped = (
            int(suite.get(name, "0")) for name in ("tests", "failures", "errors", "skipped")
        )
        tally.add(Tally(total - failures - errors - skipped, failures + errors, skipped))
    return tally


def viewer_tests(context: Context) -> Tally:
    node, env = bundle.node_environment(context)
    tally = Tally()

    def heard(line: str) -> None:
        context.console.say(line)
        found = NODE_TESTS.match(line)
        if found:
            count = int(found.group(2))
            tally.add(Tally(**{{"pass": "passed", "skipped": "skipped"}.get(found.group(1), "failed"): count}))

    context.console.timed("viewer tests: begins")
    log = Path(tempfile.gettempdir()) / f"spondy-viewer-{os.getpid()}.log"
    code = context.children.run([*node.npm, "test"], env=env, cwd=VIEWER, log=log, on_line=heard)
    log.unlink(missing_ok=True)
    if code != 0 and not tally.failed:
        tally.failed += 1
    context.console.timed(f"viewer tests: {tally.line()}")
    return tally
