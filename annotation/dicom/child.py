"""A process of its own that takes files, and nothing else: the parsers and decoders of foreign bytes run here.

It is started as ``python -m annotation.dicom.child`` and speaks over its standard input and output: a length of four
bytes, a JSON object, and behind an answer the frames it names. No pickle: what comes out of this process is data, even
if a file should have taken it over. It cannot write files, open many, or grow; who started it ends it when it is slow.
"""

from __future__ import annotations

import gc
import json
import resource
import struct
import sys
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

from annotation.dicom.confine import confine
from annotation.dicom.geometry import Plane
from annotation.dicom.identity import SourceFacts
from annotation.dicom.refusal import Quarantined, Refused
from annotation.dicom.take import Taken, TakeRules, take

FILES_BEFORE_A_NEW_ONE = 2000
"""A child ends itself after so many files: what decoders lose of memory, they lose for a while only."""
LONGEST_MESSAGE = 256 * 1024**2
MOST_FRAME_BYTES = 1536 * 1024**2
"""Nobody believes a length without a bound: the other side may be a process that a file has taken over."""

_LENGTH = struct.Struct("<L")
_DATES = ("birth_date", "study_date")


class Ended(EOFError):
    """The other side is gone."""


def send(pipe: BinaryIO, message: dict[str, Any], frames: tuple[bytes, ...] = ()) -> None:
    """Write one message and the frames behind it."""
    text = json.dumps({**message, "frames": [len(frame) for frame in frames]}, allow_nan=False).encode()
    pipe.write(_LENGTH.pack(len(text)) + text)
    for frame in frames:
        pipe.write(frame)
    pipe.flush()


def receive(pipe: BinaryIO) -> tuple[dict[str, Any], tuple[bytes, ...]]:
    """Read one message and the frames behind it.

    Raises
    ------
    Ended
        If the other side closes the pipe before the message is whole.
    ValueError
        If what comes is no message.
    """
    (length,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size))
    if length > LONGEST_MESSAGE:
        raise ValueError("The message is longer than any that is sent.")
    message = json.loads(_exactly(pipe, length), parse_constant=_no_number)
    sizes = message.pop("frames", None) if isinstance(message, dict) else None
    if not isinstance(sizes, list) or not all(type(size) is int and size >= 0 for size in sizes):
        raise ValueError("The message names no frames.")
    if sum(sizes) > MOST_FRAME_BYTES:
        raise ValueError("The frames are larger than any that are sent.")
    return message, tuple(_exactly(pipe, size) for size in sizes)


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number.")


def _exactly(pipe: BinaryIO, size: int) -> bytes:
    data = pipe.read(size)
    if len(data) != size:
        raise Ended
    return data


def packed(taken: Taken) -> dict[str, Any]:
    """Give all of a `Taken` but its frames as JSON."""
    facts = asdict(taken.facts)
    facts |= {name: facts[name].isoformat() if facts[name] else None for name in _DATES}
    return {
        "header": taken.header,
        "planes": [plane.to_json() if plane else None for plane in taken.planes],
        "facts": facts,
        "tokens": sorted(taken.tokens),
        "hints": taken.hints,
        "head": taken.head,
        "suspicion": taken.suspicion,
    }


def unpacked(message: dict[str, Any], frames: tuple[bytes, ...]) -> Taken:
    """Build the `Taken` that `packed` has written down."""
    facts = message["facts"]
    facts |= {name: date.fromisoformat(facts[name]) if facts[name] else None for name in _DATES}
    return Taken(
        header=message["header"],
        frames=frames,
        planes=tuple(Plane.from_json(plane) if plane else None for plane in message["planes"]),
        facts=SourceFacts(**facts),
        tokens=frozenset(message["tokens"]),
        hints=tuple(message["hints"]),
        head=message["head"],
        suspicion=message["suspicion"],
    )


def _answer(asked: dict[str, Any]) -> tuple[dict[str, Any], tuple[bytes, ...]]:
    rules = TakeRules(
        allow_head=asked["allow_head"], released=frozenset(asked["released"]), check_every=asked["check_every"]
    )
    try:
        taken = take(Path(asked["path"]).read_bytes(), key=bytes.fromhex(asked["key"]), rules=rules)
        return {"taken": packed(replace(taken, frames=()))}, taken.frames
    except Refused as refusal:
        return {"refused": [refusal.code, refusal.sentence]}, ()
    except Quarantined as quarantine:
        return {"quarantined": [quarantine.code, quarantine.sentence]}, ()
    except MemoryError:
        return {"refused": ["too_large", "The file needs more memory than one file may."], "spent": True}, ()
    except OSError:
        return {"refused": ["unreadable", "The file could not be read from the disk."]}, ()


def _limit(seconds: int) -> None:
    """End this process (SIGXCPU) once it has worked so many seconds more."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + seconds + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def main() -> None:
    """Answer until the other side closes the pipe or enough files are done."""
    given, told = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # a library that prints must not write into an answer
    # The modules stay for good, and a file's header is a few thousand objects: looking for rings rarely saves a tenth.
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
    send(told, {"ready": True, "confined": confine()})
    for left in reversed(range(FILES_BEFORE_A_NEW_ONE)):
        try:
            asked, _frames = receive(given)
        except Ended:
            return
        _limit(asked["seconds"])
        message, frames = _answer(asked)
        # Said with the last answer: who asks must not meet a process that is just ending.
        message["spent"] = left == 0 or bool(message.get("spent"))
        send(told, message, frames)
        if message["spent"]:
            return


if __name__ == "__main__":
    main()
