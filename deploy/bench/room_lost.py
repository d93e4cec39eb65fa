"""The network is cut in the middle of a case, for five minutes (`BENCH_CUT_S`); what was answered meanwhile arrives.

Ends with 1 when an answer is missing, doubled or out of order on the server.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy"))

from bench.parts import measure, reading, screen  # noqa: E402  after the path

DATA = Path(os.environ["SPONDY_DATA_DIR"])
CUT_S = float(os.environ.get("BENCH_CUT_S") or 300)
STATE = "#cockpit[data-save-state={}]"
KEYS = ("1", "2", "2")


def main() -> int:
    reading.write(DATA / "dicom", 1)
    with reading.running(DATA / "spondy", DATA / "dicom", 1) as room, screen.browser() as browser:
        visit = screen.Screen(browser, room.url)
        visit.sign_in(room.url, reading.READER, reading.PASSWORD)
        visit.open(room.page("ct"), 2)
        visit.context.set_offline(True)
        for key in KEYS:
            visit.page.keyboard.press(key)
            time.sleep(CUT_S / len(KEYS))
        visit.page.wait_for_selector(STATE.format("waiting"))
        visit.context.set_offline(False)
        back = time.monotonic()
        visit.page.wait_for_selector(STATE.format("clean"))
        measure.emit("room_lost", "all_saved_after_the_network_is_back", time.monotonic() - back, "s")
        found = visit.context.request.get(room.next("ct")).json()["reading"]
    measure.emit("room_lost", "network_cut", CUT_S, "s")
    measure.emit("room_lost", "answers_given", len(KEYS), "answers")
    measure.emit("room_lost", "answers_kept", len(found["answers"]), "answers")
    measure.emit("room_lost", "revisions", found["revision"], "revisions")
    return int(len(found["answers"]) != len(KEYS) or found["revision"] != len(KEYS))


sys.exit(main())
