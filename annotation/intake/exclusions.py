"""A patient is left out of the study, or comes back: one way for the table's column and for the desk.

A patient is counted once, under the first reason in the protocol's order; further reasons stand before the note.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.db import transaction

from annotation import trail
from annotation.access import WrongState
from annotation.intake.gate import reopened
from annotation.models import Assignment, Case, Exclusion, Patient, State, Study
from annotation.people import Person
from annotation.protocol import Protocol

_ALSO = re.compile(r"also ([a-z](?:, [a-z])*)(?:; |$)")
LONGEST_NOTE = Exclusion._meta.get_field("note").max_length or 300


def in_order(protocol: Protocol, codes: Iterable[str]) -> tuple[str, ...]:
    """Give the known codes in the order in which they count; one that the protocol does not know is left out."""
    wanted = set(codes)
    return tuple(criterion.code for criterion in protocol.exclusions if criterion.code in wanted)


def further(note: str) -> tuple[tuple[str, ...], str]:
    """Take a kept note apart: the further reasons, and what was written."""
    found = _ALSO.match(note)
    return (tuple(found[1].split(", ")), note[found.end() :]) if found else ((), note)


def obstacle(study: Study, patient: Patient) -> str:
    """Say why no exclusion of this patient may change any more; empty when it may."""
    if study.has_reached(State.READINGS_LOCKED):
        return "The readings are locked; no exclusion changes any more."
    if Assignment.objects.filter(case__patient=patient).exists():
        return (
            f"{patient} lies in the readers' order and is read to the end. "
            "Tell the analyst to leave the case out, and why."
        )
    return ""


def exclude(study: Study, patient: Patient, codes: tuple[str, ...], *, note: str = "", by: Person | None) -> bool:
    """Leave a patient out under the first of `codes`; gives False when that is so already.

    Raises
    ------
    annotation.access.WrongState
        The readings are locked, or the case lies in the readers' order.
    """
    kept = _kept(codes, note)
    with transaction.atomic():
        study = Study.objects.select_for_update().get(pk=study.pk)  # nobody draws an order meanwhile
        before = Exclusion.objects.filter(patient=patient).first()
        if before is not None and (before.reason, before.note) == (codes[0], kept):
            return False
        if sentence := obstacle(study, patient):
            raise WrongState(sentence)
        Exclusion.objects.update_or_create(patient=patient, defaults={"reason": codes[0], "note": kept})
        trail.record(
            study,
            by,
            "exclude",
            subject=patient.pseudonym,
            before=", ".join((before.reason, *further(before.note)[0])) if before else "",
            after=", ".join(codes),
            reason=note.strip(),
        )
        _take_release_back(study, patient, "The patient was excluded.", by)
    return True


def restore(study: Study, patient: Patient, *, reason: str, by: Person | None) -> None:
    """Take an exclusion back, with the reason why."""
    with transaction.atomic():
        study = Study.objects.select_for_update().get(pk=study.pk)
        before = Exclusion.objects.filter(patient=patient).first()
        if before is None:
            return
        if sentence := obstacle(study, patient):
            raise WrongState(sentence)
        named = ", ".join((before.reason, *further(before.note)[0]))
        before.delete()
        trail.record(study, by, "restore", subject=patient.pseudonym, before=named, after="", reason=reason)
        _take_release_back(study, patient, "The patient takes part again.", by)


def _take_release_back(study: Study, patient: Patient, why: str, by: Person | None) -> None:
    """Ask for a new release: whoever comes back is looked at again before a reader is given the case."""
    case = Case.objects.select_related("patient").filter(patient=patient).first()
    if case is not None:
        reopened(study, by, case, why)


def _kept(codes: tuple[str, ...], note: str) -> str:
    also = f"also {', '.join(codes[1:])}" if codes[1:] else ""
    return "; ".join(part for part in (also, note.strip()) if part)[:LONGEST_NOTE]
