"""Where a number comes from: its statistic, value, n and method, and the rows that went into it."""

from __future__ import annotations

import csv
import io
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.models import Run
from analytics.runs.rows import OUTCOMES, NothingThere, own
from analytics.runs.work import Moved, frames_of
from annotation import handover
from annotation.people import Person

if TYPE_CHECKING:
    from analytics.frames import Frames
    from analytics.stats.result import Entry, Results

PARTS = re.compile(r"[/|,:=\-]+")
MOST_SHOWN = 500
MODELS = ("logistic", "performance", "calibration", "decision", "ridge", "ordinal", "change", "optimism", "bootstrap")
DERIVED = {"15min": ("nrs_baseline", "nrs_15min"), "1month": ("nrs_baseline", "nrs_1month")}


@dataclass(frozen=True)
class Field:
    name: str
    value: str
    reason: str
    asked: bool


@dataclass(frozen=True)
class Rows:
    """The rows behind a number: one a case, a column for each finding of a reader and each clinical value."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    complete: int

    @property
    def shown(self) -> tuple[tuple[str, ...], ...]:
        return self.rows[:MOST_SHOWN]


@dataclass(frozen=True)
class Origin:
    id: str
    field: str
    value: str
    reason: str
    n: int
    method: str
    notes: tuple[str, ...]
    fields: tuple[Field, ...]
    rows: Rows | None
    why_no_rows: str


def origin(person: Person, code: str, run_id: uuid.UUID, id: str, field: str) -> Origin:
    from analytics.stats.result import Results

    run = own(person, code, run_id)
    if run.results is None:
        raise NothingThere
    return described(Results.from_document(run.results), id, field, lambda: _frames(run))


def described(results: Results, id: str, field: str, frames: Callable[[], Frames | None]) -> Origin:
    """Describe one number; `frames` gives the data behind it, or None where these are no longer the run's."""
    from analytics.stats.result import NotEstimable, spelled

    if id not in results:
        raise NothingThere
    entry = results.entry(id)
    fields = tuple(
        Field(name, spelled(value), value.why if isinstance(value, NotEstimable) else "", name == field)
        for name, value in entry.values.items()
    )
    asked = next((one for one in fields if one.asked), Field(field, str(entry.n) if field == "n" else "", "", True))
    rows, why = _rows(frames(), entry)
    return Origin(id, field, asked.value, asked.reason, entry.n, entry.method, entry.notes, fields, rows, why)


def _frames(run: Run) -> Frames | None:
    """Rebuild the rows from the locked readings, unless these are no longer the run's."""
    moved = handover.fingerprint(run.study_id, outcomes=run.layer == OUTCOMES) != run.rows_digest
    return None if moved else frames_of(run)


def _rows(frames: Frames | None, entry: Entry) -> tuple[Rows | None, str]:
    if frames is None:
        return None, Moved.sentence
    columns = list(_columns(frames, entry.id))
    if not columns:
        return None, "This number is a count of the study itself; no reading or clinical value stands behind it."
    values = [column for _, column in columns]
    rows = tuple((case, *line) for case, *line in zip(frames.cases, *values, strict=True))
    complete = sum(all(line[1:]) for line in rows)
    return Rows(("Case", *(name for name, _ in columns)), rows, complete), ""


def _columns(frames: Frames, id: str) -> Iterator[tuple[str, list[str]]]:
    """Name the columns an identifier speaks of: its findings, of its readers; its characteristics and pain scores."""
    parts = set(PARTS.split(id))
    whole = "/" + id + "/"
    readers = [reader for reader in frames.readers if reader in parts] or list(frames.readers)
    named = [item for item in frames.items if f"/{item.code}/" in whole or item.code in parts]
    findings = named or (list(frames.items) if parts & set(MODELS) else [])
    for item in findings:
        for reader in readers:
            yield f"{item.code}, {reader}", [_printed(value) for value in frames.grades(reader, item.code)]
    times = {column for time, columns in DERIVED.items() if time in id for column in columns}
    for column in frames.clinical.columns:
        if column in parts or column in times:
            labels = frames.characteristics.get(column)
            values = frames.measured(column)
            yield column, [_labelled(value, labels.names if labels else ()) for value in values]


def _printed(value: float) -> str:
    return "" if value != value else f"{value:g}"


def _labelled(value: float, names: tuple[str, ...]) -> str:
    shown = _printed(value)
    return names[int(value)] if shown and names and 0 <= int(value) < len(names) else shown


def rows_csv(found: Origin) -> str:
    """Write the rows behind a number as CSV."""
    if found.rows is None:
        raise NothingThere
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(found.rows.columns)
    writer.writerows(found.rows.rows)
    return text.getvalue()
