"""Image bytes by digest, through Django's storage API. Knows no patient, no study, no series."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, default_storage

SYNCED_AT_ONCE = 8


class MissingBytes(FileNotFoundError):
    """The store does not hold what the database names."""


class Full(OSError):
    """The disk of the store takes no more."""

    sentence = "The server's disk is full; the image was not stored. Tell the operator."


def _name(digest: str) -> str:
    return f"frames/{digest[:2]}/{digest[2:4]}/{digest}"


def put(data: bytes, *, durable: bool = True, storage: Storage = default_storage) -> str:
    """Keep `data` and give its SHA-256; the same bytes are kept once.

    What is put without `durable` has to go through `settle` before a row names it: many are made sure at once, and a
    wait for the disk each would take longer than all else that is done with them.
    """
    digest = hashlib.sha256(data).hexdigest()
    name = _name(digest)
    path = _path(name, storage)
    if path is None:  # a remote store writes whole objects by itself
        if not storage.exists(name):
            storage.save(name, ContentFile(data))
    elif not _stands(path, digest):
        _write(path, data, durable=durable)
    elif durable:
        _sync(path)
    return digest


def settle(digests: Iterable[str], *, storage: Storage = default_storage) -> None:
    """Wait until bytes that were put without `durable` are safe from a power cut; what is gone is passed over."""
    paths = [path for digest in digests if (path := _path(_name(digest), storage)) is not None]
    # Side by side, so that the disk is asked once for many of them.
    with ThreadPoolExecutor(SYNCED_AT_ONCE) as hands:
        for _ in hands.map(_sync, paths):
            pass


def _path(name: str, storage: Storage) -> Path | None:
    try:
        return Path(storage.path(name))
    except NotImplementedError:
        return None


def _stands(path: Path, digest: str) -> bool:
    """Whether the bytes of a name are there. A power cut may have left a name without them: so it is not believed."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == digest
    except FileNotFoundError:
        return False


def _write(path: Path, data: bytes, *, durable: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written beside and renamed: a killed worker leaves no half frame under a digest.
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with part.open("xb", buffering=0) as file:
            view = memoryview(data)
            while view:
                view = view[file.write(view) :]
            if durable:
                os.fsync(file.fileno())
            elif hasattr(os, "posix_fadvise"):  # begins to write it to the disk, so that `settle` waits less
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        os.replace(part, path)
    except OSError as fault:
        part.unlink(missing_ok=True)
        raise _told(fault) from fault


def _sync(path: Path) -> None:
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        os.fsync(handle)
    except OSError as fault:
        raise _told(fault) from fault
    finally:
        os.close(handle)


def _told(fault: OSError) -> OSError:
    return Full(Full.sentence) if fault.errno in (errno.ENOSPC, errno.EDQUOT) else fault


def get(digest: str, *, storage: Storage = default_storage) -> bytes:
    try:
        with storage.open(_name(digest), "rb") as file:
            data: bytes = file.read()
    except FileNotFoundError:
        raise MissingBytes(f"The store holds no frame {digest[:12]}.") from None
    return data


def holds(digest: str, *, storage: Storage = default_storage) -> bool:
    return storage.exists(_name(digest))


def drop(digest: str, *, storage: Storage = default_storage) -> None:
    """Remove bytes for good; that nobody else needs them is the caller's to know."""
    storage.delete(_name(digest))


def writable(*, storage: Storage = default_storage) -> bool:
    """Try the store as `/readyz` asks: can a small object be written, now?"""
    try:
        storage.delete(storage.save(f"ready/{secrets.token_hex(8)}", ContentFile(b"ready")))
    except OSError:
        return False
    return True
