"""The first page: own studies and roles; with one of each straight to that door."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from annotation import access, desk
from annotation.people import person_of

DOORS = {"reader": "room", "coordinator": "desk", "analyst": "report", "outcome_entry": "outcomes"}


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    seats = access.seats(person)
    may_create = desk.may_create(person)
    if len(seats) == 1 and seats[0].role in DOORS and not may_create:
        return redirect(DOORS[seats[0].role], seats[0].study)
    rows = [(seat, DOORS.get(seat.role)) for seat in seats]
    return render(request, "home.html", {"rows": rows, "may_create": may_create, "operator": person.is_staff})
