"""Hostile and broken files, one for each attack that has been seen to hurt a reader of DICOM, made by code.

`hostile` gives each with the code of the refusal it must end in, or `TAKEN` where it is harmless once de-identified.
The bytes are small; what they promise is not.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Callable
from typing import Any

import imagecodecs
import jpeg_ls
import numpy as np
from pydicom import config
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from tests.unit.dicom.dicom_files import (
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    ITEM_END,
    SEQUENCE_END,
    UNDEFINED,
    compressed,
    element,
    enhanced_ct,
    enhanced_mr,
    file_bytes,
    item,
    item_head,
    mr,
    picture,
    put_pixels,
    raw_file,
    sequence,
)

TAKEN = "taken"
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"
JPEG_LS = "1.2.840.10008.1.2.4.80"
JPEG_2000 = "1.2.840.10008.1.2.4.90"
HTJ2K = "1.2.840.10008.1.2.4.201"
RLE = "1.2.840.10008.1.2.5"
CHARACTER_SET = 0x00080005
Case = tuple[bytes, str]


def hostile() -> dict[str, Case]:
    """Every case: name -> (file, code of the refusal or `TAKEN`)."""
    families = (_other_files, _around, _deflated, _dimensions, _codestreams, _nesting, _counts, _lengths, _cut,
                _identifiers, _values, _syntaxes)  # fmt: skip
    cases: dict[str, Case] = {}
    before = config.settings.writing_validation_mode
    config.settings.writing_validation_mode = config.IGNORE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for family in families:
                for name, case in family().items():
                    assert name not in cases, name
                    cases[name] = case
    finally:
        config.settings.writing_validation_mode = before
    return cases


def _other_files() -> dict[str, Case]:
    return {
        "empty": (b"", "not_dicom"),
        "zeros": (b"\0" * 4096, "not_dicom"),
        "program": (b"MZ" + b"\0" * 4000, "not_dicom"),
        "page": (b"<html><script>alert(1)</script>" * 50, "not_dicom"),
        "mark without anything": (b"\0" * 128 + b"DICM", "transfer_syntax"),
        "mark and noise": (b"\0" * 128 + b"DICM" + np.random.default_rng(1).bytes(4000), "transfer_syntax"),
        "directory": (file_bytes(mr(SOPClassUID="1.2.840.10008.1.3.10")), "sop_class"),
        "no pixels": (_without(mr(), "PixelData"), "no_pixels"),
    }


def _without(dataset: Dataset, *keywords: str) -> bytes:
    for keyword in keywords:
        delattr(dataset, keyword)
    return file_bytes(dataset)


def _around() -> dict[str, Case]:
    heads = {
        "Windows program": b"MZ\x90\0" + b"\0" * 56 + b"\x80\0\0\0", "Linux program": b"\x7fELF\2\1\1",
        "script": b"#!/bin/sh\nrm -rf /\n", "page": b"<html><script>alert(1)</script>", "GIF": b"GIF89a\1\0\1\0",
        "TIFF": b"II*\0\x80\0\0\0", "PDF": b"%PDF-1.7\n",
    }  # fmt: skip
    cases = {f"{name} in the preamble": (file_bytes(mr(), preamble=head.ljust(128, b"\0")), TAKEN)
             for name, head in heads.items()}  # fmt: skip
    tails = {"archive": b"PK\3\4" + b"x" * 60, "elements": element(0, 0, "UL", b"abcd") * 50, "zeros": b"\0" * 70_000}
    return cases | {f"{name} behind the data set": (file_bytes(mr()) + tail, TAKEN) for name, tail in tails.items()}


def _zeros(mebibytes: int) -> bytes:
    """A deflate stream of so many MiB of zeros, made without deflating all of them."""
    coder = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = coder.compress(b"\0" * (16 << 20)) + coder.flush(zlib.Z_FULL_FLUSH)
    return block * (mebibytes // 16)


def _deflated() -> dict[str, Case]:
    start = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    head = element(8, 0x60, "CS", b"MR") + element(0x11, 0x1010, "OB", b"", length=(1 << 30) - 2)
    opened = start.compress(head) + start.flush(zlib.Z_FULL_FLUSH)
    bomb = opened + _zeros(1024) + b"\3\0"
    return {
        "deflated bomb of 1 GiB": (raw_file(bomb, DEFLATED), "inflated_too_large"),
        "deflated bomb without an end": (raw_file(opened + _zeros(1024), DEFLATED), "inflated_too_large"),
        "deflated and cut off": (raw_file(opened, DEFLATED), "truncated"),
        "deflated noise": (raw_file(b"\xff" * 400, DEFLATED), "deflate"),
    }


def _pixels(code: str, **changes: Any) -> Case:
    dataset = mr()
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    return file_bytes(dataset), code


def _dimensions() -> dict[str, Case]:
    volume = enhanced_mr()
    volume.NumberOfFrames = "10000000"
    tall = enhanced_ct(2)
    tall.Rows = tall.Columns = 8192
    tall.NumberOfFrames = 4000
    return {
        "65535 rows and columns": _pixels("too_large", Rows=65535, Columns=65535),
        "8192 rows and columns of nothing": _pixels("pixel_length", Rows=8192, Columns=8192),
        "no rows": _pixels("pixel_format", Rows=0),
        "2147483647 frames": _pixels("frames", NumberOfFrames="2147483647"),
        "10 million frames": (file_bytes(volume), "frames"),
        "4000 frames of 8192": (file_bytes(tall), "too_large"),
        "-5 frames": _pixels("frames", NumberOfFrames="-5"),
        "frames that are no number": (_value(0x00280008, "IS", b"1e99999"), "frames"),
        "0 bits": _pixels("pixel_format", BitsAllocated=0),
        "3 bits": _pixels("pixel_format", BitsAllocated=3),
        "65535 bits": _pixels("pixel_format", BitsAllocated=65535),
        "32 bits": _pixels("pixel_format", BitsAllocated=32),
        "more bits stored than there are": _pixels("pixel_format", BitsStored=16, HighBit=11),
        "65535 samples": _pixels("pixel_format", SamplesPerPixel=65535),
        "three samples": _pixels("pixel_format", SamplesPerPixel=3),
    }


def _sized(coded: bytes, rows: int, columns: int) -> bytes:
    """A codestream that declares another size than its data has."""
    out = bytearray(coded)
    at = out.find(b"\xff\x51")
    if out[:2] == b"\xff\x4f":
        struct.pack_into(">LL", out, at + 6, columns, rows)
        struct.pack_into(">LL", out, at + 22, columns, rows)
    else:
        at = next(n for n in range(2, 300) if out[n] == 0xFF and out[n + 1] in (0xC0, 0xC1, 0xC3, 0xF7))
        struct.pack_into(">HH", out, at + 5, rows, columns)
    return bytes(out)


def _coders() -> dict[str, tuple[str, bytes]]:
    array = picture()
    small = (array // 16).astype(np.uint8)
    return {
        "JPEG baseline": (JPEG_BASELINE, bytes(imagecodecs.jpeg8_encode(small, level=90, bitspersample=8))),
        "JPEG extended": (JPEG_EXTENDED, bytes(imagecodecs.jpeg8_encode(array, level=90, bitspersample=12))),
        "JPEG lossless": (JPEG_LOSSLESS, bytes(imagecodecs.ljpeg_encode(array))),
        "JPEG-LS": (JPEG_LS, bytes(jpeg_ls.encode_array(array))),
        "JPEG 2000": (JPEG_2000, bytes(imagecodecs.jpeg2k_encode(array, reversible=True, level=0, codecformat="j2k"))),
        "HTJ2K": (HTJ2K, bytes(imagecodecs.htj2k_encode(array, reversible=True))),
    }


def _coded(coded: bytes, syntax: str, **changes: Any) -> bytes:
    stored = 8 if syntax == JPEG_BASELINE else 12
    array = np.zeros((changes.pop("rows", 32), changes.pop("columns", 40)), np.uint8 if stored == 8 else np.uint16)
    return file_bytes(compressed(put_pixels(mr(**changes), array, stored=stored), coded), syntax)


def _codestreams() -> dict[str, Case]:
    cases: dict[str, Case] = {}
    for name, (syntax, coded) in _coders().items():
        cases[f"{name} that declares 65000 rows and columns"] = (
            _coded(_sized(coded, 65000, 65000), syntax),
            "dimensions",
        )
        cases[f"{name} that declares one row more"] = _coded(_sized(coded, 33, 40), syntax), "dimensions"
        cases[f"{name} cut off"] = _coded(coded[: len(coded) // 2], syntax), "codestream"
        cases[f"{name} that is text"] = _coded(b"not an image at all. " * 20, syntax), "codestream"
    coders = _coders()
    for name in ("JPEG-LS", "JPEG 2000", "JPEG lossless"):
        syntax, coded = coders[name]
        large = _coded(_sized(coded, 8192, 8192), syntax, rows=8192, columns=8192)
        cases[f"{name} of 8192 rows and columns with the data of 32"] = large.replace(b"\0" * 4096, b""), "decode"
    syntax, coded = coders["JPEG 2000"]
    tiles = bytearray(_sized(coded, 4096, 4096))
    struct.pack_into(">LL", tiles, tiles.find(b"\xff\x51") + 22, 1, 1)
    cases["JPEG 2000 in 16 million tiles"] = _coded(bytes(tiles), syntax, rows=4096, columns=4096), "codestream"
    cases["JPEG 2000 in precincts of one pixel"] = _precincts(coded), "codestream"
    cases["JPEG 2000 in 65535 layers"] = _layers(coded), "codestream"
    progressive = bytearray(coders["JPEG baseline"][1])
    progressive[progressive.find(b"\xff\xc0") + 1] = 0xC2
    cases["progressive JPEG"] = _coded(bytes(progressive), JPEG_BASELINE), "codestream"
    head = struct.pack("<16L", 2, 64, 70, *[0] * 13)
    cases["RLE that is too short"] = _coded(head + b"\x81\0" * 8, RLE), "decode"
    cases["RLE of 15 segments"] = _coded(struct.pack("<16L", 15, *range(64, 79)) + b"\0" * 40, RLE), "dimensions"
    cases["RLE that reaches outside"] = (
        _coded(struct.pack("<16L", 2, 64, 1 << 30, *[0] * 13) + b"\0" * 40, RLE),
        "fragments",
    )
    cases["RLE bomb"] = (
        _coded(struct.pack("<16L", 2, 64, 64 + (1 << 20), *[0] * 13) + b"\x81\0" * (1 << 20), RLE),
        "dimensions",
    )
    return cases


def _precincts(coded: bytes) -> bytes:
    """Coding style with precincts of one pixel in an image of 4096 rows: some twenty million of them."""
    out = bytearray(_sized(coded, 4096, 4096))
    at = out.find(b"\xff\x52")
    (length,) = struct.unpack_from(">H", out, at + 2)
    levels = out[at + 9]
    out[at + 4] |= 1
    struct.pack_into(">H", out, at + 2, length + levels + 1)
    out[at + 2 + length : at + 2 + length] = b"\0" * (levels + 1)
    return _coded(bytes(out), JPEG_2000, rows=4096, columns=4096)


def _layers(coded: bytes) -> bytes:
    out = bytearray(_sized(coded, 4096, 4096))
    struct.pack_into(">H", out, out.find(b"\xff\x52") + 6, 65535)
    return _coded(bytes(out), JPEG_2000, rows=4096, columns=4096)


def _in(body: bytes) -> bytes:
    """Hostile elements in front of an otherwise good file's data set."""
    good = file_bytes(mr())
    at = good.index(b"\x08\x00\x05\x00CS")
    return good[:at] + body + good[at:]


