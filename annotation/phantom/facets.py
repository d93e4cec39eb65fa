"""Paint the facet joints: capsule, cartilage, fluid, wear of the bone under it, spurs (Weishaupt)."""

from __future__ import annotations

import numpy as np

from . import tissues as t
from .anatomy import Anatomy, Joint
from .canvas import Array, Canvas, Coords, Patch, capsule, ellipsoid, length
from .lumps import lumps

GROWTH_MM = {0: 0.0, 1: 0.7, 2: 2.2, 3: 4.0}
# spurs at the rim of a worn joint: how far the one behind and the one at the canal reach, by grade
SPUR_MM = {0: (0.0, 0.0), 1: (2.0, 0.0), 2: (3.4, 0.9), 3: (5.2, 1.4)}
# cysts and erosions under the cartilage by grade: least and most of them, smallest and largest radius
WEAR = {2: (2, 4, 1.1, 1.7), 3: (3, 6, 1.0, 2.6)}
EROSION = t.shaded(t.CARTILAGE, 1.2)
SCLEROSIS_MM = {0: 0.0, 1: 0.3, 2: 0.9, 3: 1.5}


def joint_rng(anatomy: Anatomy, joint: Joint, use: int) -> np.random.Generator:
    """Random numbers that belong to one joint, a stream of its own for every use."""
    return np.random.default_rng([anatomy.seed, use, ord(joint.upper[-1]), 1 + joint.side])


def bent(anatomy: Anatomy, joint: Joint, at: Coords) -> Array:
    """Distance from the joint surface, positive on the side of the inferior process.

    Seen from above a joint is a C or, where its inner end turns more, a J; no two are bent alike.
    """
    rng = joint_rng(anatomy, joint, 31)
    curve, hook = float(rng.uniform(0.018, 0.042)), float(rng.uniform(0.0, 0.05))
    inner = np.maximum(0.0, at[1] * float(joint.side) - 1.5)
    return np.asarray(at[0] - curve * at[1] * at[1] - hook * inner * inner)


def paint_joint(canvas: Canvas, anatomy: Anatomy, joint: Joint, *, swollen: bool) -> None:
    """Capsule and the cartilage between the processes; fluid fills a swollen joint and bulges its capsule behind."""
    reach = 13.0 + GROWTH_MM[joint.grade]
    patch = canvas.box(joint.frame, (-reach, -reach, -reach), (reach, reach, reach))
    if patch is None:
        return
    at = patch.coords(joint.frame)
    # a worn joint grows away from the canal; what narrows the recess is another finding
    growth = GROWTH_MM[joint.grade]
    rough = lumps(patch, anatomy.seed + 41, 3.0, 8)
    around = ellipsoid(at, (0.0, -joint.side * 0.5 * growth, 0.0), (6.6, 8.6 + 0.5 * growth, 11.0))
    patch.paint(patch.cover(around + 0.5 * rough, 1.6) * 0.85, t.LIGAMENT, grain=0.2)
    across = np.abs(bent(anatomy, joint, at))
    space = np.maximum(across - joint.gap_mm / 2 - 0.5, length(at[1] / 6.8, at[2] / 8.5) * 6.8 - 6.8)
    # cartilage wears unevenly: the worse the joint, the more of it is scar or gone
    worn = np.clip(0.15 * joint.grade + 0.12 * joint.grade * rough, 0.0, 0.8)
    cover = patch.cover(space)
    patch.paint(cover, t.CARTILAGE, grain=0.1)
    patch.paint(cover * worn, t.LIGAMENT)
    if swollen:
        bulge = ellipsoid(at, (0.0, -joint.side * 8.2, -1.0), (1.9, 2.4, 6.5))
        fluid = np.maximum(across - 0.5 * joint.gap_mm - 0.4, space)
        patch.paint(patch.cover(np.minimum(bulge, fluid)), t.FLUID)
    elif joint.grade == 0:
        film = np.maximum(across - 0.24 * joint.gap_mm - 0.14 * rough, space + 0.8)
        patch.paint(patch.cover(film) * np.clip(0.66 + 0.2 * rough, 0.3, 0.95), t.FLUID)


