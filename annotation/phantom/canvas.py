"""Slice planes, and a canvas of parallel slices on which anti-aliased shapes are painted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil, floor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Vector = NDArray[np.float64]
Coords = tuple[Array, Array, Array]


@dataclass(frozen=True)
class SlicePlane:
    """One slice in patient space (LPS, mm); field names as in ``annotation.dicom.geometry.Plane``."""

    position_lps_mm: tuple[float, float, float]
    row_lps: tuple[float, float, float]
    column_lps: tuple[float, float, float]
    spacing_rc_mm: tuple[float, float]
    rows: int
    columns: int

    def pixel(self, point_lps_mm: Vector) -> tuple[float, float, float]:
        """Row, column (pixel centres at whole numbers) and distance from the plane in mm of a point of shape (3,)."""
        offset = np.asarray(point_lps_mm, dtype=float) - np.asarray(self.position_lps_mm)
        row_direction, column_direction = np.asarray(self.row_lps), np.asarray(self.column_lps)
        row = float(offset @ column_direction) / self.spacing_rc_mm[0]
        column = float(offset @ row_direction) / self.spacing_rc_mm[1]
        return row, column, float(offset @ np.cross(row_direction, column_direction))


@dataclass(frozen=True)
class Frame:
    """A local right-handed coordinate frame: origin (3,) in LPS mm and three unit axes as rows (3, 3)."""

    origin: Vector
    axes: Vector

    def world(self, point: tuple[float, float, float]) -> Vector:
        """LPS mm of a local point."""
        return np.asarray(self.origin + np.asarray(point, dtype=float) @ self.axes)

    def local(self, point_lps_mm: Vector) -> Vector:
        """Local coordinates of a point in LPS mm."""
        return np.asarray(self.axes @ (point_lps_mm - self.origin))

    def moved(self, offset_lps_mm: Vector) -> Frame:
        """Return the same frame somewhere else."""
        return Frame(self.origin + offset_lps_mm, self.axes)


ROUGH_MM = 0.28
LEVEL = 1e-9
"""Below this slope a coordinate does not change along a direction."""
CHUNK = 65536
SMALL = 4096
"""Elements of a patch below which looking for its empty part takes longer than painting it."""
_RAMPS = ((-1, 1, 1), (1, -1, 1), (1, 1, -1))
WORLD = Frame(np.zeros(3), np.eye(3))


class _Seen(NamedTuple):
    """A frame on a canvas: its axes along the canvas's directions, the way to its origin, the canvas's corner in it."""

    slopes: list[list[float]]
    away: list[float]
    starts: list[float]


class Canvas:
    """Parallel slices of equal size with one intensity channel a contrast.

    Parameters
    ----------
    channels
        Names of the contrasts (columns of the tissue table), e.g. ``("T1", "T2", "STIR")``.
    first
        The first (sub-)slice.
    step_mm
        Distance between neighbouring (sub-)slices along the slice normal.
    count
        Number of (sub-)slices.
    noise
        Two fields of zero mean and unit variance, (slices, rows, columns): fine texture, and coarser streaks of fat.
    sub
        Sub-slices a slice.
    """

    def __init__(
        self,
        channels: tuple[str, ...],
        first: SlicePlane,
        step_mm: float,
        count: int,
        noise: tuple[Array, Array],
        sub: int,
    ) -> None:
        self.channels = channels
        self.first = first
        self.sub = sub
        self.shape = (count, first.rows, first.columns)
        row, column = np.asarray(first.row_lps), np.asarray(first.column_lps)
        self.directions = (np.cross(row, column), column, row)
        self.steps = (step_mm, first.spacing_rc_mm[0], first.spacing_rc_mm[1])
        self.origin = np.asarray(first.position_lps_mm)
        self.basis = np.stack([np.asarray(direction, dtype=float) for direction in self.directions], axis=1)
        self._ramps = [np.arange(size) * step for size, step in zip(self.shape, self.steps, strict=True)]
        self._frames: dict[int, tuple[Frame, _Seen]] = {}
        self.image: Array = np.zeros((len(channels), *self.shape), dtype=np.float32)
        self.noise = noise
        self.softness = 1.1 * self.steps[1]
        # where bone is, kept on CT only: contrast spreads around bone
        self.bone: Array | None = np.zeros(self.shape, dtype=np.float32) if "HU" in channels else None

    def thinned(self) -> Canvas:
        """Return an empty canvas with one layer a slice, in its middle."""
        middle = self.origin + self.directions[0] * self.steps[0] * (self.sub - 1) / 2
        first = self.first
        plane = SlicePlane((float(middle[0]), float(middle[1]), float(middle[2])), first.row_lps, first.column_lps,
                           first.spacing_rc_mm, first.rows, first.columns)  # fmt: skip
        return Canvas(self.channels, plane, self.steps[0] * self.sub, self.shape[0] // self.sub, self.noise, 1)

    def slices(self) -> Iterator[Patch]:
        """Everything, layer by layer: what is worked on stays in the processor's cache."""
        for layer in range(self.shape[0]):
            yield Patch(self, (slice(layer, layer + 1), slice(0, self.shape[1]), slice(0, self.shape[2])))

    def seen(self, frame: Frame) -> _Seen:
        """How a frame lies on this canvas; asked thousands of times a case, so kept."""
        kept = self._frames.get(id(frame))
        if kept is None:
            slopes = (frame.axes @ self.basis).tolist()
            away = ((frame.origin - self.origin) @ self.basis).tolist()
            starts = (frame.axes @ (self.origin - frame.origin)).tolist()
            # with its frame, which must live as long as its number is used
            kept = self._frames[id(frame)] = frame, _Seen(slopes, away, starts)
        return kept[1]

    def ramp(self, way: int, part: slice, slope: float) -> Array:
        """What a coordinate gains along one direction of the canvas, shaped to be added to the others."""
        return (self._ramps[way][part] * slope).astype(np.float32).reshape(_RAMPS[way])

    def box(self, frame: Frame, low: tuple[float, float, float], high: tuple[float, float, float]) -> Patch | None:
        """Return the part that holds a box given in local coordinates, or None when no slice meets it."""
        # this is asked thousands of times a case, mostly in vain: plain numbers, no arrays
        found = self.seen(frame)
        middles = [(float(a) + float(b)) / 2 for a, b in zip(low, high, strict=True)]
        reaches = [(float(b) - float(a)) / 2 + 1.0 for a, b in zip(low, high, strict=True)]
        one, two, three = found.slopes
        window: list[slice] = []
        for way in range(3):
            middle = found.away[way] + middles[0] * one[way] + middles[1] * two[way] + middles[2] * three[way]
            reach = reaches[0] * abs(one[way]) + reaches[1] * abs(two[way]) + reaches[2] * abs(three[way])
            start = max(0, floor((middle - reach) / self.steps[way]))
            stop = min(self.shape[way], ceil((middle + reach) / self.steps[way]) + 1)
            if stop <= start:
                return None
            window.append(slice(start, stop))
        return Patch(self, tuple(window))


