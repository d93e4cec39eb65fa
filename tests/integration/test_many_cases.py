"""Two thousand cases: a page asks the database as often as with a few, and shows one page of them."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation import desk
from annotation.models import Assignment, Case, Event, Job, Patient, Series, Study
from tests import cast

pytestmark = pytest.mark.django_db

DESK = ("", "setup/", "import/", "series/", "release/", "readers/", "progress/", "closing/", "unblinding/", "trail/")
PATHS = (
    *(f"/desk/{{code}}/{page}" for page in DESK),
    "/desk/{code}/release/?page=30",
    "/desk/{code}/eligibility/",
    "/desk/{code}/eligibility/?page=30",
    "/desk/{code}/eligibility/?show=hint",
    "/desk/{code}/eligibility/flow/",
    "/desk/{code}/eligibility/flow.svg",
    "/desk/{code}/scanning/",
    "/desk/{code}/look/P-000001/labels/",
    "/desk/{code}/series/?page=99999",
    "/desk/{code}/series/?state=unseen&role=SAG_T2&modality=MR&search=P-00",
    "/desk/{code}/release/?state=waiting&lacks=look",
    "/desk/{code}/look/P-000001/",
    "/room/{code}/",
    "/report/{code}/",
    "/",
)
MOST_QUERIES = 25


def fill(code: str, cases: int, *, waiting: bool = False) -> None:
    """Make a study in reading with `cases` cases of six series, places for two readers, events and jobs.

    Where they are `waiting`, nothing is released yet and nobody has looked.
    """
    study = Study.objects.create(
        code=code, title=code, protocol_code="spondylolysis", protocol_version=1, state="reading", seed=1,
        protocol_digest=cast.study().protocol_digest,
    )  # fmt: skip
    for username, role in {"coordinator": "coordinator", **cast.ROLES[cast.SPINE]}.items():
        study.memberships.create(user=cast.person(username), role=role)
    patients = Patient.objects.bulk_create(
        Patient(study=study, pseudonym=f"P-{number:06d}", identifier_hash=f"{number:064d}") for number in range(cases)
    )
    made = Case.objects.bulk_create(
        Case(patient=patient, lysis_vertebra="L5", released_at=None if waiting else timezone.now())
        for patient in patients
    )
    Series.objects.bulk_create(
        Series(
            case=case,
            series_uid=f"2.25.{place}",
            modality="MR",
            role="SAG_T2",
            frame_count=15,
            parameters={"order": []},
        )
        for case in made
        for place in range(6)
    )
    readers = get_user_model().objects.filter(username__in=["reader_a", "reader_b"])
    Assignment.objects.bulk_create(
        Assignment(study=study, reader=reader, case=case, form=form, position=place, alias=f"Case {place}")
        for reader in readers
        for form in ("ct", "mr")
        for place, case in enumerate([] if waiting else made, start=1)
    )
    Event.objects.bulk_create(
        Event(study=study, number=number, verb="import", at=timezone.now(), digest="0" * 64, actor=cast.coordinator())
        for number in range(1, cases + 1)
    )
    Job.objects.bulk_create(
        Job(study=study, kind="import", title="Import", lease_until=timezone.now(), state="done")
        for _ in range(min(cases, 100))
    )


def queries(path: str, code: str) -> int:
    who = "reader_a" if path.startswith("/room") else "analyst" if path.startswith("/report") else "coordinator"
    seat = cast.client(who)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        answer = seat.get(path.format(code=code))
    assert answer.status_code == 200, path
    assert len(answer.content) < 200_000, "one page of a long table"
    return len(captured)


def test_no_page_asks_once_a_row() -> None:
    fill("FEW", 3)
    fill("MANY", 2000)
    counted = {path: (queries(path, "FEW"), queries(path, "MANY")) for path in PATHS}
    grown = {path: pair for path, pair in counted.items() if pair[1] > pair[0]}
    assert not grown
    assert max(many for _, many in counted.values()) <= MOST_QUERIES, counted
    page = desk.cases(cast.coordinator(), "MANY", page=2)
    assert (len(page.rows), page.pages, page.total) == (50, 40, 2000)
    assert desk.cases(cast.coordinator(), "MANY", page=10**6).number == 40


def test_looking_at_cases_does_not_grow_with_the_study() -> None:
    """The pages of the review, while every case still waits for it; next case and counts are the database's work."""
    paths = [
        path for path in PATHS if path.startswith(("/desk/{code}/series", "/desk/{code}/release", "/desk/{code}/look"))
    ]
    fill("FEW", 3, waiting=True)
    fill("MANY", 2000, waiting=True)
    counted = {path: (queries(path, "FEW"), queries(path, "MANY")) for path in paths}
    assert not {path: pair for path, pair in counted.items() if pair[1] > pair[0]}
    assert max(many for _, many in counted.values()) <= MOST_QUERIES, counted
    found = desk.completeness(cast.coordinator(), "MANY")
    assert (found.cases, found.waiting, found.complete) == (2000, 2000, 0)
    assert desk.look(cast.coordinator(), "MANY", "P-000999").next_waiting == "P-001000"
    assert desk.look(cast.coordinator(), "MANY", "P-001999").next_waiting == "P-000000"


def test_opening_and_saving_a_case_does_not_grow_with_the_study() -> None:
    fill("MANY", 400)
    seat = cast.client("reader_a")
    counted = {}
    for code in (cast.SPINE, "MANY"):
        with CaptureQueriesContext(connection) as opening:
            reading = cast.next_of(seat, code, "mr")["reading"]
        with CaptureQueriesContext(connection) as saving:
            body = {"base": 0, "answers": {"pfirrmann.case": 2}, "evidence": {}}
            assert cast.send(seat, "PUT", reading["save_url"], body).status_code == 200
        counted[code] = (len(opening), len(saving))
    assert counted["MANY"][0] <= counted[cast.SPINE][0]
    assert counted["MANY"][1] <= counted[cast.SPINE][1]
    assert max(counted[cast.SPINE]) <= MOST_QUERIES, counted
