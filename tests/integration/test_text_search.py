"""The second net under burned-in text: a worker reads slices, holds series with words, and the release waits for it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import override_settings
from PIL import Image, ImageDraw, ImageFont

from annotation import desk, intake, jobs
from annotation.dicom import ocr
from annotation.intake import written
from annotation.models import Case, Job, Series
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def recogniser(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Stand in for tesseract, which its own tests run: it says text where a slice has a marked corner."""
    asked: list[float] = []

    def reads(array: Any, **_: Any) -> bool:
        asked.append(float(array[0, 0]))
        return bool(array[0, 0] == MARK)

    monkeypatch.setattr(ocr, "reads_text", reads)
    monkeypatch.setattr(ocr, "available", lambda: True)
    with override_settings(TEXT_SEARCH=True):
        yield asked


MARK = 4000


def bring(folder: Path, *, marked: int = 0, **settings: Any) -> Case:
    """Import one patient with one series; `marked` is the slice with text on it, 0 for none."""
    desk.create_study(cast.coordinator(), code="NEW", title="New", settings=settings)
    folder.mkdir()
    rng = np.random.default_rng(3)
    for number in range(1, 6):
        pixels = cast.picture(rng, 32)
        if number == marked:
            pixels[0, 0] = MARK
        one = cast.image(cast.PEBBLE_SERIES[0], patient=31, series=1, number=number, pixels=pixels)
        one.save_as(folder / str(number), enforce_file_format=True)
    log = intake.take_in(desk.intake_target("NEW"), dicom=[folder])
    assert (log.imported, log.refused, log.quarantined) == (5, [], [])
    return Case.objects.get(patient__study__code="NEW")


def search() -> None:
    for job in Job.objects.filter(kind="text", state="waiting"):
        jobs.work(str(job.pk), intake.text_job)


def test_a_series_with_a_word_on_its_first_middle_or_last_slice_is_held(tmp_path: Path) -> None:
    case = bring(tmp_path / "in", marked=3)
    assert Job.objects.get(kind="text", study__code="NEW").state == "waiting"
    search()
    series = Series.objects.get(case=case)
    assert series.held_reason == "Text recognition has read something in the image."
    assert series.parameters[intake.READ] == written.FOUND
    job = Job.objects.get(kind="text", study__code="NEW")
    assert (job.state, job.message) == ("done", "1 series read, text in 1.")


def test_clean_slices_leave_the_series_free(tmp_path: Path, recogniser: list[float]) -> None:
    case = bring(tmp_path / "in", marked=0)
    search()
    series = Series.objects.get(case=case)
    assert (series.held_reason, series.parameters[intake.READ]) == ("", written.CLEAN)
    assert len(recogniser) == 3, "first, middle and last"
    search()
    written.start_missing()
    assert len(recogniser) == 3, "what is read is read"


def test_the_release_waits_for_the_search(tmp_path: Path) -> None:
    case = bring(tmp_path / "in")
    words = {gap.words for gap in _lacking(case)}
    assert "the search for burned-in text" in words
    search()
    assert "the search for burned-in text" not in {gap.words for gap in _lacking(case)}


def _lacking(case: Case) -> Any:
    from annotation.desk.gate import Gate

    gate = Gate(case.patient.study)
    return gate.lacking(gate.cases().get(pk=case.pk))


def test_new_images_are_read_again(tmp_path: Path) -> None:
    case = bring(tmp_path / "in")
    search()
    pixels = cast.picture(np.random.default_rng(9), 32)
    pixels[0, 0] = MARK
    one = cast.image(cast.PEBBLE_SERIES[0], patient=31, series=1, number=6, pixels=pixels)
    one.save_as(tmp_path / "six", enforce_file_format=True)
    intake.take_in(desk.intake_target("NEW"), dicom=[tmp_path / "six"])
    assert intake.READ not in Series.objects.get(case=case).parameters
    search()
    assert Series.objects.get(case=case).held_reason


def test_generated_images_are_not_read(tmp_path: Path) -> None:
    bring(tmp_path / "in", synthetic=True)
    assert not Job.objects.filter(kind="text", study__code="NEW").exists()


def test_a_recogniser_that_fails_holds_nothing_and_is_on_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(array: Any, **_: Any) -> bool:
        raise ocr.Unreadable("Text recognition failed or took too long.")

    monkeypatch.setattr(ocr, "reads_text", fails)
    case = bring(tmp_path / "in")
    search()
    series = Series.objects.get(case=case)
    assert (series.held_reason, series.parameters[intake.READ]) == ("", written.FAILED)
    assert "the search for burned-in text" in {gap.words for gap in _lacking(case)}
    for _ in range(written.TRIES):
        written.start_missing()
        search()
    assert Job.objects.filter(kind="text", study__code="NEW").count() == written.TRIES, "it is not tried for ever"
    assert "a search for burned-in text that works (the operator sees to it)" in {gap.words for gap in _lacking(case)}


def test_where_it_is_installed_later_it_is_made_up_for(tmp_path: Path) -> None:
    with override_settings(TEXT_SEARCH=False):
        case = bring(tmp_path / "in", marked=1)
        assert not Job.objects.filter(kind="text", study__code="NEW").exists()
    written.start_missing()
    search()
    assert Series.objects.get(case=case).held_reason


def test_a_real_recogniser_reads_a_real_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    if shutil.which("tesseract") is None and os.environ.get("CI") != "true":
        pytest.skip("tesseract is not installed")
    with override_settings(TEXT_SEARCH=True):
        desk.create_study(cast.coordinator(), code="NEW", title="New")
        canvas = Image.fromarray(cast.picture(np.random.default_rng(3), 256).astype(np.int32))
        font = ImageFont.load_default(size=22)
        ImageDraw.Draw(canvas).text((30, 110), cast.FAMILY, fill=4000, font=font)
        pixels = np.asarray(canvas).astype(np.uint16)
        one = cast.image(cast.PEBBLE_SERIES[0], patient=31, series=1, number=1, pixels=pixels)
        one.save_as(tmp_path / "one", enforce_file_format=True)
        intake.take_in(desk.intake_target("NEW"), dicom=[tmp_path / "one"])
        search()
    assert Series.objects.get(case__patient__study__code="NEW").held_reason