def _nesting() -> dict[str, Case]:
    undefined = (element(8, 1, "SQ", b"", length=UNDEFINED) + item_head(UNDEFINED)) * 900 + (
        ITEM_END + SEQUENCE_END
    ) * 900
    defined = b""
    for _ in range(900):
        defined = element(8, 1, "SQ", item_head(len(defined)) + defined)
    implicit = (struct.pack("<HHL", 8, 0x1140, UNDEFINED) + item_head(UNDEFINED)) * 900
    implicit += (ITEM_END + SEQUENCE_END) * 900
    unknown = element(8, 1, "UN", item_head(UNDEFINED) + implicit + ITEM_END + SEQUENCE_END, length=UNDEFINED)
    hidden = element(8, 0x1140, "UN", item_head(len(implicit)) + implicit)
    return {
        "900 sequences in each other, undefined length": (_in(undefined), "too_deep"),
        "900 sequences in each other, defined length": (_in(defined), "too_deep"),
        "900 sequences in each other, implicit": (_in(unknown), "too_deep"),
        "900 sequences in each other, inside an unknown value": (_in(hidden), TAKEN),
    }


def _counts() -> dict[str, Case]:
    many = b"".join(struct.pack("<HH2sH", 0x11, n, b"CS", 0) for n in range(1, 50_000)) * 4
    nested = element(0x11, 0x1010, "LO", b"ab") * 200_000
    return {
        "200 000 empty items": (_in(element(8, 1, "SQ", item_head(0) * 200_000)), "too_many_items"),
        "200 000 elements": (_in(many), "too_many_elements"),
        "200 000 elements in an item": (_in(element(8, 1, "SQ", item_head(len(nested)) + nested)), "too_many_elements"),
        "19 000 identifiers": (_in(element(8, 1, "SQ", item_head(0) * 19_000)), TAKEN),
        "100 000 stray delimiters": (_in(ITEM_END * 100_000), "delimiter"),
        "100 000 ends of sequences": (_in(SEQUENCE_END * 100_000), "delimiter"),
        "a million fragments": (_fragments(200_000), "too_many_items"),
    }


