"""Pixels come through bit by bit, and codestreams that lie are refused before a decoder sees them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import imagecodecs
import jpeg_ls
import numpy as np
import pytest
from numpy.typing import NDArray

from annotation.dicom import Refused, Taken, TakeRules, codec, take
from tests.unit.dicom.dicom_files import KEY, compressed, ct, file_bytes, mr, picture, put_pixels

JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"
JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
JPEG_LS = "1.2.840.10008.1.2.4.80"
JPEG_2000 = "1.2.840.10008.1.2.4.90"
HTJ2K = "1.2.840.10008.1.2.4.201"
RLE = "1.2.840.10008.1.2.5"


def signed_picture() -> NDArray[np.int16]:
    return np.asarray(picture().astype(np.int16) - 1000)


def rle(array: NDArray[Any]) -> bytes:
    """One RLE frame of literal runs (PS3.5 annex G), most significant byte first."""
    planes = [array.view(np.uint8)[..., n :: array.itemsize].tobytes() for n in reversed(range(array.itemsize))]
    segments = []
    for plane in planes:
        runs = b"".join(bytes([len(plane[n : n + 128]) - 1]) + plane[n : n + 128] for n in range(0, len(plane), 128))
        segments.append(runs + b"\0" * (len(runs) % 2))
    offsets = [64 + sum(map(len, segments[:n])) for n in range(len(segments))]
    head = struct.pack("<16L", len(segments), *offsets, *[0] * (15 - len(offsets)))
    return head + b"".join(segments)


def stored(found: Taken, number: int = 0) -> NDArray[Any]:
    return codec.stored_array(found.frames[number], found.header)


CODERS: dict[str, Callable[[NDArray[Any]], bytes]] = {
    JPEG_LOSSLESS: lambda a: bytes(imagecodecs.ljpeg_encode(a.view(np.uint16))),
    JPEG_LS: lambda a: bytes(jpeg_ls.encode_array(a.view(np.uint16))),
    JPEG_2000: lambda a: bytes(imagecodecs.jpeg2k_encode(a, reversible=True, level=0, codecformat="j2k")),
    HTJ2K: lambda a: bytes(imagecodecs.htj2k_encode(a, reversible=True)),
    RLE: rle,
}


@pytest.mark.parametrize("syntax", sorted(CODERS))
@pytest.mark.parametrize("signed", [False, True])
def test_every_syntax_comes_through_bit_by_bit(syntax: str, signed: bool) -> None:
    array = signed_picture() if signed else picture()
    dataset = put_pixels(mr(), array, stored=16, signed=signed)
    found = take(file_bytes(compressed(dataset, CODERS[syntax](array)), syntax), key=KEY)
    assert np.array_equal(stored(found), array)
    assert stored(found).dtype == array.dtype


@pytest.mark.parametrize("syntax", [JPEG_EXTENDED, JPEG_BASELINE])
def test_lossy_syntaxes_are_read_and_marked(syntax: str) -> None:
    bits = 12 if syntax == JPEG_EXTENDED else 8
    array = picture() if bits == 12 else (picture() // 16).astype(np.uint8)
    dataset = put_pixels(mr(), array, stored=bits)
    coded = bytes(imagecodecs.jpeg8_encode(array, level=100, bitspersample=bits))
    found = take(file_bytes(compressed(dataset, coded), syntax), key=KEY)
    assert np.abs(stored(found).astype(int) - array).max() <= 4
    assert found.header["00282110"]["Value"] == ["01"]
    assert "00282110" not in take(file_bytes(mr()), key=KEY).header


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_native_pixels_and_what_the_header_says_of_them(bits: int, signed: bool) -> None:
    array: NDArray[Any] = signed_picture() if signed else picture()
    if bits <= 10:
        array = array // 16
    if bits == 8:
        array = array.astype(np.int8 if signed else np.uint8)
    found = take(file_bytes(put_pixels(mr(), array, stored=bits, signed=signed)), key=KEY)
    assert np.array_equal(stored(found), array)
    described = [found.header[tag]["Value"][0] for tag in ("00280100", "00280101", "00280102", "00280103")]
    kept = 8 if bits == 8 and not signed else 16  # whole samples, as the coder takes them
    assert described == [8 if kept == 8 else 16, kept, kept - 1, int(signed)]


def test_signed_pixels_without_extended_sign() -> None:
    """Twelve bits in two's complement with the upper four clear, as some scanners write them."""
    array = signed_picture()
    bare = array.view(np.uint16) & 0x0FFF
    dataset = put_pixels(mr(), bare, stored=12, signed=True)
    assert np.array_equal(stored(take(file_bytes(dataset), key=KEY)), array)


