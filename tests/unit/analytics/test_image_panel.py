"""The drawing of an image panel: geometry, interpolation and order, on pictures made for it."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from analytics.figures.panel import Arrow, Layout, Shot, compose, shown

BARE = Layout(width=85, columns=1, panel_letters=False, side_letters=False, scale=False)


def _shot() -> Shot:
    """Rows twice as far apart as columns; one bright pixel at column 20, row 5."""
    values = np.zeros((20, 40), dtype=np.float32)
    values[5, 20] = 100
    return Shot(values, (2.0, 1.0), (101.0, 50.0), letters=("R", "L", "A", "P"))


def _pixels(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(Image.open(io.BytesIO(data)).convert("L"))


def test_a_pixel_lies_where_it_lies_in_the_patient() -> None:
    grey = shown(_shot(), 400)  # 40 mm by 40 mm: ten pixels of print a millimetre
    rows, columns = np.nonzero(grey > 128)
    assert columns.mean() + 0.5 == pytest.approx(205, abs=1)
    assert rows.mean() + 0.5 == pytest.approx(110, abs=1)


def test_the_part_shown_is_its_centre_and_height_and_may_reach_over_the_edge() -> None:
    part = replace(_shot(), centre=(20, 5), height_mm=10)
    rows, columns = np.nonzero(shown(part, 100) > 128)
    assert (columns.mean() + 0.5, rows.mean() + 0.5) == pytest.approx((50, 50), abs=1)
    over = shown(replace(_shot(), centre=(0, 0), height_mm=30), 90)
    assert over.shape == (90, 90)
    assert over[:10].max() <= 1


def test_values_are_interpolated_before_the_window_and_inverted_after_it() -> None:
    ramp = np.tile(np.array([0, 100], dtype=np.float32), (2, 1))
    shot = Shot(ramp, (1.0, 1.0), (101.0, 50.0))
    grey = shown(shot, 64)
    assert len(np.unique(grey[32])) > 20, "steps between the two values"
    assert (
        np.array_equal(shown(replace(shot, inverted=True), 64), 255 - grey)
        or np.abs(shown(replace(shot, inverted=True), 64).astype(int) - (255 - grey.astype(int))).max() <= 1
    )


def test_an_arrow_ends_at_its_tip_and_the_scale_is_true() -> None:
    dark = replace(_shot(), values=np.zeros((20, 40), dtype=np.float32), window=(101.0, 60.0))
    made = _pixels(compose([replace(dark, arrows=(Arrow((30.0, 10.0), (20.0, 10.0)),))], BARE, "png", dpi=150))
    side = made.shape[0]
    bright = np.nonzero(made > 200)[1]
    assert bright.max() / side == pytest.approx(30.5 / 40, abs=0.02)
    scaled = _pixels(compose([dark], replace(BARE, scale=True), "png", dpi=150))
    row = scaled[round(side * (1 - 1.8 / 85))]
    assert (row > 200).sum() / side * 40 == pytest.approx(10, abs=0.4), "ten millimetres of the patient"


def test_images_stand_in_their_order_and_several_have_letters() -> None:
    white = Shot(np.full((10, 10), 1000, dtype=np.float32), (1.0, 1.0), (10.0, 5.0))
    black = replace(white, values=np.zeros((10, 10), dtype=np.float32))
    made = _pixels(compose([white, black, black], replace(BARE, columns=2), "png", dpi=100))
    half = made.shape[1] // 2
    assert made[half // 2, half // 2] == 255
    assert made[half // 2, half + half // 2] == 0
    assert made.shape[0] == pytest.approx(made.shape[1], abs=2), "two rows of two"
    lettered = _pixels(compose([black, black], replace(BARE, columns=2, panel_letters=True), "png", dpi=100))
    assert (lettered[:, : half // 2] > 200).any()
    alone = _pixels(compose([black], replace(BARE, panel_letters=True), "png", dpi=100))
    assert not (alone > 200).any(), "one image needs no letter"


@pytest.mark.parametrize("width", [85.0, 170.0])
@pytest.mark.parametrize("asked", [1, 2, 4])
def test_no_choice_of_images_is_longer_than_a_page(width: float, asked: int) -> None:
    for images in range(1, 13):
        columns, rows, side = Layout(width=width, columns=asked).grid(images)
        assert rows * side + 1.2 * (rows - 1) <= 240
        assert columns * rows >= images > columns * (rows - 1)
        assert columns * side + 1.2 * (columns - 1) == pytest.approx(width)
    assert Layout(width=width, columns=asked).grid(asked)[0] == asked, "what fits is left as it was asked for"


def test_more_images_a_row_are_drawn_where_one_page_would_not_do() -> None:
    black = Shot(np.zeros((10, 10), dtype=np.float32), (1.0, 1.0), (10.0, 5.0))
    made = _pixels(compose([black] * 12, replace(BARE, width=170), "png", dpi=30))
    assert made.shape[0] <= 240 / 25.4 * 30 + 1
