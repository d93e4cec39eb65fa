"""One multi-frame file a series: what a classic header says of a slice moves into functional groups."""

from __future__ import annotations

from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence
from pydicom.uid import EnhancedMRImageStorage

from .canvas import SlicePlane
from .makers import TIMING, bandwidth_hz, echo_ms, inversion_ms
from .session import PhantomSeries

_CLASSIC_ONLY = (
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "SpacingBetweenSlices",
    "SliceLocation", "EchoTime", "EchoNumbers", "RepetitionTime", "InversionTime", "FlipAngle", "EchoTrainLength",
    "PixelBandwidth", "NumberOfAverages", "WindowWidth", "WindowCenter", "RescaleSlope", "RescaleIntercept",
    "InPlanePhaseEncodingDirection", "ScanningSequence", "SequenceVariant", "ScanOptions", "SequenceName",
    "MRAcquisitionType", "AngioFlag", "ImagedNucleus", "ImagingFrequency", "AcquisitionDate", "AcquisitionTime",
)  # fmt: skip
_CONTRAST = {"SAG_T1": "T1", "SAG_T2": "T2", "SAG_STIR": "STIR", "AX_T2": "T2"}


def enhanced(data: FileDataset, series: PhantomSeries, vendor: str, field_strength_t: float) -> None:
    """Turn a classic header, with the pixels of a whole series, into an Enhanced MR image in place."""
    moment = str(data.AcquisitionDate) + str(data.AcquisitionTime)
    for keyword in _CLASSIC_ONLY:
        if keyword in data:
            delattr(data, keyword)
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = EnhancedMRImageStorage
    data.NumberOfFrames = len(series.planes)
    data.AcquisitionDateTime = moment
    data.ImageType = ["ORIGINAL", "PRIMARY", "SPIN ECHO" if series.role == "SAG_T1" else "STIR", "NONE"]
    data.PixelPresentation, data.VolumetricProperties = "MONOCHROME", "VOLUME"
    data.VolumeBasedCalculationTechnique, data.ComplexImageComponent = "NONE", "MAGNITUDE"
    data.AcquisitionContrast = _CONTRAST[series.role]
    data.ResonantNucleus, data.ContentQualification = "1H", "PRODUCT"
    data.PresentationLUTShape, data.BurnedInAnnotation, data.LossyImageCompression = "IDENTITY", "NO", "00"
    data.SharedFunctionalGroupsSequence = Sequence([_shared(series, vendor, field_strength_t)])
    frames = [_frame(plane, place) for place, plane in enumerate(series.planes, start=1)]
    data.PerFrameFunctionalGroupsSequence = Sequence(frames)


def _group(**values: object) -> Sequence:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return Sequence([item])


def _shared(series: PhantomSeries, vendor: str, field_strength_t: float) -> Dataset:
    _, tr, _, train, _ = TIMING[series.role]
    slope, intercept = series.rescale
    inversion = inversion_ms(series.role, field_strength_t)
    groups = {
        "PixelMeasuresSequence": _group(
            PixelSpacing=[decimal(v) for v in series.planes[0].spacing_rc_mm],
            SliceThickness=decimal(series.thickness_mm),
            SpacingBetweenSlices=decimal(series.step_mm),
        ),
        "MRTimingAndRelatedParametersSequence": _group(
            RepetitionTime=decimal(tr), FlipAngle="150", EchoTrainLength=train, RFEchoTrainLength=train
        ),
        "MREchoSequence": _group(EffectiveEchoTime=float(echo_ms(vendor, series.role))),
        "MRImagingModifierSequence": _group(PixelBandwidth=float(bandwidth_hz(field_strength_t))),
        "MRAveragesSequence": _group(NumberOfAverages=2.0),
        "PixelValueTransformationSequence": _group(
            RescaleSlope=decimal(slope), RescaleIntercept=decimal(intercept), RescaleType="US"
        ),
        "FrameVOILUTSequence": _group(WindowCenter=decimal(series.window[1]), WindowWidth=decimal(series.window[0])),
    }
    found = Dataset()
    for keyword, made in groups.items():
        setattr(found, keyword, made)
    if inversion is not None:
        found.MRModifierSequence = _group(InversionRecovery="YES", InversionTimes=float(inversion))
    return found


def _frame(plane: SlicePlane, place: int) -> Dataset:
    found = Dataset()
    found.PlanePositionSequence = _group(ImagePositionPatient=[decimal(v) for v in plane.position_lps_mm])
    found.PlaneOrientationSequence = _group(
        ImageOrientationPatient=[decimal(v) for v in (*plane.row_lps, *plane.column_lps)]
    )
    found.FrameContentSequence = _group(StackID="1", InStackPositionNumber=place, FrameAcquisitionNumber=1)
    return found


def decimal(value: float) -> str:
    """Return a decimal string of at most 16 characters."""
    return f"{value:.6f}".rstrip("0").rstrip(".") or "0"
