"""A practice case from its first question to what was planted, with the slice that shows each finding."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from playwright.sync_api import expect

from tests.e2e.browser import SignIn, violations
from tests.e2e.house import House
from tests.e2e.room import Room

STUDY, READER = "TEACH", "reader19"
MISSED = "isthmic_bme.case"
SAME_PLACE_MM = 0.01


def planted(house: House) -> dict[str, Any]:
    """Read from outside what was put down for the only case of the study."""
    ((settings,),) = house.rows("SELECT settings FROM annotation_study WHERE code = ?", STUDY)
    (solution,) = json.loads(str(settings))["practice"].values()
    return dict(solution)


def slices(room: Room, spots: dict[str, Any]) -> dict[str, str]:
    """Give series and number of the slice on which each finding was planted, by the geometry that the page got."""
    roles = {spot["role"] for spot in spots.values()} & {one["role"] for one in room.reading()["stacks"]}
    frames = {role: [frame.origin for frame in room.frames(role)] for role in roles}
    titles = {one["role"]: one["title"] for one in room.reading()["stacks"]}
    found = {}
    for cell, spot in spots.items():
        origins = frames.get(spot["role"], [])
        off = [float(np.abs(origin - np.array(spot["position_lps_mm"])).max()) for origin in origins]
        if off:
            assert min(off) < SAME_PLACE_MM, cell
            found[cell] = f"{titles[spot['role']]}, slice {int(np.argmin(off)) + 1} of {len(off)}"
    return found


def test_a_practice_case_shows_what_was_planted_and_where(house: House, sign_in: SignIn) -> None:
    people = ("--coordinator", "coordinator", "--reader", READER, "--reader", "reader18")
    house.manage("practice_study", "--study", STUDY, "--cases", "1", *people)
    solution = planted(house)
    right = solution["answers"]["mr"]
    reader = sign_in(READER)
    page = reader.go("/room/SPINE/")
    page.get_by_role("link", name="Practise").click()
    page.wait_for_url(f"**/room/{STUDY}/")

    room = Room(reader, STUDY, "mr").open()
    seen_on = slices(room, solution["spots"])
    criteria = {item["code"]: item["scale"] for item in room.sheet()["items"]}
    own = {**right, MISSED: 1 - right[MISSED], "quality_mr.case": 2}
    slip = own.pop("slip_mm.case")
    room.grade(own, until="slip_mm.case")
    page.keyboard.type(f"{slip:.1f}")
    room.press("Enter")
    room.grade(own)
    room.expect_saved()
    label = room.label
    room.submit()
    page.wait_for_url(f"**/room/{STUDY}/practice/**")

    expect(page.get_by_role("heading", level=1)).to_have_text(f"{label}: what was planted")
    rows = page.locator(".solution-row")
    cells = rows.locator("input").evaluate_all("all => all.map(one => one.value)")
    assert set(cells) == set(right)
    pictures = []
    for number, cell in enumerate(cells):
        if number:
            page.keyboard.press("ArrowDown")
        row = rows.nth(number)
        expect(row.locator("input")).to_be_focused()
        expect(row.locator(".badge")).to_have_text("other" if cell == MISSED else "as planted")
        expect(page.locator(".solution-row figure:visible")).to_have_count(1)
        figure = row.locator("figure")
        expect(figure.locator("figcaption")).to_contain_text(f"{seen_on[cell]}, synthetic")
        scale = criteria[cell.partition(".")[0]]
        told = [one["criteria"] for one in scale.get("levels", []) if one["code"] == right[cell]]
        expect(figure.locator("figcaption")).to_contain_text(told[0] if told else scale["unit"])
        picture = figure.locator("img")
        assert picture.evaluate("one => one.decode().then(() => one.naturalWidth)") == 640
        pictures.append(picture.get_attribute("src"))
    assert len(set(pictures)) == len(right), "each finding brings its own"
    levels = {one["code"]: one["label"] for one in criteria["isthmic_bme"]["levels"]}
    missed = rows.nth(cells.index(MISSED)).locator("label")
    expect(missed).to_contain_text(f"You: {levels[own[MISSED]]}")
    expect(missed).to_contain_text(f"Planted: {levels[right[MISSED]]}")
    assert not violations(page)
    hall = reader.go(f"/room/{STUDY}/").locator("main")
    expect(hall.get_by_role("link", name=label)).to_have_count(1)
