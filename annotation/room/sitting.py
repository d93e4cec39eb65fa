"""A sitting: one stretch of time that a reader spends on a form, as its saves show it."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from annotation.models import Sitting, Study
from annotation.people import Person

NEW_SITTING_AFTER = timedelta(minutes=15)
LONGEST_ACTIVE_GAP_S = 120.0


def sitting_of(study: Study, person: Person, form: str) -> Sitting:
    now = timezone.now()
    last = Sitting.objects.filter(study=study, reader=person, form=form).order_by("-closed_at").first()
    if last is None or now - last.closed_at > NEW_SITTING_AFTER:
        return Sitting.objects.create(study=study, reader=person, form=form, opened_at=now, closed_at=now)
    last.active_s += min((now - last.closed_at).total_seconds(), LONGEST_ACTIVE_GAP_S)
    last.closed_at = now
    last.save(update_fields=["active_s", "closed_at"])
    return last
