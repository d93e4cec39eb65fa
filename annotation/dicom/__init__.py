"""DICOM files, pure: from bytes to de-identified headers, stored frames and geometry.

`take` is the one deep call; the modules beside it say what they are for. Nothing here knows Django, a database or a
study.
"""

from __future__ import annotations

from annotation.dicom.geometry import Plane, Slip
from annotation.dicom.identity import SourceFacts
from annotation.dicom.keyed import patient_key
from annotation.dicom.leak import leaks
from annotation.dicom.metadata import frame_metadata
from annotation.dicom.part10 import part10
from annotation.dicom.prescan import Limits, prescan
from annotation.dicom.refusal import Quarantined, Refused
from annotation.dicom.series import Proposal, propose, propose_case
from annotation.dicom.take import Taken, TakeRules, take

__all__ = [
    "Limits",
    "Plane",
    "Proposal",
    "Quarantined",
    "Refused",
    "Slip",
    "SourceFacts",
    "TakeRules",
    "Taken",
    "frame_metadata",
    "leaks",
    "part10",
    "patient_key",
    "prescan",
    "propose",
    "propose_case",
    "take",
]
