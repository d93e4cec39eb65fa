"""DICOM files made for the tests, good and hostile, byte by byte where a writer would refuse."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import UID

KEY = b"a key for the tests, 32 bytes...."
EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
MR = "1.2.840.10008.5.1.4.1.1.4"
CT = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"


def picture(rows: int = 32, columns: int = 40, seed: int = 0) -> NDArray[np.uint16]:
    """A smooth image with some noise, 12 bits."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:rows, :columns]
    return np.asarray(500 + 10 * x + 7 * y + rng.integers(0, 9, (rows, columns)), dtype=np.uint16)


def mr(**changes: Any) -> Dataset:
    """A sagittal T2 slice as a scanner writes it, with an invented patient."""
    return _made(MR, "MR", {
        "ScanningSequence": "SE", "SequenceVariant": "SK", "MRAcquisitionType": "2D", "RepetitionTime": "3500",
        "EchoTime": "100", "EchoTrainLength": "15", "FlipAngle": "150", "MagneticFieldStrength": "1.5",
        "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"], "ImageOrientationPatient": [0, 1, 0, 0, 0, -1],
        "ImagePositionPatient": [-12.5, -120, 160],
        **changes,
    })  # fmt: skip


def ct(**changes: Any) -> Dataset:
    """An axial CT slice."""
    return _made(CT, "CT", {
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "KVP": "120", "ConvolutionKernel": "B30s",
        "RescaleIntercept": "-1024", "RescaleSlope": "1", "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "ImagePositionPatient": [-100, -100, 40],
        **changes,
    })  # fmt: skip


def enhanced_mr(frames: int = 3, **changes: Any) -> Dataset:
    """A sagittal T2 stack in one object, as a scanner writes it."""
    shared = item(
        MRImageFrameTypeSequence=sequence(
            item(FrameType=["ORIGINAL", "PRIMARY", "T2", "NONE"], AcquisitionContrast="T2",
                 ComplexImageComponent="MAGNITUDE", VolumetricProperties="VOLUME")
        ),
        PlaneOrientationSequence=sequence(item(ImageOrientationPatient=[0, 1, 0, 0, 0, -1])),
        MRTimingAndRelatedParametersSequence=sequence(
            item(RepetitionTime="3500", FlipAngle="150", EchoTrainLength="15", RFEchoTrainLength=15)
        ),
        MREchoSequence=sequence(item(EffectiveEchoTime=100.0)),
        MRModifierSequence=sequence(item(InversionRecovery="YES", InversionTimes=[160.0])),
        MRImagingModifierSequence=sequence(item(PixelBandwidth="190")),
        MRAveragesSequence=sequence(item(NumberOfAverages="2")),
        MRFOVGeometrySequence=sequence(
            item(InPlanePhaseEncodingDirection="ROW", PercentSampling="80", PercentPhaseFieldOfView="100",
                 MRAcquisitionFrequencyEncodingSteps=320, MRAcquisitionPhaseEncodingStepsInPlane=256)
        ),
    )  # fmt: skip
    dataset = mr(SOPClassUID=ENHANCED_MR, MagneticFieldStrength="3", PulseSequenceName="*tse2d1_15",
                 ResonantNucleus="1H", EchoPulseSequence="SPIN", **changes)  # fmt: skip
    for keyword in ("RepetitionTime", "EchoTime", "EchoTrainLength", "FlipAngle"):
        delattr(dataset, keyword)
    return _stack(dataset, shared, frames, scale=2)


