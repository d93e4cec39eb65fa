"""A whole batch from local paths in one call, as command, demo and tests bring it: the same way, in one process."""

from __future__ import annotations

import logging
import os
import time
import uuid
from itertools import islice
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from annotation.access import WrongState
from annotation.intake import deliveries, sort, sources, spool, work
from annotation.intake.clinical import take_clinical
from annotation.intake.describe import describe_stale
from annotation.intake.gate import still_open
from annotation.intake.log import Log, Problem, Progress
from annotation.intake.rehearsal import rehearse_all
from annotation.intake.sandbox import pool
from annotation.models import ArrivalState, Case, Delivery, DeliveryState, Study, Way
from annotation.people import Person

log = logging.getLogger(__name__)
AT_ONCE = 500
ALIVE_EVERY_S = 30.0


def take_in(
    study: Study,
    *,
    dicom: list[Path],
    clinical: Path | None = None,
    dictionary: Path | None = None,
    by: Person | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Log:
    """Take images and the clinical table into a study. Refusals are data; running it again imports nothing twice.

    Raises WrongState, before anything is written, when the study takes such things in no more.
    """
    started = time.monotonic()
    with transaction.atomic():
        still_open(study, images=bool(dicom))
    out = Log()
    if clinical is not None:
        out.clinical = take_clinical(study, clinical, dictionary=dictionary, by=by, dry_run=dry_run)
    if dicom:
        step = progress or (lambda done, total, message: None)
        if dry_run:
            rehearse_all(study, dicom, out, step)
        else:
            _deliver(study, dicom, out, by, step)
    out.seconds = round(time.monotonic() - started, 3)
    log.info(
        "study %s: %d files received, %d imported, %d of %d rows of the clinical table",
        study.code, out.received, out.imported, out.clinical.accepted, out.clinical.rows,
    )  # fmt: skip
    return out


def _deliver(study: Study, paths: list[Path], out: Log, by: Person | None, step: Progress) -> None:
    work.give_up_left(study)
    delivery = deliveries.begin(study, way=Way.COMMAND, by=by)
    try:
        with spool.worked_on(delivery):
            _bring(delivery, paths)
            _work(delivery, step)
    except BaseException:
        # Whoever stops it has been told; what is in stays in, and the next run goes on behind it.
        deliveries.cancel(delivery)
        raise
    _tell(Delivery.objects.get(pk=delivery), out)


def _bring(delivery: uuid.UUID, paths: list[Path]) -> None:
    files = iter(sources.files(paths))
    while some := list(islice(files, AT_ONCE)):
        deliveries.place_all(delivery, some, move=False)


def _work(delivery: uuid.UUID, step: Progress) -> None:
    """Do in this process what the jobs of a sealed delivery do in the workers', with all processors."""
    step = _alive(delivery, step)
    with transaction.atomic():
        held = deliveries.find(delivery)
        deliveries.mark_sealed(held)
    children = pool(os.cpu_count() or 1)

    def sorting(_done: int, total: int, message: str) -> None:
        if held.arrivals.filter(state=ArrivalState.SORTED).exists():
            children.start()  # they are ready when the last file is sorted
        step(0, total, message)

    sort.sort(held, sorting)
    with transaction.atomic():
        changed = Delivery.objects.filter(pk=delivery, state=DeliveryState.SORTING)
        changed.update(state=DeliveryState.TAKING)
    before, total = _counts(held)
    work.take_groups(
        held, work.unfinished(held),
        lambda done, _of, _message: step(before + done, total, f"{before + done} of {total} files"), by=children,
    )  # fmt: skip
    describe_stale(case__patient__study=held.study)  # what an earlier run left that was killed
    if not work.settle(held):
        raise WrongState("The import was cancelled, or files of it still wait; run it again.")


def _alive(delivery: uuid.UUID, step: Progress) -> Progress:
    """Note with each step, at most every half minute, that this process still works on its delivery."""
    last = [time.monotonic()]

    def noted(done: int, total: int, message: str) -> None:
        if time.monotonic() - last[0] > ALIVE_EVERY_S:
            last[0] = time.monotonic()
            Delivery.objects.filter(pk=delivery).update(touched_at=timezone.now())
        step(done, total, message)

    return noted


def _counts(held: Delivery) -> tuple[int, int]:
    """Count the files that are settled, and all of them."""
    counted = held.arrivals.exclude(state=ArrivalState.OPENED)
    total = counted.count()
    return total - counted.filter(state__in=work.WAITING).count(), total


def _tell(held: Delivery, out: Log) -> None:
    for name in ("received", "imported", "duplicates", "studies", "series"):
        setattr(out, name, held.result[name])
    problems = held.arrivals.filter(state__in=(ArrivalState.REFUSED, ArrivalState.QUARANTINED)).order_by("number")
    for one in problems:
        there = out.refused if one.state == ArrivalState.REFUSED else out.quarantined
        there.append(Problem(str(one), one.reason_code, one.reason))
    cases = Case.objects.select_related("patient").filter(pk__in=held.result["cases"])
    out.cases = sorted(str(case) for case in cases)
