"""Studies and the people in them, one role each."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction

from annotation import trail
from annotation.access import WrongState, study_for
from annotation.desk.planning import plans
from annotation.models import Assignment, Membership, Role, State, Study
from annotation.people import Person
from annotation.protocol import catalogue, printable

IMAGES = ("required", "none")
ORIENTATIONS = ("acquired", "standard")
_BLANK = re.compile(r"\{\w+\}")
CODE = re.compile(r"^[A-Za-z][A-Za-z0-9-]{1,39}$")


class BadSetting(ValueError):
    """A field of the set-up cannot be taken; the sentence says which and why."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field
        self.sentence = sentence


@dataclass(frozen=True)
class Member:
    username: str
    name: str
    role: str
    role_label: str
    fixed: bool


def may_create(person: Person) -> bool:
    return person.is_active and person.has_perm("annotation.add_study")


def protocols() -> list[tuple[str, str]]:
    return [(code, catalogue.latest(code).title) for code in catalogue.codes()]


def checks() -> list[tuple[str, str]]:
    """Give the warnings that a study may do without, each with its sentence; what it fills in is left open."""
    rules = {rule.code: rule.text for code in catalogue.codes() for rule in catalogue.latest(code).rules}
    return [(code, f"{code}: {_BLANK.sub('…', text).replace('….', '…')}") for code, text in rules.items()]


def create_study(
    person: Person | None,
    *,
    code: str,
    title: str,
    protocol: str = "spondylolysis",
    settings: Mapping[str, Any] | None = None,
    seed: int | None = None,
    plan: str = "full",
) -> str:
    """Make a study in state draft; the person who makes it is its coordinator. Gives its code."""
    if not CODE.match(code):
        raise BadSetting("code", f"“{code}” is no study code: a letter, then letters, digits and hyphens, 2 to 40.")
    if not title.strip():
        raise BadSetting("title", "The study needs a title.")
    if not printable(title):
        raise BadSetting("title", "The title holds a character that cannot be printed.")
    if protocol not in catalogue.codes():
        known = ", ".join(catalogue.codes())
        raise BadSetting("protocol", f"There is no protocol “{protocol}”; there are: {known}.")
    try:
        instrument = catalogue.latest(protocol).with_settings(settings or {})
    except ValueError as fault:  # the protocol says which setting it does not understand
        raise BadSetting("settings", str(fault)) from None
    if (settings or {}).get("images", "required") not in IMAGES:
        raise BadSetting("settings", f"Setting images is one of: {', '.join(IMAGES)}.")
    known_orientation((settings or {}).get("orientation", "acquired"))
    if plan not in dict(plans()):
        raise BadSetting("plan", f"There is no analysis plan “{plan}”; there are: {', '.join(dict(plans()))}.")
    with transaction.atomic():
        if Study.objects.filter(code__iexact=code).exists():
            raise BadSetting("code", f"There is a study “{code}” already.")
        study = Study.objects.create(
            code=code,
            title=title.strip(),
            protocol_code=protocol,
            protocol_version=instrument.version,
            protocol_digest=instrument.digest(),
            settings=dict(settings or {}),
            seed=secrets.randbits(62) if seed is None else seed,
            plan=plan,
        )
        if person is not None:
            Membership.objects.create(study=study, user=person, role=Role.COORDINATOR)
        fixed = {"protocol": instrument.digest(), "plan": plan, "settings": study.settings}
        trail.record(study, person, "create study", after=fixed)
    return study.code


def known_orientation(chosen: object) -> None:
    if chosen not in ORIENTATIONS:
        raise BadSetting("settings", f"Setting orientation is one of: {', '.join(ORIENTATIONS)}.")


def orientation_of(study: Study) -> str:
    return str(study.settings.get("orientation", "acquired"))


def orientation(person: Person, code: str) -> str:
    """Say how the images of a study stand in the room: one of `ORIENTATIONS`."""
    return orientation_of(study_for(person, code, Role.COORDINATOR))


