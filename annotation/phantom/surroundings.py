"""Paint what lies around the column: skin, fat, abdominal wall, bowel, vessels, kidneys, pelvis; the CT's table."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from . import tissues as t
from .anatomy import Anatomy
from .canvas import WORLD, Array, Canvas, Coords, Patch, ellipsoid, length, rounded_meet
from .lines import Lines, body_lines
from .muscles import paint_muscles, strands

PRONE = 0.94
"""How much a body lying on its belly is flatter than one on its back."""
TABLE_MM = 24.0
FAR_MM = 400.0
CHYME = {key: 0.5 * (t.BOWEL[key] + t.FLUID[key]) if key != "T1" else t.BOWEL[key] for key in t.BOWEL}
"""What is fluid in a bowel moves and is mixed with food: darker than free fluid, which is a finding elsewhere."""


def paint_surroundings(canvas: Canvas, anatomy: Anatomy, *, prone: bool = False) -> None:
    """Fill the whole canvas; bones and canal are painted over it later."""
    if prone:
        canvas.image[...] = t.AIR["HU"]
    lines = body_lines(anatomy)
    for patch in canvas.slices():
        _under_skin(patch, anatomy, prone=prone)
    _septa(canvas, anatomy, prone=prone)
    _abdominal_wall(canvas, anatomy, prone=prone)
    _kidneys(canvas, anatomy, lines)
    _bowel(canvas, anatomy, lines, prone=prone)
    _vessels(canvas, anatomy, lines)
    paint_muscles(canvas, anatomy, lines)
    _pelvis(canvas, anatomy)


def _surface(anatomy: Anatomy, at: Coords, *, prone: bool) -> tuple[Array, Array, Array]:
    """Of the skin behind and in front: y at each place across and along the body, and the cosine of its slope."""
    x, _, z = at
    depth = anatomy.body_half_depth * (PRONE if prone else 1.0)
    share = np.minimum(np.abs(x) / anatomy.body_half_width, 0.985)
    arch = np.sqrt(1.0 - share**3)
    slope = depth / anatomy.body_half_width * 1.5 * share * share / arch
    cosine = 1.0 / np.sqrt(1.0 + slope * slope)
    rear = anatomy.back(z) - depth * (1.0 - arch) - 4.0 * np.exp(-((x / 14.0) ** 2))
    front = float(np.mean(anatomy.back_y)) - depth * (1.0 + arch)
    return rear, front, cosine


def _skin(anatomy: Anatomy, at: Coords, *, prone: bool) -> Array:
    """Signed distance to the skin, negative inside; the belly of a prone patient is pressed flat."""
    rear, front, cosine = _surface(anatomy, at, prone=prone)
    distance = np.maximum((at[1] - rear) * cosine, (front - at[1]) * cosine)
    np.maximum(distance, np.abs(at[0]) - anatomy.body_half_width, out=distance)
    if prone:
        np.maximum(distance, _table_top(anatomy) - at[1], out=distance)
    return np.asarray(distance)


def _table_top(anatomy: Anatomy) -> float:
    """y of the table under a prone patient."""
    return float(np.mean(anatomy.back_y)) - 1.92 * PRONE * anatomy.body_half_depth


def _belly(anatomy: Anatomy) -> float:
    """y of the belly's skin of a patient on the back."""
    return float(np.mean(anatomy.back_y)) - 2.0 * anatomy.body_half_depth


def _under_skin(patch: Patch, anatomy: Anatomy, *, prone: bool) -> None:
    """Skin, and the fat below it with its septa; air and the table outside."""
    at = patch.coords(WORLD)
    skin = _skin(anatomy, at, prone=prone)
    patch.paint(patch.cover(skin), t.SKIN)
    patch.paint(patch.cover(skin + 2.0), t.FAT, grain=0.02 if prone else 0.05)
    if prone:
        top = _table_top(anatomy)
        slab = np.abs(at[1] - (top - 0.5 * TABLE_MM)) - 0.5 * TABLE_MM
        patch.paint(patch.cover(slab, rough_mm=0.0), t.TABLE)
        patch.paint(patch.cover(slab + 2.0, rough_mm=0.0) * 0.86, t.AIR)


