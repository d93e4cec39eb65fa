"""Image panels: which exhibits there are, and the figure that is made of the chosen ones."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from analytics.runs.rows import NothingThere
from annotation import handover
from annotation.people import Person
from annotation.protocol import Continuous, Protocol

if TYPE_CHECKING:  # numpy and matplotlib are heavy; a page that only lists loads neither
    from analytics.figures.panel import Arrow, Layout, Line, Shot
    from analytics.figures.sheet import Format

__all__ = ["Card", "Chosen", "Panels", "catalogue", "grade_words", "panel", "panels", "shot", "thumbnail"]

A_PAGE = 24
MOST = 12  # images of one panel
REACH_MM = 9.0  # of the patient, from the tip of an arrow that was set by hand to its tail
TOO_MANY = f"A panel holds {MOST} images at most; the first of them are shown."


@dataclass(frozen=True)
class Card:
    """One exhibit: what was graded on it, by whom, and under which name the address knows it."""

    key: str
    case: str
    reader: str
    item: str
    finding: str
    grade: str
    role: str
    place: str
    marks: int

    @property
    def said(self) -> str:
        """What a caption says of it: no case, no reader."""
        graded = f"{self.finding}: {self.grade}" if self.grade else self.finding
        return f"{graded} ({self.role})" if graded else self.role


@dataclass(frozen=True)
class Chosen:
    """An exhibit in a panel, and what the analyst changed: the part shown, an arrow of one's own, the reader's marks.

    `x` and `y` are the arrow's tip in percent of the part that is shown, `turn` the direction it comes from: 0 from the
    right, 90 from above.
    """

    key: str
    height_mm: float | None = None
    x: float | None = None
    y: float | None = None
    turn: float = 225.0
    marks: bool = True


@dataclass(frozen=True)
class Panels:
    """The page: exhibits that fit the filter, those chosen, and the caption they give."""

    code: str
    title: str
    synthetic: bool
    sentence: str
    items: tuple[tuple[str, str], ...]
    grades: tuple[str, ...]
    readers: tuple[str, ...]
    cards: tuple[Card, ...]
    found: int
    page: int
    pages: int
    chosen: tuple[Card, ...]
    caption: str
    warning: str


def panels(
    person: Person, code: str, keys: Sequence[str], *, item: str = "", grade: str = "", reader: str = "", page: int = 1
) -> Panels:
    """Give the exhibits of a study whose readings are locked.

    Parameters
    ----------
    person, code
        An analyst of the study.
    keys : sequence of str
        Exhibits chosen so far, in their order; unknown ones are left out.
    item, grade, reader : str
        What to show of the others; empty shows all.
    page : int
        Of the list.
    """
    subject = handover.subject(person, code)
    every = _cards(subject)
    of_item = [card for card in every.values() if item in ("", card.item)]
    fitting = [card for card in of_item if grade in ("", card.grade) and reader in ("", card.reader)]
    pages = max(1, math.ceil(len(fitting) / A_PAGE))
    page = min(max(page, 1), pages)
    chosen = tuple(every[key] for key in dict.fromkeys(keys) if key in every)
    names = {card.item: card.finding.partition(",")[0] for card in every.values() if card.item}
    return Panels(
        subject.code,
        subject.title,
        subject.synthetic,
        _sentence(subject, every),
        tuple(names.items()),
        tuple(sorted({card.grade for card in of_item if card.grade})),
        tuple(sorted({card.reader for card in every.values()})),
        tuple(fitting[(page - 1) * A_PAGE : page * A_PAGE]),
        len(fitting),
        page,
        pages,
        chosen[:MOST],
        _caption(chosen[:MOST]),
        TOO_MANY if len(chosen) > MOST else "",
    )


def _sentence(subject: handover.Subject, every: Mapping[str, Card]) -> str:
    if not subject.readings_open:
        return "The readings are not locked yet. Images can be chosen once the study is closed."
    return "" if every else "No reader pointed at an image or drew on one, so there is nothing to choose from."


def _caption(chosen: Sequence[Card]) -> str:
    """List what the images show; a published panel carries no code of a case."""
    if len(chosen) < 2:
        return "".join(f"{card.said}." for card in chosen)
    return " ".join(f"{chr(ord('A') + place)}, {card.said}." for place, card in enumerate(chosen))


def thumbnail(person: Person, code: str, key: str) -> bytes:
    """Draw one exhibit small, as PNG."""
    from analytics.figures import panel as drawing

    subject = handover.subject(person, code)
    return drawing.thumbnail(shot(subject, Chosen(key, marks=False)))


def panel(
    person: Person,
    code: str,
    chosen: Sequence[Chosen],
    layout: Mapping[str, Any],
    format: Format,
    *,
    preview: bool = False,
) -> bytes:
    """Make the figure of the chosen exhibits.

    Parameters
    ----------
    person, code
        An analyst of the study.
    chosen : sequence of Chosen
        In the order of their letters; `MOST` at most.
    layout : mapping
        Fields of `analytics.figures.panel.Layout`.
    format : {"svg", "pdf", "png", "tiff"}
        Of the file; ``preview`` gives a quick one.

    Raises
    ------
    NothingThere
        For an exhibit that is none of this study's, or before the readings are locked.
    """
    from analytics.figures import panel as drawing
    from analytics.figures.sheet import DPI

    subject = handover.subject(person, code)
    if not chosen:
        raise NothingThere
    shots = [shot(subject, one) for one in chosen[:MOST]]
    how: Layout = drawing.Layout(**layout)
    return drawing.compose(shots, how, format, dpi=150 if preview else DPI)


def shot(subject: handover.Subject, one: Chosen) -> Shot:
    """Give one exhibit as an image to draw: the part, the window and the marks as the reader left them."""
    from analytics.figures.panel import Shot

    exhibit = _exhibits(subject).get(one.key)
    if exhibit is None:
        raise NothingThere
    try:
        found = handover.picture(subject.key, exhibit)
    except handover.StillReading as held:
        raise NothingThere from held
    field = exhibit.field or {}
    height = one.height_mm or field.get("height_mm")
    plain = Shot(
        found.values,
        found.sampled_mm,
        found.window,
        found.inverted,
        found.letters,
        centre=(found.centre or _centre(exhibit)) if height else None,
        height_mm=height,
    )
    arrows, lines = _marks(exhibit) if one.marks else ((), ())
    if one.x is not None and one.y is not None:
        arrows = (*arrows, _own(plain, one.x, one.y, one.turn))
    return replace(plain, arrows=arrows, lines=lines)


def _centre(exhibit: handover.Exhibit) -> tuple[float, float] | None:
    """Give the middle of the part to show in pixels where the reader kept none: what was drawn, or the image's."""
    points = [point for mark in exhibit.marks for point in mark["points_column_row"][:1]]
    if not points:
        return None
    return sum(p[0] for p in points) / len(points), sum(p[1] for p in points) / len(points)


