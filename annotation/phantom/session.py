"""A visit to the scanners: the sizes of the series, the plan of one person's scans, and what a series is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .anatomy import Anatomy
from .canvas import SlicePlane, Vector

MR_ROLES = {"T1": "SAG_T1", "T2": "SAG_T2", "STIR": "SAG_STIR"}
MOVING = ("SAG_STIR", "AX_T2")
"""Series before which a patient may move; T2 and T1 come first and share the positions of the landmarks."""
MOVES = 0.3
VENDORS = ("north", "south")
BANDWIDTH_HZ = {1.5: 180, 3.0: 300}
FAT_PPM = 3.5
HERTZ_A_TESLA = 42.577e6


@dataclass(frozen=True)
class CtSize:
    """Matrix and spacing (mm); so many layers of 1 mm are painted, and a slice is made of one of ``thick`` layers.

    What lies around the column is painted once for ``group`` layers.
    """

    matrix: int
    spacing_mm: float
    layers: int
    group: int
    thick: tuple[int, ...]


@dataclass(frozen=True)
class Size:
    """Matrix, spacing (mm), slices, step (mm) and sub-slices of each kind of MR series; the CT.

    ``localiser`` is matrix, spacing, slices a plane; ``controls`` the CT control scans a side.
    """

    sagittal: tuple[int, float, int, float, int]
    axial: tuple[int, float, int, float, int]
    ct: CtSize
    localiser: tuple[int, float, int]
    controls: int


SIZES: dict[str, Size] = {
    "demo": Size(
        sagittal=(256, 1.1, 13, 4.4, 3),
        axial=(192, 0.94, 4, 4.4, 3),
        ct=CtSize(256, 0.8, layers=40, group=2, thick=(2,)),
        localiser=(128, 2.6, 1),
        controls=1,
    ),
    "clinical": Size(
        sagittal=(384, 0.75, 15, 4.4, 3),
        axial=(320, 0.6, 5, 4.4, 3),
        ct=CtSize(512, 0.4, layers=60, group=3, thick=(1, 2, 3)),
        localiser=(256, 1.4, 3),
        controls=2,
    ),
}


@dataclass(frozen=True)
class PhantomSeries:
    """One series: stored pixel values (frames, rows, columns) and the plane of each frame in its frame of reference."""

    role: str
    pixels: NDArray[Any]
    planes: tuple[SlicePlane, ...]
    thickness_mm: float
    step_mm: float
    rescale: tuple[float, float] = (1.0, 0.0)
    window: tuple[float, float] = (0.0, 0.0)
    side: int = 0
    """The patient's side a control scan was made for: -1 right, 1 left."""


@dataclass(frozen=True)
class Plan:
    """What one person's scans depend on beside the person."""

    vendor: str
    tilt: float
    middle_x: float
    ct_offset: Vector
    field_strength: float
    ct_thick: int
    last_side: int
    moved: dict[str, Vector] = field(default_factory=dict)

    @property
    def rescale(self) -> tuple[float, float]:
        """Slope and intercept of stored MR values: one maker stores them as they are, the other scaled."""
        return (1.0, 0.0) if self.vendor == "north" else (1.47, 0.0)

    @property
    def fat_shift_px(self) -> float:
        """How many pixels fat lies beside water along the frequency direction."""
        return FAT_PPM * 1e-6 * HERTZ_A_TESLA * self.field_strength / BANDWIDTH_HZ[self.field_strength]


def planned(anatomy: Anatomy, rng: np.random.Generator, size: Size) -> Plan:
    """Draw the plan of one person's scans."""
    offset = np.round(rng.uniform((-12, -40, -900), (12, 10, -500)), 1)
    vendor = VENDORS[int(rng.integers(0, 2))]
    tilt = float(np.radians(rng.normal(0.0, 0.8)))
    middle = anatomy.lytic.x + float(rng.uniform(-0.8, 0.8))
    field_strength = 1.5 if rng.random() < 58 / 134 else 3.0
    moved = {}
    for role in MOVING:
        away = np.clip(rng.normal(0.0, 1.4, 3), -3.0, 3.0)
        if rng.random() < MOVES:
            moved[role] = away
    if "SAG_STIR" in moved:  # within the slices, so that the three sagittal series keep their planes
        row = np.array([np.sin(tilt), np.cos(tilt), 0.0])
        away = moved["SAG_STIR"]
        moved["SAG_STIR"] = float(away @ row) * row + np.array([0.0, 0.0, float(away[2])])
    thick = size.ct.thick[int(rng.integers(len(size.ct.thick)))]
    last = 1 if rng.random() < 0.5 else -1
    return Plan(vendor, tilt, middle, offset, field_strength, thick, last, moved)
