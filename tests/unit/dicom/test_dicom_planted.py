"""An identity planted in every place: nothing of it comes out, every importable file comes in, what is needed stays."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from annotation.dicom import Quarantined, Refused, Taken, TakeRules, part10, take
from annotation.dicom.codec import stored_array
from annotation.dicom.pixels import SUSPICIONS
from tests.unit.dicom import planted
from tests.unit.dicom.dicom_files import EXPLICIT, IMPLICIT, KEY, file_bytes, picture

# Some places make a file suspicious as well; here a person has looked and let it through.
RELEASED = TakeRules(released=frozenset(SUSPICIONS))


def forms(plant: str) -> set[bytes]:
    """How a plant may stand in what comes out: as it is, in wide letters, backwards, in hexadecimal, in base 64."""
    low = plant.lower()
    plain = {low.encode(coding) for coding in ("utf-8", "utf-16-le", "utf-16-be")}
    if len(plant) < 10:  # shorter ones turn up by chance
        return plain
    coded = {base64.b64encode(b"\0" * n + plant.encode()).lower()[4:-4] for n in range(3)}
    return plain | coded | {low[::-1].encode(), plant.encode().hex().encode()}


FORBIDDEN = frozenset().union(*map(forms, planted.PLANTS))


def assert_clean(found: Taken) -> None:
    """Nothing planted in header, frames, or the file that is written of them; pixels as they were before planting."""
    for part in (json.dumps(found.header).encode(), *found.frames, part10(found.header, found.frames)):
        low = part.lower()
        assert not [form for form in FORBIDDEN if form in low]
    for number, frame in enumerate(found.frames):
        assert np.array_equal(stored_array(frame, found.header), picture(seed=number))
    for place in (found.hints, found.suspicion, found.digest, repr(found.planes)):
        assert planted.TEXT.lower() not in str(place).lower()


@pytest.mark.parametrize("place", sorted(planted.PLACES))
def test_nothing_planted_in_a_data_set_comes_out(place: str) -> None:
    for make in planted.CLASSES.values():
        for syntax in (EXPLICIT, IMPLICIT):
            dataset = make()
            clean = file_bytes(dataset, syntax)
            planted.PLACES[place](dataset)
            data = file_bytes(dataset, syntax)
            if "functional" not in place:
                assert data != clean
            assert_clean(take(data, key=KEY, rules=RELEASED))


@pytest.mark.parametrize("around", sorted(planted.FILES))
@pytest.mark.parametrize("kind", sorted(planted.CLASSES))
def test_nothing_planted_around_a_data_set_comes_out(kind: str, around: str) -> None:
    assert_clean(take(planted.FILES[around](planted.CLASSES[kind]()), key=KEY, rules=RELEASED))


@pytest.mark.parametrize("name", sorted(planted.OBJECTS))
def test_other_objects_are_refused_without_a_word_of_them(name: str) -> None:
    data = planted.OBJECTS[name]()
    assert planted.TEXT.encode() in data
    with pytest.raises(Refused) as refused:
        take(data, key=KEY, rules=RELEASED)
    assert refused.value.code == "sop_class"
    assert not [p for p in planted.PLANTS if p in refused.value.sentence + str(refused.value.args)]


@pytest.mark.parametrize("kind", sorted(planted.CLASSES))
def test_big_endian_is_refused_with_a_sentence(kind: str) -> None:
    data = file_bytes(planted.CLASSES[kind](PatientName=planted.TEXT)).replace(
        b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.2\0", 1
    )
    with pytest.raises(Refused) as refused:
        take(data, key=KEY, rules=RELEASED)
    assert refused.value.code == "big_endian"


def test_an_identity_that_stands_in_all_places_at_once() -> None:
    """Places may help each other to hide; and what a refusal or a quarantine says names nobody."""
    for make in planted.CLASSES.values():
        dataset = make()
        for place, plant in planted.PLACES.items():
            if "character set" not in place and "names in" not in place:
                plant(dataset)
        for rules in (RELEASED, TakeRules()):
            try:
                found = take(file_bytes(dataset), key=KEY, rules=rules)
            except (Refused, Quarantined) as held:
                told = held.sentence
            else:
                told = json.dumps(found.header)
            assert not [p for p in planted.PLANTS if p.lower() in told.lower()]


def values(header: Mapping[str, Any]) -> dict[str, Any]:
    """All values of a header with the path of keywords' tags, sequences walked into."""
    out: dict[str, Any] = {}
    for tag, element in header.items():
        if element["vr"] == "SQ":
            for n, inner in enumerate(element.get("Value", [])):
                out |= {f"{tag}/{n}/{path}": value for path, value in values(inner).items()}
        elif "Value" in element:
            out[tag] = element["Value"] if len(element["Value"]) > 1 else element["Value"][0]
    return out


