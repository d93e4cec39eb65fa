"""Every transfer syntax, kind of object, sign and greyscale: stored frames decode to the source pixels, bit by bit."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import jpeg_ls
import numpy as np
import openjpeg.utils
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.data import get_testdata_file
from pydicom.encaps import generate_frames

from annotation.dicom import Taken, codec, part10, take
from tests.unit.dicom.dicom_files import (
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    KEY,
    compressed,
    ct,
    enhanced_ct,
    enhanced_mr,
    file_bytes,
    mr,
    picture,
    put_pixels,
)
from tests.unit.dicom.test_dicom_codec import rle

Coder = Callable[[NDArray[Any]], bytes]
NATIVE = {"implicit": IMPLICIT, "explicit": EXPLICIT, "deflated": DEFLATED}


def bare(array: NDArray[Any]) -> NDArray[Any]:
    """The 16 bits of a value, for codestreams that know no sign."""
    return array.view(np.uint16)


def lossless(predictor: int) -> Coder:
    return lambda a: bytes(
        imagecodecs.jpeg8_encode(bare(a), lossless=True, predictor=predictor, bitspersample=16)
    )  # fmt: skip


def jpeg_2000(array: NDArray[Any]) -> bytes:
    return bytes(imagecodecs.jpeg2k_encode(array, reversible=True, level=0, codecformat="j2k"))


def htj2k(array: NDArray[Any]) -> bytes:
    return bytes(imagecodecs.htj2k_encode(array, reversible=True))


LOSSLESS: dict[str, tuple[str, Coder]] = {
    "RLE": ("1.2.840.10008.1.2.5", rle),
    "JPEG lossless SV1": ("1.2.840.10008.1.2.4.70", lossless(1)),
    **{f"JPEG lossless P14, predictor {n}": ("1.2.840.10008.1.2.4.57", lossless(n)) for n in range(1, 8)},
    "JPEG-LS": ("1.2.840.10008.1.2.4.80", lambda a: bytes(jpeg_ls.encode_array(bare(a)))),
    "JPEG-LS, near-lossless syntax": ("1.2.840.10008.1.2.4.81", lambda a: bytes(jpeg_ls.encode_array(bare(a)))),
    "JPEG 2000 lossless": ("1.2.840.10008.1.2.4.90", jpeg_2000),
    "JPEG 2000": ("1.2.840.10008.1.2.4.91", jpeg_2000),
    "HTJ2K lossless": ("1.2.840.10008.1.2.4.201", htj2k),
    "HTJ2K lossless, by resolution": ("1.2.840.10008.1.2.4.202", htj2k),
    "HTJ2K": ("1.2.840.10008.1.2.4.203", htj2k),
}
KINDS = {"CT": (ct, 1), "MR": (mr, 1), "Enhanced CT": (enhanced_ct, 3), "Enhanced MR": (enhanced_mr, 3)}


def arrays(count: int, signed: bool) -> NDArray[Any]:
    stack = np.stack([picture(seed=n) for n in range(count)])
    return stack.astype(np.int16) - 1000 if signed else stack


def stored(found: Taken) -> NDArray[Any]:
    return np.stack([codec.stored_array(frame, found.header) for frame in found.frames])


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("name", sorted([*NATIVE, *LOSSLESS]))
def test_stored_frames_decode_to_the_source_pixels(name: str, kind: str, signed: bool, photometric: str) -> None:
    make, count = KINDS[kind]
    source = arrays(count, signed)
    dataset = make(PhotometricInterpretation=photometric)
    put_pixels(dataset, source if count > 1 else source[0], stored=16, signed=signed)
    if name in NATIVE:
        syntax = NATIVE[name]
    else:
        syntax, code = LOSSLESS[name]
        dataset = compressed(dataset, *map(code, source))
    found = take(file_bytes(dataset, syntax), key=KEY)
    assert np.array_equal(stored(found), source)
    assert stored(found).dtype == source.dtype
    assert found.header["00280004"]["Value"] == [photometric]
    assert len(found.planes) == len(found.frames) == count
    assert all(found.planes)
    again = pydicom.dcmread(io.BytesIO(part10(found.header, found.frames))).pixel_array  # another reader of our file
    assert np.array_equal(again.reshape(source.shape), source)


def test_fragments_of_one_frame_are_put_together() -> None:
    """One frame in several fragments, with and without an offset table."""
    source = picture()
    coded = LOSSLESS["JPEG-LS"][1](source)
    coded += b"\0" * (len(coded) % 2)
    cut = len(coded) // 4 * 2
    data = file_bytes(compressed(put_pixels(mr(), source), coded), "1.2.840.10008.1.2.4.80")
    head = b"\xfe\xff\x00\xe0"
    at = data.rindex(head + len(coded).to_bytes(4, "little"))
    parts = [head + len(part).to_bytes(4, "little") + part for part in (coded[:cut], coded[cut:])]
    split = data[:at] + b"".join(parts) + data[at + 8 + len(coded) :]
    assert np.array_equal(stored(take(split, key=KEY))[0], source)
    table = split.rindex(head + (4).to_bytes(4, "little"), 0, at)
    assert np.array_equal(stored(take(split[:table] + head + b"\0" * 4 + split[table + 12 :], key=KEY))[0], source)


# SHA-256 of the pixels of pydicom's JPEG-lossy.dcm (12 bits) as dcmdjpeg of dcmtk 3.6.7 decodes them.
DCMTK = "d30242775a414c01d616447854ebe3f2b20259822894bcd6891f879bcdcbf313"


def test_extended_jpeg_is_decoded_as_another_decoder_does() -> None:
    source = pydicom.dcmread(Path(str(get_testdata_file("JPEG-lossy.dcm", download=False))))
    coded = next(generate_frames(source.PixelData, number_of_frames=1))
    dataset = put_pixels(mr(), np.zeros((source.Rows, source.Columns), np.uint16))
    found = take(file_bytes(compressed(dataset, coded), "1.2.840.10008.1.2.4.51"), key=KEY)
    assert hashlib.sha256(stored(found)[0].astype("<u2").tobytes()).hexdigest() == DCMTK
    assert found.header["00282110"]["Value"] == ["01"]


def test_lossy_jpeg_2000_and_near_lossless_are_decoded_as_other_decoders_do() -> None:
    source = picture()
    wavelet = bytes(imagecodecs.jpeg2k_encode(source, reversible=False, level=80, codecformat="j2k"))
    near = bytes(jpeg_ls.encode_array(source, 2))
    for syntax, coded, expected in (
        ("1.2.840.10008.1.2.4.91", wavelet, openjpeg.utils.decode(wavelet)),
        ("1.2.840.10008.1.2.4.81", near, jpeg_ls.decode(np.frombuffer(near, np.uint8))),
    ):
        found = take(file_bytes(compressed(put_pixels(mr(), source, stored=16), coded), syntax), key=KEY)
        assert np.array_equal(stored(found)[0], expected)
        assert 0 < np.abs(stored(found)[0].astype(int) - source).max() < 40
