"""The type of a signed-in person, for annotations only."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.auth.models import User as Person  # noqa: TID251  the type stubs know the concrete class only
else:
    from django.contrib.auth.models import AbstractUser as Person

__all__ = ["Person"]
