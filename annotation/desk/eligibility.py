"""Who takes part: the criteria, every patient with what the kept data hint at, and the decisions on record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Q, QuerySet

from annotation.access import NotYours, protocol_of, study_for
from annotation.desk.cohort import Page
from annotation.desk.hints import Hint, hints_of
from annotation.desk.setup import BadSetting
from annotation.identity import identifier_hash
from annotation.intake import exclusions
from annotation.models import Assignment, Exclusion, Patient, Role, State, Study
from annotation.people import Person
from annotation.protocol import Protocol

PAGE_SIZE = 50
SHOWN = ("all", "included", "excluded", "hint")


@dataclass(frozen=True)
class CriterionRow:
    code: str
    text: str
    n: int


@dataclass(frozen=True)
class PatientRow:
    """A patient at the desk. `fixed` says why nothing can be decided any more; empty while it can."""

    id: int
    patient: str
    reason: str
    text: str
    also: tuple[str, ...]
    note: str
    hints: tuple[Hint, ...]
    fixed: str

    @property
    def reasons(self) -> tuple[str, ...]:
        return (self.reason, *self.also) if self.reason else ()


@dataclass(frozen=True)
class Roll:
    """One page of the study's patients, beside the criteria and what they have taken."""

    criteria: tuple[CriterionRow, ...]
    eligible: int
    excluded: int
    page: Page[PatientRow]
    show: str
    search: str
    closed: bool

    @property
    def included(self) -> int:
        return self.eligible - self.excluded


def patients(
    person: Person, code: str, *, show: str = "all", search: str = "", identifier: str = "", page: int = 1
) -> Roll:
    """Give one page of the study's patients; `show` is one of `SHOWN` or a criterion's code."""
    study = study_for(person, code, Role.COORDINATOR)
    protocol = protocol_of(study)
    counts = Counter(Exclusion.objects.filter(patient__study=study).values_list("reason", flat=True))
    known = {criterion.code for criterion in protocol.exclusions}
    show = show if show in {*SHOWN, *known} else "all"
    found = _found(study, protocol, show, search, identifier)
    cut = Paginator(found, PAGE_SIZE).get_page(page)
    rows = _rows(study, protocol, list(cut.object_list))
    return Roll(
        tuple(CriterionRow(one.code, one.text, counts.get(one.code, 0)) for one in protocol.exclusions),
        Patient.objects.filter(study=study).count(),
        sum(counts.values()),
        Page(tuple(rows), cut.number, cut.paginator.num_pages, cut.paginator.count),
        show,
        search,
        study.has_reached(State.READINGS_LOCKED),
    )


def _patients(study: Study) -> QuerySet[Patient]:
    placed = Exists(Assignment.objects.filter(case__patient=OuterRef("pk")))
    return (
        Patient.objects.filter(study=study)
        .select_related("exclusion", "case")
        .annotate(placed=placed)
        .order_by("pseudonym")
    )


def _found(study: Study, protocol: Protocol, show: str, search: str, identifier: str) -> Sequence[Patient]:
    wanted = {
        "all": Q(),
        "included": Q(exclusion__isnull=True),
        "hint": Q(exclusion__isnull=True),
        "excluded": Q(exclusion__isnull=False),
    }.get(show, Q(exclusion__reason=show))
    found = _patients(study).filter(wanted)
    if identifier:
        found = found.filter(identifier_hash=identifier_hash(study.code, identifier))
    if search := search.strip().replace("\0", ""):
        found = found.filter(pseudonym__icontains=search)
    if show != "hint":
        return found  # type: ignore[return-value]  # a paginator cuts the query itself
    hinted = hints_of(study, protocol, list(found))
    return [patient for patient in found if hinted[patient.pk]]


def _rows(study: Study, protocol: Protocol, shown: Sequence[Patient]) -> Iterable[PatientRow]:
    hinted = hints_of(study, protocol, shown)
    texts = {criterion.code: criterion.text for criterion in protocol.exclusions}
    closed = study.has_reached(State.READINGS_LOCKED)
    for patient in shown:
        given = getattr(patient, "exclusion", None)
        also, note = exclusions.further(given.note) if given else ((), "")
        reason = given.reason if given else ""
        fixed = "readings locked" if closed else "in the readers' order" if getattr(patient, "placed", False) else ""
        yield PatientRow(
            patient.pk, patient.pseudonym, reason, texts.get(reason, ""), also, note, hinted[patient.pk], fixed
        )


def patient_row(person: Person, code: str, patient_id: int) -> PatientRow:
    study = study_for(person, code, Role.COORDINATOR)
    found = list(_patients(study).filter(pk=patient_id))
    if not found:
        raise NotYours
    return next(iter(_rows(study, protocol_of(study), found)))


def exclude(person: Person, code: str, patient_id: int, *, reasons: Sequence[str], note: str = "") -> None:
    """Leave a patient out, or change why; of several reasons the first in the protocol's order counts.

    Raises
    ------
    BadSetting
        No reason, one the protocol does not know, or a note that is too long.
    annotation.access.WrongState
        The readings are locked, or the case lies in the readers' order.
    """
    study = study_for(person, code, Role.COORDINATOR)
    protocol = protocol_of(study)
    counting = exclusions.in_order(protocol, reasons)
    if not counting or len(counting) < len(set(reasons)):
        known = ", ".join(criterion.code for criterion in protocol.exclusions) or "none"
        raise BadSetting("reason", f"Say which criterion applies; the protocol has: {known}.")
    if len(note) > exclusions.LONGEST_NOTE - 40:
        raise BadSetting("note", f"The note is too long; {exclusions.LONGEST_NOTE - 40} characters are kept.")
    exclusions.exclude(study, _patient(study, patient_id), counting, note=note, by=person)


def restore(person: Person, code: str, patient_id: int, *, reason: str) -> None:
    """Take an exclusion back; the reason goes into the trail."""
    study = study_for(person, code, Role.COORDINATOR)
    if not reason.strip():
        raise BadSetting("reason", "Say why the patient takes part after all; the reason is kept in the trail.")
    exclusions.restore(study, _patient(study, patient_id), reason=reason.strip()[:500], by=person)


def _patient(study: Study, patient_id: int) -> Patient:
    found = Patient.objects.filter(pk=patient_id, study=study).first()
    if found is None:
        raise NotYours
    return found
