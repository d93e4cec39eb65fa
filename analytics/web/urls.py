"""Addresses of the report."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from analytics.web import gallery, panels, report, uploaded

urlpatterns: list[URLPattern | URLResolver] = [
    path("", uploaded.home, name="tables"),
    path("tables/<uuid:run>/", uploaded.run, name="tables_run"),
    path("tables/<uuid:run>/state", uploaded.state, name="tables_state"),
    path("tables/<uuid:run>/cancel", uploaded.cancel, name="tables_cancel"),
    path("tables/<uuid:run>/again", uploaded.again, name="tables_again"),
    path("tables/<uuid:run>/delete", uploaded.delete, name="tables_delete"),
    path("tables/<uuid:run>/origin", uploaded.origin, name="tables_origin"),
    path("tables/<uuid:run>/files/<path:name>", uploaded.file, name="tables_file"),
    path("<slug:study>/", report.home, name="report"),
    path("<slug:study>/panels/", panels.panels, name="report_panels"),
    path("<slug:study>/panels/print.<slug:kind>", panels.figure, name="report_panel"),
    path("<slug:study>/panels/<slug:key>.png", panels.image, name="report_panel_image"),
    path("<slug:study>/disagreements/", gallery.disagreements, name="report_disagreements"),
    path("<slug:study>/disagreements/<slug:key>.png", gallery.evidence, name="report_disagreement_image"),
    path("<slug:study>/runs/<uuid:run>/", report.run, name="report_run"),
    path("<slug:study>/runs/<uuid:run>/state", report.state, name="report_state"),
    path("<slug:study>/runs/<uuid:run>/cancel", report.cancel, name="report_cancel"),
    path("<slug:study>/runs/<uuid:run>/again", report.again, name="report_again"),
    path("<slug:study>/runs/<uuid:run>/origin", report.origin, name="report_origin"),
    path("<slug:study>/compare", report.compare, name="report_compare"),
    path("<slug:study>/runs/<uuid:run>/files/<path:name>", report.file, name="report_file"),
]
