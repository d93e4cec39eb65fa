"""Paint the muscles along the column: multifidus and erector spinae, psoas, quadratus lumborum."""

from __future__ import annotations

import numpy as np

from . import tissues as t
from .anatomy import Anatomy
from .canvas import WORLD, Array, Canvas, Patch, length
from .lines import Lines

OUTLINE_MM = 0.5
FAR_MM = 400.0
# relative grain of the signal of muscle; on CT, where 1 stands for 300 HU, muscle is far more even
GRAIN = {"HU": 0.035}
MR_GRAIN = 0.11


def paint_muscles(canvas: Canvas, anatomy: Anatomy, lines: Lines) -> None:
    """Paint them before the bones, which cut into them."""
    grain = GRAIN.get(canvas.channels[0], MR_GRAIN)
    rear, low = lines.rear_y, float(anatomy.vertebrae["S3"].lower_p[1]) - 20.0
    back = ((-86.0, float(rear.min()) + 4.0, low), (86.0, float(anatomy.back_y.max()), FAR_MM))
    for patch in _chunks(canvas, *back):
        _dorsal(patch, anatomy, lines, grain)
    side = lines.side_y
    beside = ((-84.0, float(side.min()) - 46.0, low - 40.0), (84.0, float(side.max()) + 20.0, FAR_MM))
    for patch in _chunks(canvas, *beside):
        _lateral(patch, anatomy, lines, grain)
    middle = ((-4.0, float(rear.min()) + 20.0, low), (4.0, float(rear.max()) + 56.0, FAR_MM))
    for patch in _chunks(canvas, *middle):
        _midline(patch, anatomy, lines)


def _chunks(canvas: Canvas, low: tuple[float, float, float], high: tuple[float, float, float]) -> tuple[Patch, ...]:
    box = canvas.box(WORLD, low, high)
    return () if box is None else tuple(box.chunks())


def strands(patch: Patch, fat: Array | float, *, thin: float = 4.2) -> Array:
    """Feathered streaks of fat between the fibres: along the lines where a smooth noise changes its sign."""
    line = 1.0 - np.abs(patch.streaks() + 0.35 * patch.texture()) * (thin - 2.6 * fat)
    line *= np.clip(fat + 0.30 * patch.texture(), 0.0, 0.9)
    return np.asarray(np.maximum(line, 0.0, out=line))


def _dorsal(patch: Patch, anatomy: Anatomy, lines: Lines, grain: float) -> None:
    """Multifidus beside the spinous processes, longissimus and iliocostalis beside it, with fat in their clefts."""
    x, y, z = patch.coords(WORLD)
    side, behind = np.abs(x), y - lines.rear(z)
    base = float(anatomy.vertebrae["S1"].upper_p[1])
    # the lower, the more multifidus; below the first sacral body all of it thins out
    low = np.clip((base + 48.0 - z) / 70.0, 0.0, 1.0)
    full = np.clip((z - base + 80.0) / 85.0, 0.16, 1.0) ** 0.7
    wide = (45.0 - 7.0 * low) * (0.35 + 0.65 * full)
    middle = 34.0 - 10.0 * low - 6.0 * (1.0 - full)
    # in front each bundle bulges by itself, not quite the same on both sides
    bundles = behind + 1.6 * np.clip((side - 24.0) / 10.0, 0.0, 1.0) * np.sin(0.19 * side + 0.02 * x + anatomy.seed % 7)
    oval = (length((side - middle) / wide, (bundles - 31.5) / (23.5 * full)) - 1.0) * (20.0 * full)
    skin = anatomy.back(z) - anatomy.body_half_depth * 0.5 * (side / anatomy.body_half_width) ** 3
    fascia = y - (skin - (0.55 * anatomy.fat_mm + 4.0))
    shape = np.maximum(np.maximum(oval, 2.0 - side), fascia)
    patch.paint(patch.cover(shape - 1.2, 2.0, OUTLINE_MM) * 0.6, t.FAT)
    patch.paint(patch.cover(shape, None, OUTLINE_MM), t.FASCIA)
    # the fascia is thick behind and hardly to be seen in front
    inside = patch.cover(shape + 0.25 + 0.8 * np.clip((behind - 30.0) / 14.0, 0.0, 1.0), None, OUTLINE_MM)
    patch.paint(inside, t.MUSCLE, grain=grain)
    wave = 1.5 * patch.streaks()
    deep = side - wave - 0.24 * behind
    fat = anatomy.muscle_fat
    first = np.abs(deep - (12.5 + 9.0 * low)) - (0.25 + 1.5 * fat + 0.8 * low)
    second = np.abs(deep - (36.5 + 3.0 * low)) - (0.05 + 0.9 * fat)
    cleft = patch.cover(np.minimum(first, second), 1.5, rough_mm=0.0)
    # the multifidus is the first to turn to fat, and near the sacrum
    share = 0.10 + 0.62 * fat + 0.16 * low + 0.12 * np.clip((26.0 - side) / 12.0, 0.0, 1.0) + 0.35 * (1.0 - full)
    streaky = strands(patch, np.clip(share, 0.0, 0.85))
    even = np.clip(0.22 * fat + 0.10 * low * fat + 0.05 * patch.texture(), 0.0, 0.4)
    # what is thinner than a pixel shows less on CT, whose fat differs from muscle by a few shades
    seen = 0.6 if "HU" in patch.canvas.channels else 1.0
    patch.paint(inside * seen * np.maximum(np.maximum(0.75 * cleft, streaky), even), t.FAT)


