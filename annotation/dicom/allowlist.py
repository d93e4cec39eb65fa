"""Which attributes a de-identified header may have, and what their values may look like, per SOP class.

Everything that is not named here is dropped, private and unknown attributes included, at every depth. The base is the
allow-list per SOP class of `grand-challenge-dicom-de-id-procedure` 2025.10.1 (Apache-2.0), without its free text,
codes, coil names, palettes and encrypted content, and with field strength, kernel, echo and acquisition numbers and the
functional groups of the enhanced classes. None of the attributes is one that PS3.15 table E.1-1 (2026c) removes, but
for dates (shifted), times (cut to the minute), UIDs (remapped) and the contrast agent (its presence only).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydicom.datadict import tag_for_keyword

from annotation.dicom import vocabulary as v

CT = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
CONVERTED_CT = "1.2.840.10008.5.1.4.1.1.2.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
CONVERTED_MR = "1.2.840.10008.5.1.4.1.1.4.4"


@dataclass(frozen=True)
class Number:
    """Numbers inside bounds; ``exactly`` so many of them when given, else at most ``most``."""

    low: float
    high: float
    most: int = 1
    exactly: int | None = None


@dataclass(frozen=True)
class Word:
    """Words of a closed vocabulary; others are dropped."""

    vocabulary: frozenset[str]
    most: int = 1


@dataclass(frozen=True)
class ImageType:
    """Four values or more whose place matters: an unknown third value becomes ``OTHER``, later ones are dropped."""


@dataclass(frozen=True)
class Shape:
    """Text that fits a narrow pattern as a whole."""

    pattern: re.Pattern[str]
    most: int = 1


@dataclass(frozen=True)
class Uid:
    """A UID: kept if it is one of the standard's own, else remapped."""


@dataclass(frozen=True)
class StandardUid:
    """A UID that must be one of the standard's own (SOP classes)."""


@dataclass(frozen=True)
class Date:
    """A date, shifted."""


@dataclass(frozen=True)
class Time:
    """A time of day, cut to the minute."""


@dataclass(frozen=True)
class DateTime:
    """A date, shifted, with its time of day cut to the minute."""


@dataclass(frozen=True)
class Maker:
    """The manufacturer, written in our spelling if it is a known one."""


@dataclass(frozen=True)
class Agent:
    """Whether a contrast agent is named at all; the name is not kept."""


@dataclass(frozen=True)
class Pointer:
    """Tags of public attributes."""


@dataclass(frozen=True)
class Group:
    """A sequence, and what its items may hold."""

    content: Mapping[int, Rule]


Rule = (
    Number | Word | ImageType | Shape | Uid | StandardUid | Date | Time | DateTime | Maker | Agent | Pointer | Group
)  # fmt: skip
Allowed = Mapping[int, Rule]


def _tags(rules: Mapping[str, Rule]) -> dict[int, Rule]:
    """Turn keywords into tags; a misspelt keyword fails at import."""
    out: dict[int, Rule] = {}
    for keyword, rule in rules.items():
        tag = tag_for_keyword(keyword)
        if tag is None:
            raise KeyError(keyword)
        out[int(tag)] = rule
    return out


_UNIT = Number(-1.1, 1.1, exactly=6)
_MM3 = Number(-10_000, 10_000, exactly=3)
_SPACING = Number(1e-4, 100, exactly=2)
_COUNT = Number(0, 999_999)

REFERENCE = _tags({"ReferencedSOPClassUID": StandardUid(), "ReferencedSOPInstanceUID": Uid()})

