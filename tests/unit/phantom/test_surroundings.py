"""What lies around the column stays with the body: calm over a slip, inside the skin, on the table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from annotation.phantom import draw
from annotation.phantom.anatomy import Anatomy, grow
from annotation.phantom.canvas import WORLD, Canvas
from annotation.phantom.lines import body_lines
from annotation.phantom.planes import plane
from annotation.phantom.receive import canvas_of
from annotation.phantom.recess import OVER_MM, _bulge, recess_of
from annotation.phantom.surroundings import paint_surroundings


def person(slip_mm: float, seed: int = 2, bmi: float = 20.0) -> Anatomy:
    truth = replace(draw(np.random.default_rng(11)), level="L5", slip_mm=slip_mm, endplate_mm=34.0, bmi=bmi, age=60)
    return grow(truth, np.random.default_rng([seed, 1]))


def across(channels: tuple[str, ...], *, prone: bool) -> tuple[Canvas, Anatomy]:
    """Two slices across a slim person at L3, 340 mm wide."""
    anatomy = person(0.0)
    x, y, z = np.eye(3)
    middle = np.array([0.0, float(np.mean(anatomy.back_y)) - 110.0, 0.0])
    slices = [plane(middle + 4.0 * i * z, x, y, 170, 2.0) for i in range(2)]
    canvas = canvas_of(slices, channels, 1, np.random.default_rng(1))
    paint_surroundings(canvas, anatomy, prone=prone)
    return canvas, anatomy


def test_muscles_and_vessels_are_calm_where_a_vertebra_has_slipped_off() -> None:
    slip = 36.0
    anatomy, still = person(slip), body_lines(person(0.0))
    lines = body_lines(anatomy)
    near = np.abs(lines.z - float(anatomy.lytic.lower_p[1])) < 30.0

    def steepest(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
        return float(np.abs(np.diff(values)).max())

    jump = steepest(anatomy.wall(lines.z[near]).astype(float))
    assert steepest(lines.rear_y) < 1.1 * steepest(still.rear_y), "arches and muscles of the back stay"
    assert steepest(lines.side_y[near]) < 0.5 * jump
    assert steepest(lines.front_y[near]) < 0.5 * jump
    lytic, z = anatomy.lytic, float(anatomy.lytic.frame.origin[2])
    assert float(lines.front(z)) < float(lytic.upper_a[0] + lytic.lower_a[0]) / 2 + 3.0, "vessels run before it"


def test_nothing_of_a_prone_patient_lies_outside_the_skin_but_the_table() -> None:
    canvas, anatomy = across(("HU",), prone=True)
    found = canvas.image[0, 0]
    y = canvas.origin[1] + np.arange(found.shape[0]) * 2.0
    x = canvas.origin[0] + np.arange(found.shape[1]) * 2.0
    behind = y > float(anatomy.back_y.max()) + 3.0
    assert (found[behind] < -990).all(), "air above the back"
    beside = np.abs(x) > anatomy.body_half_width + 4.0
    inside = y > float(np.mean(anatomy.back_y)) - 150.0
    assert (found[np.ix_(inside, beside)] < -990).all()
    low = found[y < float(np.mean(anatomy.back_y)) - 1.92 * 0.94 * anatomy.body_half_depth - 4.0]
    assert -1001 < low.min() < low.max() < -300, "the table is light, and no bowel hangs through it"
    assert (low > -900).any()


def test_muscle_lies_on_both_sides_in_one_fascia_and_vessels_are_void_of_signal() -> None:
    canvas, anatomy = across(("T1", "T2"), prone=False)
    t2, lines = canvas.image[1, 0], body_lines(anatomy)
    box = canvas.box(WORLD, (-170.0, -400.0, -1.0), (170.0, 400.0, 1.0))
    assert box is not None

    def mean(x: float, y: float, reach: int = 3) -> float:
        row, column = (round((at - start) / 2.0) for at, start in ((y, canvas.origin[1]), (x, canvas.origin[0])))
        return float(t2[row - reach : row + reach + 1, column - reach : column + reach + 1].mean())

    rear, side, front = (float(line(0.0)) for line in (lines.rear, lines.side, lines.front))
    fat = mean(0.0, front - 35.0 + 12.0, 1)
    for left in (-1.0, 1.0):
        assert mean(left * 24.0, rear + 36.0) < 0.6 * fat
        assert mean(left * 55.0, rear + 32.0) < 0.6 * fat
        assert mean(left * 34.0, side - 12.0) < 0.5 * fat
    assert mean(9.0, front - 9.5, 1) < 0.2 * fat
    assert mean(-15.0, front - 10.5, 1) < 0.2 * fat


def test_a_bulge_of_one_side_slopes_away_over_the_midline() -> None:
    across = np.arange(-OVER_MM, OVER_MM, 0.5, dtype=np.float32)
    still = np.zeros_like(across)
    for seed in range(12):
        anatomy = person(14.0, seed)
        anatomy = replace(anatomy, truth=replace(anatomy.truth, bartynski=(3, 0)))
        wall, surface = _bulge(recess_of(anatomy, 0), (across, still, still))
        rise = -surface - wall
        assert rise[0] < 0.1
        assert np.abs(np.diff(rise)).max() < 1.2
