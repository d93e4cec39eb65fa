"""Bytes that nobody may need any more: those of excluded series and those from before a mask."""

from __future__ import annotations

from collections.abc import Iterable

from annotation import store
from annotation.models import Instance


def unused(digests: Iterable[str]) -> set[str]:
    """Give those digests that no image of a series that is not excluded names, in whichever study.

    Frames are kept once by their bytes, so an empty slice of one patient is the empty slice of many.
    """
    left = set(digests)
    kept = Instance.objects.filter(series__excluded_reason="").values_list("frames", flat=True)
    for frames in kept.iterator(chunk_size=2000) if left else ():
        left.difference_update(frame["digest"] for frame in frames)
        if not left:
            break
    return left


def drop_unused(digests: Iterable[str]) -> int:
    """Remove what is in nobody's use from the store; says how much that was. Safe to repeat."""
    gone = unused(digests)
    for digest in gone:
        store.drop(digest)
    return len(gone)
