"""What the kept data say about a patient's eligibility. A hint points; it never decides.

Days of scans and of the injection are moved by the same number of days within a patient, so what lies between them
is true although no date is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from annotation.dicom.roles import ROLE_TITLES
from annotation.intake.scans import physics_of
from annotation.models import ClinicalValue, Patient, Series, Study
from annotation.protocol import Protocol

OF_AGE = 18
LONGEST_HALF_YEAR_DAYS = 184
"""1 March to 1 September: whoever is beyond it is beyond six months in every part of the year."""
NOT_SCANNED_FOR = frozenset(("LOC", "OTHER"))


@dataclass(frozen=True)
class Hint:
    sentence: str
    criterion: str


@dataclass
class Kept:
    """What is known of one patient, the newest of each value."""

    values: dict[str, ClinicalValue] = field(default_factory=dict)
    roles: set[str] = field(default_factory=set)
    mri_days: list[date] = field(default_factory=list)
    has_mri: bool = False


def hints_of(study: Study, protocol: Protocol, patients: Sequence[Patient]) -> dict[int, tuple[Hint, ...]]:
    """Give every patient's hints, three queries for all of them."""
    known = {patient.pk: Kept() for patient in patients}
    names = ("nrs", "age", "injection_date")
    for value in ClinicalValue.objects.filter(patient__in=list(known), name__in=names).order_by("pk"):
        known[value.patient_id].values[f"{value.name}_{value.timepoint}".rstrip("_")] = value
    pictured = study.settings.get("images", "required") == "required"
    if pictured:
        _scans(known)
    asked = {hint: criterion.code for criterion in protocol.exclusions for hint in criterion.hints}
    wanted = {view.role for form in protocol.forms if form.modality == "MR" for view in form.layouts[0].views}
    return {pk: tuple(_hints(one, asked, wanted if pictured else set())) for pk, one in known.items()}


def _scans(known: Mapping[int, Kept]) -> None:
    # What is held waits for a decision, yet it is there: a hint at “no MRI” would have the patient excluded.
    there = Series.objects.filter(case__patient__in=list(known), excluded_reason="")
    rows = list(there.values_list("pk", "case__patient", "modality", "role", "parameters"))
    missing = [pk for pk, _, modality, _, told in rows if modality == "MR" and "matrix" not in told]
    earlier = physics_of(missing)
    for pk, patient, modality, role, told in rows:
        one = known[patient]
        one.roles.add(role)
        if modality == "MR" and role not in NOT_SCANNED_FOR:
            one.has_mri = True
            day = {**told, **earlier.get(pk, {})}.get("acquired_on")
            one.mri_days += [date.fromisoformat(day)] if day else []


def _hints(one: Kept, asked: Mapping[str, str], wanted: set[str]) -> Iterable[Hint]:
    said = _pain(one) | (_mri(one, wanted) if wanted else {})
    yield from (Hint(sentence, asked[code]) for code, sentence in said.items() if code in asked)
    age = one.values.get("age")
    if age is not None and age.number is not None and age.number < OF_AGE:
        yield Hint(f"Age under {OF_AGE}", "")


def _pain(one: Kept) -> dict[str, str]:
    scored = {name for name, value in one.values.items() if name.startswith("nrs_") and value.number is not None}
    if not scored:
        return {"no_baseline": "No pain value"}
    if "nrs_baseline" not in scored:
        return {"no_baseline": "No baseline pain"}
    return {} if scored - {"nrs_baseline"} else {"no_follow_up": "No pain value after the injection"}


def _mri(one: Kept, wanted: set[str]) -> dict[str, str]:
    if not one.has_mri:
        return {"no_mri": "No MRI"}
    missing = ", ".join(ROLE_TITLES.get(role, role) for role in sorted(wanted - one.roles))
    out = {"series_missing": f"{missing} missing"} if missing else {}
    given = one.values.get("injection_date")
    if given is None or not given.value or not one.mri_days:
        return out
    before = [(date.fromisoformat(given.value) - day).days for day in one.mri_days]
    nearest = min((days for days in before if days >= 0), default=None)
    if nearest is None:
        return {"late_mri": "MRI only after the injection", **out}
    if nearest > LONGEST_HALF_YEAR_DAYS:
        return {"old_mri": f"MRI {nearest} days before the injection", **out}
    return out
