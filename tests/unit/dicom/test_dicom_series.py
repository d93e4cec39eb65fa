"""Roles are proposed from what the headers say, with hints as help, and with the order of a case for CT."""

from __future__ import annotations

from typing import Any

import pytest

from annotation.dicom import Taken, propose, propose_case, take
from annotation.dicom.vocabulary import TITLES
from tests.unit.dicom.dicom_files import KEY, ct, file_bytes, mr

AXIAL = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
CORONAL = {"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}
T1 = {"RepetitionTime": "600", "EchoTime": "10"}
STIR = {"ScanningSequence": ["SE", "IR"], "RepetitionTime": "4200", "EchoTime": "60", "InversionTime": "160"}


def mr_of(**changes: Any) -> Taken:
    return take(file_bytes(mr(**changes)), key=KEY)


def ct_series(slices: int, *, number: int = 1, time: str = "100000", **changes: Any) -> tuple[list[Any], list[str]]:
    found = [
        take(
            file_bytes(ct(
                AcquisitionTime=time, SeriesNumber=str(number), ImagePositionPatient=[-100, -100, n],
                SOPInstanceUID=f"1.2.3.{number}.{n + 1}", **changes,
            )),
            key=KEY,
        )
        for n in range(slices)
    ]  # fmt: skip
    return [one.header for one in found], [hint for one in found for hint in one.hints]


@pytest.mark.parametrize(
    ("changes", "role"),
    [
        ({}, "SAG_T2"),
        (T1, "SAG_T1"),
        (STIR, "SAG_STIR"),
        ({**STIR, "InversionTime": "220"}, "SAG_STIR"),
        ({**STIR, "ScanningSequence": "SE", "SeriesDescription": "t2_tirm_sag"}, "SAG_STIR"),
        ({"SeriesDescription": "T2 FS sag"}, "SAG_STIR"),
        ({**STIR, "InversionTime": "2200", "EchoTime": "120"}, "OTHER"),  # fluid suppressed
        (AXIAL, "AX_T2"),
        ({**AXIAL, **T1}, "AX_T1"),
        ({**AXIAL, **STIR}, "OTHER"),
        (CORONAL, "COR"),
        ({"RepetitionTime": "2300", "EchoTime": "20"}, "OTHER"),  # proton density
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "LOC"),
        ({"SeriesDescription": "Survey"}, "LOC"),
        ({"ScanningSequence": "GR", "RepetitionTime": "500", "EchoTime": "15", "ProtocolName": "T2* medic"}, "OTHER"),
        ({"ScanningSequence": "GR", "RepetitionTime": "6", "EchoTime": "2.5", "ProtocolName": "t1_vibe"}, "SAG_T1"),
        ({"RepetitionTime": None, "EchoTime": None, "SeriesDescription": "T2 TSE SAG"}, "SAG_T2"),
        ({"RepetitionTime": None, "EchoTime": None}, "OTHER"),
        ({"ImagePositionPatient": None}, "OTHER"),  # no geometry: taken, but no role
    ],
)
def test_mr_roles(changes: dict[str, Any], role: str) -> None:
    found = mr_of(**changes)
    proposal = propose([found.header], hints=found.hints)
    assert proposal.role == role
    assert proposal.phase is None
    assert proposal.reason


def test_a_series_in_three_planes_is_a_localiser() -> None:
    found = [mr_of(), mr_of(**AXIAL), mr_of(**CORONAL)]
    assert propose([one.header for one in found]).role == "LOC"


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("LWS nativ", "CT_PRE"),
        ("pre KM", "CT_PRE"),
        ("ohne Kontrastmittel", "CT_PRE"),
        ("L5/S1 nach KM", "CT_POST"),
        ("post contrast 1.0 B60s", "CT_POST"),
        ("Nadelkontrolle", "CT_NEEDLE"),
        ("needle position", "CT_NEEDLE"),
        ("i-Fluoro", "CT_NEEDLE"),
        ("Topogram lat", "CT_SCOUT"),
        ("posterior elements", "OTHER"),
        ("Premium", "OTHER"),
    ],
)
def test_ct_phase_from_the_name_of_the_series(name: str, role: str) -> None:
    headers, hints = ct_series(2, SeriesDescription=name)
    assert propose(headers, hints=hints).role == role


def test_hints_are_few_words_and_never_the_text() -> None:
    assert mr_of(SeriesDescription="T1 sag ohne Kontrastmittel, Frau Muster").hints == ("pre", "sagittal", "t1")
    assert mr_of(SeriesDescription="Muster, Vreni").hints == ()


def test_a_protocol_named_after_the_intervention_says_nothing_of_the_phase() -> None:
    headers, hints = ct_series(1, SeriesDescription="Spine 2.0", ProtocolName="CT guided infiltration")
    assert propose(headers, hints=hints).role == "OTHER"


def test_ct_by_contrast_agent_and_plane() -> None:
    headers, hints = ct_series(2, ContrastBolusAgent="Iopamidol")
    assert propose(headers, hints=hints).role == "CT_POST"
    headers, hints = ct_series(1, ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
    assert propose(headers, hints=hints).role == "CT_SCOUT"
    headers, hints = ct_series(5, ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
    assert propose(headers, hints=hints).role == "OTHER"


def test_order_of_a_case() -> None:
    case = [
        ct_series(12, number=9, time="103000"),  # last
        ct_series(3, number=4, time="101500"),
        ct_series(1, number=1, time="095500", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]),
        ct_series(14, number=2, time="100000"),  # first
        ct_series(2, number=5, time="102000"),
        ([mr_of().header], []),
    ]
    proposals = propose_case(case)
    assert [p.role for p in proposals] == ["CT_POST", "CT_NEEDLE", "CT_SCOUT", "CT_PRE", "CT_NEEDLE", "SAG_T2"]
    assert [p.phase for p in proposals] == ["post", "needle", None, "pre", "needle", None]


def test_hints_stand_above_the_order() -> None:
    case = [
        ct_series(12, number=2, time="100000", SeriesDescription="nach KM"),
        ct_series(12, number=3, time="101000"),
        ct_series(12, number=4, time="102000"),
    ]
    assert [p.role for p in propose_case(case)] == ["CT_POST", "OTHER", "OTHER"]
    assert [p.role for p in propose_case([ct_series(3)])] == ["CT_POST"]
    assert propose_case([]) == ()


def test_titles_are_generated_and_known_to_the_leak_scan() -> None:
    for found in (
        mr_of(),
        mr_of(**T1),
        mr_of(**AXIAL),
        mr_of(ImagePositionPatient=None),
        mr_of(SeriesDescription="Survey"),
    ):
        assert found.header["0008103E"]["Value"][0] in TITLES
    headers, _ = ct_series(1, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    assert headers[0]["0008103E"]["Value"] == ["CT scout"]


def test_no_header_is_an_error() -> None:
    with pytest.raises(ValueError, match="instance"):
        propose([])
