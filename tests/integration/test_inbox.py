"""The watched inbox: what has settled is moved into a delivery, nothing twice, nothing lost, no name kept."""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annotation import intake, jobs
from annotation.access import WrongState
from annotation.intake import deliveries, inbox, spool
from annotation.models import Arrival, Delivery, Instance, Study, Way
from tests import cast

pytestmark = pytest.mark.django_db


class Clock:
    """Both clocks the inbox looks at, moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(inbox, "time", made)
    return made


@pytest.fixture
def home(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the study's folder in a fresh inbox, and a process that has seen nothing yet."""
    settings.INBOX = str(tmp_path / "inbox")
    settings.INBOX_SETTLE_S = 10
    monkeypatch.setattr(inbox, "memory", inbox._Memory())
    found = tmp_path / "inbox" / cast.SPINE
    found.mkdir(parents=True)
    return found


@pytest.fixture
def settled(home: Path, clock: Clock) -> Callable[[], int]:
    """Look twice, a settle time apart; gives what the second look took."""

    def looked() -> int:
        inbox.look()
        clock.now += 11
        return inbox.look()

    return looked


def mine() -> list[Delivery]:
    return list(Delivery.objects.filter(way=Way.INBOX).order_by("created_at"))


def contents(delivery: Delivery) -> list[bytes]:
    rows = delivery.arrivals.filter(state="here").order_by("number")
    return sorted(spool.path(delivery.pk, row.number).read_bytes() for row in rows)


def quiet(delivery: Delivery) -> None:
    """Let the delivery have been quiet for long."""
    Delivery.objects.filter(pk=delivery.pk).update(touched_at=delivery.created_at.replace(year=2020))


def test_a_file_is_taken_when_it_has_settled_and_the_delivery_ends_when_all_is_quiet(
    home: Path, clock: Clock, settled: Callable[[], int]
) -> None:
    (home / "Zwetschgenbaum" / "CT").mkdir(parents=True)
    (home / "Zwetschgenbaum" / "CT" / "IM1").write_bytes(b"one")
    assert inbox.look() == 0, "seen for the first time"
    clock.now += 5
    (home / "Zwetschgenbaum" / "CT" / "IM1").write_bytes(b"one and more")
    assert inbox.look() == 0, "it has grown"
    clock.now += 8
    assert inbox.look() == 0, "8 s are less than 10"
    clock.now += 3
    assert inbox.look() == 1
    (found,) = mine()
    assert contents(found) == [b"one and more"]
    (home / "IM2").write_bytes(b"two")
    assert settled() == 1, "the same delivery goes on"
    quiet(found)
    (home / "IM3").write_bytes(b"not settled yet")
    inbox.look()
    found.refresh_from_db()
    assert found.state == "receiving", "something still waits in the folder"
    clock.now += 11
    assert inbox.look() == 1
    quiet(found)
    inbox.look()
    found.refresh_from_db()
    assert found.state == "sorting"
    assert len(contents(found)) == 3
    assert [card.kind for card in jobs.of_subject(found.pk.hex)] == ["import"]


def test_a_slow_writer_keeps_its_file(home: Path, clock: Clock, settled: Callable[[], int]) -> None:
    with (home / "slow").open("wb") as file:
        file.write(b"half")
        file.flush()
        assert settled() == 0, "it has not changed for long, but somebody has it open"
        file.write(b" and half")
    assert settled() == 1
    assert contents(mine()[0]) == [b"half and half"]


def test_what_is_not_finished_not_a_file_or_a_link_stays(
    home: Path, settled: Callable[[], int], tmp_path: Path
) -> None:
    (tmp_path / "secret").write_bytes(b"of the server")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x").write_bytes(b"x")
    (home / "link").symlink_to(tmp_path / "secret")
    (home / "folder").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(home / "pipe")
    for name in ("a.part", "b.filepart", ".hidden", "c.tmp", "~lock", "Thumbs.db", "d.crdownload"):
        (home / name).write_bytes(b"x")
    assert settled() == 0
    assert mine() == []
    assert len(list(home.iterdir())) == 10
    (home / "a.part").rename(home / "a")
    assert settled() == 1


