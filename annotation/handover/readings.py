"""Locked readings and clinical values as plain rows, and the digest of what is frozen."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, NamedTuple

from annotation.access import protocol_of
from annotation.handover.frozen import counting, frozen, reader_names, rounds_of
from annotation.models import Assignment, Case, ClinicalValue, Exclusion, Patient, State
from annotation.protocol import rows

PASSPORT = ("age", "sex", "bmi", "level")
OUTCOMES = ("nrs_baseline", "nrs_15min", "nrs_1month")


class Row(NamedTuple):
    """One cell of one locked reading."""

    case: str
    reader: str
    round: str
    item: str
    site: str
    value: float | int | None
    reason: str | None


def gradings(key: int) -> Iterator[Row]:
    """Give every cell of every locked reading that counts; a superseded one and one of an excluded patient do not."""
    study = frozen(key, State.READINGS_LOCKED)
    instrument = protocol_of(study)
    names, rounds = reader_names(study), rounds_of(study)
    for reading in counting(study).iterator():
        revision = reading.locked_revision
        if revision is None:
            continue
        for row in rows(instrument, reading.form, revision.answers):
            yield Row(
                reading.case.patient.pseudonym,
                names[reading.reader_id],
                rounds[reading.pk],
                row.item,
                row.site,
                row.value,
                row.reason,
            )


def fingerprint(key: int, *, outcomes: bool) -> str:
    """Give the digest of the frozen data: seals of locked revisions, exclusions and, with outcomes, clinical values."""
    study = frozen(key, State.UNBLINDED if outcomes else State.READINGS_LOCKED)
    sealed = hashlib.sha256(study.protocol_digest.encode())
    locked = Assignment.objects.filter(
        study=study, locked_revision__isnull=False, case__patient__exclusion__isnull=True
    ).order_by("pk")
    for reading, digest in locked.values_list("pk", "locked_revision__digest").iterator():
        sealed.update(f"{reading}:{digest}\n".encode())
    for reason in Exclusion.objects.filter(patient__study=study).order_by("pk").values_list("reason", flat=True):
        sealed.update(f"left out {reason}\n".encode())
    if outcomes:
        values = ClinicalValue.objects.filter(patient__study=study, patient__exclusion__isnull=True).order_by("pk")
        for row in values.values_list("patient__pseudonym", "name", "timepoint", "value", "number").iterator():
            sealed.update(f"{row}\n".encode())
    return sealed.hexdigest()


def clinical(key: int) -> list[dict[str, Any]]:
    """Give one row a case that is not excluded, with the newest value of each column."""
    study = frozen(key, State.UNBLINDED)
    patients = Patient.objects.filter(study=study, exclusion__isnull=True).order_by("pseudonym")
    table: dict[int, dict[str, Any]] = {
        patient.pk: {"case_id": patient.pseudonym, **dict.fromkeys((*PASSPORT, *OUTCOMES))} for patient in patients
    }
    newest = ClinicalValue.objects.filter(patient__study=study, patient__exclusion__isnull=True).order_by("pk")
    for value in newest.iterator():
        column = f"{value.name}_{value.timepoint}" if value.timepoint else value.name
        row = table[value.patient_id]
        if column in row:
            row[column] = value.number if value.number is not None else (value.value or None)
    for case in Case.objects.filter(patient__in=table):
        table[case.patient_id]["level"] = table[case.patient_id]["level"] or case.lysis_vertebra or None
    return list(table.values())
