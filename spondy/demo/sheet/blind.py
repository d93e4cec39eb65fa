"""Cases to grade without knowing what was planted: pictures here, the planted grades somewhere else."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from annotation.phantom import Phantom, Truth, build, draw

from . import places
from .tiles import montage, tile

SIDES = ("right", "left")
SEGMENTS = ("L1/2", "L2/3", "L3/4", "L4/5", "L5/S1")
SAGITTAL = ("SAG_T2", "SAG_T1", "SAG_STIR")
CYSTS = 0.35
SLIP_SHARES = (0.20, 0.25, 0.20, 0.15, 0.10, 0.10)


def random_truth(rng: np.random.Generator) -> Truth:
    """Every grade of every finding about equally often (worn discs more so), sides and findings independent."""
    meyerding = int(rng.choice(6, p=SLIP_SHARES))
    level = "L5" if meyerding > 3 else str(rng.choice(["L5", "L4", "L3"], p=[0.7, 0.2, 0.1]))
    plain = replace(draw(rng), level=level)
    discs = _discs(rng, plain.index_segment, meyerding)
    modic = int(rng.integers(0, 2))
    weishaupt = _pair(rng, 0, 4)
    affected = {name for name, grade in discs.items() if grade >= 4}
    if modic or max(weishaupt) >= 2:
        affected.add(plain.index_segment)
    return replace(
        plain,
        slip_mm=_slip(rng, meyerding, plain.endplate_mm),
        pfirrmann_by_segment=discs,
        segment_degeneration=int(len(affected) >= 2),
        modic_type1=modic,
        contrast_pattern=_pair(rng, 1, 4),
        weishaupt=weishaupt,
        bartynski=_pair(rng, 0, 4),
        lee=_pair(rng, 0, 4),
        isthmic_bme=_pair(rng, 0, 2),
        edema=_pair(rng, 0, 2),
        cyst=(int(rng.random() < CYSTS), int(rng.random() < CYSTS)),
        confounders=_lookalikes(rng, modic),
    )


def _pair(rng: np.random.Generator, low: int, beyond: int) -> tuple[int, int]:
    return int(rng.integers(low, beyond)), int(rng.integers(low, beyond))


def _slip(rng: np.random.Generator, meyerding: int, endplate_mm: float) -> float:
    """A slip well within its grade: at a border no reader can be right."""
    return 0.0 if meyerding == 0 else round((meyerding - 1 + float(rng.uniform(0.2, 0.8))) * 0.25 * endplate_mm, 1)


def _discs(rng: np.random.Generator, index: str, meyerding: int) -> dict[str, int]:
    """Half of the spines have healthy discs beside the index."""
    healthy = rng.random() < 0.5
    discs = {name: 2 if healthy else int(rng.integers(1, 5)) for name in SEGMENTS}
    # no disc stays whole below a slip of more than half a vertebra
    discs[index] = int(rng.integers(4 if meyerding > 2 else 1, 6))
    return discs


def _lookalikes(rng: np.random.Generator, modic: int) -> tuple[str, ...]:
    found = [name for name in ("schmorl", "haemangioma", "effusion") if rng.random() < 0.2]
    if not modic and rng.random() < 0.5:
        found.append(str(rng.choice(["modic_2", "modic_3"])))
    return tuple(found)


def answers(truth: Truth) -> list[tuple[str, str, float]]:
    """Item, side and planted grade, one line for everything that is graded."""
    found: list[tuple[str, str, float]] = [
        ("pfirrmann", "", truth.pfirrmann), ("modic_type1", "", truth.modic_type1),
        ("segment_degeneration", "", truth.segment_degeneration),
        ("slip_mm", "", truth.slip_mm), ("meyerding", "", truth.meyerding),
    ]  # fmt: skip
    for name in ("weishaupt", "bartynski", "lee", "isthmic_bme", "edema", "cyst", "contrast_pattern"):
        found += [(name, side, value) for side, value in zip(SIDES, getattr(truth, name), strict=True)]
    return found


def pages(case: Phantom) -> dict[str, Image.Image]:
    """The sheets a reader needs; nothing on them tells what was planted."""
    found = {
        "1-midline": montage([[tile(places.midline(case, role)) for role in SAGITTAL]]),
        "2-beside-midline": montage(
            [[tile(places.midline(case, role, shift, zoom=3.0)) for role in SAGITTAL] for shift in (-1, 1)]
        ),
        "3-index-disc": montage([[tile(places.middle_cut(case, role, zoom=6.4)) for role in SAGITTAL]]),
        "6-axial-t2": montage(_two([tile(view) for view in places.axial(case)])),
        "9-axial-t2-close": montage(_two([tile(places.joints(view)) for view in places.axial(case)])),
    }
    for number, side in ((4, "right"), (5, "left")):
        found[f"{number}-sagittal-{side}"] = montage(
            [[tile(view) for view in places.parasagittal(case, role, side)] for role in SAGITTAL]
        )
        foramen = [places.close(view) for role in SAGITTAL[:2] for view in places.parasagittal(case, role, side)]
        cuts = [tile(view) for view in foramen]
        found[f"{number + 6}-foramen-{side}"] = montage([cuts[: len(cuts) // 2], cuts[len(cuts) // 2 :]])
    for number, side in ((7, "right"), (8, "left")):
        views = [places.ct(case, "CT_PRE", side), places.ct(case, "CT_POST", side),
                 places.ct(case, "CT_POST", side, window=places.WIDE)]  # fmt: skip
        found[f"{number}-ct-{side}"] = montage([[tile(view) for view in row] for row in views])
    return found


def _two(cuts: list[Image.Image]) -> list[list[Image.Image]]:
    return [cuts[i : i + 2] for i in range(0, len(cuts), 2)]


def write_blind(folder: Path, truth_file: Path, *, cases: int, seed: int, size: str) -> None:
    """Write ``cases`` folders of pictures, and what was planted into a file that lies elsewhere."""
    if folder.resolve() in truth_file.resolve().parents:
        raise ValueError("The planted grades may not lie beside the pictures.")
    rows = []
    for index in range(cases):
        name = f"case-{index + 1:02d}"
        truth = random_truth(np.random.default_rng([seed, index]))
        case = build(truth, seed=int(np.random.default_rng([seed, index, 1]).integers(0, 2**31)), size=size)
        (folder / name).mkdir(parents=True, exist_ok=True)
        for page, picture in pages(case).items():
            picture.save(folder / name / f"{page}.png", compress_level=3)
        level = f"The lytic vertebra is {truth.level}; grade the segment {truth.index_segment}.\n"
        (folder / name / "level.txt").write_text(level, encoding="utf-8")
        rows += [(name, item, side, f"{value:g}") for item, side, value in answers(truth)]
    truth_file.parent.mkdir(parents=True, exist_ok=True)
    with truth_file.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("case", "item", "side", "grade"))
        writer.writerows(rows)
