"""Accepted images of one patient become rows: patient, case, series, instances. One transaction, or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction

from annotation import trail
from annotation.dicom import Taken
from annotation.dicom.pixels import SUSPICIONS
from annotation.identity import new_pseudonym
from annotation.intake.describe import READ, STALE
from annotation.intake.gate import still_open
from annotation.models import ArrivalState, Assignment, Case, Instance, Patient, Series, Study

MASKED_BEFORE = "New images came in after a rectangle of this series was masked."


@dataclass(frozen=True)
class Item:
    """One accepted file whose frames already lie in the store; only its header is still in memory."""

    number: int
    taken: Taken
    digests: tuple[str, ...]
    mark: str
    digest: str


@dataclass(frozen=True)
class Verdict:
    """What has become of one file."""

    state: ArrivalState
    code: str = ""
    sentence: str = ""

    @property
    def is_shelved(self) -> bool:
        """Whether a row of an image was written: it is in, or in quarantine for something suspicious in it."""
        return self.state == ArrivalState.IMPORTED or self.code in SUSPICIONS


IMPORTED, DUPLICATE = Verdict(ArrivalState.IMPORTED), Verdict(ArrivalState.DUPLICATE)
IN_READING = Verdict(
    ArrivalState.QUARANTINED, "case_in_reading", "The case is being read; new images for it are not taken in."
)
SAME_IDENTITY = Verdict(
    ArrivalState.QUARANTINED,
    "same_identity",
    "Another image with the same identity but other content is already here.",
)
EXCLUDED = Verdict(
    ArrivalState.REFUSED, "series_excluded", "The coordinator has excluded the series; its images stay out."
)


@dataclass
class Shelved:
    """Where the files of one patient went."""

    case: str
    case_id: int | None = None
    series: set[int] = field(default_factory=set)
    verdicts: dict[int, Verdict] = field(default_factory=dict)


def shelve(study: Study, person: str, items: Sequence[Item]) -> Shelved:
    """Write one patient's accepted files; the same file again is a no-op, another under the same UID is held back.

    The caller works out with `describe.describe` what the case's series are once all its files are in.
    """
    with transaction.atomic():
        still_open(study, images=True)
        patient = patient_for(study, person)
        Case.objects.get_or_create(patient=patient)
        # Two studies of one patient may be taken in at once: they write one after the other.
        case = Case.objects.select_for_update().get(patient=patient)
        out = Shelved(patient.pseudonym, case.pk)
        if Assignment.objects.filter(case=case).exists():
            _held_back(case, items, out)
        elif _instances(case, items, out):
            _look_again(study, case, out.series)
    return out


def rehearse(study: Study, person: str, items: Sequence[Item]) -> Shelved:
    """Say what `shelve` would do, and write nothing."""
    case = Case.objects.filter(patient__study=study, patient__identifier_hash=person).select_related("patient").first()
    out = Shelved(case.patient.pseudonym if case else "")
    if case is not None and case.assignments.exists():
        _held_back(case, items, out)
    else:
        for item in _fresh(study, items, out):
            out.verdicts[item.number] = _verdict(item)
    return out


def _held_back(case: Case, items: Sequence[Item], out: Shelved) -> None:
    known = dict(Instance.objects.filter(series__case=case).values_list("sop_uid", "taken_digest"))
    for item in items:
        same = known.get(item.taken.facts.sop_uid) == item.digest
        out.verdicts[item.number] = DUPLICATE if same else IN_READING


def patient_for(study: Study, person: str) -> Patient:
    """Find the patient of an identifier hash, or make one under a random pseudonym."""
    found = Patient.objects.filter(study=study, identifier_hash=person).first()
    while found is None:
        try:
            with transaction.atomic():
                found = Patient.objects.create(study=study, identifier_hash=person, pseudonym=new_pseudonym())
        except IntegrityError:  # the pseudonym is taken, or another worker was first with the same person
            found = Patient.objects.filter(study=study, identifier_hash=person).first()
    return found


def _verdict(item: Item) -> Verdict:
    """A suspicious image comes in as well, but into quarantine: its series waits for the coordinator's eyes."""
    code = item.taken.suspicion
    return Verdict(ArrivalState.QUARANTINED, code, SUSPICIONS[code]) if code else IMPORTED


def _fresh(study: Study, items: Sequence[Item], out: Shelved) -> Iterator[Item]:
    """Give the items that are new to the study; settle the known ones and what contradicts them."""
    known = dict(
        Instance.objects.filter(
            series__case__patient__study=study, sop_uid__in=[item.taken.facts.sop_uid for item in items]
        ).values_list("sop_uid", "taken_digest")
    )
    for item in items:
        uid = item.taken.facts.sop_uid
        if uid in known:
            out.verdicts[item.number] = DUPLICATE if known[uid] == item.digest else SAME_IDENTITY
            continue
        known[uid] = item.digest
        yield item


def _instances(case: Case, items: Sequence[Item], out: Shelved) -> bool:
    made: list[Instance] = []
    series: dict[str, Series] = {}
    for item in _fresh(case.patient.study, items, out):
        home = _home(case, series, item.taken)
        if home.excluded_reason:
            out.verdicts[item.number] = EXCLUDED
            continue
        out.verdicts[item.number] = _verdict(item)
        out.series.add(home.pk)
        _received(home, item.taken)
        made.append(_instance(home, item))
    Instance.objects.bulk_create(made, batch_size=250)
    for home in series.values():
        if home.pk in out.series:
            home.looked_at = None
            home.save(update_fields=["parameters", "held_reason", "looked_at"])
    return bool(made)


def _home(case: Case, series: dict[str, Series], taken: Taken) -> Series:
    uid = taken.facts.series_uid
    if uid not in series:
        series[uid], _ = Series.objects.get_or_create(
            case=case,
            series_uid=uid,
            defaults={"modality": taken.facts.modality, "role": "OTHER", "parameters": {}},
        )
    return series[uid]


def _received(home: Series, taken: Taken) -> None:
    """Note on the series what a new image of it says, and hold the series where a person has to look."""
    home.parameters[STALE] = True
    home.parameters.pop(READ, None)
    home.parameters["hints"] = sorted({*home.parameters.get("hints", []), *taken.hints})
    if taken.suspicion:
        home.held_reason = SUSPICIONS[taken.suspicion]
    elif home.masks and not home.held_reason:
        home.held_reason = MASKED_BEFORE


def _instance(home: Series, item: Item) -> Instance:
    taken = item.taken
    planes = [plane.to_json() if plane else None for plane in taken.planes]
    return Instance(
        series=home,
        number=taken.facts.instance_number or 0,
        sop_uid=taken.facts.sop_uid,
        digest=item.digest,
        taken_digest=item.digest,
        source_mark=item.mark,
        suspicion=taken.suspicion,
        header=taken.header,
        frames=[{"digest": digest, "plane": plane} for digest, plane in zip(item.digests, planes, strict=True)],
    )


def _look_again(study: Study, case: Case, series: set[int]) -> None:
    """A released case that gets new images before it is being read is looked at again."""
    if case.released_at is not None and series:
        case.released_at = None
        case.save(update_fields=["released_at"])
        trail.record(study, None, "withdraw release", subject=str(case), reason="New images came in.")
