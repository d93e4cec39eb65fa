"""A structural check of a DICOM file before any parser sees it.

The walk keeps its own stack, so nesting cannot exhaust Python's; it follows lengths only after comparing them with
what encloses them, so a length cannot promise bytes that are not there; and it counts, so that a small file cannot
cost minutes. It looks at structure only: tags, lengths, delimiters. What the values say is the business of `deid`.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from struct import Struct

from pydicom._dicom_dict import DicomDictionary

from annotation.dicom.refusal import Refused

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
JPEG = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 57, 70))
JPEG_LS = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (80, 81))
JPEG_2000 = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (90, 91))
HTJ2K = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (201, 202, 203))
RLE = "1.2.840.10008.1.2.5"
NATIVE = frozenset((IMPLICIT, EXPLICIT, DEFLATED))
KNOWN = NATIVE | JPEG | JPEG_LS | JPEG_2000 | HTJ2K | {RLE}

STUDY_UID = 0x0020000D
PIXEL_DATA = 0x7FE00010
ITEM = 0xFFFEE000
ITEM_END = 0xFFFEE00D
SEQUENCE_END = 0xFFFEE0DD
UNDEFINED = 0xFFFFFFFF

LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
SEQUENCE_TAGS = frozenset(tag for tag, entry in DicomDictionary.items() if entry[0] == "SQ")

_PIECE, _CHUNK = 1 << 16, 1 << 20  # of a deflated stream, and of what it becomes
_EXPLICIT_HEAD = Struct("<HH2sH")
_IMPLICIT_HEAD = Struct("<HHL")
_LONG = Struct("<L")


@dataclass(frozen=True)
class Limits:
    """What one file may cost.

    Parameters
    ----------
    file_bytes, inflated_bytes, pixel_bytes : int
        Bytes of the file, of a deflated data set once inflated, and of all decoded frames together.
    depth : int
        How deep sequences may nest; enhanced objects need about 6.
    elements, items : int
        Data elements and sequence items in the whole file. An enhanced series of 500 frames has about 60 000 elements.
    rows_columns, frames : int
        Largest number of rows or columns, and of frames.
    """

    file_bytes: int = 1 << 29
    inflated_bytes: int = 1 << 29
    pixel_bytes: int = 1 << 29
    depth: int = 16
    elements: int = 100_000
    items: int = 20_000
    rows_columns: int = 8192
    frames: int = 5000


@dataclass(frozen=True)
class Scan:
    """Where things lie in a file whose structure holds.

    Parameters
    ----------
    transfer_syntax : str
        The declared transfer syntax, one of `KNOWN`.
    data : bytes
        The bytes the offsets below refer to: the file, or the inflated data set of a deflated one.
    implicit : bool
        Whether the data set is coded with implicit VR (found, as a parser would find it, not only declared).
    start, end : int
        The data set without its pixel data: ``data[start:end]``.
    tags : tuple of int
        Top-level tags in file order, pixel data excluded; compared with what the parser finds.
    pixels : tuple of int or None
        Start and end of the value of PixelData; fragments with their items when it is encapsulated.
    encapsulated : bool
        Whether PixelData has undefined length.
    elements, items : int
        What was counted.
    study_uid : bytes
        The bytes of StudyInstanceUID as they stand in the file, unchecked; empty if there is none. Intake puts files
        of one study together by a keyed hash of it before any parser has run.
    """

    transfer_syntax: str
    data: bytes
    implicit: bool
    start: int
    end: int
    tags: tuple[int, ...]
    pixels: tuple[int, int] | None
    encapsulated: bool
    elements: int
    items: int
    study_uid: bytes = b""


@dataclass(slots=True)
class _Level:
    """One open data set, sequence or list of fragments.

    ``end`` is where it must be over: its own end if it declares a length, else the end of what encloses it.
    """

    kind: str  # "dataset", "sequence", "fragments"
    end: int
    undefined: bool
    implicit: bool


def prescan(data: bytes, limits: Limits | None = None) -> Scan:
    """Check the structure of a DICOM file and say where its parts lie.

    Parameters
    ----------
    data : bytes
        The whole file.
    limits : Limits, optional
        Budgets; the defaults suit clinical CT and MR.

    Returns
    -------
    Scan

    Raises
    ------
    Refused
        With a sentence, if the file is no DICOM file, has a structure that does not hold, or exceeds a budget.

    Notes
    -----
    Nothing behind PixelData is read: trailing padding, signatures and whatever was appended to the file are left out
    by construction. Group lengths are ignored, since real files carry wrong ones. Big-endian files are refused: the
    syntax is retired and no scanner of this century writes it.
    """
    limits = limits or Limits()
    if len(data) > limits.file_bytes:
        raise Refused("file_too_large", "The file is larger than the limit for one file.")
    if data[128:132] != b"DICM":
        raise Refused("not_dicom", "This is not a DICOM file: the mark DICM at byte 128 is missing.")
    syntax, start = _file_meta(data)
    if syntax == BIG_ENDIAN:
        raise Refused("big_endian", "The file uses the retired big-endian transfer syntax.")
    if syntax not in KNOWN:
        raise Refused("transfer_syntax", "The file uses a transfer syntax that is not known for CT and MR images.")
    if syntax == DEFLATED:
        data, start = _inflate(data, start, limits.inflated_bytes), 0
    return _Walk(data, start, syntax, limits).run()


def _file_meta(data: bytes) -> tuple[str, int]:
    """Transfer syntax, and where the data set starts."""
    pos, syntax = 132, ""
    while pos + 8 <= len(data) and data[pos : pos + 2] == b"\x02\x00":
        _, element, vr, length = _EXPLICIT_HEAD.unpack_from(data, pos)
        pos += 8
        if vr in LONG_VRS:
            if pos + 4 > len(data):
                raise Refused("truncated", "The file ends inside its header.")
            (length,) = _LONG.unpack_from(data, pos)
            pos += 4
        elif vr not in SHORT_VRS:
            raise Refused("file_meta", "The file meta information is not coded as the standard asks.")
        if pos + length > len(data):
            raise Refused("length", "A length in the file meta information reaches beyond the end of the file.")
        if element == 0x0010:
            syntax = data[pos : pos + length].rstrip(b"\x00 ").decode("ascii", "replace")
        pos += length
    if not syntax:
        raise Refused("transfer_syntax", "The file does not say which transfer syntax it uses.")
    return syntax, pos


def _inflate(data: bytes, start: int, budget: int) -> bytes:
    """Inflate a deflated data set, at most ``budget`` bytes of it."""
    total, stream = 0, zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for at in range(start, len(data), _PIECE):
            rest, out = data[at : at + _PIECE], b""
            while not stream.eof and (rest or len(out) == _CHUNK):
                out = stream.decompress(rest, _CHUNK)
                total, rest = total + len(out), stream.unconsumed_tail
                if total > budget:
                    raise Refused("inflated_too_large", "The deflated data set is larger than the limit once inflated.")
        if not stream.eof:
            raise Refused("truncated", "The deflated data set ends too early.")
        # in one piece and of known size, since growing it would need the memory twice
        return zlib.decompress(memoryview(data)[start:], -zlib.MAX_WBITS, total or 1)
    except zlib.error:
        raise Refused("deflate", "The deflated data set cannot be inflated.") from None


def _looks_explicit(data: bytes, pos: int) -> bool:
    """Whether two capital letters stand where an explicit VR has its place; the parser decides by the same."""
    vr = data[pos + 4 : pos + 6]
    return len(vr) == 2 and 0x40 < vr[0] < 0x5B and 0x40 < vr[1] < 0x5B


class _Walk:
    """One walk over a data set; a class only because the position, the stack and the counts change together."""

    def __init__(self, data: bytes, start: int, syntax: str, limits: Limits) -> None:
        self.data, self.start, self.syntax, self.limits = data, start, syntax, limits
        self.pos = start
        implicit = not _looks_explicit(data, start)
        self.stack = [_Level("dataset", len(data), False, implicit)]
        self.tags: list[int] = []
        self.elements = self.items = 0
        self.pixel_head = -1  # where the head of a top-level PixelData starts, -1 while not met
        self.pixel_start = -1  # where its fragments start
        self.pixels: tuple[int, int] | None = None
        self.encapsulated = False
        self.study_uid = b""

    def run(self) -> Scan:
        implicit = self.stack[0].implicit
        while self.stack and self.pixels is None:
            level = self.stack[-1]
            if self._is_over(level):
                self.stack.pop()
            elif level.kind == "dataset":
                self._element(level)
            elif level.kind == "sequence":
                self._item(level)
            else:
                self._fragment(level)
        end = self.pixel_head if self.pixels else self.pos
        return Scan(
            self.syntax, self.data, implicit, self.start, end, tuple(self.tags), self.pixels, self.encapsulated,
            self.elements, self.items, self.study_uid,
        )  # fmt: skip

    def _is_over(self, level: _Level) -> bool:
        if self.pos < level.end:
            return len(self.stack) == 1 and not any(self.data[self.pos : self.pos + 8]) and self._only_padding()
        if level.undefined:
            raise Refused("delimiter", "A sequence or item is not closed before what encloses it ends.")
        return True

    def _only_padding(self) -> bool:
        """Whether nothing but zero bytes is left; some writers pad the file to a block size."""
        return not self.data[self.pos :].strip(b"\x00")

    def _take(self, level: _Level, length: int) -> int:
        """Where a value of ``length`` bytes at the current position ends."""
        end = self.pos + length
        if end > level.end:
            if level.end == len(self.data) and len(self.stack) == 1:
                raise Refused("truncated", "The file is cut off: a value reaches beyond its end.")
            raise Refused("length", "A length reaches beyond the sequence or item that holds it.")
        return end

    def _head(self, level: _Level) -> tuple[int, bytes, int]:
        """Read tag, VR (empty when implicit) and length of an element or item, and step behind them."""
        data, pos = self.data, self.pos
        if pos + 8 > level.end:
            raise Refused("truncated", "The file ends inside the head of a data element.")
        group, element, length = _IMPLICIT_HEAD.unpack_from(data, pos)
        tag = group << 16 | element
        self.pos = pos + 8
        if group == 0xFFFE or level.implicit or level.kind != "dataset":
            return tag, b"", length
        vr = data[pos + 4 : pos + 6]
        if vr in SHORT_VRS:
            return tag, vr, length >> 16
        if vr in LONG_VRS:
            if pos + 12 > level.end:
                raise Refused("truncated", "The file ends inside the head of a data element.")
            self.pos = pos + 12
            return tag, vr, _LONG.unpack_from(data, pos + 8)[0]
        raise Refused("vr", "A data element has no value representation of the standard.")

    def _element(self, level: _Level) -> None:
        self.elements += 1
        if self.elements > self.limits.elements:
            raise Refused("too_many_elements", "The file has more data elements than the limit allows.")
        head = self.pos
        tag, vr, length = self._head(level)
        if tag >> 16 == 0xFFFE:
            if tag != ITEM_END or not level.undefined:
                raise Refused("delimiter", "A delimiter stands where none belongs.")
            self.stack.pop()
            return
        top = len(self.stack) == 1
        if top and tag == PIXEL_DATA:
            self.pixel_head = head
        elif top:
            self.tags.append(tag)
        if length == UNDEFINED:
            self._open(level, tag, vr)
        else:
            self._value(level, tag, vr, self._take(level, length))

    def _value(self, level: _Level, tag: int, vr: bytes, end: int) -> None:
        """Pass over a value of known length, or enter it if it is a sequence."""
        if self.pixel_head >= 0 and len(self.stack) == 1:
            self.pixels = (self.pos, end)
        elif vr == b"SQ" or (not vr and tag in SEQUENCE_TAGS):
            self._push(_Level("sequence", end, False, level.implicit))
        else:
            if tag == STUDY_UID and len(self.stack) == 1:
                self.study_uid = self.data[self.pos : end][:64].strip(b"\0 ")
            self.pos = end

    def _open(self, level: _Level, tag: int, vr: bytes) -> None:
        """Enter a value of undefined length."""
        if vr in (b"SQ", b"UN") or (not vr and tag != PIXEL_DATA):
            self._push(_Level("sequence", level.end, True, level.implicit))
        elif vr in (b"OB", b"OW", b""):  # without a VR it is PixelData: some writers code compressed files implicitly
            if self.syntax in NATIVE:
                raise Refused("length", "A value has undefined length although the file is not compressed.")
            if self.pixel_head >= 0 and len(self.stack) == 1:
                self.encapsulated, self.pixel_start = True, self.pos
            self._push(_Level("fragments", level.end, True, level.implicit))
        else:
            raise Refused("length", "A value that must declare its length does not.")

    def _push(self, level: _Level) -> None:
        if len(self.stack) > 2 * self.limits.depth:
            raise Refused("too_deep", "The sequences of the file are nested deeper than the limit allows.")
        self.stack.append(level)

    def _item(self, level: _Level) -> None:
        tag, _, length = self._head(level)
        if tag == SEQUENCE_END and level.undefined:
            self.stack.pop()
            return
        if tag != ITEM:
            raise Refused("delimiter", "A sequence holds something that is not an item.")
        self._count_item()
        undefined = length == UNDEFINED
        end = level.end if undefined else self._take(level, length)
        # PS3.5 6.2.2: items of an undefined-length UN, and in practice others, may be coded implicitly
        implicit = level.implicit or (self.pos + 6 <= end and self._implicit_item(end))
        self._push(_Level("dataset", end, undefined, implicit))

    def _implicit_item(self, end: int) -> bool:
        if self.data[self.pos : self.pos + 2] == b"\xfe\xff":
            return False
        return not _looks_explicit(self.data, self.pos)

    def _count_item(self) -> None:
        self.items += 1
        if self.items > self.limits.items:
            raise Refused("too_many_items", "The file has more sequence items than the limit allows.")

    def _fragment(self, level: _Level) -> None:
        start = self.pos
        tag, _, length = self._head(level)
        if tag == SEQUENCE_END:
            self.stack.pop()
            if self.encapsulated and len(self.stack) == 1:
                self.pixels = (self.pixel_start, start)
            return
        if tag != ITEM or length == UNDEFINED:
            raise Refused("fragments", "The compressed pixel data is not a list of fragments.")
        self._count_item()
        self.pos = self._take(level, length)
