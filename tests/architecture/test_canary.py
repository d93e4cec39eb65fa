"""A study full of recognisable secrets, and every address a reader can reach: none of them shows one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from annotation import desk, room
from annotation.models import Assignment, Case, Instance, Patient, Series, Study
from tests import cast
from tests.architecture.test_every_url_has_a_door import OURS

pytestmark = pytest.mark.django_db

LINK = re.compile(r"""(?:href|src|action)="(/[^"#]*)""")


@dataclass
class Walk:
    """Everything that was said to one reader, by address."""

    seat: Client
    heard: dict[str, bytes] = field(default_factory=dict)

    def get(self, path: str) -> bytes:
        return self.ask("GET", path)

    def ask(self, method: str, path: str, body: object = None) -> bytes:
        answer = cast.send(self.seat, method, path, {} if body is None else body)
        head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        cookies = answer.cookies.output()
        said = f"{head}\n{cookies}\n".encode() + answer.content
        if "session" in answer.wsgi_request.__dict__:
            said += "\n".join(str(message) for message in get_messages(answer.wsgi_request)).encode()
        self.heard[f"{method} {path} {json.dumps(body)}"] = said
        content: bytes = answer.content
        return content

    def frame(self, path: str) -> None:
        answer = cast.wsgi(path, cookie=cast.session_cookie(self.seat))
        assert answer.status == 200, path
        self.heard[path] = json.dumps(answer.headers).encode() + answer.body


def everything(walk: Walk, code: str) -> Walk:
    """Do and try what a reader can do and try: own pages and links, acts with good and bad bodies, others' doors."""
    own = [f"/room/{code}/", *(f"/room/{code}/{form}/" for form in cast.forms(code))]
    for path in ["/", "/accounts/password/", "/accounts/comfort/", "/api/schema/", "/healthz", "/readyz", *own]:
        for link in LINK.findall(walk.get(path).decode()):
            if not link.startswith("/static/"):
                walk.get(link)
    for form in cast.forms(code):
        _read(walk, code, form)
    _strange(walk, code)
    return walk


def _read(walk: Walk, code: str, form: str) -> None:
    for said in ({"seen": False, "said": {"room": "dim"}, "screen": "1920x1080@1"}, {"seen": 1, "screen": "x"}):
        walk.ask("POST", f"/api/room/{code}/{form}/display", said)
    for habit in ("pan_left", "of nobody"):
        walk.ask("PUT", "/api/preferences", {"habit": habit})
    reading = json.loads(walk.get(f"/api/room/{code}/{form}/next"))["reading"]
    ahead = json.loads(walk.get(f"/api/room/{code}/{form}/upcoming"))["reading"] or {"stacks": []}
    for image in [*cast.frame_addresses(reading), *cast.frame_addresses(ahead)]:
        walk.frame(image)
    good = cast.answers(code, form)
    evidence = cast.pointing(reading, next(iter(good)))
    if "slip_mm.case" in good:
        good["slip_mm.case"], evidence["slip_mm.case"] = 6.0, cast.points_on(reading, slip_mm=6.0)
    first = json.loads(walk.ask("PUT", reading["save_url"], {"base": 0, "answers": good, "evidence": evidence}))
    for body in (
        {"base": 0, "answers": {"comment": "x"}},
        {"base": first["revision"], "answers": {"nothing.case": 1}},
        {"base": first["revision"], "answers": []},
        {"base": first["revision"], "answers": good, "evidence": {"slip_mm.case": {"uid": "2.25.1"}}},
        {"base": first["revision"], "answers": good, "evidence": {"marks": [{"kind": "arrow", "label": "Meier"}]}},
        {"answers": 1},
    ):
        walk.ask("PUT", reading["save_url"], body)
    moment = {"number": 1, "kind": "answer", "cell": next(iter(good)), "ago_ms": 5}
    for kind in ("answer", "left"):
        told = {"visit": reading["id"], "moments": [moment | {"kind": kind}]}
        walk.ask("POST", reading["times_url"], told)
    _close(walk, reading, first["revision"])
    walk.get(f"/room/{code}/")
    walk.get(f"/api/room/{code}/{form}/next")


def _close(walk: Walk, reading: Mapping[str, str], revision: int) -> None:
    """Go on with every answer that closes a case and brings the next one along, and with those that refuse."""
    walk.ask("POST", reading["set_aside_url"], {"reason": "", "onward": True})
    walk.ask("POST", reading["lock_url"], {"base": 99, "onward": True})
    done = json.loads(walk.ask("POST", reading["lock_url"], {"base": revision, "onward": True}))
    for image in cast.frame_addresses(done["next"]["reading"]):
        walk.frame(image)
    aside = {"reason": "Flickers.", "onward": True}
    assert json.loads(walk.ask("POST", done["next"]["reading"]["set_aside_url"], aside))["next"]["reading"]