def test_pixels_in_the_upper_bits() -> None:
    dataset = put_pixels(mr(), picture() << 4)
    dataset.HighBit = 15
    assert np.array_equal(stored(take(file_bytes(dataset), key=KEY)), picture())


def test_frames_of_several() -> None:
    arrays = np.stack([picture(seed=n) for n in range(4)])
    dataset = put_pixels(mr(SOPClassUID="1.2.840.10008.5.1.4.1.1.4.1"), arrays)
    for data in (
        file_bytes(dataset),
        file_bytes(compressed(dataset, *[bytes(jpeg_ls.encode_array(a)) for a in arrays]), JPEG_LS),
    ):
        found = take(data, key=KEY)
        assert all(np.array_equal(stored(found, n), arrays[n]) for n in range(4))
        assert len(found.planes) == 4


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (3, 3), (2, 300)])
def test_tiny_and_noisy_images_are_stored(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 65536, shape).astype(np.uint16)
    coded = codec.encode(noise, codec.Stored(16, 16, False))
    assert np.array_equal(codec.decode_stored(coded), noise)


def test_markers_and_tails_of_codestreams_are_not_kept() -> None:
    coded = bytes(jpeg_ls.encode_array(picture()))
    coded = coded[:2] + b"\xff\xfe\x00\x0cZephyrinus" + coded[2:] + b"Zephyrinus"
    found = take(file_bytes(compressed(mr(), coded), JPEG_LS), key=KEY)
    assert b"Zephyrinus" not in found.frames[0]
    assert np.array_equal(stored(found), picture())


def lying(syntax: str, rows: int, columns: int) -> bytes:
    """A codestream whose header declares another size than its data has."""
    coded = bytearray(CODERS[syntax](picture()))
    if syntax in (JPEG_2000, HTJ2K):
        at = coded.find(b"\xff\x51")
        struct.pack_into(">LL", coded, at + 6, columns, rows)
        struct.pack_into(">LL", coded, at + 22, columns, rows)  # one tile
    else:
        at = next(n for n in range(2, 200) if coded[n] == 0xFF and coded[n + 1] in (0xC3, 0xF7))
        struct.pack_into(">HH", coded, at + 5, rows, columns)
    return bytes(coded)


