"""Files with a recognisable identity in every place where one has been seen, for the tests of de-identification.

`PLACES` plants in a data set, `FILES` in what stands around it, `OBJECTS` are whole objects that must be refused. The
places are those in which tools for de-identification were found to leave something behind.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import jpeg_ls
import numpy as np
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset

from tests.unit.dicom.dicom_files import (
    CT,
    ENHANCED_CT,
    ENHANCED_MR,
    EXPLICIT,
    IMPLICIT,
    MR,
    compressed,
    ct,
    deflated,
    element,
    enhanced_ct,
    enhanced_mr,
    file_bytes,
    item,
    mr,
    picture,
    put_pixels,
    put_raw,
    sequence,
)

TEXT = "Zephyrinus"
NUMBER = "83746152"
DATE = "19330117"
TIME = "142957"
UID = "1.2.826.0.1.3680043.9.5577"
PLANTS = (TEXT, NUMBER, DATE, TIME, UID)
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"
JPEG_LS = "1.2.840.10008.1.2.4.80"

CLASSES: dict[str, Callable[..., Dataset]] = {
    "CT": ct,
    "MR": mr,
    "Enhanced CT": enhanced_ct,
    "Enhanced MR": enhanced_mr,
}
assert len({CT, MR, ENHANCED_CT, ENHANCED_MR}) == 4
Place = Callable[[Dataset], object]

_TEXTS = (
    # names, identifiers, addresses
    "PatientName", "PatientID", "PatientBirthName", "PatientMotherBirthName", "OtherPatientNames", "OtherPatientIDs",
    "PatientAddress", "PatientTelephoneNumbers", "IssuerOfPatientID",
    "MilitaryRank", "BranchOfService", "CountryOfResidence", "RegionOfResidence", "PatientReligiousPreference",
    "EthnicGroup", "Occupation", "PatientComments", "AdditionalPatientHistory", "ResponsiblePerson",
    "ResponsibleOrganization", "MedicalAlerts", "Allergies", "SpecialNeeds", "PatientState", "MedicalRecordLocator",
    "AccessionNumber", "StudyID", "AdmissionID", "ServiceEpisodeID", "CurrentPatientLocation",
    "FillerOrderNumberImagingServiceRequest",
    "RequestedProcedureID", "ScheduledProcedureStepID", "PerformedProcedureStepID",
    # staff and places
    "ReferringPhysicianName", "ReferringPhysicianAddress", "ReferringPhysicianTelephoneNumbers",
    "PerformingPhysicianName", "OperatorsName", "NameOfPhysiciansReadingStudy", "PhysiciansOfRecord",
    "ConsultingPhysicianName", "RequestingPhysician", "RequestingService", "InstitutionName", "InstitutionAddress",
    "InstitutionalDepartmentName", "ScheduledPerformingPhysicianName", "PersonName", "VerifyingObserverName",
    # devices
    "StationName", "DeviceSerialNumber", "ManufacturerModelName", "SoftwareVersions", "DeviceID", "GantryID",
    "DetectorID", "PlateID", "CassetteID", "GeneratorID", "RetrieveAETitle", "PerformedStationAETitle",
    "PerformedStationName", "ScheduledStationAETitle", "PerformedLocation", "NetworkID",
    # descriptions and other free text
    "StudyDescription", "SeriesDescription", "ProtocolName", "ImageComments", "StudyComments", "TextComments",
    "AcquisitionComments", "FrameComments", "RequestedProcedureDescription", "PerformedProcedureStepDescription",
    "AdmittingDiagnosesDescription", "DerivationDescription", "InterpretationText", "ReasonForStudy",
    "RequestedProcedureComments", "CommentsOnThePerformedProcedureStep", "ContrastBolusAgent", "ContrastBolusRoute",
    "WindowCenterWidthExplanation", "ContainerIdentifier",
    # what no table lists, or what a table keeps, abused
    "ReceiveCoilName", "TransmitCoilName", "SequenceName", "PulseSequenceName", "PositionReferenceIndicator",
    "RescaleType", "BodyPartExamined", "Manufacturer", "FilterType", "ConvolutionKernel", "ScanOptions",
    "SequenceVariant", "ScanningSequence", "Laterality", "ImageLaterality", "PatientPosition", "ImagedNucleus",
    "ResonantNucleus", "AngioFlag", "MRAcquisitionType", "InPlanePhaseEncodingDirection", "RotationDirection",
    "ExposureModulationType", "VolumetricProperties", "AcquisitionContrast", "ContentQualification",
    "LossyImageCompressionMethod", "PresentationLUTShape", "BurnedInAnnotation", "PatientOrientation",
    "QualityControlImage",
    "DataSetType", "DimensionOrganizationType", "NominalScannedPixelSpacing", "IrradiationEventUID", "LUTExplanation",
)  # fmt: skip
_DATES = (
    "PatientBirthDate", "StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "InstanceCreationDate",
    "CurveDate", "OverlayDate", "AdmittingDate", "ScheduledProcedureStepStartDate", "PerformedProcedureStepStartDate",
    "DateOfSecondaryCapture", "DateOfLastCalibration", "LastMenstrualDate", "IssueDateOfImagingServiceRequest",
)  # fmt: skip
_TIMES = (
    "PatientBirthTime", "StudyTime", "SeriesTime", "AcquisitionTime", "ContentTime", "InstanceCreationTime",
    "PerformedProcedureStepStartTime", "TimeOfLastCalibration", "ContrastBolusStartTime",
)  # fmt: skip
_MOMENTS = (
    "AcquisitionDateTime", "PatientBirthDateInAlternativeCalendar", "FrameReferenceDateTime", "ExclusionStartDateTime",
    "DigitalSignatureDateTime", "FrameAcquisitionDateTime",
)  # fmt: skip
_UIDS = (
    "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID",
    "SynchronizationFrameOfReferenceUID",
    "IrradiationEventUID", "DimensionOrganizationUID", "ConcatenationUID", "InstanceCreatorUID", "CreatorVersionUID",
    "StorageMediaFileSetUID", "TransactionUID", "DoseReferenceUID", "DeviceUID", "EquipmentFrameOfReferenceUID",
)  # fmt: skip
_NUMBERS = (
    "SeriesNumber", "AcquisitionNumber", "InstanceNumber", "TemporalPositionIdentifier", "NumberOfTemporalPositions",
    "EchoNumbers", "RepetitionTime", "EchoTime", "InversionTime", "SliceLocation", "TableHeight", "XRayTubeCurrent",
    "Exposure", "ExposureTime", "WindowCenter", "EchoTrainLength", "NumberOfPhaseEncodingSteps", "ImagingFrequency",
    "AcquisitionDuration", "NumberOfAverages", "PixelBandwidth", "PatientWeight", "PatientSize", "CTDIvol",
)  # fmt: skip


def _set(keyword: str, value: Any) -> Place:
    return lambda dataset: setattr(dataset, keyword, value)


def _bytes(keyword: str, value: str) -> Place:
    """A value in the attribute's own coding or, where that holds no text, as the bytes it is."""
    tag = tag_for_keyword(keyword)
    assert tag is not None, keyword
    vr = dictionary_VR(tag).split(" or ")[0]
    return lambda dataset: put_raw(dataset, tag, vr, struct.pack("<d", float(value)) if vr == "FD" else value.encode())


