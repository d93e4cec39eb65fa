"""Bytes without a row: what is decoded and then left out does not stay, and a purge takes nothing an import needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
from django.core.files.storage import default_storage

from annotation import desk, handover, intake, jobs, store
from annotation.desk import carry_out_purge
from annotation.intake import work
from annotation.intake.shelve import Item, Shelved, shelve
from annotation.models import Instance, Job, Series, Study
from tests import cast

pytestmark = pytest.mark.django_db


def one(folder: Path, name: str, *, seed: int, number: int = 1) -> Path:
    pixels = cast.picture(np.random.default_rng(seed), 32)
    made = cast.image(cast.PEBBLE_SERIES[0], patient=41, series=1, number=number, pixels=pixels)
    made.save_as(folder / name, enforce_file_format=True)
    return folder / name


def bring(*paths: Path) -> intake.Log:
    return intake.take_in(desk.intake_target("NEW"), dicom=list(paths))


@pytest.fixture(autouse=True)
def study() -> None:
    desk.create_study(cast.coordinator(), code="NEW", title="New")


def digests() -> set[str]:
    return {frame["digest"] for image in Instance.objects.filter(series__case__patient__study__code="NEW")
            for frame in image.frames}  # fmt: skip


def test_what_contradicts_a_known_image_leaves_no_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bring(one(tmp_path, "first", seed=1))
    put: list[str] = []
    really = store.put

    def remembered(data: bytes, *, durable: bool = True) -> str:
        put.append(really(data, durable=durable))
        return put[-1]

    monkeypatch.setattr(store, "put", remembered)
    log = bring(one(tmp_path, "second", seed=2))
    assert [problem.reason_code for problem in log.quarantined] == ["same_identity"]
    assert len(put) == 1
    job = Job.objects.get(kind="purge", study__code="NEW")
    assert job.params == {"digests": put}
    jobs.work(str(job.pk), carry_out_purge)
    assert not store.holds(put[0])
    assert all(store.holds(digest) for digest in digests())


def test_an_image_of_an_excluded_series_leaves_no_bytes(tmp_path: Path) -> None:
    bring(one(tmp_path, "first", seed=1))
    series = Series.objects.get(case__patient__study__code="NEW")
    desk.exclude_series(cast.coordinator(), "NEW", series.pk, reason="A name is in it.")
    for job in Job.objects.filter(kind="purge", state="waiting"):
        jobs.work(str(job.pk), carry_out_purge)
    log = bring(one(tmp_path, "second", seed=2, number=2))
    assert [problem.reason_code for problem in log.refused] == ["series_excluded"]
    (job,) = Job.objects.filter(kind="purge", state="waiting")
    (left,) = job.params["digests"]
    assert store.holds(left)
    jobs.work(str(job.pk), carry_out_purge)
    assert not store.holds(left)
    assert not list(handover.verify("NEW"))


def test_a_purge_between_bytes_and_rows_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes of a file go after they were stored and before its row is written: it is taken a second time."""
    taken: list[int] = []
    really = work._kept

    def purged_once(arrival: object, outcome: object) -> object:
        kept = really(arrival, outcome)  # type: ignore[arg-type]  # passed on as it comes
        if not taken:
            for digest in kept.digests:  # type: ignore[union-attr]  # a good file
                store.drop(digest)
        taken.append(1)
        return kept

    monkeypatch.setattr(work, "_kept", purged_once)
    log = bring(one(tmp_path, "first", seed=1))
    assert (log.received, log.imported, len(taken)) == (1, 1, 2)
    assert digests()
    assert all(store.holds(digest) for digest in digests())


def test_an_import_that_is_cancelled_leaves_whole_series(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancelled between two blocks of rows: what is in is described, and no image comes into a case unseen."""
    monkeypatch.setattr(work, "FLUSH_EVERY", 2)
    paths = [one(tmp_path, f"{number}", seed=number, number=number) for number in range(1, 6)]

    def cancel(done: int, total: int, message: str) -> None:
        if message.startswith("2 of 5"):
            raise jobs.Cancelled

    with pytest.raises(jobs.Cancelled):
        intake.take_in(desk.intake_target("NEW"), dicom=paths, progress=cancel)
    series = Series.objects.get(case__patient__study__code="NEW")
    assert intake.STALE not in series.parameters
    assert series.instances.count() == len(series.parameters["order"]) == 2


def test_a_case_whose_import_was_killed_waits_and_is_made_up_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(case_id: int) -> None:
        raise Killed

    with monkeypatch.context() as broken:
        broken.setattr(work, "describe", killed)
        with pytest.raises(Killed):
            bring(one(tmp_path, "first", seed=1))
    series = Series.objects.get(case__patient__study__code="NEW")
    assert series.parameters[intake.STALE]
    (row,) = desk.cases(cast.coordinator(), "NEW").rows
    assert "the end of its import" in row.missing
    assert desk.look_at(cast.coordinator(), "NEW", row.case) == 0, "nobody has seen what is not yet worked out"
    work.describe_left()
    series.refresh_from_db()
    assert intake.STALE not in series.parameters
    assert series.parameters["order"]


def test_rows_name_only_bytes_that_are_safe_and_a_damaged_name_is_made_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    safe: set[str] = set()
    really = store.settle

    def settled(digests: Iterable[str]) -> None:
        safe.update(some := list(digests))
        really(some)

    def shelved(study: Study, person: str, items: Sequence[Item]) -> Shelved:
        assert {digest for item in items for digest in item.digests} <= safe
        return shelve(study, person, items)

    monkeypatch.setattr(store, "settle", settled)
    monkeypatch.setattr(work, "shelve", shelved)
    assert bring(one(tmp_path, "first", seed=1)).imported == 1
    (digest,) = digests()
    whole = store.get(digest)
    Path(default_storage.path(f"frames/{digest[:2]}/{digest[2:4]}/{digest}")).write_bytes(b"")  # as after a power cut
    assert store.put(whole, durable=False) == digest
    assert store.get(digest) == whole
    store.settle(["0" * 64])  # purged meanwhile: nothing to wait for
