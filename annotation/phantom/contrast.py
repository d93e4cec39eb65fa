"""Paint injected contrast (CT): a pool at the needle's tip, a film in the gap, a crescent beside the dural sac."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from .anatomy import Anatomy, Defect
from .canal import sac_distance
from .canvas import WORLD, Array, Canvas, Coords, Patch, Vector, capsule, ellipsoid, length
from .defects import edges
from .lumps import lumps
from .needle import Needle, hits_bone, paint_needle

LEAST_CONTRAST_MM3 = 170.0
"""A third of what is injected; less than that would be overlooked."""
FARTHEST_MM = 10
OUTSIDE = -5.3
"""Depth, in the frame of a defect, behind which there is nothing between its bone edges."""
INNER = 3.9
"""Depth of the inner border of the gap: a film that stays in the gap ends here at the latest."""
FEATHER_MM = 1.5
POOL_MM = 9.0
"""No pool reaches further from the needle's tip."""
STREAM_MM = 1.4
"""Half the width of the stream between the needle's tip and the gap."""


class _Iodine:
    """Coverage and density of contrast in one patch, collected part by part."""

    def __init__(self, patch: Patch, seed: int) -> None:
        self.patch = patch
        self.fine, self.broad = lumps(patch, seed, 1.5, 20), lumps(patch, seed + 1, 4.0)
        self.cover: Array = np.zeros(self.fine.shape, dtype=np.float32)
        self.dense: Array = np.zeros(self.fine.shape, dtype=np.float32)

    def add(self, distance: Array, density: float | Array, *, feather: float = FEATHER_MM, fray: float = 0.45) -> None:
        """Add a shape by its signed distance: frayed at its border, diluted towards it."""
        distance = distance + fray * self.fine
        cover = np.clip(0.5 - distance / feather, 0.0, 1.0)
        thick = np.clip(0.55 - 0.28 * distance, 0.35, 1.0)
        dense = density * thick * np.clip(1.0 + 0.20 * self.broad + 0.13 * self.fine, 0.4, 1.3)
        self.dense = np.maximum(self.dense, dense * cover)
        self.cover = np.maximum(self.cover, cover)

    def within(self, border: Array) -> None:
        """Keep only what lies on the negative side of a border."""
        keep = np.clip(-border / 0.5, 0.0, 1.0)
        self.cover, self.dense = self.cover * keep, self.dense * keep


def paint_contrast(canvas: Canvas, anatomy: Anatomy, needles: dict[int, Needle], *, needle_side: int) -> None:
    """Contrast of both sides and, on one side, the needle still in place."""
    paint_needle(canvas, needles[needle_side])
    for i, defect in enumerate(anatomy.defects):
        low, high = _bounds(defect, needles[defect.side])
        patch = canvas.box(WORLD, low, high)
        if patch is None:
            continue
        added = contrast_hu(anatomy, patch, defect, anatomy.truth.contrast_pattern[i], needles[defect.side])
        part = canvas.image[0][patch.window]
        part += added


def _bounds(defect: Defect, needle: Needle) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """The box that contrast of one side may reach: the canal in front, muscle behind, and the pool round the tip."""
    x, y, z = (float(value) for value in defect.frame.origin)
    tip = needle.tip
    ends = (x - 17.0 * defect.side, x + 14.0 * defect.side)
    low = (min(*ends, float(tip[0]) - POOL_MM), y - 13.0, min(z - 17.0, float(tip[2]) - POOL_MM))
    high = (
        max(*ends, float(tip[0]) + POOL_MM),
        max(y + 20.0, float(tip[1]) + POOL_MM),
        max(z + 16.0, float(tip[2]) + POOL_MM),
    )
    return low, high


def contrast_hu(anatomy: Anatomy, patch: Patch, defect: Defect, pattern: int, needle: Needle) -> Array:
    """Return by how many HU contrast makes the tissue denser (definitions of the reference study).

    Peri: behind the defect, none between the bone edges. Intra: in the gap, not past its inner border. Trans: on along
    the inner side into the epidural fat. It spreads in soft tissue only: bone keeps its density.
    """
    bone = patch.canvas.bone
    soft = 1.0 if bone is None else 1.0 - bone[patch.window]
    voxel = float(np.prod(patch.canvas.steps))
    found: Array = np.zeros(1, dtype=np.float32)
    for further in range(0, FARTHEST_MM, 2):
        iodine = _spread(anatomy, patch, defect, pattern, needle, further)
        found = np.maximum(found, iodine.dense * soft)
        if float((found > 600.0).sum()) * voxel > LEAST_CONTRAST_MM3:
            break
    return found


