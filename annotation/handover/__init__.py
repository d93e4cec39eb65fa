"""DOOR of analytics: locked readings as plain rows, outcomes once unblinded, and `verify`.

Analytics never meets a document, a user name or a pseudonym's origin: readers are R1, R2 ... and a case is its
pseudonym. Too early is refused: readings from “readings locked”, anything with an outcome only from “unblinded”.
"""

from __future__ import annotations

from annotation.dicom.roles import ROLE_TITLES
from annotation.handover.exhibits import Exhibit, exhibits
from annotation.handover.frozen import StillReading, Subject, about, protocol, subject
from annotation.handover.paces import Paced, Sat, paces, sittings
from annotation.handover.pictures import Picture, picture
from annotation.handover.readings import Row, clinical, fingerprint, gradings
from annotation.handover.record import Happened, Place, happened, key_of, orders
from annotation.handover.stated import Stated, stated
from annotation.handover.surroundings import (
    LeftOut,
    ParameterNamed,
    Scanned,
    assessed,
    left_out,
    scanning,
    scanning_groups,
    scanning_parameters,
)
from annotation.handover.verify import verify

__all__ = [
    "ROLE_TITLES",
    "Exhibit",
    "Happened",
    "LeftOut",
    "Paced",
    "ParameterNamed",
    "Picture",
    "Place",
    "Row",
    "Sat",
    "Scanned",
    "Stated",
    "StillReading",
    "Subject",
    "about",
    "assessed",
    "clinical",
    "exhibits",
    "fingerprint",
    "gradings",
    "happened",
    "key_of",
    "left_out",
    "orders",
    "paces",
    "picture",
    "protocol",
    "scanning",
    "scanning_groups",
    "scanning_parameters",
    "sittings",
    "stated",
    "subject",
    "verify",
]
