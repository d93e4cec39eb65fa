"""A reader grades whole forms with the keyboard alone and submits them."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.browser import SignIn
from tests.e2e.house import House
from tests.e2e.room import Room


def marked(room: Room) -> None:
    """Leave a mark that a reload of the page would take away."""
    room.page.evaluate("window.notReloaded = true")


def submit_and_go_on(room: Room) -> None:
    before = room.label
    marked(room)
    room.submit()
    expect(room.cockpit).not_to_have_attribute("data-label", before)
    room.ready()
    assert room.page.evaluate("window.notReloaded"), "the next case comes without a reload"


def refused_for_good(room: Room, reading: dict[str, object], answers: dict[str, object]) -> None:
    """A submitted reading does not exist any more for whoever would write to it."""
    body = {"base": reading["revision"], "answers": answers, "evidence": {}, "kept": []}
    assert room.visitor.api(str(reading["save_url"]), "PUT", body)[0] == 404
    assert room.visitor.api(str(reading["lock_url"]), "POST", {"base": reading["revision"]})[0] == 404
    assert room.visitor.api(str(reading["set_aside_url"]), "POST", {"reason": "too late"})[0] == 404


def test_a_whole_ct_form_by_keyboard_alone(house: House, sign_in: SignIn) -> None:
    room = Room(sign_in("reader1"), "SPINE", "ct").open()
    assert room.label == "Case 001"
    planted = house.truth("reader1", "ct", room.label)["answers"]["ct"]
    answers = {**planted, "quality_ct.case": 2, "confidence_ct.case": 4}
    reading = room.reading()

    assert room.grade(answers) == list(answers)
    room.expect_saved()
    saved = room.reading()
    assert saved["answers"] == answers
    assert saved["revision"] == len(answers), "every answer is a revision of its own"
    submit_and_go_on(room)

    assert room.label == "Case 002"
    assert room.shown_answers() == {}
    refused_for_good(room, saved, {**answers, "contrast_pattern.right": 3})
    stored = house.rows(
        "SELECT r.number FROM annotation_assignment a JOIN annotation_revision r ON r.id = a.locked_revision_id"
        " WHERE replace(a.id, '-', '') = ?",
        str(reading["id"]).replace("-", ""),
    )
    assert stored == [(len(answers),)], "the newest revision is the locked one"


def test_a_whole_mri_form_with_a_reload_in_the_middle(house: House, sign_in: SignIn) -> None:
    room = Room(sign_in("reader1"), "SPINE", "mr").open()
    truth = house.truth("reader1", "mr", room.label)
    planted = {cell: code for cell, code in truth["answers"]["mr"].items() if cell != "slip_mm.case"}
    answers = {**planted, "quality_mr.case": 2}
    identity = room.reading_id

    assert room.grade(answers, until="slip_mm.case")[-1] == "lee.case"
    room.expect_saved()
    before = room.reading()
    shown = room.shown_answers()
    assert len(shown) == len(before["answers"]) == 6

    room.reload()
    assert room.reading_id == identity
    assert room.shown_answers() == shown
    assert room.open_cell() == "slip_mm.case", "the keyboard is where it was"
    after = room.reading()
    assert (after["answers"], after["revision"]) == (before["answers"], before["revision"])

    room.measure(truth["landmarks_lps_mm"])
    room.expect_saved()
    assert abs(room.reading()["answers"]["slip_mm.case"] - truth["slip_mm"]) <= 0.5
    assert room.open_cell() == "slip_mm.case", "the value stands in the sheet, ready to be accepted"
    room.press("Enter")
    room.grade(answers)
    room.expect_saved()
    saved = room.reading()
    assert {cell: code for cell, code in saved["answers"].items() if cell != "slip_mm.case"} == answers
    submit_and_go_on(room)
    refused_for_good(room, saved, saved["answers"])


def test_not_assessable_undo_comment_and_criteria_by_keyboard(sign_in: SignIn) -> None:
    room = Room(sign_in("reader3"), "SPINE", "mr").open()
    sheet = room.page.get_by_role("complementary", name="Grading sheet")
    first, second = "segment_degeneration.case", "pfirrmann.case"
    assert room.open_cell() == first

    room.press("?")
    expect(sheet.locator(".criteria")).to_be_visible()
    room.press("?")
    expect(sheet.locator(".criteria")).to_have_count(0)

    room.press("u", "2")
    assert room.shown_answers() == {first: "artefact"}
    assert room.open_cell() == second
    room.press("u", "4")
    room.page.keyboard.type("cut off at the edge")
    room.press("Enter")
    assert room.shown_answers()[second] == "other"
    assert room.open_cell() == "modic_type1.case", "no cell is passed over"
    room.press("ArrowUp", "5")
    assert room.shown_answers()[second] == "5"
    room.press("Control+z")
    assert room.shown_answers()[second] == "other"
    room.press("Control+y")
    assert room.shown_answers()[second] == "5"
    room.press("c")
    room.page.keyboard.type("S1 partly lumbarised, 1 2 3")
    room.press("Control+Enter")
    assert room.open_cell() not in {"", "submit"}, "the keyboard is back in the sheet"
    room.expect_saved()
    answers = room.reading()["answers"]
    assert answers == {first: {"not_assessable": "artefact"}, second: 5, "comment": "S1 partly lumbarised, 1 2 3"}


def test_an_unfinished_form_cannot_be_submitted(sign_in: SignIn) -> None:
    room = Room(sign_in("reader3"), "SPINE", "ct").open()
    room.press("2")
    room.expect_saved()
    room.page.get_by_role("button", name="Submit").click()
    summary = room.page.locator("dialog.summary")
    expect(summary.locator(".obstacle")).to_have_text("2 answers are open.")
    expect(summary.locator("button.primary")).to_be_disabled()
    room.press("Escape")
    assert room.open_cell() == "contrast_pattern.left", "the first open answer"
    reading = room.reading()
    status, problem = room.visitor.api(reading["lock_url"], "POST", {"base": reading["revision"]})
    assert status == 422
    assert [fault["cell"] for fault in problem["faults"]] == ["contrast_pattern.left", "quality_ct.case"]
