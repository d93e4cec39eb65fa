"""An import that dies half-way leaves nothing half-stored, and the next one finishes the rest."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

from annotation import handover, intake, store
from annotation.models import Delivery, Instance, Job, Patient, Series
from tests import cast
from tests.conftest import Commands

PATIENTS, SLICES = range(70, 80), 14
NEW = ("import_cohort", "--study", "NEW", "--create", "--title", "New")


def ours() -> int:
    return Instance.objects.filter(series__case__patient__study__code="NEW").count()


def whole() -> None:
    """Whatever has come in is complete: frames in the store, order and role of every series."""
    for series in Series.objects.filter(case__patient__study__code="NEW"):
        assert series.parameters["order"]
        assert "stale" not in series.parameters
        assert series.frame_count == series.instances.count() == len(series.parameters["order"])
    sealed()


def sealed() -> None:
    """Whatever has come in has its frames in the store, under the seals that the rows carry."""
    for instance in Instance.objects.filter(series__case__patient__study__code="NEW"):
        assert all(store.holds(frame["digest"]) for frame in instance.frames)
    assert not list(handover.verify("NEW"))


def test_an_import_that_is_killed_is_finished_by_the_next(manage: Commands, tmp_path: Path) -> None:
    files = cast.export(tmp_path / "dicom", patients=PATIENTS, series=cast.PEBBLE_SERIES, slices=SLICES)
    table = cast.table(tmp_path / "t.csv", [cast.clinical_row(patient) for patient in PATIENTS])
    args = (*NEW, "--dicom", tmp_path / "dicom", "--clinical", table, "--json", tmp_path / "out.json")
    child = manage.popen(*args)
    try:
        end = time.monotonic() + 60
        while ours() == 0 and time.monotonic() < end:
            assert child.poll() is None, child.communicate()
            time.sleep(0.01)
        child.send_signal(signal.SIGKILL)
        child.communicate(timeout=10)
    finally:
        child.kill()
    assert child.returncode == -signal.SIGKILL
    half = ours()
    assert 0 < half < files
    sealed()
    left = Delivery.objects.get(study__code="NEW")
    card = intake.card(left.pk)
    assert (card.is_stopped, card.is_open) == (True, False)
    assert "run it again" in card.message
    patients = dict(Patient.objects.filter(study__code="NEW").values_list("identifier_hash", "pseudonym"))
    done = manage(*args)
    assert done.returncode == 0, done.stderr
    left.refresh_from_db()
    assert left.state == "cancelled", "the run that brings its files again has let go of it at once"
    document = json.loads((tmp_path / "out.json").read_text())
    assert (document["imported"], document["duplicates"]) == (files - half, half)
    assert ours() == files
    whole()
    after = dict(Patient.objects.filter(study__code="NEW").values_list("identifier_hash", "pseudonym"))
    assert len(after) == len(PATIENTS)
    assert after.items() >= patients.items()
    # Nobody else takes a batch of a terminal up again; the record of the killed one ends as failed.
    states = sorted(Job.objects.filter(study__code="NEW").values_list("state", flat=True))
    assert states in (["done", "running"], ["done", "failed"])
