"""Celery: a key in, one call, safe to repeat."""

from __future__ import annotations

from pathlib import Path

from celery import shared_task  # noqa: TID251  this is a tasks.py

from annotation import intake, jobs


@shared_task(name="annotation.tasks.take_in")
def take_in(job_id: str) -> None:
    jobs.work(job_id, _take_in)


def _take_in(held: jobs.Held) -> None:
    clinical = held.params.get("clinical")
    log = intake.take_in(
        held.for_study(),
        dicom=[Path(path) for path in held.params.get("dicom", [])],
        clinical=Path(clinical) if clinical else None,
        by=held.started_by,
        progress=held.step,
    )
    held.finish(log.document(), f"{log.imported} images in, {len(log.refused)} refused.")
