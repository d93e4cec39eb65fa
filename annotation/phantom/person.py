"""Invented identities, and the clinical course that goes with a planted truth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from math import erf, sqrt

import numpy as np

from .truth import Truth

_FAMILY = (
    "Aebischer", "Bachofner", "Caduff", "Dubach", "Eggenschwiler", "Flückiger", "Gnägi", "Hürlimann", "Imgrüth",
    "Jäggi", "Kälin", "Lüthold", "Müntener", "Nötzli", "Oberhänsli", "Pfändler", "Rüegsegger", "Schnüriger",
    "Tschümperlin", "Uehlinger", "Vögtlin", "Wäckerlig", "Zgraggen", "Zünd", "Brönnimann", "Studhalter", "Gloor",
    "Habegger", "Inäbnit", "Marugg",
)  # fmt: skip
_WOMEN = ("Anneliese", "Beatrice", "Corina", "Dorothée", "Elsbeth", "Flurina", "Heidi", "Jacqueline", "Lea", "Ursina")
_MEN = ("Andri", "Beat", "Cédric", "Dominik", "Ernst", "Fabrizio", "Gion", "Jürg", "Luzius", "Urs")
_DOCTORS = ("Hächler^Regula^^Dr. med.", "Brändli^Stefan^^PD Dr. med.", "Monnier^Yves^^Dr.", "Capaul^Seraina^^Dr. med.")
_HOUSES = ("Orthopädische Klinik Seeblick", "Radiologie am Lindenhügel", "Kantonsspital Oberwil")

CLINICAL_COLUMNS = (
    "patient_id", "age", "sex", "bmi", "level", "injection_date", "nrs_baseline", "nrs_15min", "nrs_1month",
    "nrs_1month_date", "exclusion",
)  # fmt: skip


@dataclass(frozen=True)
class Identity:
    """An invented patient and the people and places of the visit."""

    name: str
    patient_id: str
    birth_date: date
    sex: str
    age: int
    weight_kg: float
    size_m: float
    mr_date: date
    injection_date: date
    accession_mr: str
    accession_ct: str
    referring: str
    performing: str
    operator: str
    institution: str
    station: str


def invent(rng: np.random.Generator, truth: Truth, *, index: int = 0) -> Identity:
    """Invent an identity; ``index`` makes the patient number unique within a cohort."""
    injected = date(2015, 7, 6) + timedelta(days=int(rng.integers(0, 3280)))
    injected += timedelta(days=max(0, 7 - injected.isoweekday()) if injected.isoweekday() > 5 else 0)
    injected += timedelta(days=1 if injected.isoweekday() == 7 else 0)
    born = injected - timedelta(days=int(truth.age * 365.25) + int(rng.integers(5, 355)))
    size = float(rng.normal(1.655 if truth.sex == "F" else 1.785, 0.06))
    given = _WOMEN if truth.sex == "F" else _MEN
    return Identity(
        name=f"{_FAMILY[int(rng.integers(len(_FAMILY)))]}^{given[int(rng.integers(len(given)))]}",
        patient_id=f"{(4_100_000 + index * 7_919 + int(rng.integers(0, 7_900)))}",
        birth_date=born,
        sex=truth.sex,
        age=truth.age,
        weight_kg=round(truth.bmi * size * size, 1),
        size_m=round(size, 2),
        mr_date=injected - timedelta(days=int(rng.integers(3, 170))),
        injection_date=injected,
        accession_mr=f"MR{int(rng.integers(10**7, 10**8))}",
        accession_ct=f"CT{int(rng.integers(10**7, 10**8))}",
        referring=_DOCTORS[int(rng.integers(len(_DOCTORS)))],
        performing=_DOCTORS[int(rng.integers(len(_DOCTORS)))],
        operator=f"{_FAMILY[int(rng.integers(len(_FAMILY)))]}^{_WOMEN[int(rng.integers(len(_WOMEN)))][0]}.",
        institution=_HOUSES[int(rng.integers(len(_HOUSES)))],
        station=f"MRAWP{int(rng.integers(10000, 99999))}",
    )


# share of each class of pain reduction in the reference study (counts of 134), from best to worst, with its bounds in %
_CLASSES = ((100.0, 100.0), (75.0, 99.9), (50.0, 74.9), (0.1, 49.9), (0.0, 0.0), (-60.0, -0.1))
_COUNTS = {"15min": (16, 9, 31, 36, 32, 10), "1month": (38, 10, 25, 9, 52, 0)}
# shift of the latent benefit in standard deviations by isthmic oedema; about the published odds ratios 6.2 and 2.8
_SHIFT = {"15min": 1.1, "1month": 0.62}
_PREVALENCE = 0.48


def clinical_row(rng: np.random.Generator, truth: Truth, identity: Identity) -> dict[str, str]:
    """One line of the clinical table; success goes with isthmic oedema as in the reference study."""
    baseline = float(np.clip(np.rint(rng.normal(5.7, 2.2)), 1, 10))
    if rng.random() < 0.05:
        baseline = min(10.0, baseline + 0.5)
    oedema = max(truth.isthmic_bme)
    first = float(rng.standard_normal())
    second = 0.62 * first + sqrt(1 - 0.62**2) * float(rng.standard_normal())
    values = [
        _follow_up(baseline, noise, oedema, when, float(rng.random()))
        for noise, when in ((first, "15min"), (second, "1month"))
    ]
    due = identity.injection_date + timedelta(days=int(rng.integers(28, 36)))
    injected, later = identity.injection_date.isoformat(), due.isoformat()
    row = (
        identity.patient_id, str(truth.age), truth.sex, f"{truth.bmi:.1f}", truth.level, injected,
        f"{baseline:g}", f"{values[0]:g}", f"{values[1]:g}", later, "",
    )  # fmt: skip
    return dict(zip(CLINICAL_COLUMNS, row, strict=True))


def _follow_up(baseline: float, noise: float, oedema: int, when: str, place: float) -> float:
    """Pain at follow-up: a class of reduction by rank of the latent benefit, then a score that falls in that class."""
    shift = _SHIFT[when]
    spread = sqrt(1.0 + shift * shift * _PREVALENCE * (1 - _PREVALENCE))
    latent = (noise + shift * (oedema - _PREVALENCE)) / spread
    rank = 0.5 * (1.0 - erf(latent / sqrt(2.0)))
    bounds = np.cumsum(np.asarray(_COUNTS[when], dtype=float)) / 134.0
    low, high = _CLASSES[min(int(np.searchsorted(bounds, rank, side="right")), 5)]
    scores = np.arange(0.0, 10.5, 0.5)
    reduction = 100.0 * (baseline - scores) / baseline
    inside = scores[(reduction >= low - 1e-9) & (reduction <= high + 1e-9)]
    whole = inside[inside == np.rint(inside)]
    if whole.size:
        return float(whole[int(place * whole.size)])
    if inside.size:
        return float(inside[int(place * inside.size)])
    return float(scores[int(np.argmin(np.abs(reduction - (low + high) / 2)))])