def path(*steps: str | int) -> str:
    return "/".join(str(step) if isinstance(step, int) else f"{tag_for_keyword(step):08X}" for step in steps)


PIXELS: dict[str, Any] = {
    "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "Rows": 32, "Columns": 40, "BitsAllocated": 16,
    "BitsStored": 12, "HighBit": 11, "PixelRepresentation": 0,
}  # fmt: skip
PLACED: dict[str, Any] = {"PixelSpacing": [0.7, 0.6], "SliceThickness": 4, "WindowCenter": 600, "WindowWidth": 1200}
SERIES: dict[str, Any] = {
    "BodyPartExamined": "LSPINE", "Manufacturer": "SIEMENS", "SeriesNumber": 3, "InstanceNumber": 7,
    "PatientPosition": "HFS", "AcquisitionNumber": 2, "PatientOrientation": ["A", "F"], "Laterality": "U",
    "SpacingBetweenSlices": 5, "SliceLocation": -12.5, "ReconstructionDiameter": 300,
}  # fmt: skip
MR_SERIES: dict[str, Any] = {
    "Modality": "MR", "ScanningSequence": ["SE", "IR"], "SequenceVariant": ["SK", "SP"], "ScanOptions": ["FS", "SAT1"],
    "SequenceName": "*tir2d1_15", "MRAcquisitionType": "2D", "RepetitionTime": 3500, "EchoTime": 100,
    "InversionTime": 160, "MagneticFieldStrength": 1.5, "FlipAngle": 150, "EchoTrainLength": 15, "PixelBandwidth": 190,
    "NumberOfAverages": 2, "AcquisitionMatrix": [0, 320, 256, 0], "PercentPhaseFieldOfView": 100,
    "PercentSampling": 80, "NumberOfPhaseEncodingSteps": 255, "InPlanePhaseEncodingDirection": "ROW",
    "ImagedNucleus": "1H", "ImagingFrequency": 63.67, "EchoNumbers": 1, "AngioFlag": "N",
    "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"], "ImageOrientationPatient": [0, 1, 0, 0, 0, -1],
    "ImagePositionPatient": [-12.5, -120, 160],
}  # fmt: skip
CT_SERIES: dict[str, Any] = {
    "Modality": "CT", "KVP": 120, "ConvolutionKernel": "B30s", "RescaleIntercept": -1024, "RescaleSlope": 1,
    "RescaleType": "HU", "XRayTubeCurrent": 220, "ExposureTime": 500, "Exposure": 110, "SpiralPitchFactor": 0.9,
    "GantryDetectorTilt": 0, "TableHeight": 150, "RevolutionTime": 0.5, "CTDIvol": 9.5, "DataCollectionDiameter": 500,
    "ScanOptions": "HELICAL MODE", "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "FocalSpots": 1.2,
    "RotationDirection": "CW", "TotalCollimationWidth": 19.2, "SingleCollimationWidth": 0.6,
    "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "ImagePositionPatient": [-100, -100, 40],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "own"), [("MR", MR_SERIES), ("CT", CT_SERIES)])
@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_what_readers_and_statistics_need_is_still_there(kind: str, own: dict[str, Any], syntax: str) -> None:
    expected = PIXELS | PLACED | SERIES | own
    dataset = planted.CLASSES[kind](**{k: v for k, v in expected.items() if k not in PIXELS and k != "Modality"})
    for name in ("private", "text in PatientComments", "overlay", "referenced image"):
        planted.PLACES[name](dataset)
    found = values(take(file_bytes(dataset, syntax), key=KEY).header)
    stored = {"BitsStored": 16, "HighBit": 15}  # whole samples, as the coder takes them
    assert {keyword: found.get(path(keyword)) for keyword in expected} == expected | stored


SHARED, FRAMES = "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"
BOTH_STACKS = {
    path(SHARED, 0, "PixelMeasuresSequence", 0, "PixelSpacing"): [0.7, 0.6],
    path(SHARED, 0, "PixelMeasuresSequence", 0, "SliceThickness"): 4,
    path(SHARED, 0, "PixelMeasuresSequence", 0, "SpacingBetweenSlices"): 5,
    path("DimensionIndexSequence", 0, "DimensionIndexPointer"): "00209057",
    path("NumberOfFrames"): 3,
    **{path(FRAMES, n, "PlanePositionSequence", 0, "ImagePositionPatient"): [5 - 5 * n, -100, 150] for n in range(3)},
    **{path(FRAMES, n, "FrameVOILUTSequence", 0, "WindowCenter"): 500 + n for n in range(3)},
    **{path(FRAMES, n, "FrameVOILUTSequence", 0, "WindowWidth"): 900 for n in range(3)},
    **{path(FRAMES, n, "FrameContentSequence", 0, "InStackPositionNumber"): n + 1 for n in range(3)},
    **{path(FRAMES, n, "FrameContentSequence", 0, "StackID"): "1" for n in range(3)},
    **{path(FRAMES, n, "FrameContentSequence", 0, "DimensionIndexValues"): n + 1 for n in range(3)},
}
STACKS = {
    "Enhanced MR": BOTH_STACKS | {
        path("MagneticFieldStrength"): 3, path("PulseSequenceName"): "*tse2d1_15", path("ResonantNucleus"): "1H",
        path(SHARED, 0, "PlaneOrientationSequence", 0, "ImageOrientationPatient"): [0, 1, 0, 0, 0, -1],
        path(SHARED, 0, "MRImageFrameTypeSequence", 0, "FrameType"): ["ORIGINAL", "PRIMARY", "T2", "NONE"],
        path(SHARED, 0, "MRImageFrameTypeSequence", 0, "AcquisitionContrast"): "T2",
        path(SHARED, 0, "MRTimingAndRelatedParametersSequence", 0, "RepetitionTime"): 3500,
        path(SHARED, 0, "MRTimingAndRelatedParametersSequence", 0, "FlipAngle"): 150,
        path(SHARED, 0, "MRTimingAndRelatedParametersSequence", 0, "EchoTrainLength"): 15,
        path(SHARED, 0, "MREchoSequence", 0, "EffectiveEchoTime"): 100,
        path(SHARED, 0, "MRModifierSequence", 0, "InversionTimes"): 160,
        path(SHARED, 0, "MRModifierSequence", 0, "InversionRecovery"): "YES",
        path(SHARED, 0, "MRImagingModifierSequence", 0, "PixelBandwidth"): 190,
        path(SHARED, 0, "MRAveragesSequence", 0, "NumberOfAverages"): 2,
        path(SHARED, 0, "MRFOVGeometrySequence", 0, "MRAcquisitionFrequencyEncodingSteps"): 320,
        path(SHARED, 0, "MRFOVGeometrySequence", 0, "MRAcquisitionPhaseEncodingStepsInPlane"): 256,
        path(SHARED, 0, "MRFOVGeometrySequence", 0, "PercentPhaseFieldOfView"): 100,
        **{path(FRAMES, n, "PixelValueTransformationSequence", 0, "RescaleSlope"): 2 + n for n in range(3)},
    },
    "Enhanced CT": BOTH_STACKS | {
        path(SHARED, 0, "PlaneOrientationSequence", 0, "ImageOrientationPatient"): [1, 0, 0, 0, 1, 0],
        path(SHARED, 0, "CTImageFrameTypeSequence", 0, "FrameType"): ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"],
        path(SHARED, 0, "CTReconstructionSequence", 0, "ConvolutionKernel"): "Br40d",
        path(SHARED, 0, "CTReconstructionSequence", 0, "ReconstructionDiameter"): 360,
        path(SHARED, 0, "CTXRayDetailsSequence", 0, "KVP"): 120,
        path(SHARED, 0, "CTExposureSequence", 0, "XRayTubeCurrentInmA"): 220,
        path(SHARED, 0, "CTExposureSequence", 0, "CTDIvol"): 9.5,
        path(SHARED, 0, "CTAcquisitionTypeSequence", 0, "AcquisitionType"): "SPIRAL",
        path(SHARED, 0, "CTTableDynamicsSequence", 0, "SpiralPitchFactor"): 0.9,
        path(SHARED, 0, "CTAcquisitionDetailsSequence", 0, "GantryDetectorTilt"): 0,
        path(SHARED, 0, "FrameAnatomySequence", 0, "FrameLaterality"): "U",
        **{path(FRAMES, n, "PixelValueTransformationSequence", 0, "RescaleIntercept"): -1024 for n in range(3)},
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(STACKS))
@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_functional_groups_are_still_there(kind: str, syntax: str) -> None:
    dataset: Dataset = planted.CLASSES[kind]()
    planted.PLACES["functional groups"](dataset)
    planted.PLACES["private"](dataset)
    taken = take(file_bytes(dataset, syntax), key=KEY)
    found = values(taken.header)
    assert {step: found.get(step) for step in STACKS[kind]} == STACKS[kind]
    assert all(taken.planes)
    assert len(taken.frames) == 3


@pytest.mark.parametrize("kind", sorted(planted.CLASSES))
def test_the_header_says_what_was_done(kind: str) -> None:
    header = take(file_bytes(planted.CLASSES[kind]()), key=KEY).header
    assert header["00120062"] == {"vr": "CS", "Value": ["YES"]}
    assert header["00120063"]["vr"] == "LO"
    assert header["00120063"]["Value"]
    assert [code["00080100"]["Value"] for code in header["00120064"]["Value"]] == [["113100"], ["113107"]]
    assert all(
        code["00080102"]["Value"] == ["DCM"] and code["00080104"]["Value"] for code in header["00120064"]["Value"]
    )
    assert header["00280303"] == {"vr": "CS", "Value": ["MODIFIED"]}