def _fragments(count: int) -> bytes:
    data = file_bytes(compressed(mr(), _coders()["JPEG-LS"][1]), JPEG_LS)
    at = data.rindex(struct.pack("<HH", 0x7FE0, 0x0010)) + 12
    return data[:at] + item_head(0) * count + SEQUENCE_END


def _lengths() -> dict[str, Case]:
    good = file_bytes(mr())
    at = good.index(struct.pack("<HH2s", 0x7FE0, 0x0010, b"OW")) + 8
    lies = {
        f"pixels that say {name}": (good[:at] + struct.pack("<L", size) + good[at + 4 :], code)
        for name, size, code in (("4 GiB", UNDEFINED - 1, "truncated"), ("2 GiB", 1 << 31, "truncated"),
                                 ("undefined length", UNDEFINED, "length"))
    }  # fmt: skip
    inner = element(8, 0x1155, "UI", b"1.2.3.4 ", length=500)
    coded = compressed(mr(), _coders()["JPEG-LS"][1])
    frames = file_bytes(coded, JPEG_LS)
    first = frames.rindex(struct.pack("<HH", 0x7FE0, 0x0010)) + 12 + 8 + 4  # behind an offset table of one frame
    return lies | {
        "a text of 4 GiB": (_in(element(8, 1, "UT", b"abcd", length=UNDEFINED - 1)), "truncated"),
        "a text of 2 GiB": (_in(element(8, 1, "UT", b"abcd", length=1 << 31)), "truncated"),
        "an element longer than its item": (_in(element(8, 1, "SQ", item_head(len(inner)) + inner)), "length"),
        "an item longer than its sequence": (_in(element(8, 1, "SQ", item_head(9999) + b"\0" * 8)), "length"),
        "an open sequence": (_in(element(8, 1, "SQ", b"", length=UNDEFINED) + item_head(0)), "delimiter"),
        "a fragment of 4 GiB": (frames[: first + 4] + struct.pack("<L", UNDEFINED - 1) + frames[first + 8 :], "length"),
        "a meta element longer than the file": (
            good[:132] + element(2, 0x102, "OB", b"", length=1 << 31) + good[132:],
            "length",
        ),
        "a group length that lies": (_in(element(8, 0, "UL", struct.pack("<L", 1 << 31))), TAKEN),
    }


