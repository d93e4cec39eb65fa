"""The skeleton of one synthetic person: where every vertebra, disc, joint and canal lies, in LPS mm.

The chain is built upwards from the upper endplate of S1, corner by corner, so that the planted slip is exact: the
lower back corner Q of the lytic vertebra is set at ``P + slip * u + height * n`` (``u`` from P to A, ``n`` its normal).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .canvas import Array, Frame, Vector
from .envelope import BELOW, Sac, back_line, dural_sac, walls
from .plates import SEGMENT_BELOW, Disc, discs_of
from .truth import Truth

# name: height of the back wall, wedge (deg, front higher), depth, half width, half distance of the pedicles (all mm);
# sizes within the ranges of published lumbar morphometry, rounded
BODIES = {
    "L5": (23.5, 8.0, 34.5, 25.5, 16.5),
    "L4": (25.5, 3.0, 34.5, 24.0, 14.5),
    "L3": (27.0, 1.0, 34.0, 22.5, 13.4),
    "L2": (27.0, 0.0, 33.0, 21.3, 12.6),
    "L1": (26.5, -2.0, 32.0, 20.5, 12.0),
    "T12": (25.0, -3.0, 30.5, 19.5, 11.5),
    "T11": (23.0, -3.0, 29.0, 18.0, 11.0),
    "T10": (22.0, -3.0, 28.0, 17.0, 10.5),
}
# disc below the named vertebra: height at the back (mm), wedge (deg)
DISCS = {
    "L5": (6.0, 11.0),
    "L4": (7.5, 10.0),
    "L3": (7.5, 8.0),
    "L2": (7.0, 6.5),
    "L1": (6.5, 5.0),
    "T12": (5.5, 3.0),
    "T11": (4.5, 2.0),
    "T10": (4.0, 1.0),
}
HEIGHT_BY_GRADE = {1: 1.0, 2: 0.98, 3: 0.88, 4: 0.70, 5: 0.36}
FACET_ANGLE_DEG = {"L5": 50.0, "L4": 44.0, "L3": 38.0, "L2": 30.0, "L1": 26.0, "T12": 24.0, "T11": 60.0, "T10": 70.0}


@dataclass(frozen=True)
class Vertebra:
    """One vertebra; 2-D points and directions are (y, z), P/A corners at the ends of the endplates."""

    name: str
    x: float
    upper_p: Vector
    upper_a: Vector
    lower_p: Vector
    lower_a: Vector
    half_width: float
    pedicle: float
    frame: Frame
    dorsal: Frame

    @property
    def height(self) -> float:
        """Length of the back wall in mm."""
        return float(np.hypot(*(self.upper_p - self.lower_p)))


@dataclass(frozen=True)
class Joint:
    """A facet joint: its centre frame (axes: normal towards the inferior process, in-plane, up)."""

    lower: str
    upper: str
    side: int
    frame: Frame
    gap_mm: float
    grade: int


@dataclass(frozen=True)
class Defect:
    """A pars defect: frame in its middle, axes (normal towards the lamina, towards the canal, along the gap)."""

    side: int
    frame: Frame
    gap_mm: float


@dataclass(frozen=True)
class Anatomy:
    """Everything the painters need to know about one person."""

    truth: Truth
    vertebrae: dict[str, Vertebra]
    joints: tuple[Joint, ...]
    defects: tuple[Defect, ...]
    wall_z: Vector
    wall_y: Vector
    sac: Sac
    fat_mm: float
    back_y: Vector
    body_half_width: float
    body_half_depth: float
    muscle_fat: float
    marrow_fat: float
    seed: int
    conus_z: float
    lumbarised: bool
    fused: tuple[int, ...]
    discs: tuple[Disc, ...]

    def wall(self, z: Array) -> Array:
        """Return y of the smoothed back wall of the column at heights z."""
        return np.interp(z, self.wall_z, self.wall_y).astype(np.float32)

    def back(self, z: Array) -> Array:
        """Return y of the skin of the back at heights z (midline)."""
        return np.interp(z, self.wall_z, self.back_y).astype(np.float32)

    def sac_beside(self, y: float, z: float) -> tuple[float, float, float]:
        """Middle (y), half depth along y and half width of the dural sac at the height of a point, mm."""
        place, _ = self.sac.axes(y, z)
        sac = self.sac
        middle, depth, wide, slant = (
            float(np.interp(place, sac.along, values))
            for values in (sac.middle, sac.half_depth, sac.half_width, sac.slant)
        )
        return sac.point(float(place), middle)[0], depth * slant, wide

    @property
    def sac_z(self) -> Vector:
        """Places along the axis of the dural sac: heights, unless the axis leans."""
        return self.sac.along

    @property
    def sac_y(self) -> Vector:
        """Middle of the dural sac at ``sac_z``."""
        return self.sac.middle

    @property
    def sac_half_depth(self) -> Vector:
        """Half depth of the dural sac at ``sac_z``."""
        return self.sac.half_depth

    @property
    def sac_half_width(self) -> Vector:
        """Half width of the dural sac at ``sac_z``."""
        return self.sac.half_width

    @property
    def lytic(self) -> Vertebra:
        """The vertebra with the defects."""
        return self.vertebrae[self.truth.level]

    @property
    def below(self) -> Vertebra:
        """The vertebra under the lytic one."""
        return self.vertebrae[BELOW[self.truth.level]]


def _direction(slope: float) -> tuple[Vector, Vector]:
    """Unit vectors (y, z): along an endplate from back to front, and its normal upwards, for a slope in radians."""
    return np.array([-np.cos(slope), -np.sin(slope)]), np.array([-np.sin(slope), np.cos(slope)])


def _frame(x: float, origin: Vector, slope: float, roll: float = 0.0) -> Frame:
    """Local frame of a vertebra: lateral (left +), posterior, superior."""
    forward, up = _direction(slope)
    axes = np.array([[1.0, 0.0, 0.0], [0.0, *(-forward)], [0.0, *up]])
    turn = np.array([[np.cos(roll), 0, np.sin(roll)], [0, 1, 0], [-np.sin(roll), 0, np.cos(roll)]])
    return Frame(np.array([x, *origin]), turn @ axes)


def _bone(
    name: str, x: float, lower: tuple[Vector, float], sizes: tuple[float, float, float, float, float], back: Vector
) -> tuple[Vertebra, float]:
    """Build a vertebra upwards from its lower back corner; returns it and the slope of its upper endplate."""
    height, wedge, depth, half_width, pedicle = sizes
    q, slope = lower
    upper_slope = slope - np.radians(wedge)
    middle = (slope + upper_slope) / 2
    along, _ = _direction(slope)
    upper_along, _ = _direction(upper_slope)
    upper_p = q + height * _direction(middle)[1]
    frame = _frame(x, (q + upper_p) / 2, middle)
    bone = Vertebra(
        name, x, upper_p, upper_p + 0.98 * depth * upper_along, q, q + depth * along, half_width, pedicle, frame,
        frame.moved(np.array([0.0, *back])),
    )  # fmt: skip
    return bone, upper_slope


def _sacrum(slope: float, size: float, first_depth: float, *, lumbarised: bool) -> dict[str, Vertebra]:
    """S1 to S3, hanging down from the upper endplate of S1, whose back corner is the origin."""
    found: dict[str, Vertebra] = {}
    top = np.zeros(2)
    depth = first_depth
    plan = (
        ("S1", 29.0, 9.0, 0.84 if lumbarised else 0.70, 27.0, 17.5),
        ("S2", 24.0, 14.0, 0.70, 20.0, 15.0),
        ("S3", 20.0, 16.0, 0.7, 15.0, 13.0),
    )
    for name, height, bend, taper, half_width, pedicle in plan:
        forward, _ = _direction(slope)
        # the sacrum bends backwards: each lower endplate is steeper than the upper one
        lower_slope = slope + np.radians(bend)
        lower_forward, _ = _direction(lower_slope)
        middle = (slope + lower_slope) / 2
        lean = _direction(middle + np.radians(4.0))[1]
        bottom = top - height * size * lean
        frame = _frame(0.0, (top + bottom) / 2, middle)
        found[name] = Vertebra(
            name, 0.0, top, top + depth * forward, bottom, bottom + depth * taper * lower_forward,
            half_width * size, pedicle * size, frame, frame,
        )  # fmt: skip
        depth *= taper
        top, slope = bottom - (6.5 if lumbarised and name == "S1" else 2.0) * lean, lower_slope
    return found


def _column(truth: Truth, rng: np.random.Generator, *, lumbarised: bool) -> dict[str, Vertebra]:
    """Build the chain of vertebrae from S3 to T10."""
    size = float(truth.endplate_mm) / 34.5 if truth.index_segment == "L5/S1" else truth.endplate_mm / 35.0
    curve = float(rng.normal(1.0, 0.13))
    # a slip steepens the sacrum; beyond half a vertebra the pelvis turns back and it stands upright
    upright = 24.0 * float(np.clip((truth.slip_pct - 45.0) / 45.0, 0.0, 1.0))
    slope = np.radians(float(np.clip(rng.normal(36.0, 5.0), 26, 46)) + 0.3 * min(truth.slip_mm, 15.0) - upright)
    first_depth = truth.endplate_mm if truth.index_segment == "L5/S1" else 34.0 * size
    bones = _sacrum(slope, size, first_depth, lumbarised=lumbarised)
    sway = float(rng.normal(0.0, 1.2))
    back = np.zeros(2)
    below = bones["S1"]
    slipped = list(DISCS).index(truth.level)
    tip = np.radians(22.0) * float(np.clip((truth.slip_pct - 50.0) / 50.0, 0.0, 1.3))
    for place, name in enumerate(DISCS):
        grade = truth.pfirrmann_by_segment.get(SEGMENT_BELOW.get(name, ""), 1)
        tall = HEIGHT_BY_GRADE[grade]
        gap, wedge = DISCS[name]
        along, up = _direction(slope)
        lytic = name == truth.level
        step = truth.slip_mm if lytic else float(rng.normal(0.0, 0.25))
        lift = gap * size * tall - (_drop(truth) if lytic else 0.0)
        start = below.upper_p + step * along + lift * up
        slope -= np.radians(wedge * curve) * (0.35 + 0.65 * tall)
        # a vertebra that has slipped far tips forward; the column above bends back over the next four discs
        slope += tip if lytic else (-tip / 4 if 0 < place - slipped <= 4 else 0.0)
        values = np.array(BODIES[name]) * size
        values[1] = BODIES[name][1] * curve
        if SEGMENT_BELOW.get(name) and name == _above_base(truth):
            # the vertebra whose upper endplate is the denominator of the slip percentage
            values[2] = truth.endplate_mm / 0.98
        shift = -step * along if lytic else back * 0.0
        x = sway * float(np.sin(place / 2.2))
        below, slope = _bone(name, x, (start, slope), _five(values), shift)
        bones[name] = below
    return bones


def _drop(truth: Truth) -> float:
    """How far a vertebra sinks in front of the one below (mm): beyond its front edge nothing carries it."""
    return 0.9 * max(0.0, truth.slip_mm - 0.85 * truth.endplate_mm)


def _five(values: Vector) -> tuple[float, float, float, float, float]:
    """As Python floats, which leave the pictures in single precision."""
    a, b, c, d, e = (float(v) for v in values)
    return a, b, c, d, e


def _above_base(truth: Truth) -> str:
    """Name of the vertebra below the slip when it is a lumbar one."""
    return {"L3": "L4", "L4": "L5"}.get(truth.level, "")


def _shifted(bones: dict[str, Vertebra]) -> dict[str, Vertebra]:
    """Move the chain so that the middle of L3 lies at y = 0, z = 0."""
    l3 = bones["L3"]
    centre = (l3.upper_p + l3.lower_a) / 2
    move = np.array([0.0, *(-centre)])
    return {
        name: Vertebra(
            name, bone.x, bone.upper_p - centre, bone.upper_a - centre, bone.lower_p - centre, bone.lower_a - centre,
            bone.half_width, bone.pedicle, bone.frame.moved(move), bone.dorsal.moved(move),
        )
        for name, bone in bones.items()
    }  # fmt: skip


def superior_process(bone: Vertebra) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Start and tip of the superior articular process in the vertebra's frame (left side)."""
    half = bone.height / 2
    return (bone.pedicle + 1.0, 11.0, 0.3 * half), (bone.pedicle + 4.5, 14.0, half + 8.0)


