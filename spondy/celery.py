"""The Celery app, and the reaper that every worker runs."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any

from celery import Celery
from celery.signals import worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "spondy.settings")
# The matrices of a reader study are tiny: more threads than one make each of them slower, and numpy reads this once.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

REAP_EVERY_S = 5.0
SWEEP_EVERY_S = 60.0
TEND_EVERY_S = float(os.environ.get("SPONDY_INBOX_EVERY_S") or 5)
log = logging.getLogger(__name__)

app = Celery("spondy")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.set_default()  # other threads than the one that imports this ask for the current app as well


def reap_quietly() -> None:
    """Look for jobs left behind; a fault here must not end the worker's timer."""
    from django.db import connections

    from annotation import jobs

    try:
        jobs.reap()
    except Exception:
        log.exception("the reaper could not look at the jobs; it tries again in %.0f s", REAP_EVERY_S)
    finally:
        # The worker forks: a connection left open here would be shared with a child started later.
        connections.close_all()


def tend_quietly() -> None:
    """Look at the inbox and at deliveries left behind; as above, the timer lives on."""
    _quietly(_tend, "the inbox could not be looked at; the next look comes soon")


def sweep_quietly() -> None:
    """Throw away what nobody comes back for; as above, the timer lives on."""
    _quietly(_sweep, "what was left behind could not be swept; the next try is in a minute")


def _tend() -> None:
    from annotation.intake import inbox

    inbox.tend()


def _sweep() -> None:
    from annotation import intake

    intake.sweep()


def _quietly(act: Callable[[], object], sentence: str) -> None:
    from django.db import connections

    try:
        act()
    except Exception:
        log.exception(sentence)
    finally:
        connections.close_all()


@worker_ready.connect
def start_reaper(sender: Any, **_: Any) -> None:
    reap_quietly()
    sender.timer.call_after(0, reap_quietly)  # at once too: the first look also says that a worker is there
    sender.timer.call_repeatedly(REAP_EVERY_S, reap_quietly)
    sender.timer.call_repeatedly(TEND_EVERY_S, tend_quietly)
    sender.timer.call_repeatedly(SWEEP_EVERY_S, sweep_quietly)
