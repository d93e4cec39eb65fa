"""The images of the reference study: offered to every worker, taken back from none that has begun, each drawn once."""

from __future__ import annotations

from typing import Any

import pytest

from annotation import jobs
from spondy.demo import pictures
from spondy.demo.reference import Cohort
from spondy.demo.studies import SEED

pytestmark = pytest.mark.django_db


def test_what_others_have_drawn_is_not_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    cohort = Cohort(SEED)
    front, back = cohort.pictured[0], cohort.pictured[-1]
    drawn: list[str] = []

    def drawing(patient: Any) -> dict[str, Any]:
        drawn.append(patient.name)
        if drawn == [front.name]:  # meanwhile another worker takes the last one
            other = jobs.claim(str(jobs.of_subject(f"REFERENCE/{back.name}/")[0].id))
            assert other is not None
            with other:
                other.finish({"spots": {}})
        return {"spots": {}}

    monkeypatch.setattr(pictures, "take_in_one", drawing)
    held = jobs.begin("reference", title="the whole")
    pictures.take_in_all(cohort, held, share=50)
    assert drawn == [one.name for one in cohort.pictured[:-1]]
    assert cohort.seen(back).truth.landmarks_lps_mm, "what it needs to point is there without drawing"
    assert (jobs.look(held.id).done, jobs.look(held.id).total) == (50, 100)
    offered = [card for card in jobs.of_subject("REFERENCE/") if card.kind == pictures.KIND]
    assert sorted({card.state for card in offered}) == ["cancelled", "done"]
    pictures.take_in_all(cohort, held, share=50)
    assert back.name not in drawn, "a second attempt at the study knows what is in"
