"""A file that kills, blocks or bloats its reader costs one process and one sentence; the worker lives on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from annotation.dicom import Quarantined, Refused, Taken, TakeRules
from annotation.dicom.pixels import SUSPICIONS
from annotation.intake import sandbox
from annotation.intake.sandbox import Pool
from tests import cast
from tests.unit.dicom.hostile import TAKEN, hostile

RULES = TakeRules(released=frozenset(SUSPICIONS))
LONGEST_S = 10.0
PEAK_KB = 1536 * 1024


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    cast.export(folder, patients=[1], series=cast.PEBBLE_SERIES, slices=1)
    return next(folder.rglob("*.dcm"))


@pytest.fixture
def one() -> Iterator[Pool]:
    pool = Pool(1)
    yield pool
    pool.close()


def take(pool: Pool, *files: Path) -> list[sandbox.Outcome]:
    return [outcome for _, outcome in pool.take(((path, path) for path in files), RULES)]


def pid(pool: Pool) -> int:
    process = pool._children[0].process
    assert process is not None
    return process.pid


# --- hostile files -------------------------------------------------------------------------------------------------

CASES = hostile()


@pytest.fixture(scope="module")
def worker() -> Iterator[Pool]:
    """One process for all of them, as in a worker: none may spoil it for the next."""
    pool = Pool(1)
    yield pool
    pool.close()


@pytest.fixture
def starting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each start of a reader took."""
    took: list[float] = []
    really = sandbox._Child._start

    def timed(child: sandbox._Child) -> subprocess.Popen[bytes]:
        began = time.monotonic()
        try:
            return really(child)
        finally:
            took.append(time.monotonic() - began)

    monkeypatch.setattr(sandbox._Child, "_start", timed)
    return took


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_file_ends_in_its_reason(
    name: str, worker: Pool, starting: list[float], good: Path, tmp_path: Path
) -> None:
    data, code = CASES[name]
    path = tmp_path / "file"
    path.write_bytes(data)
    began = time.monotonic()
    (outcome,) = take(worker, path)
    # Starting a reader is the machine's time, not the file's; all else is bounded by the clock, however busy it is.
    assert time.monotonic() - began - sum(starting) < LONGEST_S
    assert sandbox.seconds_for(len(data)) + 1 < sandbox.patience_for(len(data)) < LONGEST_S
    if code == TAKEN:
        assert isinstance(outcome, Taken)
    else:
        assert isinstance(outcome, Refused | Quarantined)
        assert outcome.code == code
        assert outcome.sentence.endswith(".")
    peak = int(Path(f"/proc/{pid(worker)}/status").read_text().split("VmHWM:")[1].split()[0])
    assert peak < PEAK_KB
    (after,) = take(worker, good)
    assert isinstance(after, Taken)


# --- what only limits catch ----------------------------------------------------------------------------------------

STUB = """
import os, sys, time
from annotation.dicom import child

def bad(asked):
    {bad}
    return {{"refused": ["bad", "It went on."]}}, ()

real = child._answer
child._answer = lambda asked: bad(asked) if asked["path"].endswith("bad") else real(asked)
child.main()
"""

