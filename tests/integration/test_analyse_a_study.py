"""An analysis from the button to the downloads, in a real worker process that may be killed at any moment."""

from __future__ import annotations

import contextlib
import csv
import html
import io
import json
import os
import signal
import subprocess
import sys
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection

from analytics import plans, runs
from analytics.frames import from_handover
from analytics.models import Run
from analytics.runs.kept import keep
from annotation import handover, jobs
from annotation.models import Assignment, Event, Exclusion, Job, Patient, Revision, Study
from annotation.people import Person
from tests import cast
from tests.conftest import ROOT

LEASE_S = 2


@contextlib.contextmanager
def worker(environment: dict[str, str], folder: Path, *, step_s: float = 0.0) -> Iterator[subprocess.Popen[bytes]]:
    """Start a worker as a process of its own; what is left of its group ends with the block."""
    log = folder / f"worker-{time.monotonic_ns()}.log"
    env = environment | {"SPONDY_JOB_LEASE_S": str(LEASE_S), "TEST_STEP_S": str(step_s)}
    command = [str(Path(sys.executable).with_name("celery")), "-A", "tests.slow_worker", "worker", "--concurrency", "1"]
    with log.open("wb") as output:
        child = subprocess.Popen(command, cwd=ROOT, env=env, stdout=output, stderr=output, start_new_session=True)
    try:
        yield child
    except AssertionError as error:
        error.add_note(log.read_text()[-3000:])
        raise
    finally:
        if child.poll() is None:
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait(5)


def until(found: Callable[[], Any], what: str, *, within_s: float = 120) -> Any:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.1)
    states = list(Job.objects.values_list("kind", "state", "attempt", "done", "total", "message"))
    raise AssertionError(f"{what} did not happen within {within_s} s: {states}")


def the_job() -> Job:
    return Job.objects.get(kind="analyse")


def job_of(key: uuid.UUID | None) -> Job:
    assert key is not None
    return Job.objects.get(pk=key)


def state() -> str:
    return the_job().state


@pytest.fixture
def closed(live: None) -> None:
    cast.read_all(cast.SPINE)
    cast.close(cast.SPINE)


def ask(code: str = cast.SPINE) -> str:
    """Press the analyst's button; gives the address of the run."""
    answer = cast.client("analyst").post(f"/report/{code}/")
    assert answer.status_code == 302, answer.content[:500]
    return str(answer["Location"])


def check_once() -> None:
    """The run is there, computed once, with nothing left over."""
    run = Run.objects.get()
    assert run.results
    assert run.finished_at
    job = the_job()
    assert (job.state, job.done) == ("done", job.total)
    assert Event.objects.filter(verb="start run").count() == 1


@pytest.mark.usefixtures("closed")
def test_a_run_whose_worker_is_killed_is_taken_up_again_and_finishes_once(
    environment: dict[str, str], tmp_path: Path
) -> None:
    address = ask()
    assert "waiting for a worker" in cast.client("analyst").get(address).content.decode()
    with worker(environment, tmp_path, step_s=0.4) as first:
        until(lambda: the_job().done >= 1, "the first steps")
        os.killpg(first.pid, signal.SIGKILL)
        first.wait(5)
    assert state() == "running"
    with worker(environment, tmp_path, step_s=0.01):
        until(lambda: state() == "done", "the second try")
        assert the_job().attempt == 2
        check_once()
        before = Run.objects.get().finished_at
        # The same data and plan are computed once: asking again gives the run that is there.
        assert ask() == address
        assert Run.objects.get().finished_at == before
        assert the_job().attempt == 2
    _report(address)


@pytest.mark.usefixtures("closed")
def test_a_killed_pool_child_does_not_lose_the_run(environment: dict[str, str], tmp_path: Path) -> None:
    ask()
    with worker(environment, tmp_path, step_s=0.25) as child:
        until(lambda: the_job().done >= 1, "the first steps")
        pool = psutil.Process(child.pid).children()
        assert len(pool) == 1
        os.kill(pool[0].pid, signal.SIGKILL)
        until(lambda: state() == "done", "the second try")
        assert child.poll() is None
    assert the_job().attempt >= 2
    check_once()


