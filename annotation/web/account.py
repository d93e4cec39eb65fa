"""The own account: how one likes to read."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from annotation import room
from annotation.people import person_of


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def reading(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    if request.method == "POST":
        room.choose_habit(person, request.POST.get("habit"))
        messages.success(request, "Kept. It holds from the next case you open.")
        return redirect("account_reading")
    return render(request, "account/reading.html", {"comfort": room.comfort(person)})
