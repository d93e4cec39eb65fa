"""Nothing that names the patient comes through; what a reading needs does, and consistently."""

from __future__ import annotations

import io
import json
from datetime import date
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from annotation.dicom import Quarantined, Refused, Taken, TakeRules, keyed, leaks, part10, patient_key, take
from annotation.dicom.codec import decode_stored
from annotation.dicom.vocabulary import WRITTEN
from tests.unit.dicom.dicom_files import (
    CT,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    KEY,
    ct,
    enhanced_mr,
    file_bytes,
    item,
    mr,
    picture,
    put_pixels,
    put_raw,
    sequence,
)

PLANT = "Zephyrinus"
NUMBER = "83746152"


def taken(dataset: Dataset, syntax: str = EXPLICIT, **rules: Any) -> Taken:
    return take(file_bytes(dataset, syntax), key=KEY, rules=TakeRules(**rules))


def everything(found: Taken) -> bytes:
    """All bytes that leave for the image store, as they would be written, and as a DICOM file."""
    return json.dumps(found.header).encode() + b"".join(found.frames) + part10(found.header, found.frames)


def first(found: Taken, keyword: str) -> Any:
    values = found.header.get(f"{Tag(keyword):08X}", {}).get("Value", [None])
    return values[0]


@pytest.mark.parametrize(
    "keyword",
    ["AcquisitionNumber", "SeriesNumber", "InstanceNumber", "EchoNumbers", "TemporalPositionIdentifier",
     "RepetitionTime", "EchoTrainLength", "SliceLocation", "PatientID", "StudyID"],
)  # fmt: skip
def test_record_numbers_never_come_out(keyword: str) -> None:
    dataset = mr(PatientID=NUMBER)
    setattr(dataset, keyword, NUMBER)
    found = taken(dataset)
    assert NUMBER.encode() not in everything(found)
    kernel = taken(ct(PatientID="B30s"))  # fits the pattern of kernels, and is the patient's number
    assert first(kernel, "ConvolutionKernel") is None
    short = mr(PatientID="65432", AcquisitionNumber="65432", AcquisitionTime="065432")
    found = taken(short)
    assert first(found, "AcquisitionNumber") is None
    assert leaks(found.header, ["65432"]) == []


def test_file_meta_preamble_and_tail_are_left_behind() -> None:
    data = file_bytes(mr(), preamble=PLANT.encode().ljust(128, b"!")) + PLANT.encode() * 50
    found = take(data, key=KEY)
    assert PLANT.encode() not in everything(found)
    written = part10(found.header, found.frames)
    assert written[:132] == b"\0" * 128 + b"DICM"
    assert b"SENDER_AE" not in written
    meta = pydicom.dcmread(io.BytesIO(written)).file_meta
    assert meta.MediaStorageSOPInstanceUID == found.facts.sop_uid
    assert "SourceApplicationEntityTitle" not in meta


def test_old_overlay_bits_in_the_pixels_are_cleared() -> None:
    array = np.asarray(picture() | 0x8000)  # an overlay plane in bit 15
    dataset = put_pixels(mr(), array)
    with pytest.raises(Refused, match="bits"):  # every pixel: the header must be wrong
        taken(dataset)
    planted = picture()
    planted[3:9, 5:25] |= 0xF000
    found = taken(put_pixels(mr(), planted))
    assert np.array_equal(decode_stored(found.frames[0]), picture())


def test_names_in_other_character_sets_are_tokens_and_do_not_come_out() -> None:
    dataset = mr(SpecificCharacterSet="ISO_IR 100", PatientName="Düsentrieb^Göran", OperatorsName="Ähnlich^Ö")
    found = taken(dataset)
    assert {"Düsentrieb", "Göran", "Ähnlich"} <= found.tokens
    for coding in ("utf-8", "latin-1"):
        assert "Düsentrieb".encode(coding) not in everything(found)


def test_each_word_in_the_header_is_one_of_ours() -> None:
    """Whatever the source says, text in the output is a listed word, a UID, a date, a time or a kernel."""
    for dataset in (mr(), ct(ContrastBolusAgent="Iopamidol 300")):
        found = taken(dataset)
        assert leaks(found.header, ["iopamidol", "muster"]) == []
        for element in found.header.values():
            if element["vr"] in ("CS", "LO", "SH", "PN", "ST", "LT", "UT"):
                assert all(value in WRITTEN or value == "B30s" for value in element.get("Value", []))


