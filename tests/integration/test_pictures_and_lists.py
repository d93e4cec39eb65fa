"""What the desk shows of images: strips, slices, every grey; and the list of series with its filters."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.test import Client
from PIL import Image

from annotation import desk, intake
from annotation.desk import pictures
from annotation.dicom import pixels as pictures_of
from annotation.models import Case, Series
from tests import cast
from tests.integration.test_look_at_a_case import hold, new_case, of_role, pixels

pytestmark = pytest.mark.django_db


@pytest.fixture
def seat() -> Client:
    return cast.client("coordinator")


@pytest.fixture
def case() -> Case:
    return new_case()


def test_pictures_show_the_slices_and_are_asked_for_each_time(case: Case, seat: Client) -> None:
    one = of_role(case, "SAG_T2")
    home = f"/desk/NEW/series/{one.pk}"
    strip = Image.open(io.BytesIO(seat.get(f"{home}/sheet.png").content))
    assert strip.size == (3 * 192, 192)
    whole = Image.open(io.BytesIO(seat.get(f"{home}/sheet.png?view=all").content))
    assert whole.width == 1080
    assert Image.open(io.BytesIO(seat.get(f"{home}/sheet.png?view=over").content)).size == (32, 32)
    answer = seat.get(f"{home}/slices/2.png")
    assert Image.open(io.BytesIO(answer.content)).size == (32, 32), "one dot a pixel: a rectangle is drawn on it"
    assert answer["Cache-Control"] == "private, no-cache"
    assert seat.get(f"{home}/slices/2.png", headers={"if-none-match": answer["ETag"]}).status_code == 304
    assert cast.client().get(f"{home}/slices/2.png", headers={"if-none-match": answer["ETag"]}).status_code == 302
    for number in (0, 4, 99999):
        assert seat.get(f"{home}/slices/{number}.png").status_code == 404


def test_faint_text_shows_when_the_greys_are_spread(case: Case, seat: Client) -> None:
    """A letter three greys above the black of the rim is invisible in the window and plain in the spread picture."""
    rng = np.random.default_rng(5)
    array = cast.picture(rng, 64)
    array[:16] = rng.integers(0, 3, (16, 64))
    array[4:12, 8:10] = 5
    cast.image(cast.SPINE_SERIES[0], patient=71, series=44, number=1, pixels=array).save_as(
        settings.DATA_DIR / "faint.dcm", enforce_file_format=True
    )
    intake.take_in(case.patient.study, dicom=[settings.DATA_DIR / "faint.dcm"])
    one = Series.objects.order_by("-pk")[0]

    def contrast(address: str) -> float:
        seen = np.asarray(Image.open(io.BytesIO(seat.get(address).content)), dtype=float)
        return float(seen[4:12, 8:10].mean() - seen[:16].mean())

    home = f"/desk/NEW/series/{one.pk}"
    assert contrast(f"{home}/slices/1.png") < 3
    assert contrast(f"{home}/slices/1.png?grey=spread") > 20
    assert contrast(f"{home}/sheet.png?view=over") > 20


def test_the_list_of_series_is_filtered(case: Case, seat: Client) -> None:
    hold(of_role(case, "CT_PRE"))
    me = cast.coordinator()
    assert [row.role for row in desk.series_rows(me, "NEW", state="held").rows] == ["CT_PRE"]
    assert desk.series_rows(me, "NEW", state="unseen").total == 5
    assert [row.role for row in desk.series_rows(me, "NEW", role="AX_T2").rows] == ["AX_T2"]
    assert desk.series_rows(me, "NEW", modality="CT").total == 2
    assert desk.series_rows(me, "NEW", search=str(case)[:5]).total == 6
    assert desk.series_rows(me, "NEW", search="nobody").total == 0
    assert desk.series_rows(me, "NEW", state="masked").total == 0
    for query in ("state=held&page=7", "state=%00", "role=x&search=%25", "state=nonsense"):
        assert seat.get(f"/desk/NEW/series/?{query}").status_code == 200
        assert seat.get(f"/desk/NEW/release/?{query}&lacks=x").status_code == 200


def test_pages_of_the_desk_are_kept_nowhere(seat: Client, case: Case) -> None:
    for path in ("", "series/", "release/", f"look/{case}/", "trail/"):
        assert "no-store" in seat.get(f"/desk/NEW/{path}")["Cache-Control"], path


# --- every slice, however many there are ---------------------------------------------------------------------------


def test_no_slice_is_left_out_of_the_sheets_and_of_the_brightest(
    case: Case, seat: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three slices on sheets of two: the third is on the second sheet, and its light is in the brightest of all."""
    monkeypatch.setattr(pictures, "MOST_ON_A_SHEET", 2)
    one = of_role(case, "SAG_T2")
    home = f"/desk/NEW/series/{one.pk}/sheet.png"
    drawn: list[int] = []
    sheet, spread = pictures_of.contact_sheet, pictures._equalised

    def counted(frames: list[Any], **how: Any) -> bytes:
        drawn.append(len(frames))
        return sheet(frames, **how)

    monkeypatch.setattr(pictures_of, "contact_sheet", counted)
    for part in ("", "&part=1", "&part=2"):
        assert seat.get(f"{home}?view=all{part}").status_code == 200
    assert drawn == [2, 2, 1]
    assert seat.get(f"{home}?view=all&part=3").status_code == 404

    seen: list[Any] = []

    def watched(array: Any, *, inverted: bool) -> Any:
        seen.append(array)
        return spread(array, inverted=inverted)

    monkeypatch.setattr(pictures, "_equalised", watched)
    assert seat.get(f"{home}?view=over").status_code == 200
    assert (seen[0] == np.maximum.reduce(pixels(one))).all()