def enhanced_ct(frames: int = 3, **changes: Any) -> Dataset:
    """An axial CT volume in one object."""
    shared = item(
        CTImageFrameTypeSequence=sequence(item(FrameType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"])),
        PlaneOrientationSequence=sequence(item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])),
        CTAcquisitionTypeSequence=sequence(item(AcquisitionType="SPIRAL")),
        CTAcquisitionDetailsSequence=sequence(
            item(RotationDirection="CW", RevolutionTime=0.5, GantryDetectorTilt=0.0, TableHeight=150.0)
        ),
        CTTableDynamicsSequence=sequence(item(SpiralPitchFactor=0.9)),
        CTReconstructionSequence=sequence(
            item(ReconstructionAlgorithm="ITERATIVE", ConvolutionKernel="Br40d", ReconstructionDiameter="360")
        ),
        CTExposureSequence=sequence(item(XRayTubeCurrentInmA=220.0, ExposureInmAs=110.0, CTDIvol=9.5)),
        CTXRayDetailsSequence=sequence(item(KVP="120", FocalSpots=[1.2])),
        FrameAnatomySequence=sequence(item(FrameLaterality="U")),
    )
    dataset = ct(SOPClassUID=ENHANCED_CT, **changes)
    for keyword in ("KVP", "ConvolutionKernel", "RescaleIntercept", "RescaleSlope"):
        delattr(dataset, keyword)
    return _stack(dataset, shared, frames, intercept=-1024)


def _stack(dataset: Dataset, shared: Dataset, frames: int, *, scale: int = 1, intercept: int = 0) -> Dataset:
    """Pixels and functional groups of several frames; what differs between frames is 5 mm and one grey value."""
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "WindowCenter", "WindowWidth", "SliceThickness",
                    "PixelSpacing"):  # fmt: skip
        if keyword in dataset:
            delattr(dataset, keyword)
    put_pixels(dataset, np.stack([picture(seed=n) for n in range(frames)]))
    shared.PixelMeasuresSequence = sequence(item(PixelSpacing=[0.7, 0.6], SliceThickness="4", SpacingBetweenSlices="5"))
    dataset.SharedFunctionalGroupsSequence = sequence(shared)
    dataset.DimensionOrganizationSequence = sequence(item(DimensionOrganizationUID="1.2.3.4.8"))
    dataset.DimensionIndexSequence = sequence(
        item(DimensionOrganizationUID="1.2.3.4.8", DimensionIndexPointer=0x00209057, FunctionalGroupPointer=0x00209111)
    )
    dataset.PerFrameFunctionalGroupsSequence = sequence(
        *(
            item(
                FrameContentSequence=sequence(
                    item(StackID="1", InStackPositionNumber=n + 1, DimensionIndexValues=[n + 1],
                         FrameAcquisitionDateTime=f"2021031010150{n % 10}.5")
                ),
                PlanePositionSequence=sequence(item(ImagePositionPatient=[5 - 5 * n, -100, 150])),
                FrameVOILUTSequence=sequence(item(WindowCenter=str(500 + n), WindowWidth="900")),
                PixelValueTransformationSequence=sequence(
                    item(RescaleIntercept=str(intercept), RescaleSlope=str(scale + n), RescaleType="US")
                ),
            )
            for n in range(frames)
        )
    )  # fmt: skip
    return dataset


def deflated(data: bytes, *, tail: bytes = b"") -> bytes:
    """Deflate the data set of an explicit file, with bytes behind the stream."""
    body = data.index(b"\x08\x00\x05\x00CS") if b"\x08\x00\x05\x00CS" in data else data.index(b"\x08\x00\x08\x00CS")
    coder = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return raw_file(coder.compress(data[body:]) + coder.flush() + tail, DEFLATED)


