"""Pictures of stored slices for the coordinator's eyes: contact sheets, single slices, all slices laid over another."""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from annotation import store
from annotation.access import NotYours, study_for
from annotation.desk.gate import series_of
from annotation.dicom import codec, pixels
from annotation.dicom.geometry import Plane
from annotation.models import Instance, Role, Series
from annotation.people import Person

STRIP_PX, ALL_PX, MOST_COLUMNS = 192, 1080, 6
MOST_ON_A_SHEET = 240
Array = NDArray[Any]


@dataclass(frozen=True)
class Slice:
    """One stored frame of a series at its place in the order of slices."""

    instance: Instance
    frame: int

    @property
    def array(self) -> Array:
        return codec.stored_array(store.get(self.instance.frames[self.frame - 1]["digest"]), self.instance.header)

    @property
    def rescale(self) -> tuple[float, float]:
        return pixels.rescale_of(self.instance.header, self.frame)

    @property
    def spacing(self) -> tuple[float, float] | None:
        plane = self.instance.frames[self.frame - 1]["plane"]
        return Plane.from_json(plane).spacing_rc_mm if plane else None

    @property
    def inverted(self) -> bool:
        return bool(self.instance.header.get("00280004", {}).get("Value") == ["MONOCHROME1"])


def picture_tag(person: Person, code: str, series_id: int) -> str:
    """Give a mark that changes when the pictures of a series do; an excluded series has none."""
    one = _visible(person, code, series_id)
    text = f"{one.pk}:{one.frame_count}:{len(one.masks)}:{one.parameters.get('automatic_window')}"
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def sheet_picture(person: Person, code: str, series_id: int, *, every: bool = False) -> bytes:
    """Draw first, middle and last slice side by side, or every slice in rows."""
    one = _visible(person, code, series_id)
    last = one.frame_count - 1
    chosen = range(min(one.frame_count, MOST_ON_A_SHEET)) if every else dict.fromkeys((0, last // 2, last))
    slices = _slices(one, chosen)
    middle = slices[len(slices) // 2]
    columns = min(MOST_COLUMNS, math.isqrt(len(slices) - 1) + 1)
    return pixels.contact_sheet(
        [each.array for each in slices],
        window=_window(one, middle),
        rescale=[each.rescale for each in slices],
        spacing_rc_mm=middle.spacing,
        inverted=middle.inverted,
        size=ALL_PX // columns if every else STRIP_PX,
        columns=columns if every else 3,
    )


def slice_picture(person: Person, code: str, series_id: int, number: int, *, equalised: bool = False) -> bytes:
    """Draw one slice pixel by pixel; `equalised` spreads every grey that occurs, so that faint text shows."""
    one = _visible(person, code, series_id)
    if not 1 <= number <= one.frame_count:
        raise NotYours
    (only,) = _slices(one, [number - 1])
    if equalised:
        return _png(_equalised(only.array, inverted=only.inverted))
    grey = pixels.grey(only.array, window=_window(one, only), rescale=only.rescale, inverted=only.inverted)
    return _png(grey)


def overlay_picture(person: Person, code: str, series_id: int) -> bytes:
    """Lay all slices over one another, the brightest on top: text burned into any of them stands out."""
    one = _visible(person, code, series_id)
    slices = _slices(one, range(min(one.frame_count, MOST_ON_A_SHEET)))
    size = slices[0].array.shape
    arrays = [each.array for each in slices]
    return _png(_equalised(np.maximum.reduce([array for array in arrays if array.shape == size]), inverted=False))


def _visible(person: Person, code: str, series_id: int) -> Series:
    one = series_of(study_for(person, code, Role.COORDINATOR), series_id)
    if one.excluded_reason or not one.parameters.get("order"):
        raise NotYours
    return one


def _slices(one: Series, places: Iterable[int]) -> Sequence[Slice]:
    """Find slices by their places in the order; one query, whatever their number."""
    named = [one.parameters["order"][place] for place in places]
    wanted = {sop_uid for sop_uid, _ in named}
    found = {i.sop_uid: i for i in Instance.objects.filter(series=one, sop_uid__in=wanted)}
    return [Slice(found[sop_uid], frame) for sop_uid, frame in named]


def _window(one: Series, shown: Slice) -> pixels.Window:
    automatic = one.parameters.get("automatic_window")
    if header := pixels.header_window(shown.instance.header, shown.frame):
        return header
    if automatic:
        return float(automatic[0]), float(automatic[1])
    return pixels.automatic_window([shown.array], rescale=[shown.rescale])


def _equalised(array: Array, *, inverted: bool) -> NDArray[np.uint8]:
    """Give each grey the share of pixels that are darker; greys that lie together in the window come apart."""
    _, places, counts = np.unique(array, return_inverse=True, return_counts=True)
    share = (np.cumsum(counts) - counts) / max(1, array.size - counts[-1])
    grey: NDArray[np.uint8] = np.rint(255 * share).astype(np.uint8)[places].reshape(array.shape)
    return 255 - grey if inverted else grey


def _png(grey: NDArray[np.uint8]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(grey).save(out, "PNG", compress_level=1)
    return out.getvalue()
