"""From a sealed delivery to the study: sorted, then taken in study by study, each by one job, then settled.

Whatever breaks off goes on where it ended: a file is settled in the same transaction that writes its rows, and what is
settled is not looked at again. Several workers take several studies side by side.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from itertools import groupby, islice
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, Sum
from django.utils import timezone

from annotation import jobs, store, trail
from annotation.dicom import Quarantined, Refused, Taken, TakeRules
from annotation.dicom.pixels import SUSPICIONS
from annotation.identity import identifier_hash
from annotation.intake import spool, written
from annotation.intake.clinical import waiting
from annotation.intake.deliveries import UNDER_WAY, cancel, find, start_sorting
from annotation.intake.describe import describe, describe_stale
from annotation.intake.gate import still_open
from annotation.intake.sandbox import Outcome, Pool, pool
from annotation.intake.shelve import Item, Shelved, Verdict, shelve
from annotation.intake.sort import Step, sort
from annotation.models import Arrival, ArrivalState, Delivery, DeliveryState, Study, Way

log = logging.getLogger(__name__)
S = ArrivalState
Came = tuple[Arrival, Item | Verdict]
Outcomes = Sequence[Came]
WAITING = (S.AWAITED, S.HERE, S.SORTED)
FLUSH_EVERY = 64
"""So many files are written in one transaction: a killed worker loses the work on fewer, and no write lock is long."""
CHECK_EVERY = 16
"""Of so many coded frames one is decoded again and compared; comparing all takes a quarter of an import's time."""
ABANDONED_S = 7 * 24 * 3600
"""An upload that nobody has gone on with for so long is thrown away."""


def rules_of(study: Study) -> TakeRules:
    """Suspicious images are let in: they go into quarantine, where the coordinator sees them."""
    return TakeRules(
        allow_head=bool(study.settings.get("allow_head")), released=frozenset(SUSPICIONS), check_every=CHECK_EVERY
    )


ORPHANED_S = 900
"""A command that has not written a row for so long is no longer running."""


# --- the jobs ------------------------------------------------------------------------------------------------------


def sort_job(held: jobs.Held) -> None:
    delivery = find(uuid.UUID(hex=held.subject))
    sort(delivery, held.step)
    _start_studies(delivery)
    settle(delivery)
    held.finish({}, "Everything is looked at.")


def study_job(held: jobs.Held) -> None:
    delivery, group = find(uuid.UUID(hex=held.subject.split(":")[0])), held.subject.split(":")[1]
    take_groups(delivery, [group], held.step)
    settle(delivery)
    held.finish({}, "The study is in.")


def _start_studies(delivery: Delivery) -> None:
    with transaction.atomic():
        Delivery.objects.select_for_update().get(pk=delivery.pk)
        changed = Delivery.objects.filter(pk=delivery.pk, state__in=(DeliveryState.SORTING, DeliveryState.TAKING))
        if not changed.update(state=DeliveryState.TAKING):
            raise jobs.Cancelled("The delivery was cancelled.")
        for number, group in enumerate(unfinished(delivery), start=1):
            jobs.start_once(
                "import_study", title=f"Import, study {number} of the delivery", study=delivery.study,
                subject=f"{delivery.pk.hex}:{group}", by=delivery.started_by,
            )  # fmt: skip


def unfinished(delivery: Delivery) -> list[str]:
    """Give the studies that have files waiting, in the order in which they came, and those broken off at their end."""
    waiting = delivery.arrivals.filter(state=S.SORTED).order_by("number").values_list("group", flat=True)
    noted = Delivery.objects.values_list("result", flat=True).get(pk=delivery.pk).get("groups", {})
    return list(dict.fromkeys([*waiting, *(group for group, one in noted.items() if not one["described"])]))


