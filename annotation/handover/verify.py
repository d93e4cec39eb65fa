"""Everything that is kept of a study, checked again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from annotation import store, trail
from annotation.access import ProtocolChanged, protocol_of
from annotation.intake.purge import unused
from annotation.models import Assignment, Event, Instance, Revision, Study
from annotation.protocol import Invalid, check


def verify(code: str) -> Iterator[str]:
    """Re-check everything that is kept of a study; one sentence a fault."""
    study = Study.objects.filter(code=code).first()
    if study is None:
        yield f"There is no study {code}."
        return
    yield from trail.faults(study)
    try:
        yield from _protocol_faults(study)
        yield from _revision_faults(study)
    except ProtocolChanged as gone:
        yield gone.sentence
    yield from _seal_faults(study)
    yield from _order_faults(study)
    yield from _image_faults(study)


def _protocol_faults(study: Study) -> Iterator[str]:
    if protocol_of(study).digest() != study.protocol_digest:
        yield f"Study {study.code}: the instrument's digest is not the one that was fixed; the study is read-only."


def _revision_faults(study: Study) -> Iterator[str]:
    instrument = protocol_of(study)
    previous: Revision | None = None
    found = Revision.objects.filter(assignment__study=study).select_related("assignment")
    locked = dict(Assignment.objects.filter(study=study).values_list("pk", "locked_revision"))
    for revision in found.order_by("assignment", "number").iterator():
        name = f"Study {study.code}: revision {revision.number} of reading {revision.assignment_id}"
        before = previous if previous and previous.assignment_id == revision.assignment_id else None
        if revision.number != (before.number + 1 if before else 1):
            yield f"{name} does not follow the one before it."
        if revision.previous_digest != (before.digest if before else "") or revision.digest != trail.revision_digest(
            revision
        ):
            yield f"{name} does not fit its seal."
        try:
            complete = locked[revision.assignment_id] == revision.pk
            check(instrument, revision.assignment.form, revision.answers, complete=complete)
        except Invalid as invalid:
            yield f"{name}: {invalid}"
        if before and locked[revision.assignment_id] == before.pk:
            yield f"{name} was added after the lock."
        previous = revision


def _seal_faults(study: Study) -> Iterator[str]:
    """Compare the readings with what the trail says was saved and locked: a whole chain could be written anew."""
    said: dict[str, list[str]] = {}
    locks: dict[str, str] = {}
    events = Event.objects.filter(study=study, verb__in=["save", "lock"]).order_by("number")
    for verb, subject, after in events.values_list("verb", "subject", "after").iterator():
        digest = str(after.get("digest", "")) if isinstance(after, dict) else ""
        if verb == "save":
            said.setdefault(subject, []).append(digest)
        else:
            locks[subject] = digest
    kept: dict[str, list[str]] = {}
    found = Revision.objects.filter(assignment__study=study).order_by("assignment", "number")
    for assignment, digest in found.values_list("assignment", "digest").iterator():
        kept.setdefault(str(assignment), []).append(digest)
    for subject in sorted({*said, *kept}):
        if said.get(subject) != kept.get(subject):
            yield f"Study {study.code}: the revisions of reading {subject} are not those the trail has."
    locked = Assignment.objects.filter(study=study, locked_revision__isnull=False)
    now = {str(pk): digest for pk, digest in locked.values_list("pk", "locked_revision__digest")}
    for subject in sorted({*locks, *now}):
        if locks.get(subject) != now.get(subject):
            yield f"Study {study.code}: reading {subject} is not locked as the trail says."


def _order_faults(study: Study) -> Iterator[str]:
    places: dict[tuple[int, str, str], list[int]] = {}
    for reading in Assignment.objects.filter(study=study).order_by("position").iterator():
        places.setdefault((reading.reader_id, reading.form, reading.round), []).append(reading.position)
    for (_, form, round_name), positions in places.items():
        if positions != list(range(1, len(positions) + 1)):
            yield f"Study {study.code}: a reader's order of form {form}, round {round_name}, has gaps."
    drawn = Event.objects.filter(study=study, verb="draw order").order_by("number")
    for subject, block in drawn.values_list("subject", "after"):
        places_of = Assignment.objects.filter(
            study=study, reader__username=subject, form=block["form"], position__range=(block["from"], block["to"])
        ).order_by("position")
        if trail.order_digest(places_of.values_list("case", flat=True)) != block.get("digest"):
            yield f"Study {study.code}: an order of form {block['form']} is not the one that was drawn."


def _image_faults(study: Study) -> Iterator[str]:
    left_behind: set[str] = set()
    for instance in Instance.objects.filter(series__case__patient__study=study).select_related("series").iterator():
        digests = [frame["digest"] for frame in instance.frames]
        if trail.image_digest(instance.header, digests) != instance.digest:
            yield f"Study {study.code}: the header of image {instance.pk} does not fit its digest."
        if instance.taken_digest not in ("", instance.digest) and not instance.series.masks:
            yield f"Study {study.code}: image {instance.pk} is not the one that was taken in, and no mask says why."
        if instance.series.excluded_reason:
            left_behind |= {digest for digest in digests if store.holds(digest)}
        else:
            yield from _frame_faults(study, instance.pk, digests)
    if left := len(unused(left_behind)):
        yield f"Study {study.code}: {left} frames of excluded series are still in the store."


def _frame_faults(study: Study, image: int, digests: list[str]) -> Iterator[str]:
    for number, digest in enumerate(digests, start=1):
        name = f"Study {study.code}: frame {number} of image {image}"
        try:
            data = store.get(digest)
        except store.MissingBytes:
            yield f"{name} is missing from the store."
            continue
        if hashlib.sha256(data).hexdigest() != digest:
            yield f"{name} does not fit its digest."
