"""Wiring. The Celery app is made with the package, so that web and commands send to the same broker as the worker."""

from __future__ import annotations

from spondy.celery import app as celery_app

__all__ = ["celery_app"]
