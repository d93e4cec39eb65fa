from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from launcher.context import Context
from launcher.folder import LOG_LIMIT, MARKER, DataFolder, has_work
from launcher.places import Stop


def account_database(path: Path, *names: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE auth_user (username TEXT)")
        connection.executemany("INSERT INTO auth_user VALUES (?)", [(name,) for name in names])


def test_a_new_folder_is_claimed_privately(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "new" / "data")
    folder.take(reset=False)
    assert (folder.path / MARKER).is_file()
    assert folder.path.stat().st_mode & 0o077 == 0
    assert folder.logs.is_dir()


def test_a_second_copy_on_one_folder_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    first = DataFolder(tmp_path / "data")
    first.take(reset=False)
    with pytest.raises(Stop, match=r"Another \./run demo is using"):
        DataFolder(tmp_path / "data").take(reset=False)
    with pytest.raises(Stop, match=r"Another \./run demo is using"):
        DataFolder(tmp_path / "data").take(reset=True)
    os.close(first._handle)
    DataFolder(tmp_path / "data").take(reset=False)


def test_a_folder_with_foreign_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("years of work")
    for reset in (False, True):
        with pytest.raises(Stop, match=r"thesis\.docx"):
            DataFolder(tmp_path).take(reset=reset)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]


def test_a_folder_with_real_accounts_is_refused(tmp_path: Path) -> None:
    account_database(tmp_path / "spondy.sqlite3", "head.physician")
    with pytest.raises(Stop, match="accounts"):
        DataFolder(tmp_path).take(reset=True)
    assert (tmp_path / "spondy.sqlite3").exists()


def test_a_folder_in_which_only_a_command_ran_is_taken(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("x" * 64)
    account_database(tmp_path / "spondy.sqlite3")
    DataFolder(tmp_path).take(reset=False)
    assert (tmp_path / MARKER).exists()


def test_reset_deletes_what_the_demo_made_and_keeps_the_claim(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.take(reset=False)
    account_database(folder.path / "spondy.sqlite3", "reader1")
    folder.mark_whole()
    (folder.path / "store" / "ab").mkdir(parents=True)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("1")
    (folder.path / "link").symlink_to(outside)
    os.close(folder._handle)
    again = DataFolder(tmp_path / "data")
    again.take(reset=True)
    assert sorted(path.name for path in again.path.iterdir()) == [MARKER, "logs", "run"]
    assert (outside / "kept").exists()


def test_a_demo_that_was_ended_half_made_is_begun_anew(tmp_path: Path) -> None:
    first = DataFolder(tmp_path / "data")
    first.take(reset=False)
    account_database(first.path / "spondy.sqlite3", "reader1")
    os.close(first._handle)
    second = DataFolder(tmp_path / "data")
    second.take(reset=False)
    assert not (second.path / "spondy.sqlite3").exists()
    account_database(second.path / "spondy.sqlite3", "reader1")
    second.mark_whole()
    os.close(second._handle)
    third = DataFolder(tmp_path / "data")
    third.take(reset=False)
    assert (third.path / "spondy.sqlite3").exists()


def test_a_folder_with_stored_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store" / "ab").mkdir(parents=True)
    with pytest.raises(Stop, match="store"):
        DataFolder(tmp_path).take(reset=True)


def test_accounts_are_seen(tmp_path: Path) -> None:
    assert not has_work(tmp_path / "none.sqlite3")
    (tmp_path / "broken.sqlite3").write_text("this is no database at all, not even nearly" * 10)
    assert has_work(tmp_path / "broken.sqlite3")


def test_an_overgrown_log_is_put_aside(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.take(reset=False)
    small, large = folder.logs / "a.log", folder.logs / "b.log"
    small.write_text("x")
    large.write_bytes(b"x" * (LOG_LIMIT + 1))
    assert folder.log("a").exists()
    assert not folder.log("b").exists()
    assert (folder.logs / "b.log.1").stat().st_size == LOG_LIMIT + 1


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_only_survivors_of_this_folder_are_ended(context: Context, tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.take(reset=False)
    sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
    ours = dict(os.environ, SPONDY_DATA_DIR=str(folder.path))
    other = dict(os.environ, SPONDY_DATA_DIR=str(folder.path) + "2")
    with (
        subprocess.Popen(sleeper, env=ours, start_new_session=True) as survivor,
        subprocess.Popen(sleeper, env=other, start_new_session=True) as stranger,
    ):
        reaper = __import__("threading").Thread(target=survivor.wait)
        reaper.start()
        folder.note("worker", survivor.pid)
        folder.note("web", stranger.pid)
        try:
            assert folder.end_survivors(context.children) == ["worker"]
            reaper.join(5)
            assert survivor.returncode == -signal.SIGTERM
            assert stranger.poll() is None
            assert list(folder.run.glob("*.pid")) == []
        finally:
            stranger.kill()
            survivor.kill()
