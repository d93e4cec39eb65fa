"""What was done, by whom, when and why: a chain of rows, each sealed with the one before."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from annotation.models.append_only import AppendOnly
from annotation.models.study import Study


class Event(AppendOnly):
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="events")
    number = models.PositiveIntegerField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    role = models.CharField(max_length=20, blank=True)
    verb = models.CharField(max_length=40)
    subject = models.CharField(max_length=120, blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()
    previous_digest = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="one_event_a_number")]

    def __str__(self) -> str:
        return f"{self.study_id} #{self.number} {self.verb}"
