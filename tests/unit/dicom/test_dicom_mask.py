"""A rectangle goes black, everything else stays bit by bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from annotation.dicom import Taken, codec, mask, part10, take
from annotation.dicom.take import digest_of
from tests.unit.dicom.dicom_files import KEY, ct, file_bytes, mr, picture, put_pixels

BOX = (3, 5, 12, 40)


def taken(array: NDArray[Any], *, signed: bool = False, stored: int = 12, **changes: Any) -> Taken:
    return take(file_bytes(put_pixels(mr(**changes), array, stored=stored, signed=signed)), key=KEY)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int16])
def test_the_rectangle_is_black_and_the_rest_is_untouched(kind: Any, photometric: str) -> None:
    array = (picture() // 8).astype(kind) - (kind(90) if kind is np.int16 else kind(0))
    bits = 8 if kind is np.uint8 else 12
    found = taken(array, signed=kind is np.int16, stored=bits, PhotometricInterpretation=photometric)
    masked = codec.stored_array(mask.masked_frame(found.frames[0], found.header, BOX), found.header)
    assert masked.dtype == array.dtype
    inside = np.zeros(array.shape, bool)
    inside[3:12, 5:40] = True
    assert set(masked[inside]) == {array.max() if photometric == "MONOCHROME1" else array.min()}
    assert np.array_equal(masked[~inside], array[~inside])


@pytest.mark.parametrize("box", [(-1, 0, 5, 5), (0, 0, 33, 5), (0, 0, 5, 41), (5, 5, 5, 9), (9, 5, 5, 9)])
def test_rectangles_outside_are_refused(box: mask.Rectangle) -> None:
    found = take(file_bytes(ct()), key=KEY)
    with pytest.raises(mask.WrongRectangle, match="32 rows and 40 columns") as wrong:
        mask.masked_frame(found.frames[0], found.header, box)
    assert wrong.value.sentence.endswith(".")
    whole = mask.blank(picture(), (0, 0, 32, 40), value=7)
    assert set(whole.ravel()) == {7}


def test_the_header_says_so_once() -> None:
    found = take(file_bytes(ct()), key=KEY)
    header = mask.masked_header(mask.masked_header(found.header))
    assert header["00280301"]["Value"] == ["NO"]
    assert [code["00080100"]["Value"][0] for code in header["00120064"]["Value"]] == ["113100", "113107", "113101"]
    assert len(found.header["00120064"]["Value"]) == 2  # the given one is not changed
    assert digest_of(found.header, found.frames) == found.digest != digest_of(header, found.frames)
    assert part10(header, found.frames)[128:132] == b"DICM"
