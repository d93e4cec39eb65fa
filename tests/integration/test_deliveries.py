"""The life of a delivery: announced, received, sealed, sorted, cancelled, gone on with; and what each other file is."""

from __future__ import annotations

import io
import os
import threading
import time
import uuid
import zlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

import pytest
from django.db import connection
from django.utils import timezone

from annotation import desk, intake, jobs
from annotation.access import NotYours, WrongState
from annotation.intake import deliveries, sniff, sort, spool, work
from annotation.models import Arrival, ArrivalState, Delivery, DeliveryState, Instance, Job, Study, Way
from tests import cast

S = ArrivalState


@pytest.fixture
def study(db: None) -> Study:
    desk.create_study(None, code="WAY", title="Ways")
    return desk.intake_target("WAY")


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    cast.export(tmp_path / "hospital", patients=[51, 52], series=cast.PEBBLE_SERIES, slices=2)
    return sorted((tmp_path / "hospital").rglob("*.dcm"))


def begin(study: Study, way: Way = Way.UPLOAD) -> uuid.UUID:
    return intake.begin(study, way=way)


def send(delivery: uuid.UUID, number: int, offset: int, data: bytes) -> int:
    return intake.append(delivery, number, offset=offset, data=io.BytesIO(data))


def spooled(delivery: uuid.UUID) -> list[str]:
    home = spool.home(delivery)
    return sorted(path.name for path in home.iterdir()) if home.is_dir() else []


def states(delivery: uuid.UUID) -> list[str]:
    return list(Arrival.objects.filter(delivery=delivery).order_by("number").values_list("state", flat=True))


def carry_out() -> None:
    """Do what the workers would, one job after the other."""
    while True:
        job = Job.objects.filter(state="waiting", kind__in=("import", "import_study")).order_by("created_at").first()
        if job is None:
            return
        jobs.work(str(job.pk), work.sort_job if job.kind == "import" else work.study_job)


# --- receiving -----------------------------------------------------------------------------------------------------


def test_announced_twice_it_keeps_its_number_and_its_bytes(study: Study) -> None:
    one = begin(study)
    assert intake.announce(one, [(5, "a"), (7, "b"), (5, "a"), (0, "empty")]) == [
        intake.Announced(1, 0, "awaited"), intake.Announced(2, 0, "awaited"), intake.Announced(1, 0, "awaited"),
        intake.Announced(3, 0, "here"),
    ]  # fmt: skip
    send(one, 2, 0, b"xyz")
    assert intake.announce(one, [(7, "b"), (9, "c")]) == [
        intake.Announced(2, 3, "awaited"), intake.Announced(4, 0, "awaited"),
    ]  # fmt: skip
    assert "b" not in Arrival.objects.filter(delivery=one).values_list("fingerprint", flat=True)
    with pytest.raises(intake.TooLarge):
        intake.announce(one, [(spool.LARGEST_FILE + 1, "d")])
    with pytest.raises(intake.TooLarge):
        intake.announce(one, [(-1, "e")])


def test_bytes_come_in_order_and_no_more_than_announced(study: Study) -> None:
    one = begin(study)
    intake.announce(one, [(6, "a")])
    assert send(one, 1, 0, b"abc") == 3
    for offset in (0, 2, 4, 7):
        with pytest.raises(intake.WrongOffset) as wrong:
            send(one, 1, offset, b"zzz")
        assert wrong.value.received == 3
        assert "3 bytes" in wrong.value.sentence
    with pytest.raises(intake.TooLarge):
        send(one, 1, 3, b"defg")
    assert send(one, 1, 3, b"") == 3
    assert send(one, 1, 3, b"def") == 6
    assert spool.path(one, 1).read_bytes() == b"abcdef"
    assert states(one) == ["here"]
    with pytest.raises(NotYours):
        send(one, 2, 0, b"")
    with pytest.raises(NotYours):
        send(uuid.uuid4(), 1, 0, b"")


