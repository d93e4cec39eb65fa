from __future__ import annotations

from pathlib import Path

import pytest
from launcher import locks
from launcher.locks import Lock, faults, header

BLOCK = "numpy==2.4.6 \\\n    --hash=sha256:" + "a" * 64 + "\n"


@pytest.fixture
def lock(tmp_path: Path) -> Lock:
    source = tmp_path / "a.txt"
    source.write_text("numpy>=2\n")
    made = Lock(tmp_path / "a.lock", (source,))
    made.path.write_text(header(made, tmp_path) + BLOCK)
    return made


def test_a_lock_of_the_present_source_is_in_order(lock: Lock, tmp_path: Path) -> None:
    assert faults(lock, tmp_path) == []


def test_a_changed_source_is_noticed(lock: Lock, tmp_path: Path) -> None:
    lock.sources[0].write_text("numpy>=3\n")
    assert any("was not made from the present a.txt" in fault for fault in faults(lock, tmp_path))


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://registry.example/simple",
        "    --find-links /opt/w",
        "-i x",
        "a @ https://registry.example/a",
    ],
)
def test_an_address_in_a_lock_is_noticed(lock: Lock, tmp_path: Path, line: str) -> None:
    lock.path.write_text(lock.path.read_text() + line + "\n")
    assert any("names an address" in fault for fault in faults(lock, tmp_path))


def test_a_pin_without_hash_is_noticed(lock: Lock, tmp_path: Path) -> None:
    lock.path.write_text(lock.path.read_text() + "scipy==1.17.1\n")
    assert "a.lock has no hash for scipy." in faults(lock, tmp_path)


def test_locks_that_disagree_are_noticed(lock: Lock, tmp_path: Path) -> None:
    other = Lock(tmp_path / "b.lock", lock.sources, agrees_with=lock.path)
    other.path.write_text(header(other, tmp_path) + BLOCK.replace("2.4.6", "2.4.5"))
    assert any("differ in numpy" in fault for fault in faults(other, tmp_path))


def test_the_projects_own_locks_are_in_order() -> None:
    assert locks.check() == []
