"""Cancellous bone on CT: a fine mesh, struts that run up and down, denser towards the endplates."""

from __future__ import annotations

import numpy as np

from .anatomy import Anatomy, Vertebra
from .canvas import Array, Canvas
from .receive import blurred

MESH_HU = 78.0
SKEW = 0.28
ENDPLATE_HU = 130.0
STRUT_MM = 3.5
"""How far a strut goes on from layer to layer."""
BESIDE_MM = 0.6


def paint_trabeculae(canvas: Canvas, anatomy: Anatomy, rng: np.random.Generator, *, layers: int = 1) -> None:
    """Give the marrow of every bone on a CT its mesh; cortex and soft tissue stay as they are.

    So many ``layers`` as a slice is made of share one mesh: averaged, nobody could tell.
    """
    if canvas.bone is None:
        return
    rows, columns = (np.flatnonzero(canvas.bone.max(axis=axes)) for axes in ((0, 2), (0, 1)))
    if not len(rows):
        return
    window = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    for name in ("L3", "L4", "L5", "S1"):
        _dense_ends(canvas, anatomy.vertebrae[name])
    keep = float(np.exp(-layers * canvas.steps[0] / STRUT_MM))
    # the mesh is as fine in millimetres whatever the pixel: neighbours share what lies within a trabecula
    share = float(np.clip(0.5 * (BESIDE_MM / canvas.steps[1] - 0.5), 0.05, 0.30))
    size = window[0].stop - window[0].start, window[1].stop - window[1].start
    state = mesh = np.zeros(size, dtype=np.float32)
    for layer, (image, bone) in enumerate(zip(canvas.image[0], canvas.bone, strict=True)):
        if layer % layers == 0:
            fresh = rng.standard_normal(size, dtype=np.float32)
            state = state * np.float32(keep) + fresh * np.float32((1.0 - keep * keep) ** 0.5) if layer else fresh
            mesh = _mesh(state, share)
        image[window] += mesh * _marrow(image[window], bone[window])


def _mesh(noise: Array, share: float) -> Array:
    """HU of a mesh: struts are few and bright, the spaces between them wide and dark."""
    mesh = blurred(noise, share)
    mesh *= np.float32(1.0 / max(float(mesh.std()), 1e-6))
    mesh += np.float32(SKEW) * (mesh * mesh - np.float32(1.0))
    mesh *= np.float32(MESH_HU)
    return mesh


def _marrow(hu: Array, bone: Array) -> Array:
    """How much of each voxel is cancellous bone, by its density within what is marked as bone."""
    within = np.clip((hu - 20.0) * np.float32(1 / 80.0), 0.0, 1.0)
    within *= np.clip((700.0 - hu) * np.float32(1 / 350.0), 0.0, 1.0)
    within *= bone
    return np.asarray(within)


def _dense_ends(canvas: Canvas, bone: Vertebra) -> None:
    """Cancellous bone under the endplates carries more and is denser."""
    half = bone.height / 2 + 3.0
    patch = canvas.box(bone.frame, (-bone.half_width, -36.0, -half), (bone.half_width, -1.0, half))
    if patch is None or canvas.bone is None:
        return
    end = np.clip((np.abs(patch.coords(bone.frame)[2]) - 0.45 * half) / (0.55 * half), 0.0, 1.0)
    image = canvas.image[0][patch.window]
    image += end * end * _marrow(image, canvas.bone[patch.window]) * np.float32(ENDPLATE_HU)
