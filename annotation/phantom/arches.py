"""Paint the posterior elements: pedicles, articular processes, pars, laminae, spinous processes, defects."""

from __future__ import annotations

import numpy as np

from . import tissues as t
from .anatomy import Anatomy, Defect, Joint, Vertebra, inferior_process, superior_process
from .canvas import Array, Canvas, Coords, Patch, capsule, ellipsoid, length, rounded_box, rounded_meet
from .column import ALA, wing_distance
from .defects import edges, fragments, margins, stump_radii
from .envelope import LONG_SPINE_MM, SPINE_MM
from .facets import GROWTH_MM, paint_joint, paint_wear, process
from .lumps import lumps
from .plates import ORDER

PEDICLE_HALF = {"L5": 6.6, "L4": 5.6, "L3": 4.8, "L2": 4.3, "L1": 4.1}
SHELL_MM = 0.95
OUTLINE_MM = 0.45
OEDEMA_REACH_MM = 10.0
MARGIN_MM = 2.5
NEAR_MM = 14.0
COARSE_MM = 1.05


def paint_arches(canvas: Canvas, anatomy: Anatomy) -> None:
    """Paint joints first (capsule, cartilage), then bone from below upwards."""
    for joint in anatomy.joints:
        swollen = "effusion" in anatomy.truth.confounders and joint.upper == anatomy.truth.level
        paint_joint(canvas, anatomy, joint, swollen=swollen)
    for defect in anatomy.defects:
        _gap_tissue(canvas, defect)
    for name in ORDER:
        _flava(canvas, anatomy, anatomy.vertebrae[name])
        for side in (-1, 1):
            _arch(canvas, anatomy, anatomy.vertebrae[name], side)
    for joint in anatomy.joints:
        paint_wear(canvas, anatomy, joint)


def paint_bones(canvas: Canvas, anatomy: Anatomy, side: int) -> None:
    """Paint the arches on one side that lie around a defect, and nothing else."""
    above = anatomy.vertebrae[ORDER[ORDER.index(anatomy.lytic.name) + 1]]
    for bone in (anatomy.below, anatomy.lytic, above):
        _arch(canvas, anatomy, bone, side)


def _side(at: Coords, side: int) -> Coords:
    return at[0] * side, at[1], at[2]


def _bounds(side: int, near: float, far: float, front: float, rear: float, low: float, high: float) -> tuple[
    tuple[float, float, float], tuple[float, float, float]
]:  # fmt: skip
    ends = sorted((side * near, side * far))
    return (ends[0], front, low), (ends[1], rear, high)


def _bone_paint(
    patch: Patch, anatomy: Anatomy, shape: Array, bone: Vertebra | None = None
) -> tuple[Patch, Array] | None:
    """Cortex and marrow of a shape, outside the body of ``bone``; returns the part it fills, and its marrow there.

    No cortex is equally thick all around, and towards the marrow it breaks up into trabeculae.
    """
    inner = _around(shape)
    if inner is None:
        return None
    patch = _part(patch, inner)
    shape = shape[inner]
    shell: Array | float = SHELL_MM
    if not _coarse(patch.canvas):
        shape = shape + np.float32(OUTLINE_MM) * lumps(patch, anatomy.seed + 45, 4.5, 10)
        shell = lumps(patch, anatomy.seed + 47, 5.0, 8)
        shell *= np.float32(0.5 * SHELL_MM)
        shell += np.float32(SHELL_MM)
        np.clip(shell, 0.35, 2.0, out=shell)
    whole, marrow = patch.cover(shape), patch.cover(shape + shell, 1.4 * patch.canvas.softness)
    if bone is not None:
        keep = _beside_body(bone, patch.coords(bone.frame))
        whole *= keep
        marrow *= keep
    patch.mark_bone(whole)
    patch.paint(whole, t.CORTEX, grain=0.3)
    patch.paint(marrow, t.MARROW, grain=0.13)
    return patch, marrow


def _coarse(canvas: Canvas) -> bool:
    """Whether voxels are too large for the small unevenness of bone: localiser and scout."""
    return canvas.steps[1] > COARSE_MM


def _around(shape: Array) -> tuple[slice, slice, slice] | None:
    """Return the smallest box around what lies inside a shape or just outside of it."""
    inside = shape < MARGIN_MM
    found = []
    for axes in ((1, 2), (0, 2), (0, 1)):
        places = np.flatnonzero(inside.any(axis=axes))
        if not len(places):
            return None
        found.append(slice(int(places[0]), int(places[-1]) + 1))
    return found[0], found[1], found[2]


def _part(patch: Patch, inner: tuple[slice, slice, slice]) -> Patch:
    pairs = zip(patch.window, inner, strict=True)
    return Patch(patch.canvas, tuple(slice(w.start + i.start, w.start + i.stop) for w, i in pairs))