def test_scanning_parameters_are_kept() -> None:
    found = taken(mr())
    expected = {
        "RepetitionTime": 3500, "EchoTime": 100, "MagneticFieldStrength": 1.5, "ScanningSequence": "SE",
        "SliceThickness": 4, "BodyPartExamined": "LSPINE", "Manufacturer": "SIEMENS", "FlipAngle": 150,
        "SeriesNumber": 3, "InstanceNumber": 7, "WindowCenter": 600, "Rows": 32, "Columns": 40,
    }  # fmt: skip
    assert {keyword: first(found, keyword) for keyword in expected} == expected
    assert found.header["00280030"]["Value"] == [0.7, 0.6]
    assert found.header["00080008"]["Value"] == ["ORIGINAL", "PRIMARY", "M", "ND"]
    assert first(found, "SeriesDescription") == "MR sagittal T2"
    scan = taken(ct(ContrastBolusAgent="Iopamidol 300"))
    assert (first(scan, "ConvolutionKernel"), first(scan, "KVP")) == ("B30s", 120)
    assert first(scan, "ContrastBolusAgent") == "CONTRAST"
    assert first(taken(ct(ContrastBolusAgent="NONE")), "ContrastBolusAgent") is None


def test_header_says_what_was_done_and_nothing_of_the_person() -> None:
    found = taken(mr())
    assert first(found, "PatientIdentityRemoved") == "YES"
    assert first(found, "LongitudinalTemporalInformationModified") == "MODIFIED"
    codes = [code["00080100"]["Value"][0] for code in found.header["00120064"]["Value"]]
    assert codes == ["113100", "113107"]
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID"):
        assert "Value" not in found.header[f"{Tag(keyword):08X}"]
    for keyword in ("PatientAge", "PatientWeight", "PatientSize", "SAR"):
        assert f"{Tag(keyword):08X}" not in found.header


def test_facts_for_intake() -> None:
    facts = taken(mr()).facts
    assert (facts.patient_id, facts.sex, facts.age_years, facts.weight_kg) == ("PAT-778899", "F", 59, 71)
    assert (facts.birth_date, facts.study_date) == (date(1961, 7, 4), date(2021, 3, 10))
    assert facts.patient_key == patient_key(" PAT-778899 ", key=KEY)
    assert facts.modality == "MR"
    without_age = taken(mr(PatientAge=None)).facts
    assert without_age.age_years == pytest.approx(59.68, abs=0.01)


def test_uids_are_consistent_across_files_and_references() -> None:
    one = taken(mr(SOPInstanceUID="1.2.3.4.5.6.1"))
    reference = item(ReferencedSOPClassUID=CT, ReferencedSOPInstanceUID="1.2.3.4.5.6.1")
    two = taken(mr(SOPInstanceUID="1.2.3.4.5.6.2", ReferencedImageSequence=sequence(reference)), IMPLICIT)
    assert one.facts.series_uid == two.facts.series_uid == first(two, "SeriesInstanceUID")
    assert one.facts.study_uid == two.facts.study_uid
    assert one.facts.frame_of_reference_uid == first(two, "FrameOfReferenceUID")
    assert one.facts.sop_uid != two.facts.sop_uid
    inner = two.header["00081140"]["Value"][0]
    assert inner["00081155"]["Value"] == [one.facts.sop_uid]
    assert inner["00081150"]["Value"] == [CT]  # the standard's own stay
    for uid in (one.facts.sop_uid, one.facts.study_uid, one.facts.series_uid):
        assert uid.startswith("2.25.")
        assert len(uid) <= 44
    other = take(file_bytes(mr()), key=b"another key of the same length..")
    assert other.facts.study_uid != one.facts.study_uid
    assert b"1.2.3.4.5" not in json.dumps(one.header).encode()


