"""Where files come from: single files, folders, zip archives. Bytes with a neutral number, one after the other."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LARGEST_FILE = 1024**3
LARGEST_ARCHIVE_TOTAL = 64 * 1024**3
MOST_MEMBERS = 500_000


@dataclass(frozen=True)
class Received:
    """One candidate file: its bytes, or why they could not be had."""

    data: bytes
    refusal: tuple[str, str] | None = None


def _refused(code: str, sentence: str) -> Received:
    return Received(b"", (code, sentence))


def count(paths: list[Path]) -> int:
    """Count what `read` will give, without opening images; for the progress bar."""
    total = 0
    for path in _files(paths):
        if _is_zip(path):
            try:
                with zipfile.ZipFile(path) as archive:
                    total += sum(not member.is_dir() for member in archive.infolist())
            except zipfile.BadZipFile:
                total += 1
        else:
            total += 1
    return total


def read(paths: list[Path]) -> Iterator[Received]:
    for path in _files(paths):
        if _is_zip(path):
            yield from _members(path)
        else:
            yield _file(path)


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            for folder, folders, names in os.walk(path, followlinks=False):
                folders.sort()
                for name in sorted(names):
                    found = Path(folder) / name
                    if not found.is_symlink() and found.is_file():
                        yield found
        elif path.is_file():
            yield path


def _is_zip(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PK\x03\x04"
    except OSError:
        return False


def _file(path: Path) -> Received:
    try:
        if path.stat().st_size > LARGEST_FILE:
            return _refused("too_large", "The file is larger than 1 GiB.")
        return Received(path.read_bytes())
    except OSError:
        return _refused("unreadable", "The file could not be read from the disk.")


def _members(path: Path) -> Iterator[Received]:
    """Stream an archive's members with budgets; nothing is written out and no member's name is used."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError):
        yield _refused("bad_zip", "The zip archive is damaged.")
        return
    budget = LARGEST_ARCHIVE_TOTAL
    with archive:
        for number, member in enumerate(archive.infolist()):
            if number >= MOST_MEMBERS or budget <= 0:
                yield _refused("zip_budget", "The archive holds more than this intake takes at once; split it.")
                return
            if member.is_dir():
                continue
            received = _member(archive, member, min(budget, LARGEST_FILE))
            budget -= len(received.data)
            yield received


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> Received:
    if member.flag_bits & 1:
        return _refused("encrypted", "A file in the zip archive is encrypted; unpack it first.")
    try:
        with archive.open(member) as file:
            data = file.read(most + 1)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError):
        return _refused("bad_zip_member", "A file in the zip archive is damaged.")
    if len(data) > most:
        return _refused("too_large", "A file in the zip archive is larger than this intake takes.")
    if data[:4] == b"PK\x03\x04":
        return _refused("nested_zip", "A zip archive inside a zip archive is not opened; unpack it first.")
    return Received(data)
