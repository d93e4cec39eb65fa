"""Pages of the clinical table: upload, columns, difference, confirm. The file itself touches no disk on its way in."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.uploadhandler import MemoryFileUploadHandler, SkipFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_safe

from annotation import desk
from annotation.access import WrongState
from annotation.people import person_of
from annotation.web.desk import page_or_act, render_step


class InMemory(MemoryFileUploadHandler):
    """Keep an uploaded table in memory, and stop reading one that is too large."""

    def handle_raw_input(self, *args: Any, **more: Any) -> None:
        self.activated = True
        self.too_large = False

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        if start + len(raw_data) > desk.MOST_TABLE_BYTES:
            self.too_large = True
            raise SkipFile
        return super().receive_data_chunk(raw_data, start)


# Looking for the form's token reads the whole body: before that come who asks, how much there is, and the handler.
@csrf_exempt
@login_required
def clinical(request: HttpRequest, study: str) -> HttpResponse:
    length = request.META.get("CONTENT_LENGTH") or "0"
    desk.check_table_upload(person_of(request), study, int(length) if length.isdecimal() else 0)
    handler = InMemory(request)
    request.upload_handlers = [handler]
    return _clinical(request, study, handler)


@csrf_protect
@page_or_act
def _clinical(request: HttpRequest, study: str, handler: InMemory) -> HttpResponse:
    person = person_of(request)
    state = desk.clinical_state(person, study)
    fault = ""
    if request.method == "POST":
        if "forget" in request.POST:
            desk.forget_columns(person, study)
            messages.success(request, "The confirmed columns are forgotten. The next table is proposed anew.")
            return redirect("desk_clinical", study)
        try:
            return redirect("desk_table", study, _received(request, study, handler))
        except (desk.BadUpload, WrongState) as refusal:
            fault = refusal.sentence
    answer = render_step(request, study, "clinical", {"kept": state, "fault": fault})
    answer.status_code = 422 if fault else 200
    return answer


def _received(request: HttpRequest, study: str, handler: InMemory) -> str:
    files = request.FILES
    if handler.too_large:
        most = desk.MOST_TABLE_BYTES // 1_000_000
        raise desk.BadUpload(f"The file is larger than {most} MB; a clinical table is smaller.")
    given = [one.read() for name in ("table", "dictionary") for one in files.getlist(name)[:1]]
    if not given:
        raise desk.BadUpload("Choose a file first.")
    return desk.receive_table(person_of(request), study, given[0], given[1] if len(given) > 1 else None)


@login_required
@page_or_act
def table(request: HttpRequest, study: str, table: str) -> HttpResponse:
    person = person_of(request)
    if request.method == "POST":
        if "cancel" in request.POST:
            desk.cancel_table(person, study, table)
            messages.success(request, "The table is thrown away. Nothing was written.")
            return redirect("desk_clinical", study)
        if "confirm" in request.POST:
            return _confirmed(request, study, table)
        desk.map_columns(person, study, table, _chosen(request))
        return redirect("desk_table", study, table)
    page = desk.table_page(person, study, table)
    more = {"table": page, "targets": desk.CLINICAL_COLUMNS, "section": "clinical"}
    context = {"board": desk.board(person, study), "step": "clinical", **more}
    return render(request, "desk/table.html", context)


def _chosen(request: HttpRequest) -> dict[int, str]:
    """Read `column-3=age`; what is no column of the table the door refuses."""
    chosen = {}
    for name, target in request.POST.items():
        place = name.removeprefix("column-")
        if name.startswith("column-") and place.isdecimal() and place.isascii() and len(place) < 5:
            chosen[int(place)] = str(target)
    return chosen


def _confirmed(request: HttpRequest, study: str, table: str) -> HttpResponse:
    try:
        found = desk.confirm_table(person_of(request), study, table, digest=request.POST.get("confirm", ""))
    except WrongState as refusal:
        messages.error(request, refusal.sentence)
        return redirect("desk_table", study, table)
    messages.success(
        request,
        f"Written: {found.new} new patients, {found.first_values} first values, {len(found.changes)} changed values.",
    )
    left = found.rows - found.accepted
    if left:
        messages.warning(request, f"{left} rows with errors stayed out. Correct them and upload the table again.")
    return redirect("desk_clinical", study)


@login_required
@require_safe
def remarks(request: HttpRequest, study: str, table: str) -> HttpResponse:
    text = desk.table_remarks(person_of(request), study, table)
    # The mark lets Excel read the file as what it is.
    answer = HttpResponse("\ufeff" + text, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="remarks.csv"'
    answer["Cache-Control"] = "no-store"
    return answer
