"""The DICOM receiver over real sockets: who may send, what is accepted, that bytes arrive as they were sent."""

from __future__ import annotations

import gc
import logging
import os
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from pydicom import dcmread, dcmwrite
from pydicom.encaps import encapsulate
from pydicom.filereader import read_file_meta_info
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEGLSLossless, SecondaryCaptureImageStorage
from pynetdicom import AE, _config
from pynetdicom.dimse_messages import C_ECHO_RQ, C_STORE_RQ
from pynetdicom.dimse_primitives import C_ECHO, C_STORE
from pynetdicom.dsutils import encode
from pynetdicom.pdu import P_DATA_TF
from pynetdicom.sop_class import CTImageStorage, MRImageStorage, Verification  # type: ignore[attr-defined]

from annotation import intake, jobs
from annotation.intake import inbox, landing, receiver, spool
from annotation.intake.peers import BadReceiver, Terms, peers, terms
from annotation.intake.receiver import Receiver
from annotation.models import Delivery, Instance, Way
from tests import cast
from tests.conftest import ROOT, Commands

HERE = "127.0.0.1"


@pytest.fixture
def listening(live: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Receiver]]:
    """Start receivers in this process; what their libraries are told to be silent about speaks again afterwards."""
    monkeypatch.setattr(receiver, "QUIET_S", 0.2)
    monkeypatch.setattr(receiver, "HANDSHAKE_S", 3)
    kept = {name: logging.getLogger(name).level for name in ("pynetdicom", "pydicom")}
    hook = threading.excepthook
    begun: list[Receiver] = []

    def start(text: str = f"SCU={cast.SPINE}", **more: Any) -> Receiver:
        made = Receiver(Terms("SPONDY", HERE, 0, peers(text), False, **more))
        made.start()
        begun.append(made)
        return made

    yield start
    for one in begun:
        if not one.stopping.is_set():
            one.stop()
    threading.excepthook = hook
    _config.STORE_RECV_CHUNKED_DATASET = False
    for name, level in kept.items():
        logging.getLogger(name).setLevel(level)


def call(one: Receiver, *, title: str = "SCU", called: str = "SPONDY", **contexts: str) -> Any:
    ae = AE(title)
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 10
    for sop_class in (Verification, CTImageStorage, MRImageStorage, SecondaryCaptureImageStorage):
        ae.add_requested_context(sop_class, contexts.get("syntax", ExplicitVRLittleEndian))
    return ae.associate(HERE, one.port, ae_title=called)


def mine() -> list[Delivery]:
    return list(Delivery.objects.filter(way=Way.RECEIVER).order_by("created_at"))


def scans(folder: Path, patient: int, *, slices: int = 2) -> list[Path]:
    cast.export(folder, patients=(patient,), series=cast.SPINE_SERIES[:2], slices=slices)
    return sorted(folder.rglob("*.dcm"))


def data_set(path: Path) -> bytes:
    """Give a file's bytes behind its meta information: what goes over the net."""
    with path.open("rb") as file:
        file.seek(132)
        length = read_file_meta_info(path).FileMetaInformationGroupLength
        file.seek(132 + 12 + length)
        return file.read()