def resume(delivery: uuid.UUID) -> None:
    """Start again what stopped at a fault, such as a full disk; does nothing while it still runs."""
    found = find(delivery)
    if found.way == Way.COMMAND:
        if spool.is_left(delivery) is False:
            return
        spool.unmark(delivery)  # from here on it is the workers'
    if found.state == DeliveryState.SORTING:
        with transaction.atomic():
            Delivery.objects.select_for_update().get(pk=delivery)  # twice pressed is started once
            start_sorting(found)
    elif found.state == DeliveryState.TAKING:
        _start_studies(found)


# --- one study -----------------------------------------------------------------------------------------------------


def take_groups(delivery: Delivery, groups: Sequence[str], step: Step, *, by: Pool | None = None) -> None:
    """Take DICOM studies of a delivery in; the files of them that are settled already are left alone.

    While one is written and described, the children read the next one.
    """
    waiting = delivery.arrivals.filter(state=S.SORTED, group__in=groups)
    done, total = 0, waiting.count()

    def settled(more: int) -> None:
        nonlocal done
        done += more
        step(done, total, f"{done} of {total} files")

    left = set(groups)
    # More than once round only if bytes were purged between the store and the rows; see `_flush`.
    while left or waiting.exists():
        with closing(_outcomes(delivery, groups, by or pool())) as outcomes:
            for group, own in groupby(outcomes, key=lambda pair: pair[0].group):
                _take_group(delivery, group, own, settled)
                left.discard(group)
        for group in left:  # broken off at their end before
            _finish(delivery, group)
        left.clear()


def _take_group(delivery: Delivery, group: str, outcomes: Iterator[Came], settled: Callable[[int], None]) -> None:
    try:
        while batch := list(islice(outcomes, FLUSH_EVERY)):
            _flush(delivery, group, batch)
            settled(len(batch))
    finally:
        # Cancelled half-way, what is in is whole all the same. Killed right here, the study's cases stand in the
        # delivery as undescribed, and the next worker goes on.
        _finish(delivery, group)


def _finish(delivery: Delivery, group: str) -> None:
    """Work out what the series of the study's cases are, once all that comes of it now is in."""
    for case in _noted(delivery.pk, group)["cases"]:
        describe(case)
        written.start(delivery.study, case)
    with transaction.atomic():
        held = Delivery.objects.select_for_update().get(pk=delivery.pk)
        if group in held.result.get("groups", {}):
            held.result["groups"][group]["described"] = True
            held.save(update_fields=["result"])


def _outcomes(delivery: Delivery, groups: Sequence[str], by: Pool) -> Generator[Came]:
    files = ((arrival, spool.path(delivery.pk, arrival.number)) for arrival in _waiting(delivery, groups))
    yield from by.each(files, rules_of(delivery.study), _kept)


def _waiting(delivery: Delivery, groups: Sequence[str]) -> Iterator[Arrival]:
    for group in groups:
        yield from list(delivery.arrivals.filter(state=S.SORTED, group=group).order_by("number"))


def _kept(arrival: Arrival, outcome: Outcome) -> Item | Verdict:
    """Put the frames into the store, so that only the header is held in memory."""
    if isinstance(outcome, Refused):
        return Verdict(S.REFUSED, outcome.code, outcome.sentence)
    if isinstance(outcome, Quarantined):
        return Verdict(S.QUARANTINED, outcome.code, outcome.sentence)
    digests = tuple(store.put(frame, durable=False) for frame in outcome.frames)
    return item_of(arrival.number, outcome, digests, arrival.mark)


def item_of(number: int, taken: Taken, digests: tuple[str, ...], mark: str) -> Item:
    header = trail.keepable(taken.header)
    light = replace(taken, frames=(), header=header)
    return Item(number, light, digests, mark, trail.image_digest(header, digests))


def person_of(study: Study, item: Item) -> str:
    """Hash the patient's identifier; without one a file stays at least with the other images of its own study."""
    facts = item.taken.facts
    return identifier_hash(study.code, facts.patient_id or facts.study_uid)