def test_a_slice_of_another_size_is_laid_over_the_others() -> None:
    small = np.array([[1, 2], [3, 9]])
    assert pictures._stretched(small, (4, 4)).tolist() == [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 9, 9], [3, 3, 9, 9]]
    assert pictures._stretched(small, (2, 2)) is small


@pytest.mark.parametrize(
    ("slices", "asked", "part"),
    [
        (0, 0, (1, 1, 1, 0)), (240, 1, (1, 1, 1, 240)), (241, 2, (2, 2, 241, 241)), (512, 1, (1, 3, 1, 240)),
        (512, 3, (3, 3, 481, 512)), (512, 99, (3, 3, 481, 512)), (512, 0, (1, 3, 1, 240)),
    ],
)  # fmt: skip
def test_the_parts_of_many_slices(slices: int, asked: int, part: tuple[int, ...]) -> None:
    found = desk.part_of(slices, asked)
    assert (found.number, found.parts, found.first, found.last) == part


def test_the_page_says_which_slices_it_shows(case: Case, seat: Client) -> None:
    one = of_role(case, "SAG_T2")
    page = f"/desk/NEW/look/{case}/?series={one.pk}&view="
    assert "slices 1 to 3 of 3" in seat.get(page + "all").content.decode()
    assert "brightest of all 3 slices" in seat.get(page + "over").content.decode()
    Series.objects.filter(pk=one.pk).update(frame_count=512)
    found = seat.get(page + "all&part=2").content.decode()
    assert "slices 241 to 480 of 512" in found
    assert "slices 241–480 of 512" in " ".join(found.split())
    assert "&amp;view=all&amp;part=1" in found
    assert "&amp;view=all&amp;part=3" in found


def test_a_browser_keeps_no_picture_of_a_held_series(case: Case, seat: Client) -> None:
    one = hold(of_role(case, "SAG_T2"))
    for path in ("sheet.png", "sheet.png?view=all", "sheet.png?view=over", "slices/2.png"):
        answer = seat.get(f"/desk/NEW/series/{one.pk}/{path}", headers={"if-none-match": '""'})
        assert (answer.status_code, answer["Cache-Control"], answer.has_header("ETag")) == (200, "no-store", False)


def test_a_series_that_is_still_taken_in_says_so(case: Case, seat: Client) -> None:
    one = of_role(case, "SAG_T2")
    Series.objects.filter(pk=one.pk).update(frame_count=0, parameters={"stale": True})
    page = seat.get(f"/desk/NEW/look/{case}/?series={one.pk}").content.decode()
    assert "The series is still being taken in." in page
    assert "being taken in</span>" in page
    assert "Its pictures are gone" not in page
    Series.objects.filter(pk=one.pk).update(excluded_reason="Wrong.")
    page = seat.get(f"/desk/NEW/look/{case}/?series={one.pk}").content.decode()
    assert "The series is excluded. Its pictures are gone." in page
