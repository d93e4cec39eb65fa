"""Page of the desk: the scanning parameters as a table and as a file."""

from __future__ import annotations

import csv

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from annotation import desk
from annotation.people import person_of
from annotation.web.desk import render_step


@login_required
@require_safe
def scanning(request: HttpRequest, study: str) -> HttpResponse:
    table = desk.scanning_table(person_of(request), study)
    return render_step(request, study, "scanning", {"table": table, "section": "series"})


@login_required
@require_safe
def scanning_file(request: HttpRequest, study: str) -> HttpResponse:
    table = desk.scanning_table(person_of(request), study)
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{study}-scanning.csv"'
    writer = csv.DictWriter(answer, fieldnames=desk.SCANNING_COLUMNS)
    writer.writeheader()
    writer.writerows(table.rows())
    return answer
