"""What stands around the readings of a study, for its frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from annotation import handover

if TYPE_CHECKING:
    from analytics.frames import Context
    from analytics.report import StudyFacts

MAIN = "main"


def about_of(study: int, deviation: str) -> StudyFacts:
    """Take over what people stated of the study and what it has fixed, for the words of a report."""
    from analytics.report import Dated, StudyFacts

    said = handover.stated(study)
    return StudyFacts(
        told=said.told,
        readers=said.readers,
        settings=said.settings,
        life=tuple(Dated(step, day) for step, day in said.life.items()),
        deviations=(deviation,) if deviation else (),
        synthetic=said.synthetic,
    )


def context_of(study: int) -> Context:
    """Take the flow of patients, the reading times of the main round and the scanning over."""
    from analytics.frames import Context

    return Context.of(
        assessed=handover.assessed(study),
        excluded=handover.left_out(study),
        times=((one.reader, one.form, one.active_s) for one in handover.paces(study) if one.round == MAIN),
        scans=handover.scanning(study),
        parameters=handover.scanning_parameters(),
        groups=handover.scanning_groups(),
    )
