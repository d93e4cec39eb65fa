"""Pages of the reading room."""

from __future__ import annotations

import json
import uuid
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from annotation import room
from annotation.people import person_of

DRAWINGS = Path(settings.BASE_DIR) / "static" / "drawings"
ATLAS = Path(settings.BASE_DIR) / "static" / "atlas"


@cache
def _drawings() -> dict[str, str]:
    """Give the schematic drawings there are, by the code of the item they show."""
    return {file.stem: static(f"drawings/{file.name}") for file in sorted(DRAWINGS.glob("*.svg"))}


@cache
def _atlas() -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Give the pictures of grades there are, by item and level: drawn by the phantom, the same for every case."""
    manifest = ATLAS / "atlas.json"
    items = json.loads(manifest.read_text(encoding="utf-8"))["items"] if manifest.is_file() else {}
    return {
        item: {code: [_plate(one) for one in pictures] for code, pictures in levels.items()}
        for item, levels in items.items()
    }


def _plate(entry: dict[str, Any]) -> dict[str, Any]:
    return {"src": static(f"atlas/{entry['file']}")} | {key: entry[key] for key in ("title", "width", "height")}


@login_required
@never_cache
@require_safe
def hall(request: HttpRequest, study: str) -> HttpResponse:
    person = person_of(request)
    seen = room.hall(person, study)
    practised = room.practised(person, study) if seen.is_practice else ()
    return render(request, "room/hall.html", {"hall": seen, "practised": practised})


@login_required
@never_cache
@require_safe
def solution(request: HttpRequest, study: str, reading: uuid.UUID) -> HttpResponse:
    person = person_of(request)
    shown = room.solution(person, study, reading)
    return render(request, "room/solution.html", {"hall": room.hall(person, study), "solution": shown})


@login_required
@never_cache
@require_safe
def solution_picture(request: HttpRequest, study: str, reading: uuid.UUID, cell: str) -> HttpResponse:
    return HttpResponse(room.solution_picture(person_of(request), study, reading, cell), content_type="image/png")


@login_required
@never_cache
@require_safe
def reading(request: HttpRequest, study: str, form: str) -> HttpResponse:
    person = person_of(request)
    seen = room.hall(person, study)
    sheet = room.sheet(person, study, form)
    if not seen.open:
        return redirect("room", study)
    context = {
        "study": study,
        "study_title": seen.title,
        "form": form,
        "user": person.get_username(),
        "csrf": get_token(request),
        "next_url": reverse("api_next", args=[study, form]),
        "upcoming_url": reverse("api_upcoming", args=[study, form]),
        "home_url": reverse("room", args=[study]),
        "signin_url": f"{reverse('login')}?next={reverse('reading', args=[study, form])}",
        "comfort": room.comfort(person).document(),
        "display_url": reverse("api_display", args=[study, form]),
        "preferences_url": reverse("api_preferences"),
        "drawings": _drawings(),
        "atlas": {item["code"]: pictures for item in sheet["items"] if (pictures := _atlas().get(item["code"]))},
    }
    return render(request, "room/reading.html", {"sheet": sheet, "room": context})
