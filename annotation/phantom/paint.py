"""The order in which one person is painted on a canvas."""

from __future__ import annotations

import numpy as np

from .anatomy import Anatomy
from .arches import paint_arches
from .canal import paint_canal
from .canvas import Canvas
from .column import paint_bodies
from .discs import paint_discs
from .foramen import paint_foramina
from .recess import paint_bulges, paint_recesses
from .soft import paint_cysts, paint_soft_oedema
from .surroundings import paint_surroundings


def paint_person(canvas: Canvas, anatomy: Anatomy, *, ct: bool = False) -> None:
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
    paint_bulges(canvas, anatomy)
    paint_foramina(canvas, anatomy)
    paint_bodies(canvas, anatomy)
    paint_recesses(canvas, anatomy)
    paint_arches(canvas, anatomy)
    if not ct:
        paint_cysts(canvas, anatomy)
