"""The R script, and what it is told to compute."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from analytics.export.estimates import written
from analytics.export.questions import Question, Term

__all__ = ["questions_csv", "script"]


def script() -> str:
    """Give the script; it is the same for every study."""
    return Path(__file__).with_name("analysis.R").read_text(encoding="utf-8")


def questions_csv(asked: Sequence[Question]) -> str:
    """Write what the script computes, one statistic a row; lists have blanks between their parts."""
    header = ("id", "kind", "columns", "codes", "terms")
    rows = (
        (one.id, one.kind, " ".join(one.columns), " ".join(map(str, one.codes)), " ".join(map(_term, one.terms)))
        for one in asked
    )
    return written(header, rows)


def _term(term: Term) -> str:
    name = term.name if term.varies else f"({term.name})"
    return f"{name}={term.column}" + ("" if term.code is None else f"=={term.code}")
