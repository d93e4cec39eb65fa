"""The MR visit: localiser, sagittal T1, T2 and STIR, axial T2 in tilted blocks."""

from __future__ import annotations

import numpy as np

from .anatomy import Anatomy
from .canvas import Array, SlicePlane
from .paint import paint_person
from .planes import AXIAL_DISCS, disc_planes, localiser_planes, moved, sagittal_planes
from .receive import averaged, blurred, canvas_of, coil, fat_shifted, magnitude, shifted
from .session import MR_ROLES, PhantomSeries, Plan, Size

# gain and noise of each weighting at 3 T, and the brightest signal that its stored window shows
_TUNING = {"T1": (620.0, 13.0, 1.15), "T2": (820.0, 15.0, 1.12), "STIR": (560.0, 14.0, 0.85)}
_AXIAL_TUNING = (800.0, 15.0)
_AXIAL_WINDOW = (760, 370)


def _noise(plan: Plan) -> float:
    return 1.0 if plan.field_strength > 2 else 1.35


def _window(plan: Plan, width: float, centre: float) -> tuple[float, float]:
    slope = plan.rescale[0]
    return round(width * slope), round(centre * slope)


def localiser(anatomy: Anatomy, plan: Plan, size: Size, rng: np.random.Generator) -> PhantomSeries:
    """Three planes in one series, coarse and quick."""
    pictures, planes = [], []
    for slices in localiser_planes(anatomy, size):
        canvas = canvas_of(slices, ("T2",), 1, rng, step_mm=15.0)
        paint_person(canvas, anatomy)
        image = averaged(canvas)[0] * coil(anatomy, slices, rng)
        pictures.append(magnitude(image, 700.0, 22.0 * _noise(plan), rng))
        planes += slices
    return PhantomSeries(
        "LOC", np.concatenate(pictures), tuple(planes), 8.0, 15.0, plan.rescale, _window(plan, 800, 400)
    )


def sagittal(anatomy: Anatomy, plan: Plan, size: Size, rng: np.random.Generator) -> list[PhantomSeries]:
    """The three weightings of one set of slices; before the STIR the patient may have moved within them."""
    planes = sagittal_planes(anatomy, plan, size)
    # the slices run to the patient's left, their normal points to the right
    canvas = canvas_of(planes[::-1], tuple(MR_ROLES), size.sagittal[4], rng)
    paint_person(canvas, anatomy)
    images = averaged(canvas)[:, ::-1]
    t1 = images[0]
    sensitivity = coil(anatomy, planes, rng)
    found = []
    for channel, image in zip(canvas.channels, images, strict=True):
        gain, sigma, top = _TUNING[channel]
        seen = image if channel == "STIR" else fat_shifted(image, t1, plan.fat_shift_px, -1)
        seen = _after_moving(blurred(seen, 0.13), plan, MR_ROLES[channel], planes[0]) * sensitivity
        pixels = magnitude(seen, gain, sigma * _noise(plan), rng)
        window = _window(plan, top * gain, top * gain / 2)
        found.append(
            PhantomSeries(MR_ROLES[channel], pixels, tuple(planes), 4.0, size.sagittal[3], plan.rescale, window)
        )
    return found


def _after_moving(image: Array, plan: Plan, role: str, first: SlicePlane) -> Array:
    if role not in plan.moved:
        return image
    away = plan.moved[role]
    for axis, direction, spacing in zip((-2, -1), (first.column_lps, first.row_lps), first.spacing_rc_mm, strict=True):
        image = shifted(image, float(away @ np.asarray(direction)) / spacing, axis)
    return image


def axial(anatomy: Anatomy, plan: Plan, size: Size, rng: np.random.Generator) -> PhantomSeries:
    """Blocks parallel to the three lowest discs; a patient who has moved lies elsewhere in them."""
    away = plan.moved.get("AX_T2", np.zeros(3))
    gain, sigma = _AXIAL_TUNING
    blocks, planes = [], []
    for below, above in AXIAL_DISCS:
        slices = disc_planes(anatomy.vertebrae[below], anatomy.vertebrae[above], size)
        inside = [moved(one, -away) for one in slices]
        canvas = canvas_of(inside, ("T1", "T2"), size.axial[4], rng)
        paint_person(canvas, anatomy)
        t1, t2 = averaged(canvas)
        image = blurred(fat_shifted(t2, t1, plan.fat_shift_px, -2), 0.12) * coil(anatomy, inside, rng)
        blocks.append(magnitude(image, gain, sigma * _noise(plan), rng))
        planes += slices
    window = _window(plan, *_AXIAL_WINDOW)
    return PhantomSeries("AX_T2", np.concatenate(blocks), tuple(planes), 4.0, size.axial[3], plan.rescale, window)
