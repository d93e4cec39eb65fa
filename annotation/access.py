"""Who may pass which door. A door asks here first; what is not yours does not exist."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from annotation.models import Membership, Role, State, Study
from annotation.people import Person
from annotation.protocol import Protocol, Unknown, catalogue


class NotYours(LookupError):
    """No such thing for this person. Answered as 404: existence is information."""

    sentence = "There is no such page for you."


class WrongState(ValueError):
    """The study is not in the state this act needs."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class ProtocolChanged(WrongState):
    """The code's instrument is not the one the study has fixed; the study is read-only."""


def study_for(person: Person, code: str, *roles: Role) -> Study:
    """Give the study when `person` has one of `roles` in it. Being a superuser opens no door."""
    if not person.is_authenticated or not person.is_active:
        raise NotYours
    found = (
        Membership.objects.select_related("study")
        .filter(user=person, study__code=code, role__in=[role.value for role in roles])
        .first()
    )
    if found is None:
        raise NotYours
    return found.study


def protocol_of(study: Study) -> Protocol:
    """Give the study's instrument with the study's settings applied."""
    try:
        instrument = catalogue.get(study.protocol_code, study.protocol_version)
    except Unknown:
        raise ProtocolChanged(
            f"The program does not hold the instrument {study.protocol_code} version {study.protocol_version}, which "
            f"study {study.code} has fixed. The study rests until the program brings that version back."
        ) from None
    return instrument.with_settings(study.settings)


def writable_protocol(study: Study, *states: State) -> Protocol:
    """Give the instrument for writing: the study is in one of `states` and the digest is the one it has fixed."""
    if State(study.state) not in states:
        named = " or ".join(f"“{state.label}”" for state in states)
        raise WrongState(f"Study {study.code} is in state “{State(study.state).label}”; this needs {named}.")
    protocol = protocol_of(study)
    if protocol.digest() != study.protocol_digest:
        raise ProtocolChanged(
            f"The instrument {study.protocol_code} version {study.protocol_version} has changed since study "
            f"{study.code} fixed it. The study is read-only until the program brings that version back."
        )
    return protocol


def readable() -> Q:
    """Give the condition under which readers may be shown a series: neither held back nor excluded."""
    return Q(held_reason="", excluded_reason="")


@dataclass(frozen=True)
class Seat:
    """One study somebody has a role in."""

    study: str
    title: str
    role: str
    role_label: str
    state_label: str
    synthetic: bool


def seats(person: Person) -> list[Seat]:
    found = Membership.objects.select_related("study").filter(user=person).order_by("study__code")
    return [
        Seat(
            seat.study.code,
            seat.study.title,
            seat.role,
            Role(seat.role).label,
            # A reader and the outcome entry learn nothing of how far the study is beyond the own room.
            "" if seat.role in (Role.READER, Role.OUTCOME_ENTRY) else State(seat.study.state).label,
            bool(seat.study.settings.get("synthetic")),
        )
        for seat in found
    ]
