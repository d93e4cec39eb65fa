"""The public functions of analytics.stats, found by looking."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import Any

import analytics.stats


def public() -> dict[str, Callable[..., Any]]:
    """By ``module.name``: what a module lists in ``__all__`` and is a function."""
    found = {}
    for module in pkgutil.iter_modules(analytics.stats.__path__):
        loaded = importlib.import_module(f"analytics.stats.{module.name}")
        for name in loaded.__all__:
            if inspect.isfunction(getattr(loaded, name)):
                found[f"{module.name}.{name}"] = getattr(loaded, name)
    return found
