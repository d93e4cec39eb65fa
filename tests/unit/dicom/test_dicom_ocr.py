"""Tesseract as a second net: it finds text, says only that it did, and leaves clean slices alone."""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydicom.data import get_testdata_file
from pydicom.pixels.processing import apply_color_lut

from annotation import phantom
from annotation.dicom import ocr
from annotation.dicom.pixels import automatic_window

# In CI its absence is a failure, not a reason to skip.
needs_tesseract = pytest.mark.skipif(
    not ocr.available() and os.environ.get("CI") != "true", reason="tesseract is not installed"
)
CLEAN = ("CT_small.dcm", "MR_small.dcm", "examples_overlay.dcm", "MR-SIEMENS-DICOM-WithOverlays.dcm", "MR2_UNCI.dcm",
         "693_UNCI.dcm", "eCT_Supplemental.dcm")  # fmt: skip
PHANTOM = ("SAG_T1/3", "SAG_T1/7", "SAG_T2/3", "SAG_T2/7", "SAG_STIR/3", "SAG_STIR/7", "AX_T2/0", "AX_T2/2",
           "CT_PRE/4", "CT_PRE/12", "CT_POST/9", "CT_POST/16")  # fmt: skip
TIMEOUT_S = 60  # machines of tests are busy


@cache
def clean(name: str) -> NDArray[Any]:
    """A real slice, or one of the phantom such as ``SAG_T2/5``."""
    if "/" in name:
        role, number = name.split("/")
        return np.asarray(person().get(role).pixels[int(number)])
    dataset = pydicom.dcmread(str(get_testdata_file(name, download=False)))
    array = dataset.pixel_array
    if "PALETTE" in dataset.PhotometricInterpretation:
        array = apply_color_lut(array, dataset)
    array = array.mean(axis=-1).astype(np.uint16) if array.shape[-1] == 3 else array
    return np.asarray(array if array.ndim == 2 else array[0])


@cache
def person() -> phantom.Phantom:
    return phantom.build(phantom.draw(np.random.default_rng(1)), seed=1)


def written(array: NDArray[Any], *, size: int, corner: str, tone: str) -> NDArray[Any]:
    """Two lines of text in a corner: bright, dark, or dark in a bright bar."""
    font = ImageFont.truetype("DejaVuSans.ttf", size)
    mask = Image.new("1", (array.shape[1], array.shape[0]))
    draw = ImageDraw.Draw(mask)
    _, _, wide, tall = (int(n) for n in draw.textbbox((0, 0), "MUELLER ANNA\n04.07.1961", font=font))
    x, y = (8, 8) if corner == "upper left" else (array.shape[1] - wide - 8, array.shape[0] - tall - 8)
    draw.text((x, y), "MUELLER ANNA\n04.07.1961", font=font, fill=1)
    letters, out = np.asarray(mask), array.copy()
    low, high = int(array.min()), int(array.max())
    box = (slice(y - 4, y + tall + 5), slice(x - 6, x + wide + 7))
    if tone == "bar":
        out[box] = high
    elif tone == "dark":
        out[box] = out[box] // 2 + (low + high) // 2
    out[letters] = high if tone == "bright" else low
    return out


def read(array: NDArray[Any], **more: Any) -> bool:
    return ocr.reads_text(array, window=automatic_window([array]), timeout_s=TIMEOUT_S, **more)


@needs_tesseract
@pytest.mark.parametrize("tone", ["bright", "dark", "bar"])
@pytest.mark.parametrize("corner", ["upper left", "lower right"])
@pytest.mark.parametrize(
    ("name", "size"), [("693_UNCI.dcm", 10), ("MR2_UNCI.dcm", 24), ("CT_PRE/5", 12), ("SAG_T2/6", 32)]
)  # fmt: skip
def test_text_is_found(name: str, size: int, corner: str, tone: str) -> None:
    assert read(written(clean(name), size=size, corner=corner, tone=tone))


@needs_tesseract
@pytest.mark.parametrize("name", [*CLEAN, *PHANTOM])
def test_clean_slices_are_left_alone(name: str) -> None:
    assert not read(clean(name))


@needs_tesseract
def test_real_text_of_other_modalities_is_found() -> None:
    assert read(clean("US1_UNCI.dcm"))
    ultrasound = clean("gdcm-US-ALOKA-16.dcm")
    assert read(ultrasound)
    bar = np.ascontiguousarray(ultrasound[:60])  # hospital and date, black on white
    assert read(bar)
    assert read(int(bar.max()) - bar, inverted=True)


@needs_tesseract
def test_the_picture_lies_only_in_the_given_folder_and_not_for_long(tmp_path: Path) -> None:
    before = tempfile.tempdir
    assert read(written(clean("693_UNCI.dcm"), size=20, corner="upper left", tone="bright"), folder=tmp_path)
    assert tempfile.tempdir == before
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError):  # so this is where it would have lain
        read(clean("CT_small.dcm"), folder=tmp_path / "absent")


@needs_tesseract
def test_slowness_is_an_error_with_a_sentence() -> None:
    with pytest.raises(ocr.Unreadable) as slow:
        ocr.reads_text(clean("MR2_UNCI.dcm"), window=(1000, 500), timeout_s=0.01)
    assert slow.value.sentence.endswith(".")
    assert not ocr.reads_text(np.zeros((64, 64), np.uint16), window=(100, 50), timeout_s=TIMEOUT_S)


def test_absence_is_an_error_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert not ocr.available()
    with pytest.raises(ocr.Unreadable) as absent:
        ocr.reads_text(np.eye(64, dtype=np.uint16), window=(100, 50))
    assert "installed" in absent.value.sentence
