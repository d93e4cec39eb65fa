"""Pages of the desk: who takes part and why not, and the flow of patients as table, figure and file."""

from __future__ import annotations

import csv
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from annotation import desk
from annotation.people import person_of
from annotation.web.desk import key_of, page_of, page_or_act, render_step


@login_required
@page_or_act
def eligibility(request: HttpRequest, study: str) -> HttpResponse:
    person = person_of(request)
    # The identifier comes in a body: an address would leave it in logs and in the browser's history.
    identifier = request.POST.get("identifier", "").strip()
    if request.method == "POST" and not identifier:
        _act(request, study)
        return redirect(f"{request.path}?{_kept(request)}")
    roll = desk.patients(
        person,
        study,
        show=request.GET.get("show", "all"),
        search=request.GET.get("search", "")[:40],
        identifier=identifier,
        page=page_of(request),
    )
    chosen = _chosen(request, study)
    more = {"roll": roll, "page": roll.page, "asked": bool(identifier), "chosen": chosen, "kept": _kept(request)}
    return render_step(request, study, "eligibility", more)


def _chosen(request: HttpRequest, study: str) -> desk.PatientRow | None:
    text = request.GET.get("patient", "")
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        return None
    return desk.patient_row(person_of(request), study, int(text))


def _kept(request: HttpRequest) -> str:
    """Give the filter of the address, without the patient who was decided on."""
    kept = {name: request.GET[name] for name in ("show", "search", "page") if request.GET.get(name)}
    return urlencode(kept)


def _act(request: HttpRequest, study: str) -> None:
    person, patient = person_of(request), key_of(request, "patient")
    if "restore" in request.POST:
        desk.restore(person, study, patient, reason=request.POST.get("note", ""))
        said = "takes part again"
    else:
        reasons = request.POST.getlist("reason")
        desk.exclude(person, study, patient, reasons=reasons, note=request.POST.get("note", "").strip())
        said = "is excluded"
    messages.success(request, f"{desk.patient_row(person, study, patient).patient} {said}; it is on record.")


@login_required
@require_safe
def flow(request: HttpRequest, study: str) -> HttpResponse:
    found = desk.patient_flow(person_of(request), study)
    return render_step(request, study, "flow", {"flow": found, "section": "eligibility"})


@login_required
@require_safe
def flow_figure(request: HttpRequest, study: str) -> HttpResponse:
    chart = desk.flow_chart(desk.patient_flow(person_of(request), study))
    answer = render(request, "desk/flow.svg", {"chart": chart}, content_type="image/svg+xml")
    answer["Cache-Control"] = "no-store"
    return answer


@login_required
@require_safe
def flow_table(request: HttpRequest, study: str) -> HttpResponse:
    rows = desk.patient_flow(person_of(request), study).rows()
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{study}-flow.csv"'
    writer = csv.DictWriter(answer, fieldnames=["stage", "criterion", "what", "n"])
    writer.writeheader()
    writer.writerows(rows)
    return answer
