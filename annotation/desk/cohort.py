"""Cases: what each of them lacks, its level, its release, and finding it again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, Prefetch, Q, QuerySet
from django.utils import timezone

from annotation import trail
from annotation.access import NotYours, WrongState, protocol_of, study_for
from annotation.desk.acts import NotConfirmed
from annotation.desk.gate import WAITING, Gap, Gate, case_of, study_held
from annotation.desk.setup import BadSetting
from annotation.identity import identifier_hash
from annotation.models import Case, Role, Series, State, Study
from annotation.people import Person

PAGE_SIZE = 50
STATES = {"all": "All", "waiting": "Waiting", "complete": "Complete", "released": "Released", "excluded": "Excluded"}
RowT = TypeVar("RowT")


@dataclass(frozen=True)
class Page(Generic[RowT]):
    """One page of a table, cut by the database."""

    rows: tuple[RowT, ...]
    number: int
    pages: int
    total: int


@dataclass(frozen=True)
class CaseRow:
    id: int
    case: str
    level: str
    series: int
    frames: int
    missing: tuple[str, ...]
    released: bool
    excluded: str
    in_order: bool


@dataclass(frozen=True)
class Lack:
    """How many waiting cases lack one thing."""

    code: str
    words: str
    cases: int


@dataclass(frozen=True)
class Completeness:
    """Where the cohort stands before the order is drawn."""

    cases: int
    waiting: int
    complete: int
    released: int
    excluded: int
    lacks: tuple[Lack, ...]


def page_of(found: QuerySet[Any], number: int) -> tuple[Sequence[Any], int, int, int]:
    paginator = Paginator(found, PAGE_SIZE)
    page = paginator.get_page(number)
    return list(page.object_list), page.number, paginator.num_pages, paginator.count


def completeness(person: Person, code: str) -> Completeness:
    gate = Gate(study_for(person, code, Role.COORDINATOR))
    kept = Q(patient__exclusion__isnull=True)
    counts = gate.cases().aggregate(
        cases=Count("pk"),
        waiting=Count("pk", filter=WAITING),
        complete=Count("pk", filter=WAITING & gate.complete),
        released=Count("pk", filter=kept & Q(released_at__isnull=False)),
        excluded=Count("pk", filter=~kept),
        **{f"lack_{gap.code}": Count("pk", filter=WAITING & gate.open_in(gap.code)) for gap in gate.gaps},
    )
    lacks = tuple(Lack(gap.code, gap.words, counts.pop(f"lack_{gap.code}")) for gap in gate.gaps)
    return Completeness(**counts, lacks=tuple(lack for lack in lacks if lack.cases))


def cases(
    person: Person, code: str, *, page: int = 1, state: str = "all", lacks: str = "", search: str = ""
) -> Page[CaseRow]:
    """Give one page of the cases in a state, with a certain gap, or whose pseudonym holds what is searched."""
    gate = Gate(study_for(person, code, Role.COORDINATOR))
    own = Prefetch("series", queryset=Series.objects.only("case_id", "frame_count"))
    found = gate.cases().filter(_in_state(gate, state)).prefetch_related(own)
    if lacks:
        found = found.filter(WAITING & gate.open_in(lacks))
    if search:
        found = found.filter(patient__pseudonym__icontains=search)
    rows, number, pages, total = page_of(found, page)
    return Page(tuple(_case_row(gate, case) for case in rows), number, pages, total)


def _in_state(gate: Gate, state: str) -> Q:
    kept = Q(patient__exclusion__isnull=True)
    return {
        "waiting": WAITING,
        "complete": WAITING & gate.complete,
        "released": kept & Q(released_at__isnull=False),
        "excluded": ~kept,
    }.get(state, Q())


def _case_row(gate: Gate, case: Any) -> CaseRow:
    series = list(case.series.all())
    exclusion = getattr(case.patient, "exclusion", None)
    return CaseRow(
        case.pk,
        case.patient.pseudonym,
        case.lysis_vertebra,
        len(series),
        sum(one.frame_count for one in series),
        tuple(gap.words for gap in gate.lacking(case)),
        case.released_at is not None,
        exclusion.reason if exclusion else "",
        case.placed,
    )


def levels(person: Person, code: str) -> tuple[str, ...]:
    """Give the levels a case of this study's instrument may have; none where the instrument knows no levels."""
    return protocol_of(study_for(person, code, Role.COORDINATOR)).index_levels


