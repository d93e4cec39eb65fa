"""The virtual environment and the locked packages in it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from launcher.context import Context, digest, stamped, write_stamp
from launcher.debian import can_install, install
from launcher.places import LAUNCHER, ROOT, SETUP_LOGS, VENV, Stop, in_venv

MARK = VENV / "unfinished"
LOG = SETUP_LOGS / "packages.log"
INSTALLER_LOCK = LAUNCHER / "installer.lock"
LOCKS = {False: ROOT / "requirements.lock", True: ROOT / "requirements-dev.lock"}


@contextmanager
def unfinished() -> Iterator[None]:
    """Mark the environment until the work in it is done.

    An installer that was ended in the middle leaves packages that look installed and are not whole; an environment
    with this mark is thrown away at the next start.
    """
    if VENV.is_symlink():  # the mark, and what is thrown away for it, would be those of another copy of the project
        raise Stop(f"{VENV} is a link to another environment, which is left as it is; delete the link and start again.")
    MARK.parent.mkdir(parents=True, exist_ok=True)
    MARK.touch()
    yield
    MARK.unlink()


def stamp_of(dev: bool) -> Path:
    return VENV / ("packages-dev.stamp" if dev else "packages.stamp")


def wanted(dev: bool) -> str:
    return digest([LOCKS[dev]], extra=f"python {sys.version_info[0]}.{sys.version_info[1]}")


def ready(dev: bool) -> bool:
    return not MARK.exists() and in_place() and stamped(stamp_of(dev), wanted(dev))


def in_place() -> bool:
    """Say whether the environment was made where it lies: its programs name their Python by its full path."""
    try:
        return str(VENV).encode() in in_venv("pip").read_bytes()[:1000] and in_venv("python").exists()
    except OSError:
        return False


def tool_environment() -> dict[str, str]:
    """The caller's environment, in which package tools find their own configuration, with a cache that is writable."""
    env = dict(os.environ)
    for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"):
        env.pop(name, None)
    home = Path(env.get("HOME") or "/nonexistent")
    if not os.access(home, os.W_OK):
        env["HOME"] = str(VENV / "cache")
        Path(env["HOME"]).mkdir(parents=True, exist_ok=True)
    env["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    return env


def ensure(context: Context, *, dev: bool = False) -> None:
    """Make the environment and install the lock; nothing happens when its stamp fits and nothing was interrupted."""
    if ready(dev):
        return
    ensure_environment(context)
    install_lock(context, dev=dev)


def ensure_environment(context: Context) -> None:
    if _usable():
        _ensure_installer(context)
        return
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        _install_venv_module(context)
    with context.console.step("virtual environment"), unfinished():
        if VENV.exists():
            shutil.rmtree(VENV)
        SETUP_LOGS.mkdir(parents=True)
        MARK.touch()
        context.children.must(
            "Making the virtual environment",
            [sys.executable, "-m", "venv", VENV],
            env=tool_environment(),
            cwd=ROOT,
            log=SETUP_LOGS / "environment.log",
        )
    _ensure_installer(context)


def _usable() -> bool:
    """Say whether the environment's Python runs, has pip and is the version that runs this file."""
    if MARK.exists() or not in_place():
        return False
    ask = "import sys, pip; print(*sys.version_info[:2])"
    try:
        done = subprocess.run([in_venv("python"), "-c", ask], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.stdout.split() == [str(part) for part in sys.version_info[:2]]


def _install_venv_module(context: Context) -> None:
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    if not can_install():
        raise Stop(f"This Python cannot make virtual environments; install the package {package} and start again.")
    # Debian's own python3 has python3-venv; another minor version beside it has only the numbered package.
    install(context, [package], title=f"{package} by apt")


def _ensure_installer(context: Context) -> None:
    stamp = VENV / "installer.stamp"
    value = digest([INSTALLER_LOCK])
    if stamped(stamp, value) and in_venv("uv").exists():
        return
    with context.console.step("installer") as step, unfinished():
        args: list[str | Path] = [
            in_venv("python"),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--require-hashes",
            "-r",
            INSTALLER_LOCK,
        ]
        code = context.children.run(args, env=tool_environment(), cwd=ROOT, log=LOG, limit_s=600)
        if code == 0:
            write_stamp(stamp, value)
        else:
            step.note = "not to be had here, pip takes its place"


def install_lock(context: Context, *, dev: bool) -> None:
    lock = LOCKS[dev]
    title = "packages for tests and checks" if dev else "packages"
    with context.console.step(title) as step, unfinished():
        if in_venv("uv").exists():
            args: list[str | Path] = [in_venv("uv"), "pip", "install", "--python", in_venv("python")]
            args += ["--require-hashes", "-r", lock]
            code = context.children.run(args, env=tool_environment(), cwd=ROOT, log=LOG, on_line=step.heard)
            if code == 0:
                write_stamp(stamp_of(dev), wanted(dev))
                return
            step.detail = "uv failed, trying pip"
        args = [in_venv("python"), "-m", "pip", "install", "--require-hashes", "--no-deps", "-r", lock]
        context.children.must(
            "Installing the packages", args, env=tool_environment(), cwd=ROOT, log=LOG, on_line=step.heard
        )
        step.note = "by pip"
        write_stamp(stamp_of(dev), wanted(dev))
