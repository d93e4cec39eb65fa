"""Every hostile file ends in its reason, soon, in little memory, and nothing of it is told."""

from __future__ import annotations

import json
import time
import tracemalloc
import warnings
from dataclasses import replace

import pytest

from annotation.dicom import Limits, Quarantined, Refused, TakeRules, take
from annotation.dicom.prescan import prescan
from annotation.dicom.take import _parsed, _quiet_parser
from tests.unit.dicom.dicom_files import KEY, file_bytes, mr
from tests.unit.dicom.hostile import TAKEN, Case, hostile

CASES = hostile()
# What a busy machine needs; alone, none needs 1.2 s, and nearly all a few milliseconds.
MOST_SECONDS = 5.0


@pytest.mark.parametrize("name", sorted(CASES))
def test_hostile_files_end_in_their_reason(name: str) -> None:
    data, code = CASES[name]
    started = time.process_time()
    try:
        found = take(data, key=KEY)
    except (Refused, Quarantined) as refused:
        got, told = refused.code, refused.sentence
    else:
        got, told = TAKEN, ""
        json.dumps(found.header, allow_nan=False).encode()
        assert len(found.frames) == 1
    assert got == code
    assert time.process_time() - started < MOST_SECONDS
    assert told == "" or (told.endswith(".") and 20 < len(told) < 160)


def test_the_cases_are_many_and_small() -> None:
    assert len(CASES) > 170
    assert max(len(data) for data, _ in CASES.values()) < 5 << 20
    assert {code for _, code in CASES.values()} >= {
        TAKEN, "not_dicom", "transfer_syntax", "big_endian", "deflate", "inflated_too_large", "truncated", "length",
        "delimiter", "fragments", "too_deep", "too_many_items", "too_many_elements", "too_large", "frames",
        "dimensions", "codestream", "decode", "pixel_format", "pixel_length", "no_pixels", "sop_class", "uid", "head",
    }  # fmt: skip


def test_a_bomb_costs_no_memory() -> None:
    bomb: Case = CASES["deflated bomb of 1 GiB"]
    tracemalloc.start()
    with pytest.raises(Refused):
        take(bomb[0], key=KEY)
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()


def test_budgets_are_the_studys() -> None:
    small = TakeRules(limits=Limits(file_bytes=1000))
    with pytest.raises(Refused) as refused:
        take(file_bytes(mr()), key=KEY, rules=small)
    assert refused.value.code == "file_too_large"
    with pytest.raises(Refused) as refused:
        take(file_bytes(mr()), key=KEY, rules=TakeRules(limits=Limits(pixel_bytes=1000)))
    assert refused.value.code == "too_large"


def test_a_parser_that_ends_too_early_is_an_error() -> None:
    """The structural check refuses such files; a parser that only warns must not be believed either."""
    scan = prescan(file_bytes(mr()))
    with pytest.raises(Refused) as refused:
        _parsed(replace(scan, end=scan.end - 40))
    assert refused.value.code == "parse"
    with _quiet_parser(), pytest.raises(UserWarning):
        warnings.warn("End of file reached before delimiter found in file x", UserWarning, stacklevel=1)
    with _quiet_parser():
        warnings.warn("Unknown encoding", UserWarning, stacklevel=1)


def test_memory_that_is_not_there_is_not_called_a_broken_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def spent(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("annotation.dicom.codec.encode", spent)
    with pytest.raises(MemoryError):
        take(file_bytes(mr()), key=KEY)
