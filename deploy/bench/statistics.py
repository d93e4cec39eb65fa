"""Plans and bootstraps beside the same coefficients in R (base, psych, pROC, MASS, boot), in turns in one run.

`BENCH_REPLICATES` (default 2000), `BENCH_ROUNDS` (default 2: so often everything is measured, in turns; the better one
counts) and `BENCH_SIZES` (default 134,1000,10000 cases x 2 readers) are read from the environment. Where R or one of
its packages is missing, Spondy is measured alone. What R does stands in statistics.R beside this file; before anything
is timed both sides compute the same resamples, and the bench ends where they differ.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # R computes with one thread, and small matrices gain nothing

import dataclasses
import json
import math
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy"))

from analytics import plans, simulate  # noqa: E402  after the path
from analytics.frames import Frames, from_tables, read_table  # noqa: E402  after the path
from analytics.plans import predicting  # noqa: E402  after the path
from analytics.plans.parts import Table  # noqa: E402  after the path
from analytics.stats import batch, bootstrap, prediction  # noqa: E402  after the path
from analytics.stats.paired import complete  # noqa: E402  after the path
from analytics.stats.result import Results  # noqa: E402  after the path

from bench.parts import measure  # noqa: E402  after the path

REPLICATES = int(os.environ.get("BENCH_REPLICATES") or 2000)
ROUNDS = int(os.environ.get("BENCH_ROUNDS") or 2)
SIZES = tuple(int(size) for size in (os.environ.get("BENCH_SIZES") or "134,1000,10000").split(","))
FOLDER = Path(os.environ["SPONDY_DATA_DIR"])
PACKAGES = ("boot", "pROC", "psych", "MASS")
CHECKED = 60  # resamples that both sides compute before anything is timed
TOLERANCE = {"b": 1e-5, "or_profile_low": 2e-3}  # R stops its fits and profiles earlier
WANTED = ("auc", "brier", "calibration_slope")
Ints = NDArray[np.intp]
Numbers = NDArray[np.float64]


def emit(metric: str, value: float, unit: str) -> None:
    measure.emit("statistics", metric, value, unit)


def say(sentence: str) -> None:
    sys.stderr.write(f"bench statistics: {sentence}\n")


class R:
    """An R that has its packages loaded and answers command by command."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, *words: object) -> tuple[float, dict[str, float | None]]:
        pipe, answers = self._process.stdin, self._process.stdout
        assert pipe is not None
        assert answers is not None
        pipe.write(" ".join(map(str, words)) + "\n")
        pipe.flush()
        line = answers.readline()
        if not line:
            sys.exit("bench statistics: R ended in the middle.")
        said = json.loads(line)
        return said["seconds"], said["values"]