def _raw(tag: int, vr: str, value: str) -> Place:
    return lambda dataset: put_raw(dataset, tag, vr, value.encode())


def _several(**values: str) -> Place:
    def plant(dataset: Dataset) -> None:
        for keyword, value in values.items():
            setattr(dataset, keyword, value)

    return plant


def _identity() -> Dataset:
    """An item that names somebody in each way."""
    return item(PatientName=TEXT, PatientID=NUMBER, PatientBirthDate=DATE, StudyTime=TIME, SOPInstanceUID=UID,
                DerivationDescription=TEXT)  # fmt: skip


def _deep(keyword: str) -> Place:
    def plant(dataset: Dataset) -> None:
        inner = _identity()
        for _ in range(12):
            inner = item(**{keyword: sequence(inner)})
        setattr(dataset, keyword, sequence(inner))

    return plant


def _in_items(keyword: str) -> Place:
    def plant(dataset: Dataset) -> None:
        one = _identity()
        one.ReferencedSOPClassUID, one.ReferencedSOPInstanceUID = MR, UID
        one.PurposeOfReferenceCodeSequence = sequence(
            item(CodeValue=NUMBER, CodeMeaning=TEXT, CodingSchemeDesignator="99X")
        )
        one.ReferencedFrameNumber = NUMBER
        setattr(dataset, keyword, sequence(one))

    return plant


