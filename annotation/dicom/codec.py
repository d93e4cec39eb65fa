"""Pixels: decode whatever came, store JPEG-LS lossless, and prove that nothing changed.

The size a codestream declares is compared with the header before a decoder runs, since decoders allocate what they are
told (a few bytes can ask for 8 GB). Decoders are C code all the same: call this in a process that may die.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from struct import Struct, error
from typing import Any

import imagecodecs
import numpy as np
import openjpeg.utils
from numpy.typing import NDArray
from pydicom.encaps import generate_frames

from annotation.dicom import prescan as p
from annotation.dicom.refusal import Refused

JPEG_LS_LOSSLESS = "1.2.840.10008.1.2.4.80"
LOSSY = frozenset(("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.81"))
# More tiles than this is an attack on the decoder's patience, not an image.
MOST_TILES = 4096
# A lossless image of 8192 rows in precincts of 256 has 1400 packets a layer; writers use a dozen layers.
MOST_PACKETS = 100_000
# When masking to the stored bits would change more of the image than this, the header is wrong about them.
MOST_CHANGED = 0.5
_SIZE_OF_JPEG_2000 = b"\xff\x4f\xff\x51"  # start of codestream and size marker
_CODING_STYLE = b"\xff\x52"
_SHORT = Struct(">H")
# Start-of-frame marks a transfer syntax may have: baseline and extended sequential, lossless, JPEG-LS. A progressive
# image can make a decoder go over all of it as often as it likes.
_JPEG_LS_FRAME = b"\xf7"
_PROCESSES = {
    "1.2.840.10008.1.2.4.50": b"\xc0\xc1",
    "1.2.840.10008.1.2.4.51": b"\xc0\xc1",
    "1.2.840.10008.1.2.4.57": b"\xc3",
    "1.2.840.10008.1.2.4.70": b"\xc3",
    "1.2.840.10008.1.2.4.80": _JPEG_LS_FRAME,
    "1.2.840.10008.1.2.4.81": _JPEG_LS_FRAME,
}
_END_OF_IMAGE = b"\xff\xd9"  # the same mark ends JPEG, JPEG-LS and JPEG 2000; coded data cannot hold it
END_SEARCH = 4096  # some writers pad behind it
SSIZ_OFFSET = 42  # of the first component's precision, from there

Pixels = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Layout:
    """How the header says the pixels are laid out.

    Parameters
    ----------
    rows, columns, frames : int
        Size of a frame, and how many there are.
    bits_allocated, bits_stored, high_bit : int
        8 or 16; at most that; and where the highest stored bit lies.
    signed : bool
        Two's complement.
    """

    rows: int
    columns: int
    frames: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool

    @property
    def frame_bytes(self) -> int:
        """Bytes of one native frame."""
        return self.rows * self.columns * self.bits_allocated // 8


@dataclass(frozen=True)
class Stored:
    """How the stored frames are described: what the header must say about them.

    Parameters
    ----------
    bits_allocated, bits_stored : int
        8 of 8 or 16 of 16: the coder takes whole samples, and the viewer's decoder does not extend signs.
    signed : bool
        Two's complement.
    """

    bits_allocated: int
    bits_stored: int
    signed: bool


def layout(header: Mapping[str, Any], limits: p.Limits) -> Layout:
    """Read and check the layout of the pixels from a header in the DICOM JSON model.

    Parameters
    ----------
    header : mapping
        From `deid.deidentify`: numbers are inside their bounds already.
    limits : Limits
        Budgets for rows, columns, frames and bytes.

    Raises
    ------
    Refused
        If something is missing, contradicts itself, or exceeds a budget.
    """
    names = ("00280010", "00280011", "00280100", "00280101", "00280102", "00280103", "00280002")
    values = [header.get(tag, {}).get("Value", [None])[0] for tag in names]
    if None in values or "00280004" not in header:
        raise Refused(
            "pixel_format", "The file is no greyscale image of at most 16 bits, or does not describe its pixels."
        )
    rows, columns, allocated, stored, high, signed, _ = values
    frames = header.get("00280008", {}).get("Value", [1])[0]
    found = Layout(rows, columns, frames, allocated, stored, high, bool(signed))
    if allocated not in (8, 16) or not stored <= high + 1 <= allocated:
        raise Refused("pixel_format", "The header contradicts itself about the bits of a pixel.")
    if max(rows, columns) > limits.rows_columns or frames > limits.frames:
        raise Refused("too_large", "The image has more rows, columns or frames than the limit allows.")
    if found.frame_bytes * frames > limits.pixel_bytes:
        raise Refused("too_large", "The image is larger than the limit once decoded.")
    return found


def frames(scan: p.Scan, shape: Layout) -> Iterator[Pixels]:
    """Decode the frames of a file one by one.

    Parameters
    ----------
    scan : Scan
        From `prescan.prescan`.
    shape : Layout
        From `layout`.

    Yields
    ------
    ndarray, shape (rows, columns)
        int16 when signed, else uint8 or uint16; bits outside the stored ones are cleared (old overlays lie there).

    Raises
    ------
    Refused
        If pixels are missing, a codestream disagrees with the header, or it cannot be decoded.
    """
    if scan.pixels is None:
        raise Refused("no_pixels", "The file has no pixel data.")
    start, end = scan.pixels
    if scan.transfer_syntax in p.NATIVE:
        yield from _native(memoryview(scan.data)[start:end], shape)
        return
    if not scan.encapsulated:
        raise Refused("fragments", "The pixel data is not compressed although the file says so.")
    fragments = BytesIO(scan.data)  # shares the bytes; a slice would copy them
    fragments.seek(start)
    for number, coded in enumerate(_codestreams(fragments, shape.frames), 1):
        if number > shape.frames:
            break
        yield _decoded(coded, scan.transfer_syntax, shape)


def _native(data: memoryview, shape: Layout) -> Iterator[Pixels]:
    if len(data) < shape.frame_bytes * shape.frames:
        raise Refused("pixel_length", "The pixel data is shorter than rows, columns and frames ask for.")
    kind = "<u2" if shape.bits_allocated == 16 else "u1"
    for n in range(shape.frames):
        raw: Pixels = np.frombuffer(data, kind, shape.rows * shape.columns, n * shape.frame_bytes)
        yield _within_bits(_from_low_bit(raw.reshape(shape.rows, shape.columns), shape), shape)


def _codestreams(data: BytesIO, count: int) -> Iterator[bytes]:
    found = 0
    try:
        for coded in generate_frames(data, number_of_frames=count):
            found += 1
            yield coded
    except (ValueError, error):
        raise Refused("fragments", "The compressed pixel data cannot be divided into frames.") from None
    if found < count:
        raise Refused("pixel_length", "The file has fewer frames than it says.")


def _decoded(coded: bytes, syntax: str, shape: Layout) -> Pixels:
    """Decode one codestream after checking what it declares."""
    if syntax == p.RLE:
        return _rle(coded, shape)
    if syntax in p.JPEG_2000 or syntax in p.HTJ2K:
        rows, columns, samples, precision = _size_of_jpeg_2000(coded)
        _check_style(coded, rows, columns)
    else:
        rows, columns, samples, precision = _size_of_jpeg(coded, _PROCESSES[syntax])
    if (rows, columns, samples) != (shape.rows, shape.columns, 1) or not 2 <= precision <= 16:
        raise Refused("dimensions", "The compressed image has another size than the header says.")
    if _END_OF_IMAGE not in coded[-END_SEARCH:]:
        raise Refused("codestream", "The compressed image is cut off.")
    try:
        array = np.asarray(_decoder(syntax, precision)(coded))
    except MemoryError:
        raise
    except Exception:  # each decoder has exceptions of its own; whichever it is, the frame is unusable
        raise Refused("decode", "The compressed image cannot be decoded.") from None
    if array.shape != (shape.rows, shape.columns) or array.dtype.kind not in "iu":
        raise Refused("dimensions", "The compressed image has another size than the header says.")
    if array.dtype.kind == "u" and shape.signed and precision < shape.bits_stored:
        # the codestream's own precision says where the sign bit lies
        array = _signed(array.astype(np.uint16), precision)
    return _within_bits(array.astype(np.int32).astype(np.uint16), shape)


def _decoder(syntax: str, precision: int) -> Any:
    if syntax in p.JPEG_LS:
        return imagecodecs.jpegls_decode
    if syntax in p.JPEG_2000:
        return imagecodecs.jpeg2k_decode
    if syntax in p.HTJ2K:
        return _htj2k
    if syntax in ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"):
        return imagecodecs.ljpeg_decode
    return imagecodecs.jpeg8_decode


def _htj2k(coded: bytes) -> Pixels:
    """Decode HTJ2K by OpenJPEG: the decoder in imagecodecs gives out damaged images without an error."""
    rows, columns, _, precision = _size_of_jpeg_2000(coded)
    start = coded.find(_SIZE_OF_JPEG_2000)
    signed = coded[start + SSIZ_OFFSET] & 0x80
    kind = f"{'i' if signed else 'u'}{1 if precision <= 8 else 2}"
    raw = openjpeg.utils.decode_pixel_data(coded[start:], version=2)
    array: Pixels = np.frombuffer(raw, np.dtype(kind).newbyteorder("<")).reshape(rows, columns)
    return array


def _rle(coded: bytes, shape: Layout) -> Pixels:
    segments = shape.bits_allocated // 8
    if len(coded) < 64 or int.from_bytes(coded[:4], "little") != segments:
        raise Refused("dimensions", "The compressed image has another number of samples than the header says.")
    offsets = [int.from_bytes(coded[n : n + 4], "little") for n in range(4, 4 + 4 * segments, 4)]
    if offsets[0] < 64 or any(a >= b for a, b in pairwise([*offsets, len(coded)])):
        raise Refused("fragments", "The compressed image does not hold together.")
    try:
        raw = imagecodecs.dicomrle_decode(coded, dtype="<u2" if segments == 2 else "u1")
    except Exception:  # see `_decoded`
        raise Refused("decode", "The compressed image cannot be decoded.") from None
    raw = bytes(raw)
    if not shape.frame_bytes <= len(raw) <= shape.frame_bytes + 2 * segments:
        raise Refused("dimensions", "The compressed image has another size than the header says.")
    array = np.frombuffer(raw, "<u2" if segments == 2 else "u1", shape.rows * shape.columns)
    return _within_bits(_from_low_bit(array.reshape(shape.rows, shape.columns), shape), shape)


def _from_low_bit(array: NDArray[Any], shape: Layout) -> NDArray[Any]:
    above = shape.high_bit + 1 - shape.bits_stored
    return array >> above if above else array


def _within_bits(array: NDArray[Any], shape: Layout) -> Pixels:
    """Clear what is not a stored bit, and extend the sign."""
    wide = array.astype(np.uint16, copy=False)
    if not shape.signed and shape.bits_stored > 8 and not int(wide.max(initial=0)) >> shape.bits_stored:
        return wide
    if shape.bits_stored < 16:
        above = wide >> shape.bits_stored
        foreign = above != 0
        if shape.signed:  # an extended sign is no foreign bit
            foreign &= above != (1 << (shape.bits_allocated - shape.bits_stored)) - 1
        if float(foreign.mean()) > MOST_CHANGED:
            raise Refused("pixel_format", "The pixels use more bits than the header says.")
    if shape.signed:
        return _signed(wide, shape.bits_stored)
    clean = wide & np.uint16((1 << shape.bits_stored) - 1)
    return clean if shape.bits_stored > 8 else clean.astype(np.uint8)


def _signed(array: NDArray[np.uint16], bits: int) -> NDArray[np.int16]:
    shift = 16 - bits
    return (array << shift).view(np.int16) >> shift


def stored_form(shape: Layout) -> Stored:
    """Say how frames of this layout are stored (see `Stored`)."""
    if shape.signed:
        return Stored(16, 16, True)
    return Stored(8, 8, False) if shape.bits_stored <= 8 else Stored(16, 16, False)


def encode(array: Pixels, form: Stored, *, check: bool = True) -> bytes:
    """Encode one frame as JPEG-LS lossless and check that it decodes to the same pixels.

    Parameters
    ----------
    array : ndarray, shape (rows, columns)
        From `frames`.
    form : Stored
        From `stored_form`.
    check : bool
        Decode what was coded and compare. The coder is lossless by its construction and tested so for every kind of
        image; the comparison finds a machine that is not sound.

    Returns
    -------
    bytes
        A bare codestream; signed pixels are coded by their 16 bits.

    Raises
    ------
    Refused
        If decoding does not give the same pixels (never seen; a changed image must not be graded).
    """
    kind = np.uint8 if form.bits_allocated == 8 else np.uint16
    plain = np.ascontiguousarray(array.view(np.uint16) if form.signed else array.astype(kind, copy=False))
    # Half the time of pyjpegls for one per cent more bytes; it codes samples of 8 or 16 bits only.
    coded = bytes(imagecodecs.jpegls_encode(plain))
    if check and not np.array_equal(decode_stored(coded), plain):
        raise Refused("not_lossless", "The image could not be stored without loss.")
    return coded


def decode_stored(jls: bytes) -> NDArray[np.unsignedinteger[Any]]:
    """Decode a stored frame.

    Parameters
    ----------
    jls : bytes
        From `encode`.

    Returns
    -------
    ndarray, shape (rows, columns)
        uint8 or uint16. Signed pixels come as their 16 bits; `stored_array` gives them their sign.
    """
    rows, columns, _, precision = _size_of_jpeg(jls, _JPEG_LS_FRAME)
    array = np.asarray(imagecodecs.jpegls_decode(jls)).reshape(rows, columns)
    return array.astype(np.uint8 if precision <= 8 else np.uint16, copy=False)


def stored_array(jls: bytes, header: Mapping[str, Any]) -> Pixels:
    """Decode a stored frame with the sign its header declares (PixelRepresentation)."""
    array = decode_stored(jls)
    return array.view(np.int16) if header.get("00280103", {}).get("Value") == [1] else array


def _size_of_jpeg(data: bytes, processes: bytes) -> tuple[int, int, int, int]:
    """Rows, columns, samples and precision from the frame header of a JPEG or JPEG-LS codestream."""
    pos, head = 2, Struct(">BHHB")
    if data[:2] != b"\xff\xd8":
        raise Refused("codestream", "The compressed image is not what the transfer syntax says.")
    while pos + 4 <= len(data):
        if data[pos] != 0xFF:
            break
        marker = data[pos + 1]
        if marker == 0xFF:  # fill byte
            pos += 1
            continue
        if (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)) or marker == 0xF7:
            if pos + 10 > len(data) or marker not in processes:
                break
            precision, rows, columns, samples = head.unpack_from(data, pos + 4)
            return rows, columns, samples, precision
        pos += 2 + int.from_bytes(data[pos + 2 : pos + 4], "big")
    raise Refused("codestream", "The compressed image has no frame header of the process that the file declares.")


def _check_style(data: bytes, rows: int, columns: int) -> None:
    """Compare the packets that a coding style makes (T.800 A.6.1) with what an image of this size can need.

    A decoder sets up every precinct of every level in memory, and walks over them once a layer.
    """
    at = data.find(_CODING_STYLE, data.find(_SIZE_OF_JPEG_2000))
    if at < 0 or at + 14 > len(data):
        raise Refused("codestream", "The compressed image does not say how it is coded.")
    own_precincts, (layers,), levels = data[at + 4] & 1, _SHORT.unpack_from(data, at + 6), data[at + 9]
    packets = 0
    for level in range(min(levels, 32) + 1):
        exponents = data[at + 14 + level : at + 15 + level] if own_precincts else b"\xff"
        if not exponents:
            raise Refused("codestream", "The compressed image does not say how it is coded.")
        scale = min(levels, 32) - level
        high, wide = -(-rows >> scale) or 1, -(-columns >> scale) or 1
        packets += -(-high // (1 << (exponents[0] >> 4))) * -(-wide // (1 << (exponents[0] & 15)))
    if packets * layers > MOST_PACKETS:
        raise Refused("codestream", "The compressed image is cut into more packets than the limit allows.")


def _size_of_jpeg_2000(data: bytes) -> tuple[int, int, int, int]:
    """Rows, columns, components and precision from the SIZ marker of a JPEG 2000 codestream (T.800 A.5.1)."""
    start = data.find(_SIZE_OF_JPEG_2000)
    if start < 0 or start > 1024 or start + SSIZ_OFFSET >= len(data):
        raise Refused("codestream", "The compressed image has no size marker.")
    x, y, x0, y0, tile_x, tile_y, tx0, ty0, samples, precision = Struct(">8LHB").unpack_from(data, start + 8)
    if not (x0 < x and y0 < y and tile_x and tile_y and tx0 <= x0 and ty0 <= y0):
        raise Refused("codestream", "The compressed image does not hold together.")
    if -(-(x - tx0) // tile_x) * -(-(y - ty0) // tile_y) > MOST_TILES:
        raise Refused("codestream", "The compressed image is cut into more tiles than the limit allows.")
    return y - y0, x - x0, samples, (precision & 0x7F) + 1
