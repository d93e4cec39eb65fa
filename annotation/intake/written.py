"""The second net under burned-in text: words that text recognition reads in the stored slices hold a series back.

It runs behind the import, with the lowest priority, where the recogniser is installed; three slices of a series and
everything suspicious. It says "there is text", never which.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from annotation import jobs, store, trail
from annotation.dicom import codec, ocr, pixels
from annotation.intake import spool
from annotation.intake.describe import READ, STALE
from annotation.models import Case, Instance, Series, State, Study

log = logging.getLogger(__name__)

CLEAN, FOUND, FAILED = "clean", "found", "failed"
DONE = (CLEAN, FOUND)
TRIES, TRIED = 3, "tries_to_read_for_text"
"""A machine may be too busy for the recogniser once; after three tries the operator has to see to it."""


def wanted(study: Study) -> bool:
    """Say whether series of this study are read: not where nobody is shown, nor where no recogniser is installed."""
    return bool(settings.TEXT_SEARCH and not study.settings.get("synthetic") and ocr.available())


def start(study: Study, case_id: int) -> None:
    """Have the slices of a case read by a worker, unless that waits already."""
    if wanted(study):
        title = "Search for burned-in text"
        jobs.start_once("text", title=title, subject=f"text:{case_id}", study=study)


def start_missing() -> None:
    """Start what was never started or failed: the recogniser came later, was too slow, or a worker died in between."""
    if not settings.TEXT_SEARCH or not ocr.available():
        return
    may_be_tried = ~Q(parameters__has_key=TRIED) | Q(**{f"parameters__{TRIED}__lt": TRIES})
    unread = Series.objects.filter(
        unread_yet(), may_be_tried, excluded_reason="", held_reason="", case__released_at__isnull=True,
        case__assignments=None, case__patient__study__state__in=(State.DRAFT, State.FROZEN, State.READING),
    ).exclude(parameters__has_key=STALE)  # fmt: skip
    for case in Case.objects.filter(series__in=unread).select_related("patient__study").distinct()[:200]:
        start(case.patient.study, case.pk)


def unread_yet() -> Q:
    """Select series that were not searched, or could not be."""
    return ~Q(**{f"parameters__{READ}__in": DONE}) | ~Q(parameters__has_key=READ)


def given_up() -> Q:
    """Select series that could not be searched, however often it was tried."""
    return Q(**{f"parameters__{TRIED}__gte": TRIES}) & unread_yet()


def text_job(held: jobs.Held) -> None:
    case_id = int(held.subject.partition(":")[2])
    unread = list(Series.objects.filter(unread_yet(), case_id=case_id, excluded_reason="").order_by("pk"))
    hits = 0
    for number, one in enumerate(unread):
        held.step(number, len(unread), "Reading slices.")
        what = _read(one)
        hits += what == FOUND
        _write(held.for_study(), one, what)
    held.finish({}, f"{len(unread)} series read, text in {hits}." if hits else f"{len(unread)} series read, no text.")


def _read(one: Series) -> str:
    folder = spool.folder() / "reading"
    folder.mkdir(mode=spool.FOLDER_MODE, parents=True, exist_ok=True)
    try:
        for instance, frame in _slices(one):
            jls = store.get(instance.frames[frame - 1]["digest"])
            array = codec.stored_array(jls, instance.header)
            rescale = pixels.rescale_of(instance.header, frame)
            window = pixels.header_window(instance.header, frame) or pixels.automatic_window([array], rescale=[rescale])
            inverted = instance.header.get("00280004", {}).get("Value") == ["MONOCHROME1"]
            if ocr.reads_text(array, window=window, rescale=rescale, inverted=inverted, folder=folder):
                return FOUND
    except (ocr.Unreadable, store.MissingBytes) as fault:
        log.warning("text search in series %d: %s", one.pk, fault)
        return FAILED
    return CLEAN


def _slices(one: Series) -> Iterator[tuple[Instance, int]]:
    """Give first, middle and last slice as they are shown, and every suspicious one."""
    order = one.parameters.get("order", [])
    places = sorted({0, len(order) // 2, len(order) - 1}) if order else []
    asked = {tuple(order[place]) for place in places}
    suspicious = Instance.objects.filter(series=one).exclude(suspicion="").values_list("sop_uid", flat=True)
    asked |= {(uid, 1) for uid in suspicious}
    for instance in Instance.objects.filter(series=one, sop_uid__in={uid for uid, _ in asked}).order_by("pk"):
        for frame in range(1, len(instance.frames) + 1):
            if (instance.sop_uid, frame) in asked:
                yield instance, frame


def _write(study: Study, read: Series, what: str) -> None:
    """Write what came of it, and hold the series where text was read; a case in reading stays as it is."""
    with transaction.atomic():
        Study.objects.select_for_update().get(pk=study.pk)  # study before case, as everybody else holds them
        case = Case.objects.select_for_update(of=("self",)).select_related("patient").get(pk=read.case_id)
        one = Series.objects.get(pk=read.pk)
        if STALE in one.parameters:  # new images came in meanwhile; they are read with the others later
            return
        one.parameters[READ] = what
        if what == FAILED:
            one.parameters[TRIED] = one.parameters.get(TRIED, 0) + 1
        free = not case.assignments.exists()
        if what == FOUND and free and not one.held_reason:
            one.held_reason, one.looked_at = pixels.SUSPICIONS["read"], None
            if case.released_at is not None:
                case.released_at = None
                case.save(update_fields=["released_at"])
                trail.record(study, None, "withdraw release", subject=str(case), reason="Text was read in a series.")
        one.save(update_fields=["parameters", "held_reason", "looked_at"])