def _private(dataset: Dataset) -> None:
    dataset.add_new(0x00291010, "OB", TEXT.encode())  # no creator
    dataset.add_new(0x00291110, "UI", UID)
    block = dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    block.add_new(0x0C, "LO", TEXT)
    block.add_new(0x0D, "UI", UID)
    block.add_new(0x0E, "DA", DATE)
    block.add_new(0x0F, "IS", NUMBER)
    inner = _identity()
    inner.private_block(0x0021, TEXT, create=True).add_new(1, "PN", TEXT)
    block.add_new(0x20, "SQ", sequence(inner))


def _csa(dataset: Dataset) -> None:
    """A Siemens CSA header: names and values in a binary block."""
    tags = b"".join(
        struct.pack("<64s4sLLLL", b"PatientName", b"PN\0\0", 1, 6, 1, 0xCD) + TEXT.encode() for _ in range(3)
    )
    block = dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    block.add_new(0x10, "OB", b"SV10\4\3\2\1" + tags)
    block.add_new(0x20, "OB", b'### ASCCONV BEGIN ###\ntPatientName = "' + TEXT.encode() + b'"\n')


def _private_unknown(dataset: Dataset) -> None:
    put_raw(dataset, 0x00290010, "LO", TEXT.encode())
    body = struct.pack("<HHL", 0x0010, 0x0010, len(TEXT)) + TEXT.encode()
    put_raw(dataset, 0x00291001, "UN", struct.pack("<HHL", 0xFFFE, 0xE000, len(body)) + body)


def _overlay(dataset: Dataset) -> None:
    for group in (0x6000, 0x601E):
        dataset.add_new(group << 16 | 0x0010, "US", 32)
        dataset.add_new(group << 16 | 0x0022, "LO", TEXT)
        dataset.add_new(group << 16 | 0x1500, "LO", TEXT)
        dataset.add_new(group << 16 | 0x3000, "OW", TEXT.encode() * 16)
        dataset.add_new(group << 16 | 0x4000, "LT", TEXT)


def _curve(dataset: Dataset) -> None:
    dataset.add_new(0x50000022, "LO", TEXT)
    dataset.add_new(0x50003000, "OW", TEXT.encode())
    dataset.add_new(0x501E2500, "LO", TEXT)


def _waveform(dataset: Dataset) -> None:
    channel = item(ChannelLabel=TEXT, WaveformBitsAllocated=8, WaveformData=TEXT.encode())
    dataset.WaveformSequence = sequence(item(MultiplexGroupLabel=TEXT, ChannelDefinitionSequence=sequence(channel)))
    dataset.WaveformAnnotationSequence = sequence(item(UnformattedTextValue=TEXT))
    dataset.GraphicAnnotationSequence = sequence(item(TextObjectSequence=sequence(item(UnformattedTextValue=TEXT))))


def _signature(dataset: Dataset) -> None:
    dataset.DigitalSignaturesSequence = sequence(
        item(
            DigitalSignatureUID=UID,
            CertificateOfSigner=TEXT.encode(),
            Signature=TEXT.encode(),
            DigitalSignatureDateTime=DATE,
        )
    )
    dataset.EncryptedAttributesSequence = sequence(item(EncryptedContent=TEXT.encode()))
    dataset.OriginalAttributesSequence = sequence(
        item(ModifiedAttributesSequence=sequence(_identity()), SourceOfPreviousValues=TEXT, ModifyingSystem=TEXT)
    )


def _icon(dataset: Dataset) -> None:
    small = item(Rows=1, Columns=10, ImageComments=TEXT)
    small.add_new(0x7FE00010, "OB", TEXT.encode())
    dataset.IconImageSequence = sequence(small)


