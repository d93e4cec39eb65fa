"""Where each finding of a phantom is seen: the slice, its window and the part that shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from annotation.phantom import Phantom
from spondy.demo.sheet import places
from spondy.demo.sheet.tiles import View

SAME_PLACE_MM = 0.01
CT_SLICES = 5
ADDED_HU = 900


@dataclass(frozen=True)
class Spot:
    """One finding's place: the role of its series, the slice by where it lies, and what of it is shown."""

    cell: str
    role: str
    position_lps_mm: tuple[float, float, float]
    centre_lps_mm: tuple[float, float, float]
    height_mm: float
    window: tuple[float, float]

    def document(self) -> dict[str, Any]:
        return asdict(self)


def _views(case: Phantom) -> Iterator[tuple[str, View]]:
    truth = case.truth

    def worse(pair: tuple[int, int]) -> str:
        return "right" if pair[0] >= pair[1] else "left"

    for side in ("right", "left"):
        views = places.ct(case, "CT_POST", side, count=CT_SLICES)
        yield f"contrast_pattern.{side}", max(views, key=lambda view: _added(case, view))
    yield "segment_degeneration.case", places.midline(case, "SAG_T2")
    yield "pfirrmann.case", places.middle_cut(case, "SAG_T2")
    yield "modic_type1.case", places.middle_cut(case, "SAG_T1")
    yield "slip_mm.case", places.middle_cut(case, "SAG_T2")
    yield "meyerding.case", places.middle_cut(case, "SAG_T2")
    for item in ("weishaupt", "bartynski"):
        yield f"{item}.case", places.axial(case, count=1)[0]
    yield "lee.case", places.parasagittal(case, "SAG_T1", worse(truth.lee), count=1)[0]
    for cell, pair in (
        ("isthmic_bme.case", truth.isthmic_bme),
        ("soft_tissue_edema_cyst.edema", truth.edema),
        ("soft_tissue_edema_cyst.cyst", truth.cyst),
    ):
        yield cell, places.parasagittal(case, "SAG_STIR", worse(pair), count=1)[0]


def _added(case: Phantom, view: View) -> int:
    """Count the pixels near the defect that have become much denser: there the contrast is."""
    before, after = case.get("CT_PRE").pixels[view.index], view.series.pixels[view.index]
    plane = view.series.planes[view.index]
    row, column, _ = plane.pixel(view.centre)
    reach = int(view.size_mm[0] / 2.5 / plane.spacing_rc_mm[0])
    part = tuple(slice(max(0, int(at) - reach), int(at) + reach) for at in (row, column))
    return int(np.count_nonzero(after[part].astype(int) - before[part] > ADDED_HU))


def spots(case: Phantom) -> dict[str, Spot]:
    """Give the place of every finding that the forms ask for, by its cell."""
    found = {}
    for cell, view in _views(case):
        plane = view.series.planes[view.index]
        x, y, z = (float(v) for v in _onto(plane.position_lps_mm, np.cross(plane.row_lps, plane.column_lps), view))
        found[cell] = Spot(
            cell,
            view.series.role,
            plane.position_lps_mm,
            (x, y, z),
            float(view.size_mm[1]),
            view.window or view.series.window,
        )
    return found


def _onto(origin: Sequence[float], normal: Any, view: View) -> Any:
    """Lay the middle of a view on its slice."""
    off = float((view.centre - np.asarray(origin)) @ normal)
    return np.round(view.centre - off * normal, 4)