def test_substitutes_depend_on_the_key_and_leave_the_standards_own_alone() -> None:
    other = b"another key of the same length.."
    assert keyed.uid("1.2.3", key=KEY) == keyed.uid("1.2.3\0", key=KEY) != keyed.uid("1.2.3", key=other)
    assert keyed.uid("1.2.3", key=KEY) != keyed.uid("1.2.30", key=KEY)
    assert keyed.uid(CT, key=KEY) == CT
    assert keyed.patient_key("A1", key=KEY) != keyed.patient_key("A1", key=other)
    assert keyed.patient_key(" ", key=KEY) == ""
    offsets = {keyed.day_offset(f"P{n}", key=KEY) for n in range(200)}
    assert len(offsets) > 150
    assert all(-3650 <= offset <= -1 for offset in offsets)


def test_dates_move_by_whole_days_and_keep_their_intervals() -> None:
    first_visit = taken(mr(StudyDate="20210310", AcquisitionDate="20210310", AcquisitionTime="235917.5"))
    second = taken(ct(StudyDate="20210407", SeriesDate="2021.04.07", AcquisitionDateTime="20210407081500.25+0100"))
    days = [date.fromisoformat(first(f, "StudyDate")) for f in (first_visit, second)]
    assert (days[1] - days[0]).days == 28
    offset = first_visit.facts.day_offset
    assert offset == second.facts.day_offset
    assert -3650 <= offset <= -1
    assert (days[0] - date(2021, 3, 10)).days == offset
    assert first(second, "SeriesDate") == first(second, "StudyDate")
    assert first(second, "AcquisitionDateTime") == first(second, "StudyDate") + "081500"
    assert first(first_visit, "AcquisitionTime") == "235900"  # times stay, cut to the minute
    assert taken(mr(PatientID="somebody else")).facts.day_offset != offset
    for bad in ("20251399", "00000000", "19610704x"):
        broken = taken(mr(AcquisitionDate=bad))
        assert first(broken, "AcquisitionDate") in (None, "19610704")


def test_same_file_gives_the_same_digest_and_another_another() -> None:
    assert taken(mr()).digest == taken(mr(), IMPLICIT).digest == taken(mr(), DEFLATED).digest
    assert taken(mr(PatientName="Other^Spelling")).digest == taken(mr()).digest
    assert taken(put_pixels(mr(), picture(seed=2))).digest != taken(mr()).digest
    assert taken(mr(EchoTime="101")).digest != taken(mr()).digest


@pytest.mark.parametrize(
    "changes",
    [
        {"BodyPartExamined": "HEAD"},
        {"BodyPartExamined": "BRAIN"},
        {"StudyDescription": "MRT Schädel nativ"},
        {"SeriesDescription": "t2_tse_tra brain"},
        {"ProtocolName": "CLINICAL BRAIN"},
        {"AnatomicRegionSequence": sequence(item(CodeValue="T-D1100", CodeMeaning="x"))},
    ],
)
def test_head_images_need_leave(changes: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        taken(mr(**changes))
    assert refused.value.code == "head"
    found = taken(mr(**changes), allow_head=True)
    assert found.head
    assert first(found, "RecognizableVisualFeatures") == "YES"


@pytest.mark.parametrize(
    "text", ["Lumbar spine head first supine", "femoral head", "Facet joints L5/S1", "MRT LWS", "Brainard^T2 sag"]
)
def test_other_words_with_head_in_them_are_no_head(text: str) -> None:
    found = taken(mr(SeriesDescription=text), released=frozenset({"screen"})) if "Brain" not in text else None
    assert found is None or not found.head


@pytest.mark.parametrize(
    "changes",
    [
        {"BurnedInAnnotation": "YES"},
        {"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]},
        {"SeriesDescription": "Patient Protocol"},
        {"SeriesDescription": "Dose Report"},
        {"ImageType": ["DERIVED", "SECONDARY"], "ConversionType": "WSD"},
        {"ImageType": ["DERIVED", "SECONDARY"], "ImagePositionPatient": None},
    ],
)
def test_suspicious_files_wait_for_a_person(changes: dict[str, Any]) -> None:
    with pytest.raises(Quarantined) as held:
        taken(mr(**changes))
    assert held.value.sentence.endswith(".")
    assert taken(mr(**changes), released=frozenset({held.value.code})).frames


@pytest.mark.parametrize("name", ["Low Dose 3.0 B60s", "LWS LowDose", "low-dose needle"])
def test_low_dose_series_are_not_suspicious(name: str) -> None:
    assert taken(ct(SeriesDescription=name)).frames


def test_reformats_are_not_suspicious() -> None:
    assert taken(mr(ImageType=["DERIVED", "SECONDARY", "MPR"])).header["00080008"]["Value"][2] == "MPR"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "Modality": "OT"}, "sop_class"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.11"}, "sop_class"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.104.1"}, "sop_class"),
        ({"SOPClassUID": "9.9.9"}, "sop_class"),
        ({"Modality": "US"}, "modality"),
        ({"SOPInstanceUID": "../../../etc/passwd"}, "uid"),
        ({"StudyInstanceUID": ""}, "uid"),
        ({"SeriesInstanceUID": "1." * 40}, "uid"),
        ({"NumberOfFrames": "3"}, "frames"),
        ({"SamplesPerPixel": 3}, "pixel_format"),
        ({"BitsAllocated": 32}, "pixel_format"),
        ({"BitsStored": 13}, "pixel_format"),  # beyond the high bit
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "pixel_format"),
        ({"Rows": 0}, "pixel_format"),
        ({"Rows": 60000}, "too_large"),
        ({"Rows": 4000}, "pixel_length"),
        ({"NumberOfFrames": "-5"}, "frames"),
        ({"SOPInstanceUID": "1.2..3"}, "uid"),
    ],
)
def test_refusals_have_sentences(changes: dict[str, Any], code: str) -> None:
    dataset = mr()
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    with pytest.raises(Refused) as refused:
        taken(dataset)
    assert refused.value.code == code
    assert refused.value.sentence.endswith(".")
    assert "passwd" not in refused.value.sentence


