"""Addresses of the doors that stand on annotation."""

from __future__ import annotations

from django.contrib.auth import views as auth
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from annotation.web import (
    account,
    api,
    clinical,
    deliveries,
    desk,
    eligibility,
    facts,
    home,
    labels,
    look,
    outcomes,
    room,
    scanning,
)

# Django's form views take PUT for POST; here a wrong method is 405 like everywhere else.
FORM = ["get", "head", "post", "options"]

DELIVERY: list[URLPattern | URLResolver] = [
    path("", deliveries.OneDelivery.as_view(), name="api_delivery"),
    path("upload", deliveries.UploadState.as_view(), name="api_upload"),
    path("files", deliveries.Announce.as_view(), name="api_announce"),
    path("files/<int:number>", deliveries.FileBytes.as_view(), name="api_file_bytes"),
    path("bytes", deliveries.PartBytes.as_view(), name="api_bytes"),
    path("seal", deliveries.Seal.as_view(), name="api_seal"),
    path("cancel", deliveries.Cancel.as_view(), name="api_cancel"),
]

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
    path("accounts/comfort/", account.reading, name="account_reading"),
    # room: the reader
    path("room/<slug:study>/", room.hall, name="room"),
    path("room/<slug:study>/<slug:form>/", room.reading, name="reading"),
    path("room/<slug:study>/practice/<uuid:reading>/", room.solution, name="solution"),
    path("room/<slug:study>/practice/<uuid:reading>/<str:cell>.png", room.solution_picture, name="solution_picture"),
    # outcomes: the outcome entry
    path("outcomes/<slug:study>/", outcomes.roll, name="outcomes"),
    path("outcomes/<slug:study>/<slug:case>/", outcomes.entry, name="outcome"),
    # desk: the coordinator
    path("desk/", desk.new_study, name="desk_new"),
    path("desk/<slug:study>/", desk.board, name="desk"),
    path("desk/<slug:study>/setup/", desk.setup, name="desk_setup"),
    path("desk/<slug:study>/import/", deliveries.imports, name="desk_import"),
    path("desk/<slug:study>/clinical/", clinical.clinical, name="desk_clinical"),
    path("desk/<slug:study>/clinical/<slug:table>/", clinical.table, name="desk_table"),
    path("desk/<slug:study>/clinical/<slug:table>/remarks.csv", clinical.remarks, name="desk_table_remarks"),
    path("desk/<slug:study>/series/", look.series, name="desk_series"),
    path("desk/<slug:study>/series/<int:series>/sheet.png", look.sheet, name="desk_sheet"),
    path("desk/<slug:study>/series/<int:series>/slices/<int:number>.png", look.one_slice, name="desk_slice"),
    path("desk/<slug:study>/look/", look.look_first, name="desk_look_first"),
    path("desk/<slug:study>/look/<slug:case>/", look.look, name="desk_look"),
    path("desk/<slug:study>/look/<slug:case>/labels/", labels.labels, name="desk_labels"),
    path("desk/<slug:study>/scanning/", scanning.scanning, name="desk_scanning"),
    path("desk/<slug:study>/scanning.csv", scanning.scanning_file, name="desk_scanning_file"),
    path("desk/<slug:study>/eligibility/", eligibility.eligibility, name="desk_eligibility"),
    path("desk/<slug:study>/eligibility/flow/", eligibility.flow, name="desk_flow"),
    path("desk/<slug:study>/eligibility/flow.svg", eligibility.flow_figure, name="desk_flow_figure"),
    path("desk/<slug:study>/eligibility/flow.csv", eligibility.flow_table, name="desk_flow_table"),
    path("desk/<slug:study>/release/", look.release, name="desk_release"),
    path("desk/<slug:study>/readers/", desk.readers, name="desk_readers"),
    path("desk/<slug:study>/progress/", desk.progress, name="desk_progress"),
    path("desk/<slug:study>/closing/", desk.closing, name="desk_closing"),
    path("desk/<slug:study>/unblinding/", desk.unblinding, name="desk_unblinding"),
    path("desk/<slug:study>/facts/", facts.facts, name="desk_facts"),
    path("desk/<slug:study>/trail/", desk.trail, name="desk_trail"),
    # api: the same doors as JSON
    path("api/room/<slug:study>/<slug:form>/next", api.NextReading.as_view(), name="api_next"),
    path("api/room/<slug:study>/<slug:form>/upcoming", api.Upcoming.as_view(), name="api_upcoming"),
    path("api/room/<slug:study>/<slug:form>/display", api.Display.as_view(), name="api_display"),
    path("api/preferences", api.Preferences.as_view(), name="api_preferences"),
    path("api/room/readings/<uuid:reading>", api.SaveReading.as_view(), name="api_save"),
    path("api/room/readings/<uuid:reading>/lock", api.LockReading.as_view(), name="api_lock"),
    path("api/room/readings/<uuid:reading>/set-aside", api.SetAside.as_view(), name="api_set_aside"),
    path("api/room/readings/<uuid:reading>/times", api.Times.as_view(), name="api_times"),
    path("api/desk/<slug:study>/deliveries/", deliveries.Deliveries.as_view(), name="api_deliveries"),
    path("api/desk/<slug:study>/deliveries/<uuid:delivery>/", include(DELIVERY)),
    path("api/schema/", SpectacularAPIView.as_view(), name="api_schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="api_schema"), name="api_docs"),
]
