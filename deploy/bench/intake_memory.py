"""The memory of an intake where it is largest: an enhanced CT of 500 frames, and a series of 5,000 files."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy"))

from bench.parts import cohort, measure, spondy  # noqa: E402  after the path

FRAMES, FILES = 500, 5000
DATA = Path(os.environ["SPONDY_DATA_DIR"])


def main() -> None:
    given = DATA.parent / "given"
    cohort.enhanced(given / "enhanced", FRAMES)
    cohort.long_series(given / "series", FILES)
    with spondy.broker(DATA / "broker") as redis_url:
        house = spondy.House(DATA / "house", redis_url)
        for code, name, count in (("MANY", "enhanced", 1), ("LONG", "series", FILES)):
            seconds, told, peaks = house.import_cohort(code, given / name)
            if told["imported"] != count:
                sys.exit(f"bench intake_memory: {told['imported']} of {count} files came in.")
            for metric, value, unit in (
                ("seconds", seconds, "s"), ("peak_of_the_command", peaks.own, "MiB"),
                ("peak_of_a_reader", peaks.reader, "MiB"),
            ):  # fmt: skip
                measure.emit("intake_memory", f"{name}_{metric}", value, unit)


main()
