"""The cohort of the closed reference study: simulated readers and outcomes, and phantoms that show the same truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analytics import simulate
from annotation.phantom import (
    SHARES,
    Identity,
    Phantom,
    Truth,
    build,
    from_case_values,
    invent,
    write_dicom,
)
from annotation.protocol import catalogue
from spondy.demo.spots import Spot, spots

PICTURED = 24
EXCLUDED = {"a": 31, "b": 44, "c": 38, "d": 24, "e": 18}
"""The reference study left 155 of 289 patients out; for which reason how many, its paper does not say: ours."""
AT_1_5_TESLA = 58 / 134


@dataclass(frozen=True)
class Patient:
    """One simulated patient: who, what is there, and the seed of the images."""

    name: str
    identity: Identity
    truth: Truth
    image_seed: int


@dataclass(frozen=True)
class Seen:
    """What can be pointed at in one patient's images: the truth with its landmarks, and each finding's place."""

    truth: Truth
    spots: dict[str, Spot]


class Cohort:
    """All of it from one seed; nothing is drawn before it is asked for."""

    def __init__(self, seed: int, cases: int = simulate.CASES) -> None:
        self.seed = seed
        self.study = simulate.study(cases=cases, kappa=simulate.AGREEMENT, seed=seed)
        self._seen: dict[str, Seen] = {}

    @cached_property
    def patients(self) -> dict[str, Patient]:
        """Everybody, by the identifier in the clinical table."""
        rows = zip(self.study.clinical.to_dict("records"), self.study.truth.to_dict("records"), strict=True)
        return {str(person["case_id"]): self._patient(n, person, found) for n, (person, found) in enumerate(rows)}

    def _patient(self, number: int, person: dict[Any, Any], found: dict[Any, Any]) -> Patient:
        rng = np.random.default_rng([self.seed, 17, number])
        values = {str(item): float(value) for item, value in found.items() if item != "case_id"}
        endplate = values.pop("endplate_mm")
        who = (int(person["age"]), str(person["sex"]), float(person["bmi"]))
        truth = from_case_values(
            values, level=str(person["level"]), endplate_mm=endplate, person=who, u=rng.random(SHARES)
        )
        name = str(person["case_id"])
        identity = replace(invent(rng, truth, index=number), patient_id=name)
        return Patient(name, identity, truth, int(rng.integers(0, 2**31)))

    def seen(self, patient: Patient) -> Seen:
        """Give what a reader could point at in a patient's images; drawn again where nobody has said it."""
        if patient.name not in self._seen:
            drawn = build(patient.truth, seed=patient.image_seed)
            self.remember(patient, Seen(drawn.truth, spots(drawn)))
        return self._seen[patient.name]

    def remember(self, patient: Patient, seen: Seen) -> None:
        """Keep what can be pointed at in images that were drawn."""
        self._seen[patient.name] = seen

    @cached_property
    def pictured(self) -> tuple[Patient, ...]:
        """Those with images: together they show every level of every finding that occurs."""
        left = list(self.patients.values())
        seen: set[tuple[str, float]] = set()
        chosen: list[Patient] = []
        while left and len(chosen) < PICTURED:
            best = max(left, key=lambda one: len(_levels(one.truth) - seen))
            left.remove(best)
            seen |= _levels(best.truth)
            chosen.append(best)
        return _scanned(chosen)

    def clinical(self) -> pd.DataFrame:
        """Give the clinical table as a hospital hands it over: the included, then those who were left out."""
        days = {
            name: (one.identity.injection_date.isoformat(), (one.identity.injection_date + _due(one)).isoformat())
            for name, one in self.patients.items()
        }
        table = self.study.clinical.rename(columns={"case_id": "patient_id"}).astype(object)
        table["injection_date"] = [days[name][0] for name in table["patient_id"]]
        table["nrs_1month_date"] = [days[name][1] for name in table["patient_id"]]
        reasons = [reason for reason, count in EXCLUDED.items() for _ in range(count)]
        left_out = pd.DataFrame(
            {"patient_id": [f"X{number:03d}" for number in range(len(reasons))], "exclusion": reasons}
        )
        return pd.concat([table.assign(exclusion=""), left_out], ignore_index=True)

    def documents(self) -> dict[tuple[str, str, str], dict[str, Any]]:
        """Give every answer document by reader, form and patient; what images show is what was graded."""
        planted = {one.name: one.truth.answers("ct") | one.truth.answers("mr") for one in self.pictured}
        made = simulate.documents(
            catalogue.latest("spondylolysis"), self.study.gradings, seed=self.seed, planted=planted
        )
        return {(reader, form, case): answers for case, reader, form, answers in made}


def _due(one: Patient) -> timedelta:
    return timedelta(days=28 + one.image_seed % 8)


def _levels(truth: Truth) -> set[tuple[str, float]]:
    """Each coded finding with its level, and the level that is injected."""
    values = {item: value for item, value in truth.case_values().items() if item != "slip_mm"}
    return {*values.items(), ("level", float(truth.level[1:]))}


def write_images(patient: Patient, folder: Path) -> Phantom:
    """Write one patient's images as a hospital exports them."""
    phantom = build(patient.truth, seed=patient.image_seed)
    write_dicom(phantom, identity=patient.identity, folder=folder)
    return phantom


def _scanned(patients: list[Patient]) -> tuple[Patient, ...]:
    """Give each the first image seed that has its share of the two field strengths."""
    found = []
    for number, one in enumerate(patients, start=1):
        low = int(number * AT_1_5_TESLA) > int((number - 1) * AT_1_5_TESLA)
        seed = one.image_seed
        while (build(one.truth, seed=seed, only=()).field_strength_t < 2) != low:
            seed += 1
        found.append(replace(one, image_seed=seed))
    return tuple(found)
