"""The WSGI application: sealed frame addresses in front, Django behind.

A frame costs Django's middleware, session and user look-up far more than its bytes. The address is sealed for one
session cookie and one reading, so it is checked here without the database (docs/decisions/0008).
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application
from django.http.cookie import parse_cookie
from redis.exceptions import RedisError

from annotation import addresses, store

PREFIX, SUFFIX = "/frames/", "/frames/1"
JPEG_LS = "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.4.80"
StartResponse = Callable[..., Any]

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "spondy.settings")
django_application = get_wsgi_application()
# What is there by now, the views too, stays for ever. Left alone by the collector it is shared by all processes of the
# server, and no answer waits while hundreds of thousands of old objects are looked through.
import_module(settings.ROOT_URLCONF)
gc.collect()
gc.freeze()


def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    path: str = environ.get("PATH_INFO", "")
    if path.startswith(PREFIX) and path.endswith(SUFFIX):
        return frame(environ, start_response, path[len(PREFIX) : -len(SUFFIX)])
    answered: Iterable[bytes] = django_application(environ, start_response)
    return answered


def frame(environ: dict[str, Any], start_response: StartResponse, token: str) -> Iterable[bytes]:
    """Serve one frame, or say that there is none; every refusal looks the same."""
    if environ.get("REQUEST_METHOD") not in {"GET", "HEAD"}:
        return _plain(start_response, "405 Method Not Allowed", "Only GET.", [("Allow", "GET, HEAD")])
    try:
        WSGIRequest(environ).get_host()
        sealed = addresses.unseal(token, session=_session(environ))
        if addresses.is_closed(sealed.reading):
            raise addresses.Unopenable("This reading is closed.")
        data = store.get(sealed.digest)
    except (addresses.Unopenable, store.MissingBytes, DisallowedHost):
        return _plain(start_response, "404 Not Found", "There is no such image for you.")
    except (RedisError, OSError):  # who may see it cannot be told now, or the disk does not answer: nobody sees it
        return _plain(start_response, "503 Service Unavailable", "The image cannot be had at the moment.")
    headers = [
        ("Content-Type", JPEG_LS),
        ("Content-Length", str(len(data))),
        ("Cache-Control", f"private, max-age={settings.FRAME_LIFETIME_S}, immutable"),
        ("Vary", "Cookie"),
        ("X-Content-Type-Options", "nosniff"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    ]
    start_response("200 OK", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [data]


def _session(environ: dict[str, Any]) -> str:
    # Django's own reader: the standard library's stops at the first odd cookie of another program on this host.
    session = parse_cookie(environ.get("HTTP_COOKIE", "")).get(settings.SESSION_COOKIE_NAME, "")
    if not session:
        raise addresses.Unopenable("Nobody is signed in.")
    return session


def _plain(
    start_response: StartResponse, status: str, sentence: str, more: list[tuple[str, str]] | None = None
) -> Iterable[bytes]:
    body = sentence.encode()
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    start_response(status, [*headers, ("Cache-Control", "no-store"), *(more or [])])
    return [body]