@contextmanager
def r_beside() -> Iterator[R | None]:
    program = shutil.which("Rscript")
    if program is None:
        say("R is not installed (Debian: r-base-core); Spondy is measured alone.")
        yield None
        return
    asked = f"q(status = !all(sapply(c{PACKAGES!r}, requireNamespace, quietly = TRUE)))"
    if subprocess.run([program, "--vanilla", "-e", asked], capture_output=True).returncode:
        say(f"R lacks one of {', '.join(PACKAGES)} (Debian: r-cran-...); Spondy is measured alone.")
        yield None
        return
    script = Path(__file__).with_suffix(".R")
    with subprocess.Popen(
        [program, "--vanilla", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield R(process)
        assert process.stdin is not None
        process.stdin.close()


@dataclasses.dataclass(frozen=True)
class Task:
    """A bootstrap as both sides do it: how many cases, one value a resample and number, and all of it with limits."""

    cases: int
    values: Callable[[Ints], Numbers]
    whole: Callable[[Ints], object]


def _simple(size: int, **made: bootstrap.Statistic) -> Task:
    return Task(
        size,
        lambda rows: np.array([statistic(rows) for statistic in made.values()]),
        lambda rows: [bootstrap.bootstrap(statistic, rows, name=name) for name, statistic in made.items()],
    )


def _optimism(frames: Frames) -> Task:
    table = Table(frames)
    terms = plans.catalogue.MODELS["reduced"]
    design = predicting.prepared(table, terms, "R1", "success_1month")
    x, y, case = batch.merged(design.x, design.y)
    procedure = prediction.maximum_likelihood(dataclasses.replace(design, x=x, y=y))

    def whole(rows: Ints) -> prediction.Optimism:
        return prediction.optimism(y, procedure, case[rows], times=np.bincount(case))

    def means(rows: Ints) -> Numbers:
        return np.array([[cast(float, whole(rows).measures[name].optimism)] for name in WANTED])

    return Task(design.n, means, whole)


def tasks(frames: Frames) -> dict[str, Task]:
    graded = next(item.code for item in frames.items if item.codes == tuple(range(4)))  # R takes it too
    a, b = complete(frames.grades("R1", graded), frames.grades("R2", graded))
    slips = np.column_stack(complete(frames.grades("R1", "slip_mm"), frames.grades("R2", "slip_mm")))
    y, x = complete(Table(frames).column("success_1month"), frames.grades("R1", "slip_mm"))
    return {
        "kappa": _simple(
            a.size,
            unweighted=bootstrap.kappa_of(a, b, range(4)),
            quadratic=bootstrap.kappa_of(a, b, range(4), "quadratic"),
        ),
        "icc": _simple(len(slips), icc=bootstrap.icc_a1_of(slips)),
        "auc": _simple(y.size, auc=bootstrap.auc_of(y, x)),
        "optimism": _optimism(frames),
    }


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    found = work()
    return time.perf_counter() - began, found


def same(name: str, ours: float, theirs: float, tolerance: float) -> None:
    if not abs(ours - theirs) <= tolerance * max(1.0, abs(theirs)):
        sys.exit(f"bench statistics: {name} is {ours!r} here and {theirs!r} in R; different work is not compared.")


def check(r: R, folder: Path, made: Mapping[str, Task]) -> None:
    """Compute the same resamples on both sides."""
    for name, task in made.items():
        rows = bootstrap.resamples(task.cases, CHECKED, seed=3)
        path = folder / f"rows_{name}.csv"
        np.savetxt(path, rows + 1, delimiter=",", fmt="%d")
        ours = task.values(rows)
        said = [math.nan if value is None else value for value in r.ask("check", name, path)[1].values()]
        theirs = np.array(said).reshape(CHECKED, -1).T
        if ours.shape != theirs.shape:  # of optimism we have the mean
            theirs = theirs.mean(axis=1, keepdims=True)
        for place, (own, other) in enumerate(zip(ours.ravel(), theirs.ravel(), strict=True)):
            same(f"{name}, value {place}", float(own), float(other), 1e-6)


def check_paper(results: Results, values: Mapping[str, float | None]) -> int:
    """Compare what both sides print, and say how much that is."""
    compared = 0
    for name, theirs in values.items():
        id, _, field = name.partition("|")
        if theirs is None or not field:
            continue
        ours = results.value(id, field)
        if isinstance(ours, int | float):
            same(name, float(ours), theirs, TOLERANCE.get(field, 1e-6))
            compared += 1
    return compared


def folder_of(size: int) -> Path:
    folder = FOLDER / str(size)
    folder.mkdir(parents=True, exist_ok=True)
    study = simulate.study(cases=size, kappa=0.7, seed=1)
    study.clinical.to_csv(folder / "clinical.csv", index=False)
    study.gradings.to_csv(folder / "gradings.csv", index=False)
    return folder


def paper(r: R | None, frames: Frames, size: int) -> None:
    seconds: dict[str, list[float]] = {"spondy": [], "r": []}
    plans.carry_out(plans.get("paper"), frames)  # what a first call loads is not part of it, there as here
    if r:
        r.ask("paper")
    for _ in range(max(ROUNDS, 3)):
        took, found = timed(lambda: plans.carry_out(plans.get("paper"), frames))
        seconds["spondy"].append(took)
        if r:
            took, values = r.ask("paper")
            seconds["r"].append(took)
            compared = check_paper(found, values)
    compare(f"paper_{size}", seconds)
    if r:
        emit(f"paper_{size}_numbers_compared", compared, "numbers")


def compare(name: str, seconds: Mapping[str, list[float]]) -> None:
    for side, took in seconds.items():
        if took:
            emit(f"{name}_{side}", min(took), "s")
    if seconds["r"]:
        emit(f"{name}_faster", min(seconds["r"]) / min(seconds["spondy"]), "times")


def bootstraps(r: R | None, made: Mapping[str, Task], size: int) -> None:
    for name, task in made.items():
        seconds: dict[str, list[float]] = {"spondy": [], "r": []}
        for _ in range(ROUNDS):
            # The draws are part of the work, as they are in boot::boot.
            took, _ = timed(lambda task=task: task.whole(bootstrap.resamples(task.cases, REPLICATES, seed=1)))  # type: ignore[misc]  # mypy knows no lambda with a default
            seconds["spondy"].append(took)
            if r:
                seconds["r"].append(r.ask(name, REPLICATES)[0])
        compare(f"bootstrap_{name}_{size}", seconds)


def extended(frames: Frames, size: int) -> float:
    plan = plans.get("extended").with_bootstrap(REPLICATES)
    took, _ = timed(lambda: plans.carry_out(plan, frames, processes=plans.processors()))
    emit(f"extended_{size}", took, "s")
    return took


def main() -> None:
    emit("replicates", REPLICATES, "resamples")
    emit("processes", plans.processors(), "processes")
    took = {}
    with r_beside() as r:
        for size in SIZES:
            folder = folder_of(size)
            frames = from_tables(read_table(folder / "clinical.csv"), read_table(folder / "gradings.csv"))
            made = tasks(frames)
            if r:
                r.ask("load", folder)
                check(r, folder, made)
            if size == SIZES[0]:
                paper(r, frames, size)
            if size in (SIZES[0], SIZES[-1]):
                bootstraps(r, made, size)
            took[size] = extended(frames, size)
    for few, many in pairwise(SIZES):
        # 1 is linear: ten times the cases take ten times as long.
        emit(f"extended_exponent_{few}_{many}", math.log(took[many] / took[few]) / math.log(many / few), "power")


main()
