"""Addresses of the report."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from analytics.web import gallery, panels, report

urlpatterns: list[URLPattern | URLResolver] = [
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
