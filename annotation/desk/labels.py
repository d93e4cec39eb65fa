"""Vertebra labels: the coordinator numbers the vertebrae once a case; both readers see the names on sagittal slices.

Numbering from lumbar images alone is wrong where vertebrae are transitional, so it is one person's decision, on record.
Points are kept in millimetres of the patient, worked out here from row and column of the stored slice, and with
them the space in which they count: on the images of another space they are shown to nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from django.db import transaction

from annotation import trail
from annotation.access import NotYours, WrongState, protocol_of, study_for
from annotation.desk.gate import study_held
from annotation.desk.setup import BadSetting
from annotation.dicom.geometry import Plane, lps_to_pixel, on_plane, pixel_to_lps
from annotation.dicom.numbering import Points, kept, points_in, space_of
from annotation.dicom.roles import LABEL_ROLES, ROLE_TITLES
from annotation.models import Assignment, Case, Instance, Role, Series, State, Study
from annotation.people import Person
from annotation.trail import keepable

UPWARDS = ("L4", "L3", "L2", "L1", "T12", "T11", "T10")
SCHEMES: dict[str, tuple[str, tuple[str, ...]]] = {
    "five": ("five lumbar vertebrae", ("S1", "L5", *UPWARDS)),
    "six": ("a sixth lumbar vertebra, L6", ("S1", "L6", "L5", *UPWARDS)),
    "lumbarised": ("S1 free of the sacrum, disc S1/2", ("S2", "S1", "L5", *UPWARDS)),
}
FROM_BELOW = ("S2", "S1", "L6", "L5", *UPWARDS)
MOST_MM, LEAST_MM = 60.0, 15.0
"""Centres of neighbouring vertebrae lie 25 to 45 mm apart in adults; outside these limits something is misplaced."""


@dataclass(frozen=True)
class Slice:
    """One slice the coordinator can point at. `number` counts from 1 in the order of slices."""

    number: int
    rows: int
    columns: int
    proportion: float


@dataclass(frozen=True)
class Spot:
    """A label as it lies on a slice: pixel position, fractions allowed, 0 the centre of the first pixel."""

    name: str
    slice: int
    row: float
    column: float


@dataclass(frozen=True)
class LabelSheet:
    """What the labels page shows of one case."""

    code: str
    title: str
    case_id: int
    case: str
    series: int
    series_title: str
    slices: tuple[Slice, ...]
    middle: int
    spots: tuple[Spot, ...]
    scheme: str
    level: str
    levels: tuple[str, ...]
    fixed: str
    outdated: str
    warnings: tuple[str, ...]
    following: str

    def island(self) -> dict[str, Any]:
        """What the page's script is told."""
        return {
            "slices": [[one.number, one.rows, one.columns, one.proportion] for one in self.slices],
            "middle": self.middle,
            "spots": [[one.name, one.slice, one.row, one.column] for one in self.spots],
            "schemes": {name: list(names) for name, (_, names) in SCHEMES.items()},
            "fixed": bool(self.fixed),
        }


def label_sheet(person: Person, code: str, pseudonym: str) -> LabelSheet:
    study = study_for(person, code, Role.COORDINATOR)
    case = _case(study, pseudonym)
    home = _home(case)
    planes = _planes(home) if home else {}
    sizes = {number: plane for number, plane in planes.items() if plane is not None}
    shown = tuple(_slice(number, plane) for number, plane in sizes.items())
    middle = (home.frame_count + 1) // 2 if home else 0
    points = _points(case, home)
    return LabelSheet(
        study.code,
        study.title,
        case.pk,
        pseudonym,
        home.pk if home else 0,
        ROLE_TITLES.get(home.role, home.role) if home else "",
        shown,
        min(sizes, key=lambda number: abs(number - middle)) if sizes else 0,
        _spots(points, sizes),
        _scheme(points),
        case.lysis_vertebra,
        protocol_of(study).index_levels,
        _fixed(study, case),
        outdated(case),
        warnings_of(points),
        _following(study, pseudonym),
    )


def set_labels(person: Person, code: str, pseudonym: str, *, spots: Sequence[Spot]) -> tuple[str, ...]:
    """Keep the labels of a case, all at once; gives a sentence for each that looks misplaced. No spot removes them.

    Raises
    ------
    BadSetting
        A name no scheme has, a name twice, or a spot outside the slices.
    annotation.access.WrongState
        The case lies in a reader's order, the readings are locked, or there is no sagittal series to point at.
    """
    study = study_for(person, code, Role.COORDINATOR)
    with transaction.atomic():
        study = study_held(study)
        case = _case(study, pseudonym)
        if sentence := _fixed(study, case):
            raise WrongState(sentence)
        home, points = _placed(case, spots)
        made = keepable(kept(points, _space(home)))
        before = case.labels
        if made != before:
            case.labels = made
            case.save(update_fields=["labels"])
            trail.record(study, person, "set vertebra labels", subject=str(case), before=before, after=made)
    return warnings_of(points)


def outdated(case: Case) -> str:
    """Say that the labels belong to other images than those they would be set on now; empty when they do not."""
    if not case.labels or _points(case, _home(case)):
        return ""
    return "The vertebrae were labelled on other images. Set the labels anew."


