"""The people of the tests, two tiny complete studies, and what can be done with them, as plain functions.

SPINE asks the questions of the reference study about four patients; PEBBLE is a second, tiny instrument on three.
Everything hidden from a reader carries a value that can be recognised (`SECRETS`); `root` is a superuser who is also
a reader of PEBBLE and nobody at all in SPINE.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from numpy.typing import NDArray
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, MRImageStorage

from annotation import desk, intake, room
from annotation.models import Assignment, Study
from annotation.people import Person
from annotation.protocol import Protocol
from tests import tiny_instrument

SPINE, PEBBLE = "SPINE", "PEBBLE"
PEOPLE = ("coordinator", "reader_a", "reader_b", "analyst", "clerk", "stranger", "root")
ROLES = {
    SPINE: {"reader_a": "reader", "reader_b": "reader", "analyst": "analyst", "clerk": "outcome_entry"},
    PEBBLE: {"reader_a": "reader", "root": "reader", "analyst": "analyst"},
}
PASSWORD = "wolkenbruch-im-april"
SEED = 20250730

# --- what no reader may ever meet ----------------------------------------------------------------------------------

FAMILY, GIVEN = "Zwetschgenbaum", "Quirina"
HOSPITAL_ID = "HX7734"
BIRTH, DAY, INJECTED, FOLLOWED = "19110203", "20130917", "2013-10-29", "2013-11-28"
INSTITUTION, PHYSICIAN = "Kanarienspital", "Doktorova"
STUDY_NAME, SERIES_NAME, PROTOCOL_NAME = "Wellensittich", "Papageientaucher", "Nachtigall"
SOURCE_ROOT = "1.2.276.0.99.4711"
FILE_NAME = "Graureiher"
COMMENT, NOTE, KEPT_BACK = "Rotkehlchen", "Zaunkoenig", "Bachstelze"
BMI, AGE = "77.77", "101"
SLIP_OF_A = 17.3

SECRETS: tuple[str, ...] = (
    FAMILY, GIVEN, HOSPITAL_ID, BIRTH, "1911-02-03", "03.02.1911", DAY, "2013-09-17", "17.09.2013",
    INJECTED, INJECTED.replace("-", ""), FOLLOWED, FOLLOWED.replace("-", ""), INSTITUTION, PHYSICIAN, STUDY_NAME,
    SERIES_NAME, PROTOCOL_NAME, SOURCE_ROOT, FILE_NAME, COMMENT, NOTE, KEPT_BACK, BMI,
)  # fmt: skip


@dataclass(frozen=True)
class Scan:
    """How one series is made: its header, and the plane it lies in."""

    name: str
    modality: str
    row: tuple[float, ...]
    column: tuple[float, ...]
    step: tuple[float, ...]
    header: Mapping[str, Any]
    size: int = 32


_SAGITTAL = ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0), (4.0, 0.0, 0.0))
_AXIAL = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, -3.0))
_SE = {"ScanningSequence": "SE", "SequenceVariant": "SK"}
_IR = {"ScanningSequence": ["SE", "IR"], "SequenceVariant": "SK", "InversionTime": 220.0}

SPINE_SERIES = (
    Scan("t2 sag", "MR", *_SAGITTAL, {"RepetitionTime": 3600.0, "EchoTime": 98.0, **_SE}),
    Scan("t1 sag", "MR", *_SAGITTAL, {"RepetitionTime": 620.0, "EchoTime": 9.6, **_SE}),
    Scan("stir sag", "MR", *_SAGITTAL, {"RepetitionTime": 4300.0, "EchoTime": 56.0, **_IR}),
    Scan("t2 tra", "MR", *_AXIAL, {"RepetitionTime": 4100.0, "EchoTime": 104.0, **_SE}),
    Scan("nativ", "CT", *_AXIAL, {"KVP": 120.0}),
    Scan("nach KM", "CT", *_AXIAL, {"KVP": 120.0, "ContrastBolusAgent": "Iopamidol"}),
)
PEBBLE_SERIES = SPINE_SERIES[:1]
SLICES = 3


def picture(rng: np.random.Generator, size: int) -> NDArray[np.uint16]:
    """Draw a smooth hill on a slope: no edge that looks like text, and another one every time."""
    y, x = np.mgrid[0:size, 0:size] / size
    centre_y, centre_x, width = rng.uniform(0.35, 0.65), rng.uniform(0.35, 0.65), rng.uniform(0.15, 0.3)
    hill = np.exp(-((y - centre_y) ** 2 + (x - centre_x) ** 2) / (2 * width**2))
    made: NDArray[np.uint16] = np.rint(200 + 300 * x + 900 * hill + rng.uniform(0, 20)).astype(np.uint16)
    return made


def image(
    sequence: Scan, *, patient: int, series: int, number: int, pixels: NDArray[np.uint16], **more: Any
) -> FileDataset:
    """Make one file as a hospital would export it, with an identity all over its header."""
    ct = sequence.modality == "CT"
    one = FileDataset("", {}, preamble=b"\0" * 128)
    one.file_meta = FileMetaDataset()
    uid = f"{SOURCE_ROOT}.{patient}.{1 if ct else 2}"
    one.SOPClassUID = CTImageStorage if ct else MRImageStorage
    one.SOPInstanceUID = f"{uid}.{series}.{number}"
    one.file_meta.MediaStorageSOPClassUID = one.SOPClassUID
    one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
    one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    one.PatientName, one.PatientID = f"{FAMILY}^{GIVEN}", f"{HOSPITAL_ID}-{patient}"
    one.PatientBirthDate, one.PatientAge, one.PatientSex, one.PatientWeight = BIRTH, f"{AGE}Y", "F", 77.77
    one.StudyDate = one.SeriesDate = one.AcquisitionDate = one.ContentDate = DAY
    one.StudyTime = one.SeriesTime = one.ContentTime = "081513"
    one.AcquisitionTime = f"08{series:02d}{number:02d}"
    one.InstitutionName, one.ReferringPhysicianName = INSTITUTION, f"{PHYSICIAN}^Ilse"
    one.AccessionNumber, one.StudyID = f"{HOSPITAL_ID}{patient}", HOSPITAL_ID
    one.StudyDescription, one.ProtocolName = STUDY_NAME, PROTOCOL_NAME
    one.SeriesDescription = f"{sequence.name} {SERIES_NAME}"
    one.PatientComments = one.ImageComments = f"{NOTE} {FAMILY}"
    one.Modality, one.Manufacturer, one.BodyPartExamined = sequence.modality, "SIEMENS", "LSPINE"
    one.StudyInstanceUID, one.SeriesInstanceUID = uid, f"{uid}.{series}"
    one.FrameOfReferenceUID = f"{uid}.99"
    one.SeriesNumber, one.InstanceNumber, one.ImageType = series, number, ["ORIGINAL", "PRIMARY", "OTHER"]
    _place(one, sequence, number)
    for keyword, value in {**sequence.header, **more}.items():
        setattr(one, keyword, value)
    if ct:
        one.RescaleIntercept, one.RescaleSlope = -1024, 1
    _pixels(one, pixels)
    return one


def _place(one: FileDataset, sequence: Scan, number: int) -> None:
    corner = np.array((-40.0, -64.0, 60.0)) + np.array(sequence.step) * (number - 1)
    one.ImagePositionPatient = [float(x) for x in corner]
    one.ImageOrientationPatient = [*sequence.row, *sequence.column]
    one.PixelSpacing = [4.0, 4.0]
    one.SliceThickness = float(np.linalg.norm(sequence.step))


def _pixels(one: FileDataset, pixels: NDArray[np.uint16]) -> None:
    one.Rows, one.Columns = pixels.shape
    one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
    one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 16, 12, 11, 0
    one.PixelData = pixels.astype("<u2").tobytes()


def export(folder: Path, *, patients: Sequence[int], series: Sequence[Scan], slices: int = SLICES) -> int:
    """Write the images of some patients below `folder`; gives the number of files."""
    written = 0
    for patient in patients:
        rng = np.random.default_rng([SEED, patient])
        for place, sequence in enumerate(series, start=1):
            home = folder / f"{FILE_NAME}{patient}" / f"S{place}"
            home.mkdir(parents=True, exist_ok=True)
            for number in range(1, slices + 1):
                made = image(sequence, patient=patient, series=place, number=number, pixels=picture(rng, sequence.size))
                made.save_as(home / f"{FAMILY}_{number}.dcm", enforce_file_format=True)
                written += 1
    return written


def clinical_row(patient: int, **more: str) -> dict[str, str]:
    row = {
        "patient_id": f"{HOSPITAL_ID}-{patient}", "age": AGE, "sex": "F", "bmi": BMI, "level": "L5",
        "injection_date": INJECTED, "nrs_baseline": "8.5", "nrs_15min": f"{patient % 5}", "nrs_1month": "2.5",
        "nrs_1month_date": FOLLOWED, "exclusion": "",
    }  # fmt: skip
    return {**row, **more}


def table(path: Path, rows: Sequence[Mapping[str, str]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


# --- the two studies -----------------------------------------------------------------------------------------------


def person(username: str) -> Person:
    return get_user_model().objects.get(username=username)


def coordinator() -> Person:
    return person("coordinator")


def reader_a() -> Person:
    return person("reader_a")


def reader_b() -> Person:
    return person("reader_b")


def analyst() -> Person:
    return person("analyst")


def clerk() -> Person:
    return person("clerk")


def stranger() -> Person:
    return person("stranger")


def root() -> Person:
    return person("root")


def study(code: str = SPINE) -> Study:
    return Study.objects.get(code=code)


def build(folder: Path) -> None:
    """Make the people and both studies up to open rooms, by the doors that a hospital would use."""
    tiny_instrument.register()
    users = get_user_model().objects
    for username in PEOPLE:
        make = users.create_superuser if username == "root" else users.create_user
        make(username=username, password=PASSWORD, first_name=username.title(), last_name="Muster")
    may_create = Permission.objects.get(content_type__app_label="annotation", codename="add_study")
    coordinator().user_permissions.add(may_create)
    _study(folder, SPINE, "spondylolysis", "Spines of four", (1, 2, 3, 4), SPINE_SERIES, excluded=5)
    _study(folder, PEBBLE, "tiny", "Pebbles of three", (11, 12, 13), PEBBLE_SERIES)


def _study(
    folder: Path,
    code: str,
    protocol: str,
    title: str,
    patients: Sequence[int],
    series: Sequence[Scan],
    excluded: int = 0,
) -> None:
    home = folder / code
    export(home / "dicom", patients=patients, series=series)
    level = {} if protocol == "spondylolysis" else {"level": ""}
    rows = [clinical_row(patient, **level) for patient in patients]
    if excluded:
        rows.append(clinical_row(excluded, exclusion="c", **level))
    desk.create_study(coordinator(), code=code, title=title, protocol=protocol, seed=SEED)
    for username, role in ROLES[code].items():
        desk.set_member(coordinator(), code, username=username, role=role)
    log = intake.take_in(
        desk.intake_target(code), dicom=[home / "dicom"], clinical=table(home / f"{FILE_NAME}.csv", rows)
    )
    if log.imported != len(patients) * len(series) * SLICES or log.clinical.errors or log.refused:
        raise AssertionError(f"The study {code} did not come in whole: {log.document()}")
    desk.freeze(coordinator(), code)
    look_at_all(code)
    released, sentences = desk.release_all(coordinator(), code)
    if released != len(patients):
        raise AssertionError(f"Released {released} cases of {code}: {sentences}")
    desk.begin_reading(coordinator(), code)


def look_at_all(code: str) -> None:
    """Look at the images of every case that lacks it, as the coordinator does."""
    for row in desk.cases(coordinator(), code, lacks="look").rows:
        desk.look_at(coordinator(), code, row.case, seen=desk.look(coordinator(), code, row.case).seen)


# --- what people do ------------------------------------------------------------------------------------------------


def instrument(code: str) -> Protocol:
    from annotation.access import protocol_of

    return protocol_of(study(code))


def readers(code: str) -> list[str]:
    return [username for username, role in ROLES[code].items() if role == "reader"]


def forms(code: str) -> list[str]:
    return [form.code for form in instrument(code).forms]


def answers(code: str, form: str, *, seed: int = 1, **more: Any) -> dict[str, Any]:
    """Give complete answers to one form; `more` (dots as two underscores) replaces cells."""
    drawn = dict(instrument(code).simulate(np.random.default_rng([seed, len(form)]), form))
    return {**drawn, **{key.replace("__", "."): value for key, value in more.items()}}


def current(username: str, code: str, form: str, *, session: str = "session") -> room.BlindedReading:
    reading = room.next_reading(person(username), code, form, session=session).reading
    if reading is None:
        raise AssertionError(f"{username} has nothing left to read in {code}, {form}.")
    return reading


def read_one(username: str, code: str, form: str, *, seed: int = 1) -> room.BlindedReading:
    """Answer and lock the reader's own current case."""
    reading = current(username, code, form)
    saved = room.save(
        person(username),
        reading.id,
        base=reading.saved.revision,
        answers=answers(code, form, seed=seed),
        evidence={},
    )
    room.lock(person(username), reading.id, base=saved.revision)
    return reading


