"""Cut-outs of slices as the reading room shows them: window of the series, side letters, a bar of millimetres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from annotation.phantom import PhantomSeries

Vector = NDArray[np.float64]
INK, PAPER = 235, 0
GAP_PX = 6
LETTERS = (("L", "R"), ("P", "A"), ("H", "F"))


@dataclass(frozen=True)
class View:
    """What is cut out of one slice: around a point (LPS mm), its size in mm, how large, under which heading."""

    series: PhantomSeries
    index: int
    centre: Vector
    size_mm: tuple[float, float]
    zoom: float
    title: str = ""
    window: tuple[float, float] | None = None


def letter(direction: tuple[float, float, float] | Vector) -> str:
    """The letter of the body side to which a direction points most."""
    along = np.asarray(direction, dtype=float)
    axis = int(np.argmax(np.abs(along)))
    return LETTERS[axis][0 if along[axis] > 0 else 1]


def nearest(series: PhantomSeries, point_lps_mm: Vector, count: int = 1) -> list[int]:
    """Indices of the slices nearest to a point, those of the best fitting block only, in the order of the series."""
    off = np.array([plane.pixel(point_lps_mm)[2] for plane in series.planes])
    normals = np.array([np.cross(plane.row_lps, plane.column_lps) for plane in series.planes])
    # blocks of tilted slices cross far behind the spine: a slice counts only where its middle is near as well
    middles = np.array(
        [
            np.asarray(plane.position_lps_mm)
            + (plane.rows - 1) / 2 * plane.spacing_rc_mm[0] * np.asarray(plane.column_lps)
            + (plane.columns - 1) / 2 * plane.spacing_rc_mm[1] * np.asarray(plane.row_lps)
            for plane in series.planes
        ]
    )
    far = np.abs(np.einsum("ij,ij->i", middles - point_lps_mm, normals))
    best = int(np.argmin(np.abs(off) + 0.01 * far))
    same = np.abs(normals @ normals[best]) > 0.9999
    order = np.argsort(np.where(same, np.abs(off), np.inf), kind="stable")[:count]
    return sorted(int(i) for i in order)


def spot(view: View, point_lps_mm: Vector) -> tuple[float, float]:
    """Where in the tile of a view a point of the patient lies."""
    plane = view.series.planes[view.index]
    row, column, _ = plane.pixel(point_lps_mm)
    middle_row, middle_column, _ = plane.pixel(view.centre)
    across, down = (column - middle_column) * plane.spacing_rc_mm[1], (row - middle_row) * plane.spacing_rc_mm[0]
    return (across + view.size_mm[0] / 2) * view.zoom, (down + view.size_mm[1] / 2) * view.zoom


def tile(view: View) -> Image.Image:
    """Draw one view."""
    series, plane = view.series, view.series.planes[view.index]
    values = series.pixels[view.index].astype(np.float32) * series.rescale[0] + series.rescale[1]
    width, level = view.window or series.window
    grey = np.clip((values - level + width / 2) / width, 0.0, 1.0)
    row, column, _ = plane.pixel(view.centre)
    high, wide = (view.size_mm[1] / plane.spacing_rc_mm[0], view.size_mm[0] / plane.spacing_rc_mm[1])
    pad = int(max(high, wide)) + 2
    padded = np.pad(grey, pad)
    picture = Image.fromarray((padded * 255.0 + 0.5).astype(np.uint8))
    box = (
        column + 0.5 + pad - wide / 2, row + 0.5 + pad - high / 2,
        column + 0.5 + pad + wide / 2, row + 0.5 + pad + high / 2,
    )  # fmt: skip
    size = (round(view.size_mm[0] * view.zoom), round(view.size_mm[1] * view.zoom))
    cut = picture.resize(size, Image.Resampling.BICUBIC, box=_inside(box, picture.size))
    _mark(cut, plane.row_lps, plane.column_lps, view)
    return cut


def _inside(box: tuple[float, float, float, float], size: tuple[int, int]) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    return max(0.0, left), max(0.0, top), min(float(size[0]), right), min(float(size[1]), bottom)


def _mark(cut: Image.Image, row: tuple[float, ...], column: tuple[float, ...], view: View) -> None:
    """Letters at the four edges, the heading, a bar of 10 or 20 mm with a tick every 5."""
    pen = ImageDraw.Draw(cut)
    font = ImageFont.load_default(15)
    wide, high = cut.size
    along, down = np.asarray(row), np.asarray(column)
    for text, spot, anchor in (
        (letter(-along), (4, high // 2), "lm"), (letter(along), (wide - 4, high // 2), "rm"),
        (letter(-down), (wide // 2, 3), "ma"), (letter(down), (wide // 2, high - 4), "mb"),
    ):  # fmt: skip
        pen.text(spot, text, fill=INK, font=font, anchor=anchor, stroke_width=1, stroke_fill=PAPER)
    pen.text((4, 3), view.title, fill=INK, font=ImageFont.load_default(13), anchor="la", stroke_width=1,
             stroke_fill=PAPER)  # fmt: skip
    length_mm = 20 if view.size_mm[0] > 75 else 10
    end, bottom = 6 + length_mm * view.zoom, high - 8
    pen.line((6, bottom, end, bottom), fill=INK, width=2)
    for mm in range(0, length_mm + 1, 5):
        pen.line((6 + mm * view.zoom, bottom - 5, 6 + mm * view.zoom, bottom), fill=INK, width=1)
    pen.text((end + 4, bottom + 2), f"{length_mm} mm", fill=INK, font=ImageFont.load_default(12), anchor="ls",
             stroke_width=1, stroke_fill=PAPER)  # fmt: skip


def montage(rows: list[list[Image.Image]], heading: str = "") -> Image.Image:
    """Tiles in rows on black."""
    top = 24 if heading else 0
    wide = max(sum(cut.width + GAP_PX for cut in row) for row in rows) - GAP_PX
    high = sum(max(cut.height for cut in row) + GAP_PX for row in rows) - GAP_PX + top
    sheet = Image.new("L", (wide, high), PAPER)
    if heading:
        ImageDraw.Draw(sheet).text((6, 4), heading, fill=INK, font=ImageFont.load_default(16))
    y = top
    for row in rows:
        x = 0
        for cut in row:
            sheet.paste(cut, (x, y))
            x += cut.width + GAP_PX
        y += max(cut.height for cut in row) + GAP_PX
    return sheet
