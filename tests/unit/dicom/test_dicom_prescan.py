"""Hostile structures are refused with a sentence, before a parser sees them; good files pass."""

from __future__ import annotations

import struct
import time
import tracemalloc
import zlib
from pathlib import Path

import pydicom
import pytest

from annotation.dicom.prescan import Limits, prescan
from annotation.dicom.refusal import Refused
from tests.unit.dicom.dicom_files import (
    DEFLATED,
    IMPLICIT,
    ITEM_END,
    SEQUENCE_END,
    UNDEFINED,
    element,
    file_bytes,
    item_head,
    mr,
    raw_file,
)

TEST_FILES = Path(pydicom.__file__).parent / "data" / "test_files"
# Files of pydicom's own that are meant to be broken, or are of no syntax that is read.
BROKEN = {
    "MR_truncated.dcm": "truncated",
    "rtplan_truncated.dcm": "truncated",
    "meta_missing_tsyntax.dcm": "transfer_syntax",
    "DICOMDIR-nooffset": "length",
    "DICOMDIR-bigEnd": "big_endian",
}
PIXEL = 0x7FE0


def good_files() -> list[Path]:
    found = [path for path in sorted(TEST_FILES.rglob("*")) if path.is_file() and path.name not in BROKEN]
    return [path for path in found if path.read_bytes()[128:132] == b"DICM"]


