"""Paint vertebral bodies: walls, endplates, marrow, vein."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from . import tissues as t
from .anatomy import Anatomy, Vertebra
from .canvas import Array, Canvas, Coords, Frame, Patch, Vector, capsule, length, rounded_box, rounded_meet
from .discs import FAR_SLIP_MM, soft_edge
from .marrow import Plates, paint_lookalikes, paint_modic
from .plates import ORDER, Plate, inside_rim

CORNER_MM = 1.8
# lateral masses of the sacrum: distance of their middle from the midline, half sizes
ALA = {"S1": (33.0, (21.0, 15.0, 13.5)), "S2": (29.0, (18.0, 11.0, 12.5)), "S3": (22.0, (13.0, 9.0, 9.8))}
WAVE_MM = 1.6
EVEN = Plate(0.5, 0.0, 0.0, (0.0, 0.0, 0.0, 0.0), 0.0)


@dataclass(frozen=True)
class _Look:
    """How one body differs from its neighbours: waists, cortex, marrow, vein."""

    waist_front: float
    waist_rear: float
    shade: float
    fat: tuple[float, float, float]
    vein: tuple[float, float, float, float]


class BodyShape(NamedTuple):
    """Signed distances to a body and from its plates (mm), ring 0..1 and place -1..1 from front to back."""

    edge: Array
    plates: Plates
    near_plate: Array
    a: Array


def _look(rng: np.random.Generator) -> _Look:
    return _Look(
        float(rng.uniform(1.0, 2.3)), float(rng.uniform(0.8, 1.5)), 1.0 + float(rng.normal(0.0, 0.03)),
        (float(rng.uniform(0.0, 0.16)), float(rng.uniform(-0.10, 0.10)), float(rng.uniform(-0.06, 0.06))),
        (float(rng.uniform(5.0, 15.0)), float(rng.uniform(-2.0, 2.0)), float(rng.uniform(1.1, 2.1)),
         float(rng.uniform(0.35, 0.95))),
    )  # fmt: skip


def body_distance(at: Coords, bone: Vertebra, plates: tuple[Plate, Plate], waists: tuple[float, float]) -> BodyShape:
    """Return the shape of a vertebral body between its lower and upper plate, waisted in front and behind (mm)."""
    lateral, p, s = at
    low, high = plates
    corners = {
        name: bone.frame.local(np.array([bone.x, *point]))[1:]
        for name, point in (("tp", bone.upper_p), ("ta", bone.upper_a), ("bp", bone.lower_p), ("ba", bone.lower_a))
    }
    share = np.clip((s - float(corners["bp"][1])) / float(corners["tp"][1] - corners["bp"][1]), 0.0, 1.0)
    waist = 4.0 * share * (1.0 - share)
    rear = float(corners["bp"][0]) * (1 - share) + float(corners["tp"][0]) * share
    nose = float(corners["ba"][0]) * (1 - share) + float(corners["ta"][0]) * share + waists[0] * waist
    # lips: bone that has grown forwards from the rim of a plate
    if low.lip_mm or high.lip_mm:
        rims = 1.0 - waist
        rims *= rims
        nose -= rims * rims * (low.lip_mm + (high.lip_mm - low.lip_mm) * share)
    rear = rear - waists[1] * waist * np.maximum(0.0, 1.0 - (lateral / 12.0) ** 2)
    half = (rear - nose) / 2
    a = (p - nose - half) / half
    flat = np.where(a > 0, a * np.sqrt(np.abs(a)), np.abs(a))
    ring = length(lateral / (bone.half_width * (1.0 - 0.09 * waist)), flat)
    radial = length(lateral, a * half) * (1.0 - 1.0 / np.maximum(ring, 0.05))
    inner = inside_rim(ring)
    top = _above_line(p, s, corners["tp"], corners["ta"]) + high.hollow(a, inner)
    bottom = low.hollow(a, inner) - _above_line(p, s, corners["bp"], corners["ba"])
    if high.uneven_mm:
        top = top + high.uneven(a, lateral)
    if low.uneven_mm:
        bottom = bottom + low.uneven(a, lateral)
    ends = np.maximum(top, bottom)
    return BodyShape(rounded_meet(radial, ends, CORNER_MM), (-bottom, -top), ends, a)


def _above_line(p: Array, s: Array, rear: Vector, front: Vector) -> Array:
    """Signed distance above the line from a back to a front corner."""
    run = (rear - front) / np.hypot(*(rear - front))
    return np.asarray((s - float(rear[1])) * float(run[0]) - (p - float(rear[0])) * float(run[1]))


def paint_bodies(canvas: Canvas, anatomy: Anatomy) -> None:
    """Paint every vertebral body with endplates, marrow, basivertebral vein and what is planted in it."""
    discs = anatomy.discs
    lower, upper = {disc.above: disc.upper for disc in discs}, {disc.below: disc.lower for disc in discs}
    for place, name in enumerate(ORDER):
        bone = anatomy.vertebrae[name]
        half = bone.height / 2 + 7.0
        depth = (
            max(float(np.hypot(*(bone.lower_a - bone.lower_p))), float(np.hypot(*(bone.upper_a - bone.upper_p)))) + 6.0
        )
        wide = 58.0 if name in ALA else bone.half_width + 2.0
        patch = canvas.box(bone.frame, (-wide, -depth, -half), (wide, 6.0, half))
        if patch is None:
            continue
        look = _look(np.random.default_rng((anatomy.seed, 13, place)))
        _body(patch, anatomy, bone, (lower.get(name, EVEN), upper.get(name, EVEN)), look)


def _body(patch: Patch, anatomy: Anatomy, bone: Vertebra, plates: tuple[Plate, Plate], look: _Look) -> None:
    at = patch.coords(bone.frame)
    body = body_distance(at, bone, plates, (look.waist_front, look.waist_rear))
    shape = body.edge
    if bone.name in ALA:
        out, radii = ALA[bone.name]
        shape = np.minimum(shape, wing_distance(at, out, radii))
    soft = soft_edge(patch, at[0], 60.0 if bone.name in ALA else bone.half_width)
    if bone is anatomy.lytic and anatomy.truth.slip_mm > FAR_SLIP_MM:
        soft = np.maximum(soft, patch.spread(shape))
    whole = patch.cover(shape, soft)
    patch.mark_bone(whole)
    patch.paint(whole, t.ENDPLATE)
    # plates are thicker than the walls
    shell = np.maximum(1.15 + 0.2 * body.near_plate, 0.75)
    marrow = patch.cover(shape + shell, soft)
    _marrow(patch, anatomy, (at, bone.height / 2), marrow, look)
    _vein(patch, bone, marrow, look)
    paint_modic(patch, anatomy, bone, marrow, body.plates, (at[0] / bone.half_width, body.a))
    paint_lookalikes(patch, anatomy, bone, marrow, body.plates)


def wing_distance(at: Coords, out: float, radii: tuple[float, float, float]) -> Array:
    """Signed distance to both lateral masses of the sacrum: thick at the body, thinner and further back outwards."""
    across = np.abs(at[0])
    share = np.clip((across - out + radii[0]) * (0.5 / radii[0]), 0.0, 1.0)
    # in front it is hollow, with a blunt edge that runs obliquely to the joint; above it slopes away like a roof
    # behind it is rough: crests and hollows where muscles and ligaments begin
    middle = at[1] + 4.0 - 7.0 * share * share + WAVE_MM * np.sin(0.2 * across + 0.15 * at[2])
    deep = radii[1] * (1.0 - 0.38 * share)
    box = rounded_box(
        (across, middle * (radii[1] / deep), at[2] + 4.0 * share), (out, 0.0, -1.0), radii, 0.75 * min(radii)
    )
    return np.asarray(box * (deep / radii[1]))


def _marrow(patch: Patch, anatomy: Anatomy, where: tuple[Coords, float], marrow: Array, look: _Look) -> None:
    """Trabeculae and islands of fat; the older the person, the more fat, most of it near the plates."""
    patch.paint(marrow, {key: value * look.shade for key, value in t.MARROW.items()}, grain=0.13)
    at, half = where
    ends, ahead, up = look.fat
    islands = 0.14 * patch.streaks() + (0.10 * patch.texture() + (anatomy.marrow_fat - 0.4 * ends))
    islands += at[2] * (at[2] * (ends / half**2) + up / half) - (at[1] * (ahead / 16.0) + ahead)
    np.clip(islands, 0.0, 0.65, out=islands)
    patch.paint(islands * marrow, t.MARROW_FAT)


def _vein(patch: Patch, bone: Vertebra, marrow: Array, look: _Look) -> None:
    """The basivertebral vein and its fat: a wedge that opens to the back wall at half height."""
    if bone.name.startswith("S"):
        return
    long, up, thick, seen = look.vein
    found = _within(patch, bone.frame, (-12.0, -long - 3.0, -7.0), (12.0, 3.0, 7.0))
    if found is None:
        return
    part, where = found
    at, inside = part.coords(bone.frame), marrow[where]
    fat = capsule((at[0] * 0.3, at[1], at[2]), (0.0, 1.5, 0.0), (0.0, 2.0 - long, 0.7 * up), thick + 1.6, thick + 0.6)
    part.paint(part.cover(fat, 2.5) * inside * 0.7, t.MARROW_FAT)
    vein = capsule((at[0] * 0.35, at[1], at[2]), (0.0, 1.0, 0.0), (0.0, -long, up), thick, 0.7 * thick)
    part.paint(part.cover(vein, 1.6) * inside * seen, t.VEIN)


def _within(
    patch: Patch, frame: Frame, low: tuple[float, float, float], high: tuple[float, float, float]
) -> tuple[Patch, tuple[slice, ...]] | None:
    """Return the part of a patch that holds a box, and where in the patch it lies; None where they do not meet."""
    box = patch.canvas.box(frame, low, high)
    if box is None:
        return None
    pairs = list(zip(box.window, patch.window, strict=True))
    shared = [slice(max(one.start, two.start), min(one.stop, two.stop)) for one, two in pairs]
    if any(part.stop <= part.start for part in shared):
        return None
    where = tuple(slice(a.start - b.start, a.stop - b.start) for a, b in zip(shared, patch.window, strict=True))
    return Patch(patch.canvas, tuple(shared)), where
