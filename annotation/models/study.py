"""A study, the instrument it has fixed, and who is who in it."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Role(models.TextChoices):
    COORDINATOR = "coordinator", "Coordinator"
    READER = "reader", "Reader"
    ADJUDICATOR = "adjudicator", "Adjudicator"
    OUTCOME_ENTRY = "outcome_entry", "Outcome entry"
    ANALYST = "analyst", "Analyst"


class State(models.TextChoices):
    DRAFT = "draft", "Draft"
    FROZEN = "frozen", "Protocol frozen"
    READING = "reading", "Reading"
    READINGS_LOCKED = "readings_locked", "Readings locked"
    ADJUDICATION = "adjudication", "Adjudication"
    CLOSED = "closed", "Closed"
    UNBLINDED = "unblinded", "Unblinded"


ORDER_OF_STATES = tuple(State)


def role_choices() -> list[tuple[str, str]]:
    """Give the roles by a callable, so that a new one is no migration."""
    return list(Role.choices)


def state_choices() -> list[tuple[str, str]]:
    return list(State.choices)


class Study(models.Model):
    """A study. `columns` maps the clinical table's column names, as the coordinator confirmed them, to ours."""

    code = models.SlugField(max_length=40, unique=True)
    title = models.CharField(max_length=200)
    protocol_code = models.SlugField(max_length=40)
    protocol_version = models.PositiveIntegerField()
    protocol_digest = models.CharField(max_length=64)
    plan = models.CharField(max_length=40, default="full")
    plan_digest = models.CharField(max_length=64, blank=True)
    settings = models.JSONField(default=dict, blank=True)
    columns = models.JSONField(default=dict, blank=True)
    seed = models.BigIntegerField()
    state = models.CharField(max_length=20, choices=state_choices, default=State.DRAFT)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.code

    def has_reached(self, state: State) -> bool:
        return ORDER_OF_STATES.index(State(self.state)) >= ORDER_OF_STATES.index(state)


class Membership(models.Model):
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=20, choices=role_choices)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "user"], name="one_role_a_person_and_study")]

    def __str__(self) -> str:
        return f"{self.study_id}: {self.role}"
