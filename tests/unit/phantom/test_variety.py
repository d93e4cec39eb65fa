"""No two people have the same discs or the same marrow, and what is drawn stays where it belongs."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from annotation.phantom import Truth, draw
from annotation.phantom.anatomy import Anatomy, grow
from annotation.phantom.canvas import Canvas, SlicePlane
from annotation.phantom.column import paint_bodies
from annotation.phantom.discs import paint_discs

Grid = NDArray[np.float64]
SEEDS = range(8)
MM = 0.75
PLAIN = replace(
    draw(np.random.default_rng(11)),
    level="L5", slip_mm=0.0, endplate_mm=34.0, modic_type1=0, confounders=(), age=40,
    pfirrmann_by_segment={"L1/2": 2, "L2/3": 2, "L3/4": 2, "L4/5": 2, "L5/S1": 2},
)  # fmt: skip


def middle_slice(truth: Truth, seed: int) -> tuple[Anatomy, Canvas]:
    """Bodies and discs of one person on the midline, without noise and without anything around them."""
    anatomy = grow(truth, np.random.default_rng(seed))
    y, z = anatomy.lytic.upper_p
    plane = SlicePlane((0.0, float(y) - 70.0, float(z) + 70.0), (0.0, 1.0, 0.0), (0.0, 0.0, -1.0), (MM, MM), 200, 160)
    still = np.zeros((1, 200, 160), dtype=np.float32)
    canvas = Canvas(("T2", "STIR"), plane, 1.0, 1, (still, still), 1)
    paint_discs(canvas, anatomy)
    paint_bodies(canvas, anatomy)
    return anatomy, canvas


def seen(canvas: Canvas, channel: str, points_yz: Grid) -> Grid:
    """Values at points of shape (..., 2)."""
    _, y, z = canvas.first.position_lps_mm
    at = np.stack([(z - points_yz[..., 1]) / MM, (points_yz[..., 0] - y) / MM])
    found: Grid = ndimage.map_coordinates(canvas.image[canvas.channels.index(channel), 0], at, order=1)
    return found


def plate_grid(rear: Grid, front: Grid, into: Grid, places: Grid, depths: Grid) -> Grid:
    """Points at shares of the way from the back to the front end of a plate, so many mm into a body."""
    along = rear + places[:, None] * (front - rear)
    return np.asarray(along[:, None] + depths[None, :, None] * into)


def test_modic_changes_are_plain_and_of_a_different_shape_in_each_person() -> None:
    truth = replace(PLAIN, modic_type1=1, pfirrmann_by_segment={**PLAIN.pfirrmann_by_segment, "L5/S1": 4})
    places, depths = np.linspace(0.12, 0.88, 9), np.arange(1.0, 18.0, 0.25)
    heights = []
    for seed in SEEDS:
        anatomy, canvas = middle_slice(truth, seed)
        upper, lower = anatomy.lytic, anatomy.below
        up = upper.frame.axes[2][1:]
        rows = (
            plate_grid(upper.lower_p, upper.lower_a, up, places, depths),
            plate_grid(lower.upper_p, lower.upper_a, -lower.frame.axes[2][1:], places, depths),
        )
        heights.append([(seen(canvas, "STIR", points) > 0.45).sum(axis=1) * 0.25 for points in rows])
    found = np.array(heights)
    assert (found.mean(axis=2).max(axis=1) > 2.5).all(), "one plate at least shows it plainly"
    assert (found.max(axis=(1, 2)) > 5.0).all()
    assert np.median(np.ptp(found, axis=2)) > 3.0, "not a band of one height"
    assert np.median(np.abs(found[:, 0].mean(axis=1) - found[:, 1].mean(axis=1))) > 0.7, "unlike above and below"
    shapes = [profile / max(profile.max(), 1e-6) for profile in found.reshape(len(found), -1)]
    unlike = [float(np.abs(a - b).mean()) for a, b in combinations(shapes, 2)]
    assert min(unlike) > 0.05
    assert np.median(unlike) > 0.2


@pytest.mark.parametrize("grade", [1, 2, 3])
def test_nuclei_differ_and_do_not_reach_into_the_bodies(grade: int) -> None:
    truth = replace(PLAIN, pfirrmann_by_segment=dict.fromkeys(PLAIN.pfirrmann_by_segment, grade))
    across, upwards = np.linspace(0.1, 0.9, 25), np.linspace(0.15, 0.85, 7)
    discs = []
    for seed in SEEDS[:4]:
        anatomy, canvas = middle_slice(truth, seed)
        for low, high in (("S1", "L5"), ("L5", "L4"), ("L4", "L3")):
            below, above = anatomy.vertebrae[low], anatomy.vertebrae[high]
            one = below.upper_p + across[:, None] * (below.upper_a - below.upper_p)
            two = above.lower_p + across[:, None] * (above.lower_a - above.lower_p)
            points = one[:, None] + upwards[None, :, None] * (two - one)[:, None]
            inside = seen(canvas, "T2", points)
            discs.append(inside / inside.max())
            # 3.5 mm over the plane of the rim lies past the deepest dish
            marrow = seen(canvas, "T2", two + (3.5 + np.arange(3.0)[:, None, None]) * above.frame.axes[2][1:])
            assert marrow.max() < max(0.62, 0.75 * inside.max()), (seed, high)
    assert min(float(np.abs(a - b).mean()) for a, b in combinations(discs, 2)) > (0.012 if grade == 1 else 0.035)
