"""The last look at what leaves: is any identifier of the source still in it?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
    wanted = _wanted(frozenset(tokens))
    return _places(data, wanted) if wanted.texts and not _is_clean(data, wanted) else []


def _is_clean(data: Any, wanted: _Wanted) -> bool:
    """Whether certainly no token is in it: all texts searched as one, and nothing passed over.

    Nearly every header is clean, and this is much faster than saying where. What is not clean here `_places` judges.
    """
    texts: list[str] = []
    stack: list[Any] = [data]
    while stack:
        value = stack.pop()
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, dict):
            texts.extend(map(str, value))
            stack.extend(value.values())
        elif isinstance(value, list | tuple):
            stack.extend(value)
        elif isinstance(value, int | float | bytes | bytearray | memoryview):
            if _holds(value, wanted):
                return False
        elif value is not None:  # another mapping or iterable: rare, so the thorough search takes it
            return False
    whole = "\0".join(texts).casefold()
    return not any(token in whole for token in wanted.texts)


def _places(data: Any, wanted: _Wanted) -> list[str]:
    """Search everything by itself, and give where something was found."""
    found: list[str] = []
    texts: list[tuple[str, str]] = []
    stack: list[tuple[str, Any]] = [("", data)]
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
    """Tokens, case folded, and the bytes they may stand as; those long enough for coded data apart.

    `numbers` are the texts that the text of a number may equal, `words` what `_may_hold` looks for.
    """

    texts: list[str]
    numbers: frozenset[str]
    plain: tuple[bytes, ...]
    long: tuple[bytes, ...]
    words: _Words

    @classmethod
    def of(cls, tokens: Iterable[str]) -> _Wanted:
        texts = sorted({t.casefold() for t in tokens if len(t.strip()) >= SHORTEST_TOKEN})
        long = [token for token in texts if len(token) >= SHORTEST_IN_CODED_DATA]
        plain, coded = ({form for token in some for form in _codings(token)} for some in (texts, long))
        numbers = frozenset(texts) | {token.lstrip("0") for token in texts if token.isdigit()}
        return cls(texts, numbers, tuple(plain), tuple(coded), _Words.of(coded))


# Files of one patient come one behind the other and have the same identifiers; those of the last are kept, in a process
# that has read them from the file anyway.
@lru_cache(maxsize=1)
def _wanted(tokens: frozenset[str]) -> _Wanted:
    return _Wanted.of(tokens)


_WORD = 4
_LOWER = np.uint32(0x20202020)
_BITS, _AT_ONCE = 13, 8192
_SPREAD, _SHIFT = np.uint32(0x9E3779B1), np.uint32(32 - _BITS)


@dataclass(frozen=True)
class _Words:
    """A quick look that rules forms out: none of the words of four bytes that such a form must show is there.

    A form of seven bytes or more, wherever it begins, covers one whole word on a border of four bytes, and this word
    is one of the four that begin in the form's first four bytes. So only words on borders are compared, at first by
    few bits. Letters are compared without the bit of case, which folds more than lower case does: what is there is
    always seen, and what is seen has to be looked for in full.
    """

    words: frozenset[int]
    likely: NDArray[np.bool_]

    @classmethod
    def of(cls, forms: Iterable[bytes]) -> _Words:
        shown = [np.frombuffer(form, "<u4", 1, start) | _LOWER for form in forms for start in range(_WORD)]
        likely = np.zeros(1 << _BITS, np.bool_)
        for word in shown:
            likely[_few_bits(word)] = True
        return cls(frozenset(int(word[0]) for word in shown), likely)

    def may_be_in(self, data: bytes) -> bool:
        words = np.frombuffer(data, "<u4", len(data) // _WORD)
        for start in range(0, len(words), _AT_ONCE):  # in pieces that stay in the processor's nearest memory
            some = words[start : start + _AT_ONCE] | _LOWER
            if not self.words.isdisjoint(some[self.likely.take(_few_bits(some))].tolist()):
                return True
        return False


def _few_bits(words: NDArray[np.uint32]) -> NDArray[np.uint32]:
    return (words * _SPREAD) >> _SHIFT


def _holds(value: float | bytes | bytearray | memoryview, wanted: _Wanted) -> bool:
    if isinstance(value, bytes | bytearray | memoryview):
        return _in_bytes(bytes(value), wanted)
    return not isinstance(value, bool) and _in_number(value, wanted.numbers)


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


def _in_number(value: float, wanted: frozenset[str]) -> bool:
    text = str(int(value)) if float(value).is_integer() else repr(value)
    return len(text) >= SHORTEST_NUMBER and text in wanted


def _in_bytes(value: bytes, wanted: _Wanted) -> bool:
    scan = value.find(_START_OF_SCAN) if value[:3] == b"\xff\xd8\xff" else -1
    markers = value[:scan].lower() if scan >= 0 else value.lower()
    if any(form in markers for form in wanted.plain):
        return True
    if scan < 0 or not wanted.words.may_be_in(value):
        return False
    low = value.lower()
    return any(form in low for form in wanted.long)


def _codings(token: str) -> set[bytes]:
    """Return a token as the bytes it may stand as in a file."""
    coded = {token.encode("utf-8", "replace"), token.encode("utf-16-le", "replace")}
    if all(ord(letter) < 256 for letter in token):
        coded.add(token.encode("latin-1"))
    return coded
