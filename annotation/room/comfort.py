"""How a reader likes the room: mouse habits kept per person, and what was said of screen and room per sitting."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from django.db import transaction
from django.utils import timezone

from annotation.access import NotYours, study_for, writable_protocol
from annotation.models import Preference, Role, State, Study
from annotation.people import Person
from annotation.room.sitting import display_said, sitting_of

Work = Literal["window", "zoom", "pan", "scroll"]


@dataclass(frozen=True)
class Habit:
    """What the mouse buttons do while no tool is chosen; the wheel always scrolls, and no key differs."""

    code: str
    title: str
    says: str
    left: Work
    middle: Work
    right: Work


HABITS = (
    Habit("window_left", "Window on the left", "Left windows, middle pans, right zooms.", "window", "pan", "zoom"),
    Habit(
        "window_middle",
        "Window on the middle",
        "Left scrolls, middle windows, right zooms.",
        "scroll",
        "window",
        "zoom",
    ),
    Habit(
        "window_right", "Window on the right", "Left scrolls, middle pans, right windows.", "scroll", "pan", "window"
    ),
    Habit("pan_left", "Picture in hand", "Left pans, middle zooms, right windows.", "pan", "zoom", "window"),
)


@dataclass(frozen=True)
class Question:
    """One thing asked beside the test pattern; the first choice says nothing."""

    code: str
    asked: str
    choices: tuple[tuple[str, str], ...]


QUESTIONS = (
    Question(
        "room",
        "Room",
        (("", "Not said"), ("dark", "Dark"), ("dim", "Dimmed"), ("bright", "Bright")),
    ),
    Question(
        "monitor",
        "Monitor",
        (("", "Not said"), ("diagnostic", "Diagnostic"), ("office", "Office"), ("laptop", "Laptop")),
    ),
)
_SCREEN = re.compile(r"\d{2,5}x\d{2,5}@\d{1,2}(\.\d{1,3})?")


class BadChoice(ValueError):
    """A choice that is not among those offered."""

    sentence = "This choice is not among those offered."


@dataclass(frozen=True)
class Comfort:
    """What the room's page has to know of the person in it."""

    habit: str
    habits: tuple[Habit, ...]
    questions: tuple[Question, ...]
    said: Mapping[str, str]

    def document(self) -> dict[str, Any]:
        return asdict(self)


def comfort(person: Person) -> Comfort:
    """Give the person's choices; what is no longer offered counts as not chosen."""
    kept = Preference.objects.filter(user=person).values_list("choices", flat=True).first() or {}
    habit = kept.get("habit")
    known = habit if habit in {one.code for one in HABITS} else HABITS[0].code
    said = {q.code: kept.get(q.code, "") for q in QUESTIONS}
    return Comfort(known, HABITS, QUESTIONS, said)


def choose_habit(person: Person, habit: object) -> None:
    if habit not in [one.code for one in HABITS]:
        raise BadChoice
    _keep(person, {"habit": habit})


def _keep(person: Person, choices: Mapping[str, object]) -> None:
    with transaction.atomic():
        row, _ = Preference.objects.select_for_update().get_or_create(user=person)
        if row.choices | choices != row.choices:
            row.choices |= choices
            row.save()


# --- the display check ---------------------------------------------------------------------------------------------


def display_due(study: Study, person: Person) -> bool:
    """Tell whether the reader is to look at the test pattern: once a sitting, whatever the forms read in it."""
    return bool(study.settings.get("display_check", True)) and not display_said(study, person)


def note_display(person: Person, code: str, form: str, *, seen: bool, said: Mapping[str, str], screen: str) -> None:
    """Keep what the reader saw of the test pattern with the sitting; the first word of a sitting stands.

    Raises
    ------
    BadChoice
        An answer that was not offered, or a screen that is none.
    """
    study = study_for(person, code, Role.READER)
    protocol = writable_protocol(study, State.READING)
    if form not in {known.code for known in protocol.forms}:
        raise NotYours
    offered = {question.code: {choice for choice, _ in question.choices} for question in QUESTIONS}
    answers = {name: said.get(name, "") for name in offered}
    if set(said) - set(offered) or any(answers[name] not in offered[name] for name in offered):
        raise BadChoice
    if not _SCREEN.fullmatch(screen):
        raise BadChoice
    with transaction.atomic():
        sitting = sitting_of(study, person, form)
        if not sitting.display:
            sitting.display = {"seen": seen, "screen": screen, "at": timezone.now().isoformat(), **answers}
            sitting.save(update_fields=["display"])
        _keep(person, answers)
