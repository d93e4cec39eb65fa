"""Every finding has a drawing of our own, with a panel for each of its levels, that can be heard as well as seen."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from annotation.protocol.instrument import Item
from annotation.protocol.scales import Continuous
from tests.unit.protocol.cases import SPINE

FOLDER = Path(__file__).parents[3] / "static" / "drawings"
SVG = "{http://www.w3.org/2000/svg}"
FINDINGS = [item for item in SPINE.items if not item.support]


@pytest.mark.parametrize("item", FINDINGS, ids=lambda item: item.code)
def test_each_finding_has_a_panel_for_each_level(item: Item) -> None:
    drawing = ElementTree.parse(FOLDER / f"{item.code}.svg").getroot()
    scale = item.scale
    expected = ["figure"] if isinstance(scale, Continuous) else [f"level-{level.code}" for level in scale.levels]
    assert [view.get("id") for view in drawing.iter(f"{SVG}view")] == expected
    panels = [one.findtext(f"{SVG}title") for one in drawing.iterfind(f"{SVG}g")]
    assert len(panels) == len(expected)
    assert len(set(panels)) == len(panels), "each panel says something of its own"


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.svg")), ids=lambda file: file.stem)
def test_a_drawing_is_named_described_and_alone(file: Path) -> None:
    assert file.stem in {item.code for item in SPINE.items}
    drawing = ElementTree.parse(file).getroot()
    assert drawing.findtext(f"{SVG}title")
    assert "Schematic drawing" in (drawing.findtext(f"{SVG}desc") or "")
    names = {one.tag.removeprefix(SVG) for one in drawing.iter()}
    assert names.isdisjoint({"script", "image", "use", "foreignObject", "style", "a"})
    assert "http" not in file.read_text().replace("http://www.w3.org/2000/svg", "")
