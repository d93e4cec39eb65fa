"""A Celery app for tests: the product's own, with the tiny instrument and with analyses that take their time.

Run as `celery -A tests.slow_worker worker`; `TEST_STEP_S` is how long every part of an analysis sleeps first.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from analytics import plans
from spondy.celery import app
from tests import tiny_instrument

__all__ = ["app"]

STEP_S = float(os.environ.get("TEST_STEP_S", "0"))
at_full_speed = plans.carry_out


def slowly(
    plan: Any, frames: Any, *, seed: int = 0, progress: Callable[[int, int, str], None] | None = None, **more: Any
) -> Any:
    def step(done: int, of: int, label: str) -> None:
        time.sleep(STEP_S)
        if progress:
            progress(done, of, label)

    return at_full_speed(plan, frames, seed=seed, progress=step, **more)


plans.carry_out = slowly
tiny_instrument.register()
