"""The clinical table and the outcome entry in the browser: an ugly spreadsheet, by keyboard where it matters."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from openpyxl import Workbook
from playwright.sync_api import Page, expect

from tests.e2e.browser import SignIn, violations

CODE = "TABLE"


@pytest.fixture
def ugly(tmp_path: Path) -> Path:
    """Write what a ward keeps: a title, names, a cell with a unit, a date that was a span, an unknown name."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Pars-Infiltrationen"])
    sheet.append(["Fallnummer", "Name", "Alter", "Geschlecht", "BMI", "Niveau", "NRS vor", "NRS 15 min", "Ergebnis"])
    sheet.append([100471, "Zwetschgenbaum", 44, "w", "26,1", "L5", 7, 3, "3-4"])
    sheet.append([100472, "Zwetschgenbaum", 51, "m", "27 kg", "L5", 8, 4, 2])
    sheet.append([100473, "Zwetschgenbaum", 39, "m", 24, "L4", 0, 4, 2])
    book.save(tmp_path / "t.xlsx")
    return tmp_path / "t.xlsx"


def audited(page: Page, name: str) -> list[str]:
    assert "Zwetschgenbaum" not in page.content()
    assert "10047" not in page.content()
    return [f"{name}: {fault}" for fault in violations(page)]


def test_an_ugly_spreadsheet_becomes_patients_and_one_is_corrected(sign_in: SignIn, ugly: Path) -> None:
    coordinator = sign_in("coordinator")
    page = coordinator.go("/desk/")
    page.fill("#id_code", CODE)
    page.fill("#id_title", "A study from a table")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/desk/{CODE}/$"))
    coordinator.go(f"/desk/{CODE}/clinical/")
    found = audited(page, "clinical, empty")
    page.set_input_files("#table", ugly)
    page.get_by_role("button", name="Read the table").press("Enter")
    expect(page.get_by_role("heading", name="1 error: 1 row stays out")).to_be_visible()
    expect(page.get_by_text("No column is taken as: Pain after 1 month (NRS)")).to_be_visible()
    found += audited(page, "preview")
    page.get_by_label("Column Ergebnis is taken as").select_option("nrs_1month")
    page.get_by_role("button", name="Read again with these columns").press("Enter")
    expect(page.get_by_text("Written as a span; its middle is kept.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="All errors and notes as CSV").click()
    text = download.value.path().read_text("utf-8-sig")
    assert text.splitlines()[0] == "row,column,name,kind,message"
    assert "Zwetschgenbaum" not in text
    page.get_by_role("button", name="Write 2 rows").press("Enter")
    expect(page.get_by_text("Written: 2 new patients")).to_be_visible()
    expect(page.get_by_role("heading", name="To look up in the records")).to_be_visible()
    found += audited(page, "clinical, filled")
    coordinator.watch.allow("status 422: /desk/TABLE/clinical/", "console: Failed to load .* 422")
    page.set_input_files("#table", {"name": "t.csv", "mimeType": "text/csv", "buffer": b"%PDF-1.4"})
    page.get_by_role("button", name="Read the table").press("Enter")
    expect(page.get_by_text("This is a PDF")).to_be_visible()
    found += audited(page, "clinical, refused")
    coordinator.go(f"/desk/{CODE}/readers/")
    page.fill("#id_username", "outcomes")
    page.select_option("#id_role", "outcome_entry")
    page.get_by_role("button", name="Give this role").click()
    expect(page.get_by_role("row", name=re.compile("outcomes.*Outcome entry"))).to_be_visible()
    assert not found, "\n".join(found)
    _corrected(sign_in)


def _corrected(sign_in: SignIn) -> None:
    clerk = sign_in("outcomes")
    clerk.watch.allow(f"status 422: /outcomes/{CODE}/", "console: Failed to load .* 422")
    page = clerk.go(f"/outcomes/{CODE}/")
    found = audited(page, "outcomes")
    page.keyboard.type("100471")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Patient P-"))
    found += audited(page, "one patient")
    page.get_by_label("Pain after 1 month (NRS)").fill("11")
    page.keyboard.press("Enter")
    expect(page.get_by_text("This is no NRS value")).to_be_visible()
    found += audited(page, "one patient, refused")
    page.get_by_label("Pain after 1 month (NRS)").fill("4")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Say why a stored value changes")).to_be_visible()
    page.get_by_label("Reason for a correction").fill("The chart says 4.")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 value saved.")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("3.5 .*4.*The chart says 4."))).to_be_visible()
    found += audited(page, "one patient, corrected")
    page.get_by_role("link", name="All patients").click()
    page.fill("#identifier", "nobody")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No patient who takes part")).to_be_visible()
    found += audited(page, "outcomes, not found")
    assert not found, "\n".join(found)
