"""Paint what lies in the marrow of a body: Modic changes, and harmless things that look like findings."""

from __future__ import annotations

import numpy as np

from . import tissues as t
from .anatomy import Anatomy, Vertebra
from .canvas import Array, Patch, ellipsoid
from .plates import ORDER

Plates = tuple[Array, Array]
# where changes lie along a plate (-1 in front, 1 behind) and how far they spread: in front, behind, all along, patchy
_SPREADS = ((-0.75, 0.95, 0.0), (0.65, 0.95, 0.0), (0.0, 1.9, 0.25), (-0.1, 1.4, 0.6))


def paint_modic(
    patch: Patch, anatomy: Anatomy, bone: Vertebra, marrow: Array, plates: Plates, at: tuple[Array, Array]
) -> None:
    """Modic changes at the index disc (Radiology 1988;166:193): type I, or II or III instead.

    A wedge at the front or back rim, a band, or patches; one plate has more of it than the other. ``plates`` are the
    distances from the lower and the upper plate, ``at`` runs from -1 to 1 across and from front to back.
    """
    truth = anatomy.truth
    tissue = t.MODIC_ONE if truth.modic_type1 else next((t.MODIC[n] for n in truth.confounders if n in t.MODIC), None)
    if tissue is None or bone not in (anatomy.lytic, anatomy.below):
        return
    shared = np.random.default_rng((anatomy.seed, 14))
    middle, spread, patchy = _SPREADS[int(shared.integers(len(_SPREADS)))]
    most, other, more = float(shared.uniform(9.0, 15.0)), float(shared.uniform(0.45, 0.9)), bool(shared.integers(2))
    own = np.random.default_rng((anatomy.seed, 15, int(bone is anatomy.lytic)))
    waves = [(float(own.uniform(2.0, 5.5)), float(own.uniform(-2.5, 2.5)), float(own.uniform(0.0, 6.28))) for _ in "ab"]
    across, a = at
    high = most * (1.0 if (bone is anatomy.lytic) is more else other)
    off = (a - middle - float(own.uniform(-0.15, 0.15))) * (1.0 / spread)
    wander = sum(np.sin(along * a + beside * across + start) for along, beside, start in waves)
    reach = high * (np.exp(-off * off) * (1.0 - 0.3 * across * across) + (0.14 + 0.3 * patchy) * wander)
    away = plates[0] if bone is anatomy.lytic else plates[1]
    soft = float(own.uniform(3.0, 5.5))
    cover = np.clip((reach + 0.4 * patch.texture() - away) / soft + 0.5, 0.0, 1.0)
    cover *= np.clip(0.9 + 0.10 * patch.texture() - patchy * 0.2 * np.abs(wander), 0.0, 1.0)
    patch.paint(cover * marrow, tissue, grain=0.08)


def paint_lookalikes(patch: Patch, anatomy: Anatomy, bone: Vertebra, marrow: Array, plates: Plates) -> None:
    """Harmless things inside a body: a Schmorl node in one of its plates, a haemangioma."""
    confounders = anatomy.truth.confounders
    if "schmorl" in confounders and bone.name == _elsewhere(anatomy, 1):
        _schmorl(patch, anatomy, bone, plates)
    if "haemangioma" in confounders and bone.name == _elsewhere(anatomy, 2):
        _haemangioma(patch, bone, marrow, np.random.default_rng((anatomy.seed, 17)))


def _elsewhere(anatomy: Anatomy, above: int) -> str:
    """Name of a vertebra so many above the lytic one: nothing there is graded."""
    return ORDER[ORDER.index(anatomy.lytic.name) + above]


