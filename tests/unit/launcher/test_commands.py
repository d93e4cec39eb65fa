from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from launcher import bundle, checks, packages, production
from launcher.context import Context, digest, stamped, write_stamp
from launcher.demo import Follower
from launcher.folder import DataFolder
from launcher.main import main, parse
from launcher.places import ROOT, Stop, bare_environment
from launcher.suite import NODE_TESTS, Tally, read_report
from launcher.supervisor import RESTARTS, Service, Supervisor


def test_options_behind_test_and_manage_belong_to_them() -> None:
    assert parse(["test", "-k", "x", "tests/unit"]).rest == ["-k", "x", "tests/unit"]
    assert parse(["manage", "migrate", "--check"]).rest == ["migrate", "--check"]
    assert parse(["demo", "--port", "8123"]).port == 8123


@pytest.mark.parametrize("arguments", [["demo", "--port", "0"], ["demo", "--cases", "3"], ["demon"], []])
def test_wrong_arguments_end_with_two(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(arguments)
    assert caught.value.code == 2


def test_the_receiver_is_off_until_it_is_told_who_may_send() -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("SPONDY_RECEIVER_")}
    done = subprocess.run([ROOT / "run", "receiver"], capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 2
    assert "SPONDY_RECEIVER_PEERS lists no sender" in done.stdout


def test_the_launcher_needs_nothing_but_the_standard_library() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(ROOT / "run"), "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_demo_never_inherits_the_settings_of_a_real_study(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "SPONDY_DATA_DIR", "DEBUG", "STORAGE_URL"):
        monkeypatch.setenv(name, "real")
    assert "real" not in bare_environment().values()


def test_serve_refuses_the_folder_of_a_demo(context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    DataFolder(tmp_path / "data").take(reset=False)
    monkeypatch.setenv("SPONDY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(Stop, match="a demo's data folder"):
        production._check(context)


def test_serve_refuses_to_show_its_insides(context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPONDY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("DEBUG", "yes")
    with pytest.raises(Stop, match="DEBUG is on"):
        production._check(context)


def test_a_command_beside_a_running_demo_finds_its_broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPONDY_DATA_DIR", str(tmp_path))
    assert production.running_demo() == {}
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "environment.json").write_text(json.dumps({"REDIS_URL": "redis://x"}))
    assert production.running_demo() == {"REDIS_URL": "redis://x"}


def test_a_wrong_number_in_the_environment_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPONDY_WEB_WORKERS", "many")
    with pytest.raises(Stop, match="SPONDY_WEB_WORKERS is 'many'"):
        production.whole_number("SPONDY_WEB_WORKERS", 2)


def test_a_digest_sees_names_and_contents(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("a")
    two.write_text("b")
    before = digest([one, two], base=tmp_path)
    assert before == digest([two, one], base=tmp_path)
    two.write_text("c")
    assert digest([one, two], base=tmp_path) != before
    write_stamp(tmp_path / "deep" / "stamp", before)
    assert stamped(tmp_path / "deep" / "stamp", before)
    assert not stamped(tmp_path / "deep" / "stamp", "other")


def test_the_bundle_is_made_again_when_a_source_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer, built = tmp_path / "viewer", tmp_path / "built"
    (viewer / "src").mkdir(parents=True)
    (viewer / "test").mkdir()
    built.mkdir()
    source = viewer / "src" / "main.ts"
    source.write_text("1")
    (viewer / "package.json").write_text("{}")
    monkeypatch.setattr(bundle, "VIEWER", viewer)
    monkeypatch.setattr(bundle, "MANIFEST", built / "manifest.json")
    monkeypatch.setattr(bundle, "STAMP", built / ".stamp")
    monkeypatch.setattr(bundle, "digest", lambda paths: digest(paths, base=tmp_path))
    assert not bundle.ready()
    (built / "manifest.json").write_text("{}")
    assert not bundle.ready(), "a bundle of unknown origin is made again"
    write_stamp(built / ".stamp", digest(bundle.sources(), base=tmp_path))
    assert bundle.ready()
    (viewer / "test" / "a.test.ts").write_text("a test is not part of the bundle")
    assert bundle.ready()
    source.write_text("2")
    assert not bundle.ready()
    (viewer / "package.json").unlink()
    assert bundle.ready(), "an image carries the bundle without its sources"


def test_a_changed_lock_is_installed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("a==1")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").write_text("")
    pip = tmp_path / "bin" / "pip"
    pip.write_text(f"#!{tmp_path}/bin/python\n")
    monkeypatch.setattr(packages, "VENV", tmp_path)
    monkeypatch.setattr(packages, "MARK", tmp_path / "unfinished")
    monkeypatch.setattr(packages, "in_venv", lambda name: tmp_path / "bin" / name)
    monkeypatch.setattr(packages, "LOCKS", {False: lock})
    monkeypatch.setattr(packages, "digest", lambda paths, extra: digest(paths, base=tmp_path, extra=extra))
    assert not packages.ready(dev=False)
    write_stamp(packages.stamp_of(dev=False), packages.wanted(dev=False))
    assert packages.ready(dev=False)
    lock.write_text("a==2")
    assert not packages.ready(dev=False)
    lock.write_text("a==1")
    pip.write_text("#!/where/the/project/once/lay/.venv/bin/python\n")
    assert not packages.ready(dev=False), "an environment that was moved is made again"
    pip.write_text(f"#!{tmp_path}/bin/python\n")
    with contextlib.suppress(KeyboardInterrupt), packages.unfinished():
        raise KeyboardInterrupt
    assert not packages.ready(dev=False), "an installation that was interrupted is made again"
    with packages.unfinished():
        pass
    assert packages.ready(dev=False)


def test_an_environment_behind_a_link_is_never_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, context: Context
) -> None:
    theirs = tmp_path / "theirs"
    (theirs / "bin").mkdir(parents=True)
    (theirs / "bin" / "pip").write_text(f"#!{theirs}/bin/python\n")
    link = tmp_path / "copy" / ".venv"
    link.parent.mkdir()
    link.symlink_to(theirs)
    monkeypatch.setattr(packages, "VENV", link)
    monkeypatch.setattr(packages, "MARK", link / "unfinished")
    monkeypatch.setattr(packages, "in_venv", lambda name: link / "bin" / name)
    with pytest.raises(Stop, match="is a link to another environment"):
        packages.ensure(context, dev=True)
    assert [path.name for path in theirs.rglob("*")] == ["bin", "pip"], "neither marked nor thrown away"


def test_the_worker_log_is_followed_for_the_demos_progress(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    log.write_text("demo: of an earlier start\n")
    follower = Follower(log)
    assert follower.news() == []
    with log.open("a") as file:
        file.write("[INFO] demo: case 5 of 24\n[INFO] something else\n[INFO] demo: case")
        file.flush()
        assert follower.news() == ["demo: case 5 of 24"]
        file.write(" 6 of 24\n")
        file.flush()
        assert follower.news() == ["demo: case 6 of 24"]


def test_pytests_report_is_counted(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text('<testsuites><testsuite tests="10" failures="2" errors="1" skipped="3"/></testsuites>')
    tally = read_report(report)
    assert tally == Tally(passed=4, failed=3, skipped=3)
    assert tally.line() == "4 passed, 3 failed, 3 skipped"
    assert Tally(passed=5).line() == "5 passed, 0 failed"
    assert read_report(tmp_path / "none.xml") == Tally()


@pytest.mark.parametrize("line", ["# pass 12", "ℹ pass 12"])
def test_nodes_closing_lines_are_read(line: str) -> None:
    found = NODE_TESTS.match(line)
    assert found is not None
    assert found.groups() == ("pass", "12")


def test_a_dead_service_is_started_again_and_said(context: Context, tmp_path: Path) -> None:
    context.console.stream = io.StringIO()
    folder = DataFolder(tmp_path / "data")
    folder.take(reset=False)
    supervisor = Supervisor(context, folder)
    service = Service("worker", [sys.executable, "-c", "import time; time.sleep(60)"], dict(os.environ), patience_s=2)
    supervisor.start(service)
    assert service.child is not None
    first = service.child
    first.kill()
    first.wait()
    supervisor.look()
    assert service.child.pid != first.pid
    assert service.child.poll() is None
    assert (folder.run / "worker.pid").read_text() == f"{service.child.pid}\n"
    assert "worker died (SIGKILL) and was started again" in context.console.stream.getvalue()
    supervisor.end()
    assert not (folder.run / "worker.pid").exists()


def test_a_service_that_keeps_dying_stops_the_demo_with_its_log(context: Context, tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.take(reset=False)
    supervisor = Supervisor(context, folder)
    args: list[str | Path] = [sys.executable, "-c", "raise SystemExit('no such module')"]
    supervisor.start(Service("web", args, dict(os.environ), patience_s=1))

    def watch() -> None:
        for _ in range(400):
            supervisor.look()
            time.sleep(0.02)

    with pytest.raises(Stop, match=r"web keeps dying(.|\n)*no such module"):
        watch()
    assert len(supervisor.services[0].deaths) == RESTARTS + 1


def test_main_turns_a_stop_into_a_sentence_and_a_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("launcher.children.Children.listen", lambda self: None)
    assert main(["bench", "nothing-of-the-sort"]) == 2
    assert "There is no benchmark nothing-of-the-sort" in capsys.readouterr().out


def test_an_address_with_a_password_may_come_as_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "url").write_text("postgres://a:b@c/d\n")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "url"))
    assert production.environment()["DATABASE_URL"] == "postgres://a:b@c/d"
    monkeypatch.setenv("DATABASE_URL", "sqlite:///x")
    assert production.environment()["DATABASE_URL"] == "sqlite:///x"
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "none"))
    with pytest.raises(Stop, match="DATABASE_URL_FILE names"):
        production.environment()


@pytest.mark.parametrize(
    ("said", "passes"),
    [
        ("?: (security.W008) redirect", True),
        ("?: (security.W008) redirect\n?: (security.W018) DEBUG is on", False),
        ("Traceback (most recent call last):", False),
    ],
)
def test_only_what_is_the_proxys_business_is_let_pass(tmp_path: Path, said: str, passes: bool) -> None:
    log = tmp_path / "log"
    log.write_text(said)
    assert checks.only_accepted(log, checks.PROXYS_OWN) is passes


def test_of_a_traceback_only_the_reason_is_shown() -> None:
    assert production.complaint(
        "Traceback (most recent call last):\n  File x\na.b.Error: no server\n\tIs it up?\n"
    ) == ("a.b.Error: no server Is it up?")
    assert production.complaint("first\nsecond\n") == "first\nsecond"
