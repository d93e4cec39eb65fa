"""Append an event to a study's trail, and the seal of a revision. The only writer of the event table."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from annotation.models import Event, Membership, Revision, Study
from annotation.people import Person


def chained(previous: str, content: dict[str, Any]) -> str:
    """Seal `content` with the digest before it, so that a changed, missing or swapped row shows."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()


def _content(event: Event) -> dict[str, Any]:
    return {
        "number": event.number,
        "actor": event.actor_id,
        "role": event.role,
        "verb": event.verb,
        "subject": event.subject,
        "before": event.before,
        "after": event.after,
        "reason": event.reason,
        "at": event.at.isoformat(),
    }


def record(
    study: Study | int,
    actor: Person | None,
    verb: str,
    *,
    subject: str = "",
    before: Any = None,
    after: Any = None,
    reason: str = "",
) -> Event:
    """Add one event inside the caller's transaction."""
    with transaction.atomic():
        # The chain has one end: whoever adds to it holds the study's row (SQLite holds the whole file already).
        study = Study.objects.select_for_update().get(pk=study if isinstance(study, int) else study.pk)
        last = Event.objects.filter(study=study).order_by("-number").first()
        role = (
            Membership.objects.filter(study=study, user=actor).values_list("role", flat=True).first() if actor else None
        )
        event = Event(
            study=study,
            number=last.number + 1 if last else 1,
            actor=actor,
            role=role or "",
            verb=verb,
            subject=subject,
            before=before,
            after=after,
            reason=reason,
            at=timezone.now(),
            previous_digest=last.digest if last else "",
        )
        event.digest = chained(event.previous_digest, _content(event))
        event.save()
    return event


def revision_digest(revision: Revision) -> str:
    """Give the digest that chains a revision to the one before it."""
    content = {
        "assignment": str(revision.assignment_id),
        "number": revision.number,
        "answers": revision.answers,
        "evidence": revision.evidence,
        "remarks": revision.remarks,
        "kept": revision.kept,
        "saved_at": revision.saved_at.isoformat(),
    }
    return chained(revision.previous_digest, content)


def order_digest(cases: Iterable[int]) -> str:
    """Seal a drawn block of cases; the event of the draw carries it, so that a swapped place shows."""
    return hashlib.sha256(",".join(map(str, cases)).encode()).hexdigest()


def image_digest(header: Mapping[str, Any], frames: Sequence[str]) -> str:
    """Seal a stored image: its header and the digests of its frames."""
    total = hashlib.sha256(json.dumps(header, sort_keys=True, separators=(",", ":")).encode())
    for digest in frames:
        total.update(bytes.fromhex(digest))
    return total.hexdigest()


def keepable(header: dict[str, Any]) -> dict[str, Any]:
    """Give a JSON value as every database gives it back: PostgreSQL knows no -0.0, and a seal would not fit."""
    if "-0.0" not in json.dumps(header):
        return header
    whole: dict[str, Any] = _without_minus_zero(header)
    return whole


def _without_minus_zero(value: Any) -> Any:
    if isinstance(value, float):
        return value + 0.0
    if isinstance(value, dict):
        return {key: _without_minus_zero(inner) for key, inner in value.items()}
    return [_without_minus_zero(inner) for inner in value] if isinstance(value, list) else value


def faults(study: Study) -> Iterator[str]:
    """Re-check the chain of a study; one sentence a fault."""
    previous, number = "", 0
    for event in Event.objects.filter(study=study).order_by("number").iterator():
        number += 1
        if event.number != number:
            yield f"Study {study.code}: the trail jumps from event {number - 1} to {event.number}."
            number = event.number
        if event.previous_digest != previous or event.digest != chained(previous, _content(event)):
            yield f"Study {study.code}: event {event.number} of the trail does not fit its seal."
        previous = event.digest