GENERAL = _tags(
    {
        "ImageType": ImageType(),
        "SOPClassUID": StandardUid(),
        "SOPInstanceUID": Uid(),
        "StudyInstanceUID": Uid(),
        "SeriesInstanceUID": Uid(),
        "FrameOfReferenceUID": Uid(),
        "StudyDate": Date(),
        "SeriesDate": Date(),
        "AcquisitionDate": Date(),
        "ContentDate": Date(),
        "StudyTime": Time(),
        "SeriesTime": Time(),
        "AcquisitionTime": Time(),
        "ContentTime": Time(),
        "AcquisitionDateTime": DateTime(),
        "Modality": Word(v.MODALITY),
        "Manufacturer": Maker(),
        "BodyPartExamined": Word(v.BODY_PART),
        "PatientPosition": Word(v.PATIENT_POSITION),
        "ReferencedImageSequence": Group(REFERENCE),
        "SourceImageSequence": Group(REFERENCE),
        "SeriesNumber": _COUNT,
        "AcquisitionNumber": _COUNT,
        "InstanceNumber": _COUNT,
        "TemporalPositionIdentifier": Number(0, 9999),
        "NumberOfTemporalPositions": Number(0, 9999),
        "Laterality": Word(v.LATERALITY),
        "ImageLaterality": Word(v.LATERALITY),
        "PatientOrientation": Shape(v.PATIENT_ORIENTATION, most=2),
        "ImagePositionPatient": _MM3,
        "ImageOrientationPatient": _UNIT,
        "PixelSpacing": _SPACING,
        "SliceThickness": Number(0, 500),
        "SpacingBetweenSlices": Number(-500, 500),
        "SliceLocation": Number(-10_000, 10_000),
        "ReconstructionDiameter": Number(0, 5000),
        "ContrastBolusAgent": Agent(),
        "SamplesPerPixel": Number(1, 1),
        "PhotometricInterpretation": Word(v.PHOTOMETRIC),
        "NumberOfFrames": Number(1, 99_999),
        "Rows": Number(1, 65_535),
        "Columns": Number(1, 65_535),
        "BitsAllocated": Number(8, 16),
        "BitsStored": Number(1, 16),
        "HighBit": Number(0, 15),
        "PixelRepresentation": Number(0, 1),
        "PixelPaddingValue": Number(-32_768, 65_535),
        "PixelPaddingRangeLimit": Number(-32_768, 65_535),
        "BurnedInAnnotation": Word(v.YES_NO),
        "LossyImageCompression": Word(v.LOSSY),
        "LossyImageCompressionRatio": Number(0, 100_000, most=4),
        "LossyImageCompressionMethod": Word(v.LOSSY_METHOD, most=4),
        "WindowCenter": Number(-100_000, 100_000, most=8),
        "WindowWidth": Number(0, 200_000, most=8),
        "VOILUTFunction": Word(v.VOI_FUNCTION),
        "RescaleIntercept": Number(-100_000, 100_000),
        "RescaleSlope": Number(-100_000, 100_000),
        "RescaleType": Word(v.RESCALE_TYPE),
        "PresentationLUTShape": Word(v.PRESENTATION_SHAPE),
    }
)

CT_SCAN = _tags(
    {
        "ScanOptions": Word(v.SCAN_OPTIONS, most=4),
        "KVP": Number(0, 500),
        "DataCollectionDiameter": Number(0, 5000),
        "DistanceSourceToDetector": Number(0, 5000),
        "DistanceSourceToPatient": Number(0, 5000),
        "GantryDetectorTilt": Number(-90, 90),
        "TableHeight": Number(-5000, 5000),
        "RotationDirection": Word(v.ROTATION),
        "ExposureTime": Number(0, 999_999),
        "XRayTubeCurrent": Number(0, 99_999),
        "Exposure": Number(0, 99_999),
        "FocalSpots": Number(0, 10, most=2),
        "ConvolutionKernel": Shape(v.KERNEL, most=2),
        "RevolutionTime": Number(0, 100),
        "SingleCollimationWidth": Number(0, 1000),
        "TotalCollimationWidth": Number(0, 1000),
        "TableSpeed": Number(0, 10_000),
        "TableFeedPerRotation": Number(0, 10_000),
        "SpiralPitchFactor": Number(0, 100),
        "ExposureModulationType": Word(v.EXPOSURE_MODULATION),
        "CTDIvol": Number(0, 10_000),
    }
)

MR_SCAN = _tags(
    {
        "ScanningSequence": Word(v.SCANNING_SEQUENCE, most=4),
        "SequenceVariant": Word(v.SEQUENCE_VARIANT, most=5),
        "SequenceName": Shape(v.SEQUENCE_NAME),
        "ScanOptions": Word(v.SCAN_OPTIONS, most=8),
        "MRAcquisitionType": Word(v.ACQUISITION_TYPE),
        "AngioFlag": Word(v.Y_N),
        "RepetitionTime": Number(0, 100_000),
        "EchoTime": Number(0, 10_000),
        "InversionTime": Number(0, 20_000),
        "NumberOfAverages": Number(0, 1000),
        "ImagingFrequency": Number(0, 2000),
        "ImagedNucleus": Word(v.NUCLEUS),
        "EchoNumbers": Number(0, 99),
        "MagneticFieldStrength": Number(0, 30_000),
        "NumberOfPhaseEncodingSteps": Number(0, 99_999),
        "EchoTrainLength": Number(0, 99_999),
        "PercentSampling": Number(0, 1000),
        "PercentPhaseFieldOfView": Number(0, 1000),
        "PixelBandwidth": Number(0, 100_000),
        "AcquisitionMatrix": Number(0, 65_535, exactly=4),
        "InPlanePhaseEncodingDirection": Word(v.PHASE_DIRECTION),
        "FlipAngle": Number(0, 720),
        "VariableFlipAngleFlag": Word(v.Y_N),
    }
)

