"""Bytes that nobody may need any more: those of excluded series and those from before a mask."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Max

from annotation import store
from annotation.models import Instance, Study


def unused(digests: Iterable[str], *, newer_than: int = 0) -> set[str]:
    """Give those digests that no image of a series that is not excluded names, in whichever study.

    Frames are kept once by their bytes, so an empty slice of one patient is the empty slice of many.
    """
    left = set(digests)
    kept = Instance.objects.filter(series__excluded_reason="", pk__gt=newer_than).values_list("frames", flat=True)
    for frames in kept.iterator(chunk_size=2000) if left else ():
        left.difference_update(frame["digest"] for frame in frames)
        if not left:
            break
    return left


def drop_unused(digests: Iterable[str]) -> int:
    """Remove what is in nobody's use from the store; says how much that was. Safe to repeat.

    The long look over all images holds nobody up. Then, with every study held, so that nobody writes rows of images, it
    looks at those that came meanwhile and removes. An import whose bytes went before its rows were written notices
    that with its own study held, and takes the file again.
    """
    newest = Instance.objects.aggregate(newest=Max("pk"))["newest"] or 0
    gone = unused(digests)
    if not gone:
        return 0
    with transaction.atomic():
        list(Study.objects.select_for_update().order_by("pk").values_list("pk", flat=True))
        gone = unused(gone, newer_than=newest)
        for digest in gone:
            store.drop(digest)
    return len(gone)
