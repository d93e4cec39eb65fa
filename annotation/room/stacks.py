"""The images of one assignment: frames in slice order under UIDs and addresses of that assignment alone."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.conf import settings

from annotation.dicom import frame_metadata
from annotation.dicom.geometry import Plane
from annotation.dicom.numbering import points_in, space_of
from annotation.dicom.turning import NO_TURN, Turn, standard_turn, turned
from annotation.models import Instance, Series


@dataclass(frozen=True)
class Frame:
    image: str
    uid: str
    metadata: dict[str, Any]
    turn: dict[str, bool] | None = None
    """What is done with the stored pixels; the metadata are those of the turned ones."""

    def document(self) -> dict[str, Any]:
        told = {"image": self.image, "uid": self.uid, "metadata": self.metadata}
        return told | {"turn": self.turn} if self.turn else told


@dataclass(frozen=True)
class Window:
    width: float
    level: float


@dataclass(frozen=True)
class Label:
    """The name of a vertebra, as the coordinator has set it, and the middle of its body."""

    text: str
    point_lps_mm: tuple[float, float, float]


@dataclass(frozen=True)
class Stack:
    id: str
    role: str
    title: str
    plane: str
    automatic_window: Window | None
    frames: tuple[Frame, ...]
    index_slice: int | None
    labels: tuple[Label, ...]

    def document(self) -> dict[str, Any]:
        """As `asdict`, but the frames' metadata are not copied: a case has some hundred of them."""
        frames = [one.document() for one in self.frames]
        return asdict(replace(self, frames=())) | {"frames": frames}


def derived_uid(assignment: uuid.UUID, kind: str, stable: str) -> str:
    """Give a UID that is stable for one assignment and unlike the one of any other."""
    text = f"{assignment}:{kind}:{stable}".encode()
    made = hmac.new(settings.PSEUDONYM_KEY.encode(), text, hashlib.sha256).digest()
    return f"2.25.{int.from_bytes(made[:16], 'big')}"


def frame_uid(assignment: uuid.UUID, sop_uid: str, frame: int) -> str:
    return derived_uid(assignment, "frame", f"{sop_uid}#{frame}")


@dataclass(frozen=True)
class Rules:
    """How a case's images are hung.

    `segments_below` counts the lumbar segments below the index segment; None where the study does not tell it.
    `labels` are the case's vertebrae; they go to the sagittal series of the space they were set in. `standard` turns
    every slice to its standard view; otherwise it is shown as it was acquired.
    """

    segments_below: int | None
    labels: Mapping[str, Any]
    standard: bool


Images = Mapping[int, Mapping[str, Instance]]
"""The stored images of some series: by the series' key, then by their own UID."""


def images_of(series: Sequence[Series]) -> Images:
    """Read the stored images of some series; one query for all."""
    found: dict[int, dict[str, Instance]] = {one.pk: {} for one in series}
    wanted = Instance.objects.filter(series__in=series).only("series", "sop_uid", "header", "frames")
    for instance in wanted:
        found[instance.series_id][instance.sop_uid] = instance
    return found


def stacks_of(
    series: Sequence[Series],
    images: Images,
    *,
    assignment: uuid.UUID,
    address: Callable[[str], str],
    rules: Rules,
) -> tuple[Stack, ...]:
    """Build what the viewer shows."""
    return tuple(
        replace(
            _stack(number, one, images[one.pk], assignment, address, rules),
            labels=_labels(one, images[one.pk], rules.labels),
        )
        for number, one in enumerate(series, start=1)
    )


def _labels(series: Series, instances: Mapping[str, Instance], labels: Mapping[str, Any]) -> tuple[Label, ...]:
    """Give a sagittal series the labels of its own space; those of another would stand anywhere."""
    if not labels or series.parameters.get("plane") != "sagittal":
        return ()
    first, _ = series.parameters["order"][0]
    points = points_in(labels, space_of(series.series_uid, instances[first].header))
    return tuple(Label(name, (point[0], point[1], point[2])) for name, point in points.items())


def _stack(
    number: int,
    series: Series,
    instances: Mapping[str, Instance],
    assignment: uuid.UUID,
    address: Callable[[str], str],
    rules: Rules,
) -> Stack:
    series_uid = derived_uid(assignment, "series", series.series_uid)
    study_uid = derived_uid(assignment, "study", series.modality)
    frames = []
    for place, (sop_uid, frame) in enumerate(series.parameters["order"], start=1):
        instance = instances[sop_uid]
        reference = _reference(instance.header)
        metadata = frame_metadata(
            instance.header,
            frame,
            uid=frame_uid(assignment, sop_uid, frame),
            series_uid=series_uid,
            study_uid=study_uid,
            frame_of_reference_uid=derived_uid(assignment, "reference", reference) if reference else None,
            number=place,
        )
        image = address(instance.frames[frame - 1]["digest"])
        turn = _turn(instance.frames[frame - 1]["plane"]) if rules.standard else NO_TURN
        seen = Frame(image, frame_uid(assignment, sop_uid, frame), turned(metadata, turn))
        frames.append(seen if turn == NO_TURN else replace(seen, turn=turn.document()))
    window = series.parameters.get("automatic_window")
    return Stack(
        id=f"k{number}",
        role=series.role,
        title=series.title,
        plane=series.parameters.get("plane", "unknown"),
        automatic_window=Window(*window) if window else None,
        frames=tuple(frames),
        index_slice=_index_slice(series, rules.segments_below),
        labels=(),
    )


def _turn(plane: dict[str, Any] | None) -> Turn:
    return standard_turn(Plane.from_json(plane)) if plane else NO_TURN


def _index_slice(series: Series, segments_below: int | None) -> int | None:
    """Give the middle slice of the block through the index disc, where an axial series comes in a block a disc.

    The lowest block of such a series is the lowest segment; so a reader who opens the case looks at the right disc.
    """
    sizes = series.parameters.get("blocks", [])
    if series.parameters.get("plane") != "axial" or segments_below is None or not segments_below < len(sizes) != 1:
        return None
    place = len(sizes) - 1 - segments_below
    return int(sum(sizes[:place]) + sizes[place] // 2)


def _reference(header: dict[str, Any]) -> str:
    values = header.get("00200052", {}).get("Value") or [""]
    return str(values[0])
