"""Pages of the desk: the study's steps at the left, one task at the right."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from annotation import desk
from annotation.access import NotYours, WrongState
from annotation.people import person_of
from annotation.web.forms import STANDING, Confirmed, MemberForm, NewStudy, Orientation


def page_of(request: HttpRequest) -> int:
    text = request.GET.get("page", "1")
    return int(text) if text.isdecimal() and len(text) < 7 else 1


def key_of(request: HttpRequest, name: str) -> int:
    """Give the number of the row that a form names; what no row can have does not exist."""
    text = request.POST.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise NotYours
    return int(text)


def page_or_act(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let a page be asked for and acted on; what a person has typed arrives as plain text."""

    @wraps(view)
    def plain(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "POST":
            request.POST = _plain(request.POST)  # type: ignore[assignment]  # Django has a setter for it
        return view(request, *args, **kwargs)

    return require_http_methods(["GET", "HEAD", "POST"])(plain)


def _plain(given: QueryDict) -> QueryDict:
    """Leave control characters out: PostgreSQL takes no NUL, and nobody types or sees the others."""
    out = QueryDict(mutable=True, encoding=given.encoding)
    for name, texts in given.lists():
        out.setlist(name, [_printable(text) for text in texts])
    return out


def _printable(text: str) -> str:
    return "".join(sign for sign in text if sign in "\t\n\r" or unicodedata.category(sign) not in {"Cc", "Cs"})


def render_step(request: HttpRequest, study: str, step: str, more: dict[str, Any] | None = None) -> HttpResponse:
    context = {"board": desk.board(person_of(request), study), "step": step, **(more or {})}
    return render(request, f"desk/{step}.html", context)


@login_required
@page_or_act
def new_study(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    if not desk.may_create(person):
        raise NotYours
    form = NewStudy(request.POST or None, protocols=desk.protocols(), plans=desk.plans(), checks=desk.checks())
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            code = desk.create_study(
                person,
                code=given["code"],
                title=given["title"],
                protocol=given["protocol"],
                plan=given["plan"] or "full",
                settings=form.settings(),
            )
            return redirect("desk", code)
        except desk.BadSetting as fault:
            form.add_error(fault.field if fault.field in form.fields else None, fault.sentence)
    return render(request, "desk/new.html", {"form": form}, status=200 if request.method != "POST" else 422)


@login_required
@require_safe
def board(request: HttpRequest, study: str) -> HttpResponse:
    return render_step(request, study, "board")


@login_required
@page_or_act
def setup(request: HttpRequest, study: str) -> HttpResponse:
    person = person_of(request)
    if request.method == "POST" and "orientation" in request.POST:
        try:
            desk.choose_orientation(person, study, orientation=request.POST["orientation"])
            messages.success(request, "How the images stand is changed; the trail has it.")
        except desk.BadSetting as fault:
            messages.error(request, fault.sentence)
        return redirect("desk_setup", study)
    if request.method == "POST":
        desk.freeze(person, study)
        messages.success(request, "The protocol is frozen; its digest is in the trail.")
        return redirect("desk_setup", study)
    stands = desk.orientation(person, study)
    more = {"form": Orientation(initial={"orientation": stands}), "standing": STANDING[stands]}
    return render_step(request, study, "setup", more)


@login_required
@page_or_act
def readers(request: HttpRequest, study: str) -> HttpResponse:
    person = person_of(request)
    form = MemberForm(request.POST if "username" in request.POST else None)
    if request.method == "POST":
        try:
            if _act_on_readers(request, study, form):
                return redirect("desk_readers", study)
        except (desk.BadSetting, WrongState) as fault:
            messages.error(request, fault.sentence)
    more = {"members": desk.members(person, study), "form": form}
    return render_step(request, study, "readers", more)


def _act_on_readers(request: HttpRequest, study: str, form: MemberForm) -> bool:
    person = person_of(request)
    if "begin" in request.POST:
        number = desk.begin_reading(person, study)
        messages.success(request, f"The order over {number} cases is drawn and stored. The rooms are open.")
        return True
    if "remove" in request.POST:
        desk.remove_member(person, study, username=request.POST["remove"])
        return True
    if form.is_valid():
        desk.set_member(person, study, username=form.cleaned_data["username"], role=form.cleaned_data["role"])
        return True
    return False


@login_required
@require_safe
def progress(request: HttpRequest, study: str) -> HttpResponse:
    person = person_of(request)
    more = {"rows": desk.progress(person, study), "screens": desk.screens(person, study)}
    return render_step(request, study, "progress", more)


@login_required
@page_or_act
def closing(request: HttpRequest, study: str) -> HttpResponse:
    return _confirmed(request, study, "closing")


@login_required
@page_or_act
def unblinding(request: HttpRequest, study: str) -> HttpResponse:
    return _confirmed(request, study, "unblinding")


def _confirmed(request: HttpRequest, study: str, step: str) -> HttpResponse:
    act = {"closing": desk.close, "unblinding": desk.unblind}[step]
    form = Confirmed(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            act(person_of(request), study, **form.cleaned_data)
            messages.success(request, "Done, and on record in the trail.")
            return redirect("desk", study)
        except (desk.NotConfirmed, WrongState) as fault:
            form.add_error(None, fault.sentence)
    return render_step(request, study, step, {"form": form})


@login_required
@require_safe
def trail(request: HttpRequest, study: str) -> HttpResponse:
    before = request.GET.get("before", "")
    number = int(before) if before.isdecimal() and len(before) < 10 else None
    rows = desk.events(person_of(request), study, before=number)
    return render_step(request, study, "trail", {"events": rows, "last": rows[-1].number if rows else None})
