"""Accepted images of one patient become rows: patient, case, series, instances. One transaction, or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction

from annotation import store
from annotation.dicom import Taken
from annotation.dicom.codec import stored_array
from annotation.dicom.geometry import Plane, blocks, order, plane_name
from annotation.dicom.pixels import automatic_window, rescale_of
from annotation.dicom.roles import ROLE_TITLES
from annotation.dicom.series import propose_case
from annotation.identity import new_pseudonym
from annotation.intake.gate import still_open
from annotation.intake.physics import physics
from annotation.models import Assignment, Case, Instance, Patient, Series, Study

Item = tuple[str, Taken, tuple[str, ...]]


@dataclass
class Shelved:
    case: str
    imported: int = 0
    duplicates: int = 0
    conflicts: list[tuple[str, str, str]] = field(default_factory=list)


def shelve(study: Study, person: str, items: Sequence[Item]) -> Shelved:
    """Write one patient's accepted files; the same file again is a no-op, another under the same UID is held back."""
    with transaction.atomic():
        still_open(study, images=True)
        patient = patient_for(study, person)
        case, _ = Case.objects.get_or_create(patient=patient)
        out = Shelved(patient.pseudonym)
        if Assignment.objects.filter(case=case).exists():
            _held_back(case, items, out)
            return out
        touched = _instances(case, items, out)
        if touched:
            _describe(case)
    return out


def rehearse(study: Study, person: str, items: Sequence[Item]) -> Shelved:
    """Say what `shelve` would do, and write nothing."""
    case = Case.objects.filter(patient__study=study, patient__identifier_hash=person).select_related("patient").first()
    out = Shelved(case.patient.pseudonym if case else "")
    if case is not None and case.assignments.exists():
        _held_back(case, items, out)
    else:
        out.imported = len(list(_fresh(study, items, out)))
    return out


def _held_back(case: Case, items: Sequence[Item], out: Shelved) -> None:
    known = dict(Instance.objects.filter(series__case=case).values_list("sop_uid", "digest"))
    for name, taken, _digests in items:
        if known.get(taken.facts.sop_uid) == taken.digest:
            out.duplicates += 1
        else:
            sentence = "The case is being read; new images for it are not taken in."
            out.conflicts.append((name, "case_in_reading", sentence))


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


def _fresh(study: Study, items: Sequence[Item], out: Shelved) -> Iterator[Item]:
    """Give the items that are new to the study; count the known ones and hold back what contradicts them."""
    known = dict(Instance.objects.filter(series__case__patient__study=study, sop_uid__in=[
        taken.facts.sop_uid for _, taken, _ in items
    ]).values_list("sop_uid", "digest"))  # fmt: skip
    for name, taken, digests in items:
        uid = taken.facts.sop_uid
        if uid in known:
            if known[uid] == taken.digest:
                out.duplicates += 1
            else:
                sentence = "Another image with the same identity but other content is already here."
                out.conflicts.append((name, "same_identity", sentence))
            continue
        known[uid] = taken.digest
        yield name, taken, digests


def _instances(case: Case, items: Sequence[Item], out: Shelved) -> bool:
    made: list[Instance] = []
    series: dict[str, Series] = {}
    for _name, taken, digests in _fresh(case.patient.study, items, out):
        home = series.get(taken.facts.series_uid)
        if home is None:
            home, _ = Series.objects.get_or_create(
                case=case,
                series_uid=taken.facts.series_uid,
                defaults={"modality": taken.facts.modality, "role": "OTHER", "parameters": {}},
            )
            series[taken.facts.series_uid] = home
        hints = sorted({*home.parameters.get("hints", []), *taken.hints})
        home.parameters["hints"] = hints
        made.append(_instance(home, taken, digests))
    Instance.objects.bulk_create(made, batch_size=250)
    out.imported += len(made)
    for home in series.values():
        home.save(update_fields=["parameters"])
    return bool(made)


def _instance(home: Series, taken: Taken, digests: tuple[str, ...]) -> Instance:
    planes = [plane.to_json() if plane else None for plane in taken.planes]
    return Instance(
        series=home,
        number=taken.facts.instance_number or 0,
        sop_uid=taken.facts.sop_uid,
        digest=taken.digest,
        header=taken.header,
        frames=[{"digest": digest, "plane": plane} for digest, plane in zip(digests, planes, strict=True)],
    )


def _describe(case: Case) -> None:
    """Work out order, plane, automatic window and role of every series of a case from all its images."""
    series = list(Series.objects.filter(case=case).order_by("pk"))
    instances: dict[int, list[Instance]] = {one.pk: [] for one in series}
    for instance in Instance.objects.filter(series__case=case).order_by("number", "pk"):
        instances[instance.series_id].append(instance)
    proposals = propose_case(
        [([i.header for i in instances[one.pk]], one.parameters.get("hints", ())) for one in series]
    )
    for one, proposal in zip(series, proposals, strict=True):
        own = instances[one.pk]
        flat = [(i, number) for i in own for number in range(1, len(i.frames) + 1)]
        planes = [_plane(i, number) for i, number in flat]
        placed = [flat[index] for index in order(planes)]
        one.parameters = {
            **one.parameters,
            **physics(own[0].header, [_plane(i, number) for i, number in placed]),
            "order": [[i.sop_uid, number] for i, number in placed],
            "blocks": [len(block) for block in blocks([_plane(i, number) for i, number in placed])],
            "plane": plane_name(planes[0]) if planes else "unknown",
            "automatic_window": _window(one.modality, placed),
        }
        one.frame_count = len(flat)
        if one.role_reason != "set at the desk":
            one.role, one.phase = proposal.role, proposal.phase or ""
            one.title, one.role_reason = ROLE_TITLES[proposal.role], proposal.reason[:200]
        one.save()


def _plane(instance: Instance, number: int) -> Plane | None:
    stored = instance.frames[number - 1]["plane"]
    return Plane.from_json(stored) if stored else None


def _window(modality: str, placed: Sequence[tuple[Instance, int]]) -> list[float] | None:
    """Give one automatic window for the whole series; a window per slice would make the brightness jump."""
    if modality != "MR":
        return None
    sample = placed[:: max(1, len(placed) // 24)]
    arrays = [stored_array(store.get(i.frames[n - 1]["digest"]), i.header) for i, n in sample]
    width, level = automatic_window(arrays, rescale=[rescale_of(i.header, n) for i, n in sample])
    return [float(width), float(level)]