def _septa(canvas: Canvas, anatomy: Anatomy, *, prone: bool) -> None:
    """Thin walls between the lobules of the fat of the back, and the membrane half way down."""
    thick = 0.55 * anatomy.fat_mm + 3.0
    low = (-FAR_MM, float(anatomy.back_y.min()) - thick - 30.0, -FAR_MM)
    box = canvas.box(WORLD, low, (FAR_MM, float(anatomy.back_y.max()), FAR_MM))
    for patch in box.chunks() if box is not None else ():
        at = patch.coords(WORLD)
        x, y, z = at
        rear, _, cosine = _surface(anatomy, at, prone=prone)
        under = (y - rear) * cosine
        membrane = np.abs(under + 0.55 * thick + 0.7 * patch.streaks()) - 0.3
        bent = 1.7 * np.sin(0.09 * x - 0.06 * z) + 0.24 * under
        wall = np.cos((0.21 * x + 0.15 * z) + bent + 0.28 * patch.streaks())
        wall = np.maximum((wall - 0.95) * 11.0, patch.cover(membrane, rough_mm=0.0) * 0.8)
        wall *= patch.cover(np.maximum(under + 3.0, -thick - under), 2.0, rough_mm=0.0)
        patch.paint(np.clip(wall, 0.0, 0.24), t.SKIN)


def _abdominal_wall(canvas: Canvas, anatomy: Anatomy, *, prone: bool) -> None:
    """Muscle between the fat below the skin and the fat inside, at the flanks and in front."""
    deep = 0.8 * anatomy.fat_mm + 4.0
    wide, middle = anatomy.body_half_width, float(np.mean(anatomy.back_y)) - anatomy.body_half_depth
    ahead = middle - (0.35 * anatomy.body_half_depth)
    crest = float(anatomy.vertebrae["L4"].lower_p[1]) - 4.0
    boxes = (
        ((-wide, -FAR_MM, -FAR_MM), (wide, ahead, FAR_MM)),
        ((-wide, ahead, -FAR_MM), (-0.62 * wide, middle + 60.0, FAR_MM)),
        ((0.62 * wide, ahead, -FAR_MM), (wide, middle + 60.0, FAR_MM)),
    )
    for low, high in boxes:
        box = canvas.box(WORLD, low, high)
        for patch in box.chunks() if box is not None else ():
            at = patch.coords(WORLD)
            skin = _skin(anatomy, at, prone=prone)
            ring = np.abs(skin + (deep + 6.0)) - 6.0
            # behind it thins out beside the back muscles; below the crest of the pelvis only its front goes on
            rear = anatomy.wall(at[2]) + 12.0 - 1.5 * np.maximum(crest - at[2], 0.0)
            rest = patch.cover(at[1] - rear, soft=26.0)
            patch.paint(patch.cover(ring) * rest, t.MUSCLE, grain=0.06)
            seam = np.abs(np.abs(skin + (deep + 6.0)) - 2.0) - 0.3
            patch.paint(patch.cover(seam) * rest * 0.6, t.FAT)


def _kidneys(canvas: Canvas, anatomy: Anatomy, lines: Lines) -> None:
    """Lower poles of the kidneys beside the psoas."""
    rng = np.random.default_rng(anatomy.seed + 31)
    for side in (-1.0, 1.0):
        z = float(anatomy.vertebrae["L2"].frame.origin[2]) + 8.0 + 6.0 * side + float(rng.normal(0.0, 5.0))
        centre = (side * float(rng.uniform(60, 66)), float(lines.side(z)) - 8.0, z)
        radii = (float(rng.uniform(25, 29)), float(rng.uniform(21, 25)), float(rng.uniform(48, 56)))
        patch = _around(canvas, centre, radii)
        if patch is None:
            continue
        distance = ellipsoid(patch.coords(WORLD), centre, radii)
        patch.paint(patch.cover(distance), t.ORGAN, grain=0.05)
        patch.paint(patch.cover(distance + 11.0, soft=4.0) * 0.6, t.MUSCLE)
        patch.paint(patch.cover(distance + 15.0, soft=5.0), t.FAT, grain=0.1)