def choose_orientation(person: Person, code: str, *, orientation: str) -> None:
    """Choose how images stand in the room, as long as the protocol is not frozen."""
    study = study_for(person, code, Role.COORDINATOR)
    known_orientation(orientation)
    with transaction.atomic():
        study = Study.objects.select_for_update().get(pk=study.pk)
        if study.state != State.DRAFT:
            raise WrongState(f"Study {code} is frozen; how its images stand is part of it.")
        before = orientation_of(study)
        if orientation == before:
            return
        study.settings = study.settings | {"orientation": orientation}
        study.save(update_fields=["settings"])
        trail.record(study, person, "choose orientation", before=before, after=orientation)


def account(username: str) -> Person:
    """Find an account by its name, for the operator at the command line."""
    found = get_user_model().objects.filter(username=username, is_active=True).first()
    if found is None:
        raise BadSetting("coordinator", f"There is no account “{username}”; the operator makes accounts.")
    return found


def intake_target(code: str, *, person: Person | None = None) -> Study:
    """Give the study that an import goes into; `person` None is the operator at the command line."""
    if person is not None:
        return study_for(person, code, Role.COORDINATOR)
    found = Study.objects.filter(code=code).first()
    if found is None:
        raise BadSetting("study", f"There is no study “{code}”; add --create --title to make it.")
    return found


def members(person: Person, code: str) -> list[Member]:
    study = study_for(person, code, Role.COORDINATOR)
    found = Membership.objects.select_related("user").filter(study=study).order_by("role", "user__username")
    bound = set(Assignment.objects.filter(study=study).values_list("reader", flat=True).distinct())
    return [
        Member(
            seat.user.username,
            seat.user.get_full_name(),
            seat.role,
            Role(seat.role).label,
            seat.user_id in bound or seat.user_id == person.pk,
        )
        for seat in found
    ]


def set_member(person: Person, code: str, *, username: str, role: str) -> None:
    """Give somebody a role; a reader's role changes only when all of that person's readings are locked."""
    study = study_for(person, code, Role.COORDINATOR)
    if role not in set(Role):
        raise BadSetting("role", f"There is no role “{role}”.")
    user = get_user_model().objects.filter(username=username.strip(), is_active=True).first()
    if user is None:
        raise BadSetting("username", f"There is no account “{username.strip()}”; the operator makes accounts.")
    with transaction.atomic():
        Study.objects.select_for_update().get(pk=study.pk)
        seat = Membership.objects.filter(study=study, user=user).first()
        if seat is not None and seat.role == role:
            return
        _may_leave(study, user, seat)
        before = seat.role if seat else None
        Membership.objects.update_or_create(study=study, user=user, defaults={"role": role})
        trail.record(study, person, "set role", subject=user.username, before=before, after=role)


def remove_member(person: Person, code: str, *, username: str) -> None:
    study = study_for(person, code, Role.COORDINATOR)
    if "\0" in username:  # PostgreSQL fails at such a text instead of finding nothing
        return
    with transaction.atomic():
        Study.objects.select_for_update().get(pk=study.pk)
        seat = Membership.objects.select_related("user").filter(study=study, user__username=username).first()
        if seat is None:
            return
        if Assignment.objects.filter(study=study, reader=seat.user).exists():
            raise WrongState(f"{username} has readings in this study and stays in it.")
        _may_leave(study, seat.user, seat)
        seat.delete()
        trail.record(study, person, "remove member", subject=username, before=seat.role)


def _may_leave(study: Study, user: Person, seat: Membership | None) -> None:
    if seat is None:
        return
    if seat.role == Role.READER and not study.has_reached(State.CLOSED):
        still_open = Assignment.objects.filter(study=study, reader=user, locked_revision__isnull=True).count()
        if still_open:
            raise WrongState(f"{user.username} has {still_open} open readings; the role changes when all are locked.")
    if seat.role == Role.COORDINATOR:
        others = Membership.objects.filter(study=study, role=Role.COORDINATOR).exclude(pk=seat.pk)
        if not others.exists():
            raise WrongState("A study keeps at least one coordinator.")
