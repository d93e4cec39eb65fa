"""Paint what lies around the column: skin, fat, muscles, vessels, bowel."""

from __future__ import annotations

import numpy as np

from . import tissues as t
from .anatomy import Anatomy
from .canvas import WORLD, Array, Canvas, Coords, Patch, capsule, ellipsoid, length, rounded_meet

OUTLINE_MM = 0.5


def paint_surroundings(canvas: Canvas, anatomy: Anatomy, *, prone: bool = False) -> None:
    """Fill the whole canvas; bones and canal are painted over it later."""
    for patch in canvas.slices():
        _under_skin(patch, anatomy, prone=prone)
    _bowel(canvas, anatomy)
    for patch in canvas.slices():
        x, y, z = patch.coords(WORLD)
        behind, skin = y - anatomy.wall(z), _outline(anatomy, (x, y, z))
        _paraspinal(patch, anatomy, (x, behind, z), skin)
        _front_muscles(patch, x, behind, z)
        _vessels(patch, anatomy, x, behind, z)
        _midline(patch, x, behind, skin)
    _pelvis(canvas, anatomy)


def _under_skin(patch: Patch, anatomy: Anatomy, *, prone: bool) -> None:
    """Skin, the fat below it, and the abdominal wall in front of the column."""
    if prone:
        patch.paint(np.ones(1, dtype=np.float32), t.AIR)
    x, y, z = patch.coords(WORLD)
    skin = _outline(anatomy, (x, y, z))
    patch.paint(patch.cover(skin), t.SKIN)
    patch.paint(patch.cover(skin + 2.0), t.FAT, grain=0.05)
    ahead = patch.cover(y - anatomy.wall(z) + 18.0, soft=12.0)
    wall = patch.cover(skin + 0.8 * anatomy.fat_mm + 4.0) * ahead
    patch.paint(wall, t.MUSCLE, grain=0.06)
    patch.paint(patch.cover(skin + 0.8 * anatomy.fat_mm + 15.0) * ahead, t.FAT, grain=0.08)


def _outline(anatomy: Anatomy, at: Coords) -> Array:
    """Signed distance to the skin: a flattened ellipse with a furrow over the spinous processes."""
    x, y, z = at
    back = anatomy.back(z)
    depth, width = anatomy.body_half_depth, anatomy.body_half_width
    furrow = 4.0 * np.exp(-((x / 14.0) ** 2))
    up = (y - (back - depth) + furrow * (y > back - depth)) / depth
    side = np.abs(x) / width
    norm = np.sqrt(side * side * side + up * up)
    return np.asarray((norm - 1.0) * depth, dtype=np.float32)


def _bowel(canvas: Canvas, anatomy: Anatomy) -> None:
    """A few bowel loops in the fat in front of the column."""
    rng = np.random.default_rng(anatomy.seed)
    nearest = float(np.mean(anatomy.back_y)) - 2.0 * anatomy.body_half_depth + 0.8 * anatomy.fat_mm + 36.0
    for _ in range(110):
        centre = (
            float(rng.uniform(-85, 85)),
            float(rng.uniform(min(nearest, -98.0), -70)),
            float(rng.uniform(-130, 130)),
        )
        radii = (float(rng.uniform(13, 26)), float(rng.uniform(11, 18)), float(rng.uniform(12, 26)))
        reach = max(radii)
        loop = canvas.box(WORLD, (centre[0] - reach, centre[1] - reach, centre[2] - reach),
                                (centre[0] + reach, centre[1] + reach, centre[2] + reach))  # fmt: skip
        content = float(rng.random())
        if loop is None:
            continue
        distance = ellipsoid(loop.coords(WORLD), centre, radii)
        loop.paint(loop.cover(distance), t.MUSCLE)
        loop.paint(loop.cover(distance + 2.0), t.BOWEL if content < 0.7 else t.FLUID, grain=0.18)
        if content < 0.3:
            loop.paint(loop.cover(distance + 5.0, soft=3.0), t.AIR)


def _paraspinal(patch: Patch, anatomy: Anatomy, at: Coords, skin: Array) -> None:
    """Multifidus and erector spinae with their fascia and age-dependent fat streaks."""
    x, behind, z = at
    under = skin + (0.55 * anatomy.fat_mm + 3.0)
    low = float(anatomy.vertebrae["S2"].lower_p[1])
    grow = np.clip((z - low) / 75.0, 0.25, 1.0) ** 0.6
    side = np.abs(x)
    fat = 0.30 * patch.streaks() + 0.16 * patch.texture() + 0.62 * anatomy.muscle_fat - 0.40 + 0.5 * (1.0 - grow)
    fat = np.clip(fat, 0.0, 0.7)
    strands = np.clip(1.2 * (patch.streaks() + 0.5 * patch.texture()) - 1.5 + 1.6 * anatomy.muscle_fat, 0.0, 0.75)
    for centre, across, depth, thick in ((45.0, 34.0, 32.0, 23.0), (17.0, 19.0, 33.0, 23.0)):
        distance = length((side - centre) / (across * grow), (behind - depth) / (thick * grow)) - 1.0
        distance = np.maximum(distance * (0.9 * thick * grow), under)
        patch.paint(patch.cover(distance - 1.6, 2.5, OUTLINE_MM) * 0.7, t.FAT)
        patch.paint(patch.cover(distance, None, OUTLINE_MM), t.FASCIA)
        inside = patch.cover(distance + 0.7, None, OUTLINE_MM)
        patch.paint(inside, t.MUSCLE, grain=0.14)
        patch.paint(inside * np.maximum(fat, strands), t.FAT)


