"""`serve`, `worker` and `manage`: one process in the foreground, configured by the environment only."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from launcher import bundle, packages
from launcher.context import Context, digest, setup_lock, stamped, write_stamp
from launcher.folder import MARKER
from launcher.places import ROOT, Stop, in_venv, shown


def data_folder() -> Path:
    return Path(os.environ.get("SPONDY_DATA_DIR", "").strip() or ROOT / "var").resolve()


REASON = re.compile(r"[A-Za-z_][\w.]*: ")
SECRET_ADDRESSES = ("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "STORAGE_URL")


def environment() -> dict[str, str]:
    """The caller's environment; addresses with a password in them may come as files, as container secrets do."""
    env = dict(os.environ)
    env["PYTHONUNBUFFERED"] = "1"
    for name in SECRET_ADDRESSES:
        file = env.get(f"{name}_FILE", "").strip()
        if not file or env.get(name, "").strip():
            continue
        try:
            env[name] = Path(file).read_text().strip()
        except OSError as error:
            raise Stop(f"{name}_FILE names {file}, which cannot be read: {error.strerror}.") from None
    return env


def whole_number(name: str, default: int) -> int:
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    if not text.isdigit() or int(text) < 1:
        raise Stop(f"{name} is {text!r}; say a whole number from 1 on.")
    return int(text)


def replace_by(args: Sequence[str | Path], env: dict[str, str]) -> int:
    """Become the program, so that signals and exit code are its own."""
    sys.stdout.flush()
    os.chdir(ROOT)
    os.execve(str(args[0]), [str(arg) for arg in args], env)


def _set_up(context: Context, *, viewer: bool) -> None:
    if packages.ready(dev=False) and (not viewer or bundle.ready()):
        return
    with setup_lock(context):
        packages.ensure(context)
        if viewer:
            bundle.ensure(context)


def _check(context: Context) -> None:
    """Refuse a demo's folder, then ask Django about the settings, the database and its migrations."""
    if (data_folder() / MARKER).exists():  # also with a database of its own: the demo's keys lie in that folder
        raise Stop(
            f"{shown(data_folder())} is a demo's data folder, with accounts whose password everybody knows; "
            "name another one with SPONDY_DATA_DIR."
        )
    if os.environ.get("DEBUG", "").strip().lower() in ("1", "true", "yes", "on"):
        raise Stop("DEBUG is on: every error would show code and data to whoever meets it. Take DEBUG away.")
    if os.geteuid() == 0:
        context.console.say("Running as root; give this process a user of its own (docs/operations.md).")
    # `migrate --check` runs every system check with the database first; what it finds it writes to stderr.
    done = _manage("migrate", "--check")
    if done.returncode == 0:
        return
    if done.stderr.strip():
        raise Stop(f"The settings or the database are not in order: {complaint(done.stderr)}")
    raise Stop("The database lacks migrations; run ./run manage migrate first.")


def complaint(said: str) -> str:
    """Give what a failed command said; of a traceback only the reason at its end."""
    lines = said.strip().splitlines()
    if "Traceback (most recent call last):" in said:
        last = max((number for number, line in enumerate(lines) if REASON.match(line)), default=len(lines) - 1)
        return " ".join(line.strip() for line in lines[last:])
    return "\n".join(lines[-12:])


def _manage(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [in_venv("python"), "manage.py", *args],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def _collect_static(context: Context) -> None:
    stamp = data_folder() / "static.stamp"
    files = [path for path in (ROOT / "static").rglob("*") if path.is_file() and ".vite" not in path.parts]
    value = digest([*files, ROOT / "requirements.lock"])
    if stamped(stamp, value):
        return
    with context.console.step("static files"):
        done = _manage("collectstatic", "--no-input", "--verbosity", "0")
        if done.returncode != 0:
            raise Stop(f"The static files could not be collected: {complaint(done.stderr)}")
        write_stamp(stamp, value)


def serve(context: Context) -> int:
    _set_up(context, viewer=True)
    _check(context)
    _collect_static(context)
    bind = os.environ.get("SPONDY_BIND", "").strip() or "127.0.0.1:8000"
    args: list[str | Path] = [
        in_venv("gunicorn"),
        "spondy.wsgi:application",
        "--bind",
        bind,
        "--worker-class",
        "gthread",
    ]
    args += ["--workers", str(whole_number("SPONDY_WEB_WORKERS", 2))]
    args += ["--threads", str(whole_number("SPONDY_WEB_THREADS", 4))]
    args += ["--keep-alive", "30", "--graceful-timeout", "30", "--preload", "--no-control-socket"]
    if Path("/dev/shm").is_dir():
        args += ["--worker-tmp-dir", "/dev/shm"]
    context.console.say(f"Serving on {bind}.")
    return replace_by(args, environment())


def worker(context: Context) -> int:
    _set_up(context, viewer=False)
    _check(context)
    args: list[str | Path] = [in_venv("celery"), "-A", "spondy", "worker", "--loglevel", "INFO", "--without-gossip"]
    args += ["--concurrency", str(whole_number("SPONDY_WORKER_PROCESSES", 2))]
    return replace_by(args, environment())


def receiver(context: Context) -> int:
    if not os.environ.get("SPONDY_RECEIVER_PEERS", "").strip():
        raise Stop(
            "The DICOM receiver is off: SPONDY_RECEIVER_PEERS lists no sender (docs/operations.md says how).", code=2
        )
    _set_up(context, viewer=False)
    _check(context)
    return replace_by([in_venv("python"), "manage.py", "receive"], environment())


def manage(context: Context, rest: Sequence[str]) -> int:
    _set_up(context, viewer=False)
    env = environment()
    if not env.get("REDIS_URL"):
        env |= running_demo()
    return replace_by([in_venv("python"), "manage.py", *rest], env)


def running_demo() -> dict[str, str]:
    """Name the broker of a demo that runs on this data folder, so that a command can hand work to its worker."""
    try:
        noted = json.loads((data_folder() / "run" / "environment.json").read_text())
    except (OSError, ValueError):
        return {}
    return {"REDIS_URL": str(noted["REDIS_URL"])} if isinstance(noted, dict) and "REDIS_URL" in noted else {}
