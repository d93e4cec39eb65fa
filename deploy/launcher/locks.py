"""The lock files: made from the requirement files with hashes, and the check that they still belong to them."""

from __future__ import annotations

import hashlib
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from launcher import packages
from launcher.context import Context
from launcher.places import LAUNCHER, ROOT, SETUP_LOGS, Stop, in_venv, shown

PYTHON = "3.11"
LOG = SETUP_LOGS / "lock.log"
SOURCE = re.compile(r"^# from (\S+) sha256 ([0-9a-f]{64})$", re.M)
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.M)
# An address in a lock would tie it to one machine's registry.
ADDRESS = re.compile(r"^\s*(?:--(?:index-url|extra-index-url|find-links|trusted-host)|-[if] )|://", re.M)


@dataclass(frozen=True)
class Lock:
    path: Path
    sources: tuple[Path, ...]
    agrees_with: Path | None = None


LOCKS = (
    Lock(ROOT / "requirements.lock", (ROOT / "requirements.txt",)),
    Lock(
        ROOT / "requirements-dev.lock",
        (ROOT / "requirements-dev.txt", ROOT / "requirements.txt"),
        agrees_with=ROOT / "requirements.lock",
    ),
    Lock(LAUNCHER / "installer.lock", (LAUNCHER / "installer.txt",)),
    Lock(LAUNCHER / "node.lock", (LAUNCHER / "node.txt",)),
)


def fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def header(lock: Lock, base: Path = ROOT) -> str:
    lines = ["# Made by `./run lock`; edit the file it is made from, not this one."]
    lines += [f"# from {path.relative_to(base).as_posix()} sha256 {fingerprint(path)}" for path in lock.sources]
    return "\n".join(lines) + "\n"


def pins(text: str) -> dict[str, str]:
    return {name.lower().replace("_", "-"): version for name, version in PIN.findall(text)}


def faults(lock: Lock, base: Path = ROOT) -> list[str]:
    """Say in sentences what is wrong with a lock."""
    name = lock.path.name
    if not lock.path.is_file():
        return [f"{name} is missing; make it with ./run lock."]
    text = lock.path.read_text()
    found = []
    expected = {path.relative_to(base).as_posix(): fingerprint(path) for path in lock.sources}
    if dict(SOURCE.findall(text)) != expected:
        found.append(f"{name} was not made from the present {', '.join(expected)}; run ./run lock.")
    if ADDRESS.search(text):
        found.append(f"{name} names an address of a package index; run ./run lock.")
    bare = [pin for pin, block in _blocks(text) if "--hash=sha256:" not in block]
    if bare:
        found.append(f"{name} has no hash for {', '.join(bare)}.")
    if lock.agrees_with is not None and lock.agrees_with.is_file():
        own, other = pins(text), pins(lock.agrees_with.read_text())
        apart = sorted(pin for pin, version in other.items() if own.get(pin) != version)
        if apart:
            found.append(f"{name} and {lock.agrees_with.name} differ in {', '.join(apart)}; run ./run lock.")
    return found


def _blocks(text: str) -> list[tuple[str, str]]:
    starts = list(PIN.finditer(text))
    ends = [match.start() for match in starts[1:]] + [len(text)]
    return [(match.group(1), text[match.start() : end]) for match, end in zip(starts, ends, strict=True)]


def check() -> list[str]:
    return [fault for lock in LOCKS for fault in faults(lock)]


def regenerate(context: Context, *, upgrade: bool) -> int:
    packages.ensure_environment(context)
    if not in_venv("uv").exists():
        raise Stop("Locks are made with uv, which could not be installed here.")
    for lock in LOCKS:
        with context.console.step(shown(lock.path)):
            _compile(context, lock, upgrade=upgrade)
    found = check()
    for fault in found:
        context.console.say(fault)
    return 1 if found else 0


def _compile(context: Context, lock: Lock, *, upgrade: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / lock.path.name
        if lock.path.is_file() and not upgrade:
            made.write_bytes(lock.path.read_bytes())
        args: list[str | Path] = [in_venv("uv"), "pip", "compile", "--quiet", "--python-version", PYTHON]
        args += ["--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"]
        if lock.agrees_with is not None:
            args += ["-c", lock.agrees_with]
        args += ["--output-file", made, lock.sources[0]]
        context.children.must(
            f"Locking {lock.path.name}", args, env=packages.tool_environment(), cwd=ROOT, log=LOG, limit_s=600
        )
        lock.path.write_text(header(lock) + made.read_text())
