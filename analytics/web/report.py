"""Pages of the report: runs, their progress, their tables and figures, their files."""

from __future__ import annotations

import io
import mimetypes
import uuid
import zipfile

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from analytics import runs
from annotation.people import person_of


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
    if row.finished_at is None:
        return render(request, "report/running.html", {"home": runs.home(person, study), "row": row})
    seen = runs.shown(person, study, run)
    names = ["estimates.csv", "report.html", "report.docx", "results.json", "manifest.json"]
    context = {"seen": seen, "tables": runs.tables(seen), "figures": list(seen.captions.items()), "names": names}
    return render(request, "report/run.html", context)


@login_required
@require_safe
def state(request: HttpRequest, study: str, run: uuid.UUID) -> HttpResponse:
    """Give the progress card alone; the page asks for it again every second while the job is open."""
    row = runs.card(person_of(request), study, run)
    answer = render(request, "report/card.html", {"row": row, "study": study})
    answer["Cache-Control"] = "no-store"
    return answer


@login_required
@require_POST
def cancel(request: HttpRequest, study: str, run: uuid.UUID) -> HttpResponse:
    runs.cancel(person_of(request), study, run)
    return redirect("report_run", study, run)


@login_required
@require_safe
def file(request: HttpRequest, study: str, run: uuid.UUID, name: str) -> HttpResponse:
    """Give one file of the export by its exact name, or all of them as a zip."""
    seen = runs.shown(person_of(request), study, run)
    if name == "all.zip":
        return _attached(_zipped(runs.files(seen)), f"spondy-{study}-{str(run)[:8]}.zip", "application/zip")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return _attached(runs.file(seen, name), name.rsplit("/", 1)[-1], kind)


def _zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            # A fixed date: the same run gives the same bytes.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _attached(data: bytes, name: str, kind: str) -> HttpResponse:
    return HttpResponse(
        data,
        content_type=kind,
        headers={"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"},
    )
