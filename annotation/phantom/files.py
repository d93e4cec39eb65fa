"""Write a phantom as a hospital would export it: single-frame DICOM, two makers' ways, identities all over the header.

Everything here is invented. The remark that a file is synthetic stands only where de-identification drops it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element, write_file_meta_info
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, JPEGLSLossless, MRImageStorage, RLELossless

from .canvas import SlicePlane
from .person import Identity
from .scan import Phantom, PhantomSeries

REMARK = "SYNTHETIC PHANTOM - computed picture, no person"

_DESCRIPTIONS = {
    "siemens": {
        "SAG_T1": "t1_tse_sag", "SAG_T2": "t2_tse_sag", "SAG_STIR": "t2_tirm_sag_fs", "AX_T2": "t2_tse_tra L3-S1",
        "CT_PRE": "LWS nativ 2.0 B60s", "CT_POST": "LWS nach KM li/re 2.0 B60s",
    },
    "philips": {
        "SAG_T1": "sT1W_TSE SAG", "SAG_T2": "T2W_TSE_sag", "SAG_STIR": "STIR_longTE SAG", "AX_T2": "T2W_TSE ax discs",
        "CT_PRE": "L-spine plan, before contrast", "CT_POST": "Control post contrast both sides",
    },
}  # fmt: skip
_ORDER = {"SAG_T2": 2, "SAG_T1": 3, "SAG_STIR": 4, "AX_T2": 5, "CT_PRE": 3, "CT_POST": 6}
# TE, TR, TI (ms), echo train, sequence, variant
_TIMING = {
    "SAG_T1": (9.6, 620.0, None, 3, "SE", ["SK", "SP", "OSP"]),
    "SAG_T2": (98.0, 3600.0, None, 17, "SE", ["SK", "SP", "OSP"]),
    "SAG_STIR": (56.0, 4300.0, 220.0, 15, ["SE", "IR"], ["SK", "SP", "OSP"]),
    "AX_T2": (104.0, 4100.0, None, 19, "SE", ["SK", "SP", "OSP"]),
}
_MAKER = {
    ("MR", "siemens", 1.5): ("SIEMENS", "MAGNETOM Avanto Fit", "syngo MR E11"),
    ("MR", "siemens", 3.0): ("SIEMENS", "MAGNETOM Skyra Fit", "syngo MR E11"),
    ("MR", "philips", 1.5): ("Philips Medical Systems", "Ingenia", "5.4.1"),
    ("MR", "philips", 3.0): ("Philips Medical Systems", "Achieva dStream", "5.4.1"),
    ("CT", "siemens", 0.0): ("SIEMENS", "SOMATOM Definition AS", "syngo CT VA48A"),
    ("CT", "philips", 0.0): ("Philips", "Brilliance 64", "4.1.3"),
}
_SYNTAX = {("philips", "CT_POST"): JPEGLSLossless, ("philips", "AX_T2"): RLELossless}


@dataclass(frozen=True)
class _Visit:
    """One study as the scanner's console knows it."""

    modality: str
    uid: UID
    frame_uid: UID
    day: date
    start: datetime
    accession: str
    description: str


def write_dicom(phantom: Phantom, *, identity: Identity, folder: Path) -> int:
    """Write every series below ``folder`` and return the number of files.

    The files lie as ``P<number>/ST00n/SE00n/IM000n`` without extension; MR and CT are two studies of one patient.
    """
    written = 0
    patient = folder / f"P{identity.patient_id}"
    for place, modality in enumerate(("MR", "CT")):
        visit = _visit(phantom, identity, modality)
        chosen = [series for series in phantom.series if _modality(series) == modality]
        for series in sorted(chosen, key=lambda s: _ORDER[s.role]):
            target = patient / f"ST{place:03d}" / f"SE{_ORDER[series.role]:03d}"
            target.mkdir(parents=True, exist_ok=True)
            written += _write_series(phantom, series, visit, identity, target)
    return written


