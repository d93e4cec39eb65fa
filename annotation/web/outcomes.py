"""Pages of the outcome entry: the list of patients, and one patient's form with its history."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from annotation import outcomes
from annotation.people import person_of
from annotation.web.desk import page_of, page_or_act


@login_required
@never_cache
@page_or_act
def roll(request: HttpRequest, study: str) -> HttpResponse:
    person = person_of(request)
    # The identifier comes in a body: an address would leave it in logs and in the browser's history.
    asked = request.POST.get("identifier", "").strip()
    if request.method == "POST" and asked:
        found = outcomes.find(person, study, identifier=asked)
        if found is not None:
            return redirect("outcome", study, found)
    incomplete = request.GET.get("show") == "incomplete"
    page = outcomes.roll(person, study, page=page_of(request), incomplete=incomplete)
    return render(request, "outcomes/roll.html", {"page": page, "not_found": bool(asked)})


@login_required
@never_cache
@page_or_act
def entry(request: HttpRequest, study: str, case: str) -> HttpResponse:
    person = person_of(request)
    form = outcomes.entry(person, study, case)
    if request.method != "POST":
        return _render(request, form)
    given = {name: request.POST[name] for name in outcomes.FIELDS if name in request.POST}
    reason = request.POST.get("reason", "")
    base = request.POST.get("base", "")
    try:
        known = int(base) if base.isascii() and base.isdecimal() and len(base) < 19 else -1
        number = outcomes.save(person, study, case, base=known, given=given, reason=reason)
    except outcomes.BadEntry as fault:
        return _render(request, form, given, reason, faults=fault.faults, status=422)
    except outcomes.Outdated as stale:
        fresh = outcomes.entry(person, study, case)
        return _render(request, fresh, given, reason, said=stale.sentence, status=409)
    if number:
        messages.success(request, f"{case}: {number} value{'s' if number > 1 else ''} saved.")
    else:
        messages.info(request, f"{case}: nothing was changed.")
    if "next" in request.POST:
        return redirect("outcomes", study)
    return redirect("outcome", study, case)


def _render(
    request: HttpRequest,
    form: outcomes.Entry,
    given: dict[str, str] | None = None,
    reason: str = "",
    *,
    faults: dict[str, str] | None = None,
    said: str = "",
    status: int = 200,
) -> HttpResponse:
    faults = faults or {}
    given = given or {}
    lines: list[dict[str, Any]] = [
        {"of": one, "typed": given.get(one.name, one.value), "fault": faults.get(one.name, "")} for one in form.fields
    ]
    context = {"form": form, "lines": lines, "reason": reason, "reason_fault": faults.get("reason", ""), "said": said}
    context |= {"faults": len(faults), "has_values": any(one.value for one in form.fields)}
    return render(request, "outcomes/entry.html", context, status=status)
