"""De-identified series; the pixels lie in the store under their digests."""

from __future__ import annotations

from django.db import models

from annotation.models.cohort import Case


class Series(models.Model):
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="series")
    series_uid = models.CharField(max_length=64)
    modality = models.CharField(max_length=4)
    role = models.CharField(max_length=12)
    role_reason = models.CharField(max_length=200, blank=True)
    phase = models.CharField(max_length=12, blank=True)
    title = models.CharField(max_length=80, blank=True)
    parameters = models.JSONField(default=dict, blank=True)
    frame_count = models.PositiveIntegerField(default=0)
    held_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name_plural = "series"
        constraints = [models.UniqueConstraint(fields=["case", "series_uid"], name="series_once_a_case")]

    def __str__(self) -> str:
        return f"{self.case_id}: {self.role}"


class Instance(models.Model):
    """One received image file after de-identification.

    `header` is the DICOM JSON of the new data set without pixels; `frames` lists, in stored order,
    the digest and the plane of each frame (a multi-frame file has many).
    """

    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="instances")
    number = models.IntegerField(default=0)
    sop_uid = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    header = models.JSONField()
    frames = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["series", "sop_uid"], name="instance_once_a_series")]
        indexes = [models.Index(fields=["sop_uid"])]

    def __str__(self) -> str:
        return self.sop_uid
