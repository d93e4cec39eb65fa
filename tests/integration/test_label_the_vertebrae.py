"""The coordinator names the vertebrae of a case on a sagittal slice; both readers see the names, in millimetres."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings

from annotation import desk, intake
from annotation.desk.labels import warnings_of
from annotation.models import Case, Event, Instance, Series
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def case() -> Case:
    """Import one patient whose images came in but lie in nobody's order."""
    folder = settings.DATA_DIR / "labelled"
    cast.export(folder, patients=[81], series=cast.SPINE_SERIES, slices=3)
    desk.create_study(cast.coordinator(), code="NAMES", title="Names", seed=7)
    log = intake.take_in(desk.intake_target("NAMES"), dicom=[folder])
    assert log.imported == 18, log.document()
    return Case.objects.get(patient__study__code="NAMES")


def space_of(case: Case, role: str) -> str:
    """Read the frame of reference as it is stored."""
    image = Instance.objects.filter(series__case=case, series__role=role)[0]
    return str(image.header["00200052"]["Value"][0])


def move(series: Series, space: str) -> None:
    for instance in Instance.objects.filter(series=series):
        instance.header["00200052"] = {"vr": "UI", "Value": [space]}
        instance.save()


def second_t2(case: Case, space: str) -> Series:
    """Give the case another sagittal T2 in a space of its own: what was the STIR."""
    other = Series.objects.get(case=case, role="SAG_STIR")
    move(other, space)
    desk.set_role(cast.coordinator(), "NAMES", other.pk, role="SAG_T2")
    return other


def put(case: Case, *spots: str) -> Any:
    return cast.client("coordinator").post(f"/desk/NAMES/look/{case}/labels/", {"spot": list(spots)})


def test_a_click_becomes_millimetres_of_the_patient(case: Case) -> None:
    """cast's sagittal slices begin at (-40, -64, 60), 4 mm apart to the left, pixels of 4 mm, rows downwards."""
    assert put(case, "S1:2:25:14.5", "L5:2:16:14").status_code == 302
    case.refresh_from_db()
    assert case.labels["points"] == {"S1": [-36.0, -6.0, -40.0], "L5": [-36.0, -8.0, -4.0]}
    assert case.labels["space"] == space_of(case, "SAG_T2")
    said = Event.objects.get(study__code="NAMES", verb="set vertebra labels")
    assert (said.before, said.after, said.subject) == ({}, case.labels, str(case))
    sheet = desk.label_sheet(cast.coordinator(), "NAMES", str(case))
    assert [(s.name, s.slice, s.row, s.column) for s in sheet.spots] == [("S1", 2, 25, 14.5), ("L5", 2, 16, 14)]
    assert (sheet.series_title, sheet.middle, len(sheet.slices), sheet.scheme) == ("Sagittal T2", 2, 3, "five")


def test_the_same_labels_again_are_no_event_and_none_remove_them(case: Case) -> None:
    for _ in range(2):
        put(case, "S1:2:25:14")
    assert Event.objects.filter(study__code="NAMES", verb="set vertebra labels").count() == 1
    put(case)
    case.refresh_from_db()
    assert case.labels == {}


def test_without_a_t2_the_t1_is_taken_and_without_any_the_page_says_so(case: Case) -> None:
    Series.objects.filter(case=case, role="SAG_T2").update(role="OTHER")
    assert desk.label_sheet(cast.coordinator(), "NAMES", str(case)).series_title == "Sagittal T1"
    Series.objects.filter(case=case).update(role="OTHER")
    page = cast.client("coordinator").get(f"/desk/NAMES/look/{case}/labels/").content.decode()
    assert "no sagittal MRI with geometry" in page
    assert put(case, "S1:2:1:1").status_code == 409


