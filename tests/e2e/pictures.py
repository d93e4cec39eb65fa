"""What a picture must look like, drawn by numpy from stored or source values, to hold against the screen."""

from __future__ import annotations

import numpy as np

from tests.e2e.room import Array, PixelMap, View


def windowed(values: Array, width: float, level: float, *, inverted: bool = False) -> Array:
    """Grey levels 0-255 of modality values; the linear window of PS3.3 C.11.2.1.2.1."""
    grey = np.clip((values - (level - 0.5)) / max(width - 1, 1e-6) + 0.5, 0, 1) * 255
    return np.asarray(255 - grey if inverted else grey)


def drawn(grey: Array, where: PixelMap, shape: tuple[int, int]) -> tuple[Array, Array]:
    """Sample an image where the screen has pixels: bilinear between pixel centres; and a mask of what lies inside."""
    height, width = shape
    y, x = np.mgrid[0:height, 0:width] + 0.5
    pixel = where.pixel(np.stack([x, y], axis=-1))
    column, row = pixel[..., 0], pixel[..., 1]
    rows, columns = grey.shape
    inside = (column >= 0) & (column <= columns - 1) & (row >= 0) & (row <= rows - 1)
    c = np.clip(column, 0, columns - 1)
    r = np.clip(row, 0, rows - 1)
    c0 = np.minimum(c.astype(int), columns - 2)
    r0 = np.minimum(r.astype(int), rows - 2)
    fc, fr = c - c0, r - r0
    top = grey[r0, c0] * (1 - fc) + grey[r0, c0 + 1] * fc
    low = grey[r0 + 1, c0] * (1 - fc) + grey[r0 + 1, c0 + 1] * fc
    return np.asarray(top * (1 - fr) + low * fr), inside


def difference(view: View, values: Array, *, inverted: bool = False) -> float:
    """Mean grey difference between a view on the screen and the same values drawn here with the view's window."""
    width, level = view.window
    seen = view.pixels()
    expected, inside = drawn(windowed(values, width, level, inverted=inverted), view.map, seen.shape)
    assert inside.sum() > 10_000, "the picture fills a good part of the view"
    assert seen[inside].std() > 5, "there is something to see"
    return float(np.abs(seen - expected)[inside].mean())
