"""De-identified intake of a generated cohort: files/s, MB/s and memory, beside Orthanc where it is installed.

`BENCH_PATIENTS` (200 files each; default 10) and `BENCH_COHORT` (a folder that keeps the cohort for the next run) are
read from the environment, and `BENCH_ROUNDS`: so often import and Orthanc are measured, in turns.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy"))

from bench.parts import cohort, measure, orthanc, spondy  # noqa: E402  after the path

WORKERS = 2
KILLS = 3
JPEG_LS = "1.2.840.10008.1.2.4.80"
DATA = Path(os.environ["SPONDY_DATA_DIR"])
PATIENTS = int(os.environ.get("BENCH_PATIENTS") or 10)
ROUNDS = int(os.environ.get("BENCH_ROUNDS") or 2)


class Cohort:
    def __init__(self, folder: Path) -> None:
        cohort.write(folder, PATIENTS)
        self.folder = folder / "dicom"
        self.files = sorted(path for path in self.folder.rglob("IM*"))[: PATIENTS * cohort.FILES_OF_ONE]
        self.bytes = sum(path.stat().st_size for path in self.files)

    def warm(self) -> None:
        """Read it once and write back what is dirty, so that nobody pays for what was before."""
        for path in self.files:
            path.read_bytes()
        os.sync()


def emit(metric: str, value: float, unit: str) -> None:
    measure.emit("intake", metric, value, unit)


def speed(name: str, seconds: float, given: Cohort, processor_s: float | None = None) -> None:
    emit(f"{name}_seconds", seconds, "s")
    if processor_s is not None:
        emit(f"{name}_processor", 1000 * processor_s / len(given.files), "ms/file")
    emit(f"{name}_files", len(given.files) / seconds, "files/s")
    emit(f"{name}_bytes", given.bytes / 1e6 / seconds, "MB/s")


def expect(fact: bool, sentence: str) -> None:
    if not fact:
        sys.exit(f"bench intake: {sentence}")


def imported(given: Cohort, redis_url: str, number: int) -> float:
    """Import by the command into an empty data folder, and once more; gives the seconds of the first time."""
    home = DATA / f"command{number}"
    house = spondy.House(home, redis_url)
    given.warm()
    before = measure.ended_s()
    seconds, told, peaks = house.import_cohort("ONE", given.folder)
    used = measure.ended_s() - before
    expect(told["imported"] == len(given.files), f"{told['imported']} of {len(given.files)} files came in.")
    speed(f"import_{number}", seconds, given, used)
    emit(f"import_{number}_peak_of_the_command", peaks.own, "MiB")
    emit(f"import_{number}_peak_of_a_reader", peaks.reader, "MiB")
    emit(
        f"import_{number}_stored", sum(f.stat().st_size for f in (home / "store").rglob("*") if f.is_file()) / 1e6, "MB"
    )
    if number == 1:
        again, told, _ = house.import_cohort("ONE", given.folder)
        expect((told["imported"], told["duplicates"]) == (0, len(given.files)), "The second import took files in.")
        speed("import_again", again, given)
    shutil.rmtree(home)
    return seconds


def peer(given: Cohort, name: str, *, transcoding: str = "") -> tuple[float, float]:
    """Let Orthanc take the same files in, and anonymise them; gives both times."""
    home = DATA / name
    given.warm()
    with orthanc.running(home, transcoding=transcoding) as (port, pid):
        before = measure.processor_s(pid)
        ingest = orthanc.ingest(port, given.files)
        speed(f"{name}_ingest", ingest, given, measure.processor_s(pid) - before)
        os.sync()
        before = measure.processor_s(pid)
        anonymise = orthanc.anonymise(port)
        speed(f"{name}_anonymise", anonymise, given, measure.processor_s(pid) - before)
        emit(f"{name}_files_and_anonymised_files", orthanc.instances(port), "files")
    shutil.rmtree(home)
    return ingest, anonymise


def delivered(given: Cohort, redis_url: str) -> None:
    """Let real workers take a delivery in; then once more, while they are killed."""
    house = spondy.House(DATA / "workers", redis_url)
    quiet, killed = (house.stage(code, given.folder) for code in ("TWO", "THREE"))
    given.warm()
    with house.workers(WORKERS) as workers:
        time.sleep(8)  # they load their modules; a worker of a house runs for weeks
        with measure.Peaks(*(worker.pid for worker in workers)) as peaks:
            began = time.monotonic()
            last = list(house.follow(quiet))[-1]
            seconds = time.monotonic() - began
    expect((last.state, last.imported) == ("done", len(given.files)), f"The delivery ended as {last}.")
    speed("workers", seconds, given)
    emit("workers_peak_of_a_worker", peaks.own, "MiB")
    emit("workers_peak_of_a_reader", peaks.reader, "MiB")
    shutil.rmtree(house.folder / "store")
    emit("kills_survived", _killed(house, killed, given), "kills")


def _killed(house: spondy.House, delivery: str, given: Cohort) -> int:
    marks = [len(given.files) * (n + 1) // (KILLS + 1) for n in range(KILLS)]
    kills = 0
    follow = house.follow(delivery)
    for here, there in pairwise([0, *marks, len(given.files)]):
        with house.workers(WORKERS):
            for state in follow:
                if state.state == "done" or (there < len(given.files) and state.here >= there > here):
                    break
        kills += state.state != "done"
    expect((state.state, state.here) == ("done", len(given.files)), f"After {kills} kills the delivery was {state}.")
    expect(state.imported + state.duplicates == len(given.files) and not state.other, f"It ended as {state}.")
    expect(not list((house.folder / "spool").glob("?" * 32)), "The spool is not empty.")
    house.manage("verify", "--study", "THREE")
    return kills


def main() -> None:
    given = Cohort(Path(os.environ.get("BENCH_COHORT") or DATA.parent / "cohort"))
    emit("cohort_files", len(given.files), "files")
    emit("cohort_bytes", given.bytes / 1e6, "MB")
    with spondy.broker(DATA / "broker") as redis_url:
        own, both = [], []
        for number in range(1, ROUNDS + 1):
            own.append(imported(given, redis_url, number))
            if orthanc.PROGRAM:
                both.append(peer(given, f"orthanc_{number}"))
        if both:
            # The same work for the same outcome: pixels coded anew, without loss, as Spondy keeps them.
            recoded = sum(peer(given, "orthanc_jpegls", transcoding=JPEG_LS))
            emit("import_to_orthanc_jpegls_and_anonymise", recoded / min(own), "times as fast")
            ingest, whole = min(one for one, _ in both), min(map(sum, both))
            emit("import_to_orthanc_ingest_and_anonymise", whole / min(own), "times as fast")
            emit("import_to_orthanc_ingest", ingest / min(own), "times as fast")
        else:
            emit("orthanc_installed", 0, "programs")
        delivered(given, redis_url)


main()
