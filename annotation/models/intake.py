"""What was received: deliveries and their files, known by number alone. No name, no path, no source UID."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from annotation.models.study import Study


class Way(models.TextChoices):
    """How a delivery came in."""

    UPLOAD = "upload", "Upload"
    COMMAND = "command", "Command line"
    INBOX = "inbox", "Inbox folder"
    RECEIVER = "receiver", "DICOM receiver"


class DeliveryState(models.TextChoices):
    RECEIVING = "receiving", "Receiving"
    SORTING = "sorting", "Sorting"
    TAKING = "taking", "Taking in"
    DONE = "done", "Done"
    CANCELLED = "cancelled", "Cancelled"


class ArrivalState(models.TextChoices):
    """What is with one file; from `imported` on it is settled."""

    AWAITED = "awaited", "Announced, not all here"
    HERE = "here", "In the spool"
    SORTED = "sorted", "Structure checked, waiting for its study's job"
    IMPORTED = "imported", "Imported"
    DUPLICATE = "duplicate", "Known already"
    REFUSED = "refused", "Refused"
    QUARANTINED = "quarantined", "In quarantine"
    OPENED = "opened", "Archive, its members are files of their own"


def way_choices() -> list[tuple[str, str]]:
    return list(Way.choices)


def delivery_choices() -> list[tuple[str, str]]:
    return list(DeliveryState.choices)


def arrival_choices() -> list[tuple[str, str]]:
    return list(ArrivalState.choices)


class Delivery(models.Model):
    """One batch of files on its way into a study; its bytes lie in the spool until they are taken in."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="deliveries")
    way = models.CharField(max_length=12, choices=way_choices)
    state = models.CharField(max_length=12, choices=delivery_choices, default=DeliveryState.RECEIVING)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    result = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    touched_at = models.DateTimeField(auto_now_add=True)
    sealed_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [models.Index(fields=["study", "created_at"])]

    def __str__(self) -> str:
        return f"{self.study_id}: {self.way}"


class Arrival(models.Model):
    """One file of a delivery. Settled without a fault it is deleted again; refusals stay as the log.

    By `fingerprint`, a keyed hash of what its sender says of it, an interrupted upload finds it again; `mark` is a
    keyed hash of its bytes (`Instance.source_mark`), `group` one of the DICOM study it says it belongs to.
    """

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="arrivals")
    number = models.PositiveIntegerField()
    fingerprint = models.CharField(max_length=64, blank=True)
    mark = models.CharField(max_length=64, blank=True)
    size = models.BigIntegerField(default=0)
    received = models.BigIntegerField(default=0)
    state = models.CharField(max_length=12, choices=arrival_choices, default=ArrivalState.AWAITED)
    group = models.CharField(max_length=64, blank=True)
    reason_code = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["delivery", "number"], name="arrival_number_once_a_delivery")]
        indexes = [
            models.Index(fields=["delivery", "state", "group"]),
            models.Index(fields=["delivery", "fingerprint"]),
        ]

    def __str__(self) -> str:
        return f"file {self.number:06d}"
