"""Paint what is planted in the foramina of the lytic segment (Lee).

In a lytic slip the foramen narrows from below and in front, where the disc bulges, and from behind, where ligament and
stump of the isthmus thicken. The fat goes first where these come near; what takes its place is grey, not black.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import tissues as t
from .anatomy import Anatomy
from .canal import root_distance, root_path
from .canvas import Array, Canvas, Coords, Patch, capsule, length

ROOT_RADII_MM = (1.7, 2.7, 2.2)
"""Of the exiting root along its way, as the canal's painter draws it."""
FLAT_MM = (3.9, 1.25)
"""Half depth and half height of a collapsed root."""
FAR_MM = 6.0
"""So much longer than usual a foramen is torn rather than filled."""
LONG_MM = 4.5
"""How far a narrowing reaches to either side of the middle of the foramen before it grows less."""


@dataclass(frozen=True)
class Foramen:
    """One foramen of one person, in the frame of the lytic vertebra, outwards to its own side."""

    grade: int
    path: list[tuple[float, float, float]]
    out: float
    base: float
    """Height of the lower endplate at the back."""
    across: bool
    """Grade 1: fat is lost before and behind the root, not above and below."""
    tilt: float
    shade: float
    gap: float
    vessel: float
    slip: float
    """How much longer than usual the foramen is from front to back."""

    def level(self, across: Array) -> Array:
        """Height of the middle of the root, by its distance from the midline."""
        return self._way(across, 2)

    def depth(self, across: Array) -> Array:
        """How far behind the middle of the root lies."""
        return self._way(across, 1)

    def _way(self, across: Array, axis: int) -> Array:
        found = np.interp(across, [point[0] for point in self.path], [point[axis] for point in self.path])
        return np.asarray(found, dtype=np.float32)


def foramen_of(anatomy: Anatomy, i: int) -> Foramen:
    """Return the right (0) or left (1) foramen of the lytic segment."""
    bone = anatomy.lytic
    rng = np.random.default_rng([anatomy.seed, 23, i])
    return Foramen(
        grade=anatomy.truth.lee[i],
        path=root_path(bone, 1),
        out=bone.pedicle + 1.0,
        base=-bone.height / 2,
        across=bool(rng.random() < 0.4),
        tilt=float(rng.uniform(-0.35, 0.15)),
        shade=float(rng.uniform(0.9, 1.12)),
        gap=float(rng.uniform(-0.3, 0.2)),
        vessel=float(rng.uniform(1.2, 2.4)),
        slip=min(max(0.0, anatomy.truth.slip_mm - 3.0), 12.0),
    )


def paint_foramina(canvas: Canvas, anatomy: Anatomy) -> None:
    """Foraminal stenosis; after the discs and before the bodies, so that the tissue grows out of them."""
    for i, side in enumerate((-1, 1)):
        place = foramen_of(anatomy, i)
        ends = sorted((side * (place.out - 13.0), side * (place.out + 15.0)))
        frame = anatomy.lytic.frame
        patch = canvas.box(frame, (ends[0], -14.0, -32.0), (ends[1], 20.0 + place.slip, 8.0)) if place.grade else None
        if patch is not None:
            x, p, s = patch.coords(frame)
            _foramen(patch, place, (x * side, p, s))


def _foramen(patch: Patch, place: Foramen, at: Coords) -> None:
    across, p, s = at
    # millimetres behind and above the middle of the root
    behind, above = p - place.depth(across), s - place.level(across)
    # all that narrows grows less towards the canal and towards the psoas
    less = np.maximum(np.abs(across - place.out) - LONG_MM, 0.0)
    if place.grade > 1:
        _filled(patch, place, (behind, above, less))
    parts = _encroaching(place, at, (behind, above, less))
    for distance, tissue in parts:
        patch.paint(patch.cover(distance, 1.3), t.shaded(tissue, place.shade), grain=0.16)
    if place.grade > 1 and place.slip > FAR_MM:
        _remnants(patch, place, (behind, above, less))
    patch.paint(_root(patch, place, at, (behind, above, less)), t.shaded(t.GANGLION, 1.12 if place.grade > 1 else 1.0))


