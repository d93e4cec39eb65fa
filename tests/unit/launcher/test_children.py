from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from launcher.children import Background, exit_code
from launcher.context import Context
from launcher.places import Ended, Stop

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
FAMILY = [
    sys.executable,
    "-c",
    "import subprocess, time; p = subprocess.Popen(['sleep', '60']); print(p.pid, flush=True); time.sleep(60)",
]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
]


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def gone_within(pid: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not alive(pid):
            return True
        time.sleep(0.02)
    return False


def start(context: Context, args: list[str], tmp_path: Path) -> subprocess.Popen[bytes]:
    return context.children.start(args, env=dict(os.environ), cwd=tmp_path, output=subprocess.PIPE)


def first_line(child: subprocess.Popen[bytes]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().decode().strip()


def test_a_child_has_a_group_of_its_own_and_ends_with_its_children(context: Context, tmp_path: Path) -> None:
    child = start(context, FAMILY, tmp_path)
    grandchild = int(first_line(child))
    assert os.getpgid(grandchild) == child.pid != os.getpgid(0)
    context.children.end(child, patience_s=2)
    assert child.returncode == -signal.SIGTERM
    assert gone_within(grandchild, 2)


def test_a_child_that_ignores_the_request_is_killed(context: Context, tmp_path: Path) -> None:
    child = start(context, DEAF, tmp_path)
    assert first_line(child) == "up"
    context.children.end(child, patience_s=0.2)
    assert child.returncode == -signal.SIGKILL


def test_all_children_end_newest_first(context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    children = [start(context, SLEEPER, tmp_path) for _ in range(3)]
    for child in children:
        first_line(child)
    asked: list[int] = []
    real = os.kill

    def kill(pid: int, number: int) -> None:
        asked.append(pid)
        real(pid, number)

    monkeypatch.setattr(os, "kill", kill)
    context.children.end_all(patience_s=2)
    assert asked == [child.pid for child in reversed(children)]
    assert all(child.returncode == -signal.SIGTERM for child in children)


def test_run_gives_the_exit_code_the_lines_and_the_log(context: Context, tmp_path: Path) -> None:
    heard: list[str] = []
    log = tmp_path / "logs" / "a.log"
    args = [sys.executable, "-c", "print('one'); print('two'); raise SystemExit(7)"]
    code = context.children.run(args, env=dict(os.environ), cwd=tmp_path, log=log, on_line=heard.append)
    assert (code, heard, log.read_text()) == (7, ["one", "two"], "one\ntwo\n")


def test_a_failed_command_shows_the_end_of_its_log(context: Context, tmp_path: Path) -> None:
    args = [sys.executable, "-c", "print('the reason'); raise SystemExit(3)"]
    with pytest.raises(Stop, match=r"Baking failed \(exit code 3\)(.|\n)*the reason"):
        context.children.must("Baking", args, env=dict(os.environ), cwd=tmp_path, log=tmp_path / "a.log")


def test_a_command_beyond_its_limit_is_ended(context: Context, tmp_path: Path) -> None:
    with pytest.raises(Stop, match="did not end within"):
        context.children.run(SLEEPER, env=dict(os.environ), cwd=tmp_path, log=tmp_path / "a.log", limit_s=0.3)


def test_the_wish_to_stop_ends_a_command_in_the_middle(context: Context, tmp_path: Path) -> None:
    threading.Timer(0.3, context.children.stop.set).start()
    began = time.monotonic()
    with pytest.raises(Ended):
        context.children.run(SLEEPER, env=dict(os.environ), cwd=tmp_path, log=tmp_path / "a.log")
    assert time.monotonic() - began < 5
    with pytest.raises(Ended):
        start(context, SLEEPER, tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's tie between parent and child is Linux's")
def test_children_do_not_outlive_a_launcher_that_is_killed(tmp_path: Path) -> None:
    deploy = Path(__file__).resolve().parents[3] / "deploy"
    program = textwrap.dedent(f"""
        import os, sys, time
        sys.path.insert(0, {str(deploy)!r})
        from pathlib import Path
        from launcher.children import Children
        child = Children().start(["sleep", "60"], env=dict(os.environ), cwd=Path("/"), output=None)
        print(child.pid, flush=True)
        time.sleep(60)
    """)
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=tmp_path)
    pid = int(first_line(parent))
    assert alive(pid)
    parent.kill()
    parent.wait()
    assert gone_within(pid, 3)


def test_background_work_hands_its_failure_over(context: Context) -> None:
    def fail() -> None:
        raise Stop("no luck")

    with pytest.raises(Stop, match="no luck"):
        Background(fail).join(context.children)
    done: list[int] = []
    Background(lambda: done.append(1)).join(context.children)
    assert done == [1]


def test_exit_codes_are_named() -> None:
    assert exit_code(0) == "exit code 0"
    assert exit_code(-9) == "SIGKILL"
