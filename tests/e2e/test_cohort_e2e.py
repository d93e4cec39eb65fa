"""Who takes part, how the images were made, which vertebra is which: by keyboard, and nothing against WCAG 2.2 AA."""

from __future__ import annotations

import json
import re

from playwright.sync_api import Page, expect

from tests.e2e.browser import SignIn, violations
from tests.e2e.house import House
from tests.e2e.test_desk_e2e import button, press_at, tab_to

CODE = "WHOISIN"


def audited(page: Page, name: str) -> list[str]:
    return [f"{name}: {fault}" for fault in violations(page)]


def exclude_one(page: Page) -> list[str]:
    """Exclude the first patient for two reasons; give what axe says on the way."""
    patient = page.locator("tbody tr:has(.badge) th").first.inner_text()
    press_at(page, page.get_by_role("link", name=f"Exclude {patient}"))
    card = page.locator("#decide")
    expect(card).to_contain_text(patient)
    found = audited(page, "a patient to decide on")
    for letter in "db":
        press_at(page, card.locator(f"#reason-{letter}"), " ")
    tab_to(page, card.locator("#note"))
    page.keyboard.type("Blurred")
    page.keyboard.press("Enter")
    expect(page.locator(".said")).to_contain_text(f"{patient} is excluded")
    row = page.locator("tbody tr").filter(has_text=patient)
    expect(row).to_contain_text("excluded (b)")
    expect(row).to_contain_text("also d")
    return found


def label_two(page: Page) -> None:
    """Set S1 and L5 with the keys: the cross begins in the lower middle of the slice."""
    picture = page.locator("[data-label-picture]")
    tab_to(page, picture)
    page.keyboard.press("Enter")
    for _ in range(4):
        page.keyboard.press("Shift+ArrowUp")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page.locator("[data-label-said]")).to_have_text("L5 is set. Next: L4.")
    page.keyboard.press("Backspace")
    expect(page.locator("[data-label-list] li")).to_have_count(1)
    page.keyboard.press("PageDown")
    page.keyboard.press("Enter")
    expect(page.locator("[data-label-list] li").first).to_contain_text("L5")
    press_at(page, button(page, "Keep the labels"))
    expect(page.locator(".said")).to_contain_text("2 labels are kept.")
    expect(page.locator(".label-mark")).to_have_text(["S1", "L5"])


def test_a_cohort_by_keyboard(house: House, sign_in: SignIn) -> None:
    house.manage(
        "import_cohort", "--study", CODE, "--create", "--title", "Who is in", "--coordinator", "coordinator",
        "--clinical", house.hospital / "clinical.csv", "--dicom", house.hospital,
    )  # fmt: skip
    coordinator = sign_in("coordinator")
    page = coordinator.go(f"/desk/{CODE}/eligibility/")
    found = audited(page, "eligibility") + exclude_one(page)
    press_at(page, page.get_by_role("link", name="Flow chart and table"))
    figure = page.get_by_role("img", name=re.compile("assessed for eligibility: 3, excluded: 1"))
    expect(figure).to_be_visible()
    assert figure.evaluate("image => image.naturalWidth") == 720
    found += audited(page, "flow")
    coordinator.watch.allow("favicon")  # a figure alone has no head to name one
    found += audited(coordinator.go(f"/desk/{CODE}/eligibility/flow.svg"), "the figure alone")
    page = coordinator.go(f"/desk/{CODE}/scanning/")
    expect(page.get_by_role("table").nth(1)).to_contain_text("Repetition time, ms")
    found += audited(page, "scanning")

    ((case,),) = house.rows(
        "SELECT p.pseudonym FROM annotation_patient p JOIN annotation_study s ON s.id = p.study_id "
        "LEFT JOIN annotation_exclusion e ON e.patient_id = p.id WHERE s.code = ? AND e.id IS NULL LIMIT 1",
        CODE,
    )
    page = coordinator.go(f"/desk/{CODE}/look/{case}/labels/")
    found += audited(page, "labels, none yet")
    label_two(page)
    found += audited(page, "labels, kept")
    ((kept,),) = house.rows(
        "SELECT c.labels FROM annotation_case c JOIN annotation_patient p ON p.id = c.patient_id "
        "JOIN annotation_study s ON s.id = p.study_id WHERE s.code = ? AND p.pseudonym = ?",
        CODE, case,
    )  # fmt: skip
    s1, l5 = (json.loads(kept)["points"][name] for name in ("S1", "L5"))
    assert l5[2] - s1[2] > 20, "forty pixels upwards"
    assert abs(l5[0] - s1[0]) > 1, "one slice further"
    assert not found, "\n".join(found)


def test_the_labels_of_a_case_that_is_being_read(sign_in: SignIn, house: House) -> None:
    ((case,),) = house.rows(
        "SELECT p.pseudonym FROM annotation_patient p JOIN annotation_study s ON s.id = p.study_id "
        "WHERE s.code = 'SPINE' LIMIT 1"
    )
    page = sign_in("coordinator").go(f"/desk/SPINE/look/{case}/labels/")
    expect(page.locator(".label-side")).to_contain_text("its labels stay as they are")
    expect(page.locator(".label-cross")).to_have_count(0)
    assert not audited(page, "labels, fixed")