def _filled(patch: Patch, place: Foramen, near: Coords) -> None:
    """Grey tissue in the place of the fat, with rests of fat and a vessel in it."""
    behind, above, less = near
    back = _drawn_out(behind, 0.5 * place.slip)
    shape = (length(back * (1.0 / 9.5), above * (1.0 / 9.0)) - 1.0) * 9.0 + 1.5 * less
    cover = patch.cover(shape + 0.5 * patch.texture(), 2.4)
    patch.paint(cover, t.shaded(t.GAP, 0.85 * place.shade), grain=0.2)
    far = np.clip((length(behind, above) - 4.6) * 0.4, 0.0, 1.0)
    rests = np.clip(0.18 * patch.texture() + 0.12 * patch.streaks() - 0.08, 0.0, 0.4) * far
    patch.paint(rests * cover, t.EPIDURAL_FAT)
    vessel = length(behind + 3.6, above - place.vessel) - 0.9 + 0.2 * less
    patch.paint(patch.cover(vessel) * 0.8, t.VESSEL)


def _remnants(patch: Patch, place: Foramen, near: Coords) -> None:
    """Strands of fat and grey scar: what a far slip has drawn out is torn and mixed, not one even mass."""
    behind, above, less = near
    off = length(_drawn_out(behind, place.slip) * (1.0 / 10.0), above * (1.0 / 8.5))
    within = np.clip((1.0 - off) * 4.0 - 0.12 * less, 0.0, 1.0) * np.clip((length(behind, above) - 4.4) * 0.5, 0.0, 1.0)
    mix = 0.5 * patch.texture() + 0.5 * patch.streaks()
    patch.paint(np.clip(0.40 + 0.40 * mix, 0.0, 0.8) * within, t.shaded(t.GAP, 1.15 * place.shade), grain=0.24)
    patch.paint(np.clip(0.42 * mix, 0.0, 0.5) * within, t.EPIDURAL_FAT)


def _drawn_out(behind: Array, slip: float) -> Array:
    """Depth from a middle, drawn out backwards: after a slip the back of the foramen lies further away."""
    return behind - np.clip(behind, 0.0, slip) if slip else behind


def _encroaching(place: Foramen, at: Coords, near: Coords) -> list[tuple[Array, t.Tissue]]:
    """Bulge of the disc, thick ligament, tissue under the pedicle: by grade, nearer to the root the higher it is."""
    behind, above, less = near
    flat = (at[0] * 0.0, at[1], at[2])
    closer = 0.9 if place.grade == 3 else 0.0
    tip = float(place.level(np.array(place.out)))
    bulge = capsule(flat, (0.0, -6.0, place.base - 3.5), (0.0, 3.6, tip - 7.1 + place.gap + closer), 4.3) + 0.7 * less
    single = place.across and place.grade == 1
    tall = 4.2 if single else 5.2
    ligament = (
        length(
            _drawn_out(behind - 7.0 + closer, place.slip if single else 0.5 * place.slip) * (1.0 / 4.0),
            above * (1.0 / tall),
        )
        - 1.0
    ) * 4.0 + 0.8 * less
    ridge = (length((behind + 6.3) * (1.0 / 3.2), above * (1.0 / tall)) - 1.0) * 3.2 + 0.8 * less
    roof = (length(behind * (1.0 / 4.8), (above - 5.4 + closer) * (1.0 / 2.9)) - 1.0) * 2.9 + 0.8 * less
    if place.grade > 1:
        return [(roof, t.SCAR), (ligament, t.FLAVUM), (bulge, t.ANNULUS)]
    return [(ridge, t.ANNULUS), (ligament, t.FLAVUM)] if place.across else [(roof, t.GAP), (bulge, t.ANNULUS)]


def _root(patch: Patch, place: Foramen, at: Coords, near: Coords) -> Array:
    """Coverage of the root: round on its way, a band where it has collapsed."""
    round_root = patch.cover(root_distance(at, place.path, ROOT_RADII_MM))
    if place.grade < 3:
        return round_root
    behind, above, less = near
    cos, sin = float(np.cos(place.tilt)), float(np.sin(place.tilt))
    share = np.clip(1.0 - less * (1.0 / 4.0), 0.0, 1.0)
    # it lies on the bulge: were it to run down as a free root does, its band would be lost in the thick slice
    above = above - 0.8 * share * (place.level(np.array(place.out)) - place.level(at[0]))
    along, over = behind * cos + above * sin, above * cos - behind * sin
    deep, high = (2.6 + (flat - 2.6) * share for flat in FLAT_MM)
    band = (length(along / deep, over / high) - 1.0) * np.minimum(deep, high)
    return np.asarray(np.maximum(round_root * (1.0 - np.minimum(3.0 * share, 1.0)), patch.cover(band) * (share > 0)))
