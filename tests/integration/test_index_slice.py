"""An axial series in blocks, one a disc, opens at the index disc."""

from __future__ import annotations

import pytest

from annotation.models import Series
from annotation.room.stacks import _index_slice


def series(*blocks: int, plane: str = "axial") -> Series:
    return Series(parameters={"blocks": list(blocks), "plane": plane})


@pytest.mark.parametrize(("below", "slice_"), [(0, 10), (1, 6), (2, 2)])
def test_the_lowest_block_is_the_lowest_segment(below: int, slice_: int) -> None:
    assert _index_slice(series(4, 4, 4), below) == slice_


def test_blocks_of_unlike_size_are_counted() -> None:
    assert _index_slice(series(3, 5, 2), 1) == 3 + 2


@pytest.mark.parametrize(
    ("one", "below"),
    [
        (series(12), 0),  # one block through all segments says nothing about discs
        (series(4, 4), 2),  # no block so high
        (series(4, 4, 4), None),  # the study does not tell the level
        (series(4, 4, 4, plane="sagittal"), 0),
        (Series(parameters={}), 0),
    ],
)
def test_where_it_is_not_known_nothing_is_said(one: Series, below: int | None) -> None:
    assert _index_slice(one, below) is None