def _made(sop_class: str, modality: str, values: dict[str, Any]) -> Dataset:
    dataset = Dataset()
    general: dict[str, Any] = {
        "SpecificCharacterSet": "ISO_IR 192", "SOPClassUID": sop_class, "SOPInstanceUID": "1.2.3.4.5.6.1",
        "StudyInstanceUID": "1.2.3.4.5", "SeriesInstanceUID": "1.2.3.4.5.6", "FrameOfReferenceUID": "1.2.3.4.9",
        "StudyDate": "20210310", "SeriesDate": "20210310", "AcquisitionDate": "20210310", "StudyTime": "101112.123456",
        "AcquisitionTime": "101500", "Modality": modality, "Manufacturer": "SIEMENS", "PatientName": "Muster^Vreni",
        "PatientID": "PAT-778899", "PatientBirthDate": "19610704", "PatientSex": "F", "PatientAge": "059Y",
        "PatientWeight": "71", "AccessionNumber": "ACC5544332", "SeriesNumber": "3", "InstanceNumber": "7",
        "PixelSpacing": [0.7, 0.6], "SliceThickness": "4", "BodyPartExamined": "LSPINE", "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2", "WindowCenter": "600", "WindowWidth": "1200",
    }  # fmt: skip
    for keyword, value in {**general, **values}.items():
        if value is None:
            continue
        setattr(dataset, keyword, value)
    if "PixelData" not in dataset:
        put_pixels(dataset, picture())
    return dataset


def put_pixels(dataset: Dataset, array: NDArray[Any], *, stored: int = 12, signed: bool = False) -> Dataset:
    """Set native pixels, one frame or several."""
    allocated = array.dtype.itemsize * 8
    dataset.Rows, dataset.Columns = array.shape[-2:]
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = allocated, stored, stored - 1
    dataset.PixelRepresentation = int(signed)
    if array.ndim == 3:
        dataset.NumberOfFrames = len(array)
    dataset.PixelData = array.tobytes() + b"\0" * (array.nbytes % 2)
    dataset["PixelData"].VR = "OW" if allocated == 16 else "OB"
    return dataset


def compressed(dataset: Dataset, *codestreams: bytes) -> Dataset:
    """Replace the pixels by codestreams; say which syntax when writing."""
    dataset.PixelData = encapsulate(list(codestreams))
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    return dataset


def put_raw(dataset: Dataset, tag: int, vr: str, value: bytes) -> None:
    """Set the bytes of an element as no writer would."""
    value += b" " * (len(value) % 2)
    dataset[tag] = RawDataElement(Tag(tag), vr, len(value), value, 0, False, True)


def sequence(*items: Dataset) -> Sequence:
    return Sequence(items)


def item(**values: Any) -> Dataset:
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def file_bytes(dataset: Dataset, syntax: str = EXPLICIT, *, preamble: bytes = b"\0" * 128) -> bytes:
    """Write a data set as a file."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(syntax)
    meta.MediaStorageSOPClassUID = UID(str(dataset.SOPClassUID))
    meta.MediaStorageSOPInstanceUID = UID(str(dataset.SOPInstanceUID))
    meta.ImplementationClassUID = UID("1.2.3")
    meta.SourceApplicationEntityTitle = "SENDER_AE"
    dataset.file_meta = meta
    out = io.BytesIO()
    dcmwrite(out, dataset, enforce_file_format=False, implicit_vr=syntax == IMPLICIT, little_endian=True)
    written = out.getvalue()
    start = 132 if written[128:132] == b"DICM" else 0
    return preamble + b"DICM" + written[start:]


def raw_file(body: bytes, syntax: str = EXPLICIT) -> bytes:
    """A file whose data set is given byte by byte."""
    padded = syntax.encode() + b"\0" * (len(syntax) % 2)
    meta = b"\x02\x00\x10\x00UI" + struct.pack("<H", len(padded)) + padded
    return b"\0" * 128 + b"DICM" + meta + body


def element(group: int, number: int, vr: str, value: bytes, length: int | None = None) -> bytes:
    """One explicit little-endian element, with a length that may lie."""
    size = len(value) if length is None else length
    head = struct.pack("<HH2s", group, number, vr.encode())
    if vr in ("OB", "OW", "SQ", "UN", "UT", "UC"):
        return head + b"\0\0" + struct.pack("<L", size) + value
    return head + struct.pack("<H", size) + value


def item_head(length: int) -> bytes:
    return struct.pack("<HHL", 0xFFFE, 0xE000, length)


ITEM_END = struct.pack("<HHL", 0xFFFE, 0xE00D, 0)
SEQUENCE_END = struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
UNDEFINED = 0xFFFFFFFF