def _beside_body(bone: Vertebra, at: Coords) -> Array:
    """1 outside the vertebral body, 0 within it: where a pedicle has grown into the body, the body is painted."""
    deep = np.clip(-at[1] / 17.0, 0.0, 1.0)
    wide = 0.93 * bone.half_width * np.sqrt(1.0 - (1.0 - deep) ** 3)
    outside = np.maximum(np.abs(at[0]) - wide, at[1] + 1.0)
    if bone.name in ALA:
        outside = np.minimum(outside, wing_distance(at, *ALA[bone.name]))
    return np.asarray(np.clip(outside + 2.5, 0.0, 1.0), dtype=np.float32)


def _gap_tissue(canvas: Canvas, defect: Defect) -> None:
    """Fibrous tissue that fills and surrounds a defect."""
    reach = 8.0 + defect.gap_mm
    patch = canvas.box(defect.frame, (-reach, -reach, -reach), (reach, reach, reach))
    if patch is not None:
        at = patch.coords(defect.frame)
        radii = (defect.gap_mm / 2 + 3.5, 6.6, 6.6)
        patch.paint(patch.cover(ellipsoid(at, (0.0, 0.0, 0.0), radii), 2.0), t.GAP, grain=0.08)


def _flava(canvas: Canvas, anatomy: Anatomy, bone: Vertebra) -> None:
    """Ligamenta flava from the front of a lamina to the next lamina below."""
    if bone.name in ("S3", "S2", "S1"):
        return
    half = bone.height / 2
    # the lamina below a slipped arch has stayed behind: the ligament to it is short in the canal and runs backwards
    over = ORDER.index(bone.name) == ORDER.index(anatomy.lytic.name) + 1
    left = float(np.clip(anatomy.truth.slip_pct / 100.0, 0.0, 1.0)) if over else 0.0
    tall = 0.85 * half * (1.0 - 0.5 * left)
    for side in (-1, 1):
        rear = 28.0 + 20.0 * left
        patch = canvas.box(bone.dorsal, *_bounds(side, -1.0, bone.pedicle + 2.0, 12.0, rear, -2.6 * half, -0.2 * half))
        if patch is None:
            continue
        lateral, p, s = _side(patch.coords(bone.dorsal), side)
        wide = bone.pedicle - 3.0
        low = (0.5, 24.0, 0.0)
        high = (wide, 16.5, 0.0)
        strip = capsule((lateral, p + left * (s + 0.6 * half), s * 0.0), low, high, 1.6)
        strip = np.maximum(strip, np.abs(s + 0.6 * half + tall) - tall)
        patch.paint(patch.cover(strip), t.FLAVUM)


def _arch(canvas: Canvas, anatomy: Anatomy, bone: Vertebra, side: int) -> None:
    """One half of a vertebral arch; the lytic one is cut at the defect, its dorsal part stays behind."""
    half = bone.height / 2
    out = bone.pedicle
    fused = bone.name == "L5" and side in anatomy.fused
    ahead = -17.0 - (anatomy.truth.slip_mm if bone is anatomy.lytic else 0.0)
    # three boxes, so that the long processes do not make one large one: core, spinous and transverse process
    boxes = (
        _bounds(side, -2.0, out + 12.0, ahead, 30.5, -half - 20.0, half + 14.0),
        _bounds(side, -1.0, 5.0, 31.0, 54.0, -1.8 * half - 4.0, 0.3 * half),
        _bounds(
            side,
            out + 12.5,
            out + 33.0,
            ahead + (10.0 if fused else 18.0),
            20.0,
            -half - 16.0 if fused else -6.0,
            0.5 * half + 6.0,
        ),
    )
    for draw, (low, high) in zip((_core, _spine, _wing), boxes, strict=True):
        patch = canvas.box(bone.dorsal, low, high)
        if patch is not None:
            draw(patch, anatomy, bone, side)


def _core(patch: Patch, anatomy: Anatomy, bone: Vertebra, side: int) -> None:
    front, rear = _side(patch.coords(bone.frame), side), _side(patch.coords(bone.dorsal), side)
    defect = next((d for d in anatomy.defects if d.side == side), None) if bone is anatomy.lytic else None
    ventral, dorsal = _ventral(anatomy, patch, bone, side, front), _dorsal(anatomy, patch, bone, side, rear)
    if defect is not None:
        _cut_arch(patch, anatomy, bone, defect, (ventral, dorsal))
        return
    shape = np.minimum(ventral, dorsal)
    if not bone.name.startswith("S"):
        bridge = capsule(front, (bone.pedicle, 10.0, 3.0), (bone.pedicle - 2.0, 22.5, -9.0), 4.7)
        shape = np.minimum(shape, bridge)
    _bone_paint(patch, anatomy, shape, bone)


