"""Paint the vertebral canal: epidural fat, dural sac, cord, cauda equina, exiting roots in their foraminal fat."""

from __future__ import annotations

import numpy as np

from . import tissues as t
from .anatomy import Anatomy, Vertebra
from .canvas import WORLD, Array, Canvas, Coords, Patch, capsule, ellipsoid, length
from .discs import FAR_SLIP_MM
from .envelope import Section

ROOTS_LEAVE_BELOW = ("T11", "T12", "L1", "L2", "L3", "L4", "L5", "S1", "S2")


def paint_canal(canvas: Canvas, anatomy: Anatomy) -> None:
    """Paint canal and foramina; discs and bones come later and cut into it."""
    fat = _beside(canvas, anatomy, 13.5)
    for patch in fat.chunks() if fat is not None else ():
        x, y, z = patch.coords(WORLD)
        shape = (length(x / 13.5, (y - anatomy.wall(z) - 11.0) / 12.5) - 1.0) * 12.5
        patch.paint(patch.cover(shape), t.EPIDURAL_FAT, grain=0.06)
    if fat is None:
        return
    _foramina(canvas, anatomy)
    sac = _beside(canvas, anatomy, float(anatomy.sac.half_width.max()))
    for patch in sac.chunks() if sac is not None else ():
        _sac(patch, anatomy, patch.coords(WORLD))
    _exiting_roots(canvas, anatomy)


def _beside(canvas: Canvas, anatomy: Anatomy, half_width: float) -> Patch | None:
    """Return the part around the canal that holds what is so wide; an outline wanders by less than 4 mm."""
    low = (-half_width - 4.0, float(anatomy.wall_y.min()) - 4.0, float(anatomy.wall_z[0]))
    return canvas.box(WORLD, low, (half_width + 4.0, float(anatomy.wall_y.max()) + 28.0, float(anatomy.wall_z[-1])))


def sac_distance(anatomy: Anatomy, at: Coords) -> Array:
    """Signed distance to the dural sac, in world coordinates."""
    return _sac_edge(anatomy.sac.section(at))


def _sac_edge(cut: Section) -> Array:
    ring = length(cut.beside / cut.half_width, cut.behind / (cut.half_depth * cut.slant))
    return np.asarray((ring - 1.0) * np.minimum(cut.half_depth, cut.half_width))


def _sac(patch: Patch, anatomy: Anatomy, at: Coords) -> None:
    cut = anatomy.sac.section(at)
    distance = _sac_edge(cut)
    soft = patch.spread(distance) if anatomy.truth.slip_mm > FAR_SLIP_MM else None
    patch.paint(patch.cover(distance - 0.5, soft), t.SCAR)
    inside = patch.cover(distance + 0.1, soft)
    patch.paint(inside, t.CSF, grain=0.02)
    thick = np.clip((at[2] - anatomy.conus_z) / 26.0, 0.0, 1.0) ** 0.7
    cord = (length(cut.beside / 4.8, (cut.behind - 0.6) / 3.6) - thick) * 3.6 + np.where(
        thick <= 0, np.float32(0.4), np.float32(0.0)
    )
    patch.paint(patch.cover(cord) * inside * (thick > 0), t.CORD)
    patch.paint(patch.cover(_strands(anatomy, cut, at[2])) * inside * 0.75, t.ROOT)


def _strands(anatomy: Anatomy, cut: Section, z: Array) -> Array:
    """Distance to the nearest of the cauda equina's roots, each running from the conus to its foramen."""
    nearest: Array = np.full((1, 1, 1), 50.0**2, dtype=np.float32)
    start = anatomy.conus_z + 12.0
    depth = cut.half_depth * cut.slant
    rng = np.random.default_rng(anatomy.seed + 1)
    for name in ROOTS_LEAVE_BELOW[2:]:
        end = float(anatomy.vertebrae[name].frame.origin[2])
        if end > start - 15.0:
            continue
        share = np.clip((z - end) / (start - end), 0.0, 1.0)
        low = np.where((z < end) | (z > start), np.float32(20.0**2), np.float32(0.0))
        for side in (-1.0, 1.0):
            spread, sag = float(rng.uniform(-0.10, 0.10)), float(rng.uniform(-0.12, 0.12))
            across = side * cut.half_width * (0.80 - 0.62 * share**0.6 + spread * share)
            deep = depth * (0.62 - 0.75 * (1.0 - share) ** 4 + sag - 0.35 * share**3)
            nearest = np.minimum(nearest, ((cut.beside - across) ** 2 + low) + (cut.behind - deep) ** 2)
    return np.asarray(np.sqrt(nearest) - np.float32(0.55))


def _foramina(canvas: Canvas, anatomy: Anatomy) -> None:
    """Fat between the pedicles, open towards the psoas."""
    for name in ROOTS_LEAVE_BELOW[:-2]:
        bone = anatomy.vertebrae[name]
        half = bone.height / 2
        for side in (-1, 1):
            centre = (side * (bone.pedicle + 3.0), 4.5, -half - 1.0)
            radii = (12.0, 9.5, half + 2.0)
            patch = canvas.box(bone.frame, *_around(centre, radii))
            if patch is not None:
                patch.paint(
                    patch.cover(ellipsoid(patch.coords(bone.frame), centre, radii), 1.6), t.EPIDURAL_FAT, grain=0.05
                )


def _around(centre: tuple[float, float, float], radii: tuple[float, float, float]) -> tuple[
    tuple[float, float, float], tuple[float, float, float]
]:  # fmt: skip
    low, high = ([c + sign * r for c, r in zip(centre, radii, strict=True)] for sign in (-1.0, 1.0))
    return (low[0], low[1], low[2]), (high[0], high[1], high[2])


def root_path(bone: Vertebra, side: int) -> list[tuple[float, float, float]]:
    """Way of the root that leaves below a vertebra, in its frame."""
    half = bone.height / 2
    if bone.name.startswith("S"):
        return [(side * 8.0, 6.0, half + 14.0), (side * 10.0, 5.5, 3.0), (side * 13.0, 3.0, -half)]
    out = bone.pedicle
    return [
        (side * 0.52 * out, 7.0, 0.35 * half),
        (side * (out - 2.0), 4.8, -0.53 * half),
        (side * (out + 5.0), 3.6, -0.84 * half),
        (side * (out + 15.0), -4.0, -1.5 * half),
    ]


def root_distance(at: Coords, path: list[tuple[float, float, float]], radii: tuple[float, ...]) -> Array:
    """Signed distance to a root given as a chain of rods."""
    found: Array | None = None
    for start, end, radius in zip(path, path[1:], radii, strict=False):
        part = capsule(at, start, end, radius)
        found = part if found is None else np.minimum(found, part)
    if found is None:
        raise ValueError("a root needs at least two points")
    return found


def _exiting_roots(canvas: Canvas, anatomy: Anatomy) -> None:
    for name in ROOTS_LEAVE_BELOW:
        bone = anatomy.vertebrae[name]
        for side in (-1, 1):
            path = root_path(bone, side)
            low = tuple(min(p[i] for p in path) - 4.0 for i in range(3))
            high = tuple(max(p[i] for p in path) + 4.0 for i in range(3))
            patch = canvas.box(bone.frame, (low[0], low[1], low[2]), (high[0], high[1], high[2]))
            if patch is None:
                continue
            distance = root_distance(patch.coords(bone.frame), path, (1.7, 2.7, 2.2))
            patch.paint(patch.cover(distance), t.GANGLION)
