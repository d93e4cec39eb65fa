"""The one table from domain exception to answer: HTTP status, code, sentence. Used by pages and by the API."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from analytics.runs import Moved, NothingThere
from annotation.access import NotYours, ProtocolChanged, WrongState
from annotation.desk import BadSetting, BadUpload, NotConfirmed
from annotation.handover import StillReading
from annotation.intake import NoSpace, NotReceiving, TooLarge, Unwritable, WrongOffset
from annotation.jobs import NoSuchJob
from annotation.outcomes import BadEntry, Outdated
from annotation.protocol import Invalid
from annotation.room import BadChoice, BadMoment, NoReason, Stale
from annotation.store import MissingBytes

TABLE: dict[type[Exception], tuple[int, str]] = {
    MissingBytes: (404, "not_found"),
    NotYours: (404, "not_found"),
    NoSuchJob: (404, "not_found"),
    NothingThere: (404, "not_found"),
    Stale: (409, "stale"),
    Outdated: (409, "stale"),
    ProtocolChanged: (409, "protocol_changed"),
    WrongState: (409, "wrong_state"),
    NotReceiving: (409, "not_receiving"),
    WrongOffset: (409, "wrong_offset"),
    TooLarge: (413, "too_large"),
    NoSpace: (507, "no_space"),
    Unwritable: (503, "unwritable"),
    StillReading: (409, "too_early"),
    Moved: (409, "data_changed"),
    Invalid: (422, "invalid"),
    NoReason: (422, "no_reason"),
    BadChoice: (422, "bad_choice"),
    BadMoment: (422, "bad_moment"),
    BadSetting: (422, "bad_setting"),
    BadUpload: (422, "bad_upload"),
    BadEntry: (422, "bad_entry"),
    NotConfirmed: (422, "not_confirmed"),
}
TITLES = {
    400: "This cannot be read",
    401: "Sign in first",
    403: "Not allowed",
    404: "Nothing here",
    405: "Wrong method",
    409: "Not now",
    413: "Too large",
    422: "This cannot be taken",
    429: "Too many tries",
    500: "Something went wrong",
    503: "Not just now",
    507: "No room",
}


def _known(error: Exception) -> tuple[int, str] | None:
    for kind in type(error).__mro__:
        if kind in TABLE:
            return TABLE[kind]
    return None


def _sentence(error: Exception) -> str:
    return str(getattr(error, "sentence", "") or error or "There is no such thing for you.")


def _sendable(text: str) -> str:
    """Half a surrogate pair, echoed from a request, cannot be written as UTF-8."""
    return text.encode("utf-8", "replace").decode()


def _extra(error: Exception) -> dict[str, Any]:
    if isinstance(error, Invalid):
        return {"faults": [{k: _sendable(v) for k, v in asdict(fault).items()} for fault in error.faults]}
    if isinstance(error, Stale):
        return asdict(error.newest)
    if isinstance(error, BadSetting):
        return {"field": error.field}
    if isinstance(error, WrongOffset):
        return {"received": error.received}
    return {}


def problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer an API error as application/problem+json (RFC 9457)."""
    known = _known(error)
    if known is not None:
        status, code = known
        body = {"code": code, "detail": _sentence(error), **_extra(error)}
        headers: dict[str, str] = {}
    else:
        if isinstance(error, Http404):
            error = APIException("There is no such thing for you.")
            error.status_code = 404
        handled = exception_handler(error, context)
        if handled is None:
            return None
        status, headers = handled.status_code, dict(handled.items())
        detail = "The request's body does not have the right shape." if isinstance(error, ValidationError) else (
            handled.data.get("detail", "") if isinstance(handled.data, dict) else ""
        )  # fmt: skip
        body = {"code": getattr(error, "default_code", "error"), "detail": str(detail)}
        if isinstance(error, ValidationError):
            body["errors"] = handled.data
    body = {"type": "about:blank", "title": TITLES.get(status, "Error"), "status": status, **body}
    headers.pop("Content-Type", None)
    return Response(body, status=status, headers=headers, content_type="application/problem+json")


class DomainErrors:
    """Answer a domain exception of a page with a page."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response: HttpResponse = self.get_response(request)
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        known = _known(error)
        return page(request, known[0], _sentence(error), known[1]) if known else None


def page(request: HttpRequest, status: int, sentence: str = "", code: str = "error") -> HttpResponse:
    """Answer with a page, or below /api/ with what other programs read: an address no view knows ends here too."""
    if request.path.startswith("/api/"):
        body = {"type": "about:blank", "title": TITLES.get(status, "Error"), "status": status}
        return JsonResponse(
            body | {"code": code, "detail": sentence}, status=status, content_type="application/problem+json"
        )
    shown = {"status": status, "title": TITLES.get(status, "Error"), "sentence": sentence}
    return render(request, "error.html", shown, status=status)


def too_many_tries(request: HttpRequest, response: HttpResponse | None = None, *_: Any, **__: Any) -> HttpResponse:
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    sentence = f"Too many wrong passwords. The sign-in is closed for {minutes} minutes; what you have saved is safe."
    return page(request, 429, sentence, "too_many_tries")


def address_of(request: HttpRequest) -> str:
    """Give the visitor's address; a forwarded one counts only from the proxy that the installation names."""
    forwarded = request.headers.get("X-Forwarded-For", "") if settings.BEHIND_TLS else ""
    return forwarded.rpartition(",")[2].strip() or str(request.META.get("REMOTE_ADDR", ""))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page(request, 404, NotYours.sentence, "not_found")


def denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    sentence = str(exception) if isinstance(exception, PermissionDenied) else ""
    return page(request, 403, sentence or "You may not do this.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page(request, 400, "The request could not be read.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return page(request, 403, "This page is too old. Go back, load it again and repeat the step.")


def failed(request: HttpRequest) -> HttpResponse:
    sentence = "The operator finds the reason in the server's log. Load the page again to see what is saved."
    return page(request, 500, sentence)