class _Slow(io.BytesIO):
    """Bytes behind which another try at the same place comes to its end."""

    def __init__(self, data: bytes, meanwhile: Callable[[], object]) -> None:
        super().__init__(data)
        self.meanwhile: Callable[[], object] | None = meanwhile

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        if self.meanwhile is not None:
            self.meanwhile()
            self.meanwhile = None
        return data


def test_of_two_tries_at_the_same_bytes_one_counts(study: Study) -> None:
    one = begin(study)
    intake.announce(one, [(6, "a")])
    slow = _Slow(b"abcdef", lambda: send(one, 1, 0, b"abcdef"))
    with pytest.raises(intake.WrongOffset) as late:
        intake.append(one, 1, offset=0, data=slow)
    assert late.value.received == 6
    assert spool.path(one, 1).read_bytes() == b"abcdef"
    assert states(one) == ["here"]


def test_bytes_that_come_while_it_is_cancelled_do_not_count(study: Study) -> None:
    one = begin(study)
    intake.announce(one, [(3, "a")])
    slow: BinaryIO = _Slow(b"abc", lambda: intake.cancel(one))
    with pytest.raises(intake.WrongOffset):
        intake.append(one, 1, offset=0, data=slow)
    assert states(one) == ["awaited"]


def test_an_object_that_breaks_off_was_never_there(study: Study) -> None:
    one = begin(study, Way.RECEIVER)

    def broken_off() -> None:
        with intake.receive(one) as (_, file):
            file.write(b"half")
            raise ConnectionError

    with pytest.raises(ConnectionError):
        broken_off()
    assert (states(one), spooled(one)) == ([], [])
    with intake.receive(one) as (number, file):
        file.write(b"whole")
    assert (states(one), spool.path(one, number).read_bytes()) == (["here"], b"whole")


# --- sealed --------------------------------------------------------------------------------------------------------


def test_it_is_not_sealed_while_files_are_awaited(study: Study) -> None:
    one = begin(study)
    intake.announce(one, [(3, "a"), (3, "b")])
    send(one, 1, 0, b"abc")
    with pytest.raises(WrongState, match="1 announced files are not all here"):
        intake.seal(one)
    intake.forget_incomplete(one)
    intake.seal(one)
    intake.seal(one)
    assert Job.objects.filter(kind="import", study=study).count() == 1
    for late in (
        lambda: intake.announce(one, [(1, "c")]), lambda: send(one, 1, 0, b""),
        lambda: intake.place(one, Path(__file__), move=False), lambda: intake.receive(one).__enter__(),
    ):  # fmt: skip
        with pytest.raises(intake.NotReceiving):
            late()


