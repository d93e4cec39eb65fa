"""Image panels: key images at print resolution, with arrows, letters, the patient's sides and a scale bar."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analytics.figures.sheet import DPI, MM, POINT, Format, Sheet, saved, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Arrow", "Layout", "Line", "Shot", "compose", "thumbnail"]

GAP, EDGE = 1.2, 1.8  # mm between images, from an image's edge to its letters
LETTER, SIDE = 9.0, 7.0  # points
LENGTHS = (1, 2, 5, 10, 20, 50, 100)  # mm a scale bar may stand for
BAR_SHARE = 0.34  # of an image's width at most
REACH = 7.0  # mm of paper from an arrow's tip to its tail, where only the tip is known
THUMB = 150
TALLEST = 240.0  # mm of a printed page; a longer figure would take gigabytes and fit no journal


@dataclass(frozen=True)
class Arrow:
    """Where an arrow points to and from where, in pixels of the image; a letter may stand at its tail."""

    tip: tuple[float, float]
    tail: tuple[float, float] | None = None
    letter: str = ""


@dataclass(frozen=True)
class Line:
    """A drawn line through points, in pixels of the image."""

    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Shot:
    """One image of a panel: values with their window, the part that is shown, and what is drawn on it.

    Attributes
    ----------
    centre, height_mm
        Of the square part that is shown, in pixels and in millimetres of the patient; None for the whole image.
    letters
        Left, right, top, bottom.
    """

    values: NDArray[np.float32]
    sampled_mm: tuple[float, float]
    window: tuple[float, float]
    inverted: bool = False
    letters: tuple[str, str, str, str] = ("", "", "", "")
    centre: tuple[float, float] | None = None
    height_mm: float | None = None
    arrows: tuple[Arrow, ...] = ()
    lines: tuple[Line, ...] = ()

    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the square that is shown, in pixels whose edges are whole numbers."""
        rows, columns = self.values.shape
        down, across = self.sampled_mm
        side = self.height_mm or max(rows * down, columns * across)
        x, y = self.centre or ((columns - 1) / 2, (rows - 1) / 2)
        half = side / 2
        return x + 0.5 - half / across, y + 0.5 - half / down, x + 0.5 + half / across, y + 0.5 + half / down


@dataclass(frozen=True)
class Layout:
    """How a panel is laid out: width of the print in millimetres, images a row, and what is drawn beside the images.

    There are more images a row than asked for where the figure would not fit on one page.
    """

    width: float = 170.0
    columns: int = 2
    panel_letters: bool = True
    side_letters: bool = True
    scale: bool = True

    def grid(self, images: int) -> tuple[int, int, float]:
        """Give the columns and rows for so many images, and the side of each in millimetres."""
        for columns in range(max(1, min(self.columns, images)), max(images, 1) + 1):
            side = (self.width - GAP * (columns - 1)) / columns
            rows = math.ceil(images / columns)
            if rows * side + GAP * (rows - 1) <= TALLEST:
                break
        return columns, rows, side


def shown(shot: Shot, pixels: int) -> NDArray[np.uint8]:
    """Give the part of a slice in so many pixels square: interpolated between values, then windowed."""
    from PIL import Image

    rows, columns = shot.values.shape
    box = shot.box()
    # Beyond the image there is air: a margin of its least value, so that a part over the edge is no error.
    margin = math.ceil(max(0.0, -box[0], -box[1], box[2] - columns, box[3] - rows))
    padded = np.pad(shot.values, margin, constant_values=shot.values.min()) if margin else shot.values
    moved = tuple(edge + margin for edge in box)
    fine = Image.fromarray(padded).resize((pixels, pixels), Image.Resampling.BICUBIC, box=moved)
    width, level = max(shot.window[0], 1.0), shot.window[1]
    grey = np.clip((np.asarray(fine) - (level - 0.5)) / max(width - 1, 1e-6) + 0.5, 0, 1) * 255
    return np.rint(255 - grey if shot.inverted else grey).astype(np.uint8)


def thumbnail(shot: Shot) -> bytes:
    """Draw a small PNG of the part that is shown, without drawings."""
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(shown(shot, THUMB)).save(out, "PNG")
    return out.getvalue()