@pytest.mark.parametrize(
    "spots",
    [
        ["C2:2:1:1"], ["L9:2:1:1"], ["S1:2:1:1", "S1:2:2:2"], ["S1:9:1:1"], ["S1:0:1:1"], ["S1:2:-1:1"],
        ["S1:2:31.6:1"], ["S1:2:1:32"], ["S1:2:nan:1"], ["S1:2:inf:1"], ["S1:2:1"], ["S1"], [""], ["<b>:2:1:1"],
    ],
)  # fmt: skip
def test_a_label_that_cannot_be_is_refused_and_nothing_is_kept(case: Case, spots: list[str]) -> None:
    assert put(case, "L5:2:4:4").status_code == 302
    assert put(case, *spots).status_code == 422
    case.refresh_from_db()
    assert list(case.labels["points"]) == ["L5"]


def test_an_implausible_order_is_kept_and_said(case: Case) -> None:
    answer = cast.client("coordinator").post(
        f"/desk/NAMES/look/{case}/labels/", {"spot": ["S1:2:10:14", "L5:2:20:14"]}, follow=True
    )
    assert "L5 lies below S1. Look again." in answer.content.decode()


def test_what_is_warned_of() -> None:
    def at(z: float) -> list[float]:
        return [0.0, 0.0, z]

    assert warnings_of({"S1": at(0), "L5": at(33), "L4": at(68)}) == ()
    assert warnings_of({"S1": at(0), "L6": at(30), "L5": at(60)}) == ()
    assert warnings_of({"S2": at(0), "S1": at(30), "L5": at(60)}) == ()
    assert warnings_of({"S1": at(0), "L4": at(68)}) == ("Between L4 and S1 a vertebra has no label.",)
    assert warnings_of({"S1": at(0), "L5": at(8)}) == ("L5 and S1 lie 8 mm apart.",)
    assert warnings_of({"S1": at(0), "L5": at(75)}) == ("L5 and S1 lie 75 mm apart.",)


def test_the_level_is_set_on_the_same_page(case: Case) -> None:
    cast.client("coordinator").post(f"/desk/NAMES/look/{case}/labels/", {"level": "L5"})
    case.refresh_from_db()
    assert case.lysis_vertebra == "L5"


def test_a_case_that_is_being_read_keeps_its_labels() -> None:
    read = Case.objects.filter(patient__study__code=cast.SPINE, assignments__isnull=False)[0]
    seat, path = cast.client("coordinator"), f"/desk/{cast.SPINE}/look/{read}/labels/"
    assert "its labels stay as they are" in seat.get(path).content.decode()
    assert seat.post(path, {"spot": ["S1:2:10:10"]}).status_code == 409
    read.refresh_from_db()
    assert read.labels == {}


def test_the_next_case_without_labels_is_one_that_takes_part(case: Case) -> None:
    assert desk.label_sheet(cast.coordinator(), "NAMES", str(case)).following == ""
    folder = settings.DATA_DIR / "unlabelled"
    cast.export(folder, patients=[82, 83], series=cast.SPINE_SERIES[:1])
    intake.take_in(desk.intake_target("NAMES"), dicom=[folder])
    others = Case.objects.filter(patient__study__code="NAMES").exclude(pk=case.pk).order_by("patient__pseudonym")
    desk.exclude(cast.coordinator(), "NAMES", others[0].patient_id, reasons=["d"])
    assert desk.label_sheet(cast.coordinator(), "NAMES", str(case)).following == str(others[1])


# --- in the reading room -------------------------------------------------------------------------------------------

POINTS = {"S1": [-36.0, -6.0, -40.0], "L5": [-36.0, -8.0, -4.0]}


def labelled(username: str, form: str = "mr", kept: dict[str, Any] | None = None) -> dict[str, Any]:
    """Open the reader's own current case with labels on it; set past the door, for the case is being read."""
    reading = cast.next_of(cast.client(username), cast.SPINE, form)["reading"]
    own = Case.objects.get(assignments__id=reading["id"])
    labels = kept if kept is not None else {"points": POINTS, "space": space_of(own, "SAG_T2")}
    Case.objects.filter(pk=own.pk).update(labels=labels)
    return {
        stack["role"]: stack for stack in cast.next_of(cast.client(username), cast.SPINE, form)["reading"]["stacks"]
    }


