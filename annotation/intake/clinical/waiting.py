"""A table between upload and confirmation: in the data folder, for its owner alone, for an hour at most.

It holds what the hospital sent, so it lies apart from database and store, mode 0600, under a name nobody can guess.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
from pathlib import Path
from typing import Any

from django.conf import settings

KEPT_S = 3600
_TOKEN = re.compile(r"[0-9a-f]{32}")
_TABLE, _ABOUT = "table.json", "about.json"


class Gone(LookupError):
    """No table waits under this name for this person."""


def folder() -> Path:
    return Path(settings.DATA_DIR) / "spool" / "tables"


def put(owner: str, table: dict[str, Any], about: dict[str, Any]) -> str:
    """Let a table wait for `owner` (a person in a study); gives the token under which it is found again."""
    sweep()
    token = secrets.token_hex(16)
    home = folder() / token
    home.mkdir(mode=0o700, parents=True)
    _write(home / _TABLE, table)
    _write(home / _ABOUT, {"owner": owner, "about": about})
    return token


def get(owner: str, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the table and what is noted with it; raises Gone, also for another's."""
    about = _about(owner, token)
    try:
        table: dict[str, Any] = json.loads((folder() / token / _TABLE).read_text())
    except (OSError, ValueError):
        raise Gone from None
    return table, about


def note(owner: str, token: str, about: dict[str, Any]) -> None:
    _about(owner, token)
    _write(folder() / token / _ABOUT, {"owner": owner, "about": about})


def drop(owner: str, token: str) -> None:
    _about(owner, token)
    shutil.rmtree(folder() / token, ignore_errors=True)


def sweep() -> None:
    """Remove what has waited too long."""
    if not folder().is_dir():
        return
    for home in folder().iterdir():
        if _age_s(home) > KEPT_S:
            shutil.rmtree(home, ignore_errors=True)


def _age_s(home: Path) -> float:
    """Count from the upload: a mapping that is changed again and again keeps nothing alive."""
    try:
        return time.time() - (home / _TABLE).stat().st_mtime
    except OSError:
        try:
            return time.time() - home.stat().st_mtime
        except OSError:
            return 0.0


def _about(owner: str, token: str) -> dict[str, Any]:
    home = folder() / token
    if not _TOKEN.fullmatch(token) or _age_s(home) > KEPT_S:
        raise Gone
    try:
        kept = json.loads((home / _ABOUT).read_text())
    except (OSError, ValueError):
        raise Gone from None
    if kept["owner"] != owner:
        raise Gone
    about: dict[str, Any] = kept["about"]
    return about


def _write(path: Path, document: dict[str, Any]) -> None:
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(document, file, separators=(",", ":"))
    part.replace(path)
