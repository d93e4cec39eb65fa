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
WHOLE = ".spondy-demo-whole"
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

    def take(self, *, reset: bool) -> bool:
        """Claim and lock the folder, and say whether it was emptied; a folder with somebody's work in it is refused.

        What a start left that was ended before its demo was whole is thrown away: nobody can have worked in it.
        """
        self._claim(reset=reset)
        self._lock()
        emptied = reset or self.half_made()
        if emptied:
            self._empty()
        for folder in (self.logs, self.run):
            folder.mkdir(exist_ok=True)
        return emptied

    def _claim(self, *, reset: bool) -> None:
        marker = self.path / MARKER
        if marker.is_file():
            return
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise Stop(f"The data folder {self.path} cannot be made: {error.strerror}.") from None
        foreign = sorted(entry.name for entry in self.path.iterdir() if entry.name not in UNUSED)
        store = self.path / "store"
        if not foreign and store.is_dir() and any(store.iterdir()):
            foreign = ["store"]
        if foreign or has_work(self.path / "spondy.sqlite3"):
            what = f"{foreign[0]} in it" if foreign else "accounts or studies in it"
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

    def half_made(self) -> bool:
        return (self.path / "spondy.sqlite3").exists() and not (self.path / WHOLE).exists()

    def mark_whole(self) -> None:
        (self.path / WHOLE).touch()

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


def has_work(database: Path) -> bool:
    """Say whether people or studies are in this SQLite file; a file that cannot be read counts as in use."""
    if not database.is_file() or database.stat().st_size == 0:
        return False
    try:
        with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)) as connection:
            names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            asked = sorted(names & {"auth_user", "annotation_study"})
            return any(connection.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone() for name in asked)
    except sqlite3.Error:
        return True
