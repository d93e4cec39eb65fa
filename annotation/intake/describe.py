"""What a case's series are, worked out from all their images: order, plane, window, parameters, proposed role."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from annotation import store
from annotation.dicom.codec import stored_array
from annotation.dicom.geometry import Plane, blocks, order, plane_name
from annotation.dicom.pixels import automatic_window, rescale_of
from annotation.dicom.roles import ROLE_TITLES
from annotation.dicom.series import propose_case
from annotation.intake.physics import physics
from annotation.models import Assignment, Case, Instance, Series, Study

AT_THE_DESK = "set at the desk"
"""Why a series has its role when the coordinator has said so; a later import does not change it."""

STALE = "stale"
"""In a series' parameters from the first row of a new image until `describe` has gone over all of them."""
READ = "read_for_text"
"""In a series' parameters once its slices were searched for text: what came of it. New images take it away."""

WINDOW_SLICES = 6
"""So many slices across a series are decoded for its automatic window; more do not move it visibly."""

Described = dict[str, Any]
"""What `describe` writes on a series, by field."""


def describe(case_id: int) -> None:
    """Work out and write what every series of a case is. Safe to repeat; two at once end with what is there last.

    Frames are decoded before the rows are held: a reader's save must not wait for that.
    """
    while not Assignment.objects.filter(case=case_id).exists():  # what is being read stays as it was looked at
        instances = _instances(case_id)
        series = list(Series.objects.filter(case_id=case_id, excluded_reason="").order_by("pk"))
        found = _described([one for one in series if one.pk in instances], instances)
        with transaction.atomic():
            Study.objects.select_for_update().get(patients__case=case_id)  # as whoever sets a role holds it
            Case.objects.select_for_update().get(pk=case_id)
            now = set(_stored(case_id).values_list("pk", "digest"))
            if now == {(one.pk, one.digest) for own in instances.values() for one in own}:
                _write(found)
                return


def describe_stale(**of: object) -> None:
    """Describe what an import left behind that ended between its rows and this; `of` narrows the series down."""
    stale = Series.objects.filter(parameters__has_key=STALE, excluded_reason="", case__assignments=None, **of)
    for case_id in set(stale.values_list("case_id", flat=True)):
        describe(case_id)


def _stored(case_id: int) -> QuerySet[Instance]:
    """Excluded series are left out: their pixels are gone."""
    return Instance.objects.filter(series__case_id=case_id, series__excluded_reason="")


def _instances(case_id: int) -> dict[int, list[Instance]]:
    found: dict[int, list[Instance]] = {}
    for instance in _stored(case_id).order_by("number", "pk"):
        found.setdefault(instance.series_id, []).append(instance)
    return found


def _write(found: dict[int, Described]) -> None:
    for one in Series.objects.filter(pk__in=found):
        new = found[one.pk]
        one.parameters = {**one.parameters, **new["parameters"]}
        one.parameters.pop(STALE, None)
        one.frame_count = new["frame_count"]
        if one.role_reason != AT_THE_DESK:
            one.role, one.phase, one.title, one.role_reason = new["proposal"]
        one.save(update_fields=["parameters", "frame_count", "role", "phase", "title", "role_reason"])


def _described(series: Sequence[Series], instances: dict[int, list[Instance]]) -> dict[int, Described]:
    proposals = propose_case(
        [([i.header for i in instances[one.pk]], one.parameters.get("hints", ())) for one in series]
    )
    found = {}
    for one, proposal in zip(series, proposals, strict=True):
        flat = [(i, number) for i in instances[one.pk] for number in range(1, len(i.frames) + 1)]
        planes = [_plane(i, number) for i, number in flat]
        placed = [flat[index] for index in order(planes)]
        found[one.pk] = {
            "parameters": {
                **physics(instances[one.pk][0].header, [_plane(i, number) for i, number in placed]),
                "order": [[i.sop_uid, number] for i, number in placed],
                "blocks": [len(block) for block in blocks([_plane(i, number) for i, number in placed])],
                "plane": plane_name(planes[0]) if planes else "unknown",
                "automatic_window": _window(one.modality, placed),
            },
            "frame_count": len(flat),
            "proposal": (
                proposal.role, proposal.phase or "", ROLE_TITLES[proposal.role], proposal.reason[:200],
            ),
        }  # fmt: skip
    return found


def _plane(instance: Instance, number: int) -> Plane | None:
    stored = instance.frames[number - 1]["plane"]
    return Plane.from_json(stored) if stored else None


def _window(modality: str, placed: Sequence[tuple[Instance, int]]) -> list[float] | None:
    """Give one automatic window for the whole series; a window per slice would make the brightness jump."""
    if modality != "MR":
        return None
    sample = placed[:: max(1, len(placed) // WINDOW_SLICES)]
    arrays = [stored_array(store.get(i.frames[n - 1]["digest"]), i.header) for i, n in sample]
    width, level = automatic_window(arrays, rescale=[rescale_of(i.header, n) for i, n in sample])
    return [float(width), float(level)]