def _strange(walk: Walk, code: str) -> None:
    """Knock at every other door, with what really is behind it."""
    others = Assignment.objects.filter(study__code=code).exclude(reader__username=_name(walk))
    of_study = Series.objects.filter(case__patient__study__code=code)
    series, case = of_study.values_list("pk", "case__patient__pseudonym")[0]
    for route in OURS:
        for reading in others.values_list("pk", flat=True)[:2]:
            path = f"/{route}".replace("<slug:study>", code).replace("<slug:form>", cast.forms(code)[0])
            path = path.replace("<uuid:reading>", str(reading)).replace("<int:series>", str(series))
            path = path.replace("<int:number>", "1").replace("<slug:case>", case)
            path = path.replace("<uuid:run>", str(reading)).replace("<path:name>", "estimates.csv")
            path = path.replace("<str:cell>", "lee.case")
            for method in ("GET", "POST", "PUT"):
                if "logout" not in path:
                    walk.ask(method, path)
    for path in (f"/room/{code}/nowhere/", f"/api/room/{code}/nowhere/next", "/api/nowhere", "/nowhere", "/frames/x"):
        walk.get(path)


def _name(walk: Walk) -> str:
    return walk.seat.get("/accounts/password/").wsgi_request.user.get_username()


@pytest.fixture
def planted() -> None:
    """Let reader_a leave what nobody else may learn, in both studies: answers, a comment, a note, a reason."""
    for code in (cast.SPINE, cast.PEBBLE):
        for form in cast.forms(code):
            reading = cast.current("reader_a", code, form)
            answers = cast.answers(code, form)
            answers["comment"] = f"{cast.COMMENT} sagt nichts"
            free = cast.instrument(code).reasons[-1].code
            answers[next(iter(answers))] = {"not_assessable": free, "note": cast.NOTE}
            if "slip_mm.case" in answers:
                answers["slip_mm.case"] = cast.SLIP_OF_A
            evidence = cast.pointing(reading.document(), next(cell for cell in answers if cell != "comment"))
            saved = room.save(cast.reader_a(), reading.id, base=0, answers=answers, evidence=evidence)
            room.lock(cast.reader_a(), reading.id, base=saved.revision)
            room.set_aside(cast.reader_a(), cast.current("reader_a", code, form).id, reason=cast.KEPT_BACK)


def hidden(code: str, *, own: str) -> Iterator[str]:
    """Give everything about a study that its reader `own` may not meet, as text."""
    yield from cast.SECRETS
    yield str(cast.SLIP_OF_A)
    for patient in Patient.objects.filter(study__code=code):
        yield from (patient.pseudonym, patient.identifier_hash)
    for one in Series.objects.filter(case__patient__study__code=code):
        yield one.series_uid
    for instance in Instance.objects.filter(series__case__patient__study__code=code):
        yield from (instance.sop_uid, instance.digest, *(frame["digest"] for frame in instance.frames))
        yield from (str(instance.header[tag]["Value"][0]) for tag in ("0020000D", "00080020", "00080022"))
    others = Assignment.objects.filter(study__code=code).exclude(reader__username=own)
    for other in others.select_related("reader", "locked_revision"):
        yield str(other.pk)
        yield other.reader.username
        if other.locked_revision:
            yield other.locked_revision.digest
            yield other.locked_revision.saved_at.isoformat()
    study = Study.objects.get(code=code)
    yield from (str(study.seed), study.protocol_digest)


# As a number of its own: three digits stand by chance in random tokens, between letters.
AGE = re.compile(rb"(?<![\w.])101(?![\w.])")


OWN_SAVE = re.compile(rb'"saved_at": ?"[^"]*"')


def leaks(heard: Mapping[str, bytes], secrets: set[str], told: str) -> list[str]:
    """Name the address and the secret for each that is found; what the reader sent along in an address is not one."""
    found = []
    for path, said in heard.items():
        # The time of the reader's own save is no secret, and its digits can look like one.
        lower = OWN_SAVE.sub(b"", said).lower()
        found += [f"{path[:90]}: {one}" for one in secrets if one.lower().encode() in lower and one not in path + told]
        if not path.startswith("/frames/") and AGE.search(said):
            found.append(f"{path[:90]}: age")
    return found


@pytest.mark.usefixtures("planted")
@pytest.mark.parametrize(("username", "code"), [("reader_b", cast.SPINE), ("root", cast.PEBBLE)])
def test_nothing_hidden_reaches_a_reader(username: str, code: str) -> None:
    walk = everything(Walk(cast.client(username)), code)
    frames = sum(path.startswith("/frames/") for path in walk.heard)
    assert frames >= (30 if code == cast.SPINE else 6)
    assert len(walk.heard) > 120
    found = leaks(walk.heard, set(hidden(code, own=username)), told=username)
    assert not found, "\n".join(sorted(found)[:40])


