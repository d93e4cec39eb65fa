"""The data folder of a demo: claimed by a marker, locked by one launcher, deleted only when the demo made it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from launcher.children import Children, wipe_group
from launcher.places import Stop, shown

MARKER = ".spondy-demo"
# What a `manage.py` command leaves in a folder nobody has worked in yet.
UNUSED = {
    "secret.key",
    "pseudonym.key",
    "spondy.sqlite3",
    "spondy.sqlite3-wal",
    "spondy.sqlite3-shm",
    "store",
    "static",
    "test.sqlite3",
    "logs",
    "run",
}
LOG_LIMIT = 5_000_000


class DataFolder:
    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().resolve()
        self.logs = self.path / "logs"
        self.run = self.path / "run"
        self._handle = -1

    def take(self, *, reset: bool) -> None:
        """Claim and lock the folder; a folder with somebody's work in it is refused."""
        self._claim(reset=reset)
        self._lock()
        if reset:
            self._empty()
        for folder in (self.logs, self.run):
            folder.mkdir(exist_ok=True)

    def _claim(self, *, reset: bool) -> None:
        marker = self.path / MARKER
        if marker.is_file():
            return
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise Stop(f"The data folder {self.path} cannot be made: {error.strerror}.") from None
        foreign = sorted(entry.name for entry in self.path.iterdir() if entry.name not in UNUSED)
        if foreign or has_accounts(self.path / "spondy.sqlite3"):
            what = f"{foreign[0]} in it" if foreign else "accounts in it"
            verb = "deletes" if reset else "uses"
            raise Stop(
                f"{shown(self.path)} has {what} that no demo made; the demo {verb} only its own folders. "
                "Name another one with --data."
            )
        try:
            marker.write_text("Made by ./run demo; `./run demo --reset` deletes everything beside this file.\n")
        except OSError as error:
            raise Stop(f"The data folder {self.path} cannot be written to: {error.strerror}.") from None

    def _lock(self) -> None:
        # The handle is not inherited by children, so the lock ends with this process, however it ends.
        self._handle = os.open(self.path / MARKER, os.O_RDWR)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Stop(
                f"Another ./run demo is using {shown(self.path)}; stop it first or name another --data."
            ) from None

    def _empty(self) -> None:
        for entry in self.path.iterdir():
            if entry.name == MARKER:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()

    def log(self, name: str) -> Path:
        """Give the path of a log, after putting an overgrown one aside."""
        path = self.logs / f"{name}.log"
        with contextlib.suppress(OSError):
            if path.stat().st_size > LOG_LIMIT:
                path.replace(path.with_suffix(".log.1"))
        return path

    def note(self, name: str, pid: int) -> None:
        (self.run / f"{name}.pid").write_text(f"{pid}\n")

    def unnote(self, name: str) -> None:
        (self.run / f"{name}.pid").unlink(missing_ok=True)

    def end_survivors(self, children: Children) -> list[str]:
        """End what an earlier launcher that was killed left running on this folder; only with the lock held."""
        ended = []
        for file, pid in self._noted():
            if self._is_ours(pid):
                self._end_stranger(pid, children)
                ended.append(file.stem)
            file.unlink(missing_ok=True)
        return ended

    def _noted(self) -> Iterator[tuple[Path, int]]:
        for file in sorted(self.run.glob("*.pid")):
            text = file.read_text().strip()
            if text.isdigit():
                yield file, int(text)

    def _is_ours(self, pid: int) -> bool:
        # A pid is reused sooner or later: the process must have been given this very data folder.
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            return False
        return f"SPONDY_DATA_DIR={self.path}".encode() in environment.split(b"\0")

    def _end_stranger(self, pid: int, children: Children) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, 15)
        for _ in range(50):
            if not Path(f"/proc/{pid}").exists():
                break
            children.rest(0.1)
        wipe_group(pid)


def has_accounts(database: Path) -> bool:
    """Say whether people have accounts in this SQLite file; a file that cannot be read counts as in use."""
    if not database.is_file() or database.stat().st_size == 0:
        return False
    try:
        with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)) as connection:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE name = 'auth_user'").fetchall()
            return bool(tables) and bool(connection.execute("SELECT 1 FROM auth_user LIMIT 1").fetchall())
    except sqlite3.Error:
        return True
