"""Paint the posterior elements: pedicles, articular processes, pars, laminae, spinous processes, joints, defects."""

from __future__ import annotations

import numpy as np

from . import tissues as t
from .anatomy import Anatomy, Defect, Joint, Vertebra, inferior_process, superior_process
from .canvas import Array, Canvas, Coords, Patch, capsule, ellipsoid, length, rounded_box, rounded_meet
from .envelope import LONG_SPINE_MM, SPINE_MM
from .plates import ORDER

PEDICLE_HALF = {"L5": 6.6, "L4": 5.6, "L3": 4.8, "L2": 4.3, "L1": 4.1}
GROWTH_MM = {0: 0.0, 1: 0.7, 2: 2.2, 3: 4.0}
# spurs at the rim of a worn joint: how far the one behind and the one at the canal reach, by grade
SPUR_MM = {0: (0.0, 0.0), 1: (2.0, 0.0), 2: (3.2, 0.8), 3: (5.0, 1.3)}
SHELL_MM = 1.5
OEDEMA_REACH_MM = 10.0


def paint_arches(canvas: Canvas, anatomy: Anatomy) -> None:
    """Paint joints first (capsule, cartilage), then bone from below upwards."""
    for joint in anatomy.joints:
        swollen = "effusion" in anatomy.truth.confounders and joint.upper == anatomy.truth.level
        _joint(canvas, joint, swollen=swollen)
    for defect in anatomy.defects:
        _gap_tissue(canvas, defect)
    for name in ORDER:
        _flava(canvas, anatomy, anatomy.vertebrae[name])
        for side in (-1, 1):
            _arch(canvas, anatomy, anatomy.vertebrae[name], side)
    for joint in anatomy.joints:
        _joint_wear(canvas, joint)


def _side(at: Coords, side: int) -> Coords:
    return at[0] * side, at[1], at[2]


def _bounds(side: int, near: float, far: float, front: float, rear: float, low: float, high: float) -> tuple[
    tuple[float, float, float], tuple[float, float, float]
]:  # fmt: skip
    ends = sorted((side * near, side * far))
    return (ends[0], front, low), (ends[1], rear, high)


def _bone_paint(patch: Patch, shape: Array, shell: float) -> Array:
    whole = patch.cover(shape)
    patch.mark_bone(whole)
    patch.paint(whole, t.CORTEX)
    marrow = patch.cover(shape + shell)
    patch.paint(marrow, t.MARROW, grain=0.13)
    return marrow


def _joint(canvas: Canvas, joint: Joint, *, swollen: bool) -> None:
    """Capsule and the cartilage between the processes; fluid fills a swollen joint and bulges its capsule behind."""
    reach = 13.0 + GROWTH_MM[joint.grade]
    patch = canvas.box(joint.frame, (-reach, -reach, -reach), (reach, reach, reach))
    if patch is None:
        return
    at = patch.coords(joint.frame)
    # a worn joint grows away from the canal; what narrows the recess is another finding
    growth = GROWTH_MM[joint.grade]
    around = ellipsoid(at, (0.0, -joint.side * 0.5 * growth, 0.0), (7.0, 9.0 + 0.5 * growth, 11.0))
    patch.paint(patch.cover(around), t.LIGAMENT)
    space = np.maximum(np.abs(_bent(at)) - joint.gap_mm / 2 - 0.5, length(at[1] / 6.8, at[2] / 8.5) * 6.8 - 6.8)
    patch.paint(patch.cover(space), t.CARTILAGE)
    if swollen:
        bulge = ellipsoid(at, (0.0, -joint.side * 8.2, -1.0), (1.9, 2.4, 6.5))
        fluid = np.maximum(np.abs(_bent(at)) - 0.5 * joint.gap_mm - 0.4, space)
        patch.paint(patch.cover(np.minimum(bulge, fluid)), t.FLUID)
    elif joint.grade == 0:
        patch.paint(patch.cover(np.maximum(np.abs(_bent(at)) - 0.3 * joint.gap_mm, space + 0.8)) * 0.7, t.FLUID)


def _bent(at: Coords) -> Array:
    """Distance from the curved joint surface, positive on the side of the inferior process."""
    return np.asarray(at[0] - 0.018 * at[1] * at[1])


def _joint_wear(canvas: Canvas, joint: Joint) -> None:
    """Cysts and erosions under the cartilage in grade 3, small erosions in grade 2 (Skeletal Radiol 1999;28:215)."""
    spots = {
        2: ((-1.4, 2.0, 1.0, 1.1), (1.5, -2.5, -1.0, 1.0)),
        3: ((-3.4, -1.5, 1.0, 2.4), (3.4, 3.0, -1.0, 2.2), (-2.8, 4.6, -3.0, 1.7), (2.6, -3.4, 3.0, 1.5)),
    }
    for out, across, up, radius in spots.get(joint.grade, ()):
        reach = radius + 3.0
        low = (out - reach, across - reach, up - reach)
        patch = canvas.box(joint.frame, low, (out + reach, across + reach, up + reach))
        if patch is not None:
            shape = ellipsoid(patch.coords(joint.frame), (out, across, up), (radius, radius, radius * 1.8))
            patch.paint(patch.cover(shape - 0.9), t.SCLEROSIS)
            patch.paint(patch.cover(shape), t.FLUID if joint.grade == 3 else t.CARTILAGE)


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
    for low, high in boxes:
        patch = canvas.box(bone.dorsal, low, high)
        if patch is not None:
            _arch_part(patch, anatomy, bone, side)


