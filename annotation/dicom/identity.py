"""Whose image it is: read once at intake, kept apart from the image, and used to search the output for leaks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from pydicom.dataset import Dataset

from annotation.dicom import keyed
from annotation.dicom.freetext import text
from annotation.dicom.leak import SHORTEST_TOKEN

Sex = Literal["M", "F", "O"]

# Identifiers that are no person names; the names are found by their value representation.
_IDENTIFIERS = (
    "PatientID",
    "OtherPatientIDs",
    "IssuerOfPatientID",
    "AccessionNumber",
    "StudyID",
    "AdmissionID",
    "InstitutionName",
    "InstitutionAddress",
    "InstitutionalDepartmentName",
    "StationName",
    "DeviceSerialNumber",
    "PatientAddress",
    "PatientTelephoneNumbers",
    "MilitaryRank",
    "MedicalRecordLocator",
    "RequestedProcedureID",
    "ScheduledProcedureStepID",
    "PerformedProcedureStepID",
    "ScheduledStudyLocation",
    "PerformedStationAETitle",
)
_SEQUENCES = ("OtherPatientIDsSequence", "RequestAttributesSequence")
_NAMES = (
    "PatientName",
    "OtherPatientNames",
    "PatientBirthName",
    "PatientMotherBirthName",
    "ResponsiblePerson",
    "ReferringPhysicianName",
    "ConsultingPhysicianName",
    "PhysiciansOfRecord",
    "PerformingPhysicianName",
    "NameOfPhysiciansReadingStudy",
    "OperatorsName",
    "RequestingPhysician",
    "ScheduledPerformingPhysicianName",
    "NamesOfIntendedRecipientsOfResults",
)
_NAME_SPLIT = re.compile(r"[\^=\s,;/\\()\[\]]+")


@dataclass(frozen=True)
class SourceFacts:
    """What intake needs to know of the source. It never goes where images go.

    Parameters
    ----------
    patient_id : str
        The hospital's identifier, without padding; may be empty.
    patient_key : str
        Its keyed hash (`keyed.patient_key`).
    birth_date, study_date : date or None
        As the source says, not shifted. ``None`` if absent or impossible.
    age_years : float or None
        From PatientAge, else from birth and study date.
    sex : str or None
        ``"M"``, ``"F"``, ``"O"``.
    weight_kg : float or None
        ``None`` if absent or 0.
    study_uid, series_uid, sop_uid : str
        Remapped.
    frame_of_reference_uid : str or None
        Remapped.
    modality : str
        ``"CT"`` or ``"MR"``.
    sop_class : str
        UID of the SOP class, the standard's own.
    series_number, instance_number : int or None
        As the source says.
    day_offset : int
        Days that were added to every date in the header.
    """

    patient_id: str
    patient_key: str
    birth_date: date | None
    study_date: date | None
    age_years: float | None
    sex: Sex | None
    weight_kg: float | None
    study_uid: str
    series_uid: str
    sop_uid: str
    frame_of_reference_uid: str | None
    modality: str
    sop_class: str
    series_number: int | None
    instance_number: int | None
    day_offset: int


def source_facts(dataset: Dataset, *, modality: str, sop_class: str, key: bytes) -> SourceFacts:
    """Read the facts of `SourceFacts` from the source.

    Parameters
    ----------
    dataset : Dataset
        The source; its study, series and instance UIDs have been checked to be present.
    modality, sop_class : str
        Already checked.
    key : bytes
        The project's key.
    """
    patient_id = text(dataset, "PatientID")
    frame = text(dataset, "FrameOfReferenceUID")
    born, study = day(text(dataset, "PatientBirthDate")), day(text(dataset, "StudyDate"))
    sex = text(dataset, "PatientSex").upper()
    return SourceFacts(
        patient_id=patient_id,
        patient_key=keyed.patient_key(patient_id, key=key),
        birth_date=born,
        study_date=study,
        age_years=_age(text(dataset, "PatientAge"), born, study),
        sex="M" if sex == "M" else "F" if sex == "F" else "O" if sex == "O" else None,
        weight_kg=_positive(text(dataset, "PatientWeight")),
        study_uid=keyed.uid(text(dataset, "StudyInstanceUID"), key=key),
        series_uid=keyed.uid(text(dataset, "SeriesInstanceUID"), key=key),
        sop_uid=keyed.uid(text(dataset, "SOPInstanceUID"), key=key),
        frame_of_reference_uid=keyed.uid(frame, key=key) if frame else None,
        modality=modality,
        sop_class=sop_class,
        series_number=_whole(text(dataset, "SeriesNumber")),
        instance_number=_whole(text(dataset, "InstanceNumber")),
        day_offset=keyed.day_offset(_person(dataset, patient_id), key=key),
    )


def _person(dataset: Dataset, patient_id: str) -> str:
    """Whom the dates belong to: the identifier, else name and birth date, else at least the study."""
    if patient_id:
        return patient_id
    named = text(dataset, "PatientName") + text(dataset, "PatientBirthDate")
    return named or text(dataset, "StudyInstanceUID")


def tokens(dataset: Dataset) -> frozenset[str]:
    """Collect the identifiers of the source that must not be found in the output.

    Parameters
    ----------
    dataset : Dataset
        The source.

    Returns
    -------
    frozenset of str
        Parts of all person names, identifiers, and the birth date in five formats; four characters or more each.
    """
    found = {part for name in _names(dataset) for part in _NAME_SPLIT.split(name)}
    found |= set(_identifiers(dataset))
    born = day(text(dataset, "PatientBirthDate"))
    if born:
        found |= {born.strftime(form) for form in ("%Y%m%d", "%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y")}
    return frozenset(t for t in (f.strip(" .-_") for f in found) if len(t) >= SHORTEST_TOKEN)


def _names(dataset: Dataset) -> Iterator[str]:
    for keyword in _NAMES:
        yield text(dataset, keyword)


def _identifiers(dataset: Dataset) -> Iterator[str]:
    sources = [dataset]
    for keyword in _SEQUENCES:
        value = dataset.get(keyword)
        if type(value).__name__ == "Sequence":
            sources.extend(value)
    for source in sources:
        for keyword in _IDENTIFIERS:
            yield text(source, keyword)


def day(value: str) -> date | None:
    """Read a DICOM date, also in the old form with dots; ``None`` if it is none or outside 1880 to 2200."""
    digits = value.strip("\0 ").replace(".", "")[:8]
    if len(digits) != 8 or not (digits.isascii() and digits.isdigit()) or not 1880 <= int(digits[:4]) <= 2200:
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None


def _age(stated: str, born: date | None, study: date | None) -> float | None:
    match = re.fullmatch(r"(\d{1,3})([DWMY])", stated.strip().upper())
    if match and int(match[1]):
        return int(match[1]) / {"D": 365.25, "W": 52.18, "M": 12.0, "Y": 1.0}[match[2]]
    if born and study and born <= study:
        return (study - born).days / 365.25
    return None


def _positive(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if 0 < number < 1000 else None


def _whole(value: str) -> int | None:
    return int(value) if re.fullmatch(r"-?\d{1,9}", value.strip()) else None
