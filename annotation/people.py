"""A signed-in person: the type for annotations, and the person and session behind a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.http import HttpRequest

if TYPE_CHECKING:
    from django.contrib.auth.models import User as Person  # noqa: TID251  the type stubs know the concrete class only
else:
    from django.contrib.auth.models import AbstractUser as Person

__all__ = ["Person", "person_of", "session_of"]


def person_of(request: HttpRequest) -> Person:
    """Give the person; pages and API views are behind a sign-in, so it is never an anonymous one."""
    return cast(Person, request.user)


def session_of(request: HttpRequest) -> str:
    """Give the session key that frame addresses are sealed for."""
    return request.session.session_key or ""
