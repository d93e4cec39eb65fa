"""The picture behind an exhibit, for a printed panel: values and geometry, nothing that names patient, file or case."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from annotation import store
from annotation.access import readable
from annotation.dicom import codec, pixels
from annotation.dicom.geometry import Plane, lps_to_pixel
from annotation.handover.exhibits import Exhibit, exhibits
from annotation.handover.frozen import StillReading
from annotation.models import Instance, Series

LETTERS = (("L", "R"), ("P", "A"), ("H", "F"))  # where each axis of the patient points to, and its opposite


class Picture(NamedTuple):
    """One slice of a locked reading that counts.

    `values` are modality values (HU in CT); `window` is width and level as the reader left them, else the header's or
    the series' own. `letters` stand left, right, at the top and at the bottom. `sampled_mm` is the distance of rows and
    of columns, `centre` the middle of the part that the reader looked at: column and row, where it was kept.
    """

    values: NDArray[np.float32]
    sampled_mm: tuple[float, float]
    window: tuple[float, float]
    inverted: bool
    letters: tuple[str, str, str, str]
    centre: tuple[float, float] | None


def picture(key: int, exhibit: Exhibit) -> Picture:
    """Decode the picture of an exhibit.

    Raises
    ------
    StillReading
        While readings are open; or where the image is no exhibit of this study, is held back, or has no geometry.
    """
    series = Series.objects.filter(readable(), case__patient__study=key, role=exhibit.role)
    own = Instance.objects.filter(series__in=series, series__case__patient__pseudonym=exhibit.case)
    if exhibit not in exhibits(key, case=exhibit.case):
        raise StillReading("This image is no exhibit of a locked reading.")
    for instance in own.select_related("series").order_by("pk"):
        for frame, kept in enumerate(instance.frames, start=1):
            if kept["digest"] == exhibit.digest and kept["plane"]:
                return _decoded(instance, frame, exhibit)
    raise StillReading("This image is held back, or nothing is known of its geometry.")


def _decoded(instance: Instance, frame: int, exhibit: Exhibit) -> Picture:
    header, kept = instance.header, instance.frames[frame - 1]
    plane = Plane.from_json(kept["plane"])
    slope, intercept = pixels.rescale_of(header, frame)
    stored = codec.stored_array(store.get(kept["digest"]), header)
    automatic = instance.series.parameters.get("automatic_window")
    given = (exhibit.window["width"], exhibit.window["level"]) if exhibit.window else None
    window = given or pixels.header_window(header, frame) or (automatic and tuple(automatic)) or (1.0, 0.5)
    right, bottom = _letters(plane.row_lps), _letters(plane.column_lps)
    return Picture(
        np.asarray(stored, dtype=np.float32) * np.float32(slope) + np.float32(intercept),
        plane.spacing_rc_mm,
        (float(window[0]), float(window[1])),
        bool(header.get("00280004", {}).get("Value") == ["MONOCHROME1"]),
        (right[1], right[0], bottom[1], bottom[0]),
        _middle(plane, exhibit),
    )


def _middle(plane: Plane, exhibit: Exhibit) -> tuple[float, float] | None:
    if not exhibit.field:
        return None
    row, column = lps_to_pixel(plane, exhibit.field["centre_lps_mm"])
    return float(column), float(row)


def _letters(direction: tuple[float, float, float]) -> tuple[str, str]:
    """Name where a direction points to, and its opposite, by its greatest part."""
    axis = int(np.argmax(np.abs(direction)))
    one, other = LETTERS[axis]
    return (one, other) if direction[axis] > 0 else (other, one)
