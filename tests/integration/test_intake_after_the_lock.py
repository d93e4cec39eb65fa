"""What may still come in: levels until a case is read, images until the lock, values until the study is unblinded."""

from __future__ import annotations

import hashlib
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import override_settings
from django.utils import timezone

from annotation import access, desk, intake, jobs
from annotation.models import Case, ClinicalValue, Event, Exclusion, Instance, Job, Study
from tests import cast

pytestmark = pytest.mark.django_db


def study_of(folder: Path, *rows: dict[str, str]) -> Study:
    desk.create_study(cast.coordinator(), code="LATE", title="Late", settings={"images": "none"}, seed=7)
    study = desk.intake_target("LATE")
    take(folder, *rows)
    return study


def take(folder: Path, *rows: dict[str, str]) -> intake.ClinicalLog:
    table = cast.table(folder / "t.csv", rows)
    return intake.take_in(desk.intake_target("LATE"), dicom=[], clinical=table, by=cast.coordinator()).clinical


def at(study: Study, state: str) -> None:
    Study.objects.filter(pk=study.pk).update(state=state)


def read_by_someone(study: Study) -> None:
    for username in ("reader_a", "reader_b"):
        desk.set_member(cast.coordinator(), "LATE", username=username, role="reader")
    desk.release_all(cast.coordinator(), "LATE")
    desk.freeze(cast.coordinator(), "LATE")
    desk.begin_reading(cast.coordinator(), "LATE")


def found(log: intake.ClinicalLog) -> list[tuple[int, str, str]]:
    return [(one.row, one.column, one.message) for one in log.errors]


def events(verb: str) -> list[Event]:
    return list(Event.objects.filter(study__code="LATE", verb=verb).order_by("number"))


def everything() -> tuple[Any, ...]:
    counted = tuple(model.objects.count() for model in (Case, ClinicalValue, Event, Exclusion, Instance))
    return (*counted, list(Exclusion.objects.values_list("patient", "reason")))


@pytest.mark.parametrize("state", ["readings_locked", "adjudication", "closed"])
def test_a_locked_study_takes_values_alone(tmp_path: Path, state: str) -> None:
    study = study_of(tmp_path, cast.clinical_row(1), cast.clinical_row(2, exclusion="a"), cast.clinical_row(3))
    at(study, state)
    log = take(
        tmp_path,
        cast.clinical_row(1, nrs_1month="4"),
        cast.clinical_row(2, exclusion="b"),
        cast.clinical_row(3, level="L4", exclusion="c", nrs_1month="4"),
        cast.clinical_row(4),
    )
    assert found(log) == [
        (3, "exclusion", "The readings are locked; no exclusion changes any more."),
        (4, "level", "The readings are locked; no level changes any more."),
        (4, "exclusion", "The readings are locked; no exclusion changes any more."),
        (5, "patient_id", "The readings are locked; no patient comes in any more."),
    ]
    assert list(Exclusion.objects.filter(patient__study=study).values_list("reason", flat=True)) == ["a"]
    assert set(Case.objects.filter(patient__study=study).values_list("lysis_vertebra", flat=True)) == {"L5"}
    assert ClinicalValue.objects.filter(patient__study=study, timepoint="1month", number=4).count() == 1
    assert take(tmp_path, cast.clinical_row(2, exclusion="a")).errors == []


def test_a_locked_study_takes_no_image_and_an_unblinded_one_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    study = study_of(tmp_path, cast.clinical_row(1))
    cast.export(tmp_path / "dicom", patients=[1], series=cast.SPINE_SERIES[:1])
    table, images = str(tmp_path / "t.csv"), str(tmp_path / "dicom")
    for state, sentence, args in (
        ("readings_locked", "are locked; no image", ("--clinical", table, "--dicom", images)),
        ("unblinded", "is unblinded; nothing", ("--clinical", table)),
        ("unblinded", "is unblinded; nothing", ("--dicom", images)),
    ):
        at(study, state)
        cast.table(tmp_path / "t.csv", [cast.clinical_row(1, nrs_1month="5", exclusion="d")])
        before = everything()
        for more in ((), ("--dry-run",)):
            with pytest.raises(CommandError, match=sentence) as refused:
                call_command("import_cohort", "--study", "LATE", *args, *more)
            assert refused.value.returncode == 1
            assert everything() == before
        assert sentence in Job.objects.filter(study=study).latest("created_at").message
    assert "is unblinded; nothing" in caplog.text
    assert "Traceback" not in caplog.text + "".join(capfd.readouterr())


