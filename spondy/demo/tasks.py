"""Celery: the demonstration's background work."""

from __future__ import annotations

import logging
import shutil
import tempfile
from pathlib import Path

from celery import shared_task  # noqa: TID251  this is a tasks.py

from annotation import desk, intake, jobs
from annotation.phantom import write_case, write_tables
from spondy.demo import pictures, practice, studies
from spondy.demo.closed import make_closed_study

log = logging.getLogger(__name__)


@shared_task(name="spondy.demo.tasks.add_phantom_case")
def add_phantom_case(job_id: str) -> None:
    jobs.work(job_id, _add_phantom_case)


def _add_phantom_case(held: jobs.Held) -> None:
    """Make one synthetic patient, take it in as any hospital's export, release it and give it its place."""
    study, coordinator = held.for_study(), studies.person("coordinator")
    index, seed = int(held.params["index"]), int(held.params["seed"])
    folder = Path(tempfile.mkdtemp(prefix="spondy-phantom-"))

    def report(done: int, total: int, message: str) -> None:
        held.step(30 + 70 * done // max(1, total), 100, message)

    try:
        held.step(0, 100, "Drawing the images.")
        case = write_case(folder, index=index, seed=seed)
        write_tables(folder, [case])
        taken = intake.take_in(
            study, dicom=[folder / "dicom"], clinical=folder / "clinical.csv", by=coordinator, progress=report
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    desk.release_all(coordinator, study.code)
    desk.admit(coordinator, study.code)
    held.finish(taken.document(), f"{taken.imported} images in.")
    log.info("demo: synthetic case %d is in", index + 1)


@shared_task(name="spondy.demo.tasks.make_practice_study")
def make_practice_study(job_id: str) -> None:
    jobs.work(job_id, _make_practice_study)


def _make_practice_study(held: jobs.Held) -> None:
    studies.staffed(studies.PRACTICE, "Practice with synthetic spines", display_check=False)
    coordinator = studies.person("coordinator")
    # another seed than the study's own: nobody practises on a case of it
    practice.fill(coordinator, studies.PRACTICE, cases=practice.CASES, seed=studies.SEED + 1, step=held.step)
    held.finish({}, f"{practice.CASES} practice cases are in.")


@shared_task(name="spondy.demo.tasks.make_reference_study")
def make_reference_study(job_id: str) -> None:
    jobs.work(job_id, make_closed_study)


@shared_task(name="spondy.demo.tasks.draw_reference_images")
def draw_reference_images(job_id: str) -> None:
    jobs.work(job_id, pictures.draw_one)
