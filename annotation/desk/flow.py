"""How many patients came in, were left out and why, and how far the others are: counts, and the flow chart's layout."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count, Q

from annotation.access import protocol_of, readable, study_for
from annotation.models import Assignment, Case, Exclusion, Patient, Role, Series, Study
from annotation.people import Person
from annotation.protocol import Protocol


@dataclass(frozen=True)
class Fall:
    """Patients who do not reach the next stage, under one reason."""

    code: str
    text: str
    n: int


@dataclass(frozen=True)
class Stage:
    """Patients who got as far as here, and those who went no further."""

    code: str
    title: str
    n: int
    fallen: str
    falls: tuple[Fall, ...]

    @property
    def lost(self) -> int:
        return sum(fall.n for fall in self.falls)


@dataclass(frozen=True)
class Flow:
    stages: tuple[Stage, ...]

    @property
    def sentence(self) -> str:
        """The whole chart in words, for whoever does not see it."""
        return "; ".join(
            f"{_inside(stage.title)}: {stage.n}" + (f", {_inside(stage.fallen)}: {stage.lost}" if stage.lost else "")
            for stage in self.stages
        )

    def rows(self) -> list[dict[str, Any]]:
        """One row a count, as the table and the file have them."""
        out: list[dict[str, Any]] = []
        for stage in self.stages:
            out.append({"stage": stage.code, "criterion": "", "what": stage.title, "n": stage.n})
            if stage.lost:
                out.append({"stage": stage.code, "criterion": "", "what": stage.fallen, "n": stage.lost})
            for fall in stage.falls if stage.lost else ():
                out.append({"stage": stage.code, "criterion": fall.code, "what": fall.text, "n": fall.n})
        return out


def patient_flow(person: Person, code: str) -> Flow:
    """Count the study's patients stage by stage; each stage's loss and the next stage add up to it.

    A case that is released counts as complete, and one that is read as released: what was done stands, whatever was
    taken from the case since.
    """
    study = study_for(person, code, Role.COORDINATOR)
    protocol = protocol_of(study)
    reasons = Counter(Exclusion.objects.filter(patient__study=study).values_list("reason", flat=True))
    eligible = Patient.objects.filter(study=study).count()
    included = eligible - sum(reasons.values())
    lacking, waiting, unread, read = _further(study, protocol)
    released = sum(unread.values()) + read
    stages = [Stage("eligible", "Assessed for eligibility", eligible, "Excluded", _excluded(protocol, reasons))]
    ready = Stage("included", "Included", included, "Not released", _falls({"Wait for release": waiting}))
    if study.settings.get("images") != "none":
        stages.append(Stage("included", "Included", included, "Images incomplete", _falls(lacking)))
        ready = replace(ready, code="complete", title=_complete_title(protocol), n=released + waiting)
    stages.append(ready)
    stages.append(Stage("released", "Released to the readers", released, "Not read to the end", _falls(unread)))
    stages.append(Stage("read", "Read by every reader", read, "", ()))
    return Flow(tuple(stages))


def _complete_title(protocol: Protocol) -> str:
    named = " and ".join(dict.fromkeys(_modality(form.modality) for form in protocol.forms))
    return f"{named} complete"


def _inside(words: str) -> str:
    """Write a title as it stands inside a sentence; CT and MRI stay capitals."""
    return words if words[:2].isupper() else words[:1].lower() + words[1:]


def _modality(modality: str) -> str:
    return {"MR": "MRI"}.get(modality, modality)


def _falls(counted: dict[str, int]) -> tuple[Fall, ...]:
    return tuple(Fall("", text, n) for text, n in counted.items() if n)


def _excluded(protocol: Protocol, reasons: Counter[str]) -> tuple[Fall, ...]:
    known = tuple(Fall(one.code, one.text, reasons.get(one.code, 0)) for one in protocol.exclusions)
    other = sum(reasons.values()) - sum(fall.n for fall in known)
    return (*known, Fall("", "Reason unknown to the protocol", other)) if other else known


def _further(study: Study, protocol: Protocol) -> tuple[dict[str, int], int, dict[str, int], int]:
    """Say of the included: what images they lack, who waits for release, who is unread and why, how many are read."""
    kept = Case.objects.filter(patient__study=study, patient__exclusion__isnull=True)
    released_at = dict(kept.values_list("pk", "released_at"))
    missing = _missing(study, protocol)
    placed = {
        row["case"]: (row["n"], row["unlocked"])
        for row in Assignment.objects.filter(study=study)
        .values("case")
        .annotate(n=Count("id"), unlocked=Count("id", filter=Q(locked_revision__isnull=True)))
    }
    lacking: Counter[str] = Counter()
    unread: Counter[str] = Counter()
    waiting = read = 0
    for pk, released in released_at.items():
        number, unlocked = placed.get(pk, (0, 0))
        if number and not unlocked:
            read += 1
        elif released is not None or number:
            unread["Reading begun or to come" if number else "Reading has not begun"] += 1
        elif gap := missing(pk):
            lacking[gap] += 1
        else:
            waiting += 1
    caseless = Patient.objects.filter(study=study, exclusion__isnull=True, case__isnull=True).count()
    if caseless:
        lacking["No case"] += caseless
    return dict(sorted(lacking.items())), waiting, dict(unread), read


def _missing(study: Study, protocol: Protocol) -> Any:
    """Give a function from a case to the modalities whose start layout it cannot fill, in words."""
    if study.settings.get("images") == "none":
        return lambda pk: ""
    wanted: dict[str, set[str]] = {}
    for form in protocol.forms:
        wanted.setdefault(_modality(form.modality), set()).update(view.role for view in form.layouts[0].views)
    there: dict[int, set[str]] = {}
    shown = Series.objects.filter(readable(), case__patient__study=study)
    for pk, role in shown.values_list("case", "role").distinct():
        there.setdefault(pk, set()).add(role)

    def gap(pk: int) -> str:
        lacking = [name for name, roles in wanted.items() if not roles <= there.get(pk, set())]
        if not lacking:
            return ""
        none = not there.get(pk)
        return "No images" if none else f"{' and '.join(lacking)} incomplete"

    return gap
