"""Where readers differ: per finding the cases, the grades side by side, and the image that each reader pointed at."""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

from analytics.runs.panels import Chosen, catalogue, grade_words, shot
from analytics.runs.rows import NothingThere
from annotation import handover
from annotation.people import Person
from annotation.protocol import Continuous, Nominal, Protocol

__all__ = ["GRADES", "NOT_ASSESSABLE", "Asked", "Count", "Difference", "Gallery", "Graded", "evidence", "gallery"]

A_PAGE = 12
MAIN = "main"
SETTLING = ("adjudication", "consensus")
GRADES, NOT_ASSESSABLE = "grades", "excused"
WIDTH_MM, DPI = 80.0, 150  # of an image: large enough to judge an endplate, small enough for twelve cards


@dataclass(frozen=True)
class Asked:
    """What is to be shown: a finding, a pair of readers, one kind of difference, and how large it is at least.

    `least` is in steps of an ordinal scale or in the unit of a measurement, so it counts only with one finding.
    """

    item: str = ""
    pair: str = ""
    kind: str = ""
    least: float = 0.0
    page: int = 1


class Graded(NamedTuple):
    """What one reader said of a case, and the image pointed at; `image` is empty where there is none."""

    reader: str
    words: str
    reason: str
    image: str
    place: str
    marks: int


@dataclass(frozen=True)
class Difference:
    """One finding of one case on which readers differ; `size` is None where nothing can be subtracted."""

    case: str
    item: str
    finding: str
    size: float | None
    excused: bool
    words: str
    settled: str
    graded: tuple[Graded, ...]

    @property
    def pictured(self) -> bool:
        """Whether any reader pointed at an image."""
        return any(one.image for one in self.graded)


@dataclass(frozen=True)
class Count:
    """How often readers differ on a finding."""

    item: str
    title: str
    compared: int
    differ: int
    excused: int
    largest: str


@dataclass(frozen=True)
class Gallery:
    """The page: counts of every finding, and those differences that fit what is asked for."""

    code: str
    title: str
    synthetic: bool
    sentence: str
    counts: tuple[Count, ...]
    pairs: tuple[str, ...]
    unit: str
    steps: tuple[int, ...]
    cards: tuple[Difference, ...]
    found: int
    page: int
    pages: int


class _Answer(NamedTuple):
    value: float | None
    reason: str


class _Cell(NamedTuple):
    case: str
    key: str
    answers: Mapping[str, _Answer]
    settled: float | None

    @property
    def item(self) -> str:
        return self.key.partition(".")[0]


def gallery(person: Person, code: str, asked: Asked) -> Gallery:
    """Give the differences of a study whose readings are locked, largest first within each finding.

    Raises
    ------
    NothingThere
        For a finding or a pair of readers that the study does not have.
    """
    subject = handover.subject(person, code)
    instrument = subject.protocol
    cells = _cells(subject)
    readers = sorted({reader for cell in cells for reader in cell.answers})
    pairs = {" and ".join(pair): pair for pair in combinations(readers, 2)}
    items = list(dict.fromkeys(cell.item for cell in cells))
    if subject.readings_open and (asked.pair not in ("", *pairs) or asked.item not in ("", *items)):
        raise NothingThere
    eyes = pairs.get(asked.pair, tuple(readers))
    images = _images(subject)
    pointed = {(case, cell) for case, _, cell in images}
    differing = {item: _differing(instrument, cells, item, eyes, pointed) for item in items}
    counts = tuple(_count(instrument, cells, item, eyes, differing[item]) for item in items)
    fitting = [one for item in items if asked.item in ("", item) for one in differing[item] if _fits(one, asked)]
    pages = max(1, math.ceil(len(fitting) / A_PAGE))
    page = min(max(asked.page, 1), pages)
    shown = fitting[(page - 1) * A_PAGE : page * A_PAGE]
    return Gallery(
        subject.code,
        subject.title,
        subject.synthetic,
        "" if subject.readings_open else "The readings are not locked yet. What readers differ on is shown afterwards.",
        counts,
        tuple(pairs),
        _unit(instrument, asked.item),
        _steps(instrument, asked.item),
        tuple(_card(instrument, one, images) for one in shown),
        len(fitting),
        page,
        pages,
    )


def evidence(person: Person, code: str, key: str) -> bytes:
    """Draw the image a reader pointed at as PNG: own window, marks, the patient's sides and a scale bar."""
    from analytics.figures import panel as drawing

    subject = handover.subject(person, code)
    layout = drawing.Layout(width=WIDTH_MM, columns=1)
    return drawing.compose([shot(subject, Chosen(key))], layout, "png", dpi=DPI)


class _Found(NamedTuple):
    cell: _Cell
    answers: Mapping[str, _Answer]
    size: float | None
    excused: bool


def _differing(
    instrument: Protocol, cells: tuple[_Cell, ...], item: str, eyes: tuple[str, ...], pointed: Set[tuple[str, str]]
) -> list[_Found]:
    """Give what these readers differ on, the largest first; what has no size follows.

    Of differences alike those come first that somebody pointed at: the page is there to look at them.
    """

    def place(one: _Found) -> tuple[bool, float, bool, bool, str]:
        unseen = (one.cell.case, one.cell.key) not in pointed
        return one.size is None, -(one.size or 0), one.excused, unseen, one.cell.case

    found = (_compared(instrument, cell, eyes) for cell in cells if cell.item == item)
    return sorted((one for one in found if one is not None and _differ(one)), key=place)


