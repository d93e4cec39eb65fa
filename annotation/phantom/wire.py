"""The bytes of files that differ from their neighbours in a few short texts and the pixels.

pydicom writes the first slice of a series; the others take its bytes and have their own texts put in. Written one by
one, the headers of a case took longer than a third of its drawing.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element, write_file_meta_info

PIXELS = 0x7FE00010
_GROUP_LENGTH, _MEDIA_UID, _UNDEFINED = 0x00020000, 0x00020003, 0xFFFFFFFF
_END_OF_SEQUENCE = b"\xfe\xff\xdd\xe0\0\0\0\0"

Elements = dict[int, bytes]


def _buffer() -> DicomBytesIO:
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    return buffer


def encoded(data: Dataset) -> Elements:
    """Every element as it stands in an explicit little endian file, by tag."""
    found: Elements = {}
    for element in data:
        buffer = _buffer()
        write_data_element(buffer, element, ["latin_1"])
        found[int(element.tag)] = buffer.getvalue()
    return found


def encoded_meta(meta: FileMetaDataset) -> Elements:
    """The same of the file meta information, completed as the standard asks."""
    write_file_meta_info(_buffer(), meta, enforce_standard=True)
    return encoded(meta)


def _text(tag: int, vr: str, value: str) -> bytes:
    raw = value.encode("ascii")
    raw += (b"\0" if vr == "UI" else b" ") * (len(raw) % 2)
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr.encode(), len(raw)) + raw


def texts(values: Mapping[str, str]) -> Elements:
    """Short texts by keyword."""
    found: Elements = {}
    for keyword, value in values.items():
        tag = tag_for_keyword(keyword)
        if tag is None:
            raise KeyError(keyword)
        found[tag] = _text(tag, dictionary_VR(tag), value)
    return found


def pixels(stored: bytes, *, compressed: bool) -> Elements:
    """Pixel data as it is, or one compressed frame."""
    if compressed:
        stored = encapsulate([stored]) + _END_OF_SEQUENCE
    head = struct.pack(
        "<HH2sHL", PIXELS >> 16, PIXELS & 0xFFFF, b"OB" if compressed else b"OW", 0,
        _UNDEFINED if compressed else len(stored),
    )  # fmt: skip
    return {PIXELS: head + stored}


def write(path: Path, meta: Elements, elements: Elements, *, uid: str) -> None:
    """Write a file of encoded elements under its own instance UID."""
    own = meta | {_MEDIA_UID: _text(_MEDIA_UID, "UI", uid)}
    group = b"".join(own[tag] for tag in sorted(own) if tag != _GROUP_LENGTH)
    length = struct.pack("<HH2sHL", 2, 0, b"UL", 4, len(group))
    body = b"".join(elements[tag] for tag in sorted(elements))
    path.write_bytes(b"\0" * 128 + b"DICM" + length + group + body)
