"""Real CT and MR files: taken, stored without loss, and free of what the source says about the person."""

from __future__ import annotations

import json
import time
import warnings
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.data import get_testdata_file
from pydicom.encaps import generate_frames

from annotation.dicom import Refused, Taken, TakeRules, codec, frame_metadata, leaks, part10, propose, take
from tests.unit.dicom.dicom_files import KEY

# file -> role proposed; a name in capitals after it says that the header speaks of the head
OPEN = {
    "CT_small.dcm": "CT_POST",
    "MR_small.dcm": "AX_T2",
    "MR_small_implicit.dcm": "AX_T2",
    "MR_small_padded.dcm": "AX_T2",
    "MR_small_RLE.dcm": "AX_T2",
    "MR_small_jp2klossless.dcm": "AX_T2",
    "MR_small_jpeg_ls_lossless.dcm": "AX_T2",
    "examples_overlay.dcm": "AX_T1",
    "MR-SIEMENS-DICOM-WithOverlays.dcm": "AX_T1",
    "MR2_UNCI.dcm": "SAG_T1",
    "MR2_J2KI.dcm": "SAG_T1",
    "bad_sequence.dcm": "OTHER",
    "explicit_VR-UN.dcm": "OTHER",
}
HEAD = {
    "693_UNCI.dcm": "CT_PRE",
    "693_J2KI.dcm": "CT_PRE",
    "693_J2KR.dcm": "CT_PRE",
    "J2K_pixelrep_mismatch.dcm": "OTHER",
    "eCT_Supplemental.dcm": "CT_POST",
    "emri_small.dcm": "OTHER",
    "emri_small_RLE.dcm": "OTHER",
    "emri_small_jpeg_ls_lossless.dcm": "OTHER",
    "emri_small_jpeg_2k_lossless.dcm": "OTHER",
}
REFUSED = {
    "MR_truncated.dcm": "truncated",
    "MR_small_bigendian.dcm": "big_endian",
    "emri_small_big_endian.dcm": "big_endian",
    "emri_small_jpeg_2k_lossless_too_short.dcm": "delimiter",
    "US1_UNCI.dcm": "sop_class",
    "SC_rgb.dcm": "sop_class",
    "reportsi.dcm": "sop_class",
    "rtplan.dcm": "sop_class",
    "liver_1frame.dcm": "sop_class",
    "waveform_ecg.dcm": "sop_class",
}


def data_of(name: str) -> bytes:
    path = get_testdata_file(name, download=False)
    assert isinstance(path, str), name
    return Path(path).read_bytes()


@cache
def taken(name: str) -> Taken:
    return take(data_of(name), key=KEY, rules=TakeRules(allow_head=name in HEAD))


