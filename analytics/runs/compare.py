"""Two runs of a study side by side: which numbers differ, and why they may."""

from __future__ import annotations

import csv
import io
import math
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analytics.models import Run
from analytics.runs.rows import NothingThere, RunRow, own, row_of
from annotation import handover
from annotation.people import Person

if TYPE_CHECKING:
    from analytics.stats.result import Results, Value

SAME = 1e-12  # relative; less is the noise of another order of addition
MOST_SHOWN = 1000
KINDS = {
    "value": "another value",
    "status": "estimable or not",
    "added": "only in the second",
    "removed": "only in the first",
}


@dataclass(frozen=True)
class Change:
    id: str
    field: str
    kind: str
    first: str
    second: str
    difference: float | None

    @property
    def words(self) -> str:
        return KINDS[self.kind]

    @property
    def printed(self) -> str:
        return "" if self.difference is None else f"{self.difference:+.6g}".replace("-", "−")


@dataclass(frozen=True)
class Compared:
    first: RunRow
    second: RunRow
    why: tuple[str, ...]
    changes: tuple[Change, ...]
    same: int

    @property
    def counts(self) -> tuple[tuple[str, int], ...]:
        """How many of each kind, those that occur."""
        found = ((words, sum(one.kind == kind for one in self.changes)) for kind, words in KINDS.items())
        return tuple((words, count) for words, count in found if count)

    @property
    def shown(self) -> tuple[Change, ...]:
        return self.changes[:MOST_SHOWN]


def compare(person: Person, code: str, first: uuid.UUID, second: uuid.UUID) -> Compared:
    from analytics.stats.result import Results

    pair = [own(person, code, key) for key in (first, second)]
    if any(run.results is None for run in pair):
        raise NothingThere
    subject = handover.subject(person, code)
    results = [Results.from_document(run.results or {}) for run in pair]
    changes = tuple(_changes(*results))
    numbers = sum(len(entry.values) for entry in results[1].entries)
    same = numbers - sum(one.kind != "removed" for one in changes)
    why = tuple(_why(*pair))
    return Compared(row_of(pair[0], subject), row_of(pair[1], subject), why, changes, same)


def _changes(first: Results, second: Results) -> Iterator[Change]:
    from analytics.stats.result import spelled

    before, after = _numbers(first), _numbers(second)
    for (id, field), value in after.items():
        if (id, field) not in before:
            yield Change(id, field, "added", "", spelled(value), None)
        elif kind := _kind(old := before[id, field], value):
            yield Change(id, field, kind, spelled(old), spelled(value), _difference(old, value))
    for (id, field), value in before.items():
        if (id, field) not in after:
            yield Change(id, field, "removed", spelled(value), "", None)


def _numbers(results: Results) -> dict[tuple[str, str], Value]:
    return {(entry.id, name): value for entry in results.entries for name, value in entry.values.items()}


def _kind(old: Value, new: Value) -> str:
    from analytics.stats.result import NotEstimable

    if isinstance(old, NotEstimable) or isinstance(new, NotEstimable):
        return "" if isinstance(old, NotEstimable) and isinstance(new, NotEstimable) else "status"
    if isinstance(old, str) or isinstance(new, str):
        return "" if old == new else "value"
    return "" if old == new or math.isclose(old, new, rel_tol=SAME) else "value"


def _difference(old: Value, new: Value) -> float | None:
    if isinstance(old, float | int) and isinstance(new, float | int):
        difference = float(new) - float(old)
        return difference if math.isfinite(difference) else None
    return None


def _why(first: Run, second: Run) -> Iterator[str]:
    """Say what differs between two runs before anything is computed."""
    if first.layer != second.layer:
        yield "The layers differ: one run has the outcomes, the other only the readings."
    if first.rows_digest != second.rows_digest:
        yield "The data differ. " + " ".join(_data(first.basis, second.basis))
    if first.plan_digest != second.plan_digest:
        yield f"The plans differ: {first.plan} and {second.plan}. " + " ".join(_steps(first.basis, second.basis))
    if first.seed != second.seed:
        yield f"The seeds differ: {first.seed} and {second.seed}."
    for name in sorted({*first.versions, *second.versions}):
        old, new = (str(run.versions.get(name, "none")) for run in (first, second))
        if old != new:
            yield f"The version of {name} differs: {old} and {new}."


def _data(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[str]:
    if not first or not second:
        yield "One run is too old to say which readings or values."
        return
    for kind, words in (("readings", "Readings"), ("clinical", "Clinical values")):
        old, new = first[kind], second[kind]
        changed = sum(old[name] != new[name] for name in old.keys() & new.keys())
        added, removed = len(new.keys() - old.keys()), len(old.keys() - new.keys())
        yield f"{words}: {changed} changed, {added} added, {removed} removed."


def _steps(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[str]:
    if not first or not second:
        yield "One run is too old to say which steps."
        return
    old, new = ([_step(step) for step in one["plan"]["steps"]] for one in (first, second))
    for words, steps in (("Added", [s for s in new if s not in old]), ("Left out", [s for s in old if s not in new])):
        if steps:
            yield f"{words}: {'; '.join(steps)}."


def _step(step: Mapping[str, Any]) -> str:
    params = ", ".join(f"{name} {value}" for name, value in sorted(step["params"].items()))
    return f"{step['kind']} ({params})" if params else str(step["kind"])


def changes_csv(found: Compared) -> str:
    """Write all changes as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("id", "field", "change", "first", "second", "difference"))
    for one in found.changes:
        difference = "" if one.difference is None else format(one.difference, ".17g")
        writer.writerow((one.id, one.field, one.words, one.first, one.second, difference))
    return text.getvalue()
