"""Who takes part: exclusions by the desk and by the table, what the kept data hint at, and the flow of patients."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest
from django.conf import settings
from django.utils import timezone

from annotation import desk, handover, intake
from annotation.access import WrongState
from annotation.models import Case, Event, Exclusion, Patient, Series
from tests import cast

pytestmark = pytest.mark.django_db

EXCLUDED = {"a": 31, "b": 42, "c": 27, "d": 38, "e": 17}
"""155 patients; the reference paper prints the sum and not the parts."""


def take(code: str, rows: list[dict[str, str]]) -> intake.Log:
    return intake.take_in(
        desk.intake_target(code), dicom=[], clinical=cast.table(settings.DATA_DIR / f"{code}.csv", rows)
    )


def new(code: str, **settings_of_it: object) -> None:
    desk.create_study(cast.coordinator(), code=code, title="New", settings={"images": "none", **settings_of_it}, seed=7)


def cohort(code: str) -> None:
    """Make the reference study's 289 patients through the clinical table."""
    reasons = [letter for letter, number in EXCLUDED.items() for _ in range(number)]
    new(code)
    log = take(code, [cast.clinical_row(n, exclusion=(reasons + [""] * 134)[n]) for n in range(289)])
    assert (log.clinical.accepted, log.clinical.errors) == (289, [])


def one(code: str, **more: str) -> Patient:
    new(code)
    take(code, [cast.clinical_row(71, **more)])
    return Patient.objects.get(study__code=code)


def series(patient: Patient, *roles: str, day: str = "", modality: str = "MR", **more: object) -> None:
    case = Case.objects.get(patient=patient)
    told = {"matrix": [32, 32], **({"acquired_on": day} if day else {})}
    for role in roles:
        number = Series.objects.count()
        Series.objects.create(
            case=case, series_uid=f"2.25.{number}", role=role, modality=modality, parameters=told, **more
        )


def hints(patient: Patient) -> list[tuple[str, str]]:
    row = desk.patient_row(cast.coordinator(), patient.study.code, patient.pk)
    return [(hint.sentence, hint.criterion) for hint in row.hints]


# --- the flow ------------------------------------------------------------------------------------------------------


def test_the_reference_flow_is_289_then_155_then_134() -> None:
    cohort("FLOW")
    flow = desk.patient_flow(cast.coordinator(), "FLOW")
    assert [(stage.code, stage.n) for stage in flow.stages] == [
        ("eligible", 289), ("included", 134), ("released", 0), ("read", 0),
    ]  # fmt: skip
    assert {fall.code: fall.n for fall in flow.stages[0].falls} == EXCLUDED
    assert flow.stages[0].lost == 155
    page = cast.client("coordinator").get("/desk/FLOW/eligibility/").content.decode()
    assert "289 patients came in, 155 are excluded, 134 take part." in re.sub(r"\s+", " ", page)


def test_the_same_counts_reach_the_analyst() -> None:
    cohort("FLOWA")
    desk.set_member(cast.coordinator(), "FLOWA", username="analyst", role="analyst")
    subject = handover.subject(cast.analyst(), "FLOWA")
    assert (subject.cases, subject.excluded) == (289, EXCLUDED)


