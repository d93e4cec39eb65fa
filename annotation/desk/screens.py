"""What the readers said of screen and room before they began a sitting; nothing of a case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from annotation.access import study_for
from annotation.models import Role, Sitting
from annotation.people import Person


@dataclass(frozen=True)
class ScreenRow:
    """How often one reader looked at the test pattern, how often not all was visible, and the newest look."""

    reader: str
    looks: int
    incomplete: int
    at: datetime
    all_visible: bool
    room: str
    monitor: str
    screen: str


def screens(person: Person, code: str) -> list[ScreenRow]:
    study = study_for(person, code, Role.COORDINATOR)
    said: dict[str, dict[str, dict[str, Any]]] = {}
    found = Sitting.objects.filter(study=study).exclude(display={}).order_by("reader__username")
    for reader, display in found.values_list("reader__username", "display"):
        # Sittings of other forms in the same stretch of reading carry the same look: its time tells.
        said.setdefault(reader, {})[display["at"]] = display
    return [_row(reader, list(looks.values())) for reader, looks in said.items()]


def _row(reader: str, looks: list[dict[str, Any]]) -> ScreenRow:
    last = max(looks, key=lambda look: datetime.fromisoformat(look["at"]))
    return ScreenRow(
        reader,
        len(looks),
        sum(not look["seen"] for look in looks),
        datetime.fromisoformat(last["at"]),
        last["seen"],
        last["room"],
        last["monitor"],
        last["screen"].replace("x", " × ").replace("@", ", scale "),
    )