def _spine(patch: Patch, anatomy: Anatomy, bone: Vertebra, side: int) -> None:
    """Behind the laminae there is only the spinous process."""
    _bone_paint(patch, anatomy, _lamina(bone, _side(patch.coords(bone.dorsal), side)))


def _wing(patch: Patch, anatomy: Anatomy, bone: Vertebra, side: int) -> None:
    """Far out to the side there is only what belongs to the ventral part."""
    _bone_paint(patch, anatomy, _ventral(anatomy, patch, bone, side, _side(patch.coords(bone.frame), side)))


def _cut_arch(
    patch: Patch, anatomy: Anatomy, bone: Vertebra, defect: Defect, parts: tuple[Array, Array]
) -> None:  # fmt: skip
    frame = defect.frame
    start = frame.local(bone.frame.world((defect.side * bone.pedicle, 10.0, 3.0)))
    end = frame.local(bone.dorsal.world((defect.side * (bone.pedicle - 2.0), 22.5, -9.0)))
    at = patch.coords(frame)
    beyond = np.maximum(0.0, length(at[1], at[2]) - 11.0)
    half_gap = defect.gap_mm / 2
    thick = stump_radii(anatomy, defect)
    stump = capsule(at, (float(start[0]), float(start[1]), float(start[2])), (0.0, 0.0, 0.0), thick[0])
    tail = capsule(at, (0.0, 0.0, 0.0), (float(end[0]), float(end[1]), float(end[2])), thick[1])
    ventral = np.maximum(np.minimum(parts[0], stump), at[0] + half_gap - beyond)
    dorsal = np.maximum(np.minimum(parts[1], tail), half_gap - at[0] - beyond)
    shape = np.minimum(ventral, dorsal)
    near = None if _coarse(patch.canvas) else patch.canvas.box(frame, (-6.0, -9.5, -9.5), (6.0, 9.5, 9.5))
    inner = None if near is None else _shared(patch, near)
    if inner is not None:
        close = _part(patch, inner)
        at = close.coords(frame)
        beyond = beyond[inner]
        front, rear = edges(anatomy, defect, close)
        ventral = np.maximum(np.minimum(parts[0], stump)[inner], at[0] - front - beyond)
        dorsal = np.maximum(np.minimum(parts[1], tail)[inner], rear - at[0] - beyond)
        whole = np.minimum(ventral, dorsal)
        loose = fragments(anatomy, defect, at)
        shape[inner] = whole if loose is None else np.minimum(whole, loose)
    painted = _bone_paint(patch, anatomy, shape, bone)
    if inner is not None:
        _sclerosis(close, anatomy, defect, shape[inner], (front, rear))
    if painted is not None and anatomy.truth.isthmic_bme[0 if defect.side < 0 else 1]:
        _oedema(*painted, anatomy, defect)


def _shared(patch: Patch, other: Patch) -> tuple[slice, slice, slice] | None:
    """Where in a patch another one of the same canvas lies."""
    found = []
    for own, wanted in zip(patch.window, other.window, strict=True):
        start, stop = max(own.start, wanted.start) - own.start, min(own.stop, wanted.stop) - own.start
        if stop <= start:
            return None
        found.append(slice(start, stop))
    return found[0], found[1], found[2]


def _sclerosis(
    patch: Patch, anatomy: Anatomy, defect: Defect, shape: Array, ends: tuple[Array, Array]
) -> None:  # fmt: skip
    """Dense bone along both edges of a defect; whichever piece a place belongs to, its own margin counts."""
    across = patch.coords(defect.frame)[0]
    front, rear = ends
    one, other = margins(anatomy, defect, patch)
    beneath = np.where(across < 0.5 * (front + rear), front - across - one, across - rear - other)
    rim = np.clip(0.5 - beneath * np.float32(1 / 1.3), 0.0, 1.0) * patch.cover(shape + 0.4)
    patch.paint(rim * np.float32(0.85), t.SCLEROSIS, grain=0.3)


