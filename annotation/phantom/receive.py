"""What a scanner adds: slice thickness, point spread, coil, noise, chemical shift, a patient who has moved."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .anatomy import Anatomy
from .canvas import Array, Canvas, SlicePlane, value_noise
from .lines import body_lines


def canvas_of(
    slices: list[SlicePlane], channels: tuple[str, ...], sub: int, rng: np.random.Generator, *, step_mm: float = 0.0
) -> Canvas:
    """Return a canvas with ``sub`` sub-slices for every plane (parallel, evenly spaced, ascending along the normal).

    ``step_mm`` is asked for where there is one plane only.
    """
    first = slices[0]
    normal = np.cross(first.row_lps, first.column_lps)
    step = step_mm
    if len(slices) > 1:
        step = float((np.asarray(slices[1].position_lps_mm) - np.asarray(first.position_lps_mm)) @ normal)
    if step <= 0:
        raise ValueError(f"slices do not ascend along their normal: {step}")
    start = np.asarray(first.position_lps_mm) - normal * step * (sub - 1) / (2 * sub)
    low = SlicePlane((float(start[0]), float(start[1]), float(start[2])), first.row_lps, first.column_lps,
                     first.spacing_rc_mm, first.rows, first.columns)  # fmt: skip
    count = len(slices)
    fine = max(2, int(first.rows * first.spacing_rc_mm[0] / 2.2))
    coarse = max(2, fine // 4)
    texture = 0.75 * value_noise(rng, (count, first.rows, first.columns), (count, fine, fine))
    texture += 0.65 * value_noise(rng, (count, first.rows, first.columns), (count, coarse, coarse))
    # fibres run from head to foot: drawn out along the columns of a sagittal picture
    long = 14.0 if abs(first.column_lps[2]) > 0.7 else 4.5
    extent = first.rows * first.spacing_rc_mm[0]
    streaks = value_noise(rng, (count, first.rows, first.columns), (count, int(extent / long), int(extent / 3.6)))
    return Canvas(channels, low, step / sub, count * sub, (texture, streaks), sub)


def averaged(canvas: Canvas, layers: int = 0) -> Array:
    """Average so many layers (by default the sub-slices of a slice): partial volume over the slice thickness."""
    channels, count, rows, columns = canvas.image.shape
    each = layers or canvas.sub
    parts = canvas.image.reshape(channels, count // each, each, rows, columns)
    if each == 1:
        return np.asarray(parts[:, :, 0].copy())
    found = parts[:, :, 0] + parts[:, :, 1]
    for i in range(2, each):
        found += parts[:, :, i]
    found *= np.float32(1.0 / each)
    return np.asarray(found)


def blurred(image: Array, share: float) -> Array:
    """In-plane point spread: the three-point kernel (share, 1 - 2 share, share) along rows and columns."""
    result = np.empty_like(image)
    own, beside = np.float32(1 - 2 * share), np.float32(share)
    # slice by slice, so that what is worked on stays in the processor's cache
    for place in np.ndindex(image.shape[:-2]):
        near = image[place] * beside
        out = image[place] * own
        out[1:] += near[:-1]
        out[:-1] += near[1:]
        np.multiply(out, beside, out=near)
        out *= own
        out[:, 1:] += near[:, :-1]
        out[:, :-1] += near[:, 1:]
        result[place] = out
    return result


def shifted(image: Array, pixels: float, axis: int) -> Array:
    """Move a picture by a number of pixels along an axis; what comes in from outside is its edge."""
    whole = int(np.floor(pixels))
    count = image.shape[axis]
    places = np.arange(count) - whole
    near, far = (np.take(image, np.clip(at, 0, count - 1), axis) for at in (places, places - 1))
    share = np.float32(pixels - whole)
    return np.asarray(near * (1 - share) + far * share)


def fat_shifted(image: Array, t1: Array, pixels: float, axis: int) -> Array:
    """Chemical shift of the first kind: the signal of fat lies beside that of water along the frequency direction.

    Parameters
    ----------
    image
        Any weighting.
    t1
        The same slices in T1 weighting, where nothing but fat is so bright.
    """
    # a slow ramp, smoothed: a pixel half of fat moves half of its signal, else slanting edges become stairs
    share = blurred(np.clip((t1 - 0.56) * np.float32(1 / 0.36), 0.0, 1.0), 0.16)
    fat = image * share
    return np.asarray(image - fat + shifted(fat, pixels, axis))


def magnitude(signal: Array, gain: float, sigma: float, rng: np.random.Generator) -> NDArray[np.uint16]:
    """Rician noise and storage as 12-bit whole numbers."""
    real = rng.standard_normal(signal.shape, dtype=np.float32)
    real *= np.float32(sigma)
    real += signal * np.float32(gain)
    other = rng.standard_normal(signal.shape, dtype=np.float32)
    other *= np.float32(sigma)
    real *= real
    other *= other
    real += other
    np.sqrt(real, out=real)
    real += 0.5
    return np.asarray(np.clip(real, 0, 4095, out=real).astype(np.uint16))


def coil(anatomy: Anatomy, slices: list[SlicePlane], rng: np.random.Generator) -> Array:
    """Sensitivity of the spine coil (brighter towards the back) with the saturation slab in front of the column."""
    first = slices[0]
    rows = np.arange(first.rows, dtype=np.float32)[:, None] * first.spacing_rc_mm[0]
    columns = np.arange(first.columns, dtype=np.float32)[None, :] * first.spacing_rc_mm[1]
    y = first.position_lps_mm[1] + rows * first.column_lps[1] + columns * first.row_lps[1]
    z = first.position_lps_mm[2] + rows * first.column_lps[2] + columns * first.row_lps[2]
    depth = np.maximum(anatomy.back(z) - y, 0.0)
    gain = 0.78 + 0.55 * np.exp(-depth / 55.0)
    gain *= 1.0 + 0.05 * np.sin(z / 55.0 + float(rng.uniform(0, 6.28)))
    # elements lie side by side, and the field in the body is uneven as well
    x = first.position_lps_mm[0] + rows * first.column_lps[0] + columns * first.row_lps[0]
    phases = np.random.default_rng([anatomy.seed, 8]).uniform(0, 6.28, 2)
    gain *= 1.0 + 0.04 * np.sin(x / 60.0 + phases[0]) * np.cos(y / 50.0 + phases[1]) - 0.07 * (x / 100.0) ** 2
    edge = np.clip((np.abs(z) - 105.0) / 60.0, 0.0, 1.0)
    gain *= 1.0 - 0.45 * edge
    slab = 1.0 / (1.0 + np.exp((_slab(anatomy, first, z) - y) / 4.0))
    return np.asarray(gain * (0.16 + 0.84 * slab), dtype=np.float32)


SLAB_MM = 7.0


def _slab(anatomy: Anatomy, first: SlicePlane, z: Array) -> Array:
    """y of the rear face of the saturation slab: a plane in front of the column and its great vessels."""
    lines = body_lines(anatomy)
    if abs(first.column_lps[1]) > 0.7:  # slices across: the slab is laid anew for each block
        middle = float(z[len(z) // 2, 0])
        near = np.abs(lines.z - middle) < 26.0
        return np.full_like(z, float(np.min(lines.front_y[near])) - 3 * SLAB_MM)
    low, high = (float(anatomy.vertebrae[name].upper_a[1]) for name in ("S1", "T12"))
    slope = float(lines.front(high) - lines.front(low)) / (high - low)
    column = (lines.z >= low) & (lines.z <= high)
    ahead = float(np.min((lines.front_y - slope * lines.z)[column])) - SLAB_MM
    return np.asarray(ahead + slope * z)
