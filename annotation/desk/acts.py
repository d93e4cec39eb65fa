"""Acts that change what a study is: freeze, begin reading, close, unblind. Each is recorded with who, when and why."""

from __future__ import annotations

from django.db import transaction

from annotation import trail
from annotation.access import WrongState, protocol_of, study_for, writable_protocol
from annotation.desk.order import assign
from annotation.desk.planning import plan_digest
from annotation.desk.practice import refuse_unsolved
from annotation.models import Assignment, Case, Membership, Role, State, Study
from annotation.people import Person


class NotConfirmed(ValueError):
    """A dangerous act came without its reason or the typed study code."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def _move(study: Study, person: Person | None, state: State, *, reason: str = "") -> None:
    before, study.state = study.state, state
    study.save(update_fields=["state"])
    trail.record(study, person, "state", before=before, after=state.value, reason=reason)


def _held(study: Study) -> Study:
    return Study.objects.select_for_update().get(pk=study.pk)


def freeze(person: Person, code: str) -> None:
    """Fix the instrument and the analysis plan.

    From here on another digest of the instrument makes the study read-only; a run by another plan is a deviation.
    """
    study = study_for(person, code, Role.COORDINATOR)
    with transaction.atomic():
        study = _held(study)
        if study.state != State.DRAFT:
            raise WrongState(f"Study {code} is frozen already.")
        refuse_unsolved(study)
        instrument = protocol_of(study)
        study.protocol_digest, study.plan_digest = instrument.digest(), plan_digest(study.plan, instrument)
        study.save(update_fields=["protocol_digest", "plan_digest"])
        trail.record(study, person, "freeze plan", subject=study.plan, after={"digest": study.plan_digest})
        _move(study, person, State.FROZEN, reason=f"protocol digest {study.protocol_digest}")


def begin_reading(person: Person, code: str) -> int:
    """Draw and store every reader's order over the released cases and open the reading rooms."""
    study = study_for(person, code, Role.COORDINATOR)
    with transaction.atomic():
        study = _held(study)
        writable_protocol(study, State.FROZEN)
        refuse_unsolved(study)
        if Membership.objects.filter(study=study, role=Role.READER).count() < 2:
            raise WrongState("Agreement needs two readers; name them under Readers first.")
        if not Case.objects.filter(patient__study=study, released_at__isnull=False).exists():
            raise WrongState("No case is released yet; release cases first.")
        _move(study, person, State.READING)
        return assign(study, person)


def close(person: Person, code: str, *, reason: str, typed_code: str) -> None:
    """End the reading: all readings are locked, so the steps to “closed” follow one another, each recorded."""
    study = study_for(person, code, Role.COORDINATOR)
    _confirm(study, reason, typed_code)
    with transaction.atomic():
        study = _held(study)
        if study.state != State.READING:
            raise WrongState(
                f"Study {code} is in state “{State(study.state).label}”; only a study in reading is closed."
            )
        still_open = Assignment.objects.filter(study=study, locked_revision__isnull=True).count()
        if still_open:
            raise WrongState(f"{still_open} readings are not submitted yet; the study closes when all are locked.")
        for state in (State.READINGS_LOCKED, State.ADJUDICATION, State.CLOSED):
            _move(study, person, state, reason=reason)


def unblind(person: Person, code: str, *, reason: str, typed_code: str) -> None:
    """Join readings and outcomes, once and for good: from here the analyst sees both."""
    study = study_for(person, code, Role.COORDINATOR)
    _confirm(study, reason, typed_code)
    with transaction.atomic():
        study = _held(study)
        if study.state != State.CLOSED:
            raise WrongState(
                f"Study {code} is in state “{State(study.state).label}”; only a closed study is unblinded."
            )
        _move(study, person, State.UNBLINDED, reason=reason)


def _confirm(study: Study, reason: str, typed_code: str) -> None:
    if not reason.strip():
        raise NotConfirmed("Say why; the reason is kept in the trail.")
    if typed_code.strip() != study.code:
        raise NotConfirmed(f"Type the study's code, {study.code}, to confirm.")
