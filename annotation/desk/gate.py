"""The gate between desk and reading room: what a case must have, and until when its images may be changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from annotation import intake
from annotation.access import NotYours, WrongState, protocol_of, readable
from annotation.dicom.roles import ROLE_TITLES
from annotation.intake.gate import reopened as reopened  # the desk's acts take a release back by the same way
from annotation.models import Assignment, Case, Series, State, Study

DECISION, LOOK, LEVEL, SEARCH = "decision", "look", "level", "search"
IMPORT, SEARCH_FAILED = "import", "search_failed"


@dataclass(frozen=True)
class Gap:
    """Something a case lacks; the words stand before “missing”."""

    code: str
    words: str


class Gate:
    """What one study asks of a case, as conditions of the database: a list of cases is cut and counted by them."""

    def __init__(self, study: Study) -> None:
        self.study = study
        forms = protocol_of(study).forms
        self.start_roles = tuple(sorted({view.role for form in forms for view in form.layouts[0].views}))
        self._visible = {role for form in forms for role in form.roles}
        self._asked = dict(self._conditions())
        self.gaps = tuple(self._asked)

    def _conditions(self) -> Any:
        own = Series.objects.filter(case=OuterRef("pk"))
        shown = own.filter(readable())
        if protocol_of(self.study).index_levels:  # an instrument without levels (nothing of a spine) asks for none
            yield Gap(LEVEL, "index level"), Q(lysis_vertebra="")
        if self.images_needed:
            for role in self.start_roles:
                yield Gap(role, ROLE_TITLES.get(role, role)), ~Exists(shown.filter(role=role))
        yield (
            Gap(IMPORT, "the end of its import"),
            Exists(own.filter(excluded_reason="", parameters__has_key=intake.STALE)),
        )
        undecided = own.filter(excluded_reason="").exclude(held_reason="")
        yield Gap(DECISION, "a decision on its held series"), Exists(undecided)
        if intake.wanted(self.study):
            unread = shown.filter(role__in=self._visible)
            failed = Exists(unread.filter(intake.given_up()))
            yield Gap(SEARCH, "the search for burned-in text"), Exists(unread.filter(intake.unread_yet())) & ~failed
            yield Gap(SEARCH_FAILED, "a search for burned-in text that works (the operator sees to it)"), failed
        if self.look_needed:
            unseen = shown.filter(looked_at__isnull=True, role__in=self._visible)
            yield Gap(LOOK, "a look at its images"), Exists(unseen)

    @property
    def images_needed(self) -> bool:
        return bool(self.study.settings.get("images") != "none")

    @property
    def look_needed(self) -> bool:
        """Whether a person must have seen every picture; generated ones show nobody, and without images none is."""
        return self.images_needed and not self.study.settings.get("synthetic")

    def cases(self) -> QuerySet[Any]:
        """Give the study's cases by pseudonym, each with what it lacks and whether it lies in an order."""
        flags = {f"gap_{gap.code}": asked for gap, asked in self._asked.items()}
        return (
            Case.objects.select_related("patient", "patient__exclusion")
            .filter(patient__study=self.study)
            .annotate(placed=Exists(Assignment.objects.filter(case=OuterRef("pk"))), **flags)
            .order_by("patient__pseudonym")
        )

    def lacking(self, case: Any) -> tuple[Gap, ...]:
        """Give what a case of `cases` lacks."""
        return tuple(gap for gap in self.gaps if getattr(case, f"gap_{gap.code}"))

    def open_in(self, code: str) -> Q:
        return Q(**{f"gap_{code}": True}) if code in {gap.code for gap in self.gaps} else Q(pk__in=[])

    @property
    def complete(self) -> Q:
        return Q(**{f"gap_{gap.code}": False for gap in self.gaps})

    @property
    def to_be_looked_at(self) -> Q:
        """Cases that wait for the coordinator's eyes, or for nothing but the release."""
        return WAITING & (self.open_in(LOOK) | self.open_in(DECISION) | self.complete)


WAITING = Q(released_at__isnull=True, patient__exclusion__isnull=True, placed=False)


def study_held(study: Study) -> Study:
    """Hold the study's row: nobody draws an order while a case is being changed."""
    return Study.objects.select_for_update().get(pk=study.pk)


def case_of(study: Study, case_id: int) -> Case:
    case = Case.objects.select_related("patient").filter(pk=case_id, patient__study=study).first()
    if case is None:
        raise NotYours
    return case


def series_of(study: Study, series_id: int) -> Series:
    one = Series.objects.select_related("case__patient").filter(pk=series_id, case__patient__study=study).first()
    if one is None:
        raise NotYours
    return one


def fixed(study: Study, case: Case) -> str:
    """Say why the images of a case stay as they are; empty while they may be changed."""
    if Assignment.objects.filter(case=case).exists():
        return f"{case} is being read; its series stay as they are."
    if study.has_reached(State.READINGS_LOCKED):
        return f"The readings of study {study.code} are locked; its series stay as they are."
    return ""


def movable(study: Study, case: Case) -> None:
    """Refuse a change of a case that lies in a reader's order; inside a transaction that holds the study."""
    if sentence := fixed(study, case):
        raise WrongState(sentence)