def _oedema(patch: Patch, marrow: Array, anatomy: Anatomy, defect: Defect) -> None:
    """Oedema of the marrow on both sides of a defect: patchy, fading towards pedicle and lamina."""
    at = patch.coords(defect.frame)
    rng = np.random.default_rng([anatomy.seed, 27, 1 + defect.side])
    # it reaches further into one of the two pieces, and not equally far in two people
    front, rear = rng.uniform(0.62, 0.95, 2).tolist()
    # from the edges of the bone on: a far slip leaves the pieces far apart
    deep = np.abs(at[0]) - np.float32(max(defect.gap_mm / 2 - 1.7, 0.0))
    away = length(np.where(at[0] < 0, deep * np.float32(front), deep * np.float32(rear)), at[1], at[2])
    away += np.float32(1.5) * lumps(patch, anatomy.seed + 28 + defect.side, 3.0, 10)
    patchy = 0.22 * patch.texture() + 0.16 * patch.streaks()
    spread = np.clip((OEDEMA_REACH_MM + 3.0 - away) / 9.5 + patchy, 0.0, 1.0) * np.clip(0.86 + 0.7 * patchy, 0.0, 1.0)
    patch.paint(spread * marrow, t.BONE_OEDEMA, grain=0.08)


def _ventral(anatomy: Anatomy, patch: Patch, bone: Vertebra, side: int, at: Coords) -> Array:
    """Pedicle, transverse and superior articular process."""
    half, out = bone.height / 2, bone.pedicle
    thick = PEDICLE_HALF.get(bone.name, 4.0)
    tall = min(7.2, 0.55 * half)
    squeezed = (at[0], at[1], at[2] * (thick / tall))
    level = 0.36 * half * thick / tall
    shape = capsule(squeezed, (out, -8.0, level), (out, 10.0, level - 0.5), thick)
    if not bone.name.startswith("S"):
        wide = capsule(at, (out + 2.0, 8.0, 0.3 * half), (out + 24.0, 13.0, 0.4 * half), 4.3, 1.2)
        shape = np.minimum(shape, wide)
    if bone.name == "L5" and side in anatomy.fused:
        bridge = capsule(at, (out + 8.0, 4.0, 0.0), (out + 22.0, 2.0, -half - 4.0), 8.5, -2.0)
        shape = np.minimum(shape, bridge)
    joint = next((j for j in anatomy.joints if j.lower == bone.name and j.side == side), None)
    if joint is None:
        return shape
    start, tip = superior_process(bone)
    rod = capsule(at, start, tip, 6.0 + 0.6 * GROWTH_MM[joint.grade])
    return _joined(shape, anatomy, patch, joint, rod, -1.0)


def _joined(shape: Array, anatomy: Anatomy, patch: Patch, joint: Joint, rod: Array, towards: float) -> Array:
    """A shape with one articular process, cut and spurred only near its joint: elsewhere there is nothing to cut."""
    found = np.minimum(shape, rod)
    near = patch.canvas.box(joint.frame, (-NEAR_MM, -NEAR_MM, -NEAR_MM), (NEAR_MM, NEAR_MM, NEAR_MM))
    inner = None if near is None else _shared(patch, near)
    if inner is not None:
        shape, rod = (np.broadcast_to(part, found.shape)[inner] for part in (shape, rod))
        found[inner] = np.minimum(shape, process(anatomy, _part(patch, inner), joint, rod, towards))
    return np.asarray(found)


def _lamina(bone: Vertebra, at: Coords) -> Array:
    """Lamina and half of the spinous process."""
    half, out = bone.height / 2, bone.pedicle
    flat = (at[0], at[1], at[2] * 0.42)
    middle = -0.72 * half
    lamina = capsule(flat, (out - 2.5, 20.5, middle * 0.42), (0.0, 27.0, middle * 0.42), 3.3)
    reach = SPINE_MM.get(bone.name, LONG_SPINE_MM)
    drop = middle - 0.16 * (at[1] - 27.0)
    tall = 0.66 * half if reach > 45 else 0.5 * half
    # a hatchet: thin from side to side, blunt and thick at its end
    swell = np.clip((at[1] - 27.0) / (reach - 27.0), 0.0, 1.0)
    blade = rounded_box(
        (at[0] * 0.0, at[1], at[2] - drop), (0.0, (reach + 25.0) / 2, 0.0), (9.0, (reach - 25.0) / 2 + 1.5, tall), 5.0
    )
    spine = rounded_meet(blade + 1.6 * (1.0 - swell), np.abs(at[0]) - 2.6 - 1.4 * swell * swell, 2.2)
    return np.asarray(np.minimum(lamina, spine))


def _dorsal(anatomy: Anatomy, patch: Patch, bone: Vertebra, side: int, at: Coords) -> Array:
    """Lamina, inferior articular process, half of the spinous process."""
    shape = _lamina(bone, at)
    joint = next((j for j in anatomy.joints if j.upper == bone.name and j.side == side), None)
    if joint is None:
        return np.asarray(shape)
    start, tip = inferior_process(bone)
    rod = capsule(at, start, tip, 5.5 + 0.5 * GROWTH_MM[joint.grade])
    return _joined(shape, anatomy, patch, joint, rod, 1.0)
