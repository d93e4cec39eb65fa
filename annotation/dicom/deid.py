"""A new header from an allow-list: nothing is deleted from the source, only named attributes are written anew.

The result is in the DICOM JSON model (PS3.18 annex F), with values that are numbers inside bounds, words of a
vocabulary, remapped UIDs, shifted dates and times of day; no free text, no private attribute, nothing unknown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, MutableSequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from struct import Struct
from typing import Any, assert_never

from pydicom._dicom_dict import DicomDictionary
from pydicom._uid_dict import UID_dictionary
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from annotation.dicom import allowlist as allow
from annotation.dicom import identity, keyed
from annotation.dicom import vocabulary as v
from annotation.dicom.leak import SHORTEST_NUMBER, hides
from annotation.dicom.refusal import Refused

Header = dict[str, Any]

# A value longer than this is no scanning parameter; it is not even parsed.
LONGEST_VALUE = 1024
_BINARY = {
    "US": Struct("<H"),
    "SS": Struct("<h"),
    "UL": Struct("<L"),
    "SL": Struct("<l"),
    "FL": Struct("<f"),
    "FD": Struct("<d"),
}
_WHOLE = frozenset(("IS", "US", "SS", "UL", "SL"))
_TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d)?")
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
# What an instance must have whatever its class (type 1), beside pixels.
_REQUIRED = ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
# Wider than PS3.5 9.1: earlier tools wrote letters and leading zeros. A source UID is hashed and never used as it is;
# what matters is that it is one, not empty and without an empty part.
_SOURCE_UID = re.compile(r"(?=.{1,64}$)[0-9A-Za-z]+(\.[0-9A-Za-z]+)*")


@dataclass(frozen=True, eq=False)
class _Context:
    """What the value rules need beside the value, and what they have made of values already."""

    key: bytes
    day_offset: int
    identifiers: frozenset[str]  # of the source, case folded
    signed: bool
    known: dict[tuple[Any, ...], list[Any]] = field(default_factory=dict)


# Files of a series share most of their values, and a patient's files the context; what a rule made of the bytes of
# a value for this patient it makes of them again.
_MOST_KNOWN, _LONGEST_KNOWN = 4096, 64


@lru_cache(maxsize=2)
def _context(key: bytes, day_offset: int, tokens: frozenset[str], signed: bool) -> _Context:
    return _Context(key, day_offset, frozenset(t.casefold() for t in tokens), signed)


def identify(dataset: Dataset) -> tuple[str, str]:
    """Check that the file is of a class that is taken, and complete.

    Parameters
    ----------
    dataset : Dataset
        The source.

    Returns
    -------
    tuple of str
        UID of the SOP class, and the modality ``"CT"`` or ``"MR"``.

    Raises
    ------
    Refused
        For any other class, a modality that contradicts it, or a missing UID.
    """
    sop_class = " ".join(texts(dataset, "SOPClassUID"))
    if sop_class not in allow.SOP_CLASSES:
        known = UID_dictionary.get(sop_class)
        what = f"This kind of object is not taken: {known[0]}." if known else "The file does not say what object it is."
        raise Refused("sop_class", f"{what} Only CT and MR images are.")
    for keyword in _REQUIRED:
        if not _SOURCE_UID.fullmatch(" ".join(texts(dataset, keyword))):
            raise Refused("uid", f"The file has no usable {keyword}.")
    modality = "CT" if sop_class in (allow.CT, allow.ENHANCED_CT, allow.CONVERTED_CT) else "MR"
    if texts(dataset, "Modality") != [modality]:
        raise Refused("modality", "The modality in the header does not fit the kind of object.")
    return sop_class, modality


def deidentify(dataset: Dataset, *, sop_class: str, key: bytes, day_offset: int, tokens: Iterable[str] = ()) -> Header:
    """Write a new header from the allow-list of the SOP class.

    Parameters
    ----------
    dataset : Dataset
        The source, little endian, its structure checked by `prescan`.
    sop_class : str
        From `identify`.
    key : bytes
        The project's key, for UIDs.
    day_offset : int
        Whole days added to each date.
    tokens : iterable of str
        Identifiers of the source; a whole number, date or time that shows one is dropped (record numbers turn up in
        integer attributes).

    Returns
    -------
    dict
        DICOM JSON model without pixel data. Attributes whose value breaks its rule are absent.
    """
    context = _context(key, day_offset, frozenset(tokens), texts(dataset, "PixelRepresentation") == ["1"])
    header = _empty(sop_class) | _copy(dataset, allow.SOP_CLASSES[sop_class], context) | _written()
    if sop_class in allow.MULTI_FRAME:
        header["00089205"] = {"vr": "CS", "Value": ["MONOCHROME"]}  # palettes are not kept
        for tag in ("00081090", "00181000", "00181020"):  # model, serial number, software: type 1 there
            header[tag] = {"vr": "LO", "Value": [v.REMOVED]}
    return dict(sorted(header.items()))


def _empty(sop_class: str) -> Header:
    """Attributes that the class asks for, if only empty (type 2), where the source has nothing that is kept."""
    tags = {"00080020": "DA", "00080030": "TM", "00080070": "LO", "00201040": "LO"}
    if sop_class == allow.MR:
        tags["00180022"] = "CS"
    if sop_class in allow.MULTI_FRAME:
        tags["00400555"] = "SQ"
    return {tag: {"vr": vr} for tag, vr in tags.items()}


def _written() -> Header:
    """Attributes that say what was done, and the type 2 attributes that must be present and empty."""
    header: Header = {
        "00120062": {"vr": "CS", "Value": ["YES"]},
        "00120063": {"vr": "LO", "Value": [v.METHOD]},
        "00120064": {"vr": "SQ", "Value": [code(value, meaning) for value, meaning in v.METHOD_CODES.items()]},
        "00280303": {"vr": "CS", "Value": ["MODIFIED"]},
    }
    for tag, vr in (("00080050", "SH"), ("00080090", "PN"), ("00100010", "PN"), ("00100020", "LO"),
                    ("00100030", "DA"), ("00100040", "CS"), ("00200010", "SH")):  # fmt: skip
        header[tag] = {"vr": vr}
    return header


def code(value: str, meaning: str) -> Header:
    """Return an item of a code sequence with one of DICOM's own codes."""
    return {
        "00080100": {"vr": "SH", "Value": [value]},
        "00080102": {"vr": "SH", "Value": [v.CODING_SCHEME]},
        "00080104": {"vr": "LO", "Value": [meaning]},
    }


