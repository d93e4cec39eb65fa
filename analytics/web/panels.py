"""Pages of the image panels; what is chosen stands in the address, so it can be kept, sent and gone back to."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from analytics.runs import panels as door
from analytics.runs.rows import NothingThere
from annotation.people import person_of

KINDS = {"svg": "image/svg+xml", "pdf": "application/pdf", "png": "image/png", "tiff": "image/tiff"}
WIDTHS = (170, 85)
MOST_COLUMNS = 4
SHOWN = {"panel_letters": "Letters A, B …", "side_letters": "Side letters", "scale": "Scale bar"}
FIELDS = {"height_mm": (5.0, 400.0), "x": (0.0, 100.0), "y": (0.0, 100.0), "turn": (0.0, 360.0)}


@login_required
@require_safe
def panels(request: HttpRequest, study: str) -> HttpResponse:
    asked = request.GET
    keys = asked.getlist("pick")
    filters = {name: asked.get(name, "") for name in ("item", "grade", "reader")}
    page = int(asked["page"]) if asked.get("page", "").isdecimal() else 1
    found = door.panels(person_of(request), study, keys, page=page, **filters)
    picked = [card.key for card in found.chosen]
    context = {
        "found": found,
        "filters": filters,
        "chosen": [
            {
                "card": card,
                "letter": chr(ord("A") + place),
                "own": _chosen(asked, card.key),
                "without": _with(asked, [key for key in picked if key != card.key]),
                "earlier": _with(asked, _moved(picked, place, -1)) if place else "",
                "later": _with(asked, _moved(picked, place, 1)) if place + 1 < len(picked) else "",
            }
            for place, card in enumerate(found.chosen)
        ],
        "others": [
            {"card": card, "add": _with(asked, [*picked, card.key]), "taken": card.key in picked}
            for card in found.cards
        ],
        "query": asked.urlencode(),
        "layout": _layout(asked),
        "widths": WIDTHS,
        "columns": range(1, MOST_COLUMNS + 1),
        "kinds": [("svg", "SVG"), ("pdf", "PDF"), ("png", "PNG, 600 dpi"), ("tiff", "TIFF, 600 dpi")],
        "shown": [(name, word, _layout(asked)[name]) for name, word in SHOWN.items()],
        "before": _paged(asked, found.page - 1) if found.page > 1 else "",
        "after": _paged(asked, found.page + 1) if found.page < found.pages else "",
    }
    return render(request, "report/panels.html", context)


@login_required
@require_safe
def image(request: HttpRequest, study: str, key: str) -> HttpResponse:
    """Give one exhibit, small."""
    answer = HttpResponse(door.thumbnail(person_of(request), study, key), content_type="image/png")
    answer["Cache-Control"] = "private, max-age=600"
    return answer


@login_required
@require_safe
def figure(request: HttpRequest, study: str, kind: str) -> HttpResponse:
    """Give the panel that the address describes: as a file for print, or as a quick preview."""
    if kind not in (*KINDS, "preview"):
        raise NothingThere
    chosen = [_chosen(request.GET, key) for key in request.GET.getlist("pick")]
    preview = kind == "preview"
    format: Any = "png" if preview else kind
    made = door.panel(person_of(request), study, chosen, _layout(request.GET), format, preview=preview)
    answer = HttpResponse(made, content_type=KINDS[format], headers={"X-Content-Type-Options": "nosniff"})
    if not preview:
        answer["Content-Disposition"] = f'attachment; filename="panel-{study}.{kind}"'
    return answer


def _number(text: str, low: float, high: float) -> float | None:
    """Read a number of a form; what is none, or beyond its limits, is as if nothing had been entered."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if low <= value <= high else None


def _chosen(asked: QueryDict, key: str) -> door.Chosen:
    told = {name: _number(asked.get(f"{name}_{key}", ""), *limits) for name, limits in FIELDS.items()}
    given = {name: value for name, value in told.items() if value is not None}
    return door.Chosen(key, marks=asked.get(f"marks_{key}", "1") == "1", **cast(dict[str, Any], given))


def _layout(asked: QueryDict) -> dict[str, Any]:
    width = _number(asked.get("width", ""), WIDTHS[-1], WIDTHS[0])
    columns = _number(asked.get("columns", ""), 1, MOST_COLUMNS)
    return {
        "width": width or float(WIDTHS[0]),
        "columns": int(columns or 2),
        **{name: asked.get(name, "1") == "1" for name in SHOWN},
    }


def _with(asked: QueryDict, picked: list[str]) -> str:
    """Give the address with other images chosen; what was set for one that left goes with it."""
    kept = [(name, value) for name, values in asked.lists() for value in values if name != "pick"]
    own = [(name, value) for name, value in kept if "_" not in name or _stays(name, picked)]
    return urlencode([*own, *(("pick", key) for key in picked)])


def _stays(name: str, picked: list[str]) -> bool:
    field, _, key = name.rpartition("_")
    return key in picked or field in ("panel", "side")


def _paged(asked: QueryDict, page: int) -> str:
    other = asked.copy()
    other["page"] = str(page)
    return other.urlencode()


def _moved(picked: list[str], place: int, by: int) -> list[str]:
    moved = list(picked)
    moved[place], moved[place + by] = moved[place + by], moved[place]
    return moved
