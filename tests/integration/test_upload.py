"""An upload over HTTP: announced, sent in pieces, gone on with, sealed, cancelled. No name of a file is in it."""

from __future__ import annotations

import errno
import hashlib
import json
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from annotation import desk, intake, jobs
from annotation.intake import spool
from annotation.models import Arrival, Delivery, Instance, Job, Way
from tests import cast

pytestmark = pytest.mark.django_db
ROOT = f"/api/desk/{cast.SPINE}/deliveries/"


def mark(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Uploader:
    """What the page's script does."""

    def __init__(self, username: str = "coordinator", code: str = cast.SPINE) -> None:
        self.client = cast.client(username)
        self.root = f"/api/desk/{code}/deliveries/"
        self.id: str = self.post("").json()["id"]

    def post(self, path: str, body: object = None) -> Any:
        return cast.send(self.client, "POST", self.root + path, body or {})

    def announce(self, *files: tuple[int, str]) -> list[list[Any]]:
        answer = self.post(f"{self.id}/files", {"files": [[size, mark(name)] for size, name in files]})
        assert answer.status_code == 200, answer.content
        found: list[list[Any]] = answer.json()["files"]
        return found

    def put(self, number: int, offset: int, data: bytes) -> Any:
        return self.client.generic(
            "PUT", f"{self.root}{self.id}/files/{number}", data, "application/octet-stream",
            headers={"Upload-Offset": str(offset)},
        )  # fmt: skip

    def parts(self, text: str, data: bytes) -> Any:
        return self.client.generic(
            "POST", f"{self.root}{self.id}/bytes", data, "application/octet-stream", headers={"Upload-Parts": text}
        )

    def here(self, number: int) -> bytes:
        return spool.path(self.key, number).read_bytes()

    @property
    def key(self) -> uuid.UUID:
        return uuid.UUID(self.id)


def test_a_file_in_pieces_arrives_as_it_was_and_is_gone_on_with_where_it_ended() -> None:
    one = Uploader()
    data = bytes(range(256)) * 40
    assert one.announce((len(data), "a"), (3, "b")) == [[1, 0, "awaited"], [2, 0, "awaited"]]
    assert one.put(1, 0, data[:4000]).json() == {"number": 1, "received": 4000}
    # Another browser, another day: the same file has the same number, and what is here is here.
    again = Uploader()
    assert again.id == one.id
    assert again.announce((3, "b"), (len(data), "a")) == [[2, 0, "awaited"], [1, 4000, "awaited"]]
    assert again.put(1, 4000, data[4000:]).json()["received"] == len(data)
    assert again.here(1) == data
    assert again.announce((len(data), "a"))[0] == [1, len(data), "here"]
    stored = Arrival.objects.get(delivery=one.key, number=1)
    assert stored.fingerprint not in ("", mark("a")), "the sender's mark is hashed with the key"


def test_a_wrong_offset_says_where_to_go_on_and_writes_nothing() -> None:
    one = Uploader()
    one.announce((10, "a"))
    one.put(1, 0, b"12345")
    for offset in (0, 4, 6, 10):
        answer = one.put(1, offset, b"xxxxx")
        assert answer.status_code == 409
        assert (answer.json()["code"], answer.json()["received"]) == ("wrong_offset", 5)
    assert one.here(1) == b"12345"
    assert one.put(1, 5, b"67890").status_code == 200
    assert one.here(1) == b"1234567890"


def test_more_than_was_announced_is_too_large_and_does_not_count() -> None:
    one = Uploader()
    one.announce((4, "a"))
    answer = one.put(1, 0, b"12345")
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert Arrival.objects.get(delivery=one.key).received == 0
    assert one.put(1, 0, b"1234").status_code == 200
    assert one.here(1) == b"1234"


def test_several_files_share_a_request_and_each_says_what_came_of_it() -> None:
    one = Uploader()
    one.announce((3, "a"), (3, "b"), (3, "c"), (2, "d"))
    one.put(2, 0, b"B")
    answer = one.parts("1:0:3,2:0:3,3:0:3,4:0:3", b"aaabbbcccddd")
    assert [(p["number"], p["received"], p["code"]) for p in answer.json()["parts"]] == [
        (1, 3, ""), (2, 1, "wrong_offset"), (3, 3, ""), (4, 0, "too_large"),
    ]  # fmt: skip
    assert (one.here(1), one.here(3)) == (b"aaa", b"ccc")
    cut_off = one.parts("2:1:2,4:0:2", b"b")  # the line broke after one byte
    assert [part["received"] for part in cut_off.json()["parts"]] == [2, 0]
    assert one.parts("2:2:1,4:0:2", b"bdd").json()["parts"][1]["received"] == 2
    assert one.here(2) == b"Bbb"


@pytest.mark.parametrize(
    ("files", "status"),
    [
        ([[1, "x"]], 400), ([[-1, mark("a")]], 400), ([[1.5, mark("a")]], 400), ([[True, mark("a")]], 400),
        ([[1]], 400), ("abc", 400), (None, 400), ([[1, mark("a").upper()]], 400), ([[10**13, mark("a")]], 413),
        ([[1, mark("a")]] * 5001, 400), ([{"size": 1}], 400), ([[1, "Zwetschgenbaum/IM1"]], 400),
    ],
)  # fmt: skip
def test_announcements_that_are_none(files: object, status: int) -> None:
    one = Uploader()
    answer = one.post(f"{one.id}/files", {"files": files})
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert not Arrival.objects.filter(delivery=one.key).exists()


def test_bodies_are_bounded_before_they_are_read() -> None:
    one = Uploader()
    one.announce((100, "a"))
    path = f"{one.root}{one.id}"
    large: Any = {"CONTENT_LENGTH": str(33 * 1024**2)}
    for method, where in (("PUT", "/files/1"), ("POST", "/bytes")):
        answer = one.client.generic(method, path + where, b"x", "application/octet-stream", **large)
        assert answer.status_code == 413, where
    announced = one.client.generic("POST", f"{path}/files", b" " * 2_000_001, "application/json")
    assert announced.status_code == 400
    nested = one.client.generic("POST", f"{path}/files", b"[" * 200_000, "application/json")
    assert nested.status_code == 400
    for text in ("", "1", "1:0", "x:0:1", "1:0:1," * 401, "1:0:-1", "1:0:9999999999"):
        assert one.parts(text, b"x").status_code == 400, text
    for offset in ("-1", "x", "1" * 20):
        answer = one.client.generic("PUT", f"{path}/files/1", b"x", headers={"Upload-Offset": offset})
        assert answer.status_code == 400
    assert cast.send(one.client, "POST", f"{path}/files", ["no object"]).status_code == 400


def test_sealed_it_is_sorted_by_a_job_and_takes_no_more() -> None:
    one = Uploader()
    one.announce((2, "a"), (2, "b"))
    one.put(1, 0, b"hi")
    early = one.post(f"{one.id}/seal")
    assert (early.status_code, early.json()["code"]) == (409, "wrong_state")
    assert "1 announced file" in early.json()["detail"]
    sealed = one.post(f"{one.id}/seal", {"only_whole": True})
    assert (sealed.status_code, sealed.json()["state"]) == (200, "sorting")
    assert [card.kind for card in jobs.of_subject(one.key.hex)] == ["import"]
    assert one.post(f"{one.id}/seal", {"only_whole": True}).status_code == 200, "a second time does nothing"
    for answer in (one.put(1, 0, b"hi"), one.post(f"{one.id}/files", {"files": [[1, mark("c")]]})):
        assert (answer.status_code, answer.json()["code"]) == (409, "not_receiving")
    assert one.client.get(ROOT).json() == {"upload": None}
    assert Uploader().id != one.id


def test_cancelled_nothing_of_it_is_kept() -> None:
    one = Uploader()
    one.announce((2, "a"))
    one.put(1, 0, b"hi")
    home = spool.home(one.key)
    assert home.is_dir()
    assert one.post(f"{one.id}/cancel").json()["state"] == "cancelled"
    assert not home.exists()
    assert one.put(1, 0, b"hi").status_code == 409
    assert one.post(f"{one.id}/cancel").status_code == 200


def test_a_foreign_delivery_does_not_exist() -> None:
    mine, other = Uploader(), Uploader(code=cast.PEBBLE)
    mine.announce((2, "a"))
    other.announce((2, "a"))
    theirs = f"{mine.root}{other.id}"
    for method, path, body in (
        ("GET", "/", None), ("GET", "/upload", None), ("POST", "/files", {"files": [[1, mark("x")]]}),
        ("PUT", "/files/1", "hi"), ("POST", "/bytes", "hi"), ("POST", "/seal", {}), ("POST", "/cancel", {}),
    ):  # fmt: skip
        answer = cast.send(mine.client, method, theirs + path, body)
        assert answer.status_code == 404, path
    page = mine.client.post(f"/desk/{cast.SPINE}/import/", {"cancel": other.id})
    assert page.status_code == 404
    assert mine.client.post(f"/desk/{cast.SPINE}/import/", {"cancel": "no id"}).status_code == 404
    assert Delivery.objects.get(pk=other.id).state == "receiving"
    assert mine.put(7, 0, b"x").status_code == 404, "a number nobody announced"


def test_without_the_token_of_the_page_nothing_is_received() -> None:
    one = Uploader()
    one.announce((2, "a"))
    strict = cast.client("coordinator", enforce_csrf_checks=True)
    for method, path in (
        ("POST", ""),
        ("PUT", f"{one.id}/files/1"),
        ("POST", f"{one.id}/bytes"),
        ("POST", f"{one.id}/cancel"),
    ):
        answer = strict.generic(method, one.root + path, b"hi", "application/octet-stream")
        assert answer.status_code == 403, path
    assert Delivery.objects.get(pk=one.id).state == "receiving"
    assert Arrival.objects.get(delivery=one.key).received == 0


def test_a_full_disk_is_said_and_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Uploader()
    one.announce((10, "a"))
    one.put(1, 0, b"12345")
    monkeypatch.setattr(spool, "LEFT_FREE", 2**62)
    full = one.put(1, 5, b"67890")
    assert (full.status_code, full.json()["code"]) == (507, "no_space")
    monkeypatch.undo()
    assert one.put(1, 5, b"67890").status_code == 200
    assert one.here(1) == b"1234567890"


def test_a_disk_that_cannot_be_written_is_said_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Uploader()
    one.announce((10, "a"))

    def broken(_: uuid.UUID) -> None:
        raise OSError(errno.EROFS, "Read-only file system", "/of/the/server")

    monkeypatch.setattr(spool, "make", broken)
    answer = one.put(1, 0, b"12345")
    assert (answer.status_code, answer.json()["code"]) == (503, "unwritable")
    assert "Tell the operator" in answer.json()["detail"]
    assert "/of/the/server" not in answer.content.decode()
    monkeypatch.undo()
    assert one.put(1, 0, b"1234567890").status_code == 200


def test_what_is_open_is_always_shown_and_what_has_ended_in_pages() -> None:
    study = cast.study()
    before = study.deliveries.exclude(state__in=intake.UNDER_WAY).count()
    oldest = Delivery.objects.create(study=study, way=Way.UPLOAD)
    stopped = Delivery.objects.create(study=study, way=Way.INBOX, state="sorting")
    job = jobs.start("import", title="Import", study=study, subject=stopped.pk.hex)
    Job.objects.filter(pk=job.id).update(state="failed", message="The disk is nearly full.")
    for _ in range(30):
        Delivery.objects.create(study=study, way=Way.UPLOAD, state="cancelled")
    seat = cast.client("coordinator")
    seen: list[str] = []
    for number in (1, 2, 3):
        for part in ("", "&part=deliveries"):
            page = seat.get(f"/desk/{cast.SPINE}/import/?page={number}{part}").content.decode()
            cards = re.findall(r'data-delivery="([0-9a-f-]+)"', page)
            assert {str(oldest.pk), str(stopped.pk)} == set(cards[:2])
            assert f"part=deliveries&amp;page={number}" in page
            assert f"Page {number} of " in page
            assert 'data-changes="nav.steps"' in page
        seen += cards[2:]
    assert len(seen) == len(set(seen)) == min(36, before + 30)
    settled = re.findall(r'data-settled="([^"]+)"', page)
    Delivery.objects.filter(pk=oldest.pk).update(state="done")
    after = seat.get(f"/desk/{cast.SPINE}/import/?part=deliveries").content.decode()
    assert re.findall(r'data-settled="([^"]+)"', after) != settled, "the page's script looks at the steps again"


def test_an_upload_becomes_a_case_and_the_page_tells_what_stayed_out_and_why(tmp_path: Path) -> None:
    cast.export(tmp_path / "export", patients=(901,), series=cast.SPINE_SERIES[:2], slices=2)
    (tmp_path / "export" / "Befund Zwetschgenbaum.pdf").write_bytes(b"%PDF-1.4 x")
    one = Uploader()
    files = sorted(path for path in (tmp_path / "export").rglob("*") if path.is_file())
    for number, received, _ in one.announce(*((path.stat().st_size, str(path)) for path in files)):
        assert received == 0
        assert one.put(number, 0, files[number - 1].read_bytes()).status_code == 200
    before = Instance.objects.count()
    one.post(f"{one.id}/seal")
    for _ in range(3):  # what the workers do
        for card in jobs.of_subject(one.key.hex):
            jobs.work(str(card.id), intake.sort_job if card.kind == "import" else intake.study_job)
    assert Instance.objects.count() == before + 4
    told = one.client.get(f"{one.root}{one.id}/").json()
    assert {name: told["card"][name] for name in ("files", "imported", "refused", "state")} == {
        "files": 5, "imported": 4, "refused": 1, "state": "done",
    }  # fmt: skip
    assert [(group["code"], group["numbers"]) for group in told["problems"]] == [("pdf", [1])]
    for part in ("", "?part=deliveries"):
        page = one.client.get(f"/desk/{cast.SPINE}/import/{part}").content.decode()
        assert "This is a PDF document" in page
        assert 'data-number="1"' in page
        assert "4</strong> imported" in page
        assert not [secret for secret in cast.SECRETS if secret in page]


def test_the_page_names_the_ways_in_and_no_path_of_the_server(settings: Any, tmp_path: Path) -> None:
    seat: Client = cast.client("coordinator")
    settings.INBOX = str(tmp_path / "eingang")
    settings.RECEIVER = settings.RECEIVER | {"PEERS": f"CT1={cast.SPINE}, MR9={cast.PEBBLE}", "PORT": 10400}
    (tmp_path / "eingang").mkdir()
    page = seat.get(f"/desk/{cast.SPINE}/import/").content.decode()
    assert "eingang" in page
    assert str(tmp_path) not in page
    assert "10400" in page
    assert "CT1" in page
    assert "MR9" not in page
    settings.INBOX = ""
    settings.RECEIVER = settings.RECEIVER | {"PEERS": ""}
    assert desk.ways_in(cast.coordinator(), cast.SPINE).inbox == ""
    facts = seat.get(f"/desk/{cast.SPINE}/import/").context["facts"]
    assert json.dumps(facts)