def _frame_groups(dataset: Dataset) -> None:
    """Every functional group gets an identity, an unlisted group beside it, and a private one."""
    for groups in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for group in dataset.get(groups) or [item()]:
            for one in list(group):
                if one.VR == "SQ":
                    for inner in one.value:
                        inner.update(_identity())
                        inner.FrameComments = inner.FrameLabel = inner.WindowCenterWidthExplanation = TEXT
            group.update(_identity())
            group.ReferencedImageSequence = sequence(item(ReferencedSOPClassUID=MR, ReferencedSOPInstanceUID=UID))
            group.FrameAnatomySequence = sequence(
                item(FrameLaterality="U", AnatomicRegionSequence=sequence(item(CodeValue="T-1", CodeMeaning=TEXT)))
            )
            group.RealWorldValueMappingSequence = sequence(item(LUTExplanation=TEXT, LUTLabel=TEXT))
            group.MRReceiveCoilSequence = sequence(item(ReceiveCoilName=TEXT))
            group.CardiacSynchronizationSequence = sequence(item(CardiacSynchronizationTechnique=TEXT))
            group.private_block(0x2005, "Philips MR Imaging DD 005", create=True).add_new(
                0x0F, "SQ", sequence(_identity())
            )
        if groups not in dataset:
            setattr(dataset, groups, sequence(_identity()))


def _frame_words(dataset: Dataset) -> None:
    """Words and numbers of functional groups that are kept, replaced by an identity."""
    for group in dataset.get("PerFrameFunctionalGroupsSequence") or []:
        if "FrameContentSequence" not in group:
            continue
        content = group.FrameContentSequence[0]
        content.StackID, content.FrameAcquisitionDateTime = TEXT, DATE + TIME
        content.FrameReferenceDateTime = DATE + TIME + ".25"
        content.FrameAcquisitionDuration = float(NUMBER)
        content.DimensionIndexValues = [int(NUMBER), 1]
        group.PixelValueTransformationSequence[0].RescaleType = TEXT
    for shared in dataset.get("SharedFunctionalGroupsSequence") or []:
        for name in ("MRImageFrameTypeSequence", "CTImageFrameTypeSequence"):
            if name in shared:
                shared[name].value[0].FrameType = ["ORIGINAL", "PRIMARY", TEXT, TEXT]
    dataset.AcquisitionDateTime = DATE + TIME


def _charset(name: str, coding: str, value: str) -> Place:
    def plant(dataset: Dataset) -> None:
        put_raw(dataset, 0x00080005, "CS", name.encode())
        for tag, vr in ((0x00100010, "PN"), (0x00081030, "LO"), (0x00104000, "LT"), (0x00180015, "CS")):
            put_raw(dataset, tag, vr, (value + TEXT).encode(coding))

    return plant


def _everywhere_padding(dataset: Dataset) -> None:
    for tag, vr, value in ((0x00180050, "DS", "4"), (0x00080070, "LO", "SIEMENS"), (0x00200013, "IS", "7")):
        put_raw(dataset, tag, vr, value.encode() + b"\0\0" + TEXT.encode())


def _old_overlay_bits(dataset: Dataset) -> None:
    """An overlay in the unused bits of a few rows, and bytes behind the last pixel."""
    array = np.frombuffer(dataset.PixelData, "<u2").copy()
    bits = np.unpackbits(np.frombuffer(TEXT.encode() * 4, np.uint8)).astype(np.uint16)
    array[: len(bits)] |= bits << 15
    dataset.PixelData = array.tobytes() + TEXT.encode()