def test_the_figure_stands_alone_and_the_file_has_its_counts() -> None:
    cohort("FIG")
    seat = cast.client("coordinator")
    answer = seat.get("/desk/FIG/eligibility/flow.svg")
    assert answer["Content-Type"] == "image/svg+xml"
    text = answer.content.decode()
    assert not re.search(r"href|url\(|<style|<script|@import", text)
    picture = ElementTree.fromstring(text)
    words = [node.text for node in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert {"(n = 289)", "Excluded (n = 155)", "No pain assessment (n = 31)", "(n = 134)"} <= set(words)
    boxes = [node.attrib for node in picture.iter("{http://www.w3.org/2000/svg}rect")][1:]
    assert max(float(box["x"]) + float(box["width"]) for box in boxes) <= float(picture.attrib["width"])
    rows = list(csv.DictReader(io.StringIO(seat.get("/desk/FIG/eligibility/flow.csv").content.decode())))
    assert {"stage": "eligible", "criterion": "b", "n": "42"}.items() <= rows[3].items()
    assert rows[1] == {"stage": "eligible", "criterion": "", "what": "Excluded", "n": "155"}


def test_the_stages_after_inclusion_add_up() -> None:
    desk.create_study(cast.coordinator(), code="STAGES", title="New", seed=7)
    take("STAGES", [cast.clinical_row(n) for n in range(6)])
    patients = list(Patient.objects.filter(study__code="STAGES").order_by("pk"))
    whole = ("SAG_T2", "SAG_T1", "SAG_STIR", "AX_T2", "CT_PRE", "CT_POST")
    for patient in patients[:3]:
        series(patient, *whole)
    series(patients[3], *whole[:4])
    series(patients[4], *whole[:3], "CT_PRE", "CT_POST")
    series(patients[4], "AX_T2", held_reason="Text was read in it.")
    Case.objects.filter(patient__in=patients[:2]).update(released_at=timezone.now())
    desk.exclude(cast.coordinator(), "STAGES", patients[1].pk, reasons=["e"])
    stages = {stage.code: stage for stage in desk.patient_flow(cast.coordinator(), "STAGES").stages}
    assert [stage.n for stage in stages.values()] == [6, 5, 2, 1, 0]
    assert {fall.text: fall.n for fall in stages["included"].falls} == {
        "CT incomplete": 1, "MRI incomplete": 1, "No images": 1,
    }  # fmt: skip
    assert {fall.text: fall.n for fall in stages["complete"].falls} == {"Wait for release": 1}
    for here, there in zip(list(stages.values()), list(stages.values())[1:], strict=False):
        assert here.n - here.lost == there.n


def test_a_study_that_is_read_has_a_chart_without_the_release() -> None:
    cast.read_all(cast.SPINE)
    flow = desk.patient_flow(cast.coordinator(), cast.SPINE)
    assert [(stage.n, stage.lost) for stage in flow.stages] == [(5, 1), (4, 0), (4, 0), (4, 0), (4, 0)]
    drawn = [line.text for box in desk.flow_chart(flow).boxes for line in box.lines]
    assert "Released to the readers" not in drawn
    assert "Read by every reader" in drawn


# --- the decisions -------------------------------------------------------------------------------------------------


def test_of_several_reasons_the_first_counts_and_all_are_kept() -> None:
    patient, seat = one("SEVERAL"), cast.client("coordinator")
    seat.post("/desk/SEVERAL/eligibility/", {"patient": patient.pk, "reason": ["d", "b"], "note": "Old scan"})
    kept = Exclusion.objects.get(patient=patient)
    assert (kept.reason, kept.note) == ("b", "also d; Old scan")
    row = desk.patient_row(cast.coordinator(), "SEVERAL", patient.pk)
    assert (row.reason, row.also, row.note) == ("b", ("d",), "Old scan")
    said = Event.objects.get(study__code="SEVERAL", verb="exclude")
    assert (said.before, said.after, said.reason, said.subject) == ("", "b, d", "Old scan", patient.pseudonym)
    page = seat.get("/desk/SEVERAL/eligibility/?show=b").content.decode()
    assert "excluded (b)" in page
    assert "also d" in page
    assert patient.pseudonym not in seat.get("/desk/SEVERAL/eligibility/?show=d").content.decode()


def test_an_exclusion_is_changed_and_taken_back_with_a_reason() -> None:
    patient, seat = one("BACK", exclusion="c"), cast.client("coordinator")
    path = "/desk/BACK/eligibility/"
    page = seat.get(f"{path}?patient={patient.pk}").content.decode()
    assert re.search(r'value="c"\s+checked', page)
    assert seat.post(path, {"patient": patient.pk, "reason": "a", "note": ""}).status_code == 302
    assert seat.post(path, {"patient": patient.pk, "restore": "1", "note": "  "}).status_code == 422
    assert Exclusion.objects.filter(patient=patient, reason="a").exists()
    assert seat.post(path, {"patient": patient.pk, "restore": "1", "note": "Found the score"}).status_code == 302
    assert not Exclusion.objects.filter(patient=patient).exists()
    verbs = Event.objects.filter(study__code="BACK", verb__in=["exclude", "restore"]).order_by("number")
    assert [(one.verb, one.before, one.after) for one in verbs][1:] == [("exclude", "c", "a"), ("restore", "a", "")]


@pytest.mark.parametrize("reasons", [[], ["f"], ["a", "z"], ["A"]])
def test_an_unknown_criterion_is_refused(reasons: list[str]) -> None:
    patient = one("ODD")
    answer = cast.client("coordinator").post("/desk/ODD/eligibility/", {"patient": patient.pk, "reason": reasons})
    assert answer.status_code == 422
    assert "the protocol has: a, b, c, d, e" in answer.content.decode()
    assert not Exclusion.objects.filter(patient=patient).exists()


def test_a_case_in_the_readers_order_stays_and_the_sentence_says_what_to_do() -> None:
    patient = Patient.objects.filter(study__code=cast.SPINE, exclusion__isnull=True)[0]
    with pytest.raises(WrongState, match=r"lies in the readers' order and is read to the end\. Tell the analyst"):
        desk.exclude(cast.coordinator(), cast.SPINE, patient.pk, reasons=["a"])
    page = cast.client("coordinator").get(f"/desk/{cast.SPINE}/eligibility/?patient={patient.pk}").content.decode()
    assert "in the readers&#x27; order" in page
    cast.read_all(cast.SPINE)
    cast.close(cast.SPINE)
    left_out = Patient.objects.get(study__code=cast.SPINE, exclusion__isnull=False)
    with pytest.raises(WrongState, match="The readings are locked"):
        desk.restore(cast.coordinator(), cast.SPINE, left_out.pk, reason="Changed my mind")
    with pytest.raises(WrongState, match="The readings are locked"):
        desk.exclude(cast.coordinator(), cast.SPINE, patient.pk, reasons=["b"])


def test_a_patient_of_another_study_does_not_exist() -> None:
    patient, seat = one("MINE2"), cast.client("coordinator")
    assert seat.get(f"/desk/{cast.SPINE}/eligibility/?patient={patient.pk}").status_code == 404
    answer = seat.post(f"/desk/{cast.SPINE}/eligibility/", {"patient": patient.pk, "reason": "a"})
    assert answer.status_code == 404


def test_the_hospitals_identifier_finds_the_patient_and_is_not_shown_again() -> None:
    patient, seat = one("FIND"), cast.client("coordinator")
    page = seat.post("/desk/FIND/eligibility/", {"identifier": f"{cast.HOSPITAL_ID}-71"}).content.decode()
    assert patient.pseudonym in page
    assert cast.HOSPITAL_ID not in page
    none = seat.post("/desk/FIND/eligibility/", {"identifier": "nobody"}).content.decode()
    assert "No patient of this study has that identifier." in none
    assert "No patient is like that" in seat.get("/desk/FIND/eligibility/?search=P-0000").content.decode()
    assert (
        patient.pseudonym
        in seat.get(f"/desk/FIND/eligibility/?search={patient.pseudonym[2:5].lower()}").content.decode()
    )


# --- hints ---------------------------------------------------------------------------------------------------------


def with_images(code: str, **more: str) -> Patient:
    desk.create_study(cast.coordinator(), code=code, title="New", seed=7)
    take(code, [cast.clinical_row(71, **more)])
    return Patient.objects.get(study__code=code)


def injected(patient: Patient) -> date:
    return date.fromisoformat(patient.clinical_values.get(name="injection_date").value)


MRI = ("SAG_T2", "SAG_T1", "SAG_STIR", "AX_T2")


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ((0,), []),
        ((184,), []),
        ((185,), [("MRI 185 days before the injection", "b")]),
        ((400, 20), []),
        ((400, -3), [("MRI 400 days before the injection", "b")]),
        ((-1, -30), [("MRI only after the injection", "b")]),
    ],
)
def test_the_days_between_mri_and_injection(days: tuple[int, ...], said: list[tuple[str, str]]) -> None:
    patient = with_images("DAYS")
    for before in days:
        series(patient, *MRI, day=(injected(patient) - timedelta(days=before)).isoformat())
    assert hints(patient) == said


