"""One batch from its first byte to its log."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from django.db import transaction

from annotation import store, trail
from annotation.dicom import Quarantined, Refused, Taken, TakeRules, take
from annotation.identity import identifier_hash, key
from annotation.intake import sources
from annotation.intake.clinical import ClinicalLog, take_clinical
from annotation.intake.gate import still_open
from annotation.intake.shelve import Shelved, rehearse, shelve
from annotation.models import Study
from annotation.people import Person

log = logging.getLogger(__name__)

OPEN_PATIENTS = 4
"""Exports come patient by patient; a few are held open at once so that memory stays flat in a large batch."""

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Problem:
    """A file that did not come in, by its neutral number in the batch."""

    name: str
    reason_code: str
    reason: str


@dataclass
class Log:
    """What came of a batch, as `import_cohort --json` writes it."""

    received: int = 0
    imported: int = 0
    duplicates: int = 0
    refused: list[Problem] = field(default_factory=list)
    quarantined: list[Problem] = field(default_factory=list)
    clinical: ClinicalLog = field(default_factory=ClinicalLog)
    studies: int = 0
    series: int = 0
    seconds: float = 0.0
    cases: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Prepared:
    """One accepted file whose frames already lie in the store; only its header is still in memory."""

    name: str
    taken: Taken
    digests: tuple[str, ...]


def take_in(
    study: Study,
    *,
    dicom: list[Path],
    clinical: Path | None = None,
    by: Person | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Log:
    """Take images and the clinical table into a study. Refusals are data; running it again imports nothing twice.

    Raises WrongState, before anything is written, when the study takes such things in no more.
    """
    started = time.monotonic()
    with transaction.atomic():
        still_open(study, images=bool(dicom))
    out = Log()
    if clinical is not None:
        out.clinical = take_clinical(study, clinical, by=by, dry_run=dry_run)
    if dicom:
        _Batch(study, out, dry_run, progress or (lambda done, total, message: None)).run(dicom)
    out.seconds = round(time.monotonic() - started, 3)
    log.info(
        "study %s: %d files received, %d imported, %d duplicates, %d refused, %d quarantined",
        study.code, out.received, out.imported, out.duplicates, len(out.refused), len(out.quarantined),
    )  # fmt: skip
    return out


class _Batch:
    def __init__(self, study: Study, out: Log, dry_run: bool, progress: Progress) -> None:
        self.study = study
        self.out = out
        self.dry_run = dry_run
        self.progress = progress
        self.rules = TakeRules(allow_head=bool(study.settings.get("allow_head")))
        self.open: OrderedDict[str, list[Prepared]] = OrderedDict()
        self.seen_studies: set[str] = set()
        self.seen_series: set[str] = set()

    def run(self, paths: list[Path]) -> None:
        total = sources.count(paths)
        for number, received in enumerate(sources.read(paths), start=1):
            name = f"file {number:06d}"
            self.out.received += 1
            if received.refusal is not None:
                self.out.refused.append(Problem(name, *received.refusal))
            elif _speaks_of_itself(received.data):
                self.out.received -= 1  # DICOMDIR and other companions of a medium are no images
            else:
                self._one(name, received.data)
            if number % 5 == 0 or number == total:
                self.progress(number, total, f"{self.out.imported} of {total} files in")
        while self.open:
            self._flush(next(iter(self.open)))

    def _one(self, name: str, data: bytes) -> None:
        try:
            taken = take(data, key=key(), rules=self.rules)
        except Refused as refusal:
            self.out.refused.append(Problem(name, refusal.code, refusal.sentence))
            return
        except Quarantined as quarantine:
            self.out.quarantined.append(Problem(name, quarantine.code, quarantine.sentence))
            return
        digests = tuple((_digest if self.dry_run else store.put)(frame) for frame in taken.frames)
        header = trail.keepable(taken.header)
        light = replace(taken, frames=(), header=header, digest=trail.image_digest(header, digests))
        # A file without a patient's identifier stays at least with the other images of its own study.
        person = identifier_hash(self.study.code, taken.facts.patient_id or taken.facts.study_uid)
        self.open.setdefault(person, []).append(Prepared(name, light, digests))
        self.open.move_to_end(person)
        if len(self.open) > OPEN_PATIENTS:
            self._flush(next(iter(self.open)))

    def _flush(self, person: str) -> None:
        """Write one patient's files in one transaction."""
        prepared = self.open.pop(person)
        self.seen_studies |= {one.taken.facts.study_uid for one in prepared}
        self.seen_series |= {one.taken.facts.series_uid for one in prepared}
        self.out.studies, self.out.series = len(self.seen_studies), len(self.seen_series)
        items = [(p.name, p.taken, p.digests) for p in prepared]
        shelved: Shelved = (rehearse if self.dry_run else shelve)(self.study, person, items)
        self.out.imported += shelved.imported
        self.out.duplicates += shelved.duplicates
        self.out.quarantined += [Problem(*conflict) for conflict in shelved.conflicts]
        if shelved.case and shelved.case not in self.out.cases:
            self.out.cases.append(shelved.case)


def _digest(frame: bytes) -> str:
    """Give the digest under which the store would keep a frame."""
    return hashlib.sha256(frame).hexdigest()


def _speaks_of_itself(data: bytes) -> bool:
    """Tell a medium's directory by its media storage class; it lists names and holds no image."""
    return data[128:132] == b"DICM" and b"1.2.840.10008.1.3.10" in data[:400]
