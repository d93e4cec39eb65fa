"""What the desk shows of images: strips, slices, every grey; and the list of series with its filters."""

from __future__ import annotations

import io

import numpy as np
import pytest
from django.conf import settings
from django.test import Client
from PIL import Image

from annotation import desk, intake
from annotation.models import Case, Series
from tests import cast
from tests.integration.test_look_at_a_case import hold, new_case, of_role

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
