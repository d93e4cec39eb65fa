"""Where an object lies while it is being received: a file beside the spool, bounded, gone when nobody wants it."""

from __future__ import annotations

import logging
import os
import uuid
import weakref
from pathlib import Path
from typing import Any

from annotation.dicom import Limits
from annotation.intake import spool

log = logging.getLogger(__name__)

LARGEST_OBJECT = Limits().file_bytes
"""No single image this program takes is larger; a sender that goes on is read and forgotten, not stored."""
LOOK_EVERY = 64 * 1024**2


def folder() -> Path:
    return spool.folder() / "landing"


def clear() -> None:
    """Drop what an earlier receiver left half received; whole objects have left this folder by a rename."""
    folder().mkdir(mode=spool.FOLDER_MODE, parents=True, exist_ok=True)
    for left in folder().iterdir():
        left.unlink(missing_ok=True)


class Landing:
    """Stands for the temporary file that pynetdicom writes an object to.

    When the object grows too large or the disk too full, the file goes and what follows is dropped: the handler finds
    no file and answers "out of resources", and the association lives on. An association that breaks off drops its
    half-received object with itself.
    """

    def __init__(self, *_: Any, **__: Any) -> None:
        self._path = folder() / uuid.uuid4().hex
        self._size = self._looked = 0
        self._dropped = False
        try:
            handle = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, spool.FILE_MODE)
        except OSError as fault:
            self._dropped, handle = True, os.open(os.devnull, os.O_WRONLY)
            log.warning("an object is not kept: %s", type(fault).__name__)
        # Unbuffered: the handler renames the file while this object is still open.
        self.file = os.fdopen(handle, "wb", buffering=0)
        weakref.finalize(self, self._path.unlink, missing_ok=True)

    @property
    def name(self) -> str:
        return str(self._path)

    def tell(self) -> int:
        return self._size

    def write(self, data: bytes) -> int:
        if self._dropped:
            return len(data)
        self._size += len(data)
        try:
            self._look()
            view = memoryview(data)
            while view:
                view = view[self.file.write(view) :]
        except OSError as fault:
            log.warning("an object is not kept: %s", getattr(fault, "sentence", None) or type(fault).__name__)
            self._dropped = True
            self._path.unlink(missing_ok=True)
        return len(data)

    def _look(self) -> None:
        if self._size > LARGEST_OBJECT:
            raise OSError("larger than an image may be")
        if self._size - self._looked > LOOK_EVERY:
            self._looked = self._size
            spool.check_room(0)

    def close(self) -> None:
        self.file.close()
