"""Who reads what in which order, and every version of every answer sheet.

A reading is a whole document, saved by adding a revision; a lock points at one revision and is final.
The rules of this page are told a second time to the database by triggers (migration 0002).
"""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models

from annotation.models.append_only import AppendOnly
from annotation.models.cohort import Case
from annotation.models.study import Study


class LockedReadingError(TypeError):
    """Somebody tried to change a reading that is locked."""


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def update(self, **values: Any) -> int:
        if self.filter(locked_revision__isnull=False).exists():
            raise LockedReadingError("At least one of these readings is locked; a lock is final.")
        return super().update(**values)

    def delete(self) -> tuple[int, dict[str, int]]:
        raise LockedReadingError("A reading is never deleted.")


class Assignment(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="assignments")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="assignments")
    form = models.CharField(max_length=20)
    round = models.CharField(max_length=20, default="main")
    occasion = models.PositiveIntegerField(default=1)
    position = models.PositiveIntegerField()
    alias = models.CharField(max_length=20)
    supersedes = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    opened_at = models.DateTimeField(null=True, blank=True)
    set_aside_at = models.DateTimeField(null=True, blank=True)
    set_aside_reason = models.CharField(max_length=200, blank=True)
    locked_revision = models.ForeignKey("Revision", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    locked_at = models.DateTimeField(null=True, blank=True)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reader", "case", "form", "round", "occasion"], name="one_reading_a_case_form_round_occasion"
            ),
            models.UniqueConstraint(
                fields=["study", "reader", "form", "round", "position"], name="one_case_a_position"
            ),
        ]

    def __str__(self) -> str:
        return self.alias

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding and Assignment.objects.filter(pk=self.pk, locked_revision__isnull=False).exists():
            raise LockedReadingError("This reading is locked; a lock is final.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise LockedReadingError("A reading is never deleted.")


class Sitting(models.Model):
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    form = models.CharField(max_length=20)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField()
    active_s = models.FloatField(default=0)
    # What the reader said of screen and room at its first case; empty where the study does not ask.
    display = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return f"{self.form} {self.opened_at:%Y-%m-%d %H:%M}"


class Preference(models.Model):
    """How one person likes the room; no study's business, and no part of any reading."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+")
    choices = models.JSONField(default=dict, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"preferences of {self.user_id}"


class Revision(AppendOnly):
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    answers = models.JSONField()
    evidence = models.JSONField(default=dict)
    remarks = models.JSONField(default=list)
    kept = models.JSONField(default=list)
    sitting = models.ForeignKey(Sitting, on_delete=models.PROTECT, null=True, related_name="+")
    saved_at = models.DateTimeField()
    previous_digest = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["assignment", "number"], name="one_revision_a_number")]

    def __str__(self) -> str:
        return f"{self.assignment_id} #{self.number}"


class Moment(AppendOnly):
    """Something that happened while a reading was open in a browser: its time log, in the server's time.

    A `visit` is one page on which the reading was open; numbers count within it, so what is sent twice is kept once.
    No reader ever gets one back.
    """

    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="moments")
    visit = models.UUIDField()
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=12)
    cell = models.CharField(max_length=60, blank=True)
    at = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["assignment", "visit", "number"], name="one_moment_a_number_and_visit")
        ]

    def __str__(self) -> str:
        return f"{self.assignment_id} {self.kind} {self.at:%Y-%m-%d %H:%M:%S}"