def _placed(case: Case, spots: Sequence[Spot]) -> tuple[Series, Points]:
    names = [spot.name for spot in spots]
    if strange := next((name for name in names if name not in FROM_BELOW), None):
        raise BadSetting("label", f"“{strange[:10]}” is no vertebra; there are: {', '.join(FROM_BELOW)}.")
    if len(set(names)) < len(names):
        raise BadSetting("label", "A vertebra is labelled twice.")
    home = _home(case)
    if home is None:
        raise WrongState(f"{case} has no sagittal series with geometry; no vertebra can be labelled.")
    planes = _planes(home)
    made = {}
    for spot in spots:
        plane = planes.get(spot.slice)
        inside = plane and -0.5 <= spot.row <= plane.rows - 0.5 and -0.5 <= spot.column <= plane.columns - 0.5
        if plane is None or not inside:
            raise BadSetting("label", f"The label {spot.name} does not lie on a slice of the series.")
        made[spot.name] = [round(float(mm), 3) for mm in pixel_to_lps(plane, (spot.row, spot.column))]
    return home, {name: made[name] for name in FROM_BELOW if name in made}


def warnings_of(labels: Mapping[str, Sequence[float]]) -> tuple[str, ...]:
    """Say what looks wrong: the order from below, the distance between neighbours, a vertebra left out."""
    said = []
    for lower, upper in pairwise(name for name in FROM_BELOW if name in labels):
        between = np.asarray(labels[upper]) - np.asarray(labels[lower])
        apart = float(np.linalg.norm(between))
        if between[2] <= 0:
            said.append(f"{upper} lies below {lower}.")
        elif _neighbours(lower, upper) and not LEAST_MM <= apart <= MOST_MM:
            said.append(f"{upper} and {lower} lie {apart:.0f} mm apart.")
        elif not _neighbours(lower, upper):
            said.append(f"Between {upper} and {lower} a vertebra has no label.")
    return tuple(said)


def _neighbours(lower: str, upper: str) -> bool:
    return any((lower, upper) in set(pairwise(names)) for _, names in SCHEMES.values())


# --- where the labels are set --------------------------------------------------------------------------------------


def _case(study: Study, pseudonym: str) -> Case:
    case = Case.objects.select_related("patient").filter(patient__pseudonym=pseudonym, patient__study=study).first()
    if case is None:
        raise NotYours
    return case


def _fixed(study: Study, case: Case) -> str:
    if study.has_reached(State.READINGS_LOCKED):
        return "The readings are locked; the labels stay as they are."
    if Assignment.objects.filter(case=case).exists():
        return f"{case} is being read; its labels stay as they are."
    return ""


def _home(case: Case) -> Series | None:
    """Find the series to point at: sagittal T2, else T1, else STIR."""
    found = Series.objects.filter(case=case, role__in=LABEL_ROLES, excluded_reason="", frame_count__gt=0)
    sagittal = [one for one in found if one.parameters.get("plane") == "sagittal"]
    return min(sagittal, key=lambda one: (LABEL_ROLES.index(one.role), one.pk), default=None)


def _points(case: Case, home: Series | None) -> Points:
    """Give the labels that lie in the space of the series they would be set on now."""
    return points_in(case.labels, _space(home)) if home and case.labels else {}


def _space(home: Series) -> str:
    first, _ = home.parameters["order"][0]
    return space_of(home.series_uid, Instance.objects.values_list("header", flat=True).get(series=home, sop_uid=first))


def _planes(home: Series) -> dict[int, Plane | None]:
    """Give the plane of each slice by its number; one query."""
    frames = dict(Instance.objects.filter(series=home).values_list("sop_uid", "frames"))
    stored = [frames[sop_uid][frame - 1]["plane"] for sop_uid, frame in home.parameters["order"]]
    return {number: Plane.from_json(one) if one else None for number, one in enumerate(stored, start=1)}


def _slice(number: int, plane: Plane) -> Slice:
    tall, wide = plane.rows * plane.spacing_rc_mm[0], plane.columns * plane.spacing_rc_mm[1]
    return Slice(number, plane.rows, plane.columns, round(wide / tall, 4))


def _spots(labels: Mapping[str, Sequence[float]], planes: Mapping[int, Plane]) -> tuple[Spot, ...]:
    """Give each label on the slice nearest to it."""
    out = []
    for name in (known for known in FROM_BELOW if known in labels):
        number = min(planes, key=lambda n: on_plane(planes[n], labels[name]), default=0)
        if number:
            row, column = lps_to_pixel(planes[number], labels[name])
            out.append(Spot(name, number, round(float(row), 2), round(float(column), 2)))
    return tuple(out)


def _scheme(labels: Mapping[str, Any]) -> str:
    return "six" if "L6" in labels else "lumbarised" if "S2" in labels else "five"


def _following(study: Study, pseudonym: str) -> str:
    """Give the next case that takes part and has images but no labels, from the start again at the end."""
    waiting = (
        Case.objects.filter(patient__study=study, patient__exclusion__isnull=True, assignments__isnull=True)
        .exclude(labels__has_key="points")
        .filter(series__role__in=LABEL_ROLES, series__excluded_reason="")
        .exclude(patient__pseudonym=pseudonym)
        .order_by("patient__pseudonym")
        .values_list("patient__pseudonym", flat=True)
    )
    return waiting.filter(patient__pseudonym__gt=pseudonym).first() or waiting.first() or ""
