"""Celery: a key in, one call, safe to repeat."""

from __future__ import annotations

from celery import shared_task  # noqa: TID251  this is a tasks.py

from annotation import desk, intake, jobs


@shared_task(name="annotation.tasks.sort_delivery")
def sort_delivery(job_id: str) -> None:
    jobs.work(job_id, intake.sort_job)


@shared_task(name="annotation.tasks.look_for_text")
def look_for_text(job_id: str) -> None:
    jobs.work(job_id, intake.text_job)


@shared_task(name="annotation.tasks.take_study")
def take_study(job_id: str) -> None:
    jobs.work(job_id, intake.study_job)


@shared_task(name="annotation.tasks.mask_series")
def mask_series(job_id: str) -> None:
    jobs.work(job_id, desk.carry_out_mask)


@shared_task(name="annotation.tasks.purge")
def purge(job_id: str) -> None:
    jobs.work(job_id, desk.carry_out_purge)
