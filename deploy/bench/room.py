"""Opening a case, going to the next one and scrolling in the reading room, beside OHIF on Orthanc.

Both show the same CT of 40 slices and the same four MR series in the same Chromium without a graphics card, in turns.
A picture counts when it stands on a canvas with nothing over it (parts/watch.js, the same for both). Read from the
environment: `BENCH_RUNS` (default 10) and `BENCH_CASES` (default 3; the reader goes round in them).
"""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy"))

from bench.parts import measure, ohif, reading, screen  # noqa: E402  after the path
from bench.parts.cohort import ROOT_UID  # noqa: E402  after the path

DATA = Path(os.environ["SPONDY_DATA_DIR"])
RUNS = int(os.environ.get("BENCH_RUNS") or 10)
CASES = int(os.environ.get("BENCH_CASES") or 3)
NOTCHES = 30
# What is opened: the room's form, OHIF's study and its layout, and the number of pictures at the start.
OPENED = {
    "ct": (f"{ROOT_UID}.1.1", "@ohif/mnGrid", 2),
    "mr": (f"{ROOT_UID}.1.2", "@ohif/mnGrid", 4),
}

Times = dict[str, list[float]]


def opened(visit: screen.Screen, address: str, pictures: int, name: str, times: Times) -> None:
    """Open a page by its address; the time runs from the start of the navigation."""
    shown = visit.open(address, pictures)
    times[f"{name}_first_image"].append(shown[0])
    times[f"{name}_all_images"].append(shown[pictures - 1])


def scrolled(visit: screen.Screen, name: str, times: Times) -> None:
    times[f"{name}_scroll"] += visit.scroll(NOTCHES)
    times[f"{name}_scroll_canvas"].append(visit.area())


def same_canvas(visit: screen.Screen, address: str, pixels: float, times: Times) -> None:
    """Scroll the other program on a canvas of the room's size: drawing costs by the pixel."""
    visit.open(address, OPENED["ct"][2])
    visit.resize(pixels)
    for _ in range(RUNS):
        scrolled(visit, "ohif_same_canvas", times)
    visit.page.set_viewport_size(screen.SIZE)


def main() -> None:
    times: Times = defaultdict(list)
    with ExitStack() as stack:
        files = reading.write(DATA / "dicom", CASES)
        room = stack.enter_context(reading.running(DATA / "spondy", DATA / "dicom", CASES))
        browser = stack.enter_context(screen.browser())
        ours = screen.Screen(browser, room.url)
        ours.sign_in(room.url, reading.READER, reading.PASSWORD)
        turns: list[tuple[str, screen.Screen, Callable[[str], str]]] = [("spondy", ours, room.page)]
        try:
            other = stack.enter_context(ohif.running(DATA / "peer", [f for f in files if "P001" in f.parts]))
            theirs = screen.Screen(browser, other.url)
            turns.append(("ohif", theirs, lambda form: other.viewer(*OPENED[form][:2])))
        except ohif.Missing as why:
            sys.stderr.write(f"bench room: {why}; the reading room is measured alone.\n")
        for run in range(RUNS + 1):
            kept = times if run else defaultdict(list)  # the first fills the browsers' caches
            for form, (_, _, pictures) in OPENED.items():
                for name, visit, address in turns:
                    opened(visit, address(form), pictures, f"{name}_{form}", kept)
                    if form == "ct":
                        scrolled(visit, name, kept)
        if len(turns) > 1:
            same_canvas(theirs, other.viewer(*OPENED["ct"][:2]), median(times["spondy_scroll_canvas"]), times)
        onward(ours, room, times)
    for metric, values in sorted(times.items()):
        measure.emit("room", metric, median(values), "pixels" if metric.endswith("canvas") else "ms")


def onward(visit: screen.Screen, room: reading.Reading, times: Times) -> None:
    """From case to case: the next one is fetched while the last one is read."""
    visit.open(room.page("mr"), OPENED["mr"][2])
    for _ in range(RUNS):
        visit.set_aside()
        shown = visit.times(OPENED["mr"][2])
        times["spondy_next_first_image"].append(shown[0])
        times["spondy_next_all_images"].append(shown[-1])


main()
