"""Two people save the same patient in the same moment: one is written, the other is told."""

from __future__ import annotations

import threading

import pytest
from django.db import connections

from annotation import outcomes
from tests import cast

pytestmark = pytest.mark.usefixtures("live")


class Racer(threading.Thread):
    def __init__(self, case: str, base: int, value: str, start: threading.Barrier) -> None:
        super().__init__()
        self.case, self.base, self.value, self.barrier = case, base, value, start
        self.came = ""

    def run(self) -> None:
        self.barrier.wait()
        try:
            given = {"nrs_1month": self.value}
            outcomes.save(cast.clerk(), cast.SPINE, self.case, base=self.base, given=given, reason="Race.")
            self.came = "saved"
        except outcomes.Outdated:
            self.came = "outdated"
        finally:
            connections.close_all()


def test_of_two_saves_one_wins() -> None:
    case = outcomes.find(cast.clerk(), cast.SPINE, identifier=f"{cast.HOSPITAL_ID}-1")
    assert case is not None
    start = threading.Barrier(2)
    racers = [Racer(case, outcomes.entry(cast.clerk(), cast.SPINE, case).base, value, start) for value in ("4", "5")]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert sorted(racer.came for racer in racers) == ["outdated", "saved"]
