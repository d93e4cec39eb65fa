"""The tables. Nouns and constraints only; what may be done with them stands in the doors."""

from __future__ import annotations

from annotation.models.cohort import Case, ClinicalValue, Exclusion, Patient
from annotation.models.imaging import Instance, Series
from annotation.models.intake import Arrival, ArrivalState, Delivery, DeliveryState, Way
from annotation.models.job import Job
from annotation.models.reading import Assignment, Moment, Preference, Revision, Sitting
from annotation.models.study import Membership, Role, State, Study
from annotation.models.trail import Event

__all__ = [
    "Arrival",
    "ArrivalState",
    "Assignment",
    "Case",
    "ClinicalValue",
    "Delivery",
    "DeliveryState",
    "Event",
    "Exclusion",
    "Instance",
    "Job",
    "Membership",
    "Moment",
    "Patient",
    "Preference",
    "Revision",
    "Role",
    "Series",
    "Sitting",
    "State",
    "Study",
    "Way",
]
