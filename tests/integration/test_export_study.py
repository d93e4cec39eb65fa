"""`export_study`: the archive of a study rebuilds every number, and holds no name."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from analytics.runs.record import record_of
from annotation import handover
from annotation.models import Study
from tests import cast
from tests.conftest import ROOT

pytestmark = pytest.mark.django_db
TEXTS = (".csv", ".json", ".md", ".html", ".sps", ".R", ".py", ".imrmc", ".svg")


def export(out: Path, *more: str) -> str:
    told = io.StringIO()
    call_command("export_study", "--study", cast.SPINE, "--out", str(out), *more, stdout=told)
    return told.getvalue()


def rerun(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "rerun.py", "--spondy", str(ROOT), "--python", sys.executable]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def test_an_unpacked_archive_gives_every_number_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Figures and the longer plan have tests of their own and would take most of the time here.
    monkeypatch.setattr("analytics.figures.available", lambda results: [])
    Study.objects.filter(code=cast.SPINE).update(plan="paper")
    cast.read_all(cast.SPINE)
    cast.close(cast.SPINE)
    cast.unblind(cast.SPINE)
    assert "MB" in export(tmp_path / "study.zip")
    assert not list(tmp_path.glob(".*")), "nothing half-written is left"
    folder = tmp_path / "elsewhere"
    with zipfile.ZipFile(tmp_path / "study.zip") as archive:
        archive.extractall(folder)
        names = archive.namelist()
    assert {"data/clinical.csv", "data/context.json", "record/order_ledger.csv", "record/trail.csv"} <= set(names)
    done = rerun(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^\d{3,} numbers compared, 0 differ", done.stdout)
    for name in names:
        if name.endswith(TEXTS):
            text = (folder / name).read_text()
            for secret in (*cast.PEOPLE[:5], cast.FAMILY, cast.HOSPITAL_ID, cast.BIRTH, cast.COMMENT, cast.NOTE):
                assert not re.search(rf"\b{secret}\b", text) or secret in ("coordinator", "analyst"), (secret, name)
    _change_a_number(folder)
    done = rerun(folder)
    assert done.returncode == 1
    assert "in the bundle" in done.stdout


def _change_a_number(folder: Path) -> None:
    """Change one estimate and hide it from the manifest, so that only the comparison can find it."""
    path = folder / "estimates.csv"
    path.write_text(re.sub(r"(study/cases,n),\d+,", r"\1,77,", path.read_text()))
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["estimates.csv"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_the_record_waits_for_the_lock_and_says_no_outcome_before_the_unblinding() -> None:
    study = cast.study()
    cast.read_all(cast.SPINE)
    with pytest.raises(handover.StillReading):
        record_of(study.pk)
    with pytest.raises(handover.StillReading):
        handover.happened(study.pk)
    cast.close(cast.SPINE)
    files = record_of(study.pk)
    orders = list(csv.DictReader(io.StringIO(files["order_ledger.csv"])))
    assert {row["reader"] for row in orders} == {"R1", "R2"}
    for reader, form in {(row["reader"], row["form"]) for row in orders}:
        places = [int(row["position"]) for row in orders if (row["reader"], row["form"]) == (reader, form)]
        assert places == list(range(1, len(places) + 1))
    verbs = {row["verb"] for row in csv.DictReader(io.StringIO(files["trail.csv"]))}
    assert {"draw order", "save", "lock", "state"} <= verbs
    assert verbs.isdisjoint({"enter outcomes", "import clinical table"})
    assert not any(name in files["trail.csv"] for name in ("reader_a", "reader_b", "clerk"))
    cast.unblind(cast.SPINE)
    assert "import clinical table" in record_of(study.pk)["trail.csv"]


def test_what_cannot_be_exported_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="The readings are not locked yet"):
        export(tmp_path / "a.zip")
    with pytest.raises(CommandError, match="no finished run"):
        export(tmp_path / "a.zip", "--run", "00000000-0000-0000-0000-000000000000")
    with pytest.raises(CommandError, match="is no run's id"):
        export(tmp_path / "a.zip", "--run", "newest")
    with pytest.raises(CommandError, match="There is no folder"):
        export(tmp_path / "nowhere" / "a.zip")
    with pytest.raises(CommandError, match="There is no study NONE"):
        call_command("export_study", "--study", "NONE", "--out", str(tmp_path / "a.zip"))
    assert not list(tmp_path.iterdir())