def _copy(dataset: Dataset, allowed: allow.Allowed, context: _Context) -> Header:
    """Apply the rules to one data set; recursion is as deep as the allow-list, not as the source."""
    header: Header = {}
    for tag in dataset.keys():  # noqa: SIM118  a Dataset iterates over elements, and would convert each
        rule = allowed.get(int(tag))
        if rule is None:
            continue
        vr = _vr(int(tag), context)
        if isinstance(rule, allow.Group):
            items = [_copy(item, rule.content, context) for item in _items(dataset, int(tag))]
            if items:
                header[f"{tag:08X}"] = {"vr": "SQ", "Value": items}
            continue
        values = _kept(rule, dataset, int(tag), context, vr)
        if values:
            header[f"{tag:08X}"] = {"vr": vr, "Value": values}
    return header


def _kept(rule: allow.Rule, dataset: Dataset, tag: int, context: _Context, vr: str) -> list[Any]:
    """What a rule leaves of an element."""
    raw: Any = dataset.get_item(tag)
    if not isinstance(raw, RawDataElement) or not isinstance(raw.value, bytes) or len(raw.value) > _LONGEST_KNOWN:
        return _ruled(rule, _values(dataset, tag, vr), context, vr)
    key = (id(rule), vr, raw.VR, raw.value)  # rules stand in the tables of `allowlist` and never go
    found = context.known.get(key)
    if found is None:
        if len(context.known) >= _MOST_KNOWN:
            context.known.clear()
        found = context.known[key] = _ruled(rule, _values(dataset, tag, vr), context, vr)
    return list(found)


@cache
def _dictionary_vr(tag: int) -> str:
    return dictionary_VR(tag)


def _vr(tag: int, context: _Context) -> str:
    vr = _dictionary_vr(tag)
    return vr if vr != "US or SS" else "SS" if context.signed else "US"


def _items(dataset: Dataset, tag: int) -> list[Dataset]:
    raw: Any = dataset.get_item(tag)
    # A sequence hidden in a UN value of known length was not walked by the structural check.
    if isinstance(raw, RawDataElement) and raw.VR == "UN":
        return []
    value = dataset[tag].value
    return [item for item in value if isinstance(item, Dataset)] if dataset[tag].VR == "SQ" else []


def texts(dataset: Dataset, keyword: str) -> list[str]:
    """Return the values of a top-level attribute as text, whatever its coding."""
    tag = _tag_of(keyword)
    return [str(value) for value in _values(dataset, tag, _dictionary_vr(tag))]


@cache
def _tag_of(keyword: str) -> int:
    return int(tag_for_keyword(keyword) or 0)


def _values(dataset: Dataset, tag: int, vr: str) -> list[Any]:
    """Read the values of one element from its bytes, without the leniency of a general parser."""
    raw: Any = dataset.get_item(tag)
    value: Any = raw.value if raw is not None else None
    if isinstance(value, bytes):
        if not value or len(value) > LONGEST_VALUE:
            return []
        if isinstance(raw, RawDataElement) and raw.VR not in (None, "UN"):
            vr = raw.VR  # the file's own coding; implicit files have none
        if vr in _BINARY:
            coding = _BINARY[vr]
            return [one[0] for one in coding.iter_unpack(value)] if len(value) % coding.size == 0 else []
        if vr == "AT":
            return [f"{g:04X}{e:04X}" for g, e in Struct("<HH").iter_unpack(value)] if len(value) % 4 == 0 else []
        return [part.strip(" \0") for part in value.decode("ascii", "replace").split("\\")]
    return _parsed(value)


