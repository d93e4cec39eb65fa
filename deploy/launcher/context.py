"""The few things every command needs, handed around as one value."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from launcher.children import Children
from launcher.console import Console
from launcher.places import ROOT, Stop


@dataclass
class Context:
    console: Console = field(default_factory=Console)
    children: Children = field(default_factory=Children)


def digest(paths: Iterable[Path], *, base: Path = ROOT, extra: str = "") -> str:
    """One digest over names and contents, in an order that does not depend on the file system."""
    total = hashlib.sha256(extra.encode())
    for path in sorted(paths):
        total.update(f"\0{path.relative_to(base).as_posix()}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def stamped(stamp: Path, value: str) -> bool:
    try:
        return stamp.read_text().strip() == value
    except OSError:
        return False


def write_stamp(stamp: Path, value: str) -> None:
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(f"{value}\n")


@contextmanager
def setup_lock(context: Context, root: Path = ROOT) -> Iterator[None]:
    """Let one launcher at a time set up this folder; a second one waits, visibly."""
    handle = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with context.console.step("waiting for another ./run that is setting up this folder"):
                _wait_for(context, handle)
        except OSError as error:
            raise Stop(f"{root} cannot be locked ({error.strerror}); put the project on a local disk.") from None
        yield
    finally:
        os.close(handle)


def _wait_for(context: Context, handle: int) -> None:
    while True:
        context.children.rest(0.2)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        return
