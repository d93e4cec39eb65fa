"""Paint the lateral recesses of the index disc (Bartynski).

The recess is the angle between the disc in front and the joint with its ligamentum flavum behind. What narrows it grows
out of these two: a broad bulge of the annulus, painted with the disc, and a thick ligament along the joint.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import tissues as t
from .anatomy import Anatomy
from .canal import root_path
from .canvas import Array, Canvas, Coords, Frame, Patch, capsule, ellipsoid, length

ROOT_MM = 2.4
ROOT_DEPTH_MM = 5.6
"""How far the traversing root lies behind the back wall of the vertebra below."""
OUT_MM = 26.0
HILL_MM = 5.0
OVER_MM = 9.0
"""How far a bulge of one side runs out beyond the midline: cut there, it would end in a straight step."""
FAT_SHIFT_MM = 0.4
"""Fat lies about this far behind its place on the picture (chemical shift): the rim is even only when drawn uneven."""


@dataclass(frozen=True)
class Narrowing:
    """A grade: half sizes of the root, its way to the middle, how grey it is left, and the fat (mm) beside it.

    ``fat`` is where the narrowing comes from in the first place, ``beyond`` at the opposite side of the root.
    """

    wide: float
    deep: float
    push: float
    seen: float
    fat: float
    beyond: float


GRADES = {
    0: Narrowing(ROOT_MM, ROOT_MM, 0.0, 1.0, 4.0, 4.0),
    1: Narrowing(2.3, 2.3, 0.0, 1.0, 1.5, 1.8),
    2: Narrowing(3.1, 1.35, 1.2, 1.0, -0.4, 0.8),
    3: Narrowing(3.0, 0.9, 1.7, 0.5, -0.5, -0.5),
}


@dataclass(frozen=True)
class Recess:
    """One recess of one person, in a frame that lies in the disc, outwards to its own side.

    ``wall`` has posterior and height of the corners under and over the disc, ``depth`` is where the root lies behind
    them, ``low`` the point towards which it leaves. ``ahead`` says which of both narrows more, disc (1) or joint (-1).
    """

    grade: int
    frame: Frame
    wall: tuple[tuple[float, float], tuple[float, float]]
    depth: float
    sac: float
    low: tuple[float, float, float]
    joint: float
    shift: float
    ahead: int
    spread: float
    reach: float
    shades: tuple[float, float]

    @property
    def narrowing(self) -> Narrowing:
        """What the grade means."""
        return GRADES[self.grade]

    @property
    def out(self) -> float:
        """Where the root lies, from the midline."""
        # where the joints stand close the root lies nearer to the sac
        return min(self.sac + 4.0, self.joint - 1.2) - self.narrowing.push

    def near(self, s: Array) -> Array:
        """How much of the narrowing there is at a height: all of it at the disc, none a centimetre away."""
        # above, a disc that slants after a slip soon has its back edge far from the root
        steep = 1.0 + 0.06 * max(self.wall[0][0] - self.wall[1][0], 0.0)
        away = (np.maximum(np.abs(s) - 2.6, 0.0) + (steep - 1.0) * np.maximum(s, 0.0)) * (1.0 / self.reach)
        return np.asarray(np.exp(-away * away))

    def edge(self, ahead: int) -> float:
        """Return how far back the tissue before (1) or behind the root (-1) comes nearest to it."""
        fat = self.narrowing.fat if ahead == self.ahead else self.narrowing.beyond
        return self.depth - ahead * (self.narrowing.deep + fat) - FAT_SHIFT_MM


def _in_disc(anatomy: Anatomy) -> Frame:
    """Frame of the index disc: origin in the middle of its back edge, axes to the left, backwards, upwards."""
    below, above = anatomy.below, anatomy.lytic
    plates = [(rear - front) / np.hypot(*(rear - front))
              for rear, front in ((below.upper_p, below.upper_a), (above.lower_p, above.lower_a))]  # fmt: skip
    back = (plates[0] + plates[1]) / np.hypot(*(plates[0] + plates[1]))
    axes = np.array([[1.0, 0.0, 0.0], [0.0, back[0], back[1]], [0.0, -back[1], back[0]]])
    return Frame(np.array([below.x, *((below.upper_p + above.lower_p) / 2)]), axes)


def recess_of(anatomy: Anatomy, i: int) -> Recess:
    """Return the right (0) or left (1) recess of a person's index disc."""
    below = anatomy.below
    rng = np.random.default_rng([anatomy.seed, 21, i])
    frame = _in_disc(anatomy)
    corners = [frame.local(np.array([below.x, *point])) for point in (below.upper_p, anatomy.lytic.lower_p)]
    low, high = ((float(corner[1]), float(corner[2])) for corner in corners)
    foot = frame.local(below.frame.world(root_path(below, 1)[1 if below.name.startswith("S") else 0]))
    return Recess(
        grade=anatomy.truth.bartynski[i],
        frame=frame,
        # a vertebra that has sunk in front of the one below leaves no disc to measure
        wall=(low, (high[0], max(high[1], low[1] + 1.0))),
        depth=low[0] + ROOT_DEPTH_MM,
        sac=float(
            anatomy.sac.section((np.zeros(1), below.upper_p[:1] + ROOT_DEPTH_MM, below.upper_p[1:])).half_width[0]
        ),
        low=(float(foot[0]), float(foot[1]), min(float(foot[2]), -6.0)),
        joint=below.pedicle - 1.0,
        shift=float(rng.uniform(-0.8, 1.2)),
        ahead=1 if rng.random() < 0.6 else -1,
        spread=float(rng.uniform(8.5, 11.0)),
        reach=float(rng.uniform(3.0, 4.2)),
        shades=(float(rng.uniform(0.95, 1.3)), float(rng.uniform(1.0, 1.4))),
    )