def source_pixels(name: str) -> NDArray[Any]:
    """Pixels as other decoders than ours give them, always with a frame axis."""
    dataset = pydicom.dcmread(BytesIO(data_of(name)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            array = dataset.pixel_array
        except RuntimeError:  # pydicom has no decoder for JPEG lossless here
            array = imagecodecs.jpegsof3_decode(next(generate_frames(dataset.PixelData, number_of_frames=1)))
    return array if array.ndim == 3 else array[None]


@pytest.mark.parametrize("name", [*OPEN, *HEAD])
def test_pixels_are_the_same_bit_by_bit(name: str) -> None:
    found, expected = taken(name), source_pixels(name)
    assert len(found.frames) == len(found.planes) == len(expected)
    for coded, array in zip(found.frames, expected, strict=True):
        assert np.array_equal(codec.stored_array(coded, found.header), array)
    again = pydicom.dcmread(BytesIO(part10(found.header, found.frames))).pixel_array
    assert np.array_equal(again if again.ndim == 3 else again[None], expected)


@pytest.mark.parametrize(("name", "role"), [*OPEN.items(), *HEAD.items()])
def test_roles(name: str, role: str) -> None:
    found = taken(name)
    assert propose([found.header], hints=found.hints).role == role


@pytest.mark.parametrize("name", sorted(HEAD))
def test_head_files_need_leave(name: str) -> None:
    with pytest.raises(Refused) as refused:
        take(data_of(name), key=KEY)
    assert refused.value.code == "head"
    assert taken(name).head


@pytest.mark.parametrize(("name", "code"), sorted(REFUSED.items()))
def test_other_files_are_refused(name: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        take(data_of(name), key=KEY, rules=TakeRules(allow_head=True))
    assert refused.value.code == code
    assert refused.value.sentence.endswith(".")


@pytest.mark.parametrize("name", [*OPEN, *HEAD])
def test_no_text_and_no_uid_of_the_source_is_left(name: str) -> None:
    """Every text value of the source, wherever it stands, is looked for in the output."""
    found = taken(name)
    written = json.dumps(found.header)
    dataset = pydicom.dcmread(BytesIO(data_of(name)), stop_before_pixels=True)
    kept = {str(v) for e in found.header.values() for v in e.get("Value", []) if isinstance(v, str)}
    for element in dataset.iterall():
        if element.VR in ("LO", "SH", "PN", "ST", "LT", "UT", "DA", "DT") and element.value:
            for value in str(element.value).split("\\"):
                text = value.strip()
                if len(text) >= 4 and text.upper() not in {k.upper() for k in kept} and not text.isdigit():
                    assert json.dumps(text)[1:-1] not in written, element
        if element.VR == "UI" and element.value and not str(element.value).startswith("1.2.840.10008."):
            assert str(element.value) not in written, element
    assert leaks(found.header, found.tokens) == []


def test_what_is_known_of_some_files() -> None:
    found = taken("CT_small.dcm")
    assert found.header["00181210"]["Value"] == ["STANDARD"]
    assert found.header["00080070"]["Value"] == ["GE MEDICAL SYSTEMS"]
    assert found.planes[0] is not None
    assert found.planes[0].spacing_rc_mm == pytest.approx((0.661468, 0.661468))
    assert taken("emri_small.dcm").planes == (None,) * 10  # this file has no functional groups
    assert "MRS1" not in json.dumps(found.header)
    assert taken("eCT_Supplemental.dcm").planes[1] is not None


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR2_UNCI.dcm", "eCT_Supplemental.dcm"])
def test_viewer_metadata(name: str) -> None:
    found = taken(name)
    told = frame_metadata(
        found.header,
        1,
        uid="2.25.1",
        series_uid="2.25.2",
        study_uid="2.25.3",
        frame_of_reference_uid="2.25.4",
        number=9,
    )
    needed = {
        "00080016", "00080018", "00080060", "0020000D", "0020000E", "00200032", "00200037", "00200052", "00280002",
        "00280004", "00280010", "00280011", "00280030", "00280100", "00280101", "00280102", "00280103",
        "00281052", "00281053", "00200013",
    }  # fmt: skip
    assert needed <= set(told) <= needed | {"00180050", "00281050", "00281051", "00281054"}
    assert not any(tag.startswith(("0010", "0012", "0032")) for tag in told)
    text = json.dumps(told)
    assert not any(uid in text for uid in (found.facts.sop_uid, found.facts.series_uid, found.facts.study_uid))
    assert told["00080016"]["Value"][0] in ("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4")
    array = codec.decode_stored(found.frames[0])
    assert (told["00280010"]["Value"][0], told["00280011"]["Value"][0]) == array.shape
    assert told["00280100"]["Value"][0] == array.dtype.itemsize * 8
    with pytest.raises(IndexError):
        frame_metadata(found.header, 3, uid="1", series_uid="1", study_uid="1", frame_of_reference_uid=None)


def test_a_small_file_costs_little() -> None:
    """About 5 ms for 256 x 256 on the machine this was written on; the bound is wide, for busy machines."""
    data = data_of("MR_small.dcm")
    take(data, key=KEY)
    started = time.process_time()
    for _ in range(20):
        take(data, key=KEY)
    assert (time.process_time() - started) / 20 < 0.03