def _spread(
    anatomy: Anatomy, patch: Patch, defect: Defect, pattern: int, needle: Needle, further: int
) -> _Iodine:  # fmt: skip
    iodine = _Iodine(patch, anatomy.seed + 71 + defect.side)
    at = patch.coords(defect.frame)
    rng = np.random.default_rng([anatomy.seed, 63, 1 + defect.side])
    _pool(iodine, at, rng, defect.frame.local(np.array(needle.tip)), 0.5 * further)
    _along_needle(iodine, patch, rng, needle)
    if pattern > 1:
        _inwards(iodine, patch, defect, needle)
    iodine.within(at[1] - (OUTSIDE if pattern == 1 else -3.0))
    if pattern > 1:
        front, rear = edges(anatomy, defect, patch)
        _film(iodine, at, rng, (front, rear), 7.0 if pattern == 3 else float(rng.uniform(2.2, INNER)))
    if pattern == 3:
        _epidural(iodine, anatomy, patch, defect, rng)
    return iodine


def _pool(iodine: _Iodine, at: Coords, rng: np.random.Generator, tip: Vector, more: float) -> None:
    """What gathers around the tip: a flat pool on the bone, and tongues that follow the planes of the muscles.

    axes of ``at``: 0 across the gap towards the lamina, 1 towards the canal, 2 along the gap.
    """
    peak = float(rng.uniform(1900.0, 2700.0))
    middle = 0.65 * tip + 0.35 * np.array([0.0, OUTSIDE - 1.0, 0.0])
    radii = rng.uniform((3.2, 1.7, 3.5), (5.4, 2.6, 6.5)) + more
    spot = (float(middle[0]), float(min(middle[1], OUTSIDE - 0.6)), float(middle[2]))
    body = ellipsoid(at, spot, (float(radii[0]), float(radii[1]), float(radii[2])))
    iodine.add(body + 0.8 * iodine.broad, peak)
    for _ in range(int(rng.integers(3, 6))):
        # fibres run up and down, planes between them backwards
        turn, up = float(rng.uniform(-3.0, 3.0)), float(rng.choice((-1.0, 1.0))) * float(rng.uniform(4.0, 13.0))
        end = (spot[0] + turn + 0.3 * up, spot[1] - float(rng.uniform(0.5, 6.0)), spot[2] + up)
        start = (spot[0] + 0.4 * turn, spot[1], spot[2] + 0.2 * up)
        tongue = capsule(at, start, end, float(rng.uniform(0.8, 1.5)), 0.7)
        iodine.add(tongue + 0.45 * iodine.broad, 0.75 * peak, feather=1.2, fray=0.5)


def _along_needle(iodine: _Iodine, patch: Patch, rng: np.random.Generator, needle: Needle) -> None:
    """A little runs back along the needle and stays as droplets."""
    tip, hub = np.array(needle.tip), np.array(needle.hub)
    way = (hub - tip) / np.linalg.norm(hub - tip)
    world = patch.coords(WORLD)
    for _ in range(int(rng.integers(1, 5))):
        spot = tip + way * float(rng.uniform(2.0, 13.0)) + rng.normal(0.0, 0.7, 3)
        drop = length(*(part - float(a) for part, a in zip(world, spot, strict=True))) - float(rng.uniform(0.4, 1.0))
        iodine.add(drop, float(rng.uniform(700.0, 1700.0)), feather=1.0, fray=0.25)


def _inwards(iodine: _Iodine, patch: Patch, defect: Defect, needle: Needle) -> None:
    """The stream from the needle's tip to the opening of the gap: what is seen in the gap has come from there."""
    tip, goal = np.array(needle.tip), defect.frame.world((0.0, -2.6, 0.0))
    bend = _round_bone(patch, defect, tip, goal)
    world = patch.coords(WORLD)
    for start, end in pairwise((tip, bend, goal)):
        rod = capsule(world, _triple(start), _triple(end), STREAM_MM)
        iodine.add(rod + 0.45 * iodine.broad, 2500.0, feather=1.3, fray=0.35)


