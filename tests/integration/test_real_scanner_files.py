"""Files of real scanners come in by the command, and what a reader gets are their very pixels."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from django.core.management import call_command
from numpy.typing import NDArray
from pydicom.data import get_testdata_file

from annotation import handover, store
from annotation.dicom.codec import stored_array
from annotation.dicom.metadata import frame_metadata
from annotation.models import Instance, Series, Study

pytestmark = pytest.mark.django_db

# Of pydicom itself, no download: CT and MR as stored, big endian, implicit, RLE, JPEG-LS, JPEG 2000, lossless JPEG.
SHIPPED = (
    "CT_small.dcm", "MR_small.dcm", "MR_small_bigendian.dcm", "MR_small_expb.dcm", "MR_small_implicit.dcm",
    "MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "MR_small_padded.dcm",
    "J2K_pixelrep_mismatch.dcm", "693_J2KI.dcm", "JPEG2000.dcm", "JPGExtended.dcm", "ExplVR_BigEnd.dcm",
    "image_dfl.dcm", "MR_truncated.dcm", "rtplan.dcm", "test-SR.dcm", "waveform_ecg.dcm", "SC_rgb_small_odd.dcm",
)  # fmt: skip
MUST_COME_IN = ("CT_small.dcm", "MR_small.dcm")


def data_files() -> list[Path]:
    import data_store  # type: ignore[import-untyped]

    return sorted(path for path in Path(data_store.__file__).parent.rglob("*.dcm"))


def shipped(name: str) -> Path:
    found = get_testdata_file(name, download=False)
    assert found, name
    return Path(str(found))


def take(folder: Path, paths: list[Path], *more: str) -> dict[str, Any]:
    out = folder / "out.json"
    call_command(
        "import_cohort", "--study", "REAL", "--create", "--title", "Real files", "--setting", "allow_head", "--dicom",
        *map(str, paths), "--json", str(out), *more,
    )  # fmt: skip
    document: dict[str, Any] = json.loads(out.read_text())
    return document


def pixels(path: Path) -> list[NDArray[Any]]:
    """Give the frames as pydicom decodes them: the reference."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        array = pydicom.dcmread(path, force=True).pixel_array
    return list(array) if array.ndim == 3 else [array]


def kept() -> list[tuple[Instance, list[NDArray[Any]]]]:
    found = Instance.objects.filter(series__case__patient__study__code="REAL")
    return [(one, [stored_array(store.get(f["digest"]), one.header) for f in one.frames]) for one in found]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_file_that_pydicom_ships(name: str, tmp_path: Path) -> None:
    path = shipped(name)
    document = take(tmp_path, [path])
    assert document["received"] == 1
    assert document["imported"] + len(document["refused"]) + len(document["quarantined"]) == 1
    if name in MUST_COME_IN:
        assert document["imported"] == 1, document
    for one, frames in kept():
        for stored, source in zip(frames, pixels(path), strict=True):
            assert np.array_equal(stored.astype(np.int64), source.astype(np.int64)), name
        metadata = frame_metadata(one.header, 1, uid="2.25.1", series_uid="2.25.2", study_uid="2.25.3",
                                  frame_of_reference_uid=None)  # fmt: skip
        assert (metadata["00280010"]["Value"][0], metadata["00280011"]["Value"][0]) == frames[0].shape
    assert not list(handover.verify("REAL"))


def test_the_real_images_of_pydicom_data(tmp_path: Path) -> None:
    """All of them in one batch: exit 0, every file accounted for, what came in equals its source."""
    paths = data_files()
    assert len(paths) > 5
    document = take(tmp_path, paths)
    assert document["received"] == len(paths)
    said = document["imported"] + document["duplicates"] + len(document["refused"]) + len(document["quarantined"])
    assert said == len(paths)
    assert document["imported"] >= 1
    sources: dict[str, list[NDArray[Any]]] = {}
    without_reference = 0
    for path in paths:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                head = pydicom.dcmread(path, stop_before_pixels=True, force=True)
                if head.get("Modality") in ("CT", "MR"):
                    sources[path.name] = pixels(path)
            except Exception:  # a file that pydicom itself cannot decode is no reference
                without_reference += 1
    alone = 0
    for _, frames in kept():
        same = [
            name
            for name, source in sources.items()
            if len(source) == len(frames)
            and all(np.array_equal(a.astype(np.int64), b.astype(np.int64)) for a, b in zip(frames, source, strict=True))
        ]
        alone += not same
    assert alone <= without_reference <= 2
    assert document["imported"] - alone >= 9
    assert not list(handover.verify("REAL"))
    for series in Series.objects.filter(case__patient__study__code="REAL"):
        order = [tuple(place) for place in series.parameters["order"]]
        assert len(order) == len(set(order)) == series.frame_count


def test_the_head_stays_out_of_a_study_that_does_not_allow_it(tmp_path: Path) -> None:
    from tests import cast

    head = cast.image(
        cast.SPINE_SERIES[0], patient=77, series=1, number=1, pixels=cast.picture(np.random.default_rng(1), 32),
        BodyPartExamined="HEAD",
    )  # fmt: skip
    head.save_as(tmp_path / "head.dcm", enforce_file_format=True)
    document = take(tmp_path, [tmp_path / "head.dcm"])
    assert document["imported"] == 1
    Study.objects.filter(code="REAL").update(settings={})
    head.SOPInstanceUID += ".1"
    head.file_meta.MediaStorageSOPInstanceUID = head.SOPInstanceUID
    head.save_as(tmp_path / "head2.dcm", enforce_file_format=True)
    refused = take(tmp_path, [tmp_path / "head2.dcm"])["refused"]
    assert [one["reason_code"] for one in refused] == ["head"]