_VOLUME: dict[str, Rule] = {
    "VolumetricProperties": Word(v.VOLUMETRIC),
    "VolumeBasedCalculationTechnique": Word(v.VOLUME_TECHNIQUE),
}
_FRAME_TYPE: dict[str, Rule] = {"FrameType": ImageType(), **_VOLUME}
_MR_DESCRIPTION: dict[str, Rule] = {
    "ComplexImageComponent": Word(v.COMPLEX_COMPONENT),
    "AcquisitionContrast": Word(v.ACQUISITION_CONTRAST),
}


def _group(rules: Mapping[str, Rule]) -> Group:
    return Group(_tags(rules))


FRAME_GROUPS = _tags(
    {
        "FrameContentSequence": _group(
            {
                "FrameAcquisitionNumber": _COUNT,
                "FrameReferenceDateTime": DateTime(),
                "FrameAcquisitionDateTime": DateTime(),
                "FrameAcquisitionDuration": Number(0, 3_600_000),
                "StackID": Shape(v.STACK_ID),
                "InStackPositionNumber": _COUNT,
                "TemporalPositionIndex": _COUNT,
                "DimensionIndexValues": Number(0, 999_999, most=8),
            }
        ),
        "PlanePositionSequence": _group({"ImagePositionPatient": _MM3}),
        "PlaneOrientationSequence": _group({"ImageOrientationPatient": _UNIT}),
        "PixelMeasuresSequence": _group(
            {
                "PixelSpacing": _SPACING,
                "SliceThickness": Number(0, 500),
                "SpacingBetweenSlices": Number(-500, 500),
            }
        ),
        "FrameVOILUTSequence": _group(
            {
                "WindowCenter": Number(-100_000, 100_000, most=8),
                "WindowWidth": Number(0, 200_000, most=8),
                "VOILUTFunction": Word(v.VOI_FUNCTION),
            }
        ),
        "PixelValueTransformationSequence": _group(
            {
                "RescaleIntercept": Number(-100_000, 100_000),
                "RescaleSlope": Number(-100_000, 100_000),
                "RescaleType": Word(v.RESCALE_TYPE),
            }
        ),
        "FrameAnatomySequence": _group({"FrameLaterality": Word(v.LATERALITY)}),
        "ReferencedImageSequence": Group(REFERENCE),
        "ContrastBolusUsageSequence": _group(
            {
                "ContrastBolusAgentAdministered": Word(v.YES_NO),
                "ContrastBolusAgentDetected": Word(v.YES_NO),
                "ContrastBolusAgentPhase": Word(v.CONTRAST_PHASE),
            }
        ),
    }
)

MR_FRAME_GROUPS = FRAME_GROUPS | _tags(
    {
        "MRImageFrameTypeSequence": _group({**_FRAME_TYPE, **_MR_DESCRIPTION}),
        "MRTimingAndRelatedParametersSequence": _group(
            {
                "RepetitionTime": Number(0, 100_000),
                "FlipAngle": Number(0, 720),
                "EchoTrainLength": Number(0, 99_999),
                "RFEchoTrainLength": Number(0, 99_999),
                "GradientEchoTrainLength": Number(0, 99_999),
            }
        ),
        "MREchoSequence": _group({"EffectiveEchoTime": Number(0, 10_000)}),
        "MRModifierSequence": _group(
            {
                "InversionRecovery": Word(v.YES_NO),
                "InversionTimes": Number(0, 20_000, most=4),
                "SpectrallySelectedSuppression": Word(v.SPECTRAL_SUPPRESSION),
                "SpectrallySelectedExcitation": Word(v.SPECTRAL_EXCITATION),
            }
        ),
        "MRImagingModifierSequence": _group({"PixelBandwidth": Number(0, 100_000)}),
        "MRAveragesSequence": _group({"NumberOfAverages": Number(0, 1000)}),
        "MRFOVGeometrySequence": _group(
            {
                "InPlanePhaseEncodingDirection": Word(v.PHASE_DIRECTION),
                "MRAcquisitionFrequencyEncodingSteps": Number(0, 9999),
                "MRAcquisitionPhaseEncodingStepsInPlane": Number(0, 9999),
                "PercentSampling": Number(0, 1000),
                "PercentPhaseFieldOfView": Number(0, 1000),
            }
        ),
        "MRDiffusionSequence": _group(
            {"DiffusionBValue": Number(0, 100_000), "DiffusionDirectionality": Word(v.DIFFUSION_DIRECTION)}
        ),
    }
)

