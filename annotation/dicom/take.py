"""From the bytes of one file to all that intake stores: checked, de-identified, decoded, coded, searched for leaks."""

from __future__ import annotations

import hashlib
import json
import logging
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from pydicom import config
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset

from annotation.dicom import allowlist as allow
from annotation.dicom import codec, deid, freetext, geometry, identity, keyed, pixels, series
from annotation.dicom.codec import Layout
from annotation.dicom.geometry import Plane
from annotation.dicom.identity import SourceFacts
from annotation.dicom.leak import leaks
from annotation.dicom.prescan import Limits, Scan, prescan
from annotation.dicom.refusal import Quarantined, Refused


@dataclass(frozen=True)
class TakeRules:
    """What a study allows.

    Parameters
    ----------
    allow_head : bool
        Take images of the head, whose surface can be recognised.
    limits : Limits
        What one file may cost.
    released : frozenset of str
        Codes of `Quarantined` that an operator has looked at and lets through.
    check_every : int
        Of so many frames one is decoded again and compared, chosen by its derived UID; 1 compares every frame.
    """

    allow_head: bool = False
    limits: Limits = field(default_factory=Limits)
    released: frozenset[str] = frozenset()
    check_every: int = 1


@dataclass(frozen=True)
class Taken:
    """One instance, ready to be stored.

    Parameters
    ----------
    header : dict
        De-identified, in the DICOM JSON model, without pixel data and file meta information.
    frames : tuple of bytes
        One JPEG-LS lossless codestream a frame.
    planes : tuple of Plane or None
        One a frame, in file order; ``None`` where the header does not place it.
    facts : SourceFacts
        For intake only; never stored with images.
    tokens : frozenset of str
        Identifiers of the source, for `leaks` over whatever else is written; never stored.
    hints : tuple of str
        Closed-vocabulary words for `series.propose`.
    head : bool
        The source says that the head is imaged.
    suspicion : str
        Code of what `Quarantined` would have been raised for, had the rules not released it; empty for a clean file.
    """

    header: dict[str, Any]
    frames: tuple[bytes, ...]
    planes: tuple[Plane | None, ...]
    facts: SourceFacts
    tokens: frozenset[str]
    hints: tuple[str, ...]
    head: bool
    suspicion: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of header and frames: the same for the same file, key and version of this package."""
        return digest_of(self.header, self.frames)


def take(data: bytes, *, key: bytes, rules: TakeRules | None = None) -> Taken:
    """Take one DICOM file: check, de-identify, decode, store without loss, and search the result for leaks.

    Parameters
    ----------
    data : bytes
        The whole file.
    key : bytes
        The project's key, 16 bytes or more; UIDs, dates and the patient's hash depend on it.
    rules : TakeRules, optional
        What the study allows.

    Returns
    -------
    Taken

    Raises
    ------
    Refused
        The file is not taken; nothing of it is kept.
    Quarantined
        A person must look first; `TakeRules.released` lets it through afterwards.
    MemoryError
        The process may not have as much as the file needs.

    Notes
    -----
    Run it in a process with limits on memory and time: parsers and decoders of foreign bytes run here.
    """
    rules = rules or TakeRules()
    keyed.check(key)
    scan = prescan(data, rules.limits)
    with _quiet_parser():
        try:
            return _take(scan, key, rules)
        except (Refused, Quarantined, MemoryError):
            raise
        except Exception:  # the one boundary: what a parser says of foreign bytes may quote them, so it ends here
            raise Refused("unreadable", "The file cannot be read.") from None


# pydicom logs and warns with the values it dislikes, which may name the patient: none of that may reach a log.
logging.getLogger("pydicom").addFilter(lambda record: False)


@contextmanager
def _quiet_parser() -> Iterator[None]:
    """Keep the parser from judging values (they are judged here) and from warning with them.

    One warning is an error: the parser came to an end before an element did, and goes on with what it has.
    """
    before = config.settings.reading_validation_mode
    config.settings.reading_validation_mode = config.IGNORE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.filterwarnings("error", message="(?s).* in file ", category=UserWarning)
            yield
    finally:
        config.settings.reading_validation_mode = before


def _take(scan: Scan, key: bytes, rules: TakeRules) -> Taken:
    dataset = _parsed(scan)
    sop_class, modality = deid.identify(dataset)
    if scan.pixels is None:
        raise Refused("no_pixels", "The file has no pixel data.")
    head = freetext.shows_head(dataset)
    if head and not rules.allow_head:
        raise Refused("head", "The header says that the head is imaged, and this study does not take head images.")
    facts = identity.source_facts(dataset, modality=modality, sop_class=sop_class, key=key)
    tokens = identity.tokens(dataset)
    header = deid.deidentify(dataset, sop_class=sop_class, key=key, day_offset=facts.day_offset, tokens=tokens)
    shape = codec.layout(header, rules.limits)
    _check_frames(dataset, header, sop_class, shape)
    _describe(header, scan, shape)
    hints = freetext.hints(dataset)
    header["0008103E"] = {"vr": "LO", "Value": [series.title(header, hints)]}
    if head:
        header["00280302"] = {"vr": "CS", "Value": ["YES"]}  # RecognizableVisualFeatures
    header = dict(sorted(header.items()))
    suspicion = _let_through(pixels.suspicion(dataset, None), rules)
    frames, written_on = _frames(scan, shape, rules, int(facts.sop_uid[-6:].replace(".", "")))
    if leaks(header, tokens) or leaks(frames, tokens):
        raise Refused("leak", "An identifier of the patient was still found after de-identification.")
    planes = geometry.planes(header)
    return Taken(header, frames, planes, facts, tokens, hints, head, suspicion or written_on)


def _parsed(scan: Scan) -> Dataset:
    """Parse the data set without its pixels, and check that the parser saw what the structural check saw."""
    dataset = read_dataset(BytesIO(scan.data[scan.start : scan.end]), scan.implicit, True)
    if set(map(int, dataset.keys())) != set(scan.tags):
        raise Refused("parse", "The file reads differently in two ways, so it is not taken.")
    return dataset


def _check_frames(dataset: Dataset, header: dict[str, Any], sop_class: str, shape: Layout) -> None:
    if "00280008" not in header and any(deid.texts(dataset, "NumberOfFrames")):
        raise Refused("frames", "The file says that it has an impossible number of frames.")
    groups = header.get("52009230", {}).get("Value", [])
    if sop_class in allow.MULTI_FRAME and len(groups) not in (0, shape.frames):
        raise Refused("frames", "The file describes another number of frames than it says it has.")
    if sop_class not in allow.MULTI_FRAME and shape.frames != 1:
        raise Refused("frames", "The file has several frames although its kind of object has one.")


def _describe(header: dict[str, Any], scan: Scan, shape: Layout) -> None:
    """Make the header describe the stored frames, and remember a lossy past."""
    form = codec.stored_form(shape)
    for tag, value in (
        ("00280100", form.bits_allocated),
        ("00280101", form.bits_stored),
        ("00280102", form.bits_stored - 1),
    ):
        header[tag] = {"vr": "US", "Value": [value]}
    if scan.transfer_syntax in codec.LOSSY:
        header["00282110"] = {"vr": "CS", "Value": ["01"]}


def _frames(scan: Scan, shape: Layout, rules: TakeRules, place: int) -> tuple[tuple[bytes, ...], str]:
    """Decode, look and code frame by frame; gives the code of a suspicion as well."""
    form = codec.stored_form(shape)
    stored, found = [], ""
    for number, array in enumerate(codec.frames(scan, shape), start=place):
        if not found and pixels.looks_written_on(array):
            found = _let_through(pixels.TEXT, rules)
        stored.append(codec.encode(array, form, check=number % rules.check_every == 0))
    return tuple(stored), found


def _let_through(found: pixels.Suspicion | None, rules: TakeRules) -> str:
    if found is None:
        return ""
    if found.code not in rules.released:
        raise Quarantined(found.code, found.sentence)
    return found.code


def digest_of(header: Mapping[str, Any], frames: Iterable[bytes]) -> str:
    """SHA-256 of header and stored frames together, as in `Taken.digest`."""
    total = hashlib.sha256(json.dumps(header, sort_keys=True, separators=(",", ":")).encode())
    for frame in frames:
        total.update(hashlib.sha256(frame).digest())
    return total.hexdigest()