def inferior_process(bone: Vertebra) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Start and tip of the inferior articular process in the dorsal frame (left side)."""
    half = bone.height / 2
    return (bone.pedicle - 2.0, 21.0, -0.72 * half), (bone.pedicle - 2.5, 21.5, -half - 7.5)


def _joints(truth: Truth, bones: dict[str, Vertebra], rng: np.random.Generator) -> tuple[Joint, ...]:
    names = ["S1", *DISCS]
    found = []
    for below, above in pairwise(names):
        lower, upper = bones[below], bones[above]
        for i, side in ((0, -1), (1, 1)):
            index = above == truth.level
            grade = truth.weishaupt[i] if index else int(rng.integers(0, 2))
            tip = superior_process(lower)[1]
            process = inferior_process(upper)
            one = lower.frame.world((side * tip[0], tip[1], tip[2] - 5.0))
            ends = [upper.dorsal.world((side * p[0], p[1], p[2])) for p in process]
            two = 0.25 * ends[0] + 0.75 * ends[1]
            angle = np.radians(FACET_ANGLE_DEG[above])
            axes = lower.frame.axes
            normal = -side * np.cos(angle) * axes[0] + np.sin(angle) * axes[1]
            across = np.cross(axes[2], normal)
            gap = {0: 2.8, 1: 1.2, 2: 0.8, 3: 0.4}[grade]
            frame = Frame((one + two) / 2, np.array([normal, across, axes[2]]))
            found.append(Joint(below, above, side, frame, gap, grade))
    return tuple(found)


def _defects(truth: Truth, bones: dict[str, Vertebra], rng: np.random.Generator) -> tuple[Defect, ...]:
    bone = bones[truth.level]
    found = []
    for side in (-1, 1):
        start = bone.frame.world((side * bone.pedicle, 10.0, 3.0))
        end = bone.dorsal.world((side * (bone.pedicle - 2.0), 22.5, -9.0))
        axis = (end - start) / np.linalg.norm(end - start)
        # the canal lies to the middle and in front of the isthmus
        canal = np.array([-0.8 * side, -0.6, 0.0])
        canal -= (canal @ axis) * axis
        canal /= np.linalg.norm(canal)
        gap = float(rng.uniform(2.6, 3.8)) + 0.12 * truth.slip_mm
        found.append(
            Defect(side, Frame(0.45 * start + 0.55 * end, np.array([axis, canal, np.cross(axis, canal)])), gap)
        )
    return tuple(found)


TRANSITIONAL = 0.12
"""Share of people with a transitional vertebra, about the mean of published series."""


def _transition(rng: np.random.Generator) -> tuple[bool, tuple[int, ...]]:
    """A first sacral body that stands free, or a transverse process of L5 that has grown into the sacrum."""
    kind, sides = rng.random(), ((-1,), (1,), (-1, 1))[int(rng.integers(0, 3))]
    return bool(kind < TRANSITIONAL / 2), sides if TRANSITIONAL / 2 <= kind < TRANSITIONAL else ()


def grow(truth: Truth, rng: np.random.Generator) -> Anatomy:
    """Return the anatomy of the person that belongs to a truth; other variation comes from ``rng``."""
    lumbarised, fused = _transition(rng)
    bones = _shifted(_column(truth, rng, lumbarised=lumbarised))
    grid, wall = walls(bones)
    conus = float(bones["L1"].lower_p[1]) + float(rng.normal(0, 6.0))
    room = float(rng.normal(1.0, 0.05))
    fat = float(np.clip(6.0 + 1.25 * (truth.bmi - 19.0) + rng.normal(0, 2.0), 5.0, 32.0))
    joints, defects = _joints(truth, bones, rng), _defects(truth, bones, rng)
    muscle_fat, marrow_fat = float(rng.normal(0, 0.1)), float(rng.normal(0, 0.05))
    seed = int(rng.integers(0, 2**31))
    return Anatomy(
        truth=truth,
        vertebrae=bones,
        joints=joints,
        defects=defects,
        wall_z=grid,
        wall_y=wall,
        sac=dural_sac(truth, bones, grid, wall, room),
        fat_mm=fat,
        back_y=back_line(bones, grid, wall, fat),
        body_half_width=140.0 + 2.4 * (truth.bmi - 22.0),
        body_half_depth=92.0 + 2.6 * (truth.bmi - 22.0),
        muscle_fat=float(np.clip((truth.age - 25) / 70.0 + muscle_fat, 0.0, 0.8)),
        marrow_fat=float(np.clip((truth.age - 35) / 160.0 + marrow_fat, -0.1, 0.35)),
        seed=seed,
        conus_z=conus,
        lumbarised=lumbarised,
        fused=fused,
        discs=discs_of(truth, seed, lumbarised=lumbarised),
    )
