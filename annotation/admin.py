"""The operator's page: accounts (Django's own), memberships, jobs. Readings and outcomes are not registered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from django.contrib import admin
from django.http import HttpRequest

from annotation.models import Job, Membership

if TYPE_CHECKING:  # generic in the type stubs only
    Memberships: TypeAlias = admin.ModelAdmin[Membership]
    Jobs: TypeAlias = admin.ModelAdmin[Job]
else:
    Memberships = Jobs = admin.ModelAdmin


@admin.register(Membership)
class MembershipAdmin(Memberships):
    """To be looked at only: roles are given at the desk, where the rules about them stand."""

    list_display = ["study", "user", "role"]
    list_filter = ["role"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Job)
class JobAdmin(Jobs):
    list_display = ["title", "kind", "state", "attempt", "done", "total", "created_at", "finished_at"]
    list_filter = ["state", "kind"]
    fields = ("title", "kind", "state", "attempt", "done", "total", "message", "created_at", "finished_at")
    readonly_fields = ["title", "kind", "state", "attempt", "done", "total", "message", "created_at", "finished_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