PLACES: dict[str, Place] = {
    **{f"text in {keyword}": _bytes(keyword, TEXT) for keyword in _TEXTS},
    **{f"date in {keyword}": _bytes(keyword, DATE) for keyword in _DATES},
    **{f"time in {keyword}": _bytes(keyword, f"{TIME}.123456") for keyword in _TIMES},
    **{f"moment in {keyword}": _bytes(keyword, f"{DATE}{TIME}.5+0100") for keyword in _MOMENTS},
    **{f"UID in {keyword}": _bytes(keyword, UID) for keyword in _UIDS},
    **{f"number in {keyword}": _bytes(keyword, NUMBER) for keyword in _NUMBERS},
    "third value of ImageType": _set("ImageType", ["ORIGINAL", "PRIMARY", TEXT]),
    "fifth value of ImageType": _set("ImageType", ["ORIGINAL", "PRIMARY", "M", "ND", TEXT]),
    "second value of ScanOptions": _set("ScanOptions", ["FS", TEXT]),
    "second value of ConvolutionKernel": _set("ConvolutionKernel", ["B30s", TEXT]),
    "the patient's own name in descriptions": _several(
        PatientName=f"{TEXT}^Max", SeriesDescription=f"t2 sag {TEXT}", StudyDescription=f"MRI of {TEXT}"
    ),
    "the patient's own number in descriptions": _several(
        PatientID=NUMBER, SeriesDescription=f"t2 {NUMBER}", StationName=NUMBER, AcquisitionNumber=NUMBER
    ),
    "the patient's own birth date in descriptions": _several(
        PatientBirthDate=DATE, SeriesDescription=f"*{DATE}", ContentDate=DATE, AcquisitionNumber=DATE
    ),
    "other patient ids": _set("OtherPatientIDsSequence", sequence(_identity())),
    "request": _set("RequestAttributesSequence", sequence(_identity())),
    "referenced study": _in_items("ReferencedStudySequence"),
    "referenced image": _in_items("ReferencedImageSequence"),
    "source image": _in_items("SourceImageSequence"),
    "a sequence of codes": _set("AnatomicRegionSequence", sequence(item(CodeValue=NUMBER, CodeMeaning=TEXT))),
    "a listed sequence, twelve deep": _deep("RequestAttributesSequence"),
    "a kept sequence, twelve deep": _deep("ReferencedImageSequence"),
    "an unlisted sequence": _in_items("ContributingEquipmentSequence"),
    "content of a report": lambda d: d.add_new(0x0040A730, "SQ", sequence(item(TextValue=TEXT, UID=UID, Date=DATE))),
    "private": _private,
    "private, CSA": _csa,
    "private, unknown representation": _private_unknown,
    "overlay": _overlay,
    "curve": _curve,
    "waveform and annotations": _waveform,
    "signature and encrypted attributes": _signature,
    "icon": _icon,
    "functional groups": _frame_groups,
    "kept words of functional groups": _frame_words,
    "unknown public element": lambda d: d.add_new(0x00189FFF, "UN", TEXT.encode()),
    "unknown public element with text": lambda d: d.add_new(0x00109ABC, "LO", TEXT),
    "kept element as UN": _raw(0x00180015, "UN", TEXT),
    "retired element": lambda d: d.add_new(0x00084000, "LT", TEXT),
    "padding": lambda d: d.add_new(0xFFFCFFFC, "OB", TEXT.encode()),
    "padding of values": _everywhere_padding,
    "document": lambda d: d.add_new(0x00420011, "OB", TEXT.encode()),
    "palette": lambda d: d.add_new(0x00281201, "OW", TEXT.encode()),
    "names in Latin 1": _charset("ISO_IR 100", "latin-1", "Düsentrieb^"),
    "names in UTF-8": _charset("ISO_IR 192", "utf-8", "Düsentrieb^山田^"),
    "names in Cyrillic": _charset("ISO_IR 144", "iso8859-5", "Люкceмбypг^"),
    "names in Japanese": _charset("\\ISO 2022 IR 87", "iso2022_jp", "山田^"),
    "names in GB18030": _charset("GB18030", "gb18030", "王^"),
    "names in an unknown character set": _charset(TEXT, "utf-8", "é"),
    "a character set that is a name": _raw(0x00080005, "CS", TEXT),
    "text where numbers belong": _raw(0x00180050, "DS", TEXT),
    "text behind a number": _raw(0x00180050, "DS", f"4 {TEXT}"),
    "text where a date belongs": _raw(0x00080022, "DA", TEXT),
    "text where a time belongs": _raw(0x00080032, "TM", TEXT),
    "text behind a time": _raw(0x00080032, "TM", f"101112.{TEXT}"),
    "text behind a date": _raw(0x00080022, "DA", f"20210310{TEXT}"),
    "text where a UID belongs": _raw(0x00200052, "UI", TEXT),
    "text with another coding": _raw(0x00180050, "LO", TEXT),
    "a number as text": _raw(0x00180050, "LO", NUMBER),
    "old overlay in the pixels' bits, bytes behind the pixels": _old_overlay_bits,
}  # fmt: skip


def meta(dataset: Dataset) -> bytes:
    """Titles, private information and another instance UID in the file meta information."""
    data = file_bytes(dataset)
    head, body = data[:132], data[132:]
    ends = 132
    more = element(2, 0x0016, "AE", b"Zephyrinus") + element(2, 0x0100, "UI", UID.encode())
    more += element(2, 0x0102, "OB", TEXT.encode())
    pos = 0
    while body[pos : pos + 2] == b"\2\0":
        long = body[pos + 4 : pos + 6] == b"OB"
        size = (
            struct.unpack_from("<L", body, pos + 8)[0] + 12 if long else struct.unpack_from("<H", body, pos + 6)[0] + 8
        )
        pos += size
    assert data[:ends] == head
    return head + body[:pos] + more + body[pos:]


