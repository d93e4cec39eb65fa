"""Page of the desk: the vertebrae of one case get their names."""

from __future__ import annotations

import math
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from annotation import desk
from annotation.people import person_of
from annotation.web.desk import page_or_act


@login_required
@page_or_act
def labels(request: HttpRequest, study: str, case: str) -> HttpResponse:
    person = person_of(request)
    if request.method == "POST":
        _act(request, study, case)
        return redirect(request.path)
    sheet = desk.label_sheet(person, study, case)
    schemes: dict[str, Any] = {name: title for name, (title, _) in desk.LABEL_SCHEMES.items()}
    return render(request, "desk/labels.html", {"sheet": sheet, "schemes": schemes, "island": sheet.island()})


def _act(request: HttpRequest, study: str, case: str) -> None:
    person = person_of(request)
    if "level" in request.POST:
        level = request.POST["level"]
        desk.set_level(person, study, desk.label_sheet(person, study, case).case_id, level=level)
        messages.success(request, f"The lytic vertebra is {level}.")
        return
    spots = [_spot(text) for text in request.POST.getlist("spot")]
    said = desk.set_labels(person, study, case, spots=spots)
    messages.success(request, f"{len(spots)} labels are kept." if spots else "The labels are removed.")
    for sentence in said:
        messages.warning(request, f"{sentence} Look again.")


def _spot(text: str) -> desk.Spot:
    """Read one label as the page sends it: name, slice, row and column."""
    parts = text.split(":")
    try:
        name, number, row, column = parts
        spot = desk.Spot(name, int(number), float(row), float(column))
    except ValueError:
        raise desk.BadSetting("label", "A label could not be read; load the page again.") from None
    if not (math.isfinite(spot.row) and math.isfinite(spot.column)):
        raise desk.BadSetting("label", "A label could not be read; load the page again.")
    return spot
