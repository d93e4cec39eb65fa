"""A de-identified instance as a DICOM file."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID
from pydicom.valuerep import DSfloat

from annotation.dicom.codec import JPEG_LS_LOSSLESS

# A UUID of our own, drawn once; it names the program that wrote the file, not the scanner.
IMPLEMENTATION = "2.25.207184302906184327391038871512905542713"


def part10(header: Mapping[str, Any], frames: Sequence[bytes]) -> bytes:
    """Write header and stored frames as one DICOM file.

    Parameters
    ----------
    header : mapping
        ``Taken.header``.
    frames : sequence of bytes
        ``Taken.frames``, all of them.

    Returns
    -------
    bytes
        JPEG-LS lossless, explicit little endian; preamble of zeros, file meta information made anew without titles of
        sender or source, nothing behind the pixel data.
    """
    dataset = Dataset.from_json(_writable(header))
    dataset.PixelData = encapsulate(list(frames))
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(JPEG_LS_LOSSLESS)
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.ImplementationClassUID = UID(IMPLEMENTATION)
    dataset.file_meta = meta
    out = io.BytesIO()
    dcmwrite(out, dataset, enforce_file_format=True)
    return out.getvalue()


def _writable(header: Mapping[str, Any]) -> dict[str, Any]:
    """Cut decimals to the 16 characters a DS may have; the JSON model has no such limit."""
    out: dict[str, Any] = {}
    for tag, element in header.items():
        values = element.get("Value")
        if values and element["vr"] == "SQ":
            element = {"vr": "SQ", "Value": [_writable(item) for item in values]}
        elif values and element["vr"] == "DS":
            element = {"vr": "DS", "Value": [float(str(DSfloat(v, auto_format=True))) for v in values]}
        out[tag] = element
    return out