def _modality(series: PhantomSeries) -> str:
    return "CT" if series.role.startswith("CT") else "MR"


def _uid(*parts: object) -> UID:
    """Return a UID under the 2.25 root from whatever names the thing."""
    digest = sha256("|".join(str(part) for part in parts).encode()).digest()
    return UID(f"2.25.{int.from_bytes(digest[:16], 'big')}")


def _visit(phantom: Phantom, identity: Identity, modality: str) -> _Visit:
    day = identity.mr_date if modality == "MR" else identity.injection_date
    seconds = int.from_bytes(sha256((identity.patient_id + modality).encode()).digest()[:4], "big") % 32400
    start = datetime(day.year, day.month, day.day, 7, 30) + timedelta(seconds=seconds)  # noqa: DTZ001 - DICOM times are local
    text = {"MR": "MRI LWS nativ", "CT": "CT Infiltration LWS bds (Pars)"}[modality]
    return _Visit(
        modality, _uid(identity.patient_id, modality, day), _uid(identity.patient_id, modality, "frame"), day, start,
        identity.accession_mr if modality == "MR" else identity.accession_ct, text,
    )  # fmt: skip


def _write_series(phantom: Phantom, series: PhantomSeries, visit: _Visit, identity: Identity, target: Path) -> int:
    series_uid = _uid(visit.uid, series.role)
    common = Dataset()
    _patient(common, identity)
    _study(common, visit, identity)
    _equipment(common, phantom, visit, identity)
    _series(common, phantom, series, visit, series_uid)
    (_mr if visit.modality == "MR" else _ct)(common, phantom, series, identity)
    _pixel_module(common, series)
    syntax = _SYNTAX.get((phantom.vendor, series.role), ExplicitVRLittleEndian)
    count = len(series.planes)
    # vendors number slices in either direction; the file name says nothing about the place
    numbers = range(1, count + 1) if phantom.vendor == "siemens" else range(count, 0, -1)
    shared = _encoded(common)
    for number, plane, pixels in zip(numbers, series.planes, series.pixels, strict=True):
        own = _instance(series, visit, number, plane, pixels)
        path = target / f"IM{number:04d}"
        if syntax == ExplicitVRLittleEndian:
            _save_plain(path, own, shared)
        else:
            own.update(common)
            own.compress(syntax, generate_instance_uid=False)
            own.save_as(path, enforce_file_format=True)
    return count


def _encoded(data: Dataset) -> dict[int, bytes]:
    """Every element as it stands in an explicit little endian file, by tag."""
    found: dict[int, bytes] = {}
    for element in data:
        buffer = DicomBytesIO()
        buffer.is_little_endian, buffer.is_implicit_VR = True, False
        write_data_element(buffer, element, ["latin_1"])
        found[int(element.tag)] = buffer.getvalue()
    return found


def _save_plain(path: Path, own: FileDataset, shared: dict[int, bytes]) -> None:
    """Write an uncompressed file; what a series shares was encoded once, which halves the time of a case."""
    elements = shared | _encoded(own)
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    write_file_meta_info(buffer, own.file_meta, enforce_standard=True)
    body = b"".join(elements[tag] for tag in sorted(elements))
    path.write_bytes(b"\0" * 128 + b"DICM" + buffer.getvalue() + body)


