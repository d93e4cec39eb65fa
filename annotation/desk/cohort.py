"""Cases and series: what came in, what it is, and what a reader may open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, Prefetch, QuerySet
from django.utils import timezone

from annotation import store, trail
from annotation.access import NotYours, WrongState, protocol_of, study_for
from annotation.desk.setup import BadSetting
from annotation.dicom import codec, pixels
from annotation.dicom.roles import ROLE_TITLES
from annotation.identity import identifier_hash
from annotation.models import Assignment, Case, Instance, Role, Series, State, Study
from annotation.people import Person
from annotation.protocol import Protocol

PAGE_SIZE = 50
RowT = TypeVar("RowT")


@dataclass(frozen=True)
class Page(Generic[RowT]):
    """One page of a table, cut by the database."""

    rows: tuple[RowT, ...]
    number: int
    pages: int
    total: int


@dataclass(frozen=True)
class SeriesRow:
    id: int
    case: str
    title: str
    modality: str
    role: str
    role_reason: str
    frames: int
    plane: str
    thickness_mm: float | None
    held_reason: str


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


def _page(found: QuerySet[Any], number: int) -> tuple[Sequence[Any], int, int, int]:
    paginator = Paginator(found, PAGE_SIZE)
    page = paginator.get_page(number)
    return list(page.object_list), page.number, paginator.num_pages, paginator.count


def series_rows(person: Person, code: str, *, page: int = 1) -> Page[SeriesRow]:
    study = study_for(person, code, Role.COORDINATOR)
    found = (
        Series.objects.select_related("case__patient")
        .filter(case__patient__study=study)
        .order_by("case__patient__pseudonym", "modality", "role", "pk")
    )
    rows, number, pages, total = _page(found, page)
    return Page(tuple(_series_row(one) for one in rows), number, pages, total)


def _series_row(one: Series) -> SeriesRow:
    return SeriesRow(
        one.pk,
        one.case.patient.pseudonym,
        one.title,
        one.modality,
        one.role,
        one.role_reason,
        one.frame_count,
        one.parameters.get("plane", "unknown"),
        one.parameters.get("slice_thickness_mm"),
        one.held_reason,
    )


def set_role(person: Person, code: str, series_id: int, *, role: str) -> None:
    """Say what a series is; once its case lies in a reader's order, that is fixed."""
    study = study_for(person, code, Role.COORDINATOR)
    if role not in ROLE_TITLES:
        raise BadSetting("role", f"There is no series role “{role}”.")
    with transaction.atomic():
        one = Series.objects.select_related("case__patient").filter(pk=series_id, case__patient__study=study).first()
        if one is None:
            raise NotYours
        if Assignment.objects.filter(case=one.case).exists():
            raise WrongState(f"{one.case} is being read; its series stay as they are.")
        before, one.role, one.title = one.role, role, ROLE_TITLES[role]
        one.role_reason = "set at the desk"
        one.save(update_fields=["role", "title", "role_reason"])
        trail.record(study, person, "set series role", subject=str(one.case), before=before, after=role)


