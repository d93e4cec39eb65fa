"""What people stated of a study, and the days of its steps: for the words of the report, readers by neutral names."""

from __future__ import annotations

from typing import NamedTuple

from annotation.access import protocol_of
from annotation.handover.frozen import frozen, reader_names
from annotation.models import Event, State, Study

STEPS = {"frozen": "frozen", "reading": "reading", "readings_locked": "locked", "unblinded": "unblinded"}


class Stated(NamedTuple):
    """Facts by their codes, experience by the reader's neutral name, settings in words, and steps with their days."""

    told: dict[str, str]
    readers: dict[str, str]
    settings: dict[str, str]
    life: dict[str, str]
    synthetic: bool


def stated(key: int) -> Stated:
    study = frozen(key, State.READINGS_LOCKED)
    kept = study.settings.get("facts", {})
    names = reader_names(study)
    experience = {names.get(int(pk), ""): text for pk, text in kept.get("readers", {}).items()}
    experience.pop("", None)  # of one who has left the study without a reading
    return Stated(
        dict(kept.get("told", {})), experience, _settings(study), _life(study), bool(study.settings.get("synthetic"))
    )


def _settings(study: Study) -> dict[str, str]:
    instrument = protocol_of(study)
    chosen = study.settings
    return {
        "instrument": f"{instrument.title}, version {instrument.version}",
        "protocol_digest": study.protocol_digest[:12],
        "plan": study.plan,
        "plan_digest": study.plan_digest[:12],
        "segments": {"index": "the index segment", "adjacent": "the index and the neighbouring segments"}.get(
            chosen.get("segments", "index"), "all lumbar segments"
        ),
        "sides": {"once": "once, on the worse side", "both": "on the right and on the left"}.get(
            chosen.get("sides", "once"), "once, with the side named"
        ),
        "index_level": "shown" if chosen.get("index_level_shown", True) else "not shown",
        "images": "none" if chosen.get("images") == "none" else "shown",
    }


def _life(study: Study) -> dict[str, str]:
    found = Event.objects.filter(study=study, verb="state").order_by("number").values_list("after", "at")
    return {STEPS[after]: f"{at:%Y-%m-%d}" for after, at in found if after in STEPS}