@pytest.mark.usefixtures("planted")
def test_the_operator_pages_show_a_superuser_no_secret_of_a_study() -> None:
    """`root` reads in PEBBLE; the operator's pages know accounts and memberships, so those names are theirs to see."""
    seat = cast.client("root")
    walk = Walk(seat)
    seen: set[str] = set()
    waiting = ["/admin/"]
    while waiting:
        path = waiting.pop()
        seen.add(path)
        found = LINK.findall(walk.get(path).decode())
        fresh = {link for link in found if link.startswith("/admin/") and not re.search("logout|jsi18n|delete", link)}
        waiting += sorted(fresh - seen)[: 60 - len(seen)]
    assert {"/admin/annotation/job/", "/admin/annotation/membership/", "/admin/auth/user/"} <= seen
    secrets = set(hidden(cast.PEBBLE, own="root")) - set(cast.PEOPLE)
    # Permissions and groups are numbered one after the other; such a number may be anybody's age.
    heard = {path: re.sub(rb'<option value="\d+"', b"<option", said) for path, said in walk.heard.items()}
    found = leaks(heard, secrets, told="")
    assert not found, "\n".join(sorted(found)[:40])


def test_the_canary_sings() -> None:
    """The search would find what it looks for: the desk does show some of it to its own people."""
    walk = Walk(cast.client("coordinator"))
    walk.get(f"/desk/{cast.SPINE}/release/")
    walk.get(f"/desk/{cast.SPINE}/trail/")
    found = leaks(walk.heard, set(hidden(cast.SPINE, own="reader_b")), told="")
    assert any("P-" in one for one in found)
    assert AGE.search(b'{"age": 101}')
    assert not AGE.search(b"2.25.31017")


def test_what_was_taken_in_has_lost_its_origin() -> None:
    """The stored rows themselves hold no name, identifier, description or source UID; only shifted dates."""
    gone = [one for one in cast.SECRETS if one not in (cast.BMI,)]
    stored = [json.dumps(header) for header in Instance.objects.values_list("header", flat=True)]
    stored += [json.dumps([s.parameters, s.title, s.role_reason, s.series_uid]) for s in Series.objects.all()]
    stored += [json.dumps([c.labels, c.lysis_vertebra]) for c in Case.objects.all()]
    stored += [f"{p.pseudonym} {p.identifier_hash}" for p in Patient.objects.all()]
    stored += [
        json.dumps([e.subject, e.before, e.after, e.reason]) for e in Study.objects.get(code=cast.SPINE).events.all()
    ]
    for text in stored:
        assert not [one for one in gone if one.lower() in text.lower()], text[:300]


# --- the same case for the other reader ----------------------------------------------------------------------------


def pages_of(username: str, form: str) -> dict[int, dict[str, object]]:
    """Give what a reader was sent for each case, by the case; reading on by setting aside."""
    seat = cast.client(username)
    by_case: dict[int, dict[str, object]] = {}
    for _ in range(4):
        reading = cast.next_of(seat, cast.SPINE, form)["reading"]
        by_case[Assignment.objects.get(pk=reading["id"]).case_id] = reading
        room.set_aside(cast.person(username), Assignment.objects.get(pk=reading["id"]).pk, reason="On.")
    return by_case


def names_in(reading: object) -> set[str]:
    """Give every UID, address and identifier in a document."""
    text = json.dumps(reading)
    uids = set(re.findall(r"2\.25\.\d+", text))
    return uids | set(re.findall(r"/frames/[^\"]+", text)) | set(re.findall(r"[0-9a-f-]{36}", text))


@pytest.mark.parametrize("form", ["ct", "mr"])
def test_the_same_case_has_another_name_for_the_other_reader(form: str) -> None:
    of_a, of_b = pages_of("reader_a", form), pages_of("reader_b", form)
    assert set(of_a) == set(of_b)
    assert len(of_a) == 4
    for case, seen in of_a.items():
        other = of_b[case]
        for part in ("label", "position", "id", "save_url", "lock_url"):
            assert seen[part] != other[part], part
        assert len(names_in(seen)) > 20
        assert not names_in(seen) & names_in(other)
    every_a = set().union(*(names_in(seen) for seen in of_a.values()))
    every_b = set().union(*(names_in(seen) for seen in of_b.values()))
    assert not every_a & every_b


def test_the_same_case_has_another_name_in_the_other_form() -> None:
    ct, mr = pages_of("reader_a", "ct"), pages_of("reader_a", "mr")
    for case, seen in ct.items():
        assert not names_in(seen) & names_in(mr[case])


def test_the_level_is_not_told_where_the_study_hides_it() -> None:
    """Not in the reading, and not by a remark that compares the reader's answer with it either."""
    study = cast.study()
    study.settings = {**study.settings, "index_level_shown": False}
    study.save()
    seat = cast.client("reader_a")
    reading = cast.next_of(seat, cast.SPINE, "mr")["reading"]
    assert (reading["index_level"], reading["index_segment"]) == ("", "")
    body = {"base": 0, "answers": cast.answers(cast.SPINE, "mr", level_seen__case=3), "evidence": {}}
    said = cast.send(seat, "PUT", reading["save_url"], body)
    assert said.status_code == 200
    assert "L5" not in said.content.decode()


def test_the_hall_tells_own_counts_only() -> None:
    cast.read_one("reader_a", cast.SPINE, "ct")
    page = cast.client("reader_b").get(f"/room/{cast.SPINE}/").content.decode()
    assert "0 of 4 submitted" in page
    assert "1 of 4" not in page
    assert desk.progress(cast.coordinator(), cast.SPINE)[0].locked == 1