def read_all(code: str) -> None:
    """Answer and lock everything; readers agree on the whole and differ here and there."""
    for username in readers(code):
        for form in forms(code):
            for left in range(left_to_read(username, code, form)):
                read_one(username, code, form, seed=left + len(username))


def left_to_read(username: str, code: str, form: str) -> int:
    mine = Assignment.objects.filter(study__code=code, reader__username=username, form=form)
    return mine.filter(locked_revision__isnull=True).count()


def close(code: str) -> None:
    desk.close(coordinator(), code, reason="All is read.", typed_code=code)


def unblind(code: str) -> None:
    desk.unblind(coordinator(), code, reason="The database is locked.", typed_code=code)


# --- over HTTP -----------------------------------------------------------------------------------------------------


def client(username: str | None = None, *, enforce_csrf_checks: bool = False) -> Client:
    made = Client(enforce_csrf_checks=enforce_csrf_checks)
    if username is not None:
        made.force_login(person(username))
    return made


def next_of(seat: Client, code: str, form: str) -> dict[str, Any]:
    found: dict[str, Any] = seat.get(f"/api/room/{code}/{form}/next").json()
    return found


def send(seat: Client, method: str, path: str, body: object) -> Any:
    return seat.generic(method, path, json.dumps(body), content_type="application/json")


