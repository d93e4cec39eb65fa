"""The kinds of consistency checks.

They are generic; what they look at stands as parameters in the instrument. A kind is a frozen dataclass; its fields are
the parameters, with ``__call__`` for the look at one case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

from annotation.protocol.case import Case, Found, signed
from annotation.protocol.instrument import Cell, Item

# Percentages are quotients of floats; a difference in the fifteenth digit is not a finding.
_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class OutsideBand:
    """A measurement, in per cent of its base, lies outside the band of the grade given by eye.

    ``bands`` maps the grade's code (as text, being JSON) to ``[low, high]`` in per cent, ``None`` for no limit;
    ``tolerance`` is in percentage points.
    """

    words: ClassVar = ("percent", "label", "band")
    measure: str
    grade: str
    bands: Mapping[str, Sequence[float | None]]
    tolerance: float

    def __call__(self, case: Case) -> Found | None:
        measured, grade = case.measured(self.measure), case.number(self.grade)
        if measured is None or measured.percent is None or grade is None:
            return None
        low, high = self.bands[str(int(grade))]
        margin = self.tolerance + _SLACK
        below = low is not None and measured.percent < low - margin
        above = high is not None and measured.percent > high + margin
        if not (below or above):
            return None
        band = " ".join(
            part
            for part in ("" if low is None else f"over {low:g} %", "" if high is None else f"up to {high:g} %")
            if part
        )
        words = {"percent": signed(f"{measured.percent:.0f} %"), "label": case.label(self.grade, grade), "band": band}
        return Found((*case.cells(self.grade), *case.cells(self.measure)), words)


@dataclass(frozen=True, slots=True)
class ZeroConflict:
    """The lowest grade beside a measurement of at least ``at_least``, or a higher grade beside none."""

    words: ClassVar = ("label", "value")
    measure: str
    grade: str
    at_least: float

    def __call__(self, case: Case) -> Found | None:
        value, grade = case.number(self.measure), case.number(self.grade)
        if value is None or grade is None:
            return None
        if not (value >= self.at_least if grade == 0 else value <= 0):
            return None
        words = {"label": case.label(self.grade, grade), "value": case.label(self.measure, value)}
        return Found((*case.cells(self.grade), *case.cells(self.measure)), words)


def _reaches(case: Case, item_code: str, segment: str, at_least: float) -> bool | None:
    """Whether an item reaches a level at a segment on its worst side; ``None`` when that cannot be told."""
    keys = case.at_segment(case.protocol.item(item_code), segment)
    numbers = [answer for key in keys if isinstance(answer := case.answers.get(key), int | float)]
    if any(number >= at_least for number in numbers):
        return True
    return False if keys and len(numbers) == len(keys) else None


def _either(states: Sequence[bool | None]) -> bool | None:
    """Three-valued "or"."""
    if any(states):
        return True
    return None if None in states else False


@dataclass(frozen=True, slots=True)
class SegmentsDiffer:
    """The extent as judged differs from the extent that follows from the segments' own answers.

    A segment is affected when any of ``features`` reaches its level there; with ``same_feature`` the segments have to
    share one. ``positive`` follows from ``count`` affected segments, ``negative`` only where no segment that was not
    asked or not answered could still make up the count.
    """

    words: ClassVar = ("label", "segments")
    verdict: str
    negative: int
    positive: int
    count: int
    same_feature: bool
    features: Sequence[Mapping[str, object]]

    def __call__(self, case: Case) -> Found | None:
        judged, names = case.number(self.verdict), case.segments()
        if judged is None or not names:
            return None
        states = _states(case, self.features, names)
        rows = states if self.same_feature else [[_either(column) for column in zip(*states, strict=True)]]
        if max(row.count(True) for row in rows) >= self.count:
            expected = self.positive
        elif max(len(row) - row.count(False) for row in rows) < self.count:
            expected = self.negative
        else:
            return None
        if judged == expected:
            return None
        affected = [name for name, column in zip(names.values(), zip(*states, strict=True), strict=True) if any(column)]
        words = {"label": case.label(self.verdict, judged), "segments": ", ".join(affected) or "none"}
        return Found(case.cells(self.verdict), words)


@dataclass(frozen=True, slots=True)
class LoneNeighbour:
    """Exactly one segment is affected and it is not the index segment; every asked segment is answered."""

    words: ClassVar = ("segment", "index")
    verdict: str
    features: Sequence[Mapping[str, object]]

    def __call__(self, case: Case) -> Found | None:
        names = case.segments()
        if case.number(self.verdict) is None or not names:
            return None
        items = [case.protocol.item(str(feature["item"])) for feature in self.features]
        asked = {key: name for key, name in names.items() if any(case.at_segment(item, key) for item in items)}
        whole = [_either(column) for column in zip(*_states(case, self.features, asked), strict=True)]
        if None in whole or whole.count(True) != 1:
            return None
        segment = list(asked)[whole.index(True)]
        if segment == "index":
            return None
        return Found(case.cells(self.verdict), {"segment": asked[segment], "index": names["index"]})


def _states(case: Case, features: Sequence[Mapping[str, object]], names: Mapping[str, str]) -> list[list[bool | None]]:
    """For each feature, whether each segment shows it."""
    return [
        [_reaches(case, str(one["item"]), segment, cast(float, one["at_least"])) for segment in names]
        for one in features
    ]


@dataclass(frozen=True, slots=True)
class NeighboursOpen:
    """The extent is judged ``negative`` although neighbouring segments that are asked were left open."""

    words: ClassVar = ("label", "segments")
    verdict: str
    negative: int
    items: Sequence[str]

    def __call__(self, case: Case) -> Found | None:
        judged = case.number(self.verdict)
        if judged is None or judged != self.negative:
            return None
        items = [case.protocol.item(code) for code in self.items]
        open_cells: list[str] = []
        left: list[str] = []
        for segment, name in case.segments().items():
            asked = [Cell(item, site) for item in items for site in item.sites if site.segment == segment]
            found = [cell for cell in asked if cell.key not in case.answers]
            if segment == "index" or not found:
                continue
            open_cells += [cell.key for cell in found]
            # A segment of which something is graded is not "not graded": what is missing is said by its name.
            left.append(name if len(found) == len(asked) else f"{name} ({_missing(found, case)})")
        if not left:
            return None
        cells = (*case.cells(self.verdict), *open_cells)
        return Found(cells, {"label": case.label(self.verdict, judged), "segments": ", ".join(left)})


def _missing(cells: Sequence[Cell], case: Case) -> str:
    """Name the items of some open cells of a segment, with the side where the other side has its answer."""
    names: dict[str, None] = {}
    for cell in cells:
        here = case.at_segment(cell.item, cell.site.segment)
        whole = all(key not in case.answers for key in here)
        names[cell.item.short if whole else f"{cell.item.short} {cell.site.side}"] = None
    return ", ".join(names)


@dataclass(frozen=True, slots=True)
class WrongPlace:
    """Points lie in another plane, too far from the midline, or at another segment than the index segment."""

    words: ClassVar = ("where",)
    measure: str
    planes: Sequence[str]
    off_midline_mm: float

    def __call__(self, case: Case) -> Found | None:
        measured = case.measured(self.measure)
        if measured is None:
            return None
        where: list[str] = []
        if measured.plane not in self.planes:
            where.append(f"on a series that is {measured.plane}")
        if measured.off_midline_mm is not None and abs(measured.off_midline_mm) > self.off_midline_mm + _SLACK:
            where.append(f"{abs(measured.off_midline_mm):.0f} mm off the midline")
        index = case.segments().get("index")
        if measured.segment is not None and index is not None and measured.segment != index:
            where.append(f"on {measured.segment}, not {index}")
        return Found(case.cells(self.measure), {"where": "; ".join(where)}) if where else None


@dataclass(frozen=True, slots=True)
class Implausible:
    """The base of a measurement, or the measurement itself, has a size no patient has; all in millimetres."""

    words: ClassVar = ("found",)
    measure: str
    base_name: str
    base_low: float
    base_high: float
    value_high: float

    def __call__(self, case: Case) -> Found | None:
        value, measured = case.number(self.measure), case.measured(self.measure)
        if value is None:
            return None
        found: list[str] = []
        if measured is not None and not self.base_low <= measured.base_mm <= self.base_high:
            found.append(f"{self.base_name} {measured.base_mm:.1f} mm")
        if abs(value) > self.value_high:
            found.append(case.label(self.measure, value))
        return Found(case.cells(self.measure), {"found": ", ".join(found)}) if found else None


@dataclass(frozen=True, slots=True)
class AtMost:
    """A measurement is unusually low."""

    words: ClassVar = ("value",)
    measure: str
    at_most: float

    def __call__(self, case: Case) -> Found | None:
        value = case.number(self.measure)
        if value is None or value > self.at_most:
            return None
        return Found(case.cells(self.measure), {"value": case.label(self.measure, value)})


@dataclass(frozen=True, slots=True)
class SideMismatch:
    """A finding asked for the case, with the side named beside it: "yes" without a side, or a side without "yes"."""

    words: ClassVar = ("items",)
    items: Sequence[str]

    def __call__(self, case: Case) -> Found | None:
        doubtful = [item for code in self.items if self._mismatch(case, item := case.protocol.item(code))]
        if not doubtful:
            return None
        cells = tuple(key for item in doubtful for key in (*case.cells(item.code), *self._sides(item)))
        return Found(cells, {"items": ", ".join(item.short for item in doubtful)})

    def _mismatch(self, case: Case, item: Item) -> bool:
        value, sides = case.number(item.code), self._sides(item)
        if value is None or not sides:
            return False
        named = any(isinstance(side := case.answers.get(key), int | float) and side > 0 for key in sides)
        return (value > 0) != named

    @staticmethod
    def _sides(item: Item) -> tuple[str, ...]:
        return tuple(
            Cell(item, site).key for site in item.sites if site.side and not site.counts and site.segment == "index"
        )


@dataclass(frozen=True, slots=True)
class LevelDiffers:
    """The reader sees another index level than the one the coordinator set."""

    words: ClassVar = ("label", "set")
    item: str

    def __call__(self, case: Case) -> Found | None:
        seen, level = case.number(self.item), case.facts.lysis_vertebra
        if seen is None or level is None or case.label(self.item, seen) == level:
            return None
        return Found(case.cells(self.item), {"label": case.label(self.item, seen), "set": level})


@dataclass(frozen=True, slots=True)
class MissingRoles:
    """An item is answered with a value although a series it needs is not there."""

    words: ClassVar = ("roles", "items")

    def __call__(self, case: Case) -> Found | None:
        present = case.facts.roles_present
        if present is None:
            return None
        cells: list[str] = []
        missing: dict[str, None] = {}
        items: dict[str, None] = {}
        for cell in case.protocol.cells(case.form):
            absent = [need for need in cell.item.roles if present.isdisjoint(need.split("|"))]
            if absent and isinstance(case.answers.get(cell.key), int | float):
                cells.append(cell.key)
                items[cell.item.short] = None
                missing.update(dict.fromkeys(absent))
        if not cells:
            return None
        roles = ", ".join(need.replace("|", " or ").replace("_", " ") for need in missing)
        return Found(tuple(cells), {"roles": roles, "items": ", ".join(items)})


Kind = (
    OutsideBand
    | ZeroConflict
    | SegmentsDiffer
    | LoneNeighbour
    | NeighboursOpen
    | WrongPlace
    | Implausible
    | AtMost
    | SideMismatch
    | LevelDiffers
    | MissingRoles
)

KINDS: Mapping[str, type[Kind]] = {
    "outside_band": OutsideBand,
    "zero_conflict": ZeroConflict,
    "segments_differ": SegmentsDiffer,
    "lone_neighbour": LoneNeighbour,
    "neighbours_open": NeighboursOpen,
    "wrong_place": WrongPlace,
    "implausible": Implausible,
    "at_most": AtMost,
    "side_mismatch": SideMismatch,
    "level_differs": LevelDiffers,
    "missing_roles": MissingRoles,
}