def preview(person: Person, code: str, series_id: int) -> bytes:
    """Give the middle slice of a series as a small PNG."""
    study = study_for(person, code, Role.COORDINATOR)
    one = Series.objects.filter(pk=series_id, case__patient__study=study).first()
    if one is None or not one.parameters.get("order"):
        raise NotYours
    order = one.parameters["order"]
    sop_uid, frame = order[len(order) // 2]
    instance = Instance.objects.get(series=one, sop_uid=sop_uid)
    array = codec.stored_array(store.get(instance.frames[frame - 1]["digest"]), instance.header)
    rescale = pixels.rescale_of(instance.header, frame)
    window = pixels.header_window(instance.header, frame) or tuple(one.parameters.get("automatic_window") or ())
    width, level = window if window else pixels.automatic_window([array], rescale=[rescale])
    return pixels.thumbnail(array, window=(width, level), size=160, rescale=rescale)


def cases(person: Person, code: str, *, page: int = 1) -> Page[CaseRow]:
    study = study_for(person, code, Role.COORDINATOR)
    protocol = protocol_of(study)
    found = (
        Case.objects.select_related("patient", "patient__exclusion")
        .filter(patient__study=study)
        .annotate(placed=Count("assignments"))
        .prefetch_related(
            Prefetch("series", queryset=Series.objects.only("case_id", "role", "frame_count", "held_reason"))
        )
        .order_by("patient__pseudonym")
    )
    rows, number, pages, total = _page(found, page)
    return Page(tuple(_case_row(study, protocol, case) for case in rows), number, pages, total)


def _case_row(study: Study, protocol: Protocol, case: Any) -> CaseRow:
    series = list(case.series.all())
    exclusion = getattr(case.patient, "exclusion", None)
    return CaseRow(
        case.pk,
        case.patient.pseudonym,
        case.lysis_vertebra,
        len(series),
        sum(one.frame_count for one in series),
        _missing(study, protocol, case, series),
        case.released_at is not None,
        exclusion.reason if exclusion else "",
        case.placed > 0,
    )


def _missing(study: Study, protocol: Protocol, case: Case, series: Sequence[Series]) -> tuple[str, ...]:
    """Name what the start layouts show and the case lacks."""
    # An instrument without levels (nothing of a spine) asks for none.
    missing = ["index level"] if protocol.index_levels and not case.lysis_vertebra else []
    if study.settings.get("images", "required") == "required":
        present = {one.role for one in series if not one.held_reason}
        wanted = {view.role for form in protocol.forms for view in form.layouts[0].views} if protocol.forms else set()
        missing += [ROLE_TITLES.get(role, role) for role in sorted(wanted - present)]
    return tuple(missing)


def levels(person: Person, code: str) -> tuple[str, ...]:
    """Give the levels a case of this study's instrument may have; none where the instrument knows no levels."""
    return protocol_of(study_for(person, code, Role.COORDINATOR)).index_levels


def set_level(person: Person, code: str, case_id: int, *, level: str) -> None:
    study = study_for(person, code, Role.COORDINATOR)
    known = protocol_of(study).index_levels
    if level not in known:
        raise BadSetting("level", f"“{level}” is no level of this protocol; there are: {', '.join(known)}.")
    with transaction.atomic():
        case = _case(study, case_id)
        if case.assignments.exists():
            raise WrongState(f"{case} is being read; its level stays as it is.")
        before, case.lysis_vertebra = case.lysis_vertebra, level
        case.save(update_fields=["lysis_vertebra"])
        trail.record(study, person, "set index level", subject=str(case), before=before, after=level)


def _case(study: Study, case_id: int) -> Case:
    case = Case.objects.select_related("patient").filter(pk=case_id, patient__study=study).first()
    if case is None:
        raise NotYours
    return case


def release(person: Person, code: str, case_id: int) -> None:
    """Let readers open a case; refused, with the reason, while something the start layouts need is missing."""
    study = study_for(person, code, Role.COORDINATOR)
    with transaction.atomic():
        _release(study, protocol_of(study), person, _case(study, case_id))


def _release(study: Study, protocol: Protocol, person: Person, case: Case) -> None:
    if case.released_at is not None:
        return
    if hasattr(case.patient, "exclusion"):
        raise WrongState(f"{case} is excluded (reason {case.patient.exclusion.reason}) and is not released.")
    missing = _missing(study, protocol, case, list(case.series.all()))
    if missing:
        raise WrongState(f"{case} is not released: {', '.join(missing)} missing.")
    case.released_at = timezone.now()
    case.save(update_fields=["released_at"])
    trail.record(study, person, "release case", subject=str(case))


def release_all(person: Person, code: str) -> tuple[int, list[str]]:
    """Release every case that is complete; gives the number and a sentence for each that is not."""
    study = study_for(person, code, Role.COORDINATOR)
    protocol = protocol_of(study)
    released, sentences = 0, []
    waiting = (
        Case.objects.select_related("patient", "patient__exclusion")
        .prefetch_related("series")
        .filter(patient__study=study, released_at__isnull=True, patient__exclusion__isnull=True)
        .order_by("patient__pseudonym")
    )
    with transaction.atomic():
        for case in waiting:
            try:
                _release(study, protocol, person, case)
                released += 1
            except WrongState as refusal:
                sentences.append(refusal.sentence)
    return released, sentences


def withdraw(person: Person, code: str, case_id: int, *, reason: str) -> None:
    """Take a release back while the case lies in nobody's order."""
    study = study_for(person, code, Role.COORDINATOR)
    with transaction.atomic():
        case = _case(study, case_id)
        if case.assignments.exists() or study.has_reached(State.READINGS_LOCKED):
            raise WrongState(f"{case} lies in the readers' order and stays released.")
        case.released_at = None
        case.save(update_fields=["released_at"])
        trail.record(study, person, "withdraw release", subject=str(case), reason=reason)


def find_case(person: Person, code: str, *, identifier: str) -> str | None:
    """Find a case by the hospital's identifier, which is hashed here and kept nowhere."""
    study = study_for(person, code, Role.COORDINATOR)
    case = Case.objects.select_related("patient").filter(
        patient__study=study, patient__identifier_hash=identifier_hash(study.code, identifier)
    )
    found = case.first()
    return str(found) if found else None
