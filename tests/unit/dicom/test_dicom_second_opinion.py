"""The newest table of PS3.15 (2026c), as another tool ships it: what it removes or replaces never comes out."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as table
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset

from annotation.dicom import TakeRules, part10, take
from annotation.dicom.pixels import SUSPICIONS
from tests.unit.dicom.dicom_files import EXPLICIT, IMPLICIT, KEY, file_bytes, put_raw, sequence
from tests.unit.dicom.planted import CLASSES

RULES = TakeRules(allow_head=True, released=frozenset(SUSPICIONS))
ACTIONS = ("D_TAGS", "Z_TAGS", "X_TAGS", "U_TAGS", "Z_D_TAGS", "X_Z_TAGS", "X_D_TAGS", "X_Z_D_TAGS", "X_Z_U_STAR_TAGS")
# Groups with a range stand for one of them; newer attributes than pydicom's dictionary has are text.
CURVES, CURVE_DATA = 0x50000000, 0x50003000
TAGS = {entry[0] << 16 | entry[1] for action in ACTIONS for entry in getattr(table, action)}
TAGS = TAGS - {CURVES} | {CURVE_DATA}
LISTED = sorted(tag for tag in TAGS if tag >> 16 > 2)  # groups 0000 and 0002 stand outside the data set
KEPT_SEQUENCES = (0x00081140, 0x00082112)


def vr_of(tag: int) -> str:
    try:
        return dictionary_VR(tag).split(" or ")[0]
    except KeyError:
        return "LO"


def value_of(tag: int, vr: str) -> str:
    """A value of the fitting kind that no other attribute has."""
    n = LISTED.index(tag)
    day, second = date(1901, 1, 1) + timedelta(days=41 * n), f"{n // 60 % 24:02d}{n % 60:02d}{1 + n % 59:02d}"
    match vr:
        case "DA":
            return day.strftime("%Y%m%d")
        case "TM":
            return second
        case "DT":
            return f"{day:%Y%m%d}{second}"
        case "UI":
            return f"1.2.826.0.1.3680043.{10_000 + n}.7"
        case "IS" | "DS":
            return str(70_000 + n)
        case "AS":
            return f"{100 + n % 900}D"
        case _:
            return f"QX{10_000 + n}ZV"


def plant(dataset: Dataset, tags: list[int]) -> None:
    for tag in tags:
        vr = vr_of(tag)
        if vr in ("US", "UL"):
            put_raw(dataset, tag, vr, struct.pack("<L", 1_000_000 + tag % 1000)[: 2 if vr == "US" else 4])
        elif vr != "SQ":
            put_raw(dataset, tag, vr, value_of(tag, vr).encode())


def loaded(kind: str) -> Dataset:
    """Every attribute of the table: at the top, in each listed sequence, and in the groups of the frames."""
    dataset = CLASSES[kind]()
    plain = [tag for tag in LISTED if vr_of(tag) != "SQ"]
    for tag in LISTED:
        if vr_of(tag) == "SQ":
            inner = Dataset()
            plant(inner, plain if tag in KEPT_SEQUENCES else plain[tag % 7 :: 7])
            dataset.add_new(tag, "SQ", sequence(inner))
    for name in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "DimensionIndexSequence"):
        for group in dataset.get(name) or []:
            for element in list(group):
                for inner in element.value if element.VR == "SQ" else []:
                    plant(inner, plain)
            plant(group, plain)
    plant(dataset, plain)
    return dataset


def walk(header: Mapping[str, Any]) -> Iterator[tuple[int, Any]]:
    for tag, element in header.items():
        for one in element.get("Value", []):
            if isinstance(one, dict):
                yield from walk(one)
            else:
                yield int(tag, 16), one


def test_the_table_is_the_newest_and_whole() -> None:
    assert len(TAGS) == 655
    assert len(LISTED) > 640
    assert {vr_of(tag) for tag in LISTED} >= {"DA", "TM", "DT", "UI", "PN", "LO", "SQ", "OB", "UT"}


@pytest.mark.parametrize("kind", sorted(CLASSES))
@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_no_listed_attribute_comes_out_with_its_value(kind: str, syntax: str) -> None:
    data = file_bytes(loaded(kind), syntax)
    found = take(data, key=KEY, rules=RULES)
    assert found.facts.day_offset % 41, "shifted dates must not fall on planted ones; take another spacing"
    source = {tag: value_of(tag, vr_of(tag)) for tag in LISTED if vr_of(tag) not in ("SQ", "US", "UL")}
    for value in source.values():
        assert value.encode() in data
    planted = set(source.values())
    kept = [(tag, value) for tag, value in walk(found.header) if value != "REMOVED"]
    assert [tag for tag, value in kept if str(value) in planted] == []
    assert [tag for tag, value in kept if any(len(p) > 6 and p in str(value) for p in planted)] == []
    written = part10(found.header, found.frames)
    assert [value for value in planted if len(value) > 8 and value.encode() in written] == []
    # what is kept of the table at all: dates, times, UIDs, and two values of ours (beside REMOVED)
    assert {(tag, value) for tag, value in kept if tag in TAGS and vr_of(tag) not in ("DA", "TM", "DT", "UI")} == {
        (0x00180010, "CONTRAST"),
        (0x0008103E, found.header["0008103E"]["Value"][0]),
    }
