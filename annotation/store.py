"""Image bytes by digest, through Django's storage API. Knows no patient, no study, no series."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, default_storage


class MissingBytes(FileNotFoundError):
    """The store does not hold what the database names."""


class Full(OSError):
    """The disk of the store takes no more."""

    sentence = "The server's disk is full; the image was not stored. Tell the operator."


def _name(digest: str) -> str:
    return f"frames/{digest[:2]}/{digest[2:4]}/{digest}"


def put(data: bytes, *, storage: Storage = default_storage) -> str:
    """Keep `data` and give its SHA-256; the same bytes are kept once."""
    digest = hashlib.sha256(data).hexdigest()
    name = _name(digest)
    if storage.exists(name):
        return digest
    try:
        path = Path(storage.path(name))
    except NotImplementedError:  # a remote store writes whole objects by itself
        storage.save(name, ContentFile(data))
        return digest
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written beside and renamed: a killed worker leaves no half frame under a digest.
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # a name must never stand for bytes that a power cut has lost
        os.replace(part, path)
    except OSError as fault:
        part.unlink(missing_ok=True)
        if fault.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Full(Full.sentence) from fault
        raise
    return digest


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
