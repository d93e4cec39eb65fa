"""Take the pictures: sample the person on the slices of each series and add what a scanner adds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .anatomy import Anatomy, Vertebra, grow
from .arches import paint_arches
from .canal import paint_canal
from .canvas import Array, Canvas, SlicePlane, Vector, value_noise
from .column import paint_bodies, paint_discs
from .findings import paint_contrast, paint_cysts, paint_foramina, paint_recesses, paint_soft_oedema
from .surroundings import paint_surroundings
from .truth import Point, Truth


@dataclass(frozen=True)
class Size:
    """Matrix, spacing (mm), slice count, slice step (mm) and sub-slices a slice of each kind of series."""

    sagittal: tuple[int, float, int, float, int]
    axial: tuple[int, float, int, float, int]
    ct: tuple[int, float, int, float, int]


SIZES: dict[str, Size] = {
    "demo": Size(sagittal=(256, 1.1, 13, 4.4, 3), axial=(192, 0.94, 4, 4.4, 3), ct=(256, 0.8, 20, 2.0, 2)),
}
MR_ROLES = {"T1": "SAG_T1", "T2": "SAG_T2", "STIR": "SAG_STIR"}
VENDORS = ("siemens", "philips")


@dataclass(frozen=True)
class PhantomSeries:
    """One series: stored pixel values (frames, rows, columns) and the plane of each frame in its frame of reference."""

    role: str
    pixels: NDArray[Any]
    planes: tuple[SlicePlane, ...]
    thickness_mm: float
    step_mm: float
    rescale: tuple[float, float] = (1.0, 0.0)
    window: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Phantom:
    """All series of one synthetic person with what was planted."""

    truth: Truth
    series: tuple[PhantomSeries, ...]
    landmarks_lps_mm: dict[str, Point]
    ct_offset_lps_mm: Point
    vendor: str
    field_strength_t: float
    anatomy: Anatomy = field(repr=False)

    def get(self, role: str) -> PhantomSeries:
        """Return the series of a role."""
        return next(series for series in self.series if series.role == role)


@dataclass(frozen=True)
class _Plan:
    """What the positions of the slices depend on."""

    vendor: str
    tilt: float
    middle_x: float
    ct_offset: Vector
    field_strength: float


GROUPS = {"sagittal": ("SAG_T1", "SAG_T2", "SAG_STIR"), "axial": ("AX_T2",), "ct": ("CT_PRE", "CT_POST")}


def build(
    truth: Truth, *, seed: int, size: str = "demo", only: tuple[str, ...] = ("sagittal", "axial", "ct")
) -> Phantom:
    """Draw every series of a case.

    Parameters
    ----------
    truth
        What to plant; its landmarks are filled in the result's ``truth``.
    seed
        Fixes anatomy, positions and noise: the same truth, seed and size give the same pixels.
    size
        A key of ``SIZES``.
    only
        Groups of series to draw (keys of ``GROUPS``); each is the same with or without the others.
    """
    settings = SIZES[size]
    rng = np.random.default_rng([seed, 1])
    anatomy = grow(truth, rng)
    plan = _plan(anatomy, rng)
    placed = _placed(truth, anatomy, plan, settings)
    series: list[PhantomSeries] = []
    if "sagittal" in only:
        series += _sagittal(anatomy, plan, settings, np.random.default_rng([seed, 2]))
    if "axial" in only:
        series.append(_axial(anatomy, plan, settings, np.random.default_rng([seed, 3])))
    if "ct" in only:
        series += _ct(anatomy, plan, settings, np.random.default_rng([seed, 4]))
    return Phantom(
        placed,
        tuple(series),
        placed.landmarks_lps_mm,
        placed.ct_offset_lps_mm,
        plan.vendor,
        plan.field_strength,
        anatomy,
    )


def locate(truth: Truth, *, seed: int, size: str = "demo") -> Truth:
    """Return the truth with landmarks as ``build`` would fill them, without drawing anything."""
    rng = np.random.default_rng([seed, 1])
    anatomy = grow(truth, rng)
    plan = _plan(anatomy, rng)
    return _placed(truth, anatomy, plan, SIZES[size])


def _placed(truth: Truth, anatomy: Anatomy, plan: _Plan, size: Size) -> Truth:
    planes = sagittal_planes(anatomy, plan, size)
    middle = len(planes) // 2
    offset = (float(plan.ct_offset[0]), float(plan.ct_offset[1]), float(plan.ct_offset[2]))
    return truth.placed(_landmarks(anatomy, planes[middle]), middle, offset)


def _plan(anatomy: Anatomy, rng: np.random.Generator) -> _Plan:
    offset = np.round(rng.uniform((-12, -40, -900), (12, 10, -500)), 1)
    return _Plan(
        vendor=VENDORS[int(rng.integers(0, 2))],
        tilt=float(np.radians(rng.normal(0.0, 0.8))),
        middle_x=anatomy.lytic.x + float(rng.uniform(-0.8, 0.8)),
        ct_offset=offset,
        field_strength=1.5 if rng.random() < 58 / 134 else 3.0,
    )


def _plane(centre: Vector, row: Vector, column: Vector, matrix: int, spacing: float) -> SlicePlane:
    corner = centre - (matrix - 1) / 2 * spacing * (row + column)
    values = [tuple(float(round(v, 6)) for v in vector) for vector in (corner, row, column)]
    one, two, three = ((v[0], v[1], v[2]) for v in values)
    return SlicePlane(one, two, three, (spacing, spacing), matrix, matrix)


def _stack(canvas_planes: list[SlicePlane], channels: tuple[str, ...], sub: int, rng: np.random.Generator) -> Canvas:
    """Return a canvas with ``sub`` sub-slices for every plane (parallel, evenly spaced, ascending along the normal)."""
    first = canvas_planes[0]
    normal = np.cross(first.row_lps, first.column_lps)
    gap = np.asarray(canvas_planes[1].position_lps_mm) - np.asarray(first.position_lps_mm)
    step = float(gap @ normal)
    if step <= 0:
        raise ValueError(f"slices do not ascend along their normal: {step}")
    start = np.asarray(first.position_lps_mm) - normal * step * (sub - 1) / (2 * sub)
    low = SlicePlane((float(start[0]), float(start[1]), float(start[2])), first.row_lps, first.column_lps,
                     first.spacing_rc_mm, first.rows, first.columns)  # fmt: skip
    count = len(canvas_planes)
    fine = max(2, int(first.rows * first.spacing_rc_mm[0] / 2.2))
    coarse = max(2, fine // 4)
    texture = 0.75 * value_noise(rng, (count, first.rows, first.columns), (count, fine, fine))
    texture += 0.65 * value_noise(rng, (count, first.rows, first.columns), (count, coarse, coarse))
    # fibres run from head to foot: drawn out along the columns of a sagittal picture
    long = 14.0 if abs(first.column_lps[2]) > 0.7 else 4.5
    extent = first.rows * first.spacing_rc_mm[0]
    streaks = value_noise(rng, (count, first.rows, first.columns), (count, int(extent / long), int(extent / 3.6)))
    return Canvas(channels, low, step / sub, count * sub, (texture, streaks), sub)


def _fill(canvas: Canvas, anatomy: Anatomy, *, ct: bool = False) -> None:
    """Paint a person from outside to inside; later layers cover earlier ones."""
    # what lies around the column changes little over one slice thickness: painted once a slice, then repeated
    sub = canvas.sub
    flat = canvas.thinned()
    paint_surroundings(flat, anatomy, prone=ct)
    canvas.image = np.repeat(flat.image, sub, axis=1)
    if not ct:
        paint_soft_oedema(canvas, anatomy)
    paint_canal(canvas, anatomy)
    paint_discs(canvas, anatomy)
    paint_bodies(canvas, anatomy)
    paint_recesses(canvas, anatomy)
    paint_foramina(canvas, anatomy)
    paint_arches(canvas, anatomy)
    if not ct:
        paint_cysts(canvas, anatomy)


def _slices(canvas: Canvas, sub: int) -> Array:
    """Average the sub-slices: partial volume over the slice thickness."""
    channels, count, rows, columns = canvas.image.shape
    parts = canvas.image.reshape(channels, count // sub, sub, rows, columns)
    found = parts[:, :, 0]
    for i in range(1, sub):
        found = found + parts[:, :, i]
    return np.asarray(found * np.float32(1.0 / sub))


def _blur(image: Array, share: float) -> Array:
    """In-plane point spread: the three-point kernel (share, 1 - 2 share, share) along rows and columns."""
    out = image * (1 - 2 * share)
    out[..., 1:, :] += share * image[..., :-1, :]
    out[..., :-1, :] += share * image[..., 1:, :]
    result = out * (1 - 2 * share)
    result[..., 1:] += share * out[..., :-1]
    result[..., :-1] += share * out[..., 1:]
    return result


def _magnitude(signal: Array, gain: float, sigma: float, rng: np.random.Generator) -> NDArray[np.uint16]:
    """Rician noise and storage as 12-bit whole numbers."""
    scaled = signal * gain
    real = scaled + sigma * rng.standard_normal(signal.shape, dtype=np.float32)
    other = sigma * rng.standard_normal(signal.shape, dtype=np.float32)
    return np.asarray(np.clip(np.sqrt(real * real + other * other) + 0.5, 0, 4095).astype(np.uint16))


def _coil(anatomy: Anatomy, planes: list[SlicePlane], rng: np.random.Generator) -> Array:
    """Sensitivity of the spine coil (brighter towards the back) with the saturation slab in front of the column."""
    first = planes[0]
    rows = np.arange(first.rows, dtype=np.float32)[:, None] * first.spacing_rc_mm[0]
    columns = np.arange(first.columns, dtype=np.float32)[None, :] * first.spacing_rc_mm[1]
    y = first.position_lps_mm[1] + rows * first.column_lps[1] + columns * first.row_lps[1]
    z = first.position_lps_mm[2] + rows * first.column_lps[2] + columns * first.row_lps[2]
    depth = np.maximum(anatomy.back(z) - y, 0.0)
    gain = 0.78 + 0.55 * np.exp(-depth / 55.0)
    gain *= 1.0 + 0.05 * np.sin(z / 55.0 + float(rng.uniform(0, 6.28)))
    edge = np.clip((np.abs(z) - 105.0) / 60.0, 0.0, 1.0)
    gain *= 1.0 - 0.45 * edge
    slab = 1.0 / (1.0 + np.exp((anatomy.wall(z) - 60.0 - y) / 4.0))
    return np.asarray(gain * (0.16 + 0.84 * slab), dtype=np.float32)


def sagittal_planes(anatomy: Anatomy, plan: _Plan, size: Size) -> list[SlicePlane]:
    """Slices from the patient's right to the left; the middle one lies on the midline of the lytic vertebra."""
    matrix, spacing, count, step, _ = size.sagittal
    row = np.array([np.sin(plan.tilt), np.cos(plan.tilt), 0.0])
    column = np.array([0.0, 0.0, -1.0])
    left = np.array([np.cos(plan.tilt), -np.sin(plan.tilt), 0.0])
    pivot = np.array([plan.middle_x, float(anatomy.lytic.lower_p[0]), 0.0])
    low, high = anatomy.vertebrae["S2"].upper_p[1], anatomy.vertebrae["T12"].upper_p[1]
    centre = pivot + np.array([0.0, 0.0, float(low + high) / 2 - 4.0])
    centre = centre + row * (14.0 - (pivot[1] - float(anatomy.wall(np.zeros((1, 1, 1), dtype=np.float32))[0, 0, 0])))
    return [_plane(centre + left * step * (i - count // 2), row, column, matrix, spacing) for i in range(count)]


def _landmarks(anatomy: Anatomy, plane: SlicePlane) -> dict[str, Point]:
    """P, A and Q on the middle sagittal slice."""
    normal = np.cross(plane.row_lps, plane.column_lps)
    found: dict[str, Point] = {}
    for name, corner in (("P", anatomy.below.upper_p), ("A", anatomy.below.upper_a), ("Q", anatomy.lytic.lower_p)):
        point = np.array([0.0, float(corner[0]), float(corner[1])])
        point[0] = float((np.asarray(plane.position_lps_mm) - point) @ normal / normal[0])
        found[name] = (round(float(point[0]), 4), round(float(point[1]), 4), round(float(point[2]), 4))
    return found


def _sagittal(anatomy: Anatomy, plan: _Plan, size: Size, rng: np.random.Generator) -> list[PhantomSeries]:
    planes = sagittal_planes(anatomy, plan, size)
    sub = size.sagittal[4]
    # the slices run to the patient's left, their normal points to the right
    canvas = _stack(planes[::-1], ("T1", "T2", "STIR"), sub, rng)
    _fill(canvas, anatomy)
    images = _blur(_slices(canvas, sub)[:, ::-1], 0.13) * _coil(anatomy, planes, rng)
    level = 1.0 if plan.field_strength > 2 else 1.35
    found = []
    for channel, image in zip(canvas.channels, images, strict=True):
        gain, sigma = {"T1": (620.0, 13.0), "T2": (820.0, 15.0), "STIR": (560.0, 14.0)}[channel]
        pixels = _magnitude(image, gain, sigma * level, rng)
        top = {"T1": 1.15, "T2": 1.12, "STIR": 0.85}[channel] * gain
        found.append(
            PhantomSeries(
                MR_ROLES[channel], pixels, tuple(planes), 4.0, size.sagittal[3], window=(round(top), round(top / 2))
            )
        )
    return found


def _disc_slices(below: Vertebra, above: Vertebra, size: Size) -> list[SlicePlane]:
    """A block of slices parallel to a disc, from below upwards."""
    matrix, spacing, count, step, _ = size.axial
    one = (below.upper_a - below.upper_p) / np.hypot(*(below.upper_a - below.upper_p))
    two = (above.lower_a - above.lower_p) / np.hypot(*(above.lower_a - above.lower_p))
    forward = (one + two) / np.hypot(*(one + two))
    middle = (below.upper_p + below.upper_a + above.lower_p + above.lower_a) / 4
    row, column = np.array([1.0, 0.0, 0.0]), np.array([0.0, -forward[0], -forward[1]])
    normal = np.cross(row, column)
    centre = np.array([(below.x + above.x) / 2, *middle]) + column * 20.0
    return [
        _plane(centre + normal * step * (i - (count - 1) / 2 + 0.25), row, column, matrix, spacing)
        for i in range(count)
    ]


def _axial(anatomy: Anatomy, plan: _Plan, size: Size, rng: np.random.Generator) -> PhantomSeries:
    sub = size.axial[4]
    blocks, planes = [], []
    level = 1.0 if plan.field_strength > 2 else 1.35
    for below, above in (("L4", "L3"), ("L5", "L4"), ("S1", "L5")):
        slices = _disc_slices(anatomy.vertebrae[below], anatomy.vertebrae[above], size)
        canvas = _stack(slices, ("T2",), sub, rng)
        _fill(canvas, anatomy)
        image = _blur(_slices(canvas, sub)[0], 0.12) * _coil(anatomy, slices, rng)
        blocks.append(_magnitude(image, 800.0, 15.0 * level, rng))
        planes += slices
    return PhantomSeries("AX_T2", np.concatenate(blocks), tuple(planes), 4.0, size.axial[3], window=(760, 370))


def ct_planes(anatomy: Anatomy, plan: _Plan, size: Size) -> list[SlicePlane]:
    """Axial slices around the defects, feet to head, in MR coordinates; prone, so the back is up in the picture."""
    matrix, spacing, count, step, _ = size.ct
    middle = np.mean([defect.frame.origin for defect in anatomy.defects], axis=0)
    # head first prone shows the patient's left on the left of the picture; feet first prone the right
    across = -1.0 if plan.vendor == "siemens" else 1.0
    row, column = np.array([across, 0.0, 0.0]), np.array([0.0, -1.0, 0.0])
    reach = matrix * spacing / 2
    back = float(np.interp(middle[2], anatomy.wall_z, anatomy.back_y))
    centre = np.array([float(middle[0]), min(back + 14.0 - reach, float(middle[1]) + 12.0), float(middle[2])])
    return [
        _plane(centre + np.array([0.0, 0.0, step * (i - (count - 1) / 2)]), row, column, matrix, spacing)
        for i in range(count)
    ]


def _ct(anatomy: Anatomy, plan: _Plan, size: Size, rng: np.random.Generator) -> list[PhantomSeries]:
    sub = size.ct[4]
    planes = ct_planes(anatomy, plan, size)
    normal = np.cross(planes[0].row_lps, planes[0].column_lps)
    # the canvas wants slices along its own normal; prone head first looks from the head to the feet
    ordered = planes if normal[2] > 0 else planes[::-1]
    canvas = _stack(ordered, ("HU",), sub, rng)
    _fill(canvas, anatomy, ct=True)
    before = _slices(canvas, sub)[0].copy()
    paint_contrast(canvas, anatomy, needle_side=1 if rng.random() < 0.5 else -1)
    after = _slices(canvas, sub)[0]
    moved = tuple(_moved(plane, plan.ct_offset) for plane in planes)
    found = []
    for role, image in (("CT_PRE", before), ("CT_POST", after)):
        image = image if normal[2] > 0 else image[::-1]
        grain = _blur(rng.standard_normal(image.shape, dtype=np.float32), 0.22) * 42.0
        pixels = np.clip(np.rint(_blur(image, 0.07) + grain), -1024, 3071)
        found.append(_ct_series(role, pixels, moved, plan, size))
    return found


def _moved(plane: SlicePlane, offset: Vector) -> SlicePlane:
    x, y, z = (float(round(a + b, 6)) for a, b in zip(plane.position_lps_mm, offset, strict=True))
    return SlicePlane((x, y, z), plane.row_lps, plane.column_lps, plane.spacing_rc_mm, plane.rows, plane.columns)


def _ct_series(role: str, hu: Array, planes: tuple[SlicePlane, ...], plan: _Plan, size: Size) -> PhantomSeries:
    """Store HU as one maker does: unsigned with intercept -1024, or signed with intercept 0."""
    step = size.ct[3]
    if plan.vendor == "siemens":
        return PhantomSeries(role, (hu + 1024).astype(np.uint16), planes, step, step, (1.0, -1024.0), (2000, 500))
    return PhantomSeries(role, hu.astype(np.int16), planes, step, step, (1.0, 0.0), (1500, 450))