def _compared(instrument: Protocol, cell: _Cell, eyes: tuple[str, ...]) -> _Found | None:
    """Put the answers of these readers together; None where fewer than two answered."""
    answers = {reader: cell.answers[reader] for reader in eyes if reader in cell.answers}
    if len(answers) < 2:
        return None
    values = [one.value for one in answers.values() if one.value is not None]
    size = _size(instrument, cell.item, values) if len(values) > 1 else None
    return _Found(cell, answers, size, any(one.reason for one in answers.values()))


def _differ(found: _Found) -> bool:
    """Say whether not all said the same; two who could not assess a finding agree, whatever their reasons."""
    return len({one.value for one in found.answers.values()}) > 1


def _size(instrument: Protocol, item: str, values: list[float]) -> float | None:
    scale = instrument.item(item).scale
    if isinstance(scale, Nominal):
        return None
    if isinstance(scale, Continuous):
        return round(max(values) - min(values), scale.decimals)
    places = [scale.codes.index(int(value)) for value in values]
    return float(max(places) - min(places))


def _size_words(instrument: Protocol, item: str, size: float) -> str:
    scale = instrument.item(item).scale
    if isinstance(scale, Continuous):
        return grade_words(instrument, item, size)
    return f"{size:.0f} step{'' if size == 1 else 's'}"


def _words(instrument: Protocol, found: _Found) -> str:
    parts = []
    if found.size:
        parts.append(_size_words(instrument, found.cell.item, found.size))
    elif len({one.value for one in found.answers.values()} - {None}) > 1:
        parts.append("another category")
    if found.excused:
        parts.append("not assessable for one" if len(found.answers) == 2 else "not assessable for some")
    return ", ".join(parts)


def _fits(found: _Found, asked: Asked) -> bool:
    if asked.kind == NOT_ASSESSABLE and not found.excused:
        return False
    if asked.kind == GRADES and found.excused:
        return False
    return not (asked.item and asked.least) or (found.size or 0) >= asked.least


def _count(
    instrument: Protocol, cells: tuple[_Cell, ...], item: str, eyes: tuple[str, ...], differing: list[_Found]
) -> Count:
    compared = sum(_compared(instrument, cell, eyes) is not None for cell in cells if cell.item == item)
    sizes = [one.size for one in differing if one.size]
    largest = _size_words(instrument, item, max(sizes)) if sizes else ""
    excused = sum(one.excused for one in differing)
    return Count(item, instrument.item(item).asked, compared, len(differing), excused, largest)


def _card(
    instrument: Protocol, found: _Found, images: Mapping[tuple[str, str, str], tuple[str, str, int]]
) -> Difference:
    cell = found.cell
    reasons = {reason.code: reason.label for reason in instrument.reasons}
    graded = tuple(
        Graded(
            reader,
            "not assessable" if one.value is None else grade_words(instrument, cell.item, one.value),
            reasons.get(one.reason, one.reason),
            *images.get((cell.case, reader, cell.key), ("", "", 0)),
        )
        for reader, one in found.answers.items()
    )
    return Difference(
        cell.case,
        cell.item,
        instrument.cell(cell.key).label,
        found.size,
        found.excused,
        _words(instrument, found),
        grade_words(instrument, cell.item, cell.settled),
        graded,
    )


def _unit(instrument: Protocol, item: str) -> str:
    scale = instrument.item(item).scale if item else None
    return scale.unit if isinstance(scale, Continuous) else ""


def _steps(instrument: Protocol, item: str) -> tuple[int, ...]:
    """Give the sizes a difference on an ordinal scale may have."""
    scale = instrument.item(item).scale if item else None
    return () if scale is None or isinstance(scale, Continuous | Nominal) else tuple(range(1, len(scale.levels)))


def _images(subject: handover.Subject) -> Mapping[tuple[str, str, str], tuple[str, str, int]]:
    """Find the image of a case, reader and cell: its name, where it lies, and how many marks are on it."""
    exhibits, cards = catalogue(subject)
    return {
        (one.case, one.reader, one.cell): (name, f"{cards[name].role}, {cards[name].place}", len(one.marks))
        for name, one in exhibits.items()
        if one.cell and one.round == MAIN
    }


def _cells(subject: handover.Subject) -> tuple[_Cell, ...]:
    if not subject.readings_open:
        return ()
    return _table(subject.key, handover.fingerprint(subject.key, outcomes=False))


@lru_cache(maxsize=2)
def _table(key: int, frozen: str) -> tuple[_Cell, ...]:
    """Put the answers of all readers of the main round together once; ``frozen`` is the digest of the readings."""
    instrument = handover.protocol(key)
    findings = {item.code: place for place, item in enumerate(instrument.items) if not item.support}
    given: dict[tuple[str, str], dict[str, _Answer]] = {}
    settled: dict[tuple[str, str], float | None] = {}
    for row in handover.gradings(key):
        if row.item not in findings or (row.value is None and not row.reason):
            continue
        place = (row.case, f"{row.item}.{row.site}")
        if row.round == MAIN:
            given.setdefault(place, {})[row.reader] = _Answer(row.value, row.reason or "")
        elif row.round in SETTLING:
            settled[place] = row.value
    order = sorted(given, key=lambda place: (findings[place[1].partition(".")[0]], place))
    return tuple(_Cell(case, cell, given[case, cell], settled.get((case, cell))) for case, cell in order)
