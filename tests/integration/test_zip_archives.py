"""What comes packed: hostile archives end in a sentence for each member, and the good members come in."""

from __future__ import annotations

import io
import os
import struct
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from annotation import desk, intake
from annotation.intake import sort, spool
from annotation.models import Instance
from tests import cast

pytestmark = pytest.mark.django_db
MIB = 1024**2


@pytest.fixture
def images(tmp_path: Path) -> list[bytes]:
    cast.export(tmp_path / "hospital", patients=[31], series=cast.PEBBLE_SERIES, slices=3)
    return [path.read_bytes() for path in sorted((tmp_path / "hospital").rglob("*.dcm"))]


@pytest.fixture
def listing() -> Iterator[None]:
    """Nothing is written but into the store and the spool, and nothing stays in the spool."""

    def outside() -> set[str]:
        data = Path(settings.DATA_DIR)
        ours = (data / "store", data / "spool")
        places = [data, Path(tempfile.gettempdir()), Path.cwd()]
        found = {
            str(path)
            for place in places
            for path in (place.rglob("*") if place == data else place.iterdir())
            if not any(path == one or one in path.parents for one in ours)
        }
        return {path for path in found if "sqlite3" not in path and "__pycache__" not in path}

    def homes() -> set[str]:
        return (
            {home.name for home in spool.folder().iterdir() if len(home.name) == 32}
            if spool.folder().is_dir()
            else set()
        )

    before, others = outside(), homes()  # tests of open uploads leave theirs
    yield
    new = {path for path in outside() - before if not Path(path).name.startswith(("pytest", "spondy", "td-", "tmp"))}
    assert not [path for path in new if "Zwetsch" in path or "slipped" in path or "passwd" in path], new
    assert not homes() - others


def take(tmp_path: Path, archive: bytes) -> intake.Log:
    desk.create_study(None, code="ZIP", title="Zip")
    path = tmp_path / "export.bin"
    path.write_bytes(archive)
    return intake.take_in(desk.intake_target("ZIP"), dicom=[path])


