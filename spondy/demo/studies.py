"""The two studies of the demonstration."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.exceptions import ImproperlyConfigured

from analytics import runs
from annotation import access, desk, intake, jobs, room
from annotation.people import Person

log = logging.getLogger(__name__)

OPEN, CLOSED = "DEMO", "REFERENCE"
SEED = 20250730
FIRST_CASES = 4
ACCOUNTS = {
    "coordinator": ("Cora", "Ordinator"),
    "reader1": ("Rita", "Reader"),
    "reader2": ("Rolf", "Reader"),
    "adjudicator": ("Ada", "Judicator"),
    "analyst": ("Anna", "Lyst"),
    "outcomes": ("Oda", "Utcome"),
}
ROLES = {
    "reader1": "reader",
    "reader2": "reader",
    "adjudicator": "adjudicator",
    "analyst": "analyst",
    "outcomes": "outcome_entry",
}
EXCLUDED = {"a": 31, "b": 44, "c": 38, "d": 24, "e": 18}
"""The reference study left 155 of 289 patients out; for which reason how many, its paper does not say: ours."""
Say = Callable[[str], None]


def only_in_a_demo() -> None:
    """Refuse to make accounts whose password everybody knows anywhere but in `./run demo`."""
    if not settings.DEMO:
        raise ImproperlyConfigured("The demo is made by ./run demo, which sets SPONDY_DEMO=1 on this machine only.")


def person(username: str) -> Person:
    return get_user_model().objects.get(username=username)


def make_accounts() -> None:
    only_in_a_demo()
    users = get_user_model().objects
    for username, (first, last) in ACCOUNTS.items():
        if not users.filter(username=username).exists():
            users.create_user(username=username, password="demo", first_name=first, last_name=last)  # noqa: S106  known to all
    may_create = Permission.objects.get(content_type__app_label="annotation", codename="add_study")
    person("coordinator").user_permissions.add(may_create)


def _made(code: str) -> bool:
    return any(seat.study == code for seat in access.seats(person("coordinator")))


def _staffed(code: str, title: str, **more: Any) -> None:
    coordinator = person("coordinator")
    if not _made(code):
        desk.create_study(coordinator, code=code, title=title, seed=SEED, settings={"synthetic": True, **more})
    for username, role in ROLES.items():
        desk.set_member(coordinator, code, username=username, role=role)


def make_open_study(cases: int, *, say: Say) -> None:
    """Make the open study; return when the first cases can be read and leave the others to the workers."""
    if _made(OPEN):
        return
    _staffed(OPEN, "Lumbar spondylolysis: demonstration with synthetic spines")
    first = [_ask_for_case(index) for index in range(min(FIRST_CASES, cases))]
    _wait(first, say)
    coordinator = person("coordinator")
    desk.freeze(coordinator, OPEN)
    desk.begin_reading(coordinator, OPEN)
    _ask_for_reference()
    for index in range(len(first), cases):
        _ask_for_case(index)


def _ask_for_case(index: int) -> jobs.Card:
    study = desk.intake_target(OPEN)
    params = {"index": index, "seed": SEED}
    return jobs.start(
        "phantom", title=f"Synthetic case {index + 1}", study=study, params=params, by=person("coordinator")
    )


def _ask_for_reference() -> None:
    jobs.start("reference", title="Closed reference study of 134 simulated cases", by=person("coordinator"))


def _wait(cards: list[jobs.Card], say: Say) -> None:
    import time

    said = -1
    while True:
        now = [jobs.look(card.id) for card in cards]
        done = sum(card.state == "done" for card in now)
        if done != said:
            said = done
            say(f"{done} of {len(cards)} first cases are in")
        if done == len(cards):
            return
        failed = next((card for card in now if not card.is_open and card.state != "done"), None)
        if failed is not None:
            raise RuntimeError(f"{failed.title}: {failed.message}")
        time.sleep(0.2)


def make_closed_study(held: jobs.Held) -> None:
    """Run the reference study with simulated readers: import, 536 readings, lock, close, unblind, analyse.

    Each step looks at how far the study is, so that a killed worker's successor goes on where it ended.
    """
    from analytics import simulate

    log.info("demo: making the closed reference study of 134 simulated cases")
    study = simulate.study(cases=134, kappa=0.8, seed=SEED)
    coordinator = person("coordinator")
    held.step(0, 100, "Taking the clinical table in.")
    _staffed(CLOSED, "Reference study: pars injections, simulated readers", images="none")
    if desk.board(coordinator, CLOSED).state == "draft":
        _take_in(study.clinical, coordinator)
        desk.release_all(coordinator, CLOSED)
        desk.freeze(coordinator, CLOSED)
    if desk.board(coordinator, CLOSED).state == "frozen":
        desk.begin_reading(coordinator, CLOSED)
    reason = "All simulated readings are submitted."
    if desk.board(coordinator, CLOSED).state == "reading":
        _read_all(study.gradings, held)
        desk.close(coordinator, CLOSED, reason=reason, typed_code=CLOSED)
    if desk.board(coordinator, CLOSED).state == "closed":
        desk.unblind(coordinator, CLOSED, reason=reason, typed_code=CLOSED)
    runs.start(person("analyst"), CLOSED)
    held.finish({}, "The reference study is closed; its analysis is being computed.")
    log.info("demo: the closed reference study is there; its analysis follows")


def _take_in(clinical: Any, coordinator: Person) -> None:
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "clinical.csv"
        eligible = clinical.rename(columns={"case_id": "patient_id"}).assign(exclusion="")
        reasons = [reason for reason, count in EXCLUDED.items() for _ in range(count)]
        left_out = type(eligible)(
            {"patient_id": [f"X{number:03d}" for number in range(len(reasons))], "exclusion": reasons}
        )
        eligible.merge(left_out, how="outer").to_csv(table, index=False)
        intake.take_in(desk.intake_target(CLOSED), dicom=[], clinical=table, by=coordinator)


def _read_all(gradings: Any, held: jobs.Held) -> None:
    """Let the simulated readers read, each through the own room in the own order."""
    from analytics import simulate
    from annotation.protocol import catalogue

    readers = {"R1": "reader1", "R2": "reader2"}
    documents = {
        (readers[reader], form, case): answers
        for case, reader, form, answers in simulate.documents(catalogue.latest("spondylolysis"), gradings, seed=SEED)
    }
    coordinator = person("coordinator")
    names = {desk.find_case(coordinator, CLOSED, identifier=case): case for case in {key[2] for key in documents}}
    done = {
        (reader, form.form): form.done
        for reader in readers.values()
        for form in room.hall(person(reader), CLOSED).forms
    }
    ledger = desk.ledger(coordinator, CLOSED)
    for number, place in enumerate(ledger):
        if number % 10 == 0:
            held.step(number, len(ledger), f"{number} of {len(ledger)} readings")
        if number % 134 == 0:
            log.info("demo: %d of %d simulated readings of the reference study", number, len(ledger))
        if place.position > done[place.reader, place.form]:
            _read(person(place.reader), place, documents[place.reader, place.form, names[place.case]])


def _read(reader: Person, place: desk.Place, answers: dict[str, Any]) -> None:
    reading = room.next_reading(reader, CLOSED, place.form, session="simulated").reading
    if reading is None or reading.position != place.position:
        raise RuntimeError("The ledger and the reading room disagree about the order.")
    saved = room.save(reader, reading.id, base=reading.saved.revision, answers=answers, evidence={})
    room.lock(reader, reading.id, base=saved.revision)
