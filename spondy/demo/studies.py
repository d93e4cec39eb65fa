"""The accounts and the open study of the demonstration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.exceptions import ImproperlyConfigured

from annotation import access, desk, jobs
from annotation.people import Person

OPEN, CLOSED, PRACTICE = "DEMO", "REFERENCE", "PRACTICE"
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


def staffed(code: str, title: str, **more: Any) -> None:
    coordinator = person("coordinator")
    if not _made(code):
        desk.create_study(coordinator, code=code, title=title, seed=SEED, settings={"synthetic": True, **more})
    for username, role in ROLES.items():
        desk.set_member(coordinator, code, username=username, role=role)


def make_open_study(cases: int, *, say: Say) -> None:
    """Make the open study; return when the first cases can be read and leave the others to the workers."""
    if _made(OPEN):
        return
    staffed(OPEN, "Lumbar spondylolysis: demonstration with synthetic spines")
    first = [_ask_for_case(index) for index in range(min(FIRST_CASES, cases))]
    _wait(first, say)
    coordinator = person("coordinator")
    desk.freeze(coordinator, OPEN)
    desk.begin_reading(coordinator, OPEN)
    _ask_for_practice()
    _ask_for_reference()
    for index in range(len(first), cases):
        _ask_for_case(index)


def _ask_for_case(index: int) -> jobs.Card:
    study = desk.intake_target(OPEN)
    params = {"index": index, "seed": SEED}
    return jobs.start(
        "phantom", title=f"Synthetic case {index + 1}", study=study, params=params, by=person("coordinator")
    )


def _ask_for_practice() -> None:
    jobs.start("practice", title="Practice cases whose truth is shown afterwards", by=person("coordinator"))


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
