"""The facts of a study that no data set holds and its paper has to state: what is asked for them, and what is refused.

They are entered at the desk and printed in the report, each under its code. None of them is about a patient.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["FACTS", "FactField", "fact_faults", "printable"]

MOST = 2000
MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
ADDRESS = re.compile(r"\S@\S")
# The report marks the origin of its numbers with the private ones; Word and Excel files cannot hold the others.
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ue000-\uf8ff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class FactField:
    """One fact: its code, what it is called, what helps to state it, its part of the page, and how it is typed."""

    code: str
    label: str
    help: str
    part: str
    kind: str = "text"


SETTING, PATIENTS, CARE, READING, REPORTING = (
    "Setting and permission",
    "Patients",
    "Treatment and imaging",
    "Readers",
    "Reporting",
)
FACTS: tuple[FactField, ...] = (
    FactField("design", "Design", "Such as: retrospective, single-centre reader study.", SETTING, "line"),
    FactField("centre", "Centre", "Name, town and country of every centre.", SETTING, "line"),
    FactField("period_begin", "First injection", "Year and month, such as 2015-07.", SETTING, "month"),
    FactField("period_end", "Last injection", "Year and month, such as 2024-07.", SETTING, "month"),
    FactField("ethics_committee", "Ethics committee", "As the committee calls itself.", SETTING, "line"),
    FactField("ethics_number", "Ethics number", "The number of the approval or of the waiver.", SETTING, "line"),
    FactField("consent", "Consent", "How patients agreed, or why no consent was needed.", SETTING),
    FactField("registration", "Registration", "Register and number, or that there is none.", SETTING, "line"),
    FactField("inclusion", "Inclusion criteria", "One sentence; exclusions are counted by the program.", PATIENTS),
    FactField("recruitment", "How patients were found", "Such as: consecutive patients from the records.", PATIENTS),
    FactField("follow_up", "How pain was asked", "Who asked, when, in person or by telephone.", PATIENTS),
    FactField("sample_size", "Reasoning for the number of patients", "A calculation, or why all were taken.", PATIENTS),
    FactField("intervention", "Injection", "Needle, drugs with doses, volumes, and order.", CARE),
    FactField("operators", "Who gave the injections", "By training and years, without names.", CARE, "line"),
    FactField("mri_scanners", "MRI scanners", "Makers and models; field strengths come from the headers.", CARE),
    FactField("ct_scanners", "CT scanners", "Makers, models and rows.", CARE),
    FactField("training", "Study-specific training of the readers", "What it was, or that there was none.", READING),
    FactField("clinical_blind", "What the readers knew", "Anything known to them beside the images.", READING),
    FactField("protocol_access", "Where protocol and plan can be read", "An address or a register.", REPORTING, "line"),
    FactField(
        "involvement", "Patient involvement", "How patients or the public took part, or that none did.", REPORTING
    ),
    FactField("funding", "Funding", "Source and role of the funder, or that there was none.", REPORTING),
    FactField("interests", "Conflicts of interest", "Of the authors, or that there are none.", REPORTING),
    FactField("data_access", "Where the data can be had", "An address, or under which conditions.", REPORTING, "line"),
)


def fact_faults(told: Mapping[str, str]) -> dict[str, str]:
    """Say what cannot be taken, one sentence a field.

    Parameters
    ----------
    told : mapping of str to str
        By the field's code; an empty text takes a fact back.
    """
    known = {one.code: one for one in FACTS}
    faults = {code: sentence for code, text in told.items() if (sentence := _fault(known.get(code), text))}
    begin, end = told.get("period_begin", ""), told.get("period_end", "")
    if begin and end and not faults.keys() & {"period_begin", "period_end"} and end < begin:
        faults["period_end"] = "The last injection lies before the first."
    if told.get("ethics_number", "").strip() and not told.get("ethics_committee", "").strip():
        faults.setdefault("ethics_committee", "Name the committee that gave the number.")
    return faults


def printable(text: str) -> bool:
    """Say whether every document of a report can hold a text that a person wrote."""
    return UNPRINTABLE.search(text) is None


def _fault(field: FactField | None, text: str) -> str:
    if len(text) > MOST:
        return f"This is longer than {MOST} characters."
    if not printable(text):
        return "This holds a character that cannot be printed."
    if ADDRESS.search(text):
        return "Leave out e-mail addresses; the report is passed on."
    if field is not None and field.kind == "month" and text.strip() and not MONTH.fullmatch(text.strip()):
        return "Write year and month, such as 2015-07."
    return ""
