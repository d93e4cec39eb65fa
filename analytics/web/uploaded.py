"""Pages of existing tables: hand in, watch, see the results. A file touches no disk before it has been checked."""

from __future__ import annotations

import mimetypes
import uuid
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from analytics.runs import rows_csv
from analytics.runs import uploaded as door
from analytics.web.report import KEPT, attached
from annotation.people import person_of

WHERE = {"code": "tables", "title": door.TITLE}


class InMemory(MemoryFileUploadHandler):
    """Keep what is handed in in memory, however large: nothing unchecked is written down."""

    def handle_raw_input(self, *args: Any, **more: Any) -> None:
        self.activated = True


# Looking for the form's token reads the whole body: before that come who asks, and how much there is.
@csrf_exempt
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def home(request: HttpRequest) -> HttpResponse:
    door.may(person_of(request))
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > 2 * door.MOST_BYTES:
        return _page(request, f"The files are too large; {door.MOST_BYTES // 1_000_000} MB each is the most.", 413)
    request.upload_handlers = [InMemory(request)]
    return _home(request)


@csrf_protect
def _home(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request)
    person = person_of(request)
    gradings, clinical = (_handed(request, name) for name in (door.GRADINGS, door.CLINICAL))
    try:
        if gradings is None:
            raise door.BadTables("Choose the table of gradings.")
        wanted = door.Wanted(
            request.POST.get("plan", ""), _whole(request, "seed", "Seed"), _whole(request, "bootstrap", "Resamples")
        )
        return redirect("tables_run", door.take(person, gradings, clinical, wanted))
    except door.BadTables as refusal:
        return _page(request, refusal.sentence, 422)


def _page(request: HttpRequest, fault: str = "", status: int = 200) -> HttpResponse:
    person = person_of(request)
    context = {
        "analyses": door.analyses(person),
        "plans": door.plans_there(person),
        "fault": fault,
        # Of a body that is too large nothing is read.
        "said": request.POST if status == 422 else {"plan": "full", "seed": "0", "bootstrap": "0"},
        "most": door.MOST_BYTES // 1_000_000,
    }
    return render(request, "report/upload.html", context, status=status)


def _handed(request: HttpRequest, name: str) -> door.Handed | None:
    found = request.FILES.get(name)
    return door.Handed(found.name or name, found.read()) if found else None


def _whole(request: HttpRequest, name: str, label: str) -> int:
    text = request.POST.get(name, "").strip() or "0"
    if not text.isdecimal() or len(text) > 10:
        raise door.BadTables(f"{label}: {text[:20]!r} is no whole number.")
    return int(text)


@login_required
@require_safe
def run(request: HttpRequest, run: uuid.UUID) -> HttpResponse:
    person = person_of(request)
    row = door.card(person, run)
    if not row.ready:
        return render(request, "report/upload_running.html", {"home": WHERE, "row": row, "place": request.path})
    return render(request, "report/upload_run.html", {"seen": door.shown(person, run)})


@login_required
@require_safe
def state(request: HttpRequest, run: uuid.UUID) -> HttpResponse:
    """Give the progress card alone; the page asks for it again every second while the job is open."""
    context = {"row": door.card(person_of(request), run), "place": reverse("tables_run", args=[run])}
    answer = render(request, "report/card.html", context)
    answer["Cache-Control"] = "no-store"
    return answer


@login_required
@require_POST
def cancel(request: HttpRequest, run: uuid.UUID) -> HttpResponse:
    door.cancel(person_of(request), run)
    return redirect("tables_run", run)


@login_required
@require_POST
def again(request: HttpRequest, run: uuid.UUID) -> HttpResponse:
    door.again(person_of(request), run)
    return redirect("tables_run", run)


@login_required
@require_POST
def delete(request: HttpRequest, run: uuid.UUID) -> HttpResponse:
    door.take_away(person_of(request), run)
    return redirect("tables")


@login_required
@require_safe
def origin(request: HttpRequest, run: uuid.UUID) -> HttpResponse:
    """Say of one number where it comes from; with ``rows=csv`` give the rows behind it."""
    id, field = request.GET.get("id", ""), request.GET.get("field", "")
    found = door.origin(person_of(request), run, id, field)
    if request.GET.get("rows") == "csv":
        return attached(rows_csv(found).encode(), f"rows-{id.replace('/', '-')}.csv", "text/csv")
    place = reverse("tables_run", args=[run])
    return render(request, "report/origin.html", {"home": WHERE, "found": found, "place": place})


@login_required
@require_safe
def file(request: HttpRequest, run: uuid.UUID, name: str) -> HttpResponse | FileResponse:
    """Give one file of the export by its exact name, or all of them as a zip."""
    person = person_of(request)
    answer: HttpResponse | FileResponse
    if name == "all.zip":
        whole = door.archive(person, run)
        answer = FileResponse(whole, as_attachment=True, filename=f"spondy-tables-{str(run)[:8]}.zip")
    else:
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        answer = attached(door.file(person, run, name), name.rsplit("/", 1)[-1], kind)
    answer["Cache-Control"] = KEPT
    return answer