def compose(shots: Sequence[Shot], layout: Layout, format: Format, *, dpi: int = DPI) -> bytes:
    """Lay images out as one figure.

    Parameters
    ----------
    shots : sequence of Shot
        In the order of their letters A, B, C ...
    layout : Layout
        Width of the print and what stands on the images.
    format : {"svg", "pdf", "png", "tiff"}
        Images have ``dpi`` pixels an inch in each of them; letters and arrows are drawn, not pixels, in SVG and PDF.
    dpi : int
        600 for print; less for a preview.

    Returns
    -------
    bytes
        The same images and layout give the same bytes.
    """
    columns, rows, side = layout.grid(len(shots))
    with style():
        sheet = Sheet(layout.width, rows * side + GAP * (rows - 1))
        for place, shot in enumerate(shots):
            left, top = place % columns * (side + GAP), place // columns * (side + GAP)
            axes = sheet.axes(left, top, side, side, bare=True)
            axes.set(xlim=(0, side), ylim=(side, 0))
            # Whole pixels of the print, each drawn as it is.
            grey = shown(shot, round(side * MM * dpi))
            axes.imshow(grey, cmap="gray", vmin=0, vmax=255, extent=(0, side, side, 0), interpolation="none")
            _drawn(axes, shot, side)
            _written(axes, shot, side, layout, chr(ord("A") + place) if len(shots) > 1 else "")
        return saved(sheet, format, dpi=dpi)


def _outlined(thick: float = 1.6) -> dict[str, Any]:
    """White with a dark rim: seen on bright and on dark tissue."""
    from matplotlib.patheffects import Normal, Stroke

    return {"path_effects": [Stroke(linewidth=thick, foreground="black"), Normal()]}


def _placed(shot: Shot, side: float, point: tuple[float, float]) -> tuple[float, float]:
    """Turn pixels of the image into millimetres of the print."""
    left, top, right, bottom = shot.box()
    return (point[0] + 0.5 - left) / (right - left) * side, (point[1] + 0.5 - top) / (bottom - top) * side


def _drawn(axes: Axes, shot: Shot, side: float) -> None:
    for line in shot.lines:
        xs, ys = zip(*(_placed(shot, side, point) for point in line.points), strict=True)
        axes.plot(xs, ys, color="white", lw=0.9, solid_capstyle="round", **_outlined(2.0))
    for arrow in shot.arrows:
        tip = _placed(shot, side, arrow.tip)
        tail = _placed(shot, side, arrow.tail) if arrow.tail else (tip[0] - REACH * 0.7, tip[1] + REACH * 0.7)
        tail = _at_least(tip, tail)
        how = {"arrowstyle": "simple,head_length=0.75,head_width=0.65,tail_width=0.2", "mutation_scale": 9.0,
               "fc": "white", "ec": "black", "lw": 0.5, "shrinkA": 0.0, "shrinkB": 0.0}  # fmt: skip
        axes.annotate("", xy=tip, xytext=tail, arrowprops=how, annotation_clip=False)
        if arrow.letter:
            away = math.hypot(tail[0] - tip[0], tail[1] - tip[1]) or 1
            x, y = (tail[k] + (tail[k] - tip[k]) / away * SIDE * POINT * 0.8 for k in (0, 1))
            axes.text(
                x, y, arrow.letter, color="white", fontsize=SIDE, weight="bold", ha="center", va="center", **_outlined()
            )


def _at_least(tip: tuple[float, float], tail: tuple[float, float]) -> tuple[float, float]:
    """Keep an arrow long enough to be seen as one in print."""
    x, y = tail[0] - tip[0], tail[1] - tip[1]
    long = math.hypot(x, y)
    if long >= REACH / 2 or not long:
        return tail
    return tip[0] + x / long * REACH / 2, tip[1] + y / long * REACH / 2


def _written(axes: Axes, shot: Shot, side: float, layout: Layout, letter: str) -> None:
    if layout.panel_letters and letter:
        axes.text(
            EDGE, EDGE, letter, color="white", fontsize=LETTER, weight="bold", ha="left", va="top", **_outlined(2.0)
        )
    if layout.side_letters:
        middle, far = side / 2, side - EDGE
        spots = ((EDGE, middle), (far, middle), (middle, EDGE), (middle, far))
        anchors = (("left", "center"), ("right", "center"), ("center", "top"), ("center", "bottom"))
        for words, (x, y), (ha, va) in zip(shot.letters, spots, anchors, strict=True):
            axes.text(x, y, words, color="white", fontsize=SIDE, ha=ha, va=va, **_outlined())
    if layout.scale:
        _scale(axes, shot, side)


def _scale(axes: Axes, shot: Shot, side: float) -> None:
    """Draw a bar of a round length of the patient at the lower right."""
    box = shot.box()
    wide = (box[2] - box[0]) * shot.sampled_mm[1]
    length = max([one for one in LENGTHS if one <= BAR_SHARE * wide], default=LENGTHS[0])
    printed, far = length / wide * side, side - EDGE
    axes.plot([far - printed, far], [far, far], color="white", lw=1.6, solid_capstyle="butt", **_outlined(2.8))
    about: dict[str, Any] = {"color": "white", "fontsize": SIDE - 1, "ha": "center", "va": "bottom"}
    axes.text(far - printed / 2, far - 1.1, f"{length} mm", **about, **_outlined())
