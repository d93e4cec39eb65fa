"""A Spondy with a study that is being read: a cohort's CT and four MR series, one reader at the screen."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.parts import cohort, spondy, web

STUDY, READER, PASSWORD = "READ", "reader", "bench-reader"
SERIES = {"CT": 2, "MR": 4}  # so many of the cohort's series of each
STAGE = """
from django.contrib.auth import get_user_model
from annotation import desk
password, title = sys.argv_of_bench
users = get_user_model().objects
desk_person = users.create_superuser(username="desk", password=password)
desk.create_study(desk_person, code="READ", title=title, settings={"synthetic": True, "display_check": False}, seed=7)
for name in ("reader", "second"):
    users.create_user(username=name, password=password)
    desk.set_member(desk_person, "READ", username=name, role="reader")
"""
BEGIN = """
from django.contrib.auth import get_user_model
from annotation import desk
desk_person = get_user_model().objects.get(username="desk")
print(desk.release_all(desk_person, "READ"))
desk.freeze(desk_person, "READ")
desk.begin_reading(desk_person, "READ")
"""


@dataclass(frozen=True)
class Reading:
    url: str
    log: Path

    def page(self, form: str) -> str:
        return f"{self.url}/room/{STUDY}/{form}/"

    def next(self, form: str) -> str:
        return f"{self.url}/api/room/{STUDY}/{form}/next"


def write(folder: Path, patients: int) -> list[Path]:
    """Write the part of the cohort that is read; gives its files."""
    with ProcessPoolExecutor(2) as both:
        list(both.map(_patient, [folder] * patients, range(1, patients + 1)))
    return sorted(path for path in folder.rglob("IM*"))


def _patient(folder: Path, patient: int) -> None:
    cohort.write_patient(folder, patient, only=SERIES)


@contextmanager
def running(folder: Path, dicom: Path, patients: int) -> Iterator[Reading]:
    """Take the images in, begin reading, serve; for the length of a block."""
    with spondy.broker(folder / "valkey") as redis_url:
        house = spondy.House(folder / "data", redis_url)
        house.shell(STAGE, PASSWORD, "A study that is read")
        clinical = folder / "clinical.csv"
        rows = [f"9{number:07d},L5" for number in range(1, patients + 1)]
        clinical.write_text("\n".join(["patient_id,level", *rows]) + "\n")
        house.manage("import_cohort", "--study", STUDY, "--clinical", clinical, "--dicom", dicom)
        house.shell(BEGIN)
        house.manage("collectstatic", "--no-input", "--verbosity", "0")
        env = house.env | {"ALLOWED_HOSTS": "127.0.0.1"}
        with web.gunicorn("spondy.wsgi:application", env, folder / "web.log", healthy="/healthz") as url:
            yield Reading(url, folder / "web.log")