def session_cookie(seat: Client) -> str:
    return f"{settings.SESSION_COOKIE_NAME}={seat.cookies[settings.SESSION_COOKIE_NAME].value}"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def wsgi(path: str, *, cookie: str = "", method: str = "GET", host: str = "localhost") -> Answer:
    """Ask the whole WSGI application, the sealed frame addresses in front of Django included."""
    from wsgiref.util import setup_testing_defaults

    from django.core.signals import request_finished, request_started
    from django.db import close_old_connections

    from spondy.wsgi import application

    environ: dict[str, Any] = {"PATH_INFO": path, "REQUEST_METHOD": method, "HTTP_HOST": host, "HTTP_COOKIE": cookie}
    setup_testing_defaults(environ)
    told: dict[str, Any] = {}

    def start(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        told["status"], told["headers"] = int(status.split()[0]), dict(headers)

    # As Django's own test client does: a test's transaction lives on the connection that a request would close.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        body = b"".join(application(environ, start))
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)
    return Answer(told["status"], told["headers"], body)


def frame_addresses(reading: Mapping[str, Any]) -> Iterator[str]:
    for stack in reading["stacks"]:
        for frame in stack["frames"]:
            yield frame["image"]


def patient_point(frame: Mapping[str, Any], column: float, row: float) -> list[float]:
    """Give the place of a pixel in the patient by the metadata the viewer gets."""
    origin, turn = (frame["metadata"][tag]["Value"] for tag in ("00200032", "00200037"))
    down, across = frame["metadata"]["00280030"]["Value"]
    return [origin[i] + turn[i] * column * across + turn[3 + i] * row * down for i in range(3)]