def sealed(one: Receiver) -> Delivery:
    """Wait until the sender's silence is noticed."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        one._seal()
        found = mine()
        if found and found[-1].state != "receiving":
            return found[-1]
        time.sleep(0.05)
    raise AssertionError("the delivery was not sealed")


def test_what_a_listed_sender_stores_arrives_as_it_was_and_becomes_a_case(
    listening: Callable[..., Receiver], tmp_path: Path
) -> None:
    one = listening()
    files = scans(tmp_path, 921)
    line = call(one)
    assert line.is_established
    assert line.send_c_echo().Status == 0
    assert mine() == [], "an echo is no delivery"
    for path in files:
        assert line.send_c_store(path).Status == 0x0000
    line.release()
    found = sealed(one)
    rows = list(found.arrivals.order_by("number"))
    assert [(row.number, row.state) for row in rows] == [(n, "here") for n in range(1, len(files) + 1)]
    for row, path in zip(rows, files, strict=True):
        received = spool.path(found.pk, row.number)
        data = received.read_bytes()
        assert data[:132] == b"\0" * 128 + b"DICM"
        assert data.endswith(data_set(path))
        meta = dcmread(received, stop_before_pixels=True).file_meta
        assert meta.TransferSyntaxUID == ExplicitVRLittleEndian
        assert "SourceApplicationEntityTitle" not in meta
        assert received.stat().st_mode & 0o077 == 0
    before = Instance.objects.count()
    for _ in range(3):
        for card in jobs.of_subject(found.pk.hex):
            jobs.work(str(card.id), intake.sort_job if card.kind == "import" else intake.study_job)
    assert Instance.objects.count() == before + len(files)
    assert not list(landing.folder().iterdir())


@pytest.mark.parametrize(
    ("title", "called", "listed"),
    [
        ("STRANGER", "SPONDY", f"SCU={cast.SPINE}"),
        ("SCU", "ANY-SCP", f"SCU={cast.SPINE}"),
        ("SCU", "SPONDY", f"SCU@10.9.8.7={cast.SPINE}"),
        ("SCU", "SPONDY", "SCU=NOWHERE"),
    ],
)
def test_others_are_rejected(listening: Callable[..., Receiver], title: str, called: str, listed: str) -> None:
    line = call(listening(listed), title=title, called=called)
    assert line.is_rejected
    assert mine() == []


def test_an_address_on_the_list_is_let_in(listening: Callable[..., Receiver]) -> None:
    line = call(listening(f"OTHER={cast.PEBBLE}, SCU@127.0.0.0/8={cast.SPINE}"))
    assert line.is_established
    line.release()


def test_other_classes_are_not_agreed_on_and_compressed_bytes_come_as_they_are(
    listening: Callable[..., Receiver], tmp_path: Path
) -> None:
    one = listening()
    line = call(one, syntax=JPEGLSLossless)
    agreed = {cx.abstract_syntax for cx in line.accepted_contexts}
    assert agreed == {CTImageStorage, MRImageStorage}, "neither a screen's picture nor an echo in that syntax"
    path = scans(tmp_path, 922)[0]
    scan = dcmread(path)
    scan.PixelData = encapsulate([b"no picture, but nobody here looks"])
    scan["PixelData"].is_undefined_length = True
    scan.file_meta.TransferSyntaxUID = JPEGLSLossless
    dcmwrite(path, scan)
    assert line.send_c_store(path).Status == 0
    line.release()
    found = sealed(one)
    assert spool.path(found.pk, 1).read_bytes().endswith(data_set(path))


def test_an_object_that_is_too_large_is_refused_and_the_next_one_comes_in(
    listening: Callable[..., Receiver], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = listening()
    files = scans(tmp_path, 923)
    line = call(one)
    monkeypatch.setattr(landing, "LARGEST_OBJECT", 500)
    assert line.send_c_store(files[0]).Status == 0xA700
    monkeypatch.undo()
    monkeypatch.setattr(receiver, "QUIET_S", 0.2)
    assert line.send_c_store(files[1]).Status == 0x0000
    line.release()
    assert sealed(one).arrivals.count() == 1
    assert not list(landing.folder().iterdir())


def test_on_a_full_disk_nobody_is_let_in(listening: Callable[..., Receiver], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "LEFT_FREE", 2**62)
    assert call(listening()).is_rejected


def test_while_the_database_is_away_nobody_is_let_in_and_afterwards_all_is_well(
    listening: Callable[..., Receiver], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    one = listening()
    at_first = BaseDatabaseWrapper.ensure_connection

    def gone(self: Any) -> None:
        raise OperationalError("the database restarts")

    monkeypatch.setattr(BaseDatabaseWrapper, "ensure_connection", gone)
    assert call(one).is_rejected
    monkeypatch.setattr(BaseDatabaseWrapper, "ensure_connection", at_first)
    line = call(one)
    assert line.is_established
    assert line.send_c_store(scans(tmp_path, 924)[0]).Status == 0
    line.release()


def test_a_sender_that_breaks_off_leaves_what_is_whole_and_nothing_half(
    listening: Callable[..., Receiver], tmp_path: Path
) -> None:
    one = listening()
    files = scans(tmp_path, 925)
    line = call(one)
    assert line.send_c_store(files[0]).Status == 0
    # The beginning of a second object, then nothing: a P-DATA-TF with a command and a first fragment of data.
    raw = line.dul.socket.socket
    request = C_STORE()
    request.MessageID = 7
    request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = MRImageStorage, "1.2.3"
    request.DataSet = BytesIO(b"\0" * 50_000)
    message = C_STORE_RQ()
    message.primitive_to_message(request)
    context = next(cx.context_id for cx in line.accepted_contexts if cx.abstract_syntax == MRImageStorage)
    for pdata in islice(message.encode_msg(context, 16_000), 3):
        pdu = P_DATA_TF()
        pdu.from_primitive(pdata)
        raw.sendall(pdu.encode())
    end = time.monotonic() + 5
    while not list(landing.folder().iterdir()) and time.monotonic() < end:
        time.sleep(0.02)
    raw.shutdown(socket.SHUT_RDWR)
    found = sealed(one)
    assert [row.state for row in found.arrivals.all()] == ["here"]
    end = time.monotonic() + 10
    while list(landing.folder().iterdir()) and time.monotonic() < end:
        gc.collect()
        time.sleep(0.05)
    assert not list(landing.folder().iterdir())


def test_associations_one_behind_the_other_are_one_delivery(
    listening: Callable[..., Receiver], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "QUIET_S", 30)
    one = listening()
    for path in scans(tmp_path, 926):
        line = call(one)
        assert line.send_c_store(path).Status == 0
        line.release()
        one._seal()
    one.stop()
    (found,) = mine()
    assert (found.state, found.arrivals.count()) == ("sorting", 4)


def test_a_delivery_cancelled_meanwhile_is_followed_by_a_new_one(
    listening: Callable[..., Receiver], tmp_path: Path
) -> None:
    one = listening()
    files = scans(tmp_path, 927)
    line = call(one)
    assert line.send_c_store(files[0]).Status == 0
    intake.cancel(mine()[0].pk)
    assert line.send_c_store(files[1]).Status == 0
    line.release()
    assert [found.state for found in mine()] == ["cancelled", "receiving"]


def test_noise_and_giants_end_the_connection_and_the_receiver_lives(
    listening: Callable[..., Receiver], tmp_path: Path
) -> None:
    one = listening()
    for noise in (b"GET / HTTP/1.1\r\n\r\n", b"\0" * 100, struct.pack(">BBL", 1, 0, 2**32 - 1) + b"x" * 1000):
        with socket.create_connection((HERE, one.port), timeout=10) as raw:
            raw.sendall(noise)
            raw.settimeout(25)
            end = time.monotonic() + 20
            try:
                while raw.recv(1000) and time.monotonic() < end:
                    pass
            except ConnectionResetError:
                pass
            assert time.monotonic() < end
    line = call(one)
    assert line.send_c_store(scans(tmp_path, 928)[0]).Status == 0
    line.release()


def fragment(data: bytes, *, command: bool, last: bool = False, context: int = 1) -> bytes:
    """Give a P-DATA-TF of one fragment, as it is on the wire."""
    held = struct.pack(">BB", context, command | 2 * last) + data
    return struct.pack(">BBLL", 4, 0, 4 + len(held), len(held)) + held


def ends(line: Any) -> bool:
    end = time.monotonic() + 10
    while not line.is_aborted and time.monotonic() < end:
        time.sleep(0.02)
    return bool(line.is_aborted)


def flood(line: Any, pieces: Iterator[bytes]) -> None:
    """Send until the other end has had enough."""
    raw = line.dul.socket.socket
    try:
        for piece in pieces:
            if line.is_aborted:
                return
            raw.sendall(piece)
    except OSError:
        pass


def echo_with_data(line: Any) -> bytes:
    """Give the command set of an echo that says a data set follows."""
    request = C_ECHO()
    request.MessageID = 9
    message = C_ECHO_RQ()
    message.primitive_to_message(request)
    message.command_set.CommandDataSetType = 1
    return bytes(encode(message.command_set, True, True) or b"")


@pytest.mark.parametrize("kind", ["a command without an end", "data of an echo", "echoes without a pause", "nonsense"])
def test_messages_without_an_end_end_the_association_and_the_next_one_is_served(
    kind: str, listening: Callable[..., Receiver], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = listening()
    line = call(one)
    echo = next(cx.context_id for cx in line.accepted_contexts if cx.abstract_syntax == Verification)
    command = echo_with_data(line)
    begin = fragment(command, command=True, last=True, context=echo)
    whole = begin + fragment(b"", command=False, last=True, context=echo)
    pieces = {
        "a command without an end": (fragment(b"x" * 16_000, command=True) for _ in range(100)),
        "data of an echo": chain([begin], (fragment(b"x" * 16_000, command=False, context=echo) for _ in range(100))),
        "echoes without a pause": (whole * 500 for _ in range(40)),
        "nonsense": iter([fragment(b"\xff" * 100, command=True, last=True)]),
    }
    with caplog.at_level(logging.WARNING):
        flood(line, pieces[kind])
        assert ends(line)
    assert "an association is ended" in caplog.text
    second = call(one)
    assert second.send_c_store(scans(tmp_path, 931)[0]).Status == 0
    second.release()
    assert sealed(one).arrivals.count() == 1


def test_a_disk_that_fills_up_between_objects_is_said_to_the_sender(
    listening: Callable[..., Receiver], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = listening()
    files = scans(tmp_path, 932)
    line = call(one)
    assert line.send_c_store(files[0]).Status == 0x0000
    with monkeypatch.context() as full:
        full.setattr(spool, "LEFT_FREE", 2**62)
        assert line.send_c_store(files[1]).Status == 0xA700
    assert line.send_c_store(files[1]).Status == 0x0000
    line.release()
    assert sealed(one).arrivals.count() == 2
    assert not list(landing.folder().iterdir())


def test_an_object_that_could_not_be_moved_is_not_said_to_be_here(
    listening: Callable[..., Receiver], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = listening()
    files = scans(tmp_path, 933)
    line = call(one)
    with monkeypatch.context() as broken:

        def place(*_: Any, **__: Any) -> int:
            raise OSError("the disk is broken")

        broken.setattr(spool, "place", place)
        assert line.send_c_store(files[0]).Status == 0xA700
    assert line.send_c_store(files[1]).Status == 0x0000
    line.release()
    assert [row.state for row in sealed(one).arrivals.all()] == ["here"]


def test_no_name_is_logged(
    listening: Callable[..., Receiver],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with caplog.at_level(logging.DEBUG):
        one = listening()
        scan = dcmread(scans(tmp_path, 929)[0])
        scan.SOPInstanceUID = scan.file_meta.MediaStorageSOPInstanceUID = UID(f"{cast.SOURCE_ROOT}.0000929")
        line = call(one)
        line.send_c_store(scan)
        line.release()
        call(one, title="STRANGER")
        one.stop()
    said = caplog.text + "".join(capfd.readouterr())
    assert "STRANGER" in said
    assert not [secret for secret in cast.SECRETS if secret in said]


@pytest.mark.django_db  # alone in this file it makes pytest-django set the database up for `live`
def test_terms_are_checked_with_a_sentence(settings: Any) -> None:
    base = settings.RECEIVER
    for wrong in (
        {"AE": "A" * 17}, {"AE": ""}, {"PORT": 0}, {"PORT": 70000}, {"PEERS": "CT1"}, {"PEERS": "=SPINE"},
        {"PEERS": "CT1@nowhere=SPINE"}, {"PEERS": "CT1=SPINE, CT1=PEBBLE"}, {"TLS_CERT": "x"}, {"TLS_CA": "x"},
    ):  # fmt: skip
        settings.RECEIVER = base | wrong
        with pytest.raises(BadReceiver, match=r"SPONDY_RECEIVER"):
            terms()
    settings.RECEIVER = base | {"PEERS": "CT 1@10.1.0.0/16=SPINE,MR=PEBBLE"}
    found = terms().peers
    assert found["CT 1"].may_call_from("10.1.2.3")
    assert found["CT 1"].may_call_from("::ffff:10.1.2.3")
    assert not found["CT 1"].may_call_from("10.2.2.3")
    assert not found["CT 1"].may_call_from("no address")
    assert found["MR"].may_call_from("::1")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        return int(probe.getsockname()[1])


def started(manage: Commands, port: int) -> subprocess.Popen[str]:
    manage.environment |= {"SPONDY_RECEIVER_PEERS": f"SCU={cast.SPINE}", "SPONDY_RECEIVER_PORT": str(port)}
    child = manage.popen("receive")
    assert child.stdout is not None
    said = child.stdout.readline()
    assert f"SPONDY receives on {HERE}:{port}: SCU into SPINE." in said, (said, child.poll())
    return child


def test_the_command_ends_cleanly_and_a_killed_one_loses_nothing(manage: Commands, tmp_path: Path) -> None:
    port = free_port()
    files = scans(tmp_path, 930)

    def store(path: Path) -> None:
        ae = AE("SCU")
        ae.add_requested_context(MRImageStorage, ExplicitVRLittleEndian)
        line = ae.associate(HERE, port, ae_title="SPONDY")
        assert line.is_established
        assert line.send_c_store(path).Status == 0
        line.abort()

    child = started(manage, port)
    store(files[0])
    child.send_signal(signal.SIGTERM)
    out, err = child.communicate(timeout=30)
    assert child.returncode == 0, err
    assert "The receiver has ended." in out
    assert mine()[-1].state == "sorting"
    child = started(manage, port)
    try:
        store(files[1])
    finally:
        child.kill()
        child.communicate(timeout=10)
    left = mine()[-1]
    assert left.state == "receiving"
    Delivery.objects.filter(pk=left.pk).update(touched_at=left.created_at.replace(year=2020))
    assert inbox.close_left_behind() == 1
    left.refresh_from_db()
    assert (left.state, left.arrivals.count()) == ("sorting", 1)
    assert spool.path(left.pk, 1).read_bytes().endswith(data_set(files[1]))


def test_without_senders_the_command_says_that_it_is_off(manage: Commands) -> None:
    done = manage("receive")
    assert done.returncode == 2
    assert "SPONDY_RECEIVER_PEERS lists no sender" in done.stderr


def dcmtk_storescu() -> str:
    """Find the sender of dcmtk; pynetdicom puts a script of the same name into the virtual environment."""
    for folder in os.get_exec_path():
        found = shutil.which("storescu", path=folder)
        if found and b"ELF" in Path(found).read_bytes()[:4]:
            return found
    return ""


@pytest.mark.skipif(not dcmtk_storescu(), reason="dcmtk is not installed")
def test_storescu_of_dcmtk_sends_a_folder(listening: Callable[..., Receiver], tmp_path: Path) -> None:
    one = listening()
    files = scans(tmp_path, 931, slices=5)
    args = [dcmtk_storescu(), "-aet", "SCU", "-aec", "SPONDY", "+sd", "+r", HERE, str(one.port), str(tmp_path)]
    done = subprocess.run(args, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert sealed(one).arrivals.filter(state="here").count() == len(files)
