"""A whole Spondy for the browser tests: own data folder, real web server, real worker, real Valkey."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy"))

from launcher.places import bare_environment, in_venv  # noqa: E402  after the path or the settings
from launcher.services import Valkey, free_port  # noqa: E402  after the path or the settings

STAGE = Path(__file__).with_name("stage.py")
MANIFEST = ROOT / "static" / "viewer" / ".vite" / "manifest.json"


class Web:
    """The web server, which a test may kill and start again at the same address."""

    def __init__(self, port: int, env: dict[str, str], log: Path) -> None:
        self.port, self.env, self.log = port, env, log
        self.process: subprocess.Popen[bytes] | None = None
        self.command: list[str | Path] = [in_venv("gunicorn"), "spondy.wsgi:application", "--bind"]
        self.command += [f"127.0.0.1:{port}", "--worker-class", "gthread", "--workers", "1", "--threads", "8"]
        self.command += ["--keep-alive", "30", "--preload", "--no-control-socket", "--graceful-timeout", "2"]

    def start(self) -> None:
        with self.log.open("ab") as said:
            self.process = subprocess.Popen(
                [str(part) for part in self.command],
                cwd=ROOT,
                env=self.env,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        wait_until(lambda: answers(self.port, "/healthz"), "the web server", self.process)

    def hold(self) -> None:
        """Let it take connections and answer none."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGSTOP)

    def kill(self) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None:
            end(self.process)


@dataclass(frozen=True)
class House:
    """What the tests know of the running house."""

    url: str
    env: dict[str, str]
    folder: Path
    hospital: Path
    places: list[dict[str, Any]]
    worker: int
    web: Web

    @contextlib.contextmanager
    def worker_held(self) -> Iterator[None]:
        """Let the worker stand still for a while, so that a job is seen before it is over."""
        os.kill(self.worker, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.worker, signal.SIGCONT)

    def truth(self, reader: str, form: str, label: str) -> dict[str, Any]:
        """Give what is planted in the case that a reader knows by this label."""
        found = [p for p in self.places if (p["reader"], p["form"], p["label"]) == (reader, form, label)]
        assert len(found) == 1, (reader, form, label)
        truth: dict[str, Any] = found[0]["truth"]
        return truth

    def manage(self, *args: str | Path) -> str:
        done = subprocess.run(
            [in_venv("python"), "manage.py", *map(str, args)],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def rows(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        """Read the database from outside, as an auditor with the file would."""
        path = self.folder / "data" / "spondy.sqlite3"
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as connection:
            return connection.execute(query, values).fetchall()


def wait_until(answers: Callable[[], bool], name: str, process: subprocess.Popen[bytes] | None = None) -> None:
    until = time.monotonic() + 60
    while not answers():
        assert process is None or process.poll() is None, f"{name} ended with {process and process.returncode}"
        assert time.monotonic() < until, f"{name} did not answer within a minute"
        time.sleep(0.05)


@contextlib.contextmanager
def process(command: list[str | Path], env: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as said:
        started = subprocess.Popen([str(part) for part in command], cwd=ROOT, env=env, stdout=said, stderr=said)
    try:
        yield started
    finally:
        end(started)


def end(started: subprocess.Popen[bytes]) -> None:
    started.terminate()
    try:
        started.wait(timeout=10)
    except subprocess.TimeoutExpired:
        started.kill()
        started.wait()


@contextlib.contextmanager
def broker(folder: Path) -> Iterator[str]:
    """Lend a Valkey: the one the launcher started for the tests, in a database of its own, or one of our own."""
    given = os.environ.get("REDIS_URL", "")
    if given:
        yield f"{given.rsplit('/', 1)[0]}/9"
        return
    own = Valkey.at(folder / "valkey", durable=False)
    with process(own.command(), {"PATH": os.defpath}, folder / "valkey.log"):
        wait_until(own.answers, "Valkey")
        yield own.url


def answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@contextlib.contextmanager
def running(folder: Path) -> Iterator[House]:
    with broker(folder) as redis_url:
        port = free_port()
        env = bare_environment() | {
            "SPONDY_DATA_DIR": str(folder / "data"),
            "SPONDY_TEXT_SEARCH": "0",
            "SPONDY_DEMO": "1",
            "DJANGO_SETTINGS_MODULE": "spondy.settings",
            "REDIS_URL": redis_url,
            "ALLOWED_HOSTS": "127.0.0.1",
            "SPONDY_UPLOAD_PIECE": "1000000",  # many requests from few files
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }
        staged = subprocess.run(
            [in_venv("python"), STAGE, folder], cwd=ROOT, env=env, capture_output=True, text=True, check=False
        )
        assert staged.returncode == 0, staged.stderr
        facts = json.loads(staged.stdout.splitlines()[-1])
        web = Web(port, env, folder / "web.log")
        worker: list[str | Path] = [in_venv("celery"), "-A", "spondy", "worker", "--loglevel", "INFO"]
        worker += ["--concurrency", "1", "--without-gossip", "--without-mingle"]
        with process(worker, env, folder / "worker.log") as working:
            try:
                web.start()
                wait_until(lambda: answers(port, "/readyz"), "the worker", working)
                url = f"http://127.0.0.1:{port}"
                yield House(url, env, folder, Path(facts["hospital"]), facts["places"], working.pid, web)
            finally:
                web.stop()
