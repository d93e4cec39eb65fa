"""Figures of the report, drawn from results with matplotlib; the same results give the same bytes."""

from __future__ import annotations

from analytics.figures.basic import TITLES, available, draw

__all__ = ["TITLES", "available", "draw"]