def process(anatomy: Anatomy, patch: Patch, joint: Joint, rod: Array, towards: float) -> Array:
    """One articular process of a joint from its rod, cut by the joint space; ``towards`` is 1 for the inferior one."""
    at = patch.coords(joint.frame)
    surface = bent(anatomy, joint, at) * towards
    shape = np.minimum(rod, _spurs(anatomy, joint, at, towards)) if SPUR_MM[joint.grade][0] else rod
    return np.asarray(np.maximum(shape, joint.gap_mm / 2 - surface))


def _spurs(anatomy: Anatomy, joint: Joint, at: Coords, towards: float) -> Array:
    """Osteophytes along the rim of a worn joint: beaks that curl around it, the larger ones away from the canal."""
    rear, inner = SPUR_MM[joint.grade]
    rng = joint_rng(anatomy, joint, 33 if towards > 0 else 35)
    away, size = -float(joint.side), float(rng.uniform(0.82, 1.18))
    root, high = float(rng.uniform(1.6, 3.2)) * towards, float(rng.uniform(-3.0, 3.0))
    rear *= size
    # from the process out past the rim of the joint, and a little around it
    tip = (root - towards * float(rng.uniform(0.2, 1.6)), away * (6.4 + 1.35 * rear), high + float(rng.uniform(-2, 2)))
    thick = 0.75 * rear + 0.4
    found = capsule((at[0], at[1], at[2] * 0.55), (root + towards, away * 5.0, high * 0.55),
                    (tip[0], tip[1], tip[2] * 0.55), thick, 0.55 * thick)  # fmt: skip
    if inner:
        inner *= float(rng.uniform(0.8, 1.2))
        spur = ellipsoid(at, (towards * 2.6, -away * 6.2, 1.0), (inner + 0.6, inner + 0.6, inner + 3.0))
        found = np.minimum(found, spur)
    return found


def paint_wear(canvas: Canvas, anatomy: Anatomy, joint: Joint) -> None:
    """Sclerosis, erosions and cysts under the cartilage (Skeletal Radiol 1999;28:215): eroded in 2, cysts in 3."""
    if joint.grade == 0:
        return
    patch = canvas.box(joint.frame, (-7.0, -10.0, -11.0), (7.0, 10.0, 11.0))
    if patch is None:
        return
    _sclerosis(patch, anatomy, joint)
    if joint.grade not in WEAR:
        return
    least, most, small, large = WEAR[joint.grade]
    rng = joint_rng(anatomy, joint, 37)
    at = patch.coords(joint.frame)
    surface = bent(anatomy, joint, at)
    for i in range(int(rng.integers(least, most + 1))):
        radius = float(rng.uniform(small, large)) if i else large
        side = 1.0 if (i + joint.side) % 2 else -1.0
        depth = side * (joint.gap_mm / 2 + (0.25 if joint.grade == 2 else 0.9) * radius)
        spot = (depth, float(rng.uniform(-5.0, 5.0)), float(rng.uniform(-4.0, 4.0)))
        radii = tuple(radius * float(rng.uniform(0.7, 1.35)) for _ in range(3))
        shape = ellipsoid((surface, at[1], at[2]), spot, (radii[0], radii[1], radii[2] * 1.4))
        shape = shape + 0.3 * patch.streaks()
        patch.paint(patch.cover(shape - float(rng.uniform(0.4, 1.1)), 1.2), t.SCLEROSIS)
        wet = joint.grade == 3 and (i == 0 or rng.random() < 0.7)
        # a dry erosion holds soft tissue that is lighter than the dense bone around it, but not water
        patch.paint(patch.cover(shape) * float(rng.uniform(0.75, 1.0)), t.FLUID if wet else EROSION)


def _sclerosis(patch: Patch, anatomy: Anatomy, joint: Joint) -> None:
    """Dense bone along the surfaces of a worn joint, thicker here and thinner there."""
    at = patch.coords(joint.frame)
    depth = np.abs(bent(anatomy, joint, at)) - joint.gap_mm / 2
    thick = SCLEROSIS_MM[joint.grade] * (1.0 + 0.7 * lumps(patch, anatomy.seed + 43, 3.0, 8)) + 0.4
    inside = np.clip(5.6 - length(at[1], at[2] * 0.8), 0.0, 1.0)
    cover = np.clip((thick - depth) / 1.0, 0.0, 1.0) * np.clip(depth / 0.5, 0.0, 1.0) * inside
    patch.paint(cover * 0.8, t.SCLEROSIS)
