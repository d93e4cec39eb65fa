"""Paint the discs: outer and inner annulus, nucleus and its cleft by Pfirrmann grade."""

from __future__ import annotations

import numpy as np

from . import tissues as t
from .anatomy import Anatomy, Vertebra
from .canvas import Array, Canvas, Frame, Patch, length
from .plates import Disc, inside_rim

# by grade: width of the border between nucleus and annulus, what the inner annulus has of the nucleus, lumps, grain
_NUCLEUS = {
    1: (0.22, 0.24, 0.03, 0.02),
    2: (0.26, 0.24, 0.08, 0.05),
    3: (0.65, 0.30, 0.24, 0.14),
    4: (0.90, 0.40, 0.40, 0.26),
    5: (0.90, 0.40, 0.30, 0.26),
}
# how dark the cleft may be: from hardly seen to plain
CLEFT = {2: (0.25, 0.8), 3: (0.0, 0.5)}
BULGE_MM = (0.4, 0.4, 0.4, 0.9, 1.9, 2.4)
# a disc fills what lies under the plane of a rim, and the rounding of the rim itself
UNDER_MM, RIM_MM = 3.6, 1.6
SPOT_SHARE = 0.3
FAR_SLIP_MM = 10.0
"""From such a slip on surfaces cross the slices so obliquely that every sub-slice would be seen as a step."""


def paint_discs(canvas: Canvas, anatomy: Anatomy) -> None:
    """Paint every disc; bodies painted later cover what lies in their concave endplates."""
    for disc in anatomy.discs:
        _disc(canvas, anatomy, disc)


def plate_frame(bone: Vertebra) -> Frame:
    """Frame of an upper endplate: lateral, posterior, up; origin at its back corner."""
    along = (bone.upper_a - bone.upper_p) / np.hypot(*(bone.upper_a - bone.upper_p))
    axes = np.array([[1.0, 0.0, 0.0], [0.0, -along[0], -along[1]], [0.0, along[1], -along[0]]])
    return Frame(np.array([bone.x, *bone.upper_p]), axes)


def _disc(canvas: Canvas, anatomy: Anatomy, disc: Disc) -> None:
    below, above = anatomy.vertebrae[disc.below], anatomy.vertebrae[disc.above]
    frame = plate_frame(below)
    depth = float(np.hypot(*(below.upper_a - below.upper_p)))
    back = frame.local(np.array([above.x, *above.lower_p]))[1:]
    front = frame.local(np.array([above.x, *above.lower_a]))[1:]
    tall = max(float(back[1]), float(front[1]))
    wide = max(below.half_width, above.half_width) + 4.0
    far = above is anatomy.lytic and anatomy.truth.slip_mm > FAR_SLIP_MM
    more = 4.0 if far else 0.0
    reach = (min(-depth, float(front[0])) - 6.0 - more, max(0.0, float(back[0])) + 6.0 + more)
    patch = canvas.box(frame, (-wide, reach[0], -4.0 - more), (wide, reach[1], tall + 4.0 + more))
    if patch is None:
        return
    lateral, p, h = patch.coords(frame)
    run = front - back
    size = float(np.hypot(*run))
    over = ((p - float(back[0])) * float(run[1]) - (h - float(back[1])) * float(run[0])) / size
    share = np.clip(h / np.maximum(h - over, 0.5), 0.0, 1.0)
    bulge = BULGE_MM[disc.grade] * 4.0 * share * (1.0 - share)
    rear = float(back[0]) * share + bulge
    nose = -depth * (1.0 - share) + float(front[0]) * share - bulge
    half = (rear - nose) / 2
    width = below.half_width * (1.0 - share) + above.half_width * share + bulge
    a = (p - nose - half) / half
    flat = np.where(a > 0, a * np.sqrt(np.abs(a)), np.abs(a))
    ring = length(lateral / width, flat)
    side = length(lateral, a * half)
    radial = side * (1.0 - 1.0 / np.maximum(ring, 0.05))
    under: Array | float = UNDER_MM
    on: Array | float = UNDER_MM
    if above is anatomy.lytic and anatomy.truth.slip_mm:
        # it reaches into the dished plates, but not past the rim of one that stands free
        along = ((p - float(back[0])) * float(run[0]) + (h - float(back[1])) * float(run[1])) / size
        under = np.clip(np.minimum(-p, depth + p) + RIM_MM, 0.0, UNDER_MM)
        on = np.clip(np.minimum(along, size - along) + RIM_MM, 0.0, UNDER_MM)
    shape = np.maximum(radial, np.maximum(-h - under, over - on))
    soft = soft_edge(patch, lateral, below.half_width)
    if far:
        soft = np.maximum(soft, patch.spread(shape))
    patch.paint(patch.cover(shape - 0.75, soft), t.LIGAMENT)
    inside = patch.cover(shape, soft)
    patch.paint(inside, t.ANNULUS, grain=0.10)
    inner = inside_rim(ring)
    low = h + disc.lower.hollow(a, inner)
    high = disc.upper.hollow(a, inner) - over
    level = (low - high) / np.maximum(low + high, 0.5)
    _nucleus(patch, anatomy, disc, (lateral / width, a, level), inside)