BAD: dict[str, tuple[str, str]] = {
    "sleeps": ("time.sleep(600)", "too_slow"),
    "spins": ("while True: pass", "too_slow"),
    "aborts": ("os.abort()", "crashed"),
    "leaves": ("os._exit(0)", "crashed"),
    "segfaults": ("os.kill(os.getpid(), 11)", "crashed"),
    "prints": ("os.write(1, b'hello, world' * 100)", "crashed"),
    "half a message": ("os.write(1, b'\\x40\\0\\0\\0{\"taken\"'); os._exit(0)", "crashed"),
    "lies about its length": ("os.write(1, b'\\xff\\xff\\xff\\xff'); time.sleep(600)", "crashed"),
    "no number": ("os.write(1, (30).to_bytes(4, 'little') + b'{\"taken\": NaN, \"frames\": []}  ')", "crashed"),
    "no Taken": ("return {'taken': {'header': 1}}, ()", "crashed"),
    "nothing at all": ("return {}, ()", "crashed"),
    "negative frames": ("os.write(1, (26).to_bytes(4, 'little') + b'{\"taken\":{},\"frames\":[-1]}')", "crashed"),
    "too many frames": (
        "os.write(1, (33).to_bytes(4,'little') + b'{\"taken\":{},\"frames\":[9999999999]}')",
        "crashed",
    ),
    "takes four gigabytes": ("x = bytearray(4 << 30)", "too_large"),
}


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Put another program in the child's place; nothing of the pool is changed but what it starts."""
    script = tmp_path / "stub.py"
    real = subprocess.Popen

    def popen(args: list[str], **more: object) -> subprocess.Popen[bytes]:
        if args[-1] == "annotation.dicom.child":
            args = [sys.executable, "-c", f"import sys; sys.path.insert(0, '.')\n{script.read_text()}"]
        return real(args, **more)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr(subprocess, "Popen", popen)
    monkeypatch.setattr(sandbox, "LEAST_S", 1)
    monkeypatch.setattr(sandbox, "LEAST_PATIENCE_S", 3.0)
    return script


@pytest.mark.parametrize("what", BAD)
def test_a_reader_gone_wrong_costs_one_file(what: str, stub: Path, one: Pool, good: Path, tmp_path: Path) -> None:
    how, code = BAD[what]
    if what == "takes four gigabytes":  # as the real reader does: memory that is not given is an answer
        how = f"\n    try: {how}\n    except MemoryError: return {{'refused': ['too_large', 'Too large.']}}, ()"
    stub.write_text(STUB.format(bad=how))
    (tmp_path / "bad").write_bytes(b"x")
    began = time.monotonic()
    outcomes = take(one, good, tmp_path / "bad", good)
    assert time.monotonic() - began < 60  # readers are started several times, on a machine that may be busy
    assert isinstance(outcomes[0], Taken)
    assert isinstance(outcomes[2], Taken)
    found = outcomes[1]
    assert isinstance(found, Refused)
    assert found.code == code
    assert found.sentence.endswith(".")


def test_a_large_file_has_more_time_and_a_second_try_only_what_is_left(
    stub: Path, one: Pool, tmp_path: Path, starting: list[float]
) -> None:
    more = sandbox.BYTES_AT_ONCE + 30 * sandbox.BYTES_A_SECOND
    assert sandbox.seconds_for(more) == sandbox.seconds_for(0) + 30
    assert sandbox.patience_for(more) == sandbox.patience_for(0) + 30 * sandbox.PATIENCE
    # Dying late in the first try would otherwise be twice the time for one file.
    stub.write_text(STUB.format(bad="time.sleep(2.5); os.abort()"))
    (tmp_path / "bad").write_bytes(b"x")
    began = time.monotonic()
    (outcome,) = take(one, tmp_path / "bad")
    assert outcome is sandbox.TOO_SLOW
    assert time.monotonic() - began - sum(starting) < sandbox.patience_for(1) + 1.5


def test_a_reader_killed_from_outside_is_no_fault_of_its_file(one: Pool, good: Path) -> None:
    take(one, good)
    before = pid(one)
    os.kill(before, signal.SIGSTOP)
    threading.Timer(0.5, os.kill, (before, signal.SIGKILL)).start()
    (outcome,) = take(one, good)
    assert isinstance(outcome, Taken)
    assert pid(one) != before


def test_a_reader_that_is_used_up_is_replaced_between_two_files(one: Pool, good: Path, stub: Path) -> None:
    stub.write_text("from annotation.dicom import child\nchild.FILES_BEFORE_A_NEW_ONE = 3\nchild.main()")
    outcomes = take(one, *[good] * 20)
    assert all(isinstance(outcome, Taken) for outcome in outcomes)


def test_a_machine_that_starts_no_reader_is_not_the_files_fault(one: Pool, good: Path, stub: Path) -> None:
    stub.write_text("raise SystemExit(3)")
    with pytest.raises(sandbox.CannotStart, match="does not start"):
        take(one, good)


