"""A finished run as a page and as files; nothing is computed when it is asked for."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

from analytics.models import Run, TableRun
from analytics.runs import kept
from analytics.runs.rows import NothingThere, RunRow, own, row_of
from annotation import handover
from annotation.people import Person

DOCUMENTS = (
    "report.html",
    "report.docx",
    "report.pdf",
    "report.xlsx",
    "estimates.csv",
    "results.json",
    "manifest.json",
)


@dataclass(frozen=True)
class Line:
    """A line of the contents."""

    level: int
    anchor: str
    words: str


@dataclass(frozen=True)
class Part:
    """A part of the report in the contents, with the lines below it."""

    head: Line
    below: tuple[Line, ...]
    folded: bool


@dataclass(frozen=True)
class Shown:
    """A finished run: what its page says, and which files there are by path and size."""

    row: RunRow
    study: str
    title: str
    synthetic: bool
    facts: Mapping[str, str]
    digests: Mapping[str, str]
    versions: Mapping[str, str]
    parts: tuple[Part, ...]
    sections: tuple[str, ...]
    files: Mapping[str, int]

    @property
    def documents(self) -> tuple[str, ...]:
        """The files that hold the whole report, in the order of their use."""
        return tuple(name for name in DOCUMENTS if name in self.files)


def shown(person: Person, code: str, run_id: uuid.UUID) -> Shown:
    run = ready(person, code, run_id)
    subject = handover.subject(person, code)
    about = (row_of(run, subject), subject.code, subject.title, subject.synthetic)
    return laid_out(run, *about, digests={"data": run.rows_digest, "plan": run.plan_digest})


def laid_out(
    run: Run | TableRun, row: RunRow, study: str, title: str, synthetic: bool, *, digests: Mapping[str, str]
) -> Shown:
    """Give a finished run as its page shows it."""
    from analytics.report.layout import FOLDED, parted
    from analytics.report.page import Markup

    page = kept.page(run.page)
    return Shown(
        row,
        study,
        title,
        synthetic,
        page["facts"],
        digests,
        run.versions,
        tuple(
            Part(Line(*head), tuple(Line(*line) for line in below), bool(below) and head[1] in FOLDED)
            for head, below in parted(page["contents"])
        ),
        tuple(map(Markup, page["sections"])),
        kept.listed(run.archive),
    )


def ready(person: Person, code: str, run_id: uuid.UUID) -> Run:
    """Give an own run whose files are there."""
    run = own(person, code, run_id)
    if not run.archive:
        raise NothingThere
    return run


def file(person: Person, code: str, run_id: uuid.UUID, name: str) -> bytes:
    """Give one file of the run by its exact path."""
    try:
        return kept.member(ready(person, code, run_id).archive, name)
    except KeyError:
        raise NothingThere from None


def archive(person: Person, code: str, run_id: uuid.UUID) -> IO[bytes]:
    """Open all files as one zip, to be sent in pieces."""
    return kept.whole(ready(person, code, run_id).archive)
