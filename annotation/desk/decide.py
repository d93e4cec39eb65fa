"""What the coordinator decides about a case's series: role, release, exclusion, looked at. Each act is on record."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.utils import timezone

from annotation import intake, jobs, trail
from annotation.access import NotYours, WrongState, study_for
from annotation.desk.acts import NotConfirmed
from annotation.desk.gate import movable, reopened, series_of, study_held
from annotation.desk.look import seen_of
from annotation.desk.masking import masking_now
from annotation.desk.setup import BadSetting
from annotation.dicom.roles import ROLE_TITLES
from annotation.models import Case, Role, Series, Study
from annotation.people import Person

REASON_LENGTH = 200
AT_THE_DESK = "set at the desk"


@contextmanager
def _series_to_change(person: Person, code: str, series_id: int) -> Iterator[tuple[Study, Series]]:
    """Hold the study and give a series of a case that nobody reads yet; what the block does is done or not at all."""
    study = study_for(person, code, Role.COORDINATOR)
    with transaction.atomic():
        study = study_held(study)
        one = series_of(study, series_id)
        movable(study, one.case)
        yield study, one


def said(reason: str, sentence: str) -> str:
    """Give the reason without the space around it; an act of judgement is not recorded without one."""
    text = reason.strip()
    if not text:
        raise NotConfirmed(sentence)
    return text[:REASON_LENGTH]


def name_of(one: Series) -> str:
    """Name a series in the trail; its case and its row, no more."""
    return f"{one.case}, series {one.pk}"


def set_role(person: Person, code: str, series_id: int, *, role: str) -> None:
    """Say what a series is; once its case lies in a reader's order, that is fixed."""
    if role not in ROLE_TITLES:
        raise BadSetting("role", f"There is no series role “{role}”.")
    with _series_to_change(person, code, series_id) as (study, one):
        if one.excluded_reason:
            raise WrongState("This series is excluded; it has no role any more.")
        before, one.role, one.title = one.role, role, ROLE_TITLES[role]
        if before == role and one.role_reason == AT_THE_DESK:
            return
        one.role_reason = AT_THE_DESK
        one.save(update_fields=["role", "title", "role_reason"])
        trail.record(study, person, "set series role", subject=name_of(one), before=before, after=role)
        if before != role:
            reopened(study, person, one.case, "The role of a series was changed.")


def release_series(person: Person, code: str, series_id: int, *, reason: str) -> None:
    """Let a held series be shown: the coordinator has looked at it and says why it may be."""
    text = said(reason, "Say why the series may be shown; the reason is kept in the trail.")
    with _series_to_change(person, code, series_id) as (study, one):
        if one.excluded_reason or not one.held_reason:
            raise WrongState("This series is not held back.")
        if masking_now(one):
            raise WrongState("A rectangle of this series is just being masked; look at it again afterwards.")
        before, one.held_reason, one.looked_at = one.held_reason, "", timezone.now()
        one.save(update_fields=["held_reason", "looked_at"])
        trail.record(study, person, "release series", subject=name_of(one), before=before, reason=text)
        reopened(study, person, one.case, "A held series was released.")


def exclude_series(person: Person, code: str, series_id: int, *, reason: str) -> None:
    """Never show a series: its bytes leave the store, its row stays, so that the same files come in no second time."""
    text = said(reason, "Say why the series is excluded; the reason is kept in the trail.")
    with _series_to_change(person, code, series_id) as (study, one):
        if one.excluded_reason:
            raise WrongState("This series is excluded already.")
        one.excluded_reason = text
        one.save(update_fields=["excluded_reason"])
        trail.record(study, person, "exclude series", subject=name_of(one), before=one.held_reason, reason=text)
        reopened(study, person, one.case, "A series was excluded.")
        params = {"series": one.pk}
        jobs.start("purge", title="Bytes of an excluded series", study=study, params=params, by=person)


def look_at(person: Person, code: str, pseudonym: str, *, seen: str | None = None) -> int:
    """Say that the images of a case were looked at; gives how many series that is new for.

    `seen` is the mark of the page that was looked at: what has come or changed since then was not. What is held
    back is not cleared by a look, it waits for a decision.
    """
    study = study_for(person, code, Role.COORDINATOR)
    with transaction.atomic():
        study = study_held(study)
        case = Case.objects.select_related("patient").filter(patient__study=study, patient__pseudonym=pseudonym).first()
        if case is None:
            raise NotYours
        series = list(Series.objects.filter(case=case))
        if seen is not None and seen != seen_of(series):
            raise WrongState(f"The images of {case} have changed since this page was opened; look at them again.")
        unseen = [
            one for one in series
            if not (one.held_reason or one.excluded_reason or one.looked_at or intake.STALE in one.parameters)
        ]  # fmt: skip
        if unseen:
            movable(study, case)
            Series.objects.filter(pk__in=[one.pk for one in unseen]).update(looked_at=timezone.now())
            trail.record(study, person, "look at images", subject=str(case), after={"series": len(unseen)})
    return len(unseen)
