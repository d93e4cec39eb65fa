"""What is measured on the rendered pictures is what was planted: millimetres, degrees, fat, room, sides."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from annotation.phantom import Phantom, PhantomSeries, Truth, build, draw
from annotation.phantom.anatomy import Anatomy, grow
from annotation.phantom.canal import root_path
from annotation.phantom.foramen import foramen_of
from annotation.phantom.recess import recess_of

Points = NDArray[np.float64]
PLAIN = replace(
    draw(np.random.default_rng(11)),
    level="L5", slip_mm=3.0, endplate_mm=34.0, modic_type1=0, weishaupt=(0, 0), bartynski=(0, 0), lee=(0, 0),
    isthmic_bme=(0, 0), edema=(0, 0), cyst=(0, 0), contrast_pattern=(1, 1), bmi=25.0, age=40, sex="M",
    confounders=(), pfirrmann_by_segment={"L1/2": 1, "L2/3": 1, "L3/4": 2, "L4/5": 2, "L5/S1": 3},
)  # fmt: skip


@cache
def _drawn(only: str, seed: int, truth: tuple[tuple[str, Any], ...]) -> Phantom:
    changes: dict[str, Any] = {name: dict(value) if name == "pfirrmann_by_segment" else value for name, value in truth}
    return build(replace(PLAIN, **changes), seed=seed, only=(only,))


def case(only: str, seed: int = 3, **changes: Any) -> Phantom:
    """One group of series of the plain spine with some findings; drawn once."""
    return _drawn(only, seed, tuple(sorted(changes.items())))


def sample(series: PhantomSeries, index: int, points_lps_mm: Points) -> Points:
    """Values of one slice at points of shape (n, 3), which are taken onto the slice."""
    plane = series.planes[index]
    at = np.array([plane.pixel(point)[:2] for point in points_lps_mm])
    found: Points = ndimage.map_coordinates(series.pixels[index].astype(float), at.T, order=1)
    return found


def lines(found: Phantom) -> tuple[Points, Points, dict[str, Points]]:
    """Along the endplate from P to A, upwards from it, and the landmarks."""
    marks = {name: np.array(point) for name, point in found.landmarks_lps_mm.items()}
    along = (marks["A"] - marks["P"]) / np.linalg.norm(marks["A"] - marks["P"])
    return along, np.array([0.0, along[2], -along[1]]) * np.sign(-along[1]), marks


def back_wall(found: Phantom, start: Points, along: Points) -> float:
    """Millimetres along ``along`` from a point on a back wall to where T1 rises most steeply towards the marrow."""
    steps = np.arange(-0.5, 3.5, 0.1)
    points = start + steps[:, None] * along
    values = ndimage.gaussian_filter1d(sample(found.get("SAG_T1"), found.truth.midline_slice, points), 4)
    return float(steps[int(np.argmax(np.gradient(values)))])


FLAT = tuple({**PLAIN.pfirrmann_by_segment, "L5/S1": 5}.items())


@pytest.mark.parametrize("slip_mm", [6.0, 15.0, 27.0, 38.0])
def test_the_dural_sac_is_one_tube_past_any_slip(slip_mm: float) -> None:
    """From behind L2 to behind S1 everything as bright as CSF hangs together, and is nowhere a thread."""
    found = case("sagittal", slip_mm=slip_mm, pfirrmann_by_segment=FLAT)
    series, index = found.get("SAG_T2"), found.truth.midline_slice
    picture = ndimage.gaussian_filter(series.pixels[index].astype(float), 0.5)
    steps = np.arange(3.0, 15.0, 0.5)
    ends = []
    for name in ("L2", "S1"):
        bone = found.anatomy.vertebrae[name]
        points = np.array([bone.frame.world((0.0, away, 0.0)) for away in steps])
        ends.append(points[int(np.argmax(sample(series, index, points)))])
    level = min(float(sample(series, index, end[None])[0]) for end in ends)
    # a pixel off every border: a thread of one or two pixels does not count
    whole = ndimage.binary_erosion(picture > 0.72 * level)
    parts, _ = ndimage.label(whole, np.ones((3, 3)))
    names = []
    for end in ends:
        row, column = (round(value) for value in series.planes[index].pixel(end)[:2])
        near = parts[row - 2 : row + 3, column - 2 : column + 3]
        names.append(set(near[near > 0].tolist()))
    assert names[0] & names[1], names


@pytest.mark.parametrize("slip_mm", [0.0, 6.0, 15.0, 27.0])
def test_the_slip_on_the_picture_is_the_planted_one(slip_mm: float) -> None:
    """The step between both back walls on T1, a few millimetres from the disc; the rest is the tilt of the wall."""
    found = case("sagittal", slip_mm=slip_mm, pfirrmann_by_segment=FLAT)
    along, _, marks = lines(found)
    lower, upper = found.anatomy.below, found.anatomy.lytic
    down = np.array([0.0, *(lower.lower_p - lower.upper_p)]) / lower.height
    up = np.array([0.0, *(upper.upper_p - upper.lower_p)]) / upper.height
    step = 0.0
    for wall, point, sign in ((down, marks["P"], -1.0), (up, marks["Q"], 1.0)):
        off = [back_wall(found, point + depth * wall, along) for depth in (5.0, 6.0, 7.0, 8.0, 9.0)]
        step += sign * float(np.median(off))
    assert (marks["Q"] - marks["P"]) @ along == pytest.approx(slip_mm, abs=0.1)
    assert abs(step) < 1.2, "both walls lie where their corners say"


@pytest.mark.parametrize("seed", [3, 4])
def test_the_endplate_on_the_picture_has_the_planted_angle(seed: int) -> None:
    found = case("sagittal", seed)
    along, up, marks = lines(found)
    heights, places = np.arange(-4.0, 1.6, 0.1), np.arange(3.0, 32.0, 1.0)
    dark = []
    for place in places:
        points = marks["P"] + place * along + heights[:, None] * up
        values = ndimage.gaussian_filter1d(sample(found.get("SAG_T1"), found.truth.midline_slice, points), 3)
        dark.append(heights[int(np.argmin(values))])
    # a dished plate: its ends are level with one another
    slope = np.polyfit(places, dark, 1)[0]
    assert abs(np.degrees(np.arctan(slope))) < 3.0


def far(found: Phantom, side: int) -> tuple[Points, int]:
    """A point on the exiting root in the middle of the foramen and the sagittal slice through it."""
    bone = found.anatomy.lytic
    one, two = (np.array(point) for point in root_path(bone, side)[1:3])
    x = np.array([plane.position_lps_mm[0] for plane in found.get("SAG_T1").planes])
    ends = bone.frame.world(tuple(one))[0], bone.frame.world(tuple(two))[0]
    index = int(np.argmin(np.abs(x - np.mean(ends))))
    share = np.clip((x[index] - ends[0]) / (ends[1] - ends[0]), 0.0, 1.0)
    return bone.frame.world(tuple(one + share * (two - one))), index


def fat_around(found: Phantom, side: int) -> list[bool]:
    """Whether fat lies above, below, before and behind the root on T1 (its chemical shift lets it begin early)."""
    root, index = far(found, side)
    axes = found.anatomy.lytic.frame.axes
    series, bright = found.get("SAG_T1"), []
    fat = np.percentile(series.pixels[index], 90)
    for way, near, beyond in ((axes[2], 1.2, 5.6), (-axes[2], 1.2, 5.6), (-axes[1], 3.4, 7.6), (axes[1], 3.4, 7.6)):
        steps = np.arange(near, beyond, 0.3)
        bright.append(bool(np.percentile(sample(series, index, root + steps[:, None] * way), 85) > 0.8 * fat))
    return bright


@pytest.mark.parametrize("side", [-1, 1])
def test_foraminal_fat_is_lost_on_two_and_on_four_sides(side: int) -> None:
    other = 1
    found = {}
    for grade in range(4):
        pair = (grade, other) if side < 0 else (other, grade)
        found[grade] = fat_around(case("sagittal", lee=pair), side)
    assert found[0] == [True] * 4
    # which pair is lost differs from person to person: above and below, or before and behind
    anatomy = case("sagittal", lee=(1, other) if side < 0 else (other, 1)).anatomy
    across = foramen_of(anatomy, 0 if side < 0 else 1).across
    assert found[1] == [across, across, not across, not across]
    assert found[2] == found[3] == [False] * 4


def root_flatness(found: Phantom, side: int) -> float:
    """Height of the root over its depth on T1, from the signal above the tissue around it."""
    root, index = far(found, side)
    axes = found.anatomy.lytic.frame.axes
    grid = np.arange(-6.0, 6.01, 0.5)
    up, back = np.meshgrid(grid, grid, indexing="ij")
    points = root + up.reshape(-1, 1) * axes[2] + back.reshape(-1, 1) * axes[1]
    values = sample(found.get("SAG_T1"), index, points).reshape(up.shape)
    weight = np.clip(values - np.percentile(values, 45), 0.0, None) * (np.hypot(up, back) < 5.5)
    centre = [(weight * axis).sum() / weight.sum() for axis in (up, back)]
    spread = [(weight * (axis - mid) ** 2).sum() / weight.sum() for axis, mid in zip((up, back), centre, strict=True)]
    return float(np.sqrt(spread[0] / spread[1]))


def test_a_root_is_round_in_grade_two_and_flat_in_three() -> None:
    found = case("sagittal", lee=(2, 3))
    assert root_flatness(found, 1) < 0.75 * root_flatness(found, -1)


def test_a_narrow_foramen_ends_with_the_foramen_and_its_root_stays_to_be_seen() -> None:
    """Slices beside it are as without the finding; the root, round or flat, is lighter than what presses on it."""
    plain, *narrow = (case("sagittal", lee=(grade, 1)) for grade in (0, 2, 3))
    place = foramen_of(plain.anatomy, 0)
    x = np.array([plane.position_lps_mm[0] for plane in plain.get("SAG_T1").planes]) - plain.anatomy.lytic.x
    for found in narrow:
        change = np.abs(found.get("SAG_T1").pixels.astype(float) - plain.get("SAG_T1").pixels) > 120
        assert change[np.abs(x + place.out) < 4.0].sum() > 20
        assert not change[np.abs(x + place.out) > 11.0].any()
        root, index = far(found, -1)
        steps = np.arange(-7.0, 7.1, 0.2)
        line = sample(found.get("SAG_T1"), index, root + steps[:, None] * found.anatomy.lytic.frame.axes[2])
        near = np.abs(steps) < 2.6
        pressing = [np.percentile(line[(steps * way > 2.6) & (steps * way < 5.5)], 30) for way in (-1, 1)]
        assert line[near].max() > 1.3 * max(pressing)


def recess(found: Phantom, side: int) -> float:
    """Share of bright pixels (fat, CSF) between the dural sac and the joint on the axial slices of the index disc."""
    series, anatomy = found.get("AX_T2"), found.anatomy
    middle = np.array([anatomy.lytic.x, *(anatomy.below.upper_p + anatomy.lytic.lower_p) / 2])
    middle += np.array(found.truth.moved_lps_mm.get("AX_T2", (0.0, 0.0, 0.0)))
    distance = [abs(plane.pixel(middle)[2]) for plane in series.planes]
    across, deep = np.meshgrid(np.arange(9.0, 15.5, 0.5), np.arange(0.5, 11.0, 0.5), indexing="ij")
    axes = anatomy.below.frame.axes
    points = middle + side * across.reshape(-1, 1) * axes[0] + deep.reshape(-1, 1) * axes[1]
    bright = []
    for index in np.argsort(distance)[:2]:
        level = np.percentile(series.pixels[index], 99)
        bright.append((sample(series, int(index), points) > 0.40 * level).mean())
    return float(np.mean(bright))


@pytest.mark.parametrize("side", [-1, 1])
def test_the_recess_has_less_room_with_each_grade(side: int) -> None:
    rooms = [recess(case("axial", bartynski=(g, 0) if side < 0 else (0, g)), side) for g in range(4)]
    assert all(wide > narrow + 0.06 for wide, narrow in pairwise(rooms)), rooms
    assert rooms[1] < rooms[0] - 0.15, "a narrow recess is not taken for a normal one"
    assert rooms[3] < 0.1
    other = [recess(case("axial", bartynski=(g, 0) if side < 0 else (0, g)), -side) for g in (0, 3)]
    assert other[1] == pytest.approx(other[0], abs=0.1)


def through_recess(found: Phantom, side: int, low: float, high: float) -> Points:
    """Brightness from before to behind the traversing root, millimetres from its middle; fat is 1."""
    series, place = found.get("AX_T2"), recess_of(found.anatomy, max(side, 0))
    away = np.array(found.truth.moved_lps_mm.get("AX_T2", (0.0, 0.0, 0.0)))
    index = int(np.argmin([abs(plane.pixel(place.frame.origin + away)[2]) for plane in series.planes]))

    def along(start: float, end: float, out: float) -> Points:
        line = [place.frame.world((side * out, place.depth + p, 0.0)) + away for p in np.arange(start, end, 0.2)]
        return sample(series, index, np.array(line))

    # behind the sac lies fat, whatever the grade
    return along(low, high, place.out) / np.percentile(along(9.0, 14.0, 0.0), 75)


@pytest.mark.parametrize("side", [-1, 1])
def test_what_narrows_a_recess_grows_out_of_the_disc_and_takes_the_fat_grade_by_grade(side: int) -> None:
    found = [case("axial", bartynski=(g, 0) if side < 0 else (0, g)) for g in range(4)]
    seams = [through_recess(one, side, -8.5, -4.2).max() for one in found]
    assert seams[0] > 0.55, "without a finding there is fat behind the disc"
    assert max(seams[1:]) < 0.45, "no seam of fat between the annulus and its bulge"
    rims = [[through_recess(one, side, *ends).max() for ends in ((-4.5, -2.0), (2.0, 4.5))] for one in found]
    assert min(rims[1]) > 0.5, "a rim of fat before and behind a root that is not touched"
    assert min(rims[2]) < 0.5, "a squeezed root has none on one side"
    assert max(rims[3]) < 0.4


def joint_light(found: Phantom, side: int) -> float:
    """Brightest point between both processes on axial T2, against their marrow."""
    series, anatomy = found.get("AX_T2"), found.anatomy
    joint = next(j for j in anatomy.joints if j.upper == "L5" and j.side == side)
    distance = [abs(plane.pixel(joint.frame.origin)[2]) for plane in series.planes]
    steps = np.arange(-6.0, 6.0, 0.1)
    points = joint.frame.origin + steps[:, None] * joint.frame.axes[0]
    values = sample(series, int(np.argmin(distance)), points)
    return float(values[np.abs(steps) < 2.2].max() / np.median(values[np.abs(steps) > 3.5]))


@pytest.mark.parametrize("side", [-1, 1])
def test_the_joint_narrows_and_grows_with_its_grade(side: int) -> None:
    pairs = [(g, 0) if side < 0 else (0, g) for g in range(4)]
    light = [joint_light(case("axial", weishaupt=pair), side) for pair in pairs[:3]]
    assert light[0] > 1.2, "cartilage and fluid are brighter than marrow"
    assert max(light[1:]) < 0.8 * light[0], light
    plain = case("axial").get("AX_T2").pixels.astype(float)
    changed = [(np.abs(case("axial", weishaupt=pair).get("AX_T2").pixels - plain) > 120).sum() for pair in pairs[1:]]
    assert changed[0] < changed[1] < changed[2], changed


def test_beyond_the_front_edge_a_vertebra_sinks_and_tips() -> None:
    """Meyerding V: Q lies before A, the lower back corner below the line of the endplate."""
    far_slip, some = case("sagittal", slip_mm=38.0), case("sagittal", slip_mm=15.0)
    assert (far_slip.truth.meyerding, some.truth.meyerding) == (5, 2)
    for found, below in ((far_slip, True), (some, False)):
        along, up, marks = lines(found)
        beyond = (marks["Q"] - marks["A"]) @ along
        assert bool(beyond > 0) is below
        assert bool((marks["Q"] - marks["P"]) @ up < 0) is below


def test_harmless_things_are_no_findings() -> None:
    """A haemangioma is bright on T1 and T2, Modic II on T1, an effusion widens the joint; the truth stays without."""
    plain = case("sagittal")
    blood, fat = case("sagittal", confounders=("haemangioma",)), case("sagittal", confounders=("modic_2",))
    for role in ("SAG_T1", "SAG_T2"):
        gained = blood.get(role).pixels.astype(float) - plain.get(role).pixels
        assert (gained > 120).sum() > 40
    along, up, marks = lines(fat)
    spot = (marks["P"] + 17 * along - 4.0 * up)[None]
    index = fat.truth.midline_slice
    assert sample(fat.get("SAG_T1"), index, spot)[0] > 1.3 * sample(plain.get("SAG_T1"), index, spot)[0]
    assert sample(fat.get("SAG_STIR"), index, spot)[0] < 1.3 * sample(plain.get("SAG_STIR"), index, spot)[0] + 20
    assert isinstance(blood.truth, Truth)
    assert blood.truth.case_values() == plain.truth.case_values()


def test_one_person_in_eight_has_a_transitional_vertebra() -> None:
    people = [grow(PLAIN, np.random.default_rng(seed)) for seed in range(300)]
    share = np.mean([person.lumbarised or bool(person.fused) for person in people])
    assert 0.07 < share < 0.18
    free = next(person for person in people if person.lumbarised)
    bound = next(person for person in people if not person.lumbarised)

    def room(person: Anatomy) -> float:
        return float(np.hypot(*(person.vertebrae["S1"].lower_p - person.vertebrae["S2"].upper_p)))

    assert room(free) > 2 * room(bound)