def test_no_pixels() -> None:
    dataset = mr()
    del dataset.PixelData
    with pytest.raises(Refused) as refused:
        taken(dataset)
    assert refused.value.code == "no_pixels"


def test_numbers_that_are_none() -> None:
    for value in (b"NaN", b"1e400", b"99999999999999999999", b"0x10", b"1,5", b"", b"\\", b"100\\101"):
        dataset = mr()
        put_raw(dataset, 0x00180081, "DS", value)
        assert first(taken(dataset), "EchoTime") is None
    dataset = mr()
    put_raw(dataset, 0x00281050, "UT", b"\\".join([b"1"] * 500_000))
    assert first(taken(dataset), "WindowCenter") is None
    json.dumps(taken(mr()).header, allow_nan=False)


def test_nothing_of_a_source_reaches_a_log(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    """The parser says what it dislikes with the value; that must be heard nowhere."""
    dataset = mr()
    for tag, vr in ((0x00080020, "DA"), (0x00100030, "DA"), (0x00101010, "AS"), (0x00101030, "DS"), (0x00080005, "CS")):
        put_raw(dataset, tag, vr, PLANT.encode())
    put_raw(dataset, 0x0020000E, "UI", PLANT.encode())
    caplog.set_level("DEBUG")
    taken(dataset)
    assert PLANT not in caplog.text
    assert PLANT not in "".join(capfd.readouterr())


def test_a_short_key_is_an_error_of_ours_not_of_the_file() -> None:
    with pytest.raises(ValueError, match="key"):
        take(file_bytes(mr()), key=b"short")


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, DEFLATED])
def test_enhanced_files(syntax: str) -> None:
    found = taken(enhanced_mr(), syntax)
    assert [plane.position_lps_mm[0] for plane in found.planes if plane] == [5, 0, -5]
    assert len(found.frames) == 3
    group = found.header["52009230"]["Value"][1]
    moment = group["00209111"]["Value"][0]["00189074"]["Value"][0]
    assert moment == first(found, "StudyDate") + "101500"
    assert first(found, "SeriesDescription") == "MR sagittal STIR"


def test_enhanced_file_with_groups_for_other_frames_is_refused() -> None:
    dataset = enhanced_mr()
    dataset.PerFrameFunctionalGroupsSequence.pop()
    with pytest.raises(Refused) as refused:
        taken(dataset)
    assert refused.value.code == "frames"
