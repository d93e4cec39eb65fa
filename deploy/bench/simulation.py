"""Bias and coverage of every interval the statistics offer, in simulated studies whose truth is known.

`BENCH_REPETITIONS` (default 1000 studies a scenario), `BENCH_SEED` (default 1) and `BENCH_ONLY` (a part of a family's
name) are read from the environment. Where an interval is promised and does not keep its level, the bench names it and
ends with 1. With `--table` the JSON lines on standard input become docs/statistics.md's tables.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # two processes share the processor; small matrices gain nothing

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy"))

from bench.parts import planted_agreement, planted_models, planted_prediction, planted_reference  # noqa: E402  after the path
from bench.parts.coverage import Scenario, judged, markdown  # noqa: E402  after the path

REPETITIONS = int(os.environ.get("BENCH_REPETITIONS") or 1000)
SEED = int(os.environ.get("BENCH_SEED") or 1)
ONLY = os.environ.get("BENCH_ONLY") or ""


def scenarios() -> list[Scenario]:
    every: Iterator[Scenario] = (
        one
        for part in (planted_agreement, planted_prediction, planted_models, planted_reference)
        for one in part.scenarios()
    )
    return [one for one in every if ONLY.lower() in one.family.lower()]


def carried_out(place: int) -> list[dict[str, Any]]:
    return judged(scenarios()[place], REPETITIONS, SEED)


def main() -> None:
    if "--table" in sys.argv:
        sys.stdout.write(markdown([json.loads(line) for line in sys.stdin]) + "\n")
        return
    broken = []
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        for lines in pool.map(carried_out, range(len(scenarios()))):
            for line in lines:
                sys.stdout.write(json.dumps(line) + "\n")
                broken += [line] if line.get("promise_kept") is False else []
            sys.stdout.flush()
    for line in broken:
        held = f"{line.get('coverage_pct')} % (± {line.get('coverage_se')})"
        sys.stderr.write(f"Promised and not kept: {line['interval']}, {line['planted']}, {line['size']}: {held}\n")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
