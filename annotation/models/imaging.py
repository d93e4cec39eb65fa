"""De-identified series; the pixels lie in the store under their digests."""

from __future__ import annotations

from django.db import models

from annotation.models.cohort import Case


class Series(models.Model):
    """The images of one series.

    `held_reason` says why no reader may see it before the coordinator has decided; `excluded_reason` that none ever
    will; `looked_at` when the coordinator has gone through its contact sheet; `masks` which rectangles are blanked.
    """

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
    excluded_reason = models.CharField(max_length=200, blank=True)
    looked_at = models.DateTimeField(null=True, blank=True)
    masks = models.JSONField(default=list, blank=True)

    class Meta:
        verbose_name_plural = "series"
        constraints = [models.UniqueConstraint(fields=["case", "series_uid"], name="series_once_a_case")]

    def __str__(self) -> str:
        return f"{self.case_id}: {self.role}"


class Instance(models.Model):
    """One received image file after de-identification.

    `header` is the DICOM JSON of the new data set without pixels; `frames` lists, in stored order,
    the digest and the plane of each frame (a multi-frame file has many). `digest` seals what is stored now,
    `taken_digest` what was taken in, before any mask; `source_mark` is a keyed hash of the received bytes, by which
    the same file is known again without being read.
    """

    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="instances")
    number = models.IntegerField(default=0)
    sop_uid = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    taken_digest = models.CharField(max_length=64, blank=True)
    source_mark = models.CharField(max_length=64, blank=True)
    suspicion = models.CharField(max_length=20, blank=True)
    header = models.JSONField()
    frames = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["series", "sop_uid"], name="instance_once_a_series")]
        indexes = [models.Index(fields=["sop_uid"]), models.Index(fields=["source_mark"])]

    def __str__(self) -> str:
        return self.sop_uid
