"""The import page, and the upload as JSON and bytes: announced, sent in pieces, sealed. No file name arrives here."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation import desk
from annotation.access import NotYours, WrongState
from annotation.people import Person, person_of
from annotation.web.desk import page_of, page_or_act

NO_STORE = {"Cache-Control": "no-store"}
MOST_BYTES = 32 * 1024**2
FINGERPRINT = re.compile(r"[0-9a-f]{64}")
PART = re.compile(r"(\d{1,7}):(\d{1,15}):(\d{1,9})")


# --- the page ------------------------------------------------------------------------------------------------------


@login_required
@page_or_act
def imports(request: HttpRequest, study: str) -> HttpResponse:
    person = person_of(request)
    if request.method == "POST":
        _act(request, study)
        return redirect("desk_import", study)
    shown = desk.delivery_table(person, study, page=page_of(request))
    rows = shown.rows
    others = desk.other_imports(person, study)
    # What is only being received is looked at now and then: its sender shows it by itself, and counting it costs.
    busy = any(row.card.is_open and row.card.state != "receiving" for row in rows) or any(job.is_open for job in others)
    context: dict[str, Any] = {"rows": rows, "others": others, "held": desk.held_series(person, study), "busy": busy}
    # When this changes, something has ended: then the steps at the left are no longer what they were.
    context |= {"page": shown.page, "settled": f"{shown.page.total}-{sum(not job.is_open for job in others)}"}
    if request.GET.get("part") == "deliveries":
        return render(request, "desk/deliveries.html", context | {"code": study})
    mine = desk.open_upload(person, study)
    context |= {"board": desk.board(person, study), "step": "import", "code": study}
    context |= {"ways": desk.ways_in(person, study), "facts": _facts(study, mine)}
    return render(request, "desk/import.html", context)


def _facts(study: str, mine: desk.Upload | None) -> dict[str, Any]:
    """Give what the page's script needs to begin."""
    return {
        "url": f"/api/desk/{study}/deliveries/",
        "piece": settings.UPLOAD_PIECE,
        "page": desk.MOST_AT_ONCE,
        "parts": desk.MOST_PARTS,
        "open": _document(mine) if mine else None,
    }


def _act(request: HttpRequest, study: str) -> None:
    """Carry out what a card's button asks for."""
    acts: dict[str, Callable[[Person, str, uuid.UUID], None]] = {
        "cancel": desk.cancel_delivery, "resume": desk.resume_delivery, "seal": _seal_whole
    }  # fmt: skip
    for name, act in acts.items():
        if name in request.POST:
            try:
                act(person_of(request), study, uuid.UUID(request.POST[name]))
            except WrongState as refusal:
                messages.error(request, refusal.sentence)
            except ValueError:
                raise NotYours from None
            return


def _seal_whole(person: Person, study: str, delivery: uuid.UUID) -> None:
    desk.seal(person, study, delivery, only_whole=True)


# --- the upload ----------------------------------------------------------------------------------------------------


class TooMuch(APIException):
    status_code = 413
    default_code = "too_large"
    default_detail = "The request is larger than one piece may be."


class Bytes(BaseParser):
    """Bytes are not parsed: looking for a form's token asks for the content, and the view reads it as it comes."""

    media_type = "application/octet-stream"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return {}


