"""A study's whole life at the desk by keyboard, and its numbers at the analyst's."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Download, Locator, Page, expect

from tests.e2e.browser import SignIn, Visitor
from tests.e2e.house import House

CODE = "BYKEYS"
ANSWERS: dict[str, dict[str, Any]] = {
    "ct": {"contrast_pattern.right": 1, "contrast_pattern.left": 2, "quality_ct.case": 2},
    "mr": {
        "segment_degeneration.case": 0,
        "pfirrmann.case": 4,
        "modic_type1.case": 0,
        "weishaupt.case": 1,
        "bartynski.case": 0,
        "lee.case": 2,
        "slip_mm.case": 6.5,
        "meyerding.case": 1,
        "isthmic_bme.case": 1,
        "soft_tissue_edema_cyst.edema": 0,
        "soft_tissue_edema_cyst.cyst": 0,
        "quality_mr.case": 2,
    },
}


def tab_to(page: Page, target: Locator) -> None:
    """Walk with the Tab key, as somebody without a mouse does, until the target has the focus and shows it."""
    expect(target).to_be_visible()
    for _ in range(120):
        if target.evaluate("e => e === document.activeElement"):
            outline = target.evaluate("e => getComputedStyle(e).outlineStyle + ' ' + getComputedStyle(e).outlineWidth")
            assert outline.startswith("solid"), f"the focus is visible: {outline}"
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the Tab key does not reach {target}")


def press_at(page: Page, target: Locator, key: str = "Enter") -> None:
    tab_to(page, target)
    page.keyboard.press(key)


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def step(page: Page, name: str) -> None:
    """Go to a step of the study through the list at the left."""
    press_at(page, page.get_by_role("navigation", name="Steps of the study").get_by_role("link", name=re.compile(name)))
    expect(page.locator(".steps a[aria-current=page]")).to_contain_text(name)


def make_study(page: Page) -> None:
    press_at(page, page.get_by_role("link", name="Make a new study"))
    for field, text in (("#id_code", CODE), ("#id_title", "A study made by keyboard")):
        tab_to(page, page.locator(field))
        page.keyboard.type(text)
    press_at(page, button(page, "Make the study"))
    expect(page.get_by_role("heading", level=1)).to_have_text("A study made by keyboard")
    expect(page.locator(".next")).to_contain_text("Import the cohort")


def import_and_look(page: Page, house: House) -> None:
    house.manage(
        "import_cohort", "--study", CODE, "--clinical", house.hospital / "clinical.csv", "--dicom", house.hospital
    )
    step(page, "Import")
    card = page.locator("section.delivery").first
    expect(card).to_contain_text("0 duplicates")
    expect(page.locator(".steps").get_by_role("link", name=re.compile("Clinical table"))).to_contain_text("3 rows")
    refused = card.locator("summary")
    press_at(page, refused)  # the table and the truth beside the images are no images
    expect(card.get_by_role("table")).to_be_visible()


def change_a_role(page: Page) -> None:
    step(page, "Series")
    row = page.locator("tbody tr:has(option[value=SAG_STIR][selected])").first
    series = row.locator("input[name=series]").get_attribute("value")
    for role in ("OTHER", "SAG_STIR"):
        row = page.locator("tbody tr").filter(has=page.locator(f"input[name=series][value='{series}']"))
        wanted = row.locator("select")
        tab_to(page, wanted)
        page.keyboard.type(role)
        press_at(page, row.get_by_role("button", name="Set"))
        expect(row.locator("select")).to_have_value(role)
        expect(row).to_contain_text("set at the desk")
        if role == "OTHER":
            step(page, "Release")
            expect(page.locator("tbody")).to_contain_text("Sagittal STIR")
            step(page, "Series")


def look_at_every_case(page: Page) -> None:
    """Two keys a case: looked at, and on to the next that waits."""
    step(page, "Release")
    expect(page.locator("tbody")).to_contain_text("a look at its images")
    press_at(page, page.get_by_role("link", name="Look at the cases", exact=True))
    for _ in range(3):
        case = page.get_by_role("heading", level=1).inner_text()
        expect(page.locator(".look-state")).to_contain_text("a look at its images")
        expect(page.locator(".pick").first).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator(".look-state")).to_contain_text("complete")
        page.keyboard.press("-")
        expect(page.get_by_role("heading", level=1)).not_to_have_text(case)
    press_at(page, page.get_by_role("link", name="Release", exact=True))


def release_freeze_and_name_people(page: Page) -> None:
    step(page, "Release")
    press_at(page, button(page, "Release every complete case"))
    expect(page.locator(".said")).to_contain_text("3 cases released.")
    for person, keys in (("reader1", ""), ("reader2", ""), ("analyst", "Analyst")):
        step(page, "Readers")
        tab_to(page, page.locator("#id_username"))
        page.keyboard.type(person)
        page.keyboard.press("Tab")
        if keys:
            page.keyboard.type(keys)
        press_at(page, button(page, "Give this role"))
        expect(page.locator("tbody")).to_contain_text(person)
    step(page, "Set-up")
    press_at(page, button(page, "Freeze the protocol"))
    step(page, "Readers")
    press_at(page, button(page, "Draw the order and open the rooms"))
    expect(page.locator(".said")).to_contain_text("The order over 3 cases is drawn and stored.")


def read_all(reader: Visitor, form: str, first: dict[str, Any] | None = None) -> None:
    """Submit every case of a form with the same answers, the first one with some of them different."""
    different = first or {}
    while True:
        status, found = reader.api(f"/api/room/{CODE}/{form}/next")
        assert status == 200
        reading = found["reading"]
        if reading is None:
            return
        body = {"base": 0, "answers": ANSWERS[form] | different, "evidence": {}, "kept": []}
        different = {}
        assert reader.api(reading["save_url"], "PUT", body)[0] == 200
        assert reader.api(reading["lock_url"], "POST", {"base": 1})[0] == 200


def counts(page: Page) -> dict[tuple[str, str], tuple[int, int]]:
    rows = page.locator("tbody tr").evaluate_all(
        "rows => rows.map(r => [...r.querySelectorAll('th, td')].map(c => c.textContent.trim()))"
    )
    return {(row[0], row[1]): (int(row[2]), int(row[5])) for row in rows}


def close_with_reason_and_code(page: Page) -> None:
    """A dangerous act needs a reason and the study's code, typed; a wrong code changes nothing."""
    step(page, "Close")
    act = button(page, "Close the study")
    reason, code = page.locator("#id_reason"), page.locator("#id_typed_code")
    tab_to(page, code)
    page.keyboard.type("ANOTHER")
    tab_to(page, reason)
    page.keyboard.type("Both readers are through.")
    page.keyboard.press("Enter")
    expect(page.locator(".errorlist")).to_have_text(f"Type the study's code, {CODE}, to confirm.")
    reason.fill("")
    code.fill(CODE)
    press_at(page, act)
    assert reason.evaluate("e => e.matches(':invalid')"), "no reason, no closing"
    expect(act).to_be_visible()
    tab_to(page, reason)
    page.keyboard.type("Both readers are through.")
    page.keyboard.press("Enter")
    expect(page.locator(".said")).to_contain_text("Done, and on record in the trail.")
    step(page, "Trail")
    expect(page.locator("main")).to_contain_text("Both readers are through.")


