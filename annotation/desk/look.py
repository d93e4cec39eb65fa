"""Look: one case at a time, all its series with their pictures, what was decided, and which case comes next."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from annotation import intake, jobs
from annotation.access import NotYours, study_for
from annotation.desk.gate import Gate, fixed
from annotation.desk.labels import outdated
from annotation.desk.masking import case_subject
from annotation.desk.series import physics
from annotation.dicom.geometry import Plane
from annotation.dicom.roles import ROLE_TITLES
from annotation.models import Case, Instance, Role, Series
from annotation.people import Person


@dataclass(frozen=True)
class Mask:
    """A rectangle that was blanked: rows and columns in pixels, counted from 1, both ends inside."""

    rows: str
    columns: str
    by: str
    reason: str


@dataclass(frozen=True)
class SeriesCard:
    """One series as the coordinator judges it."""

    id: int
    title: str
    modality: str
    role: str
    role_title: str
    role_reason: str
    plane: str
    physics: str
    slices: int
    state: str
    held_reason: str
    excluded_reason: str
    masks: tuple[Mask, ...]
    same_role: str
    rows: int
    columns: int
    proportion: float
    version: str

    @property
    def middle(self) -> int:
        return (self.slices + 1) // 2


@dataclass(frozen=True)
class Look:
    """A case on the coordinator's light box, and its neighbours."""

    id: int
    code: str
    title: str
    case: str
    position: int
    of: int
    waiting: int
    previous: str
    next: str
    next_waiting: str
    level: str
    released: bool
    excluded: str
    in_order: bool
    fixed: str
    labels_outdated: str
    missing: tuple[str, ...]
    series: tuple[SeriesCard, ...]
    unseen: int
    held: int
    seen: str
    jobs: tuple[jobs.Card, ...]
    ahead: tuple[tuple[int, str], ...]

    @property
    def busy(self) -> bool:
        """Whether something changes by itself, so that the page is worth asking for again."""
        return any(job.is_open for job in self.jobs)


def look(person: Person, code: str, pseudonym: str) -> Look:
    study = study_for(person, code, Role.COORDINATOR)
    gate = Gate(study)
    case = gate.cases().filter(patient__pseudonym=pseudonym).first()
    if case is None:
        raise NotYours
    # First the jobs, then what they write: one that ends in between is asked for again, not missed for good.
    masking = jobs.of_subject(case_subject(case.pk))
    series = sorted(case.series.all(), key=_place)
    cards = _cards(gate, series)
    exclusion = getattr(case.patient, "exclusion", None)
    waiting = _waiting(gate)
    following = _following(waiting, pseudonym)
    return Look(
        id=case.pk,
        code=study.code,
        title=study.title,
        case=pseudonym,
        level=case.lysis_vertebra,
        released=case.released_at is not None,
        excluded=exclusion.reason if exclusion else "",
        in_order=case.placed,
        fixed=fixed(study, case),
        labels_outdated=outdated(case),
        missing=tuple(gap.words for gap in gate.lacking(case)),
        series=cards,
        unseen=sum(card.state == "new" for card in cards),
        held=sum(card.state == "held" for card in cards),
        seen=seen_of(series),
        jobs=tuple(_jobs(masking, cards)),
        waiting=len(waiting),
        next_waiting=following,
        ahead=_ahead(study.pk, following),
        **_neighbours(_every(study.pk), pseudonym),
    )


def next_waiting(person: Person, code: str, *, after: str = "") -> str:
    """Give the next case that waits for a look, a decision or its release, from the start again at the end."""
    return _following(_waiting(Gate(study_for(person, code, Role.COORDINATOR))), after)


def first_case(person: Person, code: str) -> str:
    """Give the case to begin with: one that waits, else the first there is."""
    gate = Gate(study_for(person, code, Role.COORDINATOR))
    return _following(_waiting(gate), "") or next(iter(_every(gate.study.pk)), "")


def _waiting(gate: Gate) -> list[str]:
    """Name the cases that wait, in their order: short words, and asked for once they tell count and neighbour."""
    return list(gate.cases().filter(gate.to_be_looked_at).values_list("patient__pseudonym", flat=True))


def _every(study: int) -> list[str]:
    named = Case.objects.filter(patient__study=study).order_by("patient__pseudonym")
    return list(named.values_list("patient__pseudonym", flat=True))


def _following(waiting: Sequence[str], after: str) -> str:
    others = [name for name in waiting if name != after]
    place = bisect_right(others, after)
    return next(iter([*others[place : place + 1], *others[:1]]), "")


def seen_of(series: Sequence[Series]) -> str:
    """Mark what a page shows, so that nobody says “looked at” to a picture that came after it."""
    state = sorted(
        (s.pk, s.frame_count, bool(s.held_reason), bool(s.excluded_reason), len(s.masks), intake.STALE in s.parameters)
        for s in series
    )
    return hashlib.sha256(repr(state).encode()).hexdigest()[:20]


