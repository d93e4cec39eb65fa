"""The CT visit, prone: lateral scout, plan scan, control scans with the needle of one side, scan after contrast."""

from __future__ import annotations

import numpy as np

from .anatomy import Anatomy, Defect
from .canvas import Array, Canvas, SlicePlane
from .contrast import paint_contrast
from .needle import Needle, needle_path, paint_needle
from .paint import paint_person
from .planes import ct_planes, moved, scout_planes
from .receive import averaged, blurred, canvas_of
from .session import PhantomSeries, Plan, Size
from .trabeculae import paint_trabeculae

CONTROL_SLICES, CONTROL_MM = 3, 3
SHORT_MM = 14.0


def ct(anatomy: Anatomy, plan: Plan, size: Size, rng: np.random.Generator) -> list[PhantomSeries]:
    """Every series of the intervention in the order of the clock."""
    planes = ct_planes(anatomy, plan, size, plan.ct_thick)
    layers = ct_planes(anatomy, plan, size, 1)
    canvas = canvas_of(ct_planes(anatomy, plan, size, size.ct.group), ("HU",), size.ct.group, rng)
    paint_person(canvas, anatomy, ct=True)
    paint_trabeculae(canvas, anatomy, np.random.default_rng([anatomy.seed, 67]), layers=plan.ct_thick)
    needles = {defect.side: needle_path(anatomy, defect) for defect in anatomy.defects}
    found = [_scout(anatomy, plan), _series("CT_PRE", averaged(canvas, plan.ct_thick)[0], planes, plan, rng)]
    for side in (-plan.last_side, plan.last_side):
        for short in (SHORT_MM, 0.0)[-size.controls :]:
            found.append(_control(canvas, anatomy, layers, plan, side, needles[side].short_of(short), rng))
    paint_contrast(canvas, anatomy, needles, needle_side=plan.last_side)
    found.append(_series("CT_POST", averaged(canvas, plan.ct_thick)[0], planes, plan, rng))
    return found


def _control(
    canvas: Canvas,
    anatomy: Anatomy,
    layers: list[SlicePlane],
    plan: Plan,
    side: int,
    needle: Needle,
    rng: np.random.Generator,
) -> PhantomSeries:
    """A few slices around one defect with the needle on its way or at the bone."""
    defect: Defect = next(one for one in anatomy.defects if one.side == side)
    depth = [abs(plane.pixel(defect.frame.origin)[2]) for plane in layers]
    count = CONTROL_SLICES * CONTROL_MM
    first = int(np.clip(int(np.argmin(depth)) - count // 2, 0, len(layers) - count))
    noise = (canvas.noise[0][:CONTROL_SLICES], canvas.noise[1][:CONTROL_SLICES])
    part = Canvas(canvas.channels, layers[first], canvas.steps[0], count, noise, CONTROL_MM)
    part.image = canvas.image[:, first : first + count].copy()
    paint_needle(part, needle)
    middles = layers[first + CONTROL_MM // 2 : first + count : CONTROL_MM]
    return _series("CT_NEEDLE", averaged(part)[0], middles, plan, rng, side=side)


def _series(
    role: str, image: Array, planes: list[SlicePlane], plan: Plan, rng: np.random.Generator, *, side: int = 0
) -> PhantomSeries:
    """Add what the detector adds and store HU as one maker does: unsigned with intercept, or signed without."""
    signed = plan.vendor == "south"
    hu = np.empty(image.shape, dtype=np.int16 if signed else np.uint16)
    base = 0.0 if signed else 1024.0
    for place, picture in enumerate(image):
        grain = blurred(rng.standard_normal(picture.shape, dtype=np.float32), 0.22)
        grain *= np.float32(42.0)
        grain += blurred(picture, 0.07)
        np.rint(grain, out=grain)
        hu[place] = np.clip(grain, -1024, 3071, out=grain) + np.float32(base)
    held = tuple(moved(plane, plan.ct_offset) for plane in planes)
    step = abs(held[1].position_lps_mm[2] - held[0].position_lps_mm[2])
    window = (1500, 450) if signed else (2000, 500)
    if np.cross(planes[0].row_lps, planes[0].column_lps)[2] < 0:  # the pictures run from the feet to the head
        hu, held = hu[::-1], held[::-1]
    return PhantomSeries(role, hu, held, step, step, (1.0, 0.0 - base), window, side)


def _scout(anatomy: Anatomy, plan: Plan) -> PhantomSeries:
    """The lateral scout: what lies along each ray, as the scanner's own number for it."""
    sheets = scout_planes(anatomy, plan)
    # both halves of a body lie on one another in a lateral view: one half is drawn, and counts twice
    middle = len(sheets) // 2
    half = sheets[: middle + 1]
    rng = np.random.default_rng([anatomy.seed, 6])
    canvas = canvas_of(half, ("HU",), 1, rng)
    paint_person(canvas, anatomy, ct=True)
    layers = np.maximum(averaged(canvas)[0] / 1000.0 + 1.0, 0.0)
    water = (2.0 * layers[:middle].sum(axis=0) + layers[middle]) / np.float32(len(sheets))
    grain = rng.standard_normal(water.shape, dtype=np.float32) * np.float32(6.0)
    # bone against soft tissue along a long ray differs by a few per cent: the stored scale is spread there
    pixels = np.clip(np.rint(2400.0 * water + grain), 0, 4095).astype(np.uint16)
    plane = moved(sheets[middle], plan.ct_offset)
    low, high = np.percentile(pixels[pixels > 300], (5, 99.5))
    window = float(round(high - low)), float(round((high + low) / 2))
    return PhantomSeries("CT_SCOUT", pixels[None], (plane,), 1.0, 1.0, (1.0, 0.0), window)
