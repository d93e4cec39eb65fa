"""A figure as a sheet of paper: placed in millimetres, type readable at print size, saved as equal bytes."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

__all__ = ["FORMATS", "FULL", "HALF", "Format", "Sheet", "saved", "style", "width_of", "wrapped"]

Format = Literal["svg", "pdf", "png", "tiff"]
FORMATS: tuple[Format, ...] = get_args(Format)
HALF, FULL = 85.0, 170.0  # widths of one and of two columns of a journal, mm
DPI = 600
MM = 1 / 25.4  # inch
POINT = 25.4 / 72  # mm
SMALL, TYPE, HEAD = 6.0, 7.0, 8.0  # points
LEADING = 1.22  # line height, of the type's size
INK, SOFT, LINE, PALE = "#1b1e23", "#4d545e", "#c4c9d0", "#eef0f3"
FAMILY = "DejaVu Sans"  # comes with matplotlib, so every machine has the same
STYLE: dict[str, Any] = {
    "font.family": FAMILY,
    "font.size": TYPE,
    "axes.labelsize": TYPE,
    "axes.linewidth": 0.6,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.labelpad": 2.5,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.2,
    "ytick.major.size": 2.2,
    "text.color": INK,
    "hatch.linewidth": 0.5,
    "lines.linewidth": 1.2,
    "svg.hashsalt": "spondy",
    "svg.fonttype": "path",  # letters as outlines: the same on every machine, whatever fonts it has
    "pdf.fonttype": 42,  # whole TrueType fonts, as journals ask for
}
METADATA: dict[Format, dict[str, Any]] = {
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
    "tiff": {},
}
# A figure is mostly white: a quick level packs it nearly as well as the best one.
PACKING: dict[Format, dict[str, Any]] = {
    "png": {"compress_level": 3},
    "tiff": {"compression": "tiff_lzw"},
}
_ONE_AT_A_TIME = threading.RLock()  # matplotlib's settings are the process's


@contextmanager
def style() -> Iterator[None]:
    """Draw with the program's own settings, whatever the machine's matplotlib is set to."""
    import matplotlib

    ours: dict[Any, Any] = {k: v for k, v in matplotlib.rcParamsDefault.items() if not k.startswith("backend")}
    with _ONE_AT_A_TIME, matplotlib.rc_context(ours | STYLE):
        yield


@cache
def width_of(text: str, size: float = TYPE, *, bold: bool = False) -> float:
    """Measure a line of text in millimetres."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextToPath

    font = FontProperties(family=FAMILY, size=size, weight="bold" if bold else "normal")
    return float(TextToPath().get_text_width_height_descent(text, font, ismath=False)[0]) * POINT


def wrapped(text: str, width: float, size: float = TYPE) -> list[str]:
    """Break a text into lines of at most ``width`` millimetres; a longer word stands alone."""
    lines: list[str] = []
    for word in text.split(" "):  # never at a space that must not break
        if lines and width_of(f"{lines[-1]} {word}", size) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines or [""]


class Sheet:
    """A figure whose parts are placed in millimetres from its left and upper edge."""

    def __init__(self, width: float, height: float) -> None:
        # A figure of its own, never pyplot: no state is left behind, and threads do not meet.
        from matplotlib.figure import Figure

        self.width, self.height = width, height
        self.figure: Figure = Figure(figsize=(width * MM, height * MM))

    def axes(self, left: float, top: float, width: float, height: float, *, bare: bool = False) -> Axes:
        """Add axes; ``bare`` ones have no frame, no ticks, and millimetres of the sheet as their scale."""
        place = (left / self.width, 1 - (top + height) / self.height, width / self.width, height / self.height)
        axes = self.figure.add_axes(place)
        if bare:
            axes.set(xlim=(left, left + width), ylim=(top + height, top))
            axes.axis("off")
        else:
            axes.spines[["top", "right"]].set_visible(False)
        return axes

    def text(self, x: float, y: float, text: str, *, size: float = TYPE, **more: Any) -> Text:
        """Write at a place of the sheet; by default ``y`` is the middle of the line."""
        kept: dict[str, Any] = {"ha": "left", "va": "center", "linespacing": LEADING, **more}
        return self.figure.text(x / self.width, 1 - y / self.height, text, fontsize=size, **kept)

    def block(self, x: float, y: float, lines: list[str], *, size: float = TYPE, **more: Any) -> None:
        """Write lines under one another, centred on ``y``."""
        step = size * LEADING * POINT
        for number, line in enumerate(lines):
            self.text(x, y + (number - (len(lines) - 1) / 2) * step, line, size=size, **more)

    def rule(self, y: float, left: float, right: float, **more: Any) -> None:
        """Draw a horizontal line."""
        from matplotlib.lines import Line2D

        kept: dict[str, Any] = {"color": INK, "lw": 0.6, **more}
        place = 1 - y / self.height
        self.figure.add_artist(Line2D([left / self.width, right / self.width], [place, place], **kept))


def saved(sheet: Sheet, format: Format, title: str = "", *, dpi: int = DPI) -> bytes:
    """Write a sheet as a file; the same sheet gives the same bytes. Pictures inside have ``dpi`` pixels an inch."""
    target = io.BytesIO()
    about: dict[str, Any] = dict(METADATA[format])
    if title and format != "tiff":
        about["Title"] = title
    pixels: dict[str, Any] = {"dpi": dpi}
    if format in PACKING:
        pixels["pil_kwargs"] = PACKING[format]
    sheet.figure.savefig(target, format=format, metadata=about if format != "tiff" else None, **pixels)
    return target.getvalue()