@pytest.mark.usefixtures("closed")
def test_cancel_cancels_and_it_can_be_started_again(environment: dict[str, str], tmp_path: Path) -> None:
    analyst = cast.client("analyst")
    address = ask()
    assert analyst.post(f"{address}cancel").status_code == 302
    assert state() == "cancelled", "a waiting job ends at once"
    assert ask() == address
    job = Run.objects.get().job_id
    with worker(environment, tmp_path, step_s=0.3):
        until(lambda: job_of(job).done >= 1, "the first steps")
        card = analyst.get(f"{address}state")
        assert f'data-poll="{address}state"' in card.content.decode()
        assert card["Cache-Control"] == "no-store"
        analyst.post(f"{address}cancel")
        until(lambda: job_of(job).state == "cancelled", "the cancel")
        time.sleep(1)
        assert Run.objects.get().results is None
        assert "data-poll" not in analyst.get(f"{address}state").content.decode()
        assert "Start again" in analyst.get(address).content.decode()
        assert analyst.get(f"{address}files/estimates.csv").status_code == 404
        assert job_of(job).attempt == 1
        readyz = cast.client().get("/readyz")
        assert (readyz.status_code, readyz.json()["worker"]) == (200, True)


def _report(address: str) -> None:
    """Look at the pages and files of a finished run."""
    analyst = cast.client("analyst")
    page = analyst.get(address).content.decode()
    assert "Agreement of the readers" in page
    assert "reader_a" not in page
    assert cast.HOSPITAL_ID not in page
    archive = zipfile.ZipFile(io.BytesIO(analyst.get(f"{address}files/all.zip").getvalue()))
    names = archive.namelist()
    assert {"estimates.csv", "report.html", "report.docx", "report.pdf", "report.xlsx", "manifest.json"} <= set(names)
    for name in names:
        content = archive.read(name)
        assert content, name
        assert not [s for s in (cast.HOSPITAL_ID, cast.FAMILY, "reader_a") if s.encode() in content], name
    for name in ("estimates.csv", "results.json", next(name for name in names if name.startswith("tables/"))):
        answer = analyst.get(f"{address}files/{name}")
        assert answer.status_code == 200, name
        assert "attachment" in answer["Content-Disposition"]
        assert answer.content == archive.read(name)
    rows = list(csv.DictReader(io.StringIO(analyst.get(f"{address}files/estimates.csv").content.decode())))
    assert list(rows[0]) == ["id", "field", "value", "status", "reason", "n", "method"]
    assert any("pfirrmann" in row["id"] for row in rows)
    assert {row["status"] for row in rows} <= {"ok", "not_estimable"}
    assert all(bool(row["value"]) == (row["status"] == "ok") for row in rows)
    assert len({(row["id"], row["field"]) for row in rows}) == len(rows)
    for wrong in ("nothing.csv", "../secret.key", "tables/../estimates.csv", "/etc/passwd"):
        assert analyst.get(f"{address}files/{wrong}").status_code == 404
    for other in ("coordinator", "reader_a", "root"):
        assert cast.client(other).get(f"{address}files/estimates.csv").status_code == 404


# --- what may be seen when -----------------------------------------------------------------------------------------


def only_numbers(held: jobs.Held) -> None:
    runs.numbers(held)


def compute(code: str, *, files: bool = False) -> Run:
    """Carry the newest run out in this process; its files take longest, and few tests look at them."""
    run = Run.objects.filter(study__code=code).latest("created_at")
    jobs.work(str(run.job_id), runs.carry_out if files else only_numbers)
    run.refresh_from_db()
    return run