def _schmorl(patch: Patch, anatomy: Anatomy, bone: Vertebra, plates: Plates) -> None:
    """Disc that has sunk into a plate: a dome, or a mushroom on a neck; a rim of dense bone, thick, thin or none."""
    at, rng = patch.coords(bone.frame), np.random.default_rng((anatomy.seed, 16))
    upper = bool(rng.random() < 0.6)
    rear, front = (bone.upper_p, bone.upper_a) if upper else (bone.lower_p, bone.lower_a)
    share, lateral = float(rng.uniform(0.32, 0.72)), float(rng.uniform(-4.0, 4.0))
    spot = bone.frame.local(np.array([bone.x, *((1.0 - share) * rear + share * front)]))
    into = -1.0 if upper else 1.0
    deep, wide, beside = (float(rng.uniform(*bounds)) for bounds in ((3.5, 8.5), (3.0, 7.5), (4.0, 8.0)))
    rim, lean = max(0.0, float(rng.uniform(-0.5, 1.6))), float(rng.uniform(-0.3, 0.3))
    p, s = float(spot[1]), float(spot[2])
    leaning = (at[0], at[1] - lean * into * (at[2] - s), at[2])
    neck = ellipsoid(leaning, (lateral, p, s), (beside, wide, 3.2))
    # a mushroom's head lies deeper than the plate, a dome's middle in it
    head = float(rng.uniform(0.35, 0.75)) * deep if rng.random() < 0.45 else 0.0
    node = ellipsoid(leaning, (lateral, p, s + into * (1.2 + head)), (beside, wide, deep - 0.55 * head))
    if head:
        neck = ellipsoid(leaning, (lateral, p, s), (0.6 * beside, 0.6 * wide, 4.0))
    shape = np.minimum(node, neck) + 0.25 * patch.texture()
    # it begins at the plate, which it breaks; the disc beyond stays as it is
    beyond = np.clip(plates[1 if upper else 0] + 1.2, 0.0, 1.0)
    if rim > 0.2:
        patch.paint(patch.cover(shape - rim, 1.4) * beyond, t.SCLEROSIS)
    patch.paint(patch.cover(shape) * beyond, t.ANNULUS, grain=0.1)
    # what has sunk in is nucleus, wet or dried out
    wet = next(disc.grade for disc in anatomy.discs if bone.name == (disc.below if upper else disc.above))
    patch.paint(patch.cover(shape + 1.1, 2.2) * beyond * float(rng.uniform(0.15, 0.8)), t.NUCLEUS[wet], grain=0.12)


def _haemangioma(patch: Patch, bone: Vertebra, marrow: Array, rng: np.random.Generator) -> None:
    """Fat and blood between few thick trabeculae: stripes from plate to plate, dots on axial slices."""
    at = patch.coords(bone.frame)
    depth = float(np.hypot(*(bone.upper_a - bone.upper_p)))
    radii = tuple(float(rng.uniform(*bounds)) for bounds in ((5.0, 13.0), (5.0, 13.0), (5.0, 12.0)))
    centre = (float(rng.uniform(-6.0, 6.0)), -depth * float(rng.uniform(0.36, 0.68)), float(rng.uniform(-4.0, 4.0)))
    ball = ellipsoid(at, centre, (radii[0], radii[1], radii[2])) + 0.9 * patch.texture()
    patch.paint(patch.cover(ball, 2.0) * marrow * float(rng.uniform(0.8, 1.0)), t.HAEMANGIOMA, grain=0.08)
    apart = [6.283 / float(rng.uniform(2.4, 4.4)) for _ in "ab"]
    starts = [float(rng.uniform(0.0, 6.28)) for _ in "ab"]
    bend = float(rng.uniform(-0.05, 0.05))
    # unevenly spaced: a slow wave runs through the phase
    uneven = float(rng.uniform(0.4, 1.3)) * np.sin(0.45 * at[1] + 0.3 * at[0] + starts[0])
    bars = np.cos(at[0] * apart[0] + starts[0]) + np.cos((at[1] + bend * at[2]) * apart[1] + starts[1] + uneven)
    bars = np.clip(
        bars * 0.7 - float(rng.uniform(0.15, 0.5)) + 0.25 * patch.texture(), 0.0, float(rng.uniform(0.4, 0.75))
    )
    patch.paint(patch.cover(ball + 0.6, 2.0) * marrow * bars, t.TRABECULA)
