"""The hall of a study: how far its reader is, whether reading is open, and the sheets; nothing of a case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from annotation.access import NotYours, protocol_of, study_for
from annotation.models import Assignment, Role, State, Study
from annotation.people import Person
from annotation.room.practice import is_practice, practice_for


@dataclass(frozen=True)
class FormProgress:
    form: str
    title: str
    done: int
    of: int
    set_aside: int


@dataclass(frozen=True)
class Hall:
    """What a reader sees before a case is opened."""

    study: str
    title: str
    synthetic: bool
    open: bool
    sentence: str
    forms: tuple[FormProgress, ...]
    is_practice: bool
    practice: str
    """Code of the study in which this reader can practise; empty without one."""


def hall(person: Person, code: str) -> Hall:
    study = study_for(person, code, Role.READER)
    protocol = protocol_of(study)
    counts = {
        row["form"]: row
        for row in Assignment.objects.filter(study=study, reader=person)
        .values("form")
        .annotate(
            of=Count("id"),
            done=Count("id", filter=Q(locked_revision__isnull=False)),
            aside=Count("id", filter=Q(locked_revision__isnull=True, set_aside_at__isnull=False)),
        )
    }
    nothing = {"done": 0, "of": 0, "aside": 0}
    forms = tuple(
        FormProgress(form.code, form.title, row["done"], row["of"], row["aside"])
        for form in protocol.forms
        for row in [counts.get(form.code, nothing)]
    )
    is_open = study.state == State.READING
    waiting = "Reading has not begun yet." if not study.has_reached(State.READING) else "Reading is closed. Thank you."
    sentence = "" if is_open else waiting
    return Hall(
        code, study.title, synthetic(study), is_open, sentence, forms, is_practice(study), practice_for(person, study)
    )


def sheet(person: Person, code: str, form: str) -> dict[str, Any]:
    """Give the answer sheet of a form; it holds definitions only, nothing of a case."""
    study = study_for(person, code, Role.READER)
    protocol = protocol_of(study)
    if form not in {known.code for known in protocol.forms}:
        raise NotYours
    return protocol.sheet(form)


def synthetic(study: Study) -> bool:
    return bool(study.settings.get("synthetic"))