def _lateral(patch: Patch, anatomy: Anatomy, lines: Lines, grain: float) -> None:
    """Psoas beside the bodies, growing downwards and leaving them at the sacrum; quadratus up to the iliac crest."""
    x, y, z = patch.coords(WORLD)
    side, behind = np.abs(x), y - lines.side(z)
    down = np.clip((72.0 - z) / 140.0, 0.0, 1.35)
    # it begins beside L1
    first = float(anatomy.vertebrae["T12"].lower_p[1])
    size = np.clip(0.42 + 0.62 * down, 0.3, 1.06) * np.clip((first - z) / 30.0, 0.08, 1.0)
    leaves = np.maximum(down - 0.82, 0.0)
    centre, depth = 23.0 + 14.0 * down + 16.0 * leaves, 12.5 + 26.0 * leaves
    # from front and middle to behind and outside
    lean = 0.28 * (behind + depth)
    psoas = (length((side - centre - lean) / (15.5 * size), (behind + depth) / (20.5 * size)) - 1.0) * (15.0 * size)
    crest = float(anatomy.vertebrae["L4"].lower_p[1]) - 8.0
    left = np.clip((z - crest + 16.0) / 34.0, 0.12, 1.0)
    quadratus = (length((side - 60.0) / (17.0 * left), (behind - 7.0 - 0.16 * (side - 60.0)) / (9.0 * left)) - 1.0) * (
        9.0 * left
    ) + np.maximum(0.0, crest - 14.0 - z)
    shape = np.minimum(psoas + np.maximum(0.0, z - first), quadratus + np.maximum(0.0, z - first - 10.0))
    inside = patch.cover(shape, None, OUTLINE_MM)
    patch.paint(patch.cover(shape - 0.6, None, OUTLINE_MM) * 0.5, t.FASCIA)
    patch.paint(inside, t.MUSCLE, grain=grain)
    patch.paint(inside * strands(patch, 0.06 + 0.4 * anatomy.muscle_fat, thin=6.0), t.FAT)


def _midline(patch: Patch, anatomy: Anatomy, lines: Lines) -> None:
    """Interspinous and supraspinous ligaments: grey, streaked."""
    x, y, z = patch.coords(WORLD)
    behind = y - lines.rear(z)
    under = y - (anatomy.back(z) - 9.0)
    strip = np.maximum(np.maximum(np.abs(x) - 2.4, np.abs(behind - 37.0) - 14.0), under)
    cover = patch.cover(strip)
    patch.paint(cover, t.MUSCLE, grain=0.06)
    patch.paint(cover * np.clip(0.45 + 0.22 * patch.streaks() + 0.1 * patch.texture(), 0.0, 0.9), t.FAT)
    cord = np.maximum(np.maximum(np.abs(x) - 2.6, np.abs(behind - 51.5) - 1.0), under - 1.0)
    patch.paint(patch.cover(cord), t.LIGAMENT)