def refusal(data: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(Refused) as caught:
        prescan(data, limits)
    assert caught.value.sentence.endswith(".")
    assert len(caught.value.sentence) > 20
    return caught.value.code


def test_all_good_little_endian_files_pass() -> None:
    codes = set()
    passed = 0
    for path in good_files():
        try:
            prescan(path.read_bytes())
            passed += 1
        except Refused as refused:
            codes.add(refused.code)
    assert codes == {"big_endian"}
    assert passed > 120


@pytest.mark.parametrize(("name", "code"), sorted(BROKEN.items()))
def test_broken_files_are_refused(name: str, code: str) -> None:
    (path,) = TEST_FILES.rglob(name)
    assert refusal(path.read_bytes()) == code


def test_scan_finds_data_set_and_pixels() -> None:
    dataset = mr()
    for syntax in ("1.2.840.10008.1.2.1", IMPLICIT, DEFLATED):
        scan = prescan(file_bytes(dataset, syntax))
        assert scan.pixels is not None
        assert scan.data[slice(*scan.pixels)] == dataset.PixelData
        assert scan.tags == tuple(int(tag) for tag in sorted(dataset.keys()) if tag != 0x7FE00010)
        assert scan.implicit == (syntax == IMPLICIT)


def test_bytes_behind_the_pixels_are_not_read() -> None:
    data = file_bytes(mr())
    scan = prescan(data)
    for tail in (b"\0" * 1000, b"PK\x03\x04 a whole archive", b"\xff" * 77):
        longer = prescan(data + tail)
        assert (longer.pixels, longer.end, longer.tags) == (scan.pixels, scan.end, scan.tags)


def test_other_files() -> None:
    assert refusal(b"") == "not_dicom"
    assert refusal(b"GIF89a" + b"\0" * 500) == "not_dicom"
    assert refusal(b"\0" * 128 + b"DICM") == "transfer_syntax"
    assert refusal(raw_file(b"", "1.2.840.10008.1.2.2")) == "big_endian"
    assert refusal(raw_file(b"", "1.2.840.10008.1.2.4.100")) == "transfer_syntax"
    assert refusal(raw_file(b"", "1.2.3.4")) == "transfer_syntax"
    assert refusal(b"\0" * 128 + b"DICM" + element(2, 0x10, "UI", b"1.2", length=60000)) == "length"
    assert refusal(file_bytes(mr()), Limits(file_bytes=1000)) == "file_too_large"


def test_every_truncation_of_a_file_is_refused() -> None:
    data = file_bytes(mr(SourceImageSequence=[mr_reference()]))
    for length in range(132, len(data), 7):
        try:
            scan = prescan(data[:length])
        except Refused:
            continue
        assert scan.pixels is None  # cut exactly between two elements: no image, so refused later


def mr_reference() -> pydicom.Dataset:
    reference = pydicom.Dataset()
    reference.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    reference.ReferencedSOPInstanceUID = "1.2.3.4.5.6.2"
    return reference


def test_lengths_that_lie() -> None:
    for vr in ("UN", "OB", "UT"):
        for length in (1 << 31, UNDEFINED - 1):
            assert refusal(raw_file(element(0x11, 0x1010, vr, b"abcd", length=length))) == "truncated"
    inner = element(8, 0x1155, "UI", b"1.2.3.4 ", length=500)
    nested = element(8, 0x1140, "SQ", item_head(len(inner)) + inner)
    assert refusal(raw_file(nested + b"\0" * 600)) == "length"
    too_long_item = element(8, 0x1140, "SQ", item_head(5000) + b"\0" * 8)
    assert refusal(raw_file(too_long_item + b"x" * 6000)) == "length"
    assert refusal(raw_file(element(0x10, 0x10, "PN", b"", length=UNDEFINED & 0xFFFF))) == "truncated"
    assert refusal(raw_file(element(0x10, 0x10, "UT", b"x" * 20, length=UNDEFINED))) == "length"
    assert refusal(raw_file(element(8, 0x60, "CS", b"MR") + element(0x10, 0x10, "99", b"x" * 20))) == "vr"


def test_deep_nesting() -> None:
    undefined = (element(8, 0x1140, "SQ", b"", length=UNDEFINED) + item_head(UNDEFINED)) * 900
    undefined += (ITEM_END + SEQUENCE_END) * 900
    assert refusal(raw_file(undefined)) == "too_deep"
    defined = b""
    for _ in range(900):
        defined = element(8, 0x1140, "SQ", item_head(len(defined)) + defined)
    assert refusal(raw_file(defined)) == "too_deep"
    unknown = element(8, 0x1140, "UN", b"", length=UNDEFINED) + item_head(UNDEFINED)
    unknown += struct.pack("<HHL", 8, 0x1140, UNDEFINED) + item_head(UNDEFINED)
    assert refusal(raw_file(unknown * 900)) in ("too_deep", "delimiter", "vr")
    shallow = defined
    for _ in range(3):
        shallow = element(8, 0x1140, "SQ", item_head(0))
    prescan(raw_file(shallow))


def test_too_many_of_something_is_refused_quickly() -> None:
    started = time.process_time()
    items = element(8, 0x1140, "SQ", item_head(0) * 200_000)
    assert refusal(raw_file(items)) == "too_many_items"
    many = b"".join(struct.pack("<HH2sH", 0x11, n % 65536, b"CS", 0) for n in range(200_000))
    assert refusal(raw_file(many)) == "too_many_elements"
    assert time.process_time() - started < 3


def test_delimiters_and_fragments() -> None:
    assert refusal(raw_file(ITEM_END)) == "delimiter"
    assert refusal(raw_file(SEQUENCE_END * 1000)) == "delimiter"
    assert refusal(raw_file(element(8, 0x1140, "SQ", b"", length=UNDEFINED) + item_head(0))) == "delimiter"
    assert refusal(raw_file(element(8, 0x1140, "SQ", b"not items, but text."))) == "delimiter"
    jpeg_ls = "1.2.840.10008.1.2.4.80"
    start = element(PIXEL, 0x10, "OB", b"", length=UNDEFINED)
    assert refusal(raw_file(start + item_head(0) + item_head(1 << 31) + b"ab" + SEQUENCE_END, jpeg_ls)) == "length"
    assert refusal(raw_file(start + item_head(0) + item_head(2) + b"ab", jpeg_ls)) == "delimiter"
    assert refusal(raw_file(start + item_head(0) + item_head(UNDEFINED) + SEQUENCE_END, jpeg_ls)) == "fragments"
    assert refusal(raw_file(start + b"x" * 40, jpeg_ls)) == "fragments"
    assert refusal(raw_file(start + item_head(0) + SEQUENCE_END)) == "length"  # native syntax
    fine = prescan(raw_file(start + item_head(0) + item_head(2) + b"ab" + SEQUENCE_END, jpeg_ls))
    assert fine.encapsulated
    assert fine.pixels is not None
    assert fine.data[slice(*fine.pixels)] == item_head(0) + item_head(2) + b"ab"


def test_implicit_items_in_unknown_values_are_tolerated() -> None:
    inner = struct.pack("<HHL", 8, 0x1155, 4) + b"1.2\0"
    value = item_head(len(inner)) + inner + SEQUENCE_END
    scan = prescan(raw_file(element(8, 0x1140, "UN", value, length=UNDEFINED)))
    assert scan.items == 1


def test_deflate_bomb_is_inflated_only_up_to_the_budget() -> None:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = deflater.compress(element(8, 0x60, "CS", b"MR") + element(0x11, 0x1010, "OB", b"\0" * (64 << 20)))
    body += deflater.flush()
    assert len(body) < 200_000
    tracemalloc.start()
    assert refusal(raw_file(body, DEFLATED), Limits(inflated_bytes=1 << 20)) == "inflated_too_large"
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()
    assert refusal(raw_file(body[:-300], DEFLATED)) == "truncated"
    assert refusal(raw_file(b"\xff" * 100, DEFLATED)) == "deflate"
