"""Where things lie, and the two ways in which a command can end early."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAUNCHER = ROOT / "deploy" / "launcher"
VENV = ROOT / ".venv"
SETUP_LOGS = VENV / "log"
VIEWER = ROOT / "viewer"
BUNDLE = ROOT / "static" / "viewer"
LOOPBACK = "127.0.0.1"


class Stop(Exception):
    """The command cannot go on; the message is a sentence for the person at the terminal."""

    def __init__(self, sentence: str, code: int = 1) -> None:
        super().__init__(sentence)
        self.code = code


class Ended(BaseException):
    """Ctrl-C, SIGTERM or SIGHUP arrived. Not an Exception, so that nothing swallows it."""


def in_venv(name: str) -> Path:
    return VENV / "bin" / name


def shown(path: Path) -> str:
    """Name a path shortly: relative to the project where it lies inside."""
    try:
        return str(path.relative_to(ROOT))
    except ValueError:
        return str(path)


def tail(path: Path, lines: int = 15) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 16_384))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(f"    {line}" for line in text.rstrip().splitlines()[-lines:])


OURS = (
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "SECRET_KEY_FILE",
    "DEBUG",
    "ALLOWED_HOSTS",
    "CSRF_TRUSTED_ORIGINS",
    "STORAGE_URL",
    "EMAIL_URL",
    "DJANGO_SETTINGS_MODULE",
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONDONTWRITEBYTECODE",
)


def bare_environment() -> dict[str, str]:
    """The caller's environment without what configures Spondy: a demo or a test must never touch a real study.

    Nor with what forbids Python to keep its compiled modules: each start of a process would compile them all anew.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in OURS and not name.startswith(("SPONDY_", "OIDC_"))
    }
    kept["PYTHONUNBUFFERED"] = "1"
    kept["PATH"] = f"{VENV / 'bin'}{os.pathsep}{kept.get('PATH', os.defpath)}"
    return kept