def _around(canvas: Canvas, centre: tuple[float, float, float], radii: tuple[float, float, float]) -> Patch | None:
    low, high = ([c + sign * r for c, r in zip(centre, radii, strict=True)] for sign in (-1.0, 1.0))
    return canvas.box(WORLD, (low[0], low[1], low[2]), (high[0], high[1], high[2]))


def _bowel(canvas: Canvas, anatomy: Anatomy, lines: Lines, *, prone: bool) -> None:
    """Bowel loops in the fat in front of the great vessels; some hold fluid, some gas that has risen."""
    rng = np.random.default_rng(anatomy.seed)
    nearest = _table_top(anatomy) if prone else _belly(anatomy)
    nearest += 0.8 * anatomy.fat_mm + 17.0
    rises = -1.0 if prone else 1.0
    for _ in range(64):
        z = float(rng.uniform(-150, 130))
        across, place, content = float(rng.uniform(-95, 95)), float(rng.random()), float(rng.random())
        wide, deep, tall = float(rng.uniform(13, 26)), float(rng.uniform(10, 16)), float(rng.uniform(12, 26))
        # between the great vessels and the abdominal wall
        front = float(lines.front(z)) - 24.0
        room = min(front - nearest, 90.0)
        deep = min(deep, room / 2)
        if deep < 6.0:
            continue
        centre, radii = (across, front - deep - place * (room - 2 * deep), z), (wide, deep, tall)
        loop = _around(canvas, centre, radii)
        if loop is None:
            continue
        at = loop.coords(WORLD)
        distance = ellipsoid(at, centre, radii)
        distance += 0.4 * loop.streaks()
        loop.paint(loop.cover(distance), t.MUSCLE)
        loop.paint(loop.cover(distance + 1.8), t.BOWEL if content < 0.7 else CHYME, grain=0.18)
        if content < 0.35:
            loop.paint(loop.cover(np.maximum(distance + 2.0, rises * (at[1] - centre[1])), soft=1.5), t.AIR)


class _Tube(NamedTuple):
    """A vessel: where it starts across the body and how it turns for each mm downwards, radius, upper and lower end.

    ``flat`` is its depth to its width (veins are flat), ``ahead`` how far it rises off the bodies below its upper end.
    """

    start: float
    turn: float
    radius: float
    upper: float
    lower: float
    flat: float
    ahead: float


def _tubes(anatomy: Anatomy, rng: np.random.Generator) -> tuple[_Tube, ...]:
    """Aorta, vena cava and common iliac vessels: the aorta divides at L4, the veins join lower, behind it."""
    fork = float(anatomy.vertebrae["L4"].lower_a[1]) + float(rng.normal(0.0, 5.0))
    big = float(rng.normal(1.0, 0.07))
    join = fork - float(rng.uniform(16.0, 26.0))
    right, left = (float(value) for value in rng.uniform(0.88, 1.14, 2))
    turns = rng.uniform(0.85, 1.15, 4)
    end = fork - 120.0
    return (
        _Tube(9.0, 0.0, 8.2 * big, FAR_MM, fork - 4.0, 1.0, 0.0),
        _Tube(-15.0, 0.0, 10.0 * big, FAR_MM, join - 5.0, 0.72, 0.0),
        _Tube(-10.0, 0.50 * float(turns[0]), 7.0 * big * left, join + 5.0, end, 0.62, 0.0),
        _Tube(-18.0, -0.34 * float(turns[1]), 7.4 * big * right, join + 5.0, end, 0.75, 0.0),
        _Tube(11.0, 0.42 * float(turns[2]), 5.0 * big * right, fork + 2.0, end, 1.0, 3.5),
        _Tube(6.0, -0.52 * float(turns[3]), 5.2 * big * left, fork + 2.0, end, 1.0, 8.0),
    )


def _vessels(canvas: Canvas, anatomy: Anatomy, lines: Lines) -> None:
    """The great vessels before the bodies and their branches into the pelvis; arteries over the veins they cross."""
    rng = np.random.default_rng(anatomy.seed + 32)
    brim = float(anatomy.vertebrae["S1"].upper_a[1])
    tubes = _tubes(anatomy, rng)
    weave = float(rng.normal(0.0, 2.0)) + (0.06 * max(anatomy.truth.age - 50, 0))
    for tube in tubes:
        _vessel(canvas, lines, tube, brim, weave)


