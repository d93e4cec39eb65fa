"""What is right in a practice study: put down before its first reading, by the person who made its synthetic cases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from annotation import trail
from annotation.access import WrongState, protocol_of, study_for
from annotation.desk.gate import study_held
from annotation.desk.setup import BadSetting
from annotation.identity import identifier_hash
from annotation.models import Case, Role, State, Study
from annotation.people import Person
from annotation.protocol import check


def set_solutions(person: Person, code: str, solutions: Mapping[str, Mapping[str, Any]]) -> None:
    """Keep what is planted in each case of a synthetic study, which makes it a practice study.

    Parameters
    ----------
    solutions : mapping
        The hospital's identifier to ``answers`` (by form an answers document) and ``spots`` (by cell the role of a
        series, `position_lps_mm` of a slice, `centre_lps_mm`, `height_mm` and `window` of what shows it).

    Raises
    ------
    BadSetting
        The study shows real patients, or its reading has begun.
    annotation.protocol.Invalid
        A planted value is none of its scale.
    """
    study = study_for(person, code, Role.COORDINATOR)
    protocol = protocol_of(study)
    for one in solutions.values():
        for form, answers in one["answers"].items():
            check(protocol, form, answers, complete=False)
    with transaction.atomic():
        held = study_held(study)
        if not held.settings.get("synthetic"):
            raise BadSetting("settings", "Only a study of synthetic cases can show what is right.")
        if held.state != State.DRAFT:
            raise BadSetting("settings", "What is right is put down before the protocol is frozen.")
        kept = {identifier_hash(code, patient): dict(one) for patient, one in solutions.items()}
        held.settings = {**held.settings, "practice": kept}
        held.save(update_fields=["settings"])
        trail.record(held, person, "set solutions", after={"cases": len(kept)})


def refuse_unsolved(study: Study) -> None:
    """Refuse a practice study that would hand out a case of which nobody has put down what is right.

    Raises
    ------
    WrongState
        Naming how many such cases are released.
    """
    if "practice" not in study.settings:
        return
    released = Case.objects.filter(patient__study=study, released_at__isnull=False)
    unsolved = released.exclude(patient__identifier_hash__in=list(study.settings["practice"])).count()
    if unsolved:
        raise WrongState(
            f"Practice cases without a solution: {unsolved}. Put their solutions down, or take back their release."
        )