def _instance(
    series: PhantomSeries, visit: _Visit, number: int, plane: SlicePlane, pixels: NDArray[Any]
) -> FileDataset:
    storage = MRImageStorage if visit.modality == "MR" else CTImageStorage
    uid = _uid(visit.uid, series.role, number)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = storage
    meta.MediaStorageSOPInstanceUID = uid
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.SourceApplicationEntityTitle = f"{visit.modality}AWP01"
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID = storage
    data.SOPInstanceUID = uid
    moment = visit.start + timedelta(seconds=90 * _ORDER[series.role] + 2 * number)
    data.InstanceNumber = number
    data.AcquisitionNumber = 1
    data.ContentDate = data.AcquisitionDate = data.InstanceCreationDate = visit.day.strftime("%Y%m%d")
    data.ContentTime = data.AcquisitionTime = data.InstanceCreationTime = moment.strftime("%H%M%S.%f")
    data.ImagePositionPatient = [_number(v) for v in plane.position_lps_mm]
    data.ImageOrientationPatient = [_number(v) for v in plane.row_lps + plane.column_lps]
    normal = np.cross(plane.row_lps, plane.column_lps)
    data.SliceLocation = _number(float(normal @ np.asarray(plane.position_lps_mm)))
    data.PixelSpacing = [_number(v) for v in plane.spacing_rc_mm]
    data.PixelData = np.ascontiguousarray(pixels).tobytes()
    data["PixelData"].VR = "OW"
    return data


def _number(value: float) -> str:
    """Return a decimal string of at most 16 characters."""
    return f"{value:.6f}".rstrip("0").rstrip(".") or "0"


def _patient(data: Dataset, identity: Identity) -> None:
    data.SpecificCharacterSet = "ISO_IR 100"
    data.PatientName = identity.name
    data.PatientID = identity.patient_id
    data.IssuerOfPatientID = "KIS-" + identity.institution.split()[0]
    data.PatientBirthDate = identity.birth_date.strftime("%Y%m%d")
    data.PatientSex = identity.sex
    data.PatientAge = f"{identity.age:03d}Y"
    data.PatientSize = f"{identity.size_m:.2f}"
    data.PatientWeight = f"{identity.weight_kg:.1f}"
    data.OtherPatientNames = identity.name.upper()
    data.PatientAddress = f"Musterweg {int(identity.patient_id) % 90 + 1}, 8999 Oberwil"
    data.PatientComments = REMARK


def _study(data: Dataset, visit: _Visit, identity: Identity) -> None:
    data.StudyInstanceUID = visit.uid
    data.StudyID = visit.accession[-6:]
    data.StudyDate = visit.day.strftime("%Y%m%d")
    data.StudyTime = visit.start.strftime("%H%M%S.%f")
    data.AccessionNumber = visit.accession
    data.StudyDescription = visit.description
    data.ReferringPhysicianName = identity.referring
    data.PerformingPhysicianName = identity.performing
    data.OperatorsName = identity.operator
    data.RequestingPhysician = identity.referring
    data.RequestedProcedureDescription = visit.description
    family = identity.name.partition("^")[0]
    data.AdditionalPatientHistory = f"{'Frau' if identity.sex == 'F' else 'Herr'} {family}, bilaterale Spondylolyse"
    data.ImageComments = REMARK


def _equipment(data: Dataset, phantom: Phantom, visit: _Visit, identity: Identity) -> None:
    strength = phantom.field_strength_t if visit.modality == "MR" else 0.0
    data.Manufacturer, data.ManufacturerModelName, data.SoftwareVersions = _MAKER[
        visit.modality, phantom.vendor, strength
    ]
    data.InstitutionName = identity.institution
    data.InstitutionAddress = "Hügelstrasse 12, 8999 Oberwil"
    data.InstitutionalDepartmentName = "Radiologie"
    data.StationName = identity.station.replace("MR", visit.modality)
    data.DeviceSerialNumber = identity.station[-5:]


def _series(data: Dataset, phantom: Phantom, series: PhantomSeries, visit: _Visit, uid: UID) -> None:
    data.Modality = visit.modality
    data.SeriesInstanceUID = uid
    data.SeriesNumber = _ORDER[series.role]
    data.SeriesDate = visit.day.strftime("%Y%m%d")
    data.SeriesTime = (visit.start + timedelta(seconds=90 * _ORDER[series.role])).strftime("%H%M%S.%f")
    data.SeriesDescription = _DESCRIPTIONS[phantom.vendor][series.role]
    data.ProtocolName = data.SeriesDescription
    data.BodyPartExamined = "LSPINE"
    data.FrameOfReferenceUID = visit.frame_uid
    data.PositionReferenceIndicator = ""
    data.SliceThickness = _number(series.thickness_mm)
    data.WindowWidth, data.WindowCenter = (_number(value) for value in series.window)