def _parsed(value: Any) -> list[Any]:
    """Values of an element that the parser has already converted (as in data sets built by hand)."""
    if value is None or value == "":
        return []
    many = list(value) if isinstance(value, MutableSequence) else [value]
    return [one if isinstance(one, int | float) else str(one) for one in many][:LONGEST_VALUE]


def _ruled(rule: allow.Rule, values: list[Any], context: _Context, vr: str) -> list[Any]:
    """Values that pass their rule; an empty list means that the attribute is not written."""
    match rule:
        case allow.Number():
            return _numbers(rule, values, context, vr)
        case allow.Word():
            return [w for w in map(_word, values) if w in rule.vocabulary][: rule.most]
        case allow.ImageType():
            return _image_type([_word(value) for value in values])
        case allow.Shape():
            found = [str(value) for value in values if str(value).casefold() not in context.identifiers]
            return found if len(found) <= rule.most and all(map(rule.pattern.fullmatch, found)) else []
        case allow.Uid() | allow.StandardUid():
            return _uids(rule, values, context)
        case allow.Date() | allow.Time() | allow.DateTime():
            return _moments(rule, values, context)
        case allow.Maker() | allow.Agent() | allow.Pointer():
            return _replaced(rule, values)
        case allow.Group():
            return []
        case _:
            assert_never(rule)


def _word(value: Any) -> str:
    return str(value).strip().upper()


def _numbers(rule: allow.Number, values: list[Any], context: _Context, vr: str) -> list[Any]:
    if not values or (len(values) > rule.most and rule.exactly is None) or rule.exactly not in (None, len(values)):
        return []
    out: list[Any] = []
    for value in values:
        if isinstance(value, str) and (len(value) > 32 or not _DECIMAL.fullmatch(value)):
            return []
        number = float(value)
        if not math.isfinite(number) or not rule.low <= number <= rule.high:
            return []
        if (vr in _WHOLE and not number.is_integer()) or (vr == "US" and number < 0):
            return []
        if number.is_integer() and number >= 10 ** (SHORTEST_NUMBER - 1) and _names_someone(int(number), context):
            return []
        out.append(int(number) if vr in _WHOLE else number)
    return out


def _names_someone(number: int, context: _Context) -> bool:
    """Whether a whole number is a record number of the source, leading zeros aside."""
    return any(token.isdigit() and int(token) == number for token in context.identifiers)


def _image_type(values: list[str]) -> list[str]:
    if len(values) < 2 or values[0] not in v.IMAGE_TYPE_1 or values[1] not in v.IMAGE_TYPE_2:
        return []
    third = [value if value in v.IMAGE_TYPE_REST else "OTHER" for value in values[2:3]]
    return [*values[:2], *third, *(value for value in values[3:16] if value in v.IMAGE_TYPE_REST)]


def _uids(rule: allow.Uid | allow.StandardUid, values: list[Any], context: _Context) -> list[str]:
    if len(values) != 1 or not values[0]:
        return []
    if isinstance(rule, allow.StandardUid):
        return [values[0]] if values[0] in UID_dictionary else []
    return [keyed.uid(str(values[0]), key=context.key)]


def _moments(rule: allow.Date | allow.Time | allow.DateTime, values: list[Any], context: _Context) -> list[str]:
    if len(values) != 1:
        return []
    value = str(values[0])
    if any(hides(token, value) for token in context.identifiers):
        return []
    if isinstance(rule, allow.Time):
        return _to_the_minute(value.replace(":", ""))
    date = identity.day(value)
    moved = keyed.shifted(date, context.day_offset) if date else None
    if moved is None or any(hides(token, moved.strftime("%Y%m%d")) for token in context.identifiers):
        return []
    time = _to_the_minute(value[8:]) if isinstance(rule, allow.DateTime) else []
    return [moved.strftime("%Y%m%d") + "".join(time)]


def _to_the_minute(value: str) -> list[str]:
    """Time of day without its seconds: they order nothing that numbers do not, but pick one scan out of an archive."""
    time = _TIME.match(value)
    return [f"{time[1]}{time[2]}00" if time[2] else time[1]] if time else []


def _replaced(rule: allow.Maker | allow.Agent | allow.Pointer, values: list[Any]) -> list[str]:
    if isinstance(rule, allow.Pointer):
        return [value for value in values if str(value) and int(str(value), 16) in DicomDictionary][:1]
    text = " ".join(str(value) for value in values).casefold()
    if isinstance(rule, allow.Maker):
        return [ours for word, ours in v.MAKERS.items() if word in re.split(r"[^a-z_]+", text)][:1]
    return [v.CONTRAST_AGENT] if text.strip() and text.strip() not in _NO_AGENT else []


_NO_AGENT = frozenset(
    ("none", "no", "n", "0", "-", "ohne", "keine", "nein", "without", "native", "nativ", "no contrast")
)


def value(header: Mapping[str, Any], tag: str) -> Any:
    """First value of an attribute at the top of a header, or ``None``."""
    values = header.get(tag, {}).get("Value", [])
    return values[0] if values else None
