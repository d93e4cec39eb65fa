"""Blank a rectangle of a stored frame, where text is burned in; everything outside stays bit by bit as it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from annotation.dicom import codec, deid
from annotation.dicom.codec import Pixels, Stored

# Row and column where the rectangle starts, and the row and column behind its end, in pixels of the stored frame.
Rectangle = tuple[int, int, int, int]
CLEAN_PIXEL_DATA = ("113101", "Clean Pixel Data Option")


class WrongRectangle(ValueError):
    """A rectangle is empty or does not lie inside the image."""

    def __init__(self, rectangle: Rectangle, rows: int, columns: int) -> None:
        self.sentence = f"The rectangle must lie inside the image of {rows} rows and {columns} columns."
        super().__init__(f"{self.sentence} {rectangle}")


def check(rectangle: Rectangle, *, rows: int, columns: int) -> None:
    """Raise `WrongRectangle` unless the rectangle holds a pixel and lies inside an image of that size."""
    row0, column0, row1, column1 = rectangle
    if not (0 <= row0 < row1 <= rows and 0 <= column0 < column1 <= columns):
        raise WrongRectangle(rectangle, rows, columns)


def blank(array: Pixels, rectangle: Rectangle, *, value: int) -> Pixels:
    """Return a copy whose pixels inside a rectangle have one value.

    Parameters
    ----------
    array : ndarray, shape (rows, columns)
        Stored values.
    rectangle : tuple of int
        (row0, column0, row1, column1) in pixels; the last row and column are not part of it.
    value : int
        What to write.

    Raises
    ------
    WrongRectangle
        If the rectangle is empty or reaches outside.
    """
    rows, columns = array.shape
    check(rectangle, rows=rows, columns=columns)
    row0, column0, row1, column1 = rectangle
    out = array.copy()
    out[row0:row1, column0:column1] = value
    return out


def masked_frame(jls: bytes, header: Mapping[str, Any], rectangle: Rectangle) -> bytes:
    """Blank a rectangle of a stored frame and store it again without loss.

    Parameters
    ----------
    jls : bytes
        One of ``Taken.frames``.
    header : mapping
        ``Taken.header``; says sign, bits and photometric interpretation.
    rectangle : tuple of int
        As for `blank`.

    Returns
    -------
    bytes
        JPEG-LS. The rectangle has the frame's lowest value, or its highest in MONOCHROME1, so that it looks black.

    Raises
    ------
    WrongRectangle
        If the rectangle is empty or reaches outside.
    """
    array = codec.stored_array(jls, header)
    inverted = header["00280004"]["Value"] == ["MONOCHROME1"]
    value = int(array.max() if inverted else array.min())
    allocated, stored, signed = (int(header[tag]["Value"][0]) for tag in ("00280100", "00280101", "00280103"))
    return codec.encode(blank(array, rectangle, value=value), Stored(allocated, stored, bool(signed)))


def masked_header(header: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a header that says that burned-in text was blanked.

    Parameters
    ----------
    header : mapping
        ``Taken.header``.

    Returns
    -------
    dict
        With BurnedInAnnotation NO and code 113101 in DeidentificationMethodCodeSequence (once, however often masked).
    """
    out = dict(header)
    out["00280301"] = {"vr": "CS", "Value": ["NO"]}
    value, meaning = CLEAN_PIXEL_DATA
    codes = list(header.get("00120064", {}).get("Value", []))
    if not any(code.get("00080100", {}).get("Value") == [value] for code in codes):
        codes.append(deid.code(value, meaning))
    out["00120064"] = {"vr": "SQ", "Value": codes}
    return dict(sorted(out.items()))
