"""Where files of a batch lie: single files and folders, walked without following links."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def files(paths: list[Path]) -> Iterator[Path]:
    """Give every plain file, folders in the order of their names; links and special files are passed over."""
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