def by_person(study: Study, items: Iterable[Item]) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = {}
    for item in items:
        found.setdefault(person_of(study, item), []).append(item)
    return found


def _flush(delivery: Delivery, group: str, batch: Outcomes) -> None:
    """Write rows and settle their files in one transaction."""
    if not batch:
        return
    spool.check_room(0)
    store.settle(digest for _, what in batch if isinstance(what, Item) for digest in what.digests)
    with transaction.atomic():
        held = Delivery.objects.select_for_update().get(pk=delivery.pk)
        if held.state != DeliveryState.TAKING:
            raise jobs.Cancelled("The delivery was cancelled.")
        still_open(delivery.study, images=True)  # holds the study: from here to the end nothing is purged
        batch = [(arrival, what) for arrival, what in _unsettled(held, batch) if _is_stored(what)]
        verdicts = {arrival.number: what for arrival, what in batch if isinstance(what, Verdict)}
        items = [what for _, what in batch if isinstance(what, Item)]
        shelved = [shelve(delivery.study, person, own) for person, own in by_person(delivery.study, items).items()]
        for one in shelved:
            verdicts |= one.verdicts
        _settle_files([arrival for arrival, _ in batch], verdicts)
        _note(held, group, shelved)
        _purge_left_out(delivery.study, items, verdicts)
    for arrival, _ in batch:
        spool.forget(delivery.pk, arrival.number)


def _unsettled(held: Delivery, batch: Outcomes) -> Outcomes:
    """Leave out what another worker has settled: one that had lost touch with the database comes too late."""
    numbers = held.arrivals.filter(pk__in=[arrival.pk for arrival, _ in batch], state=S.SORTED)
    waiting = set(numbers.values_list("number", flat=True))
    return [(arrival, what) for arrival, what in batch if arrival.number in waiting]


def _is_stored(what: Item | Verdict) -> bool:
    return isinstance(what, Verdict) or all(store.holds(digest) for digest in what.digests)


def _purge_left_out(study: Study, items: Iterable[Item], verdicts: dict[int, Verdict]) -> None:
    """Have the bytes removed of what was decoded and then left out: they may be what a mask has blanked."""
    out = {digest for item in items if not verdicts[item.number].is_shelved for digest in item.digests}
    if out:
        jobs.start("purge", title="Bytes of files left out", study=study, params={"digests": sorted(out)})


def _settle_files(arrivals: list[Arrival], verdicts: dict[int, Verdict]) -> None:
    alike: dict[Verdict, list[int]] = {}
    for arrival in arrivals:
        alike.setdefault(verdicts[arrival.number], []).append(arrival.pk)
    for verdict, own in alike.items():
        Arrival.objects.filter(pk__in=own).update(
            state=verdict.state, reason_code=verdict.code[:40], reason=verdict.sentence[:300]
        )


def _note(held: Delivery, group: str, shelved: Iterable[Shelved]) -> None:
    """Remember on the delivery which cases and series a study's files went to."""
    noted = held.result.setdefault("groups", {}).setdefault(group, {})
    noted |= {"described": False, "cases": noted.get("cases", []), "series": noted.get("series", [])}
    for one in shelved:
        if one.case_id and one.series:
            noted["cases"] = sorted({*noted["cases"], one.case_id})
            noted["series"] = sorted({*noted["series"], *one.series})
    held.touched_at = timezone.now()
    held.save(update_fields=["result", "touched_at"])


def _noted(delivery: uuid.UUID, group: str) -> dict[str, Any]:
    result = Delivery.objects.values_list("result", flat=True).get(pk=delivery)
    noted: dict[str, Any] = result.get("groups", {}).get(group, {"cases": [], "series": [], "described": True})
    return noted


# --- the end -------------------------------------------------------------------------------------------------------