class Patch:
    """A rectangular part of a canvas: gives local coordinates and takes paint."""

    def __init__(self, canvas: Canvas, window: tuple[slice, ...]) -> None:
        self.canvas = canvas
        self.window = window
        self._texture: Array | None = None
        self._streaks: Array | None = None
        self._rough: dict[float, Array] = {}
        self._coords: dict[int, tuple[Frame, Coords]] = {}

    def chunks(self) -> Iterator[Patch]:
        """The same in parts of a few layers each, which the processor's cache holds."""
        layers, rows, columns = self.window
        each = max(1, CHUNK // ((rows.stop - rows.start) * (columns.stop - columns.start)))
        for start in range(layers.start, layers.stop, each):
            yield Patch(self.canvas, (slice(start, min(start + each, layers.stop)), rows, columns))

    def coords(self, frame: Frame) -> Coords:
        """Local coordinates in mm, each broadcastable to the patch (axes that do not matter have length 1)."""
        kept = self._coords.get(id(frame))
        if kept is None:
            seen = self.canvas.seen(frame)
            x, y, z = self._along(seen, 0), self._along(seen, 1), self._along(seen, 2)
            # with its frame, which must live as long as its number is used
            kept = self._coords[id(frame)] = frame, (x, y, z)
        return kept[1]

    def _along(self, seen: _Seen, axis: int) -> Array:
        value: Array | None = None
        for way, part in enumerate(self.window):
            slope = seen.slopes[axis][way]
            if abs(slope) > LEVEL:
                ramp = self.canvas.ramp(way, part, slope)
                value = ramp + np.float32(seen.starts[axis]) if value is None else value + ramp
        if value is None:
            return np.full((1, 1, 1), seen.starts[axis], dtype=np.float32)
        return value

    def texture(self) -> Array:
        """Return the canvas's fine noise here."""
        if self._texture is None:
            self._texture = self._noise(0)
        return self._texture

    def streaks(self) -> Array:
        """Return the canvas's coarser noise here: fat in muscle, and how outlines wander."""
        if self._streaks is None:
            self._streaks = self._noise(1)
        return self._streaks

    def _noise(self, which: int) -> Array:
        """Noise is drawn once a slice: every sub-slice has the same."""
        layers, rows, columns = self.window
        sub, field = self.canvas.sub, self.canvas.noise[which]
        if sub == 1:
            return field[layers, rows, columns]
        return np.asarray(field[:, rows, columns][np.arange(layers.start, layers.stop) // sub])

    def _wander(self, rough_mm: float) -> Array:
        kept = self._rough.get(rough_mm)
        if kept is None:
            kept = self._rough[rough_mm] = self.streaks() * np.float32(rough_mm)
        return kept

    def cover(self, distance: Array, soft: float | Array | None = None, rough_mm: float = ROUGH_MM) -> Array:
        """Coverage 0..1 of a shape from its signed distance in mm (negative inside), anti-aliased.

        Nothing in a body has a smooth outline: ``rough_mm`` is the standard deviation by which it wanders, the same
        way for every shape at a place, so that layers keep their thickness.
        """
        width = self.canvas.softness if soft is None else soft
        if rough_mm:
            cover = distance + self._wander(rough_mm)
            cover = np.multiply(cover, -1.0 / width, out=cover if np.ndim(width) == 0 else None)
        else:
            cover = distance * (-1.0 / width)
        cover += 0.5
        np.maximum(cover, 0.0, out=cover)
        return np.asarray(np.minimum(cover, 1.0, out=cover))

    def spread(self, distance: Array) -> Array | float:
        """Softness of a surface oblique to the sub-slices: by so much it moves from one to the next."""
        if distance.ndim != 3 or distance.shape[0] < 2:
            return self.canvas.softness
        moved = np.abs(np.diff(distance, axis=0, append=distance[-1:]))
        moved[-1] = moved[-2]
        # a shape that shears tells more than millimetres
        np.minimum(moved, 2.5 * self.canvas.steps[0], out=moved)
        # where two surfaces meet the distance stands still: the neighbours tell how far it moves
        wide = np.maximum(moved, self.canvas.softness)
        np.maximum(wide[1:], moved[:-1], out=wide[1:])
        np.maximum(wide[:-1], moved[1:], out=wide[:-1])
        return np.asarray(wide)

    def mark_bone(self, cover: Array) -> None:
        """Remember that bone covers this part."""
        if self.canvas.bone is not None:
            part = self.canvas.bone[self.window]
            np.maximum(part, cover, out=part)

    def paint(self, cover: Array, tissue: Mapping[str, float], grain: float = 0.0) -> None:
        """Blend a tissue in by its coverage; ``grain`` is the relative texture of its signal (HU: absolute)."""
        inner = _filled(cover)
        if inner is None:
            return
        layers, rows, columns = inner
        cover = cover[inner] if cover.ndim == len(inner) else cover
        grainy = self.texture()[inner] * grain if grain else None
        for channel, image in zip(self.canvas.channels, self.canvas.image, strict=True):
            level = np.float32(tissue[channel])
            part = image[self.window][layers, rows, columns]
            if grainy is None:
                step = level - part
            else:
                # a grain of 1 stands for 300 HU, else for the signal itself
                step = grainy * np.float32(300.0 if channel == "HU" else level)
                step += level
                step -= part
            step *= cover
            part += step


def _filled(cover: Array) -> tuple[slice, slice, slice] | None:
    """Return the smallest box outside which a coverage is 0; a shape fills little of the box it is looked for in."""
    if cover.ndim != 3 or cover.size < SMALL:
        return slice(None), slice(None), slice(None)
    flat = cover.max(axis=0)
    rows, columns = _run(flat.max(axis=1)), _run(flat.max(axis=0))
    if rows is None or columns is None:
        return None
    layers = _run(cover[:, rows, columns].max(axis=(1, 2))) if len(cover) > 1 else slice(None)
    return None if layers is None else (layers, rows, columns)


def _run(line: Array) -> slice | None:
    """From the first to the last place that is not 0; a line of one stands for any number."""
    if len(line) == 1:
        return slice(None)
    places = line.nonzero()[0]
    return slice(int(places[0]), int(places[-1]) + 1) if len(places) else None


def _total(terms: list[Array]) -> Array:
    """Sum of arrays of one's own."""
    total = terms[0]
    for term in terms[1:]:
        total = np.add(total, term, out=total if total.shape == term.shape else None)
    return total


def length(*parts: Array) -> Array:
    """Euclidean length of coordinates given one by one."""
    total = _total([part * part for part in parts])
    return np.asarray(np.sqrt(total, out=total))


def ellipsoid(at: Coords, centre: tuple[float, float, float], radii: tuple[float, float, float]) -> Array:
    """Signed distance (first order) to an ellipsoid with axes along the local frame."""
    scaled = [(axis - c) * (1.0 / r) for axis, c, r in zip(at, centre, radii, strict=True)]
    norm = length(*scaled)
    slope = length(*[part * (1.0 / r) for part, r in zip(scaled, radii, strict=True)])
    np.maximum(slope, 1e-4, out=slope)
    found = norm - 1.0
    found *= norm
    found /= slope
    return np.asarray(found)


def capsule(
    at: Coords, start: tuple[float, float, float], end: tuple[float, float, float], radius: float, taper: float = 0.0
) -> Array:
    """Signed distance to a rod with round ends; its radius shrinks by ``taper`` mm towards ``end``."""
    axis = [b - a for a, b in zip(start, end, strict=True)]
    rest = [part - a if a else part for part, a in zip(at, start, strict=True)]
    total = max(sum(a * a for a in axis), 1e-6)
    if any(axis):
        along = _total([part * (a / total) for part, a in zip(rest, axis, strict=True) if a])
        np.maximum(along, 0.0, out=along)
        np.minimum(along, 1.0, out=along)
    else:
        along = np.zeros((1, 1, 1), dtype=np.float32)
    distance = length(*[part - along * a if a else part for part, a in zip(rest, axis, strict=True)])
    distance = distance + along * taper if taper else distance
    distance -= radius
    return np.asarray(distance)


def rounded_box(
    at: Coords, centre: tuple[float, float, float], half: tuple[float, float, float], radius: float
) -> Array:
    """Signed distance to a box with rounded edges (``half`` is measured to the outside)."""
    over = [np.abs(part - c) - (h - radius) for part, c, h in zip(at, centre, half, strict=True)]
    outside = length(*[np.maximum(part, 0.0) for part in over])
    inside = np.minimum(np.maximum(np.maximum(over[0], over[1]), over[2]), 0.0)
    return np.asarray(outside + inside - radius)


def rounded_meet(first: Array, second: Array, radius: float) -> Array:
    """Intersection of two shapes with an edge rounded by ``radius`` mm."""
    one, two = first + radius, second + radius
    outside = length(np.maximum(one, 0.0), np.maximum(two, 0.0))
    return np.asarray(np.minimum(np.maximum(one, two), 0.0) + outside - radius)


def value_noise(rng: np.random.Generator, shape: tuple[int, int, int], cells: tuple[int, int, int]) -> Array:
    """Smooth noise of unit variance: a random lattice stretched linearly over an array of ``shape``."""
    lattice = rng.standard_normal(tuple(c + 1 for c in cells), dtype=np.float32)
    for axis, (size, count) in enumerate(zip(shape, cells, strict=True)):
        if size == count:
            lattice = np.take(lattice, np.arange(size), axis)
            continue
        where = np.linspace(0.0, count, size, endpoint=False)
        left = where.astype(int)
        weight = (where - left).astype(np.float32).reshape(tuple(-1 if j == axis else 1 for j in range(3)))
        near, far = np.take(lattice, left, axis), np.take(lattice, left + 1, axis)
        far -= near
        far *= weight
        far += near
        lattice = far
    lattice *= np.float32(1.0 / max(float(lattice.std()), 1e-6))
    return np.asarray(lattice)