def soft_edge(patch: Patch, lateral: Array, half_width: float) -> Array:
    """Wider edges towards the flanks, where a surface crosses the thick sagittal slice obliquely."""
    canvas = patch.canvas
    across = abs(float(canvas.directions[0][0])) * canvas.steps[0]
    return np.asarray(canvas.softness + 1.6 * across * np.minimum((lateral / half_width) ** 4, 1.3))


def _nucleus(patch: Patch, anatomy: Anatomy, disc: Disc, at: tuple[Array, Array, Array], inside: Array) -> None:
    """Paint nucleus and inner annulus; ``at`` runs from -1 to 1 across, from front to back and upwards.

    The nucleus is a box with round ends, pinched where the cleft reaches them. No two are alike: place, size, and
    the cleft's height, bend, thickness and gaps are drawn for each disc.
    """
    rng = np.random.default_rng((anatomy.seed, 12, disc.seed))
    across, a, level = at
    blur, inner, lumps, grain = _NUCLEUS[disc.grade]
    place, long, tall = (float(rng.uniform(*bounds)) for bounds in ((0.0, 0.16), (0.62, 0.78), (0.98, 1.2)))
    rest = a - place
    wide = rest * rest * (1.0 / long**2) + across * across * (1.0 / 0.66**2)
    cleft: Array | None = None
    if disc.grade < 4:
        cleft = _cleft(rng, (across, a, level))
        wide *= 1.0 + float(rng.uniform(0.0, 0.5)) * cleft
    high = level * level * (1.0 / tall**2)
    # 0 would be a box with round corners, 2 an ellipse
    core = np.sqrt(np.sqrt(wide * wide + high * high + float(rng.uniform(0.4, 1.7)) * wide * high))
    share = np.clip((1.0 - core) / blur + 0.5, 0.0, 1.0)
    share = share * share * (3.0 - 2.0 * share)
    # fibres of the annulus are darker the farther out they lie
    share = np.maximum(share, inner * np.clip((1.45 - core) / 0.45, 0.0, 1.0))
    share *= inside
    if disc.grade > 1:
        share *= 1.0 - lumps * np.clip(0.5 + 0.5 * patch.texture(), 0.0, 1.0)
        if cleft is not None:
            share *= 1.0 - float(rng.uniform(*CLEFT[disc.grade])) * cleft
    patch.paint(share, t.NUCLEUS[disc.grade], grain=grain)
    if disc.grade in (3, 4) and rng.random() < SPOT_SHARE:
        off = ((a - 0.86) / 0.07, (level - float(rng.uniform(-0.4, 0.3))) / 0.4, across / 0.3)
        spot = 1.0 - off[0] ** 2 - off[1] ** 2 - off[2] ** 2
        patch.paint(np.clip(2.0 * spot, 0.0, 0.75) * inside, t.CARTILAGE)


def _cleft(rng: np.random.Generator, at: tuple[Array, Array, Array]) -> Array:
    """The dark band across the middle of a nucleus: bent, thick here and thin there, broken in places."""
    across, a, level = at
    up, lean, bend = (float(rng.uniform(-w, w)) for w in (0.16, 0.15, 0.4))
    thin, waves, phase = float(rng.uniform(0.12, 0.30)), float(rng.uniform(2.0, 7.0)), float(rng.uniform(0.0, 6.28))
    off = (level - (a * (lean + bend * a) + (up - 0.2 * bend))) * (1.0 / thin)
    off *= off
    off += 1.0
    off *= off
    # broken by a wave that runs along it
    whole = np.clip(0.75 + float(rng.uniform(0.15, 0.8)) * np.sin(waves * a + (phase + 2.0 * across)), 0.0, 1.0)
    return np.asarray(whole / off)