def _on_side(
    canvas: Canvas, recess: Recess, side: int, depth: tuple[float, float], inner: float
) -> tuple[Patch, Coords] | None:
    ends = sorted((side * -inner, side * OUT_MM))
    patch = canvas.box(recess.frame, (ends[0], depth[0], -14.0), (ends[1], depth[1], 13.0))
    if patch is None:
        return None
    x, p, s = patch.coords(recess.frame)
    return patch, (x * side, p, s)


def paint_bulges(canvas: Canvas, anatomy: Anatomy) -> None:
    """Annulus that bulges into a narrow recess; after the discs and before the bodies, so it grows out of the disc."""
    for i, side in enumerate((-1, 1)):
        recess = recess_of(anatomy, i)
        if not recess.grade:
            continue
        found = _on_side(canvas, recess, side, (recess.wall[1][0] - 8.0, recess.depth + 3.0), OVER_MM)
        if found is None:
            continue
        patch, at = found
        wall, surface = _bulge(recess, at)
        # it begins within the annulus without an edge of its own
        inner = np.clip((at[1] - wall + 3.0) * 0.5, 0.0, 1.0)
        soft = patch.spread(surface)
        patch.paint(patch.cover(surface - 0.5, soft) * inner, t.LIGAMENT)
        patch.paint(patch.cover(surface, soft) * inner, t.shaded(t.ANNULUS, recess.shades[0]), grain=0.14)


def _bulge(recess: Recess, at: Coords) -> tuple[Array, Array]:
    """Where the back edge of the disc lies, and the signed distance to the surface of the bulge."""
    across, p, s = at
    (low_p, low_s), (high_p, high_s) = recess.wall
    wall = np.interp(s, (low_s, high_s), (low_p, high_p)).astype(np.float32)
    # the back of a disc is flat in the middle and falls away towards its flanks
    wall = wall - 17.0 * (1.0 - np.cbrt(np.maximum(1.0 - (across / OUT_MM) ** 2, 0.05)))
    middle = recess.out + recess.shift
    hill = np.maximum(1.0 - ((across - middle) / recess.spread) ** 2, 0.0)
    hill = hill * np.sqrt(hill)
    rise = (recess.edge(1) - wall) * recess.near(s)
    # what a slip has uncovered of the disc slopes away across the midline: only the rest is a hill of this side
    own = np.minimum(rise, HILL_MM)
    over = np.clip(1.0 + across / OVER_MM, 0.0, 1.0)
    over = over * over * (3.0 - 2.0 * over)
    return wall, np.asarray(p - wall - (rise - own) * np.where(across < middle, over, hill) - own * hill)


def paint_recesses(canvas: Canvas, anatomy: Anatomy) -> None:
    """The ligament along the joint and the traversing root; after the bodies, before the arches."""
    for i, side in enumerate((-1, 1)):
        recess = recess_of(anatomy, i)
        found = _on_side(canvas, recess, side, (recess.depth - 8.0, recess.depth + 20.0), 2.0)
        if found is None:
            continue
        patch, at = found
        flavum = t.shaded(t.FLAVUM, recess.shades[1])
        if recess.grade:
            patch.paint(patch.cover(_ligament(recess, at)), flavum, grain=0.16)
        if recess.grade == 3:
            rest = ellipsoid(at, (recess.out + 1.2, recess.depth + 0.4, 0.0), (6.0, 5.2, 7.0))
            patch.paint(patch.cover(rest, 1.8), t.shaded(t.SCAR, recess.shades[1]), grain=0.2)
        # a squeezed root swells
        root = t.shaded(t.ROOT, 1.25 if recess.grade == 2 else 1.0)
        patch.paint(patch.cover(_root(recess, at)) * recess.narrowing.seen, root)


def _ligament(recess: Recess, at: Coords) -> Array:
    """Signed distance to the thick ligament: from the joint's front past the root to the lamina."""
    thick = 3.3 + 0.2 * recess.grade
    flat = (at[0], at[1], at[2] * 0.0)
    knee = (recess.out + 0.4 + 0.5 * recess.shift, recess.edge(-1) + thick, 0.0)
    joint = capsule(flat, knee, (recess.joint, knee[1] + 1.5, 0.0), thick)
    rear = capsule(flat, knee, (knee[0] + 0.5, knee[1] + 5.0, 0.0), thick)
    lamina = capsule(flat, knee, (4.5, recess.depth + 15.0, 0.0), thick, thick - 1.7)
    return np.asarray(np.minimum(np.minimum(joint, rear), lamina) + (1.0 - recess.near(at[2])) * thick)


def _root(recess: Recess, at: Coords) -> Array:
    """Signed distance to the root: out of the dural sac above, into its foramen below, flat where it is squeezed."""
    across, p, s = at
    low, out = recess.low, recess.out
    heights = (low[2], -5.0, 4.0, 12.0)
    middle = np.interp(s, heights, (low[0], out, out, recess.sac - 0.4)).astype(np.float32)
    depth = np.interp(s, heights[:2], (low[1], recess.depth)).astype(np.float32)
    squeeze = recess.near(s)
    wide = ROOT_MM + (recess.narrowing.wide - ROOT_MM) * squeeze
    deep = ROOT_MM + (recess.narrowing.deep - ROOT_MM) * squeeze
    rod = (length((across - middle) / wide, (p - depth) / deep) - 1.0) * np.minimum(wide, deep)
    return np.asarray(np.maximum(rod, np.maximum(low[2] - s, s - heights[-1])))