def test_the_lock_in_the_middle_of_a_batch_stops_it(tmp_path: Path) -> None:
    study = study_of(tmp_path, cast.clinical_row(1))
    cast.export(tmp_path / "dicom", patients=[1], series=cast.SPINE_SERIES[:1])

    def lock(done: int, total: int, message: str) -> None:
        at(study, "readings_locked")

    before = everything()
    with pytest.raises(access.WrongState, match="are locked"):
        intake.take_in(study, dicom=[tmp_path / "dicom"], progress=lock)
    assert everything() == before


def test_another_level_corrects_a_case_until_it_is_read(tmp_path: Path) -> None:
    study = study_of(tmp_path, cast.clinical_row(1))
    assert take(tmp_path, cast.clinical_row(1, level="L4")).errors == []
    case = Case.objects.get(patient__study=study)
    assert case.lysis_vertebra == "L4"
    assert [(one.before, one.after) for one in events("correct index level")] == [("L5", "L4")]
    read_by_someone(study)
    log = take(tmp_path, cast.clinical_row(1, level="L3", age="44"))
    assert found(log) == [(2, "level", "The case has another level already, and it is being read.")]
    case.refresh_from_db()
    assert case.lysis_vertebra == "L4"
    kept = ClinicalValue.objects.filter(patient=case.patient)
    assert list(kept.filter(name="level").order_by("pk").values_list("value", flat=True)) == ["L5", "L4"]
    assert not kept.filter(name="age", number=44).exists()


def test_a_level_set_at_the_desk_stays(tmp_path: Path) -> None:
    study = study_of(tmp_path, cast.clinical_row(1, level=""))
    case = Case.objects.get(patient__study=study)
    desk.set_level(cast.coordinator(), "LATE", case.pk, level="L4")
    log = take(tmp_path, cast.clinical_row(1))
    assert found(log) == [(2, "level", "The case has another level already, and it was set at the desk.")]
    assert take(tmp_path, cast.clinical_row(1, level="L4")).errors == []


def test_exclusions_and_the_digest_of_a_table_stand_in_the_trail(tmp_path: Path) -> None:
    study = study_of(tmp_path, cast.clinical_row(1))
    for reason in ("", "a", "a", "b"):
        take(tmp_path, cast.clinical_row(1, exclusion=reason))
    pseudonym = Case.objects.get(patient__study=study).patient.pseudonym
    said = [(one.subject, one.before, one.after) for one in events("exclude")]
    assert said == [(pseudonym, "", "a"), (pseudonym, "a", "b")]
    take(tmp_path, cast.clinical_row(1, exclusion="b", age="44"))
    digests = [(one.after or {})["digest_of_values"] for one in events("import clinical table")]
    assert all(len(bytes.fromhex(digest)) == 32 for digest in digests)
    assert hashlib.sha256(b"[]").hexdigest() not in digests, "without the key nobody can try values out"
    # The first and the last table appended values; those between appended none.
    assert len(digests) == 6
    assert len(set(digests)) == 3
    assert len(set(digests[1:5])) == 1


# --- the record of a command --------------------------------------------------------------------------------------


def test_a_lapsed_command_is_not_laid_to_the_workers() -> None:
    ours = jobs.begin("import", title="Import from the command line")
    theirs = jobs.start("import", title="Import")
    past = timezone.now() - timedelta(seconds=1)
    Job.objects.filter(pk=ours.id).update(lease_until=past)
    Job.objects.filter(pk=theirs.id).update(lease_until=past, attempt=jobs.MOST_ATTEMPTS)
    jobs.reap()
    assert jobs.look(ours.id).state == jobs.look(theirs.id).state == "failed"
    assert "command at the terminal ended" in jobs.look(ours.id).message
    assert "workers ended each time" in jobs.look(theirs.id).message


@override_settings(JOB_LEASE_S=0.04)
def test_the_lease_outlives_one_fault_of_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    beats: list[int] = []

    class Rows:
        def update(self, **values: object) -> int:
            beats.append(1)
            if len(beats) == 1:
                raise OperationalError("the database went away")
            return 1

    held = jobs.begin("import", title="Import")
    with monkeypatch.context() as patch:
        patch.setattr(jobs.Held, "_mine", lambda self: Rows())
        with held:
            end = time.monotonic() + 5
            while len(beats) < 3 and time.monotonic() < end:
                time.sleep(0.01)
    assert len(beats) >= 3
