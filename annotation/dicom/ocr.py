"""Text recognition as a second net under the look at pixels: does tesseract read a word in an image?

Only whether, never which: the words may name the patient, so they do not leave this module. It finds what stands out
from the picture; a person looks at previews all the same.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageOps

from annotation.dicom.pixels import Window, grey

# Measured on 123 clean slices (phantom, real CT and MR, turned and cut): tissue was taken for words of four characters
# with a confidence of 62 at most, for three letters once with 92, else below 75. Of 90 texts drawn into slices
# (10 to 32 pixels high, two corners, bright, dark and in a bar) 87 reach these values, nearly all of them 90 and more.
LEAST_CONFIDENCE = 70.0
LEAST_OF_THREE = 95.0
_LETTERS = re.compile(r"[^\W_]{3,}")
_SCALE = 2
# Text is written in the brightest or the darkest value of an image; this share of the range around them counts as it.
_END_SHARE = 0.02
# What may be a letter is this high in pixels at least, and this share of the image at most. Words are letters in a row:
# as many of one height, on one line (to within the pixels), each no further from the next than twice its height.
_LEAST_HEIGHT = 5
_LARGEST_SHARE = 0.2
_OFF_LINE = 2
_WIDEST_GAP = 2
_LEAST_IN_LINE = 4
# Tesseract expects black letters on paper with a margin; letters at the very edge of an image are missed without one.
_MARGIN = 16
_folder_lock = Lock()


class Unreadable(Exception):
    """Tesseract is not there, failed or took too long; ``.sentence`` says so."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def available() -> bool:
    """Whether tesseract is installed."""
    return shutil.which("tesseract") is not None


def reads_text(
    array: ArrayLike,
    *,
    window: Window,
    rescale: tuple[float, float] = (1.0, 0.0),
    inverted: bool = False,
    timeout_s: float = 10.0,
    folder: Path | None = None,
) -> bool:
    """Whether tesseract reads a word in an image, bright on dark or dark on bright.

    Parameters
    ----------
    array : array_like, shape (rows, columns)
        Stored values.
    window, rescale, inverted
        As for `pixels.thumbnail`.
    timeout_s : float
        For each of the three to five runs.
    folder : Path, optional
        Where the picture lies while tesseract reads it; a process that is killed leaves it there, so give a folder
        that is swept. Default: a folder of this call's own below the system's temporary folder.

    Returns
    -------
    bool
        True if a word of four letters or digits was read with a confidence of `LEAST_CONFIDENCE`, or one of three with
        `LEAST_OF_THREE`.

    Raises
    ------
    Unreadable
        If tesseract is missing, fails, or takes longer than ``timeout_s``.
    """
    shown = grey(array, window=window, rescale=rescale, inverted=inverted)
    ends = list(_ends(np.asarray(array)))
    lines = (line for end in ends if (line := _line(end)) is not None)  # looked for only where the others read nothing
    return any(reads(_prepared(one), timeout_s, folder) for one in chain((~shown,), ends, lines))


def _ends(array: NDArray[Any]) -> Iterator[NDArray[np.uint8]]:
    """Yield what has the brightest, and what has the darkest value of an image, each black on white.

    Tesseract inverts by itself, but takes a body beside letters for a photograph and passes over both. Without the body
    it reads nearly twice as many.
    """
    low, high = float(array.min()), float(array.max())
    margin = _END_SHARE * (high - low)
    if high > low:
        yield np.where(array >= high - margin, 0, 255).astype(np.uint8)
        yield np.where(array <= low + margin, 0, 255).astype(np.uint8)


def _line(end: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Keep of one end only what may be letters of a line, or None if nothing may be.

    Letters across the edge of the body stand beside air of their own value: tesseract takes both for a photograph.
    """
    # Loaded where it is used, as pytesseract below.
    from scipy import ndimage
    from scipy.sparse import coo_array, csgraph
    from scipy.spatial import cKDTree

    marks, _ = ndimage.label(end == 0, np.ones((3, 3)))
    boxes = np.array([(y.start, y.stop, x.start, x.stop) for y, x in ndimage.find_objects(marks)]).reshape(-1, 4)
    height, width = boxes[:, 1] - boxes[:, 0], boxes[:, 3] - boxes[:, 2]
    largest = _LARGEST_SHARE * max(end.shape)
    kept = np.flatnonzero((height >= _LEAST_HEIGHT) & (height <= largest) & (width <= largest))
    if len(kept) < _LEAST_IN_LINE:
        return None
    # A tree, not a table of all pairs: noise of a large image has tens of thousands of them.
    one, other = cKDTree(boxes[kept, :2]).query_pairs(_OFF_LINE, p=np.inf, output_type="ndarray").T
    left, right = boxes[kept, 2], boxes[kept, 3]
    gap = np.maximum(left[one], left[other]) - np.minimum(right[one], right[other])
    beside = (gap >= -_OFF_LINE) & (gap <= _WIDEST_GAP * height[kept][one])
    table = coo_array((beside[beside], (one[beside], other[beside])), shape=(len(kept), len(kept)))
    _, line_of = csgraph.connected_components(table, directed=False)
    letters = kept[np.bincount(line_of)[line_of] >= _LEAST_IN_LINE]
    return np.where(np.isin(marks, letters + 1), 0, 255).astype(np.uint8) if len(letters) else None


def _prepared(shown: NDArray[np.uint8]) -> Image.Image:
    picture = Image.fromarray(shown)
    picture = picture.resize((picture.width * _SCALE, picture.height * _SCALE), Image.Resampling.BICUBIC)
    return ImageOps.expand(picture, _MARGIN, fill=int(np.median(shown)))


def reads(picture: Image.Image, timeout_s: float, folder: Path | None) -> bool:
    """Whether tesseract reads a word in one prepared picture; see `reads_text`."""
    # Loaded where it is used: it loads pandas, half a second of every program that only could read text.
    import pytesseract

    with _own_temporary_folder(folder):
        try:
            found: Mapping[str, list[Any]] = pytesseract.image_to_data(
                picture, lang="eng", config="--psm 11", output_type=pytesseract.Output.DICT, timeout=timeout_s
            )
        except pytesseract.TesseractNotFoundError:
            raise Unreadable("Text recognition is not installed on this machine.") from None
        except (RuntimeError, OSError):  # what it says may quote the image
            raise Unreadable("Text recognition failed or took too long.") from None
    return any(_is_word(str(text), float(sure)) for text, sure in zip(found["text"], found["conf"], strict=True))


def _is_word(text: str, confidence: float) -> bool:
    longest = max(map(len, _LETTERS.findall(text)), default=0)
    return confidence >= (LEAST_CONFIDENCE if longest > 3 else LEAST_OF_THREE) and longest >= 3


@contextmanager
def _own_temporary_folder(folder: Path | None) -> Iterator[None]:
    """Let pytesseract write picture and answer below a folder that is gone afterwards; it knows only the global one."""
    with _folder_lock, tempfile.TemporaryDirectory(dir=folder) as own:
        before, threads = tempfile.tempdir, os.environ.get("OMP_THREAD_LIMIT")
        tempfile.tempdir = own
        os.environ["OMP_THREAD_LIMIT"] = "1"  # its threads only get in each other's way on pictures of this size
        try:
            yield
        finally:
            tempfile.tempdir = before
            if threads is None:
                del os.environ["OMP_THREAD_LIMIT"]
            else:
                os.environ["OMP_THREAD_LIMIT"] = threads
