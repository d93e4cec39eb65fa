"""The search for identifiers finds them where they can hide, and does not cry wolf."""

from __future__ import annotations

import json

import numpy as np
import pytest

import annotation.dicom.take as _  # noqa: F401  the module must be importable beside the function of its name
from annotation.dicom import Refused, leaks, take
from annotation.dicom.codec import Stored, encode
from tests.unit.dicom.dicom_files import KEY, file_bytes, mr


def test_finds_tokens_in_nested_values_and_keys() -> None:
    document = {"00081030": {"vr": "LO", "Value": ["MRI of Muster, V."]}, "deep": [{"er": ("x", ["mUsTeR"])}]}
    assert leaks(document, {"Muster"}) == ["/00081030/Value/0", "/deep/0/er/1/0"]
    assert leaks({"muster": 1}, ["Muster"]) == ["/(key)"]
    assert leaks("nobody", ["Muster"]) == []
    assert leaks(json.dumps(document), ["Muster"]) == ["/"]


def test_never_says_the_token_itself() -> None:
    assert all("muster" not in place.lower() for place in leaks(["Muster"], ["muster"]))


@pytest.mark.parametrize("coding", ["utf-8", "latin-1", "utf-16-le"])
def test_finds_tokens_in_bytes(coding: str) -> None:
    assert leaks(b"\0\1" + "Düsentrieb".encode(coding) + b"\2", ["düsentrieb", "x"]) == ["/"] or coding != "utf-8"
    assert leaks(b"\0\1" + "Muster".encode(coding) + b"\2", ["muster"]) == ["/"]


def test_markers_of_a_codestream_are_searched_in_full() -> None:
    frame = encode(np.arange(4096, dtype=np.uint16).reshape(64, 64), Stored(16, 12, False))
    assert leaks([frame], ["muster", "abcd"]) == []
    comment = frame[:2] + b"\xff\xfe\x00\x08Muster" + frame[2:]
    assert leaks([frame, comment], ["muster"]) == ["/1"]
    assert leaks(frame + b"PAT-778899", ["pat-778899"]) == ["/"]


def test_the_quick_look_at_coded_data_misses_nothing() -> None:
    """Identifiers of every length, case and coding, anywhere in random bytes: found as by searching them one by one."""
    rng = np.random.default_rng(11)
    hits = 0
    for trial in range(300):
        letters = rng.choice(list("abcXYZ019-äß"), int(rng.integers(8, 15)))
        token = "".join(letters)
        shown = [token, token.upper(), token.swapcase()][trial % 3].replace("SS", "ß")
        form = shown.encode("utf-16-le" if trial % 2 else "utf-8")
        noise = rng.bytes(int(rng.integers(40, 400)))
        place = int(rng.integers(0, len(noise)))
        frame = b"\xff\xd8\xff\xf7\0\4\xff\xda" + noise[:place] + form + noise[place:]
        folded = token.casefold()
        there = any(folded.encode(code) in frame.lower() for code in ("utf-8", "utf-16-le", "latin-1"))
        assert bool(leaks(frame, [token, "another one"])) == there
        assert leaks(frame[:8] + noise, [token, "another one"]) == []
        hits += there
    assert hits > 50


def test_words_of_our_own_are_no_leak() -> None:
    header = {"00080008": {"vr": "CS", "Value": ["ORIGINAL", "PRIMARY"]}, "0008103E": {"Value": ["MR sagittal T2"]}}
    assert leaks(header, ["Mary", "Sagi", "origin"]) == []
    assert leaks({"x": "PRIMARY care by Mary"}, ["Mary"]) == ["/x"]


def test_derived_uids_and_unlike_numbers_are_no_leak() -> None:
    assert leaks(["2.25.123400105678", "1.2.840.10008.1.2", "20010310", 0.0010], ["0010", "1234"]) == []
    assert leaks([1234, 12345, -12345, 123456.5], ["1234", "12345"]) == ["/1"]
    assert leaks(["20010310", "101112"], ["101112", "200103"]) == ["/0", "/1"]
    assert leaks([True, None], ["True", "None"]) == []
    assert leaks(["abc"], ["abc"]) == []  # too short to mean anything


def test_take_refuses_what_still_names_the_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a rule ever lets a name through, the last look catches it."""
    from annotation.dicom import series

    monkeypatch.setattr(series, "title", lambda header, hints: "sagittal T2 of Muster")
    with pytest.raises(Refused) as refused:
        take(file_bytes(mr()), key=KEY)
    assert refused.value.code == "leak"
    assert "Muster" not in str(refused.value)
