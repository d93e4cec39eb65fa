"""Every item reaches every consumer, and no consumer knows an item."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from annotation.protocol import Continuous, Protocol, catalogue
from tests.tiny_instrument import TINY

ROOT = Path(__file__).resolve().parents[2]

# As they stand in the catalogue, and with everything asked that a study can ask.
PROTOCOLS = {
    f"{protocol.code}-{protocol.version}{'-all' if chosen else ''}": protocol.with_settings(chosen)
    for protocol in (*catalogue.protocols(), TINY)
    for chosen in ({}, {"segments": "all", "sides": "both"})
    if not chosen or protocol.neighbours
}
FORMS = [
    pytest.param(protocol, form.code, id=f"{name}-{form.code}")
    for name, protocol in PROTOCOLS.items()
    for form in protocol.forms
]


@pytest.mark.parametrize(("protocol", "form"), FORMS)
def test_each_cell_reaches_schema_sheet_keys_and_codebook(protocol: Protocol, form: str) -> None:
    cells = [cell.key for cell in protocol.cells(form)]
    assert cells
    assert len(set(cells)) == len(cells)
    schema: dict[str, Any] = protocol.schema(form, complete=True)
    assert [key for key in schema["properties"] if key != "comment"] == cells
    assert schema["required"] == [cell.key for cell in protocol.cells(form) if cell.required]
    sheet: dict[str, Any] = protocol.sheet(form)
    assert [cell["key"] for item in sheet["items"] for cell in item["cells"]] == cells
    assert list(protocol.keys(form)) == cells
    assert list(dict.fromkeys(row["cell"] for row in protocol.codebook() if row["form"] == form)) == cells
    assert [protocol.cell(key).key for key in cells] == cells


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
def test_each_item_stands_on_a_form(protocol: Protocol) -> None:
    on_forms = [item.code for form in protocol.forms for item in protocol.items_of(form.code)]
    assert sorted(on_forms) == sorted(item.code for item in protocol.items)


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
def test_each_level_stands_in_the_codebook(protocol: Protocol) -> None:
    rows = protocol.codebook()
    for item in protocol.items:
        codes = {row["code"] for row in rows if row["item"] == item.code}
        assert codes == ({""} if isinstance(item.scale, Continuous) else set(item.scale.codes))


@pytest.mark.parametrize(("protocol", "form"), FORMS)
def test_digits_reach_every_level_and_do_not_collide(protocol: Protocol, form: str) -> None:
    digits = protocol.keys(form)
    sheet: dict[str, Any] = protocol.sheet(form)
    for item in sheet["items"]:
        levels = item["scale"].get("levels", [])
        keys = [level["key"] for level in levels]
        assert len(set(keys)) == len(keys)
        assert all(re.fullmatch("[0-9]", key) for key in keys)
        for cell in item["cells"]:
            assert digits[cell["key"]] == {level["key"]: level["code"] for level in levels}


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
def test_levels_ascend_and_each_scale_names_its_source(protocol: Protocol) -> None:
    for item in protocol.items:
        assert item.scale.source.strip()
        if not isinstance(item.scale, Continuous):
            assert list(item.scale.codes) == sorted(set(item.scale.codes))
            assert all(level.label for level in item.scale.levels)


# A scale's name stands in its instrument, in the data planted or analysed with it, and in demonstrations and tests.
NAMES = re.compile(r"pfirrmann|weishaupt|bartynski|meyerding|modic|\blee\b", re.IGNORECASE)
SUFFIXES = {".py", ".ts", ".tsx", ".html"}
MAY_NAME = ("annotation/protocol/spondylolysis/", "annotation/phantom/", "analytics/plans/", "analytics/simulate.py")
MAY_NAME_PARTS = {"tests", "test", "docs", "demo"}
NOT_OURS = {".venv", "node_modules", ".git", "var", "htmlcov", "dist"}


def _may_name(path: Path) -> bool:
    relative = path.relative_to(ROOT)
    return (
        relative.as_posix().startswith(MAY_NAME)
        or bool(MAY_NAME_PARTS & set(relative.parts))
        or "demo" in relative.stem.split("_")
    )


def _sources(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in NOT_OURS or path == ROOT / "static" / "viewer":
            continue
        if path.is_dir():
            yield from _sources(path)
        elif path.suffix in SUFFIXES and not _may_name(path):
            yield path


def test_nothing_but_the_instrument_names_a_scale() -> None:
    named = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in _sources(ROOT)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if NAMES.search(line)
    ]
    assert not named, "\n".join(named)


def test_the_search_for_names_finds_them() -> None:
    instrument = ROOT / "annotation" / "protocol" / "spondylolysis" / "scales.py"
    words = {match.group().lower() for match in NAMES.finditer(instrument.read_text(encoding="utf-8"))}
    assert words == {"pfirrmann", "weishaupt", "bartynski", "meyerding", "modic", "lee"}
    assert ROOT / "annotation" / "protocol" / "checks.py" in list(_sources(ROOT))
