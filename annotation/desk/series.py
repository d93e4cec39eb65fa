"""All series of a study as one table, cut and filtered by the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q

from annotation.access import study_for
from annotation.desk.cohort import Page, page_of
from annotation.models import Assignment, Role, Series
from annotation.people import Person

HELD = Q(excluded_reason="") & ~Q(held_reason="")
SERIES_STATES = {
    "all": ("All", Q()),
    "held": ("Held", HELD),
    "unseen": ("Not looked at", Q(held_reason="", excluded_reason="", looked_at__isnull=True)),
    "masked": ("Masked", ~Q(masks=[])),
    "excluded": ("Excluded", ~Q(excluded_reason="")),
}


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
    physics: str
    thickness_mm: float | None
    held_reason: str
    excluded_reason: str
    looked: bool
    masks: int
    fixed: bool


def series_rows(
    person: Person,
    code: str,
    *,
    page: int = 1,
    state: str = "all",
    role: str = "",
    modality: str = "",
    search: str = "",
) -> Page[SeriesRow]:
    """Give one page of the series in a state, of a role or modality, of the case whose pseudonym is searched."""
    study = study_for(person, code, Role.COORDINATOR)
    chosen = SERIES_STATES.get(state, SERIES_STATES["all"])[1]
    for name, value in (("role", role), ("modality", modality), ("case__patient__pseudonym__icontains", search)):
        chosen &= Q(**{name: value}) if value else Q()
    found = (
        Series.objects.select_related("case__patient")
        .filter(chosen, case__patient__study=study)
        .annotate(placed=Exists(Assignment.objects.filter(case=OuterRef("case"))))
        .order_by("case__patient__pseudonym", "modality", "role", "pk")
    )
    rows, number, pages, total = page_of(found, page)
    return Page(tuple(_series_row(one) for one in rows), number, pages, total)


def _series_row(one: Any) -> SeriesRow:
    return SeriesRow(
        one.pk,
        one.case.patient.pseudonym,
        one.title,
        one.modality,
        one.role,
        one.role_reason,
        one.frame_count,
        one.parameters.get("plane", "unknown"),
        physics(one.parameters),
        one.parameters.get("slice_thickness_mm"),
        one.held_reason,
        one.excluded_reason,
        one.looked_at is not None,
        len(one.masks),
        one.placed or bool(one.excluded_reason),
    )


PHYSICS = (
    ("repetition_time_ms", "TR {:.4g}"),
    ("echo_time_ms", "TE {:.4g}"),
    ("inversion_time_ms", "TI {:.4g}"),
    ("kvp", "{:g} kV"),
    ("kernel", "{}"),
    ("slice_thickness_mm", "{:g} mm"),
    ("field_strength_t", "{:g} T"),
)


def physics(parameters: dict[str, Any]) -> str:
    """Write the scanning parameters that tell what a series is, in one line."""
    return " · ".join(
        text.format(value) for name, text in PHYSICS if (value := _plain(parameters.get(name), text)) is not None
    )


def _plain(value: Any, text: str) -> Any:
    """Give what the text can take: kernels come as words, everything else as a number."""
    if isinstance(value, list):
        value = value[0] if value else None
    return value if isinstance(value, int | float) or (isinstance(value, str) and text == "{}" and value) else None