def test_sealed_it_comes_in_and_leaves_nothing_behind(study: Study, files: list[Path], tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("Nothing of interest.")
    one = begin(study, Way.INBOX)
    deliveries.place_all(one, [*files, tmp_path / "note.txt", files[0]], move=False)
    intake.seal(one)
    carry_out()
    shown = intake.card(one)
    assert (shown.state, shown.files, shown.imported, shown.duplicates, shown.refused) == ("done", 6, 4, 1, 1)
    assert (shown.percent, shown.is_open, shown.is_stopped, shown.series, shown.studies) == (100, False, False, 2, 2)
    assert [(one.code, one.numbers) for one in intake.problems(one)] == [("text_file", (5,))]
    assert states(one) == ["refused"]
    assert not spool.home(one).exists()
    assert all(path.exists() for path in files), "what is read in place is not taken away"


@pytest.mark.parametrize("state", ["receiving", "sorting", "taking"])
def test_cancelled_nothing_waits_and_nobody_works(state: str, study: Study, files: list[Path]) -> None:
    one = begin(study)
    deliveries.place_all(one, files, move=False)
    if state != "receiving":
        intake.seal(one)
    if state == "taking":
        job = Job.objects.get(kind="import", study=study)
        jobs.work(str(job.pk), work.sort_job)
    intake.cancel(one)
    assert Delivery.objects.get(pk=one).state == DeliveryState.CANCELLED
    assert not spool.home(one).exists()
    assert not Job.objects.filter(study=study, state__in=("waiting", "running")).exists()
    intake.cancel(one)
    intake.seal(one)
    intake.resume(one)
    carry_out()
    assert not Instance.objects.filter(series__case__patient__study=study).exists()
    assert intake.card(one).state == "cancelled"


def test_cancelled_in_the_middle_what_is_in_stays_in(
    study: Study, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "FLUSH_EVERY", 1)
    one = begin(study)
    deliveries.place_all(one, files, move=False)
    intake.seal(one)
    flush = work._flush
    done: list[int] = []

    def flushed(*args: object) -> None:
        if len(done) == 1:
            intake.cancel(one)
        done.append(1)
        flush(*args)  # type: ignore[arg-type]  # passed on as they come

    monkeypatch.setattr(work, "_flush", flushed)
    carry_out()
    assert Instance.objects.filter(series__case__patient__study=study).count() == 1
    assert not spool.home(one).exists()
    again = begin(study)
    deliveries.place_all(again, files, move=False)
    intake.seal(again)
    carry_out()
    shown = intake.card(again)
    assert (shown.imported, shown.duplicates) == (3, 1)


def test_a_full_disk_stops_it_with_a_sentence_and_it_is_gone_on_with(
    study: Study, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "FLUSH_EVERY", 1)
    one = begin(study)
    deliveries.place_all(one, files, move=False)
    intake.seal(one)
    asked: list[int] = []
    room = spool.check_room

    def nearly_full(size: int) -> None:
        asked.append(size)
        if len(asked) > 2:
            raise spool.NoSpace(spool.NoSpace.sentence)

    monkeypatch.setattr(spool, "check_room", nearly_full)
    carry_out()
    shown = intake.card(one)
    assert (shown.state, shown.is_stopped, shown.is_open) == ("taking", True, False)
    assert shown.message == spool.NoSpace.sentence
    assert 0 < shown.imported < 4
    monkeypatch.setattr(spool, "check_room", room)
    intake.resume(one)
    intake.resume(one)
    carry_out()
    shown = intake.card(one)
    assert (shown.state, shown.imported, shown.duplicates, shown.refused) == ("done", 4, 0, 0)


def test_what_was_placed_before_a_crash_is_found_again(study: Study, files: list[Path]) -> None:
    one = begin(study, Way.INBOX)
    deliveries.place_all(one, files[:2], move=False)
    Arrival.objects.filter(delivery=one).update(state=S.AWAITED, received=0, size=0)
    spool.forget(one, 2)
    assert intake.recover_placed(one) == 1
    found = Arrival.objects.get(delivery=one)
    assert (found.number, found.state, found.size) == (1, "here", files[0].stat().st_size)


def test_a_file_that_cannot_be_read_is_said_so(study: Study, files: list[Path], tmp_path: Path) -> None:
    one = begin(study)
    numbers = deliveries.place_all(one, [files[0], tmp_path / "gone", files[1]], move=True)
    assert states(one) == ["here", "here"], "what should move and cannot stays where it is"
    assert numbers == [1, 0, 3]
    assert not files[0].exists()
    with pytest.raises(OSError, match="gone"):
        deliveries.place(one, tmp_path / "gone", move=True)
    assert deliveries.place_all(one, [tmp_path / "gone"], move=False) == [4]
    assert states(one) == ["here", "here", "refused"]


def test_what_nobody_comes_back_for_is_swept_away(study: Study, files: list[Path]) -> None:
    old, young, command, stranger = begin(study), begin(study), begin(study, Way.COMMAND), uuid.uuid4()
    for one in (old, young, command):
        deliveries.place_all(one, files[:1], move=False)
    spool.make(stranger)
    ages = {old: work.ABANDONED_S + 60, young: 3600, command: work.ORPHANED_S + 60}
    for one, seconds in ages.items():
        Delivery.objects.filter(pk=one).update(touched_at=timezone.now() - timedelta(seconds=seconds))
    os.utime(spool.home(stranger), (1, 1))
    intake.sweep()
    assert Delivery.objects.get(pk=young).state == "receiving"
    assert {Delivery.objects.get(pk=one).state for one in (old, command)} == {"cancelled"}
    assert [spool.home(one).exists() for one in (old, young, command, stranger)] == [False, True, False, False]


def test_what_a_killed_command_has_left_the_workers_take_up_at_once(study: Study, files: list[Path]) -> None:
    half, whole = begin(study, Way.COMMAND), begin(study, Way.COMMAND)
    for one in (half, whole):
        with spool.worked_on(one):
            deliveries.place_all(one, files[:2], move=False)
            if one == whole:
                deliveries.mark_sealed(deliveries.find(one))
            intake.sweep()
            assert not intake.card(one).is_stopped, "its command lives"
    assert intake.card(whole).is_stopped
    assert "Go on here" in intake.card(whole).message
    intake.sweep()
    assert Delivery.objects.get(pk=half).state == "cancelled", "not all of it had been brought"
    carry_out()
    assert (intake.card(whole).state, intake.card(whole).imported) == ("done", 2)
    assert spooled(whole) == []


def test_what_a_killed_command_has_left_is_gone_on_with_by_hand(study: Study, files: list[Path]) -> None:
    one = begin(study, Way.COMMAND)
    with spool.worked_on(one):
        deliveries.place_all(one, files[:2], move=False)
        deliveries.mark_sealed(deliveries.find(one))
        intake.resume(one)
        assert not Job.objects.filter(study=study).exists(), "its command lives"
    intake.resume(one)
    work.give_up_left(study)
    carry_out()
    assert (intake.card(one).state, intake.card(one).imported) == ("done", 2)


def test_nothing_is_taken_after_the_lock(study: Study) -> None:
    one = begin(study)
    Study.objects.filter(pk=study.pk).update(state="readings_locked")
    with pytest.raises(WrongState, match="locked"):
        intake.seal(one)
    with pytest.raises(WrongState, match="locked"):
        begin(study)
    assert Delivery.objects.get(pk=one).state == "receiving"


def test_locked_while_it_is_taken_in_it_stops_with_the_sentence(study: Study, files: list[Path]) -> None:
    one = begin(study)
    deliveries.place_all(one, files, move=False)
    intake.seal(one)
    jobs.work(str(Job.objects.get(kind="import", study=study).pk), work.sort_job)
    Study.objects.filter(pk=study.pk).update(state="readings_locked")
    carry_out()
    shown = intake.card(one)
    assert shown.is_stopped
    assert "locked" in shown.message
    assert not Instance.objects.filter(series__case__patient__study=study).exists()


@pytest.mark.usefixtures("live")
def test_two_senders_at_once_get_numbers_of_their_own() -> None:
    desk.create_study(None, code="WAY", title="Ways")
    one = begin(desk.intake_target("WAY"))
    faults: list[BaseException] = []

    def announce(name: str) -> None:
        try:
            for part in range(5):
                intake.announce(one, [(3, f"{name}{part}{n}") for n in range(10)])
        except BaseException as fault:
            faults.append(fault)
        finally:
            connection.close()

    both = [threading.Thread(target=announce, args=(name,)) for name in "ab"]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert not faults
    assert list(Arrival.objects.filter(delivery=one).order_by("number").values_list("number", flat=True)) == [
        *range(1, 101)
    ]


# --- what a file is ------------------------------------------------------------------------------------------------

OTHERS: dict[str, tuple[bytes, str]] = {
    "a PDF": (b"%PDF-1.7\n...", "pdf"),
    "a Windows program": (b"MZ\x90\0" + bytes(100), "program"),
    "a program": (b"\x7fELF\x02\x01", "program"),
    "a script": (b"#!/bin/sh\n", "program"),
    "a screenshot": (b"\x89PNG\r\n\x1a\n", "picture"),
    "a photo": (b"\xff\xd8\xff\xe0", "picture"),
    "a bitmap": (b"BM\x36\0", "picture"),
    "a TIFF": (b"II*\0", "picture"),
    "a film": (b"RIFF....AVI ", "film"),
    "7z": (b"7z\xbc\xaf\x27\x1c", "archive_kind"),
    "rar": (b"Rar!\x1a\x07", "archive_kind"),
    "gzip": (b"\x1f\x8b\x08", "archive_kind"),
    "cabinet": (b"MSCF", "archive_kind"),
    "an old Word file": (b"\xd0\xcf\x11\xe0\xa1\xb1", "office"),
    "a new Word file": (b"PK\x03\x04" + bytes(26) + b"[Content_Types].xml", "office"),
    "a web page": (b"\xef\xbb\xbf<!DOCTYPE html>", "markup"),
    "a text": (b"[autorun]\r\nopen=viewer.exe\r\n", "text_file"),
    "a text of two bytes a letter": ("Guten Tag".encode("utf-16"), "text_file"),
    "NIfTI": (b"n+1\0", "nifti"),
    "nothing": (b"", "empty"),
    "zeros": (bytes(4000), "not_dicom"),
    "noise": (bytes(range(256)) * 3, "not_dicom"),
}


@pytest.mark.parametrize("what", OTHERS)
def test_what_is_no_image_is_told_what_it_is(what: str) -> None:
    head, expected = OTHERS[what]
    code, sentence = sniff.sniff(head[: sniff.HEAD])
    assert code == expected
    assert sentence.endswith(".")


def test_the_directory_of_a_medium_is_passed_over(study: Study, files: list[Path], tmp_path: Path) -> None:
    listing = tmp_path / "DICOMDIR"
    listing.write_bytes(bytes(128) + b"DICM" + b"\x02\0\x02\0UI\x14\x001.2.840.10008.1.3.10\0" + bytes(40))
    log = intake.take_in(study, dicom=[listing, *files])
    assert (log.received, log.imported, log.refused) == (4, 4, [])


def test_a_small_file_may_not_ask_for_a_gigabyte(study: Study) -> None:
    inner = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = b"".join(inner.compress(bytes(1024**2)) for _ in range(256)) + inner.flush()
    meta = b"\x02\0\x10\0UI\x16\x001.2.840.10008.1.2.1.99"
    found = sort.inspect(study, bytes(128) + b"DICM" + meta + body)
    assert (found.state, found.code) == (S.REFUSED, "inflated_too_large")


def test_links_in_the_spool_are_not_made(study: Study, tmp_path: Path, files: list[Path]) -> None:
    folder = tmp_path / "with links"
    folder.mkdir()
    (folder / "one").symlink_to(files[0])
    (folder / "away").symlink_to(tmp_path)
    log = intake.take_in(study, dicom=[folder])
    assert log.received == 0


def test_what_killed_processes_left_in_the_passing_folders_is_swept(study: Study) -> None:
    for name in spool.PASSING:
        folder = spool.folder() / name
        folder.mkdir(parents=True, exist_ok=True)
        for one, age in (("old", 4000), ("young", 60)):
            (folder / one).write_bytes(b"of a patient")
            os.utime(folder / one, (time.time() - age,) * 2)
    (spool.folder() / "reading" / "folder").mkdir()
    os.utime(spool.folder() / "reading" / "folder", (1, 1))
    intake.sweep()
    for name in spool.PASSING:
        left = {one.name for one in (spool.folder() / name).iterdir()}
        assert "young" in left
        assert not left & {"old", "folder"}
        (spool.folder() / name / "young").unlink()
