"""Patients without names, their cases, and the clinical values that no reader sees."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from annotation.models.append_only import AppendOnly
from annotation.models.study import Study


class Patient(models.Model):
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="patients")
    pseudonym = models.CharField(max_length=20)
    identifier_hash = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "pseudonym"], name="pseudonym_once_a_study"),
            models.UniqueConstraint(fields=["study", "identifier_hash"], name="person_once_a_study"),
        ]

    def __str__(self) -> str:
        return self.pseudonym


class Case(models.Model):
    """One patient's image set; one injection session.

    `labels` are the vertebra labels the coordinator has set: ``{"points": {"L5": [x, y, z], ...}, "space": uid}``,
    in mm of the frame of reference they were set in.
    """

    patient = models.OneToOneField(Patient, on_delete=models.PROTECT, related_name="case")
    lysis_vertebra = models.CharField(max_length=4, blank=True)
    labels = models.JSONField(default=dict, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.patient.pseudonym


class Exclusion(models.Model):
    patient = models.OneToOneField(Patient, on_delete=models.PROTECT, related_name="exclusion")
    reason = models.CharField(max_length=1)
    note = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.patient_id}: {self.reason}"


class ClinicalValue(AppendOnly):
    """One value of the clinical table; a correction is a further row, the newest counts."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="clinical_values")
    name = models.CharField(max_length=40)
    timepoint = models.CharField(max_length=20, blank=True)
    value = models.CharField(max_length=80, blank=True)
    number = models.FloatField(null=True, blank=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    recorded_at = models.DateTimeField(auto_now_add=True)
    # NULL for "none given": a column with a default would make SQLite rebuild the table and lose its triggers.
    reason = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001  triggers would be lost, see above

    class Meta:
        indexes = [models.Index(fields=["patient", "name", "timepoint"])]

    def __str__(self) -> str:
        return f"{self.patient_id}: {self.name}"
