from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from launcher.context import Context
from launcher.places import LOOPBACK, Stop
from launcher.services import Postgres, Valkey, free_port, listener, reachable_by_all
from launcher.suite import wait_until


@pytest.fixture
def taken() -> socket.socket:
    held = socket.socket()
    held.bind((LOOPBACK, 0))
    held.listen()
    return held


def test_a_given_port_that_is_taken_is_refused(taken: socket.socket) -> None:
    port = taken.getsockname()[1]
    with pytest.raises(Stop, match=f"Port {port} is in use"):
        listener(port)
    taken.close()
    with listener(port) as opened:
        assert opened.getsockname() == (LOOPBACK, port)


def test_without_a_port_the_next_free_one_is_taken(taken: socket.socket) -> None:
    port = taken.getsockname()[1]
    with listener(None, first=port) as opened:
        assert opened.getsockname()[1] > port
    assert free_port(port) > port
    taken.close()


def test_valkey_answers_only_with_its_password(context: Context, tmp_path: Path) -> None:
    valkey = Valkey.at(tmp_path / "valkey")
    command = valkey.command()
    assert valkey.password not in " ".join(map(str, command))
    assert (tmp_path / "valkey" / "valkey.conf").stat().st_mode & 0o077 == 0
    assert not valkey.answers()
    with (tmp_path / "log").open("wb") as log:
        child = context.children.start(command, env={"PATH": os.defpath}, cwd=tmp_path, output=log)
    wait_until(context, valkey.answers, "Valkey")
    assert not Valkey(valkey.folder, valkey.port, "wrong").answers()
    context.children.end(child, patience_s=5)
    assert child.returncode == 0
    assert list((tmp_path / "valkey" / "appendonlydir").iterdir()), "what was queued must survive a restart"


def test_postgres_starts_as_another_user_and_leaves_nothing(context: Context) -> None:
    import shutil
    import tempfile

    outer = Path(tempfile.mkdtemp(prefix="spondy-postgres-test-", dir="/tmp"))
    outer.chmod(0o711)
    try:
        server = Postgres.at(outer / "server")
        server.initialise()
        with (outer / "log").open("wb") as log:
            child = context.children.start(
                server.command(), env=server.environment(), cwd=server.folder, output=log, user=server.user
            )
        wait_until(context, server.answers, "PostgreSQL")
        assert Path(f"/proc/{child.pid}").stat().st_uid == (server.user or os.getuid())
        context.children.end(child, patience_s=10, first=2)
        assert child.returncode == 0
    finally:
        shutil.rmtree(outer)


def test_a_program_below_a_private_folder_is_not_reachable_by_all(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir()
    program = private / "program"
    program.write_text("")
    program.chmod(0o755)
    private.chmod(0o700)
    assert not reachable_by_all(program)
    assert reachable_by_all(Path("/bin/sh"))