def test_a_file_that_turns_into_a_link_at_the_last_moment_is_not_followed(
    home: Path, settled: Callable[[], int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_bytes(b"of the server")
    (home / "a").write_bytes(b"x")
    at_first = inbox._is_being_written

    def swapped(path: Path) -> bool:
        answer = at_first(path)
        path.unlink()
        path.symlink_to(tmp_path / "secret")
        return answer

    monkeypatch.setattr(inbox, "_is_being_written", swapped)
    assert settled() == 0
    assert (tmp_path / "secret").read_bytes() == b"of the server"
    assert mine() == [], "no row, no delivery"
    assert not any(one.is_symlink() for one in spool.folder().rglob("*"))


def test_unknown_folders_are_left_alone_and_said_once_without_a_name(
    home: Path, settled: Callable[[], int], caplog: pytest.LogCaptureFixture
) -> None:
    (home.parent / "Zwetschgenbaum").mkdir()
    (home.parent / "Zwetschgenbaum" / "IM1").write_bytes(b"x")
    (home.parent / "Graureiher.dcm").write_bytes(b"x")
    with caplog.at_level(logging.DEBUG):
        settled()
        settled()
        (home / "Quirina.dcm").write_bytes(b"x")
        settled()
    assert (home.parent / "Zwetschgenbaum" / "IM1").exists()
    assert caplog.text.count("no study's code") == 1
    assert caplog.text.count("lies in the inbox itself") == 1
    for name in ("Zwetschgenbaum", "Graureiher", "Quirina"):
        assert name not in caplog.text
    assert not Arrival.objects.filter(fingerprint__contains="Quirina").exists()


class Killed(BaseException):
    """Stands for kill -9: nothing behind it runs."""


@pytest.mark.parametrize("point", ["rows written", "first file moved", "all moved"])
def test_killed_at_any_point_nothing_is_lost_and_nothing_twice(
    point: str, home: Path, settled: Callable[[], int], monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    for number in range(3):
        (home / f"IM{number}").write_bytes(b"file %d" % number)
    moved: list[object] = []
    at_first = spool.place

    def place(*given: Any, **more: Any) -> int:
        if point == "rows written" or (point == "first file moved" and moved):
            raise Killed
        moved.append(given)
        size = at_first(*given, **more)
        if point == "all moved" and len(moved) == 3:
            raise Killed
        return size

    monkeypatch.setattr(spool, "place", place)
    with pytest.raises(Killed):
        settled()
    monkeypatch.undo()
    monkeypatch.setattr(inbox, "memory", inbox._Memory())  # a new process
    inbox.look()
    found = mine()[0]
    settings.INBOX_SETTLE_S = 0
    inbox.look()
    assert len(mine()) == 1
    found.refresh_from_db()
    assert contents(found) == [b"file 0", b"file 1", b"file 2"]
    assert not list(home.iterdir())
    assert found.arrivals.count() == 3


def test_two_workers_never_look_at_once(home: Path, settled: Callable[[], int]) -> None:
    (home / "IM1").write_bytes(b"x")
    with inbox._alone() as mine_alone:
        assert mine_alone
        assert settled() == 0
    assert settled() == 1


def test_an_inbox_on_another_disk_is_copied_and_then_emptied(
    home: Path, settled: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "IM1").write_bytes(b"x" * 1000)

    monkeypatch.setattr(inbox, "_staged", inbox._copied)
    assert settled() == 1
    assert contents(mine()[0]) == [b"x" * 1000]
    assert not (home / "IM1").exists()


def left_over() -> list[Path]:
    staging = spool.folder() / "staging"
    return list(staging.iterdir()) if staging.is_dir() else []


@pytest.mark.parametrize("fault", [errno.EIO, errno.ENOENT, errno.EACCES])
def test_a_file_that_cannot_be_copied_holds_no_other_up_and_its_name_is_not_said(
    fault: int, home: Path, settled: Callable[[], int], monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    (home / "Graureiher").write_bytes(b"x")
    (home / "IM2").write_bytes(b"y")
    at_first = shutil.copyfile

    def copyfile(source: Path, target: Path, **more: Any) -> Any:
        if source.name == "Graureiher":
            Path(target).write_bytes(b"half")
            raise OSError(fault, os.strerror(fault), str(source))
        return at_first(source, target, **more)

    monkeypatch.setattr(inbox, "_staged", inbox._copied)
    monkeypatch.setattr(shutil, "copyfile", copyfile)
    with caplog.at_level(logging.DEBUG):
        assert settled() == 1
        inbox.look()
    assert contents(mine()[0]) == [b"y"]
    assert (home / "Graureiher").exists()
    assert left_over() == []
    assert "Graureiher" not in caplog.text
    assert caplog.text.count("could not be taken") == 1


def test_a_full_disk_while_copying_leaves_no_copy_and_no_empty_delivery(
    home: Path, settled: Callable[[], int], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (home / "Graureiher").write_bytes(b"x")

    def full(source: Path, target: Path, **_: Any) -> None:
        Path(target).write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device", str(source))

    monkeypatch.setattr(inbox, "_staged", inbox._copied)
    monkeypatch.setattr(shutil, "copyfile", full)
    with caplog.at_level(logging.DEBUG):
        assert settled() == 0
    assert "nearly full" in caplog.text
    assert "Graureiher" not in caplog.text
    assert (left_over(), mine()) == ([], [])
    monkeypatch.undo()


def test_an_original_that_cannot_be_removed_is_not_taken(
    home: Path, settled: Callable[[], int], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "IM1").write_bytes(b"x")
    at_first = Path.unlink

    def unlink(path: Path, missing_ok: bool = False) -> None:
        if path.name == "IM1":
            raise PermissionError(errno.EPERM, "Operation not permitted", str(path))
        at_first(path, missing_ok)

    def rename(*_: Any) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "unlink", unlink)
    for attribute, stand_in in (("_staged", inbox._copied), ("_staged", lambda path: path)):
        monkeypatch.setattr(inbox, attribute, stand_in)
        assert settled() == 0
        assert (home / "IM1").exists()
        assert (mine(), left_over()) == ([], [])
        assert str(home / "IM1") in inbox.memory.left_alone
        clock.now += inbox.LEFT_ALONE_S + 1
        monkeypatch.setattr(Path, "rename", rename)


def test_a_mode_that_cannot_be_set_ends_no_look(
    home: Path, settled: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "IM1").write_bytes(b"x")
    (home / "IM2").write_bytes(b"y")

    def chmod(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", chmod)
    assert settled() == 2
    assert contents(mine()[0]) == [b"x", b"y"]


def test_anothers_file_in_a_sticky_folder_is_left_where_it_is(
    home: Path, settled: Callable[[], int], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (home / "IM1").write_bytes(b"x")
    monkeypatch.setattr(inbox, "_is_sticky", lambda _: True)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with caplog.at_level(logging.DEBUG):
        assert settled() == 0
    assert mine() == []
    assert "cannot be read or moved" in caplog.text


def test_what_others_have_taken_is_forgotten(home: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        (home / f"IM{number}").write_bytes(b"x")
    inbox.look()
    assert len(inbox.memory.seen) == 5
    for number in range(4):
        (home / f"IM{number}").unlink()
    inbox.look()
    assert list(inbox.memory.seen) == [str(home / "IM4")]


def test_a_fault_of_the_inbox_itself_is_told_without_its_path(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def gone() -> int:
        raise OSError(errno.ESTALE, "Stale file handle", "/inbox/SPINE/Graureiher")

    monkeypatch.setattr(inbox, "look", gone)
    with caplog.at_level(logging.DEBUG):
        inbox.tend()
    assert "could not be looked at (OSError)" in caplog.text
    assert "Graureiher" not in caplog.text


def test_a_study_that_takes_nothing_more_in_leaves_its_files_where_they_are(
    home: Path, settled: Callable[[], int], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (home / "IM1").write_bytes(b"x")

    def closed(*_: Any, **__: Any) -> Any:
        raise WrongState("The readings of study SPINE are locked.")

    monkeypatch.setattr(deliveries, "begin", closed)
    with caplog.at_level(logging.DEBUG):
        assert settled() == 0
    assert (home / "IM1").exists()
    assert "waits" in caplog.text


def test_folders_that_stayed_empty_for_an_hour_go_for_they_carry_names(
    home: Path, clock: Clock, settled: Callable[[], int]
) -> None:
    (home / "Zwetschgenbaum" / "CT").mkdir(parents=True)
    clock.now = (home / "Zwetschgenbaum").stat().st_mtime + 3000
    inbox.look()
    assert (home / "Zwetschgenbaum" / "CT").is_dir()
    clock.now += 700
    inbox.look()
    assert not (home / "Zwetschgenbaum").exists()
    assert home.is_dir()


def test_switched_off_or_not_made_it_is_not_looked_at(home: Path, settings: Any) -> None:
    (home / "IM1").write_bytes(b"x")
    settings.INBOX = ""
    assert inbox.folder() is None
    assert inbox.look() == 0
    settings.INBOX = str(home.parent / "nowhere")
    assert inbox.look() == 0


def test_what_lies_in_the_inbox_becomes_a_case_and_a_table_is_sent_to_its_page(
    home: Path, settled: Callable[[], int]
) -> None:
    files = cast.export(home, patients=(911,), series=cast.SPINE_SERIES[:2], slices=2)
    cast.table(home / "Graureiher.csv", [cast.clinical_row(911)])
    before = Instance.objects.count()
    assert settled() == files + 1
    (found,) = mine()
    inbox.close(found.pk)
    for _ in range(3):
        for card in jobs.of_subject(found.pk.hex):
            jobs.work(str(card.id), intake.sort_job if card.kind == "import" else intake.study_job)
    assert Instance.objects.count() == before + files
    (problem,) = intake.problems(found.pk)
    assert "comes in on the page Clinical table" in problem.reason
    assert Study.objects.get(code=cast.SPINE).deliveries.filter(way=Way.INBOX, state="done").count() == 1


def test_what_a_killed_receiver_left_is_sealed_with_what_is_whole(tmp_path: Path) -> None:
    left = deliveries.begin(cast.study(), way=Way.RECEIVER)
    fresh = deliveries.begin(cast.study(), way=Way.RECEIVER)
    upload = deliveries.begin(cast.study(), way=Way.UPLOAD)
    folder = deliveries.begin(cast.study(), way=Way.INBOX)
    (tmp_path / "object").write_bytes(b"whole")
    deliveries.place(left, tmp_path / "object", move=True)
    Arrival.objects.create(delivery_id=left, number=2)  # its row was written, its file was not moved
    for one in (left, upload, folder):
        Delivery.objects.filter(pk=one).update(touched_at=Delivery.objects.get(pk=left).created_at.replace(year=2020))
    with inbox._alone():
        assert inbox.close_left_behind() == 1, "the inbox's own stay open while another worker holds the lock"
    assert Delivery.objects.get(pk=folder).state == "receiving"
    assert inbox.close_left_behind() == 1
    states = {one: Delivery.objects.get(pk=one).state for one in (left, fresh, upload)}
    assert states == {left: "sorting", fresh: "receiving", upload: "receiving"}
    assert list(Arrival.objects.filter(delivery=left).values_list("number", "state")) == [(1, "here")]
