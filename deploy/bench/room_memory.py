"""Many cases read in a row on one page: what the page's process has of memory after each.

Read from the environment: `BENCH_READ` (how many are read, default 100) and `BENCH_CASES` (how many different ones
there are, default 8; the reader goes round in them). Ends with 1 when the memory grows or passes 1.2 GB.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from statistics import mean

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy"))

from bench.parts import measure, reading, screen  # noqa: E402  after the path

DATA = Path(os.environ["SPONDY_DATA_DIR"])
READ = int(os.environ.get("BENCH_READ") or 100)
CASES = int(os.environ.get("BENCH_CASES") or 8)
MOST_MIB = 1200
MOST_GROWTH = 0.5  # MiB a case, of the second half against the first round


def main() -> int:
    reading.write(DATA / "dicom", CASES)
    with reading.running(DATA / "spondy", DATA / "dicom", CASES) as room, screen.browser() as browser:
        visit = screen.Screen(browser, room.url)
        visit.sign_in(room.url, reading.READER, reading.PASSWORD)
        visit.open(room.page("mr"), 4)
        session = visit.context.new_cdp_session(visit.page)
        taken = []
        for _ in range(READ):
            visit.set_aside()
            visit.times(4)
            taken.append(screen.Memory.of(browser, session))
    early, late = taken[CASES : READ // 2], taken[READ // 2 :]
    for name in ("resident", "heap", "nodes"):
        values = [float(getattr(one, name)) for one in taken]
        unit = "nodes" if name == "nodes" else "MiB"
        measure.emit("room_memory", f"{name}_most", max(values), unit)
        growth = mean(values[READ // 2 :]) - mean(values[CASES : READ // 2])
        measure.emit("room_memory", f"{name}_growth_a_case", growth / (READ / 2), f"{unit}/case")
    grown = (mean(one.resident for one in late) - mean(one.resident for one in early)) / (READ / 2)
    return int(max(one.resident for one in taken) > MOST_MIB or grown > MOST_GROWTH)


sys.exit(main())