def _round_bone(patch: Patch, defect: Defect, tip: Vector, goal: Vector) -> Vector:
    """Where a stream must bend so as to meet the least bone: a joint may stand between both ends."""
    bone = patch.canvas.bone
    middle = (tip + goal) / 2
    share = np.linspace(0.0, 1.0, 13)[:, None]
    best, least = middle, np.inf
    for out in (0.0, 2.0, 4.0, 6.0):
        for turn in np.arange(8) * (np.pi / 4):
            bend = middle + out * (np.cos(turn) * defect.frame.axes[0] + np.sin(turn) * defect.frame.axes[2])
            way = np.concatenate([tip + share * (bend - tip), bend + share * (goal - bend)])
            price = 0.2 * out + (float(hits_bone(patch.canvas, bone, way).sum()) if bone is not None else 0.0)
            if price < least:
                best, least = bend, price
            if not out:
                break
    return np.asarray(best)


def _triple(point: Vector) -> tuple[float, float, float]:
    return float(point[0]), float(point[1]), float(point[2])


def _film(iodine: _Iodine, at: Coords, rng: np.random.Generator, ends: tuple[Array, Array], inner: float) -> None:
    """Contrast between the bone edges: it clings to them, leaves places empty, and its front is ragged."""
    front, rear = ends
    half = 0.5 * (rear - front)
    along, lean = float(rng.uniform(3.4, 4.6)), float(rng.uniform(-0.35, 0.35))
    # in the middle it is always there: a gap filled only at its rim could not be told from one that is empty
    sure = np.clip(1.4 - length(at[1], at[2]) / 3.2, 0.0, 0.55)
    full = np.maximum(np.clip(0.56 + 0.42 * iodine.broad + 0.25 * iodine.fine, 0.0, 1.0), sure)
    # a wide gap is not full: the film lies on one edge here and on the other there
    film = np.minimum(half * full, np.float32(1.1) + np.float32(0.3) * iodine.fine)
    middle = 0.5 * (front + rear) + (half - film) * np.clip(lean + 0.6 * iodine.broad, -0.9, 0.9)
    slab = np.abs(at[0] - middle) - film - 0.35
    rim = np.maximum(np.abs(at[2]) - along, at[1] - inner) + 0.5 * np.abs(iodine.broad)
    shape = np.maximum(np.maximum(slab, rim), -8.0 - at[1])
    iodine.add(shape, float(rng.uniform(2200.0, 2800.0)), feather=1.1, fray=0.2)


def _epidural(iodine: _Iodine, anatomy: Anatomy, patch: Patch, defect: Defect, rng: np.random.Generator) -> None:
    """A thin crescent in the fat beside the dural sac, up and down from the defect, fainter with distance."""
    world = patch.coords(WORLD)
    x, y, z = world
    origin = defect.frame.origin
    sac = sac_distance(anatomy, world)
    up, down = float(rng.uniform(7.0, 14.0)), float(rng.uniform(8.0, 16.0))
    rise = z - float(origin[2])
    away = length(
        (x - float(origin[0]) + defect.side * 5.0) / 8.0,
        (y - float(origin[1]) + 2.5) / 8.5,
        np.where(rise > 0, rise / up, rise / down),
    )
    left = np.clip(1.15 - away, 0.0, 1.0)
    thick = (0.25 + 1.0 * left) * np.clip(1.0 + 0.35 * iodine.broad, 0.3, 1.5)
    crescent = np.abs(sac - 1.25 - 0.3 * iodine.broad) - thick
    crescent = np.maximum(crescent, (away - 1.0) * 6.0)
    iodine.add(crescent, 700.0 + 2100.0 * left, feather=1.0, fray=0.25)
    way = _into_canal(anatomy, origin, defect.side)
    start = defect.frame.world((0.0, 4.0, float(rng.uniform(-2.0, 2.0))))
    stream = capsule(world, (float(start[0]), float(start[1]), float(start[2])), way, 1.2)
    iodine.add(stream + 0.3 * iodine.broad, 2200.0, feather=1.1, fray=0.35)


def _into_canal(anatomy: Anatomy, origin: Vector, side: int) -> tuple[float, float, float]:
    """Point of the epidural space beside the dural sac at the height of a defect."""
    z = float(origin[2])
    middle, deep, wide = anatomy.sac_beside(float(origin[1]), z)
    return side * (0.75 * wide + 1.3), middle + 0.6 * deep + 1.0, z
