"""A cohort of invented patients as a hospital's archive would export it: CT and MR, uncompressed, with noise.

Everything follows from the seed. The pictures are blurred bodies under the noise of a scanner, since what a file costs
depends on how well its pixels can be coded, not on what they show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, EnhancedCTImageStorage, ExplicitVRLittleEndian, MRImageStorage

SEED = 20250730
ROOT_UID = "1.2.276.0.98.8"
CT_SLICES, MR_SLICES = 40, 24
CT_SERIES = ("Nativ", "nach KM")
MR_SERIES = (
    ("t2_tse_sag", 512, (3600.0, 98.0, None), True),
    ("t1_tse_sag", 448, (620.0, 9.6, None), True),
    ("t2_tirm_sag", 320, (4300.0, 56.0, 220.0), True),
    ("t2_tse_tra", 384, (4100.0, 104.0, None), False),
    ("t1_tse_tra", 448, (640.0, 11.0, None), False),
)
FILES_OF_ONE = CT_SLICES * len(CT_SERIES) + MR_SLICES * len(MR_SERIES)


Plane = NDArray[np.float32]


@dataclass(frozen=True)
class Slice:
    """What one file is."""

    patient: int
    modality: str
    series: int
    name: str
    number: int
    size: int
    timing: tuple[float, float, float | None]
    sagittal: bool


def slices(patient: int) -> Iterator[Slice]:
    for series, name in enumerate(CT_SERIES, 1):
        for number in range(1, CT_SLICES + 1):
            yield Slice(patient, "CT", series, name, number, 512, (0.0, 0.0, None), False)
    for series, (name, size, timing, sagittal) in enumerate(MR_SERIES, 1):
        for number in range(1, MR_SLICES + 1):
            yield Slice(patient, "MR", series, name, number, size, timing, sagittal)


def write(folder: Path, patients: int) -> int:
    """Write the cohort below `folder` unless it lies there; gives the number of files."""
    done = folder / "whole"
    if not done.exists():
        with ProcessPoolExecutor(2) as both:
            list(both.map(_patient, [folder / "dicom"] * patients, range(1, patients + 1)))
        done.write_text("yes")
    return patients * FILES_OF_ONE


def long_series(folder: Path, count: int) -> None:
    """One CT series of so many thin slices of 256 x 256."""
    folder.mkdir(parents=True)
    first = Slice(1, "CT", 1, "duenn", 1, 256, (0.0, 0.0, None), False)
    pixels = _pixels(first, np.random.default_rng(SEED))
    for number in range(1, count + 1):
        one = replace(first, number=number)
        _file(one, np.roll(pixels, number, 0)).save_as(folder / f"IM{number:05d}", enforce_file_format=True)


def enhanced(folder: Path, frames: int) -> None:
    """One enhanced CT object of so many frames of 512 x 512."""
    folder.mkdir(parents=True)
    slices = [Slice(2, "CT", 1, "volume", number, 512, (0.0, 0.0, None), False) for number in range(1, frames + 1)]
    pixels = [_pixels(replace(one, number=one.number % 40), np.random.default_rng(one.number)) for one in slices]
    data = _file(slices[0], pixels[0])
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = EnhancedCTImageStorage
    for keyword in (*_where(slices[0]), "RescaleIntercept", "RescaleSlope", "RescaleType", "KVP"):
        delattr(data, keyword)
    data.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    data.SharedFunctionalGroupsSequence = [
        _group(
            PixelMeasuresSequence=_group(PixelSpacing=[0.55, 0.55], SliceThickness=4.0),
            PlaneOrientationSequence=_group(ImageOrientationPatient=[1, 0, 0, 0, 1, 0]),
            PixelValueTransformationSequence=_group(RescaleIntercept=-1024, RescaleSlope=1, RescaleType="HU"),
            CTImageFrameTypeSequence=_group(FrameType=data.ImageType),
        )
    ]
    data.PerFrameFunctionalGroupsSequence = [
        _group(
            PlanePositionSequence=_group(ImagePositionPatient=_where(one)["ImagePositionPatient"]),
            FrameContentSequence=_group(InStackPositionNumber=one.number, StackID="1"),
        )
        for one in slices
    ]
    data.NumberOfFrames = frames
    data.PixelData = b"".join(one.astype("<u2").tobytes() for one in pixels)
    data.save_as(folder / "IM0001", enforce_file_format=True)


def _group(**elements: Any) -> Dataset:
    group = Dataset()
    for keyword, value in elements.items():
        setattr(group, keyword, [value] if keyword.endswith("Sequence") else value)
    return group


def _patient(folder: Path, patient: int) -> None:
    write_patient(folder, patient)


def write_patient(folder: Path, patient: int, *, only: Mapping[str, int] | None = None) -> None:
    """Write one patient's files; `only` says how many series of each modality."""
    for place, one in enumerate(slices(patient)):
        if only is not None and one.series > only[one.modality]:
            continue
        home = folder / f"P{patient:03d}" / one.modality / f"S{one.series}"
        home.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng([SEED, patient, place])
        # No ending, as on a medium.
        _file(one, _pixels(one, rng)).save_as(home / f"IM{one.number:04d}", enforce_file_format=True)


