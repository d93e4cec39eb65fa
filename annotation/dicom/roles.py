"""The roles a series can have in a case, in the words that people read."""

from __future__ import annotations

ROLE_TITLES = {
    "SAG_T2": "Sagittal T2",
    "SAG_T1": "Sagittal T1",
    "SAG_STIR": "Sagittal STIR",
    "AX_T2": "Axial T2",
    "AX_T1": "Axial T1",
    "COR": "Coronal",
    "LOC": "Localiser",
    "CT_PRE": "CT before contrast",
    "CT_POST": "CT after contrast",
    "CT_NEEDLE": "CT needle control",
    "CT_SCOUT": "CT scout",
    "OTHER": "Other",
}
# On which of them vertebrae are labelled: the first that a case has.
LABEL_ROLES = ("SAG_T2", "SAG_T1", "SAG_STIR")
