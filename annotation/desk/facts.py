"""The facts that no data set holds: stated by the coordinator, kept with the study, printed in the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q

from annotation import trail
from annotation.access import study_for
from annotation.models import Assignment, Membership, Role, Study
from annotation.people import Person
from annotation.protocol import FACTS, FactField, fact_faults

READER = "reader-"


class BadFact(ValueError):
    """Facts that cannot be taken; `sentences` by field."""

    sentence = "Some facts cannot be taken. Nothing was changed."

    def __init__(self, sentences: Mapping[str, str]) -> None:
        super().__init__(self.sentence)
        self.sentences = dict(sentences)


@dataclass(frozen=True)
class Stated:
    """A fact with its field, and what is stated."""

    field: FactField
    text: str


@dataclass(frozen=True)
class ReaderStated:
    """A reader by account, and the experience that is stated; the report knows the reader as R1, R2."""

    code: str
    username: str
    text: str


@dataclass(frozen=True)
class Facts:
    stated: tuple[Stated, ...]
    readers: tuple[ReaderStated, ...]

    @property
    def told(self) -> int:
        return sum(bool(one.text) for one in self.stated) + sum(bool(one.text) for one in self.readers)

    @property
    def of(self) -> int:
        return len(self.stated) + len(self.readers)


def told_of(study: Study) -> tuple[int, int]:
    """Count the facts that are stated, and those that are asked for."""
    known = _known(study)
    return known.told, known.of


def facts(person: Person, code: str) -> Facts:
    return _known(study_for(person, code, Role.COORDINATOR))


def _known(study: Study) -> Facts:
    known = facts_of(study)
    readers = known["readers"]
    return Facts(
        tuple(Stated(field, known["told"].get(field.code, "")) for field in FACTS),
        tuple(
            ReaderStated(f"{READER}{reader.pk}", reader.username, readers.get(str(reader.pk), ""))
            for reader in _readers(study)
        ),
    )


def facts_of(study: Study) -> dict[str, dict[str, str]]:
    """Give what is stated: `told` by the field's code, `readers` by the account's key."""
    known = study.settings.get("facts", {})
    return {"told": dict(known.get("told", {})), "readers": dict(known.get("readers", {}))}


def state_facts(person: Person, code: str, given: Mapping[str, str]) -> int:
    """Keep what was stated and record what changed; give how many facts changed. At any time of a study."""
    study = study_for(person, code, Role.COORDINATOR)
    texts = {name: text.replace("\r\n", "\n").strip() for name, text in given.items()}
    with transaction.atomic():
        study = Study.objects.select_for_update().get(pk=study.pk)
        before = facts_of(study)
        told = {field.code: texts.get(field.code, before["told"].get(field.code, "")) for field in FACTS}
        # What is stated of somebody stays where nobody asked to change it, whatever role the person has now.
        readers = before["readers"] | {
            str(reader.pk): texts[code] for reader in _readers(study) if (code := f"{READER}{reader.pk}") in texts
        }
        experience = {f"{READER}{key}": text for key, text in readers.items()}
        if faults := fact_faults({**told, **experience}):
            raise BadFact(faults)
        after = {"told": _filled(told), "readers": _filled(readers)}
        changed = _changed(before, after)
        if changed:
            study.settings = {**study.settings, "facts": after}
            study.save(update_fields=["settings"])
            trail.record(study, person, "state facts", before=_only(before, changed), after=_only(after, changed))
    return len(changed)


def _readers(study: Study) -> list[Person]:
    """Give everybody who reads or has read: the report prints experience of those whose role has changed, too."""
    seats = Membership.objects.filter(study=study, role=Role.READER).values("user")
    asked = Assignment.objects.filter(study=study).values("reader")
    return list(get_user_model().objects.filter(Q(pk__in=seats) | Q(pk__in=asked)).order_by("pk"))


def _filled(texts: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in texts.items() if text}


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (part, name)
        for part in ("told", "readers")
        for name in sorted({*before[part], *after[part]})
        if before[part].get(name, "") != after[part].get(name, "")
    ]


def _only(facts: Mapping[str, Any], names: list[tuple[str, str]]) -> dict[str, str]:
    return {f"{part}/{name}": facts[part].get(name, "") for part, name in names}
