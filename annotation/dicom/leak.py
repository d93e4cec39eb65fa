"""The last look at what leaves: is any identifier of the source still in it?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from annotation.dicom.vocabulary import WRITTEN

# Shorter tokens stand in ordinary words and numbers too often to mean anything.
SHORTEST_TOKEN = 4
SHORTEST_NUMBER = 5
SHORTEST_IN_DIGITS = 6
# Entropy-coded bytes hold any four bytes by chance, once in some thousand frames; eight never.
SHORTEST_IN_CODED_DATA = 8

_UID = re.compile(r"2\.25\.\d{1,39}|1\.2\.840\.10008(\.\d+)+")
_TAG = re.compile(r"[0-9A-F]{8}")
_START_OF_SCAN = b"\xff\xda"


def leaks(data: Any, tokens: Iterable[str]) -> list[str]:
    """Look for identifiers of the source in what is to be kept or sent.

    Parameters
    ----------
    data : bytes, str, number, mapping or iterable of these
        Nested as deep as it likes. Bytes that are a JPEG-LS codestream are searched in full in their markers, and for
        tokens of eight characters or more in the coded data.
    tokens : iterable of str
        Identifiers, compared without regard to case. Tokens under four characters are ignored.

    Returns
    -------
    list of str
        Where a token was found, as a path such as ``"/00080070/Value/0"``; never the token. Empty when clean.

    Notes
    -----
    A string is searched for the token anywhere in it, except when the whole string is a word of our own vocabulary (a
    patient may be called Mary, and PRIMARY holds that), or a UID that is derived or the standard's own. A number counts
    only if it equals a numeric token of five digits or more, a text of digits alone by `hides`.
    """
    wanted = _Wanted.of(tokens)
    found: list[str] = []
    texts: list[tuple[str, str]] = []
    stack: list[tuple[str, Any]] = [("", data)] if wanted.texts else []
    while stack:
        path, value = stack.pop()
        if isinstance(value, str):
            if value not in WRITTEN and not _UID.fullmatch(value):
                texts.append((path, value))
        elif isinstance(value, int | float | bytes | bytearray | memoryview):
            if _holds(value, wanted):
                found.append(path or "/")
        elif isinstance(value, dict | Mapping):
            stack.extend((f"{path}/{key}", inner) for key, inner in value.items())
            stack.extend((f"{path}/(key)", key) for key in value if not _TAG.fullmatch(str(key)))
        elif isinstance(value, list | tuple | Iterable):
            stack.extend((f"{path}/{n}", inner) for n, inner in enumerate(value))
    return sorted(found + _in_texts(texts, wanted.texts))


@dataclass(frozen=True)
class _Wanted:
    """Tokens, case folded, and the bytes they may stand as; those long enough for coded data apart."""

    texts: list[str]
    plain: tuple[bytes, ...]
    long: tuple[bytes, ...]

    @classmethod
    def of(cls, tokens: Iterable[str]) -> _Wanted:
        texts = sorted({t.casefold() for t in tokens if len(t.strip()) >= SHORTEST_TOKEN})
        long = [token for token in texts if len(token) >= SHORTEST_IN_CODED_DATA]
        plain, coded = ({form for token in some for form in _codings(token)} for some in (texts, long))
        return cls(texts, tuple(plain), tuple(coded))


def _holds(value: float | bytes | bytearray | memoryview, wanted: _Wanted) -> bool:
    if isinstance(value, bytes | bytearray | memoryview):
        return _in_bytes(bytes(value), wanted)
    return not isinstance(value, bool) and _in_number(value, wanted.texts)


def _in_texts(texts: list[tuple[str, str]], wanted: list[str]) -> list[str]:
    """Paths of the texts that hold a token. A clean header is searched as one text, which is much faster."""
    whole = "\0".join(text for _, text in texts).casefold()
    if not any(token in whole for token in wanted):
        return []
    return [path or "/" for path, text in texts if _in_text(text, wanted)]


def _in_text(value: str, wanted: list[str]) -> bool:
    folded = value.casefold()
    if value.isdigit():
        return any(hides(token, value) for token in wanted)
    return any(token in folded for token in wanted)


def hides(token: str, digits: str) -> bool:
    """Whether a date or time shows a token: is it, or holds one of six digits or more; shorter ones occur by chance."""
    return token.isdigit() and (token == digits or (len(token) >= SHORTEST_IN_DIGITS and token in digits))


def _in_number(value: float, wanted: list[str]) -> bool:
    text = str(int(value)) if float(value).is_integer() else repr(value)
    return len(text) >= SHORTEST_NUMBER and any(t == text or (t.isdigit() and t.lstrip("0") == text) for t in wanted)


def _in_bytes(value: bytes, wanted: _Wanted) -> bool:
    low = value.lower()
    scan = value.find(_START_OF_SCAN) if value[:3] == b"\xff\xd8\xff" else -1
    if scan < 0:
        return any(form in low for form in wanted.plain)
    return any(low.find(form, 0, scan) >= 0 for form in wanted.plain) or any(form in low for form in wanted.long)


def _codings(token: str) -> set[bytes]:
    """Return a token as the bytes it may stand as in a file."""
    coded = {token.encode("utf-8", "replace"), token.encode("utf-16-le", "replace")}
    if all(ord(letter) < 256 for letter in token):
        coded.add(token.encode("latin-1"))
    return coded
