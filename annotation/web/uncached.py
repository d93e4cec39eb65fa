"""Pages for somebody who is signed in are kept nowhere: after signing out, Back asks the server who it is."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers

Answer = Callable[[HttpRequest], HttpResponse]


def uncached(get_response: Answer) -> Answer:
    """Let no page of a person be stored; an answer that says itself how long it may be kept is left alone."""

    def middleware(request: HttpRequest) -> HttpResponse:
        answer = get_response(request)
        is_page = answer.get("Content-Type", "").startswith("text/html")
        if is_page and not answer.has_header("Cache-Control") and request.user.is_authenticated:
            add_never_cache_headers(answer)
        return answer

    return middleware
