"""What was analysed, as numbers of every plan: cases and readers."""

from __future__ import annotations

from collections.abc import Iterator

from analytics.plans.parts import Part, Table
from analytics.stats.result import Entry

__all__ = ["parts"]


def parts(table: Table) -> list[Part]:
    """Describe the study itself."""

    def run() -> Iterator[Entry]:
        frames = table.frames
        for name, count in (("cases", len(frames.cases)), ("readers", len(frames.readers))):
            yield Entry(f"study/{name}", count, f"number of {name} analysed", {"n": count})

    return [Part("The study", run)]
