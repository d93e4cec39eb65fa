"""Analysis plans as data, and the one function that carries a plan out."""

from __future__ import annotations

from analytics.plans.carry import NotPossible, carry_out
from analytics.plans.catalogue import agreement_for, codes, get
from analytics.plans.plan import Plan, Step

__all__ = ["NotPossible", "Plan", "Step", "agreement_for", "carry_out", "codes", "get"]
