"""What is seen: windows, thumbnails, and signs of text burned into an image."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from pydicom.dataset import Dataset

from annotation.dicom.freetext import text
from annotation.dicom.geometry import frame_value

Window = tuple[float, float]
_WINDOW_LOW, _WINDOW_HIGH = 0.01, 0.99

_SCREEN_TYPES = re.compile(r"SCREEN|CAPTURE|DOSE|REPORT|PROTOCOL|SUMMARY", re.IGNORECASE)
_SCREEN_NAMES = re.compile(
    r"(?<!low)(?<!low[ _-])dose|(?<!niedrig)dosis|report|protokoll|protocol|screen|summary|patient|befund",
    re.IGNORECASE,
)
# Text is written at the end of the grey scale with hard edges: so many jumps between the brightest grey and the lower
# half of the range, in so many rows of the outer tenths of an image, do not occur in tissue; a letter has a dozen.
TEXT_JUMPS = 60
TEXT_ROWS = 5
TEXT_JUMP_SHARE = 0.5


@dataclass(frozen=True)
class Suspicion:
    """Why a person should look at an image before it is released; it quotes nothing of the source."""

    code: str
    sentence: str


SUSPICIONS = {
    "burned_in": "The header says that annotations are burned into the image.",
    "screen": "The image type or the series' name says: a screen picture, a report or a protocol.",
    "secondary": "The image is secondary and looks like a capture: converted, 8 bits or without position.",
    "text": "Something like text stands at the upper or lower edge of the image.",
    "read": "Text recognition has read something in the image.",
}


def _suspected(code: str) -> Suspicion:
    return Suspicion(code, SUSPICIONS[code])


TEXT = _suspected("text")


def automatic_window(frames: Iterable[ArrayLike], *, rescale: Iterable[tuple[float, float]] | None = None) -> Window:
    """Window from the 1st to the 99th percentile of a whole series.

    Parameters
    ----------
    frames : iterable of array_like, shape (rows, columns)
        Stored values of every frame, integers inside 16 bits, signed or not. Consumed one by one.
    rescale : iterable of (slope, intercept), optional
        One a frame, as the viewer applies it before the window; without it stored values are used.

    Returns
    -------
    tuple of float
        Width and level. The width is at least 1.

    Raises
    ------
    ValueError
        If there is no frame.

    Notes
    -----
    Once per series, not per slice, else brightness jumps while scrolling. Percentiles are exact, from a histogram of
    the stored values; the p-th percentile is the smallest value that at least that share of the pixels do not exceed.
    """
    counts: dict[tuple[float, float], NDArray[np.int64]] = {}
    pairs = iter(rescale) if rescale is not None else None
    for frame in frames:
        how = next(pairs) if pairs is not None else (1.0, 0.0)
        values = np.asarray(frame).astype(np.int64).ravel() + 32_768
        tally = np.bincount(values, minlength=98_304)
        counts[how] = counts[how] + tally if how in counts else tally
    if not counts:
        raise ValueError("A window needs at least one frame.")
    stored = np.arange(98_304) - 32_768.0
    values = np.concatenate([stored * slope + intercept for slope, intercept in counts])
    weights = np.concatenate(list(counts.values()))
    sorting = np.argsort(values, kind="stable")
    share = np.cumsum(weights[sorting]) / weights.sum()
    low, high = (float(values[sorting][np.searchsorted(share, p - 1e-12)]) for p in (_WINDOW_LOW, _WINDOW_HIGH))
    return max(high - low, 1.0), (high + low) / 2


def header_window(header: Mapping[str, Any], frame_number: int) -> Window | None:
    """Window of the header for one frame.

    Parameters
    ----------
    header : mapping
        DICOM JSON model.
    frame_number : int
        Counted from 1.

    Returns
    -------
    tuple of float or None
        Width and level, the first if there are several; ``None`` if absent or without width (some scanners write 0).
    """
    centre = frame_value(header, frame_number, "00289132", "00281050")
    width = frame_value(header, frame_number, "00289132", "00281051")
    if not centre or not width or float(width[0]) < 1:
        return None
    return float(width[0]), float(centre[0])


def rescale_of(header: Mapping[str, Any], frame_number: int) -> tuple[float, float]:
    """Return slope and intercept of one frame (counted from 1); ``(1.0, 0.0)`` if the header has none."""
    slope = frame_value(header, frame_number, "00289145", "00281053")
    intercept = frame_value(header, frame_number, "00289145", "00281052")
    if not slope or not intercept or float(slope[0]) == 0:
        return 1.0, 0.0
    return float(slope[0]), float(intercept[0])


def thumbnail(
    frame: ArrayLike,
    *,
    window: Window,
    size: int = 128,
    rescale: tuple[float, float] = (1.0, 0.0),
    spacing_rc_mm: tuple[float, float] | None = None,
    inverted: bool = False,
) -> bytes:
    """Draw a small greyscale PNG.

    Parameters
    ----------
    frame : array_like, shape (rows, columns)
        Stored values.
    window : tuple of float
        Width and level, in values after ``rescale``.
    size : int
        Longer side of the picture in pixels.
    rescale : tuple of float
        Slope and intercept.
    spacing_rc_mm : tuple of float, optional
        Row and column spacing; the picture then has the proportions of the body.
    inverted : bool
        MONOCHROME1: low values are bright.

    Returns
    -------
    bytes
        PNG, 8 bits, without text chunks. The window is linear (PS3.3 C.11.2.1.2.1).
    """
    picture = _picture(frame, window, rescale, inverted, spacing_rc_mm, size)
    return _png(picture)


def contact_sheet(
    frames: Sequence[ArrayLike],
    *,
    window: Window,
    rescale: tuple[float, float] | Sequence[tuple[float, float]] = (1.0, 0.0),
    spacing_rc_mm: tuple[float, float] | None = None,
    inverted: bool = False,
    size: int = 256,
    columns: int = 3,
) -> bytes:
    """Draw slices side by side on black, in rows from left to right.

    Parameters
    ----------
    frames : sequence of array_like, shape (rows, columns)
        Stored values; frames of different shape are centred in their squares.
    window : tuple of float
        Width and level, in values after ``rescale``.
    rescale : tuple of float, or sequence of these
        Slope and intercept, for all frames or one pair a frame.
    spacing_rc_mm : tuple of float, optional
        Row and column spacing; slices then have the proportions of the body.
    inverted : bool
        MONOCHROME1: low values are bright.
    size : int
        Longer side of a slice in pixels.
    columns : int
        Slices in a row; fewer frames make a narrower sheet.

    Returns
    -------
    bytes
        PNG, 8 bits, without text chunks.

    Raises
    ------
    ValueError
        If there is no frame, or the pairs of ``rescale`` are not as many as the frames.
    """
    if not frames:
        raise ValueError("A contact sheet needs at least one frame.")
    pairs = [rescale] * len(frames) if isinstance(rescale[0], int | float) else list(rescale)
    pictures = [
        _picture(frame, window, _pair(how), inverted, spacing_rc_mm, size)
        for frame, how in zip(frames, pairs, strict=True)
    ]
    columns = min(columns, len(pictures))
    wide, tall = max(p.width for p in pictures), max(p.height for p in pictures)
    sheet = Image.new("L", (wide * columns, tall * -(-len(pictures) // columns)))
    for n, picture in enumerate(pictures):
        left, top = n % columns * wide, n // columns * tall
        sheet.paste(picture, (left + (wide - picture.width) // 2, top + (tall - picture.height) // 2))
    return _png(sheet)


def _pair(how: Any) -> tuple[float, float]:
    slope, intercept = how
    return float(slope), float(intercept)


def grey(frame: ArrayLike, *, window: Window, rescale: tuple[float, float], inverted: bool) -> NDArray[np.uint8]:
    """Stored values as 8-bit grey, by a linear window (PS3.3 C.11.2.1.2.1); see `thumbnail` for the parameters."""
    width, level = max(window[0], 1.0), window[1]
    values = np.asarray(frame, dtype=np.float32) * rescale[0] + rescale[1]
    shown = np.clip((values - (level - 0.5)) / max(width - 1, 1e-6) + 0.5, 0, 1) * 255
    out: NDArray[np.uint8] = np.rint(255 - shown if inverted else shown).astype(np.uint8)
    return out


def _picture(
    frame: ArrayLike,
    window: Window,
    rescale: tuple[float, float],
    inverted: bool,
    spacing_rc_mm: tuple[float, float] | None,
    size: int,
) -> Image.Image:
    """One slice in the proportions of the body, its longer side of the given size."""
    picture = Image.fromarray(grey(frame, window=window, rescale=rescale, inverted=inverted))
    row_mm, column_mm = spacing_rc_mm or (1.0, 1.0)
    tall, wide = picture.height * row_mm, picture.width * column_mm
    scale = size / max(tall, wide)
    return picture.resize((max(1, round(wide * scale)), max(1, round(tall * scale))), Image.Resampling.BILINEAR)


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def suspicion(dataset: Dataset, frame: NDArray[Any] | None) -> Suspicion | None:
    """Say why text may be burned into an image, if there is a sign of it.

    Parameters
    ----------
    dataset : Dataset
        The source.
    frame : ndarray, shape (rows, columns), or None
        One decoded frame; ``None`` leaves the look at the pixels out.

    Returns
    -------
    Suspicion or None

    Notes
    -----
    ImageType SECONDARY alone is no sign (reformats carry it), only together with a conversion type, 8 bits or missing
    geometry. The pixel rule finds text at the end of the grey scale near the upper or lower edge, bright on dark or
    dark on bright; text of another grey, or in the middle, it does not find: a person looks at previews before release.
    """
    image_type = text(dataset, "ImageType").upper()
    if text(dataset, "BurnedInAnnotation").upper() == "YES":
        return _suspected("burned_in")
    if _SCREEN_TYPES.search(image_type):
        return _suspected("screen")
    if _SCREEN_NAMES.search(text(dataset, "SeriesDescription")):
        return _suspected("screen")
    if "SECONDARY" in image_type.split() and _is_capture(dataset):
        return _suspected("secondary")
    if frame is not None and looks_written_on(frame):
        return TEXT
    return None


def _is_capture(dataset: Dataset) -> bool:
    if text(dataset, "ConversionType") or text(dataset, "BitsAllocated") == "8":
        return True
    grouped = "SharedFunctionalGroupsSequence" in dataset
    return not grouped and ("ImagePositionPatient" not in dataset or "ImageOrientationPatient" not in dataset)


def looks_written_on(frame: NDArray[Any]) -> bool:
    """Whether the upper or lower tenth of a frame has the hard edges of text at the end of the grey scale."""
    low, high = int(frame.min()), int(frame.max())
    if high - low < 16:
        return False
    tenth = max(8, frame.shape[0] // 10)
    for band in (frame[:tenth], frame[-tenth:]):
        top = band == high
        if 2 * np.count_nonzero(top) < TEXT_JUMPS:  # every jump has a bright pixel, and every bright pixel two sides
            continue
        dark = band <= high - TEXT_JUMP_SHARE * (high - low)
        jumps = (top[:, 1:] & dark[:, :-1]) | (dark[:, 1:] & top[:, :-1])
        if int(jumps.sum()) >= TEXT_JUMPS and int(jumps.any(axis=1).sum()) >= TEXT_ROWS:
            return True
    return False
