"""How the images were made: the scanning parameters by role and field strength, as a supplement prints them.

Counted are the series that readers may be shown, of patients who take part. Values stay unrounded until they are
printed; what a header does not say is left out, and the number that said it stands beside the median.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from statistics import median
from typing import Any

from annotation.access import study_for
from annotation.dicom.roles import ROLE_TITLES
from annotation.intake.scans import ALL_CT, GROUPS, OF_THE_SPINE, PARAMETERS, Parameter, Scan, scans_of
from annotation.models import Role
from annotation.people import Person

EVERY_DIGIT = Context(prec=400)
"""The longest float has 309 digits before its point; a header may hold anything."""


@dataclass(frozen=True)
class Summary:
    """Median and range of one parameter, unrounded, of the `n` series that state it among `of`."""

    n: int
    of: int
    median: float | None
    low: float | None
    high: float | None
    decimals: int

    @property
    def text(self) -> str:
        if self.median is None or self.low is None or self.high is None:
            return "–"
        middle, low, high = (rounded(value, self.decimals) for value in (self.median, self.low, self.high))
        return middle if low == high else f"{middle} ({low}–{high})"

    @property
    def partly(self) -> bool:
        return 0 < self.n < self.of


@dataclass(frozen=True)
class Line:
    title: str
    unit: str
    cells: tuple[Summary, ...]


@dataclass(frozen=True)
class Words:
    """Counts of what has no median: makers, kernels."""

    title: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Column:
    """One series role of a group."""

    role: str
    title: str
    cases: int
    series: int


@dataclass(frozen=True)
class Block:
    """One group: its series roles side by side, their parameters one under the other."""

    group: str
    modality: str
    cases: int
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    words: tuple[Words, ...]


@dataclass(frozen=True)
class FieldRow:
    """Cases by the field strength of their MRI; the percentage is of the cases that have one."""

    title: str
    n: int
    percent: float


@dataclass(frozen=True)
class Scanning:
    fields: tuple[FieldRow, ...]
    mri_cases: int
    blocks: tuple[Block, ...]

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row a group, role and parameter, numbers as they are."""
        for block in self.blocks:
            for line in block.lines:
                for column, one in zip(block.columns, line.cells, strict=True):
                    yield {
                        "role": column.role, "group": block.group, "cases": column.cases, "series": column.series,
                        "parameter": line.title, "unit": line.unit, "n": one.n, "median": one.median,
                        "low": one.low, "high": one.high,
                    }  # fmt: skip


COLUMNS = ("role", "group", "cases", "series", "parameter", "unit", "n", "median", "low", "high")


def scanning_table(person: Person, code: str) -> Scanning:
    """Give the table; two queries, however many series there are."""
    study = study_for(person, code, Role.COORDINATOR)
    scans = list(scans_of(study))
    groups = [name for name in GROUPS if any(scan.group == name for scan in scans)]
    fields, mri_cases = _fields(scans, groups)
    blocks = tuple(_block(group, [scan for scan in scans if scan.group == group]) for group in groups)
    return Scanning(fields, mri_cases, blocks)


def _fields(scans: Sequence[Scan], groups: Sequence[str]) -> tuple[tuple[FieldRow, ...], int]:
    seen: dict[int, set[str]] = {}
    for scan in scans:
        if scan.modality == "MR":
            seen.setdefault(scan.case, set()).add(scan.group)
    counted = Counter("more than one" if len(found) > 1 else next(iter(found)) for found in seen.values())
    total = len(seen)
    names = [name for name in (*groups, "more than one") if counted[name]]
    return tuple(FieldRow(name, counted[name], 100 * counted[name] / total) for name in names), total


def _block(group: str, scans: Sequence[Scan]) -> Block:
    roles = [role for role in OF_THE_SPINE if any(scan.role == role for scan in scans)]
    own = [[scan for scan in scans if scan.role == role] for role in roles]
    modality = "CT" if group == ALL_CT else "MR"
    lines = [
        Line(one.title, one.unit, tuple(summary(one, each) for each in own))
        for one in PARAMETERS
        if one.modality in ("", modality)
    ]
    told = {"maker": "Maker"} if modality == "MR" else {"kernel": "Kernel", "maker": "Maker"}
    return Block(
        group,
        modality,
        len({scan.case for scan in scans}),
        tuple(
            Column(role, ROLE_TITLES[role], len({scan.case for scan in each}), len(each))
            for role, each in zip(roles, own, strict=True)
        ),
        tuple(line for line in lines if any(cell.n for cell in line.cells)),
        tuple(Words(title, tuple(_counted(name, each) for each in own)) for name, title in told.items()),
    )


def summary(parameter: Parameter, scans: Sequence[Scan]) -> Summary:
    """Median and range over the series that state the parameter."""
    values = [value for scan in scans if (value := parameter.of(scan.told)) is not None]
    if not values:
        return Summary(0, len(scans), None, None, None, parameter.decimals)
    middle = float(median(Decimal(repr(value)) for value in values))  # of 0.57 and 0.58 it is 0.575, not a hair less
    return Summary(len(values), len(scans), middle, min(values), max(values), parameter.decimals)


def _counted(name: str, scans: Sequence[Scan]) -> str:
    counts = Counter(str(scan.told.get(name) or "not stated") for scan in scans)
    return ", ".join(f"{word} {number}" for word, number in counts.most_common()) or "–"


def rounded(value: float, decimals: int) -> str:
    """Print a number half up as it is written, without zeros that say nothing: 0.575 is 0.58, and 4.00 is 4."""
    step = Decimal(1).scaleb(-decimals)
    text = f"{EVERY_DIGIT.plus(Decimal(repr(value)).quantize(step, ROUND_HALF_UP, EVERY_DIGIT)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
