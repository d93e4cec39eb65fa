"""The closed reference study: taken in, read by simulated readers through the own room, locked, unblinded, analysed."""

from __future__ import annotations

import logging
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from analytics import runs
from annotation import desk, intake, jobs, room
from annotation.people import Person
from spondy.demo import pictures
from spondy.demo.reference import Cohort, Patient, Seen
from spondy.demo.spots import SAME_PLACE_MM, Spot
from spondy.demo.studies import CLOSED, SEED, person, staffed

log = logging.getLogger(__name__)

READERS = {"R1": "reader1", "R2": "reader2"}
IMAGES_SHARE = 55
"""Per cent of the job's time that the images take."""
ARROW_MM = 14.0
SCATTER_MM = 0.6
# the invented pace: median seconds of a form, how quick a reader is, what practice saves, how much readings differ
SECONDS = {"mr": 290.0, "ct": 105.0}
FORMS = tuple(SECONDS)
PACE = {"reader1": 1.0, "reader2": 0.82}
USERNAMES = tuple(PACE)
LEARNT, HALF_LEARNT, SPREAD = 0.35, 40.0, 0.3
LOADING_MS = 700


def make_closed_study(held: jobs.Held) -> None:
    """Run the reference study with simulated readers: import, 536 readings, lock, close, unblind, analyse.

    Each step looks at how far the study is, so that a killed worker's successor goes on where it ended.
    """
    log.info("demo: making the closed reference study of 134 simulated cases")
    cohort = Cohort(SEED)
    coordinator = person("coordinator")
    held.step(0, 100, "Taking the clinical table in.")
    staffed(CLOSED, "Reference study: pars injections, simulated readers", images="none")
    if desk.board(coordinator, CLOSED).state == "draft":
        _take_in(cohort, coordinator, held)
        desk.release_all(coordinator, CLOSED)
        desk.freeze(coordinator, CLOSED)
    if desk.board(coordinator, CLOSED).state == "frozen":
        desk.begin_reading(coordinator, CLOSED)
    reason = "All simulated readings are submitted."
    if desk.board(coordinator, CLOSED).state == "reading":
        _read_all(cohort, held)
        desk.close(coordinator, CLOSED, reason=reason, typed_code=CLOSED)
    if desk.board(coordinator, CLOSED).state == "closed":
        desk.unblind(coordinator, CLOSED, reason=reason, typed_code=CLOSED)
    runs.start(person("analyst"), CLOSED)
    held.finish({}, "The reference study is closed; its analysis is being computed.")
    log.info("demo: the closed reference study is there; its analysis follows")


def _take_in(cohort: Cohort, coordinator: Person, held: jobs.Held) -> None:
    target = desk.intake_target(CLOSED)
    with tempfile.TemporaryDirectory(prefix="spondy-reference-") as folder:
        table = Path(folder) / "clinical.csv"
        cohort.clinical().to_csv(table, index=False)
        intake.take_in(target, dicom=[], clinical=table, by=coordinator)
    pictures.take_in_all(cohort, held, share=IMAGES_SHARE)


def _read_all(cohort: Cohort, held: jobs.Held) -> None:
    """Let the simulated readers read, each through the own room in the own order."""
    coordinator = person("coordinator")
    documents = cohort.documents()
    names = {desk.find_case(coordinator, CLOSED, identifier=name): name for name in cohort.patients}
    pictured = {one.name: one for one in cohort.pictured}
    done = {
        (reader, form.form): form.done
        for reader in READERS.values()
        for form in room.hall(person(reader), CLOSED).forms
    }
    codes = {username: code for code, username in READERS.items()}
    ledger = desk.ledger(coordinator, CLOSED)
    for number, place in enumerate(ledger):
        if number % 10 == 0:
            share = IMAGES_SHARE + (100 - IMAGES_SHARE) * number // len(ledger)
            held.step(share, 100, f"{number} of {len(ledger)} readings")
        if number % 134 == 0:
            log.info("demo: %d of %d simulated readings of the reference study", number, len(ledger))
        if place.position > done[place.reader, place.form]:
            name = names[place.case]
            seen = _seen(cohort, pictured.get(name))
            _read(person(place.reader), place, documents[codes[place.reader], place.form, name], seen)


def _seen(cohort: Cohort, patient: Patient | None) -> Seen | None:
    return cohort.seen(patient) if patient else None


