"""Whole cases and cohorts on disk: DICOM files, the clinical table, the planted truth."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .files import write_dicom
from .person import CLINICAL_COLUMNS, Identity, clinical_row, invent
from .scan import Phantom, build, locate
from .truth import SHARES, Truth, from_shares


@dataclass(frozen=True)
class Case:
    """One synthetic patient: the line of the clinical table, the planted truth, the invented identity."""

    index: int
    patient_id: str
    clinical: dict[str, str]
    truth: Truth
    identity: Identity
    files: int = 0

    def truth_row(self) -> dict[str, Any]:
        """What stands under the patient's number in ``truth.json``."""
        truth = self.truth
        return {
            "index": self.index,
            "level": truth.level,
            "index_segment": truth.index_segment,
            "answers": {"ct": truth.answers("ct"), "mr": truth.answers("mr")},
            "case": truth.case_values(),
            "segments": truth.pfirrmann_by_segment,
            "slip_mm": truth.slip_mm,
            "slip_pct": truth.slip_pct,
            "endplate_mm": truth.endplate_mm,
            "landmarks_lps_mm": {name: list(point) for name, point in truth.landmarks_lps_mm.items()},
            "midline_slice": truth.midline_slice,
            "ct_offset_lps_mm": list(truth.ct_offset_lps_mm),
            "moved_lps_mm": {role: list(away) for role, away in truth.moved_lps_mm.items()},
            "planted": truth.to_json(),
        }


def _shares(index: int, seed: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return low-discrepancy numbers for case ``index``: any run of cases spreads its grades evenly.

    Additive recurrence with square roots of primes; the seed shifts the start.
    """
    primes = [n for n in range(2, 140) if all(n % k for k in range(2, n))][:SHARES]
    start = np.random.default_rng([seed, 3]).random(SHARES)
    jitter = np.random.default_rng([seed, 4, index]).normal(0.0, 0.02, SHARES)
    return np.asarray((start + jitter + index * np.sqrt(np.array(primes, dtype=float))) % 1.0)


def drawn(index: int, seed: int) -> tuple[Truth, Identity, dict[str, str], int]:
    """Draw a case: what is planted, who it is, the clinical line, and the seed of the images."""
    truth = from_shares(_shares(index, seed))
    rng = np.random.default_rng([seed, 5, index])
    identity = invent(rng, truth, index=index)
    return truth, identity, clinical_row(rng, truth, identity), int(rng.integers(0, 2**31))


def case_facts(*, index: int, seed: int, size: str = "demo") -> Case:
    """Return a case without its images: clinical line, truth with landmarks, identity. Takes milliseconds."""
    truth, identity, row, image_seed = drawn(index, seed)
    return Case(index, identity.patient_id, row, locate(truth, seed=image_seed, size=size), identity)


def write_case(folder: Path, *, index: int, seed: int, size: str = "demo") -> Case:
    """Write the images of one case below ``folder/dicom``; independent of every other case, repeatable to the byte."""
    return write_built(folder, index=index, seed=seed, size=size)[0]


def write_built(folder: Path, *, index: int, seed: int, size: str = "demo") -> tuple[Case, Phantom]:
    """As ``write_case``, and the phantom that was written: whoever shows its findings needs to know where they are."""
    truth, identity, row, image_seed = drawn(index, seed)
    phantom = build(truth, seed=image_seed, size=size)
    files = write_dicom(phantom, identity=identity, folder=folder / "dicom")
    return Case(index, identity.patient_id, row, phantom.truth, identity, files), phantom


def write_tables(folder: Path, cases: Iterable[Case]) -> None:
    """Write ``clinical.csv`` and ``truth.json`` of the given cases."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = sorted(cases, key=lambda case: case.index)
    with (folder / "clinical.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, CLINICAL_COLUMNS)
        writer.writeheader()
        writer.writerows(case.clinical for case in rows)
    truth = {case.patient_id: case.truth_row() for case in rows}
    (folder / "truth.json").write_text(json.dumps(truth, indent=1, ensure_ascii=False), encoding="utf-8")


def write_cohort(
    folder: Path, *, cases: int, seed: int, size: str = "demo",
    progress: Callable[[int, int, str], None] | None = None, processes: int = 1,
) -> list[Case]:  # fmt: skip
    """Write a cohort: images, ``clinical.csv`` and ``truth.json``.

    Parameters
    ----------
    folder
        Made when absent.
    cases, seed, size
        Case ``i`` is ``write_case(folder, index=i, seed=seed, size=size)`` for i in 0 .. cases - 1.
    progress
        Called as ``progress(done, of, "phantom")`` after every case; may raise to stop.
    processes
        More than 1: cases are drawn side by side in that many processes.
    """
    task = partial(_one, folder, seed, size)
    found: list[Case] = []

    def take(case: Case) -> None:
        found.append(case)
        if progress is not None:
            progress(len(found), cases, "phantom")

    if processes > 1:
        with ProcessPoolExecutor(processes) as pool:
            for case in pool.map(task, range(cases)):
                take(case)
    else:
        for index in range(cases):
            take(task(index))
    write_tables(folder, found)
    return found


def _one(folder: Path, seed: int, size: str, index: int) -> Case:
    return write_case(folder, index=index, seed=seed, size=size)
