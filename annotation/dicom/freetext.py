"""What may be learnt from free text of the source: a few words of a closed vocabulary, never the text.

Descriptions are read once, while a file is taken, for hints on the role of the series and for signs that the head is
shown. They are not kept: a description can hold anybody's name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, MutableSequence
from functools import cache, lru_cache
from typing import Any

from pydicom.dataelem import RawDataElement, convert_raw_data_element
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

# The longest text of the standard with a limit has 10 240 letters (LT); patterns are slow on megabytes.
LONGEST_TEXT = 10_240

# hint -> what says so in English, German and French descriptions and in sequence names
HINTS: dict[str, re.Pattern[str]] = {
    hint: re.compile(pattern, re.IGNORECASE)
    for hint, pattern in {
        "t1": r"(?<![a-z0-9])t1(?!\d)",
        "t2": r"(?<![a-z0-9])t2(?![\d*])",
        "t2star": r"t2\*|t2.?star|hemo|swi(?![a-z])|swan(?![a-z])",
        "stir": r"stir(?![a-z])|tirm|turbo.?inversion|(?<![a-z])tir(?![a-z])",
        "pd": r"(?<![a-z])pd(?![a-z])|proton",
        "flair": r"flair",
        "fatsat": r"fat.?sat|(?<![a-z])fs(?![a-z])|spair|(?<![a-z])spir(?![a-z])|dixon.*_w(?![a-z])",
        "dwi": r"(?<![a-z])(dwi|diff|adc|ep2d)",
        "sagittal": r"(?<![a-z])sag",
        "axial": r"(?<![a-z])(ax(?![a-z])|axial|tra(?![a-z])|transv)",
        "coronal": r"(?<![a-z])(cor(?![a-z])|coron|kor(?![a-z])|koron)",
        "localiser": r"(?<![a-z])(loc(?![a-z])|localis|localiz|lokali|survey|scout|pilot|3.?plane)"
        r"|topogram|surview|scanogram|scano(?![a-z])",
        "pre": r"(?<![a-z])((pre|before|vor|avant|ohne|sans)(?![a-z])|prä|nativ|plain|without|unenhanced)"
        r"|w/o|non.?contrast",
        "post": r"(?<![a-z])(post(?![a-z])|nach(?![a-z])|km(?![a-z])|ce(?![a-z])|c\+)|kontrast|contrast|enhanced|gado",
        "needle": r"(?<![a-z])(needle|nadel|punkt|biops|interv|fluoro|inject|infiltr|kontroll|control|care.?vision)"
        r"|(?<![a-z])(prt(?![a-z])|i.?seq)",
    }.items()
}

_HEAD = re.compile(
    r"(?<!femoral )(?<!humeral )(?<!radial )(?<![a-z])head(?![a-z])(?![ _-]*first)"
    r"|(?<![a-z])(brain|skull|crani|cereb|enceph|enzeph|neurocran|schädel|schaedel|gehirn|hirn|kopf|cerveau|tête|orbit)"
    r"|(?<![a-z])(face(?![a-z])|facial|sinus(?!.*(tarsi))|pituitar|hypophys|sella(?![a-z])|petrous|felsenbein|nnh(?![a-z]))"
    r"|(?<![a-z])(iac(?![a-z])|mandib|maxill|headneck|head.?neck|tmj(?![a-z])|stroke)",
    re.IGNORECASE,
)
_HEAD_PARTS = frozenset(
    ("HEAD", "BRAIN", "SKULL", "FACE", "ORBIT", "HEADNECK", "CRANIUM", "JAW", "MAXILLA", "MANDIBLE")
)
# SNOMED codes of head and brain, as CT, MR and FrameAnatomySequence use them: SRT, and SCT since 2019
_HEAD_CODES = frozenset(("T-D1100", "T-A0100", "T-D1213", "69536005", "12738006", "774007", "89546000", "T-11100"))

_DESCRIPTIONS = (
    "StudyDescription",
    "SeriesDescription",
    "ProtocolName",
    "RequestedProcedureDescription",
    "PerformedProcedureStepDescription",
    "BodyPartExamined",
)


# Files of a series say the same in nearly every attribute; what was decoded is decoded once. The process that reads
# foreign bytes ends after some thousand files, and this with it.
_MOST_KNOWN, _LONGEST_KNOWN = 4096, 256
_known: dict[tuple[Any, ...], str] = {}


def text(dataset: Dataset, keyword: str) -> str:
    """Return an attribute of the source as text, several values joined by blanks; empty if absent or unreadable."""
    # Not through the data set's own access: that converts the element in place, for everybody, and takes ten times as
    # long. Who looks at it later finds it as it stands in the file.
    raw: Any = dataset._dict.get(_tag(keyword))
    if raw is None:
        return ""
    if not isinstance(raw, RawDataElement):
        return _told(lambda: raw.value)
    if raw.value is None:
        return ""
    spoken = dataset.original_character_set or dataset._character_set
    if len(raw.value) > _LONGEST_KNOWN:
        return _told(lambda: _converted(raw, spoken))
    charset = spoken if isinstance(spoken, str) else tuple(spoken)
    key = (int(raw.tag), raw.VR, raw.value, raw.is_implicit_VR, charset)
    found = _known.get(key)
    if found is None:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        found = _known[key] = _told(lambda: _converted(raw, spoken))
    return found


def _told(value_of: Callable[[], Any]) -> str:
    try:
        value = value_of()
        values = value if isinstance(value, MutableSequence) else [value]
        joined = " ".join(str(v) for v in values if v is not None)
    except Exception:  # a value that pydicom cannot decode has nothing to say here
        return ""
    # neither NUL nor half a surrogate pair may reach a database
    return joined.replace("\0", " ").encode("utf-8", "replace").decode("utf-8").strip()


@cache
def _tag(keyword: str) -> BaseTag:
    return Tag(keyword)


def _converted(raw: RawDataElement, charset: str | MutableSequence[str]) -> Any:
    """Value of an element; of one that is longer than any text has a right to be, the beginning."""
    if raw.value is not None and len(raw.value) > LONGEST_TEXT:
        raw = raw._replace(value=raw.value[:LONGEST_TEXT], length=LONGEST_TEXT)
    return convert_raw_data_element(raw, encoding=charset).value


def hints(dataset: Dataset) -> tuple[str, ...]:
    """Words of the closed vocabulary that the source's description of the series suggests.

    Parameters
    ----------
    dataset : Dataset
        The source.

    Returns
    -------
    tuple of str
        Keys of `HINTS`, sorted. ``pre`` excludes ``post``: "without contrast" names both.
    """
    own = text(dataset, "SeriesDescription")
    technique = " ".join((own, text(dataset, "ProtocolName"), text(dataset, "SequenceName")))
    return _hints_in(own, technique)


@lru_cache(maxsize=256)
def _hints_in(own: str, technique: str) -> tuple[str, ...]:
    found = {hint for hint, pattern in HINTS.items() if pattern.search(technique)}
    # A protocol is often named after the whole intervention; which phase a series is, only its own name can say.
    if own:
        found -= {hint for hint in ("pre", "post", "needle") if not HINTS[hint].search(own)}
    if "pre" in found:
        found.discard("post")
    return tuple(sorted(found))


def shows_head(dataset: Dataset) -> bool:
    """Whether the source says that the head is imaged.

    Parameters
    ----------
    dataset : Dataset
        The source.

    Returns
    -------
    bool
        True if the body part, a description, an anatomic code, the landmark (orbitomeatal line) or a head filter says
        so. A head coil does not: it is also used for the neck.
    """
    if text(dataset, "BodyPartExamined").upper() in _HEAD_PARTS:
        return True
    if any(_names_head(text(dataset, keyword)) for keyword in _DESCRIPTIONS):
        return True
    if text(dataset, "PositionReferenceIndicator").upper() == "OM" or text(dataset, "FilterType").upper().startswith(
        "HEAD"
    ):
        return True
    return any(_is_head(item) for item in _anatomy(dataset))


def _is_head(code: Dataset) -> bool:
    return text(code, "CodeValue") in _HEAD_CODES or _names_head(text(code, "CodeMeaning"))


@lru_cache(maxsize=256)
def _names_head(said: str) -> bool:
    return bool(_HEAD.search(said))


def _anatomy(dataset: Dataset) -> Iterator[Dataset]:
    """Yield the anatomic codes at the top and in the functional groups (the first frame speaks for the others)."""
    yield from _items(dataset, "AnatomicRegionSequence")
    for groups in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for group in _items(dataset, groups)[:1]:
            for anatomy in _items(group, "FrameAnatomySequence"):
                yield from _items(anatomy, "AnatomicRegionSequence")


def _items(dataset: Dataset, keyword: str) -> list[Dataset]:
    value = dataset.get(keyword)
    return [item for item in value if isinstance(item, Dataset)] if type(value).__name__ == "Sequence" else []
