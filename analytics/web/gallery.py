"""Pages of the disagreement gallery; the filter stands in the address, so a view can be kept and sent."""

from __future__ import annotations

import math

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from analytics.runs import gallery as door
from annotation.people import person_of

KINDS = (("", "every difference"), (door.GRADES, "different grades"), (door.NOT_ASSESSABLE, "not assessable for one"))


@login_required
@require_safe
def disagreements(request: HttpRequest, study: str) -> HttpResponse:
    told = request.GET
    asked = door.Asked(
        told.get("item", ""), told.get("pair", ""), told.get("kind", ""), _least(told), _page(told.get("page", ""))
    )
    found = door.gallery(person_of(request), study, asked)
    context = {
        "found": found,
        "asked": asked,
        "kinds": KINDS,
        "counts": [(count, _with(told, item=count.item, least="")) for count in found.counts],
        "before": _with(told, page=str(found.page - 1)) if found.page > 1 else "",
        "after": _with(told, page=str(found.page + 1)) if found.page < found.pages else "",
    }
    return render(request, "report/gallery.html", context)


@login_required
@require_safe
def evidence(request: HttpRequest, study: str, key: str) -> HttpResponse:
    """Give the image that a reader pointed at."""
    answer = HttpResponse(door.evidence(person_of(request), study, key), content_type="image/png")
    answer["Cache-Control"] = "private, max-age=3600"  # a locked reading never changes
    return answer


def _least(told: QueryDict) -> float:
    """Read the least size; what is none is as if nothing had been entered."""
    try:
        least = float(told.get("least", ""))
    except ValueError:
        return 0.0
    return least if math.isfinite(least) and least > 0 else 0.0


def _page(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 7 else 1


def _with(told: QueryDict, **changed: str) -> str:
    """Give the address with something else asked for; a page number belongs to one filter only."""
    other = told.copy()
    other.pop("page", None)
    for name, value in changed.items():
        other[name] = value
    return other.urlencode()
