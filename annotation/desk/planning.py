"""The analysis plan a study fixes: chosen when it is made, frozen with its instrument.

Statistics stand above the doors, so they are reached by the name the settings give, as jobs are.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.conf import settings

from annotation.protocol import Protocol


def _plans() -> Any:
    return import_module(settings.ANALYSIS_PLANS)


def plans() -> list[tuple[str, str]]:
    """Give codes and titles of the plans there are."""
    found: list[tuple[str, str]] = _plans().titles()
    return found


def plan_digest(code: str, instrument: Protocol) -> str:
    """Give the digest of all that the plan says for this instrument."""
    return str(_plans().planned(code, instrument).digest())