def set_level(person: Person, code: str, case_id: int, *, level: str) -> None:
    study = study_for(person, code, Role.COORDINATOR)
    known = protocol_of(study).index_levels
    if level not in known:
        raise BadSetting("level", f"“{level}” is no level of this protocol; there are: {', '.join(known)}.")
    with transaction.atomic():
        study = study_held(study)
        case = case_of(study, case_id)
        if case.assignments.exists():
            raise WrongState(f"{case} is being read; its level stays as it is.")
        before, case.lysis_vertebra = case.lysis_vertebra, level
        case.save(update_fields=["lysis_vertebra"])
        trail.record(study, person, "set index level", subject=str(case), before=before, after=level)


# --- release -------------------------------------------------------------------------------------------------------


def release(person: Person, code: str, case_id: int) -> None:
    """Let readers open a case; refused, with the reason, while something it must have is missing."""
    study = study_for(person, code, Role.COORDINATOR)
    with transaction.atomic():
        study = study_held(study)
        gate = Gate(study)
        case = gate.cases().filter(pk=case_id).first()
        if case is None:
            raise NotYours
        if case.released_at is not None:
            return
        if hasattr(case.patient, "exclusion"):
            raise WrongState(f"{case} is excluded (reason {case.patient.exclusion.reason}) and is not released.")
        if lacking := gate.lacking(case):
            raise WrongState(f"{case} is not released: {_named(lacking)} missing.")
        _release(study, person, case)


def _release(study: Study, person: Person, case: Case) -> None:
    case.released_at = timezone.now()
    case.save(update_fields=["released_at"])
    trail.record(study, person, "release case", subject=str(case))


def release_all(person: Person, code: str) -> tuple[int, list[str]]:
    """Release every case that is complete; gives the number, and a sentence for each group of those that are not."""
    study = study_for(person, code, Role.COORDINATOR)
    released, groups = 0, Counter[str]()
    with transaction.atomic():
        study = study_held(study)
        gate = Gate(study)
        for case in gate.cases().filter(WAITING):
            if lacking := gate.lacking(case):
                groups[_named(lacking)] += 1
            else:
                _release(study, person, case)
                released += 1
    return released, [
        f"{number} {'case is' if number == 1 else 'cases are'} not released: {words} missing."
        for words, number in groups.most_common()
    ]


def _named(lacking: Sequence[Gap]) -> str:
    return ", ".join(gap.words for gap in lacking)


def withdraw(person: Person, code: str, case_id: int, *, reason: str) -> None:
    """Take a release back while the case lies in nobody's order."""
    study = study_for(person, code, Role.COORDINATOR)
    if not reason.strip():
        raise NotConfirmed("Say why the release is withdrawn; the reason is kept in the trail.")
    with transaction.atomic():
        study = study_held(study)
        case = case_of(study, case_id)
        if case.assignments.exists() or study.has_reached(State.READINGS_LOCKED):
            raise WrongState(f"{case} lies in the readers' order and stays released.")
        if case.released_at is None:
            return
        case.released_at = None
        case.save(update_fields=["released_at"])
        trail.record(study, person, "withdraw release", subject=str(case), reason=reason.strip()[:500])


def find_case(person: Person, code: str, *, identifier: str) -> str | None:
    """Find a case by the hospital's identifier, which is hashed here and kept nowhere."""
    study = study_for(person, code, Role.COORDINATOR)
    case = Case.objects.select_related("patient").filter(
        patient__study=study, patient__identifier_hash=identifier_hash(study.code, identifier)
    )
    found = case.first()
    return str(found) if found else None
