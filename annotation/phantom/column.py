"""Paint vertebral bodies and discs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from . import tissues as t
from .anatomy import SEGMENT_BELOW, Anatomy, Vertebra
from .canvas import Array, Canvas, Coords, Frame, Patch, Vector, capsule, ellipsoid, length, rounded_box, rounded_meet

ORDER = ("S3", "S2", "S1", "L5", "L4", "L3", "L2", "L1", "T12", "T11", "T10")
CORNER_MM = 1.8
# lateral masses of the sacrum: distance of their middle from the midline, half sizes
ALA = {"S1": (33.0, (21.0, 15.0, 13.5)), "S2": (29.0, (18.0, 11.0, 12.5)), "S3": (22.0, (13.0, 9.0, 9.8))}


def paint_discs(canvas: Canvas, anatomy: Anatomy) -> None:
    """Paint every disc; bodies painted later cover what lies in their concave endplates."""
    for below, above in pairwise(ORDER[2:]):
        grade = anatomy.truth.pfirrmann_by_segment.get(SEGMENT_BELOW.get(above, ""), 2)
        _disc(canvas, anatomy.vertebrae[below], anatomy.vertebrae[above], grade)
    for below, above in (("S3", "S2"), ("S2", "S1")):
        free = anatomy.lumbarised and above == "S1"
        _disc(canvas, anatomy.vertebrae[below], anatomy.vertebrae[above], 2 if free else 4)


def _plate(bone: Vertebra) -> Frame:
    """Frame of an upper endplate: lateral, posterior, up; origin at its back corner."""
    along = (bone.upper_a - bone.upper_p) / np.hypot(*(bone.upper_a - bone.upper_p))
    axes = np.array([[1.0, 0.0, 0.0], [0.0, -along[0], -along[1]], [0.0, along[1], -along[0]]])
    return Frame(np.array([bone.x, *bone.upper_p]), axes)


def _disc(canvas: Canvas, below: Vertebra, above: Vertebra, grade: int) -> None:
    frame = _plate(below)
    depth = float(np.hypot(*(below.upper_a - below.upper_p)))
    back = frame.local(np.array([above.x, *above.lower_p]))[1:]
    front = frame.local(np.array([above.x, *above.lower_a]))[1:]
    tall = max(float(back[1]), float(front[1]))
    wide = max(below.half_width, above.half_width) + 4.0
    reach = (min(-depth, float(front[0])) - 6.0, max(0.0, float(back[0])) + 6.0)
    patch = canvas.box(frame, (-wide, reach[0], -4.0), (wide, reach[1], tall + 4.0))
    if patch is None:
        return
    lateral, p, h = patch.coords(frame)
    run = front - back
    size = float(np.hypot(*run))
    over = ((p - float(back[0])) * float(run[1]) - (h - float(back[1])) * float(run[0])) / size
    share = np.clip(h / np.maximum(h + np.abs(over), 0.5), 0.0, 1.0)
    bulge = (0.4, 0.4, 0.4, 0.9, 1.9, 2.4)[grade] * 4.0 * share * (1.0 - share)
    rear = float(back[0]) * share + bulge
    nose = -depth * (1.0 - share) + float(front[0]) * share - bulge
    half = (rear - nose) / 2
    width = below.half_width * (1.0 - share) + above.half_width * share + bulge
    a = (p - nose - half) / half
    flat = np.where(a > 0, a * np.sqrt(np.abs(a)), np.abs(a))
    ring = length(lateral / width, flat)
    side = length(lateral, a * half)
    radial = side * (1.0 - 1.0 / np.maximum(ring, 0.05))
    shape = np.maximum(radial, np.maximum(-h - 3.6, over - 3.6))
    soft = _soft(patch, lateral, below.half_width)
    patch.paint(patch.cover(shape - 0.5, soft), t.LIGAMENT)
    inside = patch.cover(shape, soft)
    patch.paint(inside, t.ANNULUS, grain=0.10)
    _nucleus(patch, grade, ring, a, 2.0 * share - 1.0, inside)


def _soft(patch: Patch, lateral: Array, half_width: float) -> Array:
    """Wider edges towards the flanks, where a surface crosses the thick sagittal slice obliquely."""
    canvas = patch.canvas
    across = abs(float(canvas.directions[0][0])) * canvas.steps[0]
    return np.asarray(canvas.softness + 1.6 * across * np.minimum((lateral / half_width) ** 4, 1.3))


def _nucleus(patch: Patch, grade: int, ring: Array, a: Array, level: Array, inside: Array) -> None:
    """Paint the nucleus: signal, sharpness and evenness by Pfirrmann grade; grade II has a dark horizontal band."""
    tissue = t.NUCLEUS[grade]
    core = length((a - 0.08) / 0.74, level / 1.02) * 0.4 + 0.6 * length(ring / 0.76, level / 1.06)
    blur = {1: 0.16, 2: 0.18, 3: 0.55, 4: 0.9, 5: 0.9}[grade]
    cover = np.clip((1.0 - core) / blur + 0.35, 0.0, 1.0)
    cover = cover * cover * (3.0 - 2.0 * cover) * inside
    patch.paint(cover, tissue, grain={1: 0.02, 2: 0.05, 3: 0.16, 4: 0.32, 5: 0.3}[grade])
    if grade in (2, 3):
        band = np.exp(-((level / 0.20) ** 2)) * np.clip((0.8 - ring) / 0.2, 0.0, 1.0)
        patch.paint(cover * band * (0.5 if grade == 2 else 0.25), t.ANNULUS)


def body_distance(at: Coords, bone: Vertebra) -> tuple[Array, Array, Array, Array]:
    """Signed distance to a vertebral body; also distances below its upper and above its lower plate, and ring 0..1."""
    lateral, p, s = at
    corners = {
        name: bone.frame.local(np.array([bone.x, *point]))[1:]
        for name, point in (("tp", bone.upper_p), ("ta", bone.upper_a), ("bp", bone.lower_p), ("ba", bone.lower_a))
    }
    share = np.clip((s - float(corners["bp"][1])) / float(corners["tp"][1] - corners["bp"][1]), 0.0, 1.0)
    waist = 4.0 * share * (1.0 - share)
    rear = float(corners["bp"][0]) * (1 - share) + float(corners["tp"][0]) * share
    nose = float(corners["ba"][0]) * (1 - share) + float(corners["ta"][0]) * share + 0.9 * waist
    rear = rear - 1.1 * waist * np.maximum(0.0, 1.0 - (lateral / 12.0) ** 2)
    half = (rear - nose) / 2
    a = (p - nose - half) / half
    flat = np.where(a > 0, a * np.sqrt(np.abs(a)), np.abs(a))
    ring = length(lateral / (bone.half_width * (1.0 - 0.09 * waist)), flat)
    radial = length(lateral, a * half) * (1.0 - 1.0 / np.maximum(ring, 0.05))
    dish = (0.6 if bone.name.startswith("S") else 1.7) * np.maximum(0.0, 1.0 - ring**4)
    top = _above_line(p, s, corners["tp"], corners["ta"]) + dish
    bottom = -_above_line(p, s, corners["bp"], corners["ba"]) + dish
    return rounded_meet(radial, np.maximum(top, bottom), CORNER_MM), -top, -bottom, ring


def _above_line(p: Array, s: Array, rear: Vector, front: Vector) -> Array:
    """Signed distance above the line from a back to a front corner."""
    run = (rear - front) / np.hypot(*(rear - front))
    return np.asarray((s - float(rear[1])) * float(run[0]) - (p - float(rear[0])) * float(run[1]))


def paint_bodies(canvas: Canvas, anatomy: Anatomy) -> None:
    """Paint every vertebral body with endplates, marrow, basivertebral vein and Modic I where planted."""
    rng = np.random.default_rng(anatomy.seed + 2)
    for name in ORDER:
        bone = anatomy.vertebrae[name]
        half = bone.height / 2 + 7.0
        depth = (
            max(float(np.hypot(*(bone.lower_a - bone.lower_p))), float(np.hypot(*(bone.upper_a - bone.upper_p)))) + 6.0
        )
        wide = 58.0 if name in ALA else bone.half_width + 2.0
        patch = canvas.box(bone.frame, (-wide, -depth, -half), (wide, 6.0, half))
        shade = 1.0 + float(rng.normal(0.0, 0.03))
        modic = (float(rng.uniform(6.0, 9.0)), float(rng.uniform(-0.3, 0.3)))
        if patch is None:
            continue
        at = patch.coords(bone.frame)
        shape, below_top, above_bottom, _ = body_distance(at, bone)
        if name in ALA:
            out, radii = ALA[name]
            wing = rounded_box((np.abs(at[0]), at[1] + 0.12 * np.abs(at[0]), at[2]), (out, -4.0, -1.0), radii, 7.0)
            shape = np.minimum(shape, wing)
        soft = _soft(patch, at[0], 60.0 if name in ALA else bone.half_width)
        whole = patch.cover(shape, soft)
        patch.mark_bone(whole)
        patch.paint(whole, t.ENDPLATE)
        marrow = patch.cover(shape + 1.0, soft)
        _marrow(patch, anatomy, marrow, shade)
        _vein(patch, at, bone, marrow)
        _modic(patch, anatomy, bone, marrow, (below_top, above_bottom), at, modic)
        _lookalikes(patch, anatomy, bone, marrow, at)


def _marrow(patch: Patch, anatomy: Anatomy, marrow: Array, shade: float) -> None:
    """Trabeculae and islands of fat; the older the person, the more fat."""
    patch.paint(marrow, {key: value * shade for key, value in t.MARROW.items()}, grain=0.13)
    islands = 0.14 * patch.streaks() + 0.10 * patch.texture() + anatomy.marrow_fat
    patch.paint(np.clip(islands, 0.0, 0.6) * marrow, t.MARROW_FAT)


def _vein(patch: Patch, at: Coords, bone: Vertebra, marrow: Array) -> None:
    """The basivertebral vein and its fat: a wedge that opens to the back wall at half height."""
    if bone.name.startswith("S"):
        return
    patch.paint(patch.cover(capsule((at[0] * 0.3, at[1], at[2]), (0.0, 1.5, 0.0), (0.0, -10.0, 0.4), 3.4, 2.4), 2.5)
                * marrow * 0.7, t.MARROW_FAT)  # fmt: skip
    vein = capsule((at[0] * 0.35, at[1], at[2]), (0.0, 1.0, 0.0), (0.0, -12.0, 0.4), 1.9, 1.4)
    patch.paint(patch.cover(vein, 1.6) * marrow * 0.9, t.VEIN)


def _modic(
    patch: Patch, anatomy: Anatomy, bone: Vertebra, marrow: Array, plates: tuple[Array, Array], at: Coords,
    shape: tuple[float, float],
) -> None:  # fmt: skip
    """Modic changes along both endplates of the index disc (Radiology 1988;166:193): type I, or II or III instead."""
    truth = anatomy.truth
    tissue = t.MODIC_ONE if truth.modic_type1 else next((t.MODIC[n] for n in truth.confounders if n in t.MODIC), None)
    if tissue is None or bone not in (anatomy.lytic, anatomy.below):
        return
    away = plates[1] if bone is anatomy.lytic else plates[0]
    reach = shape[0] * (1.0 - 0.35 * ((at[0] - 6.0 * shape[1]) / bone.half_width) ** 2) + 1.5 * patch.texture()
    patch.paint(np.clip((reach - away) / 3.0, 0.0, 1.0) * marrow * 0.92, tissue, grain=0.08)


def _lookalikes(patch: Patch, anatomy: Anatomy, bone: Vertebra, marrow: Array, at: Coords) -> None:
    """Harmless things inside a body: a Schmorl node in its upper plate, a haemangioma."""
    rng = np.random.default_rng(anatomy.seed + 7)
    lateral, deep, turn = float(rng.uniform(-7, 7)), float(rng.uniform(-0.62, -0.42)), float(rng.uniform(-2, 2))
    depth = float(np.hypot(*(bone.upper_a - bone.upper_p)))
    if "schmorl" in anatomy.truth.confounders and bone.name == _elsewhere(anatomy, 1):
        top = bone.frame.local(np.array([bone.x, *((1.0 + deep) * bone.upper_p - deep * bone.upper_a)]))
        node = ellipsoid(at, (lateral, float(top[1]), float(top[2]) - 1.0), (5.5, 5.0, 5.2))
        patch.paint(patch.cover(node - 1.3), t.ENDPLATE)
        patch.paint(patch.cover(node), t.ANNULUS, grain=0.1)
    if "haemangioma" in anatomy.truth.confounders and bone.name == _elsewhere(anatomy, 2):
        ball = ellipsoid(at, (lateral, deep * depth, turn), (7.5, 7.0, 7.5))
        patch.paint(patch.cover(ball, 2.0) * marrow * 0.95, t.HAEMANGIOMA)
        bars = np.clip(np.cos((at[0] + 0.4 * at[1]) * 2.1) * 1.6 - 0.5, 0.0, 0.6)
        patch.paint(patch.cover(ball + 0.6, 2.0) * marrow * bars, t.TRABECULA)


def _elsewhere(anatomy: Anatomy, above: int) -> str:
    """Name of a vertebra so many above the lytic one: nothing there is graded."""
    return ORDER[ORDER.index(anatomy.lytic.name) + above]
