"""Fills an empty data folder as a person at the terminal would; run as a program, it prints what it planted.

Usage: python stage.py FOLDER. The environment names the data folder, as for every other process of the house.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import django  # noqa: E402  after the path or the settings

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402  after the path or the settings
from django.core.management import call_command  # noqa: E402  after the path or the settings
from pydicom.data import get_testdata_file  # noqa: E402  after the path or the settings

from analytics import runs  # noqa: E402  after the path or the settings
from annotation import desk, phantom, room  # noqa: E402  after the path or the settings
from spondy.demo import studies  # noqa: E402  after the path or the settings

SEED = 7
SPINE_CASES = 3
DONE_CASES = 24
READERS = tuple(f"reader{number}" for number in range(1, 21))
SPINE, DONE, REAL, EMPTY, SIDES = "SPINE", "DONE", "REAL", "EMPTY", "SIDES"
# Patient and file of each, all from pydicom and pydicom-data: CT and MR, square and not, signed and not, one cut twice.
REAL_FILES = {
    "1CT1": "CT_small.dcm",
    "4MR1": "MR_small.dcm",
    "CQ500-CT-310": "693_UNCI.dcm",
    "5MR2": "MR2_UNCI.dcm",
    "021234567": "examples_overlay.dcm",
}


def import_cohort(study: str, *, dicom: Path | None = None, clinical: Path | None = None) -> None:
    more: dict[str, Any] = {"dicom": [dicom]} if dicom else {}
    call_command("import_cohort", study=study, clinical=clinical, verbosity=0, stdout=sys.stderr, **more)


def people() -> None:
    studies.make_accounts()
    users = get_user_model().objects
    for name in READERS:
        if not users.filter(username=name).exists():
            users.create_user(username=name, password="demo")
    users.create_superuser(username="operator", password="demo")


def staff(study: str, readers: tuple[str, ...]) -> None:
    coordinator = studies.person("coordinator")
    for name in readers:
        desk.set_member(coordinator, study, username=name, role="reader")
    desk.set_member(coordinator, study, username="analyst", role="analyst")


def begin(study: str) -> None:
    coordinator = studies.person("coordinator")
    desk.release_all(coordinator, study)
    desk.freeze(coordinator, study)
    desk.begin_reading(coordinator, study)


def spine(folder: Path) -> dict[str, Any]:
    """Make the study that is read in the browser: phantom cases with images, every reader in it."""
    hospital = folder / "hospital"
    cases = phantom.write_cohort(hospital, cases=SPINE_CASES, seed=SEED, processes=2)
    coordinator = studies.person("coordinator")
    title = "Lumbar spondylolysis with synthetic spines"
    settings = {"synthetic": True, "display_check": False}
    desk.create_study(coordinator, code=SPINE, title=title, settings=settings, seed=SEED)
    import_cohort(SPINE, dicom=hospital / "dicom", clinical=hospital / "clinical.csv")
    staff(SPINE, READERS)
    begin(SPINE)
    truth = {
        desk.find_case(coordinator, SPINE, identifier=case.patient_id): case.truth_row() | {"name": case.identity.name}
        for case in cases
    }
    ledger = [
        {"reader": place.reader, "form": place.form, "label": place.alias, "truth": truth[place.case]}
        for place in desk.ledger(coordinator, SPINE)
    ]
    return {"hospital": str(hospital), "places": ledger}


def done(folder: Path) -> None:
    """Make a study that is read, closed and unblinded, without images; its analysis waits for the worker."""
    cases = [phantom.case_facts(index=index, seed=SEED) for index in range(DONE_CASES)]
    phantom.write_tables(folder / "done", cases)
    coordinator = studies.person("coordinator")
    settings = {"synthetic": True, "images": "none"}
    desk.create_study(coordinator, code=DONE, title="A study that is read and closed", settings=settings, seed=SEED)
    import_cohort(DONE, clinical=folder / "done" / "clinical.csv")
    staff(DONE, ("reader1", "reader2"))
    begin(DONE)
    by_case = {desk.find_case(coordinator, DONE, identifier=case.patient_id): case for case in cases}
    for number, place in enumerate(desk.ledger(coordinator, DONE)):
        answers = answered(by_case[place.case].truth.answers(place.form), place.form, number, place.reader)
        reader = studies.person(place.reader)
        reading = room.next_reading(reader, DONE, place.form, session="stage").reading
        assert reading is not None
        saved = room.save(reader, reading.id, base=0, answers=answers, evidence={})
        room.lock(reader, reading.id, base=saved.revision)
    for act in (desk.close, desk.unblind):
        act(coordinator, DONE, reason="All readings are in.", typed_code=DONE)
    runs.start(studies.person("analyst"), DONE)


def answered(answers: dict[str, Any], form: str, number: int, reader: str) -> dict[str, Any]:
    """Give a reader's answers: the planted ones, with a slip of the second reader here and there."""
    given = {**answers, f"quality_{form}.case": 2}
    if reader == "reader2" and number % 4 == 0:
        cell = "contrast_pattern.right" if form == "ct" else "isthmic_bme.case"
        given[cell] = 1 + given[cell] % 3 if form == "ct" else 1 - given[cell]
    return given


def real(folder: Path) -> None:
    """Take real scanner files in; roles, release and order are left to the desk."""
    export = folder / "real"
    export.mkdir()
    for name in REAL_FILES.values():
        source = get_testdata_file(name, download=False)
        assert source, name
        shutil.copyfile(str(source), export / name)
    table = "patient_id,level\n" + "".join(f"{patient},L5\n" for patient in REAL_FILES)
    (folder / "real.csv").write_text(table)
    coordinator = studies.person("coordinator")
    settings = {"images": "none", "allow_head": True, "display_check": False}
    desk.create_study(coordinator, code=REAL, title="Real scanner files", settings=settings, seed=SEED)
    import_cohort(REAL, dicom=export, clinical=folder / "real.csv")
    staff(REAL, ("reader9", "reader10"))


def sides(folder: Path) -> None:
    """Make a study that asks neighbours and both sides, and for a look at the screen; without images, one case."""
    phantom.write_tables(folder / "sides", [phantom.case_facts(index=0, seed=SEED)])
    coordinator = studies.person("coordinator")
    settings = {"synthetic": True, "images": "none", "segments": "adjacent", "sides": "both"}
    desk.create_study(coordinator, code=SIDES, title="Sides and segments", settings=settings, seed=SEED)
    import_cohort(SIDES, clinical=folder / "sides" / "clinical.csv")
    staff(SIDES, ("reader19", "reader20"))
    begin(SIDES)


def main() -> None:
    folder = Path(sys.argv[1])
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, post_process=False, verbosity=0)
    people()
    facts = spine(folder)
    done(folder)
    real(folder)
    sides(folder)
    desk.create_study(studies.person("coordinator"), code=EMPTY, title="A study with nothing in it yet")
    desk.create_study(studies.person("coordinator"), code="INTAKE", title="A study that is handed files")
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
