"""What was analysed, as numbers of every plan: cases, readers, who was left out, reading times, scanning.

None of it is a choice of a plan, so it is no step of one: it stands first in every analysis, and no digest says it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import Any, ClassVar

from analytics.frames import Context
from analytics.plans.parts import Part, Table
from analytics.stats.describe import describe
from analytics.stats.result import Entry, NotEstimable, Result, Value

__all__ = ["parts", "subject"]

NOT_TOLD = "the reading room recorded no times of these readings"


@dataclass(frozen=True, kw_only=True)
class Counted(Result):
    """A bare count."""

    SHOWS_N: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class Shared(Counted):
    """A count with its percentage of `of`."""

    of: Value
    percent: Value


@dataclass(frozen=True, kw_only=True)
class Spread(Counted):
    """Median and range of the `n` of `of` series that state a parameter."""

    of: Value
    median: Value
    low: Value
    high: Value


def parts(table: Table) -> list[Part]:
    """Describe the study itself; with what stands around the readings where that is known."""

    def run() -> Iterator[Entry]:
        frames = table.frames
        yield _count("study/cases", len(frames.cases), "cases analysed")
        yield _count("study/readers", len(frames.readers), "readers analysed")
        if frames.context is not None:
            yield from _flow(frames.context)
            yield from _times(frames.context)
            yield from _scanning(frames.context)

    return [Part("The study", run)]


def subject(context: Context | None) -> dict[str, Any]:
    """Name what the entries are about, so that tables can be printed from results alone."""
    if context is None:
        return {}
    roles = {(scan.group, scan.role): scan.title for scan in context.scans}
    return {
        "exclusions": [{"code": one.code, "title": one.title} for one in context.excluded],
        "forms": list(dict.fromkeys(one.form for one in context.times)),
        "series": [{"group": group, "role": role, "title": title} for (group, role), title in roles.items()],
        "parameters": [
            {"code": one.code, "title": one.title, "unit": one.unit, "decimals": one.decimals}
            for one in context.parameters
        ],
        "groups": [group for group in context.groups if any(scan.group == group for scan in context.scans)],
    }


def _count(id: str, n: int, method: str) -> Entry:
    return Entry.of(id, Counted(n=n, method=method))


def _share(id: str, n: int, of: int, method: str) -> Entry:
    percent: Value = 100 * n / of if of else NotEstimable("there is nothing to take a share of")
    return Entry.of(id, Shared(n=n, method=method, of=of, percent=percent))


def _flow(context: Context) -> Iterator[Entry]:
    if context.assessed is None:
        return
    excluded = sum(one.patients for one in context.excluded)
    yield _count("flow/assessed", context.assessed, "patients assessed for eligibility")
    yield _share("flow/excluded", excluded, context.assessed, "patients left out, of those assessed")
    for one in context.excluded:
        yield _share(f"flow/excluded/{one.code}", one.patients, excluded, "patients left out, of all left out")
    yield _share("flow/included", context.assessed - excluded, context.assessed, "patients included, of those assessed")


def _times(context: Context) -> Iterator[Entry]:
    readings: dict[str, list[float | None]] = {}
    for one in context.times:
        readings.setdefault(f"time/{one.reader}/{one.form}", []).append(one.active_s)
    for id, seconds in sorted(readings.items()):
        known = [value for value in seconds if value is not None]
        found = describe(known)
        if not known:
            found = type(found).refused(NOT_TOLD, n=0, method=found.method)
        values = found.values() | {"n_missing": len(seconds) - len(known), "of": len(seconds)}
        yield Entry(id, len(known), f"active seconds of a reading; {found.method}", values)


def _scanning(context: Context) -> Iterator[Entry]:
    fields: dict[int, set[str]] = {}
    for scan in context.scans:
        if scan.modality == "MR":
            fields.setdefault(scan.case, set()).add(scan.group)
    kinds = {case: next(iter(seen)) if len(seen) == 1 else "more than one" for case, seen in fields.items()}
    for name in (*context.groups, "more than one"):
        if n := list(kinds.values()).count(name):
            yield _share(f"scanner/{_slug(name)}", n, len(kinds), "cases, of those with an MRI")
    found: dict[tuple[str, str], list[Any]] = {}
    for scan in context.scans:
        found.setdefault((scan.group, scan.role), []).append(scan)
    for (group, role), scans in found.items():
        id = f"series/{_slug(group)}/{role}"
        cases = len({scan.case for scan in scans})
        yield Entry(id, len(scans), "series that readers could see", {"n": len(scans), "cases": cases})
        for one in context.parameters:
            values = [scan.parameters[one.code] for scan in scans if one.code in scan.parameters]
            if values:
                yield Entry.of(f"{id}/{one.code}", _spread(values, len(scans)))


def _spread(values: Sequence[float], of: int) -> Spread:
    middle = float(median(Decimal(repr(value)) for value in values))  # of 0.57 and 0.58 it is 0.575, not a hair less
    return Spread(
        n=len(values),
        method="median and range over the series that state it",
        of=of,
        median=middle,
        low=min(values),
        high=max(values),
    )


def _slug(name: str) -> str:
    return name.replace(" ", "_")
