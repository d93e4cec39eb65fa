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
        For each of the three runs.
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
    return any(reads(_prepared(one), timeout_s, folder) for one in (~shown, *_ends(np.asarray(array))))


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