def _cut() -> dict[str, Case]:
    good, frames = file_bytes(mr()), file_bytes(compressed(mr(), _coders()["JPEG-LS"][1]), JPEG_LS)
    name = good.index(b"Muster")
    icon = item(Rows=8, Columns=8, BitsAllocated=8, PhotometricInterpretation="MONOCHROME2", SamplesPerPixel=1)
    compressed(icon, b"\xff\xd8\xff\xd9")
    with_icon = compressed(mr(IconImageSequence=sequence(icon)), _coders()["JPEG-LS"][1])
    return {
        "cut off in the header": (good[: name + 3], "truncated"),
        "cut off in the meta information": (good[:150], "length"),
        "cut off in the pixels": (good[:-100], "truncated"),
        "cut off in a fragment": (frames[:-100], "length"),
        "cut off before the last delimiter": (frames[:-8], "delimiter"),
        "pixels shorter than they should be": _pixels("pixel_length", PixelData=b"\0" * 100),
        "an icon with compressed pixels": (file_bytes(with_icon, JPEG_LS), TAKEN),
    }


def _identifiers() -> dict[str, Case]:
    bad = {"a path": "../../../etc/passwd", "a line break": "1.2.3\n4.5", "66 digits": "1." + "2" * 64, "nothing": "",
           "an empty part": "1.2..3", "a dot at the end": "1.2.3.", "blanks": "1.2 3", "two values": "1.2\\3.4",
           "a letter of another script": "1.2.\u0663"}  # fmt: skip
    cases: dict[str, Case] = {}
    for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        tag = tag_for_keyword(keyword) or 0
        for name, value in bad.items():
            cases[f"{name} as {keyword}"] = _value(tag, "UI", value.encode() + b"\0" * (len(value) % 2)), "uid"
        cases[f"no {keyword}"] = _missing(tag), "uid"
    return cases


