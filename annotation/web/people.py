"""The signed-in person of a request, as the doors want it."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest

from annotation.people import Person


def person_of(request: HttpRequest) -> Person:
    """Give the person; pages and API views are behind a sign-in, so it is never an anonymous one."""
    return cast(Person, request.user)


def session_of(request: HttpRequest) -> str:
    """Give the session key that frame addresses are sealed for."""
    return request.session.session_key or ""


def page_of(request: HttpRequest) -> int:
    text = request.GET.get("page", "1")
    return int(text) if text.isdecimal() and len(text) < 7 else 1
