"""A sitting: one stretch of time that a reader spends on a form, as its saves show it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from annotation.models import Sitting, Study
from annotation.people import Person

NEW_SITTING_AFTER = timedelta(minutes=15)
LONGEST_ACTIVE_GAP_S = 120.0


def sitting_of(study: Study, person: Person, form: str) -> Sitting:
    now = timezone.now()
    last = Sitting.objects.filter(study=study, reader=person, form=form).order_by("-closed_at").first()
    if last is None or now - last.closed_at > NEW_SITTING_AFTER:
        said = display_said(study, person)
        return Sitting.objects.create(study=study, reader=person, form=form, opened_at=now, closed_at=now, display=said)
    last.active_s += min((now - last.closed_at).total_seconds(), LONGEST_ACTIVE_GAP_S)
    last.closed_at = now
    last.save(update_fields=["active_s", "closed_at"])
    return last


def display_said(study: Study, person: Person) -> dict[str, Any]:
    """Give what was said of screen and room in this stretch of reading, on whichever form."""
    since = timezone.now() - NEW_SITTING_AFTER
    recent = Sitting.objects.filter(study=study, reader=person, closed_at__gte=since).exclude(display={})
    return recent.order_by("-closed_at").values_list("display", flat=True).first() or {}
