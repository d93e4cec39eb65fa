"""Pages of the desk about cases and their images: Series, Look, Release, and the pictures on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from annotation import desk
from annotation.access import WrongState
from annotation.dicom.roles import ROLE_TITLES
from annotation.people import Person, person_of
from annotation.web.desk import key_of, page_of, page_or_act

# One key a role, in the order in which a lumbar protocol is gone through; letters where the digits end.
ROLE_KEYS = dict(zip(ROLE_TITLES, "123456789nso", strict=True))
VIEWS = ("slice", "all", "over")


def _page(request: HttpRequest, study: str, step: str, more: dict[str, Any]) -> HttpResponse:
    context = {"board": desk.board(person_of(request), study), "step": step, **more}
    return render(request, f"desk/{step}.html", context)


def _query(request: HttpRequest, *names: str) -> tuple[dict[str, str], str]:
    """Give what a list is filtered by, and the same as the beginning of an address that keeps it."""
    chosen = {name: request.GET.get(name, "").strip()[:40].replace("\0", "") for name in names}
    kept = urlencode({name: value for name, value in chosen.items() if value})
    return chosen, f"{kept}&" if kept else ""


def _back(request: HttpRequest) -> HttpResponse:
    """Come back to the same list, filtered as it was."""
    query = request.GET.urlencode()
    return redirect(f"{request.path}?{query}" if query else request.path)


# --- the list of series --------------------------------------------------------------------------------------------


@login_required
@page_or_act
def series(request: HttpRequest, study: str) -> HttpResponse:
    person = person_of(request)
    if request.method == "POST":
        desk.set_role(person, study, key_of(request, "series"), role=request.POST.get("role", ""))
        return _back(request)
    chosen, query = _query(request, "state", "role", "modality", "search")
    rows = desk.series_rows(person, study, page=page_of(request), **chosen)
    more = {"page": rows, "roles": ROLE_TITLES, "chosen": chosen, "query": query}
    more["states"] = {code: title for code, (title, _) in desk.SERIES_STATES.items()}
    return _page(request, study, "series", more)


def _whole(request: HttpRequest, name: str) -> int:
    """Give a small whole number of the address, 0 where there is none."""
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0


# --- pictures ------------------------------------------------------------------------------------------------------


def _picture(request: HttpRequest, study: str, series: int, draw: Callable[[Person], bytes]) -> HttpResponse:
    """Answer with a PNG. The browser keeps it, but asks each time whether this person may still see it.

    It keeps none of a held series: a name that is masked a moment later would stay on its disk.
    """
    person = person_of(request)
    mark = desk.picture_tag(person, study, series)
    if not mark:
        return HttpResponse(draw(person), content_type="image/png", headers={"Cache-Control": "no-store"})
    tag = f'"{mark}"'
    if request.headers.get("If-None-Match") == tag:
        answer = HttpResponse(status=304)
    else:
        answer = HttpResponse(draw(person), content_type="image/png")
    answer["ETag"] = tag
    answer["Cache-Control"] = "private, no-cache"
    return answer


@login_required
@require_safe
def sheet(request: HttpRequest, study: str, series: int) -> HttpResponse:
    view = request.GET.get("view", "")
    if view == "over":
        return _picture(request, study, series, lambda person: desk.overlay_picture(person, study, series))
    every, part = view == "all", _whole(request, "part") or 1
    return _picture(
        request, study, series, lambda person: desk.sheet_picture(person, study, series, every=every, part=part)
    )


@login_required
@require_safe
def one_slice(request: HttpRequest, study: str, series: int, number: int) -> HttpResponse:
    spread = request.GET.get("grey") == "spread"
    return _picture(
        request, study, series, lambda person: desk.slice_picture(person, study, series, number, equalised=spread)
    )


# --- one case ------------------------------------------------------------------------------------------------------


@login_required
@require_safe
def look_first(request: HttpRequest, study: str) -> HttpResponse:
    case = desk.first_case(person_of(request), study)
    if not case:
        return redirect("desk_series", study)
    return redirect("desk_look", study, case)


@login_required
@page_or_act
def look(request: HttpRequest, study: str, case: str) -> HttpResponse:
    person = person_of(request)
    if request.method == "POST":
        return _act(request, person, study, case)
    found = desk.look(person, study, case)
    current = _chosen(found, request.GET.get("series", ""))
    place = _whole(request, "slice") or (current.middle if current else 0)
    view = request.GET.get("view", "")
    more = {
        "look": found,
        "current": current,
        "place": min(max(place, 1), current.slices) if current else 0,
        "view": view if view in VIEWS else "slice",
        "spread": request.GET.get("grey") == "spread",
        "part": desk.part_of(current.slices if current else 0, _whole(request, "part")),
        "most": desk.MOST_ON_A_SHEET,
        "keys": [(key, role, ROLE_TITLES[role]) for role, key in ROLE_KEYS.items()],
    }
    return render(request, "desk/look.html", more)


def _chosen(found: desk.Look, text: str) -> desk.SeriesCard | None:
    named = [card for card in found.series if str(card.id) == text]
    return next(iter([*named, *found.series]), None)


def _act(request: HttpRequest, person: Person, study: str, case: str) -> HttpResponse:
    act = request.POST.get("act", "")
    if act in {"looked", "release"}:
        return _looked(request, person, study, case, release=act == "release")
    series = key_of(request, "series")
    reason = request.POST.get("reason", "")
    if act == "role":
        desk.set_role(person, study, series, role=request.POST.get("role", ""))
    elif act == "show":
        desk.release_series(person, study, series, reason=reason)
        messages.success(request, "The series is released to be shown.")
    elif act == "exclude":
        desk.exclude_series(person, study, series, reason=reason)
        messages.success(request, "The series is excluded; its pictures leave the store.")
    elif act == "mask":
        desk.mask_series(person, study, series, rectangle=_rectangle(request), reason=reason)
        messages.success(request, "The rectangle is being masked in every slice.")
    return redirect(f"{reverse('desk_look', args=[study, case])}?series={series}")


def _rectangle(request: HttpRequest) -> list[int]:
    """Read first row, first column, last row, last column as people count, from 1 and both ends inside."""
    names = ("row0", "column0", "row1", "column1")
    given = [request.POST.get(name, "").strip() for name in names]
    if not all(text.isascii() and text.isdecimal() and len(text) < 6 for text in given):
        raise desk.BadSetting("rectangle", "A rectangle is the first and last row and column, four whole numbers.")
    row0, column0, row1, column1 = map(int, given)
    return [row0 - 1, column0 - 1, row1, column1]


def _looked(request: HttpRequest, person: Person, study: str, case: str, *, release: bool) -> HttpResponse:
    desk.look_at(person, study, case, seen=request.POST.get("seen", ""))
    if not release:
        return redirect("desk_look", study, case)
    try:
        desk.release(person, study, key_of(request, "case"))
        desk.admit(person, study)  # once the rooms are open, a released case takes its place at once
    except WrongState as refusal:
        messages.warning(request, refusal.sentence)
        return redirect("desk_look", study, case)
    following = desk.next_waiting(person, study, after=case)
    if following:
        return redirect("desk_look", study, following)
    messages.success(request, f"{case} is released. No further case waits for a look.")
    return redirect("desk_release", study)


# --- release -------------------------------------------------------------------------------------------------------


@login_required
@page_or_act
def release(request: HttpRequest, study: str) -> HttpResponse:
    person = person_of(request)
    # The identifier comes in a body: an address would leave it in logs and in the browser's history.
    identifier = request.POST.get("identifier", "").strip()
    if request.method == "POST" and not identifier:
        _act_on_release(request, study)
        desk.admit(person, study)  # once the rooms are open, a released case takes its place at once
        return _back(request)
    chosen, query = _query(request, "state", "lacks", "search")
    more: dict[str, Any] = {"asked": bool(identifier), "states": desk.STATES, "query": query, "chosen": chosen}
    if identifier:
        more["hit"] = desk.find_case(person, study, identifier=identifier)
    more["page"] = desk.cases(person, study, page=page_of(request), **chosen)
    more["complete"] = desk.completeness(person, study)
    more["levels"] = desk.levels(person, study)
    return _page(request, study, "release", more)


def _act_on_release(request: HttpRequest, study: str) -> None:
    person = person_of(request)
    if "all" in request.POST:
        number, sentences = desk.release_all(person, study)
        messages.success(request, f"{number} cases released.")
        for sentence in sentences[:20]:
            messages.warning(request, sentence)
    elif "level_of" in request.POST:
        desk.set_level(person, study, key_of(request, "level_of"), level=request.POST.get("level", ""))
    elif "withdraw" in request.POST:
        desk.withdraw(person, study, key_of(request, "withdraw"), reason=request.POST.get("reason", ""))
        messages.success(request, "The release is withdrawn.")
    elif "case" in request.POST:
        desk.release(person, study, key_of(request, "case"))
