"""The contact sheet: every finding at every grade, with the series and slice that show it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from annotation.phantom import Phantom, Truth, build, draw

from . import places
from .tiles import View, montage, tile

Pick = Callable[[Phantom], list[View]]
QUALITY = 82


@dataclass(frozen=True)
class Row:
    """One finding: its grades with the changes that plant them, the groups of series to draw, what to look at."""

    name: str
    title: str
    grades: tuple[tuple[str, dict[str, Any]], ...]
    only: tuple[str, ...]
    pick: Pick


def plain() -> Truth:
    """A spine with both defects and nothing else."""
    return replace(
        draw(np.random.default_rng(11)),
        level="L5", slip_mm=3.0, endplate_mm=34.0, modic_type1=0, weishaupt=(0, 0), bartynski=(0, 0), lee=(0, 0),
        isthmic_bme=(0, 0), edema=(0, 0), cyst=(0, 0), contrast_pattern=(1, 1), bmi=25.0, age=42, sex="M",
        segment_degeneration=0, confounders=(),
        pfirrmann_by_segment={"L1/2": 1, "L2/3": 1, "L3/4": 2, "L4/5": 2, "L5/S1": 2},
    )  # fmt: skip


def _both(item: str, grades: range) -> tuple[tuple[str, dict[str, Any]], ...]:
    return tuple((str(grade), {item: (grade, grade)}) for grade in grades)


def _middle(*roles: str) -> Pick:
    return lambda case: [places.middle_cut(case, role, zoom=3.6) for role in roles]


def _side(*roles: str) -> Pick:
    return lambda case: [places.parasagittal(case, role, "right", zoom=3.6)[1] for role in roles]


def _side_pair(*roles: str) -> Pick:
    return lambda case: [view for role in roles for view in places.parasagittal(case, role, "right", zoom=3.6)[1:3]]


def _axial(*which: int) -> Pick:
    return lambda case: [places.axial(case, zoom=3.2)[i] for i in which]


def _above(*roles: str) -> Pick:
    """The two bodies over the lytic one."""
    return lambda case: [
        replace(places.middle_cut(case, role, zoom=3.6), centre=case.anatomy.vertebrae["L3"].frame.world((0, -8, -12)))
        for role in roles
    ]


def _ct(case: Phantom) -> list[View]:
    before, after = (places.ct(case, role, "right", zoom=4.8)[2] for role in ("CT_PRE", "CT_POST"))
    return [before, after]


def _slips() -> tuple[tuple[str, dict[str, Any]], ...]:
    """No disc stays whole below a far slip."""
    plans = ((0.0, 2), (0.14, 3), (0.36, 4), (0.62, 4), (0.86, 5), (1.12, 5))
    return tuple(
        (str(grade), {"slip_mm": round(share * 34.0, 1), **_discs(disc)}) for grade, (share, disc) in enumerate(plans)
    )


def _discs(grade: int) -> dict[str, Any]:
    return {"pfirrmann_by_segment": {**plain().pfirrmann_by_segment, "L5/S1": grade}}


def rows() -> tuple[Row, ...]:
    """Every finding of the study."""
    many = {"L1/2": 2, "L2/3": 4, "L3/4": 3, "L4/5": 5, "L5/S1": 4}
    return (
        Row("disc", "Pfirrmann, sagittal T2", tuple((str(g), _discs(g)) for g in range(1, 6)), ("sagittal",),
            _middle("SAG_T2")),
        Row("modic", "Modic I, T1 T2 STIR", (("no", _discs(4)), ("yes (I)", {"modic_type1": 1, **_discs(4)}),
            ("no (II)", {"confounders": ("modic_2",), **_discs(4)}),
            ("no (III)", {"confounders": ("modic_3",), **_discs(4)})), ("sagittal",),
            _middle("SAG_T1", "SAG_T2", "SAG_STIR")),
        Row("facet", "Weishaupt, axial T2", _both("weishaupt", range(4)), ("axial",), _axial(1, 2)),
        Row("recess", "Bartynski, axial T2", _both("bartynski", range(4)), ("axial",), _axial(1, 2)),
        Row("foramen", "Lee, parasagittal T1, two slices", _both("lee", range(4)), ("sagittal",), _side_pair("SAG_T1")),
        Row("slip", "Slip and Meyerding, midline T2", _slips(), ("sagittal",), _middle("SAG_T2")),
        Row("isthmus", "Isthmic oedema, T1 STIR", _both("isthmic_bme", range(2)), ("sagittal",),
            _side("SAG_T1", "SAG_STIR")),
        Row("soft", "Soft tissue oedema and synovial cyst, STIR, two slices",
            (("none", {}), ("oedema", {"edema": (1, 1)}), ("cyst", {"cyst": (1, 1)})), ("sagittal",),
            _side_pair("SAG_STIR")),
        Row("contrast", "Contrast, CT before and after", _both("contrast_pattern", range(1, 4)), ("ct",), _ct),
        Row("extent", "Degeneration: one segment, several",
            (("uni", _discs(4)), ("multi", {"pfirrmann_by_segment": many})), ("sagittal",),
            lambda case: [places.midline(case, role, zoom=2.6) for role in ("SAG_T2", "SAG_T1")]),
        Row("lookalikes", "No findings: Schmorl node, haemangioma; T2 T1",
            tuple((name, {"confounders": (name,)}) for name in ("schmorl", "haemangioma")), ("sagittal",),
            _above("SAG_T2", "SAG_T1")),
        Row("effusion", "No finding: effusion of a joint, axial T2", (("effusion", {"confounders": ("effusion",)}),),
            ("axial",), _axial(1, 2)),
    )  # fmt: skip


def case_of(row: Row, grade: str, *, seed: int, size: str) -> Phantom:
    """Draw the case of one grade."""
    return build(replace(plain(), **dict(row.grades)[grade]), seed=seed, size=size, only=row.only)


def cases(row: Row, *, seed: int, size: str) -> Iterator[tuple[str, Phantom]]:
    """Draw one case a grade, in the order of the row."""
    return ((grade, case_of(row, grade, seed=seed, size=size)) for grade, _ in row.grades)


def page(row: Row, drawn: Iterable[tuple[str, Phantom]], *, across: int = 1000) -> Image.Image:
    """One finding, its grades one below or beside the other."""
    cells = [[tile(replace(view, title=f"{label}: {view.title}")) for view in row.pick(case)] for label, case in drawn]
    wide = max(sum(cut.width for cut in cell) for cell in cells)
    beside = max(1, across // wide)
    lines = [[cut for cell in cells[i : i + beside] for cut in cell] for i in range(0, len(cells), beside)]
    return montage(lines, row.title)


def write_page(folder: Path, row: Row, drawn: Iterable[tuple[str, Phantom]]) -> Path:
    """Write the picture of one finding."""
    path = folder / f"phantom-{row.name}.jpg"
    page(row, drawn).save(path, quality=QUALITY, optimize=True)
    return path


def write_contact(folder: Path, *, seed: int, size: str) -> list[Path]:
    """Write one picture a finding; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    return [write_page(folder, row, cases(row, seed=seed, size=size)) for row in rows()]