def test_both_readers_get_the_labels_on_sagittal_series_alone() -> None:
    for username in ("reader_a", "reader_b"):
        stacks = labelled(username)
        wanted = [{"text": name, "point_lps_mm": point} for name, point in POINTS.items()]
        for role in ("SAG_T2", "SAG_T1", "SAG_STIR"):
            assert stacks[role]["labels"] == wanted
        assert stacks["AX_T2"]["labels"] == []


def test_a_series_in_another_space_and_the_ct_get_none() -> None:
    reading = cast.next_of(cast.client("reader_a"), cast.SPINE, "mr")["reading"]
    own = Series.objects.get(case__assignments__id=reading["id"], role="SAG_T1")
    move(own, "2.25.4711")
    stacks = labelled("reader_a")
    assert stacks["SAG_T1"]["labels"] == []
    assert len(stacks["SAG_STIR"]["labels"]) == 2
    assert all(stack["labels"] == [] for stack in labelled("reader_a", "ct").values())


def test_labels_stay_in_the_space_they_were_set_in_whatever_becomes_of_the_series() -> None:
    """The T2 they were set on leaves; another T2 of another space takes its place and shows none of them."""
    reading = cast.next_of(cast.client("reader_a"), cast.SPINE, "mr")["reading"]
    own = Case.objects.get(assignments__id=reading["id"])
    space = space_of(own, "SAG_T2")
    Series.objects.filter(case=own, role="SAG_T2").update(held_reason="Text was read in it.")
    other = Series.objects.get(case=own, role="SAG_STIR")
    Series.objects.filter(pk=other.pk).update(role="SAG_T2")
    move(other, "2.25.4711")
    stacks = labelled("reader_a", kept={"points": POINTS, "space": space})
    assert stacks["SAG_T2"]["labels"] == []
    assert [label["text"] for label in stacks["SAG_T1"]["labels"]] == ["S1", "L5"], "the same space still"
    assert space not in str(stacks), "no reader gets a stored UID"


def test_labels_kept_without_a_space_are_shown_nowhere() -> None:
    assert all(stack["labels"] == [] for stack in labelled("reader_a", kept=dict(POINTS)).values())


def test_series_without_a_frame_of_reference_share_no_space() -> None:
    reading = cast.next_of(cast.client("reader_a"), cast.SPINE, "mr")["reading"]
    own = Series.objects.filter(case__assignments__id=reading["id"])
    for one in own:
        move(one, "")
    t2 = own.get(role="SAG_T2").series_uid
    stacks = labelled("reader_a", kept={"points": POINTS, "space": t2})
    assert {role for role, stack in stacks.items() if stack["labels"]} == {"SAG_T2"}
    assert t2 not in str(stacks)


def test_the_desk_asks_for_new_labels_where_the_old_ones_are_of_other_images(case: Case) -> None:
    put(case, "S1:2:25:14", "L5:2:16:14")
    seat, pages = cast.client("coordinator"), (f"/desk/NAMES/look/{case}/", f"/desk/NAMES/look/{case}/labels/")
    assert not any("anew" in seat.get(page).content.decode() for page in pages)
    second_t2(case, "2.25.4711")
    assert not any("anew" in seat.get(page).content.decode() for page in pages), "the first T2 is there still"
    desk.set_role(cast.coordinator(), "NAMES", Series.objects.filter(case=case, role="SAG_T2")[0].pk, role="OTHER")
    assert all("anew" in seat.get(page).content.decode() for page in pages)
    assert desk.label_sheet(cast.coordinator(), "NAMES", str(case)).spots == ()
    put(case, "S1:2:25:14")
    case.refresh_from_db()
    assert (list(case.labels["points"]), case.labels["space"]) == (["S1"], "2.25.4711")
    assert not any("anew" in seat.get(page).content.decode() for page in pages)
    Case.objects.filter(pk=case.pk).update(labels=POINTS)  # as they were kept before the space was
    assert all("anew" in seat.get(page).content.decode() for page in pages)
    assert desk.label_sheet(cast.coordinator(), "NAMES", str(case)).spots == ()
