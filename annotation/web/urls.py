"""Addresses of the doors that stand on annotation."""

from __future__ import annotations

from django.contrib.auth import views as auth
from django.urls import URLPattern, URLResolver, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from annotation.web import api, desk, home, room

# Django's form views take PUT for POST; here a wrong method is 405 like everywhere else.
FORM = ["get", "head", "post", "options"]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.index, name="home"),
    path(
        "accounts/login/",
        auth.LoginView.as_view(template_name="account/login.html", http_method_names=FORM),
        name="login",
    ),
    path("accounts/logout/", auth.LogoutView.as_view(), name="logout"),
    path(
        "accounts/password/",
        auth.PasswordChangeView.as_view(template_name="account/password.html", success_url="/", http_method_names=FORM),
        name="password_change",
    ),
    # room: the reader
    path("room/<slug:study>/", room.hall, name="room"),
    path("room/<slug:study>/<slug:form>/", room.reading, name="reading"),
    # desk: the coordinator
    path("desk/", desk.new_study, name="desk_new"),
    path("desk/<slug:study>/", desk.board, name="desk"),
    path("desk/<slug:study>/setup/", desk.setup, name="desk_setup"),
    path("desk/<slug:study>/import/", desk.imports, name="desk_import"),
    path("desk/<slug:study>/clinical/", desk.imports, name="desk_clinical"),
    path("desk/<slug:study>/series/", desk.series, name="desk_series"),
    path("desk/<slug:study>/series/<int:series>/preview.png", desk.preview, name="desk_preview"),
    path("desk/<slug:study>/eligibility/", desk.imports, name="desk_eligibility"),
    path("desk/<slug:study>/release/", desk.release, name="desk_release"),
    path("desk/<slug:study>/readers/", desk.readers, name="desk_readers"),
    path("desk/<slug:study>/progress/", desk.progress, name="desk_progress"),
    path("desk/<slug:study>/closing/", desk.closing, name="desk_closing"),
    path("desk/<slug:study>/unblinding/", desk.unblinding, name="desk_unblinding"),
    path("desk/<slug:study>/trail/", desk.trail, name="desk_trail"),
    # api: the same doors as JSON
    path("api/room/<slug:study>/<slug:form>/next", api.NextReading.as_view(), name="api_next"),
    path("api/room/<slug:study>/<slug:form>/upcoming", api.Upcoming.as_view(), name="api_upcoming"),
    path("api/room/readings/<uuid:reading>", api.SaveReading.as_view(), name="api_save"),
    path("api/room/readings/<uuid:reading>/lock", api.LockReading.as_view(), name="api_lock"),
    path("api/room/readings/<uuid:reading>/set-aside", api.SetAside.as_view(), name="api_set_aside"),
    path("api/schema/", SpectacularAPIView.as_view(), name="api_schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="api_schema"), name="api_docs"),
]
