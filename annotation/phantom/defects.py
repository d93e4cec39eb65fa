"""The two edges of a pars defect: jagged, uneven, sclerotic, not parallel; contrast runs between the same edges."""

from __future__ import annotations

import numpy as np

from .anatomy import Anatomy, Defect
from .canvas import Array, Coords, Patch, ellipsoid, length
from .lumps import lumps

LEAST_GAP_MM = 1.1
CALM_MM = 6.5


def _rng(anatomy: Anatomy, defect: Defect, use: int) -> np.random.Generator:
    return np.random.default_rng([anatomy.seed, use, 1 + defect.side])


def edges(anatomy: Anatomy, defect: Defect, patch: Patch) -> tuple[Array, Array]:
    """Where the ventral and the dorsal piece end, along the first axis of the defect's frame.

    What both edges share lets one fit into the other like a broken plate; what each has of its own makes the gap
    wider here and narrower there. Far from the defect both are plain.
    """
    rng, at, seed = _rng(anatomy, defect, 51), patch.coords(defect.frame), anatomy.seed + 100 * (2 + defect.side)
    calm = np.clip((CALM_MM + 3.0 - length(at[1], at[2])) / 3.0, 0.0, 1.0)
    shared = np.float32(0.55) * lumps(patch, seed, 1.5, 10) + np.float32(0.20) * lumps(patch, seed + 1, 0.6, 12)
    lean, flare = float(rng.normal(0.0, 0.10)), float(rng.normal(0.0, 0.07))
    half = 0.5 * defect.gap_mm * (1.0 + flare * at[1] + lean * at[2] * 0.8)
    front, rear = (np.float32(0.32) * lumps(patch, seed + i, 0.9, 10) for i in (2, 3))
    half = np.clip(half, LEAST_GAP_MM / 2, 0.85 * defect.gap_mm)
    low = np.minimum(shared - half + front, shared - LEAST_GAP_MM / 2)
    high = np.maximum(shared + half + rear, shared + LEAST_GAP_MM / 2)
    plain = 0.5 * defect.gap_mm
    return np.asarray(calm * (low + plain) - plain), np.asarray(calm * (high - plain) + plain)


def stump_radii(anatomy: Anatomy, defect: Defect) -> tuple[float, float]:
    """How thick both pieces are at the defect: seldom alike."""
    rng = _rng(anatomy, defect, 53)
    return float(rng.uniform(4.3, 5.3)), float(rng.uniform(4.3, 5.5))


def margins(anatomy: Anatomy, defect: Defect, patch: Patch) -> tuple[Array, Array]:
    """How deep the sclerosis of the ventral and of the dorsal edge reaches, in mm."""
    rng = _rng(anatomy, defect, 55)
    uneven = lumps(patch, anatomy.seed + 97 + defect.side, 1.1, 10)
    ventral, dorsal = (float(thick) for thick in rng.uniform(0.5, 2.4, 2))
    one, other = np.clip(1.0 + 0.55 * uneven, 0.1, 2.2), np.clip(1.0 - 0.55 * uneven, 0.1, 2.2)
    return np.asarray(ventral * one), np.asarray(dorsal * other)


def fragments(anatomy: Anatomy, defect: Defect, at: Coords) -> Array | None:
    """Ossicles between the edges and callus on their outer rim; a third of the defects have none."""
    rng = _rng(anatomy, defect, 57)
    parts = []
    for _ in range(int(rng.integers(0, 3))):
        radius = min(float(rng.uniform(0.22, 0.32)) * defect.gap_mm, 1.0)
        spot = (float(rng.uniform(-0.4, 0.4)), float(rng.uniform(-4.6, -2.6)), float(rng.uniform(-3.6, 3.6)))
        parts.append(ellipsoid(at, spot, (radius, 1.2 * radius, 1.5 * radius)))
    for side in (-1.0, 1.0):
        high, wide = float(rng.uniform(0.6, 1.4)), float(rng.uniform(1.0, 2.2))
        along = side * (0.5 * defect.gap_mm + 0.8 * wide)
        if rng.random() < 0.6:
            parts.append(ellipsoid(at, (along, -3.8, float(rng.uniform(-3, 3))), (wide, high, wide + 0.5)))
    return np.asarray(np.minimum.reduce(parts)) if parts else None
