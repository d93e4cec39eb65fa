"""`./run demo`: everything from nothing to a running study, and the watch over it until it is told to stop."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
from pathlib import Path

from launcher import bundle, packages
from launcher.children import Background
from launcher.context import Context, digest, setup_lock, stamped, write_stamp
from launcher.folder import DataFolder
from launcher.places import BUNDLE, LOOPBACK, ROOT, Ended, bare_environment, in_venv, shown
from launcher.services import Valkey, listener
from launcher.supervisor import Service, Supervisor

READY_LIMIT_S = 90
WEB_WORKERS = 2
WEB_THREADS = 4
WORKER_PROCESSES = 2
ACCOUNTS = (
    ("coordinator", "sets up, imports, assigns, sees progress, closes and unblinds"),
    ("reader1", "reads blinded, in an own order"),
    ("reader2", "reads blinded, in another order"),
    ("adjudicator", "settles what the readers disagree about"),
    ("analyst", "reads the results and downloads them"),
    ("outcomes", "enters and corrects pain scores, sees no reading"),
)


class Demo:
    def __init__(self, context: Context, *, folder: Path, port: int | None, cases: int, reset: bool) -> None:
        self.context = context
        self.folder = DataFolder(folder)
        self.port = port
        self.socket: socket.socket | None = None
        self.cases = cases
        self.reset = reset
        self.supervisor = Supervisor(context, self.folder)
        self.ready = False

    def carry_out(self) -> int:
        try:
            self.prepare()
            self.watch()
        except Ended:
            if not self.ready:
                raise
        finally:
            self.end()
        return 0

    def prepare(self) -> None:
        if self.folder.take(reset=self.reset) and not self.reset:
            self.context.console.timed("an earlier start was ended before its demo was whole; it is made anew")
        for name in self.folder.end_survivors(self.context.children):
            self.context.console.timed(f"ended {name}, which an earlier demo had left running")
        self.socket = listener(self.port)
        self.port = self.socket.getsockname()[1]
        with setup_lock(self.context):
            self._set_up()
        self._wait_until_ready()
        self._announce()

    def _set_up(self) -> None:
        """Install and start; where the viewer is still being built, the study is made meanwhile."""
        if not packages.ready(dev=False):
            packages.ensure_environment(self.context)
        viewer = Background(lambda: bundle.ensure(self.context))
        packages.ensure(self.context)
        self.valkey = Valkey.at(self.folder.path / "valkey")
        self._start_valkey()
        self._migrate()
        self._start_worker()
        study_first = not viewer.done()
        if study_first:
            self._make_study()
        viewer.join(self.context.children)
        self._collect_static()
        self._start_web()
        if not study_first:
            self._make_study()

    def environment(self) -> dict[str, str]:
        env = bare_environment()
        env |= {
            "SPONDY_DATA_DIR": str(self.folder.path),
            "SPONDY_DEMO": "1",
            "REDIS_URL": self.valkey.url,
            "DEBUG": "0",
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            # Two worker processes on two cores: more threads inside each would only wait for each other.
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }
        return env

    def _start_valkey(self) -> None:
        with self.context.console.step("Valkey"):
            env = {"PATH": os.defpath, "SPONDY_DATA_DIR": str(self.folder.path)}
            self.supervisor.start(Service("valkey", self.valkey.command(), env, patience_s=5))
            self.supervisor.wait_for("valkey", self.valkey.answers, limit_s=20)
        noted = self.folder.run / "environment.json"
        noted.touch(mode=0o600)
        noted.write_text(json.dumps({"REDIS_URL": self.valkey.url}))

    def _manage(self, what: str, *args: str, title: str, aloud: bool = False) -> None:
        with self.context.console.step(title) as step:

            def heard(line: str) -> None:
                if aloud:
                    self.context.console.timed(line)
                step.detail = line.strip()[:60]

            self.context.children.must(
                what,
                [in_venv("python"), "manage.py", *args],
                env=self.environment(),
                cwd=ROOT,
                log=self.folder.log("setup"),
                on_line=heard,
                meanwhile=self.supervisor.look,
                limit_s=600,
            )

    def _migrate(self) -> None:
        stamp = self.folder.run / "migrated.stamp"
        files = [path for app in ("annotation", "analytics") for path in (ROOT / app / "migrations").glob("*.py")]
        value = digest([*files, ROOT / "requirements.lock"])
        if (self.folder.path / "spondy.sqlite3").is_file() and stamped(stamp, value):
            return
        self._manage("Making the database", "migrate", "--no-input", title="database")
        write_stamp(stamp, value)

    def _collect_static(self) -> None:
        stamp = self.folder.run / "static.stamp"
        own = [path for path in (ROOT / "static").rglob("*") if path.is_file() and BUNDLE not in path.parents]
        value = digest([*own, ROOT / "requirements.lock", bundle.MANIFEST])
        if (self.folder.path / "static").is_dir() and stamped(stamp, value):
            return
        # Uncompressed: on loopback compression saves nothing, and making it takes half a minute.
        args = ["collectstatic", "--no-input", "--no-post-process", "--verbosity", "0"]
        self._manage("Collecting the static files", *args, title="static files")
        write_stamp(stamp, value)

    def _start_worker(self) -> None:
        args: list[str | Path] = [
            in_venv("celery"),
            "-A",
            "spondy",
            "worker",
            "--loglevel",
            "INFO",
            "--hostname",
            "spondy@%h",
        ]
        args += ["--concurrency", str(WORKER_PROCESSES), "--without-gossip", "--without-mingle"]
        # What a task had begun when it is killed after this patience is taken up again at the next start.
        self.supervisor.start(Service("worker", args, self.environment(), patience_s=5))

    def _start_web(self) -> None:
        assert self.socket is not None
        handle = self.socket.fileno()
        args: list[str | Path] = [in_venv("gunicorn"), "spondy.wsgi:application", "--bind", f"fd://{handle}"]
        args += ["--worker-class", "gthread", "--workers", str(WEB_WORKERS), "--threads", str(WEB_THREADS)]
        args += ["--keep-alive", "30", "--graceful-timeout", "2", "--preload", "--no-control-socket"]
        if Path("/dev/shm").is_dir():
            args += ["--worker-tmp-dir", "/dev/shm"]
        self.supervisor.start(Service("web", args, self.environment(), patience_s=4, pass_fds=(handle,)))

    def _make_study(self) -> None:
        self._manage("Making the demo", "demo", "--cases", str(self.cases), title="demo study", aloud=True)
        self.folder.mark_whole()

    def _wait_until_ready(self) -> None:
        with self.context.console.step("web server and worker answer"):
            self.supervisor.wait_for("web", self.answers, limit_s=READY_LIMIT_S)

    def answers(self) -> bool:
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _announce(self) -> None:
        self.ready = True
        say = self.context.console.say
        say(f"Ready: http://{LOOPBACK}:{self.port}")
        for name, does in ACCOUNTS:
            say(f"  {name:<12} password demo   {does}")
        say(f"Logs: {shown(self.folder.logs)}   Ctrl-C ends it.")

    def watch(self) -> None:
        worker_log = Follower(self.folder.log("worker"))
        while True:
            self.context.children.rest(0.3)
            self.supervisor.look()
            for line in worker_log.news():
                self.context.console.timed(line)

    def end(self) -> None:
        if self.supervisor.services:
            with contextlib.suppress(Ended), self.context.console.step("ending web server, worker and Valkey"):
                self.supervisor.end()
            (self.folder.run / "environment.json").unlink(missing_ok=True)
        self.context.children.end_all()
        if self.socket is not None:
            self.socket.close()


class Follower:
    """What the worker says about the demo's own progress, from now on."""

    MARK = "demo: "

    def __init__(self, log: Path) -> None:
        self.log = log
        self.read = log.stat().st_size if log.is_file() else 0

    def news(self) -> list[str]:
        try:
            with self.log.open("rb") as file:
                file.seek(self.read)
                fresh = file.read(200_000)
        except OSError:
            return []
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self.read += len(whole)
        lines = whole.decode("utf-8", "replace").splitlines()
        return [f"demo: {line.split(self.MARK, 1)[1]}" for line in lines if self.MARK in line]
