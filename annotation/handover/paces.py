"""How long readings took and under which conditions: for the report and the export, without names and dates."""

from __future__ import annotations

from typing import NamedTuple

from annotation import pace
from annotation.handover.frozen import counting, frozen, reader_names, rounds_of
from annotation.models import Sitting, State


class Paced(NamedTuple):
    """One locked reading that counts. `active_s` is None where nothing was told."""

    case: str
    reader: str
    round: str
    form: str
    active_s: float | None
    sittings: int


class Sat(NamedTuple):
    """One sitting of one reader, counted from 1, and what was said of the screen; empty where nobody asked or said."""

    reader: str
    sitting: int
    form: str
    room: str
    monitor: str
    screen: str
    all_visible: bool | None


def paces(key: int) -> list[Paced]:
    study = frozen(key, State.READINGS_LOCKED)
    names, rounds, known = reader_names(study), rounds_of(study), pace.paces(study)
    return [
        Paced(
            reading.case.patient.pseudonym,
            names[reading.reader_id],
            rounds[reading.pk],
            reading.form,
            known[reading.pk].active_s if reading.pk in known else None,
            known[reading.pk].sittings if reading.pk in known else 0,
        )
        for reading in counting(study).iterator()
    ]


def sittings(key: int) -> list[Sat]:
    study = frozen(key, State.READINGS_LOCKED)
    names = reader_names(study)
    given: list[Sat] = []
    counts = dict.fromkeys(names, 0)
    for sitting in Sitting.objects.filter(study=study, reader__in=names).order_by("reader", "opened_at", "pk"):
        counts[sitting.reader_id] += 1
        said = sitting.display
        given.append(
            Sat(
                names[sitting.reader_id],
                counts[sitting.reader_id],
                sitting.form,
                said.get("room", ""),
                said.get("monitor", ""),
                said.get("screen", ""),
                said.get("seen"),
            )
        )
    return given