@pytest.mark.django_db
def test_nothing_is_computed_before_all_is_locked() -> None:
    analyst = cast.client("analyst")
    page = analyst.get(f"/report/{cast.SPINE}/").content.decode()
    assert "not locked yet" in page
    assert "Compute" not in page.split("<h2>Runs</h2>")[0]
    assert analyst.post(f"/report/{cast.SPINE}/").status_code == 409
    assert not Run.objects.exists()
    key = cast.study().pk
    for early in (lambda: list(handover.gradings(key)), lambda: handover.fingerprint(key, outcomes=False)):
        with pytest.raises(handover.StillReading):
            early()
    cast.read_all(cast.SPINE)
    cast.close(cast.SPINE)
    assert list(handover.gradings(key))
    with pytest.raises(handover.StillReading, match="Unblinded"):
        handover.clinical(key)
    with pytest.raises(handover.StillReading):
        handover.fingerprint(key, outcomes=True)


@pytest.mark.django_db
def test_outcomes_come_in_with_the_unblinding() -> None:
    cast.read_all(cast.SPINE)
    cast.close(cast.SPINE)
    runs.start(cast.analyst(), cast.SPINE)
    blinded = compute(cast.SPINE)
    assert blinded.results
    assert not any("nrs" in json.dumps(entry) for entry in blinded.results["entries"])
    cast.unblind(cast.SPINE)
    clinical = handover.clinical(cast.study().pk)
    assert len(clinical) == 4, "the excluded patient stays out"
    assert {row["age"] for row in clinical} == {101.0}
    assert {row["level"] for row in clinical} == {"L5"}
    runs.start(cast.analyst(), cast.SPINE)
    open_ = compute(cast.SPINE)
    assert open_.pk != blinded.pk
    assert open_.layer == "outcomes"
    assert open_.results, the_message(open_)
    assert cast.client("analyst").get(f"/report/{cast.SPINE}/runs/{open_.pk}/").status_code == 200


@pytest.mark.django_db
def test_the_plan_is_frozen_with_the_study_and_another_one_is_a_deviation() -> None:
    frozen = plans.get("full").digest()
    assert cast.study().plan_digest == frozen
    event = Event.objects.get(study=cast.study(), verb="freeze plan")
    assert (event.subject, event.after) == ("full", {"digest": frozen})
    assert cast.study(cast.PEBBLE).plan_digest == plans.planned("full", cast.instrument(cast.PEBBLE)).digest()
    cast.read_all(cast.SPINE)
    cast.close(cast.SPINE)
    analyst = cast.client("analyst")
    assert "<select" not in analyst.get(f"/report/{cast.SPINE}/").content.decode(), "no choice before the outcomes"
    assert analyst.post(f"/report/{cast.SPINE}/", {"plan": "paper"}).status_code == 404
    cast.unblind(cast.SPINE)
    address = analyst.post(f"/report/{cast.SPINE}/", {"plan": "paper"})["Location"]
    said = "Deviation: plan “paper” was run; the study froze plan “full” before the first reading."
    assert Event.objects.filter(verb="start run").latest("number").reason == said
    run = compute(cast.SPINE, files=True)
    assert run.plan_digest == plans.get("paper").digest()
    assert said in analyst.get(address).content.decode()
    manifest = json.loads(analyst.get(f"{address}files/manifest.json").content)
    assert manifest["Plan"] == said
    assert manifest["inputs"] == {"data": run.rows_digest, "plan": run.plan_digest}
    assert manifest["Spondy"] == settings.VERSION
    home = analyst.get(f"/report/{cast.SPINE}/").content.decode()
    assert home.count(">deviation<") == 1
    assert 'value="full" selected' in home
    runs.start(cast.analyst(), cast.SPINE)
    as_frozen = Event.objects.filter(verb="start run").latest("number")
    assert as_frozen.reason == ""
    assert analyst.post(f"/report/{cast.SPINE}/", {"plan": "everything"}).status_code == 404