def _front_muscles(patch: Patch, x: Array, behind: Array, z: Array) -> None:
    """Psoas and quadratus lumborum."""
    side = np.abs(x)
    down = np.clip((70.0 - z) / 140.0, 0.0, 1.3)
    centre = 27.0 + 17.0 * down
    size = np.clip(0.45 + 0.6 * down, 0.3, 1.05)
    psoas = (
        length((side - centre) / (17.0 * size), (behind + 12.0 + 14.0 * np.maximum(down - 0.8, 0)) / (21.0 * size))
        - 1.0
    ) * (16.0 * size)
    inside = patch.cover(psoas, None, OUTLINE_MM)
    patch.paint(inside, t.MUSCLE, grain=0.14)
    patch.paint(inside * np.clip(0.5 * patch.streaks() - 0.75, 0.0, 0.6), t.FAT)
    quadratus = (length((side - 66.0) / 16.0, (behind - 6.0) / 9.0) - 1.0) * 9.0 + np.maximum(0.0, -45.0 - z)
    patch.paint(patch.cover(quadratus, None, OUTLINE_MM), t.MUSCLE, grain=0.09)


def _vessels(patch: Patch, anatomy: Anatomy, x: Array, behind: Array, z: Array) -> None:
    """Aorta and vena cava, and the iliac vessels below their division at L4."""
    fork = float(anatomy.vertebrae["L4"].lower_a[1])
    spread = np.maximum(0.0, fork - z)
    for start, turn, radius in ((7.0, 0.45, 8.5), (-15.0, -0.55, 10.0), (7.0, -0.5, 6.0), (-15.0, 0.3, 6.5)):
        deeper = 0.25 * np.maximum(spread - 30.0, 0.0)
        tube = length(x - (start + turn * spread), behind + 36.0 + radius + 3.0 - deeper) - (
            radius - np.minimum(0.05 * spread, 3.0)
        )
        if radius < 8.0:
            tube = np.maximum(tube, z - fork)
        patch.paint(patch.cover(tube), t.VESSEL_WALL)
        patch.paint(patch.cover(tube + 1.3), t.VESSEL)


def _midline(patch: Patch, x: Array, behind: Array, skin: Array) -> None:
    """Interspinous and supraspinous ligaments: grey, streaked."""
    strip = np.maximum(np.maximum(np.abs(x) - 2.6, np.abs(behind - 37.0) - 14.0), skin + 6.0)
    cover = patch.cover(strip)
    patch.paint(cover, t.MUSCLE, grain=0.08)
    patch.paint(cover * np.clip(0.5 + 0.16 * patch.streaks(), 0.0, 0.9), t.FAT)
    patch.paint(
        patch.cover(np.maximum(np.maximum(np.abs(x) - 3.0, np.abs(behind - 51.5) - 1.0), skin + 5.0)), t.LIGAMENT
    )


def _pelvis(canvas: Canvas, anatomy: Anatomy) -> None:
    """Iliac wings beside the sacrum, with the muscles in front of and behind them."""
    sacrum = anatomy.vertebrae["S1"].frame.origin
    crest = float(anatomy.vertebrae["L4"].lower_p[1]) - 4.0
    rear, front = float(sacrum[1]) + 27.0, float(sacrum[1]) - 62.0
    patch = canvas.box(WORLD, (-130.0, front - 25.0, crest - 200.0), (130.0, rear + 40.0, crest + 2.0))
    if patch is None:
        return
    x, y, z = patch.coords(WORLD)
    side = np.abs(x)
    along = (y - front) / (rear - front)
    # the wing leans outwards and rises to its crest in the middle third
    lean = 0.16 * (z - crest + 40.0)
    top = crest - 34.0 * (2.0 * np.clip(along, 0.0, 1.1) - 1.2) ** 2
    wing = capsule((side - lean, y, z * 0.0), (56.0, rear - 7.0, 0.0), (108.0, front + 4.0, 0.0), 8.0, 4.0)
    across = (side - lean - (108.0 - 52.0 * along)) * 0.86
    gluteus = np.maximum(length((across - 19.0) / 15.0, (along - 0.62) / 0.5) - 1.0, 0.05 * (z - top + 14.0))
    iliacus = np.maximum(length((across + 13.0) / 9.0, (along - 0.35) / 0.36) - 1.0, 0.08 * (z - top + 8.0))
    patch.paint(patch.cover(gluteus * 14.0), t.MUSCLE, grain=0.09)
    patch.paint(patch.cover(iliacus * 9.0), t.MUSCLE, grain=0.09)
    shape = rounded_meet(wing, (z - top) * 0.6, 4.0)
    patch.paint(patch.cover(shape), t.CORTEX)
    patch.paint(patch.cover(shape + 1.6), t.MARROW, grain=0.09)
