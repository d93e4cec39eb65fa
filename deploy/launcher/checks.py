"""`./run check`: every tool that reads the code, two at a time, all of them even when one fails."""

from __future__ import annotations

import re
import secrets
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from launcher import bundle, locks, packages
from launcher.children import Background
from launcher.context import Context, setup_lock
from launcher.places import ROOT, VIEWER, bare_environment, in_venv, tail

LANES = 2
# HTTPS and its redirect are the proxy's (deploy/nginx); what holds for sub-domains is for the domain's owner to say.
PROXYS_OWN = frozenset({"security.W005", "security.W008", "security.W021"})
FAULT_CODE = re.compile(r"\((\w+\.[CEW]\d+)\)")
TYPED = ("manage.py", "spondy", "annotation", "analytics", "deploy/launcher", "deploy/bench", "tests", "run")


@dataclass
class Tool:
    name: str
    args: Sequence[str | Path]
    env: Mapping[str, str]
    cwd: Path = ROOT
    accepted: frozenset[str] = frozenset()


@dataclass
class Outcome:
    failed: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


def environment(data: Path) -> dict[str, str]:
    return bare_environment() | {"SPONDY_DATA_DIR": str(data), "MYPYPATH": "deploy"}


def production_like(env: Mapping[str, str]) -> dict[str, str]:
    """Give settings as a production would, so that `check --deploy` complains about the code, not about the demo."""
    return dict(env) | {"SPONDY_TLS": "1", "ALLOWED_HOSTS": "spondy.example", "SECRET_KEY": secrets.token_urlsafe(60)}


def tools(data: Path) -> list[Tool]:
    env = environment(data)
    typed = [name for name in TYPED if (ROOT / name).exists()]
    python, ruff, djlint = in_venv("python"), in_venv("ruff"), in_venv("djlint")
    manage: list[str | Path] = [python, "manage.py"]
    return [
        Tool("types (mypy)", [in_venv("mypy"), "--no-error-summary", *typed], env),
        Tool("format (ruff)", [ruff, "format", "--check", "."], env),
        Tool("lint (ruff)", [ruff, "check", "."], env),
        Tool("imports (lint-imports)", [in_venv("lint-imports")], env),
        Tool("template format (djlint)", [djlint, "templates", "--check"], env),
        Tool("template lint (djlint)", [djlint, "templates", "--lint"], env),
        Tool("migrations", [*manage, "makemigrations", "--check", "--dry-run"], env),
        Tool(
            "settings (check --deploy)",
            [*manage, "check", "--deploy", "--fail-level", "WARNING"],
            production_like(env),
            accepted=PROXYS_OWN,
        ),
    ]


def viewer_tool(context: Context) -> Tool:
    node, env = bundle.node_environment(context)
    return Tool("viewer (tsc, biome)", [*node.npm, "run", "check"], env, cwd=VIEWER)


def carry_out(context: Context) -> int:
    with setup_lock(context):
        packages.ensure(context, dev=True)
        viewer = [viewer_tool(context)] if (VIEWER / "package.json").is_file() else []
    failed = run_all(context, viewer)
    if failed:
        context.console.say(f"{len(failed)} failed: {', '.join(failed)}")
        return 1
    context.console.say("All checks passed.")
    return 0


def run_all(context: Context, more: Sequence[Tool] = ()) -> list[str]:
    """Run every check and give the names of those that failed; what they said is printed."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="spondy-check-") as folder:
        data = Path(folder)
        waiting: list[Callable[[], None]] = [partial(check_locks, context, outcome)]
        for number, tool in enumerate([*tools(data), *more]):
            log = data / f"tool-{number}.log"
            waiting.insert(len(waiting) - 1, partial(run_tool, context, tool, log, outcome))
        lanes = [Background(lambda: work_off(waiting, outcome)) for _ in range(LANES)]
        for lane in lanes:
            lane.join(context.children)
    return outcome.failed


def work_off(waiting: list[Callable[[], None]], outcome: Outcome) -> None:
    while True:
        with outcome.lock:
            if not waiting:
                return
            work = waiting.pop(0)
        work()


def check_locks(context: Context, outcome: Outcome) -> None:
    with context.console.step("lock files") as step:
        found = locks.check()
        if found:
            step.note = "FAILED"
    _settle(context, outcome, "lock files", not found, "\n".join(f"    {fault}" for fault in found))


def run_tool(context: Context, tool: Tool, log: Path, outcome: Outcome) -> None:
    with context.console.step(tool.name) as step:
        code = context.children.run(tool.args, env=tool.env, cwd=tool.cwd, log=log, limit_s=900)
        passed = code == 0 or only_accepted(log, tool.accepted)
        if not passed:
            step.note = "FAILED"
    _settle(context, outcome, tool.name, passed, tail(log, 60))


def only_accepted(log: Path, accepted: frozenset[str]) -> bool:
    """Say whether a tool that failed named faults, and none but those that were accepted."""
    found = set(FAULT_CODE.findall(log.read_text(errors="replace")))
    return bool(found) and found <= accepted


def _settle(context: Context, outcome: Outcome, name: str, passed: bool, said: str) -> None:
    if passed:
        return
    with outcome.lock:
        outcome.failed.append(name)
        context.console.say(f"{name}:\n{said}")
