"""Masking a rectangle of a series: asked for at the desk, carried out by a worker, frame by frame, all or nothing.

While it is drawn the series is held, so nobody reads a half of it. The new frames are stored first; one transaction
then names them, and starts the job that removes what was there before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from annotation import jobs, store, trail
from annotation.access import WrongState, study_for
from annotation.desk.gate import movable, reopened, series_of, study_held
from annotation.desk.setup import BadSetting
from annotation.dicom.mask import WrongRectangle, check, masked_frame, masked_header
from annotation.intake.purge import drop_unused
from annotation.models import Instance, Role, Series
from annotation.people import Person

BEING_MASKED = "A rectangle is being masked."
FAILED_BEFORE = "A mask was begun and not finished; look at the series."
Rectangle = tuple[int, int, int, int]


def mask_subject(one: Series) -> str:
    """Name the mask jobs of a series so that those of a whole case are found by the beginning."""
    return f"{case_subject(one.case_id)}{one.pk}:"


def case_subject(case: int) -> str:
    return f"mask:{case}:"


def masking_now(one: Series) -> bool:
    """Say whether a mask is being drawn; one that failed leaves the series held, and a new one may be asked for."""
    return one.held_reason == BEING_MASKED and any(card.is_open for card in jobs.of_subject(mask_subject(one)))


def mask_series(person: Person, code: str, series_id: int, *, rectangle: Sequence[int], reason: str = "") -> jobs.Card:
    """Blank a rectangle (first row and column, and those behind the last) in every frame of a series, as a job."""
    study = study_for(person, code, Role.COORDINATOR)
    if len(rectangle) != 4:
        raise BadSetting("rectangle", "A rectangle is four whole numbers.")
    row0, column0, row1, column1 = rectangle
    with transaction.atomic():
        study = study_held(study)
        one = series_of(study, series_id)
        movable(study, one.case)
        if one.excluded_reason:
            raise WrongState("This series is excluded; there is nothing to mask.")
        if masking_now(one):
            raise WrongState("A rectangle of this series is just being masked; wait until that is done.")
        _fits_all(one, (row0, column0, row1, column1))
        params = {"series": one.pk, "rectangle": list(rectangle), "reason": reason.strip()[:200]}
        params["held_before"] = FAILED_BEFORE if one.held_reason == BEING_MASKED else one.held_reason
        one.held_reason, one.looked_at = BEING_MASKED, None
        one.save(update_fields=["held_reason", "looked_at"])
        reopened(study, person, one.case, "A rectangle of a series is masked.")
        title = f"Mask in {one.case}, {one.title}"
        return jobs.start("mask", title=title, study=study, subject=mask_subject(one), params=params, by=person)


def _fits_all(one: Series, rectangle: Rectangle) -> None:
    """Refuse a rectangle that does not lie inside every image: one series may hold images of several sizes."""
    for header in Instance.objects.filter(series=one).values_list("header", flat=True).iterator():
        rows, columns = header["00280010"]["Value"][0], header["00280011"]["Value"][0]
        try:
            check(rectangle, rows=rows, columns=columns)
        except WrongRectangle as wrong:
            raise BadSetting("rectangle", wrong.sentence) from None


# --- what the worker does ------------------------------------------------------------------------------------------


def carry_out_mask(held: jobs.Held) -> None:
    """Draw the rectangle into every frame and let the rows name the new frames. A second attempt starts over."""
    study = held.for_study()
    one = Series.objects.select_related("case__patient").get(pk=held.params["series"])
    row0, column0, row1, column1 = held.params["rectangle"]
    old = list(Instance.objects.filter(series=one).order_by("pk"))
    total, done = sum(len(instance.frames) for instance in old), 0
    fresh: list[Instance] = []
    for instance in old:
        frames: list[dict[str, Any]] = []
        for frame in instance.frames:
            if done % 10 == 0:
                held.step(done, total, f"{done} of {total} slices")
            data = masked_frame(store.get(frame["digest"]), instance.header, (row0, column0, row1, column1))
            frames.append({**frame, "digest": store.put(data)})
            done += 1
        fresh.append(_masked(instance, frames))
    with transaction.atomic():
        study = study_held(study)
        one = series_of(study, one.pk)
        movable(study, one.case)
        _unchanged(one, old)
        if not all(store.holds(frame["digest"]) for instance in fresh for frame in instance.frames):
            raise WrongState("Bytes of the masked slices were purged meanwhile; mask the series again.")
        Instance.objects.bulk_update(fresh, ["header", "frames", "digest", "taken_digest"], batch_size=100)
        _note(one, held)
        one.save(update_fields=["masks", "held_reason", "looked_at"])
        after = {"rows": [row0, row1], "columns": [column0, column1], "slices": total}
        name = f"{one.case}, series {one.pk}"
        trail.record(study, held.started_by, "mask series", subject=name, after=after, reason=held.params["reason"])
        gone = sorted({frame["digest"] for instance in old for frame in instance.frames})
        jobs.start("purge", title="Bytes from before a mask", study=study, params={"digests": gone})
        held.finish({"slices": total}, f"Masked in {total} slices.")


def _masked(instance: Instance, frames: list[dict[str, Any]]) -> Instance:
    header = trail.keepable(masked_header(instance.header))
    digest = trail.image_digest(header, [frame["digest"] for frame in frames])
    taken = instance.taken_digest or instance.digest
    return Instance(pk=instance.pk, header=header, frames=frames, digest=digest, taken_digest=taken)


def _unchanged(one: Series, old: Sequence[Instance]) -> None:
    now = dict(Instance.objects.filter(series=one).values_list("pk", "digest"))
    if one.excluded_reason or now != {instance.pk: instance.digest for instance in old}:
        raise WrongState("The series has changed while the rectangle was drawn; look at it and mask it again.")


def _note(one: Series, held: jobs.Held) -> None:
    by = held.started_by.username if held.started_by else ""
    mask = {"rectangle": held.params["rectangle"], "by": by, "at": timezone.now().isoformat()}
    one.masks = [*one.masks, {**mask, "reason": held.params["reason"]}]
    # What was clean is clean after a further look; what was held needs its decision all the same.
    one.held_reason, one.looked_at = held.params["held_before"], None


def carry_out_purge(held: jobs.Held) -> None:
    """Remove bytes that have left use, by the digests of a mask or as all of an excluded series."""
    digests = held.params.get("digests")
    if digests is None:
        excluded = Instance.objects.filter(series=held.params["series"]).exclude(series__excluded_reason="")
        digests = [frame["digest"] for frames in excluded.values_list("frames", flat=True) for frame in frames]
    gone = drop_unused(digests)
    held.finish({"removed": gone}, f"{gone} frames removed.")