def trailer(dataset: Dataset) -> bytes:
    """Elements, an archive and text behind the pixels."""
    return file_bytes(dataset) + element(0xFFFC, 0xFFFC, "OB", TEXT.encode()) + b"PK\3\4" + TEXT.encode() * 9


def marked(dataset: Dataset) -> bytes:
    """Comment and application markers in JPEG-LS frames, text behind each codestream."""
    frames = []
    for n in range(int(dataset.get("NumberOfFrames", 1))):
        coded = bytes(jpeg_ls.encode_array(picture(seed=n)))
        comment = b"\xff\xfe" + struct.pack(">H", 2 + len(TEXT)) + TEXT.encode()
        application = b"\xff\xe1" + struct.pack(">H", 2 + len(TEXT)) + TEXT.encode()
        frames.append(coded[:2] + comment + application + coded[2:] + TEXT.encode())
    return file_bytes(compressed(dataset, *frames), JPEG_LS)


def offset_table(dataset: Dataset) -> bytes:
    """Text in the basic offset table, and a fragment more than there are frames."""
    frames = [bytes(jpeg_ls.encode_array(picture(seed=n))) for n in range(int(dataset.get("NumberOfFrames", 1)))]
    dataset.ExtendedOffsetTable = struct.pack("<Q", 0) * len(frames)
    return file_bytes(compressed(dataset, *frames), JPEG_LS)


FILES: dict[str, Callable[[Dataset], bytes]] = {
    "file meta information": meta,
    "preamble": lambda d: file_bytes(d, preamble=(TEXT * 13).encode()[:128]),
    "bytes behind the data set": trailer,
    "markers and tails of codestreams": marked,
    "offset table": offset_table,
    "implicit": lambda d: _named(d, IMPLICIT),
    "deflated": lambda d: deflated(_named(d, EXPLICIT), tail=TEXT.encode()),
}


def _named(dataset: Dataset, syntax: str) -> bytes:
    _private(dataset)
    _signature(dataset)
    dataset.PatientName, dataset.PatientComments = TEXT, TEXT
    return file_bytes(dataset, syntax)


def _object(sop_class: str, modality: str) -> Callable[[], bytes]:
    def build() -> bytes:
        dataset = put_pixels(mr(SOPClassUID=sop_class, Modality=modality, PatientName=TEXT), picture())
        dataset.update(_identity())
        dataset.SOPClassUID = sop_class
        dataset.EncapsulatedDocument, dataset.TextValue = TEXT.encode(), TEXT
        dataset.GraphicAnnotationSequence = sequence(item(TextObjectSequence=sequence(item(UnformattedTextValue=TEXT))))
        return file_bytes(dataset)

    return build


def _directory() -> bytes:
    dataset = item(FileSetID=TEXT, SOPClassUID="1.2.840.10008.1.3.10", SOPInstanceUID=UID)
    dataset.DirectoryRecordSequence = sequence(_identity(), item(ReferencedFileID=["DICOM", TEXT]))
    data = file_bytes(dataset)
    at = data.index(struct.pack("<HH", 8, 0x16))  # a directory has no SOP class in its data set
    return data[:at] + data[at + 8 + struct.unpack_from("<H", data, at + 6)[0] :]


OBJECTS: dict[str, Callable[[], bytes]] = {
    "structured report": _object("1.2.840.10008.5.1.4.1.1.88.33", "SR"),
    "dose report": _object("1.2.840.10008.5.1.4.1.1.88.67", "SR"),
    "key objects": _object("1.2.840.10008.5.1.4.1.1.88.59", "KO"),
    "presentation state": _object("1.2.840.10008.5.1.4.1.1.11.1", "PR"),
    "document": _object("1.2.840.10008.5.1.4.1.1.104.1", "DOC"),
    "clinical document": _object("1.2.840.10008.5.1.4.1.1.104.2", "DOC"),
    "waveform": _object("1.2.840.10008.5.1.4.1.1.9.1.1", "ECG"),
    "screenshot": _object("1.2.840.10008.5.1.4.1.1.7", "OT"),
    "raw data": _object("1.2.840.10008.5.1.4.1.1.66", "MR"),
    "spectroscopy": _object("1.2.840.10008.5.1.4.1.1.4.2", "MR"),
    "directory": _directory,
}
