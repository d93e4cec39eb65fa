"""The reader's door as JSON; what the viewer speaks to."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from typing import Any

from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.gzip import gzip_page
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation import room
from annotation.people import person_of, session_of

NO_STORE = {"Cache-Control": "no-store"}


class SaveBody(serializers.Serializer[Any]):
    base = serializers.IntegerField(min_value=0, help_text="The revision this content was made on.")
    answers = serializers.JSONField(help_text="The answers document; its schema is the protocol's.")
    evidence = serializers.JSONField(
        default=dict, help_text="By cell the slice it was seen on and points measured there; `marks` are drawings."
    )
    kept = serializers.ListField(child=serializers.CharField(max_length=40), default=list, max_length=100)


class OnwardBody(serializers.Serializer[Any]):
    onward = serializers.BooleanField(default=False, help_text="Give the next case with the answer, as `next` does.")
    ahead = serializers.CharField(
        max_length=64,
        allow_blank=True,
        default="",
        help_text="The mark of `upcoming`: a next case with these images comes without `stacks`, with `as_ahead`.",
    )


class LockBody(OnwardBody):
    base = serializers.IntegerField(min_value=0)


class SetAsideBody(OnwardBody):
    reason = serializers.CharField(max_length=200, allow_blank=True)


class DisplayBody(serializers.Serializer[Any]):
    seen = serializers.BooleanField(help_text="Everything on the test pattern was visible.")
    said = serializers.DictField(child=serializers.CharField(max_length=20, allow_blank=True), default=dict)
    screen = serializers.CharField(max_length=30, help_text="Width, height and pixel ratio: 1920x1080@1.")


class MomentBody(serializers.Serializer[Any]):
    number = serializers.IntegerField(min_value=0, max_value=1_000_000, help_text="Counted within the visit.")
    kind = serializers.CharField(max_length=12, help_text=f"One of {', '.join(room.KINDS)}.")
    cell = serializers.CharField(max_length=60, allow_blank=True, default="")
    ago_ms = serializers.IntegerField(min_value=0, max_value=10**12, help_text="How long before it was sent.")


class TimesBody(serializers.Serializer[Any]):
    visit = serializers.UUIDField(help_text="One page on which the reading was open.")
    moments = serializers.ListField(child=MomentBody(), max_length=500)


class PreferencesBody(serializers.Serializer[Any]):
    habit = serializers.CharField(max_length=40, help_text="What the mouse buttons do.")


class SavedAnswer(serializers.Serializer[Any]):
    revision = serializers.IntegerField()
    saved_at = serializers.DateTimeField(allow_null=True)
    answers = serializers.JSONField()
    evidence = serializers.JSONField()
    measured = serializers.JSONField()
    remarks = serializers.JSONField()
    kept = serializers.ListField(child=serializers.CharField())


class StepAnswer(serializers.Serializer[Any]):
    reading = serializers.JSONField(allow_null=True)
    done = serializers.IntegerField()
    of = serializers.IntegerField()
    display_due = serializers.BooleanField(help_text="The test pattern is to be looked at first.")


class NotedAnswer(serializers.Serializer[Any]):
    noted = serializers.BooleanField()


class AsideAnswer(serializers.Serializer[Any]):
    locked = serializers.BooleanField()
    next = StepAnswer(
        required=False,
        allow_null=True,
        help_text="Where `onward` was asked for; null where it cannot be told now, and is to be asked for by itself.",
    )


class LockedAnswer(AsideAnswer):
    solution_url = serializers.CharField(
        allow_blank=True, help_text="Practice only: the page with what is planted; empty for a study's case."
    )


def _body(kind: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    try:
        body = kind(data=request.data)
    except RecursionError:  # brackets within brackets, thousands deep
        raise ParseError("The JSON is nested too deeply.") from None
    body.is_valid(raise_exception=True)
    given: dict[str, Any] = body.validated_data
    return given


def _acts(reading: uuid.UUID) -> dict[str, str]:
    """Give the addresses of what can be done with a reading; the viewer builds none itself."""
    named = {
        "save_url": "api_save",
        "lock_url": "api_lock",
        "set_aside_url": "api_set_aside",
        "times_url": "api_times",
    }
    return {name: reverse(view, args=[reading]) for name, view in named.items()}


def _told(step: room.Step) -> dict[str, Any]:
    reading = step.reading.document() | _acts(step.reading.id) if step.reading else None
    return {"reading": reading, "done": step.done, "of": step.of, "display_due": step.display_due}


def _next(request: Request, reading: uuid.UUID, body: dict[str, Any]) -> dict[str, Any]:
    """Give what follows a reading that is closed by now, where it was asked for; nothing of it leaves before."""
    if not body["onward"]:
        return {}
    step = room.after(person_of(request), reading, session=session_of(request), ahead=body["ahead"])
    return {"next": _told(step) if step else None}


@method_decorator(gzip_page, name="dispatch")
class NextReading(APIView):
    @extend_schema(responses=StepAnswer, summary="The own current case of a form, with its images and answers")
    def get(self, request: Request, study: str, form: str) -> Response:
        step = room.next_reading(person_of(request), study, form, session=session_of(request))
        return Response(_told(step), headers=NO_STORE)


@method_decorator(gzip_page, name="dispatch")
class Upcoming(APIView):
    @extend_schema(responses=StepAnswer, summary="The images of the own next but one case, for prefetching")
    def get(self, request: Request, study: str, form: str) -> Response:
        ahead = room.upcoming(person_of(request), study, form, session=session_of(request))
        reading = {"stacks": [one.document() for one in ahead.stacks], "mark": ahead.mark} if ahead else None
        return Response({"reading": reading}, headers=NO_STORE)


class SaveReading(APIView):
    @extend_schema(request=SaveBody, responses=SavedAnswer, summary="Add a revision on top of `base`")
    def put(self, request: Request, reading: uuid.UUID) -> Response:
        body = _body(SaveBody, request)
        saved = room.save(
            person_of(request),
            reading,
            base=body["base"],
            answers=body["answers"],
            evidence=body["evidence"],
            kept=body["kept"],
        )
        return Response(asdict(saved), headers=NO_STORE)


@method_decorator(gzip_page, name="dispatch")
class LockReading(APIView):
    @extend_schema(request=LockBody, responses=LockedAnswer, summary="Submit the newest revision; final")
    def post(self, request: Request, reading: uuid.UUID) -> Response:
        person, body = person_of(request), _body(LockBody, request)
        room.lock(person, reading, base=body["base"])
        practice = room.solution_waits(person, reading)
        page = reverse("solution", args=[practice, reading]) if practice else ""
        onward = {} if practice else _next(request, reading, body)
        return Response({"locked": True, "solution_url": page} | onward, headers=NO_STORE)


@method_decorator(gzip_page, name="dispatch")
class SetAside(APIView):
    @extend_schema(request=SetAsideBody, responses=AsideAnswer, summary="Put the case at the end of the own order")
    def post(self, request: Request, reading: uuid.UUID) -> Response:
        body = _body(SetAsideBody, request)
        room.set_aside(person_of(request), reading, reason=body["reason"])
        return Response({"locked": False} | _next(request, reading, body), headers=NO_STORE)


class Times(APIView):
    @extend_schema(request=TimesBody, responses=NotedAnswer, summary="When the reading was seen and worked on")
    def post(self, request: Request, reading: uuid.UUID) -> Response:
        body = _body(TimesBody, request)
        happened = (room.Happened(**one) for one in body["moments"])
        room.note_times(person_of(request), reading, visit=body["visit"], happened=happened)
        return Response({"noted": True}, headers=NO_STORE)


class Display(APIView):
    @extend_schema(request=DisplayBody, responses=NotedAnswer, summary="What was seen of the test pattern")
    def post(self, request: Request, study: str, form: str) -> Response:
        body = _body(DisplayBody, request)
        room.note_display(person_of(request), study, form, seen=body["seen"], said=body["said"], screen=body["screen"])
        return Response({"noted": True}, headers=NO_STORE)


class Preferences(APIView):
    @extend_schema(request=PreferencesBody, responses=NotedAnswer, summary="The own mouse habit")
    def put(self, request: Request) -> Response:
        room.choose_habit(person_of(request), _body(PreferencesBody, request)["habit"])
        return Response({"noted": True}, headers=NO_STORE)
