"""The endplates of one person: how deep each is dished, where it is deepest, how uneven a worn disc has made it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .canvas import Array
from .truth import Truth

SEGMENT_BELOW = {"L1": "L1/2", "L2": "L2/3", "L3": "L3/4", "L4": "L4/5", "L5": "L5/S1"}
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

    def hollow(self, a: Array, inner: Array) -> Array:
        """How deep the plate lies under the plane of its rim (mm); ``a`` runs from -1 in front to 1 behind.

        ``inner`` falls from 1 in the middle to 0 at the rim.
        """
        if not self.rear:
            return np.asarray(inner * np.float32(self.dish_mm))
        return np.asarray(inner * (np.float32(self.dish_mm) + a * np.float32(self.dish_mm * self.rear)))

    def uneven(self, a: Array, lateral: Array) -> Array:
        """How a worn plate wanders (mm)."""
        long, short, one, two = self.waves
        return np.asarray(
            self.uneven_mm * (np.sin(long * a + 0.13 * lateral + one) + np.sin(short * a - 0.2 * lateral + two))
        )


def inside_rim(ring: Array) -> Array:
    """Return 1 in the middle of a plate and 0 from its rim on, where ``ring`` is 1."""
    inner = ring * ring
    inner *= inner
    np.subtract(1.0, inner, out=inner)
    return np.asarray(np.maximum(inner, 0.0, out=inner))


@dataclass(frozen=True)
class Disc:
    """A disc between two vertebrae with the plates that bound it."""

    below: str
    above: str
    grade: int
    lower: Plate
    upper: Plate
    seed: int


def discs_of(truth: Truth, seed: int, *, lumbarised: bool) -> tuple[Disc, ...]:
    """All discs from S2/3 to T10/11."""
    found = []
    for place, (below, above) in enumerate(pairwise(ORDER)):
        grade = truth.pfirrmann_by_segment.get(SEGMENT_BELOW.get(above, ""), 2)
        if above.startswith("S"):
            grade = 2 if lumbarised and above == "S1" else 4
        rng = np.random.default_rng((seed, 11, place))
        lower, upper = (_plate(rng, bone, grade, index=above == truth.level) for bone in (below, above))
        found.append(Disc(below, above, grade, lower, upper, place))
    return tuple(found)


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
