"""The images of the case that comes next, and the mark by which they are known again when it is opened."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from django.conf import settings

from annotation import addresses
from annotation.models import Instance, Series
from annotation.room.stacks import Rules, Stack


@dataclass(frozen=True)
class Ahead:
    """What may be told of a case before the one before it is closed: its images, and nothing else."""

    stacks: tuple[Stack, ...]
    mark: str


def mark_of(assignment: uuid.UUID, series: Sequence[Series], rules: Rules, *, session: str) -> str:
    """Seal all that the stacks of a reading are made from; it says nothing to its holder.

    Stacks with the same mark are the same, addresses included. It costs a small part of making them: what is stored of
    an image is told by its digest.
    """
    images = Instance.objects.filter(series__in=series).order_by("pk").values_list("series", "sop_uid", "digest")
    shown = [[one.pk, one.series_uid, one.modality, one.role, one.title, one.parameters] for one in series]
    made_from = [str(assignment), session, addresses.expiry(), asdict(rules), shown, list(images)]
    text = json.dumps(made_from, sort_keys=True)
    return hmac.new(settings.SECRET_KEY.encode(), f"images ahead:{text}".encode(), hashlib.sha256).hexdigest()
