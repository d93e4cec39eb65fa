"""Everything the repository shows of the phantom, drawn anew: the contact sheet of the docs and the atlas."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from . import atlas, contact

PROCESSES = 2


def publish(docs: Path, plates: Path) -> list[Path]:
    """Write the pictures of the documentation and those beside the criteria, from the same cases.

    Parameters
    ----------
    docs
        Folder of the contact sheet.
    plates
        Folder of the atlas; pictures of before are taken away.
    """
    for folder in (docs, plates):
        folder.mkdir(parents=True, exist_ok=True)
    names = [row.name for row in contact.rows()]
    written: dict[atlas.Key, atlas.Entry] = {}
    files = []
    with ProcessPoolExecutor(PROCESSES) as pool:
        for path, entries in pool.map(partial(_row, docs, plates), names):
            files.append(path)
            written |= entries
    return [*files, atlas.write_manifest(plates, written)]


def _row(docs: Path, plates: Path, name: str) -> tuple[Path, dict[atlas.Key, atlas.Entry]]:
    row = next(row for row in contact.rows() if row.name == name)
    drawn = dict(contact.cases(row, seed=atlas.SEED, size=atlas.SIZE))
    return contact.write_page(docs, row, drawn.items()), atlas.write_plates(plates, row, drawn)
