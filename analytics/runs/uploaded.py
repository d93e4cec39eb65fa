"""Existing gradings and clinical values, handed in as two plain tables and analysed without a reading.

What is handed in belongs to the person who did it: nobody else sees it, and it is taken away again on request.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from analytics.models import TableRun
from analytics.runs import kept
from analytics.runs.asked import versions
from analytics.runs.body import body
from analytics.runs.origin import Origin, described
from analytics.runs.rows import NothingThere, RunRow, time_left
from analytics.runs.shown import Shown, laid_out
from analytics.runs.work import COMPUTED, WHOLE, share
from annotation import access, jobs
from annotation.people import Person

if TYPE_CHECKING:
    from analytics.frames import Frames
    from analytics.plans import Plan
    from analytics.stats.result import Results

KIND = "analyse_tables"
TITLE = "Analysis of tables"
MOST_BYTES = 20_000_000
MOST_RESAMPLES, FEWEST_RESAMPLES = 10_000, 100
MOST_SEED = 2**31
GRADINGS, CLINICAL = "gradings", "clinical"


class BadTables(ValueError):
    """What was handed in cannot be analysed; the sentence names file, row and column."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Handed:
    """A file as it came in: its name, for faults only, and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Wanted:
    """What is to be computed."""

    plan: str = "full"
    seed: int = 0
    bootstrap: int = 0


def may(person: Person) -> None:
    """Let in who analyses some study; for everybody else the page does not exist."""
    if not any(seat.role == "analyst" for seat in access.seats(person)):
        raise NothingThere


def plans_there(person: Person) -> list[tuple[str, str]]:
    """Name the plans to choose from."""
    from analytics import plans

    may(person)
    return plans.titles()


def analyses(person: Person) -> list[tuple[RunRow, int]]:
    """List what this person handed in, the newest first, with the number of cases."""
    may(person)
    found = TableRun.objects.filter(owner=person).order_by("-created_at")
    return [(_row(run), run.cases) for run in found]


def take(person: Person, gradings: Handed, clinical: Handed | None, wanted: Wanted) -> uuid.UUID:
    """Check the tables, keep the columns an analysis knows, and ask for the analysis.

    The same tables, plan, seed and resamples give the analysis that is there already.

    Raises
    ------
    BadTables
        For the first thing that cannot be read, or a column that looks as if it named patients.
    """
    may(person)
    tables = _checked({GRADINGS: gradings} | ({CLINICAL: clinical} if clinical else {}), wanted)
    digests = {name: hashlib.sha256(data).hexdigest() for name, (data, _) in tables.items()}
    asked = {"plan": wanted.plan, "seed": wanted.seed, "bootstrap": wanted.bootstrap}
    for run in TableRun.objects.filter(owner=person, **asked):
        if run.digests == digests and run.versions.get("spondy") == settings.VERSION:
            return run.pk
    run = TableRun(owner=person, digests=digests, cases=tables[GRADINGS][1], versions=versions(), **asked)
    run.tables = {name: kept.keep_table(run.pk, data) for name, (data, _) in tables.items()}
    with transaction.atomic():
        run.save()
        _send(run, person)
    return run.pk


def _send(run: TableRun, person: Person) -> None:
    run.job_id = jobs.start(KIND, title=f"{TITLE}: plan {run.plan}", subject=str(run.pk), by=person).id
    run.save(update_fields=["job"])


def _checked(handed: Mapping[str, Handed], wanted: Wanted) -> dict[str, tuple[bytes, int]]:
    """Read the tables as the analysis will; give each as the CSV that is kept, with the number of cases."""
    from analytics import frames, plans

    if wanted.plan not in plans.codes():
        raise BadTables(f"There is no plan {wanted.plan!r}; choose one of the list.")
    if not 0 <= wanted.seed < MOST_SEED:
        raise BadTables(f"The seed is a whole number from 0 to {MOST_SEED - 1}.")
    if wanted.bootstrap and not FEWEST_RESAMPLES <= wanted.bootstrap <= MOST_RESAMPLES:
        raise BadTables(f"Resamples: say 0 or {FEWEST_RESAMPLES} to {MOST_RESAMPLES}.")
    instrument = plans.get(wanted.plan).protocol
    columns = {GRADINGS: frames.grading_columns(instrument), CLINICAL: frames.CLINICAL}
    try:
        read = {
            name: frames.without_names(one.name, frames.read_bytes(one.name, one.data), columns[name])
            for name, one in handed.items()
        }
        made = frames.from_tables(read.get(CLINICAL), read[GRADINGS], instrument=instrument)
    except frames.BadTable as fault:
        named = handed[fault.table].name if fault.table in handed else fault.table
        raise BadTables(fault.sentence(named)) from None
    return {name: (table.to_csv(index=False).encode(), len(made.cases)) for name, table in read.items()}


def card(person: Person, run_id: uuid.UUID) -> RunRow:
    return _row(_own(person, run_id))


def cancel(person: Person, run_id: uuid.UUID) -> None:
    run = _own(person, run_id)
    if run.job_id:
        jobs.ask_to_cancel(run.job_id)


def again(person: Person, run_id: uuid.UUID) -> None:
    """Take an analysis up again that was cancelled or failed; what it has computed is not computed again."""
    with transaction.atomic():
        run = TableRun.objects.select_for_update().get(pk=_own(person, run_id).pk)
        if not run.archive and (run.job_id is None or not jobs.look(run.job_id).is_open):
            _send(run, person)


def take_away(person: Person, run_id: uuid.UUID) -> None:
    """Delete tables, results and files; work that is under way ends at its next step."""
    cancel(person, run_id)
    run = _own(person, run_id)
    names = [*run.tables.values(), run.archive, run.page]
    run.delete()
    for name in filter(None, names):
        default_storage.delete(name)


def shown(person: Person, run_id: uuid.UUID) -> Shown:
    run = _ready(person, run_id)
    digests = {f"{name} table": digest for name, digest in run.digests.items()}
    return laid_out(run, _row(run), "", TITLE, False, digests=digests)


def file(person: Person, run_id: uuid.UUID, name: str) -> bytes:
    """Give one file by its exact path."""
    try:
        return kept.member(_ready(person, run_id).archive, name)
    except KeyError:
        raise NothingThere from None


def archive(person: Person, run_id: uuid.UUID) -> IO[bytes]:
    """Open all files as one zip, to be sent in pieces."""
    return kept.whole(_ready(person, run_id).archive)


def origin(person: Person, run_id: uuid.UUID, id: str, field: str) -> Origin:
    """Say where a number comes from, with the rows of the tables behind it."""
    from analytics.stats.result import Results

    run = _own(person, run_id)
    if run.results is None:
        raise NothingThere
    return described(Results.from_document(run.results), id, field, lambda: _frames(run))


def carry_out(held: jobs.Held) -> None:
    """Compute an analysis and make its files, in the worker; what a killed one has kept is not done again."""
    from analytics.stats.result import Results

    run = TableRun.objects.filter(pk=held.subject).first()
    if run is None or run.archive:
        held.finish({}, "Computed before." if run else "The tables were taken away.")
        return
    results = _computed(run, held) if run.results is None else Results.from_document(run.results)
    _filed(run, results, held)


def _computed(run: TableRun, held: jobs.Held) -> Results:
    from analytics import plans

    told = share(held, 0, COMPUTED)
    try:
        results = plans.carry_out(_plan(run), _frames(run), seed=run.seed, progress=told, processes=plans.processors())
    except plans.NotPossible as fault:
        raise BadTables(fault.sentence) from None
    run.results, run.finished_at = results.to_document(), timezone.now()
    held.step(COMPUTED, WHOLE, "The results are there.")
    run.save(update_fields=["results", "finished_at"])
    return results


def _filed(run: TableRun, results: Results, held: jobs.Held) -> None:
    from analytics import export, report

    facts = {
        "Data": "Two tables that were handed in" if CLINICAL in run.tables else "A table that was handed in",
        "Cases": str(results.subject["cases"]),
        "Plan": run.plan,
        "Seed": str(run.seed),
        "Resamples": str(run.bootstrap) if run.bootstrap else "as the plan says",
        "Computed": f"{run.finished_at:%Y-%m-%d %H:%M} UTC" if run.finished_at else "",
        "Spondy": str(settings.VERSION),
    }
    composed = report.compose(results, TITLE, facts)
    files = export.bundle(
        results,
        title=TITLE,
        inputs=run.digests,
        facts=facts,
        frames=_frames(run),
        plan=_plan(run),
        report=composed,
        told=share(held, COMPUTED, WHOLE - 5),
    )
    held.step(WHOLE - 5, WHOLE, "Keeping the files.")
    run.archive = kept.keep(run.pk, files)
    run.page = kept.keep_page(run.pk, body(composed, files))
    with transaction.atomic():
        run.save(update_fields=["archive", "page"])
        held.finish({"entries": len(results.entries), "files": len(files)}, "The results are there.")


def _plan(run: TableRun) -> Plan:
    """Give the plan; without clinical values, what of it needs none."""
    from analytics import plans
    from annotation.protocol import catalogue

    whole = plans.get(run.plan)
    fitting = whole if CLINICAL in run.tables else plans.agreement_for(catalogue.latest(whole.protocol), of=run.plan)
    return fitting.with_bootstrap(run.bootstrap) if run.bootstrap else fitting


def _frames(run: TableRun) -> Frames:
    from analytics import frames, plans

    read = {name: frames.read_bytes(name, kept.table(stored)) for name, stored in run.tables.items()}
    return frames.from_tables(read.get(CLINICAL), read[GRADINGS], instrument=plans.get(run.plan).protocol)


def _row(run: TableRun) -> RunRow:
    found = jobs.look(run.job_id) if run.job_id else None
    words = f"{TITLE}: {'outcomes and agreement' if CLINICAL in run.tables else 'agreement'}"
    times = (run.created_at, run.finished_at)
    return RunRow(run.pk, words, run.plan, "", *times, found, bool(run.archive), time_left(found))


def _own(person: Person, run_id: uuid.UUID) -> TableRun:
    may(person)
    run = TableRun.objects.filter(pk=run_id, owner=person).first()
    if run is None:
        raise NothingThere
    return run


def _ready(person: Person, run_id: uuid.UUID) -> TableRun:
    run = _own(person, run_id)
    if not run.archive:
        raise NothingThere
    return run