def test_what_is_gone_is_said_to_be_gone(one: Pool, good: Path, tmp_path: Path) -> None:
    lost, after = take(one, tmp_path / "nothing", good)
    assert isinstance(lost, Refused)
    assert lost.code == "lost"
    assert isinstance(after, Taken)


PROBE = """
import json, os, resource, socket, sys
from annotation.dicom import child

def look(asked):
    tried = {}
    for name, act in {
        "create": lambda: os.open(os.path.join(os.path.dirname(asked["path"]), "written"), os.O_CREAT | os.O_WRONLY),
        "write": lambda: os.write(os.open(asked["path"], os.O_WRONLY), b"x"),
        "cut": lambda: os.truncate(asked["path"], 0),
        "remove": lambda: os.unlink(asked["path"]),
        "folder": lambda: os.mkdir(asked["path"] + "d"),
        "run": lambda: os.execv("/bin/true", ["true"]),
        "connect": lambda: socket.create_connection(("127.0.0.1", 9), 1),
        "many": lambda: [os.open("/dev/null", os.O_RDONLY) for _ in range(40)],
        "memory": lambda: bytearray(2 << 30),
    }.items():
        try:
            act()
            tried[name] = "done"
        except (OSError, MemoryError) as fault:
            tried[name] = type(fault).__name__
    tried["environment"] = sorted(os.environ)
    tried["core"] = resource.getrlimit(resource.RLIMIT_CORE)[0]
    return {"refused": ["probe", json.dumps(tried)]}, ()

child._answer = look
child.main()
"""


def test_the_reader_writes_nothing_and_knows_no_secret(
    one: Pool, stub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "a secret")
    monkeypatch.setenv("DATABASE_URL", "postgres://user:secret@host/name")
    stub.write_text(textwrap.dedent(PROBE))
    (tmp_path / "file").write_bytes(b"x")
    (outcome,) = take(one, tmp_path / "file")
    assert isinstance(outcome, Refused)
    tried = json.loads(outcome.sentence)
    assert (tried["many"], tried["memory"], tried["core"]) == ("OSError", "MemoryError", 0)
    assert (tmp_path / "file").read_bytes() == b"x"
    if _can_forbid():
        forbidden = ("create", "write", "cut", "remove", "folder", "run", "connect")
        assert {tried[name] for name in forbidden} == {"PermissionError"}
    settings = {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"}
    assert set(tried["environment"]) <= {"PATH", "LC_CTYPE"} | settings


def _can_forbid() -> bool:
    """Ask in a process of its own: what is given up is given up."""
    asked = "from annotation.dicom.confine import confine; print(confine())"
    return "True" in subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout


def test_a_forked_process_has_readers_of_its_own() -> None:
    mine = sandbox.pool(1)
    assert sandbox.pool(1) is mine
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, b"own" if sandbox.pool(1) is not mine else b"same")
        os._exit(0)
    os.close(writing)
    assert os.read(reading, 10) == b"own"
    os.close(reading)
    os.waitpid(child, 0)


def test_side_by_side_the_order_stays(good: Path, tmp_path: Path) -> None:
    pool = Pool(2)
    try:
        files = [(number, good if number % 3 else tmp_path / "gone") for number in range(30)]
        threads: set[str] = set()

        def then(number: int, outcome: sandbox.Outcome) -> tuple[int, bool]:
            threads.add(threading.current_thread().name)
            return number, isinstance(outcome, Taken)

        found = list(pool.each(files, RULES, then))
    finally:
        pool.close()
    assert found == [(number, (number, bool(number % 3))) for number in range(30)]
    assert threading.current_thread().name not in threads


def test_a_fault_in_what_comes_after_ends_the_batch_and_leaves_the_readers(one: Pool, good: Path) -> None:
    def full(_path: Path, _outcome: sandbox.Outcome) -> None:
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        list(one.each([(good, good)] * 5, RULES, full))
    assert isinstance(take(one, good)[0], Taken)
