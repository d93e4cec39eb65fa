"""Until when a study takes anything in: images until the readings are locked, values until it is unblinded."""

from __future__ import annotations

from annotation import trail
from annotation.access import WrongState
from annotation.models import Case, State, Study
from annotation.people import Person


def still_open(study: Study, *, images: bool) -> None:
    """Refuse what comes too late, by the state as it stands in the database now.

    Inside a transaction the study's row is held, so that nobody locks or unblinds it meanwhile.
    """
    study.state = Study.objects.select_for_update().values_list("state", flat=True).get(pk=study.pk)
    if study.has_reached(State.UNBLINDED):
        raise WrongState(f"Study {study.code} is unblinded; nothing is taken in any more.")
    if images and study.has_reached(State.READINGS_LOCKED):
        raise WrongState(f"The readings of study {study.code} are locked; no image is taken in any more.")


def reopened(study: Study, person: Person | None, case: Case, why: str) -> None:
    """Take the release of a case back, on record: what was released is never something else a moment later."""
    if case.released_at is None:
        return
    case.released_at = None
    case.save(update_fields=["released_at"])
    trail.record(study, person, "withdraw release", subject=str(case), reason=why)
