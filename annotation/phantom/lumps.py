"""Smooth noise fixed to a place in the patient: how outlines, cortex and contrast vary without any pattern."""

from __future__ import annotations

import numpy as np

from .canvas import Array, Patch


def lumps(patch: Patch, seed: int, scale_mm: float, terms: int = 12) -> Array:
    """Noise of zero mean and unit variance over a patch.

    Every term is a product of three waves, one a canvas axis: a product of matrices, instead of a sine a voxel.
    The axes are taken as those of the patient they are nearest to, so that series of one person have nearly the same
    lumps.

    Parameters
    ----------
    patch
        Where it is wanted.
    seed
        The same seed gives the same noise at the same place.
    scale_mm
        About the distance over which it changes.
    terms
        Waves that are added; more are nearer to Gaussian noise.
    """
    rng = np.random.default_rng(seed)
    pace = rng.standard_normal((3, terms)) / scale_mm
    phase = rng.uniform(0.0, 2.0 * np.pi, (3, terms))
    canvas = patch.canvas
    waves = []
    for direction, step, part in zip(canvas.directions, canvas.steps, patch.window, strict=True):
        axis = int(np.argmax(np.abs(direction)))
        along = float(canvas.origin @ direction) + np.arange(part.start, part.stop) * step
        along = along * float(np.sign(direction[axis]))
        waves.append(np.cos(pace[axis][:, None] * along + phase[axis][:, None]).astype(np.float32))
    first, second, third = waves
    pairs = (first[:, :, None] * second[:, None, :]).reshape(terms, -1) * np.float32((8.0 / terms) ** 0.5)
    # not by BLAS: its sums differ from one kind of processor to the next
    summed = np.einsum("ti,tk->ik", pairs, third)
    return np.asarray(summed.reshape(first.shape[1], second.shape[1], third.shape[1]))