def unblind(page: Page) -> None:
    step(page, "Unblinding")
    tab_to(page, page.locator("#id_reason"))
    page.keyboard.type("The plan is registered.")
    page.keyboard.press("Tab")
    page.keyboard.type(CODE)
    page.keyboard.press("Enter")
    expect(page.locator(".said")).to_contain_text("Done, and on record in the trail.")


def run(page: Page, house: House, layer: str) -> None:
    """Start a run, see its progress before it is over, and its results when it is."""
    with house.worker_held():
        press_at(page, page.get_by_role("button", name=f"Compute: {layer}"))
        expect(page.get_by_role("progressbar")).to_be_visible()
        expect(page.locator("section.card")).to_contain_text("waiting for a worker")
        expect(button(page, "Cancel")).to_be_visible()
    results = page.get_by_role("link", name="Show the results")
    expect(results).to_be_visible(timeout=120_000)  # with every document and figure
    expect(button(page, "Cancel")).to_have_count(0)
    press_at(page, results)
    expect(page.get_by_role("heading", level=1)).to_have_text(layer)


def download(page: Page, name: str) -> Download:
    tab_to(page, page.get_by_role("link", name=name, exact=True))  # the walk along a long contents takes its time
    with page.expect_download() as waiting:
        page.keyboard.press("Enter")
    return waiting.value


def estimates(path: Path) -> dict[tuple[str, str], dict[str, str]]:
    with path.open(newline="") as file:
        return {(row["id"], row["field"]): row for row in csv.DictReader(file)}


def test_a_study_from_set_up_to_its_numbers_by_keyboard(house: House, sign_in: SignIn) -> None:
    coordinator = sign_in("coordinator")
    desk = coordinator.go("/")
    make_study(desk)
    import_and_look(desk, house)
    change_a_role(desk)
    look_at_every_case(desk)
    release_freeze_and_name_people(desk)

    readers = [sign_in(name) for name in ("reader1", "reader2")]
    read_all(readers[0], "ct")
    step(desk, "Progress")
    assert counts(desk) == {
        ("reader1", "CT form"): (3, 3),
        ("reader1", "MRI form"): (0, 3),
        ("reader2", "CT form"): (0, 3),
        ("reader2", "MRI form"): (0, 3),
    }
    read_all(readers[0], "mr")
    read_all(readers[1], "ct")
    read_all(readers[1], "mr", first={"pfirrmann.case": 3})
    close_with_reason_and_code(desk)
    hall = readers[0].go(f"/room/{CODE}/")
    expect(hall.locator("main")).to_contain_text("Reading is closed.")

    analyst = sign_in("analyst")
    report = analyst.go(f"/report/{CODE}/")
    run(report, house, "Agreement of the readers")
    expect(report.locator("main")).not_to_contain_text("responder")
    unblind(desk)
    report = analyst.go(f"/report/{CODE}/")
    run(report, house, "Readings with outcomes")
    assert report.locator("main table").count() >= 3
    whole = Path(download(report, "Everything as ZIP").path()).read_bytes()  # in the order in which they stand
    found = estimates(Path(download(report, "estimates.csv").path()))
    pfirrmann, lee = "agreement/pfirrmann/agreement", "agreement/lee/agreement"
    assert float(found[pfirrmann, "n_pairs"]["value"]) == 3
    assert float(found[pfirrmann, "percent_agreement"]["value"]) == pytest.approx(200 / 3, rel=1e-9)
    assert float(found[lee, "percent_agreement"]["value"]) == 100
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        names = set(archive.namelist())
        assert {"estimates.csv", "report.html", "manifest.json"} <= names
        assert any(name.startswith("tables/") for name in names)
        inside = archive.read("estimates.csv").decode()
    assert len(list(csv.DictReader(io.StringIO(inside)))) == len(found)
