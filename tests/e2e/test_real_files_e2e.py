"""Files of real scanners: imported by the command, given a role at the desk, and shown as their source says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from playwright.sync_api import expect
from pydicom.data import get_testdata_file

from annotation.dicom.codec import decode_stored
from tests.e2e.browser import SignIn, Visitor
from tests.e2e.house import House
from tests.e2e.pictures import difference
from tests.e2e.room import Array, Room, View

FILES = ("CT_small.dcm", "MR_small.dcm", "693_UNCI.dcm", "MR2_UNCI.dcm", "examples_overlay.dcm")
ROLES = {"CT": "CT_POST", "MR": "SAG_T2"}


@dataclass(frozen=True)
class Source:
    """What the scanner wrote: stored values, modality values, and the kind of image."""

    name: str
    modality: str
    stored: Array
    values: Array

    @classmethod
    def read(cls, name: str) -> Source:
        found = get_testdata_file(name, download=False)
        assert found, name
        dataset = pydicom.dcmread(Path(str(found)))
        stored = dataset.pixel_array.astype(float)
        slope, intercept = dataset.get("RescaleSlope") or 1, dataset.get("RescaleIntercept") or 0
        return cls(name, dataset.Modality, stored, stored * float(slope) + float(intercept))


def set_roles(desk: Visitor) -> None:
    """Give every series the role that puts it into the start layout of its form, as a coordinator does."""
    page = desk.go("/desk/REAL/series/")
    count = page.locator("tbody tr").count()
    assert count == len(FILES)
    for number in range(count):
        row = page.locator("tbody tr").nth(number)
        picture = row.locator("img.preview")
        expect(picture).to_be_visible()
        title = row.locator("td").nth(1).inner_text()
        row.locator("select").select_option(ROLES["CT" if "CT" in title else "MR"])
        row.get_by_role("button", name="Set").click()
    roles = page.locator("tbody select").evaluate_all("all => all.map(one => one.value)")
    assert sorted(roles) == ["CT_POST"] * 2 + ["SAG_T2"] * 3


def begin(desk: Visitor) -> None:
    for step, button in (
        ("release", "Release every complete case"),
        ("setup", "Freeze the protocol"),
        ("readers", "Draw the order and open the rooms"),
    ):
        page = desk.go(f"/desk/REAL/{step}/")
        page.get_by_role("button", name=button).click()
        expect(page.locator(".said .error")).to_have_count(0)


def shown_source(room: Room, role: str, sources: list[Source]) -> Source | None:
    """Find out which file is on the screen by its stored values, bit for bit; None where the case has none."""
    stacks = [stack for stack in room.reading()["stacks"] if stack["role"] == role]
    if not stacks:
        return None
    metadata = stacks[0]["frames"][0]["metadata"]
    status, data = room.visitor.api(stacks[0]["frames"][0]["image"])
    assert status == 200
    values = decode_stored(data)
    if metadata["00280103"]["Value"] == [1]:
        values = values.view(np.int16)
    found = [one for one in sources if one.stored.shape == values.shape and np.array_equal(one.stored, values)]
    assert len(found) == 1, "the stored frame is one of the source files, without loss"
    return found[0]


def set_aside(room: Room) -> None:
    reading = room.reading()
    assert room.visitor.api(reading["set_aside_url"], "POST", {"reason": "seen"})[0] == 200


def held_against(view: View, source: Source) -> tuple[float, float]:
    return difference(view, source.values), difference(view, source.values[::-1, ::-1])


def test_real_files_show_the_pixels_of_their_source(house: House, sign_in: SignIn) -> None:
    desk = sign_in("coordinator")
    set_roles(desk)
    begin(desk)
    sources = [Source.read(name) for name in FILES]
    reader = sign_in("reader9")
    seen: dict[str, tuple[float, float]] = {}
    for form, role in (("ct", "CT_POST"), ("mr", "SAG_T2")):
        for _ in FILES:
            room = Room(reader, "REAL", form)
            source = shown_source(room, role, sources)
            if source is not None:
                room.open()
                view = room.view(role)
                expect(view.element).to_have_attribute("data-geometry", "complete")
                seen[source.name] = held_against(view, source)
            set_aside(room)
    assert set(seen) == set(FILES)
    for name, (right, turned) in seen.items():
        assert right < 1.0, (name, right)
        assert turned > 10, f"a picture turned upside down would not pass: {name}"