CT_FRAME_GROUPS = FRAME_GROUPS | _tags(
    {
        "CTImageFrameTypeSequence": _group(_FRAME_TYPE),
        "CTAcquisitionTypeSequence": _group({"AcquisitionType": Word(v.CT_ACQUISITION)}),
        "CTAcquisitionDetailsSequence": _group(
            {
                "RotationDirection": Word(v.ROTATION),
                "RevolutionTime": Number(0, 100),
                "SingleCollimationWidth": Number(0, 1000),
                "TotalCollimationWidth": Number(0, 1000),
                "GantryDetectorTilt": Number(-90, 90),
                "TableHeight": Number(-5000, 5000),
                "DataCollectionDiameter": Number(0, 5000),
            }
        ),
        "CTTableDynamicsSequence": _group(
            {
                "TableSpeed": Number(0, 10_000),
                "TableFeedPerRotation": Number(0, 10_000),
                "SpiralPitchFactor": Number(0, 100),
            }
        ),
        "CTReconstructionSequence": _group(
            {
                "ReconstructionAlgorithm": Word(v.RECONSTRUCTION),
                "ConvolutionKernel": Shape(v.KERNEL, most=2),
                "ReconstructionDiameter": Number(0, 5000),
            }
        ),
        "CTExposureSequence": _group(
            {
                "ExposureTimeInms": Number(0, 999_999),
                "XRayTubeCurrentInmA": Number(0, 99_999),
                "ExposureInmAs": Number(0, 999_999),
                "ExposureModulationType": Word(v.EXPOSURE_MODULATION),
                "CTDIvol": Number(0, 10_000),
            }
        ),
        "CTXRayDetailsSequence": _group({"KVP": Number(0, 500), "FocalSpots": Number(0, 10, most=2)}),
    }
)

_ENHANCED = _tags(
    {
        **_VOLUME,
        "ContentQualification": Word(v.CONTENT_QUALIFICATION),
        "AcquisitionDuration": Number(0, 99_999),
        "DimensionOrganizationType": Word(v.DIMENSION_TYPE),
        "DimensionOrganizationSequence": _group({"DimensionOrganizationUID": Uid()}),
        "DimensionIndexSequence": _group(
            {
                "DimensionOrganizationUID": Uid(),
                "DimensionIndexPointer": Pointer(),
                "FunctionalGroupPointer": Pointer(),
            }
        ),
    }
)

_ENHANCED_MR = _tags(
    {
        **_MR_DESCRIPTION,
        "ResonantNucleus": Word(v.NUCLEUS),
        "EchoPulseSequence": Word(v.ECHO_PULSE),
        "PulseSequenceName": Shape(v.SEQUENCE_NAME),
        "SpectrallySelectedSuppression": Word(v.SPECTRAL_SUPPRESSION),
        "SpectrallySelectedExcitation": Word(v.SPECTRAL_EXCITATION),
        "InversionRecovery": Word(v.YES_NO),
    }
)


def _functional_groups(content: Allowed) -> dict[int, Rule]:
    return _tags({"SharedFunctionalGroupsSequence": Group(content), "PerFrameFunctionalGroupsSequence": Group(content)})


_ALL_CT = GENERAL | CT_SCAN
_ALL_MR = GENERAL | MR_SCAN
_MULTI_CT = _ALL_CT | _ENHANCED | _functional_groups(CT_FRAME_GROUPS)
_MULTI_MR = _ALL_MR | _ENHANCED | _ENHANCED_MR | _functional_groups(MR_FRAME_GROUPS)

# Which classes are taken at all; a class that is not a key is refused.
SOP_CLASSES: dict[str, Allowed] = {
    CT: _ALL_CT,
    ENHANCED_CT: _MULTI_CT,
    CONVERTED_CT: _MULTI_CT,
    MR: _ALL_MR,
    ENHANCED_MR: _MULTI_MR,
    CONVERTED_MR: _MULTI_MR,
}
MULTI_FRAME = frozenset((ENHANCED_CT, CONVERTED_CT, ENHANCED_MR, CONVERTED_MR))
CLASSIC = {ENHANCED_CT: CT, CONVERTED_CT: CT, ENHANCED_MR: MR, CONVERTED_MR: MR}