def _own(shot: Shot, x: float, y: float, turn: float) -> Arrow:
    from analytics.figures.panel import Arrow

    left, top, right, bottom = shot.box()
    tip = (left + (right - left) * x / 100 - 0.5, top + (bottom - top) * y / 100 - 0.5)
    down, across = shot.sampled_mm
    away = math.radians(turn)
    return Arrow(tip, (tip[0] + REACH_MM * math.cos(away) / across, tip[1] - REACH_MM * math.sin(away) / down))


def _marks(exhibit: handover.Exhibit) -> tuple[tuple[Arrow, ...], tuple[Line, ...]]:
    """Turn a reader's drawings into arrows and lines; a point or an ellipse is pointed at."""
    from analytics.figures.panel import Arrow, Line

    arrows: list[Arrow] = []
    lines: list[Line] = []
    for mark in exhibit.marks:
        points = [(float(x), float(y)) for x, y in mark["points_column_row"]]
        if mark["kind"] == "arrow":
            arrows.append(Arrow(points[0], points[1], str(mark.get("label", ""))))
        elif mark["kind"] in ("point", "ellipse"):
            middle = tuple(sum(axis) / len(points) for axis in zip(*points, strict=True))
            arrows.append(Arrow((middle[0], middle[1]), None, str(mark.get("label", ""))))
        else:
            lines.append(Line(tuple(points)))
    return tuple(arrows), tuple(lines)


def _exhibits(subject: handover.Subject) -> Mapping[str, handover.Exhibit]:
    return catalogue(subject)[0]


def _cards(subject: handover.Subject) -> Mapping[str, Card]:
    return catalogue(subject)[1]


def catalogue(subject: handover.Subject) -> tuple[Mapping[str, handover.Exhibit], Mapping[str, Card]]:
    """List the exhibits by the names that addresses know them by, with their cards; empty before the lock."""
    if not subject.readings_open:
        return {}, {}
    return _listed(subject.key, handover.fingerprint(subject.key, outcomes=False))


@lru_cache(maxsize=2)
def _listed(key: int, frozen: str) -> tuple[Mapping[str, handover.Exhibit], Mapping[str, Card]]:
    """List the exhibits of a study once; ``frozen`` is the digest of its readings."""
    instrument = handover.protocol(key)
    grades = {row[:5]: (row.value, row.reason) for row in handover.gradings(key)}
    exhibits = {_name(one): one for one in handover.exhibits(key)}
    return exhibits, {name: _card(name, one, instrument, grades) for name, one in exhibits.items()}


def _name(one: handover.Exhibit) -> str:
    """Name an exhibit by all that makes it one, without saying any of it."""
    told = "/".join((one.case, one.reader, one.round, one.form, one.cell, one.role, str(one.slice), one.digest))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _card(name: str, one: handover.Exhibit, instrument: Protocol, grades: Mapping[Any, Any]) -> Card:
    item, _, site = one.cell.partition(".")
    finding = instrument.cell(one.cell).label if one.cell else ""
    value, reason = grades.get((one.case, one.reader, one.round, item, site), (None, None))
    grade = "not assessable" if reason else grade_words(instrument, item, value)
    role = handover.ROLE_TITLES.get(one.role, one.role)
    place = f"{one.slice} of {one.of}"
    return Card(name, one.case, one.reader, item, finding, grade, role, place, len(one.marks))


def grade_words(instrument: Protocol, item: str, value: float | int | None) -> str:
    """Say a grade as the reader knew it."""
    if value is None or not item:
        return ""
    scale = instrument.item(item).scale
    if isinstance(scale, Continuous):
        return f"{value:.{scale.decimals}f} {scale.unit}"
    return scale.level(int(value)).label
