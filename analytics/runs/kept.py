"""The files of a run in the store: one archive, and the body of its page. Written whole or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import uuid
import zipfile
from collections.abc import Mapping
from typing import IO, Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

FIXED = (2000, 1, 1, 0, 0, 0)
STORED = (".png", ".zip", ".docx", ".xlsx")  # packed already


def keep(run: uuid.UUID, files: Mapping[str, bytes]) -> str:
    """Store all files as one archive; equal files are kept once, also when a worker died before it told anybody."""
    return _put(run, packed(files), "zip")


def packed(files: Mapping[str, bytes]) -> bytes:
    """Put files into one archive whose bytes depend on nothing but them."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in sorted(files.items()):
            kind = zipfile.ZIP_STORED if name.endswith(STORED) else zipfile.ZIP_DEFLATED
            entry = zipfile.ZipInfo(name, FIXED)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data, kind)
    return made.getvalue()


def keep_page(run: uuid.UUID, page: Mapping[str, Any]) -> str:
    return _put(run, json.dumps(page, ensure_ascii=False).encode(), "json")


def keep_table(run: uuid.UUID, data: bytes) -> str:
    return _put(run, data, "csv")


def table(name: str) -> bytes:
    with default_storage.open(name) as file:
        found: bytes = file.read()
    return found


def _put(run: uuid.UUID, data: bytes, ending: str) -> str:
    name = f"exports/{run}/{hashlib.sha256(data).hexdigest()[:32]}.{ending}"
    if default_storage.exists(name):
        if default_storage.size(name) == len(data):
            return name
        default_storage.delete(name)  # a worker was killed while it wrote
    return default_storage.save(name, ContentFile(data))


def page(name: str) -> dict[str, Any]:
    with default_storage.open(name) as file:
        found: dict[str, Any] = json.load(file)
    return found


def whole(name: str) -> IO[bytes]:
    """Open the archive itself, to be sent in pieces."""
    return default_storage.open(name)


def member(name: str, path: str) -> bytes:
    """Give one file of the archive by its exact path; ``KeyError`` where there is none."""
    with default_storage.open(name) as file, zipfile.ZipFile(file) as archive:
        return archive.read(path)


def listed(name: str) -> dict[str, int]:
    """Name every file of the archive with its size."""
    with default_storage.open(name) as file, zipfile.ZipFile(file) as archive:
        return {entry.filename: entry.file_size for entry in archive.infolist()}
