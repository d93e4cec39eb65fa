"""Received files -> spool -> sorted -> de-identified -> store -> series -> case; says why it refuses.

One intake for every way in: `begin` a delivery, bring files (`announce` and `append`, `receive`, `place`), `seal` it.
Nothing of a file's name, a source UID or a value of a patient is stored or logged: a refused file is known by its
number in the delivery. `take_in` does the same with local paths in one call.
"""

from __future__ import annotations

from annotation.intake.batch import take_in
from annotation.intake.cards import DeliveryCard, ProblemGroup, card, cards, problems
from annotation.intake.clinical import ClinicalError, ClinicalLog
from annotation.intake.deliveries import (
    UNDER_WAY,
    Announced,
    NotReceiving,
    WrongOffset,
    announce,
    append,
    begin,
    cancel,
    forget_incomplete,
    place,
    place_all,
    receive,
    recover_placed,
    seal,
    study_of,
)
from annotation.intake.describe import READ, STALE
from annotation.intake.log import Log, Problem, Progress
from annotation.intake.spool import NoSpace, TooLarge, Unwritable
from annotation.intake.work import resume, sort_job, study_job, sweep
from annotation.intake.written import given_up, text_job, unread_yet, wanted
from annotation.models import Way

__all__ = [
    "READ",
    "STALE",
    "UNDER_WAY",
    "Announced",
    "ClinicalError",
    "ClinicalLog",
    "DeliveryCard",
    "Log",
    "NoSpace",
    "NotReceiving",
    "Problem",
    "ProblemGroup",
    "Progress",
    "TooLarge",
    "Unwritable",
    "Way",
    "WrongOffset",
    "announce",
    "append",
    "begin",
    "cancel",
    "card",
    "cards",
    "forget_incomplete",
    "given_up",
    "place",
    "place_all",
    "problems",
    "receive",
    "recover_placed",
    "resume",
    "seal",
    "sort_job",
    "study_job",
    "study_of",
    "sweep",
    "take_in",
    "text_job",
    "unread_yet",
    "wanted",
]