class ObjectJSON(JSONParser):
    """A JSON object; how large it may be is Django's DATA_UPLOAD_MAX_MEMORY_SIZE."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            given = super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None
        if not isinstance(given, dict):
            raise ParseError("The body is no JSON object.")
        return given


class AnnounceBody(serializers.Serializer[Any]):
    files = serializers.ListField(
        child=serializers.ListField(), help_text="[size, SHA-256 of the sender's name for the file] for each file"
    )


class AnnouncedAnswer(serializers.Serializer[Any]):
    files = serializers.ListField(child=serializers.ListField(), help_text="[number, bytes that are here, state]")


class SealBody(serializers.Serializer[Any]):
    only_whole = serializers.BooleanField(default=False, help_text="Let go of files that are not all here.")


class UploadAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    state = serializers.CharField()
    files = serializers.IntegerField()
    here = serializers.IntegerField(help_text="files that are all here")
    bytes = serializers.IntegerField()
    received = serializers.IntegerField(help_text="bytes that are here")


class OpenAnswer(serializers.Serializer[Any]):
    upload = UploadAnswer(allow_null=True)


class PartAnswer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    received = serializers.IntegerField(help_text="bytes of the file that are here now")
    code = serializers.CharField(allow_blank=True, help_text="empty, wrong_offset or too_large")
    detail = serializers.CharField(allow_blank=True)


class PartsAnswer(serializers.Serializer[Any]):
    parts = PartAnswer(many=True)


class ReceivedAnswer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    received = serializers.IntegerField()


class CardAnswer(serializers.Serializer[Any]):
    card = serializers.JSONField()
    problems = serializers.JSONField()


def _document(upload: desk.Upload) -> dict[str, Any]:
    return asdict(upload) | {"id": str(upload.id)}


def _limit(meta: Mapping[str, str], most: int) -> None:
    """Refuse bytes by their declared length; without one the server hands no body on at all."""
    text = meta.get("CONTENT_LENGTH") or "0"
    if not text.isdecimal() or int(text) > most:
        raise TooMuch


def _announced(given: object) -> list[tuple[int, str]]:
    """Check the pairs by hand: five thousand of them are too many for a form."""
    if not isinstance(given, list) or len(given) > desk.MOST_AT_ONCE:
        raise ParseError(f"files is a list of at most {desk.MOST_AT_ONCE} pairs.")
    files = []
    for one in given:
        match one:
            case [int(size), str(mark)] if not isinstance(size, bool) and size >= 0 and FINGERPRINT.fullmatch(mark):
                files.append((size, mark))
            case _:
                raise ParseError("Each file is [size in bytes, SHA-256 in small hexadecimal letters].")
    return files


class Deliveries(APIView):
    parser_classes = [ObjectJSON]

    @extend_schema(
        operation_id="desk_open_upload",
        responses=OpenAnswer,
        summary="The own upload that is not finished, if there is one",
    )
    def get(self, request: Request, study: str) -> Response:
        found = desk.open_upload(person_of(request), study)
        return Response({"upload": _document(found) if found else None}, headers=NO_STORE)

    @extend_schema(request=None, responses=UploadAnswer, summary="Begin an upload, or give the one that is open")
    def post(self, request: Request, study: str) -> Response:
        return Response(_document(desk.begin_upload(person_of(request), study)), headers=NO_STORE)


class OneDelivery(APIView):
    @extend_schema(responses=CardAnswer, summary="How far a delivery is, and why some of its files stayed out")
    def get(self, request: Request, study: str, delivery: uuid.UUID) -> Response:
        card = desk.delivery_card(person_of(request), study, delivery)
        groups = [asdict(group) for group in desk.delivery_problems(person_of(request), study, delivery)]
        return Response({"card": asdict(card), "problems": groups}, headers=NO_STORE)


class UploadState(APIView):
    @extend_schema(responses=UploadAnswer, summary="How much of an upload is here")
    def get(self, request: Request, study: str, delivery: uuid.UUID) -> Response:
        return Response(_document(desk.upload_state(person_of(request), study, delivery)), headers=NO_STORE)


class Announce(APIView):
    parser_classes = [ObjectJSON]

    @extend_schema(request=AnnounceBody, responses=AnnouncedAnswer, summary="Say which files will come")
    def post(self, request: Request, study: str, delivery: uuid.UUID) -> Response:
        desk.check_delivery(person_of(request), study, delivery)  # whose it is, before what is asked
        found = desk.announce(person_of(request), study, delivery, _announced(dict(request.data).get("files")))
        return Response({"files": [[one.number, one.received, one.state] for one in found]}, headers=NO_STORE)


class FileBytes(APIView):
    parser_classes = [Bytes]

    @extend_schema(
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses=ReceivedAnswer,
        parameters=[OpenApiParameter("Upload-Offset", OpenApiTypes.INT, OpenApiParameter.HEADER, default=0)],
        summary="Send the bytes of one file from an offset on; 409 says in `received` where to go on",
    )
    def put(self, request: Request, study: str, delivery: uuid.UUID, number: int) -> Response:
        desk.check_delivery(person_of(request), study, delivery)
        _limit(request.META, MOST_BYTES)
        text = request.headers.get("Upload-Offset", "0")
        if not (text.isascii() and text.isdecimal() and len(text) < 16):
            raise ParseError("The header Upload-Offset says from which byte on; it is a whole number.")
        offset = int(text)
        there = desk.append(person_of(request), study, delivery, number, offset=offset, data=_stream(request))
        return Response({"number": number, "received": there}, headers=NO_STORE)


class PartBytes(APIView):
    parser_classes = [Bytes]

    @extend_schema(
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses=PartsAnswer,
        parameters=[OpenApiParameter("Upload-Parts", OpenApiTypes.STR, OpenApiParameter.HEADER, required=True)],
        summary="Send the bytes of several files one behind the other; Upload-Parts names number:offset:size of each",
    )
    def post(self, request: Request, study: str, delivery: uuid.UUID) -> Response:
        desk.check_delivery(person_of(request), study, delivery)
        _limit(request.META, MOST_BYTES)
        parts = _parts(request.headers.get("Upload-Parts", ""))
        found = desk.append_parts(person_of(request), study, delivery, parts, _stream(request))
        return Response({"parts": [asdict(one) for one in found]}, headers=NO_STORE)


def _stream(request: Request) -> Any:
    return request._request


def _parts(text: str) -> list[tuple[int, int, int]]:
    found = [PART.fullmatch(one.strip()) for one in text.split(",", desk.MOST_PARTS)]
    if not 0 < len(found) <= desk.MOST_PARTS or None in found:
        raise ParseError(f"The header Upload-Parts names up to {desk.MOST_PARTS} parts as number:offset:size.")
    return [(int(one[1]), int(one[2]), int(one[3])) for one in found if one]


class Seal(APIView):
    parser_classes = [ObjectJSON]

    @extend_schema(request=SealBody, responses=UploadAnswer, summary="Say that nothing more comes; the intake begins")
    def post(self, request: Request, study: str, delivery: uuid.UUID) -> Response:
        person = person_of(request)
        desk.check_delivery(person, study, delivery)
        body = SealBody(data=request.data)
        body.is_valid(raise_exception=True)
        desk.seal(person, study, delivery, only_whole=body.validated_data["only_whole"])
        return Response(_document(desk.upload_state(person, study, delivery)), headers=NO_STORE)


class Cancel(APIView):
    parser_classes = [ObjectJSON]

    @extend_schema(request=None, responses=UploadAnswer, summary="Stop a delivery; what is in stays in")
    def post(self, request: Request, study: str, delivery: uuid.UUID) -> Response:
        desk.cancel_delivery(person_of(request), study, delivery)
        return Response(_document(desk.upload_state(person_of(request), study, delivery)), headers=NO_STORE)
