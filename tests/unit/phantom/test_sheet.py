"""The blind set gives nothing away and knows its grades; the score is agreement with what was planted."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from annotation.phantom import build
from annotation.phantom.scan import SIZES
from spondy.demo.sheet import blind, confusions, contact, places, score, write_blind
from spondy.demo.sheet.tiles import letter, nearest, tile


def test_every_grade_occurs_about_equally_often() -> None:
    truths = [blind.random_truth(np.random.default_rng([5, i])) for i in range(240)]
    found: dict[str, Counter[float]] = {}
    for truth in truths:
        for item, _, value in blind.answers(truth):
            found.setdefault(item, Counter())[truth.meyerding if item == "slip_mm" else value] += 1
    for item, levels in (("pfirrmann", 5), ("weishaupt", 4), ("bartynski", 4), ("lee", 4), ("contrast_pattern", 3)):
        shares = np.array(list(found[item].values())) / found[item].total()
        assert len(shares) == levels
        assert shares.min() > 0.45 / levels, (item, found[item])
    assert set(found["meyerding"]) == set(range(6))
    assert any("modic_2" in truth.confounders for truth in truths)
    assert all(not (truth.modic_type1 and "modic_2" in truth.confounders) for truth in truths)


def test_the_planted_grades_may_not_lie_beside_the_pictures(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="beside the pictures"):
        write_blind(tmp_path / "set", tmp_path / "set" / "truth.csv", cases=1, seed=1, size="demo")
    assert not (tmp_path / "set").exists()


def test_a_blind_set_is_pictures_and_a_level(tmp_path: Path) -> None:
    write_blind(tmp_path / "set", tmp_path / "elsewhere" / "truth.csv", cases=1, seed=1, size="demo")
    names = sorted(path.name for path in (tmp_path / "set").rglob("*") if path.is_file())
    assert sum(name.endswith(".png") for name in names) == 11
    assert [name for name in names if not name.endswith(".png")] == ["level.txt"]
    with (tmp_path / "elsewhere" / "truth.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["case"] for row in rows} == {"case-01"}
    assert len(rows) == 5 + 2 * 7


def table(path: Path, rows: Sequence[tuple[str, str, str, float]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("case", "item", "side", "grade"), *rows])
    return path


def test_the_score_is_agreement_with_what_was_planted(tmp_path: Path) -> None:
    planted = [
        (f"case-{i:02d}", "lee", side, (i + k) % 4) for i in range(8) for k, side in enumerate(("right", "left"))
    ]
    off = [(case, item, side, max(0, grade - 1)) for case, item, side, grade in planted]
    truth = table(tmp_path / "truth.csv", [*planted, *((f"case-{i:02d}", "slip_mm", "", i * 1.5) for i in range(8))])
    right = list(score(truth, truth))
    assert "| lee | 16 | 100.00 | 1.00 | 1.00 |" in right
    assert right[-1].strip().startswith("Slip: n = 8, ICC(A,1) 1.00")
    line = next(line for line in score(table(tmp_path / "off.csv", off), truth) if line.startswith("| lee"))
    assert 0.2 < float(line.split("|")[4]) < 0.7
    lines = list(confusions(tmp_path / "off.csv", truth))
    where = next(i for i, text in enumerate(lines) if text.strip().startswith("lee"))
    assert lines[where + 4].split() == ["3:", "0", "0", "4", "0"]


def test_the_sheet_shows_every_finding_at_every_grade() -> None:
    rows = {row.name: row for row in contact.rows()}
    assert [label for label, _ in rows["slip"].grades] == ["0", "1", "2", "3", "4", "5"]
    assert len(rows["disc"].grades) == 5
    assert all(len(rows[name].grades) == 4 for name in ("facet", "recess", "foramen"))
    assert len(rows["contrast"].grades) == 3
    for label, changes in rows["slip"].grades:
        assert replace(contact.plain(), **changes).meyerding == int(label)


def test_a_view_shows_its_place_with_letters_of_the_patient() -> None:
    case = build(contact.plain(), seed=3, only=("sagittal", "axial"))
    series = case.get("AX_T2")
    found = nearest(series, places.disc(case), 4)
    assert len({np.round(np.cross(series.planes[i].row_lps, series.planes[i].column_lps), 4)[1] for i in found}) == 1
    assert (letter(series.planes[0].row_lps), letter((0, 1, 0)), letter((0, 0, -1.0))) == ("L", "P", "F")
    for side, sign in (("right", -1), ("left", 1)):
        views = places.parasagittal(case, "SAG_T1", side)
        assert all(
            np.sign(view.series.planes[view.index].position_lps_mm[0] - case.anatomy.lytic.x) == sign for view in views
        )
    picture = np.asarray(tile(places.middle_cut(case, "SAG_T2")))
    assert picture.shape == (312, 312)
    assert picture.std() > 20
    assert "clinical" in SIZES
