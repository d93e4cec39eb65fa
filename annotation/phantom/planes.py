"""Where the slices of each series lie, as a technologist plans them, in the frame of reference of the MR."""

from __future__ import annotations

import numpy as np

from .anatomy import Anatomy, Vertebra
from .canvas import SlicePlane, Vector
from .session import Plan, Size

AXIAL_DISCS = (("L4", "L3"), ("L5", "L4"), ("S1", "L5"))


def plane(centre: Vector, row: Vector, column: Vector, matrix: int, spacing: float) -> SlicePlane:
    """Return the square slice with that middle."""
    corner = centre - (matrix - 1) / 2 * spacing * (row + column)
    values = [tuple(float(round(v, 6)) for v in vector) for vector in (corner, row, column)]
    one, two, three = ((v[0], v[1], v[2]) for v in values)
    return SlicePlane(one, two, three, (spacing, spacing), matrix, matrix)


def moved(slices: SlicePlane, offset: Vector) -> SlicePlane:
    """Return the same slice somewhere else."""
    x, y, z = (float(round(a + b, 6)) for a, b in zip(slices.position_lps_mm, offset, strict=True))
    return SlicePlane((x, y, z), slices.row_lps, slices.column_lps, slices.spacing_rc_mm, slices.rows, slices.columns)


def _height(anatomy: Anatomy) -> float:
    """Middle between the upper endplates of S2 and T12."""
    low, high = anatomy.vertebrae["S2"].upper_p[1], anatomy.vertebrae["T12"].upper_p[1]
    return float(low + high) / 2


def _front(anatomy: Anatomy) -> float:
    return float(anatomy.wall(np.zeros((1, 1, 1), dtype=np.float32))[0, 0, 0])


def sagittal_planes(anatomy: Anatomy, plan: Plan, size: Size) -> list[SlicePlane]:
    """Slices from the patient's right to the left; the middle one lies on the midline of the lytic vertebra."""
    matrix, spacing, count, step, _ = size.sagittal
    row = np.array([np.sin(plan.tilt), np.cos(plan.tilt), 0.0])
    column = np.array([0.0, 0.0, -1.0])
    left = np.array([np.cos(plan.tilt), -np.sin(plan.tilt), 0.0])
    pivot = np.array([plan.middle_x, float(anatomy.lytic.lower_p[0]), 0.0])
    centre = pivot + np.array([0.0, 0.0, _height(anatomy) - 4.0])
    centre = centre + row * (14.0 - (pivot[1] - _front(anatomy)))
    return [plane(centre + left * step * (i - count // 2), row, column, matrix, spacing) for i in range(count)]


def disc_planes(below: Vertebra, above: Vertebra, size: Size) -> list[SlicePlane]:
    """Return a block of slices parallel to a disc, from below upwards."""
    matrix, spacing, count, step, _ = size.axial
    one = (below.upper_a - below.upper_p) / np.hypot(*(below.upper_a - below.upper_p))
    two = (above.lower_a - above.lower_p) / np.hypot(*(above.lower_a - above.lower_p))
    forward = (one + two) / np.hypot(*(one + two))
    middle = (below.upper_p + below.upper_a + above.lower_p + above.lower_a) / 4
    row, column = np.array([1.0, 0.0, 0.0]), np.array([0.0, -forward[0], -forward[1]])
    normal = np.cross(row, column)
    centre = np.array([(below.x + above.x) / 2, *middle]) + column * 20.0
    return [
        plane(centre + normal * step * (i - (count - 1) / 2 + 0.25), row, column, matrix, spacing) for i in range(count)
    ]


def localiser_planes(anatomy: Anatomy, size: Size) -> list[list[SlicePlane]]:
    """Sagittal, coronal and axial slices through the middle of the column, 15 mm apart, along their own normals."""
    matrix, spacing, count = size.localiser
    x, y, z = np.eye(3)
    centre = np.array([0.0, _front(anatomy), _height(anatomy)])
    return [
        [
            plane(centre + np.cross(row, column) * 15.0 * (i - count // 2), row, column, matrix, spacing)
            for i in range(count)
        ]
        for row, column in ((y, -z), (x, -z), (x, y))
    ]


def ct_planes(anatomy: Anatomy, plan: Plan, size: Size, thick_mm: int) -> list[SlicePlane]:
    """Axial slices of a thickness around the defects, along their normal, in MR coordinates.

    Prone, so the back is up in the picture.
    """
    matrix, spacing, count = size.ct.matrix, size.ct.spacing_mm, size.ct.layers // thick_mm
    middle = np.mean([defect.frame.origin for defect in anatomy.defects], axis=0)
    # head first prone shows the patient's left on the left of the picture; feet first prone the right
    across = -1.0 if plan.vendor == "north" else 1.0
    row, column = np.array([across, 0.0, 0.0]), np.array([0.0, -1.0, 0.0])
    reach = matrix * spacing / 2
    back = float(np.interp(middle[2], anatomy.wall_z, anatomy.back_y))
    centre = np.array([float(middle[0]), min(back + 14.0 - reach, float(middle[1]) + 12.0), float(middle[2])])
    away = np.cross(row, column) * thick_mm
    return [plane(centre + away * (i - (count - 1) / 2), row, column, matrix, spacing) for i in range(count)]


def scout_planes(anatomy: Anatomy, plan: Plan) -> list[SlicePlane]:
    """Parallel sagittal sheets through the whole body; their sum is the lateral scout, seen as each maker shows it."""
    matrix, spacing, sheets, apart = 128, 2.75, 21, 15.0
    _, y, z = np.eye(3)
    # one maker lays the patient along the rows, head to the left; the other stands the picture up
    row, column = (-z, -y) if plan.vendor == "north" else (-y, -z)
    centre = np.array([0.0, _front(anatomy), _height(anatomy) - 20.0])
    away = np.cross(row, column) * apart
    return [plane(centre + away * (i - sheets // 2), row, column, matrix, spacing) for i in range(sheets)]