def _pixels(one: Slice, rng: np.random.Generator) -> NDArray[np.uint16]:
    size, level = one.size, one.number / 40
    place: Plane = ((np.mgrid[0:size, 0:size] / size - 0.5) * 2).astype(np.float32)
    y, x = place
    body = _edge(1 - (x / 0.86) ** 2 - (y / 0.62) ** 2, 0.02)
    fat = _edge(1 - (x / 0.78) ** 2 - (y / 0.52) ** 2, 0.02)
    bone = _edge(1 - ((x - 0.02 * level) / 0.17) ** 2 - ((y - 0.12) / 0.15) ** 2, 0.03)
    kidneys = _edge(1 - ((abs(x) - 0.42) / 0.14) ** 2 - ((y - 0.08 * level) / 0.2) ** 2, 0.05)
    # What a reconstruction leaves of the noise is smooth over a pixel or two.
    noise: NDArray[Any] = rng.standard_normal((size, size), dtype=np.float32)
    noise = (
        np.asarray(noise + np.roll(noise, 1, 0) + np.roll(noise, 1, 1) + np.roll(noise, (1, 1), (0, 1)), np.float32) / 2
    )
    if one.modality == "CT":
        hu = -1000 + 900 * body + 150 * fat + 260 * bone + 60 * kidneys + (4 + 8 * body) * noise
        return _stored(hu + 1024)
    signal = 700 * body - 430 * fat + 180 * bone + 160 * kidneys
    return _stored(np.hypot(signal + 14 * noise, 14 * np.roll(noise, size // 3, 0)))


def _stored(values: NDArray[Any]) -> NDArray[np.uint16]:
    stored: NDArray[np.uint16] = np.clip(np.rint(values), 0, 4095).astype(np.uint16)
    return stored


def _edge(inside: Plane, width: float) -> Plane:
    edge: Plane = np.clip(inside / width, 0, 1)
    return edge


def _file(one: Slice, pixels: NDArray[np.uint16]) -> FileDataset:
    ct = one.modality == "CT"
    study = f"{ROOT_UID}.{one.patient}.{1 if ct else 2}"
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage if ct else MRImageStorage
    meta.MediaStorageSOPInstanceUID = UID(f"{study}.{one.series}.{one.number}")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    for keyword, value in {**_who(one), **_where(one), **(_ct(one) if ct else _mr(one))}.items():
        setattr(data, keyword, value)
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.StudyInstanceUID, data.SeriesInstanceUID = UID(study), UID(f"{study}.{one.series}")
    data.FrameOfReferenceUID = UID(f"{study}.99")
    data.Modality, data.SeriesNumber, data.InstanceNumber = one.modality, one.series, one.number
    block = data.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    block.add_new(0x10, "OB", b"SV10\x04\x03\x02\x01" + bytes(range(256)) * 24)
    data.Rows, data.Columns = pixels.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.PixelData = pixels.astype("<u2").tobytes()
    data["PixelData"].VR = "OW"
    return data


def _who(one: Slice) -> dict[str, Any]:
    day = f"2013{one.patient % 12 + 1:02d}17"
    minute, second = divmod(one.number % 3600, 60)
    return {
        "SpecificCharacterSet": "ISO_IR 100", "PatientName": f"Mustermann{one.patient:04d}^Quirina",
        "PatientID": f"9{one.patient:07d}", "PatientBirthDate": f"19{30 + one.patient % 60}0203", "PatientSex": "F",
        "PatientAge": "047Y", "PatientWeight": "71.5", "PatientSize": "1.71", "OtherPatientNames": "Beispiel^Q",
        "StudyDate": day, "SeriesDate": day, "AcquisitionDate": day, "ContentDate": day, "StudyTime": "081513.25",
        "SeriesTime": "081613.25", "AcquisitionTime": f"08{minute:02d}{second:02d}.5", "ContentTime": "081913.5",
        "AccessionNumber": f"77{one.patient:06d}", "StudyID": f"{one.patient:05d}",
        "StudyDescription": "LWS Abklaerung", "SeriesDescription": one.name, "ProtocolName": one.name,
        "InstitutionName": "Musterspital Oberwil", "InstitutionAddress": "Huegelstrasse 12, 8999 Oberwil",
        "ReferringPhysicianName": "Doktorova^Ilse", "OperatorsName": "Operateur^O", "StationName": "AWP31234",
        "Manufacturer": "SIEMENS", "ManufacturerModelName": "Modell", "DeviceSerialNumber": "31234",
        "SoftwareVersions": "syngo MR E11", "BodyPartExamined": "LSPINE", "PatientPosition": "HFS",
    }  # fmt: skip


def _where(one: Slice) -> dict[str, Any]:
    spacing = 280.0 / one.size
    step = 4.0 * (one.number - 1)
    across = [-48.0 + step, -140.0, 140.0] if one.sagittal else [-140.0, -140.0, 60.0 - step]
    return {
        "ImageOrientationPatient": [0, 1, 0, 0, 0, -1] if one.sagittal else [1, 0, 0, 0, 1, 0],
        "ImagePositionPatient": across, "PixelSpacing": [spacing, spacing], "SliceThickness": 4.0,
        "SpacingBetweenSlices": 4.0, "SliceLocation": step, "WindowCenter": 500, "WindowWidth": 1000,
    }  # fmt: skip


def _ct(one: Slice) -> dict[str, Any]:
    return {
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "KVP": 120, "XRayTubeCurrent": 85, "ExposureTime": 500,
        "ConvolutionKernel": "B30s", "RescaleIntercept": -1024, "RescaleSlope": 1, "RescaleType": "HU",
        **({"ContrastBolusAgent": "Kontrastmittel"} if one.series > 1 else {}),
    }  # fmt: skip


def _mr(one: Slice) -> dict[str, Any]:
    repetition, echo, inversion = one.timing
    return {
        "ImageType": ["ORIGINAL", "PRIMARY", "M", "NORM", "DIS2D"], "ScanningSequence": "SE", "SequenceVariant": "SK",
        "MRAcquisitionType": "2D", "RepetitionTime": repetition, "EchoTime": echo, "EchoTrainLength": 15,
        "FlipAngle": 150, "MagneticFieldStrength": 1.5, "ImagedNucleus": "1H", "NumberOfAverages": 2,
        "PixelBandwidth": 220,
        **({"InversionTime": inversion, "ScanningSequence": ["SE", "IR"]} if inversion else {}),
    }  # fmt: skip