def settle(delivery: Delivery) -> bool:
    """Finish a delivery when nothing of it waits any more; says whether this call did."""
    with transaction.atomic():
        held = Delivery.objects.select_for_update().get(pk=delivery.pk)
        if held.state != DeliveryState.TAKING or held.arrivals.filter(state__in=WAITING).exists():
            return False
        if not all(one["described"] for one in held.result.get("groups", {}).values()):
            return False
        held.state, held.finished_at = DeliveryState.DONE, timezone.now()
        held.result = totals(held)
        held.save(update_fields=["state", "finished_at", "result"])
        # What came in stands as images now; only what did not is worth a row.
        held.arrivals.filter(state__in=(S.IMPORTED, S.DUPLICATE, S.OPENED)).delete()
    spool.drop(delivery.pk)
    log.info(
        "study %s: %d files received, %d imported, %d duplicates, %d refused, %d quarantined",
        delivery.study.code, *(held.result[name] for name in COUNTED),
    )  # fmt: skip
    return True


COUNTED = ("received", "imported", "duplicates", "refused", "quarantined")


def totals(held: Delivery) -> dict[str, Any]:
    counts = held.arrivals.aggregate(
        received=Count("pk", filter=~Q(state=S.OPENED)),
        imported=Count("pk", filter=Q(state=S.IMPORTED)),
        duplicates=Count("pk", filter=Q(state=S.DUPLICATE)),
        refused=Count("pk", filter=Q(state=S.REFUSED)),
        quarantined=Count("pk", filter=Q(state=S.QUARANTINED)),
        bytes=Sum("size", filter=~Q(state=S.OPENED), default=0),
    )
    noted = held.result.get("groups", {}).values()
    taken = (S.IMPORTED, S.DUPLICATE, S.QUARANTINED)
    return counts | {
        "studies": held.arrivals.filter(state__in=taken).values("group").distinct().count(),
        "series": len({series for one in noted for series in one["series"]}),
        "cases": sorted({case for one in noted for case in one["cases"]}),
    }


def describe_left() -> None:
    """Describe what ended before it was described, in studies into which nothing is being taken right now."""
    busy = Delivery.objects.filter(state=DeliveryState.TAKING).values_list("study", flat=True)
    describe_stale(case__patient__study__in=Study.objects.exclude(pk__in=list(busy)))


def go_on_with_left() -> None:
    """Take up what a command was bringing that is gone: it works in its own process, and nobody else goes on."""
    for old in left():
        if old.state == DeliveryState.RECEIVING:  # not all of it is here; running the command again brings it
            cancel(old.pk)
        else:
            resume(old.pk)
    before = timezone.now() - timedelta(seconds=ORPHANED_S)
    for old in Delivery.objects.filter(state__in=UNDER_WAY, way=Way.COMMAND, touched_at__lt=before):
        if spool.is_left(old.pk) is None and not any(job.is_open for job in jobs.of_subject(old.pk.hex)):
            cancel(old.pk)


def give_up_left(study: Study) -> None:
    """Let go of what an earlier run of the command has left: the one that begins brings it again."""
    for old in left():
        if old.study_id == study.pk:
            cancel(old.pk)


def left() -> list[Delivery]:
    """Give the deliveries of commands that are certainly gone, and that no worker has taken up."""
    under_way = Delivery.objects.filter(state__in=UNDER_WAY, way=Way.COMMAND)
    return [one for one in under_way if spool.is_left(one.pk)]


def sweep() -> None:
    """Throw away what nobody comes back for, and start what was forgotten; run by a worker now and then."""
    describe_left()
    written.start_missing()
    waiting.sweep()
    spool.sweep()
    before = timezone.now() - timedelta(seconds=ABANDONED_S)
    for old in Delivery.objects.filter(state=DeliveryState.RECEIVING, touched_at__lt=before):
        cancel(old.pk)
    go_on_with_left()
    for delivery in spool.homes(older_than_s=3600):
        if not Delivery.objects.filter(pk=delivery, state__in=UNDER_WAY).exists():
            spool.drop(delivery)
