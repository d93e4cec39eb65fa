"""Look: one case at a time, all its series with their pictures, what was decided, and which case comes next."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from annotation import jobs
from annotation.access import NotYours, study_for
from annotation.desk.gate import Gate, fixed
from annotation.desk.masking import case_subject
from annotation.desk.series import physics
from annotation.dicom.geometry import Plane
from annotation.dicom.roles import ROLE_TITLES
from annotation.models import Instance, Role, Series
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
    series = sorted(case.series.all(), key=_place)
    cards = _cards(gate, series)
    exclusion = getattr(case.patient, "exclusion", None)
    following = next_waiting(person, code, after=pseudonym)
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
        missing=tuple(gap.words for gap in gate.lacking(case)),
        series=cards,
        unseen=sum(card.state == "new" for card in cards),
        held=sum(card.state == "held" for card in cards),
        seen=seen_of(series),
        jobs=tuple(_jobs(case.pk, cards)),
        next_waiting=following,
        ahead=_ahead(study.pk, following),
        **_neighbours(gate, pseudonym),
    )


def next_waiting(person: Person, code: str, *, after: str = "") -> str:
    """Give the next case that waits for a look, a decision or its release, from the start again at the end."""
    found = Gate(study_for(person, code, Role.COORDINATOR))
    waiting = found.cases().filter(found.to_be_looked_at).exclude(patient__pseudonym=after)
    names = waiting.values_list("patient__pseudonym", flat=True)
    return names.filter(patient__pseudonym__gt=after).first() or names.first() or ""


def first_case(person: Person, code: str) -> str:
    """Give the case to begin with: one that waits, else the first there is."""
    study = study_for(person, code, Role.COORDINATOR)
    every = Gate(study).cases().values_list("patient__pseudonym", flat=True)
    return next_waiting(person, code) or every.first() or ""


def seen_of(series: Sequence[Series]) -> str:
    """Mark what a page shows, so that nobody says “looked at” to a picture that came after it."""
    state = sorted((s.pk, s.frame_count, bool(s.held_reason), bool(s.excluded_reason), len(s.masks)) for s in series)
    return hashlib.sha256(repr(state).encode()).hexdigest()[:20]


ORDER = tuple(ROLE_TITLES)


def _place(one: Series) -> tuple[Any, ...]:
    """What waits for a decision comes first, what is excluded last; between them the order of the roles."""
    waits = bool(one.held_reason) and not one.excluded_reason
    role = ORDER.index(one.role) if one.role in ORDER else len(ORDER)
    return bool(one.excluded_reason), not waits, one.modality == "CT", role, one.pk


def _neighbours(gate: Gate, pseudonym: str) -> dict[str, Any]:
    every: QuerySet[Any] = gate.cases().values_list("patient__pseudonym", flat=True)
    before = every.filter(patient__pseudonym__lt=pseudonym)
    position = before.count() + 1
    return {
        "position": position,
        "of": every.count(),
        "waiting": gate.cases().filter(gate.to_be_looked_at).count(),
        "previous": before.last() or "",
        "next": every.filter(patient__pseudonym__gt=pseudonym).first() or "",
    }


def _cards(gate: Gate, series: Sequence[Series]) -> tuple[SeriesCard, ...]:
    shown = [one for one in series if not one.held_reason and not one.excluded_reason]
    counted = Counter(one.role for one in shown)
    # The room gives the series of a role in the order in which they came in and hangs the first.
    first = {role: min(one.pk for one in shown if one.role == role) for role in counted}
    planes = _planes(series)
    cards = []
    for one in series:
        same = ""
        if one in shown and counted[one.role] > 1 and one.role in gate.start_roles:
            same = "hangs first" if one.pk == first[one.role] else "hangs second, readers find it in the list"
        plane = planes.get(one.pk)
        spacing = plane.spacing_rc_mm if plane else (1.0, 1.0)
        rows, columns = (plane.rows, plane.columns) if plane else (0, 0)
        wide, tall = columns * spacing[1], rows * spacing[0]
        cards.append(
            SeriesCard(
                one.pk,
                one.title,
                one.modality,
                one.role,
                ROLE_TITLES.get(one.role, one.role),
                one.role_reason,
                one.parameters.get("plane", "unknown"),
                physics(one.parameters),
                one.frame_count,
                _state(one),
                one.held_reason,
                one.excluded_reason,
                tuple(_mask(mask) for mask in one.masks),
                same,
                rows,
                columns,
                wide / tall if tall else 1.0,
                version_of(one),
            )
        )
    return tuple(cards)


def _state(one: Series) -> str:
    if one.excluded_reason:
        return "excluded"
    if one.held_reason:
        return "held"
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


def _jobs(case: int, cards: Sequence[SeriesCard]) -> list[jobs.Card]:
    """Give the masks that are being drawn in this case; the newest also when it failed and something is held still."""
    if not any(card.state == "held" for card in cards):
        return []
    found = jobs.of_subject(case_subject(case))
    return [card for n, card in enumerate(found) if card.is_open or (n == 0 and card.state != "done")]


def _ahead(study: int, case: str) -> tuple[tuple[int, str], ...]:
    """Name the series of the case that comes next: its pictures are fetched while this one is looked at."""
    if not case:
        return ()
    found = Series.objects.filter(case__patient__study=study, case__patient__pseudonym=case, excluded_reason="")
    return tuple((one.pk, version_of(one)) for one in found.exclude(frame_count=0)[:20])


def version_of(one: Series) -> str:
    """Change the address of a series' pictures when they change."""
    return f"{one.frame_count}-{len(one.masks)}"
