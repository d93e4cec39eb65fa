"""Every address has a line here that says what each member of the cast gets from it. An address without one fails."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from analytics.models import Run
from annotation import desk, intake
from annotation.models import Assignment, Series
from tests import cast

pytestmark = pytest.mark.django_db

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
MEMBERS = ("anonymous", *cast.PEOPLE)


class Line(NamedTuple):
    """An address in study SPINE: its methods, and what the first of them answers to whom."""

    methods: str
    expected: dict[str, int]


def _line(methods: str, *, anonymous: int = 302, others: int = 404, **answers: int) -> Line:
    expected = dict.fromkeys(MEMBERS, others) | {"anonymous": anonymous} | answers
    assert set(expected) == set(MEMBERS)
    return Line(methods, expected)


def _everybody(methods: str, status: int, **more: int) -> Line:
    return _line(methods, **{"anonymous": status, "others": status, **more})


ROOM = {"reader_a": 200, "reader_b": 200}
DESK_PAGE = _line("GET", coordinator=200)
DESK_ACT = _line("GET POST", coordinator=200)

TABLE: dict[str, Line] = {
    "": _line("GET", others=200, reader_b=302, clerk=302),
    "accounts/login/": _everybody("GET POST", 200),
    "accounts/logout/": _everybody("POST", 302),
    "accounts/password/": _line("GET POST", others=200),
    "accounts/comfort/": _line("GET POST", others=200),
    "room/<slug:study>/": _line("GET", **ROOM),
    "room/<slug:study>/<slug:form>/": _line("GET", **ROOM),
    # SPINE is a study: what is right in it nobody knows. Practice studies: tests/integration/test_practice.py.
    "room/<slug:study>/practice/<uuid:reading>/": _line("GET"),
    "room/<slug:study>/practice/<uuid:reading>/<str:cell>.png": _line("GET"),
    "outcomes/<slug:study>/": _line("GET POST", clerk=200),
    "outcomes/<slug:study>/<slug:case>/": _line("GET POST", clerk=200),
    "desk/": _line("GET POST", coordinator=200, root=200),
    "desk/<slug:study>/": DESK_PAGE,
    "desk/<slug:study>/setup/": DESK_ACT,
    "desk/<slug:study>/import/": DESK_ACT,
    "desk/<slug:study>/clinical/": DESK_ACT,
    "desk/<slug:study>/clinical/<slug:table>/": DESK_ACT,
    "desk/<slug:study>/clinical/<slug:table>/remarks.csv": DESK_PAGE,
    "desk/<slug:study>/series/": DESK_ACT,
    "desk/<slug:study>/series/<int:series>/sheet.png": DESK_PAGE,
    "desk/<slug:study>/series/<int:series>/slices/<int:number>.png": DESK_PAGE,
    "desk/<slug:study>/look/": _line("GET", coordinator=302),
    "desk/<slug:study>/look/<slug:case>/": DESK_ACT,
    "desk/<slug:study>/look/<slug:case>/labels/": DESK_ACT,
    "desk/<slug:study>/scanning/": DESK_PAGE,
    "desk/<slug:study>/scanning.csv": DESK_PAGE,
    "desk/<slug:study>/eligibility/": DESK_ACT,
    "desk/<slug:study>/eligibility/flow/": DESK_PAGE,
    "desk/<slug:study>/eligibility/flow.svg": DESK_PAGE,
    "desk/<slug:study>/eligibility/flow.csv": DESK_PAGE,
    "desk/<slug:study>/release/": DESK_ACT,
    "desk/<slug:study>/readers/": DESK_ACT,
    "desk/<slug:study>/progress/": DESK_PAGE,
    "desk/<slug:study>/closing/": DESK_ACT,
    "desk/<slug:study>/unblinding/": DESK_ACT,
    "desk/<slug:study>/facts/": DESK_ACT,
    "desk/<slug:study>/trail/": DESK_PAGE,
    # The reading of these addresses is reader_a's: for everybody else it does not exist.
    "api/room/<slug:study>/<slug:form>/next": _line("GET", anonymous=403, **ROOM),
    "api/room/<slug:study>/<slug:form>/upcoming": _line("GET", anonymous=403, **ROOM),
    "api/room/<slug:study>/<slug:form>/display": _line("POST", anonymous=403, **ROOM),
    "api/preferences": _line("PUT", anonymous=403, others=200),
    "api/room/readings/<uuid:reading>": _line("PUT", anonymous=403, reader_a=200),
    "api/room/readings/<uuid:reading>/lock": _line("POST", anonymous=403, reader_a=422),
    "api/room/readings/<uuid:reading>/set-aside": _line("POST", anonymous=403, reader_a=200),
    "api/room/readings/<uuid:reading>/times": _line("POST", anonymous=403, reader_a=200),
    # Deliveries are the coordinator's: for everybody else they do not exist.
    "api/desk/<slug:study>/deliveries/": _line("GET POST", anonymous=403, coordinator=200),
    "api/desk/<slug:study>/deliveries/<uuid:delivery>/": _line("GET", anonymous=403, coordinator=200),
    "api/desk/<slug:study>/deliveries/<uuid:delivery>/upload": _line("GET", anonymous=403, coordinator=200),
    "api/desk/<slug:study>/deliveries/<uuid:delivery>/files": _line("POST", anonymous=403, coordinator=200),
    "api/desk/<slug:study>/deliveries/<uuid:delivery>/files/<int:number>": _line("PUT", anonymous=403, coordinator=200),
    "api/desk/<slug:study>/deliveries/<uuid:delivery>/bytes": _line("POST", anonymous=403, coordinator=400),
    "api/desk/<slug:study>/deliveries/<uuid:delivery>/seal": _line("POST", anonymous=403, coordinator=409),
    "api/desk/<slug:study>/deliveries/<uuid:delivery>/cancel": _line("POST", anonymous=403, coordinator=200),
    "api/schema/": _line("GET", anonymous=403, others=200),
    "api/docs/": _line("GET", anonymous=403, others=200),
    "report/": _line("GET POST", analyst=200),
    # Tables belong to who handed them in; here nobody did: tests/integration/test_tables_handed_in.py.
    "report/tables/<uuid:run>/": _line("GET"),
    "report/tables/<uuid:run>/state": _line("GET"),
    "report/tables/<uuid:run>/cancel": _line("POST"),
    "report/tables/<uuid:run>/again": _line("POST"),
    "report/tables/<uuid:run>/delete": _line("POST"),
    "report/tables/<uuid:run>/origin": _line("GET"),
    "report/tables/<uuid:run>/files/<path:name>": _line("GET"),
    "report/<slug:study>/": _line("GET POST", analyst=200),
    "report/<slug:study>/panels/": _line("GET", analyst=200),
    "report/<slug:study>/panels/print.<slug:kind>": _line("GET"),  # the readings are not locked yet
    "report/<slug:study>/panels/<slug:key>.png": _line("GET"),
    "report/<slug:study>/disagreements/": _line("GET", analyst=200),
    "report/<slug:study>/disagreements/<slug:key>.png": _line("GET"),  # the readings are not locked yet
    "report/<slug:study>/runs/<uuid:run>/": _line("GET", analyst=200),
    "report/<slug:study>/runs/<uuid:run>/state": _line("GET", analyst=200),
    "report/<slug:study>/runs/<uuid:run>/cancel": _line("POST", analyst=302),
    "report/<slug:study>/runs/<uuid:run>/again": _line("POST", analyst=302),
    "report/<slug:study>/runs/<uuid:run>/origin": _line("GET"),  # nothing is computed yet
    "report/<slug:study>/compare": _line("GET", analyst=200),
    "report/<slug:study>/runs/<uuid:run>/files/<path:name>": _line("GET"),  # nothing is computed yet
    "healthz": _everybody("GET", 200),
    "readyz": _everybody("GET", 503),  # no worker runs here
}
BODIES: dict[str, Any] = {
    "api/desk/<slug:study>/deliveries/<uuid:delivery>/files": {"files": [[2, "0" * 64]]},
    "api/room/<slug:study>/<slug:form>/display": {"seen": True, "screen": "1920x1080@1"},
    "api/preferences": {"habit": "window_right"},
    "api/room/readings/<uuid:reading>": {"base": 0, "answers": {}, "evidence": {}},
    "api/room/readings/<uuid:reading>/lock": {"base": 0},
    "api/room/readings/<uuid:reading>/set-aside": {"reason": "The screen flickers."},
    "api/room/readings/<uuid:reading>/times": {"visit": str(uuid.UUID(int=7)), "moments": []},
}


def routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for one in patterns:
        here = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from routes(one.url_patterns, here)
        else:
            yield here


ALL_ROUTES = sorted(set(routes(get_resolver().url_patterns)))
OURS = [route for route in ALL_ROUTES if not route.startswith("admin/")]


def test_every_address_has_a_line_and_every_line_an_address() -> None:
    assert sorted(TABLE) == OURS
    assert any(route.startswith("admin/") for route in ALL_ROUTES)
    from spondy import wsgi  # making the application reads the settings, which the tests have changed by now

    assert (wsgi.PREFIX, wsgi.SUFFIX) == ("/frames/", "/frames/1"), "what stands before Django: test_frame_addresses"


@pytest.fixture
def addresses() -> dict[str, str]:
    """Fill the addresses with a reading of reader_a, a series of SPINE and a run that waits."""
    reading = cast.current("reader_a", cast.SPINE, "mr").id
    series = Series.objects.filter(case__patient__study__code=cast.SPINE).values_list("pk", flat=True)[0]
    run = Run.objects.create(
        study=cast.study(), layer="readings", plan="agreement", plan_digest="0" * 64, rows_digest="0" * 64
    )
    delivery = intake.begin(cast.study(), way=intake.Way.UPLOAD, by=cast.coordinator())
    intake.announce(delivery, [(2, "f" * 64)])
    values = {
        "<slug:study>": cast.SPINE,
        "<uuid:delivery>": str(delivery),
        "<slug:form>": "mr",
        "<uuid:reading>": str(reading),
        "<int:series>": str(series),
        "<int:number>": "1",
        "<slug:case>": Series.objects.get(pk=series).case.patient.pseudonym,
        "<uuid:run>": str(run.pk),
        "<str:cell>": "lee.case",
        "<path:name>": "estimates.csv",
        "<slug:kind>": "pdf",
        "<slug:key>": "0123456789abcdef",
        "<slug:table>": desk.receive_table(cast.coordinator(), cast.SPINE, b"patient_id\nX\n", None),
    }
    filled = {}
    for route in OURS:
        path = f"/{route}"
        for name, value in values.items():
            path = path.replace(name, value)
        assert "<" not in path, f"{route} has a part this test cannot fill"
        filled[route] = path
    return filled


def seat(member: str) -> Client:
    return cast.client(None if member == "anonymous" else member)


@pytest.mark.parametrize("route", sorted(TABLE))
def test_each_member_gets_what_the_line_says(route: str, addresses: dict[str, str]) -> None:
    line = TABLE[route]
    for member in MEMBERS:
        answer = cast.send(seat(member), line.methods.split()[0], addresses[route], BODIES.get(route, {}))
        assert answer.status_code == line.expected[member], (member, answer.content[:600])
        if line.expected[member] == 302 and member == "anonymous" and not route.startswith("accounts/logout"):
            assert answer["Location"].startswith("/accounts/login/?next=")
        if route.startswith("api/") and answer.status_code >= 400:
            assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("route", sorted(TABLE))
def test_a_wrong_method_is_405_for_those_inside_and_nothing_for_others(route: str, addresses: dict[str, str]) -> None:
    line = TABLE[route]
    before = Assignment.objects.filter(set_aside_at__isnull=False).count()
    for method in METHODS:
        if method in line.methods.split():
            continue
        for member in MEMBERS:
            answer = cast.send(seat(member), method, addresses[route], {})
            inside = line.expected[member] in (200, 422)
            allowed = {405} if inside else {302, 403, 404, 405}
            assert answer.status_code in allowed, (method, member, answer.status_code)
            if answer.status_code == 405:
                assert "Allow" in answer
            if route.startswith("api/"):
                assert answer["Content-Type"] == "application/problem+json"
    assert Assignment.objects.filter(set_aside_at__isnull=False).count() == before


OF_A_STUDY = sorted(route for route in TABLE if "slug:study" in route and "GET" in TABLE[route].methods)


@pytest.mark.parametrize("route", OF_A_STUDY)
def test_a_study_that_is_not_there_answers_as_one_that_is_not_yours(route: str, addresses: dict[str, str]) -> None:
    foreign = cast.send(seat("stranger"), "GET", addresses[route], {})
    for member in ("coordinator", "reader_a", "analyst", "root"):
        absent = cast.send(seat(member), "GET", addresses[route].replace(cast.SPINE, "NOWHERE"), {})
        assert absent.status_code == foreign.status_code == 404
        if route.startswith("api/"):
            assert absent.content == foreign.content


def test_foreign_objects_inside_an_own_study_do_not_exist(addresses: dict[str, str]) -> None:
    pebble = Series.objects.filter(case__patient__study__code=cast.PEBBLE).values_list("pk", flat=True)[0]
    coordinator, analyst = seat("coordinator"), seat("analyst")
    assert coordinator.get(f"/desk/{cast.SPINE}/series/{pebble}/sheet.png").status_code == 404
    assert coordinator.get(f"/desk/{cast.SPINE}/series/{pebble}/slices/1.png").status_code == 404
    assert coordinator.post(f"/desk/{cast.SPINE}/series/", {"series": pebble, "role": "OTHER"}).status_code == 404
    assert coordinator.post(f"/desk/{cast.SPINE}/release/", {"case": 10**30}).status_code == 404
    run = addresses["report/<slug:study>/runs/<uuid:run>/"]
    assert analyst.get(run).status_code == 200
    assert analyst.get(run.replace(cast.SPINE, cast.PEBBLE)).status_code == 404
    assert analyst.get(f"/report/{cast.SPINE}/runs/{uuid.uuid4()}/").status_code == 404


@pytest.mark.parametrize("code", [cast.SPINE, cast.PEBBLE])
def test_no_role_opens_another_door(code: str) -> None:
    """Each person passes exactly the door of the own role; a superuser passes none without a role."""
    doors = {"room": "reader", "desk": "coordinator", "report": "analyst", "outcomes": "outcome_entry"}
    for username in cast.PEOPLE:
        role = "coordinator" if username == "coordinator" else cast.ROLES[code].get(username)
        for door, needed in doors.items():
            status = seat(username).get(f"/{door}/{code}/").status_code
            assert status == (200 if role == needed else 404), (username, door)


def test_somebody_who_left_is_nobody() -> None:
    reader = cast.reader_a()
    inside = seat("reader_a")
    assert inside.get(f"/room/{cast.SPINE}/").status_code == 200
    reader.is_active = False
    reader.save()
    assert inside.get(f"/room/{cast.SPINE}/").status_code == 302
    assert inside.get(f"/api/room/{cast.SPINE}/mr/next").status_code == 403


def test_the_operator_pages_are_for_staff_and_hold_no_reading() -> None:
    for username in cast.PEOPLE:
        answer = seat(username).get("/admin/")
        assert answer.status_code == (200 if username == "root" else 302), username
    registered = {model._meta.label_lower for model in admin.site._registry}
    assert registered == {"annotation.membership", "annotation.job", "auth.user", "auth.group"}


def test_the_operator_gives_no_role(addresses: dict[str, str]) -> None:
    root = seat("root")
    assert root.get("/admin/annotation/membership/").status_code == 200
    assert root.post("/admin/annotation/membership/add/", {}).status_code == 403
    assert root.get(f"/room/{cast.SPINE}/").status_code == 404
