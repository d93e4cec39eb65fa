"""Wiring. The Celery app is made with the package, so that web and commands send to the same broker as the worker."""

from __future__ import annotations

import os

# Our matrices are small: a second thread of BLAS only spins, and takes the processor from the next worker.
# It is read when numpy is first imported, so it must come before everything else.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from spondy.celery import app as celery_app

__all__ = ["celery_app"]