def _vessel(canvas: Canvas, lines: Lines, tube: _Tube, brim: float, weave: float) -> None:
    ends = sorted((tube.start, tube.start + tube.turn * min(tube.upper - tube.lower, 2 * FAR_MM)))
    low = (ends[0] - tube.radius - 6.0, float(lines.front_y.min()) - 3 * tube.radius - tube.ahead, tube.lower)
    high = (ends[1] + tube.radius + 6.0, float(lines.front_y.max()) + 45.0, tube.upper)
    box = canvas.box(WORLD, low, high)
    for patch in box.chunks() if box is not None else ():
        x, y, z = patch.coords(WORLD)
        spread = np.maximum(0.0, tube.upper - z)
        # beyond the brim of the pelvis the vessels lie on the psoas, the sacrum falls back behind them
        depth = lines.front(np.maximum(z, brim)) + 0.30 * np.maximum(brim - z, 0.0) - tube.flat * tube.radius - 1.2
        if tube.ahead:
            depth = depth - tube.ahead * np.minimum(spread / 22.0, 1.0)
        middle = tube.start + tube.turn * spread + weave * np.sin(z / 31.0)
        wide = tube.radius * (1.0 - np.minimum(0.004 * spread, 0.25)) if tube.turn else tube.radius
        shape = length(x - middle, (y - depth) / tube.flat) - wide
        shape = np.maximum(shape, np.maximum(z - tube.upper, tube.lower - z))
        patch.paint(patch.cover(shape), t.VESSEL_WALL)
        patch.paint(patch.cover(shape + 1.1), t.VESSEL, grain=0.1)


def _pelvis(canvas: Canvas, anatomy: Anatomy) -> None:
    """Iliac wings beside the sacrum, with the muscles in front of and behind them."""
    sacrum = anatomy.vertebrae["S1"].frame.origin
    crest = float(anatomy.vertebrae["L4"].lower_p[1]) - 4.0
    rear, front = float(sacrum[1]) + 27.0, float(sacrum[1]) - 62.0
    box = canvas.box(WORLD, (-FAR_MM, front - 25.0, crest - 200.0), (FAR_MM, rear + 45.0, crest + 6.0))
    for patch in box.chunks() if box is not None else ():
        x, y, z = patch.coords(WORLD)
        along = (y - front) / (rear - front)
        # the wing leans outwards, is bowed, and rises to its crest in the middle third
        top = crest - 34.0 * (2.0 * np.clip(along, -0.2, 1.2) - 1.2) ** 2
        bow = 108.0 - 52.0 * along + 26.0 * along * (1.0 - along)
        across = (np.abs(x) - (0.16 * (z - crest + 40.0) + bow)) * 0.86
        thick = 3.4 + 5.0 * np.clip(along, 0.0, 1.0) ** 2
        ends = np.abs(along - 0.5) * (rear - front) - 0.52 * (rear - front)
        above = (z - top) * 0.6
        outer = _bulk(across - 17.0, along - 0.60, (15.0, 0.62), above + 8.0, rear - front)
        inner = _bulk(across + 12.0, along - 0.36, (10.0, 0.44), above + 5.0, rear - front)
        flesh = patch.cover(np.minimum(outer, inner), None, 0.5)
        patch.paint(flesh, t.MUSCLE, grain=0.06)
        patch.paint(flesh * strands(patch, 0.05 + 0.4 * anatomy.muscle_fat, thin=6.0), t.FAT)
        shape = rounded_meet(rounded_meet(np.abs(across) - thick, ends, 3.0), above, 4.0)
        patch.paint(patch.cover(shape), t.CORTEX)
        patch.paint(patch.cover(shape + 1.5), t.MARROW, grain=0.09)


def _bulk(across: Array, along: Array, half: tuple[float, float], above: Array, reach_mm: float) -> Array:
    """Signed distance to a muscle that lies on the iliac wing and thins out towards its crest."""
    oval = (length(across / half[0], along / half[1]) - 1.0) * min(half[0], half[1] * reach_mm)
    return rounded_meet(oval, above, 6.0)
