"""Pages of the report: runs, their progress, their tables and figures, their files, and where numbers come from."""

from __future__ import annotations

import mimetypes
import uuid

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from analytics import runs
from annotation.people import person_of

KEPT = "private, max-age=3600"  # the files of a run never change


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def home(request: HttpRequest, study: str) -> HttpResponse:
    person = person_of(request)
    if request.method == "POST":
        return redirect("report_run", study, runs.start(person, study, plan_code=request.POST.get("plan", "")))
    return render(request, "report/home.html", {"home": runs.home(person, study)})


@login_required
@require_safe
def run(request: HttpRequest, study: str, run: uuid.UUID) -> HttpResponse:
    person = person_of(request)
    row = runs.card(person, study, run)
    if not row.ready:
        return render(
            request, "report/running.html", {"home": runs.home(person, study), "row": row, "place": request.path}
        )
    return render(request, "report/run.html", {"seen": runs.shown(person, study, run)})


@login_required
@require_safe
def state(request: HttpRequest, study: str, run: uuid.UUID) -> HttpResponse:
    """Give the progress card alone; the page asks for it again every second while the job is open."""
    row = runs.card(person_of(request), study, run)
    answer = render(request, "report/card.html", {"row": row, "place": reverse("report_run", args=[study, run])})
    answer["Cache-Control"] = "no-store"
    return answer


@login_required
@require_POST
def cancel(request: HttpRequest, study: str, run: uuid.UUID) -> HttpResponse:
    runs.cancel(person_of(request), study, run)
    return redirect("report_run", study, run)


@login_required
@require_POST
def again(request: HttpRequest, study: str, run: uuid.UUID) -> HttpResponse:
    runs.again(person_of(request), study, run)
    return redirect("report_run", study, run)


@login_required
@require_safe
def file(request: HttpRequest, study: str, run: uuid.UUID, name: str) -> HttpResponse | FileResponse:
    """Give one file of the export by its exact name, or all of them as a zip."""
    person = person_of(request)
    if name == "all.zip":
        whole = FileResponse(
            runs.archive(person, study, run), as_attachment=True, filename=f"spondy-{study}-{str(run)[:8]}.zip"
        )
        whole["Cache-Control"] = KEPT
        return whole
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    answer = attached(runs.file(person, study, run, name), name.rsplit("/", 1)[-1], kind)
    answer["Cache-Control"] = KEPT
    return answer


@login_required
@require_safe
def origin(request: HttpRequest, study: str, run: uuid.UUID) -> HttpResponse:
    """Say of one number where it comes from; with ``rows=csv`` give the rows behind it."""
    person = person_of(request)
    id, field = request.GET.get("id", ""), request.GET.get("field", "")
    found = runs.origin(person, study, run, id, field)
    if request.GET.get("rows") == "csv":
        return attached(runs.rows_csv(found).encode(), f"rows-{id.replace('/', '-')}.csv", "text/csv")
    place = reverse("report_run", args=[study, run])
    return render(request, "report/origin.html", {"home": runs.home(person, study), "found": found, "place": place})


@login_required
@require_safe
def compare(request: HttpRequest, study: str) -> HttpResponse:
    """Show two runs side by side, once two are chosen; with ``rows=csv`` give all differences."""
    person = person_of(request)
    home = runs.home(person, study)
    # The two newest stand ready, the older one first.
    ready = [str(run.id) for run in home.finished[:2]][::-1] or [""]
    chosen = (("first", "First run", ready[0]), ("second", "Second run", ready[-1]))
    pairs = [(name, label, request.GET.get(name, newest)) for name, label, newest in chosen]
    context: dict[str, object] = {"home": home, "pair": pairs}
    try:
        pair = [uuid.UUID(request.GET[name]) for name in ("first", "second")]
    except (KeyError, ValueError):
        return render(request, "report/compare.html", context)
    found = runs.compare(person, study, pair[0], pair[1])
    if request.GET.get("rows") == "csv":
        return attached(runs.changes_csv(found).encode(), f"compared-{study}.csv", "text/csv")
    return render(request, "report/compare.html", context | {"found": found})


def attached(data: bytes, name: str, kind: str) -> HttpResponse:
    return HttpResponse(
        data,
        content_type=kind,
        headers={"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"},
    )