def pointing(reading: Mapping[str, Any], cell: str) -> dict[str, Any]:
    """Pin the first image of a reading to a cell and draw an arrow on it."""
    frame = reading["stacks"][0]["frames"][0]
    tip, tail = patient_point(frame, 4, 4), patient_point(frame, 9, 6)
    arrow = {"kind": "arrow", "uid": frame["uid"], "points_lps_mm": [tip, tail], "label": "A"}
    return {cell: {"uid": frame["uid"], "window": {"width": 400, "level": 40}}, "marks": [arrow]}


def points_on(reading: Mapping[str, Any], *, slip_mm: float, base_mm: float = 34.0) -> dict[str, Any]:
    """Set three points on the middle sagittal slice: P, A of the lower endplate, Q behind the upper body.

    The endplate runs from back to front along the slice's rows, so that the slip is the distance of Q before P.
    """
    stack = next(stack for stack in reading["stacks"] if stack["role"] == "SAG_T2")
    frame = stack["frames"][len(stack["frames"]) // 2]
    x, y, z = frame["metadata"]["00200032"]["Value"]
    back = [x, y + 90.0, z - 60.0]
    front = [x, y + 90.0 - base_mm, z - 60.0]
    above = [x, y + 90.0 - slip_mm, z - 55.0]
    return {"uid": frame["uid"], "points_lps_mm": [back, front, above]}
