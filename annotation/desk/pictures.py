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
class Part:
    """One sheet of a series that has more slices than a sheet shows; slices count from 1, both ends inside."""

    number: int
    parts: int
    first: int
    last: int


def part_of(slices: int, number: int) -> Part:
    """Give the part of this number, or the nearest there is."""
    parts = max(1, math.ceil(slices / MOST_ON_A_SHEET))
    number = min(max(number, 1), parts)
    return Part(number, parts, (number - 1) * MOST_ON_A_SHEET + 1, min(number * MOST_ON_A_SHEET, slices))


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
    """Give a mark that changes when the pictures of a series do; empty while it is held, for nobody keeps those.

    What is held may be masked or excluded next, and a browser's store on disk knows nothing of that.
    """
    one = _visible(person, code, series_id)
    if one.held_reason:
        return ""
    text = f"{one.pk}:{one.frame_count}:{len(one.masks)}:{one.parameters.get('automatic_window')}"
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def sheet_picture(person: Person, code: str, series_id: int, *, every: bool = False, part: int = 1) -> bytes:
    """Draw first, middle and last slice side by side, or every slice in rows: the `part` of them a sheet holds."""
    one = _visible(person, code, series_id)
    last = one.frame_count - 1
    shown = part_of(one.frame_count, part)
    if shown.number != part:
        raise NotYours
    slices = _slices(one, range(shown.first - 1, shown.last) if every else dict.fromkeys((0, last // 2, last)))
    (middle,) = _slices(one, [one.frame_count // 2])  # one window for all parts
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
    (middle,) = _slices(one, [(one.frame_count - 1) // 2])
    brightest = middle.array  # a rectangle is drawn in its pixels
    for begin in range(0, one.frame_count, MOST_ON_A_SHEET):
        for each in _slices(one, range(begin, min(begin + MOST_ON_A_SHEET, one.frame_count))):
            brightest = np.maximum(brightest, _stretched(each.array, brightest.shape))
    return _png(_equalised(brightest, inverted=False))


def _stretched(array: Array, size: tuple[int, ...]) -> Array:
    """Lay a slice of another size over the whole picture, so that none is left out."""
    if array.shape == size:
        return array
    rows, columns = (np.arange(new) * old // new for new, old in zip(size, array.shape, strict=True))
    stretched: Array = array[np.ix_(rows, columns)]
    return stretched


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
