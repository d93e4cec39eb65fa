"""End the own current reading: lock it for ever, or set it aside; and what comes after it."""

from __future__ import annotations

import logging
import uuid

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from annotation import addresses, trail
from annotation.access import NotYours, writable_protocol
from annotation.models import Assignment, State
from annotation.people import Person
from annotation.protocol import check
from annotation.room.reading import Stale, Step, newest_of, next_reading, opened, saved_of

log = logging.getLogger(__name__)


class NoReason(ValueError):
    """An act that is kept on record came without its reason."""

    sentence = "Say in a few words why."


def lock(person: Person, reading_id: uuid.UUID, *, base: int) -> None:
    """Submit: the newest revision becomes the reading, for ever.

    Raises
    ------
    annotation.protocol.Invalid
        An answer is missing; the cells are named.
    """
    study, assignment = opened(person, reading_id)
    protocol = writable_protocol(study, State.READING)
    with transaction.atomic():
        held = Assignment.objects.select_for_update().get(pk=assignment.pk)
        newest = newest_of(held)
        if newest is None or newest.number != base:
            if newest is not None:
                raise Stale(saved_of(protocol, assignment, newest))
            check(protocol, assignment.form, {}, complete=True)
            raise NotYours
        check(protocol, assignment.form, newest.answers, complete=True)
        changed = Assignment.objects.filter(pk=held.pk, locked_revision__isnull=True).update(
            locked_revision=newest, locked_at=timezone.now()
        )
        if not changed:
            raise NotYours
        trail.record(study, person, "lock", subject=str(held.pk), after={"digest": newest.digest})
    addresses.close(assignment.pk)


def set_aside(person: Person, reading_id: uuid.UUID, *, reason: str) -> None:
    """Put a case that cannot be read now at the end of the own order."""
    study, assignment = opened(person, reading_id)
    writable_protocol(study, State.READING)
    said = reason.strip()[:200]
    if not said:
        raise NoReason
    with transaction.atomic():
        still_open = Assignment.objects.filter(pk=assignment.pk, locked_revision__isnull=True)
        if not still_open.update(set_aside_at=timezone.now(), set_aside_reason=said):
            raise NotYours  # another tab has locked it since
        trail.record(study, person, "set aside", subject=str(assignment.pk), reason=said)
    addresses.close(assignment.pk)


def after(person: Person, reading_id: uuid.UUID, *, session: str, ahead: str = "") -> Step | None:
    """Give what is to be read after an own reading that has just been closed, as `next_reading` gives it.

    None where that cannot be told now: the reading is closed all the same, and whoever closed it has to hear so.

    Raises
    ------
    NotYours
        Another's reading, or one that is neither locked nor set aside.
    """
    closed = Assignment.objects.filter(Q(locked_revision__isnull=False) | Q(set_aside_at__isnull=False))
    found = closed.filter(pk=reading_id, reader=person).values_list("study__code", "form").first()
    if found is None:
        raise NotYours
    code, form = found
    try:
        return next_reading(person, code, form, session=session, ahead=ahead)
    except Exception:  # whatever is wrong with the next case: this one is closed, and an error would say it is not
        log.exception("the case after a closed one could not be told")
        return None
