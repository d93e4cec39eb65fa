"""The endplates of one person: how deep each is dished, where it is deepest, how uneven a worn disc has made it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .anatomy import SEGMENT_BELOW, Anatomy
from .canvas import Array

ORDER = ("S3", "S2", "S1", "L5", "L4", "L3", "L2", "L1", "T12", "T11", "T10")
# by Pfirrmann grade: shallowest and deepest dish (mm), unevenness (mm), bony lip in front (mm)
_WORN = {
    1: (1.3, 2.5, 0.0, 0.3),
    2: (1.2, 2.4, 0.0, 0.4),
    3: (1.0, 2.0, 0.0, 0.8),
    4: (0.6, 1.4, 0.18, 1.8),
    5: (0.2, 0.8, 0.34, 2.6),
}


@dataclass(frozen=True)
class Plate:
    """One endplate.

    ``rear`` is by how much deeper the dish is behind than in front; ``waves`` holds two frequencies and two phases.
    """

    dish_mm: float
    rear: float
    uneven_mm: float
    waves: tuple[float, float, float, float]
    lip_mm: float

    def hollow(self, a: Array, ring: Array) -> Array:
        """How deep the plate lies under the plane of its rim (mm); ``a`` runs from -1 in front to 1 behind."""
        rim = ring * ring
        inner = np.maximum(1.0 - rim * rim, 0.0)
        return np.asarray(inner * (self.dish_mm + (self.dish_mm * self.rear) * a))

    def uneven(self, a: Array, lateral: Array) -> Array:
        """How a worn plate wanders (mm)."""
        long, short, one, two = self.waves
        return np.asarray(
            self.uneven_mm * (np.sin(long * a + 0.13 * lateral + one) + np.sin(short * a - 0.2 * lateral + two))
        )


@dataclass(frozen=True)
class Disc:
    """A disc between two vertebrae with the plates that bound it."""

    below: str
    above: str
    grade: int
    lower: Plate
    upper: Plate
    seed: int


def discs_of(anatomy: Anatomy) -> list[Disc]:
    """All discs from S2/3 to T10/11, always the same for the same person."""
    found = []
    for place, (below, above) in enumerate(pairwise(ORDER)):
        grade = anatomy.truth.pfirrmann_by_segment.get(SEGMENT_BELOW.get(above, ""), 2)
        if above.startswith("S"):
            grade = 2 if anatomy.lumbarised and above == "S1" else 4
        rng = np.random.default_rng((anatomy.seed, 11, place))
        lower, upper = (_plate(rng, bone, grade, index=above == anatomy.truth.level) for bone in (below, above))
        found.append(Disc(below, above, grade, lower, upper, place))
    return found


def _plate(rng: np.random.Generator, bone: str, grade: int, *, index: bool) -> Plate:
    low, high, uneven, lip = _WORN[grade]
    sacral = bone.startswith("S")
    dish = float(rng.uniform(0.4, 0.8) if sacral else rng.uniform(low, high))
    # a plate is deepest behind its middle; the sacral one, whose corners the slip is measured from, stays even
    rear = 0.0 if sacral else float(rng.uniform(0.0, 0.45))
    one, two, three, four = (float(rng.uniform(*ends)) for ends in ((2.0, 6.0), (6.0, 13.0), (0.0, 6.28), (0.0, 6.28)))
    # the corners at the index disc are landmarks: a large spur there would be another endplate
    lip = float(rng.uniform(0.3, 1.0)) * (min(lip, 1.0) if index else lip) * (0.0 if sacral and not index else 1.0)
    return Plate(dish, rear, uneven, (one, two, three, four), lip)