def _mr(data: Dataset, phantom: Phantom, series: PhantomSeries, identity: Identity) -> None:
    te, tr, ti, train, sequence, variant = _TIMING[series.role]
    siemens = phantom.vendor == "siemens"
    data.ImageType = (
        ["ORIGINAL", "PRIMARY", "M", "NORM", "DIS2D"] if siemens else ["ORIGINAL", "PRIMARY", "M_SE", "M", "SE"]
    )
    data.ScanningSequence = sequence
    data.SequenceVariant = variant if siemens else "SK"
    data.ScanOptions = "SAT1" if siemens else "OTHER"
    data.MRAcquisitionType = "2D"
    data.SequenceName = f"*tse2d1_{train}" if siemens else "TSE"
    data.EchoTime, data.RepetitionTime = _number(te if siemens else te * 1.03), _number(tr)
    if ti is not None:
        data.InversionTime = _number(ti if phantom.field_strength_t > 2 else 160.0)
    data.EchoTrainLength, data.EchoNumbers, data.NumberOfAverages = train, 1, "2"
    data.MagneticFieldStrength = _number(phantom.field_strength_t)
    data.ImagingFrequency = _number(42.577 * phantom.field_strength_t)
    data.ImagedNucleus = "1H"
    data.SpacingBetweenSlices = _number(series.step_mm)
    data.FlipAngle, data.PixelBandwidth = "150", "220"
    data.PatientPosition = "HFS"
    data.InPlanePhaseEncodingDirection = "COL" if series.role.startswith("SAG") else "ROW"
    data.AngioFlag = "N"
    _private(data, phantom, identity)


def _ct(data: Dataset, phantom: Phantom, series: PhantomSeries, identity: Identity) -> None:
    siemens = phantom.vendor == "siemens"
    data.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    data.KVP, data.XRayTubeCurrent, data.ExposureTime = "120", 85, 500
    data.ConvolutionKernel = "B60s" if siemens else "D"
    data.GantryDetectorTilt = "0"
    data.TableHeight = "152.5"
    data.SpacingBetweenSlices = _number(series.step_mm)
    data.RotationDirection = "CW"
    data.PatientPosition = "HFP" if siemens else "FFP"
    data.RescaleType = "HU"
    if series.role == "CT_POST":
        data.ContrastBolusAgent = "Iopamiro 300, 0.5 ml li/re"
        data.ContrastBolusRoute = "intraartikulaer / peridural"
    _private(data, phantom, identity)


def _private(data: Dataset, phantom: Phantom, identity: Identity) -> None:
    """Private elements as makers write them, with the patient's name inside, for the intake to drop."""
    if phantom.vendor == "siemens":
        block = data.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
        block.add_new(0x10, "OB", b"SV10\x04\x03\x02\x01" + identity.name.encode("latin-1", "replace") + b"\0" * 32)
    else:
        block = data.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
        block.add_new(0x10, "LO", f"{identity.name} {identity.patient_id}"[:60])


def _pixel_module(data: Dataset, series: PhantomSeries) -> None:
    signed = series.pixels.dtype == np.int16
    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.Rows, data.Columns = series.pixels.shape[1:]
    data.BitsAllocated = 16
    data.BitsStored = 16 if signed else 12
    data.HighBit = data.BitsStored - 1
    data.PixelRepresentation = int(signed)
    if series.role.startswith("CT"):
        data.RescaleSlope, data.RescaleIntercept = (_number(value) for value in series.rescale)
