"""Windows, thumbnails, and text in pictures."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from pydicom import Dataset

from annotation.dicom import Quarantined, TakeRules, frame_metadata, take
from annotation.dicom.pixels import (
    automatic_window,
    contact_sheet,
    header_window,
    looks_written_on,
    rescale_of,
    thumbnail,
)
from tests.unit.dicom.dicom_files import KEY, ct, enhanced_ct, file_bytes, mr, picture, put_pixels


def test_automatic_window_covers_the_whole_series() -> None:
    rng = np.random.default_rng(2)
    frames = [rng.integers(low, low + 500, (40, 50)).astype(np.uint16) for low in (0, 200, 900)]
    width, level = automatic_window(frames)
    low, high = np.percentile(np.stack(frames), [1, 99], method="inverted_cdf")
    assert (level - width / 2, level + width / 2) == pytest.approx((low, high))
    signed = [frame.astype(np.int16) - 700 for frame in frames]
    assert automatic_window(signed) == pytest.approx((width, level - 700))


def test_automatic_window_in_rescaled_values() -> None:
    frames = [picture(seed=n) for n in range(2)]
    plain = np.stack([frames[0] * 2.0 + 5, frames[1] * 3.0])
    width, level = automatic_window(frames, rescale=[(2.0, 5.0), (3.0, 0.0)])
    low, high = np.percentile(plain, [1, 99], method="inverted_cdf")
    assert (level - width / 2, level + width / 2) == pytest.approx((low, high))


def test_automatic_window_of_nothing() -> None:
    assert automatic_window([np.zeros((4, 4), np.uint16)])[0] == 1
    with pytest.raises(ValueError, match="frame"):
        automatic_window([])


def test_header_window_and_rescale() -> None:
    header = take(file_bytes(mr()), key=KEY).header
    assert header_window(header, 1) == (1200, 600)
    assert rescale_of(header, 1) == (1.0, 0.0)
    assert header_window(take(file_bytes(mr(WindowWidth="0", WindowCenter="0")), key=KEY).header, 1) is None
    scaled = take(file_bytes(mr(RescaleSlope="3.5", RescaleIntercept="-2")), key=KEY).header
    assert rescale_of(scaled, 1) == (3.5, -2)


@pytest.mark.parametrize("make", [ct, enhanced_ct], ids=["classic", "enhanced"])
def test_a_viewer_hears_of_a_rescale_only_what_the_header_says(make: Callable[[], Dataset]) -> None:
    tags = ("00281052", "00281053", "00281054")

    def told(dataset: Dataset) -> list[Any]:
        header = take(file_bytes(dataset), key=KEY).header
        said = frame_metadata(header, 1, uid="1", series_uid="1", study_uid="1", frame_of_reference_uid=None)
        return [said[tag]["Value"][0] if tag in said else None for tag in tags]

    given = make()
    groups = given.get("PerFrameFunctionalGroupsSequence")
    home = groups[0].PixelValueTransformationSequence[0] if groups else given
    home.RescaleType = "HU"
    assert told(given) == [-1024, 1, "HU"]
    home.RescaleType = "US"
    assert told(given) == [-1024, 1, "US"], "no Hounsfield units"
    home.RescaleSlope = "0"
    assert told(given) == [None, None, None], "no scale at all"
    del home.RescaleSlope
    assert told(given) == [None, None, None], "half a scale is none"


def read(png: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(png)))


def test_thumbnail_is_windowed_and_has_the_proportions_of_the_body() -> None:
    frame = np.zeros((100, 100), np.uint16)
    frame[:, 50:] = 1000
    png = thumbnail(frame, window=(400, 600), size=64)
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert b"tEXt" not in png
    drawn = read(png)
    assert drawn.shape == (64, 64)
    assert (drawn[10, 10], drawn[10, 60]) == (0, 255)
    assert read(thumbnail(frame, window=(400, 600), inverted=True))[10, 10] == 255
    assert read(thumbnail(frame, window=(400, 600), size=64, spacing_rc_mm=(2.0, 1.0))).shape == (64, 32)
    middle = read(thumbnail(np.full((8, 8), 300), window=(1000, 600), rescale=(2.0, 0.0)))
    assert abs(int(middle[4, 4]) - 128) <= 1
    assert read(thumbnail(np.arange(300).reshape(1, 300), window=(300, 150))).shape[1] == 128


def test_contact_sheet_has_slices_side_by_side_on_black() -> None:
    bright, dark = np.full((100, 100), 1000), np.zeros((100, 100), np.uint16)
    png = contact_sheet([bright, dark, bright, bright], window=(400, 600), size=64)
    assert b"tEXt" not in png
    drawn = read(png)
    assert drawn.shape == (128, 192)
    assert [int(drawn[row, column]) for row, column in ((9, 9), (9, 90), (9, 150), (90, 9), (90, 90))] == [
        255, 0, 255, 255, 0,
    ]  # fmt: skip
    body = read(contact_sheet([bright] * 2, window=(400, 600), size=64, spacing_rc_mm=(2.0, 1.0)))
    assert body.shape == (64, 64)
    inverted = read(contact_sheet([bright], window=(400, 600), size=64, inverted=True))
    assert inverted.shape == (64, 64)
    assert inverted.max() == 0
    mixed = read(contact_sheet([bright, np.full((50, 100), 1000)], window=(400, 600), size=64))
    assert [int(mixed[row, 100]) for row in (5, 32, 60)] == [0, 255, 0]
    each = read(contact_sheet([bright, bright], window=(400, 600), size=8, rescale=[(1.0, 0.0), (0.0, 0.0)]))
    assert (each[4, 4], each[4, 12]) == (255, 0)
    many = contact_sheet([picture(seed=n) for n in range(7)], window=(1200, 600), size=96, columns=5)
    assert read(many).shape == (2 * 77, 5 * 96)
    for frames, rescale in (([], (1.0, 0.0)), ([bright], [(1.0, 0.0)] * 2)):
        with pytest.raises(ValueError, match=r"frame|zip"):
            contact_sheet(frames, window=(400, 600), rescale=rescale)


def written(at: int, *, on: int | None = None) -> NDArray[np.uint16]:
    """A picture with text at the given row; dark on a bright bar if ``on`` is the bar's height."""
    array = picture(256, 256) // 3
    mask = Image.new("1", (256, 256))
    ImageDraw.Draw(mask).text((10, at), "MUELLER ANNA 04.07.1961 SPITAL", fill=1)
    text = np.asarray(mask)
    if on:
        array[at : at + on] = 4095
        array[text] = 0
    else:
        array[text] = 4095
        array[0, 0] = 0
    return array


@pytest.mark.parametrize("array", [written(4), written(238), written(4, on=14), written(240, on=14)])
def test_text_at_the_edge_is_seen(array: NDArray[np.uint16]) -> None:
    assert looks_written_on(array)
    data = file_bytes(put_pixels(mr(), array))
    with pytest.raises(Quarantined) as held:
        take(data, key=KEY)
    assert held.value.code == "text"
    assert take(data, key=KEY, rules=TakeRules(released=frozenset({"text"}))).frames


def test_ordinary_pictures_are_not_text() -> None:
    assert not looks_written_on(picture(256, 256))
    assert not looks_written_on(np.zeros((64, 64), np.uint16))
    bright = picture(256, 256)
    bright[:20, 60:200] = 4095  # saturated skin under a coil
    assert not looks_written_on(bright)
    needle = picture(256, 256)
    needle[:, 128] = 4095
    assert not looks_written_on(needle)