ORDER = tuple(ROLE_TITLES)


def _place(one: Series) -> tuple[Any, ...]:
    """What waits for a decision comes first, what is excluded last; between them the order of the roles."""
    waits = bool(one.held_reason) and not one.excluded_reason
    role = ORDER.index(one.role) if one.role in ORDER else len(ORDER)
    return bool(one.excluded_reason), not waits, one.modality == "CT", role, one.pk


def _neighbours(every: Sequence[str], pseudonym: str) -> dict[str, Any]:
    place = every.index(pseudonym)
    return {
        "position": place + 1,
        "of": len(every),
        "previous": every[place - 1] if place else "",
        "next": every[place + 1] if place + 1 < len(every) else "",
    }


def _cards(gate: Gate, series: Sequence[Series]) -> tuple[SeriesCard, ...]:
    hints, planes = _same_role(gate, series), _planes(series)
    return tuple(_card(one, hints.get(one.pk, ""), planes.get(one.pk)) for one in series)


def _same_role(gate: Gate, series: Sequence[Series]) -> dict[int, str]:
    """Say which series readers meet first where two share a role of a start layout.

    The room gives the series of a role in the order in which they came in, and hangs the first.
    """
    by_role: dict[str, list[int]] = {}
    for one in sorted(series, key=lambda one: one.pk):
        if not one.held_reason and not one.excluded_reason and one.role in gate.start_roles:
            by_role.setdefault(one.role, []).append(one.pk)
    return {
        pk: "hangs second, readers find it in the list" if place else "hangs first"
        for pks in by_role.values()
        if len(pks) > 1
        for place, pk in enumerate(pks)
    }


def _card(one: Series, same_role: str, plane: Plane | None) -> SeriesCard:
    rows, columns = (plane.rows, plane.columns) if plane else (0, 0)
    row_mm, column_mm = plane.spacing_rc_mm if plane else (1.0, 1.0)
    return SeriesCard(
        id=one.pk,
        title=one.title,
        modality=one.modality,
        role=one.role,
        role_title=ROLE_TITLES.get(one.role, one.role),
        role_reason=one.role_reason,
        plane=one.parameters.get("plane", "unknown"),
        physics=physics(one.parameters),
        slices=one.frame_count,
        state=_state(one),
        held_reason=one.held_reason,
        excluded_reason=one.excluded_reason,
        masks=tuple(_mask(mask) for mask in one.masks),
        same_role=same_role,
        rows=rows,
        columns=columns,
        proportion=columns * column_mm / (rows * row_mm) if rows else 1.0,
        version=version_of(one),
    )


def _state(one: Series) -> str:
    if one.excluded_reason:
        return "excluded"
    if one.held_reason:
        return "held"
    if intake.STALE in one.parameters or not one.parameters.get("order"):
        return "coming"
    return "looked" if one.looked_at else "new"


def _mask(kept: dict[str, Any]) -> Mask:
    row0, column0, row1, column1 = kept["rectangle"]
    return Mask(f"{row0 + 1}–{row1}", f"{column0 + 1}–{column1}", kept.get("by", ""), kept.get("reason", ""))


def _planes(series: Sequence[Series]) -> dict[int, Plane]:
    """Give the plane of each series' middle slice, in one query."""
    middle = {}
    for one in series:
        order = one.parameters.get("order") or []
        if order:
            middle[one.pk] = order[(len(order) - 1) // 2]
    if not middle:
        return {}
    asked = Q()
    for pk, (sop_uid, _) in middle.items():
        asked |= Q(series=pk, sop_uid=sop_uid)
    found = {}
    for pk, frames in Instance.objects.filter(asked).values_list("series", "frames"):
        plane = frames[middle[pk][1] - 1]["plane"]
        if plane:
            found[pk] = Plane.from_json(plane)
    return found


def _jobs(found: Sequence[jobs.Card], cards: Sequence[SeriesCard]) -> list[jobs.Card]:
    """Give the masks that are being drawn in this case; the newest also when it failed and something is held still."""
    still = any(card.state == "held" for card in cards)
    return [card for n, card in enumerate(found) if card.is_open or (n == 0 and still and card.state != "done")]


def _ahead(study: int, case: str) -> tuple[tuple[int, str], ...]:
    """Name the series of the case that comes next: its pictures are fetched while this one is looked at."""
    if not case:
        return ()
    found = Series.objects.filter(case__patient__study=study, case__patient__pseudonym=case, excluded_reason="")
    return tuple((one.pk, version_of(one)) for one in found.exclude(frame_count=0)[:20])


def version_of(one: Series) -> str:
    """Change the address of a series' pictures when they change."""
    return f"{one.frame_count}-{len(one.masks)}"