def _missing(tag: int) -> bytes:
    """A good file without one of its short elements."""
    data = file_bytes(mr())
    at = data.find(struct.pack("<HH", tag >> 16, tag & 0xFFFF), 132)
    if tag not in mr():
        return data
    return data[:at] + data[at + 8 + struct.unpack_from("<H", data, at + 6)[0] :]


def _value(tag: int, vr: str, value: bytes) -> bytes:
    """A file with an element whose bytes no writer would write."""
    data = _missing(tag)
    at = data.index(b"\x08\x00\x08\x00CS" if tag == CHARACTER_SET else b"\x08\x00\x05\x00CS")
    return data[:at] + element(tag >> 16, tag & 0xFFFF, vr, value + b" " * (len(value) % 2)) + data[at:]


def _values() -> dict[str, Case]:
    million = b"\\".join([b"1"] * 500_000)
    cases = {
        f"{name} in {where}": (_value(tag, "DS", value), TAKEN)
        for name, value in (("NaN", b"NaN"), ("1e400", b"1e400"), ("infinity", b"-inf"), ("10^20", b"1" + b"0" * 20),
                            ("10^30000", b"1" + b"0" * 30_001), ("a hexadecimal", b"0x10"))
        for where, tag in (("EchoTime", 0x00180081), ("WindowCenter", 0x00281050), ("SliceThickness", 0x00180050))
    }  # fmt: skip
    texts: dict[str, Callable[[], bytes]] = {
        "10^20 as InstanceNumber": lambda: _value(0x00200013, "IS", b"1" + b"0" * 20),
        "10^30000 as SeriesNumber": lambda: _value(0x00200011, "IS", b"1" + b"0" * 30_001),
        "NaN as binary number": lambda: _value(0x00189073, "FD", struct.pack("<d", float("nan"))),
        "a date that is none": lambda: _value(0x00080020, "DA", b"20251399"),
        "a birth date that is none": lambda: _value(0x00100030, "DA", b"99999999"),
        "a time that is none": lambda: _value(0x00080030, "TM", b"997799"),
        "a million numbers": lambda: _value(0x00281050, "UT", million),
        "a million words in the image type": lambda: _value(0x00080008, "UT", million),
        "a million names": lambda: _value(0x00100010, "UT", million),
        "a million character sets": lambda: _value(0x00080005, "UT", b"\\".join([b"ISO 2022 IR 6"] * 100_000)),
        "an unknown character set": lambda: _value(0x00080005, "CS", b"KLINGON"),
        "half a letter in UTF-8": lambda: _value(0x00100010, "PN", b"\xed\xa0\x80\xff\xfe^\xc3"),
        "an escape that leads nowhere": lambda: _value(0x00100010, "PN", b"\x1b$B" * 30),
        "NUL in names": lambda: _value(0x00100010, "PN", b"A\0B\0^C"),
        "NUL in the patient's number": lambda: _value(0x00100020, "LO", b"12\0345"),
        "a body part that is slow to search": lambda: _value(0x00180015, "UT", b"tagnonfemoral humeral " * 100_000),
        "a name of 4 MB": lambda: _value(0x00100010, "UT", b"x" * (4 << 20)),
        "a number of 4 MB": lambda: _value(0x00100020, "UT", b"9" * (4 << 20)),
    }
    slow = _value(0x0008103E, "UT", b"sinus " * 300_000 + b"tarsi")  # in doubt it is the head
    return cases | {name: (make(), TAKEN) for name, make in texts.items()} | {"a slow description": (slow, "head")}


