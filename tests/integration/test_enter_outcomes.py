"""Single values in the browser: entered, corrected with a reason, history kept, and nothing else to be seen."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from annotation import desk, handover, outcomes
from annotation.access import NotYours, WrongState
from annotation.identity import sealed
from annotation.models import Case, ClinicalValue, Event, Exclusion, Patient, Study
from tests import cast

pytestmark = pytest.mark.django_db
HERE = f"/outcomes/{cast.SPINE}/"


@pytest.fixture
def case() -> str:
    found = outcomes.find(cast.clerk(), cast.SPINE, identifier=f" {cast.HOSPITAL_ID}-1 ")
    assert found is not None
    return found


def form(case: str) -> outcomes.Entry:
    return outcomes.entry(cast.clerk(), cast.SPINE, case)


def save_all(case: str, given: dict[str, str], *, reason: str = "", base: int | None = None) -> int:
    known = form(case).base if base is None else base
    return outcomes.save(cast.clerk(), cast.SPINE, case, base=known, given=given, reason=reason)


def save(case: str, *, reason: str = "", base: int | None = None, **given: str) -> int:
    return save_all(case, given, reason=reason, base=base)


def newest(case: str, name: str, timepoint: str = "") -> Any:
    rows = ClinicalValue.objects.filter(patient__pseudonym=case, name=name, timepoint=timepoint)
    return rows.order_by("-pk").first()


def test_a_correction_needs_a_reason_and_keeps_what_was(case: str) -> None:
    assert form(case).value_of("nrs_1month") == "2.5"
    before = ClinicalValue.objects.count()
    with pytest.raises(outcomes.BadEntry) as refused:
        save(case, nrs_1month="3")
    assert list(refused.value.faults) == ["reason"]
    assert ClinicalValue.objects.count() == before
    assert save(case, nrs_1month="3", reason="Misread the chart.") == 1
    row = newest(case, "nrs", "1month")
    assert (row.number, row.reason, row.recorded_by) == (3, "Misread the chart.", cast.clerk())
    past = form(case).history[0]
    assert (past.by, past.before, past.value, past.reason) == ("clerk", "2.5", "3", "Misread the chart.")


def test_what_is_left_as_it_was_shown_is_no_change(case: str) -> None:
    save(case, nrs_15min="3-4", reason="As written.")
    assert newest(case, "nrs", "15min").value == "3.5 (written 3-4)"
    shown = {one.name: one.value for one in form(case).fields}
    assert shown["nrs_15min"] == "3.5"
    assert save_all(case, shown) == 0
    patient = Patient.objects.get(study__code=cast.SPINE, pseudonym=case)
    ClinicalValue.objects.create(patient=patient, name="bmi", value="25.2 (from height and weight)", number=25.249)
    assert save_all(case, {one.name: one.value for one in form(case).fields}) == 0


def test_a_value_is_removed_with_a_reason_and_is_missing_in_the_report(case: str) -> None:
    assert save(case, nrs_1month="", reason="Another patient's.") == 1
    assert "nrs_1month" not in {name for name in outcomes.FIELDS if form(case).value_of(name)}
    assert form(case).history[0].value == ""
    Study.objects.filter(code=cast.SPINE).update(state="unblinded")
    (line,) = [one for one in handover.clinical(cast.study().pk) if one["case_id"] == case]
    assert line["nrs_1month"] is None
    assert line["nrs_baseline"] == 8.5


def test_a_first_value_needs_no_reason() -> None:
    study = cast.study()
    patient = Patient.objects.create(study=study, pseudonym="P-FRESH1", identifier_hash="0" * 64)
    Case.objects.create(patient=patient)
    assert save("P-FRESH1", age="44", sex="w", nrs_baseline="7", nrs_1month_day="30") == 4
    assert newest("P-FRESH1", "sex").value == "F"
    assert newest("P-FRESH1", "nrs_1month_day").number == 30
    assert newest("P-FRESH1", "age").reason is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("age", "140"),
        ("sex", "x"),
        ("bmi", "5"),
        ("nrs_baseline", "3.3"),
        ("nrs_1month_day", "2.5"),
        ("nrs_15min", "a"),
    ],
)
def test_the_rules_are_those_of_the_table(case: str, name: str, text: str) -> None:
    with pytest.raises(outcomes.BadEntry) as refused:
        save_all(case, {name: text}, reason="Try.")
    assert list(refused.value.faults) == [name]
    assert refused.value.faults[name].endswith(".")


def test_two_people_cannot_overwrite_each_other(case: str) -> None:
    base = form(case).base
    save(case, nrs_1month="4", reason="First.")
    with pytest.raises(outcomes.Outdated):
        save(case, nrs_1month="5", reason="Second.", base=base)
    assert newest(case, "nrs", "1month").number == 4


def test_the_trail_tells_that_and_who_but_no_value(case: str) -> None:
    save(case, nrs_1month="4", bmi="31.4", reason="The scale said 31.4.")
    event = Event.objects.filter(study__code=cast.SPINE).latest("number")
    assert (event.verb, event.subject, event.actor, event.role) == (
        "enter outcomes", case, cast.clerk(), "outcome_entry",
    )  # fmt: skip
    assert (event.after["values"], event.after["corrected"]) == (2, 2)
    assert "31.4" not in json.dumps([event.before, event.after, event.reason])
    assert list(handover.verify(cast.SPINE)) == []


def test_an_unblinded_study_is_read_and_changed_no_more(case: str) -> None:
    Study.objects.filter(code=cast.SPINE).update(state="unblinded")
    assert "unblinded" in form(case).closed
    with pytest.raises(WrongState):
        save(case, nrs_1month="4", reason="Late.")
    answer = cast.client("clerk").post(f"{HERE}{case}/", {"base": form(case).base, "nrs_1month": "4", "reason": "x"})
    assert answer.status_code == 409


def test_an_excluded_or_foreign_patient_does_not_exist() -> None:
    left_out = Exclusion.objects.get(patient__study__code=cast.SPINE).patient.pseudonym
    foreign = Patient.objects.filter(study__code=cast.PEBBLE)[0].pseudonym
    for one in (left_out, foreign, "P-NOBODY"):
        with pytest.raises(NotYours):
            form(one)
    assert outcomes.find(cast.clerk(), cast.SPINE, identifier=f"{cast.HOSPITAL_ID}-5") is None
    for person in (cast.coordinator(), cast.reader_a(), cast.analyst(), cast.root()):
        with pytest.raises(NotYours):
            outcomes.roll(person, cast.SPINE)


def test_the_list_names_what_is_missing() -> None:
    roll = outcomes.roll(cast.clerk(), cast.SPINE)
    assert (roll.total, roll.incomplete) == (4, 0)
    save(roll.rows[0].case, bmi="", reason="Wrong scale.")
    short = outcomes.roll(cast.clerk(), cast.SPINE, incomplete=True)
    assert [(one.case, one.missing) for one in short.rows] == [(roll.rows[0].case, ("Body mass index, kg/m²",))]


# --- over HTTP -----------------------------------------------------------------------------------------------------


def test_an_identifier_travels_in_a_body_and_stays_nowhere(case: str) -> None:
    seat = cast.client("clerk")
    found = seat.post(HERE, {"identifier": f"{cast.HOSPITAL_ID}-1"})
    assert (found.status_code, found["Location"]) == (302, f"{HERE}{case}/")
    missed = seat.post(HERE, {"identifier": f"{cast.HOSPITAL_ID}-99"})
    assert missed.status_code == 200
    assert cast.HOSPITAL_ID not in missed.content.decode()
    assert "No patient who takes part" in missed.content.decode()
    kept = json.dumps([*Event.objects.values()], default=str)
    assert cast.HOSPITAL_ID not in kept


def test_the_form_over_http(case: str) -> None:
    seat = cast.client("clerk")
    shown = {one.name: one.value for one in form(case).fields}
    base = form(case).base
    wrong = seat.post(f"{HERE}{case}/", shown | {"base": base, "nrs_1month": "11"})
    assert wrong.status_code == 422
    assert 'value="11"' in wrong.content.decode(), "what was typed stays"
    right = seat.post(f"{HERE}{case}/", shown | {"base": base, "nrs_1month": "3", "reason": "Chart.", "next": "1"})
    assert (right.status_code, right["Location"]) == (302, HERE)
    stale = seat.post(f"{HERE}{case}/", shown | {"base": base, "nrs_1month": "9", "reason": "Mine."})
    assert stale.status_code == 409
    assert "meanwhile" in stale.content.decode()
    assert f'value="{form(case).base}"' in stale.content.decode(), "a second save is deliberate"
    assert newest(case, "nrs", "1month").number == 3
    for nonsense in ("", "x", "9" * 30, "-1", "²"):
        answer = seat.post(f"{HERE}{case}/", {"base": nonsense, "nrs_1month": "1", "reason": "x"})
        assert answer.status_code == 409


def test_no_page_tells_of_readings_progress_or_names(case: str) -> None:
    cast.read_one("reader_a", cast.SPINE, "mr")
    seat = cast.client("clerk")
    heard = "".join(seat.get(path, follow=True).content.decode() for path in ("/", HERE, f"{HERE}{case}/"))
    hidden = [one for one in cast.SECRETS if one != cast.BMI]
    assert not [one for one in hidden if one in heard]
    for word in ("Reading", "reading", "reader", "submitted", "L5", "excluded", "Pfirrmann", "series", "img"):
        assert word not in heard.replace("/room/", ""), word


def test_the_role_is_given_on_the_page_of_the_readers() -> None:
    seat = cast.client("coordinator")
    seat.post(f"/desk/{cast.PEBBLE}/readers/", {"username": "clerk", "role": "outcome_entry"})
    assert [one.role for one in desk.members(cast.coordinator(), cast.PEBBLE) if one.username == "clerk"] == [
        "outcome_entry"
    ]
    assert cast.client("clerk").get(f"/outcomes/{cast.PEBBLE}/").status_code == 200
    home = cast.client("clerk").get("/").content.decode()
    assert f'href="/outcomes/{cast.SPINE}/"' in home


def test_the_digest_in_the_trail_cannot_be_tried_out_without_the_key(case: str) -> None:
    """Few scores are possible: whoever knows the pseudonym could hash them all."""
    save(case, nrs_1month="3", reason="Misread the chart.")
    told = Event.objects.filter(study__code=cast.SPINE, verb="enter outcomes").order_by("-number")[0].after
    text = json.dumps([case, ["nrs_1month", "3", 3.0]])
    assert told["digest_of_values"] == sealed(text)
    assert told["digest_of_values"] != hashlib.sha256(text.encode()).hexdigest()


def test_a_control_character_in_the_reason_is_left_out(case: str) -> None:
    base = form(case).base
    answer = cast.client("clerk").post(f"{HERE}{case}/", {"base": base, "nrs_1month": "3", "reason": "Mis\0read."})
    assert answer.status_code == 302
    assert newest(case, "nrs", "1month").reason == "Misread."
