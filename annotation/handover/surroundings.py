"""What stands around the readings: who was left out and why, and how the images were made. Counts and numbers only."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from annotation.access import protocol_of
from annotation.dicom.roles import ROLE_TITLES
from annotation.handover.frozen import frozen
from annotation.intake.scans import GROUPS, PARAMETERS, scans_of
from annotation.models import Exclusion, Patient, State


class LeftOut(NamedTuple):
    """A reason of the protocol and how many patients were left out under it, each under one."""

    code: str
    title: str
    patients: int


class Scanned(NamedTuple):
    """One series as it was scanned: its case by a number of its own, and the parameters its header told, by code."""

    case: int
    role: str
    title: str
    modality: str
    group: str
    parameters: dict[str, float]


class ParameterNamed(NamedTuple):
    """A scanning parameter as it is printed."""

    code: str
    title: str
    unit: str
    decimals: int


def assessed(key: int) -> int:
    """Count the patients who were assessed for eligibility."""
    return Patient.objects.filter(study=frozen(key, State.READINGS_LOCKED)).count()


def left_out(key: int) -> list[LeftOut]:
    """Give every reason of the protocol, also those under which nobody was left out, in the protocol's order."""
    study = frozen(key, State.READINGS_LOCKED)
    reasons = Counter(Exclusion.objects.filter(patient__study=study).values_list("reason", flat=True))
    known = [LeftOut(one.code, one.text, reasons.pop(one.code, 0)) for one in protocol_of(study).exclusions]
    return [*known, *(LeftOut(code, "Reason unknown to the protocol", n) for code, n in sorted(reasons.items()))]


def scanning(key: int) -> list[Scanned]:
    """Give the series that readers could see, cases numbered from 1; only the parameters a supplement prints."""
    places: dict[int, int] = {}
    return [
        Scanned(
            places.setdefault(scan.case, len(places) + 1),
            scan.role,
            ROLE_TITLES[scan.role],
            scan.modality,
            scan.group,
            {
                _code(one.code, one.part): value
                for one in PARAMETERS
                if one.modality in ("", scan.modality) and (value := one.of(scan.told)) is not None
            },
        )
        for scan in scans_of(frozen(key, State.READINGS_LOCKED))
    ]


def scanning_parameters() -> list[ParameterNamed]:
    return [ParameterNamed(_code(one.code, one.part), one.title, one.unit, one.decimals) for one in PARAMETERS]


def scanning_groups() -> tuple[str, ...]:
    return GROUPS


def _code(name: str, part: int | None) -> str:
    return name if part is None else f"{name}_{part + 1}"
