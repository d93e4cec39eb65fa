"""A run: which rows, which plan, which versions, what came out. Of a study, or of tables that somebody handed in."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models


class Run(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey("annotation.Study", on_delete=models.PROTECT, related_name="+")
    layer = models.CharField(max_length=20)
    plan = models.CharField(max_length=40)
    plan_digest = models.CharField(max_length=64)
    rows_digest = models.CharField(max_length=64)
    seed = models.BigIntegerField(default=0)
    versions = models.JSONField(default=dict)
    # The program is part of what a run is: another version may compute other numbers.
    program = models.CharField(max_length=40, default="")
    # What went in, by short digests, so that two runs can say which readings and values differ.
    basis = models.JSONField(default=dict)
    results = models.JSONField(null=True)
    # Names in the store: every file of the run as one archive, and the body of its page.
    archive = models.CharField(max_length=200, default="")
    page = models.CharField(max_length=200, default="")
    job = models.ForeignKey("annotation.Job", on_delete=models.PROTECT, null=True, related_name="+")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["study", "layer", "plan_digest", "rows_digest", "seed", "program"],
                name="asked_twice_computed_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.study_id} {self.plan} {self.created_at:%Y-%m-%d}"


class TableRun(models.Model):
    """An analysis of two plain tables: of no study, and seen by nobody but the person who handed them in."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    # Name in the store and digest of each table, of the columns that an analysis knows and no others.
    tables = models.JSONField(default=dict)
    digests = models.JSONField(default=dict)
    cases = models.PositiveIntegerField(default=0)
    plan = models.CharField(max_length=40)
    bootstrap = models.PositiveIntegerField(default=0)
    seed = models.BigIntegerField(default=0)
    versions = models.JSONField(default=dict)
    results = models.JSONField(null=True)
    archive = models.CharField(max_length=200, default="")
    page = models.CharField(max_length=200, default="")
    job = models.ForeignKey("annotation.Job", on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"tables {self.plan} {self.created_at:%Y-%m-%d}"
