"""Celery: a key in, one call, safe to repeat."""

from __future__ import annotations

from celery import shared_task  # noqa: TID251  this is a tasks.py

from analytics import runs
from analytics.runs import uploaded
from annotation import jobs


@shared_task(name="analytics.tasks.analyse")
def analyse(job_id: str) -> None:
    jobs.work(job_id, runs.carry_out)


@shared_task(name="analytics.tasks.analyse_tables")
def analyse_tables(job_id: str) -> None:
    jobs.work(job_id, uploaded.carry_out)