def test_what_is_missing_is_hinted_at() -> None:
    patient = with_images("GAPS", nrs_baseline="", age="17")
    assert hints(patient) == [("No baseline pain", "a"), ("No MRI", "b"), ("Age under 18", "")]
    series(patient, *MRI[:3])
    series(patient, "AX_T2", excluded_reason="Wrong patient")
    assert hints(patient)[1] == ("Axial T2 missing", "d")
    page = cast.client("coordinator").get(f"/desk/GAPS/eligibility/?patient={patient.pk}").content.decode()
    assert "Axial T2 missing (d)" in page
    assert "checked" not in page, "a hint decides nothing"
    listed = desk.patients(cast.coordinator(), "GAPS", show="hint")
    assert [row.id for row in listed.page.rows] == [patient.pk]


def test_what_is_only_held_is_there_all_the_same() -> None:
    patient = with_images("HELD")
    series(patient, *MRI, held_reason="Text was read in it.")
    assert hints(patient) == []


def test_the_sentence_of_the_flow_keeps_its_capitals() -> None:
    desk.create_study(cast.coordinator(), code="CAPS", title="New", seed=7)
    sentence = desk.patient_flow(cast.coordinator(), "CAPS").sentence
    assert "MRI" in sentence
    assert "CT" in sentence
    assert "assessed for eligibility: 0" in sentence
    assert "mri" not in sentence


def test_no_pain_value_at_all_and_none_afterwards() -> None:
    assert hints(one("NONE", nrs_baseline="", nrs_15min="", nrs_1month="")) == [("No pain value", "a")]
    assert hints(one("AFTER", nrs_15min="", nrs_1month="")) == [("No pain value after the injection", "a")]
    assert hints(one("HALF", nrs_15min="")) == []


def test_the_days_of_real_files_and_the_tables_day_move_together() -> None:
    """cast's scans are of 17 September, its injections of 29 October 2013: 42 days, and neither date is kept."""
    case = Case.objects.filter(patient__study__code=cast.SPINE, series__isnull=False)[0]
    told = Series.objects.filter(case=case, modality="MR")[0].parameters["acquired_on"]
    assert (injected(case.patient) - date.fromisoformat(told)).days == 42
    assert told != "2013-09-17"
    before = Series.objects.filter(case=case)
    for one_series in before:
        one_series.parameters = {k: v for k, v in one_series.parameters.items() if k not in ("matrix", "acquired_on")}
        one_series.save()
    assert hints(case.patient) == []  # imported before the day was kept: it is read from the header


def test_a_protocol_without_criteria_says_so() -> None:
    page = cast.client("coordinator").get(f"/desk/{cast.PEBBLE}/eligibility/").content.decode()
    assert "declares no criteria" in page
