"""The images of the reference study, drawn side by side by the workers that happen to be free.

The job that makes the study draws from the front of the list; one small job a patient offers the rest to others. What
nobody has begun when its turn comes is taken back, so that a single worker never waits for itself.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from annotation import desk, intake, jobs
from annotation.phantom import locate
from spondy.demo.reference import Cohort, Patient, Seen, write_images
from spondy.demo.spots import Spot, spots
from spondy.demo.studies import CLOSED, SEED, person

KIND = "reference_images"
LOOK_AGAIN_S = 0.5


def take_in_all(cohort: Cohort, held: jobs.Held, *, share: int) -> None:
    """Have the images of every pictured patient taken in; `share` is the per cent of the job's time that it takes."""
    left = {one.name: one for one in cohort.pictured}
    offered = {name: _offer(name) for name in reversed(left)}
    count = len(left)
    while left:
        # lazily: taking one back must leave the others to whoever is free
        name = next((name for name in left if _is_taken_back_or_done(offered[name])), None)
        if name is None:
            time.sleep(LOOK_AGAIN_S)
        else:
            patient, card = left.pop(name), jobs.look(offered[name].id)
            cohort.remember(patient, _seen(patient, card.result if card.state == "done" else take_in_one(patient)))
        done = count - len(left)
        held.step(share * done // count, 100, f"Images of {done} of {count} cases are in.")


def _subject(name: str) -> str:
    return f"{CLOSED}/{name}/images"


def _offer(name: str) -> jobs.Card:
    """Start the job of one patient; what an earlier attempt at the study has offered is offered still."""
    before = [card for card in jobs.of_subject(_subject(name)) if card.is_open or card.state == "done"]
    if before:
        return before[0]
    params = {"patient": name, "seed": SEED}
    title = "Images of one patient of the reference study"
    return jobs.start(KIND, title=title, subject=_subject(name), params=params, by=person("coordinator"))


def _is_taken_back_or_done(card: jobs.Card) -> bool:
    """Say whether nobody works on it any more; what waits is taken back, what runs is left to its worker."""
    now = jobs.look(card.id)
    if now.state == "waiting":
        jobs.ask_to_cancel(card.id)
        now = jobs.look(card.id)
    return not now.is_open


def draw_one(held: jobs.Held) -> None:
    """Carry out the job of one patient."""
    cohort = Cohort(int(held.params["seed"]))
    patient = next(one for one in cohort.pictured if one.name == held.params["patient"])
    held.finish(take_in_one(patient), "The images are in.")


def take_in_one(patient: Patient) -> dict[str, Any]:
    """Draw one patient, take the images in, and say where each finding is seen. Safe to do twice."""
    with tempfile.TemporaryDirectory(prefix="spondy-reference-") as place:
        folder = Path(place)
        phantom = write_images(patient, folder)
        intake.take_in(desk.intake_target(CLOSED), dicom=[folder], clinical=None, by=person("coordinator"))
    return {"spots": {cell: spot.document() for cell, spot in spots(phantom).items()}}


def _seen(patient: Patient, said: dict[str, Any]) -> Seen:
    places = {cell: Spot(**document) for cell, document in said["spots"].items()}
    return Seen(locate(patient.truth, seed=patient.image_seed), places)