def _read(reader: Person, place: desk.Place, answers: Mapping[str, Any], seen: Seen | None) -> None:
    reading = room.next_reading(reader, CLOSED, place.form, session="simulated").reading
    if reading is None or reading.position != place.position:
        raise RuntimeError("The ledger and the reading room disagree about the order.")
    evidence = _evidence(reading, answers, seen, np.random.default_rng([SEED, place.position])) if seen else {}
    saved = room.save(reader, reading.id, base=reading.saved.revision, answers=answers, evidence=evidence)
    room.lock(reader, reading.id, base=saved.revision)
    _tell_times(reader, reading.id, place)


def _tell_times(reader: Person, reading: uuid.UUID, place: desk.Place) -> None:
    """Tell how long this program's reading is meant to have taken; every reader grows quicker, as people do."""
    rng = np.random.default_rng([SEED, 23, place.position, FORMS.index(place.form), USERNAMES.index(place.reader)])
    practised = 1.0 - LEARNT * place.position / (place.position + HALF_LEARNT)
    pace = PACE[place.reader] * practised * float(rng.lognormal(0.0, SPREAD))
    whole = int(1000 * SECONDS[place.form] * pace)
    told = {"opened": whole, "first_image": whole - LOADING_MS, "first_input": whole - 2 * LOADING_MS, "submit": 0}
    visit = uuid.UUID(int=int(rng.integers(0, 2**62)), version=4)
    moments = [room.Happened(number, kind, "", ago) for number, (kind, ago) in enumerate(told.items())]
    room.note_simulated_times(reader, reading, visit=visit, happened=moments)


# --- what a reader keeps as evidence -------------------------------------------------------------------------------


def _evidence(
    reading: room.BlindedReading, answers: Mapping[str, Any], seen: Seen, rng: np.random.Generator
) -> dict[str, Any]:
    """Give the slice of every graded finding, the points of the slip, and an arrow at what is there."""
    kept: dict[str, Any] = {}
    marks = []
    for cell, spot in seen.spots.items():
        frame = _frame(reading, spot) if cell in answers else None
        if frame is None:
            continue
        shown: dict[str, Any] = {
            "uid": frame.uid,
            "window": {"width": spot.window[0], "level": spot.window[1]},
            "field": {"centre_lps_mm": list(spot.centre_lps_mm), "height_mm": spot.height_mm},
        }
        if cell == "slip_mm.case":
            shown |= {"points_lps_mm": _points(seen, answers[cell])}
        elif spot.role in ("SAG_STIR", "CT_POST") and answers[cell] == _most(seen, cell):
            marks.append({"kind": "arrow", "uid": frame.uid, "points_lps_mm": _arrow(spot, frame, rng)})
        kept[cell] = shown
    labelled = [mark | {"label": chr(ord("A") + place)} for place, mark in enumerate(marks)]
    return kept | ({"marks": labelled} if labelled else {})


def _frame(reading: room.BlindedReading, spot: Spot) -> room.Frame | None:
    for stack in reading.stacks:
        for frame in stack.frames if stack.role == spot.role else ():
            lies = np.asarray(frame.metadata["00200032"]["Value"], dtype=float)
            if np.abs(lies - np.asarray(spot.position_lps_mm)).max() < SAME_PLACE_MM:
                return frame
    return None


def _most(seen: Seen, cell: str) -> object:
    """Give what the images show in a cell, where that is a finding."""
    planted = (seen.truth.answers("mr") | seen.truth.answers("ct")).get(cell)
    return planted or None


def _points(seen: Seen, slip_mm: float) -> list[list[float]]:
    """Give the landmarks, with Q moved along the endplate to where this reader saw it."""
    p, a, q = (np.array(seen.truth.landmarks_lps_mm[name]) for name in ("P", "A", "Q"))
    along = (a - p) / np.linalg.norm(a - p)
    q = q + along * (slip_mm - float((q - p) @ along))
    return [[float(v) for v in point] for point in (p, a, q)]


def _arrow(spot: Spot, frame: room.Frame, rng: np.random.Generator) -> list[list[float]]:
    """Give an arrow within the slice whose tip lies at the finding."""
    orientation = np.asarray(frame.metadata["00200037"]["Value"], dtype=float)
    row, column = orientation[:3], orientation[3:]
    aside, down = rng.normal(0.0, SCATTER_MM, 2)
    tip = np.asarray(spot.centre_lps_mm) + aside * row + down * column
    tail = tip + ARROW_MM * (row - column) / np.sqrt(2)
    return [[float(v) for v in point] for point in (tip, tail)]
