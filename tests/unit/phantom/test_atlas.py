"""The atlas of grades is whole, small, of nobody that is read, and what the phantom draws today."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from annotation.phantom.cohort import drawn
from annotation.protocol.scales import Continuous
from spondy.demo.reference import Cohort
from spondy.demo.sheet import atlas, contact
from tests.unit.protocol.cases import SPINE

FOLDER = Path(__file__).parents[3] / "static" / "atlas"
MANIFEST = json.loads((FOLDER / atlas.MANIFEST).read_text(encoding="utf-8"))
BUDGET = 600_000
BLOCK_PX = 12
SAME_GREY = 15
"""Another seed of the noise moves a block's mean by less; another grade moves some block by more than 45."""
FINDINGS = [item for item in SPINE.items if not item.support]


def kept(item: str, code: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = MANIFEST["items"][item][code]
    return found


def test_each_level_of_each_finding_has_its_own_pictures() -> None:
    for item in FINDINGS:
        levels = [atlas.FIGURE] if isinstance(item.scale, Continuous) else [str(one.code) for one in item.scale.levels]
        assert set(MANIFEST["items"][item.code]) == set(levels), item.code
    entries = [one for levels in MANIFEST["items"].values() for pictures in levels.values() for one in pictures]
    files = {one["file"] for one in entries}
    assert {path.name for path in FOLDER.iterdir()} == files | {atlas.MANIFEST}, "nothing of before lies about"
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < BUDGET
    for one in entries:
        content = (FOLDER / one["file"]).read_bytes()
        assert one["file"].endswith(f"-{hashlib.sha256(content).hexdigest()[:8]}.webp"), one["file"]
        with Image.open(FOLDER / one["file"]) as picture:
            colours = np.asarray(picture.convert("RGB"), dtype=int)
            assert (picture.width, picture.height) == (one["width"], one["height"])
        assert np.abs(colours - colours.mean(axis=2, keepdims=True)).max() < 2, "grey"


def test_no_case_that_is_read_can_be_a_picture_of_the_atlas() -> None:
    seeds = [drawn(index, seed)[3] for seed in (1, 77) for index in range(60)]
    seeds += [one.image_seed for one in Cohort(5, cases=24).patients.values()]
    assert max(seeds) < 2**31 < atlas.SEED
    assert MANIFEST["seed"] == atlas.SEED


def test_what_is_planted_in_the_pictures_is_what_would_be_planted_today() -> None:
    rows = {row.name: row for row in contact.rows()}
    assert MANIFEST["plain"] == json.loads(json.dumps(contact.plain().to_json()))
    assert MANIFEST["planted"] == {name: atlas.planted(rows[name]) for name in MANIFEST["planted"]}
    for plate in atlas.plates():
        titles = {one["title"]: one["case"] for one in kept(plate.item, plate.code)}
        assert titles[plate.title] == f"{plate.row}: {plate.grade}"


def blocks(picture: NDArray[Any]) -> NDArray[np.float64]:
    high, wide = (size // BLOCK_PX for size in picture.shape)
    cut = picture[: high * BLOCK_PX, : wide * BLOCK_PX].astype(float)
    return np.asarray(cut.reshape(high, BLOCK_PX, wide, BLOCK_PX).mean(axis=(1, 3)))


@pytest.mark.parametrize(("item", "code"), [("meyerding", "1"), ("bartynski", "2"), ("contrast_pattern", "3")])
def test_a_picture_is_what_the_phantom_draws_today(item: str, code: str) -> None:
    """One of each kind of scan; `phantom_sheet --publish` draws all of them anew."""
    plate = next(one for one in atlas.plates() if (one.item, one.code) == (item, code))
    row = next(row for row in contact.rows() if row.name == plate.row)
    case = contact.case_of(row, plate.grade, seed=atlas.SEED, size=atlas.SIZE)
    today = blocks(np.asarray(atlas.picture(plate, case)))
    with Image.open(FOLDER / kept(item, code)[0]["file"]) as shipped:
        off = np.abs(today - blocks(np.asarray(shipped.convert("L"))))
    assert off.max() < SAME_GREY, "The atlas is older than the phantom: manage.py phantom_sheet --publish"