def _arch_part(patch: Patch, anatomy: Anatomy, bone: Vertebra, side: int) -> None:
    front, rear = _side(patch.coords(bone.frame), side), _side(patch.coords(bone.dorsal), side)
    defect = next((d for d in anatomy.defects if d.side == side), None) if bone is anatomy.lytic else None
    ventral, dorsal = _ventral(anatomy, patch, bone, side, front), _dorsal(anatomy, patch, bone, side, rear)
    if bone.name.startswith("S"):
        _bone_paint(patch, np.minimum(ventral, dorsal), SHELL_MM)
        return
    if defect is None:
        bridge = capsule(front, (bone.pedicle, 10.0, 3.0), (bone.pedicle - 2.0, 22.5, -9.0), 4.7)
        _bone_paint(patch, np.minimum(np.minimum(ventral, dorsal), bridge), SHELL_MM)
        return
    _cut_arch(patch, anatomy, bone, defect, (ventral, dorsal))


def _cut_arch(
    patch: Patch, anatomy: Anatomy, bone: Vertebra, defect: Defect, parts: tuple[Array, Array]
) -> None:  # fmt: skip
    frame = defect.frame
    start = frame.local(bone.frame.world((defect.side * bone.pedicle, 10.0, 3.0)))
    end = frame.local(bone.dorsal.world((defect.side * (bone.pedicle - 2.0), 22.5, -9.0)))
    at = patch.coords(frame)
    beyond = np.maximum(0.0, length(at[1], at[2]) - 11.0)
    half_gap = defect.gap_mm / 2
    stump = capsule(at, (float(start[0]), float(start[1]), float(start[2])), (0.0, 0.0, 0.0), 4.9)
    tail = capsule(at, (0.0, 0.0, 0.0), (float(end[0]), float(end[1]), float(end[2])), 4.9)
    ventral = np.maximum(np.minimum(parts[0], stump), at[0] + half_gap - beyond)
    dorsal = np.maximum(np.minimum(parts[1], tail), half_gap - at[0] - beyond)
    shape = np.minimum(ventral, dorsal)
    marrow = _bone_paint(patch, shape, SHELL_MM)
    near = np.abs(at[0]) - half_gap + beyond
    rim = np.clip((2.6 - near) / 1.2, 0.0, 1.0) * patch.cover(shape)
    patch.paint(rim * 0.9, t.SCLEROSIS)
    if anatomy.truth.isthmic_bme[0 if defect.side < 0 else 1]:
        away = length(at[0] * 0.85, at[1], at[2])
        spread = np.clip((OEDEMA_REACH_MM + 4.0 + 1.2 * patch.texture() - away) / 7.0, 0.0, 1.0)
        patch.paint(spread * np.maximum(marrow, 0.8 * rim), t.BONE_OEDEMA, grain=0.08)


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
    process = capsule(at, start, tip, 6.0 + 0.6 * GROWTH_MM[joint.grade])
    process = _swell(process, patch, joint, -1.0)
    edge = _bent(patch.coords(joint.frame)) + joint.gap_mm / 2
    return np.asarray(np.minimum(shape, np.maximum(process, edge)))


def _swell(process: Array, patch: Patch, joint: Joint, towards: float) -> Array:
    """Osteophytes along the rim of a worn joint, the larger one away from the canal."""
    rear, inner = SPUR_MM[joint.grade]
    if not rear:
        return process
    at = patch.coords(joint.frame)
    away = -float(joint.side)
    spurs = [ellipsoid(at, (towards * 2.6, away * (6.2 + 0.5 * rear), 0.0), (rear, rear + 0.8, rear + 4.0))]
    if inner:
        spurs.append(ellipsoid(at, (towards * 2.6, -away * 6.2, 1.0), (inner + 0.6, inner + 0.6, inner + 3.0)))
    return np.asarray(np.minimum.reduce([process, *spurs]))


def _dorsal(anatomy: Anatomy, patch: Patch, bone: Vertebra, side: int, at: Coords) -> Array:
    """Lamina, inferior articular process, half of the spinous process."""
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
    shape = np.minimum(lamina, spine)
    joint = next((j for j in anatomy.joints if j.upper == bone.name and j.side == side), None)
    if joint is None:
        return np.asarray(shape)
    start, tip = inferior_process(bone)
    process = capsule(at, start, tip, 5.5 + 0.5 * GROWTH_MM[joint.grade])
    process = _swell(process, patch, joint, 1.0)
    edge = joint.gap_mm / 2 - _bent(patch.coords(joint.frame))
    return np.asarray(np.minimum(shape, np.maximum(process, edge)))
