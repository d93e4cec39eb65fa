"""The needle of the intervention: its way between the bones to the back of a defect, its metal and its shadow (CT)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from . import tissues as t
from .anatomy import Anatomy, Defect
from .arches import paint_bones
from .canvas import WORLD, Array, Canvas, SlicePlane, Vector, capsule, length

RADIUS_MM = 0.45
EDGE_MM = 1.6
THIN = 0.6
"""Across the slices the needle is drawn thicker, so that none of those it crosses shows it faint."""
BACK_OF_DEFECT = -5.6
_REACH = ((-10.0, 24.0), (-8.0, 36.0), (-6.0, 6.0))
_STEP = 1.0


class Needle(NamedTuple):
    """Tip and hub, LPS mm."""

    tip: tuple[float, float, float]
    hub: tuple[float, float, float]

    def short_of(self, millimetres: float) -> Needle:
        """Return the needle when it was still that far from where it ends."""
        tip, hub = np.array(self.tip), np.array(self.hub)
        return Needle(_point(tip + (hub - tip) / np.linalg.norm(hub - tip) * millimetres), self.hub)


def _point(values: Vector) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])


def _bones(anatomy: Anatomy, defect: Defect) -> tuple[Canvas, Array]:
    """Where bone is around a defect and behind it, on a coarse grid of its own."""
    low = [float(o) + (r[0] if i or defect.side > 0 else -r[1])
           for i, (o, r) in enumerate(zip(defect.frame.origin, _REACH, strict=True))]  # fmt: skip
    counts = [round((high - near) / _STEP) for near, high in _REACH]
    plane = SlicePlane((low[0], low[1], low[2]), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (_STEP, _STEP), counts[1], counts[0])
    calm = np.zeros((counts[2], counts[1], counts[0]), dtype=np.float32)
    canvas = Canvas(("HU",), plane, _STEP, counts[2], (calm, calm), 1)
    bone = canvas.bone = np.zeros(canvas.shape, dtype=np.float32)
    paint_bones(canvas, anatomy, defect.side)
    return canvas, bone


def needle_path(anatomy: Anatomy, defect: Defect) -> Needle:
    """Return the needle that comes nearest to the back of a defect without meeting other bone on its way.

    Its tip lies on the first bone it meets, or in the soft tissue of the gap's outer opening.
    """
    canvas, bone = _bones(anatomy, defect)
    rng = np.random.default_rng([anatomy.seed, 61, 1 + defect.side])
    liked, tilt = float(np.clip(rng.normal(0.32, 0.14), 0.0, 0.6)), float(rng.uniform(-0.07, 0.07))
    back = np.arange(48.0, -0.1, -0.5)
    best, cost = (0.0, np.zeros(3), np.zeros(3)), np.inf
    for high in (0.0, -2.5, 2.5):
        target = defect.frame.world((0.0, BACK_OF_DEFECT, high))
        for lean in np.arange(-0.1, 1.05, 0.1):
            way = np.array([defect.side * lean, 1.0, tilt])
            way /= np.linalg.norm(way)
            hit = np.flatnonzero(hits_bone(canvas, bone, target + back[:, None] * way))
            left = float(back[max(int(hit[0]) - 1, 0)]) if len(hit) else 0.0
            price = left + 4.0 * abs(lean - liked) + 0.4 * abs(high)
            if price < cost:
                best, cost = (left, target, way), price
    left, target, way = best
    tip = target + left * way
    skin = float(np.interp(tip[2], anatomy.wall_z, anatomy.back_y)) + 30.0
    return Needle(_point(tip), _point(tip + way * (skin - float(tip[1])) / way[1]))


def hits_bone(canvas: Canvas, bone: Array, points: Vector) -> Array:
    """Which points lie in bone; beyond the grid there is none."""
    at = np.rint((points - canvas.origin) @ canvas.basis / np.array(canvas.steps)).astype(int)
    inside = ((at >= 0) & (at < np.array(canvas.shape))).all(axis=1)
    i, j, k = np.clip(at, 0, np.array(canvas.shape) - 1).T
    return np.asarray(inside & (bone[i, j, k] > 0.35))


def paint_needle(canvas: Canvas, needle: Needle) -> None:
    """Paint the metal with its streaks: dark along the shaft and, as a band, beyond its tip; light beside the band."""
    tip, hub = np.array(needle.tip), np.array(needle.hub)
    way = (tip - hub) / np.linalg.norm(tip - hub)
    far = tip + 34.0 * way
    corners = np.stack([far, hub])
    patch = canvas.box(WORLD, _point(corners.min(axis=0) - 9.0), _point(corners.max(axis=0) + 9.0))
    if patch is None:
        return
    x, y, z = (part - float(at) for part, at in zip(patch.coords(WORLD), tip, strict=True))
    beyond = x * float(way[0]) + y * float(way[1]) + z * float(way[2])
    # streaks arise in the plane of the detector: they stay in the slices that hold the metal
    aside = length(x - beyond * float(way[0]), y - beyond * float(way[1]), 1.8 * (z - beyond * float(way[2])))
    ahead = np.maximum(beyond, 0.0)
    wide = 0.9 + 0.045 * ahead
    fade = np.exp(-ahead / 15.0)
    dark = 230.0 * np.exp(-((aside / wide) ** 2)) * fade * (beyond > -1.0)
    dark += 105.0 * np.exp(-((aside / 2.6) ** 2)) * np.clip(1.0 - ahead / 6.0, 0.0, 1.0)
    light = 95.0 * np.exp(-(((aside - 2.6 * wide) / (0.7 * wide)) ** 2)) * fade * (beyond > -6.0)
    for image in canvas.image:
        image[patch.window] += light - dark
    # a sharp edge of so dense a thing would be a staircase of white pixels: it fades out over two of them
    x, y, z = patch.coords(WORLD)
    (*end, low), (*start, high) = needle
    flat = (x, y, z * THIN)
    shape = capsule(flat, (end[0], end[1], low * THIN), (start[0], start[1], high * THIN), RADIUS_MM)
    patch.paint(patch.cover(shape, EDGE_MM, rough_mm=0.0), t.NEEDLE)
