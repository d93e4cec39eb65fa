"""What a page shows of a delivery: how far it is, what came of it, and why some files stayed out."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Sum

from annotation import jobs
from annotation.intake import spool
from annotation.intake.deliveries import UNDER_WAY, find
from annotation.models import Arrival, ArrivalState, Delivery, DeliveryState, Way

S = ArrivalState
SETTLED = (S.IMPORTED, S.DUPLICATE, S.REFUSED, S.QUARANTINED)
NUMBERS_SHOWN = 50
LEFT = "The command that brought these files has ended in the middle. Go on here, or run it again."


@dataclass(frozen=True)
class DeliveryCard:
    """One delivery. `done` of `total` counts bytes while it is received and files afterwards."""

    id: uuid.UUID
    way: str
    way_label: str
    state: str
    state_label: str
    created_at: datetime
    finished_at: datetime | None
    by: str
    files: int
    bytes: int
    done: int
    total: int
    imported: int
    duplicates: int
    refused: int
    quarantined: int
    studies: int
    series: int
    message: str
    is_open: bool
    is_stopped: bool

    @property
    def percent(self) -> int:
        return min(100, self.done * 100 // self.total) if self.total else 0


@dataclass(frozen=True)
class ProblemGroup:
    """Files that stayed out, or in quarantine, for one reason."""

    state: str
    code: str
    reason: str
    count: int
    numbers: tuple[int, ...]


def card(delivery: uuid.UUID) -> DeliveryCard:
    return cards([find(delivery)])[0]


def cards(deliveries: Sequence[Delivery]) -> list[DeliveryCard]:
    """Give a card for each delivery, in their order; two queries, and one for each that is worked on."""
    live = [one for one in deliveries if one.state in UNDER_WAY or not one.result.get("received")]
    counted: dict[uuid.UUID, dict[str, dict[str, int]]] = {one.pk: {} for one in live}
    rows = Arrival.objects.filter(delivery__in=live).values("delivery", "state")
    for row in rows.annotate(files=Count("pk"), size=Sum("size"), here=Sum("received")).order_by():
        counted[row["delivery"]][row["state"]] = {name: row[name] or 0 for name in ("files", "size", "here")}
    working = [one for one in live if one.state in (DeliveryState.SORTING, DeliveryState.TAKING)]
    stops = _stops(working)
    return [_card(one, counted.get(one.pk, {}), stops.get(one.pk)) for one in deliveries]


def _stops(working: Sequence[Delivery]) -> dict[uuid.UUID, str]:
    """Give the sentence of the failed job for each delivery that nobody works on any more."""
    found = {}
    for one in working:
        own = jobs.of_subject(one.pk.hex)
        if one.way == Way.COMMAND and spool.is_left(one.pk):
            found[one.pk] = LEFT
        elif own and not any(job.is_open for job in own):
            found[one.pk] = next((job.message for job in own if job.state == "failed"), "The work was stopped.")
    return found


def _card(one: Delivery, rows: dict[str, dict[str, int]], stop: str | None) -> DeliveryCard:
    numbers = _numbers(one, rows)
    receiving = one.state == DeliveryState.RECEIVING
    got = {name: sum(row[name] for row in rows.values()) for name in ("size", "here")}
    settled = sum(numbers[name] for name in ("imported", "duplicates", "refused", "quarantined"))
    return DeliveryCard(
        id=one.pk,
        way=one.way,
        way_label=Way(one.way).label,
        state=one.state,
        state_label=DeliveryState(one.state).label,
        created_at=one.created_at,
        finished_at=one.finished_at,
        by=one.started_by.get_username() if one.started_by else "",
        done=got["here"] if receiving else settled,
        total=got["size"] if receiving else numbers["files"],
        message=stop or "",
        is_open=one.state in UNDER_WAY and stop is None,
        is_stopped=stop is not None,
        **numbers,
    )


def _numbers(one: Delivery, rows: dict[str, dict[str, int]]) -> dict[str, int]:
    kept: dict[str, Any] = one.result
    if not rows and kept.get("received"):
        named = ("bytes", "imported", "duplicates", "refused", "quarantined", "studies", "series")
        return {"files": kept["received"], **{name: kept[name] for name in named}}
    files = {state: row["files"] for state, row in rows.items()}
    noted = kept.get("groups", {})
    return {
        "files": sum(n for state, n in files.items() if state != S.OPENED),
        "bytes": sum(row["size"] for state, row in rows.items() if state != S.OPENED),
        "imported": files.get(S.IMPORTED, 0),
        "duplicates": files.get(S.DUPLICATE, 0),
        "refused": files.get(S.REFUSED, 0),
        "quarantined": files.get(S.QUARANTINED, 0),
        "studies": len(noted),
        "series": len({series for group in noted.values() for series in group["series"]}),
    }


def problems(delivery: uuid.UUID) -> list[ProblemGroup]:
    """Give why files stayed out, by reason, the most frequent first, with the first numbers of each."""
    out = Arrival.objects.filter(delivery_id=delivery, state__in=(S.REFUSED, S.QUARANTINED))
    named = ("state", "reason_code", "reason")
    groups = out.values(*named).annotate(count=Count("pk")).order_by("-count", "reason_code")
    return [
        ProblemGroup(
            one["state"],
            one["reason_code"],
            one["reason"],
            one["count"],
            tuple(
                out.filter(**{name: one[name] for name in named})
                .order_by("number")
                .values_list("number", flat=True)[:NUMBERS_SHOWN]
            ),
        )
        for one in groups
    ]
