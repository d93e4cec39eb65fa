"""What is planted in one case, and how a case is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

SEGMENTS = ("L1/2", "L2/3", "L3/4", "L4/5", "L5/S1")
INDEX_SEGMENT = {"L3": "L3/4", "L4": "L4/5", "L5": "L5/S1"}
SIDES = ("right", "left")

VISIBLE: dict[str, bool] = {
    "contrast_pattern": True,
    "segment_degeneration": True,
    "pfirrmann": True,
    "modic_type1": True,
    "weishaupt": True,
    "bartynski": True,
    "lee": True,
    "slip_mm": True,
    "meyerding": True,
    "isthmic_bme": True,
    "soft_tissue_edema_cyst": True,
}
"""Whether a finding is drawn in the images; the planted truth holds every finding in any case."""

Point = tuple[float, float, float]
Pair = tuple[int, int]


@dataclass(frozen=True)
class Truth:
    """Planted findings of one case.

    Pairs are (right, left). ``segments`` maps each lumbar segment to its Pfirrmann grade; Modic I is planted at the
    index segment only. Codes are those of the scales in the study protocol. ``landmarks_lps_mm`` is filled by
    ``build``; P, A and Q lie on the middle sagittal slice, in the frame of reference of the MR series.
    ``moved_lps_mm``
    is how far the patient lay elsewhere in a series than in the sagittal T2.
    """

    level: str
    slip_mm: float
    endplate_mm: float
    pfirrmann_by_segment: dict[str, int]
    segment_degeneration: int
    modic_type1: int
    contrast_pattern: Pair
    weishaupt: Pair
    bartynski: Pair
    lee: Pair
    isthmic_bme: Pair
    edema: Pair
    cyst: Pair
    age: int
    sex: str
    bmi: float
    confounders: tuple[str, ...] = ()
    landmarks_lps_mm: dict[str, Point] = field(default_factory=dict)
    midline_slice: int = 0
    ct_offset_lps_mm: Point = (0.0, 0.0, 0.0)
    moved_lps_mm: dict[str, Point] = field(default_factory=dict)

    @property
    def index_segment(self) -> str:
        """Segment below the lytic vertebra."""
        return INDEX_SEGMENT[self.level]

    @property
    def pfirrmann(self) -> int:
        """Grade of the index disc."""
        return self.pfirrmann_by_segment[self.index_segment]

    @property
    def slip_pct(self) -> float:
        """Slip as a percentage of the upper endplate of the vertebra below."""
        return 100.0 * self.slip_mm / self.endplate_mm

    @property
    def meyerding(self) -> int:
        """Meyerding grade; exact borders belong to the lower grade."""
        return 0 if self.slip_pct <= 0 else min(5, int(np.ceil(self.slip_pct / 25.0)))

    def answers(self, form: str) -> dict[str, int | float]:
        """Return what a perfect reader enters on a form ("ct" or "mr"), as an answers document."""
        if form == "ct":
            return {f"contrast_pattern.{side}": self.contrast_pattern[i] for i, side in enumerate(SIDES)}
        if form != "mr":
            raise ValueError(f"no such form: {form!r}")
        return {
            "segment_degeneration.case": self.segment_degeneration,
            "pfirrmann.case": self.pfirrmann,
            "modic_type1.case": self.modic_type1,
            "weishaupt.case": max(self.weishaupt),
            "bartynski.case": max(self.bartynski),
            "lee.case": max(self.lee),
            "slip_mm.case": round(self.slip_mm, 1),
            "meyerding.case": self.meyerding,
            "isthmic_bme.case": max(self.isthmic_bme),
            "soft_tissue_edema_cyst.edema": max(self.edema),
            "soft_tissue_edema_cyst.cyst": max(self.cyst),
        }

    def case_values(self) -> dict[str, int | float]:
        """One value a finding: the worse side, the deeper contrast."""
        values = {cell.partition(".")[0]: value for cell, value in self.answers("mr").items()}
        values["contrast_pattern"] = max(self.contrast_pattern)
        values["soft_tissue_edema_cyst"] = max(self.edema + self.cyst)
        return values

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        plain = {item.name: getattr(self, item.name) for item in fields(self)}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in plain.items()}

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Truth:
        """Reverse of ``to_json``."""
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in plain.items()}
        for name in ("landmarks_lps_mm", "moved_lps_mm"):
            values[name] = {key: tuple(point) for key, point in plain.get(name, {}).items()}
        return cls(**values)

    def placed(
        self, landmarks: dict[str, Point], midline_slice: int, ct_offset: Point, moved: dict[str, Point]
    ) -> Truth:
        """Return the same truth with what the built images fix."""
        return replace(
            self,
            landmarks_lps_mm=landmarks,
            midline_slice=midline_slice,
            ct_offset_lps_mm=ct_offset,
            moved_lps_mm=moved,
        )


CONFOUNDERS = ("modic_2", "modic_3", "schmorl", "haemangioma", "effusion")
"""What looks like a finding and is none; Modic II and III stand at the index segment where Modic I does not."""


def _confounders(kind: float, which: float, modic: int) -> tuple[str, ...]:
    """Two cases in five have one of the first three; a quarter of those without Modic I has type II or III."""
    found = [name for name, share in (("schmorl", 0.16), ("haemangioma", 0.28), ("effusion", 0.42)) if kind < share][:1]
    if not modic and which < 0.26:
        found.append("modic_2" if which < 0.18 else "modic_3")
    return tuple(found)


def _pick(share: float, *weights: float) -> int:
    """Index of the class in which a share of 0..1 falls."""
    bounds = np.cumsum(np.asarray(weights, dtype=float) / sum(weights))
    return min(int(np.searchsorted(bounds, share, side="right")), len(weights) - 1)


def _sides(share: float, worst: int, lowest: int) -> Pair:
    """Spread a case value over the sides: both, or the worse one alone with a lower grade opposite."""
    if worst == lowest or share < 0.4:
        return worst, worst
    other = worst - 1 if share < 0.8 else lowest
    return (worst, other) if int(share * 1000) % 2 else (other, worst)


def _slip(share: float, endplate_mm: float) -> float:
    """Slip in mm, one decimal: none in a fifth, most in Meyerding I, few in II to III, one in a hundred beyond."""
    shares = np.array([0.0, 0.20, 0.55, 0.76, 0.93, 0.985, 1.0])
    per_cent = np.array([0.0, 0.0, 14.0, 24.0, 46.0, 66.0, 112.0])
    slip = round(float(np.interp(share, shares, per_cent)) / 100.0 * float(endplate_mm), 1)
    return 0.0 if slip < 1.5 else float(slip)


def _discs(u: np.ndarray[Any, np.dtype[np.float64]], index: str, multi: int, slip: float, modic: int) -> dict[str, int]:
    """Pfirrmann grade a segment; beyond the index a grade above III only in multi-segmental degeneration."""
    worn = 0.72 * float(u[0]) + 0.28 * min(slip / 14.0, 1.0)
    grade = 1 + _pick(worn, 0.07, 0.16, 0.23, 0.26, 0.28)
    found = {segment: 1 + _pick(u[i + 1], 0.35, 0.40, 0.25) for i, segment in enumerate(SEGMENTS)}
    found[index] = max(grade, 3) if modic else grade
    if multi:
        place = SEGMENTS.index(index)
        neighbours = [SEGMENTS[i] for i in (place - 1, place + 1) if 0 <= i < len(SEGMENTS)]
        found[neighbours[int(u[6] * len(neighbours))]] = 4 if u[7] < 0.7 else 5
    return found


SHARES = 32


def draw(rng: np.random.Generator) -> Truth:
    """Draw one case at random.

    Margins follow the reference study where it prints them (age, sex, body mass index, lytic level, contrast) and are
    otherwise wide enough that a few dozen cases show nearly every grade.
    """
    return from_shares(rng.random(SHARES))


def from_shares(u: np.ndarray[Any, np.dtype[np.float64]]) -> Truth:
    """Return the case that belongs to ``SHARES`` numbers in 0..1; low-discrepancy numbers give evenly spread grades."""
    sex = "F" if u[0] < 54 / 134 else "M"
    level = ("L3", "L4", "L5")[_pick(u[1], 2, 14, 118)]
    endplate = round((32.0 if sex == "F" else 35.0) + 4.0 * (float(u[2]) - 0.5), 1)
    slip = _slip(u[3], endplate)
    modic = int(u[4] < 0.22)
    facets = _sides(u[5], _pick(u[6], 0.22, 0.33, 0.28, 0.17), 0)
    index = INDEX_SEGMENT[level]
    wanted_multi = int(u[7] < 0.38)
    discs = _discs(u[8:16], index, wanted_multi, slip, modic)
    affected = {s for s, grade in discs.items() if grade >= 4} | ({index} if modic or max(facets) >= 2 else set())
    bme = int(u[16] < 0.48)
    soft = int(u[17] < 0.36)
    kind = _pick(u[18], 0.55, 0.25, 0.20)
    edema, cyst = int(soft and kind != 1), int(soft and kind != 0)
    return Truth(
        level=level,
        slip_mm=slip,
        endplate_mm=endplate,
        pfirrmann_by_segment=discs,
        segment_degeneration=int(len(affected) >= 2),
        modic_type1=modic,
        contrast_pattern=_sides(u[19], 1 + _pick(u[20], 66, 50, 18), 1),
        weishaupt=facets,
        bartynski=_sides(u[21], _pick(u[22], 0.42, 0.28, 0.18, 0.12), 0),
        lee=_sides(u[23], _pick(0.7 * u[24] + 0.3 * min(1.0, slip / 14.0), 0.28, 0.28, 0.26, 0.18), 0),
        isthmic_bme=_sides(u[25], bme, 0),
        edema=_sides(u[26], edema, 0),
        cyst=_single(u[27], cyst),
        age=int(np.clip(round(float(np.interp(u[28], _AGE[0], _AGE[1]))), 18, 86)),
        sex=sex,
        bmi=round(float(np.interp(u[29], _BMI[0], _BMI[1])), 1),
        confounders=_confounders(float(u[30]), float(u[31]), modic),
    )


def from_case_values(
    values: Mapping[str, float],
    *,
    level: str,
    endplate_mm: float,
    person: tuple[int, str, float],
    u: np.ndarray[Any, np.dtype[np.float64]],
) -> Truth:
    """Return a case whose findings have these case values; ``u`` (``SHARES`` numbers in 0..1) deals sides and the rest.

    Parameters
    ----------
    values
        One code a finding, as `Truth.case_values` gives them.
    person
        Age, sex, body mass index.
    """
    grade = {item: int(value) for item, value in values.items()}
    index = INDEX_SEGMENT[level]
    soft = grade["soft_tissue_edema_cyst"]
    kind = _pick(u[18], 0.55, 0.25, 0.20)
    age, sex, bmi = person
    return Truth(
        level=level,
        slip_mm=float(values["slip_mm"]),
        endplate_mm=endplate_mm,
        pfirrmann_by_segment=_spread_discs(u[8:16], index, grade),
        segment_degeneration=grade["segment_degeneration"],
        modic_type1=grade["modic_type1"],
        contrast_pattern=_sides(u[19], grade["contrast_pattern"], 1),
        weishaupt=_sides(u[5], grade["weishaupt"], 0),
        bartynski=_sides(u[21], grade["bartynski"], 0),
        lee=_sides(u[23], grade["lee"], 0),
        isthmic_bme=_sides(u[25], grade["isthmic_bme"], 0),
        edema=_sides(u[26], int(soft and kind != 1), 0),
        cyst=_single(u[27], int(soft and kind != 0)),
        age=age,
        sex=sex,
        bmi=bmi,
    )


def _spread_discs(u: np.ndarray[Any, np.dtype[np.float64]], index: str, grade: Mapping[str, int]) -> dict[str, int]:
    """Grades of all discs, so that one or several segments are affected as the extent says."""
    found = {segment: 1 + _pick(u[i + 1], 0.35, 0.40, 0.25) for i, segment in enumerate(SEGMENTS)}
    found[index] = grade["pfirrmann"]
    worn = grade["pfirrmann"] >= 4 or grade["modic_type1"] > 0 or grade["weishaupt"] >= 2
    missing = (2 - int(worn)) if grade["segment_degeneration"] else 0
    place = SEGMENTS.index(index)
    nearest = sorted((s for s in SEGMENTS if s != index), key=lambda s: (abs(SEGMENTS.index(s) - place), u[6] < 0.5))
    for i, segment in enumerate(nearest[:missing]):
        found[segment] = 4 if u[7 - i] < 0.7 else 5
    return found


_AGE = ([0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0], [18.0, 20.0, 31.0, 43.0, 55.0, 71.0, 86.0])
_BMI = ([0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0], [17.5, 20.2, 23.2, 25.6, 28.5, 33.5, 39.0])


def _single(share: float, present: int) -> Pair:
    """A finding on one side only."""
    return (present, 0) if share < 0.5 else (0, present)
