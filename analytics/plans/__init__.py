"""Analysis plans as data, and the one function that carries a plan out.

The statistics are loaded with the first name that needs them: a page that only names a plan stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from analytics.plans.catalogue import agreement_for, codes, get, planned, titles
from analytics.plans.plan import Plan, Step

if TYPE_CHECKING:
    from analytics.plans.carry import NotPossible, carry_out
    from analytics.plans.side_by_side import processors

__all__ = [
    "NotPossible",
    "Plan",
    "Step",
    "agreement_for",
    "carry_out",
    "codes",
    "get",
    "planned",
    "processors",
    "titles",
]

_HEAVY = {"NotPossible": "carry", "carry_out": "carry", "processors": "side_by_side"}


def __getattr__(name: str) -> Any:
    if name in _HEAVY:
        return getattr(import_module(f"analytics.plans.{_HEAVY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
