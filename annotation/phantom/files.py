"""Write a phantom as a hospital would export it: two makers' ways, identities all over the header.

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
from pydicom.pixels.encoders.base import get_encoder
from pydicom.pixels.utils import as_pixel_options
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, JPEGLSLossless, MRImageStorage, RLELossless

from . import wire
from .canvas import SlicePlane
from .enhanced import decimal, enhanced
from .makers import (
    ORDER,
    REMARK,
    TIMING,
    bandwidth_hz,
    described,
    echo_ms,
    equipment,
    inversion_ms,
    writes_enhanced,
)
from .person import Identity
from .scan import Phantom
from .session import PhantomSeries

_SYNTAX = {("south", "CT_POST"): JPEGLSLossless, ("south", "AX_T2"): RLELossless}
SECONDS_A_SERIES = 90


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


@dataclass(frozen=True)
class _Run:
    """One series at its place in a visit."""

    visit: _Visit
    number: int
    series: PhantomSeries

    @property
    def start(self) -> datetime:
        return self.visit.start + timedelta(seconds=SECONDS_A_SERIES * self.number)


def write_dicom(phantom: Phantom, *, identity: Identity, folder: Path) -> int:
    """Write every series below ``folder`` and return the number of files.

    The files lie as ``P<number>/ST00n/SE00n/IM000n`` without extension; MR and CT are two studies of one patient.
    """
    written = 0
    patient = folder / f"P{identity.patient_id}"
    for place, modality in enumerate(("MR", "CT")):
        visit = _visit(identity, modality)
        chosen = [series for series in phantom.series if _modality(series) == modality]
        whose = _whose(phantom, visit, identity)
        # the same in every file of the visit: turned into bytes once
        header = wire.encoded(whose)
        for number, series in enumerate(sorted(chosen, key=lambda s: ORDER.index(s.role)), start=1):
            target = patient / f"ST{place:03d}" / f"SE{number:03d}"
            target.mkdir(parents=True, exist_ok=True)
            common = _common(phantom, _Run(visit, number, series), identity)
            written += _write_series(phantom, _Run(visit, number, series), (whose, header), common, target)
    return written


def _modality(series: PhantomSeries) -> str:
    return "CT" if series.role.startswith("CT") else "MR"


def _uid(*parts: object) -> UID:
    """Return a UID under the 2.25 root from whatever names the thing."""
    digest = sha256("|".join(str(part) for part in parts).encode()).digest()
    return UID(f"2.25.{int.from_bytes(digest[:16], 'big')}")


def _visit(identity: Identity, modality: str) -> _Visit:
    day = identity.mr_date if modality == "MR" else identity.injection_date
    seconds = int.from_bytes(sha256((identity.patient_id + modality).encode()).digest()[:4], "big") % 32400
    start = datetime(day.year, day.month, day.day, 7, 30) + timedelta(seconds=seconds)  # noqa: DTZ001 - DICOM times are local
    text = {"MR": "MRI LWS nativ", "CT": "CT Infiltration LWS bds (Pars)"}[modality]
    return _Visit(
        modality, _uid(identity.patient_id, modality, day), _uid(identity.patient_id, modality, "frame"), day, start,
        identity.accession_mr if modality == "MR" else identity.accession_ct, text,
    )  # fmt: skip


def _whose(phantom: Phantom, visit: _Visit, identity: Identity) -> Dataset:
    """What every file of a visit says: patient, study, scanner."""
    found = Dataset()
    _patient(found, identity)
    _study(found, visit, identity)
    _equipment(found, phantom, visit, identity)
    return found


def _common(phantom: Phantom, run: _Run, identity: Identity) -> Dataset:
    """What every file of a series says beside that."""
    found = Dataset()
    _series(found, phantom, run)
    (_mr if run.visit.modality == "MR" else _ct)(found, phantom, run.series, identity)
    _pixel_module(found, run.series)
    return found


def _write_series(
    phantom: Phantom, run: _Run, whose: tuple[Dataset, wire.Elements], common: Dataset, target: Path
) -> int:
    series, visit = run.series, run.visit
    syntax = _SYNTAX.get((phantom.vendor, series.role), ExplicitVRLittleEndian)
    if writes_enhanced(visit.modality, phantom.vendor, phantom.field_strength_t) and series.role != "LOC":
        whole = _instance(run, 1, series.planes[0], series.pixels)
        whole.update(whose[0])
        whole.update(common)
        enhanced(whole, series, phantom.vendor, phantom.field_strength_t)
        if syntax != ExplicitVRLittleEndian:
            whole.compress(syntax, generate_instance_uid=False)
        whole.save_as(target / "IM0001", enforce_file_format=True)
        return 1
    _write_slices(run, whose[1], common, syntax, target, upwards=phantom.vendor == "north")
    return len(series.planes)


def _write_slices(
    run: _Run, header: wire.Elements, common: Dataset, syntax: UID, target: Path, *, upwards: bool
) -> None:
    """Write one file a slice; makers number them in either direction, the file name says nothing about the place."""
    series, count = run.series, len(run.series.planes)
    first = _instance(run, 1, series.planes[0], series.pixels[0])
    first.update(common)
    first.file_meta.TransferSyntaxUID = syntax
    shared, meta = header | wire.encoded(first), wire.encoded_meta(first.file_meta)
    plain = syntax == ExplicitVRLittleEndian
    numbers = range(1, count + 1) if upwards else range(count, 0, -1)
    for number, plane, pixels in zip(numbers, series.planes, series.pixels, strict=True):
        own = _varying(run, number, plane)
        stored = pixels.tobytes() if plain else _compressed(first, pixels, syntax)
        elements = shared | wire.texts(own) | wire.pixels(stored, compressed=not plain)
        wire.write(target / f"IM{number:04d}", meta, elements, uid=own["SOPInstanceUID"])


def _compressed(like: Dataset, pixels: NDArray[Any], syntax: UID) -> bytes:
    return get_encoder(syntax).encode(np.ascontiguousarray(pixels), **as_pixel_options(like))


def _instance(run: _Run, number: int, plane: SlicePlane, pixels: NDArray[Any]) -> FileDataset:
    visit = run.visit
    storage = MRImageStorage if visit.modality == "MR" else CTImageStorage
    own = _varying(run, number, plane)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = storage
    meta.MediaStorageSOPInstanceUID = UID(own["SOPInstanceUID"])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.SourceApplicationEntityTitle = f"{visit.modality}AWP01"
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID = storage
    data.AcquisitionNumber = 1
    data.ContentDate = data.AcquisitionDate = data.InstanceCreationDate = visit.day.strftime("%Y%m%d")
    for keyword, text in own.items():
        setattr(data, keyword, text)
    data.PixelSpacing = [decimal(v) for v in plane.spacing_rc_mm]
    data.PixelData = np.ascontiguousarray(pixels).tobytes()
    data["PixelData"].VR = "OW"
    return data


def _varying(run: _Run, number: int, plane: SlicePlane) -> dict[str, str]:
    """What differs from slice to slice, as the texts that stand in the file."""
    moment = run.start + timedelta(seconds=min(2 * number, SECONDS_A_SERIES - 5))
    normal = np.cross(plane.row_lps, plane.column_lps)
    clock = moment.strftime("%H%M%S.%f")
    return {
        "SOPInstanceUID": str(_uid(run.visit.uid, run.number, number)),
        "InstanceNumber": str(number),
        "ContentTime": clock,
        "AcquisitionTime": clock,
        "InstanceCreationTime": clock,
        "ImagePositionPatient": _texts(plane.position_lps_mm),
        "ImageOrientationPatient": _texts(plane.row_lps + plane.column_lps),
        "SliceLocation": _texts((float(normal @ np.asarray(plane.position_lps_mm)),)),
    }


def _texts(values: tuple[float, ...]) -> str:
    return "\\".join(str(decimal(value)) for value in values)


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
    data.PatientAddress = f"Musterweg {sum(identity.patient_id.encode()) % 90 + 1}, 8999 Oberwil"
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
    data.Manufacturer, data.ManufacturerModelName, data.SoftwareVersions = equipment(
        visit.modality, phantom.vendor, phantom.field_strength_t
    )
    data.InstitutionName = identity.institution
    data.InstitutionAddress = "Hügelstrasse 12, 8999 Oberwil"
    data.InstitutionalDepartmentName = "Radiologie"
    data.StationName = identity.station.replace("MR", visit.modality)
    data.DeviceSerialNumber = identity.station[-5:]


def _series(data: Dataset, phantom: Phantom, run: _Run) -> None:
    visit, series = run.visit, run.series
    data.Modality = visit.modality
    data.SeriesInstanceUID = _uid(visit.uid, "series", run.number)
    data.SeriesNumber = run.number
    data.SeriesDate = visit.day.strftime("%Y%m%d")
    data.SeriesTime = run.start.strftime("%H%M%S.%f")
    data.SeriesDescription = described(phantom.vendor, series)
    data.ProtocolName = data.SeriesDescription
    data.BodyPartExamined = "LSPINE"
    data.FrameOfReferenceUID = visit.frame_uid
    data.PositionReferenceIndicator = ""
    data.SliceThickness = decimal(series.thickness_mm)
    data.WindowWidth, data.WindowCenter = (decimal(value) for value in series.window)


def _mr(data: Dataset, phantom: Phantom, series: PhantomSeries, identity: Identity) -> None:
    _, tr, _, train, sequence = TIMING[series.role]
    north = phantom.vendor == "north"
    kind = ["ORIGINAL", "PRIMARY", "M", "NORM", "DIS2D"] if north else ["ORIGINAL", "PRIMARY", "M_SE", "M", "SE"]
    data.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER", "M"] if series.role == "LOC" else kind
    data.ScanningSequence = sequence
    data.SequenceVariant = ["SK", "SP", "OSP"] if north else "SK"
    data.ScanOptions = "SAT1" if north else "OTHER"
    data.MRAcquisitionType = "2D"
    data.SequenceName = f"*tse2d1_{train}" if north else "TSE"
    data.EchoTime, data.RepetitionTime = decimal(echo_ms(phantom.vendor, series.role)), decimal(tr)
    inversion = inversion_ms(series.role, phantom.field_strength_t)
    if inversion is not None:
        data.InversionTime = decimal(inversion)
    data.EchoTrainLength, data.EchoNumbers, data.NumberOfAverages = train, 1, "2"
    data.MagneticFieldStrength = decimal(phantom.field_strength_t)
    data.ImagingFrequency = decimal(42.577 * phantom.field_strength_t)
    data.ImagedNucleus = "1H"
    data.SpacingBetweenSlices = decimal(series.step_mm)
    data.FlipAngle, data.PixelBandwidth = "150", str(bandwidth_hz(phantom.field_strength_t))
    data.PatientPosition = "HFS"
    data.InPlanePhaseEncodingDirection = "COL" if series.role.startswith("SAG") else "ROW"
    data.AngioFlag = "N"
    _private(data, phantom, identity)


def _ct(data: Dataset, phantom: Phantom, series: PhantomSeries, identity: Identity) -> None:
    north = phantom.vendor == "north"
    data.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER" if series.role == "CT_SCOUT" else "AXIAL"]
    data.KVP, data.XRayTubeCurrent, data.ExposureTime = "120", 85, 500
    data.ConvolutionKernel = "B60s" if north else "D"
    data.GantryDetectorTilt = "0"
    data.TableHeight = "152.5"
    data.SpacingBetweenSlices = decimal(series.step_mm)
    data.RotationDirection = "CW"
    data.PatientPosition = "HFP" if north else "FFP"
    data.RescaleType = "HU"
    if series.role == "CT_POST":
        data.ContrastBolusAgent = "Iopamiro 300, 0.5 ml li/re"
        data.ContrastBolusRoute = "intraartikulaer / peridural"
    _private(data, phantom, identity)


def _private(data: Dataset, phantom: Phantom, identity: Identity) -> None:
    """Private elements as makers write them, with the patient's name inside, for the intake to drop."""
    if phantom.vendor == "north":
        block = data.private_block(0x0029, "NORTH CONSOLE HEADER", create=True)
        block.add_new(0x10, "OB", b"SV10\x04\x03\x02\x01" + identity.name.encode("latin-1", "replace") + b"\0" * 32)
    else:
        block = data.private_block(0x2005, "South Imaging DD 001", create=True)
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
    if series.role.startswith("CT") or series.rescale != (1.0, 0.0):
        data.RescaleSlope, data.RescaleIntercept = (decimal(value) for value in series.rescale)