def contents(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


@pytest.mark.django_db
def test_files_lost_with_a_worker_are_made_again_and_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    cast.read_all(cast.PEBBLE)
    cast.close(cast.PEBBLE)
    analyst = cast.client("analyst")
    address = analyst.post(f"/report/{cast.PEBBLE}/")["Location"]
    run = compute(cast.PEBBLE, files=True)
    assert run.archive.startswith(f"exports/{run.pk}/"), the_message(run)
    before, kept = run.archive, Path(default_storage.path(run.archive))
    assert zipfile.ZipFile(kept).testzip() is None
    # A worker died while it wrote: half an archive under the name, and nothing noted.
    whole = contents(kept)
    kept.write_bytes(kept.read_bytes()[:1000])
    assert keep(run.pk, whole) == before
    assert contents(kept) == whole
    Run.objects.filter(pk=run.pk).update(archive="", page="")
    assert "Make the files" in analyst.get(address).content.decode()
    assert analyst.get(f"{address}files/estimates.csv").status_code == 404
    assert analyst.post(f"{address}again").status_code == 302
    monkeypatch.setattr(plans, "carry_out", lambda *given, **more: pytest.fail("the numbers were there"))
    run = compute(cast.PEBBLE, files=True)
    kept = Path(default_storage.path(run.archive))
    again = contents(kept)
    # The trail has one more line: that the run was started again.
    assert {name for name in whole if again.get(name) != whole[name]} == {"record/trail.csv", "manifest.json"}
    assert analyst.get(f"{address}files/all.zip").getvalue() == kept.read_bytes()
    # A fact is stated afterwards: the documents are written again, the numbers stay.
    numbers = again["estimates.csv"]
    study = Study.objects.get(code=cast.PEBBLE)
    Study.objects.filter(pk=study.pk).update(settings=study.settings | {"facts": {"told": {"centre": "Stone Town"}}})
    assert analyst.post(f"{address}again").status_code == 302
    run = compute(cast.PEBBLE, files=True)
    told = contents(Path(default_storage.path(run.archive)))
    assert b"Stone Town" in told["report.html"]
    assert b"Stone Town" not in again["report.html"]
    assert told["estimates.csv"] == numbers
    assert "written again" in Event.objects.filter(verb="start run").latest("number").reason
    # Neither data nor plan may be others than those the numbers came from.
    for moved in ("plan_digest", "rows_digest"):
        was = getattr(run, moved)
        Run.objects.filter(pk=run.pk).update(**{moved: "0" * 64})
        assert analyst.post(f"{address}again").status_code == 409
        assert Run.objects.get(pk=run.pk).archive, "what was kept stays"
        Run.objects.filter(pk=run.pk).update(archive="", page="")
        assert analyst.post(f"{address}again").status_code == 302
        refused = compute(cast.PEBBLE, files=True)
        assert (refused.archive, the_message(refused)) == ("", runs.Moved.sentence)
        Run.objects.filter(pk=run.pk).update(archive=run.archive, page=run.page, **{moved: was})


@pytest.mark.django_db
def test_a_number_leads_to_its_rows_and_two_runs_to_what_changed() -> None:
    cast.read_all(cast.SPINE)
    cast.close(cast.SPINE)
    analyst = cast.client("analyst")
    address = analyst.post(f"/report/{cast.SPINE}/")["Location"]
    run = compute(cast.SPINE)
    id = "agreement/pfirrmann/kappa_unweighted"
    found = runs.origin(cast.analyst(), cast.SPINE, run.pk, id, "estimate")
    assert found.rows is not None
    assert found.rows.columns == ("Case", "pfirrmann, R1", "pfirrmann, R2")
    assert len(found.rows.rows) == len({row.case for row in handover.gradings(run.study_id)}) == 4
    page = analyst.get(f"{address}origin", {"id": id, "field": "estimate"}).content.decode()
    assert found.method in html.unescape(page)
    assert cast.HOSPITAL_ID not in page
    rows = analyst.get(f"{address}origin", {"id": id, "field": "estimate", "rows": "csv"}).content.decode()
    assert list(csv.reader(io.StringIO(rows)))[1:] == [list(row) for row in found.rows.rows]
    assert analyst.get(f"{address}origin", {"id": "nothing", "field": "x"}).status_code == 404

    other = Run.objects.get(pk=run.pk)
    assert other.results
    other.pk, other.seed, other.versions = uuid.uuid4(), 5, {**run.versions, "scipy": "0.1"}
    entries = {entry["id"]: entry for entry in other.results["entries"]}
    values = entries["agreement/pfirrmann/table"]["values"]
    number = next(value for value in values if isinstance(value[1], int))
    number[1] += 3
    gone = other.results["entries"].pop()
    other.basis["readings"].popitem()
    other.rows_digest = "0" * 64
    other.save(force_insert=True)
    compared = runs.compare(cast.analyst(), cast.SPINE, run.pk, other.pk)
    assert {(one.id, one.kind) for one in compared.changes} == {
        ("agreement/pfirrmann/table", "value"),
        (gone["id"], "removed"),
    }
    assert next(one.difference for one in compared.changes if one.kind == "value") == 3
    why = " ".join(compared.why)
    assert "Readings: 0 changed, 0 added, 1 removed." in why
    assert "The seeds differ: 0 and 5." in why
    assert "scipy" in why
    query = {"first": str(run.pk), "second": str(other.pk)}
    assert "agreement/pfirrmann/table" in analyst.get(f"/report/{cast.SPINE}/compare", query).content.decode()
    lines = analyst.get(f"/report/{cast.SPINE}/compare", {**query, "rows": "csv"}).content.decode().splitlines()
    assert len(lines) == 1 + len(compared.changes)
    assert runs.origin(cast.analyst(), cast.SPINE, other.pk, id, "estimate").rows is None, "its data are others by now"


@pytest.mark.django_db
def test_before_the_outcomes_a_study_gets_no_more_than_its_plan() -> None:
    cast.read_all(cast.SPINE)
    cast.close(cast.SPINE)
    Study.objects.filter(code=cast.SPINE).update(plan="paper")
    runs.start(cast.analyst(), cast.SPINE)
    run = compute(cast.SPINE)
    assert run.plan == "agreement_paper"
    assert run.results, the_message(run)
    ids = {entry["id"] for entry in run.results["entries"]}
    assert "agreement/lee/kappa_quadratic" in ids
    assert not [id for id in ids if "gwet" in id or "krippendorff" in id]


@pytest.mark.django_db
def test_a_plan_that_changed_or_was_never_frozen_is_said() -> None:
    cast.read_all(cast.SPINE)
    cast.close(cast.SPINE)
    cast.unblind(cast.SPINE)
    key = runs.start(cast.analyst(), cast.SPINE)
    for digest, words in (("0" * 64, "no longer the version the study froze"), ("", "No analysis plan was frozen")):
        Study.objects.filter(code=cast.SPINE).update(plan_digest=digest)
        assert words in runs.card(cast.analyst(), cast.SPINE, key).deviation


def the_message(run: Run) -> str:
    return job_of(run.job_id).message


@pytest.mark.django_db
def test_a_patient_excluded_late_leaves_the_numbers_and_makes_another_run() -> None:
    cast.read_all(cast.SPINE)
    cast.close(cast.SPINE)
    key = cast.study().pk
    before = handover.fingerprint(key, outcomes=False)
    Exclusion.objects.create(patient=Patient.objects.filter(study=key, exclusion__isnull=True)[0], reason="d")
    assert len({row.case for row in handover.gradings(key)}) == 3
    assert handover.fingerprint(key, outcomes=False) != before


@pytest.mark.django_db
def test_the_handover_gives_codes_and_neutral_names() -> None:
    cast.read_all(cast.SPINE)
    cast.close(cast.SPINE)
    rows = list(handover.gradings(cast.study().pk))
    assert {row.reader for row in rows} == {"R1", "R2"}
    assert len({row.case for row in rows}) == 4
    cells = [cell.key for form in cast.forms(cast.SPINE) for cell in cast.instrument(cast.SPINE).cells(form)]
    assert len(rows) == 4 * 2 * len(cells)
    assert {f"{row.item}.{row.site}" for row in rows} == set(cells)
    assert {row.round for row in rows} == {"main"}


@pytest.mark.django_db
def test_repeats_and_the_adjudicator_come_after_the_readers() -> None:
    """A second occasion is a round of its own, a reopened reading takes its place, an adjudicator is no reader."""
    cast.read_all(cast.PEBBLE)
    one = Assignment.objects.filter(study=cast.study(cast.PEBBLE)).order_by("pk").first()
    assert one is not None
    revision = one.revisions.latest("number")

    def more(reader: Person, round: str, occasion: int, position: int, before: Assignment | None = None) -> Assignment:
        made = Assignment.objects.create(
            study=one.study, reader=reader, case=one.case, form=one.form, round=round, occasion=occasion,
            position=position, alias="Case", supersedes=before,
        )  # fmt: skip
        kept = {"answers": revision.answers, "saved_at": revision.saved_at}
        made.locked_revision = Revision.objects.create(assignment=made, number=1, **kept)
        made.save()
        return made

    again = more(one.reader, "main", 2, 90)
    more(one.reader, "main", 3, 91, before=again)
    account = cast.coordinator()
    more(account, "adjudication", 1, 1)
    more(account, "adjudication", 2, 2)
    more(one.reader, "training", 2, 1)
    cast.close(cast.PEBBLE)
    rows = list(handover.gradings(one.study_id))
    assert {row.reader for row in rows if row.round == "main"} == {"R1", "R2"}
    assert {(row.round, row.reader) for row in rows if row.round != "main"} >= {("adjudication", "R3")}
    assert {row.round for row in rows} == {"main", "main_2", "adjudication", "training"}
    frames = from_handover(cast.instrument(cast.PEBBLE), rows)
    assert frames.readers == ("R1", "R2")
    assert len(frames.again) == 1
    assert frames.adjudicated is not None


@pytest.mark.django_db
def test_the_second_instrument_goes_the_whole_way() -> None:
    """Imported, read, locked, closed, computed, downloaded, unblinded: nothing but the instrument knows the spine."""
    cast.read_all(cast.PEBBLE)
    assert not list(handover.verify(cast.PEBBLE))
    cast.close(cast.PEBBLE)
    analyst = cast.client("analyst")
    address = analyst.post(f"/report/{cast.PEBBLE}/")["Location"]
    run = compute(cast.PEBBLE, files=True)
    assert run.results, the_message(run)
    page = analyst.get(address).content.decode()
    for word in ("Shape", "Coat", "Volume"):
        assert word in page
    assert "Pfirrmann" not in page
    estimates = analyst.get(f"{address}files/estimates.csv").content.decode()
    for item in ("shape", "coat", "volume_ml"):
        assert item in estimates
    cast.unblind(cast.PEBBLE)
    again = analyst.post(f"/report/{cast.PEBBLE}/")["Location"]
    assert again != address
    run = compute(cast.PEBBLE)
    assert run.results, the_message(run)


@pytest.mark.django_db
def test_an_answer_after_the_run_would_be_another_run() -> None:
    """A run is keyed by what it was computed from: other data is another run, the same data the same."""
    cast.read_all(cast.PEBBLE)
    cast.close(cast.PEBBLE)
    first = runs.start(cast.analyst(), cast.PEBBLE)
    assert runs.start(cast.analyst(), cast.PEBBLE) == first
    print_ = handover.fingerprint(cast.study(cast.PEBBLE).pk, outcomes=False)
    assert Run.objects.get(pk=first).rows_digest == print_
    assert connection.in_atomic_block