def _syntaxes() -> dict[str, Case]:
    explicit, implicit = file_bytes(mr()), file_bytes(mr(), IMPLICIT)
    coded = _coders()["JPEG-LS"][1]

    def claims(data: bytes, syntax: str, other: str) -> bytes:
        old, new = (s.encode() + b"\0" * (len(s) % 2) for s in (syntax, other))
        return data.replace(struct.pack("<H", len(old)) + old, struct.pack("<H", len(new)) + new, 1)

    return {
        "big endian": (claims(explicit, EXPLICIT, "1.2.840.10008.1.2.2"), "big_endian"),
        "MPEG": (claims(explicit, EXPLICIT, "1.2.840.10008.1.2.4.102"), "transfer_syntax"),
        "a transfer syntax of nobody": (claims(explicit, EXPLICIT, "1.2.3.4.5"), "transfer_syntax"),
        "a transfer syntax that is a path": (claims(explicit, EXPLICIT, "../../x"), "transfer_syntax"),
        "explicit that says implicit": (claims(explicit, EXPLICIT, IMPLICIT), TAKEN),
        "implicit that says explicit": (claims(implicit, IMPLICIT, EXPLICIT), TAKEN),
        "explicit that says deflated": (claims(explicit, EXPLICIT, DEFLATED), "deflate"),
        "native that says JPEG-LS": (claims(explicit, EXPLICIT, JPEG_LS), "fragments"),
        "JPEG-LS that says native": (claims(file_bytes(compressed(mr(), coded), JPEG_LS), JPEG_LS, EXPLICIT), "length"),
        "JPEG-LS that says JPEG 2000": (file_bytes(compressed(mr(), coded), JPEG_2000), "codestream"),
        "JPEG-LS that says RLE": (file_bytes(compressed(mr(), coded), RLE), "dimensions"),
        "JPEG-LS that says JPEG lossless": (file_bytes(compressed(mr(), coded), JPEG_LOSSLESS), "codestream"),
    }
