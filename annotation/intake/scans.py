"""How the images of a study were made: what each series that readers may be shown says of its scanning.

Localisers and scouts are no part of it, nor are patients who were left out. Names of persons, places and devices are
not among what is kept here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Min

from annotation.access import readable
from annotation.dicom.roles import ROLE_TITLES
from annotation.intake.physics import physics
from annotation.models import Instance, Series, Study

OF_THE_SPINE = tuple(role for role in ROLE_TITLES if role not in {"LOC", "CT_SCOUT", "OTHER"})
FIELDS = {"1.5 T": (1.4, 1.6), "3 T": (2.8, 3.2)}
OTHER_FIELD, NO_FIELD = "other field", "field not stated"
ALL_CT = "CT"
GROUPS = (*FIELDS, OTHER_FIELD, NO_FIELD, ALL_CT)


@dataclass(frozen=True)
class Parameter:
    """One line of the table: where its numbers stand, what it is called, and with how many decimals it is printed."""

    code: str
    title: str
    unit: str
    decimals: int
    modality: str
    part: int | None = None

    def of(self, told: Mapping[str, Any]) -> float | None:
        """Give the parameter's number in what a header told, or None where it says none."""
        value = told.get(self.code)
        if self.part is not None:
            value = value[self.part] if isinstance(value, list) and self.part < len(value) else None
        return number(value)


PARAMETERS = (
    Parameter("repetition_time_ms", "Repetition time", "ms", 0, "MR"),
    Parameter("echo_time_ms", "Echo time", "ms", 1, "MR"),
    Parameter("inversion_time_ms", "Inversion time", "ms", 0, "MR"),
    Parameter("flip_angle_deg", "Flip angle", "°", 0, "MR"),
    Parameter("echo_train_length", "Echo train length", "", 0, "MR"),
    Parameter("averages", "Averages", "", 1, "MR"),
    Parameter("bandwidth_hz", "Bandwidth", "Hz per pixel", 0, "MR"),
    Parameter("kvp", "Tube voltage", "kV", 0, "CT"),
    Parameter("tube_current_ma", "Tube current", "mA", 0, "CT"),
    Parameter("exposure_mas", "Exposure", "mAs", 0, "CT"),
    Parameter("slice_thickness_mm", "Slice thickness", "mm", 2, ""),
    Parameter("slice_spacing_mm", "Slice spacing", "mm", 2, ""),
    Parameter("pixel_spacing_mm", "Pixel, rows", "mm", 2, "", 0),
    Parameter("pixel_spacing_mm", "Pixel, columns", "mm", 2, "", 1),
    Parameter("field_of_view_mm", "Field of view, height", "mm", 0, "", 0),
    Parameter("field_of_view_mm", "Field of view, width", "mm", 0, "", 1),
    Parameter("acquired_matrix", "Acquired matrix, frequency", "", 0, "MR", 0),
    Parameter("acquired_matrix", "Acquired matrix, phase", "", 0, "MR", 1),
    Parameter("matrix", "Image matrix, rows", "", 0, "", 0),
    Parameter("matrix", "Image matrix, columns", "", 0, "", 1),
)


@dataclass(frozen=True)
class Scan:
    """One series: its case, role, modality, group by field strength, and what its header told."""

    case: int
    role: str
    modality: str
    group: str
    told: Mapping[str, Any]


def scans_of(study: Study) -> Iterator[Scan]:
    """Give every series that readers may be shown of patients who take part; two queries, however many there are."""
    shown = Series.objects.filter(
        readable(), case__patient__study=study, case__patient__exclusion__isnull=True, role__in=OF_THE_SPINE
    )
    rows = list(shown.values_list("pk", "case", "role", "modality", "parameters").order_by("pk"))
    earlier = physics_of([pk for pk, _, _, _, told in rows if "matrix" not in told])
    for pk, case, role, modality, kept in rows:
        told = {**kept, **earlier.get(pk, {})}
        yield Scan(case, role, modality, group_of(modality, told), told)


def physics_of(series: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Read the parameters of series that came in before they were kept, from one header each."""
    if not series:
        return {}
    own = Instance.objects.filter(series__in=list(series))
    first = own.values("series").annotate(first=Min("pk")).values("first")
    return {pk: physics(header) for pk, header in own.filter(pk__in=first).values_list("series", "header")}


def group_of(modality: str, told: Mapping[str, Any]) -> str:
    """Name the group of a series; 1.494 T and 1.5 T are one magnet."""
    if modality != "MR":
        return ALL_CT
    tesla = number(told.get("field_strength_t"))
    if tesla is None:
        return NO_FIELD
    return next((name for name, (low, high) in FIELDS.items() if low <= tesla <= high), OTHER_FIELD)


def number(value: Any) -> float | None:
    """Give a header's number as a float, or None for what is none."""
    sound = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if sound else None