def packed(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


def named(name: str, **more: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    for field, value in more.items():
        setattr(info, field, value)
    return info


def in_directory(archive: bytes, number: int, offset: int, form: str, value: int) -> bytes:
    """Change a field of one member's entry in the list of members."""
    at = -1
    for _ in range(number + 1):
        at = archive.index(b"PK\x01\x02", at + 1)
    return archive[: at + offset] + struct.pack(form, value) + archive[at + offset + struct.calcsize(form) :]


def codes(log: intake.Log) -> list[str]:
    return sorted(one.reason_code for one in log.refused)


BAD_NAMES = (
    "../../slipped.dcm", "/etc/passwd", "/tmp/slipped.dcm", "..\\..\\slipped.dcm", "C:\\slipped.dcm", "a/../../slipped",
    "IM000001", "BILDER/0001/X", "Zwetsch\u00e4\u00f6.dcm", "con", "nul.dcm", "x" * 300, "a\nb.dcm",
)  # fmt: skip


@pytest.mark.usefixtures("listing")
@pytest.mark.parametrize("name", BAD_NAMES)
def test_no_name_of_a_member_leads_anywhere(name: str, images: list[bytes], tmp_path: Path) -> None:
    log = take(tmp_path, packed((name, images[0]), ("good", images[1])))
    assert (log.imported, log.refused, log.quarantined) == (2, [], [])
    assert not Path("/tmp/slipped.dcm").exists()


@pytest.mark.usefixtures("listing")
def test_a_name_that_is_no_utf_8_is_a_name_too(images: list[bytes], tmp_path: Path) -> None:
    archive = packed(("XXXX.dcm", images[0])).replace(b"XXXX.dcm", b"\x84\x94\xe1\xff.dcm")
    assert take(tmp_path, archive).imported == 1
    flagged = in_directory(packed(("YYYY", images[1]), ("ok", images[2])), 0, 8, "<H", 0x800)
    log = intake.take_in(
        desk.intake_target("ZIP"), dicom=[_file(tmp_path, flagged.replace(b"YYYY", b"\xff\xfe\xfd\xfc"))]
    )
    assert (log.imported, codes(log)) in ((2, []), (1, ["bad_zip_member"]), (0, ["bad_zip"]))


def _file(folder: Path, data: bytes) -> Path:
    path = folder / f"{zlib.crc32(data)}"
    path.write_bytes(data)
    return path


def _link(images: list[bytes]) -> bytes:
    link = named("link.dcm", external_attr=0o120777 << 16)
    return packed((link, b"/etc/passwd"), ("good", images[0]))


def _encrypted(images: list[bytes]) -> bytes:
    both = packed(("secret.dcm", images[1]), ("good", images[0]))
    return in_directory(both, 0, 8, "<H", 1)


def _nested(images: list[bytes]) -> bytes:
    return packed(("inner.zip", packed(("x", images[1]))), ("good", images[0]))


def _lying_size(images: list[bytes]) -> bytes:
    """Say that a member inflates to a thousand bytes, when it inflates to more."""
    return in_directory(packed(("small.dcm", images[1]), ("good", images[0])), 0, 24, "<L", 1000)


def _wrong_sum(images: list[bytes]) -> bytes:
    return in_directory(packed(("sum.dcm", images[1]), ("good", images[0])), 0, 16, "<L", 12345)


def _method(number: int) -> Callable[[list[bytes]], bytes]:
    def made(images: list[bytes]) -> bytes:
        return in_directory(packed(("odd.dcm", images[1]), ("good", images[0])), 0, 10, "<H", number)

    return made


def _bzip2(images: list[bytes]) -> bytes:
    """Zeros behind a head that looks right: this method inflates without a bound."""
    bomb = zipfile.ZipInfo("bomb.dcm")
    bomb.compress_type = zipfile.ZIP_BZIP2
    return packed((bomb, images[1][:200] + bytes(64 * MIB)), ("good", images[0]))


def _false_offset(images: list[bytes]) -> bytes:
    return in_directory(packed(("lost.dcm", images[1]), ("good", images[0])), 0, 42, "<L", 0x7FFFFFF0)


def _overlap(images: list[bytes]) -> bytes:
    """Let two members lie at one place, as bombs do that need no depth."""
    return in_directory(packed(("one.dcm", images[0]), ("two.dcm", images[1])), 1, 42, "<L", 0)


ARCHIVES: dict[str, tuple[Callable[[list[bytes]], bytes], list[str]]] = {
    "a link": (_link, ["link"]),
    "an encrypted member": (_encrypted, ["encrypted"]),
    "an archive inside": (_nested, ["nested_zip"]),
    "a size that lies": (_lying_size, ["bad_zip_member"]),
    "a sum that lies": (_wrong_sum, ["bad_zip_member"]),
    "deflate64": (_method(9), ["zip_method"]),
    "a method nobody knows": (_method(99), ["zip_method"]),
    "bzip2": (_bzip2, ["zip_method"]),
    "an offset behind the end": (_false_offset, ["bad_zip_member"]),
    "members on each other": (_overlap, ["bad_zip_member"]),
}


@pytest.mark.usefixtures("listing")
@pytest.mark.parametrize("what", ARCHIVES)
def test_a_bad_member_gets_its_sentence_and_the_good_one_comes_in(
    what: str, images: list[bytes], tmp_path: Path
) -> None:
    make, expected = ARCHIVES[what]
    log = take(tmp_path, make(images))
    assert (log.imported, codes(log)) == (1, expected)
    assert all(one.reason.endswith(".") for one in log.refused)
    assert Instance.objects.filter(series__case__patient__study__code="ZIP").count() == 1


@pytest.mark.usefixtures("listing")
def test_a_bomb_of_nothing_is_inflated_no_further_than_its_head(images: list[bytes], tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("bomb", "w") as file:
            for _ in range(512):
                file.write(bytes(MIB))
        archive.writestr("good", images[0])
    assert len(out.getvalue()) < MIB
    began = time.monotonic()
    log = take(tmp_path, out.getvalue())
    assert time.monotonic() - began < 10
    assert (log.imported, codes(log)) == (1, ["not_dicom"])


@pytest.mark.usefixtures("listing")
def test_a_bomb_that_looks_like_an_image_meets_the_budget(
    images: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sort, "INFLATION_FLOOR", 8 * MIB)
    bomb = images[0] + bytes(6 * MIB)
    archive = packed(*((f"bomb{n}", bomb + bytes([n])) for n in range(4)), ("good", images[1]))
    log = take(tmp_path, archive)
    assert set(codes(log)) <= {"too_large", "zip_budget"}
    assert log.received < 6


@pytest.mark.usefixtures("listing")
def test_an_archive_that_is_none_gets_a_sentence(images: list[bytes], tmp_path: Path) -> None:
    whole = packed(("a", images[0]), ("b", images[1]))
    wrong = {
        "cut": whole[: len(whole) // 2],
        "noise": b"PK\x03\x04" + os.urandom(5000),
        "long list": whole[:-10] + struct.pack("<L", 0x7FFFFFFF) + whole[-6:],
    }
    desk.create_study(None, code="ZIP", title="Zip")
    for said, data in wrong.items():
        log = intake.take_in(desk.intake_target("ZIP"), dicom=[_file(tmp_path, data)])
        assert log.imported == 0, said
        assert codes(log) in (["bad_zip"], ["zip_budget"]), said


@pytest.mark.usefixtures("listing")
def test_an_empty_archive_is_nothing(tmp_path: Path) -> None:
    log = take(tmp_path, packed())
    assert (log.received, log.imported, log.refused) == (0, 0, [])


@pytest.mark.usefixtures("listing")
def test_a_long_list_of_members_is_not_read_into_memory(
    images: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sort, "LONGEST_DIRECTORY", 1000)
    log = take(tmp_path, packed(*((f"{n:04d}", b"") for n in range(100)), ("good", images[0])))
    assert (log.imported, codes(log)) == (0, ["zip_budget"])


def test_a_full_disk_is_not_laid_at_the_archives_door(
    images: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: object, piece: bytes) -> None:
        raise spool.NoSpace(spool.NoSpace.sentence)

    monkeypatch.setattr(spool, "_write", full)
    with pytest.raises(spool.NoSpace, match="nearly full"):
        take(tmp_path, packed(("a", images[0])))
