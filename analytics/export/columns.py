"""The data of a study as columns that every file format writes alike: values, labels, units, missing values."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analytics import derive
from analytics.frames import ADJUDICATED, Frames, Variable
from analytics.frames.frame import MAIN

__all__ = ["NOT_GRADED", "NOT_RECORDED", "UNDEFINED", "Column", "absences", "column_name", "wide"]

Array = NDArray[np.float64]
NOT_GRADED, NOT_RECORDED, UNDEFINED = "not_graded", "not_recorded", "undefined"
WORDS = {
    NOT_GRADED: "Not graded",
    NOT_RECORDED: "Not recorded",
    UNDEFINED: "Undefined: no baseline pain, or a score is missing",
}
LONGEST_NAME = 32  # Stata's limit; SPSS and REDCap allow more
TIMES = {"15min": "15 min", "1month": "1 month"}
RESPONSES = (
    "Increased pain",
    "No change",
    "Less pain, under 50 %",
    "50 % to under 75 %",
    "75 % to under 100 %",
    "Complete relief",
)
MEASURED = {
    "age": ("Age", "years", 0),
    "bmi": ("Body mass index", "kg/m²", 1),
    "nrs_baseline": ("Pain at baseline (NRS)", "0-10", 1),
    "nrs_15min": ("Pain after 15 min (NRS)", "0-10", 1),
    "nrs_1month": ("Pain after 1 month (NRS)", "0-10", 1),
}


@dataclass(frozen=True)
class Column:
    """One variable of one row a case.

    Attributes
    ----------
    name : str
        Lower case, unique, at most 32 letters: legal in every program.
    kind : {"text", "nominal", "ordinal", "continuous"}
        Measurement level.
    values : ndarray, shape (cases,)
        Codes or measurements; NaN where there is none. Empty for text.
    texts : tuple of str
        Of a text column.
    levels : mapping of int to str
        Label of each declared code.
    words : mapping of int to str
        The word plain tables have for a code.
    gone : tuple of str
        By case, why there is no value: a code of `absences`, or nothing where there is one.
    item, reader : str
        Of a finding.
    """

    name: str
    label: str
    kind: Literal["text", "nominal", "ordinal", "continuous"]
    values: Array
    gone: tuple[str, ...]
    levels: Mapping[int, str] = field(default_factory=dict)
    words: Mapping[int, str] = field(default_factory=dict)
    unit: str = ""
    decimals: int = 0
    texts: tuple[str, ...] = ()
    item: str = ""
    reader: str = ""
    note: str = ""

    @property
    def coded(self) -> bool:
        """Whether the values are codes of declared levels."""
        return bool(self.levels)

    def label_of(self, value: float) -> str:
        """Give a value as a person reads it."""
        return self.levels[int(value)] if self.coded else number(value)


def number(value: float) -> str:
    """Write a number so that it is read back the same, a whole one without its point."""
    if math.isnan(value):
        return ""
    return str(int(value)) if value == int(value) else repr(float(value))


def absences(frames: Frames) -> dict[str, str]:
    """Give every reason for which a value may be missing, with its words, in the order of the missing codes."""
    return {**WORDS, **{code: f"Not assessable: {label}" for code, label in frames.reasons.items()}}


def column_name(parts: Iterable[str], taken: Iterable[str] = ()) -> str:
    """Make a name that R, SPSS, Stata and REDCap accept and that nothing else has."""
    whole = re.sub(r"[^a-z0-9_]+", "_", "_".join(part for part in parts if part).lower()).strip("_")
    whole = whole if whole[:1].isalpha() else f"v_{whole}"
    known, name, count = set(taken), whole[:LONGEST_NAME], 1
    while name in known:
        count += 1
        name = f"{whole[: LONGEST_NAME - len(str(count)) - 1]}_{count}"
    return name


def wide(frames: Frames) -> list[Column]:
    """Give one row a case: characteristics, outcomes with what follows from them, and every finding of every reader."""
    columns = [Column("case_id", "Case", "text", np.empty(0), ("",) * len(frames.cases), texts=frames.cases)]
    columns += _clinical(frames) if frames.has_outcomes else []
    for reader in (*frames.readers, *((ADJUDICATED,) if frames.adjudicated is not None else ())):
        rounds = [("", reader), *((name, reader) for name in frames.again.get(reader, {}))]
        for round, _ in rounds:
            for item in frames.items:
                columns.append(_finding(frames, item, reader, round, [column.name for column in columns]))
    return columns


def _clinical(frames: Frames) -> list[Column]:
    found = []
    for name in ("age", "sex", "bmi", "level", "nrs_baseline", "nrs_15min", "nrs_1month"):
        values = frames.measured(name)
        if name in frames.characteristics:
            found.append(_coded(frames.characteristics[name], name, values, _gone(values, NOT_RECORDED)))
        else:
            label, unit, decimals = MEASURED[name]
            gone = _gone(values, NOT_RECORDED)
            found.append(Column(name, label, "continuous", values, gone, unit=unit, decimals=decimals))
    baseline = frames.measured("nrs_baseline")
    for time, said in TIMES.items():
        followup = frames.measured(f"nrs_{time}")
        reduced, reached = derive.percent_reduction(baseline, followup), derive.success(baseline, followup)
        gone = _gone(reached, UNDEFINED)
        note = "100 (baseline - follow-up) / baseline; positive is less pain"
        found += [
            Column(
                f"ppr_{time}", f"Pain reduction, {said}", "continuous", reduced, gone, unit="%", decimals=2, note=note
            ),
            Column(
                f"success_{time}",
                f"Success, {said}",
                "nominal",
                reached,
                gone,
                {0: "No", 1: "Yes"},
                {0: "0", 1: "1"},
                note="pain fell by at least half, decided on the scores",
            ),
            Column(
                f"response_{time}",
                f"Response, {said}",
                "ordinal",
                derive.response(baseline, followup),
                gone,
                dict(enumerate(RESPONSES)),
                dict(enumerate(derive.RESPONSES)),
            ),
        ]
    return found


def _gone(values: Array, why: str) -> tuple[str, ...]:
    return tuple("" if math.isfinite(value) else why for value in values)


def _coded(one: Variable, name: str, values: Array, gone: Sequence[str], *, said: str = "", reader: str = "") -> Column:
    return Column(
        name,
        one.title + said,
        one.kind,
        values,
        tuple(gone),
        dict(zip(one.codes, one.labels, strict=True)),
        dict(zip(one.codes, one.names, strict=True)),
        one.unit,
        one.decimals,
        item=one.code if reader else "",
        reader=reader,
    )


def _finding(frames: Frames, item: Variable, reader: str, round: str, taken: Sequence[str]) -> Column:
    grades = frames.again[reader][round][item.code].to_numpy(dtype=float) if round else None
    values = frames.grades(reader, item.code) if grades is None else grades
    excused = frames.excused.get((reader, round or MAIN, item.code), {})
    gone = [
        "" if math.isfinite(value) else excused.get(case, NOT_GRADED)
        for case, value in zip(frames.cases, values, strict=True)
    ]
    said = f", {reader}{f', round {round}' if round else ''}"
    return _coded(item, column_name((item.code, reader, round), taken), values, gone, said=said, reader=reader)