@pytest.mark.parametrize("syntax", [JPEG_LOSSLESS, JPEG_LS, JPEG_2000, HTJ2K])
@pytest.mark.parametrize("size", [(65000, 65000), (32, 41), (31, 40), (1, 1)])
def test_codestreams_that_lie_about_their_size_are_refused_before_decoding(
    syntax: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("the decoder was called")

    for name in ("ljpeg_decode", "jpegls_decode", "jpeg2k_decode", "htj2k_decode", "jpeg8_decode"):
        monkeypatch.setattr(imagecodecs, name, never)
    with pytest.raises(Refused) as refused:
        take(file_bytes(compressed(mr(), lying(syntax, *size)), syntax), key=KEY)
    assert refused.value.code == "dimensions"


def test_many_tiles_are_refused() -> None:
    coded = bytearray(CODERS[JPEG_2000](picture()))
    struct.pack_into(">LL", coded, coded.find(b"\xff\x51") + 22, 1, 1)  # tiles of one pixel
    big = put_pixels(mr(), picture(100, 100), stored=12)
    struct.pack_into(">LL", coded, coded.find(b"\xff\x51") + 6, 100, 100)
    with pytest.raises(Refused) as refused:
        take(file_bytes(compressed(big, bytes(coded)), JPEG_2000), key=KEY)
    assert refused.value.code == "codestream"


@pytest.mark.parametrize("syntax", sorted(CODERS))
def test_damaged_codestreams_never_crash_or_pass_unseen(syntax: str) -> None:
    """Random damage gives a refusal or an image of the right size, never another exception."""
    good = CODERS[syntax](picture())
    rng = np.random.default_rng(5)
    for _ in range(12):
        bad = bytearray(good)
        for place in rng.integers(0, len(bad), 6):
            bad[place] = int(rng.integers(0, 256))
        try:
            found = take(file_bytes(compressed(put_pixels(mr(), picture(), stored=16), bytes(bad)), syntax), key=KEY)
        except Refused:
            continue
        assert stored(found).shape == (32, 40)


@pytest.mark.parametrize(
    ("coded", "code"),
    [
        (b"not an image at all, but text. ", "codestream"),
        (b"\xff\xd8\xff\xd9", "codestream"),
        (bytes(jpeg_ls.encode_array(picture()))[:-400], "codestream"),
        (bytes(jpeg_ls.encode_array(picture()))[:-400] + b"\xff\xd9", "decode"),
        (CODERS[JPEG_2000](picture())[:-400], "codestream"),
        (CODERS[HTJ2K](picture())[:-400] + b"\xff\xd9", "decode"),
    ],
)
def test_broken_codestreams(coded: bytes, code: str) -> None:
    syntax = JPEG_LS if coded[:2] != b"\xff\x4f" else HTJ2K
    with pytest.raises(Refused) as refused:
        take(file_bytes(compressed(mr(), coded), syntax), key=KEY)
    assert refused.value.code == code
    assert refused.value.sentence.endswith(".")


def test_rle_that_does_not_hold_together() -> None:
    good = rle(picture())
    many = struct.pack("<L", 15) + good[4:]
    outside = good[:8] + struct.pack("<L", 1 << 30) + good[12:]
    short = good[: len(good) // 2]
    for bad in (many, outside, short, good[:40]):
        with pytest.raises(Refused):
            take(file_bytes(compressed(mr(), bad), RLE), key=KEY)


def test_fewer_frames_than_said() -> None:
    dataset = mr(SOPClassUID="1.2.840.10008.5.1.4.1.1.4.1")
    dataset.NumberOfFrames = 3
    coded = bytes(jpeg_ls.encode_array(picture()))
    with pytest.raises(Refused):
        take(file_bytes(compressed(dataset, coded, coded), JPEG_LS), key=KEY)


def test_native_pixels_in_a_compressed_syntax_and_the_reverse() -> None:
    native = file_bytes(ct())
    coded = file_bytes(compressed(ct(), bytes(jpeg_ls.encode_array(picture()))), JPEG_LS)
    for data, says, lies in (
        (native, b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0"),
        (coded, b"1.2.840.10008.1.2.4.80", b"1.2.840.10008.1.2.1\0\0\0"),
    ):
        assert data.count(says) == 1
        with pytest.raises(Refused):
            take(data.replace(says, lies), key=KEY)


def test_of_so_many_frames_one_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    really = codec.encode

    def noted(array: Any, form: Any, *, check: bool = True) -> bytes:
        asked.append(check)
        return really(array, form, check=check)

    monkeypatch.setattr(codec, "encode", noted)
    arrays = np.stack([picture(seed=n) for n in range(32)])
    data = file_bytes(put_pixels(mr(SOPClassUID="1.2.840.10008.5.1.4.1.1.4.1"), arrays))
    take(data, key=KEY, rules=TakeRules(check_every=16))
    assert (len(asked), sum(asked)) == (32, 2)
    asked.clear()
    take(data, key=KEY)
    assert all(asked)


def test_a_coder_that_errs_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    coded = codec.encode(picture(seed=1), codec.Stored(16, 16, False))
    monkeypatch.setattr(imagecodecs, "jpegls_encode", lambda array: coded)
    with pytest.raises(Refused, match="without loss") as refused:
        take(file_bytes(put_pixels(mr(), picture(seed=2))), key=KEY)
    assert refused.value.code == "not_lossless"
