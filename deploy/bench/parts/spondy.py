"""Spondy on a data folder of its own: the command that imports, and deliveries that real workers take in."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.parts.measure import Peaks, below
from launcher.places import ROOT, bare_environment, in_venv
from launcher.services import Valkey

LEASE_S = "3"
STAGE = """
import sys
from pathlib import Path
from annotation import desk, intake
from annotation.intake import deliveries, sources
from annotation.models import Way
code, *folders = sys.argv_of_bench
desk.create_study(None, code=code, title=code)
one = intake.begin(desk.intake_target(code), way=Way.UPLOAD)
files = list(sources.files([Path(folder) for folder in folders]))
for at in range(0, len(files), 500):
    deliveries.place_all(one, files[at:at + 500], move=False)
print(one.hex)
"""
FOLLOW = """
import json, sys, time, uuid
from django.db import connection
from annotation import intake
from annotation.models import Instance
one = uuid.UUID(hex=sys.argv_of_bench[0])
study = intake.study_of(one)
intake.seal(one)
while True:
    card = intake.card(one)
    here = Instance.objects.filter(series__case__patient__study=study).count()
    said = [card.state, here, card.imported, card.duplicates, card.refused + card.quarantined, card.message]
    print(json.dumps(said), flush=True)
    if card.state in ("done", "cancelled") or card.is_stopped:
        break
    time.sleep(0.1)
"""


@dataclass(frozen=True)
class State:
    """How far a delivery is; `here` counts images of its study."""

    state: str
    here: int
    imported: int
    duplicates: int
    other: int
    message: str


class House:
    """A data folder with database and store, and the environment that names them."""

    def __init__(self, folder: Path, redis_url: str) -> None:
        self.folder = folder
        self.env = bare_environment() | {
            "SPONDY_DATA_DIR": str(folder), "REDIS_URL": redis_url, "DJANGO_SETTINGS_MODULE": "spondy.settings",
            "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1",
            # Reading text is work of its own behind an import; no other program measured here does it.
            "SPONDY_TEXT_SEARCH": "0", "SPONDY_JOB_LEASE_S": LEASE_S,
        }  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        self.manage("migrate", "--verbosity", "0")

    def manage(self, *args: str | Path) -> str:
        with self.popen(*args) as child:
            out, fault = child.communicate()
        if child.returncode:
            raise RuntimeError(f"manage.py {args[0]} ended with {child.returncode}: {fault[-2000:]}")
        return out

    def popen(self, *args: str | Path) -> subprocess.Popen[str]:
        command = [str(in_venv("python")), "manage.py", *map(str, args)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=ROOT, env=self.env, text=True, stdout=pipe, stderr=pipe)

    def shell(self, code: str, *args: str) -> str:
        return self.manage("shell", "--verbosity", "0", "-c", f"import sys; sys.argv_of_bench = {list(args)!r}\n{code}")

    def import_cohort(self, code: str, *paths: Path) -> tuple[float, dict[str, Any], Peaks]:
        """Run the command; gives the seconds from its start to its end, what it says, and its memory."""
        told = self.folder / "told.json"
        began = time.monotonic()
        args: list[str | Path] = ["--study", code, "--create", "--title", code, "--json", told, "--dicom", *paths]
        with self.popen("import_cohort", *args) as child, Peaks(child.pid) as peaks:
            _, fault = child.communicate()
        seconds = time.monotonic() - began
        if child.returncode:
            raise RuntimeError(f"import_cohort ended with {child.returncode}: {fault[-2000:]}")
        return seconds, json.loads(told.read_text()), peaks

    def stage(self, code: str, *paths: Path) -> str:
        """Bring files into a delivery that is not sealed yet; gives its id."""
        return self.shell(STAGE, code, *map(str, paths)).split()[-1]

    def follow(self, delivery: str) -> Iterator[State]:
        """Seal a delivery, and tell how far it is until it is over."""
        code = f"import sys; sys.argv_of_bench = {[delivery]!r}\n{FOLLOW}"
        with self.popen("shell", "--verbosity", "0", "-c", code) as child:
            assert child.stdout is not None
            for line in child.stdout:
                yield State(*json.loads(line))

    @contextmanager
    def workers(self, count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
        """Run workers of one process each for the length of a block."""
        started = []
        with (self.folder / "workers.log").open("ab") as log:
            for number in range(count):
                args = [str(in_venv("celery")), "-A", "spondy", "worker", "--concurrency", "1", "--loglevel", "INFO"]
                few = ["--without-gossip", "--without-mingle", "-n", f"bench{os.getpid()}-{time.time_ns()}-{number}@%h"]
                started.append(
                    subprocess.Popen(
                        [*args, *few], cwd=ROOT, env=self.env, stdout=log, stderr=log, start_new_session=True
                    )
                )
        try:
            yield started
        finally:
            for worker in started:
                kill(worker)


def kill(worker: subprocess.Popen[bytes]) -> None:
    """End a worker and its processes without a word, as a power cut would."""
    for pid in list(below(worker.pid)):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    worker.wait()


@contextmanager
def broker(folder: Path) -> Iterator[str]:
    valkey = Valkey.at(folder, durable=False)
    command = valkey.command()
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen(command, env={"PATH": os.defpath}, stdout=log, stderr=log)
    try:
        while not valkey.answers():
            time.sleep(0.05)
        yield valkey.url
    finally:
        child.terminate()
        child.wait()
