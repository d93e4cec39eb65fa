"""The map of addresses: one prefix a door."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from spondy import health

admin.site.site_header = "Spondy · operator"
admin.site.site_title = "Spondy"
admin.site.index_title = "Accounts, memberships, jobs"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("annotation.web.urls")),
    path("report/", include("analytics.web.urls")),
    path("admin/", admin.site.urls),
    path("healthz", health.live, name="live"),
    path("readyz", health.ready, name="ready"),
]
handler400 = "spondy.errors.bad_request"
handler403 = "spondy.errors.denied"
handler404 = "spondy.errors.not_found"
handler500 = "spondy.errors.failed"
